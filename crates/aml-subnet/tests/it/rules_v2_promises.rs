//! What rules v2 promise, each under its conditions, over seasons in memory. Prices alone are looked at in
//! `rules_v2_prices`.

use std::num::NonZero;
use std::sync::OnceLock;

use aml_subnet::validation::v2::price::Priced;
use aml_subnet::validation::v2::record::Tiers;
use aml_subnet::validation::v2::voice::Choice;

use crate::rules_v2_kit::{Answer, Batch, K, Season};
use crate::rules_v2_world::{ALERTS, Day, Miner, Noise, Scores, World, pay_of, play, voice_of};

const DAYS: usize = 46;
/// The days that are looked at.
const LAST: usize = 41;
const HONEST: usize = 10;

/// Ten honest miners, and one good model that nobody has yet.
struct Field {
    world: World,
    honest: Vec<Miner>,
    good: Scores,
}

fn field() -> &'static Field {
    static FIELD: OnceLock<Field> = OnceLock::new();
    FIELD.get_or_init(|| {
        let mut world = World::new(7, DAYS);
        let honest = world.honest(HONEST);
        let good = world.model(1.5, &[0, 1, 2, 3, 5]);
        Field { world, honest, good }
    })
}

/// The last days of a season of the honest miners and some others, who come after them.
fn with(others: Vec<Miner>) -> Vec<Day> {
    let field = field();
    let miners: Vec<Miner> = field.honest.iter().cloned().chain(others).collect();
    play(&field.world, &miners, LAST).1
}

/// What one key with the good model earns.
fn alone() -> f64 {
    static ALONE: OnceLock<f64> = OnceLock::new();
    *ALONE.get_or_init(|| {
        let pay = pay_of(&with(vec![Miner::knows(field().good.clone())]), HONEST..HONEST + 1);
        assert!(pay > 0.02, "the good model is worth something: {pay}");
        pay
    })
}

#[test]
fn who_knows_nothing_has_no_voice_and_next_to_no_pay() {
    let mut world = World::new(8, DAYS);
    let flat = vec![vec![0.08; ALERTS]; DAYS];
    let mut others: Vec<Miner> = (0..40).map(|_| Miner::guesses(world.random())).collect();
    others.extend((0..5).map(|_| Miner::guesses(flat.clone())));
    others.extend((0..5).map(|_| Miner::knows(world.random())));
    let (all, guessing) = (HONEST..HONEST + others.len(), HONEST..HONEST + 45);
    let days = with(others);
    assert!(pay_of(&days, all) < 0.001 && voice_of(&days, guessing.clone()) < 0.001);
    for day in &days {
        assert!(day.standings.known && day.paid.unearned <= 0.0);
        for miner in guessing.clone() {
            assert!(day.paid.shares[miner] <= 0.0, "traps below `worthy` are paid exactly nothing");
        }
        for (standing, share) in day.standings.miners.iter().zip(&day.paid.shares) {
            if standing.priced.beyond <= 0.0 {
                assert!(*share <= 0.0, "within chance is paid exactly nothing");
            }
        }
    }
}

#[test]
fn copies_earn_no_more_than_one() {
    let (one, copies) = (alone(), 12);
    let days = with(vec![Miner::knows(field().good.clone()); copies]);
    let many = pay_of(&days, HONEST..HONEST + copies);
    assert!(many <= one && many > 0.0, "{many} of {one}");
    let shares = &days[0].paid.shares[HONEST..];
    assert!(shares.iter().all(|share| (share / shares[0] - 1.0).abs() < 1e-6), "{shares:?}");
}

#[test]
fn copies_are_one_newcomer() {
    let new = Miner { first: LAST, ..Miner::knows(field().good.clone()) };
    let (one, many) = (with(vec![new.clone()]), with(vec![new; 12]));
    for (one, many) in one.iter().zip(&many) {
        let sum: f64 = many.paid.shares[HONEST..].iter().sum();
        assert!((one.paid.shares[HONEST] - K.newcomer).abs() < 1e-12 && (sum - K.newcomer).abs() < 1e-12);
    }
}

#[test]
fn identical_miners_give_their_own_scores() {
    let field = field();
    let (_, days) = play(&field.world, &vec![Miner::knows(field.good.clone()); 100], DAYS - 1);
    let day = &days[0];
    assert!(day.voices.choice == Choice::Voices && day.voices.shares.iter().all(|share| (share - 0.01).abs() < 1e-9));
    let scores = field.good[DAYS - 1].iter();
    assert!(day.canonical.iter().zip(scores).all(|(merged, own)| (merged - own).abs() < 1e-12));
}

/// Everything that a day says, to the last bit.
fn bits(day: &Day) -> Vec<u64> {
    let priced = |one: &Priced| [one.correlation, one.beyond, one.standard_weight, one.weight, one.mass, one.points];
    let standings = day.standings.miners.iter();
    let standings =
        standings.flat_map(|one| priced(&one.priced).into_iter().chain([one.calibration, one.usual, one.part]));
    let shares = day.paid.shares.iter().chain(&day.voices.shares).copied();
    let curve = day.standings.curve.iter().flat_map(|curve| curve.shares.clone());
    standings.chain(shares).chain(curve).map(f64::to_bits).collect()
}

fn digest(days: &[Day]) -> u64 {
    let canonical = days.iter().flat_map(|day| &day.canonical).map(|score| score.to_bits());
    let all = days.iter().flat_map(bits).chain(canonical);
    all.fold(0xcbf2_9ce4_8422_2325, |sum, bits| (sum ^ bits).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17))
}

#[test]
fn the_bits_are_the_stored_ones() {
    let days = with(Vec::new());
    assert_eq!(format!("{:016x}", digest(&days)), "fcba2b1fc77ba84f");
}

#[test]
fn the_order_of_alerts_and_outcomes_changes_no_bit() {
    let field = field();
    let mut noise = Noise(5);
    let mut world = World::new(7, DAYS);
    let mut miners = field.honest.clone();
    // Traps stand apart: how they are answered does not change with the order of alerts.
    let fixed = |miners: &mut Vec<Miner>| miners.iter_mut().for_each(|miner| miner.traps = |_| (1.0, 1.0));
    let mut plain = field.honest.clone();
    fixed(&mut plain);
    fixed(&mut miners);
    let mut turns = Vec::new();
    for (day, batch) in world.batches.iter_mut().enumerate() {
        let mut order: Vec<usize> = (0..ALERTS).collect();
        noise.shuffle(&mut order);
        batch.addresses = order.iter().map(|at| batch.addresses[*at]).collect();
        batch.illicit = order.iter().map(|at| batch.illicit[*at]).collect();
        batch.known = order.iter().map(|at| batch.known[*at]).collect();
        for miner in &mut miners {
            miner.scores[day] = order.iter().map(|at| miner.scores[day][*at]).collect();
        }
        turns.push(order);
    }
    let (given, turned) = (play(&field.world, &plain, LAST).1, play(&world, &miners, LAST).1);
    for (day, (one, two)) in given.iter().zip(&turned).enumerate() {
        assert_eq!(bits(one), bits(two));
        for (at, place) in turns[LAST + day].iter().enumerate() {
            assert_eq!(one.canonical[*place].to_bits(), two.canonical[at].to_bits());
        }
    }
}

#[test]
fn other_names_change_next_to_nothing() {
    let field = field();
    let turned: Vec<Miner> = field.honest.iter().rev().cloned().collect();
    let (given, turned) = (with(Vec::new()), play(&field.world, &turned, LAST).1);
    for (one, two) in given.iter().zip(&turned) {
        for (miner, share) in one.paid.shares.iter().enumerate() {
            assert!((share - two.paid.shares[HONEST - 1 - miner]).abs() < 1e-9);
            assert!((one.voices.shares[miner] - two.voices.shares[HONEST - 1 - miner]).abs() < 1e-9);
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let (mut season, _) = play(&field().world, &field().honest, DAYS - 1);
    let one = season.moments();
    for threads in [2, 3, 7] {
        season.threads = NonZero::new(threads).expect("some");
        assert_eq!(season.moments(), one);
    }
}

#[test]
fn who_stops_or_answers_noise_loses_its_voice_at_once_and_its_pay_soon() {
    let mut world = World::new(9, DAYS);
    let noise = world.random();
    let good = field().good.clone();
    let sold: Scores = good[..LAST - 3].iter().chain(&noise[LAST - 3..]).cloned().collect();
    let gone = Miner::knows(good).on(|day| day < LAST - 3);
    let noisy =
        Miner { traps: |day| if day < LAST - 3 { (0.7, 0.9) } else { (0.0, 0.3) }, ..Miner::knows(sold.clone()) };
    let knowing_traps = Miner::knows(sold);
    for (name, miner, paid) in [("gone", gone, false), ("noisy", noisy, false), ("knows traps", knowing_traps, true)] {
        let days = play_from(vec![miner], LAST - 5);
        assert!(days[1].paid.shares[HONEST] > 0.01 && days[1].voices.shares[HONEST] > 0.0, "{name} was paid before");
        for (after, day) in days[2..].iter().enumerate() {
            assert!(day.voices.shares[HONEST] <= 0.0, "{name} after {after} days");
            let share = day.paid.shares[HONEST];
            assert!(share <= 0.0 || after + 1 < K.lately || paid, "{name} after {after} days: {share}");
        }
    }
}

fn play_from(others: Vec<Miner>, kept: usize) -> Vec<Day> {
    let field = field();
    let miners: Vec<Miner> = field.honest.iter().cloned().chain(others).collect();
    play(&field.world, &miners, kept).1
}

#[test]
fn keys_that_answer_in_turn_earn_no_more_than_one() {
    for keys in [2, 3, 10] {
        let miner = |key| Miner::knows(field().good.clone()).on(|day| day % keys == key);
        let days = with((0..keys).map(miner).collect());
        let pay = pay_of(&days, HONEST..HONEST + keys);
        assert!(pay <= alone(), "{keys} keys: {pay} of {}", alone());
    }
}

#[test]
fn copies_on_one_day_change_nobodys_share() {
    let mut world = World::new(10, DAYS);
    let good = || Miner::knows(field().good.clone());
    let copies: Vec<Miner> =
        (0..50).map(|_| Miner::knows(world.noisy(&field().good, 0.3)).on(|day| day == 33)).collect();
    let others = std::iter::once(good()).chain(copies).collect();
    // Weights are known for some days before the copies come; outcomes of their day, a week later.
    let (given, copied) = (play_from(vec![good()], 31), play_from(others, 31));
    for (one, two) in given.iter().zip(&copied) {
        for (before, after) in one.paid.shares.iter().zip(&two.paid.shares) {
            assert!((before - after).abs() < 0.01, "{before} becomes {after}");
        }
    }
    assert!(given.last().is_some_and(|day| day.paid.shares[HONEST] > 0.2), "the copied one is well paid");
}

#[test]
fn canonical_scores_beat_the_best_miner_of_these_days() {
    let mut world = World::new(11, 56);
    let miners = world.honest(14);
    let (_, days) = play(&world, &miners, 38);
    let illicit: Vec<bool> = world.batches[38..].iter().flat_map(|batch| batch.illicit.clone()).collect();
    let merged: Vec<f64> = days.iter().flat_map(|day| day.canonical.clone()).collect();
    let own = |miner: &Miner| miner.scores[38..].iter().flatten().copied().collect::<Vec<f64>>();
    let best = miners.iter().map(|miner| auc(&illicit, &own(miner))).fold(0.0, f64::max);
    let least = miners.iter().map(|miner| log_loss(&illicit, &own(miner))).fold(f64::INFINITY, f64::min);
    assert!(auc(&illicit, &merged) > best, "{} is not above {best}", auc(&illicit, &merged));
    assert!(log_loss(&illicit, &merged) < least, "{} is not below {least}", log_loss(&illicit, &merged));
}

fn auc(illicit: &[bool], scores: &[f64]) -> f64 {
    let mut sorted: Vec<(f64, bool)> = scores.iter().copied().zip(illicit.iter().copied()).collect();
    sorted.sort_by(|one, two| one.0.total_cmp(&two.0));
    let (mut clean, mut above) = (0.0, 0.0);
    sorted.iter().for_each(|(_, illicit)| if *illicit { above += clean } else { clean += 1.0 });
    above / (clean * (sorted.len() as f64 - clean))
}

fn log_loss(illicit: &[bool], scores: &[f64]) -> f64 {
    let loss = |(illicit, score): (&bool, &f64)| -libm::log(if *illicit { *score } else { 1.0 - score });
    illicit.iter().zip(scores).map(loss).sum::<f64>() / illicit.len() as f64
}

#[test]
fn a_day_without_anything_is_nobodys() {
    let mut season = Season::new(2);
    let standings = season.settle();
    let batch = field().world.batches[0].clone();
    let (voices, paid) = season.round(batch, &[None, None], &[None, None], &standings.miners);
    assert!(voices.shares.iter().all(|share| *share <= 0.0) && season.canonical().is_empty());
    assert!((paid.unearned - 1.0).abs() < 1e-12 && paid.shares.iter().all(|share| *share <= 0.0));
    let tiers = Tiers::of(&K, 0, &[0], &std::collections::BTreeMap::new());
    assert!(tiers.tier1 <= 0.0 && tiers.lately <= 0.0 && tiers.traps.is_none());
}

/// Batches of a few alerts on which little or nothing can be told.
fn odd_batch(day: u32, alerts: u32, illicit: fn(u32) -> bool, delay: i64) -> Batch {
    Batch {
        addresses: (0..alerts).map(|at| at + alerts * (day % 3)).collect(),
        illicit: (0..alerts).map(illicit).collect(),
        known: (0..alerts).map(|_| (delay < 100).then_some(i64::from(day) + delay)).collect(),
    }
}

#[test]
fn odd_seasons_stay_finite() {
    let classes: [fn(u32) -> bool; 3] = [|_| false, |_| true, |at| at % 2 == 0];
    // Scores by miner and alert: all equal, only 0 and 1, telling, absent on some days.
    let scores: [fn(u32, u32) -> Option<f64>; 4] = [
        |_, _| Some(0.5),
        |_, at| Some(f64::from(at % 2)),
        |day, at| Some(f64::from((at * 7 + day) % 11) / 22.0 + if at % 2 == 0 { 0.5 } else { 0.0 }),
        |day, at| (day % 3 == 0).then(|| f64::from(at % 5) / 5.0),
    ];
    for (alerts, miners, delay) in [(0, 2, 7), (1, 1, 7), (1, 4, 7), (40, 1, 7), (40, 4, 7), (40, 4, 1000)] {
        for illicit in classes {
            let mut season = Season::new(miners);
            for day in 0..40 {
                let standings = season.settle();
                let batch = odd_batch(day, alerts, illicit, delay);
                let references = season.references(&batch);
                let answer = |miner: usize| {
                    let all: Option<Vec<f64>> = (0..alerts).map(|at| scores[miner](day, at)).collect();
                    (day > 0).then_some(Answer { scores: all, advantage: (day % 5 > 0).then_some(0.5) })
                };
                let answers: Vec<Option<Answer>> = (0..miners).map(answer).collect();
                let (voices, paid) = season.round(batch, &answers, &references, &standings.miners);
                let paid_out: f64 = paid.shares.iter().sum();
                assert!((paid_out + paid.unearned - 1.0).abs() < 1e-9);
                assert!(paid.shares.iter().chain(&voices.shares).all(|share| (0.0..=1.0).contains(share)));
                assert!(season.canonical().iter().all(|score| (0.0..=1.0).contains(score)));
                let numbers = standings.miners.iter().flat_map(|one| [one.priced.weight, one.priced.points, one.usual]);
                assert!(
                    numbers.chain(standings.curve.iter().flat_map(|curve| curve.shares.clone())).all(f64::is_finite)
                );
            }
        }
    }
}
