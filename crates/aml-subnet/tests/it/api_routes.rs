//! The validator's read API: what is shown, what is not, and how errors are told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::chain::reading::ChainReading;
use aml_subnet::chain::standing::Preflight;
use aml_subnet::chain::types::Block;
use aml_subnet::outputs::Format;
use aml_subnet::store::records::{Step, WeightsState, WeightsTarget};
use aml_subnet::validator::task::TrapList;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::api_kit::{
    ALERTS, DAYS, Kit, MINERS, NETUID, NOW, SETTLED, commitment, id, miner, must_publish, must_publish_nothing,
    reading, salt, task,
};

#[tokio::test]
async fn only_published_rounds_are_shown() {
    let kit = Kit::season().await;
    let list = kit.get("/rounds?limit=100").await.must_succeed().json();
    let rounds = list["rounds"].as_array().expect("a list");
    assert_eq!(rounds.len(), usize::try_from(DAYS).expect("small"));
    assert_eq!(rounds[0]["id"], id(DAYS).to_string());
    assert_eq!(list["next_before"], Value::Null);
    let open = id(DAYS + 1);
    for path in [format!("/rounds/{open}"), format!("/rounds/{open}/traps"), format!("/canonical/{}", open.date)] {
        let told = kit.get(&path).await.must_fail_with(404, "not_found");
        assert!(!told.text().contains(&commitment(DAYS + 1).to_string()), "{path}");
    }
    assert_eq!(kit.get(&format!("/page/rounds/{open}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_of_rounds_cover_every_round_once() {
    let kit = Kit::season().await;
    let mut path = "/rounds?limit=7".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = kit.get(&path).await.must_succeed().json();
        seen.extend(page["rounds"].as_array().expect("a list").iter().map(|round| round["id"].clone()));
        let Some(before) = page["next_before"].as_str() else { break };
        path = format!("/rounds?limit=7&before={before}");
    }
    let expected: Vec<Value> = (1..=DAYS).rev().map(|day| json!(id(day).to_string())).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn traps_and_salt_are_secret_until_the_round_is_settled() {
    let kit = Kit::season().await;
    let open = kit.get(&format!("/rounds/{}", id(DAYS))).await.must_succeed();
    let detail = open.json();
    assert_eq!(detail["salt"], Value::Null);
    assert_eq!(detail["commitment"], commitment(DAYS).to_string());
    assert!(detail["miners"].as_array().expect("a list").iter().all(|miner| miner["groups"] == json!([])));
    for secret in [hex::encode(salt(DAYS)), format!("trap-{DAYS}"), "high_1".to_owned()] {
        assert!(!open.text().contains(&secret), "{secret}");
    }
    kit.get(&format!("/rounds/{}/traps", id(DAYS))).await.must_fail_with(404, "not_found");
    let page = kit.get(&format!("/page/rounds/{}", id(DAYS))).await.must_succeed().text();
    assert!(!page.contains(&hex::encode(salt(DAYS))) && !page.contains("high_1"));
}

#[tokio::test]
async fn anybody_can_check_the_commitment_of_a_settled_round() {
    let kit = Kit::season().await;
    let detail = kit.get(&format!("/rounds/{}", id(SETTLED))).await.must_succeed().json();
    let reveal = kit.get(&format!("/rounds/{}/traps", id(SETTLED))).await.must_succeed();
    let text = reveal.text();
    let list = text.split_once("\"traps\":").and_then(|(_, rest)| rest.strip_suffix('}')).expect("the list is last");
    let salt = hex::decode(reveal.json()["salt"].as_str().expect("text")).expect("hex");
    let computed = Digest::of(&[salt.as_slice(), list.as_bytes()].concat()).to_string();
    assert_eq!(detail["commitment"], computed);
    let task = task(SETTLED);
    assert_eq!(TrapList::of(&task).commitment(&task.salt).to_string(), computed, "as the task maker commits itself");
    assert_eq!(detail["salt"], reveal.json()["salt"]);
    assert_eq!(detail["miners"][0]["groups"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_round_tells_what_came_of_every_miner() {
    let kit = Kit::season().await;
    let detail = kit.get(&format!("/rounds/{}", id(21))).await.must_succeed().json();
    let miners = detail["miners"].as_array().expect("a list");
    assert_eq!(miners.len(), usize::from(MINERS));
    let of = |number: u8| {
        let hotkey = miner(number).to_string();
        miners.iter().find(|row| row["hotkey"] == hotkey).expect("it was asked").clone()
    };
    for (number, outcome) in
        [(1, "accepted"), (8, "rejected"), (9, "timed_out"), (10, "refused"), (11, "unreachable"), (12, "not_serving")]
    {
        assert_eq!(of(number)["outcome"], outcome, "{number}");
    }
    let best = of(1);
    assert_eq!(best["weight"].as_f64().map(f64::to_bits), Some((1.0_f64 / 7.0).to_bits()));
    let (tier2, tier3) = (best["tier2"].as_f64().expect("known"), best["tier3"].as_f64().expect("known"));
    assert!((best["score"].as_f64().expect("known") - (0.2 + 0.3 * tier2 + 0.5 * tier3)).abs() < 1e-12);
    assert_eq!(of(8)["checks"][0]["passed"], false);
    assert!(of(8)["score"].as_f64().expect("known").abs() < 1e-12, "what counts nowhere adds nothing");
    assert_eq!(
        detail["canonical"]["histogram"].as_array().expect("bins").iter().filter_map(Value::as_u64).sum::<u64>(),
        ALERTS as u64
    );
    assert_eq!(detail["canonical"]["top"].as_array().map(Vec::len), Some(10));
    assert_eq!(detail["settlement"]["illicit"], 15);
}

#[tokio::test]
async fn the_leaderboard_is_the_performance_that_is_paid() {
    let kit = Kit::season().await;
    let list = kit.get("/miners").await.must_succeed().json();
    let miners = list["miners"].as_array().expect("a list");
    assert_eq!((list["total"].as_u64(), list["as_of"].as_str()), (Some(u64::from(MINERS)), Some("2026-01-30")));
    let worth: Vec<f64> = miners.iter().map(|row| row["performance"].as_f64().expect("a number")).collect();
    assert!(worth.is_sorted_by(|a, b| a >= b), "{worth:?}");
    let of = |number: u8| {
        let hotkey = miner(number).to_string();
        miners.iter().find(|row| row["hotkey"] == hotkey).expect("it has rounds")
    };
    let (copy, alone) = (of(5), of(4));
    let number = |row: &Value, key: &str| row[key].as_f64().expect("a number");
    assert!((number(copy, "earned") - number(copy, "performance") / 2.0).abs() < 1e-12, "copies share one reward");
    let (paid, earned) = (["share"; 2], ["earned"; 2]);
    let ratio = |[a, b]: [&str; 2]| number(copy, a) / number(alone, b);
    assert!((ratio(paid) - ratio(earned)).abs() < 1e-9, "what is earned is what is paid");
    let shares: f64 = miners.iter().filter_map(|row| row["share"].as_f64()).sum();
    assert!((shares - 1.0).abs() < 1e-12, "{shares}");
    let gone = miners.iter().find(|row| row["hotkey"] == miner(12).to_string()).expect("it has rounds");
    assert_eq!((&gone["uid"], &gone["share"]), (&Value::Null, &Value::Null), "it is not registered any more");
    let second = kit.get("/miners?limit=5&offset=5").await.must_succeed().json();
    assert_eq!(second["miners"].as_array().expect("a list")[0], miners[5]);
    assert_eq!(second["next_offset"], 10);
    assert_eq!(kit.get("/miners?offset=99").await.must_succeed().json()["miners"], json!([]));
}

#[tokio::test]
async fn a_miner_is_told_with_its_history() {
    let kit = Kit::season().await;
    let hotkey = miner(11);
    let told = kit.get(&format!("/miners/{hotkey}?limit=10")).await.must_succeed().json();
    assert_eq!(told["rounds"].as_array().map(Vec::len), Some(10));
    assert_eq!(told["next_before"], id(DAYS - 9).date.to_string());
    assert_eq!(told["failures"], 5);
    assert_eq!(told["rounds"][0]["outcome"], "unreachable");
    let stranger = miner(77);
    kit.get(&format!("/miners/{stranger}")).await.must_fail_with(404, "not_found");
    kit.get("/miners/alice").await.must_fail_with(422, "invalid_request");
}

#[tokio::test]
async fn a_vector_of_weights_is_shown_once_the_chain_shows_it() {
    let kit = Kit::season().await;
    let answer = kit.get("/weights").await.must_succeed();
    let told = answer.json();
    let states: Vec<&str> =
        told["submissions"].as_array().expect("a list").iter().filter_map(|entry| entry["state"].as_str()).collect();
    assert_eq!(states, ["committed", "confirmed", "failed"]);
    assert_eq!(told["submissions"][0]["weights"], Value::Null);
    assert_eq!(told["submissions"][1]["weights"].as_array().map(Vec::len), Some(7));
    assert_eq!(told["agrees"], true);
    assert_eq!(told["on_chain"]["age_tempos"].as_f64().map(|age| (age * 360.0).round()), Some(356.0));
    for path in ["/weights", "/page/weights"] {
        let text = kit.get(path).await.must_succeed().text();
        for secret in ["54321", "\"value\":4242", "4\u{202f}242", ">4242<"] {
            assert!(!text.contains(secret), "{path} shows {secret}");
        }
    }
}

#[tokio::test]
async fn the_risk_of_an_address_follows_the_formula() {
    let kit = Kit::season().await;
    let address = &task(DAYS).roster[3].address;
    let told = kit.get(&format!("/risk/address/{address}?days=2")).await.must_succeed().json();
    let alerts = told["alerts"].as_array().expect("a list");
    assert_eq!(alerts.len(), 4, "two alerts a day about it");
    let weight = |severity: &str| match severity {
        "low" => 1.0,
        "medium" => 2.0,
        "high" => 3.0,
        _ => 4.0,
    };
    let scored: Vec<(f64, f64)> = alerts
        .iter()
        .map(|alert| (alert["score"].as_f64().expect("known"), weight(alert["severity"].as_str().expect("known"))))
        .collect();
    let highest = scored.iter().map(|(score, _)| *score).fold(0.0, f64::max);
    let mean = scored.iter().map(|(score, weight)| score * weight).sum::<f64>()
        / scored.iter().map(|(_, weight)| weight).sum::<f64>();
    // They are of one typology: one case.
    assert_eq!(told["cases"], 1);
    let any = highest;
    let risk = told["risk"].as_f64().expect("known");
    assert!((risk - (0.4 * highest + 0.3 * mean + 0.3 * any)).abs() < 1e-12);
    kit.get("/risk/address/nobody").await.must_fail_with(404, "not_found");
    kit.get(&format!("/risk/address/{}", "a".repeat(300))).await.must_fail_with(422, "invalid_request");
    kit.get(&format!("/risk/address/{address}?days=0")).await.must_fail_with(422, "invalid_request");
}

#[tokio::test]
async fn canonical_scores_are_offered_in_three_forms() {
    let kit = Kit::season().await;
    let date = id(DAYS).date;
    let path = format!("/canonical/{date}");
    let json = kit.get(&path).await.must_succeed();
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.json().as_array().map(Vec::len), Some(ALERTS));
    let csv = kit.send(Method::GET, &path, &[("accept", "text/csv")]).await.must_succeed();
    assert_eq!(csv.header("content-type"), Some("text/csv"));
    assert!(csv.text().starts_with("alert_id,address,typology,severity,score,deviation,miners,rank,probability,probability_low,probability_high,reason_codes,reasons\r\n"));
    assert_eq!(csv.text().matches("\r\n").count(), ALERTS + 1);
    let parquet = kit.get(&format!("{path}?format=parquet")).await.must_succeed();
    assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
    let latest = kit.get("/canonical/latest").await.must_succeed();
    assert_eq!(latest.body, json.body);
    let picky = kit.send(Method::GET, &path, &[("accept", "image/png")]).await;
    picky.must_fail_with(406, "not_acceptable");
    kit.get(&format!("{path}?format=xml")).await.must_fail_with(422, "invalid_request");
    kit.get("/canonical/2026-02-30").await.must_fail_with(422, "invalid_request");
    kit.get("/canonical/2025-01-01").await.must_fail_with(404, "not_found");
    kit.get(&format!("{path}?window_days=7")).await.must_fail_with(404, "not_found");
}

#[tokio::test]
async fn the_newest_day_without_scores_says_where_the_newest_are_and_shows_no_other_days() {
    let kit = Kit::season().await;
    must_publish_nothing(&kit.ledger, DAYS + 2).await;
    let newest = format!("/canonical/{}?window_days=30", id(DAYS).date);
    for path in ["/canonical/latest", "/canonical/latest?format=csv", "/canonical/latest/manifest"] {
        let told = kit.get(path).await.must_fail_with(404, "not_found").json();
        let told = told["detail"].as_str().expect("text");
        assert!(told.contains(&id(DAYS + 2).to_string()) && told.contains(&newest), "{path}: {told}");
    }
    kit.get(&newest).await.must_succeed();
    kit.get(&format!("/canonical/{}", id(DAYS + 2).date)).await.must_fail_with(404, "not_found");
    let kit = Kit::empty().await;
    must_publish_nothing(&kit.ledger, 1).await;
    let told = kit.get("/canonical/latest").await.must_fail_with(404, "not_found").json();
    assert!(told["detail"].as_str().is_some_and(|told| told.contains("none of the rounds before")), "{told}");
}

#[tokio::test]
async fn what_is_served_is_byte_for_byte_what_the_manifest_names() {
    let kit = Kit::season().await;
    let root = kit.folder.path().join("published");
    let path = format!("/canonical/{}", id(DAYS).date);
    let before = kit.get(&path).await.must_succeed();
    kit.get(&format!("{path}/manifest")).await.must_fail_with(404, "not_found");
    let made = must_publish(&root, DAYS);
    let told = kit.get(&format!("{path}/manifest")).await.must_succeed().json();
    assert_eq!(told["signature"], made.signature);
    for format in Format::ALL {
        let served = kit.get(&format!("{path}?format={format}")).await.must_succeed();
        assert_eq!(told["files"][format.file()]["sha256"], Digest::of(&served.body).to_string(), "{format}");
        assert_eq!(served.header("etag"), Some(format!("W/\"{}\"", Digest::of(&served.body)).as_str()));
    }
    assert_eq!(kit.get(&path).await.must_succeed().body, before.body, "with or without files it is the same");
    std::fs::write(root.join(format!("{}_30/canonical.json", id(DAYS).date)), "[]").expect("tampered with");
    kit.get(&path).await.must_fail_with(500, "internal");
}

#[tokio::test]
async fn who_has_the_current_answer_is_told_so() {
    let kit = Kit::season().await;
    let hotkey = miner(1);
    for path in
        ["/rounds".to_owned(), format!("/miners/{hotkey}"), "/canonical/latest".to_owned(), "/page/rounds".to_owned()]
    {
        let first = kit.get(&path).await.must_succeed();
        let tag = first.header("etag").expect("a tag").to_owned();
        assert!(first.header("cache-control").expect("told").starts_with("public"), "{path}");
        let again = kit.send(Method::GET, &path, &[("if-none-match", &format!("\"other\", {tag}"))]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        kit.send(Method::GET, &path, &[("if-none-match", "\"other\"")]).await.must_succeed();
    }
    assert_eq!(kit.get("/ready").await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_head_tells_what_a_get_would_without_a_body() {
    let kit = Kit::season().await;
    for path in ["/rounds", "/", "/canonical/latest", "/rounds/none"] {
        let (head, get) = (kit.send(Method::HEAD, path, &[]).await, kit.get(path).await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
}

#[tokio::test]
async fn errors_have_the_shape_of_the_inference_api() {
    let kit = Kit::season().await;
    kit.get("/nothing").await.must_fail_with(404, "not_found");
    let wrong = kit.send(Method::POST, "/rounds", &[]).await;
    assert_eq!(wrong.header("allow"), Some("GET,HEAD"));
    wrong.must_fail_with(405, "method_not_allowed");
    let told = kit.get("/rounds?limit=0").await.must_fail_with(422, "invalid_request").json();
    assert_eq!(told["detail"][0]["loc"], json!(["query", "limit"]));
    for path in [
        "/rounds?limit=101",
        "/rounds?before=yesterday",
        "/rounds?limit=-1",
        "/miners?offset=x",
        "/rounds/1-2026-1-5-30",
        "/weights?limit=1e9",
    ] {
        kit.get(path).await.must_fail_with(422, "invalid_request");
    }
    let named = kit.send(Method::GET, "/nothing", &[("x-request-id", "mine-1")]).await;
    assert_eq!(named.json()["request_id"], "mine-1");
    let page = kit.get("/page/rounds/1-2020-01-01-30").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::NOT_FOUND, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn an_empty_ledger_has_empty_answers() {
    let kit = Kit::empty().await;
    assert_eq!(kit.get("/rounds").await.must_succeed().json(), json!({"rounds": [], "next_before": null}));
    assert_eq!(kit.get("/miners").await.must_succeed().json()["miners"], json!([]));
    assert_eq!(kit.get("/weights").await.must_succeed().json()["on_chain"], Value::Null);
    kit.get("/canonical/latest").await.must_fail_with(404, "not_found");
    let ready = kit.get("/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["reasons"], json!(["the chain was not read yet"]));
}

#[tokio::test]
async fn readiness_says_what_is_wrong() {
    let kit = Kit::season().await;
    let ready = kit.get("/ready").await.must_succeed().json();
    assert_eq!((&ready["ready"], &ready["block"]), (&json!(true), &json!(5_123_456)));
    let later = |blocks: u64| {
        let mut later = reading();
        later.metagraph.block = Block(later.metagraph.block.0 + blocks);
        later
    };
    // Confirmed in block 5,120,000; the commits since then have refreshed the chain's LastUpdate only.
    let target = WeightsTarget { netuid: NETUID, mechanism: 0 };
    let mut records = kit.ledger.weights(target, 64).await.expect("readable");
    for record in &mut records {
        if matches!(record.state, WeightsState::Confirmed { .. }) {
            record.state = WeightsState::Confirmed { block: 5_120_000 };
        }
    }
    kit.chain.put(later(0), &records, NOW);
    let shown = kit.get("/weights").await.json()["on_chain"].clone();
    assert_eq!((&shown["last_update"], &shown["age_tempos"]), (&json!(5_120_000), &json!(3456.0 / 360.0)));
    assert_eq!(kit.get("/ready").await.json()["reasons"], json!(["weights are 9.6 tempos old"]));
    kit.chain.put(later(2_000), &[], NOW);
    assert_eq!(kit.get("/ready").await.json()["reasons"], json!(["weights are 6.5 tempos old"]));
    kit.chain.put(later(1), &[], NOW.checked_sub(Duration::from_secs(900)).expect("later than 1970"));
    assert_eq!(kit.get("/ready").await.json()["reasons"], json!(["no new block for 900 s"]));
    kit.chain.put(later(1), &[], NOW);
    assert_eq!(kit.get("/ready").await.json()["block_age_s"], 900, "the same block again is no new block");
    let alone = ChainReading {
        weights: None,
        metagraph: aml_subnet::chain::types::Metagraph { neurons: Vec::new(), ..later(3).metagraph },
        registration_price: None,
        tempo: 360,
        last_update: None,
        stopped: Some(Preflight::NotRegistered),
    };
    kit.chain.put(alone, &[], NOW);
    assert_eq!(kit.get("/ready").await.json()["reasons"], json!(["the hotkey is not registered in the subnet"]));
    for (stopped, reason) in [
        (Preflight::NoPermit(0), "the hotkey has no validator permit"),
        (
            Preflight::Stake { stake: 1, threshold: 2 },
            "the chain takes no weights: NotEnoughStakeToSetWeights: the hotkey's stake is 1 rao, the chain wants 2",
        ),
    ] {
        kit.chain.put(ChainReading { stopped: Some(stopped), ..later(4) }, &[], NOW);
        assert_eq!(kit.get("/ready").await.json()["reasons"], json!([reason]));
    }
    kit.ledger.close().await;
    let reasons = kit.get("/ready").await.json()["reasons"].clone();
    assert!(reasons.as_array().expect("a list").contains(&json!("the ledger does not answer")), "{reasons}");
    kit.get("/rounds").await.must_fail_with(500, "internal");
}

#[tokio::test]
async fn metrics_tell_what_alert_rules_watch() {
    let kit = Kit::season().await;
    aml_subnet::validator::round::step_done(Step::Judged, Duration::from_millis(120));
    let text = kit.get("/metrics").await.must_succeed().text();
    for line in [
        "aml_validator_block 5123456",
        "aml_validator_registered 1",
        "aml_validator_permit 1",
        "aml_validator_stopped_by_standing 0",
        "aml_validator_round_alerts ",
        "aml_validator_block_age_seconds 9",
        "aml_validator_rounds{step=\"settled\"} 22",
        "aml_validator_rounds{step=\"published\"} 8",
        "aml_validator_rounds{step=\"judged\"} 1",
        "aml_validator_ledger_up 1",
        "aml_validator_ledger_errors_total{operation=\"read\"} 0",
        "aml_validator_step_seconds_count{step=\"judged\"} 1",
        "aml_validator_disk_free_bytes ",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    kit.ledger.close().await;
    let text = kit.get("/metrics").await.must_succeed().text();
    assert!(
        text.contains("aml_validator_ledger_up 0")
            && text.contains("aml_validator_ledger_errors_total{operation=\"read\"} 1"),
        "{text}"
    );
}

/// Under whose names spans and events were logged.
#[derive(Clone, Default)]
struct Targets(Arc<Mutex<BTreeSet<String>>>);

impl Targets {
    fn note(&self, metadata: &Metadata<'_>) {
        self.0.lock().expect("no panic").insert(metadata.target().to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Targets {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.note(attributes.metadata());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.note(event.metadata());
    }
}

#[tokio::test]
async fn what_is_logged_of_a_request_goes_by_our_own_name() {
    let (kit, targets) = (Kit::season().await, Targets::default());
    kit.ledger.close().await;
    let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(targets.clone()));
    kit.get("/rounds").await.must_fail_with(500, "internal");
    let seen = targets.0.lock().expect("no panic").clone();
    assert!(seen.contains("aml_subnet::api::error") && seen.contains("aml_subnet::api::observe"), "{seen:?}");
    assert!(!seen.iter().any(|target| target.starts_with("aml_miner")), "{seen:?}");
}
