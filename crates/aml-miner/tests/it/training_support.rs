//! Seeded samples for the tests of training: a signal, noise, days, addresses.

use aml_miner::features::{Matrix, RowKind, Schema};
use aml_miner::training::samples::{DAY_MS, Day, Row, Samples};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// First day of the made-up samples.
pub(crate) const FIRST_DAY: i32 = 20_000;

/// `days` days of `rows` rows: two informative columns, one of noise, one often missing; labels known after a week.
pub(crate) fn samples(days: i32, rows: usize, seed: u64) -> Samples {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let days = (FIRST_DAY..FIRST_DAY + days).map(|date| day(date, rows, &mut random)).collect();
    let features = ["signal", "second", "noise", "sparse"].map(str::to_owned).to_vec();
    Samples {
        schema: Schema { version: 1, rows: RowKind::Alert, features },
        kinds: vec!["layering".into(), "fan_in".into()],
        days,
    }
}

fn day(date: i32, rows: usize, random: &mut ChaCha8Rng) -> Day {
    let (mut values, mut about) = (Vec::new(), Vec::new());
    for index in 0..rows {
        let [a, b, noise, chance, luck]: [f64; 5] = std::array::from_fn(|_| random.random_range(0.0..1.0));
        let illicit = chance < 1.0 / (1.0 + (-(6.0 * a + 3.0 * b - 6.0)).exp());
        let sparse = if luck < 0.5 { f64::NAN } else { noise * a };
        values.extend([a, b, noise, sparse]);
        about.push(Row {
            id: format!("{date}-{index}"),
            addresses: Box::new(
                [u32::try_from(date).expect("positive") * 100_000 + u32::try_from(index).expect("few")],
            ),
            illicit,
            relevance: if illicit { 2 } else { u8::from(a > 0.7) },
            known_at: i64::from(date + 7) * DAY_MS,
            baseline: 0.5 * a + 0.5 * noise,
            kind: u16::from(b > 0.5),
        });
    }
    Day { date, matrix: Matrix::from_rows(4, values), rows: about }
}
