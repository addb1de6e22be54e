//! The ledger under faults: killed before and after every commit, a full disk, a damaged file, a server that goes away.
//!
//! The process that is killed is this test binary itself, run again for one ignored test.

use std::fs;
use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use aml_subnet::store::records::{Dormancy, Step, WeightsState, WeightsTarget};
use aml_subnet::store::{Ledger, OpenLedgerError, RecordError, Retention, StorageError};

use crate::ledger_kit::{Home, NETUID, NOW, causes, id, miner, must_open, must_reach, open, round, task, weights};

/// Names the ledger to the process that is killed.
const LEDGER: &str = "AML_TEST_LEDGER";
/// Names the folder with little space to the process that fills it.
const SMALL: &str = "AML_TEST_SMALL_DISK";

/// Everything a validator writes, in its order; run again it ends in the same ledger.
async fn live(url: &str) {
    let ledger = must_open(url).await;
    ledger.note_seen(&[miner(1), miner(2)], NOW).await.expect("the ledger answers");
    must_reach(&ledger, 1, Step::Settled).await;
    ledger.set_dormancy(&miner(3), Some(Dormancy { failures: 2, next_try_ms: NOW })).await.expect("the ledger answers");
    ledger.plan_weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, &weights(4)).await.expect("the ledger answers");
    ledger
        .weights_state(WeightsTarget { netuid: NETUID, mechanism: 0 }, 4, &WeightsState::Confirmed { block: 9 })
        .await
        .expect("the ledger answers");
    must_reach(&ledger, 2, Step::Asked).await;
    ledger.sweep(NOW, &Retention { age: Duration::from_secs(1 << 40), bytes: 0 }).await.expect("the ledger answers");
    ledger.close().await;
}

/// Every write that [`live`] makes, and how often.
const WRITES: [(&str, u32); 14] = [
    ("take_over", 1),
    ("note_seen", 1),
    ("begin", 2),
    ("record_task", 2),
    ("record_answer", 4),
    ("finish_asking", 2),
    ("record_verdicts", 1),
    ("record_canonical", 1),
    ("publish", 1),
    ("record_settled", 1),
    ("set_dormancy", 1),
    ("plan_weights", 1),
    ("weights_state", 1),
    ("sweep", 1),
];

#[tokio::test]
#[ignore = "run by the tests that kill it"]
async fn the_process_that_is_killed() {
    if let Ok(url) = std::env::var(LEDGER) {
        live(&url).await;
    }
}

/// This binary, for one ignored test.
fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("it runs"));
    command.args(["--exact", &format!("ledger_faults::{name}"), "--ignored", "--nocapture"]);
    command
}

/// Lives until a failpoint is reached, and is killed there.
fn must_die_at(url: &str, failpoint: &str) {
    let mut child = this_test("the_process_that_is_killed")
        .env(LEDGER, url)
        .env("AML_FAILPOINT", failpoint)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut said = Vec::new();
    let reached = lines.map_while(Result::ok).any(|line| {
        let here = line.starts_with("failpoint ");
        said.push(line);
        here
    });
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(reached, "{failpoint} was never reached: {said:?}");
}

/// The export of a ledger, as the digests of its tables.
async fn content(ledger: &Ledger) -> Vec<aml_subnet::store::ExportedTable> {
    let folder = tempfile::tempdir().expect("a folder");
    let exported = ledger.export(&folder.path().join("export")).await;
    exported.unwrap_or_else(|error| panic!("{}", causes(&error))).tables
}

#[tokio::test]
async fn killed_at_any_commit_a_validator_resumes_and_ends_in_the_same_sqlite_ledger() {
    must_resume_from_every_commit(&Home::file()).await;
}

#[tokio::test]
async fn killed_at_any_commit_a_validator_resumes_and_ends_in_the_same_postgresql_ledger() {
    if let Some(home) = Home::server() {
        must_resume_from_every_commit(&home).await;
    }
}

async fn must_resume_from_every_commit(home: &Home) {
    let undisturbed = home.another("undisturbed");
    live(&undisturbed).await;
    let expected = content(&must_open(&undisturbed).await).await;
    for (write, times) in WRITES {
        let places = ["before", "after"].into_iter().flat_map(|place| [(place, 1), (place, times)]);
        for (place, time) in places.collect::<std::collections::BTreeSet<_>>() {
            let url = home.another(&format!("{write}_{place}_{time}"));
            let failpoint = format!("{write}.{place}_commit:{time}");
            must_die_at(&url, &failpoint);
            live(&url).await;
            let actual = content(&must_open(&url).await).await;
            assert!(actual == expected, "{} after {failpoint}: {actual:?} is not {expected:?}", home.name);
        }
    }
}

#[tokio::test]
async fn what_was_committed_before_a_kill_is_there_and_what_was_not_is_not() {
    for home in Home::both() {
        for (place, step) in [("before", Step::Fetched), ("after", Step::Tasked)] {
            let url = home.another(&format!("cut_{place}"));
            must_die_at(&url, &format!("record_task.{place}_commit"));
            let ledger = must_open(&url).await;
            assert_eq!(
                ledger.round(id(1)).await.expect("the ledger answers").map(|round| round.step),
                Some(step),
                "{}",
                home.name
            );
            assert_eq!(ledger.task(id(1)).await.expect("the ledger answers"), (step == Step::Tasked).then(|| task(1)));
        }
    }
}

/// A folder on a file system of sixteen megabytes, for a process of its own.
fn on_a_small_disk(name: &str) -> Option<std::process::Output> {
    let folder = tempfile::tempdir().expect("a folder");
    let mount = "mount -t tmpfs -o size=16m tmpfs \"$0\" || exit 77; exec \"$@\"";
    let child = this_test(name);
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", mount])
        .arg(folder.path())
        .arg(child.get_program())
        .args(child.get_args())
        .env(SMALL, folder.path())
        .output();
    match output {
        Ok(output) if output.status.code() != Some(77) && output.status.code() != Some(1) => Some(output),
        other => {
            println!("skipped: no file system can be mounted in a namespace of our own: {other:?}");
            None
        }
    }
}

#[test]
fn a_full_disk_is_said_and_costs_nothing_that_was_recorded() {
    if let Some(output) = on_a_small_disk("the_process_that_fills_its_disk") {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("1 passed"), "{text}");
    }
}

#[tokio::test]
#[ignore = "run by the test that gives it a small disk"]
async fn the_process_that_fills_its_disk() {
    let Some(folder) = std::env::var_os(SMALL) else { return };
    let folder = Path::new(&folder);
    let ballast = folder.join("ballast");
    let url = format!("sqlite:{}", folder.join("ledger.sqlite").display());
    let ledger = must_open(&url).await;
    let mut days = 0;
    // Wherever in a transaction the disk gets full: the driver counts one that the database has ended by itself.
    for pages in 0..8 {
        leave_free(&ballast, pages * 4096);
        let full = loop {
            days += 1;
            match fill_a_day(&ledger, days).await {
                Ok(()) => assert!(days < 1000, "the disk never fills"),
                Err(error) => break error,
            }
        };
        let text = causes(&full);
        assert!(matches!(full, RecordError::Storage(StorageError::Full { .. })), "{text}");
        assert!(text.contains("no space is left"), "{text}");
        fs::remove_file(&ballast).expect("it is ours");
        fill_a_day(&ledger, days).await.expect("the same call succeeds once there is space");
    }
    ledger.close().await;
    let ledger = must_open(&url).await;
    for day in 1..=days {
        assert_eq!(ledger.task(id(day)).await.expect("the ledger answers"), Some(large_task(day)), "day {day}");
    }
    ledger.close().await;
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(folder).status().expect("mount runs");
    assert!(remounted.success());
    let refused = open(&url, "the test", false).await.expect_err("nothing can be written");
    let text = causes(&refused);
    assert!(matches!(refused, OpenLedgerError::File { .. }) && text.contains("ledger.sqlite"), "{text}");
}

/// Fills the disk with a file, but for some bytes.
fn leave_free(file: &Path, bytes: u64) {
    let mut ballast = fs::File::create(file).expect("a file");
    while ballast.write_all(&[1; 4096]).is_ok() {}
    let length = ballast.metadata().expect("it is open").len();
    ballast.set_len(length.saturating_sub(bytes)).expect("it is ours");
}

/// A task that does not compress.
fn large_task(day: u32) -> aml_subnet::store::records::Task {
    let mut task = task(day);
    for (number, row) in task.roster.iter_mut().enumerate() {
        let seed = format!("{day} {number}");
        let noise = |part: u32| aml_miner::digest::Digest::of(format!("{seed} {part}").as_bytes()).to_string();
        row.alert_id = (0..300).map(noise).collect();
    }
    task
}

async fn fill_a_day(ledger: &Ledger, day: u32) -> Result<(), RecordError> {
    ledger.begin(&round(day)).await?;
    ledger.record_task(id(day), &large_task(day), crate::ledger_kit::commitment()).await
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_said_to_be_damaged() {
    let home = Home::file();
    fs::write(home.path(), vec![b'x'; 8192]).expect("it is ours");
    let refused = open(&home.url, "the test", false).await.expect_err("it is no ledger");
    let text = causes(&refused);
    assert!(matches!(refused, OpenLedgerError::Storage { source: StorageError::Damaged { .. }, .. }), "{text}");
    assert_eq!(fs::read(home.path()).expect("it is there"), vec![b'x'; 8192], "it is not touched");
}

#[tokio::test]
async fn damage_inside_a_ledger_is_an_error_that_says_so() {
    let home = Home::file();
    let ledger = home.open().await;
    for day in 1..=40 {
        fill_a_day(&ledger, day).await.expect("the ledger answers");
    }
    ledger.close().await;
    let length = fs::metadata(home.path()).expect("it is there").len();
    let mut file = fs::OpenOptions::new().write(true).open(home.path()).expect("it is ours");
    file.seek(std::io::SeekFrom::Start(length / 4)).expect("it is long");
    file.write_all(&vec![0xFF; usize::try_from(length / 2).expect("it is small")]).expect("it is ours");
    drop(file);
    let ledger = home.open().await;
    let mut damaged = 0;
    for day in 1..=40 {
        match ledger.task(id(day)).await {
            Ok(read) => assert_eq!(read, Some(large_task(day)), "what reads is right"),
            Err(StorageError::Damaged { .. } | StorageError::Malformed { .. }) => damaged += 1,
            Err(other) => panic!("{}", causes(&other)),
        }
    }
    assert!(damaged > 0, "half of the file is overwritten");
}

#[tokio::test]
async fn a_server_that_takes_no_writes_or_goes_away_is_said_so() {
    let Some(home) = Home::server() else { return };
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Tasked).await;
    home.server_sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    home.server_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
    let mut refused = ledger.finish_asking(id(1)).await.expect_err("it takes no writes");
    // The first call may meet the connection that was cut.
    if matches!(&refused, RecordError::Storage(error) if error.is_retryable()) {
        refused = ledger.finish_asking(id(1)).await.expect_err("it takes no writes");
    }
    assert!(matches!(refused, RecordError::Storage(StorageError::ReadOnly { .. })), "{}", causes(&refused));
    assert_eq!(ledger.round(id(1)).await.expect("the ledger answers").map(|round| round.step), Some(Step::Tasked));
    home.stop();
    let gone = ledger.round(id(1)).await.expect_err("it is gone");
    assert!(gone.is_retryable(), "{}", causes(&gone));
}
