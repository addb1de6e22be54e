//! The one task of a round under rules v2: the same bytes for every miner, nothing that gives a trap away but its address.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, OnceLock};

use aml_miner::digest::Digest;
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::wire::{Batch, InOrder, Reading, Table, read_body, write_body};
use aml_subnet::api::views::traps::TrapList;
use aml_subnet::protocol::reference::{Descriptor, TAG};
use aml_subnet::store::records::{RoundId, SentAlert, Task, TrapPlan};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::tier2_traps::Expected;
use aml_subnet::validator::round::Secret;
use aml_subnet::validator::task::{CommonList, NewTask, Peer, ResumeTaskError, TaskForm, TaskMaker, commitment_of};
use aml_subnet::validator::traps::{SettledBatch, TrapPool, seeded};
use aml_subnet::wallet::Hotkey;

use crate::trap_classifier::{Rows, Sheet, boosted_stumps, naive_bayes, telling};

const PLAN: TrapPlan = TrapPlan { high_groups: 2, low_groups: 2, group_size: 7 };
/// Days whose alerts are issued again: the even ones of them on even days, the odd ones on odd days.
const PAST: usize = 6;
/// Days on which something is asked; each comes after one whose alerts are issued again, so that nothing which changes in the
/// world from week to week tells the ones from the others.
const DAYS: usize = 6;
/// Tasks of a day.
const SALTS: u8 = 2;

/// A day of one world.
fn day(number: usize) -> &'static Day {
    static WORLD: OnceLock<Vec<Day>> = OnceLock::new();
    let world = WORLD.get_or_init(|| {
        let days = u32::try_from(PAST + DAYS).expect("few");
        let config = SynthConfig { alerts: 600, addresses: 3_000, days, ..SynthConfig::default() };
        generate(&config).expect("a world").collect()
    });
    &world[number]
}

fn past(number: usize) -> &'static Day {
    day(2 * number)
}

fn today(number: usize) -> &'static Day {
    day(2 * number + 1)
}

fn round(number: usize) -> RoundId {
    RoundId { netuid: 1, date: today(number).date, window_days: 7 }
}

/// The pool of a day. No alert is in the pools of both an even and an odd day.
fn pool(number: usize, salt: u8) -> TrapPool {
    static POOLS: Mutex<BTreeMap<(usize, u8), TrapPool>> = Mutex::new(BTreeMap::new());
    let mut pools = POOLS.lock().expect("no test panics while it gathers");
    pools.entry((number % 2, salt)).or_insert_with(|| gathered(number % 2, salt)).clone()
}

fn gathered(half: usize, salt: u8) -> TrapPool {
    (0..PAST).filter(|number| number % 2 == half).map(past).fold(TrapPool::empty(), |pool, past| {
        let settled = SettledBatch { date: past.date, batch: &past.batch, labels: &past.labels, consensus: None };
        pool.with(&settled, &mut seeded(&[salt; 32], round(0), past.date.to_string().as_bytes()))
    })
}

pub(crate) fn hotkey(number: u8) -> Hotkey {
    Hotkey::from_bytes([number; 32])
}

pub(crate) fn peers(count: u8) -> Vec<Peer> {
    let peer = |number: u8| Peer {
        hotkey: hotkey(number),
        uid: u16::from(number),
        axon: None,
        receipt_key: None,
        takes_arrow: false,
        takes_references: false,
    };
    (0..count).map(peer).collect()
}

fn new_task(number: usize, salt: u8) -> NewTask {
    NewTask {
        round: round(number),
        salt: [salt; 32],
        deadline_ms: 1_760_000_000_000,
        plan: PLAN,
        form: TaskForm::Common { accept_unsigned: false },
    }
}

fn must_make(number: usize, salt: u8) -> TaskMaker {
    TaskMaker::new(new_task(number, salt), &today(number).batch, pool(number, salt), &peers(3)).expect("alerts")
}

pub(crate) fn must_body(maker: &TaskMaker, number: u8) -> Vec<u8> {
    maker.body(&hotkey(number)).expect("is asked").to_bytes().to_vec()
}

pub(crate) fn must_read(body: &[u8]) -> Batch {
    read_body(body, &Reading::default(), &InOrder).expect("a body")
}

fn texts<'a>(table: &'a Table, column: &str) -> Vec<&'a str> {
    table.texts(column).expect("the column").iter().collect()
}

fn sent(task: &Task) -> &[SentAlert] {
    task.common.as_ref().expect("a common task").alerts()
}

#[test]
fn every_miner_is_sent_the_same_bytes_and_they_are_what_is_recorded() {
    let maker = must_make(0, 1);
    let body = must_body(&maker, 0);
    assert!((1..3).all(|number| must_body(&maker, number) == body));
    assert!(maker.body(&hotkey(9)).is_none(), "nobody else is asked");
    let (task, common) = (maker.task(), maker.task().common.as_ref().expect("common"));
    assert!(task.asks.values().all(|ask| ask.issued.is_empty() && ask.groups.is_empty()), "nothing of one's own");
    assert_eq!(common.body(), Digest::of(&body));
    let read = must_read(&body);
    assert_eq!(texts(&read.alerts, "alert_id"), sent(task).iter().map(|alert| alert.id.as_str()).collect::<Vec<_>>());
    assert!(write_body(&maker.batch(&hotkey(1), &today(0).batch).expect("is asked")) == body);
    assert_eq!((task.traps_issued(), common.groups().len()), (28, 4));
    let added = sent(task).iter().filter(|alert| alert.of.is_none()).count();
    assert_eq!(sent(task).len(), today(0).batch.alerts.rows() + added);
    assert!((28..200).contains(&added), "traps and their company: {added}");
    assert!(common.groups().iter().all(|group| group.places.len() == 7));
}

#[test]
fn every_row_of_the_batch_is_there_under_another_id_and_at_another_place() {
    let (maker, batch) = (must_make(0, 2), &today(0).batch);
    let read = must_read(&must_body(&maker, 0));
    let places = maker.task().common.as_ref().expect("common").roster_places();
    let own = read.alerts.take(&places);
    for column in ["address", "typology_type", "severity", "pattern_type"] {
        assert_eq!(texts(&own, column), texts(&batch.alerts, column), "{column}");
    }
    for column in ["volume_usd", "alert_confidence_score"] {
        assert_eq!(own.numbers(column), batch.alerts.numbers(column), "{column}");
    }
    let still = places.iter().enumerate().filter(|(row, place)| row == *place).count();
    assert!(still < 10 && !places.is_sorted(), "{still} alerts stayed where they were");
    // Every table is in another order, and joined as before.
    let count = |table: &Table, column: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        texts(table, column).into_iter().for_each(|text| *counts.entry(text.to_owned()).or_default() += 1);
        counts
    };
    for (sent, own, column) in [
        (&read.features, &batch.features, "address"),
        (&read.money_flows, &batch.money_flows, "from_address"),
        (&read.clusters, &batch.clusters, "cluster_type"),
    ] {
        let (all, own_rows) = (count(sent, column), count(own, column));
        assert!(own_rows.iter().all(|(name, rows)| all[name] >= *rows), "{column}");
        assert_ne!(texts(sent, column)[..own.rows().min(20)], texts(own, column)[..own.rows().min(20)], "{column}");
    }
    let alias: HashMap<&str, &str> =
        texts(&batch.alerts, "alert_id").into_iter().zip(texts(&own, "alert_id")).collect();
    let members = |table: &Table, row: usize| -> Vec<String> {
        table.text_lists("related_alert_ids").expect("members").get(row).map(str::to_owned).collect()
    };
    let there: HashSet<Vec<String>> = (0..read.clusters.rows()).map(|row| members(&read.clusters, row)).collect();
    for row in 0..batch.clusters.rows() {
        let renamed: Vec<String> =
            members(&batch.clusters, row).iter().map(|id| alias[id.as_str()].to_owned()).collect();
        assert!(there.contains(&renamed), "a cluster keeps its members");
    }
}

#[test]
fn no_id_of_any_batch_is_in_a_body() {
    let body = String::from_utf8(must_body(&must_make(1, 3), 0)).expect("UTF-8");
    let words: HashSet<&str> = body.split(|letter: char| !letter.is_alphanumeric() && !"_-".contains(letter)).collect();
    for day in (0..=PAST + 1).map(day) {
        let columns = [
            day.batch.alerts.texts("alert_id"),
            day.batch.alerts.texts("pattern_id"),
            day.batch.clusters.texts("cluster_id"),
        ];
        for name in columns.into_iter().flatten().flat_map(|column| column.iter()).filter(|name| !name.is_empty()) {
            assert!(!words.contains(name), "{name}");
        }
    }
    assert!(!body.contains("alert_20") && !body.contains("cluster_20"), "nor one that looks like them");
}

#[test]
fn a_restart_makes_the_same_bytes_and_nothing_else_is_taken_for_them() {
    let (maker, batch) = (must_make(0, 4), &today(0).batch);
    let stored = serde_json::to_string(maker.task()).expect("a record");
    let task: Task = serde_json::from_str(&stored).expect("a record");
    assert_eq!(&task, maker.task());
    let file = pool(0, 4).to_file().expect("a file");
    let again = TrapPool::from_file(&file).expect("a pool");
    let again = TaskMaker::resume(round(0), task.clone(), batch, again).expect("the same");
    assert!(must_body(&maker, 1) == must_body(&again, 1));
    assert_eq!(maker.commitment(), again.commitment());
    let other = must_make(0, 5);
    let mixed = Task { common: other.task().common.clone(), ..task.clone() };
    let refused = TaskMaker::resume(round(0), mixed, batch, pool(0, 4)).expect_err("another list");
    assert_eq!(refused, ResumeTaskError::Common(round(0)));
    let pools = TaskMaker::resume(round(0), task, batch, pool(0, 5)).expect_err("another pool");
    assert!(matches!(pools, ResumeTaskError::Pool { .. }));
}

#[test]
fn the_packed_form_is_the_same_task_and_a_restart_sends_what_was_kept() {
    let mut peers = peers(3);
    peers[1].takes_arrow = true;
    let make = |peers: &[Peer]| TaskMaker::new(new_task(0, 4), &today(0).batch, pool(0, 4), peers).expect("alerts");
    let maker = make(&peers);
    let (task, bytes) = (maker.task().clone(), maker.forms().arrow.expect("bytes").to_vec());
    let form = task.arrow.clone().expect("a form");
    assert_eq!((form.sent, form.bytes), (Digest::of(&bytes), bytes.len() as u64));
    assert_eq!(
        (form.decoded, form.to),
        (Digest::of(&zstd::decode_all(&bytes[..]).expect("a frame")), [hotkey(1)].into())
    );
    assert!(maker.encoded().is_some() && maker.commitment() == must_make(0, 4).commitment(), "the traps are the same");
    let read: Task = serde_json::from_str(&serde_json::to_string(&task).expect("a record")).expect("a record");
    assert_eq!(read, task);
    // Another packing of the same is not sent, nor is anything else.
    let again = || TaskMaker::resume(round(0), task.clone(), &today(0).batch, pool(0, 4)).expect("the same");
    let other = zstd::encode_all(&zstd::decode_all(&bytes[..]).expect("a frame")[..], 1).expect("memory");
    assert_eq!(again().kept(Some(bytes.clone()), None).forms().arrow, Some(&bytes[..]));
    for lost in [None, Some(other), Some(Vec::new())] {
        let maker = again().kept(lost, None);
        assert!(maker.forms().arrow.is_none() && maker.encoded().is_none(), "JSON for everybody");
        assert!(must_body(&maker, 1) == must_body(&again(), 1));
    }
    // Without takers it is not made.
    assert_eq!(must_make(0, 4).task().arrow, None);
}

#[test]
fn a_task_by_reference_is_encrypted_once_and_a_restart_sends_the_same_descriptor() {
    let mut peers = peers(3);
    (peers[1].takes_arrow, peers[1].takes_references) = (true, true);
    let make = || TaskMaker::new(new_task(0, 4), &today(0).batch, pool(0, 4), &peers).expect("alerts");
    let secret = Secret::new([3; 32]);
    let object = |maker: &TaskMaker| maker.object(|sent| secret.object_key(round(0), sent)).expect("a packed form");
    let (maker, places) = (make(), vec!["https://mirror.example/1".to_owned()]);
    let made = object(&maker);
    assert_eq!((made.digest, &made.bytes), (Digest::of(&made.bytes), &object(&make()).bytes), "the same each time");
    let maker = maker.referenced(&made, places.clone(), [hotkey(1)].into());
    let (task, forms) = (maker.task().clone(), maker.forms());
    let (arrow, bytes) = (forms.arrow.expect("bytes").to_vec(), forms.reference.expect("bytes").to_vec());
    let (form, packed) = (task.reference.clone().expect("recorded"), task.arrow.clone().expect("recorded"));
    assert_eq!((form.sent, form.bytes, form.object), (Digest::of(&bytes), bytes.len() as u64, made.digest));
    assert_eq!((form.decoded, form.object_bytes), (packed.decoded, packed.bytes + TAG));
    let descriptor = Descriptor::read(&bytes).expect("a descriptor");
    assert_eq!((descriptor.task, &descriptor.places), (task.common.as_ref().expect("common").body(), &places));
    assert_eq!(descriptor.open(made.bytes.to_vec()).expect("it opens"), arrow);
    let clear: HashSet<&[u8]> = arrow.windows(16).collect();
    assert!(!made.bytes.windows(16).any(|part| clear.contains(part)), "nothing of it is clear");
    // Nobody who reads the record can open the object.
    let record = serde_json::to_string(&task).expect("a record");
    assert!(!record.contains(&serde_json::to_value(&descriptor.key).expect("hex").as_str().expect("text").to_owned()));
    assert_eq!(serde_json::from_str::<Task>(&record).expect("a record"), task);
    let again = || TaskMaker::resume(round(0), task.clone(), &today(0).batch, pool(0, 4)).expect("the same");
    assert_eq!(again().kept(Some(arrow.clone()), Some(bytes.clone())).forms().reference, Some(&bytes[..]));
    assert!(again().kept(Some(arrow.clone()), Some(arrow)).forms().reference.is_none(), "others are not sent");
    // Where no place took it there is none.
    assert_eq!(make().referenced(&made, Vec::new(), [hotkey(1)].into()).task().reference, None);
    assert_ne!(secret.object_key(round(0), &packed.sent), secret.object_key(round(1), &packed.sent));
}

#[test]
fn the_commitment_covers_the_list_and_what_every_id_stands_for() {
    let maker = must_make(0, 6);
    let (task, salt) = (maker.task(), maker.task().salt);
    let revealed = CommonList::of(&task.roster, task.common.as_ref().expect("common"));
    let read: CommonList = serde_json::from_slice(&serde_json::to_vec(&revealed).expect("a list")).expect("a list");
    assert!(read.fits(&salt, &maker.commitment()) && commitment_of(task) == maker.commitment());
    assert!(!read.fits(&[0; 32], &maker.commitment()), "another salt");
    let named = |list: &CommonList| list.clusters.iter().position(|name| name.1.is_some()).expect("a cluster");
    let real = read.alerts.iter().position(|alert| alert.1.is_some()).expect("an alert");
    let changes: [&dyn Fn(&mut CommonList); 8] = [
        &|list| list.alerts.swap(0, 1),
        &|list| list.alerts[0].0.push('0'),
        &|list| list.alerts[real].1 = None,
        &|list| list.groups[0].expected = Expected::Low,
        &|list| list.groups[0].places[0] += 1,
        &|list| drop(list.patterns.pop()),
        &|list| {
            let at = named(list);
            list.clusters[at].1 = Some("another".to_owned());
        },
        &|list| list.body = Digest::of(b"another"),
    ];
    for change in changes {
        let mut changed = revealed.clone();
        change(&mut changed);
        assert!(changed == revealed || !changed.fits(&salt, &maker.commitment()));
    }
    let own: HashSet<&str> = texts(&today(0).batch.clusters, "cluster_id").into_iter().collect();
    let told: HashSet<&str> = revealed.clusters.iter().filter_map(|name| name.1.as_deref()).collect();
    assert_eq!(told, own, "every cluster of the batch");
    assert!(revealed.clusters.iter().any(|name| name.1.is_none()), "and those of traps");
}

#[test]
fn two_rounds_and_two_salts_share_no_id() {
    let all: Vec<TaskMaker> = vec![must_make(0, 7), must_make(0, 8), must_make(1, 7)];
    let ids = |maker: &TaskMaker| sent(maker.task()).iter().map(|alert| alert.id.clone()).collect::<HashSet<_>>();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(ids(&all[a]).is_disjoint(&ids(&all[b])));
    }
}

#[test]
fn without_settled_batches_ids_are_fresh_nevertheless() {
    let batch = &today(0).batch;
    let maker = TaskMaker::new(new_task(0, 9), batch, TrapPool::empty(), &peers(1)).expect("alerts");
    assert_eq!((maker.task().traps_issued(), sent(maker.task()).len()), (0, batch.alerts.rows()));
    assert!(!texts(&batch.alerts, "alert_id").contains(&sent(maker.task())[0].id.as_str()));
    let again = TaskMaker::resume(round(0), maker.task().clone(), batch, TrapPool::empty()).expect("the same");
    assert!(must_body(&again, 0) == must_body(&maker, 0));
}

#[test]
fn the_form_is_that_of_the_rules() {
    for accept_unsigned in [false, true] {
        assert_eq!(TaskForm::of(RulesVersion::V1, accept_unsigned), TaskForm::PerMiner);
        assert_eq!(TaskForm::of(RulesVersion::V2, accept_unsigned), TaskForm::Common { accept_unsigned });
    }
}

/// The confirmed and the clean alerts of a day, by id: what traps are made of.
fn outcomes(day: &Day) -> HashMap<&str, bool> {
    let relevance = day.labels.numbers("relevance").expect("grades");
    let graded = texts(&day.labels, "alert_id").into_iter().zip(relevance);
    graded.filter(|(_, grade)| (**grade - 1.0).abs() > 0.5).map(|(id, grade)| (id, *grade > 1.5)).collect()
}

/// Places of a task's traps of one kind, and of the real alerts that had the same outcome, of many every fourth.
fn alike(task: &Task, day: &Day, illicit: bool) -> Vec<(usize, bool)> {
    let outcomes = outcomes(day);
    let expected = if illicit { Expected::High } else { Expected::Low };
    let groups = task.common.as_ref().expect("common").groups();
    let traps = groups.iter().filter(|group| group.expected == expected).flat_map(|group| group.places.iter());
    let real = sent(task).iter().enumerate().filter(|(_, alert)| {
        alert.of.is_some_and(|of| outcomes.get(task.roster[of].alert_id.as_str()) == Some(&illicit))
    });
    let step = if illicit { 1 } else { 4 };
    traps.map(|&place| (place, true)).chain(real.step_by(step).map(|(place, _)| (place, false))).collect()
}

/// A trap is an alert of some days ago of which the outcome is known, so that it is told from *other outcomes* by whoever
/// tells outcomes. What must not be told is that it was issued again: traps against real alerts of the same outcome.
#[test]
fn ids_order_and_columns_do_not_tell_traps_from_real_alerts() {
    // By outcome, then by day.
    let mut learned: [Vec<Rows>; 2] = [Vec::new(), Vec::new()];
    let mut names = Vec::new();
    for number in 0..DAYS {
        let mut rows = [Rows::default(), Rows::default()];
        for salt in 0..SALTS {
            let maker = must_make(number, salt);
            let sheet = Sheet::of(&must_read(&must_body(&maker, 0)));
            for (rows, illicit) in rows.iter_mut().zip([true, false]) {
                rows.add(&sheet, &alike(maker.task(), today(number), illicit));
            }
            names = sheet.names;
        }
        learned.iter_mut().zip(rows).for_each(|(days, rows)| days.push(rows));
    }
    let all = learned.each_ref().map(|days| {
        let mut all = Rows::default();
        days.iter().for_each(|rows| all.join(rows));
        all
    });
    let (mut bayes, mut stumps) = (Vec::new(), Vec::new());
    for (days, half) in learned.iter().flat_map(|days| [(days, 0), (days, 1)]) {
        let (mut past, mut new) = (Rows::default(), Rows::default());
        for (number, rows) in days.iter().enumerate() {
            if number % 2 == half { past.join(rows) } else { new.join(rows) }
        }
        bayes.push(naive_bayes(&past, &new));
        stumps.push(boosted_stumps(&past, &new));
    }
    // Each is from some eighty traps and a few hundred real alerts; together they are good for 0.02.
    for areas in [bayes, stumps] {
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        let told: Vec<_> = all.iter().map(|rows| telling(&names, rows)).collect();
        assert!((mean - 0.5).abs() < 0.05, "{mean}: {areas:?}, told by {told:?}");
    }
}

#[test]
fn what_is_revealed_hashes_to_the_commitment_as_text() {
    let maker = must_make(0, 6);
    let round = crate::api_kit::round(1);
    let text = serde_json::to_string(&TrapList::new(&round, maker.task())).expect("a view");
    assert!(text.contains("\"traps\":[]"), "no miner has traps of its own");
    let list = text.split_once("\"common\":").and_then(|(_, rest)| rest.strip_suffix('}')).expect("the list is last");
    let salted = [maker.task().salt.as_slice(), list.as_bytes()].concat();
    assert_eq!(Digest::of(&salted), maker.commitment());
}
