//! A day under rules v2: 256 miners and two references over 30 rounds.
//!
//! ```text
//! cargo bench -p aml-subnet --bench rules_v2              50,000 alerts a round, every alert with an outcome
//! cargo bench -p aml-subnet --bench rules_v2 -- 600       600 alerts a round
//! ```
//!
//! Columns are those of scores that tell a little; one round's columns stand for all rounds, so that reading the ledger is
//! no part of it. Half of the addresses come back, most of them on the next day. At the end the bytes that the process had at
//! most are printed (Linux).

use std::hint::black_box;
use std::num::NonZero;
use std::time::{Duration, Instant};

use aml_subnet::validation::v2::calibration::{Bins, mean_score};
use aml_subnet::validation::v2::column::Worths;
use aml_subnet::validation::v2::constants::Constants;
use aml_subnet::validation::v2::curve::Parts;
use aml_subnet::validation::v2::moments::Moments;
use aml_subnet::validation::v2::once::{Outcome, weigh};
use aml_subnet::validation::v2::order::Order;
use aml_subnet::validation::v2::pay::{Earner, pay};
use aml_subnet::validation::v2::record::Tiers;
use aml_subnet::validation::v2::standing::{Delivered, Standings};
use aml_subnet::validation::v2::voice::{Today, voices};

const K: Constants = Constants::V2;
const MINERS: usize = 256;
const REFERENCES: usize = 2;
const ROUNDS: u64 = 30;

/// Numbers from 0 to 1 (SplitMix64).
struct Noise(u64);

impl Noise {
    fn whole(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn next(&mut self) -> f64 {
        (self.whole() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn main() {
    let alerts = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(50_000_usize);
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    println!("{threads} threads, {MINERS} miners, {alerts} alerts, {ROUNDS} rounds");
    let mut noise = Noise(1);
    let illicit: Vec<bool> = (0..alerts).map(|_| noise.next() < 0.08).collect();
    let submissions: Vec<Vec<f64>> = (0..MINERS + REFERENCES).map(|_| submission(&illicit, &mut noise)).collect();
    let (orders, took) = timed(|| submissions.iter().map(|scores| Order::of(scores)).collect::<Vec<_>>());
    println!("orders of a round     {took:?} (one thread)");
    let (columns, took) = timed(|| {
        let worths = Worths::new(None, alerts);
        orders.iter().map(|order| worths.column(order)).collect::<Vec<_>>()
    });
    println!("columns of a round    {took:?} (one thread)");
    let (delivered, took) = timed(|| counts(&submissions, &orders, &illicit));
    println!("counts of a round     {took:?} (one thread)");
    let given: Vec<Option<&[i16]>> = columns.iter().map(|column| Some(column.as_slice())).collect();
    let rounds = outcomes(&illicit, &mut noise);
    let (weighed, day) = timed(|| weigh(&rounds));
    println!("addresses             {day:?}");
    let (moments, took) = timed(|| {
        let mut moments = Moments::new(columns.len());
        weighed.iter().for_each(|outcomes| moments.add(outcomes, &given, threads));
        moments
    });
    println!("moments               {took:?}");
    let day = day + took;
    let (standings, took) = timed(|| Standings::settle(&K, &moments, &delivered, &[0.0; MINERS]));
    println!("curve and price       {took:?}; {} are paid", paid(&standings));
    let day = day + took;
    let (_, took) = timed(|| {
        let tiers = Tiers { tier1: 1.0, traps: Some(0.5), lately: 1.0 };
        let earner = |at: usize| {
            let standing = &standings.miners[at];
            Earner { points: standing.priced.points, calibration: standing.calibration, tiers, newcomer: 0.0 }
        };
        pay(&K, &(0..MINERS).map(earner).collect::<Vec<_>>())
    });
    println!("pay                   {took:?}");
    println!("the day               {:?}", day + took);
    let today: Vec<Today<'_>> = (0..MINERS)
        .map(|at| Today {
            column: &columns[at],
            mean: mean_score(&submissions[at]),
            advantage: Some(0.5),
            standing: &standings.miners[at],
        })
        .collect();
    let (_, took) = timed(|| voices(&K, &today, threads));
    println!("voices of a round     {took:?}");
    println!("{}", peak().unwrap_or_default());
}

fn submission(illicit: &[bool], noise: &mut Noise) -> Vec<f64> {
    let told = 0.2 * noise.next();
    illicit.iter().map(|illicit| (noise.next() * 0.8 + if *illicit { told } else { 0.0 }).powi(3)).collect()
}

fn counts(submissions: &[Vec<f64>], orders: &[Order], illicit: &[bool]) -> Vec<Delivered> {
    let of = |(scores, order): (&Vec<f64>, &Order)| {
        let (mut parts, mut bins) = (Parts::default(), Bins::default());
        for ((score, part), illicit) in scores.iter().zip(order.parts()).zip(illicit) {
            parts.count(part, *illicit);
            bins.count(*score, *illicit);
        }
        Delivered { counted: 30, rounds: 30, parts, bins }
    };
    submissions.iter().zip(orders).take(MINERS).map(of).collect()
}

fn outcomes(illicit: &[bool], noise: &mut Noise) -> Vec<Vec<Outcome<u64>>> {
    let alerts = illicit.len() as u64;
    let address = |day: u64, noise: &mut Noise| match noise.whole() % 4 {
        0 => noise.whole() % alerts,
        1 => (day.saturating_sub(1) + 1) * alerts + noise.whole() % alerts,
        _ => (day + 1) * alerts + noise.whole() % alerts,
    };
    let round = |day| {
        let places = (0_u32..).zip(illicit);
        places.map(|(place, illicit)| Outcome { place, address: address(day, noise), illicit: *illicit }).collect()
    };
    (0..ROUNDS).map(round).collect()
}

fn paid(standings: &Standings) -> usize {
    standings.miners.iter().filter(|one| one.priced.points > 0.0).count()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = black_box(work());
    (result, start.elapsed())
}

fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find(|line| line.starts_with("VmHWM")).map(str::to_owned)
}
