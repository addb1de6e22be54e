//! Reasons from what miners explain to what is published: merged by voices, with the batch's own numbers, kept with the round.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::listing::directory_name;
use aml_miner::wire::Explain;
use aml_subnet::outputs::{CanonicalRow, Edition, directory, publish, verify};
use aml_subnet::readers::reasons::{MOST, Reasons};
use aml_subnet::store::Retention;
use aml_subnet::store::records::{RoundId, Step};
use aml_subnet::validator::replay::replay;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::Behaviour;
use crate::ledger_kit::Home;
use crate::validator_world::{ALERTS, WINDOW, World};

/// What no page, file or ledger may have of a miner.
const HOSTILE: &str = "<script>alert(1)</script>\u{202e}\u{0}=cmd|' /C calc'!A0";

fn explanation(features: &[(&str, f64)]) -> String {
    let one = |of: &(&str, f64)| json!({"feature": of.0, "value": HOSTILE, "impact": of.1, "note": HOSTILE});
    let features: Vec<Value> = features.iter().map(one).collect();
    json!({"score": 0.5, "base_value": 0.1, "top_features": features, "more": HOSTILE}).to_string()
}

/// A number that looks like chance, of an alert's own values.
fn chance(alert: &Value) -> u8 {
    aml_miner::digest::Digest::of(alert["volume_usd"].to_string().as_bytes()).as_bytes()[0]
}

fn explaining(of: impl Fn(&Value) -> Vec<(&'static str, f64)> + Send + Sync + 'static) -> Behaviour {
    Behaviour::Explaining(Arc::new(move |alert| explanation(&of(alert))))
}

async fn must_run(world: &World, step: Step) {
    let pass = tokio::time::timeout(Duration::from_secs(120), world.validator().once(&CancellationToken::new())).await;
    let pass = pass.expect("a round ends");
    assert!(pass.errors.is_empty(), "{:#?}", pass.errors);
    assert_eq!(pass.round.map(|round| round.step), Some(step));
}

fn published(world: &World, id: &RoundId) -> PathBuf {
    directory(&world.settings.published_dir(), id)
}

fn rows(world: &World, id: &RoundId) -> Vec<CanonicalRow> {
    let bytes = std::fs::read(published(world, id).join("canonical.json")).expect("published");
    serde_json::from_slice(&bytes).expect("rows")
}

async fn kept(world: &World, id: RoundId) -> Reasons {
    world.ledger.reasons(id).await.expect("a ledger").expect("reasons are kept")
}

/// Two that explain alike, one that explains in words of its own, one that explains nothing.
fn cast() -> Vec<(&'static str, Behaviour)> {
    vec![
        ("Bob", explaining(|_| vec![("total_in_usd", 2.0), ("typology_mixing", 1.0), (HOSTILE, -0.5)])),
        ("Charlie", explaining(|_| vec![("log_total_in_usd", 1.0), ("is_new_address", -1.0), ("my_feature", 9.0)])),
        ("Dave", Behaviour::Explaining(Arc::new(|_| HOSTILE.repeat(900)))),
        ("Eve", Behaviour::Honest { skill: 1.0 }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_miners_explain_is_published_with_the_numbers_of_the_batch() {
    let world = World::new(1, cast()).await;
    let id = world.dawn(0);
    must_run(&world, Step::Published).await;
    let batch = BatchDir::open(world.batch_dir(&directory_name(id.date, Some(WINDOW)))).expect("a batch");
    let batch = batch.load().expect("readable").batch;
    let (addresses, received) = (batch.features.texts("address"), batch.features.numbers("total_in_usd"));
    let addresses: Vec<&str> = addresses.expect("there").iter().collect();
    let rows = rows(&world, &id);
    assert_eq!(rows.len(), ALERTS);
    let mut seen = 0;
    for row in &rows {
        let reasons = row.reasons.as_ref().expect("the round has reasons");
        assert!(reasons.len() <= MOST);
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(row.reason_codes.as_deref().expect("codes"), codes);
        let Some(reason) = reasons.iter().find(|reason| reason.code == "received") else { continue };
        let at = addresses.iter().position(|address| *address == row.address).expect("an address with features");
        assert_eq!(reason.value, Some(received.expect("there")[at]), "the batch's own number");
        assert!(reason.text.starts_with("received $") && reason.support >= 0.05, "{reason:?}");
        seen += 1;
    }
    assert!(seen > ALERTS / 2, "{seen} of {ALERTS}");
    let typologies: Vec<&str> = rows.iter().map(|row| row.typology.as_str()).collect();
    let names = rows.iter().flat_map(|row| row.reasons.iter().flatten()).filter_map(|reason| reason.name.as_deref());
    assert!(names.clone().count() > 0 && names.clone().all(|name| typologies.contains(&name)), "names are the batch's");
    for entry in std::fs::read_dir(published(&world, &id)).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        for word in ["script", "calc", "my_feature", "note"] {
            let there = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!there, "{word} of a miner is in a published file");
        }
    }
    let reasons = kept(&world, id).await;
    assert_eq!((reasons.miners, reasons.absent.as_deref()), (2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn published_reasons_come_out_again_byte_for_byte_with_and_without_raw_answers() {
    let world = World::new(1, cast()).await;
    let id = world.dawn(0);
    must_run(&world, Step::Published).await;
    let again = replay(&world.ledger, id, None).await.expect("everything is stored");
    assert!(again.identical && again.reasons, "{:#?}", again.differences);
    let retention = Retention { age: Duration::ZERO, bytes: 0 };
    let swept = world.ledger.sweep(i64::MAX, &retention).await.expect("swept");
    assert!(swept.bodies > 0);
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    let roster = world.ledger.task(id).await.expect("a ledger").expect("a task").roster;
    let canonical = world.ledger.canonical(id).await.expect("a ledger").expect("merged");
    let calibration = world.ledger.calibration(id).await.expect("a ledger");
    let reasons = kept(&world, id).await;
    let other = tempfile::tempdir().expect("a folder");
    let edition = Edition {
        round: &round,
        roster: &roster,
        canonical: &canonical,
        calibration: calibration.as_ref(),
        reasons: Some(&reasons),
        signer: &dev_key("Alice"),
        now: Duration::from_secs(9),
    };
    let made = publish(other.path(), &edition).expect("published");
    let before = verify(&published(&world, &id), Some(&dev_key("Alice").hotkey())).expect("it holds");
    assert_eq!(made.files, before.files);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_sent_for_every_alert_by_a_small_voice_is_on_no_page() {
    // Twenty-four voices of 1/24 each, of which one says the same of every alert.
    let names: Vec<String> = (0..24).map(|at| format!("m{at}")).collect();
    let mut cast: Vec<(&str, Behaviour)> = names
        .iter()
        .map(|name| {
            (
                name.as_str(),
                explaining(
                    |alert| if chance(alert) < 100 { vec![("total_in_usd", 1.0)] } else { vec![("min_tx_usd", 1.0)] },
                ),
            )
        })
        .collect();
    cast[7].1 = explaining(|_| vec![("is_mixer_like", 1.0)]);
    let mut world = World::new(1, cast).await;
    world.settings.timeout = Duration::from_secs(60);
    let id = world.dawn(0);
    must_run(&world, Step::Published).await;
    let rows = rows(&world, &id);
    let codes = || rows.iter().flat_map(|row| row.reason_codes.iter().flatten());
    assert!(codes().all(|code| code != "mixer_like"));
    assert!(codes().any(|code| code == "received") && codes().any(|code| code == "smallest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_do_not_wait_for_a_batch_that_is_gone() {
    let mut world = World::new(1, cast()).await;
    world.settings.publish_delay = Duration::from_secs(3_600);
    let id = world.dawn(0);
    must_run(&world, Step::Merged).await;
    let name = directory_name(id.date, Some(WINDOW));
    for folder in [world.batch_dir(&name), world.settings.data_dir.join("batches").join(&name)] {
        if folder.exists() {
            std::fs::rename(&folder, world.folder.path().join(format!("gone-{}", folder.display()).replace('/', "_")))
                .expect("away");
        }
    }
    world.clock.forward(Duration::from_secs(4_000));
    let validator = world.validator();
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    let round = validator.rounds.advance(round, &CancellationToken::new()).await.expect("it is published");
    assert_eq!(round.step, Step::Published);
    let reasons = kept(&world, id).await;
    let why = reasons.why_none();
    assert!(why.contains("its batch could not be read again"), "{why}");
    assert!(rows(&world, &id).iter().all(|row| row.reasons.as_deref() == Some(&[])));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_ask_for_explanations_says_so() {
    let mut world = World::new(1, cast()).await;
    world.settings.explain = Explain::None;
    let id = world.dawn(0);
    must_run(&world, Step::Published).await;
    let reasons = kept(&world, id).await;
    assert!(reasons.alerts.iter().all(Vec::is_empty));
    let why = reasons.why_none();
    assert_eq!(why, "This round has no reasons: the validator merged none when it was published (explain = \"none\").");
}

/// A world whose round is merged and due, with its cached batch away, so that the source is needed again.
async fn due_without_cache() -> (World, RoundId, PathBuf) {
    let mut world = World::new(1, cast()).await;
    world.settings.publish_delay = Duration::from_secs(3_600);
    let id = world.dawn(0);
    must_run(&world, Step::Merged).await;
    let name = directory_name(id.date, Some(WINDOW));
    std::fs::remove_dir_all(world.settings.data_dir.join("batches").join(&name)).expect("a cached batch");
    world.clock.forward(Duration::from_secs(4_000));
    let manifest = world.batch_dir(&name).join("META.json");
    (world, id, manifest)
}

/// Carries the round on, as the next turn does.
async fn next_turn(world: &World, id: RoundId) -> Result<Step, String> {
    let round = world.ledger.round(id).await.expect("a ledger").expect("a round");
    let advanced = world.validator().rounds.advance(round, &CancellationToken::new()).await;
    advanced.map(|round| round.step).map_err(|error| error.to_string())
}

async fn held(world: &World, id: RoundId) -> Option<String> {
    world.ledger.round(id).await.expect("a ledger").expect("a round").marks.held.map(|held| held.why)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_for_a_moment_costs_no_reasons() {
    let (world, id, manifest) = due_without_cache().await;
    let good = std::fs::read(&manifest).expect("a manifest");
    std::fs::write(&manifest, b"{").expect("half a manifest");
    let error = next_turn(&world, id).await.expect_err("it waits");
    assert!(error.contains("the batch cannot be had"), "{error}");
    assert!(held(&world, id).await.is_some_and(|why| why.contains("cannot be read again")));
    assert_eq!(world.ledger.reasons(id).await.expect("a ledger"), None, "nothing is kept of a moment");
    std::fs::write(&manifest, good).expect("a manifest");
    assert_eq!(next_turn(&world, id).await, Ok(Step::Published));
    assert_eq!((kept(&world, id).await.miners, held(&world, id).await), (2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_wait_ten_minutes_for_a_source_that_fails() {
    let (world, id, manifest) = due_without_cache().await;
    std::fs::write(&manifest, b"{").expect("half a manifest");
    for _ in 0..2 {
        next_turn(&world, id).await.expect_err("it waits");
        world.clock.forward(Duration::from_secs(301));
    }
    assert_eq!(next_turn(&world, id).await, Ok(Step::Published));
    let why = kept(&world, id).await.why_none();
    assert!(why.contains("its batch could not be read again"), "{why}");
    assert_eq!(held(&world, id).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_answer_that_cannot_be_read_stops_no_round() {
    let home = Home::file();
    let mut world = World::new(1, cast()).await;
    world.ledger = home.open().await;
    world.settings.publish_delay = Duration::from_secs(3_600);
    let id = world.dawn(0);
    must_run(&world, Step::Merged).await;
    let answers = world.ledger.answers(id).await.expect("a ledger");
    let of_bob = answers.iter().find(|answer| answer.hotkey == dev_key("Bob").hotkey()).expect("he answered");
    let digest = of_bob.body.expect("a body");
    home.sqlite_sql(&format!("UPDATE bodies SET content = X'00' WHERE digest = '{digest}'")).await;
    world.clock.forward(Duration::from_secs(4_000));
    assert_eq!(next_turn(&world, id).await, Ok(Step::Published));
    let reasons = kept(&world, id).await;
    assert_eq!((reasons.miners, reasons.absent), (1, None), "Charlie is heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_reasons_that_are_none_stop_no_round() {
    let home = Home::file();
    let mut world = World::new(1, cast()).await;
    world.ledger = home.open().await;
    world.settings.publish_delay = Duration::from_secs(3_600);
    let id = world.dawn(0);
    must_run(&world, Step::Merged).await;
    world.ledger.keep_file(id, "reasons", b"nothing of the kind", None).await.expect("kept");
    world.clock.forward(Duration::from_secs(4_000));
    assert_eq!(next_turn(&world, id).await, Ok(Step::Published));
    assert!(rows(&world, &id).iter().all(|row| row.reasons.as_deref() == Some(&[])));
}
