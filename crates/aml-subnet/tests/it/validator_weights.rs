//! Weights on chain: set once an epoch, recorded before they are signed, seen through whatever happens in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::chain::localnet::{Config, Generation, Hyperparameter, Localnet, Rules as Subnet};
use aml_subnet::chain::subtensor::{Announcement, Subtensor, Timing};
use aml_subnet::chain::types::Uid;
use aml_subnet::neurons::validator::pay::{
    Because, Due, LogError, Parts, PayError, PayOutcome, Payer, Target, Trouble, WeightsLog, Withheld, Worth,
};
use aml_subnet::store::records::{WeightsRecord, WeightsState};
use aml_subnet::wallet::Hotkey;
use futures_util::future::BoxFuture;
use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::common::dev_key;

const NETUID: u16 = 7;
const TARGET: Target = (NETUID, 0);
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

/// What survives a process: the list of submissions. It can stop the process at an instant.
#[derive(Default)]
struct Disk {
    records: Mutex<Vec<WeightsRecord>>,
    deadly: Mutex<Option<Instant>>,
    died: Notify,
}

impl Disk {
    async fn live_through(&self, instant: Instant) {
        if *self.deadly.lock().expect("no panic") == Some(instant) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    fn state_of(&self, index: usize) -> WeightsState {
        self.records.lock().expect("no panic")[index].state.clone()
    }

    fn count(&self) -> usize {
        self.records.lock().expect("no panic").len()
    }
}

impl WeightsLog for Disk {
    fn plan<'a>(&'a self, _: Target, record: &'a WeightsRecord) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            self.live_through(Instant::BeforePlan).await;
            {
                let mut records = self.records.lock().expect("no panic");
                match records.iter().find(|known| known.epoch == record.epoch) {
                    Some(known) if known.vector != record.vector => {
                        return Err(LogError::AnotherVector { epoch: record.epoch });
                    }
                    Some(_) => {}
                    None => records.push(record.clone()),
                }
            }
            self.live_through(Instant::AfterPlan).await;
            Ok(())
        })
    }

    fn state<'a>(
        &'a self,
        _: Target,
        epoch: u64,
        state: &'a WeightsState,
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            self.live_through(Instant::BeforeState).await;
            {
                let mut records = self.records.lock().expect("no panic");
                let record = records.iter_mut().find(|record| record.epoch == epoch).expect("a planned record");
                record.state = state.clone();
            }
            self.live_through(Instant::AfterState).await;
            Ok(())
        })
    }

    fn newest(&self, _: Target, limit: u32) -> BoxFuture<'_, Result<Vec<WeightsRecord>, LogError>> {
        let records = self.records.lock().expect("no panic");
        let newest = records.iter().rev().take(usize::try_from(limit).expect("small")).cloned().collect();
        Box::pin(std::future::ready(Ok(newest)))
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
    let rules = Subnet { tempo: TEMPO, weights_rate_limit: 0, commit_reveal, ..Subnet::default() };
    let config = Config { netuid: NETUID, generation, rules, block_time: Some(BLOCK_TIME), ..Config::default() };
    let localnet = Localnet::start(config).await.expect("a free port");
    for name in ["Alice", "Bob", "Charlie", "Dave"] {
        localnet.register(NETUID, hotkey(name), hotkey("Ferdie")).expect("registered");
    }
    localnet.stake(NETUID, hotkey("Alice"), 5_000_000_000_000).expect("staked");
    localnet.run_epoch(NETUID).expect("an epoch");
    let http = HttpClientBuilder::default().build(localnet.http_url()).expect("a client");
    let timing = Timing { poll: Duration::from_millis(20), ..Timing::default() };
    Stage { localnet, http, disk: Arc::new(Disk::default()), timing }
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
        let log = Arc::clone(&self.disk) as Arc<dyn WeightsLog>;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Payer::new(Parts { chain: self.chain(), log, signer: dev_key("Alice"), clock, target: TARGET, min_rounds: 1 })
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
        let found = self.chain().weights_of(hotkey("Alice"), NETUID, 0).await.expect("readable").expect("registered");
        found.into_iter().map(|(uid, value)| (uid.0, value)).collect()
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
    Worth { performance, counted, rounds: 1 }
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
    assert_eq!(stage.disk.state_of(0), WeightsState::Confirmed { block });

    let again = payer.pay(&worth(&[("Dave", 1.0)])).await.expect("nothing to do");
    assert!(
        matches!(again, PayOutcome::NotDue(Due::Later { because: Because::Submitted, blocks }) if blocks > 1),
        "{again:?}"
    );
    assert_eq!(stage.sent().await, 1, "the second turn sent nothing");

    stage.next_epoch().await;
    must_confirm(payer.pay(&worth(&[("Dave", 1.0)])).await);
    assert_eq!(stage.on_chain().await, [(stage.uid("Dave").await, 65535)]);
    assert_eq!((stage.sent().await, stage.disk.count()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_history_pays_nobody() {
    let stage = stage().await;
    let payer = stage.payer();
    let many = Worth { rounds: 3, ..two_miners() };
    let patient = Payer::new(Parts {
        chain: stage.chain(),
        log: Arc::clone(&stage.disk) as Arc<dyn WeightsLog>,
        signer: dev_key("Alice"),
        clock: Arc::new(SystemClock),
        target: TARGET,
        min_rounds: 4,
    });
    for (payer, worth, why) in [
        (&payer, Worth::default(), Withheld::TooFewRounds { rounds: 0, needed: 1 }),
        (&payer, Worth { rounds: 9, ..Worth::default() }, Withheld::NothingEarned),
        (&payer, worth(&[("Bob", 0.0), ("Charlie", f64::NAN)]), Withheld::NothingEarned),
        (&payer, worth(&[("Eve", 1.0)]), Withheld::NobodyRegistered),
        (&patient, many, Withheld::TooFewRounds { rounds: 3, needed: 4 }),
    ] {
        assert_eq!(payer.pay(&worth).await.expect("no error"), PayOutcome::Withheld(why));
    }
    assert_eq!((stage.sent().await, stage.disk.count(), stage.on_chain().await), (0, 0, vec![]));
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
    for (instant, known) in [
        (Instant::BeforePlan, 0),
        (Instant::AfterPlan, 1),
        (Instant::BeforeState, 1),
        (Instant::AfterState, 1),
    ] {
        let stage = stage().await;
        stage.die_at(instant, &two_miners()).await;
        assert_eq!(stage.disk.count(), known, "{instant:?}");
        let payer = stage.payer();
        payer.pay(&two_miners()).await.unwrap_or_else(|error| panic!("{instant:?}: {error}"));
        assert!(matches!(stage.disk.state_of(0), WeightsState::Confirmed { .. }), "{instant:?}");
        assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await, "{instant:?}");
        assert_eq!((stage.sent().await, stage.disk.count()), (1, 1), "{instant:?}: sent once, recorded once");
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
    assert!(matches!(stage.disk.state_of(0), WeightsState::Confirmed { .. }));
    assert_eq!((stage.sent().await, stage.on_chain().await), (1, two_miners_on_chain(&stage).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_block_that_may_yet_be_dropped_is_not_called_done() {
    let stage = stage().await;
    stage.localnet.set_finalizing(false);
    let begun = stage.localnet.height();
    stage
        .die_when(&two_miners(), async || stage.pool_is_empty().await && stage.sent().await == 1)
        .await;
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
    assert!(matches!(stage.disk.state_of(0), WeightsState::Confirmed { .. }));
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
    assert_eq!(stage.disk.state_of(0), WeightsState::Planned);
    stage.localnet.produce_block();
    payer.pay(&two_miners()).await.expect("found");
    assert!(matches!(stage.disk.state_of(0), WeightsState::Confirmed { .. }));
    assert_eq!(stage.sent().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_vector_is_the_one_that_is_sent_whatever_was_learnt_since() {
    let stage = stage().await;
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.payer().pay(&worth(&[("Dave", 1.0)])).await.expect("the recorded one");
    assert_eq!(stage.on_chain().await, two_miners_on_chain(&stage).await);
    assert_eq!(stage.disk.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_goes_on_under_an_upgraded_runtime() {
    let stage = stage_of(Generation::G218, false).await;
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.localnet.upgrade(Generation::G381.spec());
    stage.payer().pay(&two_miners()).await.expect("sent under the new runtime");
    assert!(matches!(stage.disk.state_of(0), WeightsState::Confirmed { .. }));
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
    let state = stage.disk.state_of(0);
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
    assert_eq!((stage.sent().await, stage.disk.count()), (0, 0), "nothing was planned on it");
    stage.rule(Hyperparameter::StakeThreshold, 0);

    // Between plan and sending the subnet asks for a newer version: the plan waits, and ends with its epoch.
    stage.die_at(Instant::AfterPlan, &two_miners()).await;
    stage.rule(Hyperparameter::WeightsVersion, 9);
    let error = payer.pay(&two_miners()).await.expect_err("an old version");
    assert_eq!(error.trouble(), Trouble::Standing, "{error}");
    assert_eq!((stage.sent().await, stage.disk.state_of(0)), (0, WeightsState::Planned));
    stage.next_epoch().await;
    stage.localnet.produce_blocks(130);
    must_confirm(payer.pay(&worth(&[("Dave", 1.0)])).await);
    assert!(matches!(stage.disk.state_of(0), WeightsState::Failed { .. }), "its epoch is over");
    assert_eq!(stage.on_chain().await, [(stage.uid("Dave").await, 65535)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_soon_is_a_reason_to_wait_and_no_error() {
    let stage = stage().await;
    stage.rule(Hyperparameter::WeightsRateLimit, 100_000);
    let outcome = stage.payer().pay(&two_miners()).await.expect("no error");
    let PayOutcome::NotDue(Due::Later { blocks, because: Because::RateLimit }) = outcome else { panic!("{outcome:?}") };
    assert!((90_000..=100_000).contains(&blocks), "a registration counts as an update: {blocks}");
    assert_eq!((stage.sent().await, stage.disk.count()), (0, 0));
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
    assert!(matches!(stage.disk.state_of(1), WeightsState::Confirmed { .. }));
    assert_eq!(stage.sent().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn mass_deregistration_is_believed_only_when_it_is_read_twice() {
    let stage = stage().await;
    must_confirm(stage.payer().pay(&two_miners()).await);
    // The last vector had forty receivers, as far as the records go.
    {
        let mut records = stage.disk.records.lock().expect("no panic");
        let weights = &mut records[0].plan.content.weights;
        (weights.uids, weights.values) = ((0..40).collect(), vec![65535; 40]);
    }
    stage.next_epoch().await;
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
    assert!(matches!(stage.disk.state_of(0), WeightsState::Committed { .. }));
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
    assert!(matches!(stage.disk.state_of(0), WeightsState::Confirmed { .. }));
    assert_eq!(stage.sent().await, 3, "commit, reveal, commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_window_was_missed_is_given_up() {
    let stage = stage_of(Generation::G218, true).await;
    stage.payer().pay(&two_miners()).await.expect("committed");
    stage.next_epoch().await;
    stage.next_epoch().await;
    stage.payer().pay(&two_miners()).await.expect("given up, and committed anew");
    let state = stage.disk.state_of(0);
    assert!(matches!(&state, WeightsState::Failed { why } if why.contains("ExpiredWeightCommit")), "{state:?}");
    assert!(matches!(stage.disk.state_of(1), WeightsState::Committed { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timelocked_commit_is_found_again_and_waits_for_the_chain() {
    let stage = stage_of(Generation::G381, true).await;
    stage.die_at(Instant::BeforeState, &two_miners()).await;
    let payer = stage.payer();
    payer.pay(&two_miners()).await.expect("the commit is found");
    let WeightsState::Timelocked { block, round, reveal_from } = stage.disk.state_of(0) else {
        panic!("{:?}", stage.disk.state_of(0))
    };
    let epoch = stage.chain().epoch(NETUID).await.expect("an epoch");
    assert_eq!(reveal_from, epoch.next.0, "the chain reveals in the next epoch");
    assert!(block < reveal_from && round > 1);
    stage.next_epoch().await;
    let outcome = payer.pay(&worth(&[("Dave", 1.0)])).await.expect("the next one");
    assert!(
        matches!(outcome, PayOutcome::Recorded { state: WeightsState::Timelocked { .. }, .. }),
        "{outcome:?}"
    );
    assert!(matches!(stage.disk.state_of(0), WeightsState::Timelocked { .. }), "no beacon, no reveal");
    assert_eq!((stage.sent().await, stage.on_chain().await), (2, vec![]));
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
    assert_eq!((stage.sent().await, stage.disk.count()), (0, 0));
    must_confirm(payer.pay(&paid).await);
    let preview = payer.preview(&paid).await.expect("readable");
    assert_eq!(preview.rows[0].on_chain, 65535);
}
