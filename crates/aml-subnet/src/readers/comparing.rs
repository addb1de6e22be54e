//! Two validators' views of one day side by side: how far apart their scores and pay are, whose answers one of them missed, and
//! which one a reader should use.

use std::collections::{BTreeMap, BTreeSet};

use crate::validation::similarity::rank_correlation;

/// Places at the top of the order that are compared by themselves.
pub const TOP: usize = 100;
/// Voices that are no reason to prefer one side.
const LITTLE: f64 = 0.01;

/// What a validator says of a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// SHA-256 of the batch's `META.json`.
    pub batch: String,
    /// Rules of the round.
    pub rules: String,
    /// Why it counts for nobody, where it does not.
    pub set_aside: Option<String>,
    /// Canonical score by alert.
    pub scores: BTreeMap<String, f64>,
    /// Voice by hotkey, of those that have one.
    pub voices: BTreeMap<String, f64>,
    /// What came of every miner that was asked: why its submission does not count, nothing where it does.
    pub miners: BTreeMap<String, Option<String>>,
    /// Share of the newest pay by hotkey.
    pub pay: BTreeMap<String, f64>,
}

/// A miner that counted on one side alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// Who.
    pub hotkey: String,
    /// Its voice where it counted.
    pub voice: f64,
    /// Why it did not count on the other side.
    pub why: String,
}

/// Which side a reader should use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// They scored different batches, or under different rules.
    NotComparable,
    /// Ours: the other one missed more.
    Ours,
    /// Theirs: we missed more.
    Theirs,
    /// It makes no difference.
    Either,
}

/// Two sides, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Alerts that both scored.
    pub alerts: usize,
    /// Alerts that one side alone scored: ours, theirs.
    pub alone: (usize, usize),
    /// Rank correlation of the scores; `None` where one side tells no order.
    pub correlation: Option<f64>,
    /// Largest difference of a score, with its alert.
    pub largest: Option<(String, f64)>,
    /// How many of the first places are of the same alerts, of how many.
    pub top: (usize, usize),
    /// Who counted there alone.
    pub missed_here: Vec<Missed>,
    /// Who counted here alone.
    pub missed_there: Vec<Missed>,
    /// Share of pay that goes to others.
    pub pay_apart: f64,
    /// Which one to use.
    pub advice: Advice,
}

/// Compares what two validators say of a day.
#[must_use]
pub fn compare(ours: &Side, theirs: &Side) -> Compared {
    let both: Vec<(&String, f64, f64)> =
        ours.scores.iter().filter_map(|(id, one)| Some((id, *one, *theirs.scores.get(id)?))).collect();
    let apart = |one: &(&String, f64, f64)| (one.1 - one.2).abs();
    let largest = both.iter().max_by(|a, b| apart(a).total_cmp(&apart(b)).then_with(|| b.0.cmp(a.0)));
    let (missed_here, missed_there) = (missed(theirs, ours), missed(ours, theirs));
    let hotkeys: BTreeSet<&String> = ours.pay.keys().chain(theirs.pay.keys()).collect();
    let pay = |side: &Side, hotkey: &String| side.pay.get(hotkey).copied().unwrap_or(0.0);
    let moved: f64 = hotkeys.into_iter().map(|hotkey| (pay(ours, hotkey) - pay(theirs, hotkey)).abs()).sum();
    Compared {
        alerts: both.len(),
        alone: (ours.scores.len() - both.len(), theirs.scores.len() - both.len()),
        correlation: correlation(&both),
        largest: largest.map(|one| (one.0.clone(), apart(one))),
        top: top(ours, theirs),
        advice: advice(ours, theirs, (loudness(&missed_here), loudness(&missed_there))),
        missed_here,
        missed_there,
        pay_apart: moved / 2.0,
    }
}

/// Whoever counts at `there` and not at `here`, the loudest first.
fn missed(there: &Side, here: &Side) -> Vec<Missed> {
    let counts = |side: &Side, hotkey: &String| side.miners.get(hotkey).is_some_and(Option::is_none);
    let of = |hotkey: &String| Missed {
        hotkey: hotkey.clone(),
        voice: there.voices.get(hotkey).copied().unwrap_or(0.0),
        why: here.miners.get(hotkey).cloned().flatten().unwrap_or_else(|| "it was not asked".to_owned()),
    };
    let mut missed: Vec<Missed> =
        there.miners.keys().filter(|hotkey| counts(there, hotkey) && !counts(here, hotkey)).map(of).collect();
    missed.sort_by(|a, b| b.voice.total_cmp(&a.voice).then_with(|| a.hotkey.cmp(&b.hotkey)));
    missed
}

fn loudness(missed: &[Missed]) -> f64 {
    missed.iter().map(|one| one.voice).sum()
}

fn advice(ours: &Side, theirs: &Side, (here, there): (f64, f64)) -> Advice {
    match (&ours.set_aside, &theirs.set_aside) {
        _ if ours.batch != theirs.batch || ours.rules != theirs.rules => Advice::NotComparable,
        (Some(_), None) => Advice::Theirs,
        (None, Some(_)) => Advice::Ours,
        _ if (here - there).abs() < LITTLE => Advice::Either,
        _ if here < there => Advice::Ours,
        _ => Advice::Theirs,
    }
}

/// Spearman's, equal scores at their mean rank.
fn correlation(both: &[(&String, f64, f64)]) -> Option<f64> {
    let side = |of: fn(&(&String, f64, f64)) -> f64| both.iter().map(of).collect::<Vec<f64>>();
    rank_correlation(&side(|one| one.1), &side(|one| one.2))
}

/// Alerts among the first places of both.
fn top(ours: &Side, theirs: &Side) -> (usize, usize) {
    let first = |side: &Side| -> BTreeSet<String> {
        let mut order: Vec<(&String, &f64)> = side.scores.iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));
        order.into_iter().take(TOP).map(|(id, _)| id.clone()).collect()
    };
    let (one, two) = (first(ours), first(theirs));
    (one.intersection(&two).count(), one.len().max(two.len()))
}

#[cfg(test)]
mod tests {
    use super::{Advice, Side, compare};

    fn side(scores: &[f64], miners: &[(&str, f64, Option<&str>)]) -> Side {
        Side {
            batch: "b".to_owned(),
            rules: "v2".to_owned(),
            scores: scores.iter().enumerate().map(|(at, score)| (format!("alert {at}"), *score)).collect(),
            voices: miners.iter().filter(|one| one.1 > 0.0).map(|one| (one.0.to_owned(), one.1)).collect(),
            miners: miners.iter().map(|one| (one.0.to_owned(), one.2.map(str::to_owned))).collect(),
            pay: miners.iter().map(|one| (one.0.to_owned(), one.1)).collect(),
            ..Side::default()
        }
    }

    #[test]
    fn the_same_day_is_the_same() {
        let ours = side(&[0.1, 0.9, 0.4], &[("a", 0.6, None), ("b", 0.4, None)]);
        let told = compare(&ours, &ours.clone());
        assert_eq!((told.alerts, told.alone, told.top, told.advice), (3, (0, 0), (3, 3), Advice::Either));
        assert!(told.correlation.is_some_and(|one| (one - 1.0).abs() < 1e-12) && told.pay_apart.abs() < 1e-12);
        assert!(told.missed_here.is_empty() && told.missed_there.is_empty());
    }

    #[test]
    fn whoever_missed_a_louder_voice_is_not_the_one_to_use() {
        let ours = side(&[0.1, 0.9, 0.4], &[("a", 1.0, None), ("b", 0.0, Some("timed out"))]);
        let theirs = side(&[0.3, 0.2, 0.4], &[("a", 0.6, None), ("b", 0.4, None), ("c", 0.0, None)]);
        let told = compare(&ours, &theirs);
        assert_eq!(told.advice, Advice::Theirs);
        let missed: Vec<(&str, &str)> =
            told.missed_here.iter().map(|one| (one.hotkey.as_str(), one.why.as_str())).collect();
        assert_eq!(missed, [("b", "timed out"), ("c", "it was not asked")]);
        assert!((told.pay_apart - 0.4).abs() < 1e-12, "{}", told.pay_apart);
        assert_eq!(told.largest.map(|(id, _)| id), Some("alert 1".to_owned()));
        assert_eq!(compare(&theirs, &ours).advice, Advice::Ours);
    }

    #[test]
    fn other_batches_and_void_days_are_told() {
        let ours = side(&[0.1, 0.9], &[("a", 1.0, None)]);
        let other = Side { batch: "c".to_owned(), ..ours.clone() };
        assert_eq!(compare(&ours, &other).advice, Advice::NotComparable);
        let void = Side { set_aside: Some("void".to_owned()), ..ours.clone() };
        assert_eq!(compare(&void, &ours).advice, Advice::Theirs);
        let flat = side(&[0.5, 0.5], &[]);
        assert_eq!(compare(&ours, &flat).correlation, None);
        assert_eq!(compare(&Side::default(), &Side::default()).alerts, 0);
    }
}
