//! Probabilities on days that the curve was not learned from: five worlds of a hundred days whose miners blow their scores up.
//! `cargo nextest run … readers_calibration --no-capture` prints what was measured.

use std::collections::HashMap;

use aml_subnet::readers::calibration::{Calibration, Known, calibrate};
use aml_subnet::readers::reliability::{Reliability, reliability};

use crate::rules_v2_world::{Miner, World, logit, play, sigmoid};

/// From here on days are measured.
const FROM: usize = 60;
const DAYS: usize = 100;

/// What was told on the measured days, and what came.
struct Measured {
    told: Reliability,
    raw: Reliability,
}

/// Canonical scores of honest miners that each blow their scores up: to the power `scale` of the odds, times e to the `shift`.
fn canonical(seed: u64, blown: impl Fn(f64) -> (f64, f64)) -> (World, Vec<Vec<f64>>) {
    let mut world = World::new(seed, DAYS);
    let mut miners: Vec<Miner> = world.honest(5);
    for (number, miner) in (0_u8..).zip(&mut miners) {
        let (scale, shift) = blown(f64::from(number));
        miner.scores.iter_mut().flatten().for_each(|score| *score = sigmoid(scale * logit(*score) + shift));
    }
    let (_, days) = play(&world, &miners, 0);
    (world, days.into_iter().map(|day| day.canonical).collect())
}

fn learned(world: &World, scores: &[Vec<f64>], today: usize) -> Calibration {
    let (mut known, mut numbers) = (Vec::new(), HashMap::new());
    let days = world.batches.iter().zip(scores).take(today).skip(today.saturating_sub(60));
    for (batch, scores) in days {
        for (place, score) in scores.iter().enumerate() {
            let by_then = batch.known[place].is_some_and(|known| known <= i64::try_from(today).expect("few"));
            if by_then {
                let next = u32::try_from(numbers.len()).expect("few");
                let address = *numbers.entry(batch.addresses[place]).or_insert(next);
                known.push(Known { score: *score, illicit: batch.illicit[place], address });
            }
        }
    }
    calibrate("measured", 0, Vec::new(), known)
}

fn measured(seed: u64, blown: impl Fn(f64) -> (f64, f64)) -> Measured {
    let (world, scores) = canonical(seed, blown);
    let (mut told, mut raw) = (Vec::new(), Vec::new());
    for today in FROM..DAYS {
        let curve = learned(&world, &scores, today);
        assert!(curve.is_known() && curve.problem().is_none(), "day {today}: {curve:?}");
        let batch = &world.batches[today];
        for place in (0..scores[today].len()).filter(|place| batch.known[*place].is_some()) {
            let (score, came) = (scores[today][place], batch.illicit[place]);
            told.push((curve.told(score, 0.0).expect("known").probability, came));
            raw.push((score, came));
        }
    }
    let held = |pairs: &[(f64, bool)]| reliability(pairs).expect("thousands");
    Measured { told: held(&told), raw: held(&raw) }
}

/// Means over worlds.
struct Means {
    told: f64,
    raw: f64,
    top: f64,
    resolution: f64,
    raw_resolution: f64,
}

fn means(what: &str, all: &[Measured]) -> Means {
    let mean = |part: &dyn Fn(&Measured) -> f64| all.iter().map(part).sum::<f64>() / all.len() as f64;
    let means = Means {
        told: mean(&|one| one.told.error),
        raw: mean(&|one| one.raw.error),
        top: mean(&|one| (one.told.top.told - one.told.top.came).abs()),
        resolution: mean(&|one| one.told.resolution),
        raw_resolution: mean(&|one| one.raw.resolution),
    };
    let outcomes: Vec<u64> = all.iter().map(|one| one.told.outcomes).collect();
    println!(
        "{what}: calibration error {:.4} (raw scores {:.4}), top tenth {:.4} (raw {:.4}), resolution {:.5} (raw {:.5}), Brier {:.4} \
         (raw {:.4}), outcomes {outcomes:?}",
        means.told,
        means.raw,
        means.top,
        mean(&|one| (one.raw.top.told - one.raw.top.came).abs()),
        means.resolution,
        means.raw_resolution,
        mean(&|one| one.told.brier),
        mean(&|one| one.raw.brier),
    );
    assert!(all.iter().all(|one| one.told.outcomes >= 5_000), "enough to tell");
    means
}

#[test]
fn probabilities_hold_where_all_miners_tell_too_much() {
    let alike = |number: f64| (0.5 + 0.02 * number, 1.2 + 0.05 * number);
    let all: Vec<Measured> = (1..=5).map(|seed| measured(seed, alike)).collect();
    let held = means("all tell too much", &all);
    assert!(held.raw > 0.1, "what is to be mended is large: {}", held.raw);
    assert!(held.told < 0.03 && held.top < 0.06, "{} {}", held.told, held.top);
    assert!(held.resolution >= 0.97 * held.raw_resolution, "{} {}", held.resolution, held.raw_resolution);
}

#[test]
fn probabilities_hold_while_voices_move() {
    // The first weeks are a plain mean; then those speak whose level is right, and the level of all falls.
    let apart = |number: f64| (0.55 + 0.1 * number, 1.4 - 0.3 * number);
    let all: Vec<Measured> = (1..=3).map(|seed| measured(seed, apart)).collect();
    let held = means("voices move", &all);
    assert!(held.told < 0.03 && held.told < held.raw, "{} {}", held.told, held.raw);
}
