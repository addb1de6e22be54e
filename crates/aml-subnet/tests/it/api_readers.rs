//! What an analyst reads: alerts, clusters, plans, excerpts; every number as it is kept, every text as text.

use aml_miner::digest::Digest;
use aml_subnet::readers::calibration::Calibration;
use aml_subnet::store::records::{ColumnName, KnownOutcome, Step, StoredColumn};
use serde_json::{Value, json};

use crate::api_batch::{BARE, CLUSTER, CROWD, HUB, odd_cluster};
use crate::api_kit::{
    ALERTS, DAYS, HOSTILE, Kit, MINERS, NOW, ODD, SETTLED, calibration, canonical, id, led_to, miner, must_publish,
    must_round, odd_id, task,
};
use crate::api_pages::must_be_well_formed;

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| {
        if byte.is_ascii_alphanumeric() { out + &(byte as char).to_string() } else { format!("{out}%{byte:02X}") }
    })
}

fn alert_path(day: u32, place: usize) -> String {
    format!("{}/{}", id(day), encoded(&task(day).roster[place].alert_id))
}

fn parsed(body: &Value, pointer: &str) -> Value {
    body.pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer} is not in {body}"))
}

#[tokio::test]
async fn an_alert_is_told_with_all_that_helps_to_decide_it() {
    let kit = Kit::season().await;
    let told = kit.get(&format!("/alerts/{}", alert_path(DAYS, 3))).await.must_succeed().json();
    let merged = canonical(DAYS).scores[3];
    assert_eq!(parsed(&told, "/alert/score"), merged.score.get());
    let curve = calibration(DAYS).expect("it has one");
    let expected = curve.told(merged.score.get(), merged.deviation).expect("known");
    for (pointer, value) in [
        ("/alert/probability", expected.probability),
        ("/alert/probability_low", expected.low),
        ("/alert/probability_high", expected.high),
    ] {
        assert_eq!(parsed(&told, pointer), value, "{pointer}");
    }
    assert_eq!((&told["of"], &told["calibration"]["known"]), (&json!(ALERTS), &json!(true)));
    let above = 1.0 - told["alert"]["rank"].as_f64().expect("a rank") / ALERTS as f64;
    assert!((told["above"].as_f64().expect("a share") - above).abs() < 1e-12);
    let facts = told["evidence"]["alert"].as_array().expect("facts");
    assert!(
        facts.contains(&json!({"column": "volume_usd", "meaning": "Money that the alert is about", "value": "$1,238"}))
    );
    let of_address = told["evidence"]["address"].to_string();
    assert!(of_address.contains("$5,000,000") && of_address.contains("\"yes\"") && !of_address.contains("velocity"));
    assert_eq!(
        told["evidence"]["clusters"].as_array().map(Vec::len),
        Some(2),
        "a cluster of the alert, and one of its address"
    );
    // The address has another alert each day, and two on some: number 3 and 203.
    let others = told["same_address"]["alerts"].as_array().expect("a list");
    assert_eq!(others[0]["alert_id"], task(DAYS).roster[203].alert_id);
    assert!(others.len() == 50 && told["same_address"]["more"] == 9, "{}", told["same_address"]["more"]);
    assert_eq!(told["same_clusters"]["alerts"].as_array().map(Vec::len), Some(29));
    assert_eq!((&told["opinions"], &told["outcome"]), (&Value::Null, &Value::Null), "nothing is told before its time");
    let page = kit.get(&format!("/page/alerts/{}", alert_path(DAYS, 3))).await.must_succeed().text();
    for text in [
        "Sent on 94 % of what came in, within 3 hours",
        "$1,238",
        "Money flow",
        "scores alone decide nothing",
        "a tenth",
    ] {
        assert!(page.contains(text) || text == "a tenth", "{text} is not on the page");
    }
}

#[tokio::test]
async fn every_place_where_an_alert_stands_leads_to_its_page() {
    let kit = Kit::season().await;
    let address = &task(DAYS).roster[3].address;
    for path in [
        "/".to_owned(),
        format!("/page/rounds/{}", id(DAYS)),
        format!("/page/risk?address={address}"),
        format!("/page/alerts/{}", alert_path(DAYS, 3)),
        format!("/page/clusters/{}/{CLUSTER}", id(DAYS)),
    ] {
        let html = kit.get(&path).await.must_succeed().text();
        let links: Vec<String> =
            led_to(&html, &path).into_iter().filter(|link| link.starts_with("/page/alerts/")).collect();
        assert!(!links.is_empty(), "{path} names no alert");
        for link in links {
            kit.get(&link).await.must_succeed();
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_is() {
    let kit = Kit::season().await;
    let told = kit.get(&format!("/alerts/{}/nobody", id(DAYS))).await.must_fail_with(404, "not_found").json();
    let text = told["detail"].as_str().expect("text");
    assert!(text.contains("/canonical/2026-01-30?window_days=30 lists its 240 alerts"), "{text}");
    let told = kit.get(&format!("/clusters/{}/nobody", id(DAYS))).await.must_fail_with(404, "not_found").json();
    assert!(told["detail"].as_str().expect("text").contains("among its 2"), "{told}");
    let told = kit.get(&format!("/clusters/{}/{CLUSTER}", id(3))).await.must_fail_with(404, "not_found").json();
    assert!(told["detail"].as_str().expect("text").contains("not kept here any more"), "{told}");
    kit.get("/alerts/1-2020-01-01-30/x").await.must_fail_with(404, "not_found");
    kit.get("/alerts/today/x").await.must_fail_with(422, "invalid_request");
    let page = kit.get(&format!("/page/alerts/{}/nobody", id(DAYS))).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (404, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn hostile_texts_are_text_and_hostile_graphs_are_bounded() {
    let kit = Kit::season().await;
    let paths = [
        format!("/page/alerts/{}", alert_path(DAYS, 0)),
        format!("/page/alerts/{}", alert_path(DAYS, 1)),
        format!("/page/alerts/{}", alert_path(DAYS, 2)),
        format!("/page/alerts/{}", alert_path(DAYS, HUB)),
        format!("/page/alerts/{}", alert_path(DAYS, BARE)),
        format!("/page/alerts/{}/{}", id(DAYS), encoded(&odd_id(DAYS))),
        format!("/page/clusters/{}/{CLUSTER}", id(DAYS)),
        format!("/page/clusters/{}/{}", id(DAYS), encoded(&odd_cluster())),
    ];
    for path in &paths {
        let html = kit.get(path).await.must_succeed().text();
        must_be_well_formed(&html, path);
        for never in ["<script", "<img", "c%2F<b>", "<i>USDT", "\u{202e}", "\u{7}", "javascript:", "url(", " style="] {
            assert!(!html.contains(never), "{path} has {never:?}");
        }
        assert!(html.len() < 400_000, "{path} has {} bytes", html.len());
        assert!(!html.contains("NaN") && !html.contains(">inf"), "{path}");
    }
    let hub = kit.get(&paths[3].replace("/page", "")).await.must_succeed().json();
    let nodes = hub["flows"]["nodes"].as_array().expect("nodes");
    assert_eq!((nodes.len(), nodes[0]["role"].as_str()), (40, Some("focus")));
    assert_eq!(hub["flows"]["rest"]["addresses"], 2 * CROWD - 39);
    let total = (0..CROWD).map(|at| at as f64).sum::<f64>();
    let sum = |part: &str| -> f64 {
        let shown = nodes.iter().map(|node| node[part].as_f64().expect("a number")).sum::<f64>();
        shown + hub["flows"]["rest"][part].as_f64().expect("a number")
    };
    assert_eq!((sum("received_usd"), sum("paid_usd")), (total, total / 2.0), "not a cent is lost");
    let cycle = kit.get(&paths[0].replace("/page", "")).await.must_succeed().json();
    let flows = cycle["flows"]["flows"].as_array().expect("flows");
    assert!(flows.iter().any(|flow| flow["from"] == flow["to"] && flow["usd"] == 77.0), "a loop is told");
    let bare = kit.get(&paths[4].replace("/page", "")).await.must_succeed().json();
    assert_eq!((&bare["flows"], &bare["evidence"]["address"]), (&Value::Null, &json!([])));
    let long = kit.get(&paths[1].replace("/page", "")).await.must_succeed().json();
    assert!(long["evidence"]["description"].as_str().expect("text").chars().count() <= 2_001);
    assert_eq!(ODD, ALERTS - 1);
}

#[tokio::test]
async fn another_batch_in_its_place_says_nothing_of_the_round() {
    let kit = Kit::season().await;
    let place = kit.folder.path().join("batches/2026-01-30_w30");
    let meta = std::fs::read_to_string(place.join("META.json")).expect("a manifest");
    std::fs::write(place.join("META.json"), meta.replace("testnet", "another")).expect("written");
    let told = kit.get(&format!("/alerts/{}", alert_path(DAYS, 3))).await.must_succeed().json();
    assert_eq!((&told["evidence"], &told["flows"]), (&Value::Null, &Value::Null));
    let page = kit.get(&format!("/page/alerts/{}", alert_path(DAYS, 3))).await.must_succeed().text();
    assert!(page.contains("The batch is not here"));
}

#[tokio::test]
async fn single_scores_are_shown_when_the_round_is_settled_and_not_before() {
    let kit = Kit::season().await;
    for day in [SETTLED, DAYS] {
        let column = |number: u8| StoredColumn {
            name: ColumnName::Miner(miner(number)),
            worths: vec![0; ALERTS],
            scores: (0..ALERTS)
                .map(|place| if number == 1 { canonical(day).scores[place].score.get() } else { 0.5 })
                .collect(),
        };
        let columns: Vec<StoredColumn> = (1..=MINERS).map(column).collect();
        kit.ledger.record_columns(id(day), &columns).await.expect("recorded");
    }
    let open = kit.get(&format!("/alerts/{}", alert_path(DAYS, 3))).await.must_succeed().json();
    assert_eq!(open["opinions"], Value::Null);
    let settled = kit.get(&format!("/alerts/{}", alert_path(SETTLED, 3))).await.must_succeed().json();
    let opinions = settled["opinions"].as_array().expect("a list");
    assert_eq!(opinions.len(), 7, "those with a voice");
    let first = opinions.iter().find(|one| one["hotkey"] == miner(1).to_string()).expect("it is there");
    assert_eq!((&first["agrees"], &first["score"]), (&json!(true), &settled["alert"]["score"]));
    // Places 0 to 59 are known there, every fourth is illicit.
    assert_eq!(settled["outcome"], json!({"confirmed": false}));
    let page = kit.get(&format!("/page/alerts/{}", alert_path(SETTLED, 4))).await.must_succeed().text();
    assert!(page.contains("confirmed illicit") && page.contains("7 miners with a voice"), "{page}");
}

#[tokio::test]
async fn who_was_in_a_top_ten_before_is_marked() {
    let kit = Kit::season().await;
    let told = kit.get(&format!("/rounds/{}", id(DAYS))).await.must_succeed().json();
    let top = told["canonical"]["top"].as_array().expect("ten");
    let mut expected = Vec::new();
    for row in top {
        let mut rounds = Vec::new();
        for day in (DAYS - 7..DAYS).rev() {
            let other = kit.get(&format!("/rounds/{}", id(day))).await.must_succeed().json();
            let other = other["canonical"]["top"].as_array().expect("ten").clone();
            if other.iter().any(|one| one["address"] == row["address"]) {
                rounds.push(json!(id(day).to_string()));
            }
        }
        if !rounds.is_empty() {
            expected.push(
                json!({"alert_id": row["alert_id"], "address": row["address"], "rounds": rounds, "confirmed": null}),
            );
        }
    }
    assert!(!expected.is_empty(), "the season has addresses that come again");
    assert_eq!(told["canonical"]["seen_before"], json!(expected));
    let page = kit.get("/").await.must_succeed().text();
    assert!(page.contains("of the week before") && page.contains(&format!("{} of 10", expected.len())));
    // An outcome of the address that was known before the day.
    let place = task(20).roster.iter().position(|row| row.address == top[0]["address"]).expect("it alerts daily");
    let outcome = KnownOutcome {
        place: u32::try_from(place).expect("small"),
        address: top[0]["address"].as_str().expect("text").to_owned(),
        illicit: Some(true),
        relevance: 2,
        confirmed_ms: 1_769_500_000_000,
        seen_ms: 0,
        replaced_ms: None,
    };
    kit.ledger.record_outcomes(id(20), &[outcome], i64::try_from(NOW.as_millis()).expect("small")).await.expect("kept");
    let path = format!("/alerts/{}/{}", id(DAYS), encoded(top[0]["alert_id"].as_str().expect("text")));
    let alert = kit.get(&path).await.must_succeed().json();
    assert_eq!(alert["seen_before"]["confirmed"], json!(true));
}

#[tokio::test]
async fn an_excerpt_is_the_most_urgent_and_says_where_to_go_on() {
    let kit = Kit::season().await;
    let day = format!("/canonical/{}", id(DAYS).date);
    let whole = kit.get(&day).await.must_succeed().json();
    let mut whole = whole.as_array().expect("a list").clone();
    whole.sort_by_key(|row| row["rank"].as_u64());
    let first = kit.get(&format!("{day}?limit=10")).await.must_succeed();
    assert_eq!(first.json().as_array().expect("ten"), &whole[..10]);
    let link = first.header("link").expect("more").to_owned();
    let next = link.trim_start_matches('<').split('>').next().expect("a path").to_owned();
    let second = kit.get(&next).await.must_succeed();
    assert_eq!(second.json().as_array().expect("ten"), &whole[10..20]);
    let last = kit.get(&format!("{day}?limit=10&after=235")).await.must_succeed();
    assert_eq!((last.json().as_array().expect("five").len(), last.header("link")), (5, None));
    assert_eq!(kit.get(&format!("{day}?after=240")).await.must_succeed().json(), json!([]));
    let csv = kit.get(&format!("{day}?limit=3&format=csv")).await.must_succeed().text();
    assert_eq!(csv.lines().count(), 4);
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = kit.send(axum::http::Method::GET, &format!("{day}?limit=10"), &[("if-none-match", &tag)]).await;
    assert_eq!(again.status.as_u16(), 304);
    for wrong in ["limit=0", "limit=-1", "limit=ten", "limit=100001", "after=0", "after=x", "after=4294967295"] {
        kit.get(&format!("{day}?{wrong}")).await.must_fail_with(422, "invalid_request");
    }
}

#[tokio::test]
async fn too_little_and_nothing_are_said() {
    let kit = Kit::season().await;
    for (day, pages) in
        [(5, "published without probabilities"), (10, "too little is known"), (DAYS, "Learned from 900 outcomes")]
    {
        let rows = kit.get(&format!("/canonical/{}", id(day).date)).await.must_succeed().json();
        assert_eq!(rows[0]["probability"].is_null(), day != DAYS, "day {day}");
        let page = kit.get(&format!("/page/rounds/{}", id(day))).await.must_succeed().text();
        assert!(page.contains(pages), "day {day}");
    }
    let csv = kit.get("/canonical/2026-01-10?format=csv").await.must_succeed().text();
    assert!(csv.lines().nth(1).expect("a row").ends_with(",,,"), "nothing stands for nothing");
}

#[tokio::test]
async fn what_was_told_is_held_against_what_came() {
    let kit = Kit::season().await;
    let detail = kit.get(&format!("/rounds/{}", id(SETTLED))).await.must_succeed().json();
    let held = &detail["held"]["probability"];
    assert_eq!((&held["outcomes"], &held["illicit"]), (&json!(60), &json!(15)));
    assert_eq!(held["bins"].as_array().map(Vec::len), Some(6));
    let page = kit.get(&format!("/page/rounds/{}", id(SETTLED))).await.must_succeed().text();
    assert!(page.contains("Told and came") && page.contains("class=\"point\""));
    let error = format!("Calibration error {:.3}", held["error"].as_f64().expect("a number"));
    assert!(page.contains(&error), "{error}");
    let open = kit.get(&format!("/rounds/{}", id(DAYS))).await.must_succeed().json();
    assert_eq!(open["held"], Value::Null);
}

#[tokio::test]
async fn a_plan_counts_what_settled_days_had() {
    let kit = Kit::season().await;
    let told = kit.get("/plan?reviews=240&precision=0.05").await.must_succeed().json();
    assert_eq!(told["rounds"].as_array().map(Vec::len), Some(22), "settled days alone");
    // Fifteen of sixty known ones are illicit, every day.
    let team = &told["team"];
    assert_eq!(
        (&team["found"]["value"], &team["precision"]["value"], &team["recall"]["value"]),
        (&json!(15.0), &json!(0.25), &json!(1.0))
    );
    assert_eq!((&team["known"], &team["next"]), (&json!(0.25), &json!(0.0)));
    let orders: Vec<&str> =
        told["orders"].as_array().expect("orders").iter().filter_map(|order| order["order"].as_str()).collect();
    assert_eq!(orders, ["canonical", "severity"], "no batch of these days is kept");
    assert!(told["cut"]["budget"]["precision"]["value"].as_f64().expect("a cut") >= 0.05);
    // By hand: the confirmed ones of the first ten, on one day.
    let one = kit.get("/plan?days=1&reviews=10").await.must_succeed().json();
    let mut rows: Vec<(usize, f64)> = canonical(SETTLED).scores.iter().map(|one| one.score.get()).enumerate().collect();
    let ids = task(SETTLED).roster;
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| ids[a.0].alert_id.cmp(&ids[b.0].alert_id)));
    let found = rows[..10].iter().filter(|(place, _)| *place < 60 && place % 4 == 0).count();
    assert_eq!(one["team"]["found"]["value"], found as f64);
    let page = kit.get("/page/plan?reviews=240&precision=0.05").await.must_succeed().text();
    must_be_well_formed(&page, "/page/plan");
    assert!(page.contains("22 settled days") && page.contains("scores alone decide nothing"));
    for wrong in ["days=0", "days=61", "reviews=0", "reviews=10001", "precision=1.1", "precision=NaN", "precision=x"] {
        kit.get(&format!("/plan?{wrong}")).await.must_fail_with(422, "invalid_request");
    }
    let empty = Kit::empty().await;
    empty.get("/plan").await.must_fail_with(404, "not_found");
    assert!(empty.get("/page/plan").await.must_succeed().text().contains("Nothing to plan with"));
    must_round(&empty.ledger, 1, Step::Published).await;
    empty.get("/plan").await.must_fail_with(404, "not_found");
}

#[tokio::test]
async fn the_curve_is_served_as_the_manifest_names_it() {
    let kit = Kit::season().await;
    let made = must_publish(&kit.folder.path().join("published"), DAYS);
    let served = kit.get(&format!("/canonical/{}/calibration", id(DAYS).date)).await.must_succeed();
    assert_eq!(made.files["calibration.json"].sha256, Digest::of(&served.body));
    assert_eq!(serde_json::from_slice::<Calibration>(&served.body).ok(), calibration(DAYS));
    kit.get("/canonical/2026-01-05/calibration").await.must_fail_with(404, "not_found");
}

#[tokio::test]
async fn what_is_promised_under_the_prefix_is_what_stands_without_it() {
    let kit = Kit::season().await;
    for path in
        ["/rounds", "/canonical/latest", "/plan", "/cases/latest", "/miners", "/weights", "/openapi.json", "/health"]
    {
        let (plain, prefixed) =
            (kit.get(path).await.must_succeed(), kit.get(&format!("/api/1{path}")).await.must_succeed());
        assert_eq!((plain.header("etag"), &plain.body), (prefixed.header("etag"), &prefixed.body), "{path}");
    }
    kit.get("/api/1/nothing").await.must_fail_with(404, "not_found");
    kit.get("/api/2/rounds").await.must_fail_with(404, "not_found");
    kit.get("/api/1/rounds?limit=0").await.must_fail_with(422, "invalid_request");
    let posted = kit.send(axum::http::Method::POST, "/api/1/rounds", &[]).await;
    posted.must_fail_with(405, "method_not_allowed");
}

#[tokio::test]
async fn one_actor_is_one_row_and_no_cell_is_run() {
    let kit = Kit::season().await;
    let told = kit.get("/cases/latest?limit=1000").await.must_succeed().json();
    // 200 addresses; the clusters hold the first thirty together.
    assert_eq!((&told["by"], &told["total"], &told["next_after"]), (&json!("cluster"), &json!(171), &Value::Null));
    let cases = told["cases"].as_array().expect("a list");
    let alerts: u64 = cases.iter().filter_map(|case| case["alerts"].as_u64()).sum();
    assert_eq!(alerts, ALERTS as u64, "every alert is in one case");
    let actor = cases.iter().find(|case| case["addresses"] == 30).expect("the cluster");
    assert_eq!((actor["alerts"].as_u64(), &actor["severity"]), (Some(60), &json!("critical")));
    let ranks: Vec<u64> = cases.iter().filter_map(|case| case["rank"].as_u64()).collect();
    assert!(ranks.is_sorted() && ranks[0] == 1);
    let by_address = kit.get("/cases/latest?by=address&limit=3").await.must_succeed().json();
    assert_eq!((&by_address["total"], &by_address["next_after"]), (&json!(200), &json!(3)));
    let next = kit.get("/cases/latest?by=address&limit=3&after=3").await.must_succeed().json();
    assert_eq!(next["cases"][0]["place"], 4);
    let older = kit.get(&format!("/cases/{}", id(3).date)).await.must_succeed().json();
    assert_eq!((&older["by"], &older["total"]), (&json!("address"), &json!(200)), "no batch of that day is kept");
    let csv = kit.get("/cases/latest?format=csv&limit=1000").await.must_succeed();
    assert!(csv.header("content-disposition").expect("a name").contains("cases.csv"));
    for line in csv.text().lines().skip(1) {
        for cell in line.split(',') {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '@']), "{line}");
        }
    }
    for wrong in ["by=actor", "format=xlsx", "limit=0", "limit=1001", "after=x"] {
        kit.get(&format!("/cases/latest?{wrong}")).await.must_fail_with(422, "invalid_request");
    }
}

#[tokio::test]
async fn the_first_page_leads_readers_to_the_newest_day_and_miners_to_theirs() {
    let kit = Kit::season().await;
    let html = kit.get("/").await.must_succeed().text();
    for text in [
        "30 January 2026",
        "href=\"./page/miners\"",
        &format!("/page/rounds/{}", id(DAYS)),
        "scores alone decide nothing",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains(HOSTILE));
}
