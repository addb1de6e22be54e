//! Alerts in the forms of case systems: each as its schema has it, nothing lost, nothing run.

use aml_subnet::readers::queues::{jube, marble};
use serde_json::{Value, json};

use crate::api_kit::{ALERTS, DAYS, HOSTILE, Kit, id, must_publish_nothing};

const TENANT: &str = "123e4567-e89b-12d3-a456-426614174000";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test]
async fn the_most_urgent_alerts_go_to_marble_a_hundred_at_a_time() {
    let kit = Kit::season().await;
    let (mut path, mut seen) = ("/queues/marble/latest".to_owned(), Vec::new());
    loop {
        let page = kit.get(&path).await.must_succeed();
        assert_eq!(page.header("content-type"), Some("application/json"));
        let objects = page.json().as_array().expect("a list").clone();
        assert!(!objects.is_empty() && objects.len() <= marble::MOST);
        seen.extend(objects);
        let Some(link) = page.header("link") else { break };
        path = link.trim_start_matches('<').split('>').next().expect("a path").to_owned();
    }
    assert_eq!(seen.len(), ALERTS, "every alert is there once");
    let ranks: Vec<u64> = seen.iter().filter_map(|one| one["alert_rank"].as_u64()).collect();
    assert_eq!(ranks, (1..=ALERTS as u64).collect::<Vec<_>>());
    let first = &seen[0];
    assert_eq!(first.as_object().map(serde_json::Map::len), Some(marble::FIELDS.len()));
    assert_eq!((&first["source"], &first["is_decision"]), (&json!("aml-subnet"), &json!(false)));
    let top = kit.get("/canonical/latest?limit=1").await.must_succeed().json()[0].clone();
    assert_eq!(
        (&first["alert_id"], &first["score"], &first["probability"]),
        (&top["alert_id"], &top["score"], &top["probability"])
    );
    // Those of one case share its name, and it is that of the most urgent.
    let cases = kit.get("/cases/latest?limit=1000").await.must_succeed().json();
    for case in cases["cases"].as_array().expect("a list") {
        let leader = json!(format!("{}/{}", id(DAYS), case["alert_id"].as_str().expect("text")));
        for member in case["alert_ids"].as_array().expect("a list") {
            let alert = seen.iter().find(|one| one["alert_id"] == *member).expect("it is there");
            assert_eq!(alert["case_id"], leader);
        }
    }
}

#[tokio::test]
async fn lines_for_jube_and_tazama_are_what_these_take() {
    let kit = Kit::season().await;
    let page = kit.get("/queues/jube/latest?limit=240").await.must_succeed();
    assert_eq!(page.header("content-type"), Some("application/x-ndjson"));
    let bodies = lines(&page.text());
    assert_eq!((bodies.len(), page.header("link")), (ALERTS, None));
    let known: Vec<&str> = jube::FIELDS.iter().map(|(name, _)| *name).collect();
    for body in &bodies {
        let body = body.as_object().expect("an object");
        assert!(body.iter().all(|(name, value)| known.contains(&name.as_str()) && !value.is_null()), "{body:?}");
    }
    let page = kit.get(&format!("/queues/tazama/latest?limit=240&tenant={TENANT}")).await.must_succeed();
    let bodies = lines(&page.text());
    assert_eq!(bodies.len(), ALERTS);
    let mut ids: Vec<&str> = bodies.iter().filter_map(|body| body["report"]["evaluationID"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), ALERTS, "no two alerts have one id");
    assert!(bodies.iter().all(|body| body["message"].as_str().is_some_and(|text| text.chars().count() <= 100)));
    assert!(page.text().contains(&HOSTILE.replace('"', "\\\"")), "texts go as they are");
}

#[tokio::test]
async fn a_spreadsheet_runs_no_cell() {
    let kit = Kit::season().await;
    let page = kit.get("/queues/sheet/latest?limit=240").await.must_succeed();
    let text = page.text();
    assert_eq!(text.matches("\r\n").count(), ALERTS + 1, "a line break of a description ends no row");
    for cell in text.lines().skip(1).flat_map(|line| line.split(',')) {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '@', '\t']), "{cell}");
    }
    assert!(page.header("content-disposition").expect("a name").contains("alerts.csv"));
}

#[tokio::test]
async fn what_makes_no_queue_is_refused() {
    let kit = Kit::season().await;
    for wrong in
        ["marble/latest?limit=101", "jube/latest?limit=0", "tazama/latest", "tazama/latest?tenant=DEFAULT", "sheet/x"]
    {
        kit.get(&format!("/queues/{wrong}")).await.must_fail_with(422, "invalid_request");
    }
    kit.get("/queues/excel/latest").await.must_fail_with(404, "not_found");
    assert_eq!(kit.get("/queues/marble/latest?after=240").await.must_succeed().json(), json!([]));
    let older = kit.get(&format!("/queues/marble/{}", id(3).date)).await.must_succeed().json();
    assert_eq!(
        (&older[0]["volume_usd"], &older[0]["description"]),
        (&Value::Null, &json!("")),
        "its batch is not kept"
    );
    let empty = Kit::empty().await;
    must_publish_nothing(&empty.ledger, 4).await;
    empty.get("/queues/marble/latest").await.must_fail_with(404, "not_found");
}
