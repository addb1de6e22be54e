//! Weights on chain: set once per epoch, recorded before they are signed, seen through whatever happens in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};
use aml_miner::digest::Digest;
use aml_subnet::chain::announce::Announcement;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::chain::refusal::ChainRefusal;
use aml_subnet::chain::reveal_round::{GENESIS_SECONDS, PERIOD_SECONDS};
use aml_subnet::chain::standing::Preflight;
use aml_subnet::chain::types::Uid;
use aml_subnet::chain::weights::ChainWeights;
use aml_subnet::config::Unearned;
use aml_subnet::entropy::MachineEntropy;
use aml_subnet::localnet::{Config, Generation, Hyperparameter, Localnet, SubnetRules};
use aml_subnet::store::records::{WeightsRecord, WeightsState};
use aml_subnet::store::{Ledger, OpenLedgerError, Opening};
use aml_subnet::subtensor::{SetWeightsError, Subtensor, Timing};
use aml_subnet::validation::performance::RoundScore;
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validator::pay::{
    Because, Due, LogError, PayError, PayOutcome, Payer, PayerParts, Trouble, WeightsLog, WeightsTarget, Withheld,
    Worth, vector_digest,
};
use aml_subnet::wallet::Hotkey;
use futures_util::future::BoxFuture;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::common::dev_key;

const NETUID: u16 = 7;
const TARGET: WeightsTarget = WeightsTarget { netuid: NETUID, mechanism: 0 };
/// Blocks of an epoch: long enough for a busy machine to do everything within one.
const TEMPO: u16 = 999;
const BLOCK_TIME: Duration = Duration::from_millis(40);
/// Long enough for a busy machine; a broken payer fails by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// An instant at which a process can die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instant {
    BeforePlan,
    AfterPlan,
    BeforeState,
    AfterState,
}

/// What survives a process: the ledger. It can stop the process at an instant.
struct Disk {
    ledger: Ledger,
    deadly: Mutex<Option<Instant>>,
    died: Notify,
}

impl Disk {
    async fn new() -> Self {
        let opening = Opening { holder: "the test".to_owned(), read_only: false };
        let ledger = Ledger::open("sqlite::memory:", &opening).await.expect("a ledger in memory");
        Self { ledger, deadly: Mutex::default(), died: Notify::new() }
    }

    async fn live_through(&self, instant: Instant) {
        if *self.deadly.lock().expect("no panic") == Some(instant) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// Submissions, oldest first.
    async fn records(&self, target: WeightsTarget) -> Vec<WeightsRecord> {
        let mut records = self.ledger.weights(target, 100).await.expect("readable");
        records.reverse();
        records
    }

    async fn state_of(&self, index: usize) -> WeightsState {
        self.records(TARGET).await[index].state.clone()
    }

    async fn count(&self) -> usize {
        self.records(TARGET).await.len()
    }
}

impl WeightsLog for Disk {
    fn plan<'a>(&'a self, target: WeightsTarget, record: &'a WeightsRecord) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            self.live_through(Instant::BeforePlan).await;
            self.ledger.plan(target, record).await?;
            self.live_through(Instant::AfterPlan).await;
            Ok(())
        })
    }

    fn state<'a>(
        &'a self,
        target: WeightsTarget,
        epoch: u64,
        state: &'a WeightsState,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            self.live_through(Instant::BeforeState).await;
            self.ledger.state(target, epoch, state).await?;
            self.live_through(Instant::AfterState).await;
            Ok(())
        })
    }

    fn newest(&self, target: WeightsTarget, limit: u32) -> BoxFuture<'_, Result<Vec<WeightsRecord>, LogError>> {
        self.ledger.newest(target, limit)
    }
}

/// A chain with a validator (Alice) and miners, and what survives the validator's processes.
struct Stage {
    localnet: Localnet,
    http: HttpClient,
    disk: Arc<Disk>,
    timing: Timing,
}

fn hotkey(name: &str) -> Hotkey {
    dev_key(name).hotkey()
}

async fn stage_of(generation: Generation, commit_reveal: bool) -> Stage {
    let rules = SubnetRules { tempo: TEMPO, weights_rate_limit: 0, commit_reveal, ..SubnetRules::default() };
    let config = Config { netuid: NETUID, generation, rules, block_time: Some(BLOCK_TIME), ..Config::default() };
    let localnet = Localnet::start(config).await.expect("a free port");
    for name in ["Alice", "Bob", "Charlie", "Dave"] {
        localnet.register(NETUID, hotkey(name), hotkey("Ferdie")).expect("registered");
    }
    localnet.stake(NETUID, hotkey("Alice"), 5_000_000_000_000).expect("staked");
    localnet.run_epoch(NETUID).expect("an epoch");
    let http = HttpClientBuilder::default().build(localnet.http_url()).expect("a client");
    let timing = Timing { poll: Duration::from_millis(20), ..Timing::default() };
    Stage { localnet, http, disk: Arc::new(Disk::new().await), timing }
}

async fn stage() -> Stage {
    stage_of(Generation::G381, false).await
}

impl Stage {
    fn chain(&self) -> Arc<Subtensor> {
        let endpoints = Endpoints::resolve(&self.localnet.ws_url(), None).expect("a URL");
        Arc::new(Subtensor::new(endpoints, self.timing, Arc::new(SystemClock)))
    }

    /// A payer of a process that has just started.
    fn payer(&self) -> Payer {
        self.payer_of(TARGET, Arc::new(SystemClock))
    }

    /// The same, for a mechanism, with a clock of its own.
    fn payer_of(&self, target: WeightsTarget, clock: Arc<dyn Clock>) -> Payer {
        let endpoints = Endpoints::resolve(&self.localnet.ws_url(), None).expect("a URL");
        let chain = Arc::new(Subtensor::new(endpoints, self.timing, Arc::clone(&clock)));
        let (log, entropy) = (Arc::clone(&self.disk) as Arc<dyn WeightsLog>, Arc::new(MachineEntropy));
        Payer::new(PayerParts { chain, log, signer: dev_key("Alice"), clock, entropy, target, min_rounds: 1 })
    }

    /// Makes a block as soon as there is something to put into it.
    async fn block_for_the_pool(&self) {
        while self.pool_is_empty().await {
            tokio::task::yield_now().await;
        }
        self.localnet.produce_block();
    }

    async fn on_chain_of(&self, mechanism: u8) -> Vec<(u16, u16)> {
        let found = self.chain().weights_of(hotkey("Alice"), NETUID, mechanism).await.expect("readable");
        found.expect("registered").into_iter().map(|(uid, value)| (uid.0, value)).collect()
    }

    /// A process takes a turn and dies at an instant.
    async fn die_at(&self, instant: Instant, worth: &Worth) {
        *self.disk.deadly.lock().expect("no panic") = Some(instant);
        let payer = self.payer();
        tokio::select! {
            ended = payer.pay(worth) => panic!("it lived through {instant:?}: {ended:?}"),
            () = self.disk.died.notified() => {}
            () = tokio::time::sleep(PATIENCE) => panic!("it never came to {instant:?}"),
        }
        *self.disk.deadly.lock().expect("no panic") = None;
    }

    /// A process dies as soon as `sign` shows, wherever it is then.
    async fn die_when(&self, worth: &Worth, sign: impl AsyncFn() -> bool) {
        let payer = self.payer();
        let shown = async {
            while !sign().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = payer.pay(worth) => panic!("it came to an end: {ended:?}"),
            () = shown => {}
            () = tokio::time::sleep(PATIENCE) => panic!("there was no sign"),
        }
    }

    async fn ask(&self, method: &str) -> Value {
        self.http.request(method, rpc_params![]).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn pool_is_empty(&self) -> bool {
        self.ask("author_pendingExtrinsics").await == json!([])
    }

    /// Transactions of Alice that were ever in a block.
    async fn sent(&self) -> u64 {
        let next: Result<u64, _> =
            self.http.request("system_accountNextIndex", rpc_params![hotkey("Alice").to_string()]).await;
        next.expect("a nonce")
    }

    async fn on_chain(&self) -> Vec<(u16, u16)> {
        self.on_chain_of(0).await
    }

    async fn uid(&self, name: &str) -> u16 {
        let metagraph = self.chain().metagraph(NETUID).await.expect("a metagraph");
        metagraph.by_hotkey(&hotkey(name)).expect("registered").uid.0
    }

    /// Goes on to the begin of the next epoch.
    async fn next_epoch(&self) {
        let epoch = self.chain().epoch(NETUID).await.expect("an epoch");
        while self.localnet.height() < epoch.next {
            self.localnet.produce_block();
        }
    }

    fn rule(&self, name: Hyperparameter, value: u64) {
        self.localnet.set_hyperparameter(NETUID, name, value).expect("a subnet");
    }
}

/// Worth of some hotkeys after one round.
fn worth(of: &[(&str, f64)]) -> Worth {
    let performance: BTreeMap<Hotkey, f64> = of.iter().map(|(name, worth)| (hotkey(name), *worth)).collect();
    let counted = performance.keys().map(|hotkey| (*hotkey, 1)).collect();
    Worth { performance, counted, rounds: 1, unearned: None, rules: RulesVersion::V1 }
}

fn two_miners() -> Worth {
    worth(&[("Bob", 0.8), ("Charlie", 0.4)])
}

/// What two miners' worth looks like on chain.
async fn two_miners_on_chain(stage: &Stage) -> Vec<(u16, u16)> {
    vec![(stage.uid("Bob").await, 65535), (stage.uid("Charlie").await, 32768)]
}

fn must_confirm(outcome: Result<PayOutcome, PayError>) -> u64 {
    match outcome {
        Ok(PayOutcome::Recorded { state: WeightsState::Confirmed { block }, .. }) => block,
        other => panic!("not confirmed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_set_once_an_epoch_and_read_back() {
    let stage = stage().await;
    let payer = stage.payer();
    assert_eq!(payer.due().await.expect("readable"), Due::Now);
    let block = must_confirm(payer.pay(&two_miners()).await);
    assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await);
    assert_eq!(stage.disk.state_of(0).await, WeightsState::Confirmed { block });

    let again = payer.pay(&worth(&[("Dave", 1.0)])).await.expect("nothing to do");
    assert!(
        matches!(again, PayOutcome::NotDue(Due::Later { because: Because::Submitted, blocks }) if blocks > 1),
        "{again:?}"
    );
    assert_eq!(stage.sent().await, 1, "the second turn sent nothing");

    stage.next_epoch().await;
    must_confirm(payer.pay(&worth(&[("Dave", 1.0)])).await);
    assert_eq!(stage.on_chain().await, [(stage.uid("Dave").await, 65535)]);
    assert_eq!((stage.sent().await, stage.disk.count().await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_history_pays_nobody() {
    let stage = stage().await;
    let payer = stage.payer();
    let many = Worth { rounds: 3, ..two_miners() };
    let patient = Payer::new(PayerParts {
        chain: stage.chain(),
        log: Arc::clone(&stage.disk) as Arc<dyn WeightsLog>,
        signer: dev_key("Alice"),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(MachineEntropy),
        target: TARGET,
        min_rounds: 4,
    });
    for (payer, worth, why) in [
        (&payer, Worth { rounds: 0, ..worth(&[]) }, Withheld::TooFewRounds { rounds: 0, needed: 1 }),
        (&payer, Worth { rounds: 9, ..worth(&[]) }, Withheld::NothingEarned),
        (&payer, worth(&[("Bob", 0.0), ("Charlie", f64::NAN)]), Withheld::NothingEarned),
        (&payer, worth(&[("Eve", 1.0)]), Withheld::NobodyRegistered),
        (&patient, many, Withheld::TooFewRounds { rounds: 3, needed: 4 }),
    ] {
        assert_eq!(payer.pay(&worth).await.expect("no error"), PayOutcome::Withheld(why));
    }
    assert_eq!((stage.sent().await, stage.disk.count().await, stage.on_chain().await), (0, 0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_left_the_subnet_is_not_paid_and_neither_is_who_came_in_its_place() {
    let stage = stage().await;
    stage.rule(Hyperparameter::ImmunityPeriod, 0);
    stage.rule(Hyperparameter::MaxAllowedUids, 4);
    let paid = worth(&[("Bob", 0.5), ("Charlie", 0.5), ("Dave", 0.5), ("Eve", 1.0)]);
    // The subnet is full: the newcomer takes the place of the weakest.
    stage.localnet.register(NETUID, hotkey("One"), hotkey("Ferdie")).expect("registered");
    let metagraph = stage.chain().metagraph(NETUID).await.expect("a metagraph");
    let stays = |name: &&str| metagraph.by_hotkey(&hotkey(name)).is_some();
    let left: Vec<&str> = ["Bob", "Charlie", "Dave"].into_iter().filter(|name| !stays(name)).collect();
    assert_eq!(left.len(), 1, "one had to go");
    must_confirm(stage.payer().pay(&paid).await);
    let mut expected = Vec::new();
    for name in ["Bob", "Charlie", "Dave"].iter().filter(|name| stays(name)) {
        expected.push((stage.uid(name).await, 65535));
    }
    expected.sort_unstable();
    assert_eq!(stage.on_chain().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_may_die_between_any_two_steps() {
    for (instant, known) in
        [(Instant::BeforePlan, 0), (Instant::AfterPlan, 1), (Instant::BeforeState, 1), (Instant::AfterState, 1)]
    {
        let stage = stage().await;
        stage.die_at(instant, &two_miners()).await;
        assert_eq!(stage.disk.count().await, known, "{instant:?}");
        let payer = stage.payer();
        payer.pay(&two_miners()).await.unwrap_or_else(|error| panic!("{instant:?}: {error}"));
        assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }), "{instant:?}");
        assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await, "{instant:?}");
        assert_eq!((stage.sent().await, stage.disk.count().await), (1, 1), "{instant:?}: sent once, recorded once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_pool_when_the_process_dies_is_not_sent_again() {
    let stage = stage().await;
    stage.localnet.set_block_time(None);
    stage.die_when(&two_miners(), async || !stage.pool_is_empty().await).await;
    let payer = stage.payer();
    for _ in 0..2 {
        let outcome = payer.pay(&two_miners()).await.expect("looked up, not sent");
        assert!(matches!(outcome, PayOutcome::NotDue(Due::Unfinished { .. })), "{outcome:?}");
    }
    stage.localnet.produce_block();
    payer.pay(&two_miners()).await.expect("found");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }));
    assert_eq!((stage.sent().await, stage.on_chain().await), (1, two_miners_on_chain(&stage).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_block_that_may_yet_be_dropped_is_not_called_done() {
    let stage = stage().await;
    stage.localnet.set_finalizing(false);
    let begun = stage.localnet.height();
    stage.die_when(&two_miners(), async || stage.pool_is_empty().await && stage.sent().await == 1).await;
    stage.localnet.set_block_time(None);
    let payer = stage.payer();
    let outcome = payer.pay(&two_miners()).await.expect("seen, but not final");
    assert!(matches!(outcome, PayOutcome::NotDue(Due::Unfinished { .. })), "{outcome:?}");
    // The fork loses: the transaction waits again, and is still not sent a second time.
    let back = stage.localnet.take_back(stage.localnet.height().0 - begun.0);
    assert!(back > 0);
    assert!(!stage.pool_is_empty().await, "the dropped block's transaction waits again");
    let outcome = payer.pay(&two_miners()).await.expect("still on its way");
    assert!(matches!(outcome, PayOutcome::NotDue(Due::Unfinished { .. })), "{outcome:?}");
    stage.localnet.produce_block();
    stage.localnet.set_finalizing(true);
    payer.pay(&two_miners()).await.expect("final");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }));
    assert_eq!((stage.sent().await, stage.on_chain().await), (1, two_miners_on_chain(&stage).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_stands_still_leaves_the_submission_open_and_it_ends_when_blocks_come_again() {
    let mut stage = stage().await;
    stage.timing.finality = Duration::from_millis(300);
    stage.localnet.set_block_time(None);
    let payer = stage.payer();
    let error = payer.pay(&two_miners()).await.expect_err("nothing is final");
    assert_eq!(error.trouble(), Trouble::Uncertain, "{error}");
    assert_eq!(stage.disk.state_of(0).await, WeightsState::Planned);
    stage.localnet.produce_block();
    payer.pay(&two_miners()).await.expect("found");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }));
    assert_eq!(stage.sent().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_vector_is_the_one_that_is_sent_whatever_was_learnt_since() {
    let stage = stage().await;
    stage.next_epoch().await;
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.payer().pay(&worth(&[("Dave", 1.0)])).await.expect("the recorded one");
    assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await);
    assert_eq!(stage.disk.count().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_never_sent_does_not_claim_the_same_weights_of_a_later_epoch() {
    let stage = stage().await;
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.next_epoch().await;
    // The later plan is sent and not recorded: both look for what is on chain now.
    stage.die_at(Instant::BeforeState, &two_miners()).await;
    assert_eq!(stage.sent().await, 1);
    stage.payer().pay(&two_miners()).await.expect("found");
    assert!(matches!(stage.disk.state_of(1).await, WeightsState::Confirmed { .. }), "the one that was sent");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Failed { .. }), "one block holds one submission");
    assert_eq!((stage.sent().await, stage.on_chain().await), (1, two_miners_on_chain(&stage).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_goes_on_under_an_upgraded_runtime() {
    let stage = stage_of(Generation::G218, false).await;
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.localnet.upgrade(Generation::G381.spec());
    stage.payer().pay(&two_miners()).await.expect("sent under the new runtime");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }));
    assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_weight_is_not_given_to_who_came_in_the_receivers_place() {
    let stage = stage().await;
    stage.rule(Hyperparameter::ImmunityPeriod, 0);
    stage.rule(Hyperparameter::MaxAllowedUids, 4);
    stage.die_at(Instant::AfterPlan, &worth(&[("Bob", 1.0), ("Charlie", 1.0), ("Dave", 1.0)])).await;
    stage.localnet.register(NETUID, hotkey("One"), hotkey("Ferdie")).expect("takes a place");
    stage.payer().pay(&two_miners()).await.expect("given up");
    let state = stage.disk.state_of(0).await;
    assert!(matches!(&state, WeightsState::Failed { why } if why.contains("another hotkey")), "{state:?}");
    assert_eq!((stage.sent().await, stage.on_chain().await), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_would_refuse_is_not_signed_and_is_tried_again_later() {
    let stage = stage().await;
    let payer = stage.payer();
    stage.rule(Hyperparameter::StakeThreshold, u64::MAX);
    let error = payer.pay(&two_miners()).await.expect_err("too little stake");
    assert_eq!(error.trouble(), Trouble::Standing, "{error}");
    assert_eq!((stage.sent().await, stage.disk.count().await), (0, 0), "nothing was planned on it");
    stage.rule(Hyperparameter::StakeThreshold, 0);

    // Between plan and sending the subnet asks for a newer version: the plan waits, and ends with its epoch.
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.rule(Hyperparameter::WeightsVersion, 9);
    let error = payer.pay(&two_miners()).await.expect_err("an old version");
    assert_eq!(error.trouble(), Trouble::Standing, "{error}");
    assert_eq!((stage.sent().await, stage.disk.state_of(0).await), (0, WeightsState::Planned));
    stage.rule(Hyperparameter::WeightsVersion, 1);
    stage.next_epoch().await;
    stage.localnet.produce_blocks(200);
    must_confirm(payer.pay(&worth(&[("Dave", 1.0)])).await);
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Failed { .. }), "its epoch is over");
    assert_eq!(stage.on_chain().await, [(stage.uid("Dave").await, 65535)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_soon_is_a_reason_to_wait_and_no_error() {
    let stage = stage().await;
    stage.rule(Hyperparameter::WeightsRateLimit, 100_000);
    let outcome = stage.payer().pay(&two_miners()).await.expect("no error");
    let PayOutcome::NotDue(Due::Later { blocks, because: Because::RateLimit }) = outcome else { panic!("{outcome:?}") };
    assert!((90_000..=100_000).contains(&blocks), "a registration counts as an update: {blocks}");
    assert_eq!((stage.sent().await, stage.disk.count().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_came_too_soon_waits_without_a_fuss_unless_it_goes_on_for_long() {
    let stage = stage().await;
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.rule(Hyperparameter::WeightsRateLimit, 100_000);
    let outcome = stage.payer().pay(&two_miners()).await.expect("benign");
    assert!(
        matches!(outcome, PayOutcome::NotDue(Due::Later { because: Because::RateLimit, blocks }) if blocks > 90_000),
        "{outcome:?}"
    );
    assert_eq!((stage.sent().await, stage.disk.state_of(0).await), (0, WeightsState::Planned));
    let refusal = Preflight::TooFast { name: ChainRefusal::SettingWeightsTooFast, blocks: 7 };
    let error = PayError::from(SetWeightsError::from(refusal));
    assert_eq!(error.trouble(), Trouble::TooSoon);
    assert_eq!(error.benign_wait(2.9), Some(Due::Later { blocks: 7, because: Because::RateLimit }));
    assert_eq!(error.benign_wait(3.0), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_soon_for_more_than_three_tempos_is_an_error_until_the_chain_lets_it_pass() {
    let stage = stage().await;
    // The hotkey's last update is its registration.
    for _ in 0..4 {
        stage.next_epoch().await;
    }
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.rule(Hyperparameter::WeightsRateLimit, 100_000);
    let payer = stage.payer();
    let error = payer.pay(&two_miners()).await.expect_err("nothing was set for more than three tempos");
    assert_eq!(error.trouble(), Trouble::TooSoon, "{error}");
    assert_eq!((stage.sent().await, stage.disk.state_of(0).await), (0, WeightsState::Planned));
    stage.rule(Hyperparameter::WeightsRateLimit, 0);
    payer.pay(&two_miners()).await.expect("nothing is in the way any more");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }));
    assert_eq!((stage.sent().await, stage.on_chain().await), (1, two_miners_on_chain(&stage).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hand_on_the_hotkey_is_noticed() {
    let stage = stage().await;
    let payer = stage.payer();
    must_confirm(payer.pay(&two_miners()).await);
    let axon = Announcement { netuid: NETUID, ip: [127, 0, 0, 2].into(), port: 8091, version: 1 };
    stage.chain().announce(&dev_key("Alice"), &axon).await.expect("another process signs with the hotkey");
    stage.next_epoch().await;
    let error = payer.pay(&two_miners()).await.expect_err("the nonce has moved");
    assert_eq!(error.trouble(), Trouble::Contention, "{error}");
    assert!(error.to_string().contains("another process signs"), "{error}");
    payer.pay(&two_miners()).await.expect("reported once, then on from there");
    assert!(matches!(stage.disk.state_of(1).await, WeightsState::Confirmed { .. }));
    assert_eq!(stage.sent().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn mass_deregistration_is_believed_only_when_it_is_read_twice() {
    let stage = stage().await;
    must_confirm(stage.payer().pay(&two_miners()).await);
    // The last vector had forty receivers, as far as the ledger goes.
    stage.next_epoch().await;
    let mut record = stage.disk.records(TARGET).await.remove(0);
    let weights = &mut record.plan.content.weights;
    (weights.uids, weights.values) = ((0..40).collect(), vec![65535; 40]);
    record.epoch += 1;
    record.state = WeightsState::Planned;
    let gone = WeightsState::Failed { why: "it was on another chain".to_owned() };
    stage.disk.ledger.plan(TARGET, &record).await.expect("recorded");
    stage.disk.ledger.state(TARGET, record.epoch, &gone).await.expect("recorded");
    let payer = stage.payer();
    let outcome = payer.pay(&two_miners()).await.expect("no error");
    assert_eq!(outcome, PayOutcome::Withheld(Withheld::MetagraphDoubted { neurons: 4 }));
    must_confirm(payer.pay(&two_miners()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_commit_is_revealed_in_its_window_by_whichever_process_lives_then() {
    let stage = stage_of(Generation::G218, true).await;
    stage.die_at(Instant::BeforeState, &two_miners()).await;
    let payer = stage.payer();
    payer.pay(&two_miners()).await.expect("the commit is found");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Committed { .. }));
    let outcome = payer.pay(&two_miners()).await.expect("too early is no error");
    assert!(matches!(outcome, PayOutcome::NotDue(Due::Later { because: Because::Submitted, .. })), "{outcome:?}");
    assert_eq!((stage.sent().await, stage.on_chain().await), (1, vec![]));

    stage.next_epoch().await;
    stage.die_at(Instant::BeforeState, &worth(&[("Dave", 1.0)])).await;
    assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await, "revealed, but not recorded");
    let outcome = stage.payer().pay(&worth(&[("Dave", 1.0)])).await.expect("found, and the next one committed");
    assert!(
        matches!(outcome, PayOutcome::Recorded { state: WeightsState::Committed { .. }, receivers: 1, .. }),
        "{outcome:?}"
    );
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Confirmed { .. }));
    assert_eq!(stage.sent().await, 3, "commit, reveal, commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_window_was_missed_is_given_up() {
    let stage = stage_of(Generation::G218, true).await;
    stage.payer().pay(&two_miners()).await.expect("committed");
    stage.next_epoch().await;
    stage.next_epoch().await;
    stage.payer().pay(&two_miners()).await.expect("given up, and committed anew");
    let state = stage.disk.state_of(0).await;
    assert!(matches!(&state, WeightsState::Failed { why } if why.contains("ExpiredWeightCommit")), "{state:?}");
    assert!(matches!(stage.disk.state_of(1).await, WeightsState::Committed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timelocked_commit_is_found_again_and_waits_for_the_chain() {
    let stage = stage_of(Generation::G381, true).await;
    stage.die_at(Instant::BeforeState, &two_miners()).await;
    let payer = stage.payer();
    payer.pay(&two_miners()).await.expect("the commit is found");
    let WeightsState::Timelocked { block, round, reveal_from } = stage.disk.state_of(0).await else {
        panic!("{:?}", stage.disk.state_of(0).await)
    };
    let epoch = stage.chain().epoch(NETUID).await.expect("an epoch");
    assert_eq!(reveal_from, epoch.next.0, "the chain reveals in the next epoch");
    assert!(block < reveal_from && round > 1);
    stage.next_epoch().await;
    let outcome = payer.pay(&worth(&[("Dave", 1.0)])).await.expect("the next one");
    assert!(matches!(outcome, PayOutcome::Recorded { state: WeightsState::Timelocked { .. }, .. }), "{outcome:?}");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Timelocked { .. }), "no beacon, no reveal");
    assert_eq!((stage.sent().await, stage.on_chain().await), (2, vec![]));
}

/// A clock that stands still.
struct Still(Duration);

impl Clock for Still {
    fn now(&self) -> Duration {
        self.0
    }
}

/// Round 1000 of drand's quicknet: public data.
const ROUND: u64 = 1000;
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

fn signature() -> Vec<u8> {
    hex::decode(SIGNATURE).expect("hex")
}

/// The time at which a commit that is made now is encrypted to round 1000, whose signature everyone knows.
async fn time_of_the_round(stage: &Stage) -> Duration {
    let chain = stage.chain();
    let epoch = chain.epoch(NETUID).await.expect("an epoch");
    let block_time = chain.block_time().await.expect("a block time");
    let blocks = u32::try_from(epoch.next.0 + 3 - epoch.block.0).expect("few blocks");
    Duration::from_secs(GENESIS_SECONDS + ROUND * PERIOD_SECONDS) + Duration::from_secs(1) - block_time * blocks
}

/// A timelocked commit of a mechanism, to round 1000.
async fn committed(stage: &Stage, target: WeightsTarget) -> Payer {
    stage.localnet.set_block_time(None);
    let payer = stage.payer_of(target, Arc::new(Still(time_of_the_round(stage).await)));
    let worth = two_miners();
    let (outcome, ()) = tokio::join!(payer.pay(&worth), stage.block_for_the_pool());
    let outcome = outcome.expect("committed");
    assert!(
        matches!(outcome, PayOutcome::Recorded { state: WeightsState::Timelocked { round: ROUND, .. }, .. }),
        "{outcome:?}"
    );
    payer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timelocked_commit_ends_when_the_chain_reveals_it() {
    for generation in [Generation::G381, Generation::G463] {
        let stage = stage_of(generation, true).await;
        let payer = committed(&stage, TARGET).await;
        stage.next_epoch().await;
        stage.localnet.produce_blocks(5);
        assert_eq!(stage.on_chain().await, [], "without the beacon's signature nothing is revealed");
        stage.localnet.drand_pulse(ROUND, &[7; 48]).expect_err("not the beacon's");
        stage.localnet.drand_pulse(ROUND, &signature()).expect("the beacon's");
        let revealed = stage.localnet.produce_block();
        stage.localnet.produce_blocks(3);
        assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await);
        // The next commit would be to a round that is known by now: nothing is worth anything any more.
        let outcome = payer.pay(&Worth::nothing(RulesVersion::V1)).await.expect("seen");
        assert!(matches!(outcome, PayOutcome::Withheld(_)), "{outcome:?}");
        let state = stage.disk.state_of(0).await;
        assert_eq!(state, WeightsState::Confirmed { block: revealed.0 }, "the block of the event");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_chain_drops_at_its_reveal_is_a_failure_although_the_chain_says_nothing() {
    let stage = stage_of(Generation::G381, true).await;
    let payer = committed(&stage, TARGET).await;
    // What a commit carries is only checked when it is opened.
    stage.rule(Hyperparameter::WeightsVersion, 9);
    stage.next_epoch().await;
    stage.localnet.drand_pulse(ROUND, &signature()).expect("the beacon's");
    stage.localnet.produce_blocks(2);
    payer.pay(&Worth::nothing(RulesVersion::V1)).await.expect("seen");
    let state = stage.disk.state_of(0).await;
    assert!(matches!(&state, WeightsState::Failed { why } if why.contains("dropped the commit")), "{state:?}");
    assert_eq!(stage.on_chain().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_signature_never_comes_is_a_failure_when_its_epoch_is_over() {
    let stage = stage_of(Generation::G381, true).await;
    let payer = committed(&stage, TARGET).await;
    stage.next_epoch().await;
    payer.pay(&Worth::nothing(RulesVersion::V1)).await.expect("waiting");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Timelocked { .. }));
    stage.next_epoch().await;
    payer.pay(&Worth::nothing(RulesVersion::V1)).await.expect("over");
    assert!(matches!(stage.disk.state_of(0).await, WeightsState::Failed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mechanism_of_a_subnet_has_weights_of_its_own() {
    let second = WeightsTarget { netuid: NETUID, mechanism: 1 };
    let stage = stage().await;
    let error = stage.payer_of(second, Arc::new(SystemClock)).pay(&two_miners()).await.expect_err("no such mechanism");
    assert_eq!(error.trouble(), Trouble::Standing, "{error}");
    stage.rule(Hyperparameter::MechanismCount, 2);
    must_confirm(stage.payer().pay(&worth(&[("Dave", 1.0)])).await);
    must_confirm(stage.payer_of(second, Arc::new(SystemClock)).pay(&two_miners()).await);
    assert_eq!(stage.on_chain_of(0).await, [(stage.uid("Dave").await, 65535)]);
    assert_eq!(stage.on_chain_of(1).await, two_miners_on_chain(&stage).await);
    assert_eq!(stage.disk.records(second).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timelocked_commit_of_a_second_mechanism_is_revealed_for_that_mechanism() {
    let second = WeightsTarget { netuid: NETUID, mechanism: 1 };
    let stage = stage_of(Generation::G381, true).await;
    stage.rule(Hyperparameter::MechanismCount, 2);
    let payer = committed(&stage, second).await;
    stage.next_epoch().await;
    stage.localnet.drand_pulse(ROUND, &signature()).expect("the beacon's");
    stage.localnet.produce_blocks(2);
    payer.pay(&Worth::nothing(RulesVersion::V1)).await.expect("seen");
    assert!(matches!(stage.disk.records(second).await[0].state, WeightsState::Confirmed { .. }));
    assert_eq!((stage.on_chain_of(0).await, stage.on_chain_of(1).await), (vec![], two_miners_on_chain(&stage).await));
}

#[tokio::test]
async fn a_second_validator_on_the_same_ledger_is_refused_before_it_can_pay() {
    let home = crate::ledger_kit::Home::file();
    let _first = home.open().await;
    let opening = Opening { holder: "the second".to_owned(), read_only: false };
    let refused = Ledger::open(&home.url, &opening).await.expect_err("in use");
    assert!(matches!(refused, OpenLedgerError::Held { .. }), "{refused}");
}

#[test]
fn worth_rests_on_the_rounds_of_the_last_thirty_days() {
    let round = |day| RoundScore { day, tier1: Some(1.0), tier2: None, tier3: None, copies: 1 };
    let history = BTreeMap::from([
        (hotkey("Bob"), vec![round(70), round(71), round(100)]),
        (hotkey("Dave"), vec![round(100), round(69), round(101)]),
        (hotkey("Eve"), vec![round(10)]),
    ]);
    let worth = Worth::of(&RulesVersion::V1.rules(), 100, &history);
    assert_eq!(worth.counted, BTreeMap::from([(hotkey("Bob"), 2), (hotkey("Dave"), 1)]));
    assert_eq!(worth.rounds, 2, "days 71 and 100");
    assert_eq!(
        worth.performance.keys().copied().collect::<Vec<_>>(),
        worth.counted.keys().copied().collect::<Vec<_>>()
    );
    assert_eq!(worth.withheld(2), None);
    assert_eq!(worth.withheld(3), Some(Withheld::TooFewRounds { rounds: 2, needed: 3 }));
}

#[test]
fn a_vectors_digest_is_over_lines_that_anyone_can_write() {
    let weights = ChainWeights { uids: vec![1, 2], values: vec![65535, 32768] };
    assert_eq!(
        vector_digest(WeightsTarget { netuid: 7, mechanism: 0 }, &weights),
        Digest::of(b"7 0\n1 65535\n2 32768\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_shows_the_vector_and_why_and_changes_nothing() {
    let stage = stage().await;
    let payer = stage.payer();
    let paid = worth(&[("Bob", 0.8), ("Charlie", 0.4), ("Dave", 0.0), ("Eve", 0.3)]);
    let preview = payer.preview(&paid).await.expect("readable");
    assert_eq!((preview.due, preview.withheld, preview.refused), (Due::Now, None, None));
    let rows: Vec<(Uid, Hotkey, u16, u16)> =
        preview.rows.iter().map(|row| (row.uid, row.hotkey, row.weight, row.on_chain)).collect();
    let (bob, charlie) = (Uid(stage.uid("Bob").await), Uid(stage.uid("Charlie").await));
    assert_eq!(rows, [(bob, hotkey("Bob"), 65535, 0), (charlie, hotkey("Charlie"), 32768, 0)]);
    assert!((preview.rows[0].share - 2.0 / 3.0).abs() < 1e-12);
    let mut dropped: Vec<(Hotkey, &str)> = preview.dropped.iter().map(|left| (left.hotkey, left.why)).collect();
    dropped.sort_unstable();
    let mut expected = vec![
        (hotkey("Dave"), "earned nothing in the rounds that count"),
        (hotkey("Eve"), "no longer registered in the subnet"),
    ];
    expected.sort_unstable();
    assert_eq!(dropped, expected);
    assert_eq!((stage.sent().await, stage.disk.count().await), (0, 0));
    must_confirm(payer.pay(&paid).await);
    let preview = payer.preview(&paid).await.expect("readable");
    assert_eq!(preview.rows[0].on_chain, 65535);
}

/// A day's shares under rules v2, of which nobody earned a part.
fn shared(of: &[(&str, f64)], unearned: f64) -> Worth {
    Worth { unearned: Some(unearned), rules: RulesVersion::V2, ..worth(of) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_of_few_is_filled_up_with_zeros_as_the_chain_counts_them() {
    for generation in [Generation::G218, Generation::G381, Generation::G463] {
        let stage = stage_of(generation, false).await;
        stage.rule(Hyperparameter::MinAllowedWeights, 3);
        must_confirm(stage.payer().pay(&shared(&[("Bob", 1.0), ("Charlie", 0.0)], 0.0)).await);
        let on_chain = stage.on_chain().await;
        assert_eq!(on_chain.len(), 3, "{on_chain:?}");
        let positive: Vec<_> = on_chain.iter().filter(|(_, value)| *value > 0).collect();
        assert_eq!(positive, [&(stage.uid("Bob").await, 65535)]);
        stage.next_epoch().await;
        // Rules v1 pay nobody rather than zeros.
        assert!(stage.payer().pay(&worth(&[("Bob", 1.0)])).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_earned_goes_to_the_owner_to_a_uid_or_nowhere() {
    let stage = stage().await;
    let nothing = shared(&[("Bob", 0.0)], 1.0);
    for (unearned, words) in [(Unearned::Withhold, "withheld"), (Unearned::Uid(99), "not registered")] {
        let outcome = stage.payer().leaving(unearned).pay(&nothing).await.expect("no error");
        let PayOutcome::Withheld(why) = outcome else { panic!("{outcome:?}") };
        assert!(why.to_string().contains(words), "{why}");
    }
    // Somebody who earned all and has left leaves all of it unearned.
    let left = shared(&[("Eve", 1.0)], 0.0);
    let outcome = stage.payer().leaving(Unearned::Withhold).pay(&left).await;
    assert!(matches!(outcome, Ok(PayOutcome::Withheld(Withheld::Unearned(_)))), "{outcome:?}");
    assert_eq!((stage.sent().await, stage.disk.count().await), (0, 0), "never a uniform vector");
    let dave = stage.uid("Dave").await;
    let pool = shared(&[("Bob", 0.001), ("Eve", 0.001)], 0.998);
    must_confirm(stage.payer().leaving(Unearned::Uid(dave)).pay(&pool).await);
    let on_chain = stage.on_chain().await;
    assert_eq!(on_chain, [(stage.uid("Bob").await, 131), (dave, 65535)], "Eve's share goes to Bob, the rest to Dave");
    stage.next_epoch().await;
    let owner = stage.chain().owner(NETUID).await.expect("readable").expect("a subnet has one");
    let metagraph = stage.chain().metagraph(NETUID).await.expect("a metagraph");
    let uid = metagraph.by_hotkey(&owner).expect("the owner's hotkey is registered").uid.0;
    must_confirm(stage.payer().pay(&nothing).await);
    assert_eq!(stage.on_chain().await, [(uid, 65535)], "the owner, unless something else is said");
}
