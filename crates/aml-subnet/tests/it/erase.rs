//! `aml-subnet erase`: an address goes from everything that a validator keeps, and everything else comes out as before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::config::ValidatorSettings;
use aml_subnet::entropy::MachineEntropy;
use aml_subnet::outputs::{Edition, pack_path, publish, verify};
use aml_subnet::store::records::{
    Answer, EncodedTask, FormBytes, KnownOutcome, ReferencedTask, Reply, RoundId, Step, Task,
};
use aml_subnet::store::{ERASED, Erasure, Ledger, Needle, Pseudonym};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::erasing::{EraseError, Erasing};
use aml_subnet::validator::replay::{Replay, replay};
use aml_subnet::validator::sot::SotError;
use chrono::Days;
use tokio_util::sync::CancellationToken;

use crate::api_kit::{self, Kit};
use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::ledger_kit::{
    Home, NETUID, NOW, answer, body, commitment, hashed, id, miner, must_open, must_reach, round, task,
};
use crate::scores_cli::{Desk, must_say};
use crate::validator_world::{WINDOW, World, first_day, noon};

/// One of the two addresses of the ledger's kit, of alerts 0 and 2.
const GONE: &str = "address-0";
const PATIENCE: Duration = Duration::from_secs(300);

fn erase(home: &Home, more: &[&str]) -> Output {
    let words = ["erase", "--address", GONE, "--validator.data_dir", "own"];
    std::process::Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(words)
        .args(more)
        .current_dir(home.folder.path())
        .env_remove("AML_SUBNET_CONFIG")
        .env("DATABASE_URL", &home.url)
        .output()
        .expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn must_know(ledger: &Ledger, day: u32) {
    let outcome = |place: u32| KnownOutcome {
        place,
        address: format!("address-{}", place % 2),
        illicit: Some(true),
        relevance: 2,
        confirmed_ms: NOW - 5,
        seen_ms: 0,
        replaced_ms: None,
    };
    ledger.record_outcomes(id(day), &[outcome(0), outcome(1)], NOW + i64::from(day)).await.expect("recorded");
}

/// Two rounds that are done, outcomes, and what is published of one.
async fn must_fill(home: &Home) {
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Settled).await;
    must_reach(&ledger, 2, Step::Settled).await;
    must_know(&ledger, 1).await;
    ledger.close().await;
    let root = home.folder.path().join("own/published");
    let (round, task, canonical) = (round(1), task(1), crate::ledger_kit::canonical());
    let edition = Edition {
        round: &round,
        roster: &task.roster,
        canonical: &canonical,
        calibration: None,
        reasons: None,
        signer: &dev_key("Alice"),
        now: Duration::from_secs(1),
    };
    publish(&root, &edition).expect("published");
    let pool = zstd::encode_all(format!("[\"{GONE}\"]").as_bytes(), 1).expect("packed");
    let pools = home.folder.path().join("own/pools");
    std::fs::create_dir_all(&pools).expect("a folder");
    std::fs::write(pools.join(format!("{}.zst", id(2))), pool).expect("written");
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(one) = folders.pop() {
        for entry in std::fs::read_dir(&one).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).expect("below").display().to_string();
                all.insert(name, std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
    all
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn what_would_be_erased_is_told_and_nothing_is_changed() {
    for home in Home::both() {
        must_fill(&home).await;
        let before = files(&home.folder.path().join("own"));
        let output = erase(&home, &[]);
        let text = said(&output);
        assert!(output.status.success(), "{}: {text}", home.name);
        for expected in
            ["4 alerts in tasks, 4 scores by address, 1 outcomes", "published", "traps", "nothing was changed"]
        {
            assert!(text.contains(expected), "{}: {text}: expected {expected}", home.name);
        }
        assert_eq!(files(&home.folder.path().join("own")), before);
        let ledger = home.open().await;
        assert_eq!(ledger.task(id(1)).await.expect("a ledger").expect("a task"), task(1));
        ledger.close().await;
    }
}

#[tokio::test]
async fn an_erased_address_is_nowhere_and_all_else_is_as_it_was() {
    for home in Home::both() {
        must_fill(&home).await;
        let ledger = home.open().await;
        let output = erase(&home, &["--yes"]);
        assert!(!output.status.success() && said(&output).contains("is in use by the test"), "{}", said(&output));
        let (verdicts, canonical) = (ledger.verdicts(id(1)).await.unwrap(), ledger.canonical(id(1)).await.unwrap());
        ledger.close().await;

        let output = erase(&home, &["--yes", "--json"]);
        assert!(output.status.success(), "{}: {}", home.name, said(&output));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let by = told["pseudonym"].as_str().expect("a pseudonym").to_owned();
        assert!(by.starts_with(ERASED) && by.len() == ERASED.len() + 32, "{by}");
        assert_eq!(told["rounds"], serde_json::json!([id(1).to_string(), id(2).to_string()]));

        let ledger = home.open().await;
        for day in [1, 2] {
            let mut expected = task(day);
            expected.roster.iter_mut().filter(|row| row.address == GONE).for_each(|row| row.address.clone_from(&by));
            assert_eq!(ledger.task(id(day)).await.unwrap(), Some(expected), "{}", home.name);
        }
        assert_eq!(ledger.verdicts(id(1)).await.unwrap(), verdicts);
        assert_eq!(ledger.canonical(id(1)).await.unwrap(), canonical);
        let since = id(1).date;
        assert_eq!(ledger.address_alerts(NETUID, GONE, since).await.unwrap(), []);
        assert_eq!(ledger.address_alerts(NETUID, &by, since).await.unwrap().len(), 4, "it still counts as one address");
        assert_eq!(ledger.address_outcomes(NETUID, &by).await.unwrap(), BTreeMap::from([((id(1), 0), true)]));
        let other = ledger.address_outcomes(NETUID, "address-1").await.unwrap();
        assert_eq!(other, BTreeMap::from([((id(1), 1), true)]));
        ledger.export(&home.folder.path().join("export")).await.expect("it is exported");
        ledger.close().await;
        for (name, bytes) in
            files(&home.folder.path().join("own")).into_iter().chain(files(&home.folder.path().join("export")))
        {
            assert!(!contains(&bytes, GONE), "{}: {name}", home.name);
        }
        if home.is_server() {
            assert!(!home.pg_dump().contains(GONE));
        } else {
            // Not in a free page either, nor in the journal.
            for file in ["ledger.sqlite", "ledger.sqlite-wal"] {
                let bytes = std::fs::read(home.folder.path().join(file)).unwrap_or_default();
                assert!(!contains(&bytes, GONE), "{file}");
            }
        }
        let data = home.folder.path().join("own");
        assert!(data.join(format!("published/{}_30/ERASED.txt", id(1).date)).is_file());
        assert!(!data.join(format!("pools/{}.zst", id(2))).exists());
        let journal = std::fs::read_to_string(data.join("erasures.jsonl")).expect("a journal");
        assert!(journal.contains(&by) && journal.lines().count() == 1, "{journal}");

        let again = erase(&home, &["--yes"]);
        assert!(again.status.success() && said(&again).contains("nothing of the address"), "{}", said(&again));
        // What was written can be taken elsewhere.
        let url = home.another("moved");
        let moved = must_open(&url).await;
        moved.import(&home.folder.path().join("export")).await.expect("it is imported");
        moved.close().await;
    }
}

#[tokio::test]
async fn days_are_signed_again_without_the_address() {
    let desk = Desk::set();
    must_fill(&desk.0).await;
    let words = ["erase", "--address", GONE, "--validator.data_dir", "own", "--yes", "--publish-again"];
    must_say(&desk.signs(&words), true, &format!("round {} is signed and published without it", id(1)));
    let folder = desk.0.folder.path().join(format!("own/published/{}_30", id(1).date));
    verify(&folder, Some(&dev_key("Alice").hotkey())).expect("it holds");
    for (name, bytes) in files(&folder) {
        assert!(!contains(&bytes, GONE) && name != "ERASED.txt", "{name}");
    }
}

#[tokio::test]
async fn a_round_that_still_asks_about_it_holds_everything_up() {
    let home = Home::file();
    must_fill(&home).await;
    let ledger = home.open().await;
    must_reach(&ledger, 3, Step::Merged).await;
    ledger.close().await;
    let before = files(&home.folder.path().join("own"));
    for more in [&[][..], &["--yes"]] {
        let output = erase(&home, more);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(
            said(&output).contains(&id(3).to_string()) && said(&output).contains("not published"),
            "{}",
            said(&output)
        );
    }
    let ledger = home.open().await;
    assert_eq!(ledger.task(id(1)).await.unwrap(), Some(task(1)), "not even of rounds that are done");
    assert_eq!(files(&home.folder.path().join("own")), before);
    ledger.publish(id(3), NOW + 9).await.expect("published");
    ledger.close().await;
    assert!(erase(&home, &["--yes"]).status.success());
}

#[tokio::test]
async fn a_ledger_that_is_not_there_is_not_made() {
    let home = Home::file();
    let output = erase(&home, &["--yes"]);
    assert!(!output.status.success() && said(&output).contains("there is no ledger at"), "{}", said(&output));
    assert!(!home.path().exists(), "a wrong folder would look erased");
}

/// A round in which a miner named the address wherever it could.
async fn must_be_named(ledger: &Ledger, day: u32, settled: bool) {
    ledger.begin(&round(day)).await.expect("it begins");
    ledger.record_task(id(day), &task(day), commitment()).await.expect("a task");
    let told = format!("{{\"day\":{day},\"why\":\"see\\n{GONE}\"}}").into_bytes();
    let named = Answer { body: Some(Digest::of(&told)), bytes: told.len() as u64, ..answer(day, 1) };
    ledger.record_answer(id(day), &named, Some(&hashed(told))).await.expect("an answer");
    let plain = body(day, 2);
    ledger.record_answer(id(day), &answer(day, 2), Some(&hashed(plain))).await.expect("an answer");
    let refused = Answer::silence(miner(3), Reply::Refused(format!("HTTP 400: no {GONE} here")), NOW);
    ledger.record_answer(id(day), &refused, None).await.expect("no answer");
    ledger.finish_asking(id(day)).await.expect("asked");
    ledger.record_verdicts(id(day), &crate::ledger_kit::verdicts()).await.expect("judged");
    ledger.record_canonical(id(day), Some(&crate::ledger_kit::canonical())).await.expect("merged");
    ledger.publish(id(day), NOW + 1).await.expect("published");
    if settled {
        ledger.record_settled(id(day), &crate::ledger_kit::settled(), NOW + 2).await.expect("settled");
    }
}

#[tokio::test]
async fn what_miners_wrote_of_it_is_emptied_once_nothing_needs_it() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_be_named(&ledger, 1, true).await;
        must_be_named(&ledger, 2, false).await;
        let digest = |day: u32| Digest::of(format!("{{\"day\":{day},\"why\":\"see\\n{GONE}\"}}").as_bytes());
        ledger.close().await;
        let output = erase(&home, &["--yes"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("1 raw answers") && text.contains(&format!("round {}: the raw answer", id(2))), "{text}");
        let ledger = home.open().await;
        assert_eq!(ledger.body(&digest(1)).await.unwrap(), None, "{}", home.name);
        assert!(ledger.body(&digest(2)).await.unwrap().is_some(), "it is settled from its raw answers");
        assert_eq!(ledger.body(&Digest::of(&body(1, 2))).await.unwrap(), Some(body(1, 2)), "others stay");
        let refused = ledger.answers(id(1)).await.unwrap();
        let Reply::Refused(why) = &refused[2].reply else { panic!("{refused:?}") };
        assert!(why.starts_with(&format!("HTTP 400: no {ERASED}")), "{why}");
        ledger.record_settled(id(2), &crate::ledger_kit::settled(), NOW + 2).await.expect("settled");
        ledger.close().await;
        assert!(erase(&home, &["--yes"]).status.success());
        let ledger = home.open().await;
        assert_eq!(ledger.body(&digest(2)).await.unwrap(), None);
        ledger.close().await;
    }
}

/// A published round with a packed task, in which texts stand side by side.
async fn must_be_packed(ledger: &Ledger, day: u32, text: &str) {
    let packed = zstd::encode_all(format!("{text}of {day}").as_bytes(), 1).expect("packed");
    let mut asked = task(day);
    asked.roster.iter_mut().for_each(|row| row.address = "address-1".to_owned());
    let (sent, decoded) = (Digest::of(&packed), Digest::of(b"unpacked"));
    let arrow = EncodedTask { sent, decoded, bytes: packed.len() as u64, to: [miner(1)].into() };
    let (descriptor, object) = (format!("the key of {day}").into_bytes(), Digest::of(b"ciphertext"));
    let (described, length) = (Digest::of(&descriptor), descriptor.len() as u64);
    let to = [miner(1)].into();
    let reference = ReferencedTask { sent: described, decoded, bytes: length, object, object_bytes: 10, to };
    let asked = Task { arrow: Some(arrow), reference: Some(reference), ..asked };
    let forms = FormBytes { arrow: Some(&packed), reference: Some(&descriptor) };
    ledger.begin(&round(day)).await.expect("it begins");
    ledger.record_task_and_forms(id(day), &asked, commitment(), forms).await.expect("a task");
    ledger.record_task_and_forms(id(day), &asked, commitment(), forms).await.expect("the same again");
    ledger.finish_asking(id(day)).await.expect("asked");
    ledger.record_verdicts(id(day), &[]).await.expect("judged");
    ledger.record_canonical(id(day), None).await.expect("merged");
    ledger.publish(id(day), NOW + 1).await.expect("published");
}

#[tokio::test]
async fn a_packed_task_that_names_it_anywhere_is_emptied_and_no_other() {
    for home in Home::both() {
        let ledger = home.open().await;
        // Neither roster nor folder name it: it is somebody's counterparty, of a batch that is long gone.
        must_be_packed(&ledger, 1, &format!("address-1{GONE}address-1")).await;
        must_be_packed(&ledger, 2, "address-1address-1").await;
        let kept = async |day| ledger.file(id(day), EncodedTask::FILE).await.unwrap().is_some();
        let key = async |day| ledger.file(id(day), ReferencedTask::FILE).await.unwrap().is_some();
        assert!(kept(1).await && kept(2).await && key(1).await);
        ledger.close().await;
        let output = erase(&home, &["--yes"]);
        let text = said(&output);
        assert!(output.status.success() && text.contains("1 packed tasks"), "{text}");
        let ledger = home.open().await;
        assert_eq!(ledger.file(id(1), EncodedTask::FILE).await.unwrap(), None, "{}", home.name);
        assert_eq!(
            ledger.file(id(1), ReferencedTask::FILE).await.unwrap(),
            None,
            "the object cannot be opened any more"
        );
        assert!(ledger.file(id(2), EncodedTask::FILE).await.unwrap().is_some(), "it does not name it");
        let row = &ledger.files(id(1)).await.unwrap()[0];
        assert_eq!((row.decoded, row.name.as_str()), (Some(Digest::of(b"unpacked")), EncodedTask::FILE));
        ledger.close().await;
        assert!(said(&erase(&home, &[])).contains("nothing of the address"), "and it is found no more");
    }
}

#[tokio::test]
async fn ids_that_name_it_and_files_of_others_are_told_and_stay() {
    let home = Home::file();
    let ledger = home.open().await;
    let mut odd: Task = task(1);
    odd.roster[0].alert_id = format!("{GONE}|rule 7");
    ledger.begin(&round(1)).await.expect("it begins");
    ledger.record_task(id(1), &odd, commitment()).await.expect("a task");
    ledger.finish_asking(id(1)).await.expect("asked");
    ledger.record_verdicts(id(1), &[]).await.expect("judged");
    ledger.record_canonical(id(1), None).await.expect("merged");
    ledger.publish(id(1), NOW).await.expect("published");
    ledger.close().await;
    let data = home.folder.path().join("own");
    std::fs::create_dir_all(data.join("backups")).expect("a folder");
    std::fs::write(data.join("backups/old.jsonl"), format!("{{\"a\":\"{GONE}\"}}")).expect("written");
    let output = erase(&home, &["--yes"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("ids of its alerts") && text.contains("old.jsonl: not the validator's"), "{text}");
    assert!(data.join("backups/old.jsonl").exists());
    let ledger = home.open().await;
    let left = ledger.task(id(1)).await.unwrap().expect("a task").roster;
    assert!(left[0].alert_id == odd.roster[0].alert_id && left[0].address.starts_with(ERASED), "{left:?}");
}

#[test]
fn what_is_no_address_is_refused() {
    let home = Home::file();
    for (text, why) in [("", "from 1 to 256"), ("two words", "blanks"), ("erased-00", "erased before")] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
            .args(["erase", "--address", text])
            .current_dir(home.folder.path())
            .output()
            .expect("it runs");
        assert!(!output.status.success() && said(&output).contains(why), "{text}: {}", said(&output));
    }
}

async fn must_pass(world: &World, day: u64) {
    world.clock.set(noon(first_day() + Days::new(day)));
    let pass = tokio::time::timeout(PATIENCE, world.validator().once(&CancellationToken::new())).await;
    let pass = pass.expect("it ends");
    assert!(pass.errors.is_empty(), "day {day}: {:#?}", pass.errors);
}

async fn again(world: &World, id: RoundId) -> Replay {
    replay(&world.ledger, id, None).await.expect("it is computed again")
}

/// Erases it as the command does, from the folders of a world.
async fn must_erase(ledger: &Ledger, settings: &ValidatorSettings, address: &str) -> Pseudonym {
    let needle = Needle::new(address).expect("an address");
    let erasing = Erasing { needle: &needle, ledger, settings };
    let found = erasing.look().await.expect("it is looked for");
    let by = Pseudonym::fresh(&MachineEntropy).expect("randomness");
    erasing.erase(&found, &by, 1).await.expect("it is erased");
    let left = erasing.look().await.expect("it is looked for");
    assert!(left.is_none(), "{left:?}");
    by
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_go_on_settle_and_compute_again_as_if_nothing_was() {
    for rules in [RulesVersion::V1, RulesVersion::V2] {
        let cast = vec![("Bob", Behaviour::Honest { skill: 0.8 }), ("Dave", Behaviour::Honest { skill: 0.6 })];
        let mut world = World::new(10, cast).await;
        world.settings.rules = Some(RulesList::always(rules));
        let first = world.dawn(0);
        must_pass(&world, 0).await;
        assert_eq!(world.ledger.round(first).await.unwrap().expect("a round").step, Step::Published);
        let before = again(&world, first).await;
        assert!(before.identical, "{before:#?}");
        let roster = world.ledger.task(first).await.unwrap().expect("a task").roster;
        let known = world.sot().labels(first.date, WINDOW, noon(first_day() + Days::new(21))).await;
        let known = known.expect("a source").expect("outcomes");
        let alert = known.texts("alert_id").expect("ids").get(0);
        let address = roster.iter().find(|row| row.alert_id == alert).expect("an alert").address.clone();
        let cached = world.settings.data_dir.join(format!("batches/{}_w{WINDOW}", first.date));
        assert!(cached.is_dir());

        let by = must_erase(&world.ledger, &world.settings, &address).await;
        assert!(!cached.exists());
        let after = again(&world, first).await;
        assert!(after.identical, "{after:#?}");
        assert_eq!((after.verdicts, after.scores), (before.verdicts, before.scores));
        let fetched = world.sot().fetch(first.date, WINDOW).await;
        assert!(matches!(fetched, Err(SotError::Erased { .. })), "the source still has it: {fetched:?}");

        // A new round looks for traps and settles the old one, whose batch is gone.
        world.publish(8);
        must_pass(&world, 8).await;
        assert!(!cached.exists(), "it is not fetched again");
        must_pass(&world, 22).await;
        let round = world.ledger.round(first).await.unwrap().expect("a round");
        assert_eq!(round.step, Step::Settled, "under {rules:?}");
        let settled = again(&world, first).await;
        assert!(settled.identical && settled.settlement, "{settled:#?}");
        let outcomes = world.ledger.outcomes(first).await.unwrap();
        assert!(outcomes.iter().all(|one| one.address != address));
        if rules == RulesVersion::V2 {
            let pack = std::fs::read(pack_path(&world.settings.published_dir(), &first)).expect("a pack");
            let needle = Needle::new(&address).expect("an address");
            assert!(!aml_subnet::outputs::pack::names(&pack, &needle).expect("a pack"));
            assert!(outcomes.iter().any(|one| one.address == by.as_str()), "it has an outcome, as others");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_issued_anew_is_fetched() {
    let world = World::new(1, vec![]).await;
    let first = world.dawn(0);
    let kept = world.sot().fetch(first.date, WINDOW).await.expect("fetched");
    let loaded = kept.dir.load().expect("a batch");
    let address = loaded.batch.alerts.texts("address").expect("addresses").get(5).to_owned();
    must_erase(&world.ledger, &world.settings, &address).await;
    let kept = world.sot().labels(first.date, WINDOW, noon(first.date + Days::new(30))).await.expect("outcomes");
    assert!(kept.is_some(), "outcomes that came with it are still known");
    assert!(matches!(world.sot().fetch(first.date, WINDOW).await, Err(SotError::Erased { .. })));
    // The publisher has taken the alert out.
    let rows: Vec<usize> = (0..loaded.batch.alerts.rows()).filter(|row| *row != 5).collect();
    let name = format!("{}_w{WINDOW}", first.date);
    let batch = aml_miner::wire::Batch { alerts: loaded.batch.alerts.take(&rows), ..aml_miner::wire::Batch::empty() };
    std::fs::remove_dir_all(world.batch_dir(&name)).expect("it is ours");
    world.dawn_with(&batch);
    world.sot().fetch(first.date, WINDOW).await.expect("another batch");
}

#[tokio::test]
async fn pages_say_what_was_erased() {
    let kit = Kit::season().await;
    let newest = api_kit::id(api_kit::DAYS);
    let roster = api_kit::task(api_kit::DAYS).roster;
    api_kit::must_publish(&kit.folder.path().join("published"), api_kit::DAYS);
    let settings = ValidatorSettings { data_dir: kit.folder.path().to_owned(), ..ValidatorSettings::default() };
    let needle = Needle::new(&roster[4].address).expect("an address");
    let erasing = Erasing { needle: &needle, ledger: &kit.ledger, settings: &settings };
    let found = erasing.look().await.expect("it is looked for");
    let by = Pseudonym::fresh(&MachineEntropy).expect("randomness");
    let open = erasing.erase(&found, &by, 1).await.expect_err("the day after is being worked on");
    assert!(matches!(&open, EraseError::Open(rounds) if rounds.len() == 1), "{open}");
    api_kit::must_round(&kit.ledger, api_kit::DAYS + 1, Step::Published).await;
    must_erase(&kit.ledger, &settings, &roster[4].address).await;

    let page = kit.get(&format!("/page/alerts/{newest}/{}", roster[5].alert_id)).await;
    assert!(page.text().contains("The batch was erased"), "{}", page.text());
    let told =
        kit.get(&format!("/clusters/{newest}/{}", crate::api_batch::CLUSTER)).await.must_fail_with(404, "not_found");
    assert!(told.text().contains("was erased here"), "{}", told.text());
    let manifest = kit.get(&format!("/canonical/{}/manifest", newest.date)).await.must_fail_with(404, "not_found");
    assert!(manifest.text().contains("an address was erased"), "{}", manifest.text());
    let scores = kit.get(&format!("/canonical/{}", newest.date)).await.must_succeed().text();
    assert!(scores.contains(ERASED) && !scores.contains(&roster[4].address));
    kit.get(&format!("/alerts/{newest}/{}", roster[4].alert_id)).await.must_succeed();
    kit.get("/rounds").await.must_succeed();
}

#[tokio::test]
async fn the_same_address_in_capitals_is_told() {
    let home = Home::file();
    let ledger = home.open().await;
    let mut odd = task(1);
    odd.roster[1].address = GONE.to_uppercase();
    ledger.begin(&round(1)).await.expect("it begins");
    ledger.record_task(id(1), &odd, commitment()).await.expect("a task");
    ledger.finish_asking(id(1)).await.expect("asked");
    ledger.record_verdicts(id(1), &[]).await.expect("judged");
    ledger.record_canonical(id(1), Some(&crate::ledger_kit::canonical())).await.expect("merged");
    let needle = Needle::new(GONE).expect("an address");
    let found = ledger.traces(&needle, &BTreeSet::new()).await.expect("looked");
    assert_eq!(found.spellings, BTreeSet::from([GONE.to_uppercase()]));
    let by = Pseudonym::fresh(&MachineEntropy).expect("randomness");
    let erasure = Erasure { by: &by, at_ms: 1, beside: &BTreeSet::new() };
    let held = ledger.erase(&needle, erasure).await.expect("it says why");
    assert_eq!(held.open, BTreeSet::from([id(1)]), "the ledger itself changes nothing under an open round");
    assert_eq!(ledger.task(id(1)).await.unwrap(), Some(odd));
}
