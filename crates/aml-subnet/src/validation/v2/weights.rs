//! The weights of the best combination of columns, with losses that keep small and doubtful ones small.

mod finish;
mod terms;

use crate::validation::v2::constants::Constants;
use finish::finish;

pub use terms::{Correlations, Loss};

/// The weights `v >= 0` that minimise `v'Rv / 2 - c'v + losses`: strictly convex, one solution.
///
/// By coordinates, in the order of columns, from `v = 0`, until no weight moves by
/// [`Constants::ENOUGH`]. When that takes more than [`Constants::SWEEPS`] sweeps, which it does where columns are nearly one
/// and lose next to nothing, the rest is solved exactly.
///
/// # Panics
/// When `correlations`, `pulls` (`c`) and `losses` are not of as many columns.
#[must_use]
pub fn combine(correlations: &Correlations, pulls: &[f64], losses: &[Loss]) -> Vec<f64> {
    let columns = correlations.columns();
    assert!(pulls.len() == columns && losses.len() == columns, "a pull and a loss for each column");
    let mut weights = vec![0.0; columns];
    // What the other weights leave of each pull, its own weight taken out.
    let mut rests = pulls.to_vec();
    for _ in 0..Constants::SWEEPS {
        let mut most = 0.0_f64;
        for i in 0..columns {
            let weight: f64 = losses[i].rest(rests[i] + weights[i]);
            let change = weight - weights[i];
            if change.abs() > 0.0 {
                rests.iter_mut().zip(correlations.row(i)).for_each(|(rest, with)| *rest -= change * with);
                weights[i] = weight;
                most = most.max(change.abs());
            }
        }
        if most < Constants::ENOUGH {
            return weights;
        }
    }
    finish(correlations, pulls, losses, &weights).unwrap_or(weights)
}

#[cfg(test)]
mod tests {
    use super::{Correlations, Loss, combine};

    const LOSS: Loss = Loss { step: 0.01, knee: 0.005, tail: 0.0125 };

    #[test]
    fn one_column_rests_where_its_loss_meets_its_pull() {
        let alone = |pull: f64| combine(&Correlations::new(1, |_, _| 0.0), &[pull], &[LOSS])[0];
        assert!(alone(-0.1).abs() < f64::MIN_POSITIVE);
        assert!((alone(0.009) - 0.003).abs() < 1e-15, "below the knee: r / (1 + g)");
        assert!((alone(0.015) - 0.005).abs() < 1e-15, "at the knee");
        assert!((alone(0.34) - (0.34 - 0.01 * 0.9875) / 1.025).abs() < 1e-15, "beyond it");
    }

    #[test]
    fn columns_that_say_the_same_and_lose_nothing_share_alike() {
        let loss = Loss { step: 1e-5, ..LOSS };
        let correlations = Correlations::new(3, |i, j| if i + j == 3 { 1.0 } else { 0.3 });
        let weights = combine(&correlations, &[0.3, 0.2, 0.2], &[LOSS, loss, loss]);
        assert!((weights[1] - weights[2]).abs() < 1e-12, "{weights:?}");
        // Together they weigh what one of them would with half the slope beyond the knee.
        let half = Loss { tail: 0.0125, step: 1e-5, knee: 0.01 };
        let one = combine(&Correlations::new(2, |_, _| 0.3), &[0.3, 0.2], &[LOSS, half]);
        assert!((weights[1] + weights[2] - one[1]).abs() < 1e-9 && (weights[0] - one[0]).abs() < 1e-9);
    }

    #[test]
    fn slopes_vanish_where_there_is_weight_and_push_where_there_is_none() {
        let columns = 12;
        let correlation = |i: usize, j: usize| 0.9 / (1.0 + (i as f64 - j as f64).abs());
        let correlations = Correlations::new(columns, correlation);
        let pulls: Vec<f64> = (0..columns).map(|i| 0.02 * (i as f64 - 3.0)).collect();
        let weights = combine(&correlations, &pulls, &vec![LOSS; columns]);
        for (i, with) in correlations.times(&weights).into_iter().enumerate() {
            let full = weights[i] / LOSS.knee;
            let loss = LOSS.step * if full <= 1.0 { full } else { 1.0 + LOSS.tail * (full - 1.0) };
            let slope = with - pulls[i] + loss;
            assert!(if weights[i] > 0.0 { slope.abs() < 1e-10 } else { slope > -1e-10 }, "{i}: {slope}");
        }
    }
}
