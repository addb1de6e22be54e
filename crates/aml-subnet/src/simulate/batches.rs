//! The batches of a simulation and their outcomes, made once for all seeds: what is simulated is the validator, not the data.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aml_miner::digest::Digest;
use aml_miner::synth::{Day, Synth, SynthConfig, generate};
use aml_miner::wire::spec::MONEY_FLOWS;
use aml_miner::wire::{Batch, Column, Table};
use chrono::NaiveDate;

use super::days::{date_of, past};
use crate::calendar::{DAY_MS, start_ms};

/// Days that can be made.
const MOST_DAYS: u32 = 400;
/// Addresses of a world at least.
const ADDRESSES: usize = 400;
/// Outcomes of a season become known so many times sooner than in the generator's world, which takes one to three weeks.
const SOONER: f64 = 6.0;
/// Of so many outcomes one is late: it becomes known when it counts no more.
const LATE: u8 = 12;
/// Late outcomes become known after so many days.
const LATE_DAYS: f64 = 30.0;

/// A batch and its outcomes.
pub(super) struct Stored {
    /// Its day.
    pub(super) date: NaiveDate,
    /// Its tables.
    pub(super) batch: Arc<Batch>,
    /// What becomes known of its alerts, when nothing changes.
    pub(super) labels: Table,
}

/// Days of one size, as far as they were asked for.
struct Made {
    synth: Synth,
    stored: Vec<Arc<Stored>>,
}

/// The batch that was there before the first day.
pub(super) fn before(alerts: usize) -> Arc<Stored> {
    made(alerts, 0)
}

/// The batch of a day.
pub(super) fn of_day(alerts: usize, day: u32) -> Arc<Stored> {
    made(alerts, day as usize + 1)
}

fn made(alerts: usize, place: usize) -> Arc<Stored> {
    static ALL: Mutex<BTreeMap<usize, Made>> = Mutex::new(BTreeMap::new());
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let made = all.entry(alerts).or_insert_with(|| Made { synth: world(alerts), stored: Vec::new() });
    while made.stored.len() <= place {
        let next = made.synth.next().expect("as many days as can be made");
        let place = made.stored.len();
        made.stored.push(Arc::new(stored(next, place)));
    }
    Arc::clone(&made.stored[place])
}

fn world(alerts: usize) -> Synth {
    let config = SynthConfig {
        start: past(),
        days: MOST_DAYS,
        alerts,
        addresses: (alerts * 6).max(ADDRESSES),
        illicit_share: 0.3,
        ..SynthConfig::default()
    };
    generate(&config).expect("a configuration in bounds")
}

fn stored(day: Day, place: usize) -> Stored {
    let Day { date: made_for, batch, labels } = day;
    let batch = Arc::new(lean(batch));
    match u32::try_from(place).unwrap_or_default().checked_sub(1) {
        None => Stored { date: made_for, batch, labels },
        Some(day) => {
            let date = date_of(day);
            Stored { date, batch, labels: redated(&labels, made_for, date) }
        }
    }
}

/// The batch with the features of its alerts' addresses alone, and without flows: most of a body is never looked at.
fn lean(batch: Batch) -> Batch {
    let all = |table: &Table| -> Vec<String> {
        let texts = table.texts("address").expect("every such table has addresses");
        (0..table.rows()).map(|row| texts.get(row).to_owned()).collect()
    };
    let alerted: HashSet<String> = all(&batch.alerts).into_iter().collect();
    let features = all(&batch.features);
    let rows: Vec<usize> = (0..features.len()).filter(|row| alerted.contains(&features[*row])).collect();
    Batch { features: batch.features.take(&rows), money_flows: Table::empty(&MONEY_FLOWS), ..batch }
}

/// Outcomes become known with midnights, from the second day after their batch on: sooner than the generator has it, so that a
/// short season has some.
fn redated(labels: &Table, made_for: NaiveDate, date: NaiveDate) -> Table {
    let mut labels = labels.clone();
    let place = labels.spec().position("confirmed_at").expect("every such table has times");
    let ids = labels.texts("alert_id").cloned().unwrap_or_default();
    let known = labels.numbers("confirmed_at").unwrap_or_default();
    let day = |date| start_ms(date) as f64;
    let length = DAY_MS as f64;
    let one = |(row, known): (usize, &f64)| {
        let days = ((known - day(made_for)) / length / SOONER).ceil().max(1.0);
        let late = Digest::of(ids.get(row).as_bytes()).as_bytes()[0].is_multiple_of(LATE);
        day(date) + length * if late { days + LATE_DAYS } else { days }
    };
    let moved: Vec<f64> = known.iter().enumerate().map(one).collect();
    labels.set_column(place, Some(Column::Numbers(moved)));
    labels
}
