//! The program itself: settings, model files on a disk, and signals.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use aml_miner::digest::Digest;
use aml_miner::features::Schema;
use aml_miner::models::Calibration;
use aml_miner::models::bundle::{Draft, ModelKind, Training, save};
use serde_json::{Value, json};

const TREE: &str = "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=10\nleft_child=-1\n\
right_child=-2\nleaf_value=-1 2\nleaf_count=3 1\ninternal_count=4\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";

/// Saves all three models under `directory` and names their files in environment variables.
pub(crate) fn save_models(directory: &Path, version: &str) -> Vec<(&'static str, PathBuf)> {
    let one = |kind: ModelKind, feature: &str, objective: &str| {
        let text = format!(
            "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n\
             objective={objective}\nfeature_names={feature}\nfeature_infos=none\n\n{TREE}"
        );
        let training = Training {
            data_sha256: Digest::of(b"data"),
            first_date: "2025-01-01".into(),
            last_date: "2025-03-31".into(),
            rows: 4,
            parameters: BTreeMap::new(),
            seeds: BTreeMap::new(),
            lightgbm_version: "4.7.0".into(),
        };
        let draft = Draft {
            model: kind,
            version: version.into(),
            schema: Schema::new(kind.rows(), [feature]),
            calibration: Calibration::None,
            batch_relative: false,
            training,
            metrics: BTreeMap::new(),
            created_at: "2025-04-01T00:00:00Z".into(),
        };
        save(directory, &text, draft).expect("saved").0
    };
    vec![
        ("ALERT_SCORER_PATH", one(ModelKind::AlertScorer, "alert_confidence_score", "binary sigmoid:1")),
        ("ALERT_RANKER_PATH", one(ModelKind::AlertRanker, "alert_confidence_score", "lambdarank")),
        ("CLUSTER_SCORER_PATH", one(ModelKind::ClusterScorer, "total_alerts", "binary sigmoid:1")),
    ]
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
fn bad_settings_end_it_before_it_listens() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = program(directory.path(), &[]).env("API_PORT", "x").env("API_QUEUE", "y").output().expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(told.contains("API_PORT") && told.contains("API_QUEUE"), "{told}");
}

#[test]
fn administration_asks_for_the_token_where_there_is_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let file = directory.path().join("token");
    fs::write(&file, "a-token-of-24-characters\n").expect("written");
    let server = Running::of(program(directory.path(), &models).env("API_ADMIN_TOKEN_FILE", &file));
    let reload = |token: &str| {
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        server.ask(&format!("POST /admin/reload HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{authorization}\r\n"))
    };
    assert!(reload("").starts_with("HTTP/1.1 401"));
    assert!(reload("a-token-of-24-character").starts_with("HTTP/1.1 401"));
    assert!(reload("a-token-of-24-characters").starts_with("HTTP/1.1 200"));
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
