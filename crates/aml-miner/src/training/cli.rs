//! The command line of `aml-miner-train`: parses, sets up, calls one command, maps the outcome to an exit code.

mod adopt;
mod args;
mod choosing;
mod comparing;
mod diagnose;
mod evaluate;
mod report;
mod select;
mod train;
mod tune;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Parser, Subcommand};

use crate::features::{CustomFeature, register};
use crate::training::watch::{Console, Watch};
use args::{AdoptArgs, DiagnoseArgs, EvaluateArgs, ReportArgs, SelectArgs, TrainArgs, TuneArgs};

/// Ended by ^C, after what was done had been kept.
const INTERRUPTED: u8 = 130;

/// Trains, tunes, evaluates and reports on the models of an AML miner.
#[derive(Debug, Parser)]
#[command(name = "aml-miner-train", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the alert scorer: the probability that an alert is confirmed illicit.
    Scorer(TrainArgs),
    /// Train the alert ranker: the order in which alerts should be looked at.
    Ranker(TrainArgs),
    /// Train the cluster scorer (needs the alert scorer in the output directory).
    Clusters(TrainArgs),
    /// Train all three.
    All(TrainArgs),
    /// Search better parameters.
    Tune(TuneArgs),
    /// Take a model of LightGBM, XGBoost, CatBoost or scikit-learn that was trained elsewhere.
    Adopt(AdoptArgs),
    /// Choose features: try fewer of them on the validation period.
    Select(SelectArgs),
    /// Measure models on labelled batches, alone or against others.
    Evaluate(EvaluateArgs),
    /// Write an HTML page and a JSON file about models, or about which of two are better.
    Report(ReportArgs),
    /// Say what a scorer is worth before it is registered: a page, its figures, and the submission that it would make.
    Diagnose(DiagnoseArgs),
}

/// `aml-miner-train` with features of your own: they are part of the default schema of alerts, and may be named in every schema.
#[derive(Default)]
pub struct Trainer {
    features: Vec<Arc<dyn CustomFeature>>,
}

impl Trainer {
    /// The trainer as it is shipped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a feature.
    #[must_use]
    pub fn feature(mut self, feature: impl CustomFeature + 'static) -> Self {
        self.features.push(Arc::new(feature));
        self
    }

    /// Runs the program with the process's arguments. To be called first in `main`.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match register(self.features) {
            Ok(()) => main(),
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let stop = Arc::new(AtomicBool::new(false));
    watch_for_interrupt(Arc::clone(&stop));
    let watch = Console::new(Arc::clone(&stop));
    let outcome = match cli.command {
        Command::Scorer(args) => train::run(&args, &[train::Step::Scorer], &watch),
        Command::Ranker(args) => train::run(&args, &[train::Step::Ranker], &watch),
        Command::Clusters(args) => train::run(&args, &[train::Step::Clusters], &watch),
        Command::All(args) => {
            train::run(&args, &[train::Step::Scorer, train::Step::Ranker, train::Step::Clusters], &watch)
        }
        Command::Adopt(args) => adopt::run(&args, &watch),
        Command::Tune(args) => tune::run(&args, &watch),
        Command::Select(args) => select::run(&args, &watch),
        Command::Evaluate(args) => evaluate::run(&args, &watch),
        Command::Report(args) => report::run(&args, &watch),
        Command::Diagnose(args) => diagnose::run(&args, &watch),
    };
    match outcome {
        Ok(()) if stop.load(Ordering::Relaxed) => ExitCode::from(INTERRUPTED),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if stop.load(Ordering::Relaxed) => {
            watch.note(&format!("stopped: {error:#}"));
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            watch.note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The first ^C asks for an end that keeps what is done, the second ends at once.
fn watch_for_interrupt(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if stop.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(INTERRUPTED));
                }
            }
        });
    });
}
