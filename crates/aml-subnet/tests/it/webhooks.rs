//! Webhooks: every message arrives at least once, with one id however often it is sent, signed, and no round waits for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aml_miner::clock::FixedClock;
use aml_miner::secret_url::SecretUrl;
use aml_subnet::config::{WebhookEvent, WebhookSettings};
use aml_subnet::store::Ledger;
use aml_subnet::store::records::{KnownOutcome, Mark, MarkKind, Step};
use aml_subnet::validator::webhooks::{Secret, Turn, Webhook, WebhookParts};
use aml_subnet::validator::world::MachineTime;
use aml_subnet::wallet::{Scheme, verify};
use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::api_kit::{Kit, NETUID, NOW, id, must_round, round, task, validator};

const SECRET: &str = "a secret of the two of us";

/// A message as it came.
#[derive(Clone, Debug)]
struct Came {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Came {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn told(&self) -> (String, String) {
        let body = self.json();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (text(&body["type"]), text(&body["data"]["round"]))
    }
}

/// A system that takes messages, as long as it is well.
#[derive(Clone, Default)]
struct Reader {
    came: Arc<Mutex<Vec<Came>>>,
    /// How it answers to messages with such a text in them.
    ill: Arc<Mutex<Option<(StatusCode, String)>>>,
}

impl Reader {
    async fn serve(&self) -> SecretUrl {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = Router::new().route("/hook", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        SecretUrl::new(format!("http://{address}/hook?token=hidden"))
    }

    fn set_ill(&self, ill: bool) {
        *self.ill.lock().expect("not poisoned") = ill.then(|| (StatusCode::SERVICE_UNAVAILABLE, String::new()));
    }

    /// Answers so to all messages about a day.
    fn refuse(&self, status: StatusCode, day: u32) {
        *self.ill.lock().expect("not poisoned") = Some((status, id(day).to_string()));
    }

    /// What came since the last time.
    fn came(&self) -> Vec<Came> {
        std::mem::take(&mut *self.came.lock().expect("not poisoned"))
    }

    fn told(&self) -> Vec<(String, String)> {
        self.came().iter().map(Came::told).collect()
    }
}

async fn take(State(reader): State<Reader>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().expect("text").to_owned())
    };
    let came = Came { headers: headers.iter().map(text).collect(), body: body.to_vec() };
    let said = String::from_utf8_lossy(&came.body).into_owned();
    reader.came.lock().expect("not poisoned").push(came);
    let ill = reader.ill.lock().expect("not poisoned").clone();
    ill.filter(|(_, text)| said.contains(text)).map_or(StatusCode::NO_CONTENT, |(status, _)| status)
}

/// The endpoint as a process has it that was just started.
fn started(url: &SecretUrl, ledger: &Ledger, folder: &Path, events: &[WebhookEvent]) -> Webhook {
    let settings = WebhookSettings { url: url.clone(), events: events.to_vec(), ..WebhookSettings::default() };
    let time = Arc::new(MachineTime::new(Arc::new(FixedClock(NOW))));
    let parts = WebhookParts { ledger: ledger.clone(), netuid: NETUID, signer: validator(), time };
    Webhook::open(&settings, Some(Secret::parse(SECRET).expect("long enough")), folder, parts).expect("a client")
}

fn named(kind: &str, day: u32) -> (String, String) {
    (format!("round.{kind}"), id(day).to_string())
}

async fn must_learn(kit: &Kit, day: u32, place: u32, illicit: bool, at_ms: i64) {
    let address = task(day).roster[place as usize].address.clone();
    let (relevance, confirmed_ms) = (if illicit { 2 } else { 0 }, at_ms);
    let one =
        KnownOutcome { place, address, illicit: Some(illicit), relevance, confirmed_ms, seen_ms: 0, replaced_ms: None };
    kit.ledger.record_outcomes(id(day), &[one], at_ms).await.expect("kept");
}

#[tokio::test]
async fn a_reader_is_told_of_what_comes_after_it_was_set_up() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    must_round(&kit.ledger, 1, Step::Settled).await;
    let url = reader.serve().await;
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    assert_eq!(hook.turn().await.expect("well"), Turn::default());
    assert_eq!(reader.told(), [], "what was there before is not told");
    must_round(&kit.ledger, 2, Step::Published).await;
    must_round(&kit.ledger, 3, Step::Merged).await;
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), [named("published", 2)]);
    must_learn(&kit, 2, 4, true, 1_768_000_000_000).await;
    hook.turn().await.expect("well");
    let came = reader.came();
    assert_eq!(came.iter().map(Came::told).collect::<Vec<_>>(), [named("outcomes", 2)]);
    assert_eq!(came[0].json()["data"]["outcomes"], serde_json::json!({"known": 1, "illicit": 1}));
    // Another answer for the same alert: as many are known, and yet it is news.
    must_learn(&kit, 2, 4, false, 1_768_100_000_000).await;
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), [named("outcomes", 2)]);
    let mark = Mark { at_ms: 5, why: "a rehearsal".to_owned() };
    kit.ledger.mark_round(id(2), MarkKind::Void, Some(&mark)).await.expect("marked");
    hook.turn().await.expect("well");
    let came = reader.came();
    assert_eq!((came[0].told(), came[0].json()["data"]["why"].as_str()), (named("void", 2), Some("a rehearsal")));
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), []);
}

#[tokio::test]
async fn what_is_not_taken_is_sent_again_with_the_same_id_also_after_a_restart() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    let url = reader.serve().await;
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    must_round(&kit.ledger, 1, Step::Settled).await;
    reader.set_ill(true);
    for _ in 0..3 {
        let error = hook.turn().await.expect_err("it is not taken").to_string();
        assert!(error.contains("503") && !error.contains("hidden"), "{error}");
    }
    drop(hook);
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect_err("still not taken");
    let refused = reader.came();
    assert_eq!(refused.len(), 4, "one attempt a turn: later messages wait for the first");
    reader.set_ill(false);
    assert_eq!(hook.turn().await.expect("well"), Turn { delivered: 2, ..Turn::default() });
    let taken = reader.came();
    assert_eq!(taken.iter().map(Came::told).collect::<Vec<_>>(), [named("published", 1), named("settled", 1)]);
    for other in &refused {
        assert_eq!((&other.headers["webhook-id"], &other.body), (&taken[0].headers["webhook-id"], &taken[0].body));
    }
    assert_ne!(taken[0].headers["webhook-id"], taken[1].headers["webhook-id"]);
    drop(hook);
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), [], "a restart tells nothing again");
}

#[tokio::test]
async fn a_message_is_signed_by_the_secret_and_by_the_hotkey() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    let mut hook = started(&reader.serve().await, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    must_round(&kit.ledger, 1, Step::Published).await;
    hook.turn().await.expect("well");
    let came = reader.came().pop().expect("a message");
    let (id, at) = (&came.headers["webhook-id"], &came.headers["webhook-timestamp"]);
    assert_eq!((id, at.as_str()), (&came.headers["idempotency-key"], NOW.as_secs().to_string().as_str()));
    let content = [format!("{id}.{at}.").as_bytes(), &came.body].concat();
    let mac = came.headers["webhook-signature"].strip_prefix("v1,").expect("its version");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::verify(&key, &content, &STANDARD.decode(mac).expect("base64")).expect("it holds");
    let signed = came.headers["aml-signature"].strip_prefix("sr25519,").expect("its scheme");
    let mut signature = [0; 64];
    hex::decode_to_slice(signed, &mut signature).expect("hex");
    let told = [b"aml-webhook/1\n".as_slice(), &content].concat();
    assert!(verify(Scheme::Sr25519, &validator().hotkey(), &told, &signature));
    assert!(!verify(Scheme::Sr25519, &validator().hotkey(), &content, &signature), "bound to what it is for");
    let data = &came.json()["data"];
    for path in data["paths"].as_object().expect("paths").values() {
        let path = path.as_str().expect("text");
        assert!(path.ends_with("manifest?window_days=30") || kit.get(path).await.status == 200, "{path}");
    }
}

#[tokio::test]
async fn only_what_was_asked_for_is_told_and_a_damaged_memory_is_no_new_one() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    let url = reader.serve().await;
    let mut hook = started(&url, &kit.ledger, &folder, &[WebhookEvent::Settled]);
    hook.turn().await.expect("well");
    must_round(&kit.ledger, 1, Step::Settled).await;
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), [named("settled", 1)]);
    // Asked for more later: what has passed is not made up for.
    drop(hook);
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), []);
    let file = std::fs::read_dir(&folder).expect("a folder").next().expect("a file").expect("readable").path();
    let kept = std::fs::read_to_string(&file).expect("text");
    assert!(!kept.contains("hidden") && !file.display().to_string().contains("127.0.0.1"), "{kept}");
    std::fs::write(&file, b"{\"version\":1").expect("damaged");
    must_round(&kit.ledger, 2, Step::Published).await;
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect_err("it says so");
    assert_eq!(reader.told(), []);
    std::fs::write(&file, kept).expect("repaired");
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), [named("published", 2)], "nothing was lost");
}

#[tokio::test]
async fn a_round_that_may_have_been_heard_of_is_taken_back() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    let url = reader.serve().await;
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    must_round(&kit.ledger, 1, Step::Published).await;
    // It arrives, and yet it looks as if it did not.
    reader.set_ill(true);
    hook.turn().await.expect_err("not taken");
    assert_eq!(reader.told(), [named("published", 1)]);
    must_round(&kit.ledger, 2, Step::Published).await;
    let mark = Mark { at_ms: 5, why: "a rehearsal".to_owned() };
    for day in [1, 2] {
        kit.ledger.mark_round(id(day), MarkKind::Void, Some(&mark)).await.expect("marked");
    }
    drop(hook);
    reader.set_ill(false);
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    assert_eq!(reader.told(), [named("void", 1)], "of the second nobody can have heard");
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_holds_up_the_next_ones_for_a_while_only() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    let url = reader.serve().await;
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    must_round(&kit.ledger, 1, Step::Published).await;
    must_round(&kit.ledger, 2, Step::Published).await;
    // An endpoint that has too much to do is well again one day, however long that takes.
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT, StatusCode::BAD_GATEWAY] {
        reader.refuse(status, 1);
        for _ in 0..40 {
            hook.turn().await.expect_err("not taken");
        }
    }
    reader.refuse(StatusCode::UNPROCESSABLE_ENTITY, 1);
    let mut refusals = 0;
    let turn = loop {
        // Every attempt by another process: they are counted in the file.
        let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
        match hook.turn().await {
            Ok(turn) => break turn,
            Err(error) => assert!(error.to_string().contains("422"), "{error}"),
        }
        refusals += 1;
        assert!(refusals < 100, "it is never put aside");
    };
    assert!(refusals >= 20, "{refusals} attempts leave nobody time to mend the endpoint");
    assert_eq!(turn, Turn { delivered: 1, dropped: 1, waiting: 0 });
    assert_eq!(reader.told().pop(), Some(named("published", 2)));
    let metrics = kit.get("/metrics").await.must_succeed().text();
    assert!(metrics.contains("aml_validator_webhooks_total{outcome=\"dropped\"}"), "{metrics}");
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    assert_eq!(hook.turn().await.expect("well"), Turn::default());
    assert_eq!(reader.told(), [], "put aside is put aside");
}

#[tokio::test]
async fn what_waits_until_its_round_is_looked_at_no_more_is_counted() {
    let (kit, reader) = (Kit::empty().await, Reader::default());
    let folder = kit.folder.path().join("webhooks");
    let url = reader.serve().await;
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    hook.turn().await.expect("well");
    must_round(&kit.ledger, 1, Step::Settled).await;
    reader.set_ill(true);
    hook.turn().await.expect_err("not taken");
    // A hundred newer rounds.
    for day in 2..=100 {
        kit.ledger.begin(&round(day)).await.expect("it begins");
    }
    must_round(&kit.ledger, 101, Step::Published).await;
    drop(hook);
    reader.set_ill(false);
    let mut hook = started(&url, &kit.ledger, &folder, &WebhookEvent::ALL);
    assert_eq!(hook.turn().await.expect("well"), Turn { delivered: 1, dropped: 2, waiting: 0 });
    assert_eq!(hook.turn().await.expect("well"), Turn::default(), "counted once");
}
