//! Reasons as readers get them: on the page of an alert, in its JSON, in published files of all three forms.

use aml_miner::data::{FileLimits, read_table};
use aml_subnet::outputs::format::{CANONICAL, WITH_REASONS, encode};
use aml_subnet::outputs::{CanonicalRow, Format, canonical_rows, with_reasons};
use serde_json::{Value, json};

use crate::api_kit::{DAYS, Kit, canonical, id, must_publish, reasons, task};
use crate::api_pages::must_be_well_formed;

fn rows(day: u32) -> Vec<CanonicalRow> {
    let rows = canonical_rows(&task(day).roster, &canonical(day), None).expect("they belong together");
    with_reasons(rows, reasons(day).as_ref()).expect("they belong together")
}

fn path(day: u32, place: usize) -> String {
    format!("{}/{}", id(day), task(day).roster[place].alert_id)
}

#[test]
fn all_three_forms_hold_the_same_reasons() {
    let rows = rows(DAYS);
    let json: Vec<Value> = serde_json::from_slice(&encode(&rows, Format::Json).expect("JSON")).expect("an array");
    assert_eq!((&json[0]["reasons"], &json[0]["reason_codes"]), (&json!([]), &json!([])));
    let passed_on = json!({
        "code": "passed_on", "effect": "raises", "support": 0.41, "value": 0.94, "name": null,
        "text": "sent on 94 % of what came in, within a day",
    });
    assert_eq!(json[3]["reasons"][0], passed_on);
    assert_eq!(json[3]["reason_codes"], json!(["passed_on", "typology", "private_active"]));
    let again: Vec<CanonicalRow> = serde_json::from_value(Value::Array(json)).expect("rows");
    assert_eq!(again, rows);
    let csv = String::from_utf8(encode(&rows, Format::Csv).expect("CSV")).expect("UTF-8");
    let texts = [
        "raises: sent on 94 % of what came in, within a day",
        "raises: the detector suspects peel chain",
        "lowers: looks like an active private person: yes",
    ];
    let line = csv.lines().nth(4).expect("a row");
    assert!(line.ends_with(&format!(",passed_on; typology; private_active,\"{}\"", texts.join("; "))), "{line}");
    assert!(csv.lines().nth(2).is_some_and(|line| line.ends_with(",,")), "without any both are empty");
    let parquet = encode(&rows, Format::Parquet).expect("Parquet");
    let table = read_table(&parquet, &WITH_REASONS, "canonical.parquet", &FileLimits::default()).expect("readable");
    let list = |name: &str, row| table.text_lists(name).expect("there").get(row).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((list("reason_codes", 0), list("reasons", 3)), (Vec::new(), texts.map(str::to_owned).to_vec()));
}

#[test]
fn readers_of_before_find_their_columns_where_they_were() {
    let parquet = encode(&rows(DAYS), Format::Parquet).expect("Parquet");
    let table = read_table(&parquet, &CANONICAL, "canonical.parquet", &FileLimits::default()).expect("readable");
    assert_eq!(table.unknown_columns(), ["reason_codes", "reasons"]);
    let csv = String::from_utf8(encode(&rows(DAYS), Format::Csv).expect("CSV")).expect("UTF-8");
    let names: Vec<&str> = CANONICAL.columns.iter().map(|column| column.name).collect();
    assert!(csv.starts_with(&names.join(",")), "new columns stand behind the old ones");
}

#[test]
fn a_round_without_reasons_has_the_files_that_it_had() {
    let plain = canonical_rows(&task(5).roster, &canonical(5), None).expect("they belong together");
    assert!(reasons(5).is_none());
    for format in Format::ALL {
        let bytes = encode(&rows(5), format).expect("encoded");
        assert_eq!(bytes, encode(&plain, format).expect("encoded"), "{format}");
        let reason = bytes.windows(6).any(|part| part == b"reason");
        assert!(!reason, "{format} says nothing of reasons");
    }
}

#[tokio::test]
async fn what_is_served_without_files_is_what_the_files_hold() {
    let kit = Kit::season().await;
    let folder = tempfile::tempdir().expect("a folder");
    for day in [5, DAYS] {
        let manifest = must_publish(folder.path(), day);
        for format in Format::ALL {
            let served = kit.get(&format!("/canonical/{}?format={format}", id(day).date)).await.must_succeed();
            let digest = aml_miner::digest::Digest::of(&served.body);
            assert_eq!(digest, manifest.files[format.file()].sha256, "{day} {format}");
        }
    }
}

#[tokio::test]
async fn an_alert_tells_its_reasons_or_why_it_has_none() {
    let kit = Kit::season().await;
    let told = kit.get(&format!("/alerts/{}", path(DAYS, 3))).await.must_succeed().json();
    assert_eq!(told["alert"]["reason_codes"], json!(["passed_on", "typology", "private_active"]));
    assert_eq!((&told["alert"]["reasons"][1]["name"], &told["no_reasons"]), (&json!("peel chain"), &Value::Null));
    let page = kit.get(&format!("/page/alerts/{}", path(DAYS, 3))).await.must_succeed().text();
    must_be_well_formed(&page, "an alert");
    for text in ["Sent on 94 % of what came in, within a day", "The detector suspects peel chain", "passed_on", "41 %"]
    {
        assert!(page.contains(text), "{text} is not on the page");
    }
    let none = kit.get(&format!("/alerts/{}", path(DAYS, 1))).await.must_succeed().json();
    assert_eq!(none["alert"]["reasons"], json!([]));
    let why = none["no_reasons"].as_str().expect("a sentence");
    assert!(why.starts_with("Miners explain what the validator asks for"), "{why}");
    let page = kit.get(&format!("/page/alerts/{}", path(DAYS, 1))).await.must_succeed().text();
    assert!(page.contains("Miners explain what the validator asks for"));
    let before = kit.get(&format!("/alerts/{}", path(7, 3))).await.must_succeed().json();
    assert!(before["alert"].get("reasons").is_none(), "{before}");
    assert_eq!(before["no_reasons"], "This round was published without reasons.");
}

#[tokio::test]
async fn the_day_says_the_first_reason_of_its_most_urgent_alerts() {
    let kit = Kit::season().await;
    let told = kit.get(&format!("/rounds/{}", id(DAYS))).await.must_succeed().json();
    let top = told["canonical"]["top"].as_array().expect("the most urgent");
    assert!(top.iter().all(|row| row["reasons"].is_array()), "{top:?}");
    let page = kit.get("/").await.must_succeed().text();
    must_be_well_formed(&page, "/");
    assert!(page.contains("<span class=\"why\">sent on 94 % of what came in, within a day</span>"), "the home page");
    let before = kit.get(&format!("/rounds/{}", id(7))).await.must_succeed().json();
    assert!(before["canonical"]["top"][0].get("reasons").is_none());
}

#[tokio::test]
async fn all_excerpts_of_a_day_have_the_same_columns() {
    let kit = Kit::season().await;
    let first = |text: String| text.lines().next().expect("a header").to_owned();
    let mut headers = Vec::new();
    for after in ["1", "100000"] {
        let path = format!("/canonical/{}?format=csv&limit=5&after={after}", id(DAYS).date);
        headers.push(first(kit.get(&path).await.must_succeed().text()));
    }
    assert!(headers[0].ends_with(",reason_codes,reasons") && headers[0] == headers[1], "{headers:?}");
}
