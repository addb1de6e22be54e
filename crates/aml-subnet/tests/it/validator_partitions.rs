//! Partitions between a validator and its miners, its chain and its database, in the middle of each step of a round, and of
//! each write: no day is lost by them, and nothing is recorded twice. A real validator process stands still at a place, the
//! network is taken from it, and it goes on.
//!
//! `AML_PARTITION_SECONDS=30` makes every partition last so long; it is a second and a half otherwise.
//! `AML_PARTITIONS=all` has every kind of partition at every place; else the kinds take turns.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::chain_faults::{Cable, Way, Wire, carry};
use crate::ledger_kit::Home;
use crate::validator_kill::{Stage, is_done, must_equal};

/// A place in each step of a round, and of the payment for it; miners have a part in the first four.
const STEPS: [&str; 8] = [
    "begin.after_commit",
    "record_task.after_commit",
    "record_answer.after_commit",
    "finish_asking.after_commit",
    "record_canonical.before_commit",
    "publish.after_commit",
    "weights.before_plan",
    "weights.planned",
];
/// Places at which a write is under way, or has just been made.
const WRITES: [&str; 8] = [
    "begin.before_commit",
    "record_task.before_commit",
    "record_answer.before_commit:2",
    "finish_asking.before_commit",
    "record_verdicts.before_commit",
    "record_canonical.before_commit",
    "weights.before_plan",
    "weights.before_state",
];
/// Longer than a validator takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// How the network fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Connections break, and none is made.
    Broken,
    /// Nothing passes, and nobody says so; afterwards everything arrives, late.
    Silent,
    /// What is asked arrives, its answer does not; in the end connections break.
    Unanswered,
}

const KINDS: [Kind; 3] = [Kind::Broken, Kind::Silent, Kind::Unanswered];

/// Everything that leads to one of the validator's sides.
enum Wires<'a> {
    Cables(Vec<&'a Cable>),
    Socket(&'a Socket),
}

impl Wires<'_> {
    fn become_all(&self, wire: Wire) {
        match self {
            Self::Cables(cables) => cables.iter().for_each(|cable| cable.becomes(wire)),
            Self::Socket(socket) => drop(socket.state.send_replace(wire)),
        }
    }

    /// A partition: it lasts, and is over.
    async fn part(&self, kind: Kind, on: impl FnOnce()) {
        self.become_all(match kind {
            Kind::Broken => Wire::Cut,
            Kind::Silent => Wire::HalfOpen,
            Kind::Unanswered => Wire::Deaf,
        });
        on();
        tokio::time::sleep(lasting()).await;
        if kind == Kind::Unanswered {
            self.become_all(Wire::Cut);
            tokio::task::yield_now().await;
        }
        self.become_all(Wire::Sound);
    }
}

/// How long a partition lasts: it is what is done to the validator, not what the test waits for.
fn lasting() -> Duration {
    let seconds = std::env::var("AML_PARTITION_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(1.5))
}

/// The socket of a database server, with a wire in front of it.
struct Socket {
    state: watch::Sender<Wire>,
    folder: tempfile::TempDir,
}

impl Socket {
    fn before(server: &Path) -> Self {
        const NAME: &str = ".s.PGSQL.5432";
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(NAME)).expect("a socket");
        let (state, seen) = watch::channel(Wire::Sound);
        let target = server.join(NAME);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *seen.borrow() == Wire::Cut {
                    continue;
                }
                let Ok(node) = UnixStream::connect(&target).await else { continue };
                let (client_in, client_out) = client.into_split();
                let (node_in, node_out) = node.into_split();
                tokio::spawn(carry(Way::There, client_in, node_out, seen.clone()));
                tokio::spawn(carry(Way::Back, node_in, client_out, seen.clone()));
            }
        });
        Self { state, folder }
    }

    /// The address of a database, behind the wire.
    fn url(&self, url: &str) -> String {
        let (start, _) = url.split_once("?host=").expect("a socket's address");
        format!("{start}?host={}", self.folder.path().display())
    }
}

/// A validator that stands still at a place until it is told to go on.
struct Paused {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Paused {
    fn at(config: &Path, place: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
        command.args(["validator", "--config"]).arg(config).current_dir(config.parent().expect("a folder"));
        command.env_remove("DATABASE_URL").env("AML_FAILPOINT", place).env("AML_FAILPOINT_GOES_ON", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let there = format!("failpoint {}", place.split(':').next().expect("a name"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let keep = |line: String| said.lock().expect("no panic").push(line);
        let reached = lines.by_ref().any(|line| {
            let reached = line == there;
            keep(line);
            reached
        });
        let paused = Self { child, said: said.clone() };
        assert!(reached, "{place} was never reached: {}", paused.words());
        std::thread::spawn(move || lines.for_each(|line| said.lock().expect("no panic").push(line)));
        paused
    }

    fn words(&self) -> String {
        self.said.lock().expect("no panic").join("\n")
    }

    fn go_on(&mut self) {
        let mut line = self.child.stdin.take().expect("piped");
        line.write_all(b"\n").expect("it listens");
    }

    /// Until the round is settled and paid for, seen past all wires.
    async fn finish(&mut self, url: &str, how: &str) {
        let until = Instant::now() + PATIENCE;
        while !is_done(url).await {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "{how}: it ended by itself, {ended:?}:\n{}", self.words());
            assert!(Instant::now() < until, "{how}: the day is not settled and paid for:\n{}", self.words());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(told.success() && self.child.wait().expect("it ends").success(), "{how}:\n{}", self.words());
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the network is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Miners,
    Chain,
    Database,
}

/// Batches and miners, each miner behind a wire: the same for all validators of a test.
struct Scene {
    stage: Stage,
    fronts: Vec<Cable>,
}

impl Scene {
    async fn set() -> Self {
        let (stage, mut fronts) = (Stage::set().await, Vec::new());
        for address in stage.addresses() {
            // The chain takes no axon at 127.0.0.1.
            fronts.push(Cable::between("127.0.0.2", address).await);
        }
        Self { stage, fronts }
    }

    /// One chain, one ledger, one validator, and a partition or none. What there is at the end.
    async fn play(&self, home: &Home, partition: Option<(Side, &str, Kind)>) -> Value {
        let how = format!("{partition:?}");
        let addresses: Vec<_> = self.fronts.iter().map(|front| front.address).collect();
        let localnet = self.stage.chain_that_names(&addresses).await;
        let to_chain = Cable::to(localnet.address()).await;
        let (chain_url, socket) = (to_chain.url(), home.is_server().then(|| Socket::before(home.folder())));
        let ledger_url = socket.as_ref().map_or_else(|| home.url.clone(), |socket| socket.url(&home.url));
        let data = tempfile::tempdir().expect("a folder");
        std::fs::write(data.path().join("salts.secret"), [7; 32]).expect("a secret");
        let config = self.stage.config(&localnet, data.path(), &ledger_url);
        let config = patient(&config, (&localnet.ws_url(), &chain_url));
        let (side, place, kind) = partition.unwrap_or((Side::Miners, "publish.after_commit", Kind::Silent));
        let wires = match side {
            Side::Miners => Wires::Cables(self.fronts.iter().collect()),
            Side::Chain => Wires::Cables(vec![&to_chain]),
            Side::Database => Wires::Socket(socket.as_ref().expect("a server")),
        };
        let mut validator = Paused::at(&config, place);
        match partition {
            Some(_) => wires.part(kind, || validator.go_on()).await,
            None => validator.go_on(),
        }
        validator.finish(&home.url, &how).await;
        let mut end = self.stage.end(home, localnet, data.path()).await;
        // Whether the round is settled when weights are due depends on how long everything takes: there are some, once.
        let shown = end.as_object_mut().expect("an object").remove("on_chain");
        assert!(shown.is_some_and(|shown| shown.as_array().is_some_and(|weights| !weights.is_empty())), "{how}");
        let vectors = end.as_object_mut().expect("an object").remove("vectors");
        assert_eq!(vectors.and_then(|vectors| vectors.as_array().map(Vec::len)), Some(1), "{how}");
        assert_eq!(end["submissions"], 1, "{how}");
        end
    }
}

/// Settings of a validator that tries again soon, whose chain is behind a wire.
fn patient(config: &Path, (chain, wire): (&str, &str)) -> PathBuf {
    let text = std::fs::read_to_string(config).expect("a file");
    let often = "attempts = 5\ninterval = \"1s\"\nweights_interval = \"1s\"\nlisten = \"127.0.0.1:0\"";
    assert!(text.contains("attempts = 1") && text.contains(chain));
    let text = text.replace("attempts = 1", often).replace(chain, wire);
    std::fs::write(config, text).expect("a file");
    config.to_owned()
}

/// Every place of a side, each with one kind or with all.
async fn every_partition(side: Side, places: &[&str], home: fn() -> Option<Home>) {
    let scene = Scene::set().await;
    let Some(first) = home() else { return };
    let undisturbed = scene.play(&first, None).await;
    let all = std::env::var("AML_PARTITIONS").is_ok_and(|which| which == "all");
    for (at, place) in places.iter().enumerate() {
        let kinds = if all { &KINDS[..] } else { std::slice::from_ref(&KINDS[at % KINDS.len()]) };
        for kind in kinds {
            let began = Instant::now();
            let parted = scene.play(&home().expect("as before"), Some((side, place, *kind))).await;
            must_equal(&undisturbed, &parted, &format!("{side:?} {kind:?} at {place}"));
            println!("{side:?} {kind:?} at {place}: {:.1} s", began.elapsed().as_secs_f64());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn miners_that_cannot_be_reached_for_a_while_cost_no_answer() {
    every_partition(Side::Miners, &STEPS[..4], || Some(Home::file())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_cannot_be_reached_for_a_while_costs_no_day_and_no_second_submission() {
    every_partition(Side::Chain, &STEPS, || Some(Home::file())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_in_the_middle_of_a_step_loses_and_doubles_nothing() {
    every_partition(Side::Database, &STEPS, Home::server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_reached_in_the_middle_of_a_write_loses_and_doubles_nothing() {
    every_partition(Side::Database, &WRITES, Home::server).await;
}
