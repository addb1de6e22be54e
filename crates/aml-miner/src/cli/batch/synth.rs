//! `synth`: batches of a simulated economy.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use chrono::{Days, NaiveDate};
use indicatif::ProgressBar;

use super::{UsageError, Verdict};
use crate::data::listing::directory_name;
use crate::data::{WriteOptions, write_batch};
use crate::synth::{Day, SynthConfig, generate};

/// The chain that simulated batches say they are of.
const NETWORK: &str = "synthetic";

/// Arguments of `synth`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory that receives one batch directory per day
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Everything random follows from it
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// First processing date
    #[arg(long, default_value = "2025-09-01", value_name = "YYYY-MM-DD")]
    start_date: NaiveDate,
    /// Number of days, one batch each
    #[arg(long, default_value_t = 1)]
    days: u32,
    /// Alerts of a day
    #[arg(long, default_value_t = 1_000)]
    alerts: usize,
    /// Accounts that are active in a window
    #[arg(long, default_value_t = 10_000)]
    addresses: usize,
    /// Days that a batch looks back
    #[arg(long, default_value_t = 7)]
    window_days: u16,
    /// Share of the alerts that are true, roughly
    #[arg(long, default_value_t = 0.14)]
    illicit_share: f64,
    /// How well launderers hide on the first day, from 0 to 1
    #[arg(long, default_value_t = 0.4)]
    disguise: f64,
    /// Share of the labels that are wrong; the days stay the same, so that 0 tells the truth about them
    #[arg(long, default_value_t = 0.02)]
    label_noise: f64,
    /// Leave the labels out, as on the day itself
    #[arg(long)]
    no_labels: bool,
    /// Replace batches that are there
    #[arg(long)]
    replace: bool,
}

impl Args {
    fn config(&self) -> SynthConfig {
        SynthConfig {
            seed: self.seed,
            start: self.start_date,
            days: self.days,
            alerts: self.alerts,
            addresses: self.addresses,
            window_days: self.window_days,
            illicit_share: self.illicit_share,
            disguise: self.disguise,
            label_noise: self.label_noise,
            ..SynthConfig::default()
        }
    }

    fn write(&self, day: &Day) -> anyhow::Result<PathBuf> {
        let target = self.output.join(directory_name(day.date, Some(self.window_days)));
        // A batch is published when its day is over.
        let published = day.date.checked_add_days(Days::new(1)).unwrap_or(day.date);
        let options = WriteOptions {
            processing_date: day.date,
            window_days: self.window_days,
            network: NETWORK,
            created_at: &format!("{published}T00:00:00Z"),
            publisher: None,
            replace: self.replace,
        };
        std::fs::create_dir_all(&self.output)?;
        write_batch(&target, &day.batch, (!self.no_labels).then_some(&day.labels), &options)?;
        Ok(target)
    }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let days = generate(&args.config()).map_err(|wrong| UsageError(wrong.to_string()))?;
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(u64::from(args.days)));
    for day in days {
        let target = args.write(&day)?;
        let flows = day.batch.money_flows.rows();
        let line = format!(
            "{}: {} alerts, {} addresses, {flows} flows",
            target.display(),
            day.batch.alerts.rows(),
            day.batch.features.rows()
        );
        match &bar {
            Some(bar) => {
                bar.println(&line);
                bar.inc(1);
            }
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(Verdict::Passed)
}
