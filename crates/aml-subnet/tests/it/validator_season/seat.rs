//! A validator's place: a chain, a ledger and a data folder of its own, and the process that works with them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aml_subnet::chain::announce::Announcement;
use aml_subnet::localnet::{Config, Localnet, SubnetRules};
use aml_subnet::store::Ledger;
use aml_subnet::store::records::{RoundId, Step, WeightsRecord, WeightsState, WeightsTarget};
use aml_subnet::validator::pay::is_open;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::cast::{Actor, Cast};
use super::kills::{Instant, Moment, OF_START, progress};
use crate::common::dev_key;
use crate::ledger_kit;
use crate::validator_kill::{ALICE, Rules, submissions, subtensor};
use crate::validator_world::NETUID;

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// When the words that a kill waits for do not come.
const NO_WORDS: Duration = Duration::from_secs(20);

/// Rules of a season, and seconds until the sealed answers of a day open: longer than kills can keep a validator from asking.
#[derive(Clone, Copy)]
pub(super) struct Play {
    pub(super) rules: Rules,
    pub(super) opening: u64,
}

pub(super) struct Seat {
    pub(super) name: &'static str,
    pub(super) localnet: Localnet,
    pub(super) data: PathBuf,
    pub(super) url: String,
    config: PathBuf,
    pub(super) play: Play,
    process: Option<Process>,
    starts: u64,
    progress: usize,
}

struct Process {
    child: Child,
    words: UnboundedReceiver<String>,
    /// Whether it has opened its ledger and begun to work.
    runs: bool,
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that fails leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Seat {
    pub(super) async fn set(name: &'static str, folder: &Path, cast: &Cast, play: Play) -> Self {
        let data = folder.join(name);
        let hotkeys = data.join("wallets/val/hotkeys");
        std::fs::create_dir_all(&hotkeys).expect("a folder");
        std::fs::write(hotkeys.join("default"), ALICE).expect("a key");
        std::fs::set_permissions(hotkeys.join("default"), PermissionsExt::from_mode(0o600)).expect("a mode");
        // The same salts for both.
        std::fs::write(data.join("salts.secret"), [7; 32]).expect("a secret");
        let rules = SubnetRules { tempo: 30, weights_rate_limit: 0, serving_rate_limit: 0, ..SubnetRules::default() };
        let block_time = Some(Duration::from_millis(120));
        let beacon = play.rules == Rules::V2Sealed;
        let config = Config { netuid: NETUID, block_time, rules, beacon, ..Config::default() };
        let localnet = Localnet::start(config).await;
        let localnet = localnet.expect("a free port");
        localnet.register(NETUID, dev_key("Alice").hotkey(), dev_key("Ferdie").hotkey()).expect("registered");
        localnet.stake(NETUID, dev_key("Alice").hotkey(), 5_000_000_000_000).expect("staked");
        let url = format!("sqlite:{}", data.join("ledger.sqlite").display());
        let config = data.join("subnet_config.toml");
        let seat = Self { name, localnet, data, url, config, play, process: None, starts: 0, progress: 0 };
        std::fs::write(&seat.config, seat.settings(&folder.join("sot"))).expect("a file");
        for actor in &cast.actors {
            seat.welcome(actor).await;
        }
        seat.localnet.run_epoch(NETUID).expect("an epoch");
        seat
    }

    /// Miners have so much time that on no machine an honest answer comes too late: the twin's would not.
    fn settings(&self, sot: &Path) -> String {
        let (data, chain) = (self.data.display(), self.localnet.ws_url());
        format!(
            "netuid = {NETUID}\n[wallet]\nname = \"val\"\npath = \"{data}/wallets\"\n[subtensor]\nnetwork = \"{chain}\"\n\
             [validator]\nsot = \"{}\"\ndata_dir = \"{data}\"\ndatabase_url = \"{}\"\nallow_private_ips = true\n\
             listen = \"127.0.0.1:0\"\ninterval = \"200ms\"\nweights_interval = \"300ms\"\ndeadline = \"1h\"\n\
             timeout = \"20m\"\nattempts = 1\ngrace = \"1d\"\n{}",
            sot.display(),
            self.url,
            self.play.rules.settings(self.play.opening),
        )
    }

    /// A miner registers and says where it serves; the chain shows it when this returns.
    pub(super) async fn welcome(&self, actor: &Actor) {
        self.localnet.register(NETUID, actor.miner.hotkey(), dev_key("Ferdie").hotkey()).expect("registered");
        let (ip, port) = (actor.miner.address.ip(), actor.miner.address.port());
        let axon = Announcement { netuid: NETUID, ip, port, version: 1 };
        subtensor(&self.localnet).announce(&dev_key(actor.name), &axon).await.expect("announced");
    }

    /// A validator that works until it is killed or told to stop.
    pub(super) fn start(&mut self) {
        let mut command = program();
        command.args(["validator", "--config"]).arg(&self.config).current_dir(&self.data);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let said = BufReader::new(child.stderr.take().expect("piped"));
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("a log");
        let (sender, words) = unbounded_channel();
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                writeln!(log, "{line}").expect("a log");
                let _ = sender.send(line);
            }
        });
        self.starts += 1;
        self.process = Some(Process { child, words, runs: false });
    }

    /// A new day: what was said before is of another round.
    pub(super) fn dawn(&mut self) {
        self.listen();
        self.progress = 0;
    }

    /// How far the day's round has come, as far as it was heard, and whether the process has begun to work.
    pub(super) fn heard(&mut self) -> (usize, bool) {
        self.listen();
        (self.progress, self.process.as_ref().is_some_and(|process| process.runs))
    }

    /// Until the instant has come.
    pub(super) async fn live_until(&mut self, instant: &Instant) {
        match instant {
            Instant::After(span) => tokio::time::sleep(*span).await,
            Instant::Heard(awaited, span) => {
                let _ = tokio::time::timeout(NO_WORDS, self.hear(awaited)).await;
                tokio::time::sleep(*span).await;
            }
        }
    }

    async fn hear(&mut self, awaited: &str) {
        while let Some(line) = self.process.as_mut().expect("it runs").words.recv().await {
            self.note(&line);
            if line.contains(awaited) {
                return;
            }
        }
    }

    /// Takes in what was said so far.
    fn listen(&mut self) {
        while let Some(line) = self.process.as_mut().and_then(|process| process.words.try_recv().ok()) {
            self.note(&line);
        }
    }

    fn note(&mut self, line: &str) {
        self.progress = self.progress.max(progress(line));
        let process = self.process.as_mut().expect("it runs");
        process.runs |= line.contains(OF_START);
    }

    /// Kills the validator, whatever it does; what that was.
    pub(super) async fn kill(&mut self, day: RoundId) -> Moment {
        let process = self.process.as_mut().expect("it runs");
        let before = process.child.try_wait().expect("a child");
        process.child.kill().expect("SIGKILL");
        process.child.wait().expect("it is gone");
        assert!(before.is_none(), "{}: it ended by itself ({before:?})\n{}", self.name, self.last_words());
        self.listen();
        if self.process.take().is_some_and(|process| process.runs) {
            self.autopsy(day).await
        } else {
            Moment::of_start()
        }
    }

    /// Looks into a copy of what the dead have left: the next process shall find it as it is.
    async fn autopsy(&self, day: RoundId) -> Moment {
        let copy = tempfile::tempdir().expect("a folder");
        for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
            std::fs::copy(self.data.join(name), copy.path().join(name)).expect("a ledger");
        }
        let url = format!("sqlite:{}", copy.path().join("ledger.sqlite").display());
        let ledger = ledger_kit::open(&url, "the test", true).await.expect("a ledger");
        let moment = Moment::of(&ledger, day).await;
        ledger.close().await;
        moment
    }

    /// When the round of a day is settled.
    pub(super) async fn settled(&mut self, id: RoundId) {
        self.until(async |ledger| {
            ledger.round(id).await.ok().flatten().is_some_and(|round| round.step == Step::Settled)
        })
        .await;
    }

    /// When nothing is open, and two windows have got their weights after the last settlement: the second was planned
    /// when everything was known.
    pub(super) async fn paid(&mut self) {
        self.until(async |ledger| {
            let newest = ledger.rounds(NETUID, 1, None).await.unwrap_or_default();
            let Some(settled) = newest.first().and_then(|round| round.settled_ms) else { return false };
            let weights = ledger.weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, 64).await.unwrap_or_default();
            let after = weights.iter().filter(|record| record.made_ms > settled && is_confirmed(record)).count();
            after >= 2 && !weights.iter().any(|record| is_open(&record.state))
        })
        .await;
    }

    async fn until(&mut self, holds: impl AsyncFn(&Ledger) -> bool) {
        loop {
            let process = self.process.as_mut().expect("it runs");
            let ended = process.child.try_wait().expect("a child");
            assert!(ended.is_none(), "{}: it ended by itself ({ended:?})\n{}", self.name, self.last_words());
            if let Some(ledger) = self.reader().await {
                let held = holds(&ledger).await;
                ledger.close().await;
                if held {
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Tells the validator to stop; what there is in the end.
    pub(super) async fn end_in_peace(&mut self) -> Value {
        let mut process = self.process.take().expect("it runs");
        let told = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status().expect("kill");
        assert!(told.success() && process.child.wait().expect("it ends").success(), "{}", self.last_words());
        let records = self
            .must_read()
            .await
            .weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, u32::MAX)
            .await
            .expect("a ledger");
        json!({
            "starts": self.starts,
            "windows": records.len(),
            "confirmed": records.iter().filter(|record| is_confirmed(record)).count(),
            "failed": records.iter().filter(|record| matches!(record.state, WeightsState::Failed { .. })).count(),
            "submissions": submissions(&self.localnet).await,
            "troubles": self.troubles(),
        })
    }

    pub(super) async fn must_read(&self) -> Ledger {
        ledger_kit::open(&self.url, "the test", true).await.expect("a ledger")
    }

    async fn reader(&self) -> Option<Ledger> {
        ledger_kit::open(&self.url, "the test", true).await.ok()
    }

    /// Writes the ledger out, for others to compute it again.
    pub(super) fn export(&self) {
        let target = self.data.join("export");
        let ended = program().arg("export").arg(&target).arg("--config").arg(&self.config).output().expect("it runs");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }

    pub(super) async fn close(self) {
        drop(self.process);
        self.localnet.shutdown().await;
    }

    fn log(&self) -> PathBuf {
        self.data.join("validator.log")
    }

    /// The end of the log.
    pub(super) fn last_words(&self) -> String {
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// What was logged as an error or a warning, and how often.
    fn troubles(&self) -> Value {
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        let mut troubles = std::collections::BTreeMap::<String, u64>::new();
        // A line that a kill has cut off is no JSON.
        for line in said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let level = line["level"].as_str().unwrap_or_default();
            if ["ERROR", "WARN"].contains(&level) {
                let message = line["fields"]["message"].as_str().unwrap_or_default();
                *troubles.entry(format!("{level} {message}")).or_default() += 1;
            }
        }
        json!(troubles)
    }
}

/// The program that is tested.
fn program() -> Command {
    let file = std::env::var_os("AML_SUBNET_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_aml-subnet").into());
    let mut command = Command::new(file);
    command.env_remove("DATABASE_URL").env_remove("AML_FAILPOINT");
    command
}

pub(super) fn is_confirmed(record: &WeightsRecord) -> bool {
    matches!(record.state, WeightsState::Confirmed { .. })
}
