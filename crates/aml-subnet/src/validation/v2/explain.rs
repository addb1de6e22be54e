//! Why a miner is paid what it is paid, in words: from numbers alone, for pages, the command line and JSON.
//!
//! Names nobody: who says the same is counted, not told.

use crate::validation::v2::constants::Constants;
use crate::validation::v2::record::Tiers;
use crate::validation::v2::standing::Standing;
use crate::validation::v2::weights::{Correlations, Loss, combine};

/// Part of what a column could tell alone, below which others are said to tell it too.
const MOSTLY_SAID: f64 = 0.5;
/// Mass below which a knee is said to be shared.
const SHARED: f64 = 0.9;
/// Calibration and traps below which they are worth mending.
const MENDABLE: f64 = 0.7;

/// What is known of a miner on one day.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where it stands.
    pub standing: &'a Standing,
    /// What its newest rounds say.
    pub tiers: &'a Tiers,
    /// Its share of the day's pay.
    pub share: f64,
    /// Its part of the newcomers' pool, 0 to 1.
    pub newcomer: f64,
    /// Rounds of the last thirty days in which it was asked and its answer did not count here.
    pub missed: usize,
    /// The window that it was measured by.
    pub window: Window,
}

/// What a window knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Whether enough outcomes are known.
    pub known: bool,
    /// Outcomes, an address counting once.
    pub outcomes: f64,
    /// Illicit ones among them.
    pub illicit: f64,
}

/// A sentence about a miner, and a word for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it is about.
    pub about: About,
    /// For people.
    pub text: String,
}

/// What a sentence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Too few outcomes are known of anybody.
    NothingKnown,
    /// It has few rounds with outcomes.
    Newcomer,
    /// It does not put traps where they belong.
    NoSignOfLife,
    /// It counted in none of the newest rounds.
    Gone,
    /// What it tells cannot be told from chance.
    Chance,
    /// Others tell what it tells.
    SaidByOthers,
    /// What it is paid for.
    Paid,
    /// What would raise its pay.
    Raise,
    /// Why another validator may pay it differently.
    Differs,
}

impl About {
    /// As programs read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NothingKnown => "nothing_known",
            Self::Newcomer => "newcomer",
            Self::NoSignOfLife => "no_sign_of_life",
            Self::Gone => "gone",
            Self::Chance => "chance",
            Self::SaidByOthers => "said_by_others",
            Self::Paid => "paid",
            Self::Raise => "raise",
            Self::Differs => "differs",
        }
    }
}

/// What is to be said, in the order in which a person would want it.
#[must_use]
pub fn explain(k: &Constants, facts: &Facts<'_>) -> Vec<Sentence> {
    let told: [Option<Sentence>; 9] = [
        nothing_known(k, facts),
        newcomer(k, facts),
        no_sign_of_life(k, facts),
        gone(k, facts),
        chance(k, facts),
        said_by_others(k, facts),
        paid(k, facts),
        raise(k, facts),
        differs(facts),
    ];
    told.into_iter().flatten().collect()
}

/// What a newcomer may expect, whoever it is.
#[must_use]
pub fn first_days(k: &Constants) -> String {
    format!(
        "The first ten days: outcomes become known {} to {} days after a round, so nothing that you tell is paid before the second week. \
         Until {} of your rounds have outcomes you have a newcomer's share, {} of the day's pay ({} for all newcomers together), as \
         long as you pass the traps. It keeps a registration from being pruned; compare it with the price of one.",
        k.earliest,
        k.latest,
        k.few,
        percent(k.newcomer),
        percent(k.newcomers),
    )
}

fn sentence(about: About, text: String) -> Option<Sentence> {
    Some(Sentence { about, text })
}

fn percent(share: f64) -> String {
    let digits = if share >= 0.1 { 1 } else { 2 };
    let text = format!("{:.digits$}", 100.0 * share);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} %")
}

fn nothing_known(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let Window { known, outcomes, illicit } = facts.window;
    let clean = outcomes - illicit;
    let text = format!(
        "Too little is known to pay anybody for what scores tell: {illicit:.0} illicit and {clean:.0} clean outcomes (an address counts \
         once), {:.0} of each are needed. Until then only newcomers are paid.",
        k.least
    );
    (!known).then_some(()).and_then(|()| sentence(About::NothingKnown, text))
}

fn newcomer(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let counted = facts.standing.counted;
    if counted >= k.few {
        return None;
    }
    let share = match facts.newcomer {
        0.0 => "It has no newcomer's share today.".to_owned(),
        part if part < 1.0 => {
            format!("It shares a newcomer's {} of pay with others of the very same order.", percent(k.newcomer))
        }
        _ => format!("It has a newcomer's share, up to {} of pay.", percent(k.newcomer)),
    };
    sentence(About::Newcomer, format!("Newcomer: {counted} of {} rounds with outcomes. {share}", k.few))
}

fn no_sign_of_life(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let traps = facts.tiers.traps.filter(|traps| *traps < k.worthy)?;
    let text = format!(
        "No sign of life on traps: over the last {} days it put them {:.2} better than chance, {:.2} is needed (1 is perfect). Nothing is paid \
         below that.",
        k.days, traps, k.worthy
    );
    sentence(About::NoSignOfLife, text)
}

fn gone(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    (facts.tiers.lately <= 0.0).then_some(())?;
    let text =
        format!("In none of the newest {} rounds did it count and show a sign of life: nothing is paid.", k.lately);
    sentence(About::Gone, text)
}

fn chance(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let priced = &facts.standing.priced;
    if !facts.window.known || priced.beyond > 0.0 || facts.standing.counted == 0 {
        return None;
    }
    let text = format!(
        "Too little to tell from chance: its order goes with the outcomes by {:.4}, and up to {:.4} is chance ({} standard errors).",
        priced.correlation,
        k.z / facts.window.outcomes.sqrt(),
        k.z
    );
    sentence(About::Chance, text)
}

/// The part of its points that a column has beside the others, of those that it would have alone.
fn kept(k: &Constants, facts: &Facts<'_>) -> Option<f64> {
    let priced = &facts.standing.priced;
    if priced.beyond <= 0.0 || facts.window.outcomes <= 0.0 {
        return None;
    }
    let loss = Loss { step: k.h / facts.window.outcomes.sqrt(), knee: k.knee, tail: k.tail };
    let alone = combine(&Correlations::new(1, |_, _| 0.0), &[priced.beyond], &[loss]).first().copied()?;
    (alone > 0.0).then(|| priced.standard_weight / alone)
}

fn said_by_others(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let (kept, mass) = (kept(k, facts)?, facts.standing.priced.mass);
    let shared = mass > 0.0 && mass < SHARED;
    if kept >= MOSTLY_SAID && !shared {
        return None;
    }
    let told = format!(
        "Says what others say: {} of what its scores would be worth alone is said by nobody else.",
        percent(kept.clamp(0.0, 1.0))
    );
    let others = (1.0 / mass - 1.0).round().max(1.0);
    let plural = if others > 1.0 { "others" } else { "other" };
    let crowd = if shared { format!(" It is alike beyond that with {others:.0} {plural}.") } else { String::new() };
    sentence(About::SaidByOthers, told + &crowd)
}

fn paid(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let (standing, tiers) = (facts.standing, facts.tiers);
    if facts.share <= 0.0 || standing.priced.points <= 0.0 {
        return None;
    }
    let text = format!(
        "Paid {} for this: {:.6} points for what it tells, times {:.2} quality (tier 1 {:.2}, traps {:.2}, calibration {:.2}), in {} of the newest rounds.",
        percent(facts.share),
        standing.priced.points,
        tiers.quality(k, standing.calibration),
        tiers.tier1,
        tiers.traps.unwrap_or(0.0),
        standing.calibration,
        percent(tiers.lately),
    );
    sentence(About::Paid, text)
}

/// The one thing that would raise pay most; the first that applies.
fn raise(k: &Constants, facts: &Facts<'_>) -> Option<Sentence> {
    let (standing, tiers) = (facts.standing, facts.tiers);
    let what = if tiers.lately < 1.0 {
        "answer every round in time: pay goes with the newest rounds in which you counted and were alive"
    } else if tiers.traps.is_some_and(|traps| traps < k.worthy) {
        "score all alerts of a task by your model: traps are alerts like any other, with outcomes that a model should see"
    } else if !facts.window.known {
        "answer every day: what you tell now is paid when outcomes are known"
    } else if standing.priced.beyond <= 0.0 {
        "a model that knows more: other features, more labels"
    } else if kept(k, facts).is_some_and(|kept| kept < MOSTLY_SAID) {
        "something that others do not say: other data, other features, labels of your own"
    } else if standing.calibration < MENDABLE {
        "calibrated scores: of the alerts scored 0.3, three in ten should be illicit"
    } else if tiers.traps.is_some_and(|traps| traps < MENDABLE) {
        "a model that also sees the alerts that everybody else sees: traps are drawn from these"
    } else {
        "more of the same: what nobody else tells is what pays"
    };
    sentence(About::Raise, format!("What would raise it: {what}."))
}

fn differs(facts: &Facts<'_>) -> Option<Sentence> {
    let text = match facts.missed {
        0 => return None,
        1 => "Here 1 answer of the last thirty days is missing or did not count".to_owned(),
        missed => format!("Here {missed} answers of the last thirty days are missing or did not count"),
    };
    let text = format!("{text}: a validator that has them pays differently.");
    sentence(About::Differs, text)
}

#[cfg(test)]
mod tests {
    use super::{About, Facts, Window, explain, first_days};
    use crate::validation::v2::constants::Constants;
    use crate::validation::v2::price::Priced;
    use crate::validation::v2::record::Tiers;
    use crate::validation::v2::standing::Standing;

    const K: Constants = Constants::V2;
    const WINDOW: Window = Window { known: true, outcomes: 10_000.0, illicit: 800.0 };

    fn standing() -> Standing {
        let priced =
            Priced { correlation: 0.36, beyond: 0.34, standard_weight: 0.3, weight: 0.3, mass: 1.0, points: 0.102 };
        Standing { priced, calibration: 0.9, level: Some(0.1), usual: 0.4, part: 1.0, counted: 30 }
    }

    fn tiers() -> Tiers {
        Tiers { tier1: 1.0, traps: Some(0.8), lately: 1.0 }
    }

    fn said(standing: &Standing, tiers: &Tiers, change: impl Fn(Facts<'_>) -> Facts<'_>) -> Vec<(About, String)> {
        let facts = Facts { standing, tiers, share: 0.2, newcomer: 0.0, missed: 0, window: WINDOW };
        explain(&K, &change(facts)).into_iter().map(|one| (one.about, one.text)).collect()
    }

    #[track_caller]
    fn must_say(said: &[(About, String)], about: About, text: &str) {
        let found = said.iter().find(|one| one.0 == about);
        assert!(found.is_some_and(|one| one.1.contains(text)), "{said:?} should say of {about:?}: {text}");
    }

    #[test]
    fn who_is_paid_hears_for_what_and_what_would_raise_it() {
        let all = said(&standing(), &tiers(), |facts| facts);
        assert_eq!(all.iter().map(|one| one.0).collect::<Vec<_>>(), [About::Paid, About::Raise]);
        must_say(&all, About::Paid, "Paid 20 % for this: 0.102000 points for what it tells, times 0.89 quality");
        must_say(&all, About::Raise, "more of the same");
    }

    #[test]
    fn newcomers_hear_how_far_they_are() {
        let new = Standing { counted: 3, priced: Priced::default(), ..standing() };
        let all = said(&new, &tiers(), |facts| Facts { newcomer: 1.0, share: 0.001, ..facts });
        must_say(
            &all,
            About::Newcomer,
            "Newcomer: 3 of 20 rounds with outcomes. It has a newcomer's share, up to 0.1 % of pay.",
        );
        must_say(
            &said(&new, &tiers(), |facts| Facts { newcomer: 0.5, ..facts }),
            About::Newcomer,
            "with others of the very same order",
        );
        must_say(&said(&new, &tiers(), |facts| facts), About::Newcomer, "no newcomer's share today");
        assert!(
            first_days(&K)
                .contains("Until 20 of your rounds have outcomes you have a newcomer's share, 0.1 % of the day's pay")
        );
    }

    #[test]
    fn no_sign_of_life_is_said_with_what_is_needed() {
        let lifeless = Tiers { traps: Some(0.12), ..tiers() };
        let all = said(&standing(), &lifeless, |facts| Facts { share: 0.0, ..facts });
        must_say(&all, About::NoSignOfLife, "it put them 0.12 better than chance, 0.25 is needed");
        must_say(&all, About::Raise, "traps are alerts like any other");
        let gone = said(&standing(), &Tiers { lately: 0.0, ..tiers() }, |facts| Facts { share: 0.0, ..facts });
        must_say(&gone, About::Gone, "In none of the newest 7 rounds");
        must_say(&gone, About::Raise, "answer every round in time");
    }

    #[test]
    fn chance_is_said_in_numbers() {
        let priced = Priced { correlation: 0.015, ..Priced::default() };
        let all = said(&Standing { priced, ..standing() }, &tiers(), |facts| Facts { share: 0.0, ..facts });
        must_say(&all, About::Chance, "by 0.0150, and up to 0.0200 is chance (2 standard errors)");
        must_say(&all, About::Raise, "a model that knows more");
    }

    #[test]
    fn what_others_say_is_said_with_their_number_and_without_their_names() {
        let priced = Priced { standard_weight: 0.02, mass: 0.25, ..standing().priced };
        let all = said(&Standing { priced, ..standing() }, &tiers(), |facts| facts);
        must_say(&all, About::SaidByOthers, "is said by nobody else. It is alike beyond that with 3 others.");
        must_say(&all, About::Raise, "something that others do not say");
        let alone = Priced { standard_weight: 0.02, ..standing().priced };
        let all = said(&Standing { priced: alone, ..standing() }, &tiers(), |facts| facts);
        assert!(all.iter().all(|one| !one.1.contains("alike")), "{all:?}");
        let one_other = Priced { mass: 0.5, ..standing().priced };
        must_say(
            &said(&Standing { priced: one_other, ..standing() }, &tiers(), |facts| facts),
            About::SaidByOthers,
            "with 1 other.",
        );
    }

    #[test]
    fn weak_calibration_and_traps_are_named() {
        let all = said(&Standing { calibration: 0.3, ..standing() }, &tiers(), |facts| facts);
        must_say(&all, About::Raise, "calibrated scores");
        must_say(
            &said(&standing(), &Tiers { traps: Some(0.5), ..tiers() }, |facts| facts),
            About::Raise,
            "traps are drawn from these",
        );
    }

    #[test]
    fn too_few_outcomes_are_said_to_everybody() {
        let window = Window { known: false, outcomes: 500.0, illicit: 40.0 };
        let priced = Priced::default();
        let all = said(&Standing { priced, ..standing() }, &tiers(), |facts| Facts { window, share: 0.0, ..facts });
        must_say(
            &all,
            About::NothingKnown,
            "40 illicit and 460 clean outcomes (an address counts once), 100 of each are needed",
        );
        must_say(&all, About::Raise, "answer every day");
        assert!(all.iter().all(|one| one.0 != About::Chance));
    }

    #[test]
    fn what_this_validator_missed_is_why_another_pays_differently() {
        must_say(&said(&standing(), &tiers(), |facts| Facts { missed: 2, ..facts }), About::Differs, "Here 2 answers");
        must_say(
            &said(&standing(), &tiers(), |facts| Facts { missed: 1, ..facts }),
            About::Differs,
            "Here 1 answer of",
        );
    }
}
