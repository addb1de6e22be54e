//! `aml-subnet doctor`: what is wrong with this set-up.

use std::process::ExitCode;
use std::sync::Arc;

use aml_miner::clock::SystemClock;
use clap::Args;

use super::settings_args::AxonArgs;
use super::{SettingsArgs, chain};
use crate::doctor::judge::{Role, judge};
use crate::doctor::probe::{Patient, probe};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing is wrong; 2 configuration; 10 hotkey does not open; 11 key permissions; \
                        12 chain endpoint down; 13 clock skew; 14 not registered; 15 no validator permit; 16 port closed; \
                        17 inference API down; 18 version mismatch; 19 disk nearly full; 22 beacon not reached. Warnings alone: place near its end, rounds that did not count"
)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    axon: AxonArgs,
    /// What the hotkey is for
    #[arg(long, value_enum, default_value = "miner")]
    role: Role,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Looks, judges, prints; the exit code is that of the first failure.
pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&args.axon.overrides())?;
    let wallet = args.settings.wallet(&settings);
    let patient = Patient { settings: &settings, wallet, role: args.role, clock: Arc::new(SystemClock) };
    let report = judge(&chain::block_on(async { Ok(probe(&patient).await) })?);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.render());
    }
    Ok(ExitCode::from(report.exit_code()))
}
