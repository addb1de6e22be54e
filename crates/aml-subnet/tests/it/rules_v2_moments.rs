//! Moments of rules v2: the formula, absences, multiplicities, extremes, threads.

use std::num::NonZero;

use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::moments::{Moments, pairs};
use aml_subnet::validation::v2::once::{Outcome, Weighed, weigh};
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::price::price;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use crate::rules_v2_kit::K;
use crate::rules_v2_world::Noise;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;

fn column(scores: &[f64]) -> Vec<i16> {
    Worths::new(None, scores.len()).column(&Order::of(scores))
}

#[track_caller]
fn must_be_near(given: impl IntoIterator<Item = f64>, wanted: &[f64], most: f64) {
    let given: Vec<f64> = given.into_iter().collect();
    assert_eq!(given.len(), wanted.len());
    assert!(given.iter().zip(wanted).all(|(one, two)| (one - two).abs() <= most), "{given:?} is not {wanted:?}");
}

/// A round's outcomes and columns, some of them absent, some of the largest values that 16 bits hold.
struct Given {
    outcomes: Vec<Weighed>,
    columns: Vec<Option<Vec<i16>>>,
}

fn round(noise: &mut Noise, columns: usize) -> Given {
    let alerts = 2 + noise.below(700);
    let times = 1 + noise.below(12);
    let outcome = |place: usize, noise: &mut Noise| Weighed {
        times: 1 + u32::try_from(noise.below(times)).expect("few"),
        place: u32::try_from(place).expect("few"),
        illicit: noise.share() < 0.5,
    };
    let mut outcomes: Vec<Weighed> = (0..alerts).map(|place| outcome(place, noise)).collect();
    noise.shuffle(&mut outcomes);
    outcomes.truncate(1 + alerts / 2);
    let value = |wide: bool, noise: &mut Noise| {
        let largest = if wide { 32_768.0 } else { 5000.0 };
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let value = (largest * (2.0 * noise.share() - 1.0) * 1.5) as i16;
        value
    };
    let columns = (0..columns)
        .map(|_| {
            let wide = noise.share() < 0.3;
            (noise.share() < 0.8).then(|| (0..alerts).map(|_| value(wide, noise)).collect())
        })
        .collect();
    Given { outcomes, columns }
}

/// The formula as it is written, in the order of the outcomes: `(P[i,j], p[i])`.
fn plain(rounds: &[Given], i: usize, j: usize) -> (f64, f64) {
    let (mut cross, mut told) = (0.0, 0.0);
    for Given { outcomes, columns } in rounds {
        let illicit = outcomes.iter().filter(|outcome| outcome.illicit).count();
        if illicit == 0 || illicit == outcomes.len() {
            continue;
        }
        let sum = |of: &dyn Fn(&Weighed) -> f64| outcomes.iter().map(|one| of(one) / f64::from(one.times)).sum::<f64>();
        let x = |column: usize, one: &Weighed| {
            columns[column].as_ref().map_or(0.0, |column| f64::from(column[one.place as usize]) / 2048.0)
        };
        let y = |one: &Weighed| f64::from(u8::from(one.illicit));
        let (number, known) = (sum(&|_| 1.0), sum(&y));
        cross += sum(&|one| x(i, one) * x(j, one)) - sum(&|one| x(i, one)) * sum(&|one| x(j, one)) / number;
        told += sum(&|one| x(i, one) * y(one)) - sum(&|one| x(i, one)) * known / number;
    }
    (cross, told)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn moments_are_the_formula_for_any_threads(seed in any::<u64>(), columns in 1_usize..11, threads in 2_usize..5) {
        let mut noise = Noise(seed);
        let rounds: Vec<Given> = (0..3).map(|_| round(&mut noise, columns)).collect();
        let sum = |threads: NonZero<usize>, turned: bool| {
            let mut moments = Moments::new(columns);
            for Given { outcomes, columns } in &rounds {
                let given: Vec<Option<&[i16]>> = columns.iter().map(Option::as_deref).collect();
                let mut outcomes = outcomes.clone();
                if turned {
                    outcomes.reverse();
                }
                moments.add(&outcomes, &given, threads);
            }
            moments
        };
        let moments = sum(ONE, false);
        prop_assert_eq!(&sum(NonZero::new(threads).expect("some"), true), &moments);
        for i in 0..columns {
            for j in 0..columns {
                let (cross, told) = plain(&rounds, i, j);
                let (mine, size) = (moments.cross(i, j), (moments.size(i) * moments.size(j)).sqrt());
                prop_assert!((mine - cross).abs() <= 1e-10 * (1.0 + size), "{mine} is not {cross}");
                prop_assert!((moments.told(i) - told).abs() <= 1e-9 * (1.0 + size));
            }
        }
    }
}

#[test]
fn many_threads_sum_large_rounds_alike() {
    let mut noise = Noise(6);
    let columns: Vec<Vec<i16>> =
        (0..30).map(|_| column(&(0..9000).map(|_| noise.share()).collect::<Vec<_>>())).collect();
    let given: Vec<&[i16]> = columns.iter().map(Vec::as_slice).collect();
    let (one, many) = (pairs(&given, ONE), pairs(&given, NonZero::new(3).expect("three")));
    for i in 0..30 {
        for j in 0..30 {
            let products = given[i].iter().zip(given[j]).map(|(one, two)| i64::from(*one) * i64::from(*two));
            let exact = products.sum::<i64>() as f64 / (2048.0 * 2048.0);
            assert_eq!(one.get(i, j).to_bits(), exact.to_bits());
            assert_eq!(many.get(i, j).to_bits(), exact.to_bits());
        }
    }
}

#[test]
fn the_example_of_moments_is_right() {
    // Five outcomes of six alerts; the first and the third are of one address.
    let grains = |column: [f64; 6]| {
        column.map(|value| {
            #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
            let whole = (value * 2048.0) as i16;
            whole
        })
    };
    let one = grains([1.5, -0.5, 0.25, -0.75, 1.0, -1.5]);
    let two = grains([0.5, -1.0, -0.5, 1.25, 1.5, -1.75]);
    let outcome = |(place, address, illicit)| Outcome { place, address, illicit };
    let outcomes = [(0, 'a', true), (1, 'b', false), (2, 'a', true), (4, 'c', true), (5, 'd', false)].map(outcome);
    let mut moments = Moments::new(2);
    for outcomes in weigh(&[outcomes.to_vec()]) {
        moments.add(&outcomes, &[Some(&one), Some(&two)], ONE);
    }
    let cross = (0..2).flat_map(|i| moments.row(i).to_vec()).chain([moments.told(0), moments.told(1)]);
    must_be_near(cross, &[4.652_344, 4.898_438, 4.898_438, 6.171_875, 1.9375, 2.125], 5.1e-7);
    must_be_near([moments.own, moments.number, moments.illicit], &[1.0, 4.0, 2.0], 1e-12);
}

#[test]
fn noise_that_is_fixed_for_an_address_passes_no_more_often() {
    let mut noise = Noise(3);
    let (rounds, alerts, columns, batches) = (10, 150, 50, 8);
    // Half of the addresses come back on the next day, with the same outcome.
    let mut addresses: Vec<usize> = (0..alerts).collect();
    let mut days: Vec<Vec<usize>> = vec![addresses.clone()];
    for day in 1..rounds {
        for (at, address) in addresses.iter_mut().enumerate() {
            *address = if noise.share() < 0.7 { *address } else { day * alerts + at };
        }
        days.push(addresses.clone());
    }
    let illicit: Vec<bool> = (0..rounds * alerts).map(|_| noise.share() < 0.2).collect();
    let outcome = |(place, address): (u32, &usize)| Outcome { place, address: *address, illicit: illicit[*address] };
    let outcomes: Vec<Vec<Outcome<usize>>> = days.iter().map(|day| (0..).zip(day).map(outcome).collect()).collect();
    let mut batch = |weighed: &[Vec<Weighed>], is_fixed: bool| {
        let fixed: Vec<Vec<f64>> =
            (0..columns).map(|_| (0..rounds * alerts).map(|_| noise.share()).collect()).collect();
        let mut moments = Moments::new(columns);
        for (day, weighed) in days.iter().zip(weighed) {
            let scores =
                |own: &Vec<f64>| day.iter().map(|at| if is_fixed { own[*at] } else { noise.share() }).collect();
            let told: Vec<Vec<f64>> = fixed.iter().map(scores).collect();
            let told: Vec<Vec<i16>> = told.iter().map(|scores| column(scores)).collect();
            let given: Vec<Option<&[i16]>> = told.iter().map(|column| Some(column.as_slice())).collect();
            moments.add(weighed, &given, ONE);
        }
        price(&K, &moments, columns).iter().filter(|one| one.beyond > 0.0).count()
    };
    let mut passed = |weighed: &[Vec<Weighed>], is_fixed| (0..batches).map(|_| batch(weighed, is_fixed)).sum::<usize>();
    let plain: Vec<Vec<Weighed>> = weigh(&outcomes)
        .into_iter()
        .map(|round| round.into_iter().map(|one| Weighed { times: 1, ..one }).collect())
        .collect();
    let (fixed_passed, fresh, without) =
        (passed(&weigh(&outcomes), true), passed(&weigh(&outcomes), false), passed(&plain, true));
    // One in 44 by chance: 9 of 400, give or take 3.
    assert!(fixed_passed <= 18 && fresh <= 18, "{fixed_passed} fixed, {fresh} fresh");
    assert!(
        without > 2 * fixed_passed.max(9),
        "and did so six times as often if addresses counted each time: {without}"
    );
}
