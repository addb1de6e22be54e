//! Tables and batches that we write as Arrow are read back to the same bits, by our reader and by another one, and mean to
//! the API what the same JSON means.

use aml_miner::data::arrow_stream::{write_form, write_table};
use aml_miner::data::{FileLimits, read_stream};
use aml_miner::digest::Digest;
use aml_miner::receipt::{HEADER, InputForm, Receipt};
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS, TableSpec};
use aml_miner::wire::{Batch, Column, InOrder, Reading, Table, read_body, write_body};
use proptest::prelude::*;
use serde_json::Value;

use crate::api_answer_forms::must_read;
use crate::api_hardness::compressed;
use crate::api_kit::TestServer;
use crate::batch_kit::{any_table, assert_same};

fn must_survive(table: &Table) {
    let spec: &'static TableSpec = table.spec();
    let stream = write_table(table);
    assert_eq!(stream, write_table(table), "the same bytes for the same table");
    let read = read_stream(&stream, spec, spec.name, &FileLimits::default()).expect("a table");
    assert_same(&read, table);
    assert_eq!(read.unknown_columns(), [""; 0]);
}

fn day(alerts: usize) -> Batch {
    let config = SynthConfig { alerts, addresses: alerts * 7, days: 1, ..SynthConfig::default() };
    generate(&config).expect("a valid configuration").next().expect("one day").batch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_table_is_read_back_to_the_same_bits(
        alerts in any_table(&ALERTS),
        features in any_table(&FEATURES),
        clusters in any_table(&CLUSTERS),
        flows in any_table(&MONEY_FLOWS),
    ) {
        [alerts, features, clusters, flows].iter().for_each(must_survive);
    }

    /// Numbers that some narrower form nearly holds: a sign of zero, a half too many, the ends of every width.
    #[test]
    fn a_column_is_stored_only_as_what_holds_all_of_it(
        values in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                0.0, -0.0, 1.0, -1.0, 127.0, 128.0, -128.0, -129.0, 255.0, 256.0, 32_767.0, -32_769.0, 65_535.0, 65_536.0,
                2_147_483_648.0, -2_147_483_649.0, 4_294_967_295.0, 4_294_967_296.0, 9_007_199_254_740_992.0,
                9_007_199_254_740_993.0, 1e300, 5e-324, 0.1, 0.25, 0.30000000000000004, 1234.56, -1_234.567_89, 1e-9, f64::NAN,
            ]),
            any::<i32>().prop_map(|cents| f64::from(cents) / 100.0),
            any::<i64>().prop_map(|whole| whole as f64),
            prop::num::f64::NORMAL,
        ], 1..9),
        many: bool,
    ) {
        // Of one kind, or all mixed.
        let values = if many { values } else { vec![values[0]; values.len()] };
        let ids = (0..values.len()).map(|row| format!("a{row}")).collect::<Vec<_>>();
        let columns = ALERTS.columns.iter().map(|about| match about.name {
            "alert_id" => Some(Column::Texts(ids.iter().map(String::as_str).collect())),
            "alert_confidence_score" => Some(Column::Numbers(values.clone())),
            _ => None,
        });
        let table = Table::new(&ALERTS, values.len(), columns.collect(), Vec::new());
        let stream = write_table(&table);
        // The range of the column is another matter: what is stored is what counts here.
        let (names, batch) = must_read(&stream);
        prop_assert_eq!(names, ["alert_id", "alert_confidence_score"]);
        let column = aml_miner::data::column_from_arrays(
            &[batch.arrays()[1].clone()],
            &ALERTS.columns[ALERTS.position("alert_confidence_score").expect("a column")],
            &FileLimits::default(),
        );
        let Column::Numbers(read) = column.expect("numbers") else { panic!("numbers") };
        let bits = |values: &[f64]| values.iter().map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() }).collect::<Vec<_>>();
        prop_assert_eq!(bits(&read), bits(&values));
    }
}

#[test]
fn tables_without_rows_and_without_columns_are_streams_too() {
    for spec in [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS] {
        let spec: &'static TableSpec = spec;
        must_survive(&Table::empty(spec));
        let read = read_stream(&write_table(&Table::empty(spec)), spec, spec.name, &FileLimits::default());
        assert_eq!(read.expect("a table").rows(), 0);
    }
}

#[test]
fn a_packed_form_is_scored_as_the_same_json_and_is_a_fraction_of_it() {
    let server = TestServer::start();
    let json = write_body(&day(200));
    // As a validator has it, who read the batch from its files.
    let batch = read_body(&json, &Reading::default(), &InOrder).expect("a batch");
    let form = write_form(&batch, "aml-0123456789abcdef");
    let packed = compressed("zstd", &form);
    let headers = ["content-type: multipart/form-data; boundary=aml-0123456789abcdef", "content-encoding: zstd"];
    let rows = |value: Value| {
        let rows = value.as_array().expect("a list").iter();
        rows.map(|row| (row["alert_id"].clone(), row["score"].clone(), row["explain_json"].clone())).collect::<Vec<_>>()
    };
    let from_json = server.post("/score/alerts", &json).must_succeed();
    let from_form = server.connect().post("/score/alerts", &headers, &packed).must_succeed();
    assert_eq!(rows(from_form.json()), rows(from_json.json()));
    let receipt = |header: Option<&str>| Receipt::from_header(header.expect("a receipt")).expect("a receipt");
    assert_eq!(receipt(from_form.header(HEADER)).input_sha256, Digest::of(&form), "of what was read, unpacked");
    assert_eq!(receipt(from_json.header(HEADER)).input_sha256, Digest::of(&json));
    let read_as = |header| receipt(header).input_form.expect("version 2");
    assert_eq!(read_as(from_form.header(HEADER)), InputForm::Form);
    assert_eq!(read_as(from_json.header(HEADER)), InputForm::Json);
    for answer in [&from_form, &from_json] {
        assert_eq!(answer.header("accept"), Some("application/vnd.apache.arrow.stream"), "it says what it takes");
    }
    println!("{} bytes of JSON, {} of the form, {} packed", json.len(), form.len(), packed.len());
    assert!(packed.len() * 6 < json.len(), "{} of {} bytes", packed.len(), json.len());
    // Another table of the form is the batch's as well.
    server.connect().post("/score/clusters", &headers, &packed).must_succeed();
}
