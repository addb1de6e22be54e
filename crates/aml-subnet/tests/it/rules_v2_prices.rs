//! What rules v2 promise of moments and prices, over random columns.

use std::num::NonZero;

use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::moments::{Moments, Totals};
use aml_subnet::validation::v2::once::Weighed;
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::pay::{Earner, pay};
use aml_subnet::validation::v2::price::{Priced, price, usual_likeness};
use aml_subnet::validation::v2::record::Tiers;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assume, proptest};

use crate::rules_v2_kit::K;
use crate::rules_v2_world::Noise;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;

fn column(scores: &[f64]) -> Vec<i16> {
    Worths::new(None, scores.len()).column(&Order::of(scores))
}

/// Points times the same quality for everybody, as shares.
fn shares(priced: &[Priced], miners: usize) -> Vec<f64> {
    let tiers = Tiers { tier1: 1.0, traps: Some(0.6), lately: 1.0 };
    let earner = |one: &Priced| Earner { points: one.points, calibration: 0.9, tiers, newcomer: 0.0 };
    pay(&K, &priced[..miners].iter().map(earner).collect::<Vec<_>>()).shares
}

/// Moments of columns whose correlations with each other and with the outcomes are given, over 10,000 outcomes, 800 illicit.
/// `sizes`: `P[i,i] / N`.
fn moments(correlation: impl Fn(usize, usize) -> f64, told: &[f64], sizes: &[f64]) -> Moments {
    let (number, illicit) = (10_000.0, 800.0);
    let own = illicit - illicit * illicit / number;
    let length = |i: usize| (number * sizes[i]).sqrt();
    let all = told.len();
    let cross = (0..all * all).map(|at| {
        let (i, j) = (at / all, at % all);
        length(i) * length(j) * if i == j { 1.0 } else { correlation(i.min(j), i.max(j)) }
    });
    let told = (0..all).map(|i| told[i] * length(i) * own.sqrt()).collect();
    Moments::of(cross.collect(), told, Totals { own, number, illicit })
}

/// The example of the rules: A, B, B again, J (junk), L (as A, there in one round of four), R (a reference).
fn example() -> Moments {
    let correlation = |i: usize, j: usize| match (i, j) {
        (0, 1 | 2) => 0.55,
        (1, 2) => 1.0,
        (0, 3) => 0.01,
        (0, 4) => 0.5,
        (1 | 2, 4) => 0.275,
        (3, 4) => 0.005,
        (0, 5) => 0.45,
        (1 | 2, 5) => 0.42,
        (4, 5) => 0.225,
        _ => 0.0,
    };
    moments(correlation, &[0.36, 0.34, 0.34, 0.015, 0.18, 0.2], &[1.0, 1.0, 1.0, 1.0, 0.25, 1.0])
}

#[track_caller]
fn must_be_near(given: impl IntoIterator<Item = f64>, wanted: &[f64], most: f64) {
    let given: Vec<f64> = given.into_iter().collect();
    assert_eq!(given.len(), wanted.len());
    assert!(given.iter().zip(wanted).all(|(one, two)| (one - two).abs() <= most), "{given:?} is not {wanted:?}");
}

#[test]
fn the_worked_example_is_right() {
    let priced = price(&K, &example(), 5);
    must_be_near(priced.iter().map(|one| one.beyond), &[0.34, 0.32, 0.32, 0.0, 0.17, 0.2], 1e-9);
    must_be_near(
        priced.iter().map(|one| one.standard_weight),
        &[0.213837, 0.087459, 0.087459, 0.0, 0.002767, 0.029675],
        5.1e-7,
    );
    must_be_near(priced.iter().map(|one| one.weight), &[0.213837, 0.087459, 0.087459, 0.0, 0.005535, 0.029675], 5.1e-7);
    must_be_near(priced.iter().map(|one| one.points), &[0.072705, 0.027987, 0.027987, 0.0, 0.000470, 0.005935], 5.1e-7);
    let tiers = [(1.0, 0.6, 0.9), (1.0, 0.5, 0.8), (1.0, 0.5, 0.8), (1.0, 0.02, 0.3), (1.0, 0.6, 0.9)];
    let earner = |(one, (tier1, traps, calibration)): (&Priced, (f64, f64, f64))| Earner {
        points: one.points,
        calibration,
        tiers: Tiers { tier1, traps: Some(traps), lately: 1.0 },
        newcomer: 0.0,
    };
    let earners: Vec<Earner> = priced.iter().zip(tiers).map(earner).collect();
    must_be_near(
        earners.iter().map(|one| one.tiers.quality(&K, one.calibration)),
        &[0.83, 0.75, 0.75, 0.356, 0.83],
        1e-12,
    );
    must_be_near(pay(&K, &earners).shares, &[0.7088, 0.1454, 0.1454, 0.0, 0.0004], 5.1e-5);
    let part = [1.0, 1.0, 1.0, 1.0, 0.25];
    let voices: Vec<f64> = (0..5).map(|i| priced[i].weight * earners[i].calibration * part[i]).collect();
    let all: f64 = voices.iter().sum();
    must_be_near(voices.iter().map(|one| one / all), &[0.5768, 0.2097, 0.2097, 0.0, 0.0037], 5.1e-5);
}

#[test]
fn exact_copies_earn_the_kth_part_to_the_power_gamma() {
    let field = |copies: usize| {
        let same = move |i: usize, j: usize| i > 0 && j <= copies;
        let mut told = vec![0.3; copies + 2];
        (told[0], told[copies + 1]) = (0.36, 0.2);
        let moments = moments(|i, j| if same(i, j) { 1.0 } else { 0.4 }, &told, &vec![1.0; copies + 2]);
        let priced = price(&K, &moments, copies + 1);
        let worths: Vec<f64> = priced[..=copies].iter().map(|one| libm::pow(one.points, K.gamma)).collect();
        (worths[0], worths[1..].iter().sum::<f64>())
    };
    let (other, one) = field(1);
    for copies in [2, 5, 50] {
        let (unmoved, many) = field(copies);
        assert!((unmoved / other - 1.0).abs() < 1e-6, "the other one is paid the same");
        let wanted = one * copies as f64 * libm::pow(1.0 / copies as f64, K.gamma);
        assert!((many / wanted - 1.0).abs() < 1e-6, "{copies} copies: {many}, not {wanted}");
    }
}

/// Columns of a random season: some know something, some are alike; each is there in some rounds.
fn random_window(seed: u64, columns: usize, rounds: usize) -> Moments {
    let mut noise = Noise(seed);
    let mut moments = Moments::new(columns);
    let told: Vec<f64> = (0..columns).map(|_| noise.share()).collect();
    for _ in 0..rounds {
        let alerts = 2 + noise.below(40);
        let outcomes: Vec<Weighed> = (0..alerts)
            .map(|place| Weighed {
                times: 1 + u32::try_from(noise.below(3)).expect("few"),
                place: u32::try_from(place).expect("few"),
                illicit: noise.share() < 0.3,
            })
            .collect();
        let shared: Vec<f64> = (0..alerts).map(|_| noise.normal()).collect();
        let here: Vec<Option<Vec<i16>>> = told
            .iter()
            .map(|told| {
                let score = |(outcome, shared): (&Weighed, &f64)| {
                    told * f64::from(u8::from(outcome.illicit)) + (1.0 - told) * shared + 0.3 * noise.normal()
                };
                let scores: Vec<f64> = outcomes.iter().zip(&shared).map(score).collect();
                (noise.share() < 0.5).then(|| column(&scores))
            })
            .collect();
        let given: Vec<Option<&[i16]>> = here.iter().map(Option::as_deref).collect();
        moments.add(&outcomes, &given, ONE);
    }
    moments
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn correlations_are_positive_semidefinite_for_any_absence(seed in any::<u64>(), columns in 2_usize..12, rounds in 1_usize..12) {
        let moments = random_window(seed, columns, rounds);
        let there: Vec<usize> = (0..columns).filter(|i| moments.size(*i) > 1e-6 * moments.number).collect();
        // Cholesky with a hair added to the diagonal: every pivot is above zero.
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for (at, i) in there.iter().enumerate() {
            let mut row: Vec<f64> = Vec::new();
            for (to, j) in there[..=at].iter().enumerate() {
                let own = moments.cross(*i, *j) / (moments.size(*i) * moments.size(*j)).sqrt();
                let before: f64 = (0..to).map(|k| row[k] * rows.get(to).map_or(row[k], |other| other[k])).sum();
                let rest = own - before + if to == at { 1e-9 } else { 0.0 };
                prop_assert!(to < at || rest > 0.0, "{rest}");
                row.push(if to < at { rest / rows[to][to] } else { rest.sqrt() });
            }
            rows.push(row);
        }
    }

    #[test]
    fn less_noise_of_its_own_never_pays_less(seed in any::<u64>(), miners in 2_usize..8, noise in 0.01..2.0_f64, less in 0.0..1.0_f64) {
        // A column that is what it knows plus noise that is related to nothing: only its size has to do with the noise.
        let mut random = Noise(seed);
        let loads: Vec<f64> = (0..=miners).map(|_| 0.2 + 0.7 * random.share()).collect();
        let told: Vec<f64> = loads.iter().map(|load| load * (0.1 + 0.3 * random.share())).collect();
        let share = |noise: f64| {
            let length = (1.0 + noise).sqrt();
            let correlation = |i: usize, j: usize| loads[i] * loads[j] / if i == 0 { length } else { 1.0 };
            let told: Vec<f64> = told.iter().enumerate().map(|(i, told)| told / if i == 0 { length } else { 1.0 }).collect();
            shares(&price(&K, &moments(correlation, &told, &vec![1.0; miners + 1]), miners), miners)[0]
        };
        let (noisy, clearer) = (share(noise), share(noise * less));
        prop_assert!(clearer >= noisy - 1e-9, "{clearer} with less noise, {noisy} with more");
    }

    #[test]
    fn points_are_continuous_between_the_gates(seed in any::<u64>(), miners in 2_usize..8) {
        let mut random = Noise(seed);
        let loads: Vec<f64> = (0..miners).map(|_| 0.2 + 0.75 * random.share()).collect();
        let told: Vec<f64> = loads.iter().map(|load| load * 0.3 + 0.1 * random.share()).collect();
        prop_assume!(told.iter().all(|told| (told - 0.02).abs() > 1e-4));
        let points = |moved: f64| {
            let correlation = |i: usize, j: usize| loads[i] * loads[j] + if (i, j) == (0, 1) { moved } else { 0.0 };
            let mut told = told.clone();
            told[0] += moved;
            price(&K, &moments(correlation, &told, &vec![1.0; miners]), miners).iter().map(|one| one.points).collect::<Vec<f64>>()
        };
        let (here, beside) = (points(0.0), points(1e-8));
        prop_assert!(here.iter().zip(&beside).all(|(one, two)| (one - two).abs() < 1e-5), "{here:?} {beside:?}");
    }

    #[test]
    fn results_are_finite(seed in any::<u64>(), columns in 1_usize..8, rounds in 0_usize..4) {
        let moments = random_window(seed, columns, rounds);
        let priced = price(&K, &moments, columns);
        prop_assert!(priced.iter().all(|one| one.weight.is_finite() && one.points.is_finite() && one.points >= 0.0));
        let weights: Vec<f64> = priced.iter().map(|one| one.weight).collect();
        prop_assert!(usual_likeness(&moments, &weights).iter().all(|usual| usual.is_finite()));
        prop_assert!(shares(&priced, columns).iter().all(|share| (0.0..=1.0).contains(share)));
    }
}

/// What one key and what `keys` keys earn that answer the same in turn, beside five others, over one window.
fn split(seed: u64, keys: usize) -> (f64, f64) {
    let mut noise = Noise(seed);
    let (rounds, honest) = (15, 5);
    // Which of the keys answers each round; the first ones answer more often.
    let turns: Vec<usize> = (0..rounds).map(|_| noise.below(keys).min(noise.below(keys))).collect();
    let (mut one, mut many) = (Moments::new(honest + 1), Moments::new(honest + keys));
    for turn in &turns {
        let outcomes: Vec<Weighed> =
            (0_u32..60).map(|place| Weighed { times: 1, place, illicit: noise.share() < 0.3 }).collect();
        let mut score = |outcome: &Weighed| f64::from(u8::from(outcome.illicit)) + noise.normal();
        let columns: Vec<Vec<i16>> =
            (0..=honest).map(|_| column(&outcomes.iter().map(&mut score).collect::<Vec<_>>())).collect();
        let mut given: Vec<Option<&[i16]>> = columns.iter().map(|column| Some(column.as_slice())).collect();
        one.add(&outcomes, &given, ONE);
        let own = given.pop().flatten();
        given.extend((0..keys).map(|key| own.filter(|_| key == *turn)));
        many.add(&outcomes, &given, ONE);
    }
    let newest = &turns[rounds - K.lately..];
    let lately = |key| newest.iter().filter(|turn| **turn == key).count() as f64 / newest.len() as f64;
    let sum = |moments: &Moments, lately: &dyn Fn(usize) -> f64| {
        let priced = price(&K, moments, moments.columns());
        let earner = |(at, one): (usize, &Priced)| {
            let lately = at.checked_sub(honest).map_or(1.0, lately);
            let tiers = Tiers { tier1: 1.0, traps: Some(0.6), lately };
            Earner { points: one.points, calibration: 0.9, tiers, newcomer: 0.0 }
        };
        pay(&K, &priced.iter().enumerate().map(earner).collect::<Vec<_>>()).shares[honest..].iter().sum::<f64>()
    };
    (sum(&one, &|_| 1.0), sum(&many, &lately))
}

#[test]
fn keys_in_turn_earn_no_more_than_one() {
    // A mean over windows: in a single one luck decides which rounds a key does well to leave out.
    for keys in 2..=10 {
        let windows: Vec<(f64, f64)> = (0..8).map(|seed| split(seed, keys)).collect();
        let (one, many): (Vec<f64>, Vec<f64>) = windows.into_iter().unzip();
        let (one, many) = (one.iter().sum::<f64>(), many.iter().sum::<f64>());
        assert!(many < one, "{keys} keys earn {many}, one earns {one}");
    }
}

#[test]
fn four_thousand_columns_are_priced() {
    let columns = 4096;
    let mut noise = Noise(4);
    let outcomes: Vec<Weighed> =
        (0_u32..32).map(|place| Weighed { times: 1, place, illicit: place % 4 == 0 }).collect();
    let told = |_| {
        column(
            &outcomes
                .iter()
                .map(|one| f64::from(u8::from(one.illicit)) * noise.share() + noise.share())
                .collect::<Vec<_>>(),
        )
    };
    let all: Vec<Vec<i16>> = (0..columns).map(told).collect();
    let given: Vec<Option<&[i16]>> = all.iter().map(|column| Some(column.as_slice())).collect();
    let mut moments = Moments::new(columns);
    moments.add(&outcomes, &given, NonZero::new(2).expect("two"));
    let priced = price(&K, &moments, columns - 2);
    let shares = shares(&priced, columns - 2);
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares.iter().all(|share| share.is_finite()));
    assert!(priced.iter().filter(|one| one.beyond > 0.0).count() > 100, "many count");
}
