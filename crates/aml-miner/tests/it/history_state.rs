//! The state of addresses: what a day sees of the days before it, what it never sees, and its file.

use std::path::Path;
use std::sync::Arc;

use aml_miner::data::{BatchDir, list_batches};
use aml_miner::features::{FeatureBuilder, Matrix, RowKind, Schema};
use aml_miner::history::{Facts, History, KEPT_DAYS, Running, SHORT_DAYS, STALE_DAYS, Standing, build};
use aml_miner::training::assemble::{Range, alerts};
use aml_miner::training::watch::Silent;
use aml_miner::wire::Batch;
use serde_json::{Value, json};

use crate::features_support::{batch, must_equal};
use crate::training_flow::write_days;

const NAN: f64 = f64::NAN;
/// 1 January 2026.
const DAY: i32 = 20_454;

/// A day with alerts of some addresses, and rows of `features` of some.
fn day(date: i32, alerts: &[(&str, &str)], seen: &[(&str, f64)]) -> Batch {
    let alerts = alerts.iter().enumerate().map(|(row, (address, severity))| {
        json!({"alert_id": format!("{date}-{row}"), "address": address, "severity": severity, "processing_date": date})
    });
    let alerts: Vec<Value> = alerts.collect();
    let seen = seen.iter().map(|(address, usd)| {
        json!({"address": address, "processing_date": date, "total_volume_usd": usd, "is_exchange_like": false})
    });
    batch(&json!({"alerts": alerts, "features": seen.collect::<Vec<_>>()}))
}

/// Ten days: `often` has alerts on the first, the eighth and twice on the ninth, `quiet` was seen on the third alone.
fn ten_days() -> Vec<Batch> {
    (0..10)
        .map(|number| match number {
            0 => day(DAY, &[("often", "critical")], &[("often", 10.0)]),
            2 => day(DAY + 2, &[], &[("quiet", 8.0), ("quiet", 99.0)]),
            7 => day(DAY + 7, &[("often", "low")], &[("often", 30.0)]),
            8 => day(DAY + 8, &[("often", "medium"), ("often", ""), ("", "high")], &[]),
            _ => day(DAY + number, &[], &[("other", 1.0)]),
        })
        .collect()
}

fn state_of(days: &[Batch]) -> Arc<History> {
    let mut running = Running::default();
    for (date, batch) in (DAY..).zip(days) {
        running.then(date, batch);
    }
    running.finish()
}

fn builder(names: &[&str], state: &Arc<History>) -> FeatureBuilder {
    FeatureBuilder::new(&Schema::new(RowKind::Alert, names.iter().copied()))
        .expect("known features")
        .knowing(Some(Arc::clone(state)))
}

fn column(name: &str, batch: &Batch, state: &Arc<History>) -> Vec<f64> {
    builder(&[name], state).alerts(batch).expect("a matrix").matrix.values().to_vec()
}

#[test]
fn a_day_sees_what_the_days_before_it_said_and_an_unknown_address_is_missing() {
    let state = state_of(&ten_days());
    let asked = [("often", "low"), ("quiet", "low"), ("stranger", "low"), ("", "low")];
    let today = day(DAY + 10, &asked, &[("often", 60.0), ("quiet", 4.0), ("stranger", 5.0)]);
    must_equal(&column("history_alerts_7d", &today, &state), &[3.0, 0.0, NAN, NAN]);
    must_equal(&column("history_alerts_30d", &today, &state), &[4.0, 0.0, NAN, NAN]);
    must_equal(&column("history_days_since_alert", &today, &state), &[2.0, NAN, NAN, NAN]);
    must_equal(&column("history_days_since_first_alert", &today, &state), &[10.0, NAN, NAN, NAN]);
    must_equal(&column("history_worst_severity", &today, &state), &[4.0, 0.0, NAN, NAN]);
    must_equal(&column("history_days_since_first_seen", &today, &state), &[10.0, 8.0, NAN, NAN]);
    must_equal(&column("history_days_seen", &today, &state), &[2.0, 1.0, NAN, NAN]);
    // The first row of an address that is listed twice counts, today and earlier.
    must_equal(&column("history_volume_ratio", &today, &state), &[3.0, 0.5, NAN, NAN]);
    must_equal(&column("log_history_alerts_30d", &today, &state), &[5.0_f64.ln(), 0.0, NAN, NAN]);
}

#[test]
fn counterparties_and_addresses_of_clusters_are_asked_too() {
    let state = state_of(&ten_days());
    let row = |address: &str| json!({"address": address, "processing_date": DAY + 10, "is_exchange_like": false});
    let edge = |from: &str| json!({"from_address": from, "to_address": "x", "amount_usd": 1.0});
    let (rows, edges) = (["often", "quiet", "stranger", "x"].map(row), ["often", "quiet", "stranger"].map(edge));
    let today = batch(&json!({
        "alerts": [{"alert_id": "1", "address": "x", "processing_date": DAY + 10}],
        "features": rows,
        "money_flows": edges,
        "clusters": [{"cluster_id": "c", "related_alert_ids": ["1"], "addresses_involved": ["often", "stranger", "x"]}],
    }));
    must_equal(&column("senders_mean_history_alerts_30d", &today, &state), &[2.0]);
    must_equal(&column("senders_max_history_days_since_first_seen", &today, &state), &[10.0]);
    must_equal(&column("recipients_mean_history_alerts_30d", &today, &state), &[NAN]);
    let names = ["address_max_history_alerts_7d", "mean_senders_max_history_alerts_30d", "max_history_alerts_7d"];
    let clusters = FeatureBuilder::new(&Schema::new(RowKind::Cluster, names)).expect("known features");
    assert!(clusters.needs_history());
    let built = clusters.knowing(Some(state)).clusters(&today, None).expect("a matrix").matrix;
    must_equal(built.values(), &[3.0, 4.0, NAN]);
}

#[test]
fn without_a_state_or_with_one_of_no_use_everything_is_missing() {
    let (names, state) = (Schema::alert_history(), state_of(&ten_days()));
    let schema = Schema::new(RowKind::Alert, names.iter());
    assert_eq!(schema.history().len(), names.len());
    assert!(Schema::default_alert().history().is_empty() && Schema::default_cluster().history().is_empty());
    let asked = |date: i32| day(date, &[("often", "low")], &[("often", 60.0)]);
    let missing = |matrix: &Matrix| matrix.values().iter().all(|value| value.is_nan());
    let alone = FeatureBuilder::new(&schema).expect("known features");
    assert!(missing(&alone.alerts(&asked(DAY + 10)).expect("a matrix").matrix));
    let knowing = alone.clone().knowing(Some(Arc::clone(&state)));
    let on = |date: i32| missing(&knowing.alerts(&asked(date)).expect("a matrix").matrix);
    let standing = |date: i32| state.on(date);
    // The last day that it contains, and the days before it, would know their own future.
    assert!(on(DAY + 9) && on(DAY + 3) && on(DAY - 1));
    assert_eq!((standing(DAY + 9), standing(DAY - 5)), (Standing::Contained, Standing::Contained));
    assert!(!on(DAY + 10) && standing(DAY + 10) == Standing::Fresh);
    assert!(!on(DAY + 11) && standing(DAY + 11) == Standing::Gap);
    assert!(!on(DAY + 10 + STALE_DAYS) && on(DAY + 11 + STALE_DAYS));
    assert_eq!(standing(DAY + 11 + STALE_DAYS), Standing::Stale);
    // Too short a state says nothing: all addresses would look new.
    let short = state_of(&ten_days()[..6]);
    let last = DAY + SHORT_DAYS - 1;
    assert_eq!((short.on(last), short.on(last + 1)), (Standing::Short, Standing::Gap));
    assert_eq!(History::default().on(DAY), Standing::Short);
    // An alert without a day has no past.
    let undated = batch(&json!({"alerts": [{"alert_id": "1", "address": "often"}]}));
    assert!(missing(&knowing.alerts(&undated).expect("a matrix").matrix));
}

#[test]
fn what_is_older_than_a_month_is_forgotten_and_the_addresses_are_bounded() {
    let mut state = History::default();
    let facts = |address: &str| Facts::of(&day(DAY, &[(address, "low")], &[]));
    assert!(state.add(DAY, &facts("first")));
    assert!(!state.add(DAY, &facts("again")) && !state.add(DAY - 1, &facts("earlier")), "days go forward");
    assert!(state.add(DAY + KEPT_DAYS - 1, &facts("later")));
    assert_eq!((state.addresses(), state.first_day()), (2, DAY));
    assert!(state.past("first", DAY + KEPT_DAYS).is_some());
    assert!(
        state.past("first", DAY + KEPT_DAYS + 1).is_none(),
        "out of the days that count before the state lets it go"
    );
    assert!(state.add(DAY + KEPT_DAYS, &facts("last")));
    assert_eq!((state.addresses(), state.first_day()), (2, DAY + 1));

    let mut small = History::default().keeping(2);
    for (offset, address) in ["c", "a", "b"].into_iter().enumerate() {
        small.add(DAY + i32::try_from(offset).expect("few"), &facts(address));
    }
    assert_eq!(small.addresses(), 2);
    let many = day(DAY + 3, &[("z", "low"), ("y", "low"), ("x", "low")], &[]);
    small.add(DAY + 3, &Facts::of(&many));
    let kept = |name: &str| small.past(name, DAY + 8).is_some();
    assert_eq!(["a", "b", "x", "y", "z"].map(kept), [false, false, true, true, false]);
}

#[test]
fn the_file_says_all_of_it_again_and_names_itself_by_its_bytes() {
    let room = tempfile::tempdir().expect("a directory");
    let path = room.path().join("state.parquet");
    let state = state_of(&ten_days());
    assert_eq!(state.sha256(), None);
    let digest = state.write(&path).expect("written");
    let read = History::read(&path).expect("a state");
    assert_eq!((read.sha256(), read.addresses(), read.first_day()), (Some(digest), 3, DAY));
    assert_eq!(read.last_day(), Some(DAY + 9));
    assert_eq!(read.to_parquet().expect("bytes"), state.to_parquet().expect("bytes"));
    let mut longer = read.clone();
    longer.add(DAY + 10, &Facts::of(&day(DAY + 10, &[("often", "low")], &[])));
    assert_eq!(longer.sha256(), None, "it is not the file any more");
    assert!(History::default().to_parquet().is_err());
    assert!(History::read(&room.path().join("nowhere")).is_err());
    std::fs::write(&path, b"PAR1 no PAR1").expect("writable");
    assert!(History::read(&path).is_err());
}

/// The state of all days of `data` before `day` that `build` makes, in its own file and read again.
fn built_before(data: &Path, room: &Path, day: chrono::NaiveDate) -> Arc<History> {
    let built = build(History::default(), &[data.to_owned()], day.pred_opt()).expect("a state");
    let path = room.join(format!("{day}.parquet"));
    built.history.write(&path).expect("written");
    Arc::new(History::read(&path).expect("a state"))
}

#[test]
fn training_sees_on_each_day_what_the_file_built_from_the_days_before_says() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 40);
    let schema = Schema::new(RowKind::Alert, Schema::alert_history());
    let whole = Range { data_dir: data.clone(), ..Range::default() };
    let all = alerts(&whole, &schema, &Silent).expect("rows").samples;
    let bits = |matrix: &Matrix| matrix.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let entries = list_batches(&data, None, None).expect("batches");
    let mut known = 0;
    for entry in entries.iter().skip(1).step_by(6) {
        let state = built_before(&data, room.path(), entry.date);
        let builder = FeatureBuilder::new(&schema).expect("known features").knowing(Some(state));
        let loaded = BatchDir::open(&entry.path).expect("a batch").load().expect("a good batch");
        let matrix = builder.alerts(&loaded.batch).expect("a matrix").matrix;
        let day = all.days.iter().find(|one| one.date == entry.date.to_epoch_days()).expect("the day");
        // Every alert of these days has an outcome that counts, so the rows are the same.
        assert_eq!(bits(&day.matrix), bits(&matrix), "{}", entry.date);
        known += matrix.values().iter().filter(|value| !value.is_nan()).count();
    }
    assert!(known > 1_000, "{known} values are known");

    // A range that begins later sees the days before its first all the same, and so does one that begins with a state.
    let start = entries[33].date;
    let late = |history| Range { data_dir: data.clone(), start: Some(start), end: None, history };
    let tail = alerts(&late(None), &schema, &Silent).expect("rows");
    assert_eq!(tail.summary.batches, 7);
    let same = |days: &[aml_miner::training::samples::Day]| {
        days.iter().zip(&all.days[33..]).all(|(one, other)| bits(&one.matrix) == bits(&other.matrix))
    };
    assert!(same(&tail.samples.days));
    let path = room.path().join("start.parquet");
    build(History::default(), std::slice::from_ref(&data), start.pred_opt())
        .expect("a state")
        .history
        .write(&path)
        .expect("written");
    let only = room.path().join("only");
    std::fs::create_dir(&only).expect("a directory");
    for entry in &entries[33..] {
        std::fs::rename(&entry.path, only.join(entry.path.file_name().expect("a name"))).expect("moved");
    }
    let range = Range { data_dir: only, start: None, end: None, history: Some(path) };
    assert!(same(&alerts(&range, &schema, &Silent).expect("rows").samples.days));
}

#[test]
fn a_state_that_goes_on_equals_one_that_is_built_at_once() {
    let room = tempfile::tempdir().expect("a directory");
    let data = room.path().join("data");
    write_days(&data, 36);
    let days: Vec<_> = list_batches(&data, None, None).expect("batches").into_iter().map(|entry| entry.date).collect();
    let directories = [data.clone()];
    let once = build(History::default(), &directories, None).expect("a state");
    assert_eq!((once.batches, once.passed_over), (30, 6), "older days are not read");
    let part = build(History::default(), &directories, Some(days[34])).expect("a state").history;
    let more = build(Arc::unwrap_or_clone(part), &directories, None).expect("a state");
    assert_eq!((more.batches, more.passed_over), (1, 35));
    assert_eq!(more.history.to_parquet().expect("bytes"), once.history.to_parquet().expect("bytes"));
}
