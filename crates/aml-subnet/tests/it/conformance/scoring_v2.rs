//! Rules v2 on small days: answers to verdicts and columns, standings to voices, merged scores, and shares of the day's pay.
//!
//! Where standings come from is in `scoring_v2_rules.json`: prices, curves, calibration and a whole season.

use std::num::NonZero;

use aml_miner::digest::{Digest, Hashed};
use aml_subnet::beacon::{Beacon, BeaconRound, OpeningRule};
use aml_subnet::store::records::{Answer, Common, CommonParts, Form, Sealing, SentAlert, Task};
use aml_subnet::validation::rules::{Rules, RulesVersion};
use aml_subnet::validation::tier2_traps::{Expected, TrapGroup};
use aml_subnet::validation::v2::calibration::mean_score;
use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::curve::Curve;
use aml_subnet::validation::v2::newcomers::{Present, parts};
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::pay::{Earner, pay};
use aml_subnet::validation::v2::price::Priced;
use aml_subnet::validation::v2::record::{Asked, Record, Tiers};
use aml_subnet::validation::v2::standing::Standing;
use aml_subnet::validation::v2::voice::{Today, canonical, voices};
use aml_subnet::validator::judge::Judged;
use aml_subnet::validator::task::commitment_of;
use serde_json::{Value, json};

use super::scoring_v1::{Given, given, judge_all, reworded, scores, told};
use crate::rules_v2_kit::K;
use crate::validator_kit::{answer, hotkey, task};
use crate::vectors_kit::Vectors;

const RULES: Rules = Rules { version: RulesVersion::V2, ..Rules::V1 };
const ALERTS: usize = 30;
const TRAPS: usize = 4;
const MINERS: u8 = 8;

/// The list of all miners: four low traps, the alerts upside down, four high traps.
fn common(is_trapped: bool, accept_unsigned: bool) -> Task {
    let traps = if is_trapped { TRAPS } else { 0 };
    let trap = |kind: &str, at: usize| SentAlert { id: format!("{kind}-{at}"), of: None };
    let real = (0..ALERTS).rev().map(|of| SentAlert { id: format!("a-{of}"), of: Some(of) });
    let low = (0..traps).map(|at| trap("low", at));
    let high = (0..traps).map(|at| trap("high", at));
    let group = |name: &str, expected, first: usize| TrapGroup {
        name: name.to_owned(),
        expected,
        places: (first..first + TRAPS).collect(),
    };
    let groups = vec![group("low", Expected::Low, 0), group("structuring", Expected::High, ALERTS + TRAPS)];
    let parts = CommonParts {
        alerts: low.chain(real).chain(high).collect(),
        groups: if is_trapped { groups } else { Vec::new() },
        clusters: Vec::new(),
        patterns: Vec::new(),
        body: Digest::of(b"the body of all"),
        accept_unsigned,
    };
    let mut task = task(ALERTS, MINERS);
    task.asks.values_mut().for_each(|ask| (ask.issued, ask.groups) = (Vec::new(), Vec::new()));
    Task { common: Some(Common::new(parts).expect("a task")), ..task }
}

/// Scores of the whole list, where there are no traps of the alerts alone.
fn list(task: &Task, seed: usize) -> Vec<f64> {
    let all = scores(seed);
    let is_trapped = task.common.as_ref().is_some_and(|common| !common.groups().is_empty());
    if is_trapped { all } else { all[TRAPS..TRAPS + ALERTS].to_vec() }
}

fn unsigned((given, body): (Answer, Hashed)) -> Given {
    (Answer { receipt: None, form: Form::V10, ..given }, Some(body))
}

/// What eight miners said.
fn answers(task: &Task) -> Vec<(&'static str, Given)> {
    let plain = |number: u8, seed: usize| answer(task, number, &list(task, seed));
    let whole = |(given, body): (Answer, Hashed)| (given, Some(body));
    let mut backwards = list(task, 5);
    backwards.reverse();
    let twice: Vec<f64> = list(task, 9).iter().map(|score| (2.5 * score).min(1.0)).collect();
    let coarse: Vec<f64> = list(task, 12).iter().map(|score| (4.0 * score).floor() / 4.0).collect();
    vec![
        ("good", whole(plain(1, 21))),
        ("good and different", whole(plain(2, 11))),
        ("says what the second one says", whole(plain(3, 11))),
        ("the wrong way round", whole(answer(task, 4, &backwards))),
        ("scores far above its usual level", whole(answer(task, 5, &twice))),
        ("five different scores", whole(answer(task, 6, &coarse))),
        ("of the old form, which nobody signed", unsigned(plain(7, 17))),
        (
            "an alert is missing",
            reworded(plain(8, 13), 8, |text| {
                let (_, rest) = text.split_once("},").expect("rows");
                format!("[{rest}")
            }),
        ),
    ]
}

/// Where a miner stands: weight, usual likeness, usual level.
fn standing((weight, usual, level): (f64, f64, Option<f64>)) -> Standing {
    let priced = Priced { weight, points: weight / 50.0, ..Priced::default() };
    Standing { priced, calibration: 0.8, level, usual, part: 0.9, counted: if weight > 0.0 { 25 } else { 3 } }
}

/// What distinguishes a day.
struct Day {
    name: &'static str,
    why: &'static str,
    is_trapped: bool,
    accept_unsigned: bool,
    is_sealed: bool,
    curve: Option<Curve>,
    standings: Vec<Standing>,
}

impl Day {
    fn task(&self) -> Task {
        let mut task = common(self.is_trapped, self.accept_unsigned);
        if self.is_sealed {
            let beacon = BeaconRound { beacon: Beacon::Quicknet, round: 29_000_000 };
            task.sealing = Some(Sealing { rule: OpeningRule::SUBNET, opening_s: 1_778_803_364, beacon });
        }
        task
    }

    fn case(&self) -> Value {
        let task = self.task();
        let answers = answers(&task);
        let all = judge_all(&RULES, &task, &answers);
        let verdicts: serde_json::Map<String, Value> =
            all.iter().map(|judged| (judged.verdict.hotkey.to_string(), told(judged))).collect();
        let standings: serde_json::Map<String, Value> =
            (1..).zip(&self.standings).map(|(number, one)| (hotkey(number).to_string(), json!(one))).collect();
        let mut expected = self.merged(&all);
        expected["verdicts"] = verdicts.into();
        expected["commitment"] = commitment_of(&task).to_string().into();
        json!({ "name": self.name, "why": self.why, "do": "day", "task": task, "answers": given(&answers),
            "curve": self.curve.as_ref().map(|curve| &curve.shares), "standings": standings, "expected": expected })
    }

    /// Columns, voices and scores of those who count.
    fn merged(&self, all: &[Judged]) -> Value {
        let worths = Worths::new(self.curve.as_ref(), ALERTS);
        let counts: Vec<(&Judged, Vec<f64>)> =
            all.iter().filter_map(|judged| Some((judged, judged.submission.as_ref()?.values()))).collect();
        let columns: Vec<Vec<i16>> = counts.iter().map(|(_, scores)| worths.column(&Order::of(scores))).collect();
        let standing = |judged: &Judged| {
            (1..).map(hotkey).zip(&self.standings).find(|(key, _)| *key == judged.verdict.hotkey).expect("asked").1
        };
        let today: Vec<Today<'_>> = counts
            .iter()
            .zip(&columns)
            .map(|((judged, scores), column)| Today {
                column,
                mean: mean_score(scores),
                advantage: judged.verdict.advantage,
                standing: standing(judged),
            })
            .collect();
        let spoken = voices(&K, &today, NonZero::<usize>::MIN);
        let given: Vec<&[f64]> = counts.iter().map(|(_, scores)| scores.as_slice()).collect();
        let means = canonical(&spoken.shares, &given);
        let deviation = |place: usize, mean: f64| -> f64 {
            let apart = |(voice, scores): (&f64, &&[f64])| voice * (scores[place] - mean) * (scores[place] - mean);
            spoken.shares.iter().zip(&given).filter(|(voice, _)| **voice > 0.0).map(apart).sum::<f64>().sqrt()
        };
        let merged: Vec<Value> =
            means.iter().enumerate().map(|(place, mean)| json!([mean, deviation(place, *mean)])).collect();
        let names = || counts.iter().map(|(judged, _)| judged.verdict.hotkey.to_string());
        let columns: serde_json::Map<String, Value> =
            names().zip(&columns).map(|(name, column)| (name, json!(column))).collect();
        let voices: serde_json::Map<String, Value> = names()
            .zip(spoken.shares.iter().zip(&spoken.muted))
            .map(|(name, (share, muted))| (name, json!({ "share": share, "muted": muted })))
            .collect();
        json!({ "columns": columns, "voices": voices, "choice": spoken.choice, "canonical": merged })
    }
}

fn days() -> Vec<Day> {
    let usual = [
        (30.0, 0.0, Some(0.45)),
        (20.0, 0.1, Some(0.45)),
        (20.0, 0.1, Some(0.5)),
        (25.0, 0.3, Some(0.45)),
        (15.0, 0.0, Some(0.1)),
        (0.0, 0.0, None),
        (5.0, 0.9, Some(0.45)),
        (12.0, 0.2, Some(0.45)),
    ];
    let known: Vec<Standing> = usual.map(standing).into();
    let nobody: Vec<Standing> = (0..MINERS).map(|_| standing((0.0, 0.0, None))).collect();
    let weight = |number: u8| if (4..=6).contains(&number) { 10.0 } else { 0.0 };
    let unlike: Vec<Standing> = (1..=MINERS).map(|number| standing((weight(number), 1.0, Some(0.45)))).collect();
    let shares = (0..40).map(|part| f64::from(part * part) / 3200.0).collect();
    let curve = || Some(Curve { shares: Vec::clone(&shares) });
    let day = |name, why, standings| Day {
        name,
        why,
        is_trapped: true,
        accept_unsigned: false,
        is_sealed: false,
        curve: curve(),
        standings,
    };
    vec![
        day("voices", "known miners, some of them muted", known.clone()),
        Day {
            accept_unsigned: true,
            ..day("unsigned", "answers of the old form count where the task says so", known.clone())
        },
        Day { is_sealed: true, ..day("open_in_a_sealed_round", "answers that came open count nowhere", known.clone()) },
        day("unsteady", "whoever is known and alive is less like the others than usual: they speak alike", unlike),
        Day { curve: None, ..day("nobody_known", "nobody is known: all who are alive speak alike", nobody.clone()) },
        Day { is_trapped: false, curve: None, ..day("no_traps", "without traps everybody is alive", nobody) },
    ]
}

fn by_number<T>(list: &[T], value: impl Fn(&T) -> Value) -> Value {
    Value::Object((1_u8..).zip(list).map(|(number, one)| (hotkey(number).to_string(), value(one))).collect())
}

const TODAY: i64 = 20_500;

/// The days with rounds of the last forty.
fn rounds() -> Vec<i64> {
    (TODAY - 40..=TODAY).filter(|day| day % 9 != 4).collect()
}

/// What eight miners did when they were asked, by day.
fn records() -> Vec<Record> {
    let asked = |tier1, advantage| Asked { tier1, advantage, forgiven: false };
    let always = |one: Asked| -> Record { rounds().into_iter().map(|day| (day, one)).collect() };
    let mut lapsed = always(asked(Some(1.0), Some(0.6)));
    lapsed.extend(rounds().into_iter().filter(|day| *day > TODAY - 4).map(|day| (day, asked(None, None))));
    let forgiven = Asked { tier1: None, advantage: None, forgiven: true };
    let young = Record::from([(TODAY - 1, forgiven), (TODAY, asked(Some(8.0 / 9.0), Some(0.5)))]);
    vec![
        always(asked(Some(1.0), Some(0.6))),
        always(asked(Some(8.0 / 9.0), Some(0.5))),
        lapsed,
        always(asked(Some(1.0), Some(0.2))),
        young.clone(),
        young.clone(),
        young,
        always(asked(Some(1.0), None)),
    ]
}

/// A month of records, and how the day's pay is shared.
fn pay_case() -> Value {
    let (rounds, records) = (rounds(), records());
    let points = [0.07, 0.03, 0.05, 0.06, 0.0, 0.0, 0.0, 0.01];
    let calibration = [0.9, 0.8, 0.7, 0.9, 1.0, 1.0, 1.0, 0.0];
    let counted = [25, 25, 25, 25, 1, 1, 1, 25];
    let newest = [vec![0.1, 0.2, 0.3], vec![0.3, 0.2, 0.1], vec![0.1, 0.3, 0.2], vec![0.2, 0.1, 0.3]];
    let orders: Vec<Option<Vec<f64>>> = [0, 1, 9, 2, 3, 3, 0, 1].map(|at| newest.get(at).cloned()).into();
    let tiers: Vec<Tiers> = records.iter().map(|record| Tiers::of(&K, TODAY, &rounds, record)).collect();
    let placed: Vec<Option<Order>> =
        orders.iter().map(|scores| scores.as_ref().map(|scores| Order::of(scores))).collect();
    let present = |at: usize| -> Option<Present<'_>> {
        let first_asked = *records[at].keys().next()?;
        Some(Present { counted: counted[at], traps: tiers[at].traps, first_asked, order: placed[at].as_ref()? })
    };
    let newcomers = parts(&K, TODAY, &(0..records.len()).map(present).collect::<Vec<_>>());
    let earner = |at: usize| {
        let (points, calibration, newcomer) = (points[at], calibration[at], newcomers[at]);
        Earner { points, calibration, tiers: tiers[at], newcomer }
    };
    let earners: Vec<Earner> = (0..records.len()).map(earner).collect();
    let paid = pay(&K, &earners);
    let record = |record: &Record| -> Value {
        let one = |(day, one): (&i64, &Asked)| json!([day, one.tier1, one.advantage, one.forgiven]);
        record.iter().map(one).collect()
    };
    let told = |at: &usize| {
        let Tiers { tier1, traps, lately } = tiers[*at];
        json!({ "tier1": tier1, "traps": traps, "lately": lately, "quality": tiers[*at].quality(&K, calibration[*at]),
            "newcomer": newcomers[*at], "worth": earners[*at].worth(&K), "share": paid.shares[*at] })
    };
    let places: Vec<usize> = (0..records.len()).collect();
    json!({
        "name": "pay", "do": "pay", "why": "worth, newcomers, who lapsed, and who is not worthy",
        "today": TODAY, "rounds": rounds, "records": by_number(&records, record),
        "points": by_number(&points, |one| json!(one)), "calibration": by_number(&calibration, |one| json!(one)),
        "counted": by_number(&counted, |one| json!(one)), "newest": by_number(&orders, |one| json!(one)),
        "expected": { "miners": by_number(&places, told), "pool": paid.pool, "unearned": paid.unearned },
    })
}

#[test]
fn days_under_rules_v2_are_those_of_the_package() {
    let mut cases: Vec<Value> = days().iter().map(Day::case).collect();
    let choices: Vec<&str> = cases.iter().filter_map(|case| case["expected"]["choice"].as_str()).collect();
    assert_eq!(choices, ["voices", "voices", "all", "known", "alive", "alive"], "each day is what it says");
    let counts = |at: usize| cases[at]["expected"]["columns"].as_object().expect("columns").len();
    assert_eq!((counts(0), counts(1), counts(2)), (6, 7, 0));
    let muted: std::collections::BTreeSet<&str> = cases[1]["expected"]["voices"]
        .as_object()
        .expect("voices")
        .values()
        .filter_map(|voice| voice["muted"].as_str())
        .collect();
    assert!(muted.into_iter().eq(["level", "lifeless", "unknown", "unsteady"]), "everything that mutes is there");
    cases.push(pay_case());
    Vectors { name: "scoring_v2.json", pages: &["docs/scoring.md", "docs/tasks.md"], shared: Vec::new(), cases }
        .must_be_stored();
}
