//! Answers are written straight to bytes, and read strictly.

use aml_miner::wire::reply::{
    AnswerWriter, Explanation, FeatureNames, Impact, ReplyLimits, concat_blocks, read_clusters, read_ranks, read_scores,
};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
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

proptest! {
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
        let _ = read_scores(&bytes, &ReplyLimits::default());
    }
}
