//! `aml-subnet upgrade`: the installed release is replaced by a newer one, and taken back when that does not come up.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aml_miner::clock::SystemClock;
use aml_miner::error_chain::with_causes;
use clap::{Args, ValueEnum};

use super::chain;
use crate::config::Settings;
use crate::upgrade::{Done, Facts, Place, Role, TakenBack, Trust, Upgrade, UpgradeError};

/// A round is being asked: try again later.
const NOT_NOW: u8 = 3;
/// The new version did not come up; the old one runs again.
const TAKEN_BACK: u8 = 4;
/// Neither runs: a person has to look.
const STUCK: u8 = 5;
/// Why an upgrade was taken back by hand.
const TOLD: &str = "as told";

/// Arguments of `upgrade`.
#[derive(Debug, Args)]
#[command(
    after_help = "Before anything stops: the signature and the sums are verified, the new programs are run once, and with --check they \
                        read the settings of the units, as their user. Then: stop, copy the ledger (SQLite), replace programs and \
                        units, start, watch /ready. What does not come within --limit is taken back, programs and ledger, and the \
                        rounds that are lost by that are named. Not within an hour before a deadline while miners are being asked.

Exit codes: 0 done, or there is nothing to do; 1 refused, nothing was changed; 2 wrong command line; 3 not now, a round is being asked;
4 taken back, the old version runs; 5 neither runs, a person is needed.

Examples:
  sudo aml-subnet upgrade --from ./release-1.1.0 --dry-run             is it good, and would it start?
  sudo aml-subnet upgrade --from https://releases.example.org/1.1.0
  sudo aml-subnet upgrade --from ./release-1.1.0 --role miner
  sudo aml-subnet upgrade --take-back /var/lib/aml-upgrade/before-1.1.0-2026-01-05T120000Z
  sudo aml-subnet upgrade --from ./release-1.1.0 --have-backup         a ledger in PostgreSQL, which you have backed up"
)]
pub(super) struct UpgradeArgs {
    /// Folder or URL of a release of scripts/release.sh
    #[arg(long, value_name = "DIR|URL", required_unless_present = "take_back")]
    from: Option<String>,
    /// Undoes an upgrade that was interrupted or is not wanted: puts back the programs and the ledger that it kept in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "dry_run"])]
    take_back: Option<PathBuf>,
    /// What is restarted [default: whichever units run]
    #[arg(long, value_enum)]
    role: Option<RoleArg>,
    /// Who may sign, in the form of ssh-keygen's allowed_signers
    #[arg(long, value_name = "FILE", default_value = "/etc/aml/release_signers")]
    signers: PathBuf,
    /// A release of your own that has no signature: digests alone are compared
    #[arg(long)]
    unsigned: bool,
    /// Does everything up to the first step that would change something
    #[arg(long)]
    dry_run: bool,
    /// Goes on although a round is being asked, or the release is not newer than what is installed
    #[arg(long)]
    force: bool,
    /// You have backed up the ledger in PostgreSQL, which this command does not
    #[arg(long)]
    have_backup: bool,
    /// How long a started unit may take to be ready, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    limit: u64,
    /// Where programs are installed [default: where they are, /usr/local of a tarball or /usr of a package]
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Where the release is unpacked, and what is replaced is kept
    #[arg(long, value_name = "DIR", default_value = "/var/lib/aml-upgrade")]
    state: PathBuf,
    /// Replaces programs and units below this folder, to try an upgrade
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    /// The validator
    Validator,
    /// The proxy and the inference API
    Miner,
    /// Both on one machine
    Both,
}

/// Upgrades this machine.
pub(super) fn run(args: UpgradeArgs) -> anyhow::Result<ExitCode> {
    let roles = roles(args.role)?;
    let trust = if args.unsigned { Trust::Unsigned } else { Trust::Signers(args.signers) };
    let upgrade = Upgrade {
        trust,
        roles,
        root: args.root,
        prefix: args.prefix,
        state: args.state,
        limit: Duration::from_secs(args.limit),
        force: args.force,
        have_backup: args.have_backup,
        dry_run: args.dry_run,
        clock: &SystemClock,
        tell: &|line| eprintln!("upgrade: {line}"),
    };
    let done = chain::block_on(async {
        Ok(match (&args.take_back, &args.from) {
            (Some(folder), _) => {
                upgrade.take_back(folder).await.map(|back| Done::TakenBack { why: TOLD.to_owned(), back })
            }
            (None, from) => upgrade.run(&Place::of(from.as_deref().unwrap_or_default())).await,
        })
    })?;
    match done {
        Ok(done) => Ok(say(&done, args.take_back.is_some())),
        Err(error) => {
            let code = match &error {
                UpgradeError::NotNow(_) => NOT_NOW,
                UpgradeError::Stuck { .. } => STUCK,
                _ => 1,
            };
            eprintln!("error: {}", with_causes(&error));
            Ok(ExitCode::from(code))
        }
    }
}

/// What is named, or else what runs.
fn roles(named: Option<RoleArg>) -> anyhow::Result<Vec<Role>> {
    match named {
        Some(RoleArg::Validator) => Ok(vec![Role::Validator]),
        Some(RoleArg::Miner) => Ok(vec![Role::Miner]),
        Some(RoleArg::Both) => Ok(vec![Role::Validator, Role::Miner]),
        None => {
            let running: Vec<Role> = [Role::Validator, Role::Miner].into_iter().filter(|role| role.runs()).collect();
            anyhow::ensure!(
                !running.is_empty(),
                "no unit of a neuron runs on this machine: name what it is with --role"
            );
            Ok(running)
        }
    }
}

fn say(done: &Done, as_told: bool) -> ExitCode {
    match done {
        Done::Upgraded { to, kept } => {
            println!("{to} runs. What it replaced, with a copy of the ledger, is kept in {}", kept.display());
            ExitCode::SUCCESS
        }
        Done::Possible { to } => {
            println!("{to} is good and takes the settings; nothing was changed");
            ExitCode::SUCCESS
        }
        Done::Same(version) => {
            println!("{version} is installed already");
            ExitCode::SUCCESS
        }
        Done::TakenBack { why, back } => {
            println!("taken back: {why}");
            say_back(back);
            let stuck = back.wrong.is_some() || back.waits.is_some();
            match stuck {
                true => ExitCode::from(STUCK),
                false if as_told => ExitCode::SUCCESS,
                false => ExitCode::from(TAKEN_BACK),
            }
        }
    }
}

fn say_back(back: &TakenBack) {
    let TakenBack { lost, aside, wrong, waits } = back;
    if lost.is_empty() {
        println!("no round is lost");
    }
    lost.iter().for_each(|round| println!("lost: {round}"));
    if let Some(aside) = aside {
        println!("the ledger is as it was before; the new program's lies at {}", aside.display());
    }
    if let Some(why) = wrong.as_ref().or(waits.as_ref()) {
        println!("a person is needed: {why}");
    }
}

/// Says what the settings of a neuron say.
pub(super) fn tell_facts(settings: &Settings, role: Role) -> anyhow::Result<ExitCode> {
    let facts = chain::block_on(async { Ok(Facts::of(settings, role).await?) })?;
    println!("{}", serde_json::to_string(&facts)?);
    Ok(ExitCode::SUCCESS)
}
