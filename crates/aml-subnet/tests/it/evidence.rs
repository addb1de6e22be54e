//! Evidence packs: everything that a round's scores come from, written when it can change no more, and not before.
//!
//! With `AML_EXPORT_EVIDENCE` set, the packs of a sealed season are left there for `scripts/checks/evidence.py`, which checks
//! them in Python and changes them in every way that it can think of.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aml_miner::clock::Clock as _;
use aml_miner::digest::Digest;
use aml_subnet::beacon::OpeningRule;
use aml_subnet::outputs::pack::{PACK_DOMAIN, PACK_MANIFEST};
use aml_subnet::outputs::{PackManifest, pack_path};
use aml_subnet::store::records::{Mark, MarkKind, RoundId, Step};
use aml_subnet::store::{ROUND_TABLES, Retention};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::information::Grounds;
use aml_subnet::validator::packing::{PackError, Packing, Wanted};
use aml_subnet::validator::run::Pass;
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

fn on_day(world: &World, day: u64) {
    world.clock.set(noon(first_day() + Days::new(day)));
}

async fn must_pass(world: &World) -> Pass {
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
        ("Bob", honest(0.9)),
        ("Charlie", honest(0.5)),
        ("Dave", Behaviour::Lazy),
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

/// All packs, and the last one with raw answers.
async fn leave(world: &World, rounds: &[RoundId], folder: &Path) {
    std::fs::create_dir_all(folder.join("packs")).expect("a folder");
    for id in rounds {
        let kept = pack_path(&world.settings.published_dir(), id);
        std::fs::copy(kept, folder.join("packs").join(format!("{id}.zip"))).expect("copied");
    }
    let last = rounds[rounds.len() - 1];
    let (_, full) = pack(world, &Wanted { full: true, ..wanted(last) }).await.expect("it is whole");
    std::fs::write(folder.join("full.zip"), full).expect("written");
}
