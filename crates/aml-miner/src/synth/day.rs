//! The simulated world and its passage from day to day.

use chrono::NaiveDate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::activity::{self, Activity};
use super::alerts;
use super::assemble::Names;
use super::clusters;
use super::config::SynthConfig;
use super::graph;
use super::measures::Measures;
use super::patterns::{self, Pattern, Truth, first_day};
use super::population::Population;
use super::tables;
use super::traffic::{self, DAY_MS, Transfer};
use super::view::View;
use super::window::Window;
use crate::wire::{Batch, Table};

/// Characters of an address.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// One simulated batch and the outcomes of its alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// The batch's `processing_date`.
    pub date: NaiveDate,
    /// The four tables.
    pub batch: Batch,
    /// What becomes known of the alerts, one row per alert, in the order of the alerts.
    pub labels: Table,
}

/// Everything that lives from one day to the next.
pub(super) struct World {
    config: SynthConfig,
    rng: ChaCha8Rng,
    population: Population,
    /// Address of each account, by id.
    addresses: Vec<String>,
    /// Transfers that are not yet out of the window, future ones of running patterns included.
    transfers: Vec<Transfer>,
    patterns: Vec<Pattern>,
    /// The next day to make, in days since the epoch.
    today: i32,
}

impl World {
    pub(super) fn new(config: &SynthConfig) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        // The first batch looks back on full days, and on patterns in mid-course.
        let warm_up = i32::from(config.window_days) + 3;
        let today = first_day(config) - warm_up;
        let population = Population::new(config.addresses, today, &mut rng);
        let mut world = Self {
            config: config.clone(),
            rng,
            population,
            addresses: Vec::new(),
            transfers: Vec::new(),
            patterns: Vec::new(),
            today,
        };
        for _ in 0..warm_up {
            world.live_a_day();
        }
        world
    }

    /// Lives one more day and reports on it.
    pub(super) fn next_day(&mut self) -> Day {
        self.live_a_day();
        let day = self.today - 1;
        self.name_new_accounts();
        let truth = self.truth(day);
        let end = i64::from(day + 1) * DAY_MS;
        let seen = self.transfers.iter().filter(|transfer| transfer.at < end).copied().collect();
        let window = Window::new(seen, self.population.accounts.len());
        let activities: Vec<Activity> =
            (0..window.accounts.len()).map(|account| activity::measure(&window, account)).collect();
        let graph = graph::measure(&window, &mut self.rng);
        let view = View { day, population: &self.population, window: &window, activities: &activities, graph: &graph };
        let raised = alerts::raise(&self.config, &view, &mut self.rng);
        let groups = clusters::group(&view, &raised);
        let date = NaiveDate::from_epoch_days(day).unwrap_or_default();
        let names = Names { addresses: &self.addresses, config: &self.config, date };
        let measures = Measures::new(&view, &self.config, &mut self.rng);
        let alerts = tables::alerts(&names, &view, &raised, &groups, &mut self.rng);
        let labels = tables::labels(&names, &view, &raised, &truth, &mut self.rng);
        let batch = Batch {
            features: measures.table(&names, &view, &mut self.rng),
            clusters: tables::clusters(&names, &view, &alerts, &raised, &groups),
            money_flows: tables::money_flows(&names, &view),
            alerts,
        };
        Day { date, batch, labels }
    }

    fn live_a_day(&mut self) {
        let day = self.today;
        self.forget(day);
        self.population.start_day(day, &mut self.rng);
        traffic::ordinary(&self.population, day, &mut self.rng, &mut self.transfers);
        let begun = patterns::begin(&self.config, &mut self.population, day, &mut self.rng, &mut self.transfers);
        self.patterns.extend(begun);
        self.today += 1;
    }

    /// Drops what the window of `day` no longer covers.
    fn forget(&mut self, day: i32) {
        let start_day = day + 1 - i32::from(self.config.window_days);
        let start = i64::from(start_day) * DAY_MS;
        let accounts = &mut self.population.accounts;
        self.transfers.retain(|transfer| {
            if transfer.at >= start {
                return true;
            }
            let day = transfer.at.div_euclid(DAY_MS) as i32;
            for id in [transfer.from, transfer.to] {
                let last = &mut accounts[id as usize].last_active;
                *last = Some(last.map_or(day, |before| before.max(day)));
            }
            false
        });
        self.patterns.retain(|pattern| pattern.last_day >= start_day);
    }

    /// By account id: the worst it has had a part in within the window.
    fn truth(&self, day: i32) -> Vec<Truth> {
        let mut truth = vec![Truth::Clean; self.population.accounts.len()];
        let start = day + 1 - i32::from(self.config.window_days);
        for pattern in self.patterns.iter().filter(|pattern| pattern.last_day >= start) {
            let part = if pattern.illicit { Truth::Illicit } else { Truth::Harmless };
            for &member in &pattern.members {
                truth[member as usize] = truth[member as usize].max(part);
            }
        }
        truth
    }

    fn name_new_accounts(&mut self) {
        // Names have a generator of their own, so that an account's name depends on nothing but seed and number.
        for id in self.addresses.len()..self.population.accounts.len() {
            let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed.rotate_left(17) ^ id as u64);
            let letters = (0..47).map(|_| char::from(BASE58[rng.random_range(0..BASE58.len())]));
            self.addresses.push(std::iter::once('5').chain(letters).collect());
        }
    }
}
