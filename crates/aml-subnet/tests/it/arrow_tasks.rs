//! A task in two forms: JSON for whoever is not known, Arrow for whoever said that it takes it, JSON again after a 415. A real
//! proxy between a validator's rounds and an API that reads both.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_miner::receipt::{HEADER, InputForm, ReceiptKey, Statement};
use aml_miner::wire::spec::ALERTS;
use aml_miner::wire::{InOrder, Reading, ScoreRow, Table, read_body};
use aml_subnet::beacon::{Beacon, OpeningRule};
use aml_subnet::protocol::Nonce;
use aml_subnet::protocol::answer::Asked;
use aml_subnet::protocol::second_answer::{Came, Subject, verify_answer};
use aml_subnet::protocol::terms::Terms;
use aml_subnet::store::Retention;
use aml_subnet::store::records::{Answer, BodyForm, EncodedTask, Round, RoundId, Step, Verdict};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::rules_list::RulesList;
use aml_subnet::validator::replay::replay;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::common::dev_key;
use crate::fake_miner::{Behaviour, first_part};
use crate::miner::{SCORE, TestMiner, announced, must_fail_with};
use crate::validator_world::{ALERTS as ALERTS_A_DAY, World};

const PATIENCE: Duration = Duration::from_secs(300);
const ARROW: &str = "application/vnd.apache.arrow.stream";

/// An API that reads batches as `aml-miner-serve` does.
#[derive(Default)]
struct Api {
    /// Answers 415 to whatever is not JSON.
    refuses: AtomicBool,
    /// Signs its receipt for what it was sent, not for what it read.
    lies: AtomicBool,
    /// Answers nothing, but says that it was asked.
    hangs: AtomicBool,
    asked: Notify,
    /// What came: its type, and its digest as it came.
    came: Mutex<Vec<(String, Digest)>>,
    requests: AtomicUsize,
}

impl Api {
    async fn spawn() -> (Arc<Self>, String) {
        let api = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(scored).with_state(Arc::clone(&api));
        let app = app.layer(axum::extract::DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (api, format!("http://{address}"))
    }

    /// What came since the last time that was asked.
    fn came(&self) -> Vec<(String, Digest)> {
        std::mem::take(&mut *self.came.lock().expect("no panic"))
    }
}

async fn scored(State(api): State<Arc<Api>>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let media = text(CONTENT_TYPE).split(';').next().unwrap_or_default().to_owned();
    api.came.lock().expect("no panic").push((media.clone(), Digest::of(&body)));
    api.requests.fetch_add(1, Ordering::SeqCst);
    if api.hangs.load(Ordering::SeqCst) {
        api.asked.notify_one();
        std::future::pending::<()>().await;
    }
    if api.refuses.load(Ordering::SeqCst) && media != "application/json" {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, r#"{"detail":"JSON alone","code":"unsupported_media_type"}"#)
            .into_response();
    }
    let read = match text(CONTENT_ENCODING) {
        "zstd" => zstd::decode_all(&body[..]).expect("a frame"),
        _ => body.to_vec(),
    };
    let alerts = match media.as_str() {
        "multipart/form-data" => {
            let boundary = text(CONTENT_TYPE).split_once("boundary=").expect("a boundary").1;
            first_part(&read, boundary)
        }
        _ => read_body(&read, &Reading::default(), &InOrder).expect("a batch").alerts,
    };
    let rows = serde_json::to_vec(&rows(&alerts)).expect("rows");
    let input = if api.lies.load(Ordering::SeqCst) { Digest::of(&body) } else { Digest::of(&read) };
    let statement = Statement {
        input,
        form: InputForm::Form,
        output: Digest::of(&rows),
        model_version: "1.0.0".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1,
    };
    let receipt = ReceiptKey::from_secret(&[5; 32]).sign(&statement).to_header();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (ACCEPT, HeaderValue::from_static(ARROW)),
        (HeaderName::from_static(HEADER), HeaderValue::from_str(&receipt).expect("base64url")),
    ];
    (headers, rows).into_response()
}

/// Scores that depend on every bit of every number of an alert.
fn rows(alerts: &Table) -> Vec<ScoreRow> {
    let ids = alerts.texts("alert_id").expect("ids");
    let confidence = alerts.numbers("alert_confidence_score").expect("a column").to_vec();
    let row = |row: usize| {
        let columns = ALERTS.columns.iter().filter(|about| about.kind.is_number());
        let bits = columns.filter_map(|about| Some(alerts.numbers(about.name)?[row].to_bits().to_string()));
        let digest = Digest::of(bits.collect::<Vec<_>>().join(" ").as_bytes());
        let hair = f64::from(u16::from_be_bytes([digest.as_bytes()[0], digest.as_bytes()[1]])) / 6_553_500.0;
        let score = (confidence[row] * 0.98 + hair).clamp(0.0, 1.0);
        let (model_version, explain_json) = ("1.0.0".to_owned(), "{}".to_owned());
        ScoreRow { alert_id: ids.get(row).to_owned(), score, model_version, latency_ms: 0.1, explain_json }
    };
    (0..alerts.rows()).map(row).collect()
}

/// A validator's world with a miner `Charlie` that knows JSON alone, and `Bob` behind a real proxy.
struct Scene {
    world: World,
    proxy: TestMiner,
    api: Arc<Api>,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn set(days: u32) -> Self {
        let mut world = World::new(days, vec![("Charlie", Behaviour::Honest { skill: 0.8 })]).await;
        world.settings.rules = Some(RulesList::always(RulesVersion::V2));
        let (api, url) = Api::spawn().await;
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().to_owned();
        let proxy = TestMiner::spawn(|settings| {
            settings.miner.api_url = url;
            settings.miner.data_dir = data;
            settings.miner.metagraph_max_age = Duration::from_secs(1000 * 86_400);
            settings.sealing.beacon = Beacon::Development;
        });
        let proxy = proxy.await;
        world.subnet.register(proxy.key, Some(proxy.address));
        Self { world, proxy, api, _folder: folder }
    }

    fn dawn(&self, day: u64) -> RoundId {
        let id = self.world.dawn(day);
        self.proxy.clock.set(aml_miner::clock::Clock::now(&*self.world.clock));
        id
    }

    /// A turn of rounds of a validator as a fresh process would have it.
    async fn turn(&self) -> Round {
        let (validator, stop) = (self.world.validator(), CancellationToken::new());
        let turn = tokio::time::timeout(PATIENCE, validator.round_turn(&stop)).await.expect("a turn ends");
        turn.expect("it goes well").expect("a round")
    }

    /// What came of `Bob` in a round, and what was said of it.
    async fn told(&self, id: RoundId) -> (Answer, Verdict) {
        let answers = self.world.ledger.answers(id).await.expect("a ledger");
        let verdicts = self.world.ledger.verdicts(id).await.expect("a ledger");
        let answer = answers.into_iter().find(|answer| answer.hotkey == self.proxy.key).expect("an answer");
        (answer, verdicts.into_iter().find(|verdict| verdict.hotkey == self.proxy.key).expect("a verdict"))
    }

    async fn encoded(&self, id: RoundId) -> Option<EncodedTask> {
        self.world.ledger.task(id).await.expect("a ledger").expect("a task").arrow
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_that_it_takes_arrow_is_sent_arrow_and_json_again_after_a_415() {
    let scene = Scene::set(4).await;
    let first = scene.dawn(0);
    assert_eq!(scene.turn().await.step, Step::Published);
    let (json, verdict) = scene.told(first).await;
    assert_eq!((json.request_form, json.takes_arrow, verdict.accepted), (BodyForm::Json, true, Ok(())));
    assert_eq!(scene.encoded(first).await, None, "nobody was known to take it");
    assert_eq!(scene.api.came().iter().map(|(media, _)| media.as_str()).collect::<Vec<_>>(), ["application/json"]);

    let second = scene.dawn(1);
    assert_eq!(scene.turn().await.step, Step::Published);
    let (arrow, verdict) = scene.told(second).await;
    assert_eq!((arrow.request_form, arrow.takes_arrow), (BodyForm::Arrow, true));
    assert_eq!((verdict.accepted, verdict.tier1), (Ok(()), Some(1.0)), "receipt and signature hold");
    let form = scene.encoded(second).await.expect("an encoded form");
    assert_eq!((arrow.request, form.to.len()), (Some(form.sent), 1), "who said nothing of Arrow is sent JSON");
    assert_eq!(scene.api.came(), [("multipart/form-data".to_owned(), form.sent)]);
    let file = scene.world.ledger.file(second, EncodedTask::FILE).await.expect("a ledger").expect("it is kept");
    assert_eq!((Digest::of(&file), file.len() as u64), (form.sent, form.bytes));
    assert_eq!(Digest::of(&zstd::decode_all(&file[..]).expect("a frame")), form.decoded);
    let (sent, before) = (arrow.sent_bytes.expect("told"), json.sent_bytes.expect("told"));
    assert!(sent == form.bytes && sent * 5 < before, "{sent} instead of {before} bytes");
    let again = replay(&scene.world.ledger, second, None).await.expect("everything is stored");
    assert!(again.identical, "{:#?}", again.differences);

    scene.api.refuses.store(true, Ordering::SeqCst);
    let third = scene.dawn(2);
    assert_eq!(scene.turn().await.step, Step::Published);
    let (refused, verdict) = scene.told(third).await;
    assert_eq!((refused.request_form, refused.takes_arrow, verdict.accepted), (BodyForm::Json, false, Ok(())));
    let came: Vec<String> = scene.api.came().into_iter().map(|(media, _)| media).collect();
    assert_eq!(came, ["multipart/form-data", "application/json"], "the same round, at once");
    let bytes = scene.encoded(third).await.expect("it was tried").bytes;
    assert!(refused.sent_bytes.is_some_and(|sent| sent > bytes), "both went over the line");
    assert!(replay(&scene.world.ledger, third, None).await.expect("stored").identical);

    let fourth = scene.dawn(3);
    assert_eq!(scene.turn().await.step, Step::Published);
    assert_eq!(scene.encoded(fourth).await, None, "it refused the last one");
    assert_eq!(scene.api.came().len(), 1);
    let canonical = scene.world.ledger.canonical(fourth).await.expect("a ledger").expect("merged");
    assert_eq!(canonical.scores.len(), ALERTS_A_DAY);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_are_scored_to_the_same_bits() {
    let scene = Scene::set(2).await;
    scene.dawn(0);
    scene.turn().await;
    let id = scene.dawn(1);
    scene.turn().await;
    let (answer, _) = scene.told(id).await;
    let told = scene.world.ledger.body(&answer.body.expect("a body")).await.expect("a ledger").expect("kept");
    let told: Vec<ScoreRow> = serde_json::from_slice(&told).expect("rows");
    // What the JSON of the same round says: an API asked by hand.
    let task = scene.world.ledger.task(id).await.expect("a ledger").expect("a task");
    let file = scene.world.ledger.file(id, EncodedTask::FILE).await.expect("a ledger").expect("kept");
    let form = zstd::decode_all(&file[..]).expect("a frame");
    let end = form.windows(2).position(|at| at == b"\r\n").expect("a line");
    let boundary = std::str::from_utf8(&form[2..end]).expect("text").to_owned();
    let alerts = first_part(&form, &boundary);
    let ids: Vec<&str> = alerts.texts("alert_id").expect("ids").iter().collect();
    let sent = task.common.as_ref().expect("common").alerts();
    assert_eq!(ids, sent.iter().map(|alert| alert.id.as_str()).collect::<Vec<_>>(), "the list, in its order");
    let scores = |rows: &[ScoreRow]| rows.iter().map(|row| row.score.to_bits()).collect::<Vec<_>>();
    assert_eq!(scores(&told), scores(&rows(&alerts)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_dies_while_it_asks_sends_the_same_bytes_again() {
    let scene = Scene::set(2).await;
    scene.dawn(0);
    scene.turn().await;
    scene.api.came();
    scene.api.hangs.store(true, Ordering::SeqCst);
    let id = scene.dawn(1);
    let (validator, stop) = (scene.world.validator(), CancellationToken::new());
    let asked = async {
        scene.api.asked.notified().await;
        stop.cancel();
    };
    let (died, ()) = tokio::join!(validator.round_turn(&stop), asked);
    assert!(died.is_err() || died.is_ok_and(|round| round.is_none_or(|round| round.step == Step::Tasked)));
    let before = scene.api.came();
    scene.api.hangs.store(false, Ordering::SeqCst);
    // A fresh process draws its nonces from the clock.
    scene.world.clock.forward(Duration::from_secs(1));
    scene.proxy.clock.set(aml_miner::clock::Clock::now(&*scene.world.clock));
    assert_eq!(scene.turn().await.step, Step::Published);
    assert_eq!(scene.api.came(), before, "as Arrow, and the same bytes");
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, verdict.accepted), (BodyForm::Arrow, Ok(())));
    assert_eq!(answer.request, before.first().map(|(_, digest)| *digest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_answer_to_a_packed_task_opens_and_counts() {
    let mut scene = Scene::set(2).await;
    // The proxy takes an opening of the development beacon by the rule of such chains.
    scene.world.seal(OpeningRule::development(30));
    for day in 0..2 {
        let id = scene.dawn(day);
        let asked = scene.turn().await;
        assert_eq!(asked.step, Step::Asked);
        let opening_s = u64::try_from(asked.marks.opening_ms.expect("sealed") / 1000).expect("after 1970");
        scene.world.clock.set(Duration::from_secs(opening_s + 3));
        assert_eq!(scene.turn().await.step, Step::Published);
        let (answer, verdict) = scene.told(id).await;
        assert_eq!(verdict.accepted, Ok(()), "day {day}");
        assert!(answer.sealed.is_some() && answer.takes_arrow);
        let form = if day == 0 { BodyForm::Json } else { BodyForm::Arrow };
        assert_eq!(answer.request_form, form);
        assert!(answer.received_bytes() < answer.bytes, "it came compressed");
        assert!(replay(&scene.world.ledger, id, None).await.expect("stored").identical);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_stay_json_where_the_owner_says_so() {
    let mut scene = Scene::set(2).await;
    scene.world.settings.arrow_tasks = false;
    for day in 0..2 {
        let id = scene.dawn(day);
        scene.turn().await;
        let (answer, _) = scene.told(id).await;
        assert_eq!((answer.request_form, answer.takes_arrow), (BodyForm::Json, true));
        assert_eq!(scene.encoded(id).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_task_is_kept_as_long_as_answers_are() {
    let scene = Scene::set(2).await;
    scene.dawn(0);
    scene.turn().await;
    let id = scene.dawn(1);
    scene.turn().await;
    let ledger = &scene.world.ledger;
    let now_ms = i64::try_from(aml_miner::clock::Clock::now(&*scene.world.clock).as_millis()).expect("fits");
    let kept = async || ledger.file(id, EncodedTask::FILE).await.expect("a ledger").is_some();
    ledger.sweep(now_ms, &Retention { age: Duration::from_secs(3600), bytes: u64::MAX }).await.expect("swept");
    assert!(kept().await);
    let later = now_ms + 7_200_000;
    ledger.sweep(later, &Retention { age: Duration::from_secs(3600), bytes: u64::MAX }).await.expect("swept");
    assert!(!kept().await);
    let files = ledger.files(id).await.expect("a ledger");
    let form = scene.encoded(id).await.expect("its digests stay");
    let file = files.iter().find(|file| file.name == EncodedTask::FILE).expect("its row stays");
    assert_eq!((file.digest, file.decoded), (form.sent, Some(form.decoded)));
}

/// A request as a validator sends it, packed, with what is said of it.
async fn packed(scene: &Scene, terms: &Terms, encoding: Option<&'static str>) -> (Asked, reqwest::Response) {
    let form = b"--edge\r\ncontent-disposition: form-data; name=\"alerts\"\r\n\r\nx\r\n--edge--\r\n";
    let body = zstd::encode_all(&form[..], 3).expect("memory");
    let target = terms.behind(SCORE);
    let mut headers = announced(scene.proxy.signed(&dev_key("Alice"), &target, &body), &body);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=edge"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let nonce = Nonce::parse(headers["x-bittensor-nonce"].to_str().expect("text")).expect("a nonce");
    let asked = Asked { nonce, validator: dev_key("Alice").hotkey(), body: Digest::of(&body) };
    (asked, scene.proxy.post(&target, headers, body).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_does_not_unpack_and_signs_what_the_target_says_unless_a_receipt_contradicts() {
    let scene = Scene::set(0).await;
    scene.proxy.clock.set(crate::miner::START);
    let terms = Terms {
        task: Digest::of(b"the task as JSON"),
        commitment: Digest::of(b"its traps"),
        day: "2026-03-01-7".parse().expect("a day"),
        opening: None,
        decoded: Some(Digest::of(b"what it decodes to")),
    };
    let (_, unnamed) = packed(&scene, &Terms { decoded: None, ..terms }, Some("zstd")).await;
    must_fail_with(unnamed, 415, "unsupported_media_type").await;
    let (_, plain) = packed(&scene, &terms, None).await;
    must_fail_with(plain, 415, "unsupported_media_type").await;
    assert_eq!(scene.api.requests.load(Ordering::SeqCst), 0, "neither reached the API");
    // A refusal has no receipt: what the target says is signed.
    scene.api.refuses.store(true, Ordering::SeqCst);
    let (asked, refused) = packed(&scene, &terms, Some("zstd")).await;
    assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let headers = refused.headers().clone();
    let came = Came { status: refused.status(), sent: Digest::of(&refused.bytes().await.expect("a body")) };
    let subject = |decoded| Subject { task: terms.task, commitment: terms.commitment, decoded };
    let named = subject(terms.decoded.expect("named"));
    assert!(verify_answer(&headers, &scene.proxy.key, came, &asked, &named).is_ok());
    assert!(verify_answer(&headers, &scene.proxy.key, came, &asked, &subject(asked.body)).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_for_another_body_than_the_target_names_is_not_passed_on() {
    let scene = Scene::set(2).await;
    scene.dawn(0);
    scene.turn().await;
    scene.api.lies.store(true, Ordering::SeqCst);
    let id = scene.dawn(1);
    scene.turn().await;
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, answer.status), (BodyForm::Arrow, Some(400)));
    let why = verdict.accepted.expect_err("refused");
    assert!(why.contains("digest_mismatch"), "{why}");
}
