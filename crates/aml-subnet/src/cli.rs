//! The command line: one binary, one subcommand per role.
//!
//! Each subcommand has a file under `cli/` with its arguments and a `run`; here they are only named.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod adopt;
mod ask;
mod chain;
mod check_metadata;
mod compare;
mod diagnose;
mod doctor;
mod environment;
mod erase;
mod evidence;
mod fetch;
mod ledger;
mod localnet;
mod metagraph;
mod miner;
mod miners;
mod my_rounds;
mod pages;
mod program;
mod readers;
mod reasons;
mod replay;
mod rounds;
mod rules;
mod scores;
mod sealing;
mod settings_args;
mod settle;
#[cfg(feature = "simulate")]
mod simulate;
mod standby;
mod transfer;
mod upgrade;
mod validator;
mod wallet;
mod weights;

pub use program::Program;
pub use settings_args::{AxonArgs, SettingsArgs, ValidatorArgs};

/// Exit code of a wrong configuration or command line.
pub const EXIT_CONFIG: u8 = 2;

/// Neurons of the AML subnet on Bittensor.
#[derive(Debug, Parser)]
#[command(name = "aml-subnet", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves validators: verifies their requests, forwards them to the inference API, signs the answers
    Miner(miner::MinerArgs),
    /// Asks all miners about each batch, judges and merges their answers, sets weights
    Validator(validator::RunValidatorArgs),
    /// Measures rounds against the outcomes that are known by now
    Settle(settle::SettleArgs),
    /// Lists rounds
    Rounds(rounds::RoundsArgs),
    /// Looks at one round
    Round(rounds::RoundArgs),
    /// Prints the leaderboard
    Miners(miners::MinersArgs),
    /// Says what validators made of a miner's answers, and what to do about it
    MyRounds(my_rounds::MyRoundsArgs),
    /// Merges the explanations of answers about a batch to reasons, as a round would
    Reasons(reasons::ReasonsArgs),
    /// Computes a stored round again, and says whether every byte is the same
    Replay(replay::ReplayArgs),
    /// Writes the evidence pack of a round, which anybody can check offline
    Evidence(Box<evidence::EvidenceArgs>),
    /// Takes an address out of everything that the validator keeps, or says what that would be
    Erase(Box<erase::EraseArgs>),
    /// Serves pages and API, read-only, from a replica or a copy of a ledger
    Pages(pages::PagesArgs),
    /// Says what a model's submission would be paid, before anything is registered
    Diagnose(Box<diagnose::DiagnoseArgs>),
    /// Applies the rules of scoring and pay without a chain, compares their versions, checks a change of rules
    Rules(rules::RulesArgs),
    /// Asks one miner once, as a validator would, and says whether its answer counts
    Ask(ask::AskArgs),
    /// Says whether a neuron would work with a runtime of the chain
    Chain(check_metadata::ChainArgs),
    /// Says what is wrong with a set-up
    Doctor(doctor::DoctorArgs),
    /// Runs a development chain, or asks a running one for something
    Localnet(localnet::LocalnetArgs),
    /// Compares a day with what another validator says of it
    Compare(compare::CompareArgs),
    /// Takes rounds of another validator into the ledger
    Ledger(adopt::LedgerCommandArgs),
    /// Writes the ledger into a folder of JSON lines
    Export(transfer::ExportArgs),
    /// Fills an empty ledger with what `export` wrote, from either database into either
    Import(transfer::ImportArgs),
    /// Copies the ledger while a validator runs
    Backup(transfer::BackupArgs),
    /// Prints the neurons and the rules of the subnet
    Metagraph(metagraph::MetagraphArgs),
    /// Writes canonical scores of a published round as signed files, or checks such files
    Scores(scores::ScoresArgs),
    /// Runs a validator on virtual time from a seed, and checks that its laws hold
    #[cfg(feature = "simulate")]
    Simulate(simulate::SimulateArgs),
    /// Replaces the installed release by a newer one, and goes back to the old one when that does not start
    Upgrade(upgrade::UpgradeArgs),
    /// Shows which hotkey would be used, or makes one for a development chain
    Wallet(wallet::ShowWalletArgs),
    /// Shows or sets the weights that the ledger's rounds come to
    Weights(weights::WeightsArgs),
}

impl Cli {
    /// Runs the chosen subcommand to its end.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Miner(args) => miner::run(&args),
            Command::Validator(args) => validator::run(&args),
            Command::Settle(args) => settle::run(&args),
            Command::Rounds(args) => rounds::run(&args),
            Command::Round(args) => rounds::run_one(&args),
            Command::Miners(args) => miners::run(&args),
            Command::MyRounds(args) => my_rounds::run(&args),
            Command::Reasons(args) => reasons::run(&args),
            Command::Replay(args) => replay::run(&args),
            Command::Evidence(args) => evidence::run(&args),
            Command::Erase(args) => erase::run(&args),
            Command::Pages(args) => pages::run(&args),
            Command::Diagnose(args) => diagnose::run(&args),
            Command::Rules(args) => rules::run(&args),
            Command::Ask(args) => ask::run(&args),
            Command::Chain(args) => check_metadata::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Localnet(args) => localnet::run(args),
            Command::Compare(args) => compare::run(&args),
            Command::Ledger(args) => adopt::run(&args),
            Command::Export(args) => transfer::export(&args),
            Command::Import(args) => transfer::import(&args),
            Command::Backup(args) => transfer::backup(&args),
            Command::Metagraph(args) => metagraph::run(&args),
            Command::Scores(args) => scores::run(&args),
            #[cfg(feature = "simulate")]
            Command::Simulate(args) => simulate::run(&args),
            Command::Upgrade(args) => upgrade::run(args),
            Command::Wallet(args) => wallet::run(&args),
            Command::Weights(args) => weights::run(&args),
        };
        result.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            let config = error.downcast_ref::<crate::config::ConfigError>().is_some();
            ExitCode::from(if config { EXIT_CONFIG } else { 1 })
        })
    }
}

/// The program as it is shipped.
#[must_use]
pub fn main() -> ExitCode {
    Program::new().run()
}
