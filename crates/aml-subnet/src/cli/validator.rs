//! `aml-subnet validator`: rounds, settlements, weights, and the read API beside them.

use std::process::ExitCode;
use std::sync::Arc;

use aml_miner::clock::{Clock, SystemClock};
use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{SettingsArgs, ValidatorArgs, chain, ledger, readers, sealing, settle, standby, upgrade};
use crate::api;
use crate::api::state::ApiState;
use crate::calendar::{date_of, day_at};
use crate::chain::pulses::ChainPulses;
use crate::config::{Settings, ValidatorSettings};
use crate::logging;
use crate::protocol::NonceSource;
use crate::store::{Ledger, OpenLedgerError};
use crate::subtensor::Subtensor;
use crate::subtensor::subnet::{OwnSubnet, Subnet};
use crate::upgrade::Role;
use crate::validator::past::PastDays;
use crate::validator::pay::{self, Payer, WeightsTarget};
use crate::validator::query::{Asker, AskingKey, Clocks, QuerySettings};
use crate::validator::round::{self, Rounds, Secret};
use crate::validator::rulebook;
use crate::validator::run::Validator;
use crate::validator::settling::Settler;
use crate::validator::sot::Sot;
use crate::validator::upkeep::Upkeep;
use crate::validator::webhooks::{Webhook, WebhookParts};
use crate::validator::world::{BeaconReader, MachineEntropy, Stores, WeightsChain, World};
use crate::wallet::Signer;

mod past;
mod say;
mod webhooks;

use say::say;

/// Arguments of `validator`.
#[derive(Debug, Args)]
#[command(
    after_help = "A killed validator goes on where it was: start it again with the same data folder. One process writes \
                        to a ledger; a second one is refused.

Examples:
  aml-subnet validator --netuid 1 --wallet.name val --validator.sot https://sot.example.org/batches
  aml-subnet validator --once --shadow --validator.sot ./batches       one round, no weights
  aml-subnet validator --past 2026-01-05..2026-02-10 --validator.sot ./batches --validator.data_dir rehearsal
                                                       a rehearsal: past days, each as if it were its day, no weights
  aml-subnet validator --standby --validator.shared_dir /srv/aml       a second machine, see docs/running_a_validator.md
  aml-subnet validator --check                                         is everything there?"
)]
pub(super) struct RunValidatorArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    validator: ValidatorArgs,
    /// One round, whatever settlements are due, weights if they are due; then exits, with 1 when something went wrong
    #[arg(long)]
    once: bool,
    /// Everything but weights
    #[arg(long, env = "VALIDATOR_SHADOW")]
    shadow: bool,
    /// Waits until no other validator holds the ledger, then goes on in its place: needs PostgreSQL and a shared folder
    #[arg(long, env = "VALIDATOR_STANDBY")]
    standby: bool,
    /// Checks configuration, hotkey, source and ledger, and exits
    #[arg(long, conflicts_with = "once")]
    check: bool,
    /// Says what an upgrade has to know, as JSON, and exits
    #[arg(long, hide = true)]
    facts: bool,
    /// Runs the batches of these days as rounds, one after the other and each as if it were its day: miners are asked now,
    /// outcomes count as they became known then. Sets no weights. Then exits, with 1 when a day went wrong
    #[arg(long, value_name = "FROM..TO", conflicts_with_all = ["once", "check", "standby"])]
    past: Option<PastDays>,
    /// After the past days, sets the weights that they come to: on a development chain only
    #[arg(long, requires = "past")]
    past_weights: bool,
}

/// Runs the validator until it is told to stop, or once.
pub(super) fn run(args: &RunValidatorArgs) -> anyhow::Result<ExitCode> {
    let mut settings = args.settings.load(&args.validator.overrides())?;
    settings.validator.shadow |= args.shadow;
    if args.facts {
        return upgrade::tell_facts(&settings, Role::Validator);
    }
    if args.once && args.shadow {
        keep_apart(&mut settings);
    }
    logging::init(&settings.log_level)?;
    let file = args.settings.wallet(&settings).locate(|name| std::env::var_os(name))?;
    let opened = file.open(|name| std::env::var_os(name))?;
    if let Some(warning) = opened.warning {
        tracing::warn!("{warning}");
    }
    if args.standby {
        standby::check(&settings.validator)?;
    }
    if args.check {
        return check(&settings, &opened.signer);
    }
    let chain = chain::connect_to_write(&settings, &file)?;
    if let Some(days) = args.past {
        let hands = Hands { signer: opened.signer, chain };
        return chain::block_on(past::run(settings, hands, past::Wanted { days, weights: args.past_weights }));
    }
    chain::block_on(work(args, settings, Hands { signer: opened.signer, chain }))
}

/// A trial uses up no day of the real start: unless told otherwise it has a data folder of its own.
fn keep_apart(settings: &mut Settings) {
    let own = &mut settings.validator;
    if own.data_dir == ValidatorSettings::default().data_dir && own.database_url.is_none() {
        own.data_dir.as_mut_os_string().push("-trial");
        let folder = own.data_dir.display();
        eprintln!("a trial: its data folder is {folder}; look at it with --validator.data_dir {folder}");
    }
}

/// Opens everything, changes nothing but the folder's cache.
fn check(settings: &Settings, signer: &Signer) -> anyhow::Result<ExitCode> {
    Sot::open(settle::sot_settings(&settings.validator)).context("validator.sot")?;
    let secret = Secret::load_or_create(settings.validator.shared(), &MachineEntropy)?;
    webhooks::check(&settings.validator)?;
    readers::access(&settings.validator)?;
    chain::connect(settings)?;
    chain::block_on(async {
        match ledger::open(settings, true).await {
            Ok(ledger) => {
                let today = date_of(day_at(SystemClock.now()));
                let shared = standby::check_shared(&ledger, settings, &secret).await;
                let rules = rulebook::check(&ledger, &settings.validator, settings.netuid, today).await;
                ledger.close().await;
                shared?;
                rules?;
            }
            // The first start makes it.
            Err(error) if matches!(error.downcast_ref(), Some(OpenLedgerError::Missing { .. })) => {}
            // And brings an older one up to date.
            Err(error) if matches!(error.downcast_ref(), Some(OpenLedgerError::Older { .. })) => {
                println!("the ledger is of an older program: the next start brings it up to date");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    println!("{}", settings.chain_summary());
    println!("{}", settings.validator_summary());
    println!("configuration, hotkey {}, source and ledger are good", signer.hotkey());
    Ok(ExitCode::SUCCESS)
}

/// What writes to the chain.
struct Hands {
    signer: Signer,
    chain: Arc<Subtensor>,
}

async fn work(args: &RunValidatorArgs, settings: Settings, hands: Hands) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    chain::stop_on_signal(stop.clone())?;
    let ledger = if args.standby {
        let Some(ledger) = standby::ledger_when_free(&settings, &stop).await? else { return Ok(ExitCode::SUCCESS) };
        ledger
    } else {
        ledger::open(&settings, false).await?
    };
    let secret = Secret::load_or_create(settings.validator.shared(), &MachineEntropy)?;
    standby::check_shared(&ledger, &settings, &secret).await?;
    let today = date_of(day_at(SystemClock.now()));
    let rules = rulebook::open(&ledger, &settings.validator, settings.netuid, today).await?;
    tracing::info!(%rules, "rules by day");
    sealing::check(&settings, &hands.chain, rules.on(today)).await?;
    let validator = build(&settings, &hands, &ledger, secret, &Clocks::of_the_machine())?;
    let hooks = webhooks::open(&settings.validator, &hook_parts(&validator, &hands, &ledger))?;
    let code = if args.once {
        let pass = validator.once(&stop).await;
        webhooks::once(hooks, &stop).await;
        say(&pass, &settings.validator);
        let good = pass.errors.is_empty() && pass.round.is_some();
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    } else {
        forever(&settings, &validator, Beside { hands, ledger: ledger.clone(), hooks }, &stop).await
    };
    drop(validator);
    // What is being written is finished, and the lock is free for the next one.
    ledger.close().await;
    code
}

/// All parts, put together.
fn build(
    settings: &Settings,
    hands: &Hands,
    ledger: &Ledger,
    secret: Secret,
    clocks: &Clocks,
) -> anyhow::Result<Validator> {
    let Hands { signer, chain } = hands;
    let (netuid, own) = (settings.netuid, settings.validator.clone());
    let clock = Arc::clone(&clocks.rounds);
    let sot = Arc::new(Sot::open(settle::sot_settings(&own)).context("validator.sot")?);
    let neurons = Arc::new(Subnet { chain: Arc::clone(chain), netuid, signer: signer.clone() });
    let beacon = Arc::new(BeaconReader::new(&settings.sealing, Arc::clone(&neurons) as Arc<dyn ChainPulses>));
    let mirrors = Arc::new(Stores::of(&own.references)?);
    let world = World::real(ledger.clone(), sot, neurons, Arc::clone(&clock), own.published_dir());
    let world = world.opened_by(beacon).mirrored_by(mirrors);
    let key = AskingKey { signer: signer.clone(), nonces: Arc::new(NonceSource::default()) };
    let rounds = Rounds::new(round::RoundsParts {
        world: world.clone(),
        asker: Asker::by(query_settings(&own), netuid, key, clocks.clone()),
        signer: signer.clone(),
        secret,
        netuid,
        settings: own.clone(),
    });
    let payer = Payer::new(pay::PayerParts {
        chain: Arc::clone(chain) as Arc<dyn WeightsChain>,
        log: Arc::new(ledger.clone()),
        signer: signer.clone(),
        clock,
        entropy: Arc::new(MachineEntropy),
        target: WeightsTarget { netuid, mechanism: own.mechanism },
        min_rounds: own.weights_min_rounds,
    })
    .carrying(own.weights_version)
    .leaving(own.unearned);
    let settler = Settler::of(&world, netuid, own.clone());
    let payer = (!own.shadow).then_some(payer);
    Ok(Validator { rounds, settler, payer, world, netuid, settings: own })
}

fn hook_parts(validator: &Validator, hands: &Hands, ledger: &Ledger) -> WebhookParts {
    let (signer, time) = (hands.signer.clone(), Arc::clone(&validator.world.time));
    WebhookParts { ledger: ledger.clone(), netuid: validator.netuid, signer, time }
}

/// What the read API shows beside the validator, and who is told of rounds.
struct Beside {
    hands: Hands,
    ledger: Ledger,
    hooks: Vec<Webhook>,
}

async fn forever(
    settings: &Settings,
    validator: &Validator,
    Beside { hands: Hands { signer, chain }, ledger, hooks }: Beside,
    stop: &CancellationToken,
) -> anyhow::Result<ExitCode> {
    let address = settings.validator.listen;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let (on, with) = (settings.chain_summary(), settings.validator_summary());
    tracing::info!(hotkey = %signer.hotkey(), netuid = settings.netuid, %address, %on, %with, "validator runs");
    let clock = Arc::clone(&validator.world.time) as Arc<dyn Clock>;
    let parts = api::state::ApiParts::of(settings, ledger, signer.hotkey(), clock);
    let upkeep = Arc::new(Upkeep::default());
    let api = ApiState::new(api::state::ApiParts {
        metrics: logging::record_metrics(),
        upkeep: Arc::clone(&upkeep),
        access: Arc::new(readers::access(&settings.validator)?),
        ..parts
    });
    let (netuid, mechanism) = (settings.netuid, settings.validator.mechanism);
    let source = OwnSubnet { chain: Arc::clone(&chain), netuid, mechanism, hotkey: signer.hotkey() };
    let serving = tokio::spawn(api::serve::run(listener, api, Arc::new(source), stop.clone()));
    // Dropped at the end, whatever they are waiting for: what was not taken is sent after the next start.
    let _telling = webhooks::start(hooks, stop);
    let world = &validator.world;
    let work = async { tokio::join!(validator.run(stop), upkeep.keep(&*world.source, &*world.time, stop)) };
    tokio::select! {
        _ = work => {
            serving.await.context("the read API")?;
            tracing::info!("validator stopped");
            Ok(ExitCode::SUCCESS)
        }
        // Half-open connections look alive; the supervisor's restart is the cure.
        stalled = chain.watch_blocks(settings.subtensor.stalled_after) => Err(stalled.into()),
    }
}

fn query_settings(own: &ValidatorSettings) -> QuerySettings {
    QuerySettings {
        deadline: own.timeout,
        attempts: own.attempts,
        concurrency: own.concurrency,
        max_answer_bytes: own.max_answer_bytes,
        allow_private_ips: own.allow_private_ips,
        v10_fallback: own.v10_fallback,
        explain: own.explain,
    }
}
