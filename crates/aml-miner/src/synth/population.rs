//! The accounts: who they are, how often and how much they trade, and when they live.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp, LogNormal};

/// What an account does for a living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A person.
    Retail,
    /// A trading venue: a hub with thousands of counterparties.
    Exchange,
    /// A shop: many small payments in, few large ones out.
    Merchant,
    /// Few and large transfers.
    Whale,
    /// Takes coins in and pays the same denominations out to others.
    Mixer,
    /// A program: regular, at all hours.
    Contract,
}

/// One account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) role: Role,
    /// Outgoing transfers a day.
    pub(super) rate: f64,
    /// Mean and deviation of the logarithm of an amount in USD.
    pub(super) amount: (f64, f64),
    /// Share of transfers made between midnight and six.
    pub(super) night: f64,
    /// First and last day of ordinary activity.
    pub(super) life: (i32, i32),
    /// Usual counterparties.
    pub(super) friends: [u32; 3],
    /// Usual asset.
    pub(super) asset: u8,
    /// Day of the last transfer seen before the current window; `None` for never.
    pub(super) last_active: Option<i32>,
}

/// All accounts ever created, by index, and those of each role.
pub(super) struct Population {
    pub(super) accounts: Vec<Account>,
    pub(super) exchanges: Vec<u32>,
    pub(super) merchants: Vec<u32>,
    pub(super) whales: Vec<u32>,
    pub(super) mixers: Vec<u32>,
    /// People who are alive on the current day.
    pub(super) people: Vec<u32>,
    /// People who stopped trading, and may be woken.
    sleepers: Vec<u32>,
    target: usize,
}

/// Mean days that a person's account is used.
const MEAN_LIFE_DAYS: f64 = 45.0;
/// Number of assets.
pub(super) const ASSETS: [&str; 5] = ["TAO", "TOR", "USDT", "USDC", "ETH"];

impl Population {
    pub(super) fn new(target: usize, today: i32, rng: &mut ChaCha8Rng) -> Self {
        let mut population = Self {
            accounts: Vec::with_capacity(target * 2),
            exchanges: Vec::new(),
            merchants: Vec::new(),
            whales: Vec::new(),
            mixers: Vec::new(),
            people: Vec::new(),
            sleepers: Vec::new(),
            target,
        };
        let share = |per_mille: usize, least: usize| (target * per_mille / 1000).max(least);
        for (role, count) in [
            (Role::Exchange, share(1, 3)),
            (Role::Merchant, share(25, 5)),
            (Role::Whale, share(4, 2)),
            (Role::Mixer, share(1, 2)),
            (Role::Contract, share(10, 2)),
        ] {
            for _ in 0..count {
                population.add(role, (today - 400, i32::MAX), rng);
            }
        }
        while population.people.len() < population.wanted_people() {
            let age = Exp::new(1.0 / MEAN_LIFE_DAYS).map_or(0.0, |exp| exp.sample(rng)) as i32;
            population.add_person(today - age, today, rng);
        }
        for _ in 0..share(30, 5) {
            let last = today - rng.random_range(20..150);
            let id = population.add(Role::Retail, (last - 60, last), rng);
            population.accounts[id as usize].last_active = Some(last);
            population.sleepers.push(id);
        }
        population
    }

    fn wanted_people(&self) -> usize {
        // About 88 of 100 people trade at least once in a window of a week.
        self.target * 96 / 100
    }

    /// Lets accounts die and be born so that the number of living people stays the same.
    pub(super) fn start_day(&mut self, day: i32, rng: &mut ChaCha8Rng) {
        let accounts = &self.accounts;
        let (alive, gone) = self.people.iter().partition(|&&id| accounts[id as usize].life.1 >= day);
        self.people = alive;
        self.sleepers.extend::<Vec<u32>>(gone);
        while self.people.len() < self.wanted_people() {
            self.add_person(day, day, rng);
        }
    }

    /// A new account that trades only when a pattern makes it.
    pub(super) fn add_shell(&mut self, day: i32, rng: &mut ChaCha8Rng) -> u32 {
        let id = self.add(Role::Retail, (day, day + 30), rng);
        self.accounts[id as usize].rate = 0.05;
        id
    }

    /// An account that has long been silent, where there is one.
    pub(super) fn wake(&mut self, rng: &mut ChaCha8Rng) -> Option<u32> {
        let count = self.sleepers.len();
        (count > 0).then(|| self.sleepers.swap_remove(rng.random_range(0..count)))
    }

    fn add_person(&mut self, born: i32, today: i32, rng: &mut ChaCha8Rng) {
        let span = 2.0 + Exp::new(1.0 / MEAN_LIFE_DAYS).map_or(1.0, |exp| exp.sample(rng));
        let id = self.add(Role::Retail, (born, today + span as i32), rng);
        self.people.push(id);
    }

    fn add(&mut self, role: Role, life: (i32, i32), rng: &mut ChaCha8Rng) -> u32 {
        let id = self.accounts.len() as u32;
        let vary = |median: f64, sigma: f64, rng: &mut ChaCha8Rng| {
            LogNormal::new(median.ln(), sigma).map_or(median, |normal| normal.sample(rng))
        };
        // Venues pay out about as many transfers as people send them.
        let venues = (self.target / 1000).max(3) as f64;
        let payouts = 0.17 * self.target as f64 / venues;
        let (rate, amount) = match role {
            Role::Retail => (vary(0.5, 0.7, rng), (rng.random_range(3.0..6.5), rng.random_range(0.6..1.4))),
            Role::Exchange => (payouts * rng.random_range(0.5..1.5), (6.2, 1.6)),
            Role::Merchant => (vary(1.2, 0.5, rng), (7.4, 0.8)),
            Role::Whale => (vary(0.8, 0.5, rng), (11.0, 1.0)),
            Role::Mixer => (vary(6.0, 0.4, rng), (7.0, 0.1)),
            Role::Contract => (vary(8.0, 0.6, rng), (rng.random_range(3.0..6.0), 0.3)),
        };
        let night = match role {
            Role::Retail | Role::Whale => rng.random_range(0.02..0.22),
            Role::Merchant => 0.05,
            Role::Exchange | Role::Mixer | Role::Contract => 0.25,
        };
        let asset = rng.random_range(0..ASSETS.len()) as u8;
        let friends = [0; 3].map(|_: u32| rng.random_range(0..=id));
        self.accounts.push(Account { role, rate, amount, night, life, friends, asset, last_active: None });
        match role {
            Role::Exchange => self.exchanges.push(id),
            Role::Merchant => self.merchants.push(id),
            Role::Whale => self.whales.push(id),
            Role::Mixer => self.mixers.push(id),
            Role::Retail | Role::Contract => {}
        }
        id
    }
}

/// One of `ids`, the first ones more often than the last.
pub(super) fn favoured(ids: &[u32], rng: &mut ChaCha8Rng) -> u32 {
    let draw: f64 = rng.random();
    ids[((draw * draw) * ids.len() as f64) as usize]
}

/// One of `ids`, all alike.
pub(super) fn any(ids: &[u32], rng: &mut ChaCha8Rng) -> u32 {
    ids[rng.random_range(0..ids.len())]
}
