//! A small world for a validator: days of batches, miners on real sockets, a subnet, a clock that the test moves.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::clock::Clock;
use aml_miner::data::listing::directory_name;
use aml_miner::data::{WriteOptions, write_batch};
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::wire::Batch;
use aml_subnet::beacon::{Beacon, BeaconRound, OpeningRule, Pulse};
use aml_subnet::chain::metagraph::{MetagraphSource, SourceError};
use aml_subnet::chain::types::{Axon, Block, Metagraph, Neuron, Uid};
use aml_subnet::config::{Answers, ValidatorSettings};
use aml_subnet::protocol::NonceSource;
use aml_subnet::store::records::RoundId;
use aml_subnet::store::{Ledger, Opening};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::query::{Asker, AskingKey, Clocks, QuerySettings};
use aml_subnet::validator::round::{Rounds, RoundsParts, Secret};
use aml_subnet::validator::run::Validator;
use aml_subnet::validator::settling::Settler;
use aml_subnet::validator::sot::{Sot, SotSettings};
use aml_subnet::validator::world::{BeaconSource, Stores, World as Outside};
use aml_subnet::wallet::Hotkey;
use chrono::{Days, NaiveDate};
use futures_util::future::BoxFuture;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, FakeMiner};

pub(crate) const NETUID: u16 = 7;
pub(crate) const WINDOW: u16 = 7;
/// Alerts of a day: enough to settle, few enough for a build without optimisation.
pub(crate) const ALERTS: usize = 300;

/// The first day.
pub(crate) fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day")
}

/// Writes so many days of batches into `folder`, outcomes included.
pub(crate) fn write_days(folder: &Path, days: u32) {
    let config = SynthConfig {
        start: first_day(),
        days,
        alerts: ALERTS,
        addresses: 1_500,
        window_days: WINDOW,
        ..SynthConfig::default()
    };
    for day in generate(&config).expect("a world") {
        let target = folder.join(directory_name(day.date, Some(WINDOW)));
        write_batch(&target, &day.batch, Some(&day.labels), &options(day.date)).expect("a batch");
    }
}

pub(crate) fn options(date: NaiveDate) -> WriteOptions<'static> {
    WriteOptions {
        processing_date: date,
        window_days: WINDOW,
        network: "test",
        created_at: "2026-03-01T00:00:00Z",
        publisher: None,
        replace: true,
    }
}

/// A clock that only the test moves.
pub(crate) struct Hands(AtomicU64);

impl Hands {
    pub(crate) fn set(&self, time: Duration) {
        self.0.store(u64::try_from(time.as_nanos()).expect("fits"), Ordering::SeqCst);
    }

    pub(crate) fn forward(&self, by: Duration) {
        self.set(self.now() + by);
    }
}

impl Clock for Hands {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// A subnet as the chain would show it.
#[derive(Default)]
pub(crate) struct FakeSubnet {
    neurons: Mutex<Vec<Neuron>>,
    down: AtomicBool,
    /// How many neurons the next reads show.
    partial: Mutex<VecDeque<usize>>,
    reads: AtomicUsize,
    /// Reads until it goes down, where it is to.
    left: Mutex<Option<usize>>,
}

impl FakeSubnet {
    pub(crate) fn register(&self, hotkey: Hotkey, axon: Option<SocketAddr>) {
        let mut neurons = self.neurons.lock().expect("no panic");
        let uid = Uid(u16::try_from(neurons.len()).expect("few"));
        let axon = axon.map(|at| Axon { block: Block(1), version: 1, ip: at.ip(), port: at.port(), protocol: 4 });
        neurons.push(Neuron {
            uid,
            hotkey,
            coldkey: hotkey,
            axon,
            validator_permit: false,
            active: true,
            stake: 0,
            last_update: Block(0),
            incentive: 0,
            dividends: 0,
        });
    }

    /// The next reads show only so many neurons; those after them show all.
    pub(crate) fn show_only(&self, neurons: &[usize]) {
        self.partial.lock().expect("no panic").extend(neurons);
    }

    /// Reads since the last time that was asked.
    pub(crate) fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::SeqCst)
    }

    /// It answers so many times more, and then no more.
    pub(crate) fn down_after(&self, reads: usize) {
        *self.left.lock().expect("no panic") = Some(reads);
    }

    pub(crate) fn set_down(&self, down: bool) {
        *self.left.lock().expect("no panic") = None;
        self.down.store(down, Ordering::SeqCst);
    }
}

impl MetagraphSource for FakeSubnet {
    fn metagraph(&self) -> BoxFuture<'_, Result<Metagraph, SourceError>> {
        Box::pin(async {
            if self.down.load(Ordering::SeqCst) {
                return Err(SourceError::new("no endpoint answers"));
            }
            if let Some(left) = self.left.lock().expect("no panic").as_mut() {
                if *left == 0 {
                    return Err(SourceError::new("no endpoint answers"));
                }
                *left -= 1;
            }
            self.reads.fetch_add(1, Ordering::SeqCst);
            let mut neurons = self.neurons.lock().expect("no panic").clone();
            let shown = self.partial.lock().expect("no panic").pop_front();
            neurons.truncate(shown.unwrap_or(usize::MAX));
            Ok(Metagraph { netuid: NETUID, block: Block(10), neurons })
        })
    }
}

/// The development beacon under a rule of the test's, as the clock has it.
pub(crate) struct FakeBeacon {
    rule: OpeningRule,
    clock: Arc<Hands>,
    /// Whether it is away.
    pub(crate) down: AtomicBool,
    /// Rounds that were read.
    pub(crate) reads: AtomicUsize,
}

impl BeaconSource for FakeBeacon {
    fn beacon(&self) -> Option<(Beacon, OpeningRule)> {
        Some((Beacon::Development, self.rule))
    }

    fn pulse(&self, round: BeaconRound) -> BoxFuture<'_, Result<Pulse, String>> {
        let there = !self.down.load(Ordering::SeqCst) && round.time_s() <= self.clock.now().as_secs();
        Box::pin(async move {
            if !there {
                return Err(format!("the chain does not have round {round}"));
            }
            self.reads.fetch_add(1, Ordering::SeqCst);
            Ok(Pulse::of_development(round.round).expect("everybody knows the key"))
        })
    }
}

/// Everything that a validator works with.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<Hands>,
    pub(crate) subnet: Arc<FakeSubnet>,
    pub(crate) miners: Vec<FakeMiner>,
    pub(crate) ledger: Ledger,
    pub(crate) settings: ValidatorSettings,
    /// Name of the validator's development key.
    pub(crate) validator: &'static str,
    /// What answers are sealed to, where they are.
    pub(crate) beacon: Option<Arc<FakeBeacon>>,
}

impl World {
    /// A world of `days` batches, none of which is published yet, and miners by development key.
    pub(crate) async fn new(days: u32, cast: Vec<(&str, Behaviour)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(Hands(AtomicU64::new(0)));
        let subnet = Arc::new(FakeSubnet::default());
        subnet.register(dev_key("Alice").hotkey(), None);
        let mut miners = Vec::new();
        for (name, behaviour) in cast {
            let time: Arc<dyn Clock> = Arc::clone(&clock) as Arc<_>;
            let miner = FakeMiner::spawn(name, behaviour, NETUID, time).await;
            subnet.register(miner.hotkey(), Some(miner.address));
            miners.push(miner);
        }
        let settings = ValidatorSettings {
            sot: folder.path().join("sot").display().to_string(),
            data_dir: folder.path().join("data"),
            deadline: Duration::from_secs(60),
            timeout: Duration::from_secs(20),
            allow_private_ips: true,
            grace: Duration::ZERO,
            rules: Some(RulesList::always(RulesVersion::V1)),
            // Sealed rounds are the business of `sealed_rounds`.
            answers: Answers::Open,
            ..ValidatorSettings::default()
        };
        for name in ["sot", "later"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        if days > 0 {
            write_days(&folder.path().join("later"), days);
        }
        let opening = Opening { holder: "the test".to_owned(), read_only: false };
        let ledger = Ledger::open("sqlite::memory:", &opening).await.expect("a ledger");
        let world = Self { folder, clock, subnet, miners, ledger, settings, validator: "Alice", beacon: None };
        world.clock.set(noon(first_day()));
        world
    }

    /// From now on rounds are under rules v2, and answers sealed until they open by `rule`.
    pub(crate) fn seal(&mut self, rule: OpeningRule) {
        self.settings.rules = Some(RulesList::always(RulesVersion::V2));
        self.settings.answers = Answers::Sealed;
        let clock = Arc::clone(&self.clock);
        let (down, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
        self.beacon = Some(Arc::new(FakeBeacon { rule, clock, down, reads }));
    }

    /// A validator as a fresh process would have it.
    pub(crate) fn validator(&self) -> Validator {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.validator_by(Clocks { rounds: Arc::clone(&clock), stamps: clock })
    }

    /// Where its batches come from.
    pub(crate) fn sot(&self) -> Sot {
        Sot::open(SotSettings::new(self.settings.sot.clone(), self.settings.data_dir.clone())).expect("a source")
    }

    /// A validator with other clocks than the world's.
    pub(crate) fn validator_by(&self, clocks: Clocks) -> Validator {
        let (clock, own) = (Arc::clone(&clocks.rounds), self.settings.clone());
        let sot = Arc::new(self.sot());
        let query = QuerySettings {
            deadline: own.timeout,
            concurrency: own.concurrency,
            allow_private_ips: own.allow_private_ips,
            attempts: 1,
            v10_fallback: own.v10_fallback,
            ..QuerySettings::default()
        };
        let key = AskingKey { signer: dev_key(self.validator), nonces: Arc::new(NonceSource::default()) };
        let neurons = Arc::clone(&self.subnet) as Arc<_>;
        let world = Outside::real(self.ledger.clone(), sot, neurons, Arc::clone(&clock), own.published_dir());
        let world = match &self.beacon {
            Some(beacon) => world.opened_by(Arc::clone(beacon) as Arc<_>),
            None => world,
        };
        let world = world.mirrored_by(Arc::new(Stores::of(&own.references).expect("stores")));
        let rounds = Rounds::new(RoundsParts {
            world: world.clone(),
            asker: Asker::by(query, NETUID, key, clocks),
            signer: dev_key(self.validator),
            secret: Secret::new([42; 32]),
            netuid: NETUID,
            settings: own.clone(),
        })
        .reading_again_after(Duration::ZERO)
        .probing_every(Duration::from_millis(5));
        let settler = Settler::of(&world, NETUID, own.clone());
        Validator { rounds, settler, payer: None, world, netuid: NETUID, settings: own }
    }

    /// The batch of a day is published, and it is noon.
    pub(crate) fn dawn(&self, day: u64) -> RoundId {
        let id = self.publish(day);
        self.clock.set(noon(id.date));
        id
    }

    /// The batch of a day is published.
    pub(crate) fn publish(&self, day: u64) -> RoundId {
        let date = first_day() + Days::new(day);
        let name = directory_name(date, Some(WINDOW));
        std::fs::rename(self.folder.path().join("later").join(&name), self.batch_dir(&name)).expect("a batch");
        RoundId { netuid: NETUID, date, window_days: WINDOW }
    }

    /// Another batch than the simulated one is published for the first day.
    pub(crate) fn dawn_with(&self, batch: &Batch) -> RoundId {
        let date = first_day();
        let name = directory_name(date, Some(WINDOW));
        write_batch(&self.batch_dir(&name), batch, None, &options(date)).expect("a batch");
        RoundId { netuid: NETUID, date, window_days: WINDOW }
    }

    pub(crate) fn batch_dir(&self, name: &str) -> PathBuf {
        self.folder.path().join("sot").join(name)
    }
}

/// Noon of a day.
pub(crate) fn noon(date: NaiveDate) -> Duration {
    let days = (date - NaiveDate::default()).num_days();
    Duration::from_secs(u64::try_from(days).expect("after 1970") * 86_400 + 43_200)
}
