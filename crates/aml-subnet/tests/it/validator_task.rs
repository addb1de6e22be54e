//! What miners are asked: bodies with traps in between, the same after a restart, and nothing that gives a trap away.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, OnceLock};

use aml_miner::data::FileLimits;
use aml_miner::data::check::check_table;
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::wire::{Batch, Column, Table, write_body};
use aml_subnet::config::TrapSettings;
use aml_subnet::store::records::{Canonical, RosterRow, RoundId, Task, TrapPlan};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::score::CanonicalScore;
use aml_subnet::validation::score::Score;
use aml_subnet::validation::submission::Submission;
use aml_subnet::validation::tier2_traps::{self, Expected};
use aml_subnet::validator::task::{MakeTaskError, NewTask, ResumeTaskError, TaskForm, TaskMaker, TrapList};
use aml_subnet::validator::traps::{ALERTS_PER_TRAP, Consensus, Draw, SettledBatch, TrapPool, seeded};
use chrono::NaiveDate;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use crate::validator_task_common::{hotkey, must_body, must_read, peers};

const PLAN: TrapPlan = TrapPlan { high_groups: 2, low_groups: 2, group_size: 6 };

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Days of one world: two that are settled, and one of a month later.
struct World {
    past: Vec<Day>,
    today: Day,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let config = SynthConfig { alerts: 600, addresses: 3_000, days: 2, ..SynthConfig::default() };
        let past = generate(&config).expect("a world").collect();
        let later = SynthConfig { seed: 43, start: day("2025-10-10"), days: 1, ..config };
        let today = generate(&later).expect("a world").next().expect("a day");
        World { past, today }
    })
}

fn round() -> RoundId {
    RoundId { netuid: 1, date: world().today.date, window_days: 7 }
}

fn new_task(salt: u8, plan: TrapPlan) -> NewTask {
    NewTask { round: round(), salt: [salt; 32], deadline_ms: 1_760_000_000_000, plan, form: TaskForm::PerMiner }
}

fn pool(salt: u8) -> TrapPool {
    static POOLS: Mutex<BTreeMap<u8, TrapPool>> = Mutex::new(BTreeMap::new());
    POOLS.lock().expect("no test panics while it gathers").entry(salt).or_insert_with(|| gathered(salt)).clone()
}

fn gathered(salt: u8) -> TrapPool {
    world().past.iter().fold(TrapPool::empty(), |pool, past| {
        let settled = SettledBatch { date: past.date, batch: &past.batch, labels: &past.labels, consensus: None };
        pool.with(&settled, &mut seeded(&[salt; 32], round(), past.date.to_string().as_bytes()))
    })
}

fn must_make(salt: u8, miners: u8) -> TaskMaker {
    TaskMaker::new(new_task(salt, PLAN), &world().today.batch, pool(salt), &peers(miners)).expect("alerts")
}

fn ids(batch: &Batch) -> Vec<String> {
    batch.alerts.texts("alert_id").expect("ids").iter().map(str::to_owned).collect()
}

/// The rows of `table` whose `column` is one of `names`.
fn rows_of(table: &Table, column: &str, names: &HashSet<&str>) -> Table {
    let texts = table.texts(column).expect("the column is there");
    let rows: Vec<usize> = (0..table.rows()).filter(|&row| names.contains(texts.get(row))).collect();
    table.take(&rows)
}

#[test]
fn a_body_is_the_batch_with_traps_in_between() {
    let (maker, batch) = (must_make(1, 3), &world().today.batch);
    for number in 0..3 {
        let body = must_body(&maker, number);
        let merged = maker.batch(&hotkey(number), batch).expect("is asked");
        assert!(body == write_body(&merged), "spliced bytes are those of the merged batch");
        assert_eq!(ids(&must_read(&body)), ids(&merged));
        let (task, ask) = (maker.task(), &maker.task().asks[&hotkey(number)]);
        assert_eq!(ask.issued.len(), 24, "four groups of six");
        let sent = ask.alert_ids(&task.roster);
        assert_eq!(sent, ids(&merged));
        let kept: Vec<&String> = ask.roster_places(task.roster.len()).into_iter().map(|place| &sent[place]).collect();
        assert!(kept.into_iter().eq(task.roster.iter().map(|row| &row.alert_id)));
        for group in &ask.groups {
            assert_eq!(group.places.len(), 6);
            assert!(group.places.iter().all(|place| ask.issued.iter().any(|(at, _)| at == place)));
        }
    }
    assert!(maker.body(&hotkey(9)).is_none(), "nobody else is asked");
}

#[test]
fn a_restart_makes_the_same_bytes() {
    let maker = must_make(2, 3);
    let stored = serde_json::to_string(maker.task()).expect("a record");
    let task: Task = serde_json::from_str(&stored).expect("a record");
    let file = pool(2).to_file().expect("a file");
    let read = TrapPool::from_file(&file).expect("a pool");
    let again = TaskMaker::resume(round(), task, &world().today.batch, read).expect("the same");
    for number in [2, 0, 1] {
        assert!(must_body(&maker, number) == must_body(&again, number));
    }
    assert_eq!(maker.commitment(), again.commitment());
}

#[test]
fn another_batch_or_another_pool_is_refused_on_resuming() {
    let (maker, batch) = (must_make(2, 2), &world().today.batch);
    let mut fewer = batch.clone();
    fewer.alerts = fewer.alerts.take(&[0, 1, 2]);
    let resume = |batch, pool| TaskMaker::resume(round(), maker.task().clone(), batch, pool).expect_err("refused");
    assert_eq!(resume(&fewer, pool(2)), ResumeTaskError::Roster(round()));
    assert!(matches!(resume(batch, pool(3)), ResumeTaskError::Pool { .. }));
    let mut task = maker.task().clone();
    task.asks.get_mut(&hotkey(1)).expect("is asked").groups.pop();
    let strange = TaskMaker::resume(round(), task, batch, pool(2)).expect_err("refused");
    assert_eq!(strange, ResumeTaskError::Traps { round: round(), hotkey: hotkey(1) });
}

#[test]
fn who_else_is_asked_and_in_which_order_changes_nothing() {
    let (three, batch) = (must_make(4, 3), &world().today.batch);
    let mut turned = peers(3);
    turned.reverse();
    let again = TaskMaker::new(new_task(4, PLAN), batch, pool(4), &turned).expect("alerts");
    assert_eq!(again.task(), three.task());
    let alone = TaskMaker::new(new_task(4, PLAN), batch, pool(4), &peers(3)[1..2]).expect("alerts");
    let (alone, among) = (&alone.task().asks[&hotkey(1)], &three.task().asks[&hotkey(1)]);
    assert_eq!(alone.groups, among.groups, "the others only take ids away");
    assert!(alone.issued.iter().map(|(place, _)| place).eq(among.issued.iter().map(|(place, _)| place)));
}

#[test]
fn every_miner_and_every_round_has_traps_of_its_own() {
    let (maker, other) = (must_make(5, 20), must_make(6, 20));
    let all = |maker: &TaskMaker| {
        let asks = maker.task().asks.values();
        asks.flat_map(|ask| ask.issued.iter().map(|(_, id)| id.clone())).collect::<Vec<_>>()
    };
    let (issued, others) = (all(&maker), all(&other));
    assert_eq!(issued.iter().collect::<BTreeSet<_>>().len(), 20 * 24, "no id is issued twice");
    let real: HashSet<String> = ids(&world().today.batch).into_iter().collect();
    assert!(issued.iter().chain(&others).all(|id| !real.contains(id)));
    let places = |maker: &TaskMaker, number| {
        maker.task().asks[&hotkey(number)].issued.iter().map(|(place, _)| *place).collect::<Vec<_>>()
    };
    assert_ne!(places(&maker, 0), places(&maker, 1));
    assert_ne!(places(&maker, 0), places(&other, 0));
}

#[test]
fn no_settled_alert_is_issued_twice_to_one_miner() {
    let maker = must_make(7, 10);
    for number in 0..10 {
        let merged = maker.batch(&hotkey(number), &world().today.batch).expect("is asked");
        let addresses: Vec<&str> = merged.alerts.texts("address").expect("addresses").iter().collect();
        let unique: HashSet<&str> = addresses.iter().copied().collect();
        assert_eq!(unique.len(), addresses.len(), "each alert of this world has an address of its own");
    }
}

/// Digits as 0, letters by their case, everything else as it is.
fn form(text: &str) -> String {
    let letter = |letter: char| match letter {
        '0'..='9' => '0',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        other => other,
    };
    text.chars().map(letter).collect()
}

#[test]
fn nothing_in_the_form_of_a_trap_gives_it_away() {
    let (maker, batch) = (must_make(8, 1), &world().today.batch);
    let merged = maker.batch(&hotkey(0), batch).expect("is asked");
    let issued: HashSet<&str> = maker.task().asks[&hotkey(0)].issued.iter().map(|(_, id)| id.as_str()).collect();
    let traps = rows_of(&merged.alerts, "alert_id", &issued);
    let real_forms: HashSet<String> = ids(batch).iter().map(|id| form(id)).collect();
    assert!(issued.iter().all(|id| real_forms.contains(&form(id))), "ids: {issued:?}");
    let lengths =
        |table: &Table| table.texts("address").expect("addresses").iter().map(str::len).collect::<BTreeSet<_>>();
    assert_eq!(lengths(&traps), lengths(&batch.alerts));
    for (traps, real) in [(&merged.features, &batch.features), (&merged.alerts, &batch.alerts)] {
        let present = |table: &Table| table.columns().iter().map(Option::is_some).collect::<Vec<_>>();
        assert_eq!(present(traps), present(real), "every row has the same keys");
    }
    let dates = merged.alerts.numbers("processing_date").expect("dates");
    assert!(dates.iter().all(|date| date.to_bits() == dates[0].to_bits()), "all of the batch's day");
    for (name, table) in [("alerts", &merged.alerts), ("features", &merged.features), ("clusters", &merged.clusters)] {
        check_table(table, name, &FileLimits::default()).expect("ranges, whole numbers, unique keys");
    }
    check_table(&merged.money_flows, "money_flows", &FileLimits::default()).expect("ranges");
}

#[test]
fn what_belongs_to_a_trap_comes_along_under_its_new_names() {
    let (maker, batch) = (must_make(9, 1), &world().today.batch);
    let merged = maker.batch(&hotkey(0), batch).expect("is asked");
    let ask = &maker.task().asks[&hotkey(0)];
    let issued: HashSet<&str> = ask.issued.iter().map(|(_, id)| id.as_str()).collect();
    let traps = rows_of(&merged.alerts, "alert_id", &issued);
    let addresses: HashSet<&str> = traps.texts("address").expect("addresses").iter().collect();
    let features = rows_of(&merged.features, "address", &addresses).rows();
    assert!((20..=24).contains(&features), "features of every trap, but for the few that the source lacks: {features}");
    let from = rows_of(&merged.money_flows, "from_address", &addresses);
    let to = rows_of(&merged.money_flows, "to_address", &addresses);
    assert!(from.rows() + to.rows() > 24, "money flows come along");
    let real: HashSet<&str> = batch.features.texts("address").expect("addresses").iter().collect();
    let ends = from.texts("to_address").expect("ends").iter().chain(to.texts("from_address").expect("ends").iter());
    assert!(ends.into_iter().all(|end| !real.contains(end)), "rows of the batch are left as they are");
    let known: HashSet<&str> = merged.alerts.texts("alert_id").expect("ids").iter().collect();
    let members = merged.clusters.text_lists("related_alert_ids").expect("members");
    assert!((0..members.len()).all(|row| members.get(row).all(|id| known.contains(id))));
    let of_traps = (0..members.len()).filter(|&row| members.get(row).any(|id| issued.contains(id))).count();
    assert!(of_traps > 0, "clusters come along");
}

#[test]
fn no_name_of_a_settled_batch_is_in_a_body() {
    let body = String::from_utf8(must_body(&must_make(10, 1), 0)).expect("UTF-8");
    let words: HashSet<&str> = body.split(|letter: char| !letter.is_alphanumeric() && !"_-".contains(letter)).collect();
    for past in &world().past {
        let columns = [
            past.batch.alerts.texts("alert_id"),
            past.batch.features.texts("address"),
            past.batch.clusters.texts("cluster_id"),
            past.batch.money_flows.texts("from_address"),
            past.batch.money_flows.texts("to_address"),
        ];
        for name in columns.into_iter().flatten().flat_map(|column| column.iter()) {
            assert!(!words.contains(name), "{name}");
        }
        assert!(!body.contains(&past.date.to_string()), "its day");
    }
}

#[test]
fn amounts_change_and_still_add_up() {
    let (maker, batch) = (must_make(11, 1), &world().today.batch);
    let merged = maker.batch(&hotkey(0), batch).expect("is asked");
    let real: HashSet<&str> = batch.features.texts("address").expect("addresses").iter().collect();
    let texts = merged.features.texts("address").expect("addresses");
    let fresh: HashSet<&str> = texts.iter().filter(|address| !real.contains(address)).collect();
    let traps = rows_of(&merged.features, "address", &fresh);
    let numbers = |table: &Table, name: &str| table.numbers(name).expect("the column").to_vec();
    let (total, income, outgo) =
        (numbers(&traps, "total_volume_usd"), numbers(&traps, "total_in_usd"), numbers(&traps, "total_out_usd"));
    let known = (0..traps.rows()).filter(|&row| (total[row] + income[row] + outgo[row]).is_finite());
    let sums = known.filter(|&row| (income[row] + outgo[row] - total[row]).abs() < 0.02).count();
    assert!(sums * 10 > traps.rows() * 9, "{sums} of {}", traps.rows());
    let old: HashSet<u64> = world()
        .past
        .iter()
        .flat_map(|past| numbers(&past.batch.features, "total_volume_usd"))
        .map(f64::to_bits)
        .collect();
    let same = total.iter().filter(|value| old.contains(&value.to_bits()) && !value.is_nan()).count();
    assert!(same * 20 < traps.rows(), "{same} of {} amounts are those of old rows", traps.rows());
}

#[test]
fn the_commitment_fits_the_revealed_traps_and_nothing_else() {
    let maker = must_make(12, 3);
    let (commitment, salt) = (maker.commitment(), maker.task().salt);
    let revealed = TrapList::of(maker.task());
    let text = serde_json::to_vec(&revealed).expect("a list");
    let read: TrapList = serde_json::from_slice(&text).expect("a list");
    assert!(read.fits(&salt, &commitment));
    assert!(!read.fits(&[0; 32], &commitment), "another salt");
    let changes: [fn(&mut TrapList); 5] = [
        |list| list.0[1].issued[0].0 += 1,
        |list| list.0[1].issued[0].1.push('0'),
        |list| list.0[1].groups[0].expected = Expected::Low,
        |list| list.0[1].groups[0].places.swap(0, 1),
        |list| drop(list.0.pop()),
    ];
    for change in changes {
        let mut changed = revealed.clone();
        change(&mut changed);
        assert!(!changed.fits(&salt, &commitment));
    }
}

#[test]
fn without_settled_batches_there_are_no_traps() {
    let batch = &world().today.batch;
    let maker = TaskMaker::new(new_task(1, PLAN), batch, TrapPool::empty(), &peers(2)).expect("alerts");
    assert!(maker.task().asks.values().all(|ask| ask.issued.is_empty() && ask.groups.is_empty()));
    assert!(must_body(&maker, 0) == write_body(batch));
    let nothing = TaskMaker::new(new_task(1, PLAN), &Batch::empty(), pool(1), &peers(1));
    assert_eq!(nothing.expect_err("no alerts"), MakeTaskError::NoAlerts(round()));
}

/// Canonical scores of the first past batch that put some of its confirmed illicit alerts at the top, some of the clean
/// ones at the bottom, and all others in the middle.
fn consensus(high: usize, low: usize) -> Consensus {
    let past = &world().past[0];
    let ids = past.labels.texts("alert_id").expect("ids");
    let illicit = past.labels.numbers("confirmed_illicit").expect("outcomes");
    let relevance = past.labels.numbers("relevance").expect("grades");
    let of = |wanted: f64, count: usize| -> HashSet<&str> {
        let fitting =
            |row: &usize| (illicit[*row] - wanted).abs() < 0.5 && (relevance[*row] - 2.0 * wanted).abs() < 0.5;
        (0..past.labels.rows()).filter(fitting).take(count).map(|row| ids.get(row)).collect()
    };
    let (top, bottom) = (of(1.0, high), of(0.0, low));
    assert_eq!((top.len(), bottom.len()), (high, low), "the batch has so many");
    let alerts = past.batch.alerts.texts("alert_id").expect("ids");
    let row = |alert_id: &str| RosterRow {
        alert_id: alert_id.to_owned(),
        address: String::new(),
        typology: String::new(),
        severity: String::new(),
    };
    let score = |alert_id: &str| {
        let value = if top.contains(alert_id) { 0.9 } else { f64::from(!bottom.contains(alert_id)) * 0.5 };
        CanonicalScore { score: Score::new(value).expect("a probability"), deviation: 0.0, miners: 1 }
    };
    let canonical = Canonical {
        rules: RulesVersion::V1,
        scores: alerts.iter().map(score).collect(),
        weights: BTreeMap::new(),
        performance: BTreeMap::new(),
    };
    Consensus::of(&alerts.iter().map(row).collect::<Vec<_>>(), &canonical)
}

#[test]
fn only_what_the_consensus_had_right_is_issued_again() {
    let past = &world().past[0];
    let kept = |consensus: Option<&Consensus>| {
        let settled = SettledBatch { date: past.date, batch: &past.batch, labels: &past.labels, consensus };
        TrapPool::empty().with(&settled, &mut Draw::new(&[b"test"])).len()
    };
    let all = kept(None);
    let some = kept(Some(&consensus(20, 30)));
    assert!((10..=50).contains(&some) && some < all, "at most 20 high and 30 low ones: {some} of {all}");
    assert_eq!(kept(Some(&consensus(0, 0))), all, "a consensus that is never right is no measure");
    let low_only = kept(Some(&consensus(0, 30)));
    assert!(some < low_only && low_only < all, "each class for itself: {low_only}");
}

#[test]
fn labels_that_name_nothing_known_give_no_traps() {
    let past = &world().past[0];
    let mut strange = past.labels.clone();
    let ids: aml_miner::wire::TextColumn = ["x"].into_iter().cycle().take(strange.rows()).collect();
    strange.set_column(0, Some(Column::Texts(ids)));
    for labels in [&strange, &past.labels.take(&[]), &past.batch.alerts] {
        let settled = SettledBatch { date: past.date, batch: &past.batch, labels, consensus: None };
        assert!(TrapPool::empty().with(&settled, &mut Draw::new(&[b"test"])).is_empty());
    }
    for damaged in [&b"no pool"[..], b"", &pool(1).to_file().expect("a file")[..100]] {
        assert!(TrapPool::from_file(damaged).is_err());
    }
}

#[test]
fn traps_are_a_small_share_of_a_task() {
    let plan = TrapPlan::default();
    assert_eq!(TrapPlan::from(TrapSettings::default()), plan, "the settings' defaults are the plan's");
    assert_eq!(plan.within(12_000), plan);
    assert_eq!(plan.within(40), TrapPlan::NONE, "too few alerts for a group that says anything");
    for alerts in (0..3_000).step_by(7) {
        let within = plan.within(alerts);
        let traps = (within.high_groups + within.low_groups) * within.group_size;
        assert!(traps * ALERTS_PER_TRAP <= alerts && traps <= 80);
        assert!(traps == 0 || (within.high_groups > 0 && within.low_groups > 0), "both kinds, or none");
    }
    assert_eq!(TrapPlan::split(80, 20), plan);
    assert_eq!(TrapPlan::split(10, 0), TrapPlan::NONE);
}

#[test]
fn chance_passes_few_groups() {
    let maker = must_make(13, 40);
    let rules = RulesVersion::V1.rules();
    let mut draw = Draw::new(&[b"chance"]);
    let mut passed: BTreeMap<bool, (u32, u32)> = BTreeMap::new();
    for ask in maker.task().asks.values() {
        let alert_ids = ask.alert_ids(&maker.task().roster);
        let rows: Vec<aml_miner::wire::ScoreRow> = alert_ids
            .iter()
            .map(|id| aml_miner::wire::ScoreRow {
                alert_id: id.clone(),
                score: draw.unit(),
                model_version: String::new(),
                latency_ms: 0.0,
                explain_json: String::new(),
            })
            .collect();
        let submission = Submission::accept(&alert_ids, &rows).expect("complete");
        let findings = tier2_traps::judge(&rules, &ask.groups, &submission).findings;
        for (group, finding) in ask.groups.iter().zip(findings) {
            let count = passed.entry(group.expected == Expected::High).or_default();
            *count = (count.0 + u32::from(finding.passed), count.1 + 1);
        }
    }
    // Groups of six ask for five: 5.5e-5 for the top tenth, 0.11 for the lower half.
    assert_eq!(passed[&true], (0, 80));
    assert!(passed[&false].0 <= 20 && passed[&false].1 == 80, "{passed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn any_part_of_a_batch_makes_bodies_that_can_be_read(
        salt in any::<[u8; 32]>(),
        alerts in 1..600_usize,
        dropped in any::<[u64; 4]>(),
        tables in 0..16_u8,
    ) {
        let mut batch = world().today.batch.clone();
        let first = |table: &Table, count: usize| table.take(&(0..count.min(table.rows())).collect::<Vec<_>>());
        batch.alerts = first(&batch.alerts, alerts);
        batch.features = first(&batch.features, 200);
        batch.money_flows = first(&batch.money_flows, 200);
        let parts = [&mut batch.alerts, &mut batch.features, &mut batch.clusters, &mut batch.money_flows];
        for (index, table) in parts.into_iter().enumerate() {
            if tables >> index & 1 == 1 && index > 0 {
                *table = table.take(&[]);
            }
            for (column, about) in table.spec().columns.iter().enumerate() {
                if dropped[index] >> (column % 64) & 1 == 1 && !about.required {
                    table.set_column(column, None);
                }
            }
        }
        let new = NewTask { salt, ..new_task(0, PLAN) };
        let maker = TaskMaker::new(new, &batch, pool(1), &peers(2)).expect("alerts");
        for number in 0..2 {
            let body = must_body(&maker, number);
            let merged = maker.batch(&hotkey(number), &batch).expect("is asked");
            prop_assert!(body == write_body(&merged));
            prop_assert_eq!(ids(&must_read(&body)), maker.task().asks[&hotkey(number)].alert_ids(&maker.task().roster));
        }
        let again = TaskMaker::resume(round(), maker.task().clone(), &batch, pool(1)).expect("the same");
        prop_assert!(must_body(&again, 1) == must_body(&maker, 1));
    }

    #[test]
    fn places_are_distinct_and_every_number_is_drawn(seed in any::<u64>(), total in 1..60_usize) {
        let mut draw = Draw::new(&[&seed.to_le_bytes()]);
        let count = draw.below(total + 1);
        let places = draw.places(count, total);
        prop_assert_eq!(places.len(), count);
        prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]) && places.iter().all(|place| *place < total));
        let mut items: Vec<usize> = (0..total).collect();
        draw.shuffle(&mut items);
        items.sort_unstable();
        prop_assert!(items.into_iter().eq(0..total));
        prop_assert!((0.0..1.0).contains(&draw.unit()));
    }
}
