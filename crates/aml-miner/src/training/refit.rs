//! Fitted once more on everything known.
//!
//! The split judges a recipe: it leaves out weeks and addresses so that nothing is known twice, and what it leaves out is lost to
//! the model that learnt from it. So the model that is kept is fitted once more: for as many rounds as the split chose, times the root of
//! how many times as many rows there are, under the curve of the split. What that is worth is measured too: the same is done with what
//! was known at the beginning of the test period, and judged on that period.

use crate::digest::Digest;
use crate::models::bundle::ModelKind;
use crate::training::assemble::Assembled;
use crate::training::config::Refit;
use crate::training::evaluation::{Judging, date_text, evaluate};
use crate::training::fit::{Fit, FitError, again};
use crate::training::record::{Judged, Refitted};
use crate::training::returning;
use crate::training::samples::{DAY_MS, Samples};
use crate::training::session::Session;
use crate::training::split::Split;

/// Most rounds, however many rows there are.
const MAX_ROUNDS: f64 = 20_000.0;

/// A model that was fitted once more.
pub struct Again {
    /// The model that is kept.
    pub fit: Fit,
    /// LightGBM's text of the model that was judged.
    pub judged_text: String,
    /// What goes on record.
    pub record: Refitted,
}

/// The rows of `samples` that could be learnt from when the day `first` began, and how many of earlier days could not.
#[must_use]
pub fn known(samples: &Samples, first: i32) -> (Samples, usize) {
    let mut not_known = 0;
    let days = samples.days.iter().filter(|day| day.date < first).map(|day| {
        let mut kept = day.clone();
        kept.retain(|row| row.known_at < i64::from(first) * DAY_MS);
        not_known += day.rows.len() - kept.rows.len();
        kept
    });
    let days = days.collect();
    (samples.with_days(days), not_known)
}

/// Fits `honest`, the model of `split`, once more; `None` where the configuration does not want it, or it was told to stop.
///
/// # Errors
/// When LightGBM refuses.
pub fn refit(
    session: &Session<'_>,
    kind: ModelKind,
    assembled: &Assembled,
    split: &Split,
    honest: &Fit,
) -> Result<Option<Again>, FitError> {
    if session.config.training.refit == Refit::None || honest.raised.grown.interrupted {
        return Ok(None);
    }
    let once_more = |rows: &Samples| {
        let learnt = returning::learnt(rows, session.config.training.returning_addresses).len();
        let rounds = rounds(honest, learnt);
        again(session.settings(kind), rows, rounds, honest.choice.as_ref(), session.watch)
    };
    let known_by = split.periods.test.0;
    let judged = once_more(&known(&assembled.samples, known_by).0)?;
    let (rows, not_known) = match session.config.training.refit {
        Refit::All => (assembled.samples.clone(), 0),
        Refit::Known | Refit::None => known(&assembled.samples, assembled.until.saturating_add(1)),
    };
    let fit = once_more(&rows)?;
    if judged.raised.grown.interrupted || fit.raised.grown.interrupted {
        session.watch.note("stopped before it was fitted on everything known: the model of the split is kept");
        return Ok(None);
    }
    let (first, last) = rows.period().unwrap_or_default();
    let record = Refitted {
        first: date_text(first),
        last: date_text(last),
        rows: fit.raised.rows,
        positives: fit.raised.positives,
        not_known,
        rounds: fit.raised.grown.rounds,
        model_sha256: Digest::of(fit.raised.grown.model_text.as_bytes()),
        judged: measured(session, kind, split, &judged),
    };
    Ok(Some(Again { fit, judged_text: judged.raised.grown.model_text, record }))
}

/// The model that was fitted on what was known when the test period began, on that period.
fn measured(session: &Session<'_>, kind: ModelKind, split: &Split, judged: &Fit) -> Judged {
    let judging = Judging { config: &session.config.evaluation, seed: session.config.seed };
    let base_rate = share(judged.raised.positives, judged.raised.rows);
    Judged {
        known_by: date_text(split.periods.test.0),
        rows: judged.raised.rows,
        positives: judged.raised.positives,
        rounds: judged.raised.grown.rounds,
        sha256: Digest::of(judged.raised.grown.model_text.as_bytes()),
        test: evaluate(&split.test, judged.answers(&split.test), kind.is_probability(), base_rate, judging),
    }
}

/// As many rounds as the split chose, times the root of how many times as many rows there are. On later days of simulated seeds the root
/// did better than the number of times itself, and as well as no more rounds at all (`scripts/feature_value.sh --power 0 0.5 1`).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "kept within a few thousand"
)]
fn rounds(honest: &Fit, rows: usize) -> u32 {
    let times = rows as f64 / honest.raised.rows.max(1) as f64;
    let scaled = honest.raised.grown.rounds as f64 * times.sqrt();
    scaled.round().clamp(1.0, MAX_ROUNDS) as u32
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(positives: usize, rows: usize) -> f64 {
    positives as f64 / rows.max(1) as f64
}
