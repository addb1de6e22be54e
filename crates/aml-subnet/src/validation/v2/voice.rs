//! Whose voice counts in today's canonical scores.
//!
//! A voice is the miner's weight times its calibration times the share of the window's rounds that it delivered. It is
//! muted today when the submission shows no sign of life on the traps, when its mean score is far from the usual one, or
//! when its column is much less like what the others say than it usually is.

use std::num::NonZero;

use serde::{Deserialize, Serialize};

use crate::validation::v2::constants::Constants;
use crate::validation::v2::moments::{Pairs, pairs};
use crate::validation::v2::record::is_alive;
use crate::validation::v2::standing::Standing;

/// Products of squared lengths below this are taken as this: nobody else speaks.
const SILENCE: f64 = 1e-12;

/// A submission of today that was accepted.
#[derive(Clone, Copy, Debug)]
pub struct Today<'a> {
    /// Its column over the whole batch without traps.
    pub column: &'a [i16],
    /// Its mean score over that batch ([`mean_score`](super::calibration::mean_score)).
    pub mean: f64,
    /// Its advantage on today's traps; `None` when there are none.
    pub advantage: Option<f64>,
    /// Where its miner stands.
    pub standing: &'a Standing,
}

/// Why a miner has no voice today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Muted {
    /// No weight, no calibration or no round delivered yet.
    Unknown,
    /// No sign of life on today's traps.
    Lifeless,
    /// The mean score is too far from the usual one.
    Level,
    /// Less like the others than usual.
    Unsteady,
}

/// Who was chosen to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Those who are known, alive, at their level and steady, by their voices.
    Voices,
    /// Nobody of these: those who are known, alive and at their level, alike.
    Known,
    /// Nobody of these either: those who are alive, alike.
    Alive,
    /// Nobody at all: everybody alike.
    All,
}

/// The voices of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Voices {
    /// One a submission; they add up to 1 unless there is none.
    pub shares: Vec<f64>,
    /// Why a submission is not among those who are known, alive, at their level and steady.
    pub muted: Vec<Option<Muted>>,
    /// Who speaks.
    pub choice: Choice,
}

/// The voices of today's accepted submissions, in the order of hotkeys. What comes out does not depend on the number of
/// threads.
#[must_use]
pub fn voices(k: &Constants, today: &[Today<'_>], threads: NonZero<usize>) -> Voices {
    let known: Vec<f64> = today.iter().map(|one| one.standing.strength()).collect();
    let mut muted: Vec<Option<Muted>> = today.iter().map(|one| one.muted(k)).collect();
    let awake: Vec<f64> =
        known.iter().zip(&muted).map(|(known, muted)| if muted.is_none() { *known } else { 0.0 }).collect();
    if known.iter().any(|known| *known > 0.0) {
        let columns: Vec<&[i16]> = today.iter().map(|one| one.column).collect();
        let likeness = likeness(&pairs(&columns, threads), &awake);
        for (at, (muted, along)) in muted.iter_mut().zip(likeness).enumerate() {
            let unsteady = known[at] > 0.0 && along < k.steady * today[at].standing.usual;
            *muted = muted.or(unsteady.then_some(Muted::Unsteady));
        }
    }
    let heard = |at: usize| if muted[at].is_none() { known[at] } else { 0.0 };
    let level = |at: usize| known[at] > 0.0 && awake[at] > 0.0;
    let alike = |here: bool| if here { 1.0 } else { 0.0 };
    let choices: [(Choice, Vec<f64>); 3] = [
        (Choice::Voices, (0..today.len()).map(heard).collect()),
        (Choice::Known, (0..today.len()).map(|at| alike(level(at))).collect()),
        (Choice::Alive, today.iter().map(|one| alike(is_alive(k, one.advantage))).collect()),
    ];
    let speaks = |(_, shares): &(Choice, Vec<f64>)| shares.iter().any(|share| *share > 0.0);
    let (choice, mut shares) =
        choices.into_iter().find(speaks).unwrap_or_else(|| (Choice::All, vec![1.0; today.len()]));
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
    for (muted, known) in muted.iter_mut().zip(&known) {
        *muted = muted.or((*known <= 0.0).then_some(Muted::Unknown));
    }
    Voices { shares, muted, choice }
}

impl Today<'_> {
    /// What mutes a submission on its own.
    fn muted(&self, k: &Constants) -> Option<Muted> {
        if !is_alive(k, self.advantage) {
            return Some(Muted::Lifeless);
        }
        let usual = self.standing.level.filter(|usual| *usual > 0.0)?;
        let times = self.mean / usual;
        (times >= k.level || times <= 1.0 / k.level).then_some(Muted::Level)
    }
}

/// Uncentred correlation of each column with what the others say together, by their voices; 0 where nobody else speaks.
fn likeness(pairs: &Pairs, voices: &[f64]) -> Vec<f64> {
    let speakers: Vec<usize> = (0..voices.len()).filter(|at| voices[*at] > 0.0).collect();
    let said = |i: usize, without: Option<usize>| -> f64 {
        let others = speakers.iter().filter(|j| Some(**j) != without);
        others.map(|j| voices[*j] * pairs.get(i, *j)).sum()
    };
    let length = |without: Option<usize>| -> f64 {
        let others = speakers.iter().filter(|j| Some(**j) != without);
        others.map(|j| voices[*j] * said(*j, without)).sum()
    };
    let all = length(None);
    let along = |i: usize| {
        // What is left without a loud voice is summed by itself: a difference would be mostly rounding.
        let own = voices[i] * (2.0 * said(i, None) - voices[i] * pairs.get(i, i));
        let rest = all - own;
        let others = if voices[i] <= 0.0 {
            all
        } else if rest > all / 8.0 {
            rest
        } else {
            length(Some(i)).max(0.0)
        };
        said(i, Some(i)) / (pairs.get(i, i) * others).max(SILENCE).sqrt()
    };
    (0..voices.len()).map(along).collect()
}

/// The canonical score of each alert: the mean of raw scores, weighted by voices, summed in the order of hotkeys. Empty
/// without submissions.
///
/// # Panics
/// When submissions are not one a voice, or not of one batch.
#[must_use]
pub fn canonical(voices: &[f64], submissions: &[&[f64]]) -> Vec<f64> {
    assert_eq!(voices.len(), submissions.len(), "a voice for each submission");
    let mut scores = vec![0.0_f64; submissions.first().map_or(0, |scores| scores.len())];
    for (voice, submission) in voices.iter().zip(submissions).filter(|(voice, _)| **voice > 0.0) {
        assert_eq!(submission.len(), scores.len(), "submissions are for the same alerts");
        scores.iter_mut().zip(*submission).for_each(|(score, own)| *score += voice * own);
    }
    scores.iter_mut().for_each(|score| *score = score.clamp(0.0, 1.0));
    scores
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::{Choice, Constants, Muted, Standing, Today, canonical, voices};
    use crate::validation::v2::price::Priced;

    const K: Constants = Constants::V2;
    const FIRST: [i16; 4] = [-2048, 2048, -2048, 2048];
    const SECOND: [i16; 4] = [-2048, -2048, 2048, 2048];

    fn standing(weight: f64, usual: f64) -> Standing {
        let priced = Priced { weight, ..Priced::default() };
        Standing { priced, calibration: 0.5, level: Some(0.2), usual, part: 0.5, counted: 15 }
    }

    fn today<'a>(column: &'a [i16], standing: &'a Standing) -> Today<'a> {
        Today { column, mean: 0.2, advantage: Some(0.5), standing }
    }

    fn of(given: &[Today<'_>]) -> (Vec<f64>, Vec<Option<Muted>>, Choice) {
        let spoken = voices(&K, given, NonZero::<usize>::MIN);
        (spoken.shares, spoken.muted, spoken.choice)
    }

    #[test]
    fn voices_follow_weight_calibration_and_part() {
        let (one, two) = (standing(0.3, 0.0), standing(0.1, 0.0));
        let better = Standing { calibration: 1.0, part: 1.0, ..two };
        let (shares, muted, choice) = of(&[today(&FIRST, &one), today(&FIRST, &better)]);
        assert!((shares[0] - 0.075 / 0.175).abs() < 1e-12 && (shares[1] - 0.1 / 0.175).abs() < 1e-12);
        assert_eq!((muted, choice), (vec![None; 2], Choice::Voices));
    }

    #[test]
    fn each_reason_mutes() {
        let (known, unknown, steady) = (standing(0.3, 0.0), standing(0.0, 0.0), standing(0.3, 0.9));
        let plain = today(&FIRST, &known);
        let given = [
            plain,
            Today { advantage: Some(0.19), ..plain },
            Today { mean: 0.4, ..plain },
            Today { mean: 0.1, ..plain },
            Today { column: &SECOND, standing: &steady, ..plain },
            Today { standing: &unknown, ..plain },
            Today { mean: 0.399, advantage: None, ..plain },
        ];
        let (shares, muted, _) = of(&given);
        use Muted::{Level, Lifeless, Unknown, Unsteady};
        assert_eq!(muted, [None, Some(Lifeless), Some(Level), Some(Level), Some(Unsteady), Some(Unknown), None]);
        assert!((shares[0] - 0.5).abs() < 1e-12 && (shares[6] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_level_that_is_not_known_is_not_tested() {
        for level in [None, Some(0.0)] {
            let known = Standing { level, ..standing(0.3, 0.0) };
            assert_eq!(of(&[Today { mean: 0.9, ..today(&FIRST, &known) }]).1, [None]);
        }
    }

    #[test]
    fn when_nobody_is_left_others_speak_alike() {
        let (unsteady, unknown) = (standing(0.3, 0.9), standing(0.0, 0.0));
        let plain = today(&FIRST, &unsteady);
        let given = [plain, Today { column: &SECOND, ..plain }, Today { standing: &unknown, ..plain }];
        assert_eq!((of(&given).0, of(&given).2), (vec![0.5, 0.5, 0.0], Choice::Known));
        let given = [Today { mean: 0.9, ..plain }, Today { advantage: Some(0.0), ..plain }];
        assert_eq!((of(&given).0, of(&given).2), (vec![1.0, 0.0], Choice::Alive));
        let given = [Today { advantage: Some(0.0), ..plain }; 2];
        assert_eq!((of(&given).0, of(&given).2), (vec![0.5, 0.5], Choice::All));
        assert!(of(&[]).0.is_empty());
    }

    #[test]
    fn the_likeness_of_a_loud_voice_to_a_faint_one_is_exact() {
        // What the others say is a millionth of the whole; a difference of sums would have lost it.
        let (loud, faint) = (standing(1e8, 0.9), standing(1e-4, 0.9));
        assert_eq!(of(&[today(&FIRST, &loud), today(&FIRST, &faint)]).1, [None; 2]);
        assert_eq!(of(&[today(&FIRST, &loud), today(&SECOND, &faint)]).1, [Some(Muted::Unsteady); 2]);
    }

    #[test]
    fn canonical_scores_are_weighted_means() {
        let merged = canonical(&[0.25, 0.75, 0.0], &[&[0.0, 1.0], &[1.0, 1.0], &[0.3, 0.0]]);
        assert_eq!(merged, [0.75, 1.0]);
        assert!(canonical(&[], &[]).is_empty());
    }
}
