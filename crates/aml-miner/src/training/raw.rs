//! Raw scores of labelled rows by our own trees, and the halves of days that a curve is chosen on.

use crate::models::bundle::CodeBook;
use crate::training::samples::Samples;
use crate::trees::forest::Forest;

/// Raw scores by our own trees, a row each; values of categories go by the model's code book.
#[must_use]
pub fn raw_scores(forest: &Forest, codes: &CodeBook, samples: &Samples) -> Vec<f64> {
    let mut raw = vec![0.0; samples.len()];
    let mut rest = raw.as_mut_slice();
    for day in &samples.days {
        let (here, after) = rest.split_at_mut(day.rows.len());
        match codes.is_empty() {
            true => forest.raw_into(day.matrix.values(), here),
            false => forest.raw_into(&codes.translate(day.matrix.values(), forest.features()), here),
        }
        rest = after;
    }
    raw
}

/// Every other day belongs to the other half; every other row where there is one day only.
#[must_use]
pub fn halves(samples: &Samples) -> Vec<bool> {
    let one = samples.days.len() == 1;
    let days = samples.days.iter().enumerate();
    days.flat_map(|(index, day)| (0..day.rows.len()).map(move |row| if one { row % 2 == 0 } else { index % 2 == 0 }))
        .collect()
}
