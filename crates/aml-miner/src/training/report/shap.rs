//! Which features move the scores: exact contributions of a sample of rows, summed up.

use serde::Serialize;

use crate::training::samples::Samples;
use crate::training::shelf::Model;
use crate::trees::contributions::Explainer;

/// Rows that are explained.
const ROWS: usize = 500;

/// What a feature contributes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShapLine {
    /// Name of the feature.
    pub feature: String,
    /// Mean of the absolute contributions, in the units of the raw score.
    pub mean_absolute: f64,
    /// From -1 to 1: whether larger values of the feature go with larger contributions.
    pub direction: f64,
}

/// The `listed` features with the largest mean absolute contribution over evenly spaced rows. Empty for a model too large
/// to be explained.
pub(super) fn summary(shelved: &Model, file: &[u8], samples: &Samples, listed: usize) -> Vec<ShapLine> {
    let Ok(model) = crate::trees::read(file) else { return Vec::new() };
    let Ok(explainer) = Explainer::new(&model) else { return Vec::new() };
    let columns = samples.schema.features.len();
    let all = samples.days.iter().flat_map(|day| (0..day.matrix.rows()).map(|row| day.matrix.row(row)));
    let values: Vec<f64> = all.step_by(samples.len().div_ceil(ROWS).max(1)).flatten().copied().collect();
    let mut contributions = vec![0.0; values.len()];
    explainer.contributions_into(&shelved.codes.translate(&values, columns), &mut contributions);
    let column = |of: &[f64], index: usize| -> Vec<f64> { of.iter().skip(index).step_by(columns).copied().collect() };
    let mut lines: Vec<ShapLine> = (0..columns)
        .map(|index| {
            let (seen, impact) = (column(&values, index), column(&contributions, index));
            ShapLine {
                feature: samples.schema.features[index].clone(),
                mean_absolute: mean(impact.iter().map(|value| value.abs())),
                direction: correlation(&seen, &impact),
            }
        })
        .filter(|line| line.mean_absolute > 0.0)
        .collect();
    lines.sort_by(|a, b| b.mean_absolute.total_cmp(&a.mean_absolute).then_with(|| a.feature.cmp(&b.feature)));
    lines.truncate(listed);
    lines
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred rows")]
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

/// Pearson's correlation over the rows where the feature is there; 0 where it does not vary.
fn correlation(values: &[f64], impacts: &[f64]) -> f64 {
    let present = || values.iter().zip(impacts).filter(|(value, _)| value.is_finite());
    let (mean_value, mean_impact) =
        (mean(present().map(|(value, _)| *value)), mean(present().map(|(_, impact)| *impact)));
    let (mut both, mut of_value, mut of_impact) = (0.0, 0.0, 0.0);
    for (value, impact) in present() {
        let (a, b) = (value - mean_value, impact - mean_impact);
        both += a * b;
        of_value += a * a;
        of_impact += b * b;
    }
    let scale = (of_value * of_impact).sqrt();
    if scale.is_normal() { (both / scale).clamp(-1.0, 1.0) } else { 0.0 }
}
