//! A real validator process, killed at any instant and started again: the same end, and weights submitted once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};
use aml_miner::data::listing::directory_name;
use aml_miner::digest::Digest;
use aml_subnet::chain::announce::Announcement;
use aml_subnet::chain::endpoints::Endpoints;
use aml_subnet::chain::types::Uid;
use aml_subnet::localnet::{Config, Localnet, SubnetRules};
use aml_subnet::outputs::{CALIBRATION_FILE, MANIFEST_FILE, directory};
use aml_subnet::readers::calibration::Calibration;
use aml_subnet::store::records::{RoundId, Step, WeightsState, WeightsTarget};
use aml_subnet::subtensor::{Subtensor, Timing};
use serde_json::{Value, json};

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, FakeMiner, Lie};
use crate::ledger_kit::{self, Home};
use crate::validator_world::{NETUID, WINDOW, first_day, write_days};

/// `//Alice`: everybody knows it.
pub(crate) const ALICE: &str = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
/// Places of a round up to its task.
const PREPARING: [&str; 5] = [
    "begin.before_commit",
    "begin.after_commit",
    "note_seen.after_commit",
    "record_task.before_commit",
    "record_task.after_commit",
];
/// Places while answers come and are judged.
const JUDGING: [&str; 8] = [
    "record_answer.before_commit",
    "record_answer.after_commit:2",
    "finish_asking.before_commit",
    "finish_asking.after_commit",
    "record_verdicts.before_commit",
    "record_verdicts.after_commit",
    "record_canonical.before_commit",
    "record_canonical.after_commit",
];
/// Places from publication to weights.
const PAYING: [&str; 9] = [
    "round.files_written",
    "publish.before_commit",
    "publish.after_commit",
    "record_settled.before_commit",
    "record_settled.after_commit",
    "weights.before_plan",
    "weights.planned",
    "weights.before_state",
    "weights.state",
];

/// Places that only rounds with sealed answers under rules v2 come to.
const SEALED: [&str; 3] = ["round.pulses_recorded", "round.one_opened", "record_canonical.after_commit"];

/// Longer than a validator needs, however often it dies, until everybody has answered.
const OPENING_SECONDS: u64 = 15;

/// Rules that a validator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    V1,
    /// With answers that open some seconds after they were asked for.
    V2Sealed,
}

impl Rules {
    /// The end of the file of settings; answers that are sealed open so many seconds after their task was made.
    pub(crate) fn settings(self, opening: u64) -> String {
        match self {
            Self::V1 => "rules = \"v1\"\n".to_owned(),
            Self::V2Sealed => {
                format!("rules = \"v2\"\n[sealing]\nbeacon = \"development\"\ndevelopment_opening = \"{opening}s\"\n")
            }
        }
    }
}

/// An honest miner with the same explanation of every alert.
fn explaining(skill: f64, feature: &'static str) -> Behaviour {
    let text = json!({ "top_features": [{ "feature": feature, "impact": 1.0 }] }).to_string();
    Behaviour::HonestExplaining { skill, explainer: Arc::new(move |_| text.clone()) }
}

/// Batches and miners, which all validators of a test share.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    miners: Vec<FakeMiner>,
    pub(crate) rules: Rules,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::under(Rules::V1).await
    }

    pub(crate) async fn under(rules: Rules) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_days(&folder.path().join("sot"), 1);
        let hotkeys = folder.path().join("wallets/val/hotkeys");
        std::fs::create_dir_all(&hotkeys).expect("a folder");
        std::fs::write(hotkeys.join("default"), ALICE).expect("a key");
        std::fs::set_permissions(hotkeys.join("default"), PermissionsExt::from_mode(0o600)).expect("a mode");
        let mut miners = Vec::new();
        for (name, behaviour) in [
            ("Bob", explaining(0.9, "total_in_usd")),
            ("Charlie", explaining(0.4, "volume_usd")),
            ("Eve", Behaviour::Lying(Lie::Missing)),
        ] {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            miners.push(FakeMiner::spawn(name, behaviour, NETUID, clock).await);
        }
        Self { folder, miners, rules }
    }

    /// One chain and one ledger; the validator is killed at `place` and then started again. What there is at the end.
    pub(crate) async fn play(&self, home: &Home, place: Option<&str>) -> Value {
        let localnet = self.chain().await;
        let data = tempfile::tempdir().expect("a folder");
        std::fs::write(data.path().join("salts.secret"), [7; 32]).expect("a secret");
        let config = self.config(&localnet, data.path(), &home.url);
        if let Some(place) = place {
            kill_at(&config, place);
        }
        let ended = validator(&config).output().expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "after {place:?}: {said}\n{}", String::from_utf8_lossy(&ended.stdout));
        self.end(home, localnet, data.path()).await
    }

    /// What there is at the end; `data` has the published files.
    pub(crate) async fn end(&self, home: &Home, localnet: Localnet, data: &Path) -> Value {
        let mut end = ledger_of(&home.url).await;
        end["submissions"] = submissions(&localnet).await;
        end["on_chain"] = weights_on(&localnet).await;
        end["files"] = files_of(data);
        localnet.shutdown().await;
        end
    }

    /// The first machine stands still at `place` while the second one stands by; then the first one dies.
    async fn play_on_two_machines(&self, home: &Home, place: &str) -> Value {
        let localnet = self.chain().await;
        let [shared, first, second] = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        std::fs::write(shared.path().join("salts.secret"), [7; 32]).expect("a secret");
        let config = |data: &Path| {
            let path = self.config(&localnet, data, &home.url);
            let text = std::fs::read_to_string(&path).expect("a file");
            let folder = format!("data_dir = \"{}\"", data.display());
            let both = format!("{folder}\nshared_dir = \"{}\"", shared.path().display());
            std::fs::write(&path, text.replace(&folder, &both)).expect("a file");
            path
        };
        let mut dying = Standing::at(&config(first.path()), place);
        let mut command = validator(&config(second.path()));
        let mut standby =
            command.arg("--standby").stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
        let mut said = BufReader::new(standby.stderr.take().expect("piped")).lines().map_while(Result::ok);
        assert!(said.any(|line| line.contains("stands by") && line.contains("aml-subnet of subnet")), "it waits");
        dying.kill();
        let last: Vec<String> = said.collect();
        assert!(standby.wait().expect("it ends").success(), "after {place}: {last:#?}");
        self.end(home, localnet, shared.path()).await
    }

    /// Where the miners are.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.miners.iter().map(|miner| miner.address).collect()
    }

    /// A subnet where `//Alice` may set weights and all miners are announced.
    pub(crate) async fn chain(&self) -> Localnet {
        self.chain_that_names(&self.addresses()).await
    }

    /// The same, where the miners are announced at these addresses.
    pub(crate) async fn chain_that_names(&self, addresses: &[SocketAddr]) -> Localnet {
        let rules = SubnetRules { tempo: 20_000, serving_rate_limit: 0, ..SubnetRules::default() };
        let block_time = Some(Duration::from_millis(100));
        let beacon = self.rules == Rules::V2Sealed;
        let localnet = Localnet::start(Config { netuid: NETUID, block_time, rules, beacon, ..Config::default() }).await;
        let localnet = localnet.expect("a free port");
        let owner = dev_key("Ferdie").hotkey();
        localnet.register(NETUID, dev_key("Alice").hotkey(), owner).expect("registered");
        localnet.stake(NETUID, dev_key("Alice").hotkey(), 5_000_000_000_000).expect("staked");
        let chain = subtensor(&localnet);
        for (name, address) in ["Bob", "Charlie", "Eve"].into_iter().zip(addresses) {
            localnet.register(NETUID, dev_key(name).hotkey(), owner).expect("registered");
            let (ip, port) = (address.ip(), address.port());
            let axon = Announcement { netuid: NETUID, ip, port, version: 1 };
            chain.announce(&dev_key(name), &axon).await.expect("announced");
        }
        localnet.run_epoch(NETUID).expect("an epoch");
        localnet
    }

    pub(crate) fn config(&self, localnet: &Localnet, data: &Path, ledger: &str) -> PathBuf {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let text = format!(
            "netuid = {NETUID}\nlog_level = \"warn\"\n[wallet]\nname = \"val\"\npath = \"{}\"\n[subtensor]\nnetwork = \"{}\"\n\
             [validator]\nsot = \"{}\"\ndata_dir = \"{}\"\ndatabase_url = \"{ledger}\"\nallow_private_ips = true\n\
             deadline = \"5m\"\ntimeout = \"1m\"\nattempts = 1\n{}",
            at("wallets"),
            localnet.ws_url(),
            at("sot"),
            data.display(),
            self.rules.settings(OPENING_SECONDS),
        );
        let path = data.join("subnet_config.toml");
        std::fs::write(&path, text).expect("a file");
        path
    }
}

pub(crate) fn subtensor(localnet: &Localnet) -> Subtensor {
    let endpoints = Endpoints::resolve(&localnet.ws_url(), None).expect("a URL");
    Subtensor::new(endpoints, Timing::default(), Arc::new(SystemClock))
}

/// Digests of what is published; times and signatures differ: those of the manifest, and when the round was opened.
fn files_of(data: &Path) -> Value {
    let round = RoundId { netuid: NETUID, date: first_day(), window_days: WINDOW };
    let folder = directory(&data.join("published"), &round);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let digest = |name: &String| {
        let bytes = std::fs::read(folder.join(name)).expect("a file");
        if name != CALIBRATION_FILE {
            return json!(Digest::of(&bytes));
        }
        let curve: Calibration = serde_json::from_slice(&bytes).expect("a curve");
        json!(Calibration { as_of_ms: 0, ..curve })
    };
    let files: BTreeMap<String, Value> =
        names.filter(|name| name != MANIFEST_FILE).map(|name| (name.clone(), digest(&name))).collect();
    assert_eq!(files.len(), 4, "JSON, CSV, Parquet and the curve: {files:?}");
    json!(files)
}

/// Transactions of `//Alice`.
pub(crate) async fn submissions(localnet: &Localnet) -> Value {
    let alice = dev_key("Alice").hotkey().to_string();
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "system_accountNextIndex", "params": [alice] });
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let sent = http.post(localnet.http_url()).header("content-type", "application/json").body(call.to_string());
    let text = sent.send().await.expect("the chain answers").text().await.expect("a body");
    serde_json::from_str::<Value>(&text).expect("JSON")["result"].clone()
}

pub(crate) async fn weights_on(localnet: &Localnet) -> Value {
    let found = subtensor(localnet).weights_of(dev_key("Alice").hotkey(), NETUID, 0).await.expect("the chain answers");
    let pairs = found.unwrap_or_default().into_iter().map(|(Uid(uid), weight)| json!([uid, weight]));
    Value::Array(pairs.collect())
}

/// `validator --once` with a file of settings.
pub(crate) fn validator(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(["validator", "--once", "--config"]).arg(config);
    command.current_dir(config.parent().expect("a folder")).env_remove("DATABASE_URL").env_remove("AML_FAILPOINT");
    command
}

/// A validator that stands still at some place.
struct Standing(std::process::Child);

impl Standing {
    /// Starts it, and waits until it is there.
    fn at(config: &Path, place: &str) -> Self {
        let mut command = validator(config);
        let mut child =
            command.env("AML_FAILPOINT", place).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
        let name = place.split(':').next().expect("a name");
        let said = BufReader::new(child.stderr.take().expect("piped"));
        let mut before = Vec::new();
        let reached = said.lines().map_while(Result::ok).any(|line| {
            before.push(line.clone());
            line == format!("failpoint {name}")
        });
        let mut standing = Self(child);
        if !reached {
            standing.kill();
            panic!("{place} was never reached: {before:#?}");
        }
        standing
    }

    fn kill(&mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("it is gone");
    }
}

/// Starts a validator, waits until it stands still at `place`, and kills it there.
fn kill_at(config: &Path, place: &str) {
    Standing::at(config, place).kill();
}

/// What a ledger says, without the times at which it happened.
async fn ledger_of(url: &str) -> Value {
    let ledger = ledger_kit::open(url, "the test", true).await.expect("a ledger");
    let id = RoundId { netuid: NETUID, date: first_day(), window_days: WINDOW };
    let round = ledger.round(id).await.expect("a ledger").expect("a round");
    assert_eq!(round.step, Step::Settled);
    let answers = ledger.answers(id).await.expect("a ledger");
    let answers: Vec<Value> =
        answers.iter().map(|one| json!([one.hotkey, one.reply, one.request, one.body, one.in_time])).collect();
    let mut verdicts = ledger.verdicts(id).await.expect("a ledger");
    verdicts.iter_mut().for_each(|verdict| verdict.took_ms = 0);
    let weights = ledger.weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, 10).await.expect("a ledger");
    assert!(weights.iter().all(|record| matches!(record.state, WeightsState::Confirmed { .. })), "{weights:?}");
    json!({
        "rounds": ledger.rounds(NETUID, 10, None).await.expect("a ledger").len(),
        "round": [round.batch, round.alerts, round.commitment],
        "task": ledger.task(id).await.expect("a ledger").map(|task| json!([task.asks, task.traps, task.roster])),
        "answers": answers,
        "verdicts": verdicts,
        "canonical": ledger.canonical(id).await.expect("a ledger"),
        "reasons": ledger.reasons(id).await.expect("a ledger"),
        "settled": ledger.settled(id).await.expect("a ledger"),
        "first_seen": ledger.first_seen().await.expect("a ledger"),
        "receipt_keys": ledger.receipt_keys().await.expect("a ledger"),
        "vectors": weights.iter().map(|record| record.vector).collect::<Vec<_>>(),
    })
}

async fn end_the_same(places: &[&str], home: fn() -> Option<Home>) {
    end_the_same_under(Rules::V1, places, home).await;
}

async fn end_the_same_under(rules: Rules, places: &[&str], home: fn() -> Option<Home>) {
    let stage = Stage::under(rules).await;
    assert!(stage.folder.path().join("sot").join(directory_name(first_day(), Some(WINDOW))).exists());
    let Some(first) = home() else { return };
    let undisturbed = stage.play(&first, None).await;
    assert_eq!((&undisturbed["submissions"], &undisturbed["rounds"]), (&json!(1), &json!(1)));
    assert!(undisturbed["canonical"].is_object());
    let explain = undisturbed["reasons"]["miners"].as_u64();
    assert!(rules != Rules::V1 || explain == Some(2), "{explain:?} miners with a voice explain");
    // Under v2 nobody has earned anything on a first day, and what nobody has earned is the owner's.
    let paid = if rules == Rules::V1 { 2 } else { 1 };
    assert_eq!(undisturbed["on_chain"].as_array().map(Vec::len), Some(paid), "{}", undisturbed["on_chain"]);
    for place in places {
        let disturbed = stage.play(&home().expect("as before"), Some(place)).await;
        must_equal(&undisturbed, &disturbed, &format!("after SIGKILL at {place}"));
    }
}

pub(crate) fn must_equal(undisturbed: &Value, disturbed: &Value, how: &str) {
    for (what, value) in undisturbed.as_object().expect("an object") {
        assert_eq!(disturbed[what], *value, "{what}, {how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_round_is_prepared() {
    end_the_same(&PREPARING, || Some(Home::file())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_answers_come_and_are_judged() {
    end_the_same(&JUDGING, || Some(Home::file())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_publication_and_weights() {
    end_the_same(&PAYING, || Some(Home::file())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sealed_answers_of_rules_v2_wait_open_and_are_judged() {
    end_the_same_under(Rules::V2Sealed, &SEALED, || Some(Home::file())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_over_a_database_server() {
    end_the_same(&["record_answer.after_commit:2", "record_canonical.before_commit"], Home::server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_a_submission_of_weights_over_a_database_server() {
    end_the_same(&PAYING[5..], Home::server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_ends_the_round_of_a_machine_that_died() {
    let stage = Stage::set().await;
    let Some(first) = Home::server() else { return };
    let undisturbed = stage.play(&first, None).await;
    for place in ["record_task.after_commit", "record_answer.after_commit:2", "weights.planned"] {
        let taken_over = stage.play_on_two_machines(&Home::server().expect("as before"), place).await;
        must_equal(&undisturbed, &taken_over, &format!("taken over at {place}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_could_not_go_on_does_not_start() {
    let stage = Stage::set().await;
    let Some(home) = Home::server() else { return };
    let localnet = stage.chain().await;
    let data = tempfile::tempdir().expect("a folder");
    let config = stage.config(&localnet, data.path(), &home.url);
    let refusal = |arguments: &[&str]| {
        let ended = validator(&config).arg("--standby").args(arguments).output().expect("it runs");
        assert!(!ended.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    assert!(refusal(&["--database-url", "sqlite:x"]).contains("needs a ledger in PostgreSQL"));
    assert!(refusal(&[]).contains("needs validator.shared_dir"));
    let shared = tempfile::tempdir().expect("a folder");
    let folder = shared.path().display().to_string();
    let there = ["--validator.shared_dir", folder.as_str()];
    assert!(refusal(&there).contains("start the first validator with the same"));
    assert!(must_print(&config, &["validator", "--once"]).contains("is published"));
    std::fs::write(shared.path().join("salts.secret"), [8; 32]).expect("a secret");
    assert!(refusal(&there).contains("was salted with another secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_never_submits() {
    let (stage, home) = (Stage::set().await, Home::file());
    let localnet = stage.chain().await;
    let data = tempfile::tempdir().expect("a folder");
    let config = stage.config(&localnet, data.path(), &home.url);
    let ended = validator(&config).arg("--shadow").output().expect("it runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!((submissions(&localnet).await, weights_on(&localnet).await), (json!(0), json!([])));
    let ledger = ledger_kit::open(&home.url, "the test", true).await.expect("a ledger");
    let rounds = ledger.rounds(NETUID, 10, None).await.expect("a ledger");
    assert!(rounds.len() == 1 && rounds[0].shadow && rounds[0].step == Step::Settled);
    assert!(ledger.weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, 10).await.expect("a ledger").is_empty());
}

/// Runs a command on the ledger of `config`; what it prints.
fn must_print(config: &Path, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(words).arg("--config").arg(config).env_remove("DATABASE_URL");
    let ended = command.output().expect("it runs");
    assert!(ended.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_tell_what_the_ledger_knows() {
    let (stage, home) = (Stage::set().await, Home::file());
    let localnet = stage.chain().await;
    let data = tempfile::tempdir().expect("a folder");
    let config = stage.config(&localnet, data.path(), &home.url);
    assert!(must_print(&config, &["validator", "--check"]).contains("are good"));
    let said = must_print(&config, &["validator", "--once"]);
    assert!(
        said.contains("is published") && said.contains("settled with") && said.contains("on chain since"),
        "{said}"
    );
    let again = must_print(&config, &["validator", "--once"]);
    assert!(again.contains("is published") && again.contains("this epoch has its submission"), "{again}");
    let id = RoundId { netuid: NETUID, date: first_day(), window_days: WINDOW }.to_string();
    assert!(must_print(&config, &["replay", "--round", &id]).contains("byte-identical"));
    assert!(must_print(&config, &["rounds"]).contains(&id));
    let miners: Value = serde_json::from_str(&must_print(&config, &["miners", "--json"])).expect("JSON");
    let best = miners[0]["hotkey"].as_str().map(str::to_owned);
    // Eve has no submission that counts yet, and is new: forgiven.
    assert_eq!((miners.as_array().map(Vec::len), best), (Some(2), Some(dev_key("Bob").hotkey().to_string())));
    let shown = must_print(&config, &["round", "show", &id]);
    assert!(shown.contains("cardinality: ") && shown.contains("accepted, weight") && shown.contains("AUC"), "{shown}");
    assert!(must_print(&config, &["settle"]).contains("nothing is due"));
    let unknown = validator(&config).args(["--netuid", "many"]).output().expect("it runs");
    assert_eq!(unknown.status.code(), Some(2));
}

/// Whether the round of the stage is settled and paid for, as far as a reader sees.
pub(crate) async fn is_done(url: &str) -> bool {
    let Ok(ledger) = ledger_kit::open(url, "the test", true).await else { return false };
    let id = RoundId { netuid: NETUID, date: first_day(), window_days: WINDOW };
    let settled = ledger.round(id).await.ok().flatten().is_some_and(|round| round.step == Step::Settled);
    let weights = ledger.weights(WeightsTarget { netuid: NETUID, mechanism: 0 }, 1).await.unwrap_or_default();
    settled && weights.iter().any(|record| matches!(record.state, WeightsState::Confirmed { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_works_beside_its_readers_until_it_is_told_to_stop() {
    let (stage, home) = (Stage::set().await, Home::file());
    let localnet = stage.chain().await;
    let data = tempfile::tempdir().expect("a folder");
    let config = stage.config(&localnet, data.path(), &home.url);
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command
        .args(["validator", "--validator.listen", "127.0.0.1:0", "--validator.interval", "1s", "--config"])
        .arg(&config);
    command.current_dir(data.path()).env_remove("DATABASE_URL").stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it runs");
    let done = async {
        while !is_done(&home.url).await {
            assert!(child.try_wait().expect("a child").is_none(), "it ended by itself");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(180), done).await.expect("a round, its settlement and weights");
    let second = validator(&config).output().expect("it runs");
    assert!(!second.status.success() && String::from_utf8_lossy(&second.stderr).contains("in use by"), "{second:?}");
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(told.success() && child.wait().expect("it ends").success(), "an orderly end");
    assert!(must_print(&config, &["validator", "--once"]).contains("is published"), "the ledger is free again");
}
