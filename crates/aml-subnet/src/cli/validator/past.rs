//! `aml-subnet validator --past`: past days as rounds, a rehearsal.

use std::process::ExitCode;
use std::sync::Arc;

use aml_miner::clock::SystemClock;
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::say::paid;
use super::{Hands, build};
use crate::cli::{chain, ledger, settle};
use crate::config::{Answers, Settings};
use crate::store::Ledger;
use crate::store::records::{Round, RoundId, Step};
use crate::validator::past::{Came, PastClock, PastDay, PastDays, Rehearsal};
use crate::validator::query::Clocks;
use crate::validator::round::Secret;
use crate::validator::rulebook;
use crate::validator::run::{Pass, Validator};
use crate::validator::settling::Settling;
use crate::validator::sot::Sot;
use crate::validator::world::MachineEntropy;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Which days.
    pub(super) days: PastDays,
    /// Whether weights are set in the end.
    pub(super) weights: bool,
}

/// Runs the days, and says what came of each.
pub(super) async fn run(settings: Settings, hands: Hands, wanted: Wanted) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    chain::stop_on_signal(stop.clone())?;
    if wanted.weights {
        let development = hands.chain.is_for_development().await?;
        anyhow::ensure!(development, "--past-weights: this is no development chain, and a rehearsal sets no weights");
    }
    let ledger = ledger::open(&settings, false).await?;
    // The list as the first of these days would have it: a change of rules may be rehearsed too.
    let rules = rulebook::open(&ledger, &settings.validator, settings.netuid, wanted.days.first()).await?;
    tracing::info!(%rules, "rules by day");
    let done = days(&settings, &hands, &ledger, wanted, &stop).await;
    // What is being written is finished, and the lock is free for the next one.
    ledger.close().await;
    done
}

async fn days(
    settings: &Settings,
    hands: &Hands,
    ledger: &Ledger,
    wanted: Wanted,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let clock = Arc::new(PastClock::new(wanted.days.first()));
    let clocks = Clocks { rounds: Arc::clone(&clock) as Arc<_>, stamps: Arc::new(SystemClock) };
    let mut rehearsed = settings.clone();
    rehearsed.validator.shadow = true;
    // Nobody waits for an opening that was in the past, and nothing of a rehearsal is paid.
    rehearsed.validator.answers = Answers::Open;
    let secret = Secret::load_or_create(settings.validator.shared(), &MachineEntropy)?;
    let validator = build(&rehearsed, hands, ledger, secret, &clocks)?;
    let sot = Sot::open(settle::sot_settings(&settings.validator)).context("validator.sot")?;
    let rehearsal = Rehearsal { validator: &validator, sot: &sot, clock: &clock };
    let mut told = Told::default();
    rehearsal.run(wanted.days, stop, |day| told.day(day)).await?;
    println!("{}", told.in_all(&settings.validator.ledger_url()));
    if wanted.weights {
        set_weights(settings, hands, ledger).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets what the days come to, by the machine's clock.
async fn set_weights(settings: &Settings, hands: &Hands, ledger: &Ledger) -> anyhow::Result<()> {
    let secret = Secret::load_or_create(settings.validator.shared(), &MachineEntropy)?;
    let validator: Validator = build(settings, hands, ledger, secret, &Clocks::of_the_machine())?;
    match validator.pay_turn().await? {
        Some(outcome) => println!("weights: {}", paid(&outcome)),
        None => println!("weights: none are set, validator.shadow is set"),
    }
    Ok(())
}

/// What was told so far.
#[derive(Default)]
struct Told {
    rounds: usize,
    settled: usize,
    without: usize,
}

impl Told {
    fn day(&mut self, day: &PastDay) {
        let said = match &day.came {
            Came::NoBatch => {
                self.without += 1;
                "no batch".to_owned()
            }
            Came::Before => "was run before".to_owned(),
            Came::Ran(pass) => self.pass(pass),
        };
        println!("{}: {said} ({:.1} s)", day.date, day.took.as_secs_f64());
    }

    fn pass(&mut self, pass: &Pass) -> String {
        self.rounds += usize::from(pass.round.is_some());
        let settled = pass.settling.iter().filter(|(_, settling)| matches!(settling, Settling::Done(_)));
        let settled: Vec<&RoundId> = settled.map(|(id, _)| id).collect();
        self.settled += settled.len();
        let round = pass.round.as_ref().map_or_else(|| "nothing to do".to_owned(), round);
        let and = settled.iter().map(|id| format!("; round of {} settled", id.date)).collect::<String>();
        format!("{round}{and}")
    }

    fn in_all(&self, ledger: &str) -> String {
        let without =
            if self.without == 0 { String::new() } else { format!(", {} days without a batch", self.without) };
        // A URL may hold a password; a file's path does not.
        let place = if ledger.starts_with("sqlite:") { ledger } else { "the database" };
        format!("{} rounds, {} of them or of those before settled{without}; ledger: {place}", self.rounds, self.settled)
    }
}

fn round(round: &Round) -> String {
    let step = if round.step >= Step::Published { "published" } else { "not published yet" };
    format!("round {}, {} alerts, {step}", round.id, round.alerts)
}
