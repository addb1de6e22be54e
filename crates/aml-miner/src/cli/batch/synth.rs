//! `synth`: batches of a simulated economy.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use anyhow::Context as _;
use chrono::{Days, NaiveDate};
use indicatif::ProgressBar;

use super::{UsageError, Verdict};
use crate::data::listing::directory_name;
use crate::data::{PartsWriter, WriteOptions, write_batch};
use crate::synth::{Day, SynthConfig, SynthConfigError, generate};
use crate::wire::{Batch, Table};

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

    /// Where the batch of a day goes.
    fn target(&self, date: NaiveDate) -> PathBuf {
        self.output.join(directory_name(date, Some(self.window_days)))
    }

    /// When the batch of a day was published: when the day was over.
    fn published(date: NaiveDate) -> String {
        format!("{}T00:00:00Z", date.checked_add_days(Days::new(1)).unwrap_or(date))
    }

    fn options<'a>(&self, date: NaiveDate, created_at: &'a str) -> WriteOptions<'a> {
        WriteOptions {
            processing_date: date,
            window_days: self.window_days,
            network: NETWORK,
            created_at,
            publisher: None,
            replace: self.replace,
        }
    }

    fn labels(&self, day: &mut Day) -> Option<Table> {
        let none = Table::empty(day.labels.spec());
        (!self.no_labels).then(|| std::mem::replace(&mut day.labels, none))
    }
}

/// Rows of a day.
#[derive(Clone, Copy, Default)]
struct Rows {
    alerts: usize,
    addresses: usize,
    flows: usize,
}

impl Rows {
    fn add(&mut self, batch: &Batch) {
        self.alerts += batch.alerts.rows();
        self.addresses += batch.features.rows();
        self.flows += batch.money_flows.rows();
    }

    fn line(self, target: &Path) -> String {
        let Self { alerts, addresses, flows } = self;
        format!("{}: {alerts} alerts, {addresses} addresses, {flows} flows", target.display())
    }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let wrong = |wrong: SynthConfigError| UsageError(wrong.to_string());
    let economies = args.config().economies().map_err(wrong)?;
    std::fs::create_dir_all(&args.output)?;
    let steps = u64::from(args.days) * economies.len() as u64;
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(steps));
    let mut told = |line: &str| match &bar {
        Some(bar) => {
            bar.println(line);
            Ok(())
        }
        None => writeln!(out, "{line}"),
    };
    let step = || bar.iter().for_each(|bar| bar.inc(1));
    let [economy] = &economies[..] else { return several(args, &economies, (&mut told, &step)) };
    for mut day in generate(economy).map_err(wrong)? {
        let (target, published) = (args.target(day.date), Args::published(day.date));
        let labels = args.labels(&mut day);
        write_batch(&target, &day.batch, labels.as_ref(), &args.options(day.date, &published))?;
        let mut rows = Rows::default();
        rows.add(&day.batch);
        step();
        told(&rows.line(&target))?;
    }
    Ok(Verdict::Passed)
}

/// Says a line.
type Telling<'a> = &'a mut dyn FnMut(&str) -> std::io::Result<()>;

/// Days of several economies: a part of each table for each. Two economies live at once, whatever the machine has, since
/// memory is what bounds them.
fn several(args: &Args, economies: &[SynthConfig], (told, step): (Telling<'_>, &dyn Fn())) -> anyhow::Result<Verdict> {
    let dates: Vec<NaiveDate> = args.start_date.iter_days().take(args.days as usize).collect();
    let published: Vec<String> = dates.iter().map(|date| Args::published(*date)).collect();
    let mut days = Vec::new();
    for (date, published) in dates.iter().zip(&published) {
        let target = args.target(*date);
        let writer = PartsWriter::new(&target, &args.options(*date, published))?;
        days.push((target, writer, Rows::default()));
    }
    for pair in economies.chunks(2) {
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let live = |economy: &SynthConfig| {
                let (sender, made) = sync_channel(0);
                let economy = economy.clone();
                scope.spawn(move || {
                    let Ok(days) = generate(&economy) else { return };
                    // Nobody takes days any more once one cannot be written.
                    let _ = days.map(|day| sender.send(day).is_ok()).take_while(|taken| *taken).count();
                });
                made
            };
            let living: Vec<_> = pair.iter().map(live).collect();
            for made in living {
                for (_, writer, rows) in &mut days {
                    let mut day = made.recv().context("an economy has fewer days than were asked for")?;
                    let labels = args.labels(&mut day);
                    writer.add(&day.batch, labels)?;
                    rows.add(&day.batch);
                    step();
                }
            }
            Ok(())
        })?;
    }
    for (target, writer, rows) in days {
        writer.finish()?;
        told(&rows.line(&target))?;
    }
    Ok(Verdict::Passed)
}
