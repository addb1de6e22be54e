//! Whatever a source does, a batch arrives whole and good or not at all.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::data::download::{DownloadError, DownloadSettings, Downloaded, Event, Source, download_batch};
use aml_miner::data::{BatchDay, BatchDir, write_batch};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};

use crate::batch_kit::{Written, files_of, options, small_batch};

/// What goes wrong with one request of a file.
#[derive(Clone, Copy)]
enum Fault {
    /// The connection ends after so many bytes.
    Cut(usize),
    /// The server is overloaded.
    Busy,
    /// The headers arrive, the body never does.
    Hang,
    /// A byte is another one.
    Flip,
    /// More bytes than the manifest says.
    Long,
    /// The whole file although a part was asked for.
    Whole,
    /// The server refuses.
    Forbid,
}

/// Path and range of every request.
type Requests = Vec<(String, Option<String>)>;

#[derive(Clone, Default)]
struct Script {
    files: Arc<HashMap<String, Vec<u8>>>,
    faults: Arc<Mutex<HashMap<String, VecDeque<Fault>>>>,
    seen: Arc<Mutex<Requests>>,
}

/// A server of one batch directory, `2025-10-26_w7`, with faults to come.
struct Server {
    script: Script,
    url: String,
}

impl Server {
    async fn of(batch: &Path, faults: &[(&str, &[Fault])]) -> Self {
        let files =
            files_of(batch).into_iter().map(|(name, bytes)| (format!("/2025-10-26_w7/{name}"), bytes)).collect();
        let script = Script { files: Arc::new(files), ..Script::default() };
        for (name, list) in faults {
            let list = list.iter().copied().collect();
            script.faults.lock().expect("unpoisoned").insert(format!("/2025-10-26_w7/{name}"), list);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let app = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { script, url }
    }

    fn ranges_of(&self, name: &str) -> Vec<Option<String>> {
        let seen = self.script.seen.lock().expect("unpoisoned");
        seen.iter().filter(|(path, _)| path.ends_with(name)).map(|(_, range)| range.clone()).collect()
    }
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let range = request.headers().get(header::RANGE).map(|range| range.to_str().expect("text").to_owned());
    script.seen.lock().expect("unpoisoned").push((path.clone(), range.clone()));
    let fault = script.faults.lock().expect("unpoisoned").get_mut(&path).and_then(VecDeque::pop_front);
    let Some(file) = script.files.get(&path) else { return status(StatusCode::NOT_FOUND) };
    let start = range.and_then(|range| range.strip_prefix("bytes=")?.split('-').next()?.parse::<usize>().ok());
    let mut bytes = file[start.unwrap_or(0)..].to_vec();
    match fault {
        Some(Fault::Busy) => return status(StatusCode::SERVICE_UNAVAILABLE),
        Some(Fault::Forbid) => return status(StatusCode::FORBIDDEN),
        Some(Fault::Flip) => bytes[0] ^= 1,
        Some(Fault::Long) => bytes.extend_from_slice(&[0; 64]),
        _ => {}
    }
    let mut response = Response::builder().header(header::CONTENT_LENGTH, bytes.len());
    if let (Some(start), false) = (start, matches!(fault, Some(Fault::Whole))) {
        let content = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
        response = response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, content);
    } else {
        bytes = [&file[..start.unwrap_or(0)], &bytes].concat();
        response = Response::builder().header(header::CONTENT_LENGTH, bytes.len());
    }
    let body = match fault {
        Some(Fault::Cut(length)) => {
            let first = Bytes::copy_from_slice(&bytes[..length]);
            // Pending once in between, so that the server sends what it has before the line breaks.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the line broke"))
            });
            Body::from_stream(stream::iter([Ok(first)]).chain(broken))
        }
        Some(Fault::Hang) => Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()),
        _ => Body::from(bytes),
    };
    response.body(body).expect("a response")
}

fn status(code: StatusCode) -> Response {
    Response::builder().status(code).body(Body::empty()).expect("a response")
}

fn settings() -> DownloadSettings {
    DownloadSettings {
        retries: 2,
        first_pause: Duration::ZERO,
        stall: Duration::from_secs(20),
        ..DownloadSettings::default()
    }
}

async fn fetch(url: &str, output: &Path, settings: &DownloadSettings) -> Result<Downloaded, DownloadError> {
    let source = Source::parse(url).expect("a base URL");
    let day = "2025-10-26".parse().expect("a day");
    download_batch(&source, BatchDay { date: day, window_days: Some(7) }, output, settings, &|_: Event<'_>| {}).await
}

/// Every name in `output` that is not hidden.
fn shown(output: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(output).expect("listable").map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.starts_with('.')).collect()
}

fn must_be_good(output: &Path, written: &Written) {
    assert_eq!(shown(output), ["2025-10-26_w7"]);
    let target = output.join("2025-10-26_w7");
    BatchDir::open(&target).and_then(|directory| directory.load()).expect("a good batch");
    assert_eq!(files_of(&target), files_of(&written.path()), "nothing but the batch is in its directory");
}

#[tokio::test]
async fn a_batch_is_fetched_and_fetching_again_changes_nothing() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[]).await;
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Ok(Downloaded::Fetched(_))));
    must_be_good(output.path(), &written);
    let requests = server.script.seen.lock().expect("unpoisoned").len();
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Ok(Downloaded::Present(_))));
    let again = server.script.seen.lock().expect("unpoisoned").len() - requests;
    assert_eq!(again, 1, "only the manifest is asked for");
}

#[tokio::test]
async fn a_directory_is_a_source_too() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    std::fs::rename(written.path(), written.root.path().join("2025-10-26_w7")).expect("renamed");
    let url = written.root.path().to_str().expect("text");
    assert!(matches!(fetch(url, output.path(), &settings()).await, Ok(Downloaded::Fetched(_))));
    assert_eq!(shown(output.path()), ["2025-10-26_w7"]);
}

#[tokio::test]
async fn a_broken_line_is_continued_where_it_broke() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[("features.parquet", &[Fault::Cut(600), Fault::Cut(400)])]).await;
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Ok(Downloaded::Fetched(_))));
    must_be_good(output.path(), &written);
    let last = files_of(&written.path())["features.parquet"].len() - 1;
    let expected = [None, Some(format!("bytes=600-{last}")), Some(format!("bytes=1000-{last}"))];
    assert_eq!(server.ranges_of("features.parquet"), expected);
}

#[tokio::test]
async fn an_interrupted_download_is_continued_by_the_next() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[("features.parquet", &[Fault::Cut(1000)])]).await;
    let once = DownloadSettings { retries: 0, ..settings() };
    let message = fetch(&server.url, output.path(), &once).await.expect_err("the line broke").to_string();
    assert!(message.starts_with("cannot fetch features.parquet"), "{message}");
    assert_eq!(shown(output.path()), Vec::<String>::new(), "no half-written batch is in place");
    assert!(matches!(fetch(&server.url, output.path(), &once).await, Ok(Downloaded::Fetched(_))));
    must_be_good(output.path(), &written);
    assert_eq!(server.ranges_of("alerts.parquet").len(), 1, "a complete file is not fetched again");
    assert!(server.ranges_of("features.parquet")[1].as_deref().is_some_and(|range| range.starts_with("bytes=1000-")));
}

#[tokio::test]
async fn a_source_that_cannot_continue_is_read_from_the_start() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let faults = [("features.parquet", &[Fault::Cut(1000), Fault::Whole][..])];
    let server = Server::of(&written.path(), &faults).await;
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Ok(Downloaded::Fetched(_))));
    must_be_good(output.path(), &written);
}

#[tokio::test]
async fn a_busy_source_is_tried_again_but_not_for_ever() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[("META.json", &[Fault::Busy, Fault::Busy])]).await;
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Ok(Downloaded::Fetched(_))));
    let output = tempfile::tempdir().expect("a directory");
    let server = Server::of(&written.path(), &[("META.json", &[Fault::Busy; 3])]).await;
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Err(DownloadError::Fetch { .. })));
    assert_eq!(server.ranges_of("META.json").len(), 3);
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[("alerts.parquet", &[Fault::Forbid; 9])]).await;
    let message = fetch(&server.url, output.path(), &settings()).await.expect_err("refused").to_string();
    assert!(message.starts_with("cannot fetch alerts.parquet"), "{message}");
    assert_eq!(shown(output.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_lying_source_is_found_out() {
    for fault in [Fault::Flip, Fault::Long] {
        let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
        let server = Server::of(&written.path(), &[("alerts.parquet", &[fault])]).await;
        assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Ok(Downloaded::Fetched(_))), "once");
        must_be_good(output.path(), &written);
        let output = tempfile::tempdir().expect("a directory");
        let server = Server::of(&written.path(), &[("alerts.parquet", &[fault; 3])]).await;
        let message = fetch(&server.url, output.path(), &settings()).await.expect_err("always").to_string();
        let reasons = ["META.json says", "more than"];
        assert!(reasons.iter().any(|reason| message.contains(reason)), "{message}");
        assert_eq!(shown(output.path()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_hanging_source_is_given_up() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[("features.parquet", &[Fault::Hang; 9])]).await;
    let quick = DownloadSettings { stall: Duration::from_millis(200), retries: 1, ..settings() };
    let message = fetch(&server.url, output.path(), &quick).await.expect_err("it hangs").to_string();
    assert_eq!(message, "cannot fetch features.parquet: nothing arrived for 200ms");
    assert_eq!(shown(output.path()), Vec::<String>::new());
}

#[tokio::test]
async fn one_file_has_a_deadline_whatever_arrives() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[("META.json", &[Fault::Hang; 9])]).await;
    let quick = DownloadSettings { deadline: Duration::from_millis(200), ..settings() };
    let message = fetch(&server.url, output.path(), &quick).await.expect_err("it hangs").to_string();
    assert_eq!(message, "cannot fetch META.json: not complete after 200ms");
}

#[tokio::test]
async fn a_day_without_a_batch_is_told_apart() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[]).await;
    let source = Source::parse(&server.url).expect("a base URL");
    let day = "2025-10-25".parse().expect("a day");
    let outcome = download_batch(
        &source,
        BatchDay { date: day, window_days: Some(7) },
        output.path(),
        &settings(),
        &|_: Event<'_>| {},
    )
    .await;
    assert_eq!(outcome.expect("an answer"), Downloaded::Absent);
    assert_eq!(shown(output.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_that_breaks_a_rule_is_not_put_in_place() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    written.edit_manifest(|manifest| manifest.files.get_mut("alerts.parquet").expect("named").rows = 9);
    let server = Server::of(&written.path(), &[]).await;
    let message = fetch(&server.url, output.path(), &settings()).await.expect_err("wrong rows").to_string();
    assert!(message.contains("alerts.parquet has 3 rows, META.json says 9"), "{message}");
    assert_eq!(shown(output.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_of_another_day_network_or_publisher_is_refused() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let server = Server::of(&written.path(), &[]).await;
    let other = DownloadSettings { network: Some("mainnet".into()), ..settings() };
    let message = fetch(&server.url, output.path(), &other).await.expect_err("another network").to_string();
    assert_eq!(message, "META.json says network testnet, wanted is mainnet");
    let other = DownloadSettings { publisher: Some("ab".repeat(32)), ..settings() };
    let message = fetch(&server.url, output.path(), &other).await.expect_err("nobody signed").to_string();
    assert!(message.contains("the publisher is nobody"), "{message}");
    written.edit_manifest(|manifest| manifest.processing_date = "2025-10-20".parse().expect("a day"));
    let server = Server::of(&written.path(), &[]).await;
    let message = fetch(&server.url, output.path(), &settings()).await.expect_err("another day").to_string();
    assert_eq!(message, "META.json says processing_date 2025-10-20, wanted is 2025-10-26");
}

#[tokio::test]
async fn a_republished_batch_replaces_only_when_asked() {
    let (written, output) = (Written::small(), tempfile::tempdir().expect("a directory"));
    let target = output.path().join("2025-10-26_w7");
    write_batch(&target, &small_batch(), None, &options()).expect("yesterday's, without labels");
    let before = files_of(&target);
    let server = Server::of(&written.path(), &[]).await;
    assert!(matches!(fetch(&server.url, output.path(), &settings()).await, Err(DownloadError::Exists(_))));
    assert_eq!(files_of(&target), before);
    let replace = DownloadSettings { replace: true, ..settings() };
    assert!(matches!(fetch(&server.url, output.path(), &replace).await, Ok(Downloaded::Fetched(_))));
    must_be_good(output.path(), &written);
}
