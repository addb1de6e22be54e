//! A day's ordinary transfers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Normal, Poisson};

use super::population::{ASSETS, Account, Population, Role, any, favoured};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// One transfer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Milliseconds since the epoch.
    pub(super) at: i64,
    pub(super) usd: f64,
    pub(super) asset: u8,
}

/// Adds the ordinary transfers of `day` to `out`.
pub(super) fn ordinary(population: &Population, day: i32, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
    for (id, account) in population.accounts.iter().enumerate() {
        if account.life.0 > day || account.life.1 < day {
            continue;
        }
        let count = Poisson::new(account.rate).map_or(0.0, |poisson| poisson.sample(rng)) as usize;
        for _ in 0..count {
            let to = counterparty(population, account, rng);
            if to != id as u32 {
                out.push(Transfer {
                    from: id as u32,
                    to,
                    at: i64::from(day) * DAY_MS + time_of_day(account.night, rng),
                    usd: amount(account, rng),
                    asset: asset(account, rng),
                });
            }
        }
    }
}

fn counterparty(population: &Population, account: &Account, rng: &mut ChaCha8Rng) -> u32 {
    let draw: f64 = rng.random();
    match account.role {
        Role::Retail if draw < 0.003 => any(&population.mixers, rng),
        Role::Retail if draw < 0.30 => favoured(&population.exchanges, rng),
        Role::Retail if draw < 0.60 => favoured(&population.merchants, rng),
        Role::Retail if draw < 0.92 => account.friends[rng.random_range(0..3)],
        Role::Merchant if draw < 0.6 => favoured(&population.exchanges, rng),
        Role::Merchant if draw < 0.9 => any(&population.merchants, rng),
        Role::Whale if draw < 0.7 => favoured(&population.exchanges, rng),
        Role::Whale if draw < 0.95 => any(&population.whales, rng),
        Role::Exchange if draw < 0.02 => favoured(&population.exchanges, rng),
        Role::Contract if draw < 0.5 => account.friends[rng.random_range(0..3)],
        Role::Retail | Role::Merchant | Role::Whale | Role::Exchange | Role::Mixer | Role::Contract => {
            any(&population.people, rng)
        }
    }
}

fn amount(account: &Account, rng: &mut ChaCha8Rng) -> f64 {
    if account.role == Role::Mixer {
        return [100.0, 1_000.0, 10_000.0][rng.random_range(0..3)];
    }
    let drawn = LogNormal::new(account.amount.0, account.amount.1).map_or(1.0, |normal| normal.sample(rng));
    let usd = if account.role == Role::Retail && rng.random_bool(0.15) { (drawn / 50.0).ceil() * 50.0 } else { drawn };
    cents(usd.clamp(0.01, 5.0e7))
}

fn asset(account: &Account, rng: &mut ChaCha8Rng) -> u8 {
    if rng.random_bool(0.85) { account.asset } else { rng.random_range(0..ASSETS.len()) as u8 }
}

/// A time of day in milliseconds: at night with probability `night`, else around early afternoon.
pub(super) fn time_of_day(night: f64, rng: &mut ChaCha8Rng) -> i64 {
    let hours = if rng.random_bool(night.clamp(0.0, 1.0)) {
        rng.random_range(0.0..6.0)
    } else {
        Normal::new(14.0_f64, 4.0).map_or(14.0, |normal| normal.sample(rng)).clamp(6.0, 23.99)
    };
    (hours * 3_600_000.0) as i64
}

/// An amount to the cent.
pub(super) fn cents(usd: f64) -> f64 {
    (usd * 100.0).round() / 100.0
}
