//! Where batches come from: listed, probed, cached, and never taken for what they are not.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aml_miner::clock::FixedClock;
use aml_miner::data::{WriteOptions, write_batch};
use aml_miner::synth::{Day, SynthConfig, generate};
use aml_miner::wire::{Column, Table};
use aml_subnet::store::records::RoundId;
use aml_subnet::store::{Ledger, Opening};
use aml_subnet::validator::sot::{Found, Gathering, OpenSotError, Sot, SotError, SotSettings};
use aml_subnet::validator::world::{MachineTime, Threads};
use axum::extract::Path as UrlPath;
use axum::http::StatusCode;
use axum::routing::get;
use chrono::{Days, NaiveDate};
use tempfile::TempDir;

const WINDOW: u16 = 7;

fn days() -> &'static [Day] {
    static DAYS: OnceLock<Vec<Day>> = OnceLock::new();
    DAYS.get_or_init(|| {
        let config = SynthConfig { alerts: 120, addresses: 600, days: 2, ..SynthConfig::default() };
        generate(&config).expect("a world").collect()
    })
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// The first day of the world, seen from `after` days later.
fn later(after: u64) -> Duration {
    let date = days()[0].date.checked_add_days(Days::new(after)).expect("a day");
    let seconds = date.and_hms_opt(0, 0, 0).expect("a time").and_utc().timestamp();
    Duration::from_secs(seconds.unsigned_abs())
}

/// A source directory and a validator that reads from it.
struct Kit {
    root: TempDir,
}

impl Kit {
    fn new() -> Self {
        let kit = Self { root: TempDir::new().expect("a directory") };
        fs::create_dir(kit.source()).expect("a directory");
        kit
    }

    fn source(&self) -> PathBuf {
        self.root.path().join("source")
    }

    fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    fn put(&self, day: &Day, labels: Option<&Table>) -> PathBuf {
        self.put_as(day, labels, WINDOW)
    }

    fn put_as(&self, day: &Day, labels: Option<&Table>, window_days: u16) -> PathBuf {
        let target = self.source().join(format!("{}_w{window_days}", day.date));
        let options = WriteOptions {
            processing_date: day.date,
            window_days,
            network: "testnet",
            created_at: "2025-09-02T00:00:00Z",
            publisher: None,
            replace: true,
        };
        write_batch(&target, &day.batch, labels, &options).expect("written");
        target
    }

    fn sot(&self) -> Sot {
        self.sot_at(&self.source().to_string_lossy(), |_| ())
    }

    fn sot_at(&self, source: &str, change: impl FnOnce(&mut SotSettings)) -> Sot {
        let mut settings = SotSettings::new(source, self.data());
        settings.download.retries = 0;
        change(&mut settings);
        Sot::open(settings).expect("a source")
    }
}

fn found(day: &Day) -> Found {
    Found { date: day.date, window_days: WINDOW }
}

#[tokio::test]
async fn the_newest_batch_is_found_fetched_and_kept() {
    let kit = Kit::new();
    let (first, second) = (&days()[0], &days()[1]);
    assert_eq!(kit.sot().newest(later(9)).await.expect("listed"), None);
    kit.put(first, None);
    kit.put(second, None);
    let sot = kit.sot();
    assert_eq!(sot.newest(later(9)).await.expect("listed"), Some(found(second)));
    let before_both = later(0).saturating_sub(Duration::from_secs(48 * 3600));
    let early = sot.newest(before_both).await.expect_err("days to come are not there yet");
    assert!(matches!(early, SotError::Ahead { next, .. } if next == first.date), "{early}");
    let fetched = sot.fetch(second.date, WINDOW).await.expect("fetched");
    assert_eq!(fetched.dir.load().expect("good").batch.alerts.rows(), 120);
    fs::remove_dir_all(kit.source().join(format!("{}_w7", second.date))).expect("removed");
    let kept = sot.fetch(second.date, WINDOW).await.expect("kept");
    assert_eq!(kept.digest, fetched.digest, "a round keeps its batch whatever the source does");
    let absent = sot.fetch(day("2024-01-01"), WINDOW).await.expect_err("absent");
    assert!(matches!(absent, SotError::Absent { .. }), "{absent}");
}

#[tokio::test]
async fn a_single_batch_is_a_source() {
    let kit = Kit::new();
    let target = kit.put(&days()[0], None);
    let sot = kit.sot_at(&target.to_string_lossy(), |_| ());
    assert_eq!(sot.newest(later(1)).await.expect("listed"), Some(found(&days()[0])));
    sot.fetch(days()[0].date, WINDOW).await.expect("fetched");
}

#[tokio::test]
async fn what_is_no_source_is_told_at_once() {
    let kit = Kit::new();
    let missing = kit.root.path().join("missing");
    let open = |source: &str| Sot::open(SotSettings::new(source, kit.data())).expect_err("no source");
    assert!(matches!(open(&missing.to_string_lossy()), OpenSotError::Directory { .. }));
    assert!(matches!(open("gopher://host/batches"), OpenSotError::Source(_)));
}

#[tokio::test]
async fn a_damaged_batch_is_refused_with_its_file() {
    let kit = Kit::new();
    let target = kit.put(&days()[0], None);
    let sot = kit.sot();
    fs::write(target.join("alerts.parquet"), b"PAR1").expect("written");
    let refused = sot.fetch(days()[0].date, WINDOW).await.expect_err("damaged").to_string();
    assert!(refused.contains("alerts.parquet"), "{refused}");
    kit.put(&days()[0], None);
    sot.fetch(days()[0].date, WINDOW).await.expect("fetched");
    let cached = kit.data().join("batches").join(format!("{}_w7", days()[0].date)).join("alerts.parquet");
    fs::write(&cached, b"PAR1").expect("written");
    let healed = sot.fetch(days()[0].date, WINDOW).await.expect("the source still has the bytes");
    healed.dir.verify_files().expect("whole again");
    fs::write(&cached, b"PAR1").expect("written");
    kit.put(&days()[1], None);
    fs::remove_dir_all(kit.source().join(format!("{}_w7", days()[0].date))).expect("removed");
    let damaged = sot.fetch(days()[0].date, WINDOW).await.expect_err("damaged, and the source has it no more");
    assert!(matches!(damaged, SotError::Damaged { .. }), "{damaged}");
}

#[tokio::test]
async fn outcomes_appear_and_grow_and_are_not_forgotten() {
    let (kit, first) = (Kit::new(), &days()[0]);
    kit.put(first, None);
    let sot = kit.sot();
    let fetched = sot.fetch(first.date, WINDOW).await.expect("fetched");
    let labels = |after| sot.labels(first.date, WINDOW, later(after));
    assert!(labels(30).await.expect("read").is_none());
    let some: Vec<usize> = (0..60).collect();
    kit.put(first, Some(&first.labels.take(&some)));
    assert!(labels(3).await.expect("read").is_none(), "nothing is known before a week");
    assert_eq!(labels(30).await.expect("read").expect("known").rows(), 60);
    kit.put(first, Some(&first.labels));
    assert_eq!(labels(30).await.expect("read").expect("known").rows(), 120);
    let by_mid = labels(14).await.expect("read").expect("known").rows();
    assert!((1..120).contains(&by_mid), "{by_mid}");
    fs::remove_dir_all(kit.source()).expect("removed");
    assert_eq!(labels(30).await.expect("kept").expect("known").rows(), 120);
    assert_eq!(sot.fetch(first.date, WINDOW).await.expect("cached").digest, fetched.digest);
}

#[tokio::test]
async fn outcomes_known_on_the_day_itself_do_not_count() {
    let (kit, first) = (Kit::new(), &days()[0]);
    let mut early = first.labels.clone();
    let index = early.spec().position("confirmed_at").expect("a column");
    let noon = later(0).as_millis() as f64 + 43_200_000.0;
    early.set_column(index, Some(Column::Numbers(vec![noon; early.rows()])));
    kit.put(first, Some(&early));
    assert!(kit.sot().labels(first.date, WINDOW, later(30)).await.expect("read").is_none());
}

#[tokio::test]
async fn outcomes_of_other_alerts_are_refused() {
    let (kit, first) = (Kit::new(), &days()[0]);
    kit.put(first, None);
    let sot = kit.sot();
    sot.fetch(first.date, WINDOW).await.expect("fetched");
    let mut other = first.clone();
    other.batch.alerts = other.batch.alerts.take(&(0..100).collect::<Vec<_>>());
    kit.put(&other, Some(&first.labels));
    let refused = sot.labels(first.date, WINDOW, later(30)).await.expect_err("other alerts");
    assert!(matches!(refused, SotError::OtherAlerts { .. }), "{refused}");
}

#[tokio::test]
async fn hostile_outcomes_are_refused_with_row_and_column() {
    let (kit, first) = (Kit::new(), &days()[0]);
    kit.put(first, None);
    let sot = kit.sot();
    sot.fetch(first.date, WINDOW).await.expect("fetched");
    let target = kit.put(first, Some(&first.labels));
    fs::write(target.join("labels.parquet"), b"PAR1 and more").expect("written");
    let refused = sot.labels(first.date, WINDOW, later(30)).await.expect_err("damaged").to_string();
    assert!(refused.contains("labels.parquet"), "{refused}");
}

#[tokio::test]
async fn the_cache_keeps_days_and_bytes_within_bounds() {
    let kit = Kit::new();
    days().iter().for_each(|day| drop(kit.put(day, None)));
    let cached = || {
        let entries = fs::read_dir(kit.data().join("batches")).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    };
    let source = kit.source().to_string_lossy().into_owned();
    let sot = kit.sot_at(&source, |settings| settings.keep_bytes = 1);
    for day in days() {
        sot.fetch(day.date, WINDOW).await.expect("fetched");
    }
    assert_eq!(cached(), [format!("{}_w7", days()[1].date)], "the newest stays, however large");
    let sot = kit.sot_at(&source, |settings| settings.keep_days = 0);
    sot.fetch(days()[0].date, WINDOW).await.expect_err("older than what is kept: dropped at once");
    assert_eq!(cached().len(), 1);
}

#[tokio::test]
async fn what_interrupted_fetches_left_goes_with_its_days() {
    let kit = Kit::new();
    days().iter().for_each(|day| drop(kit.put(day, None)));
    let source = kit.source().to_string_lossy().into_owned();
    let sot = kit.sot_at(&source, |settings| settings.keep_days = 0);
    let incoming = kit.data().join("batches/.incoming");
    let [old, new] = [0, 1].map(|day: usize| format!("{}_w{WINDOW}", days()[day].date));
    // Killed while it fetched the first day, and after it had: the second day was the newest when it came back.
    for left in [format!(".download-{old}"), old.clone(), format!(".download-{new}-other")] {
        fs::create_dir_all(incoming.join(&left)).expect("a directory");
        fs::write(incoming.join(left).join("alerts.parquet"), b"PAR1").expect("written");
    }
    fs::write(incoming.join(format!(".download-{old}.lock")), b"").expect("written");
    sot.fetch(days()[1].date, WINDOW).await.expect("fetched");
    let left = fs::read_dir(&incoming).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut left: Vec<String> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    left.sort();
    assert_eq!(left, [format!(".download-{new}-other"), format!(".download-{new}.lock")]);
}

#[tokio::test]
async fn the_pool_of_a_round_stays_as_it_was_gathered() {
    let kit = Kit::new();
    let (first, salt) = (&days()[0], [7; 32]);
    let round = RoundId { netuid: 1, date: first.date.checked_add_days(Days::new(25)).expect("a day"), window_days: 7 };
    let sot = kit.sot();
    let opening = Opening { holder: "the test".to_owned(), read_only: false };
    let ledger = Ledger::open("sqlite::memory:", &opening).await.expect("a ledger");
    let time = MachineTime::new(Arc::new(FixedClock(later(25))));
    let gathering = |days| Gathering { source: &sot, ledger: &ledger, workers: &Threads, now: later(days) };
    assert!(gathering(25).pool(round, &salt).await.expect("nothing yet").is_empty());
    let next = RoundId { netuid: 2, ..round };
    kit.put(first, Some(&first.labels.take(&(0..60).collect::<Vec<_>>())));
    gathering(25).refresh(next, &time).await.expect("the source answers");
    let pool = gathering(25).pool(next, &salt).await.expect("gathered");
    assert!(!pool.is_empty());
    kit.put(first, Some(&first.labels));
    gathering(30).refresh(next, &time).await.expect("the source answers");
    let again = gathering(30).pool(next, &salt).await.expect("read");
    assert_eq!((again.len(), again.digest()), (pool.len(), pool.digest()), "whatever became known since");
    assert!(gathering(30).pool(round, &salt).await.expect("read").is_empty());
    let young = RoundId { netuid: 3, date: days()[1].date, window_days: 7 };
    assert!(gathering(1).pool(young, &salt).await.expect("none").is_empty(), "nothing of the last days is settled");
}

/// Serves the files under `root`.
async fn serve(root: PathBuf) -> String {
    let files = Arc::new(root);
    let handler = move |UrlPath(path): UrlPath<String>| {
        let file = files.join(path);
        async move { fs::read(file).map_err(|_| StatusCode::NOT_FOUND) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/{*path}", get(handler))).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_base_url_is_asked_day_by_day() {
    let (kit, first) = (Kit::new(), &days()[0]);
    kit.put(first, None);
    let url = serve(kit.source()).await;
    let sot = kit.sot_at(&url, |settings| settings.look_back_days = 5);
    assert_eq!(sot.newest(later(4)).await.expect("asked"), Some(found(first)));
    assert_eq!(sot.newest(later(9)).await.expect("asked"), None, "no further back than told");
    sot.fetch(first.date, WINDOW).await.expect("fetched");
    kit.put(first, Some(&first.labels));
    assert_eq!(sot.labels(first.date, WINDOW, later(30)).await.expect("read").expect("known").rows(), 120);
    let nobody = kit.sot_at("http://127.0.0.1:1", |_| ());
    let error = nobody.newest(later(4)).await.expect_err("nobody listens").to_string();
    assert!(error.contains("META.json"), "{error}");
    assert_eq!(nobody.labels(first.date, WINDOW, later(30)).await.expect("kept").expect("known").rows(), 120);
}

#[tokio::test]
async fn a_window_that_is_not_usual_is_listed_but_asked_for_only_by_its_name() {
    let kit = Kit::new();
    let config = SynthConfig { alerts: 30, addresses: 120, days: 1, window_days: 14, ..SynthConfig::default() };
    let day = generate(&config).expect("a world").next().expect("a day");
    kit.put_as(&day, None, 14);
    let there = Some(Found { date: day.date, window_days: 14 });
    let now = later(4);
    assert_eq!(kit.sot().newest(now).await.expect("listed"), there);
    let url = serve(kit.source()).await;
    assert_eq!(kit.sot_at(&url, |_| ()).newest(now).await.expect("asked"), None);
    let named = kit.sot_at(&url, |settings| settings.window_days = Some(14));
    assert_eq!(named.newest(now).await.expect("asked"), there);
    named.fetch(day.date, 14).await.expect("fetched");
}

#[tokio::test]
async fn a_publisher_that_is_required_is_checked() {
    let (kit, first) = (Kit::new(), &days()[0]);
    kit.put(first, None);
    let source = kit.source().to_string_lossy().into_owned();
    let sot = kit.sot_at(&source, |settings| settings.download.publisher = Some("ab".repeat(32)));
    let refused = sot.fetch(first.date, WINDOW).await.expect_err("unsigned").to_string();
    assert!(refused.contains("publisher"), "{refused}");
}
