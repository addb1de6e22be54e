//! One round with honest miners and one of every hostile kind: what the honest ones say counts as if they were alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aml_miner::clock::{Clock, FixedClock};
use aml_miner::data::{WriteOptions, write_batch};
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_subnet::chain::metagraph::{MetagraphSource, SourceError};
use aml_subnet::chain::types::{Axon, Block, Metagraph, Neuron, Uid};
use aml_subnet::config::{Answers, ValidatorSettings};
use aml_subnet::protocol::NonceSource;
use aml_subnet::store::records::{Canonical, Reply, Round, Step, Verdict};
use aml_subnet::store::{Ledger, Opening};
use aml_subnet::validator::query::{Asker, AskingKey, QuerySettings};
use aml_subnet::validator::round::{Rounds, RoundsParts, Secret};
use aml_subnet::validator::sot::{Sot, SotSettings};
use aml_subnet::validator::world::World;
use aml_subnet::wallet::Hotkey;
use chrono::Days;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, FakeMiner, Lie, Wire};

const NETUID: u16 = 7;
/// What a miner may take; those that hang use it up, all at once.
const DEADLINE: Duration = Duration::from_secs(15);
const HONEST: [(&str, f64); 3] = [("Bob", 0.95), ("Charlie", 0.8), ("Dave", 0.6)];

fn today() -> &'static Day {
    static DAY: OnceLock<Day> = OnceLock::new();
    DAY.get_or_init(|| {
        let config = SynthConfig { alerts: 30, addresses: 120, days: 1, ..SynthConfig::default() };
        generate(&config).expect("a world").next().expect("a day")
    })
}

/// Two days after the batch.
fn clock() -> Arc<dyn Clock> {
    let date = today().date.checked_add_days(Days::new(2)).expect("a day");
    let seconds = date.and_hms_opt(0, 0, 0).expect("a time").and_utc().timestamp();
    Arc::new(FixedClock(Duration::from_secs(seconds.unsigned_abs())))
}

struct Subnet(Metagraph);

impl MetagraphSource for Subnet {
    fn metagraph(&self) -> BoxFuture<'_, Result<Metagraph, SourceError>> {
        ready(Ok(self.0.clone())).boxed()
    }
}

fn neuron(uid: u16, hotkey: Hotkey, axon: Option<SocketAddr>) -> Neuron {
    let axon = axon.map(|at| Axon { block: Block(1), version: 1, ip: at.ip(), port: at.port(), protocol: 4 });
    let (coldkey, last_update) = (hotkey, Block(0));
    let (validator_permit, active, stake, incentive, dividends) = (false, true, 0, 0, 0);
    Neuron { uid: Uid(uid), hotkey, coldkey, axon, validator_permit, active, stake, last_update, incentive, dividends }
}

/// A round that has run to its end, and where it was recorded.
struct Ended {
    round: Round,
    ledger: Ledger,
    _root: TempDir,
}

impl Ended {
    /// Runs a round that asks `neurons`.
    async fn of(neurons: Vec<Neuron>) -> Self {
        let root = TempDir::new().expect("a directory");
        let (source, data) = (root.path().join("source"), root.path().join("data"));
        for folder in [&source, &data] {
            fs::create_dir(folder).expect("a directory");
        }
        let options = WriteOptions {
            processing_date: today().date,
            window_days: 7,
            network: "testnet",
            created_at: "2025-09-02T00:00:00Z",
            publisher: None,
            replace: true,
        };
        let target = source.join(format!("{}_w7", today().date));
        write_batch(&target, &today().batch, None, &options).expect("written");
        let opening = Opening { holder: "a test".to_owned(), read_only: false };
        let ledger = Ledger::open("sqlite::memory:", &opening).await.expect("a ledger");
        let asking = QuerySettings {
            deadline: DEADLINE,
            concurrency: 64,
            max_answer_bytes: 1 << 20,
            allow_private_ips: true,
            attempts: 1,
            ..QuerySettings::default()
        };
        let us = dev_key("Alice");
        let key = AskingKey { signer: us.clone(), nonces: Arc::new(NonceSource::default()) };
        let sot = Arc::new(Sot::open(SotSettings::new(source.to_string_lossy(), &data)).expect("a source"));
        let neurons = Arc::new(Subnet(Metagraph { netuid: NETUID, block: Block(100), neurons }));
        let settings = ValidatorSettings { data_dir: data, answers: Answers::Open, ..ValidatorSettings::default() };
        let rounds = Rounds::new(RoundsParts {
            world: World::real(ledger.clone(), sot, neurons, clock(), settings.published_dir()),
            asker: Asker::new(asking, NETUID, key, clock()),
            signer: us,
            secret: Secret::new([7; 32]),
            netuid: NETUID,
            settings,
        });
        let begun = rounds.newest().await.expect("a source").expect("a batch");
        let round = rounds.advance(begun, &CancellationToken::new()).await.expect("no miner can make a round fail");
        assert_eq!(round.step, Step::Published);
        Self { round, ledger, _root: root }
    }

    async fn canonical(&self) -> Canonical {
        self.ledger.canonical(self.round.id).await.expect("readable").expect("somebody was accepted")
    }

    async fn verdicts(&self) -> BTreeMap<Hotkey, Verdict> {
        let verdicts = self.ledger.verdicts(self.round.id).await.expect("readable");
        verdicts.into_iter().map(|verdict| (verdict.hotkey, verdict)).collect()
    }
}

/// Every kind that must count nowhere, by a name of its own.
fn hostile(elsewhere: SocketAddr) -> Vec<(String, Behaviour)> {
    let lies = Lie::SIGNED.into_iter().chain(Lie::FORGED);
    let wires = Wire::SLOW.into_iter().chain(Wire::BROKEN).chain(Wire::TOO_LARGE).chain([Wire::Bomb("zstd")]);
    let mut all: Vec<_> = lies.map(|lie| (format!("{lie:?}"), Behaviour::Lying(lie))).collect();
    all.extend(wires.map(|wire| (format!("{wire:?}"), Behaviour::Wire(wire))));
    all.push(("V10Only".to_owned(), Behaviour::V10Only { skill: 0.9 }));
    all.push(("Refusing".to_owned(), Behaviour::Refusing(503)));
    all.push(("RefusingUnread".to_owned(), Behaviour::RefusingUnread));
    all.push(("Redirecting".to_owned(), Behaviour::Redirecting(elsewhere)));
    all.push(("Dead".to_owned(), Behaviour::Dead));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_miners_change_nothing_of_what_honest_ones_say() {
    let mut honest = Vec::new();
    for (name, skill) in HONEST {
        honest.push(FakeMiner::spawn(name, Behaviour::Honest { skill }, NETUID, clock()).await);
    }
    let elsewhere = FakeMiner::spawn("Elsewhere", Behaviour::Lazy, NETUID, clock()).await;
    let mut others = Vec::new();
    for (name, behaviour) in hostile(elsewhere.address) {
        others.push((name.clone(), FakeMiner::spawn(&name, behaviour, NETUID, clock()).await));
    }
    let of = |miner: &FakeMiner, uid: u16| neuron(uid, miner.hotkey(), Some(miner.address));
    let good: Vec<Neuron> = honest.iter().zip(0..).map(|(miner, uid)| of(miner, uid)).collect();
    let mut all: Vec<Neuron> = others.iter().zip(10..).map(|((_, miner), uid)| of(miner, uid)).collect();
    all.extend(good.iter().cloned());
    // One that announced nothing, and one at an address that nobody may be called at.
    all.push(neuron(200, dev_key("Silent").hotkey(), None));
    all.push(neuron(201, dev_key("Broadcasting").hotkey(), Some(SocketAddr::from(([255, 255, 255, 255], 8091)))));

    let asked: BTreeSet<Hotkey> = all.iter().map(|neuron| neuron.hotkey).collect();
    let mixed = Ended::of(all).await;
    let alone = Ended::of(good).await;

    let expected: BTreeSet<Hotkey> = honest.iter().map(FakeMiner::hotkey).collect();
    let verdicts = mixed.verdicts().await;
    assert_eq!(verdicts.keys().copied().collect::<BTreeSet<_>>(), asked, "everybody has a verdict");
    for (name, miner) in &others {
        let verdict = &verdicts[&miner.hotkey()];
        assert!(verdict.accepted.is_err(), "{name} is accepted");
    }
    for miner in &honest {
        assert_eq!(verdicts[&miner.hotkey()].accepted, Ok(()));
    }
    let accepted: BTreeSet<Hotkey> =
        verdicts.values().filter(|verdict| verdict.accepted.is_ok()).map(|verdict| verdict.hotkey).collect();
    assert_eq!(accepted, expected);
    assert_eq!(mixed.canonical().await, alone.canonical().await);
    assert_eq!(elsewhere.seen.connections(), 0, "a redirect leads nowhere");
    let answers = mixed.ledger.answers(mixed.round.id).await.expect("readable");
    let slow: BTreeSet<String> = Wire::SLOW.into_iter().map(|wire| format!("{wire:?}")).collect();
    for (name, miner) in &others {
        let answer = answers.iter().find(|answer| answer.hotkey == miner.hotkey()).expect("recorded");
        assert_eq!(answer.reply == Reply::TimedOut, slow.contains(name), "{name}: {:?}", answer.reply);
    }
}
