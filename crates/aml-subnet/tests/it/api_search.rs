//! A day looked through by id, address, typology and severity, in several orders, and by actor; as JSON and as pages.

use serde_json::{Value, json};

use aml_subnet::store::records::{Canonical, ColumnName, KnownOutcome, StoredColumn};
use aml_subnet::validation::score::Score;

use crate::api_kit::{
    ALERTS, DAYS, HOSTILE, Kit, NOW, SETTLED, canonical, id, led_to, miner, must_judge, must_settle, must_show, odd_id,
    round, task,
};
use crate::api_pages::must_be_well_formed;

fn path(query: &str) -> String {
    format!("/alerts/{}?{query}", id(DAYS))
}

async fn whole(kit: &Kit) -> Vec<Value> {
    let mut rows = kit.get("/canonical/latest").await.must_succeed().json().as_array().expect("a list").clone();
    rows.sort_by_key(|row| row["rank"].as_u64());
    rows
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["alert_id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn what_is_looked_for_is_found_and_nothing_else() {
    let kit = Kit::season().await;
    let all = whole(&kit).await;
    let told = kit.get(&path("limit=1000")).await.must_succeed().json();
    assert_eq!((&told["total"], &told["found"], &told["next_after"]), (&json!(ALERTS), &json!(ALERTS), &Value::Null));
    assert_eq!(told["alerts"].as_array().expect("a list"), &all, "the same rows as published, with their reasons");
    let address = task(DAYS).roster[3].address.clone();
    type Fits = Box<dyn Fn(&Value) -> bool>;
    let cases: [(String, Fits); 6] = [
        (format!("q={}", address.to_uppercase()), Box::new(move |row| row["address"] == address)),
        (
            "q=ALERT_30_0001".to_owned(),
            Box::new(|row| row["alert_id"].as_str().is_some_and(|id| id.contains("alert_30_0001"))),
        ),
        ("typology=mixing".to_owned(), Box::new(|row| row["typology"] == "mixing")),
        ("severity=critical".to_owned(), Box::new(|row| row["severity"] == "critical")),
        (
            "q=00&typology=layering&severity=high".to_owned(),
            Box::new(|row| {
                let named = |key: &str| row[key].as_str().is_some_and(|text| text.contains("00"));
                row["typology"] == "layering" && row["severity"] == "high" && (named("alert_id") || named("address"))
            }),
        ),
        ("q=nobody".to_owned(), Box::new(|_| false)),
    ];
    for (query, fits) in cases {
        let expected: Vec<Value> = all.iter().filter(|row| fits(row)).cloned().collect();
        let told = kit.get(&path(&format!("{query}&limit=1000"))).await.must_succeed().json();
        assert_eq!(ids(told["alerts"].as_array().expect("a list")), ids(&expected), "{query}");
        assert_eq!(told["found"], expected.len(), "{query}");
    }
    let named = told["typologies"].as_array().expect("a list");
    let count = |name: &str| all.iter().filter(|row| row["typology"] == name).count();
    assert!(named.iter().any(|one| *one == json!({"name": HOSTILE, "alerts": 1})));
    assert!(named.iter().any(|one| *one == json!({"name": "mixing", "alerts": count("mixing")})));
}

#[tokio::test]
async fn every_order_is_paged_without_a_gap() {
    let kit = Kit::season().await;
    let all = whole(&kit).await;
    for order in
        ["rank", "-rank", "severity", "-severity", "typology", "address", "-alert_id", "deviation", "-deviation"]
    {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let told = kit.get(&path(&format!("sort={order}&limit=70{after}"))).await.must_succeed().json();
            found.extend(told["alerts"].as_array().expect("a list").clone());
            let Some(next) = told["next_after"].as_u64() else { break };
            after = format!("&after={next}");
        }
        let name = order.trim_start_matches('-');
        let severity = |row: &Value| {
            ["low", "medium", "high", "critical"].iter().position(|known| row["severity"] == *known).expect("known")
        };
        let mut expected = all.clone();
        let key = |one: &Value, other: &Value| match name {
            "rank" => one["rank"].as_u64().cmp(&other["rank"].as_u64()),
            "severity" => severity(one).cmp(&severity(other)),
            "deviation" => {
                one["deviation"].as_f64().expect("one").total_cmp(&other["deviation"].as_f64().expect("one"))
            }
            text => one[text].as_str().cmp(&other[text].as_str()),
        };
        expected.sort_by(|one, other| if order.starts_with('-') { key(other, one) } else { key(one, other) });
        assert_eq!(ids(&found), ids(&expected), "{order}");
    }
    assert_eq!(kit.get(&path("after=240")).await.must_succeed().json()["alerts"], json!([]));
    let long = format!("q={}", "x".repeat(1_025));
    for wrong in ["sort=score", "sort=--rank", "limit=0", "limit=1001", "after=x", "after=0", &long] {
        kit.get(&path(wrong)).await.must_fail_with(422, "invalid_request");
    }
    kit.get("/alerts/1-2020-01-01-30").await.must_fail_with(404, "not_found");
    kit.get(&format!("/alerts/{}", id(DAYS + 1))).await.must_fail_with(404, "not_found");
}

#[tokio::test]
async fn a_day_is_looked_through_from_its_page_alone() {
    let kit = Kit::season().await;
    let page = |query: &str| format!("/page/alerts/{}{query}", id(DAYS));
    let first = page("?typology=mixing&sort=-deviation");
    let html = kit.get(&first).await.must_succeed().text();
    must_be_well_formed(&html, &first);
    assert!(
        html.contains("<option value=\"mixing\" selected>") && html.contains("<option value=\"-deviation\" selected>")
    );
    assert!(
        html.contains("scores alone decide nothing") && html.contains("1 to 48 of 48 that fit; the day has 240 alerts")
    );
    let mut seen = 0;
    let mut next = Some(page(""));
    while let Some(at) = next.take() {
        let html = kit.get(&at).await.must_succeed().text();
        must_be_well_formed(&html, &at);
        assert!(!html.contains(HOSTILE) && !html.contains('\u{202e}'), "{at}");
        let links = led_to(&html, &at);
        seen += links.iter().filter(|link| link.starts_with("/page/alerts/") && link.matches('/').count() == 4).count();
        next = links.into_iter().find(|link| {
            let after =
                |link: &str| link.split("after=").nth(1).and_then(|after| after.parse::<usize>().ok()).unwrap_or(0);
            link.starts_with(&page("?")) && after(link) > after(&at)
        });
    }
    assert_eq!(seen, ALERTS, "every alert stands on one of the pages");
    for hostile in [
        page("?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE"),
        page("?q=%22%3E%3Cimg%20src%3Dx%3E"),
        page("?typology=%3Cb%3E&severity=%22&after=7"),
    ] {
        let html = kit.get(&hostile).await.must_succeed().text();
        must_be_well_formed(&html, &hostile);
        assert!(html.contains("No alert of this day fits"), "{hostile}");
        for never in ["<script", "<img", "\u{202e}"] {
            assert!(!html.contains(never), "{hostile} has {never}");
        }
    }
    let absent = kit.get(&page("?severity=nobody%E2%80%AE")).await.must_succeed().text();
    assert!(absent.contains("selected>nobody\u{fffd}</option>"), "what is looked for is seen: {absent}");
    let odd = kit.get(&page("?q=odd/..")).await.must_succeed().text();
    assert!(odd.contains("1 to 1 of 1"), "{}", odd_id(DAYS));
    let none = kit.get("/page/alerts/1-2020-01-01-30").await;
    assert_eq!((none.status.as_u16(), none.header("content-type")), (404, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn one_actor_is_one_row_of_a_page_that_days_lead_to() {
    let kit = Kit::season().await;
    for (from, to) in [("/", id(DAYS)), ("/page/rounds", id(DAYS)), ("/page/rounds", id(3))] {
        let html = kit.get(from).await.must_succeed().text();
        let link = format!("/page/cases?date={}&window_days=30", to.date);
        assert!(led_to(&html, from).contains(&link), "{from} leads to {link}");
    }
    let html = kit.get("/page/cases").await.must_succeed().text();
    must_be_well_formed(&html, "/page/cases");
    // The clusters hold the first thirty addresses together.
    for text in [
        "60 alerts, the most urgent is number",
        "and 55 more",
        "and 25 more",
        "1 to 50 of 171",
        "scores alone decide nothing",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains(HOSTILE) && html.len() < 400_000);
    let (mut rows, mut next) = (0, Some("/page/cases?by=address".to_owned()));
    while let Some(at) = next.take() {
        let html = kit.get(&at).await.must_succeed().text();
        must_be_well_formed(&html, &at);
        rows += html.matches("<td class=\"rank n\">").count();
        let after = |link: &str| link.split("after=").nth(1).and_then(|after| after.parse::<usize>().ok()).unwrap_or(0);
        next = led_to(&html, &at).into_iter().find(|link| link.contains("/page/cases?") && after(link) > after(&at));
    }
    assert_eq!(rows, 200, "every case stands on one of the pages");
    for (path, status) in [
        ("/page/cases?date=2020-01-01", 404),
        ("/page/cases?date=tomorrow", 422),
        ("/page/cases?by=actor", 422),
        ("/page/cases?after=171", 200),
    ] {
        let page = kit.get(path).await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (status, Some("text/html; charset=utf-8")),
            "{path}"
        );
    }
    let empty = Kit::empty().await.get("/page/cases").await.must_succeed().text();
    assert!(empty.contains("No round is published yet"), "{empty}");
}

/// Half of the alerts have one and the same score.
fn tied() -> Canonical {
    let mut canonical = canonical(SETTLED);
    for (place, one) in canonical.scores.iter_mut().enumerate() {
        let score = if place < ALERTS / 2 { 0.1 } else { 0.1 + place as f64 / 1_000.0 };
        one.score = Score::new(score).expect("a probability");
    }
    canonical
}

#[tokio::test]
async fn who_ties_as_the_canonical_scores_do_agrees_on_the_page_as_for_reasons() {
    let kit = Kit::empty().await;
    must_judge(&kit.ledger, &round(SETTLED), SETTLED).await;
    kit.ledger.record_canonical(id(SETTLED), Some(&tied())).await.expect("it is merged");
    must_show(&kit.ledger, SETTLED).await;
    must_settle(&kit.ledger, SETTLED).await;
    let scores: Vec<f64> = tied().scores.iter().map(|one| one.score.get()).collect();
    let turned: Vec<f64> = scores.iter().map(|score| 1.0 - score).collect();
    let columns = [(1, scores), (2, turned)].map(|(number, scores)| StoredColumn {
        name: ColumnName::Miner(miner(number)),
        worths: vec![0; ALERTS],
        scores,
    });
    kit.ledger.record_columns(id(SETTLED), &columns).await.expect("recorded");
    for place in (0..ALERTS - 1).step_by(17) {
        let path = format!("/alerts/{}/{}", id(SETTLED), task(SETTLED).roster[place].alert_id);
        let told = kit.get(&path).await.must_succeed().json();
        let agrees = |number: u8| {
            let opinions = told["opinions"].as_array().expect("a list");
            let of = opinions.iter().find(|one| one["hotkey"] == miner(number).to_string()).expect("it is there");
            of["agrees"].as_bool().expect("told")
        };
        assert!(agrees(1), "alert {place}: the same scores agree with themselves");
        assert!(place < ALERTS / 2 && !agrees(2) || place >= ALERTS / 2, "alert {place}");
    }
}

#[tokio::test]
async fn an_outcome_is_told_as_soon_as_it_is_known_and_taken_back_with_it() {
    let kit = Kit::season().await;
    let row = task(DAYS).roster[3].clone();
    let path = format!("/alerts/{}/{}", id(DAYS), row.alert_id);
    let told = async || kit.get(&path).await.must_succeed().json()["outcome"].clone();
    assert_eq!(told().await, Value::Null);
    let outcome = KnownOutcome {
        place: 3,
        address: row.address,
        illicit: Some(true),
        relevance: 2,
        confirmed_ms: 1_769_800_000_000,
        seen_ms: 0,
        replaced_ms: None,
    };
    let now = i64::try_from(NOW.as_millis()).expect("small");
    kit.ledger.record_outcomes(id(DAYS), &[outcome], now).await.expect("kept");
    assert_eq!(told().await, json!({"confirmed": true}));
    kit.ledger.record_outcomes(id(DAYS), &[], now + 1).await.expect("kept");
    assert_eq!(told().await, Value::Null);
}
