//! The program itself: settings, model files on a disk, and signals.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use aml_miner::api::models::WARN_STEPS;
use aml_miner::digest::Digest;
use aml_miner::features::Schema;
use aml_miner::models::Calibration;
use aml_miner::models::bundle::{Draft, ModelKind, Origin, Training, save};
use aml_miner::receipt::ReceiptKey;
use serde_json::{Value, json};

const TREE: &str = "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=10\nleft_child=-1\n\
right_child=-2\nleaf_value=-1 2\nleaf_count=3 1\ninternal_count=4\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";

/// Saves all three models under `directory` and names their files in environment variables.
pub(crate) fn save_models(directory: &Path, version: &str) -> Vec<(&'static str, PathBuf)> {
    let one = |kind: ModelKind, feature: &str, objective: &str| {
        let text = format!("{}{TREE}", head(&[feature], objective));
        let draft = draft(kind, version, Schema::new(kind.rows(), [feature]));
        save(directory, &text, draft).expect("saved").0
    };
    vec![
        ("ALERT_SCORER_PATH", one(ModelKind::AlertScorer, "alert_confidence_score", "binary sigmoid:1")),
        ("ALERT_RANKER_PATH", one(ModelKind::AlertRanker, "alert_confidence_score", "lambdarank")),
        ("CLUSTER_SCORER_PATH", one(ModelKind::ClusterScorer, "total_alerts", "binary sigmoid:1")),
    ]
}

pub(crate) fn head(features: &[&str], objective: &str) -> String {
    format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={}\n\
         objective={objective}\nfeature_names={}\nfeature_infos={}\n\n",
        features.len() - 1,
        features.join(" "),
        vec!["none"; features.len()].join(" "),
    )
}

pub(crate) fn draft(kind: ModelKind, version: &str, schema: Schema) -> Draft {
    let training = Training {
        data_sha256: Digest::of(b"data"),
        first_date: "2025-01-01".into(),
        last_date: "2025-03-31".into(),
        rows: 4,
        parameters: BTreeMap::new(),
        seeds: BTreeMap::new(),
        lightgbm_version: "4.7.0".into(),
    };
    Draft {
        model: kind,
        version: version.into(),
        schema,
        calibration: Calibration::None,
        alert_scorer: None,
        batch_relative: false,
        origin: Origin::Trained(training),
        metrics: BTreeMap::new(),
        created_at: "2025-04-01T00:00:00Z".into(),
    }
}

/// Saves an alert scorer whose trees are long chains of splits, each on a feature of its own.
fn save_chains(directory: &Path, trees: usize) -> PathBuf {
    let mut schema = Schema::default_alert();
    schema.features.truncate(186);
    let names: Vec<&str> = schema.features.iter().map(String::as_str).collect();
    let splits = names.len();
    let list = |value: &dyn Fn(usize) -> String, count: usize| (0..count).map(value).collect::<Vec<_>>().join(" ");
    let body = format!(
        "num_leaves={}\nnum_cat=0\nsplit_feature={}\nthreshold={}\ndecision_type={}\nleft_child={}\nright_child={} -{}\n\
         leaf_value={}\nleaf_count={}\ninternal_count={}\nis_linear=0\nshrinkage=1\n\n\n",
        splits + 1,
        list(&|i| i.to_string(), splits),
        list(&|_| "0".into(), splits),
        list(&|_| "10".into(), splits),
        list(&|i| format!("-{}", i + 1), splits),
        list(&|i| (i + 1).to_string(), splits - 1),
        splits + 1,
        list(&|i| format!("{}", (i as f64).sin() / 1e3), splits + 1),
        list(&|_| "3".into(), splits + 1),
        list(&|i| (3 * (splits + 1 - i)).to_string(), splits),
    );
    let chains = list(&|i| format!("Tree={i}\n{body}"), trees).replace("\n\n\n ", "\n\n\n");
    let text = format!("{}{chains}end of trees\n", head(&names, "binary sigmoid:1"));
    save(directory, &text, draft(ModelKind::AlertScorer, "2.0.0", schema.clone())).expect("saved").0
}

pub(crate) fn program(directory: &Path, models: &[(&str, PathBuf)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-serve"));
    command.current_dir(directory).env_clear().env("API_PORT", "0").env("LOG_FORMAT", "json");
    command.env("MINER_SIGNING_KEY_FILE", directory.join("keys/receipt.key"));
    command.envs(models.iter().map(|(name, path)| (name, path)));
    command
}

/// A running server, killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: Option<BufReader<ChildStderr>>,
    address: String,
}

impl Running {
    pub(crate) fn start(directory: &Path, models: &[(&str, PathBuf)]) -> Self {
        Self::of(&mut program(directory, models))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut running = Self::spawn(command);
        running.wait_until_listening();
        running
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let log = child.stderr.take().map(BufReader::new);
        Self { child, log, address: String::new() }
    }

    pub(crate) fn wait_until_listening(&mut self) {
        let line = self.wait_for("listening");
        self.address = line["address"].as_str().expect("an address").to_owned();
    }

    /// The next line of the log with this message.
    pub(crate) fn wait_for(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            let log = self.log.as_mut().expect("it is read");
            assert!(log.read_line(&mut line).expect("text") > 0, "it ended before `{message}`");
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if line["message"] == message {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(sent.success());
    }

    pub(crate) fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BODY: &str = r#"{"alerts":[{"alert_id":"a","alert_confidence_score":0.9}]}"#;

/// A request to score one alert; the answer has `SCORE` in it.
pub(crate) fn one_alert() -> String {
    let head = "POST /score/alerts HTTP/1.1\r\nhost: t\r\nconnection: close";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len())
}

pub(crate) const SCORE: &str = "\"score\":0.880797077977882";

#[test]
fn it_serves_bundles_reloads_on_a_signal_and_ends_on_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let mut server = Running::start(directory.path(), &models);
    assert!(server.get("/ready").starts_with("HTTP/1.1 200"));
    let (body, request) = (BODY, one_alert());
    let answer = server.ask(&request);
    assert!(answer.contains(SCORE) && answer.contains("x-aml-receipt: "), "{answer}");
    assert_eq!(server.wait_for("answered")["span"]["route"], "/ready");
    let line = server.wait_for("answered");
    assert_eq!((&line["span"]["route"], &line["status"]), (&json!("/score/alerts"), &json!(200)));
    assert_eq!((&line["rows"], &line["bytes"]), (&json!(1), &json!(body.len())));
    assert!(line.get("spans").is_none(), "a line says once what it is about: {line}");
    assert!(line["duration_ms"].is_number() && line["span"]["request_id"].is_string(), "{line}");

    server.signal("-HUP");
    server.wait_for("models are reloaded");

    fs::remove_file(&models[0].1).expect("there");
    server.signal("-HUP");
    let refused = server.wait_for("models are not reloaded");
    assert!(refused["error"].as_str().expect("text").contains("alert_scorer"), "{refused}");
    assert!(server.ask(&request).contains(SCORE), "the old model serves");

    server.signal("-TERM");
    server.wait_for("stopped");
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn it_says_which_commit_it_is_built_from() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Running::start(directory.path(), &save_models(directory.path(), "1.0.0"));
    let git = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let head = git.ok().filter(|git| git.status.success()).and_then(|git| String::from_utf8(git.stdout).ok());
    let commit = option_env!("AML_GIT_COMMIT").or(head.as_deref()).unwrap_or("unknown").trim();
    let answer = server.get("/version");
    assert!(answer.contains(&format!("\"git_commit\":\"{commit}\"")), "{commit}: {answer}");
}

#[test]
fn a_check_tells_everything_that_is_wrong_with_the_models() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let check = || program(directory.path(), &models).arg("--check").output().expect("it runs");
    assert!(check().status.success(), "{}", String::from_utf8_lossy(&check().stderr));
    let told = String::from_utf8_lossy(&check().stdout).into_owned();
    for model in ["alert_scorer", "alert_ranker", "cluster_scorer"] {
        assert!(told.contains(&format!("{model}: explaining a row takes about 1 steps")), "{told}");
    }
    assert!(!directory.path().join("keys").exists(), "a check makes no key");
    let text = fs::read_to_string(&models[0].1).expect("there");
    fs::write(&models[0].1, text.replace("leaf_value=-1 2", "leaf_value=-1 3")).expect("written");
    fs::remove_file(&models[2].1).expect("there");
    let checked = check();
    let told = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(2), "{told}");
    assert!(told.contains("alert_scorer: ") && told.contains("SHA-256") && told.contains("cluster_scorer: "), "{told}");
}

#[test]
fn a_model_that_is_slow_to_explain_is_warned_about() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut models = save_models(directory.path(), "1.0.0");
    let few = program(directory.path(), &models).arg("--check").output().expect("it runs");
    assert!(!String::from_utf8_lossy(&few.stdout).contains("warning"));
    models[0].1 = save_chains(directory.path(), 200);
    let checked = program(directory.path(), &models).arg("--check").output().expect("it runs");
    let told = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(told.contains("warning: alert_scorer: explaining a row takes about"), "{told}");
    let server = Running::start(directory.path(), &models);
    let version = server.get("/version");
    let version: Value = serde_json::from_str(version.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    let steps = version["models"]["alert_scorer"]["explain_steps"].as_u64().expect("a number");
    assert!(steps > WARN_STEPS, "{steps}");
    let metric = format!("aml_model_explain_steps{{model=\"alert_scorer\"}} {steps}");
    assert!(server.get("/metrics").contains(&metric), "{metric}");
}

#[test]
fn bad_settings_end_it_before_it_listens() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = program(directory.path(), &[]).env("API_PORT", "x").env("API_QUEUE", "y").output().expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(told.contains("API_PORT") && told.contains("API_QUEUE"), "{told}");
}

fn reload(server: &Running, header: &str) -> String {
    server.ask(&format!("POST /admin/reload HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{header}\r\n"))
}

#[test]
fn without_a_token_nobody_reloads_over_http() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let mut server = Running::spawn(&mut program(directory.path(), &models));
    server.wait_for("POST /admin/reload is off: there is no token (API_ADMIN_TOKEN_FILE); SIGHUP reloads");
    server.wait_until_listening();
    // As a reverse proxy on this machine passes a stranger on, and as the operator asks himself.
    for header in ["x-forwarded-for: 198.51.100.7\r\n", ""] {
        let refused = reload(&server, header);
        assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("\"code\":\"forbidden\""), "{refused}");
        assert!(refused.contains("API_ADMIN_TOKEN_FILE") && refused.contains("API_RELOAD_WITHOUT_TOKEN"), "{refused}");
    }
    server.signal("-HUP");
    server.wait_for("models are reloaded");
    let checked = program(directory.path(), &models).arg("--check").output().expect("it runs");
    let told = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && told.contains("POST /admin/reload is off: there is no token"), "{told}");
}

#[test]
fn a_setting_opens_reloading_on_a_loopback_address() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let open = || {
        let mut command = program(directory.path(), &models);
        command.env("API_RELOAD_WITHOUT_TOKEN", "true");
        command
    };
    let server = Running::of(&mut open());
    assert!(reload(&server, "").starts_with("HTTP/1.1 200"));
    assert!(reload(&server, "origin: http://evil.test\r\n").starts_with("HTTP/1.1 403"));
    let checked = open().arg("--check").output().expect("it runs");
    let told = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && told.contains("POST /admin/reload is open to whoever reaches"), "{told}");
    for (name, value) in [("API_HOST", "0.0.0.0"), ("API_ADMIN_TOKEN_FILE", "token")] {
        let refused = open().env(name, value).output().expect("it runs");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && told.contains("api.reload_without_token"), "{told}");
    }
}

#[test]
fn administration_asks_for_the_token_where_there_is_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let file = directory.path().join("token");
    fs::write(&file, "a-token-of-24-characters\n").expect("written");
    let server = Running::of(program(directory.path(), &models).env("API_ADMIN_TOKEN_FILE", &file));
    assert!(reload(&server, "").starts_with("HTTP/1.1 401"));
    assert!(reload(&server, "authorization: Bearer a-token-of-24-character\r\n").starts_with("HTTP/1.1 401"));
    assert!(reload(&server, "authorization: Bearer a-token-of-24-characters\r\n").starts_with("HTTP/1.1 200"));
    fs::write(&file, "short").expect("written");
    let refused = program(directory.path(), &models).env("API_ADMIN_TOKEN_FILE", &file).output().expect("it runs");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("at least 16 characters"));
}

#[test]
fn traces_go_to_the_collector_that_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let collector = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", collector.local_addr().expect("bound"));
    let receiving = std::thread::spawn(move || {
        let (stream, _) = collector.accept().expect("it connects");
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).expect("text");
        (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").expect("it reads");
        line
    });
    let mut server = Running::of(program(directory.path(), &models).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
    assert!(server.get("/health").starts_with("HTTP/1.1 200"));
    server.signal("-TERM");
    assert!(server.child.wait().expect("it ends").success());
    assert_eq!(receiving.join().expect("received").trim(), "POST /v1/traces HTTP/1.1");
}

/// Starts the server from `folder` with this home and no word of the receipts' key: its public key, and whether it is said to
/// be new.
fn key_of(folder: &Path, home: &Path, models: &[(&str, PathBuf)]) -> (String, bool) {
    let mut command = program(folder, models);
    command.env_remove("MINER_SIGNING_KEY_FILE").env("HOME", home);
    let mut server = Running::spawn(&mut command);
    let key = server.wait_for("receipts are signed")["public_key"].as_str().expect("a key").to_owned();
    let mut line = String::new();
    server.log.as_mut().expect("it is read").read_line(&mut line).expect("text");
    (key, line.contains("A NEW RECEIPT KEY WAS MADE") && line.contains("\"WARN\""))
}

#[test]
fn the_receipts_key_is_the_users_from_whatever_folder_and_a_new_one_is_a_loud_line() {
    let [home, one, other] = std::array::from_fn(|_| tempfile::tempdir().expect("a directory"));
    let models = save_models(one.path(), "1.0.0");
    let (key, is_new) = key_of(one.path(), home.path(), &models);
    assert!(is_new);
    assert_eq!(key_of(other.path(), home.path(), &models), (key, false));
    assert!(home.path().join(".aml/receipt_signing.key").is_file() && !one.path().join("keys").exists());
}

#[test]
fn a_receipts_key_of_before_is_taken_over_from_the_working_folder() {
    let [home, folder, other] = std::array::from_fn(|_| tempfile::tempdir().expect("a directory"));
    let models = save_models(folder.path(), "1.0.0");
    let before =
        ReceiptKey::load_or_create(&folder.path().join("keys/receipt_signing.key")).expect("a key").public_key();
    assert_eq!(key_of(folder.path(), home.path(), &models), (before.to_string(), false));
    assert_eq!(key_of(other.path(), home.path(), &models), (before.to_string(), false));
}

#[test]
fn without_a_home_somebody_has_to_name_the_receipts_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = program(directory.path(), &save_models(directory.path(), "1.0.0"));
    let run = command.env_remove("MINER_SIGNING_KEY_FILE").output().expect("it runs");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(
        !run.status.success() && told.contains("HOME is not set") && told.contains("MINER_SIGNING_KEY_FILE"),
        "{told}"
    );
}
