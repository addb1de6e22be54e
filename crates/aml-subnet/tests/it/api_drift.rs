//! Months of scores held against each other: what fell is named, what is not known is not filled in.

use aml_subnet::api::router;
use aml_subnet::store::records::{Canonical, Mark, MarkKind, Round, RoundId, Settled, Step};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::score::{CanonicalScore, Score};
use aml_subnet::validation::tier3_settlement::Label;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::{FutureExt as _, join_all};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::api_kit::{ALERTS, DAYS, HOSTILE, Kit, id, must_judge, must_show, round, task};

/// Whether the alert of a place turns out illicit. Addresses alert again and again, and are not always right.
fn illicit(day: u32, place: usize) -> bool {
    (place + day as usize).is_multiple_of(2)
}

/// From 0 to 1, without a trend.
fn luck(day: u32, place: usize) -> f64 {
    let turn = (place as u64 + 1).wrapping_mul(u64::from(day) + 7).wrapping_mul(2_654_435_761) % 10_007;
    turn as f64 / 10_007.0
}

/// Scores that put illicit alerts first, but for those of one typology where `blind` says so.
fn canonical(day: u32, blind: Option<&str>) -> Canonical {
    let roster = task(day).roster;
    let score = |place: usize| {
        let knows = blind.is_none_or(|typology| roster[place].typology != typology);
        let luck = luck(day, place);
        let value = if !knows {
            luck
        } else if illicit(day, place) {
            0.5 + luck / 2.0
        } else {
            luck / 2.0
        };
        CanonicalScore { score: Score::new(value).expect("a score"), deviation: 0.01, miners: 7 }
    };
    Canonical {
        rules: RulesVersion::V1,
        scores: (0..ALERTS).map(score).collect(),
        weights: Default::default(),
        performance: Default::default(),
    }
}

async fn must_day(kit: &Kit, day: u32, step: Step, blind: Option<&str>) {
    must_judge(&kit.ledger, &round(day), day).await;
    kit.ledger.record_canonical(id(day), Some(&canonical(day, blind))).await.expect("merged");
    must_show(&kit.ledger, day).await;
    if step == Step::Settled {
        let labels = (0..ALERTS).map(|place| Label { place, illicit: illicit(day, place), relevance: 0 }).collect();
        let settled = Settled {
            rules: RulesVersion::V1,
            labels,
            miners: Default::default(),
            canonical: None,
            beside: Default::default(),
        };
        kit.ledger.record_settled(id(day), &settled, 1).await.expect("settled");
    }
}

/// January as it should be, February in which one typology is not ranked any more.
async fn two_months(blind: Option<&str>) -> Kit {
    let kit = Kit::empty().await;
    for day in [3, 9, 16, 23] {
        must_day(&kit, day, Step::Settled, None).await;
    }
    for day in [34, 40, 47, 54] {
        must_day(&kit, day, Step::Settled, blind).await;
    }
    must_day(&kit, 58, Step::Published, None).await;
    kit
}

fn slice<'a>(month: &'a Value, by: &str, name: &str) -> &'a Value {
    let slices = month["slices"].as_array().expect("slices");
    slices.iter().find(|slice| slice["by"] == by && slice["name"] == name).unwrap_or_else(|| panic!("no {by} {name}"))
}

#[tokio::test]
async fn a_slice_that_falls_is_named_on_the_page_in_the_json_and_in_the_metrics() {
    let kit = two_months(Some("layering")).await;
    let told = kit.get("/drift").await.must_succeed().json();
    assert_eq!(
        (&told["compared"], &told["window_days"], &told["reviews"]),
        (&json!("2026-02"), &json!(30), &json!(100))
    );
    let months = told["months"].as_array().expect("months");
    let names: Vec<&str> = months.iter().filter_map(|month| month["month"].as_str()).collect();
    assert_eq!(names, ["2026-02", "2026-01"]);
    assert_eq!((&months[0]["rounds"], &months[0]["settled"]), (&json!(5), &json!(4)));
    let falls = months[0]["falls"].as_array().expect("falls");
    assert!(falls.iter().any(|fall| fall["name"] == "layering" && fall["figure"] == "auc"), "{falls:?}");
    assert!(falls.iter().all(|fall| fall["by"] == "severity" || fall["name"] == "layering"), "{falls:?}");
    assert_eq!(told["fallen"], json!(falls.len()));
    // A fifth of the alerts; of four settled days all outcomes are known.
    let layering = slice(&months[0], "typology", "layering");
    assert_eq!(layering["figures"]["outcomes"], json!(4 * ALERTS / 5));
    assert!(layering["figures"]["auc"]["value"].as_f64().expect("a number") < 0.65, "{layering}");
    assert_eq!(layering["auc_before"]["value"], json!(1.0));
    assert_eq!(months[1]["figures"]["auc"]["value"], json!(1.0));
    let page = kit.get("/page/drift").await.must_succeed().text();
    assert!(page.contains("layering") && page.contains("figures fell in 2026-02"), "{page}");
    assert!(!page.contains("<script") && !page.contains(HOSTILE));
    let metrics = kit.get("/metrics").await.must_succeed().text();
    let line = format!("aml_validator_slices_fallen {}", falls.len());
    assert!(metrics.lines().any(|shown| shown == line), "{metrics}");
}

#[tokio::test]
async fn months_that_are_alike_alarm_nobody() {
    let kit = two_months(None).await;
    let told = kit.get("/drift").await.must_succeed().json();
    assert_eq!((&told["fallen"], &told["months"][0]["falls"]), (&json!(0), &json!([])));
    assert!(told["months"][0]["psi"].as_f64().expect("a number") < 0.1, "{}", told["months"][0]["psi"]);
    assert!(told["months"][0]["compared"].as_u64().expect("a number") > 10);
    let page = kit.get("/page/drift").await.must_succeed().text();
    assert!(page.contains("fell in 2026-02.") && page.contains("None of the"));
}

#[tokio::test]
async fn precision_is_that_of_the_reviews_that_were_asked_for() {
    let kit = two_months(None).await;
    // 120 of 240 alerts are illicit each day, and they come first.
    for (reviews, precision) in [(10, 1.0), (100, 1.0), (200, 0.6)] {
        let told = kit.get(&format!("/drift?reviews={reviews}&months=1")).await.must_succeed().json();
        let of = &told["months"][0]["figures"];
        assert_eq!((&of["precision"]["value"], &of["reviewed"]), (&json!(precision), &json!(4 * reviews)), "{reviews}");
        assert_eq!(told["months"].as_array().map(Vec::len), Some(1));
        assert!(told["months"][0]["psi"].is_number(), "the month before is looked at, though it is not told");
    }
    for wrong in
        ["reviews=11", "reviews=x", "months=0", "months=25", "window_days=0", "window_days=x", "window_days=65536"]
    {
        kit.get(&format!("/drift?{wrong}")).await.must_fail_with(422, "invalid_request");
    }
}

#[tokio::test]
async fn what_a_batch_says_stays_when_the_batch_is_gone() {
    let kit = Kit::season().await;
    let told = kit.get("/drift").await.must_succeed().json();
    let month = &told["months"][0];
    // One day's batch is here: 240 alerts of thirty days.
    let mix = |by: &str| {
        month["mix"].as_array().expect("a list").iter().find(|mix| mix["by"] == by).expect("it")["known"].clone()
    };
    assert_eq!((mix("typology"), mix("network"), mix("volume")), (json!(30 * ALERTS), json!(ALERTS), json!(ALERTS)));
    assert_eq!(mix("age"), json!(0), "the batch does not say when addresses were first seen");
    assert_eq!(slice(month, "network", "testnet")["figures"]["alerts"], json!(ALERTS));
    assert_eq!(slice(month, "volume", "$1,000 to $10,000")["figures"]["alerts"], json!(ALERTS));
    assert_eq!((&told["compared"], &told["fallen"]), (&Value::Null, &json!(0)));
    std::fs::remove_dir_all(kit.folder.path().join("batches")).expect("gone");
    // Another list of rounds, so that nothing comes from memory.
    let mark = Mark { at_ms: 1, why: "a rehearsal".to_owned() };
    kit.ledger.mark_round(id(1), MarkKind::Void, Some(&mark)).await.expect("marked");
    let again = kit.get("/drift").await.must_succeed().json();
    assert_eq!(slice(&again["months"][0], "network", "testnet")["figures"]["alerts"], json!(ALERTS));
}

#[tokio::test]
async fn rounds_that_count_for_nobody_are_left_out_and_nothing_is_said_of_nothing() {
    let kit = two_months(None).await;
    let mark = Mark { at_ms: 1, why: "a rehearsal".to_owned() };
    kit.ledger.mark_round(id(54), MarkKind::Void, Some(&mark)).await.expect("marked");
    let told = kit.get("/drift").await.must_succeed().json();
    assert_eq!((&told["months"][0]["rounds"], &told["months"][0]["settled"]), (&json!(4), &json!(3)));
    let empty = Kit::empty().await;
    empty.get("/drift").await.must_fail_with(404, "not_found");
    assert!(empty.get("/page/drift").await.must_succeed().text().contains("No round is published yet"));
    let metrics = empty.get("/metrics").await.must_succeed().text();
    assert!(metrics.contains("aml_validator_slices_fallen NaN"), "{metrics}");
    assert_eq!(DAYS, 30);
}

#[tokio::test]
async fn months_that_are_being_made_stop_nothing_else() {
    let kit = two_months(None).await;
    // Whoever asks while others wait already is sent away at once, and told when to come again.
    let asked: Vec<String> = (0..20).map(|at| format!("/drift?months={}", at + 1)).collect();
    let told = join_all(asked.iter().map(|path| kit.get(path))).await;
    let with = |status: StatusCode| told.iter().filter(|reached| reached.status == status).collect::<Vec<_>>();
    let (good, busy) = (with(StatusCode::OK), with(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(good.len() + busy.len(), told.len());
    assert!(!good.is_empty() && busy.len() >= 10, "{} were made, {} refused", good.len(), busy.len());
    for reached in busy {
        assert_eq!((reached.json()["code"].as_str(), reached.header("retry-after")), (Some("busy"), Some("5")));
    }
    // What was made is kept for every number of reviews.
    let all = [10, 25, 50, 100, 200, 300, 400, 500, 750, 1_000].map(|reviews| format!("/drift?reviews={reviews}"));
    for reached in join_all(all.iter().map(|path| kit.get(path))).await {
        reached.must_succeed();
    }
}

#[tokio::test]
async fn who_watches_waits_for_nobody() {
    let kit = two_months(None).await;
    let server = router(kit.api.clone());
    let ask = |path: &str| server.clone().oneshot(Request::get(path).body(Body::empty()).expect("a request"));
    // More requests than are worked on at once, all of which have begun and none of which ends.
    let mut stuck: Vec<_> = (0..40).map(|_| Box::pin(ask("/drift"))).collect();
    for one in &mut stuck {
        assert!(one.as_mut().now_or_never().is_none(), "it is under way");
    }
    let mut other = Box::pin(ask("/openapi.json"));
    assert!(other.as_mut().now_or_never().is_none(), "there is no place for others");
    for path in ["/health", "/api/1/health"] {
        assert_eq!(ask(path).await.expect("infallible").status(), StatusCode::OK, "{path}");
    }
    drop((stuck, other));
    for path in ["/ready", "/metrics", "/api/1/metrics", "/openapi.json"] {
        assert_ne!(ask(path).await.expect("infallible").status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_window_is_that_of_the_rounds_that_count() {
    let kit = two_months(None).await;
    // The newest round is of another window.
    let other = Round { id: RoundId { window_days: 7, ..id(59) }, ..round(59) };
    must_judge(&kit.ledger, &other, 59).await;
    kit.ledger.record_canonical(other.id, Some(&canonical(59, None))).await.expect("merged");
    kit.ledger.publish(other.id, 1).await.expect("published");
    let told = kit.get("/drift").await.must_succeed().json();
    assert_eq!(told["window_days"], json!(30), "one round of a week is not the usual one");
    let week = kit.get("/drift?window_days=7").await.must_succeed().json();
    assert_eq!((&week["window_days"], &week["months"][0]["rounds"]), (&json!(7), &json!(1)));
    let mark = Mark { at_ms: 1, why: "a rehearsal".to_owned() };
    kit.ledger.mark_round(other.id, MarkKind::Void, Some(&mark)).await.expect("marked");
    let told = kit.get("/drift").await.must_succeed().json();
    assert_eq!((&told["window_days"], told["months"].as_array().map(Vec::len)), (&json!(30), Some(2)));
    assert_eq!(kit.get("/drift?window_days=7").await.must_succeed().json()["months"], json!([]));
}
