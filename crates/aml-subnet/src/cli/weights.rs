//! `aml-subnet weights`: the vector and why, what the chain has, and setting it by hand.

use std::process::ExitCode;
use std::sync::Arc;

use aml_miner::clock::{Clock, SystemClock};
use clap::{Args, Subcommand};

use super::settings_args::ValidatorArgs;
use super::{SettingsArgs, chain, ledger};
use crate::config::Settings;
use crate::logging;
use crate::validator::pay::{PayOutcome, Payer, PayerParts, WeightsTarget, Worth};
use crate::validator::standing::worth_now;
use crate::validator::world::MachineEntropy;

mod render;

/// Arguments of `weights`.
#[derive(Debug, Args)]
pub(super) struct WeightsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints the vector that would be set now, and why; what the chain has; when the next submission is due
    Show(ShowArgs),
    /// Sets weights now if they are due, and sees through what is open; the validator does this by itself
    Set(SetArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    validator: ValidatorArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct SetArgs {
    #[command(flatten)]
    show: ShowArgs,
    /// Only print what would be set, as `show` does
    #[arg(long)]
    dry_run: bool,
}

/// Shows or sets.
pub(super) fn run(args: &WeightsArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Show(args) => with_payer(args, true, show),
        Command::Set(args) if args.dry_run => with_payer(&args.show, true, show),
        Command::Set(args) => with_payer(&args.show, false, set),
    }
}

/// What both commands work with.
struct Desk {
    payer: Payer,
    worth: Worth,
    settings: Settings,
    hotkey: crate::wallet::Hotkey,
    json: bool,
}

fn with_payer(
    args: &ShowArgs,
    read_only: bool,
    work: impl AsyncFnOnce(Desk) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&args.validator.overrides())?;
    logging::init(&settings.log_level)?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let signer = file.open(|name| std::env::var_os(name))?.signer;
    let chain = chain::connect_to_write(&settings, &file)?;
    chain::block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ledger = ledger::open(&settings, read_only).await?;
        let worth = worth_now(&ledger, settings.netuid, settings.validator.grace).await?;
        let hotkey = signer.hotkey();
        let target = WeightsTarget { netuid: settings.netuid, mechanism: settings.validator.mechanism };
        let min_rounds = settings.validator.weights_min_rounds;
        let (log, entropy) = (Arc::new(ledger.clone()), Arc::new(MachineEntropy));
        let payer = Payer::new(PayerParts { chain, log, signer, clock, entropy, target, min_rounds })
            .leaving(settings.validator.unearned);
        let done = work(Desk { payer, worth, settings, hotkey, json: args.json }).await;
        // What is being written is finished, and the lock is free for the next one.
        ledger.close().await;
        done
    })
}

async fn show(desk: Desk) -> anyhow::Result<ExitCode> {
    let preview = desk.payer.preview(&desk.worth).await?;
    let sheet = render::Sheet {
        netuid: desk.settings.netuid,
        mechanism: desk.settings.validator.mechanism,
        hotkey: desk.hotkey,
        rounds: desk.worth.rounds,
        min_rounds: desk.settings.validator.weights_min_rounds,
        preview: &preview,
    };
    if desk.json {
        println!("{}", serde_json::to_string_pretty(&sheet.json())?);
    } else {
        print!("{}", sheet.text());
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(desk: Desk) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!desk.settings.validator.shadow, "validator.shadow is set: no weights in shadow mode");
    match desk.payer.pay(&desk.worth).await? {
        PayOutcome::Recorded { epoch, state, receivers } => {
            println!("epoch {epoch}: weights for {receivers} neurons, {}", render::state(&state));
            Ok(ExitCode::SUCCESS)
        }
        PayOutcome::NotDue(due) => {
            println!("nothing to set: {}", render::due(&due));
            Ok(ExitCode::SUCCESS)
        }
        PayOutcome::Withheld(why) => anyhow::bail!("no weights are set: {why}"),
    }
}
