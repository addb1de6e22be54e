//! What a running development chain is asked for.

use clap::Args;

use crate::localnet::Generation;
use crate::wallet::Hotkey;

/// Which running chain is meant.
#[derive(Clone, Debug, Args)]
pub(super) struct At {
    /// URL of the running chain
    #[arg(long, default_value = "http://127.0.0.1:9944", env = "AML_LOCALNET_URL")]
    pub(super) url: String,
}

#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Number of the subnet
    #[arg(long, default_value_t = 1)]
    pub(super) netuid: u16,
    /// Address of the hotkey
    #[arg(long)]
    pub(super) hotkey: Hotkey,
    /// Address of the coldkey that owns it; Alice's without it
    #[arg(long)]
    pub(super) coldkey: Option<Hotkey>,
}

#[derive(Debug, Args)]
pub(super) struct StakeArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Number of the subnet
    #[arg(long, default_value_t = 1)]
    pub(super) netuid: u16,
    /// Address of the hotkey
    #[arg(long)]
    pub(super) hotkey: Hotkey,
    /// How much, in TAO
    #[arg(long)]
    pub(super) tao: u32,
}

#[derive(Debug, Args)]
pub(super) struct FundArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Address of the account
    #[arg(long)]
    pub(super) account: Hotkey,
    /// How much, in TAO
    #[arg(long)]
    pub(super) tao: u32,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Number of the subnet
    #[arg(long, default_value_t = 1)]
    pub(super) netuid: u16,
    /// Name of the rule, such as tempo
    pub(super) name: String,
    /// Its value; 0 or 1 for switches
    pub(super) value: u64,
}

#[derive(Debug, Args)]
pub(super) struct NewBlockArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// How many
    #[arg(long, default_value_t = 1)]
    pub(super) count: u64,
}

#[derive(Debug, Args)]
pub(super) struct EpochArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Number of the subnet
    #[arg(long, default_value_t = 1)]
    pub(super) netuid: u16,
}

#[derive(Debug, Args)]
pub(super) struct PulseArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Round of drand's quicknet
    #[arg(long)]
    pub(super) round: u64,
    /// Its signature, 96 hex digits
    #[arg(long)]
    pub(super) signature: String,
}

#[derive(Debug, Args)]
pub(super) struct BeaconArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// What it does from now on
    pub(super) runs: Runs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Runs {
    /// It signs no round
    Stop,
    /// It signs a round every second, and those that it has missed
    Start,
}

#[derive(Debug, Args)]
pub(super) struct UpgradeArgs {
    #[command(flatten)]
    pub(super) at: At,
    /// Runtime to show: 463, 381 or 218
    pub(super) runtime: Generation,
    /// Version that it reports, if not its own
    #[arg(long)]
    pub(super) spec_version: Option<u32>,
}
