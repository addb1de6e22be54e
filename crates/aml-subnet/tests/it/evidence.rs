//! Evidence packs: everything that a round's scores come from, written when it can change no more, and not before.
//!
//! With `AML_EXPORT_EVIDENCE` set, the packs of a sealed season are left there for `scripts/checks/evidence.py`, which checks
//! them in Python and changes them in every way that it can think of.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::Clock as _;
use aml_miner::data::listing::directory_name;
use aml_miner::digest::Digest;
use aml_subnet::api::access::Access;
use aml_subnet::beacon::OpeningRule;
use aml_subnet::outputs::pack::{PACK_DOMAIN, PACK_MANIFEST, PackHead, PackReader, PackWriter};
use aml_subnet::outputs::{PackManifest, pack_path};
use aml_subnet::store::records::{Mark, MarkKind, RoundId, Step};
use aml_subnet::store::{Ledger, ROUND_TABLES, Retention};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::adopting::Adopting;
use aml_subnet::validator::information::{Grounds, Information};
use aml_subnet::validator::packing::{PackError, Packing, Wanted};
use aml_subnet::validator::run::Pass;
use aml_subnet::validator::settling::Settling;
use aml_subnet::validator::world::Threads;
use aml_subnet::wallet::verify;
use chrono::Days;
use tokio_util::sync::CancellationToken;

use crate::api_kit::Kit;
use crate::common::dev_key;
use crate::fake_miner::{Behaviour, Lie};
use crate::scores_cli::{Desk, must_say};
use crate::validator_world::{ALERTS, World, first_day, noon};

const PATIENCE: Duration = Duration::from_secs(300);
/// Days after which enough outcomes are known for voices.
const DAYS: u64 = 26;

fn honest(skill: f64) -> Behaviour {
    Behaviour::Honest { skill }
}

/// Honest, and says why: by the volume of alerts that the detector is sure of, by what came in of the others.
fn explaining(skill: f64) -> Behaviour {
    let explainer = |alert: &serde_json::Value| {
        let confidence = &alert["alert_confidence_score"];
        let sure = confidence.as_f64().or_else(|| confidence.as_str()?.parse().ok()).is_some_and(|sure| sure > 0.5);
        let (feature, impact) = if sure { ("volume_usd", 0.5) } else { ("total_in_usd", -0.25) };
        serde_json::json!({"top_features": [
            {"feature": feature, "impact": impact}, {"feature": "a feature of my own", "impact": 0.1},
        ]})
        .to_string()
    };
    Behaviour::HonestExplaining { skill, explainer: Arc::new(explainer) }
}

fn on_day(world: &World, day: u64) {
    world.clock.set(noon(first_day() + Days::new(day)));
}

pub(crate) async fn must_pass(world: &World) -> Pass {
    let pass = tokio::time::timeout(PATIENCE, world.validator().once(&CancellationToken::new())).await;
    let pass = pass.expect("it ends");
    assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    pass
}

/// A round as the validator runs it, up to `step`.
async fn must_turn(world: &World, step: Step) {
    let (validator, stop) = (world.validator(), CancellationToken::new());
    let turn = tokio::time::timeout(PATIENCE, validator.round_turn(&stop)).await.expect("a turn ends");
    assert_eq!(turn.expect("it goes well").expect("a round").step, step);
}

async fn pack(world: &World, wanted: &Wanted) -> Result<(PackManifest, Vec<u8>), PackError> {
    let signer = dev_key("Alice");
    let packing = Packing { ledger: &world.ledger, workers: &Threads, signer: &signer, now: world.clock.now() };
    packing.write(wanted, Vec::new()).await
}

fn wanted(round: RoundId) -> Wanted {
    Wanted { round, alert: None, full: false }
}

/// The members of a pack, read by the lengths in their heads alone.
fn members(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let number =
        |at: usize| usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"))).expect("fits");
    let short = |at: usize| usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two")));
    let (mut members, mut at) = (BTreeMap::new(), 0);
    while bytes[at..].starts_with(b"PK\x03\x04") {
        let (length, name) = (number(at + 18), short(at + 26));
        let start = at + 30 + name;
        let name = String::from_utf8(bytes[at + 30..start].to_vec()).expect("UTF-8");
        members.insert(name, bytes[start..start + length].to_vec());
        at = start + length;
    }
    assert!(bytes[at..].starts_with(b"PK\x01\x02"), "the directory follows");
    members
}

/// The manifest of a pack, signed by Alice, with every member as it says.
#[track_caller]
fn must_hold(members: &BTreeMap<String, Vec<u8>>) -> PackManifest {
    let manifest: PackManifest = serde_json::from_slice(&members[PACK_MANIFEST]).expect("a manifest");
    let mut plain: serde_json::Value = serde_json::from_slice(&members[PACK_MANIFEST]).expect("JSON");
    plain.as_object_mut().expect("an object").remove("signature");
    let signed = [PACK_DOMAIN, plain.to_string().as_bytes()].concat();
    let signature = hex::decode(&manifest.signature).expect("hex").try_into().expect("64 bytes");
    assert!(verify(manifest.scheme, &dev_key("Alice").hotkey(), &signed, &signature));
    let there: Vec<&String> = members.keys().filter(|name| *name != PACK_MANIFEST).collect();
    assert!(there.into_iter().eq(manifest.files.keys()), "{:?}", manifest.files);
    for (name, entry) in &manifest.files {
        assert_eq!((Digest::of(&members[name]), members[name].len() as u64), (entry.sha256, entry.bytes), "{name}");
    }
    manifest
}

fn unpacked(members: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(zstd::decode_all(members[name].as_slice()).expect("zstd")).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_written_when_its_round_can_change_no_more_and_is_kept() {
    let mut world = World::new(2, vec![("Bob", honest(0.8)), ("Eve", Behaviour::Lying(Lie::Nan))]).await;
    world.settings.rules = Some(RulesList::always(RulesVersion::V2));
    let id = world.dawn(0);
    must_turn(&world, Step::Published).await;
    let path = pack_path(&world.settings.published_dir(), &id);
    on_day(&world, 21);
    must_pass(&world).await;
    assert!(!path.exists(), "what miners said is nobody's business before");
    let error = pack(&world, &wanted(id)).await.expect_err("it can change").to_string();
    assert!(error.contains("published") && error.contains("from 2026-03-23 on"), "{error}");

    on_day(&world, 22);
    must_pass(&world).await;
    let kept = std::fs::read(&path).expect("it is written");
    let there = members(&kept);
    let manifest = must_hold(&there);
    assert_eq!((manifest.round.as_str(), manifest.full, &manifest.alert), (id.to_string().as_str(), false, &None));
    let tables: Vec<String> = ROUND_TABLES.iter().map(|table| format!("{table}.jsonl.zst")).collect();
    assert!(tables.iter().all(|table| there.contains_key(table)), "{:?}", there.keys());
    assert!(unpacked(&there, "columns.jsonl.zst").contains(&dev_key("Bob").hotkey().to_string()));
    assert_eq!(unpacked(&there, "answers.jsonl.zst").lines().count(), 2, "who did not count is told too");
    let text: String = there.keys().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    assert!(!text.contains("weights") && !text.contains("bodies"), "{text}");

    // Everything that can be swept is; the pack stays as it is, and another one cannot be made.
    world.ledger.sweep(i64::MAX / 2, &Retention { age: Duration::ZERO, bytes: 0 }).await.expect("a ledger");
    world.ledger.sweep_columns(first_day() + Days::new(9), i64::MAX / 2).await.expect("a ledger");
    on_day(&world, 23);
    must_pass(&world).await;
    assert_eq!(std::fs::read(&path).expect("it is kept"), kept);
    let error = pack(&world, &wanted(id)).await.expect_err("scores are gone");
    assert!(matches!(error, PackError::Swept { miners: 1, .. }), "{error}");
    std::fs::remove_file(&path).expect("it is ours");
    must_pass(&world).await;
    assert!(!path.exists(), "a pack without scores is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_that_have_no_pack_say_why() {
    let mut world = World::new(2, vec![("Bob", honest(0.8))]).await;
    world.settings.rules = Some(RulesList::always(RulesVersion::V2));
    let id = world.dawn(0);
    must_turn(&world, Step::Published).await;
    on_day(&world, 22);
    must_pass(&world).await;
    let of_nothing = Wanted { alert: Some("\u{202e}nobody".to_owned()), ..wanted(id) };
    let error = pack(&world, &of_nothing).await.expect_err("no such alert").to_string();
    assert!(
        error.contains(&format!("has no alert nobody; `/canonical/2026-03-01` lists its {ALERTS} alerts")),
        "{error}"
    );
    let unknown = RoundId { netuid: 99, ..id };
    assert!(matches!(pack(&world, &wanted(unknown)).await, Err(PackError::Unknown(round)) if round == unknown));
    let mark = Mark { at_ms: 7, why: "a bad batch".to_owned() };
    world.ledger.mark_round(id, MarkKind::Void, Some(&mark)).await.expect("a ledger");
    assert!(matches!(pack(&world, &wanted(id)).await, Err(PackError::Void(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_writes_a_pack_whole_or_not_at_all() {
    let mut world = World::new(1, vec![("Bob", honest(0.8))]).await;
    world.settings.rules = Some(RulesList::always(RulesVersion::V2));
    let id = world.dawn(0);
    must_turn(&world, Step::Published).await;
    let desk = Desk::set();
    let moved = |name: &str| desk.0.folder.path().join(name);
    on_day(&world, 22);
    must_pass(&world).await;
    world.ledger.export(&moved("export")).await.expect("a new folder");
    let ledger = desk.0.open().await;
    ledger.import(&moved("export")).await.expect("an empty ledger");
    let round = id.to_string();
    must_say(&desk.signs(&["evidence", "--round", &round, "--out", "no/pack.zip"]), false, "cannot write into no");
    let said = desk.signs(&["evidence", "--round", "7-2026-03-02-7", "--out", "pack.zip"]);
    must_say(&said, false, "there is no round 7-2026-03-02-7");
    assert!(!moved("pack.zip").exists(), "nothing is left behind");
    must_say(&desk.signs(&["evidence", "--round", &round, "--out", "pack.zip"]), true, &format!("round    {round}"));
    let there = members(&std::fs::read(moved("pack.zip")).expect("it is written"));
    must_hold(&there);
    must_say(&desk.signs(&["evidence", "--round", &round, "--out", "pack.zip"]), false, "exists already");
    let alert = world.ledger.task(id).await.expect("a ledger").expect("a task").roster[3].alert_id.clone();
    let words = ["evidence", "--round", &round, "--alert", &alert, "--full", "--out", "full.zip"];
    must_say(&desk.signs(&words), true, "full.zip");
    let there = members(&std::fs::read(moved("full.zip")).expect("it is written"));
    let manifest = must_hold(&there);
    assert_eq!((manifest.full, manifest.alert), (true, Some(alert)));
    let body = there.keys().find(|name| name.starts_with("bodies/")).expect("a raw answer");
    let named: Digest = body["bodies/".len()..].trim_end_matches(".zst").parse().expect("a digest");
    assert_eq!(Digest::of(&zstd::decode_all(there[body].as_slice()).expect("zstd")), named);
}

#[tokio::test]
async fn a_pack_is_served_with_a_tag_and_what_is_not_there_is_said() {
    use crate::api_kit::{DAYS, SETTLED, id};
    let kit = Kit::season().await;
    let path = pack_path(&kit.folder.path().join("published"), &id(SETTLED));
    aml_miner::whole_file::write(&path, b"PK pack", aml_miner::whole_file::Readers::Everyone).expect("written");
    let route = format!("/api/1/rounds/{}/evidence", id(SETTLED));
    let got = kit.get(&route).await.must_succeed();
    assert_eq!((got.header("content-type"), got.header("content-length")), (Some("application/zip"), Some("7")));
    assert_eq!(got.body, b"PK pack");
    let tag = got.header("etag").expect("a tag").to_owned();
    let again = kit.send(axum::http::Method::GET, &route, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let told = kit.get(&format!("/rounds/{}/evidence", id(DAYS))).await.must_fail_with(404, "not_found").json();
    assert!(told["detail"].as_str().expect("text").contains("rules v1"), "{told}");
    kit.get(&format!("/rounds/{}/evidence", id(DAYS + 1))).await.must_fail_with(404, "not_found");
}

/// A season of sealed answers, and three weeks until its last round can change no more.
async fn sealed_season() -> (World, Vec<RoundId>) {
    let cast = vec![
        ("Bob", explaining(0.9)),
        ("Charlie", explaining(0.5)),
        ("Dave", Behaviour::Lazy),
        // From its second round on it is sent packed tasks.
        ("Gina", Behaviour::Packed { skill: 0.6 }),
        ("Eve", Behaviour::Lying(Lie::Nan)),
        ("Ferdie", Behaviour::Dead),
    ];
    let mut world = World::new(u32::try_from(DAYS).expect("few"), cast).await;
    world.seal(OpeningRule::SUBNET);
    let mut rounds = Vec::new();
    for day in 0..DAYS {
        let id = world.dawn(day);
        must_turn(&world, Step::Asked).await;
        let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
        let opening = u64::try_from(round.marks.opening_ms.expect("it is sealed")).expect("after 1970");
        world.clock.set(Duration::from_millis(opening + 3_000));
        must_turn(&world, Step::Published).await;
        if day + 2 >= DAYS || day % 3 == 0 {
            // Outcomes of the days before are looked for, so that the next standing knows them.
            let looked = world.validator().settle_turn(&mut Vec::new()).await;
            looked.expect("a ledger");
        }
        rounds.push(id);
    }
    for day in (DAYS..=DAYS + 22).step_by(4).chain([DAYS + 22]) {
        on_day(&world, day);
        must_pass(&world).await;
    }
    (world, rounds)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "plays seven weeks: scripts/checks/evidence.sh runs it and checks what it leaves; `validator_rules_v2` looks at the grounds"]
async fn voices_of_a_season_come_with_the_moments_that_they_were_made_of() {
    let (world, rounds) = sealed_season().await;
    let last = rounds[rounds.len() - 1];
    while !rounds.iter().all(|id| pack_path(&world.settings.published_dir(), id).is_file()) {
        must_pass(&world).await;
    }
    let there = members(&std::fs::read(pack_path(&world.settings.published_dir(), &last)).expect("written"));
    let manifest = must_hold(&there);
    assert!(manifest.absent.is_empty(), "{:?}", manifest.absent);
    let grounds: Grounds = serde_json::from_str(&unpacked(&there, "grounds.json.zst")).expect("grounds");
    let standing = world.ledger.in_force(last).await.expect("a ledger").expect("in force").standing;
    assert!(standing.known && !standing.rounds.is_empty());
    assert_eq!((grounds.made_ms, &grounds.rounds), (standing.made_ms, &standing.rounds));
    assert_eq!(grounds.number.to_bits(), standing.number.to_bits());
    assert!(grounds.miners.keys().eq(standing.miners.keys()));
    assert_eq!((grounds.columns.len(), grounds.cross.len()), (standing.miners.len() + 2, standing.miners.len() + 2));
    if let Some(folder) = std::env::var_os("AML_EXPORT_EVIDENCE") {
        leave(&world, &rounds, Path::new(&folder)).await;
    }
}

/// All packs, and the last one with raw answers and its batch.
async fn leave(world: &World, rounds: &[RoundId], folder: &Path) {
    std::fs::create_dir_all(folder.join("packs")).expect("a folder");
    for id in rounds {
        let kept = pack_path(&world.settings.published_dir(), id);
        std::fs::copy(kept, folder.join("packs").join(format!("{id}.zip"))).expect("copied");
    }
    let last = rounds[rounds.len() - 1];
    let (_, full) = pack(world, &Wanted { full: true, ..wanted(last) }).await.expect("it is whole");
    std::fs::write(folder.join("full.zip"), full).expect("written");
    let batch = directory_name(last.date, Some(last.window_days));
    std::fs::create_dir_all(folder.join("batches").join(&batch)).expect("a folder");
    for file in std::fs::read_dir(world.batch_dir(&batch)).expect("a batch") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), folder.join("batches").join(&batch).join(file.file_name())).expect("copied");
    }
}

/// A round that can change no more, with its pack in a folder of packs.
pub(crate) async fn packed_round(packs: &Path) -> (World, RoundId) {
    let mut world = World::new(1, vec![("Bob", explaining(0.8)), ("Eve", Behaviour::Lying(Lie::Nan))]).await;
    world.settings.rules = Some(RulesList::always(RulesVersion::V2));
    let id = world.dawn(0);
    must_turn(&world, Step::Published).await;
    on_day(&world, 22);
    must_pass(&world).await;
    std::fs::create_dir_all(packs).expect("a folder");
    let kept = pack_path(&world.settings.published_dir(), &id);
    std::fs::copy(kept, packs.join(format!("{id}.zip"))).expect("copied");
    (world, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_validator_takes_rounds_over_and_they_count_as_its_own() {
    let desk = Desk::set();
    let packs = desk.0.folder.path().join("packs");
    let (old, id) = packed_round(&packs).await;
    let alice = dev_key("Alice").hotkey().to_string();
    let adopt = |words: &[&str]| desk.types(&[&["ledger", "adopt", "--netuid", "7"], words].concat());
    let bob = dev_key("Bob").hotkey().to_string();
    must_say(&adopt(&["--from", "packs", "--hotkey", &bob]), false, "it is signed by");
    let other = desk.types(&["ledger", "adopt", "--netuid", "8", "--from", "packs", "--hotkey", &alice]);
    must_say(&other, false, "is of another subnet");
    must_say(&adopt(&["--from", "packs", "--hotkey", &alice]), true, &format!("{id}: taken over"));
    must_say(&adopt(&["--from", "packs", "--hotkey", &alice]), true, "is there already, and stays as it is");

    let ledger = desk.0.open().await;
    let round = ledger.round(id).await.expect("a ledger").expect("it is there");
    assert_eq!((round.step, round.settled_ms), (Step::Published, None));
    assert_eq!(round.marks.adopted.as_deref(), Some(alice.as_str()));
    for table in ROUND_TABLES.iter().filter(|table| **table != "rounds") {
        let rows = ledger.round_rows(id, table).await.expect("a ledger");
        assert_eq!(rows, old.ledger.round_rows(id, table).await.expect("a ledger"), "{table}");
    }
    let address = &ledger.task(id).await.expect("a ledger").expect("a task").roster[3].address;
    assert!(!ledger.address_alerts(7, address, id.date).await.expect("a ledger").is_empty(), "it is found by address");
    assert!(ledger.first_seen().await.expect("a ledger").contains_key(&dev_key("Bob").hotkey()));
    let reasons = ledger.reasons(id).await.expect("a ledger").expect("the pack has them");
    assert_eq!(Some(&reasons), old.ledger.reasons(id).await.expect("a ledger").as_ref());
    assert!(reasons.alerts.iter().any(|found| !found.is_empty()));
    let calibration = ledger.calibration(id).await.expect("a ledger").expect("the pack has it");
    assert_eq!(Some(calibration), old.ledger.calibration(id).await.expect("a ledger"));
    let told = told_of(&ledger, id).await;
    let codes = told["alert"]["reason_codes"].as_array().expect("they are shown");
    let own = reasons.alerts[3].len();
    assert_eq!((codes.len(), told["no_reasons"].is_null()), (own, own > 0), "{told}");

    // It is part of the next windows, is settled here, and is never told as evidence of this validator's.
    let mut new = World::new(1, Vec::new()).await;
    new.settings.rules = Some(RulesList::always(RulesVersion::V2));
    new.ledger = ledger;
    on_day(&new, 23);
    let information = Information::under(RulesVersion::V2, &new.ledger, &Threads).expect("rules v2");
    let today = RoundId { date: first_day() + Days::new(23), ..id };
    let now_ms = aml_miner::clock::millis(new.clock.now());
    let standing = information.in_force(today, &[], now_ms).await.expect("a ledger").standing;
    assert_eq!((standing.rounds, standing.missing), (vec![id.date], Vec::new()));
    let pass = must_pass(&new).await;
    assert!(matches!(&pass.settling[..], [(round, Settling::Done(_))] if *round == id), "{:?}", pass.settling);
    let error = pack(&new, &wanted(id)).await.expect_err("it is another's");
    assert!(matches!(&error, PackError::Adopted { from, .. } if *from == alice), "{error}");
    assert!(!pack_path(&new.settings.published_dir(), &id).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_was_changed_is_refused_wherever_it_was_changed() {
    let desk = Desk::set();
    let packs = desk.0.folder.path().join("packs");
    let (_, id) = packed_round(&packs).await;
    let good = std::fs::read(packs.join(format!("{id}.zip"))).expect("a pack");
    let alice = dev_key("Alice").hotkey();
    assert!(PackReader::open(good.clone(), &alice).is_ok());
    // Every part of the file: heads, members, directory, manifest.
    for at in (0..good.len()).step_by(good.len() / 400) {
        let mut changed = good.clone();
        changed[at] ^= 0x20;
        let Ok(pack) = PackReader::open(changed, &alice) else { continue };
        // Times and attributes of a member mean nothing here.
        assert_eq!(pack.manifest, PackReader::open(good.clone(), &alice).expect("good").manifest, "at {at}");
    }
    let mut changed = good;
    let middle = changed.len() / 3;
    changed[middle] ^= 1;
    std::fs::write(packs.join(format!("{id}.zip")), changed).expect("written");
    let said = desk.types(&["ledger", "adopt", "--netuid", "7", "--from", "packs", "--hotkey", &alice.to_string()]);
    must_say(&said, false, "it is not what the manifest says");
    let ledger = desk.0.open().await;
    assert_eq!(ledger.round(id).await.expect("a ledger"), None, "nothing is written");
}

/// What the API tells of an alert of a round.
async fn told_of(ledger: &Ledger, id: RoundId) -> serde_json::Value {
    let alert = ledger.task(id).await.expect("a ledger").expect("a task").roster[3].alert_id.clone();
    let kit = Kit::over(ledger.clone(), id.netuid, Access::default());
    kit.get(&format!("/alerts/{id}/{alert}")).await.must_succeed().json()
}

/// A pack with one table changed, as its validator could have made it.
fn remade(good: &[u8], table: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let alice = dev_key("Alice");
    let pack = PackReader::open(good.to_vec(), &alice.hotkey()).expect("a good pack");
    let mut made = PackWriter::new(Vec::new());
    for name in ROUND_TABLES {
        let rows = String::from_utf8(pack.table(name).expect("a table")).expect("UTF-8");
        let rows = if name == table { change(&rows) } else { rows };
        made.add_compressed(&format!("{name}.jsonl"), rows.as_bytes()).expect("in memory");
    }
    let grounds = pack.unpacked("grounds.json").expect("it unpacks").expect("it is there");
    made.add_compressed("grounds.json", &grounds).expect("in memory");
    let calibration: Option<serde_json::Value> = pack.json("calibration.json").expect("JSON");
    let calibration = calibration.expect("it is there").to_string();
    let calibration = if table == "calibration" { change(&calibration) } else { calibration };
    made.add("calibration.json", calibration.as_bytes()).expect("in memory");
    let round = pack.manifest.round.parse().expect("a round");
    let head = PackHead { round, batch: pack.manifest.batch, made_at: pack.manifest.made_at, alert: None };
    made.finish(head, false, &alice).expect("in memory").1
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_out_again_is_not_taken_over_though_it_is_signed() {
    let desk = Desk::set();
    let packs = desk.0.folder.path().join("packs");
    let (_, id) = packed_round(&packs).await;
    let good = std::fs::read(packs.join(format!("{id}.zip"))).expect("a pack");
    let ledger = desk.0.open().await;
    let adopting = Adopting { ledger: &ledger, workers: &Threads, netuid: id.netuid, now_ms: 7 };
    let alice = dev_key("Alice").hotkey();
    type Change = fn(&str) -> String;
    let changes: [(&str, Change, &str); 10] = [
        ("canonical", |rows| rows.replacen("\"score\":0.", "\"score\":0.0", 1), "canonical scores do not come out"),
        ("standings", |rows| rows.replacen("\"part\":0.0", "\"part\":0.5", 1), "standing does not come out"),
        ("tasks", |rows| rows.replacen("\"alert_id\":\"", "\"alert_id\":\"x", 1), "not the one that was committed to"),
        ("rounds", |rows| rows.replacen("\"day\":", "\"day\":1", 1), "its row is of another round"),
        ("columns", |rows| rows.lines().skip(1).map(|line| format!("{line}\n")).collect(), "is not there"),
        ("outcomes", |rows| rows.replacen("\"address\":\"", "\"address\":\"x", 1), "an outcome is of no alert"),
        ("verdicts", |rows| rows.replacen("7-2026-03-01-7", "7-2026-03-02-7", 1), "a row is of another round"),
        ("curves", |_| String::new(), "has not one row"),
        ("calibration", |json| json.replacen("7-2026-03-01-7", "7-2026-03-02-7", 1), "its probabilities are not"),
        ("calibration", |json| json.replacen("\"version\":1", "\"version\":9", 1), "its probabilities are not"),
    ];
    for (table, change, expected) in changes {
        let made = remade(&good, table, change);
        let pack = PackReader::open(made, &alice).expect("it is signed");
        let error = adopting.adopt(pack).await.expect_err(table).to_string();
        assert!(error.contains(expected), "{table}: {error}");
        assert_eq!(ledger.round(id).await.expect("a ledger"), None, "{table}: nothing is written");
    }
    let pack = PackReader::open(remade(&good, "none", str::to_owned), &alice).expect("it is signed");
    assert_eq!(adopting.adopt(pack).await.expect("it is sound"), (id, true));
    // A pack without reasons says nothing of whether the round was published with some.
    let told = told_of(&ledger, id).await;
    let why = told["no_reasons"].as_str().expect("text");
    assert!(why.contains(&alice.to_string()) && !why.contains("without reasons"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_are_taken_from_a_running_validator() {
    let desk = Desk::set();
    let packs = desk.0.folder.path().join("packs");
    let (_, id) = packed_round(&packs).await;
    let pack = std::fs::read(packs.join(format!("{id}.zip"))).expect("a pack");
    let (round, none) = (id.to_string(), "7-2026-03-02-7");
    let list = format!(
        r#"{{"rounds":[{{"id":"{none}"}},{{"id":"{round}"}},{{"id":"8-2026-03-01-7"}},{{"id":"x"}}],"next_before":null}}"#
    );
    let app = axum::Router::new()
        .route("/api/1/rounds", axum::routing::get(async move || list))
        .route(&format!("/api/1/rounds/{round}/evidence"), axum::routing::get(async move || pack));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(async move { axum::serve(listener, app).await });
    let alice = dev_key("Alice").hotkey().to_string();
    let words = ["ledger", "adopt", "--netuid", "7", "--from", &base, "--hotkey", &alice, "--days", "40000"];
    let said = tokio::task::block_in_place(|| desk.types(&words));
    must_say(&said, true, &format!("{round}: taken over"));
    must_say(&said, true, &format!("{none}/evidence: no pack yet"));
    let said = tokio::task::block_in_place(|| {
        desk.types(&["ledger", "adopt", "--from", &format!("{base}/x"), "--hotkey", &alice])
    });
    must_say(&said, false, "is no validator's API");
    served.abort();
}

/// What a validator's API says of a round, as a server that says it again with `changed` in it.
async fn echo(kit: &Kit, id: RoundId, changed: impl Fn(&mut serde_json::Value)) -> String {
    let mut app = axum::Router::new();
    for path in [format!("/rounds/{id}"), format!("/canonical/{}", id.date), "/miners".to_owned()] {
        let mut told = kit.get(&format!("/api/1{path}")).await.must_succeed().json();
        if path.starts_with("/rounds") {
            changed(&mut told);
        }
        app = app.route(&format!("/api/1{path}"), axum::routing::get(async move || told.to_string()));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    base
}

#[tokio::test(flavor = "multi_thread")]
async fn two_validators_are_compared_and_the_better_one_is_named() {
    let kit = Kit::season().await;
    let newest = crate::api_kit::id(crate::api_kit::DAYS);
    let desk = Desk::set();
    kit.ledger.export(&desk.0.folder.path().join("export")).await.expect("a new folder");
    let ledger = desk.0.open().await;
    ledger.import(&desk.0.folder.path().join("export")).await.expect("an empty ledger");
    let compare = |base: &str| desk.types(&["compare", "--netuid", "1", "--with", base]);

    let same = echo(&kit, newest, |_| {}).await;
    let said = tokio::task::block_in_place(|| compare(&same));
    let round = format!("round      {newest}");
    for text in [
        round.as_str(),
        "rank correlation 1.000000",
        "use        either",
        "240 scored by both",
        "missed here  0 miners",
    ] {
        must_say(&said, true, text);
    }
    let deaf = echo(&kit, newest, |told| {
        let miners = told["miners"].as_array_mut().expect("miners");
        let loud = miners.iter_mut().find(|one| one["weight"].as_f64().is_some_and(|weight| weight > 0.05));
        let loud = loud.expect("somebody speaks");
        (loud["outcome"], loud["reason"], loud["weight"]) =
            ("timed_out".into(), "\u{1b}[31mtoo slow".into(), serde_json::Value::Null);
    })
    .await;
    let said = tokio::task::block_in_place(|| compare(&deaf));
    must_say(&said, true, "use        this validator's scores");
    must_say(&said, true, ": [31mtoo slow");
    let other = echo(&kit, newest, |told| {
        let more = serde_json::json!({"hotkey": "5New", "outcome": "accepted", "reason": null, "weight": 0.5});
        told["miners"].as_array_mut().expect("miners").push(more);
    })
    .await;
    let said = tokio::task::block_in_place(|| compare(&other));
    must_say(&said, false, "use        the other validator's scores");
    must_say(&said, false, "5New  voice 0.5000: it was not asked");
    let batch = echo(&kit, newest, |told| told["round"]["batch"] = "x".into()).await;
    must_say(&tokio::task::block_in_place(|| compare(&batch)), true, "do not speak of the same batch");
    let words = ["compare", "--netuid", "1", "--with", &same, "--round", "1-2020-01-01-30"];
    must_say(&tokio::task::block_in_place(|| desk.types(&words)), false, "has no round 1-2020-01-01-30");
    must_say(&tokio::task::block_in_place(|| compare("http://127.0.0.1:9")), false, "does not answer");
}
