//! `validate-submission` passes an honest API and finds every way of not being one.

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aml_miner::digest::Digest;
use aml_miner::models::ModelFiles;
use aml_miner::offline::{Answer, OfflineModels};
use aml_miner::receipt::{HEADER, InputForm, ReceiptKey, Statement};
use aml_miner::wire::{Explain, Table};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::batch_kit::Written;
use crate::batch_models::model_directory;

/// In which way the API is not honest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vice {
    None,
    Sick,
    OutOfRange,
    MissingRow,
    Moody,
    Unsigned,
    SignsAnotherAnswer,
    OtherScores,
    UnorderedRanks,
    Explains,
    AcceptsAnything,
}

struct Api {
    vice: Vice,
    answers: Vec<Answer>,
    versions: Value,
    count: AtomicU64,
}

/// An API on a port of its own, a batch and the model files behind both.
struct Stage {
    written: Written,
    models: TempDir,
    url: String,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn with(vice: Vice) -> Self {
        let (written, models) = (Written::small(), model_directory());
        let files = ModelFiles::in_directory(models.path()).expect("one model a kind");
        let offline = OfflineModels::load(&files).expect("good bundles");
        let answers = offline.answers(&written.must_load().batch, Explain::Top).expect("scored");
        let version =
            |name: &str| answers.iter().find(|a| a.table.spec().name == name).map(|a| a.model_version.clone());
        let versions = json!({
            "alert_scorer_version": version("scores"), "alert_ranker_version": version("rankings"),
            "cluster_scorer_version": version("cluster_scores"),
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let api = Arc::new(Api { vice, answers, versions, count: AtomicU64::new(0) });
        let app = Router::new().fallback(answer).with_state(api);
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { written, models, url, runtime }
    }

    fn validate(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aml-miner-batch"));
        for name in ["ALERT_SCORER_PATH", "ALERT_RANKER_PATH", "CLUSTER_SCORER_PATH"] {
            command.env_remove(name);
        }
        command.arg("validate-submission").args(["--api-url", &self.url]);
        command.arg("--batch").arg(self.written.path()).arg("--models").arg(self.models.path());
        command.args(more).output().expect("the command starts")
    }

    fn stop(self) {
        self.runtime.shutdown_background();
    }
}

async fn answer(State(api): State<Arc<Api>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 24).await.expect("a small body");
    let table = match path.as_str() {
        "/health" => {
            let status = if api.vice == Vice::Sick { "degraded" } else { "healthy" };
            return json!({ "status": status, "models_loaded": {}, "timestamp": 0 }).to_string().into_response();
        }
        "/version" => return api.versions.to_string().into_response(),
        "/score/alerts" => "scores",
        "/rank/alerts" => "rankings",
        _ => "cluster_scores",
    };
    let good = serde_json::from_slice::<Value>(&body).is_ok_and(|body| body["alerts"].is_array());
    if !good && api.vice != Vice::AcceptsAnything {
        return (StatusCode::UNPROCESSABLE_ENTITY, json!({ "detail": "no" }).to_string()).into_response();
    }
    let answer = api.answers.iter().find(|answer| answer.table.spec().name == table).expect("all three");
    let mut rows = rows_of(&answer.table);
    api.spoil(&mut rows, table);
    let text = Value::Array(rows).to_string();
    let mut response = text.clone().into_response();
    if api.vice != Vice::Unsigned {
        let signed = if api.vice == Vice::SignsAnotherAnswer { Bytes::from("[]") } else { Bytes::from(text) };
        let statement = Statement {
            input: Digest::of(&body),
            form: InputForm::Json,
            output: Digest::of(&signed),
            model_version: answer.model_version.clone(),
            model: answer.model,
            schema: answer.schema,
            state: answer.state,
            timestamp: 1,
        };
        let header = ReceiptKey::from_secret(&[3; 32]).sign(&statement).to_header();
        response.headers_mut().insert(HEADER, header.parse().expect("a header"));
    }
    response
}

impl Api {
    fn spoil(&self, rows: &mut Vec<Value>, table: &str) {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        match (self.vice, table) {
            (Vice::OutOfRange, "scores") => rows[1]["score"] = json!(1.5),
            (Vice::MissingRow, "scores") => drop(rows.pop()),
            (Vice::Moody, "cluster_scores") => rows[0]["explain_json"] = json!(format!("{{\"mood\":{count}}}")),
            (Vice::OtherScores, "scores") => {
                rows[2]["score"] = json!(0.5);
                rows[2]["explain_json"] = json!("{}");
            }
            (Vice::UnorderedRanks, "rankings") => rows.swap(0, 1),
            (Vice::Explains, "scores") => rows[0]["explain_json"] = json!("{\"score\":0.123}"),
            _ => {}
        }
    }
}

fn rows_of(table: &Table) -> Vec<Value> {
    let key = table.spec().key.expect("answers have a key");
    let text = |name: &str, row: usize| table.texts(name).map(|texts| texts.get(row).to_owned());
    let one = |row: usize| {
        let score = table.numbers("score").expect("scores")[row];
        let id = text(key, row);
        match table.numbers("rank") {
            Some(_) => json!({ key: id, "rank": row + 1, "score": score }),
            None => json!({
                key: id, "score": score, "model_version": text("model_version", row), "latency_ms": 0.1,
                "explain_json": text("explain_json", row),
            }),
        }
    };
    (0..table.rows()).map(one).collect()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn an_honest_api_passes() {
    let stage = Stage::with(Vice::None);
    let public = ReceiptKey::from_secret(&[3; 32]).public_key().to_string();
    let output = stage.validate(&["--public-key", &public]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("the same bits as the model files here") && told.contains("all checks passed"), "{told}");
    assert!(!told.contains("FAIL"), "{told}");
    stage.stop();
}

#[test]
fn every_vice_is_found() {
    for (vice, expected) in [
        (Vice::Sick, "not healthy"),
        (Vice::OutOfRange, "the score 1.5 is not between 0 and 1"),
        (Vice::MissingRow, "2 rows for 3 ids"),
        (Vice::Moody, "row 0 differs between two answers to the same request"),
        (Vice::Unsigned, "the answer carries no receipt"),
        (Vice::SignsAnotherAnswer, "the answer has digest"),
        (Vice::OtherScores, "row 2 is not what the model files here give"),
        (Vice::UnorderedRanks, "ranks run from 1 in order"),
        (Vice::Explains, "explain_json says score"),
        (Vice::AcceptsAnything, "answered with status 200"),
    ] {
        let stage = Stage::with(vice);
        let output = stage.validate(&["--threads", "1"]);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(1), "{expected}: {told}");
        assert!(told.lines().any(|line| line.starts_with("FAIL") && line.contains(expected)), "{expected}: {told}");
        stage.stop();
    }
}

#[test]
fn another_signer_is_found() {
    let stage = Stage::with(Vice::None);
    let output = stage.validate(&["--threads", "1", "--public-key", &"ab".repeat(32)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("not by the expected key"), "{}", told(&output));
    stage.stop();
}

#[test]
fn an_api_that_is_not_there_fails_without_hanging() {
    let stage = Stage::with(Vice::None);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let output = Command::new(env!("CARGO_BIN_EXE_aml-miner-batch"))
        .args(["validate-submission", "--api-url", &closed, "--no-models", "--batch"])
        .arg(stage.written.path())
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    stage.stop();
}
