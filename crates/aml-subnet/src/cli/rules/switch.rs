//! `aml-subnet rules switch --check`: what a change of rules would do, before anything changes.

mod report;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Duration;

use aml_miner::clock::{Clock as _, SystemClock};
use aml_miner::error_chain::with_causes;
use anyhow::ensure;
use chrono::{Days, NaiveDate};
use clap::Args;
use tokio::time::timeout;

use self::report::{Day, Peer, Report, Seen};
use super::compare::{Span, stored, under_each};
use crate::calendar::{date_of, day_at, day_of, whole_days};
use crate::chain::types::Neuron;
use crate::cli::chain;
use crate::cli::ledger::LedgerArgs;
use crate::config::Settings;
use crate::store::Ledger;
use crate::store::records::{ColumnName, Round};
use crate::validation::rules::RulesVersion;
use crate::validation::rules_list::{RulesFrom, RulesList};
use crate::validation::v2::Constants;
use crate::validation::v2::window::Window;
use crate::validator::rulebook;

/// Days over which pay is compared.
const COMPARED: u64 = 30;
/// Validators whose last weights are looked up, the highest stake first.
const MOST_PEERS: usize = 64;
/// How long the chain may take, all together.
const CHAIN: Duration = Duration::from_secs(60);

/// Arguments of `rules switch`.
#[derive(Debug, Args)]
#[command(
    after_help = "Says how many of the rounds that the new rules look back on are of use to them, what miners were paid and would have \
                  been, which versions other validators' weights carry, what happens to a validator that switches alone, and how to \
                  go back. Changes nothing: the switch itself is a line of the settings, which is printed. Reads the ledger beside \
                  a running validator; the chain too, where an endpoint answers.

Example:
  aml-subnet rules switch --from 2026-12-08 --check"
)]
pub(super) struct SwitchArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// The first day under the new rules; it has to lie ahead
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Their version
    #[arg(long, value_name = "NAME", default_value = "v2")]
    to: RulesVersion,
    /// Only says what it would do; nothing else is offered
    #[arg(long, required = true)]
    check: bool,
}

/// Looks and says.
pub(super) fn run(args: &SwitchArgs) -> anyhow::Result<ExitCode> {
    args.ledger.read(async |settings, ledger| {
        let today = date_of(day_at(SystemClock.now()));
        let newest = ledger.rounds(settings.netuid, 1, None).await?.pop();
        let Some(newest) = newest else {
            anyhow::bail!(
                "the ledger has no round of subnet {}: an empty ledger begins under the newest rules",
                settings.netuid
            );
        };
        let list = rulebook::check(&ledger, &settings.validator, settings.netuid, today).await?;
        let switched = with_switch(&list, args.from, args.to, today)?;
        let to = newest.id.date;
        let span = Span { from: to.checked_sub_days(Days::new(COMPARED - 1)).unwrap_or(to), to };
        let looked_back = args.to.information().unwrap_or(&Constants::V2);
        let before = list.on(args.from.pred_opt().unwrap_or(args.from));
        let versions = [before, args.to];
        let grace = whole_days(settings.validator.grace);
        let (all, missing) = under_each(&ledger, settings.netuid, grace, &span, &versions).await?;
        let report = Report {
            list: &list,
            switched: &switched,
            from: args.from,
            span: &span,
            window: window(&ledger, settings.netuid, args.from, looked_back).await?,
            least: looked_back.least,
            today,
            all: &all,
            missing: missing.len(),
            seen: match timeout(CHAIN, seen(&settings)).await {
                Ok(seen) => seen,
                Err(_) => Err(format!("it does not answer within {} s", CHAIN.as_secs())),
            },
        };
        print!("{}", report.text());
        Ok(ExitCode::SUCCESS)
    })
}

/// The list with one entry more.
fn with_switch(list: &RulesList, from: NaiveDate, to: RulesVersion, today: NaiveDate) -> anyhow::Result<RulesList> {
    let tomorrow = today.succ_opt().unwrap_or(today);
    ensure!(
        from > today,
        "--from {from} is not ahead: rounds are judged under the rules of their day, so give one from {tomorrow} on"
    );
    let before = from.pred_opt().map_or(RulesVersion::V1, |day| list.on(day));
    ensure!(before != to, "rules {} are in force on the day before {from} already: {list}", to.name());
    Ok(list.and_from(RulesFrom { version: to, from: Some(from) }))
}

/// The days that the new rules look back on from the first day on, and what the ledger has of each.
async fn window(ledger: &Ledger, netuid: u16, from: NaiveDate, constants: &Constants) -> anyhow::Result<Vec<Day>> {
    let days: RangeInclusive<i64> = Window::new(constants, day_of(from)).rounds();
    let rounds = stored::rounds(ledger, netuid, date_of(*days.start())..=date_of(*days.end())).await?;
    let mut all = Vec::new();
    for day in days {
        let date = date_of(day);
        let round = rounds.iter().find(|round| round.id.date == date);
        all.push(match round {
            None => Day { date, round: false, columns: false, illicit: 0, clean: 0 },
            Some(round) => look_at(ledger, round).await?,
        });
    }
    Ok(all)
}

async fn look_at(ledger: &Ledger, round: &Round) -> anyhow::Result<Day> {
    let verdicts = ledger.verdicts(round.id).await?;
    let kept = ledger.column_digests(round.id).await?;
    let mut accepted = verdicts.iter().filter(|verdict| verdict.accepted.is_ok());
    let columns = accepted.all(|verdict| kept.contains_key(&ColumnName::Miner(verdict.hotkey)));
    let mut addresses = [BTreeSet::new(), BTreeSet::new()];
    for one in stored::known(ledger, round).await? {
        addresses[usize::from(one.illicit)].insert(one.address);
    }
    let [clean, illicit] = addresses.map(|of| of.len());
    Ok(Day { date: round.id.date, round: true, columns, illicit, clean })
}

/// What the chain shows of the other validators.
async fn seen(settings: &Settings) -> Result<Seen, String> {
    let chain = chain::connect(settings).map_err(|error| format!("{error:#}"))?;
    let rules = chain.hyperparameters(settings.netuid).await.map_err(|error| with_causes(&error))?;
    let metagraph = chain.metagraph(settings.netuid).await.map_err(|error| with_causes(&error))?;
    let mut validators: Vec<&Neuron> = metagraph.neurons.iter().filter(|neuron| neuron.validator_permit).collect();
    validators.sort_by_key(|neuron| std::cmp::Reverse(neuron.stake));
    let mut peers = Vec::new();
    for neuron in validators.iter().take(MOST_PEERS) {
        let carried = chain.version_carried(settings.netuid, neuron.hotkey, neuron.last_update).await;
        peers.push(Peer { hotkey: neuron.hotkey, stake: neuron.stake, updated: neuron.last_update, carried });
    }
    Ok(Seen { key: rules.weights_version, peers, more: validators.len().saturating_sub(MOST_PEERS) })
}
