//! A small simulation that stands in for SOT data, which is not public.
//!
//! Accounts trade with each other day by day; some take part in laundering patterns, others in harmless activity of
//! the same shape. Features are computed from those transactions, alerts are raised by rules that see only the
//! features, and labels become known one to three weeks later. The same configuration gives the same days. What is
//! modelled, and what is not, is told in `docs/synthetic_data.md`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "simulated counts and times are small and non-negative by construction"
)]

mod activity;
mod alerts;
mod assemble;
mod clusters;
mod config;
mod counterparties;
mod day;
mod graph;
mod measures;
mod patterns;
mod population;
mod rules;
mod shapes;
mod stats;
mod tables;
mod traffic;
mod view;
mod window;

pub use config::{SynthConfig, SynthConfigError};
pub use day::Day;

use day::World;

/// The days of a configuration, one after the other.
pub struct Synth {
    world: World,
    left: u32,
}

/// Starts a simulation; the days are made as they are asked for.
///
/// # Errors
/// The configuration's first violation.
pub fn generate(config: &SynthConfig) -> Result<Synth, SynthConfigError> {
    config.validate()?;
    Ok(Synth { world: World::new(config), left: config.days })
}

impl Iterator for Synth {
    type Item = Day;

    fn next(&mut self) -> Option<Day> {
        self.left = self.left.checked_sub(1)?;
        Some(self.world.next_day())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Synth {}
