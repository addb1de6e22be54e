//! A body becomes a batch, or tells what is wrong with it.

use aml_miner::wire::body::{BodyLimits, days_of_date};
use aml_miner::wire::{Batch, InOrder, Needs, ReadBodyError, Reading, Spread, read_body, write_body};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Value, json};

/// Pieces on threads of their own, all at once.
struct Threads;

impl Spread for Threads {
    fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = (0..count).map(|index| scope.spawn(move || work(index))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no piece panics")).collect()
        })
    }
}

fn read(body: &str) -> Result<Batch, ReadBodyError> {
    read_body(body.as_bytes(), &Reading::default(), &InOrder)
}

fn must_read(body: &str) -> Batch {
    read(body).unwrap_or_else(|error| panic!("{body} is refused: {error:?}"))
}

/// The problems as `loc type` lines.
fn must_be_invalid(body: &str) -> Vec<String> {
    match read(body) {
        Err(ReadBodyError::Invalid(problems)) => problems
            .iter()
            .map(|problem| {
                format!("{} {}", serde_json::to_string(&problem.loc).expect("locations are JSON"), problem.kind)
            })
            .collect(),
        other => panic!("{body} should be invalid, not {other:?}"),
    }
}

fn must_be_broken(body: &[u8]) -> (usize, usize, &'static str) {
    match read_body(body, &Reading::default(), &InOrder) {
        Err(ReadBodyError::Broken { line, column, what, .. }) => (line, column, what),
        other => panic!("{} should be broken, not {other:?}", String::from_utf8_lossy(body)),
    }
}

fn alert(member: &str) -> String {
    format!("{{\"alerts\":[{{\"alert_id\":\"a\",{member}}}]}}")
}

#[test]
fn rows_become_columns_whatever_the_order_of_their_keys() {
    let batch = must_read(
        r#"{"alerts":[
            {"alert_id":"a","volume_usd":"12.50","severity":"high","risk_indicators":["x","y"]},
            {"severity":null,"risk_indicators":[],"alert_id":"b","volume_usd":7},
            {"alert_id":"c","processing_date":"2025-10-26","new_key":{"deep":[1,{"a":null}]}}],
           "features":[{"address":"5F","is_whale":true,"hourly_activity":[1,null,2.5]}],
           "money_flows":[{"source_address":"5F","dest_address":"5G","timestamp":17}],"extra":[1,2]}"#,
    );
    assert_eq!(batch.alerts.rows(), 3);
    assert_eq!(batch.alerts.texts("alert_id").expect("given").iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    let volume = batch.alerts.numbers("volume_usd").expect("given");
    assert_eq!(&volume[..2], [12.5, 7.0]);
    assert!(volume[2].is_nan());
    assert_eq!(batch.alerts.texts("severity").expect("given").iter().collect::<Vec<_>>(), ["high", "", ""]);
    assert_eq!(batch.alerts.text_lists("risk_indicators").expect("given").count(0), 2);
    assert_eq!(batch.alerts.numbers("processing_date").expect("given")[2].to_bits(), 20_387_f64.to_bits());
    assert_eq!(batch.alerts.unknown_columns(), ["new_key"]);
    assert_eq!(batch.alerts.numbers("alert_confidence_score"), None, "absent is not the same as missing");
    assert_eq!(batch.features.numbers("is_whale"), Some(&[1.0][..]));
    assert!(batch.features.number_lists("hourly_activity").expect("given").get(0)[1].is_nan());
    assert_eq!(batch.money_flows.texts("from_address").expect("given").get(0), "5F");
    assert_eq!(batch.money_flows.numbers("last_seen"), Some(&[17.0][..]));
    assert_eq!(batch.clusters.rows(), 0);
}

#[test]
fn tables_beside_the_required_one_may_be_absent_null_or_empty() {
    assert_eq!(must_read(r#"{"alerts":[]}"#), Batch::empty());
    assert_eq!(must_read(r#" { "alerts" : [ ] , "features":null,"clusters":[] } "#), Batch::empty());
    assert_eq!(must_be_invalid("{}"), [r#"["body","alerts"] missing"#]);
    assert_eq!(must_be_invalid(r#"{"alerts":null}"#), [r#"["body","alerts"] list_type"#]);
    let clusters = Reading { required: "clusters", ..Reading::default() };
    assert!(read_body(br#"{"clusters":[]}"#, &clusters, &InOrder).is_ok());
}

#[test]
fn a_body_of_another_shape_is_told_apart_from_broken_json() {
    assert_eq!(must_be_invalid("[]"), [r#"["body"] dict_type"#]);
    assert_eq!(must_be_invalid("1e999"), [r#"["body"] dict_type"#]);
    assert_eq!(must_be_invalid(r#"{"alerts":{}}"#), [r#"["body","alerts"] list_type"#]);
    assert_eq!(must_be_invalid(r#"{"alerts":[1]}"#), [r#"["body","alerts",0] dict_type"#]);
    assert_eq!(must_be_broken(b"{\n  \"alerts\": [,]}"), (2, 14, "expected a value"));
    assert_eq!(must_be_broken(b"").0, 1);
    assert_eq!(must_be_broken(b"{\"alerts\":[]}}").1, 14);
    assert_eq!(must_be_broken(b"{\"alerts\":[]}\xff").2, "not valid UTF-8");
}

#[test]
fn every_value_that_a_column_cannot_hold_is_told_with_its_place() {
    for (member, kind) in [
        (r#""alert_confidence_score":1.5"#, "less_than_equal"),
        (r#""alert_confidence_score":-0.1"#, "greater_than_equal"),
        (r#""alert_confidence_score":NaN"#, "finite_number"),
        (r#""alert_confidence_score":-Infinity"#, "finite_number"),
        (r#""alert_confidence_score":"nan""#, "finite_number"),
        (r#""alert_confidence_score":1e999"#, "finite_number"),
        (r#""alert_confidence_score":"1e999""#, "finite_number"),
        (r#""alert_confidence_score":"high""#, "float_parsing"),
        (r#""alert_confidence_score":" 1""#, "float_parsing"),
        (r#""alert_confidence_score":"""#, "float_parsing"),
        (r#""alert_confidence_score":true"#, "float_type"),
        (r#""alert_confidence_score":[0.5]"#, "float_type"),
        (r#""volume_usd":-1"#, "greater_than_equal"),
        (r#""window_days":7.5"#, "int_from_float"),
        (r#""window_days":70000"#, "less_than_equal"),
        (r#""severity":"HIGH""#, "literal_error"),
        (r#""severity":3"#, "string_type"),
        (r#""address":5"#, "string_type"),
        (r#""processing_date":"2025-02-29""#, "date_from_datetime_parsing"),
        (r#""risk_indicators":"x""#, "list_type"),
    ] {
        let problems = must_be_invalid(&alert(member));
        let key = member.split('"').nth(1).expect("a key");
        assert_eq!(problems, [format!(r#"["body","alerts",0,"{key}"] {kind}"#)], "{member}");
    }
    assert_eq!(
        must_be_invalid(&alert(r#""risk_indicators":["x",1]"#)),
        [r#"["body","alerts",0,"risk_indicators",1] string_type"#]
    );
}

#[test]
fn a_count_that_shares_its_double_with_another_is_refused() {
    let with = |count: &str| format!(r#"{{"alerts":[],"features":[{{"address":"x","degree_in":{count}}}]}}"#);
    let largest = must_read(&with("9007199254740991"));
    assert_eq!(largest.features.numbers("degree_in"), Some(&[9_007_199_254_740_991.0][..]));
    for count in ["9007199254740992", "9007199254740993", "\"9007199254740992\""] {
        assert_eq!(must_be_invalid(&with(count)), [r#"["body","features",0,"degree_in"] less_than_equal"#]);
    }
}

#[test]
fn identifiers_are_given_not_empty_without_nul_and_unique() {
    assert_eq!(must_be_invalid(r#"{"alerts":[{}]}"#), [r#"["body","alerts",0,"alert_id"] missing"#]);
    assert_eq!(must_be_invalid(r#"{"alerts":[{"alert_id":null}]}"#), [r#"["body","alerts",0,"alert_id"] missing"#]);
    assert_eq!(
        must_be_invalid(r#"{"alerts":[{"alert_id":""}]}"#),
        [r#"["body","alerts",0,"alert_id"] string_too_short"#]
    );
    assert_eq!(
        must_be_invalid(r#"{"alerts":[{"alert_id":"a\u0000b"}]}"#),
        [r#"["body","alerts",0,"alert_id"] string_pattern_mismatch"#]
    );
    assert_eq!(
        must_be_invalid(r#"{"alerts":[{"alert_id":"a"},{"alert_id":"b"},{"alert_id":"\u0061"}]}"#),
        [r#"["body","alerts",2,"alert_id"] duplicate_id"#]
    );
}

#[test]
fn a_key_given_twice_is_refused_and_not_repaired() {
    let twice = [r#"["body","alerts",0,"severity"] duplicate_key"#];
    assert_eq!(must_be_invalid(&alert(r#""severity":"low","severity":"high""#)), twice);
    assert_eq!(must_be_invalid(&alert(r#""severity":"low","sever\u0069ty":"high""#)), twice);
    assert_eq!(
        must_be_invalid(&alert(r#""other":1,"x":2,"other":3"#)),
        [r#"["body","alerts",0,"other"] duplicate_key"#]
    );
    assert_eq!(must_be_invalid(r#"{"alerts":[],"alerts":[]}"#), [r#"["body","alerts"] duplicate_key"#]);
    assert_eq!(
        must_be_invalid(
            r#"{"alerts":[],"money_flows":[{"from_address":"a","to_address":"b","last_seen":1,"timestamp":2}]}"#
        ),
        [r#"["body","money_flows",0,"last_seen"] duplicate_key"#]
    );
}

#[test]
fn zero_with_a_sign_and_numbers_too_small_for_a_double_are_numbers() {
    let batch = must_read(&alert(r#""volume_usd":-0,"alert_confidence_score":1e-400"#));
    assert_eq!(batch.alerts.numbers("volume_usd").expect("given")[0].to_bits(), (-0.0_f64).to_bits());
    assert_eq!(batch.alerts.numbers("alert_confidence_score").expect("given")[0].to_bits(), 0);
}

#[test]
fn depth_strings_and_rows_are_bounded() {
    let deep = format!("{{\"alerts\":[],\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(must_be_broken(deep.as_bytes()).2, "nested deeper than the limit");
    let just = format!("{{\"alerts\":[],\"x\":{}{}}}", "[".repeat(31), "]".repeat(31));
    assert!(read(&just).is_ok());
    let long = alert(&format!("\"description\":\"{}\"", "x".repeat((1 << 20) + 1)));
    assert_eq!(must_be_broken(long.as_bytes()).2, "a string is longer than the limit");
    for (lone, at) in [(r"\ud800", 9), (r"\udc00", 9), (r"\ud800\u0041", 9)] {
        let (_, _, what) = must_be_broken(alert(&format!("\"description\":\"{lone}\"")).as_bytes());
        assert_eq!(what, "lone surrogate in a string", "{lone} at {at}");
    }
    let reading = Reading { limits: BodyLimits { rows: [2, 9, 9, 9], ..BodyLimits::default() }, ..Reading::default() };
    let three = br#"{"alerts":[{"alert_id":"a"},{"alert_id":"b"},{"alert_id":"c"}]}"#;
    let Err(ReadBodyError::Invalid(problems)) = read_body(three, &reading, &InOrder) else { panic!("three of two") };
    assert_eq!(problems[0].kind, "too_long");
}

#[test]
fn no_more_problems_are_told_than_asked_for() {
    let rows = vec!["{}"; 1000].join(",");
    assert_eq!(must_be_invalid(&format!("{{\"alerts\":[{rows}]}}")).len(), 20);
}

#[test]
fn a_small_body_cannot_become_a_huge_table() {
    let wide: Vec<String> = aml_miner::wire::spec::FEATURES
        .columns
        .iter()
        .filter(|column| column.name != "address")
        .map(|column| format!("\"{}\":null", column.name))
        .collect();
    let rows = vec![r#"{"address":"x"}"#; 20_000].join(",");
    let body = format!(r#"{{"alerts":[],"features":[{{"address":"x",{}}},{rows}]}}"#, wide.join(","));
    assert_eq!(must_be_invalid(&body), [r#"["body","features"] too_sparse"#]);
}

#[test]
fn columns_that_are_not_needed_are_checked_all_the_same() {
    let reading = Reading { needs: Needs::keys_only().with("alerts", "volume_usd"), ..Reading::default() };
    let body = alert(r#""volume_usd":1,"severity":"low","description":"x""#);
    let batch = read_body(body.as_bytes(), &reading, &InOrder).expect("accepted");
    assert_eq!(batch.alerts.numbers("volume_usd"), Some(&[1.0][..]));
    assert_eq!(batch.alerts.texts("severity"), None);
    assert!(batch.alerts.texts("alert_id").is_some());
    let bad = alert(r#""severity":"lowest""#);
    assert!(read_body(bad.as_bytes(), &reading, &InOrder).is_err());
}

/// A body of several parts; `trap` is text inside a string that looks like the beginning of a row.
fn large(rows: usize, trap: &str) -> String {
    let alerts: Vec<Value> = (0..rows)
        .map(|row| json!({"alert_id": format!("alert-{row}"), "volume_usd": row, "description": trap, "address": "x".repeat(900)}))
        .collect();
    let flows: Vec<Value> =
        (0..rows).map(|row| json!({"from_address": format!("{row}"), "to_address": "t", "tx_count": row})).collect();
    json!({"alerts": alerts, "money_flows": flows}).to_string()
}

#[test]
fn a_large_body_is_the_same_batch_however_it_is_cut() {
    let trap = r#"},{"alert_id":"fake"},{"from_address":"fake"#;
    let body = large(9_000, trap);
    assert!(body.len() > 9 << 20, "several parts");
    let threaded = read_body(body.as_bytes(), &Reading::default(), &Threads).expect("accepted");
    assert_eq!(threaded.alerts.rows(), 9_000);
    assert_eq!(threaded.money_flows.rows(), 9_000);
    let volume = threaded.alerts.numbers("volume_usd").expect("given");
    assert!(volume.iter().enumerate().all(|(row, value)| row.to_string() == value.to_string()));
    let written = write_body(&threaded);
    assert_eq!(read_body(&written, &Reading::default(), &InOrder).expect("accepted"), threaded);
}

#[test]
fn strings_that_look_like_rows_cannot_change_what_is_read() {
    // Unescaped text of rows within one long list of strings, so that cuts fall inside of it.
    let fake = r#"\"},{\"alert_id\":\"fake\"},"#.repeat(4_000);
    let rows: Vec<String> =
        (0..60).map(|row| format!(r#"{{"alert_id":"{row}","description":"{fake}"}},{{"alert_id":"b{row}","x":[{{"alert_id":"n"}},{{"alert_id":"m"}}]}}"#)).collect();
    let body = format!("{{\"alerts\":[{}]}}", rows.join(","));
    assert!(body.len() > 5 << 20);
    let batch = read_body(body.as_bytes(), &Reading::default(), &Threads).expect("accepted");
    assert_eq!(batch.alerts.rows(), 120);
    assert!(batch.alerts.texts("alert_id").expect("given").iter().all(|id| id != "fake" && id != "n" && id != "m"));
}

#[test]
fn an_error_late_in_a_large_body_is_told_where_it_is() {
    let mut body = large(9_000, "plain");
    let at = body.len() - 40;
    let row = body[..at].matches("from_address").count() - 1;
    let broken = format!("{}{}", &body[..body.len() - 1], ",");
    let Err(ReadBodyError::Broken { line: 1, column, .. }) =
        read_body(broken.as_bytes(), &Reading::default(), &Threads)
    else {
        panic!("the end is missing")
    };
    assert_eq!(column, broken.len() + 1);
    let from = body.rfind("\"tx_count\":").expect("there is one");
    body.replace_range(from.., "\"tx_count\":-1}]}");
    let Err(ReadBodyError::Invalid(problems)) = read_body(body.as_bytes(), &Reading::default(), &Threads) else {
        panic!("a negative count")
    };
    assert_eq!(serde_json::to_value(&problems[0].loc).expect("JSON"), json!(["body", "money_flows", row, "tx_count"]));
}

#[test]
fn days_are_those_of_the_calendar() {
    for (text, days) in [
        ("1970-01-01", Some(0)),
        ("2000-02-29", Some(11_016)),
        ("2025-10-26", Some(20_387)),
        ("0001-01-01", Some(-719_162)),
        ("9999-12-31", Some(2_932_896)),
        ("1900-02-29", None),
        ("2025-13-01", None),
        ("2025-1-01", None),
        ("+025-01-01", None),
    ] {
        assert_eq!(days_of_date(text), days, "{text}");
        if let Some(days) = days {
            assert_eq!(aml_miner::wire::body::date_of_days(days).as_deref(), Some(text));
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no others", |value| value.is_finite()).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Serde_json is the judge of what is JSON; numbers too large for a double are the one difference.
    #[test]
    fn text_is_json_here_exactly_when_it_is_for_serde_json(
        value in json_value(), cut in any::<prop::sample::Index>(), with in ".{0,2}", pretty in any::<bool>(),
    ) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("JSON");
        let mut at = cut.index(text.len() + 1);
        while !text.is_char_boundary(at) { at -= 1; }
        for candidate in [text.clone(), text[..at].to_owned(), format!("{}{with}{}", &text[..at], &text[at..])] {
            let body = format!("{{\"alerts\":[],\"x\":{candidate}}}");
            let judged = serde_json::from_str::<Value>(&body);
            let accepted = !matches!(read(&body), Err(ReadBodyError::Broken { .. }));
            let too_large = judged.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert!(accepted == judged.is_ok() || too_large, "{body}: {judged:?}");
        }
    }

    #[test]
    fn a_number_is_the_double_that_serde_json_reads(text in r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?") {
        let body = format!(r#"{{"alerts":[],"features":[{{"address":"a","volume_cv":{text},"volume_std":"{text}"}}]}}"#);
        match (serde_json::from_str::<f64>(&text), read(&body)) {
            (Ok(value), Ok(batch)) => {
                for column in ["volume_cv", "volume_std"] {
                    prop_assert_eq!(batch.features.numbers(column).expect("given")[0].to_bits(), value.to_bits());
                }
            }
            (Err(_), Err(ReadBodyError::Invalid(problems))) => prop_assert!(problems.iter().all(|p| p.kind == "finite_number")),
            (judged, read) => prop_assert!(false, "{text}: {judged:?} and {read:?}"),
        }
    }

    #[test]
    fn a_text_arrives_as_it_was_sent(text in ".{0,40}", ascii in any::<bool>()) {
        let mut written = serde_json::to_string(&text).expect("JSON");
        if ascii {
            written = written.chars().map(|c| match c {
                c if c.is_ascii() => c.to_string(),
                c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            }).collect();
        }
        let body = alert(&format!("\"description\":{written}"));
        if text.contains('\0') {
            let refused = must_be_invalid(&body);
            prop_assert_eq!(refused, [r#"["body","alerts",0,"description"] string_pattern_mismatch"#]);
        } else {
            let batch = must_read(&body);
            prop_assert_eq!(batch.alerts.texts("description").expect("given").get(0), text);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_body(&bytes, &Reading::default(), &InOrder);
        let text = [b"{\"alerts\":[{\"alert_id\":".as_slice(), &bytes].concat();
        let _ = read_body(&text, &Reading::default(), &InOrder);
    }
}

#[test]
fn what_is_missing_between_two_members_is_missed_whatever_the_first_row_was() {
    for second in [
        r#"{"new":1"alert_id":"b","volume_usd":2}"#,
        r#"{"alert_id":"b""volume_usd":2}"#,
        r#"{"alert_id":"b","volume_usd"2}"#,
        r#"{"alert_id":"b","volume_usd":2,}"#,
        r#"{,"alert_id":"b","volume_usd":2}"#,
        r#"{"volume_usd":2"alert_id":"b"}"#,
        r#"{"alert_id":"b","volume_usd":2,"alert_id":}"#,
    ] {
        must_be_broken(format!(r#"{{"alerts":[{{"alert_id":"a","volume_usd":1}},{second}]}}"#).as_bytes());
    }
    let twice = r#"{"alerts":[{"alert_id":"a","volume_usd":1},{"alert_id":"b","volume_usd":2,"alert_id":"c"}]}"#;
    assert_eq!(must_be_invalid(twice), [r#"["body","alerts",1,"alert_id"] duplicate_key"#]);
    let new = r#"{"alerts":[{"alert_id":"a","x":1},{"alert_id":"b","x":2,"y":1,"y":2}]}"#;
    assert_eq!(must_be_invalid(new), [r#"["body","alerts",1,"y"] duplicate_key"#]);
}

#[test]
fn white_space_and_order_change_nothing() {
    let members =
        [r#""alert_id"§:§"ID""#, r#""volume_usd"§:§12.5"#, r#""unknown"§:§{"a":[1]}"#, r#""severity"§:§"low""#];
    let row = |number: usize| {
        let order: Vec<&str> =
            (0..4).map(|place| members[(place * [1, 3, 1, 1][number % 4] + number / 3) % 4]).collect();
        format!("{{§{}§}}", order.join("§,§")).replace("ID", &format!("a{number}"))
    };
    let written = |gap: &dyn Fn(usize) -> &'static str| {
        let rows: Vec<String> = (0..12).map(|number| row(number).replace('§', gap(number))).collect();
        must_read(&format!("{{\"alerts\":[{}]}}", rows.join(",")))
    };
    let plain = written(&|_| "");
    assert_eq!(plain.alerts.rows(), 12);
    assert_eq!(plain.alerts.numbers("volume_usd"), Some(&[12.5; 12][..]));
    assert_eq!(written(&|_| " "), plain);
    assert_eq!(written(&|number| [" ", "\n", "", "\t\r\n "][number % 4]), plain);
}

proptest! {
    #[test]
    fn a_number_is_the_nearest_double(digits in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?") {
        let expected: f64 = digits.parse().expect("a number");
        let body = format!("{{\"alerts\":[],\"features\":[{{\"address\":\"a\",\"hourly_activity\":[{digits}]}}]}}");
        match read(&body) {
            Ok(batch) => {
                let lists = batch.features.number_lists("hourly_activity").expect("given");
                prop_assert_eq!(lists.get(0)[0].to_bits(), expected.to_bits());
            }
            Err(_) => prop_assert!(expected.is_infinite(), "{} is refused", digits),
        }
    }
}
