//! Answers are written straight to bytes, and read strictly.

use aml_miner::wire::reply::{
    AnswerWriter, Explanation, FeatureNames, Impact, ReplyLimits, concat_blocks, read_clusters, read_ranks,
    read_scored, read_scores,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

fn must_read_one(block: Vec<u8>) -> aml_miner::wire::ScoreRow {
    read_scores(&concat_blocks(&[block]), &ReplyLimits::default()).expect("an answer").remove(0)
}

#[test]
fn a_row_explains_its_score() {
    let names = FeatureNames::new(&["volume \"usd\"".to_owned(), "b\\c".to_owned()]);
    let impacts =
        [Impact { feature: 1, value: f64::NAN, impact: -0.25 }, Impact { feature: 0, value: 12.5, impact: 1e-7 }];
    let mut writer = AnswerWriter::new("alert_id", "1.0.0+abc");
    writer.row("a\"1", 0.75, Some(Explanation { names: &names, base_value: -1.5, impacts: &impacts }));
    let row = must_read_one(writer.finish(0.25));
    assert_eq!((row.alert_id.as_str(), row.score.to_string().as_str()), ("a\"1", "0.75"));
    assert_eq!(row.latency_ms.to_string(), "0.25");
    let explained: Value = serde_json::from_str(&row.explain_json).expect("JSON in JSON");
    assert_eq!(
        explained,
        json!({"score": 0.75, "base_value": -1.5, "top_features": [
            {"feature": "b\\c", "value": null, "impact": -0.25},
            {"feature": "volume \"usd\"", "value": 12.5, "impact": 1e-7}]})
    );
}

#[test]
fn without_an_explanation_there_is_an_empty_object() {
    let mut writer = AnswerWriter::new("alert_id", "v");
    writer.row("a", 0.5, None);
    assert_eq!(must_read_one(writer.finish(0.0)).explain_json, "{}");
}

#[test]
fn blocks_are_joined_to_one_list() {
    let block = |ids: &[&str]| {
        let mut writer = AnswerWriter::new("cluster_id", "v");
        ids.iter().for_each(|id| writer.row(id, 0.5, None));
        writer.finish(1.0)
    };
    let bytes = concat_blocks(&[block(&[]), block(&["a", "b"]), block(&[]), block(&["c"])]);
    let rows = read_clusters(&bytes, &ReplyLimits::default()).expect("an answer");
    assert_eq!(rows.iter().map(|row| row.cluster_id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(concat_blocks(&[]), b"[]");
}

#[test]
fn hostile_answers_are_refused() {
    let limits = ReplyLimits { rows: 2, text: 10, explanation: 10 };
    let row = |id: &str| json!({"alert_id": id, "rank": 1, "score": 0.5, "model_version": "v"});
    assert!(read_ranks(json!([row("a"), row("b")]).to_string().as_bytes(), &limits).is_ok());
    let refused = [
        json!([row("a"), row("b"), row("c")]).to_string(),
        json!([row(&"a".repeat(11))]).to_string(),
        json!(row("a")).to_string(),
        json!([{"alert_id": 1, "rank": 1, "score": 0.5}]).to_string(),
        json!([{"alert_id": "a", "rank": -1, "score": 0.5}]).to_string(),
        json!([{"alert_id": "a", "rank": 1, "score": "0.5"}]).to_string(),
        json!([{"alert_id": "a", "rank": 1}]).to_string(),
        r#"[{"alert_id":"a","rank":1,"score":NaN}]"#.to_owned(),
        r#"[{"alert_id":"a","rank":1,"score":1e999}]"#.to_owned(),
        r#"[{"alert_id":"a","alert_id":"b","rank":1,"score":0}]"#.to_owned(),
        format!("{} trailing", json!([])),
        "[".repeat(100_000),
    ];
    for text in refused {
        assert!(read_ranks(text.as_bytes(), &limits).is_err(), "{text:.80}");
    }
}

const NARROW: ReplyLimits = ReplyLimits { rows: 4, text: 12, explanation: 24 };

/// What both readers say of an answer: its scores to the bit and its versions, or why it is refused.
fn must_agree(bytes: &[u8]) {
    let plain = read_scores(bytes, &NARROW).map(|rows| {
        let version = rows.first().map(|row| row.model_version.clone());
        let one = rows.iter().all(|row| Some(&row.model_version) == version.as_ref());
        let scores: Vec<_> = rows.into_iter().map(|row| (row.alert_id, row.score.to_bits())).collect();
        (scores, version, one)
    });
    let borrowed = read_scored(bytes, &NARROW).map(|read| {
        let scores: Vec<_> = read.rows.into_iter().map(|(id, score)| (id.into_owned(), score.to_bits())).collect();
        (scores, read.model_version.map(std::borrow::Cow::into_owned), read.one_version)
    });
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(borrowed.map_err(|error| error.to_string()), plain.map_err(|error| error.to_string()), "{text}");
}

/// Numbers that are hard to read, and what is none.
const ODD_NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "1",
    "1E0",
    "5e-324",
    "2e-324",
    "1e-400",
    "1e309",
    "-1e999",
    "9007199254740993",
    "0.1000000000000000055511151231257827021181583404541015625",
    "18446744073709551616",
    "-9223372036854775809",
    "0.30000000000000004",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "NaN",
    "Infinity",
    "null",
    "\"0.5\"",
    "[]",
    "0.5.5",
];

/// Numbers as JSON has them, and what is none.
fn some_number() -> impl Strategy<Value = String> {
    let digits = "-?[0-9]{1,22}\\.[0-9]{1,22}([eE][+-]?[0-9]{1,3})?";
    prop_oneof![
        any::<f64>().prop_map(|value| json!(value).to_string()),
        (0.0..=1.0_f64).prop_map(|v| json!(v).to_string()),
        select(ODD_NUMBERS).prop_map(str::to_owned),
        digits
    ]
}

/// The same of texts.
const ODD_TEXTS: &[&str] = &[
    r#""a""#,
    r#""""#,
    r#""twelve bytes""#,
    r#""thirteen byte""#,
    r#""a\u0062""#,
    r#""\ud83d\ude00""#,
    r#""\ud83d""#,
    r#""\udc00\ud83d""#,
    r#""\x""#,
    "\"\u{7}\"",
    r#""é""#,
    r#""\"\\\/\b\f\n\r\t""#,
    "5",
    "null",
    "{}",
    r#"["a"]"#,
    r#""a"#,
    r#""{\"score\":0.25}""#,
];

/// Texts as JSON has them, and what is none.
fn some_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z0-9-]{0,8}".prop_map(|text| json!(text).to_string()),
        1 => ".{0,26}".prop_map(|text| json!(text).to_string()), 1 => select(ODD_TEXTS).prop_map(str::to_owned)]
}

/// A row: as scorers write it, in another order, with fields too many, too few or twice, or a list.
fn some_row() -> impl Strategy<Value = String> {
    let spaces = || select(&["", "", "", " ", "\n\t "][..]);
    let parts = (some_text(), some_number(), some_text(), some_number(), some_text());
    let order = prop_oneof![4 => Just(vec![0, 1, 2, 3, 4]), 2 => Just(vec![4, 3, 2, 1, 0]), 1 => vec(0..8_usize, 3..7)];
    (parts, order, spaces(), 0..12_u8).prop_map(|((id, score, version, latency, explanation), order, space, form)| {
        if form == 0 {
            return format!("[{id},{score},{version},{latency},{explanation}]");
        }
        let field = |at: usize| match at {
            0 => format!("\"alert_id\":{space}{id}"),
            1 => format!("\"score\":{score}"),
            2 => format!("\"model_version\"{space}:{version}"),
            3 => format!("\"latency_ms\":{latency}"),
            4 => format!("\"explain_json\":{explanation}"),
            5 => format!("\"alert\\u005fid\":{id}"),
            6 => format!("\"more\":[{{}},{version}]"),
            _ => format!("\"\":{score}"),
        };
        let fields: Vec<String> = order.into_iter().map(field).collect();
        format!("{{{space}{}}}{space}", fields.join(&format!("{space},")))
    })
}

/// Rows that are mostly well made, the same one after another now and then.
fn some_answer() -> impl Strategy<Value = String> {
    let good = ("[a-z]{1,4}", 0.0..=1.0_f64, select(&["v1", "v2"][..]), select(&["{}", "{\\\"a\\\":1}"][..]));
    let good = good.prop_map(|(id, score, version, why)| {
        let head = format!("{{\"alert_id\":\"{id}\",\"score\":{}", json!(score));
        format!("{head},\"model_version\":\"{version}\",\"latency_ms\":0.10000000,\"explain_json\":\"{why}\"}}")
    });
    let row = prop_oneof![6 => good, 1 => some_row()];
    let end = select(&["]", "]", "]", "]\n ", "] x", ",]", "", "]]"][..]);
    (vec(row, 0..6), end).prop_map(|(rows, end)| format!("[{}{end}", rows.join(",")))
}

#[test]
fn an_answer_as_it_is_written_is_read_alike_by_both_readers() {
    let names = FeatureNames::new(&["a".to_owned()]);
    let impacts = [Impact { feature: 0, value: 2.0, impact: -0.25 }];
    let explanation = Explanation { names: &names, base_value: -1.5, impacts: &impacts };
    for explanation in [None, Some(explanation)] {
        let mut writer = AnswerWriter::new("alert_id", "1.0.0+abc");
        (0..4).for_each(|at| writer.row(&format!("alert-{at}"), 1.0 / (3.0 + f64::from(at)), explanation));
        must_agree(&concat_blocks(&[writer.finish(0.25)]));
    }
}

proptest! {
    #[test]
    fn both_readers_say_the_same_of_every_answer(answer in some_answer(), cut in any::<usize>(), byte in any::<u8>(), harm in 0..6_u8) {
        let mut bytes = answer.into_bytes();
        let at = cut % (bytes.len() + 1);
        match harm {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => bytes[at] = byte,
            _ => {}
        }
        must_agree(&bytes);
    }

    #[test]
    fn both_readers_say_the_same_of_every_row(rows in vec(some_row(), 1..5)) {
        must_agree(format!("[{}]", rows.join(",")).as_bytes());
    }

    #[test]
    fn scores_and_texts_arrive_to_the_bit(score in 0.0..=1.0_f64, id in ".{1,20}", latency in 0.0..1e9_f64, version in ".{0,9}") {
        let mut writer = AnswerWriter::new("alert_id", &version);
        writer.row(&id, score, None);
        let row = must_read_one(writer.finish(latency));
        prop_assert_eq!((row.score.to_bits(), row.alert_id, row.model_version), (score.to_bits(), id, version));
        let bounded = latency.min(9_999_999.0);
        prop_assert!((row.latency_ms - bounded).abs() <= 0.01_f64.max(bounded * 1e-7), "{} for {}", row.latency_ms, latency);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        must_agree(&bytes);
    }
}
