//! `aml-subnet upgrade`: nothing stops before everything is known, and what does not come up is taken back.

use std::path::Path;
use std::process::Output;
use std::sync::atomic::Ordering;

use aml_miner::clock::{Clock as _, SystemClock};
use aml_subnet::store::Ledger;
use aml_subnet::store::records::Step;

use crate::ledger_kit::{Home, commitment, id, must_open, must_reach, round, task};
use crate::ledger_versions::{fixtures, must_run};
use crate::scores_cli::Desk;
use crate::upgrade_kit::{Machine, Start};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn must_end(output: &Output, code: i32, expected: &str) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(expected), "{text}: expected {expected}");
}

/// A validator with the ledger that version 1.0.0 left: a settled round, a published one, one that is being asked.
async fn of_1_0_0() -> Machine {
    let desk = Desk::set();
    let sql = std::fs::read_to_string(fixtures().join("1.0.0.sqlite.sql")).expect("a fixture");
    must_run(&desk.0.url, &sql).await;
    Machine::new(desk, Start::WellOnOld).await
}

async fn schema(machine: &Machine) -> i64 {
    Ledger::glimpse(&machine.desk.0.url).await.expect("a ledger").schema
}

fn kept(machine: &Machine) -> std::path::PathBuf {
    let all = std::fs::read_dir(machine.at("state")).expect("a folder").flatten().map(|entry| entry.path());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    all.into_iter().find(|path| name(path).starts_with("before-")).expect("something was kept")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_of_the_first_release_is_upgraded_and_can_be_taken_back() {
    let machine = of_1_0_0().await;
    let release = machine.release("1.1.0", Start::Well);
    let from = release.to_str().expect("UTF-8");
    must_end(&machine.upgrade(&["--from", from, "--dry-run"]).await, 0, "1.1.0 is good and takes the settings");
    assert_eq!((machine.told(), machine.installed()), (vec![], "aml-subnet 1.0.0".to_owned()));
    assert_eq!(schema(&machine).await, 1);

    let output = machine.upgrade(&["--from", from]).await;
    must_end(&output, 0, "1.1.0 runs");
    assert!(said(&output).contains("takes the settings of aml-subnet-validator.service"), "{}", said(&output));
    let unit = "aml-subnet-validator.service";
    assert_eq!(machine.told(), [format!("stop {unit}"), "daemon-reload".to_owned(), format!("start {unit}")]);
    assert_eq!((machine.installed(), schema(&machine).await), ("aml-subnet 1.1.0".to_owned(), 2));
    let model = std::fs::read_to_string(machine.at("root/usr/local/share/aml/trained_models/model.txt"));
    assert_eq!(model.expect("installed"), "1.1.0");
    must_end(&machine.upgrade(&["--from", from]).await, 0, "installed already");

    // The next day it is regretted.
    let ledger = must_open(&machine.desk.0.url).await;
    must_reach(&ledger, 9, Step::Published).await;
    ledger.close().await;
    let folder = kept(&machine);
    let output = machine.upgrade(&["--take-back", folder.to_str().expect("UTF-8")]).await;
    must_end(&output, 0, &format!("lost: round {}: not begun, it was published", id(9)));
    assert_eq!((machine.installed(), schema(&machine).await), ("aml-subnet 1.0.0".to_owned(), 1));
    let unit = std::fs::read_to_string(machine.at("root/etc/systemd/system/aml-subnet-validator.service"));
    assert_eq!(unit.expect("put back"), "of 1.0.0");
    assert!(!machine.at("root/usr/local/share/aml/trained_models/model.txt").exists(), "it was not there before");
    let aside = folder.join("ledger-of-the-new-program-1.sqlite");
    let aside = must_open(&format!("sqlite:{}", aside.display())).await;
    assert!(aside.round(id(9)).await.unwrap().is_some(), "nothing is thrown away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_start_is_taken_back_with_the_ledger() {
    for (start, why, lost) in [
        (Start::Not, "not ready after 3 s", "no round is lost"),
        (Start::Unready, "the ledger does not answer", "lost: round 7-2026-01-09-30: not begun, it was tasked"),
    ] {
        let machine = of_1_0_0().await;
        machine.answers.writes.store(start == Start::Unready, Ordering::SeqCst);
        let before = Ledger::glimpse(&machine.desk.0.url).await.expect("a ledger");
        let release = machine.release("1.1.0", start);
        let output = machine.upgrade(&["--from", release.to_str().expect("UTF-8")]).await;
        must_end(&output, 4, why);
        assert!(said(&output).contains(lost), "{}", said(&output));
        assert_eq!(machine.installed(), "aml-subnet 1.0.0");
        assert_eq!(Ledger::glimpse(&machine.desk.0.url).await.expect("a ledger"), before, "under {start:?}");
        assert_eq!(std::fs::read_to_string(machine.at("up")).expect("it runs").trim(), "1.0.0");
        // The ledger that was put back goes on.
        let ledger = must_open(&machine.desk.0.url).await;
        crate::ledger_transfer::must_be_filled(&ledger).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn miners_that_are_being_asked_are_not_disturbed() {
    let desk = Desk::set();
    let ledger = desk.0.open().await;
    ledger.begin(&round(1)).await.expect("it begins");
    let asked = aml_subnet::store::records::Task { deadline_ms: SystemClock.now_ms() + 30 * 60_000, ..task(1) };
    ledger.record_task(id(1), &asked, commitment()).await.expect("a task");
    ledger.close().await;
    let machine = Machine::new(desk, Start::Well).await;
    let release = machine.release("1.1.0", Start::Well);
    let from = release.to_str().expect("UTF-8");
    must_end(&machine.upgrade(&["--from", from]).await, 3, &format!("miners of round {} are being asked", id(1)));
    assert!(machine.told().is_empty() && machine.installed() == "aml-subnet 1.0.0");
    must_end(&machine.upgrade(&["--from", from, "--force"]).await, 0, "forced, though miners of round");
    assert_eq!(machine.installed(), "aml-subnet 1.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stops_for_a_release_that_is_not_good() {
    let machine = of_1_0_0().await;
    let release = machine.release("1.1.0", Start::Well);
    let from = release.to_str().expect("UTF-8");
    let sums = std::fs::read(release.join("SHA256SUMS")).expect("sums");
    let tarball = std::fs::read_dir(&release).expect("a folder").flatten().map(|entry| entry.path());
    let tarball = tarball.into_iter().find(|path| path.extension().is_some_and(|end| end == "gz")).expect("a tarball");
    let good = std::fs::read(&tarball).expect("a tarball");

    std::fs::write(&tarball, [good.as_slice(), b"x"].concat()).expect("written");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "is not the file that SHA256SUMS names");
    std::fs::write(&tarball, &good).expect("written");
    std::fs::write(release.join("SHA256SUMS"), [sums.as_slice(), b"\n"].concat()).expect("written");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "is not signed by a key of");
    machine.seal(&release, "stranger");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "is not signed by a key of");
    std::fs::remove_file(release.join("SHA256SUMS.sig")).expect("ours");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "SHA256SUMS.sig");
    must_end(&machine.upgrade(&["--from", from, "--unsigned", "--dry-run"]).await, 0, "1.1.0 is good");
    machine.seal(&release, "key");
    let unknown = machine.at("nobody.signers");
    let words = ["--from", from, "--signers", unknown.to_str().expect("UTF-8")];
    let output = machine.upgrade(&words).await;
    assert!(!output.status.success(), "{}", said(&output));

    let old = machine.release("0.9.0", Start::Well);
    must_end(&machine.upgrade(&["--from", old.to_str().expect("UTF-8")]).await, 1, "0.9.0 is older");
    must_end(&machine.upgrade(&["--from", "nowhere"]).await, 1, "cannot use nowhere/SHA256SUMS");

    // Settings that the new program does not take.
    let settings = std::fs::read_to_string(machine.at("subnet.toml")).expect("settings");
    std::fs::write(machine.at("subnet.toml"), format!("{settings}\nof_the_old = 1\n")).expect("written");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "of_the_old");
    assert!(machine.told().is_empty(), "{:?}", machine.told());
    assert_eq!((machine.installed(), schema(&machine).await), ("aml-subnet 1.0.0".to_owned(), 1));
    let left = std::fs::read_dir(machine.at("state")).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect();
    assert_eq!(left, ["upgrade.lock"], "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_fetched_over_http() {
    let machine = of_1_0_0().await;
    machine.release("1.1.0", Start::Well);
    let from = format!("{}/releases/release-1.1.0/", machine.url());
    must_end(&machine.upgrade(&["--from", &from]).await, 0, "1.1.0 runs");
    let from = format!("{}/releases/none", machine.url());
    must_end(&machine.upgrade(&["--from", &from]).await, 1, "cannot fetch SHA256SUMS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_is_upgraded_and_taken_back_alike() {
    let machine = Machine::new(Desk::set(), Start::Well).await;
    let (good, bad) = (machine.release("1.1.0", Start::Well), machine.release("1.2.0", Start::Not));
    let words = ["--role", "miner", "--from"];
    let upgrade =
        async |release: &Path| machine.upgrade(&[&words[..], &[release.to_str().expect("UTF-8")]].concat()).await;
    must_end(&upgrade(&good).await, 0, "1.1.0 runs");
    let both = "aml-miner-serve.service aml-subnet-miner.service";
    assert_eq!(machine.told(), [format!("stop {both}"), "daemon-reload".to_owned(), format!("start {both}")]);
    assert!(!machine.at("ledger.sqlite").exists(), "a miner has no ledger");
    must_end(&upgrade(&bad).await, 4, "no round is lost");
    assert_eq!(machine.installed(), "aml-subnet 1.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_in_postgresql_is_the_operators_to_back_up() {
    let Some(home) = Home::server() else { return };
    let mut desk = Desk::set();
    home.psql(&home.url, &fixtures().join("1.0.0.postgres.sql"));
    desk.0.url.clone_from(&home.url);
    let machine = Machine::new(desk, Start::WellOnOld).await;
    let bad = machine.release("1.1.0", Start::Unready);
    let from = bad.to_str().expect("UTF-8");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "--have-backup");
    assert!(machine.told().is_empty());
    let output = machine.upgrade(&["--from", from, "--have-backup"]).await;
    must_end(&output, 5, "restore your backup, then start the units");
    assert_eq!(machine.installed(), "aml-subnet 1.0.0");
    assert_eq!(schema(&machine).await, 2, "it is not put back from here");
    assert_eq!(
        machine.told().last().map(String::as_str),
        Some("daemon-reload"),
        "the old program is not started on it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_upgraded_and_taken_back_by_dpkg() {
    let Some(machine) = Machine::packaged(Desk::set(), Start::Well).await else { return };
    assert_eq!(machine.of_dpkg(), "1.0.0 installed");
    std::fs::write(machine.at("root/etc/aml/validator.env"), "the operator's").expect("written");
    let of_miner = || std::fs::read_to_string(machine.at("root/etc/aml/miner.env")).expect("a setting");
    let model = || std::fs::read_to_string(machine.at("root/usr/share/aml/trained_models/model.txt")).expect("a model");
    let (good, bad) = (machine.release("1.1.0", Start::Well), machine.release("1.2.0", Start::Not));

    must_end(&machine.upgrade(&["--from", good.to_str().expect("UTF-8"), "--dry-run"]).await, 0, "1.1.0 is good");
    assert_eq!(machine.of_dpkg(), "1.0.0 installed");
    must_end(&machine.upgrade(&["--from", good.to_str().expect("UTF-8")]).await, 0, "1.1.0 runs");
    assert_eq!((machine.of_dpkg().as_str(), machine.installed().as_str()), ("1.1.0 installed", "aml-subnet 1.1.0"));
    assert_eq!((of_miner().as_str(), model().as_str()), ("1.1.0", "1.1.0"));
    let folder = kept(&machine);

    // One that does not start: dpkg has the version of before again.
    must_end(&machine.upgrade(&["--from", bad.to_str().expect("UTF-8")]).await, 4, "not ready after 3 s");
    assert_eq!((machine.of_dpkg().as_str(), machine.installed().as_str()), ("1.1.0 installed", "aml-subnet 1.1.0"));
    assert_eq!(model(), "1.1.0");

    // And the first one is regretted, after dpkg was cut off in the middle of something.
    let status = machine.at("root/var/lib/dpkg/status");
    let said = std::fs::read_to_string(&status).expect("a database");
    assert!(said.contains("install ok installed"), "{said}");
    std::fs::write(&status, said.replace("install ok installed", "install ok half-configured")).expect("written");
    std::fs::remove_file(machine.at("root/usr/bin/aml-subnet")).expect("it was there");
    must_end(&machine.upgrade(&["--from", good.to_str().expect("UTF-8")]).await, 1, "No such file");
    must_end(&machine.upgrade(&["--take-back", folder.to_str().expect("UTF-8")]).await, 0, "no round is lost");
    assert_eq!((machine.of_dpkg().as_str(), machine.installed().as_str()), ("1.0.0 installed", "aml-subnet 1.0.0"));
    assert_eq!((of_miner().as_str(), model().as_str()), ("1.0.0", "1.0.0"));
    let changed = std::fs::read_to_string(machine.at("root/etc/aml/validator.env")).expect("a setting");
    assert_eq!(changed, "the operator's", "through all of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_upgrades_do_not_meet_and_what_no_package_installed_is_not_replaced_by_one() {
    let machine = of_1_0_0().await;
    let release = machine.release("1.1.0", Start::Well);
    let from = release.to_str().expect("UTF-8");
    std::fs::create_dir_all(machine.at("state")).expect("a folder");
    let lock = std::fs::File::create(machine.at("state/upgrade.lock")).expect("a file");
    lock.try_lock().expect("it is free");
    must_end(&machine.upgrade(&["--from", from]).await, 1, "another upgrade is at work");
    drop(lock);
    must_end(&machine.upgrade(&["--from", from, "--prefix", "/usr"]).await, 1, "dpkg knows of no package aml");
}
