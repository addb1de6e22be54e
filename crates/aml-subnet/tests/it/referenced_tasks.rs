//! A task by reference: who says that it fetches is sent a descriptor, fetches the object from a mirror or from the validator, and
//! is sent the task inline in the same round when it cannot. A real proxy, real sockets, mirrors that lie.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aml_miner::clock::Clock as _;
use aml_miner::digest::Digest;
use aml_miner::secret_url::SecretUrl;
use aml_subnet::api::access::{Access, Token};
use aml_subnet::api::router;
use aml_subnet::config::{MirrorSettings, ReaderSettings, Settings};
use aml_subnet::protocol::reference::{Described, Descriptor, MEDIA_TYPE, Object, ObjectKey, TAG, encrypt};
use aml_subnet::protocol::terms::Terms;
use aml_subnet::store::Retention;
use aml_subnet::store::records::{BodyForm, EncodedTask, ReferencedTask, RoundId, Step};
use aml_subnet::validator::replay::replay;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api_kit::Kit;
use crate::arrow_tasks::Scene;
use crate::common::dev_key;
use crate::miner::{SCORE, announced, must_fail_with};

/// How a mirror answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Gives,
    Redirects,
    Short,
    Long,
    LongWithoutLength,
    Altered,
    Missing,
    /// A byte, and then nothing.
    Hangs,
    Compressed,
}

/// A mirror that shows a folder.
struct Mirror {
    folder: tempfile::TempDir,
    manner: Mutex<Manner>,
    hits: AtomicUsize,
    url: String,
}

impl Mirror {
    async fn spawn() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let folder = tempfile::tempdir().expect("a folder");
        let mirror = Arc::new(Self { folder, manner: Mutex::new(Manner::Gives), hits: AtomicUsize::new(0), url });
        let app = Router::new().route("/o/{name}", axum::routing::get(given)).with_state(Arc::clone(&mirror));
        tokio::spawn(async move { axum::serve(listener, app).await });
        mirror
    }

    fn settings(&self) -> MirrorSettings {
        let store = SecretUrl::new(self.folder.path().display().to_string());
        MirrorSettings { store, url: format!("{}/o/", self.url) }
    }

    fn is(&self, manner: Manner) {
        *self.manner.lock().expect("no panic") = manner;
    }

    /// Requests since the last time that was asked.
    fn hits(&self) -> usize {
        self.hits.swap(0, Ordering::SeqCst)
    }

    fn objects(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("there");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

async fn given(State(mirror): State<Arc<Mirror>>, Path(name): Path<String>) -> Response {
    mirror.hits.fetch_add(1, Ordering::SeqCst);
    let manner = *mirror.manner.lock().expect("no panic");
    let Ok(mut bytes) = std::fs::read(mirror.folder.path().join(&name)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match manner {
        Manner::Gives => {}
        Manner::Redirects => {
            return (StatusCode::FOUND, [("location", format!("/o/{name}?again"))]).into_response();
        }
        Manner::Short => bytes.truncate(bytes.len() - 1),
        Manner::Long => bytes.push(0),
        Manner::LongWithoutLength => {
            let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 1 << 16]));
            return Body::from_stream(endless).into_response();
        }
        Manner::Altered => bytes[3] ^= 1,
        Manner::Missing => return StatusCode::NOT_FOUND.into_response(),
        Manner::Hangs => {
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![bytes[0]])]);
            return Body::from_stream(first.chain(futures_util::stream::pending())).into_response();
        }
        Manner::Compressed => return ([("content-encoding", "gzip")], bytes).into_response(),
    }
    bytes.into_response()
}

fn local(settings: &mut Settings) {
    settings.validator.allow_private_ips = true;
    settings.miner.reference_timeout = Duration::from_secs(2);
}

/// A scene after the first day, whose proxy has said that it fetches.
async fn known(days: u32, tune: impl FnOnce(&mut Settings)) -> (Scene, Arc<Mirror>) {
    let (mut scene, mirror) = (Scene::set_with(days, tune).await, Mirror::spawn().await);
    scene.world.settings.references.mirrors = vec![mirror.settings()];
    scene.dawn(0);
    scene.turn().await;
    scene.api.came();
    (scene, mirror)
}

async fn reference(scene: &Scene, id: RoundId) -> Option<ReferencedTask> {
    scene.world.ledger.task(id).await.expect("a ledger").expect("a task").reference
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_that_it_fetches_is_sent_a_descriptor_and_fetches() {
    let mut scene = Scene::set_with(3, local).await;
    let mirror = Mirror::spawn().await;
    scene.world.settings.references.mirrors = vec![mirror.settings()];
    let first = scene.dawn(0);
    scene.turn().await;
    let (json, _) = scene.told(first).await;
    assert_eq!((json.request_form, json.takes_arrow, json.takes_references), (BodyForm::Json, true, true));
    assert!(reference(&scene, first).await.is_none() && mirror.objects().is_empty(), "nobody was known to fetch");
    scene.api.came();

    let second = scene.dawn(1);
    assert_eq!(scene.turn().await.step, Step::Published);
    let (answer, verdict) = scene.told(second).await;
    assert_eq!((answer.request_form, answer.takes_references), (BodyForm::Reference, true));
    assert_eq!((verdict.accepted, verdict.tier1), (Ok(()), Some(1.0)), "receipt and signature hold");
    let (form, arrow) = (reference(&scene, second).await.expect("recorded"), scene.encoded(second).await.expect("too"));
    assert_eq!((answer.request, form.to.len(), form.decoded), (Some(form.sent), 1, arrow.decoded));
    assert_eq!(answer.sent_bytes, Some(form.bytes), "the descriptor alone went over the line");
    assert_eq!(scene.api.came(), [("multipart/form-data".to_owned(), arrow.sent)], "the API reads the Arrow form");
    let descriptor = scene.world.ledger.file(second, ReferencedTask::FILE).await.expect("a ledger").expect("kept");
    assert_eq!((Digest::of(&descriptor), descriptor.len() as u64), (form.sent, form.bytes));
    let [object] = mirror.objects().try_into().expect("one object");
    let bytes = std::fs::read(&object).expect("there");
    assert_eq!((Digest::of(&bytes), bytes.len() as u64), (form.object, form.object_bytes));
    assert_eq!(object.file_name().expect("a name").to_str(), Some(form.object.to_string().as_str()));
    let packed = scene.world.ledger.file(second, EncodedTask::FILE).await.expect("a ledger").expect("kept");
    assert_eq!(Descriptor::read(&descriptor).expect("one").open(bytes), Ok(packed));
    assert_eq!(mirror.hits(), 1);
    let again = replay(&scene.world.ledger, second, None).await.expect("everything is stored");
    assert!(again.identical, "{:#?}", again.differences);

    // Without places tasks are sent inline.
    scene.world.settings.references.mirrors.clear();
    let third = scene.dawn(2);
    scene.turn().await;
    let (answer, verdict) = scene.told(third).await;
    assert_eq!((answer.request_form, answer.takes_references, verdict.accepted), (BodyForm::Arrow, true, Ok(())));
    assert_eq!(reference(&scene, third).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_fails_costs_a_request_and_the_task_comes_inline_in_the_same_round() {
    let manners = [
        Manner::Redirects,
        Manner::Short,
        Manner::Long,
        Manner::LongWithoutLength,
        Manner::Altered,
        Manner::Missing,
        Manner::Hangs,
        Manner::Compressed,
    ];
    let days = u32::try_from(manners.len()).expect("few") + 2;
    let (mut scene, mirror) = known(days, local).await;
    for (day, manner) in (1..).zip(manners) {
        mirror.is(manner);
        let id = scene.dawn(day);
        assert_eq!(scene.turn().await.step, Step::Published);
        let (answer, verdict) = scene.told(id).await;
        assert_eq!((answer.request_form, verdict.accepted), (BodyForm::Arrow, Ok(())), "{manner:?}");
        assert!(answer.takes_references, "{manner:?}: it is tried again in the next round");
        let (form, arrow) = (reference(&scene, id).await.expect("tried"), scene.encoded(id).await.expect("too"));
        assert_eq!(answer.sent_bytes, Some(form.bytes + arrow.bytes), "{manner:?}");
        assert_eq!((mirror.hits(), scene.api.came().len()), (1, 1), "{manner:?}: nothing else was fetched");
        assert!(replay(&scene.world.ledger, id, None).await.expect("stored").identical);
    }
    // With a second place the first one's failure costs nothing.
    let second = Mirror::spawn().await;
    scene.world.settings.references.mirrors.push(second.settings());
    mirror.is(Manner::Hangs);
    let id = scene.dawn(u64::from(days) - 1);
    scene.turn().await;
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, verdict.accepted), (BodyForm::Reference, Ok(())));
    assert_eq!((mirror.hits(), second.hits()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_at_a_private_address_is_not_called_without_the_switch() {
    let (scene, mirror) = known(2, |settings| settings.validator.allow_private_ips = false).await;
    let id = scene.dawn(1);
    scene.turn().await;
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, verdict.accepted), (BodyForm::Arrow, Ok(())));
    assert_eq!(mirror.hits(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_that_fetches_nothing_says_so() {
    let (scene, _mirror) = known(2, |settings| settings.miner.references = false).await;
    let id = scene.dawn(1);
    scene.turn().await;
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, answer.takes_references), (BodyForm::Arrow, false));
    assert_eq!((verdict.accepted, reference(&scene, id).await), (Ok(()), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_refuses_the_form_is_sent_json_in_the_end() {
    let (scene, _mirror) = known(2, local).await;
    scene.api.refuses.store(true, Ordering::SeqCst);
    let id = scene.dawn(1);
    scene.turn().await;
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, answer.takes_arrow), (BodyForm::Json, false));
    assert_eq!((answer.takes_references, verdict.accepted), (false, Ok(())));
    let came: Vec<String> = scene.api.came().into_iter().map(|(media, _)| media).collect();
    assert_eq!(came, ["multipart/form-data", "multipart/form-data", "application/json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_dies_while_it_asks_sends_the_same_descriptor_again() {
    let (scene, mirror) = known(2, local).await;
    scene.api.hangs.store(true, Ordering::SeqCst);
    let id = scene.dawn(1);
    let (validator, stop) = (scene.world.validator(), CancellationToken::new());
    let asked = async {
        scene.api.asked.notified().await;
        stop.cancel();
    };
    let (died, ()) = tokio::join!(validator.round_turn(&stop), asked);
    assert!(died.is_err() || died.is_ok_and(|round| round.is_none_or(|round| round.step == Step::Tasked)));
    let (before, came) = (reference(&scene, id).await.expect("recorded"), scene.api.came());
    scene.api.hangs.store(false, Ordering::SeqCst);
    // A fresh process draws its nonces from the clock.
    scene.world.clock.forward(Duration::from_secs(1));
    scene.proxy.clock.set(scene.world.clock.now());
    assert_eq!(scene.turn().await.step, Step::Published);
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, verdict.accepted), (BodyForm::Reference, Ok(())));
    assert_eq!((answer.request, reference(&scene, id).await), (Some(before.sent), Some(before)));
    assert_eq!((scene.api.came(), mirror.objects().len()), (came, 1), "the same bytes to the API, and one object");
    assert_eq!(mirror.hits(), 1, "the proxy still has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_validator_gives_objects_itself_to_whoever_knows_their_digest_until_they_are_swept() {
    let mut scene = Scene::set_with(2, local).await;
    let token = Token::parse("0123456789abcdef").expect("long enough");
    let access = Access::new(&ReaderSettings::default(), Some(token));
    let kit = Kit::over(scene.world.ledger.clone(), 7, access);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = router(kit.api.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    scene.world.settings.references.serve = Some(format!("{url}/api/1/"));
    scene.dawn(0);
    scene.turn().await;
    let id = scene.dawn(1);
    scene.turn().await;
    let (answer, verdict) = scene.told(id).await;
    assert_eq!((answer.request_form, verdict.accepted), (BodyForm::Reference, Ok(())));
    let form = reference(&scene, id).await.expect("recorded");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let get = async |path: String| http.get(format!("{url}{path}")).send().await.expect("an answer");
    let given = get(format!("/objects/{}", form.object)).await;
    assert_eq!(given.status(), StatusCode::OK, "without a token");
    assert_eq!(given.headers()["cache-control"], "public, max-age=86400, immutable");
    assert_eq!(
        (&given.headers()["content-type"], given.content_length()),
        (&HeaderValue::from_static("application/octet-stream"), Some(form.object_bytes))
    );
    let tag = given.headers()["etag"].clone();
    assert_eq!(Digest::of(&given.bytes().await.expect("bytes")), form.object);
    let again = http.get(format!("{url}/objects/{}", form.object)).header("if-none-match", tag);
    assert_eq!(again.send().await.expect("an answer").status(), StatusCode::NOT_MODIFIED);
    // Neither a list, nor what else the ledger has.
    for path in ["/objects", "/objects/", "/objects/x", "/objects/form%2Freference"] {
        assert!(matches!(get(path.to_owned()).await.status().as_u16(), 401 | 404), "{path}");
    }
    for digest in [form.sent, form.decoded, Digest::of(b"another")] {
        assert_eq!(get(format!("/objects/{digest}")).await.status(), StatusCode::NOT_FOUND);
    }
    let now_ms = i64::try_from(scene.world.clock.now().as_millis()).expect("fits");
    let retention = Retention { age: Duration::from_secs(3600), bytes: u64::MAX };
    scene.world.ledger.sweep(now_ms + 7_200_000, &retention).await.expect("swept");
    assert_eq!(get(format!("/objects/{}", form.object)).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(scene.world.ledger.file(id, ReferencedTask::FILE).await.expect("a ledger"), None, "nor is its key kept");
    assert_eq!(reference(&scene, id).await, Some(form), "what was signed is still known");
}

/// A task and its object in a mirror, as a validator describes it.
struct Case {
    terms: Terms,
    descriptor: Descriptor,
}

fn described(mirror: &Mirror) -> Case {
    let body = zstd::encode_all(&b"--edge--\r\n"[..], 3).expect("memory");
    let (task, decoded) = (Digest::of(b"the task as JSON"), Digest::of(b"--edge--\r\n"));
    let key = ObjectKey::new([9; 32]);
    let object = encrypt(&body, &key, &task).expect("short");
    let sha256 = Digest::of(&object);
    std::fs::write(mirror.folder.path().join(sha256.to_string()), &object).expect("written");
    let (media, encoding) = ("multipart/form-data; boundary=edge".to_owned(), "zstd".to_owned());
    let about = Described { task, media, encoding, sent: Digest::of(&body), decoded };
    let object = Object { sha256, bytes: object.len() as u64 };
    let descriptor = Descriptor::of(about, object, key, vec![format!("{}/o/{sha256}", mirror.url)]);
    let day = "2026-03-01-7".parse().expect("a day");
    let terms = Terms { task, commitment: Digest::of(b"its traps"), day, opening: None, decoded: Some(decoded) };
    Case { terms, descriptor }
}

/// Asks a proxy as a validator does.
async fn asked(scene: &Scene, terms: &Terms, body: Vec<u8>) -> reqwest::Response {
    let target = terms.behind(SCORE);
    let mut headers = announced(scene.proxy.signed(&dev_key("Alice"), &target, &body), &body);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    scene.proxy.post(&target, headers, body).await
}

/// The refusal of a case: its status and code.
type Refused = (u16, &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_descriptor_says_otherwise_is_refused_before_the_api_is_asked() {
    let (scene, mirror) = (Scene::set_with(0, local).await, Mirror::spawn().await);
    scene.proxy.clock.set(crate::miner::START);
    scene.api.refuses.store(true, Ordering::SeqCst);
    let good = described(&mirror);
    // The API is asked once the body is there: this one refuses the form.
    for _ in 0..2 {
        let answer = asked(&scene, &good.terms, good.descriptor.to_bytes()).await;
        must_fail_with(answer, 415, "unsupported_media_type").await;
    }
    let came = scene.api.came();
    assert_eq!(came, vec![("multipart/form-data".to_owned(), good.descriptor.sent); 2], "as if it had come inline");
    assert_eq!(mirror.hits(), 1, "it is kept");
    let unavailable: Refused = (424, "reference_unavailable");
    let other = Digest::of(b"other");
    let private = |at: &str| vec![format!("http://{at}/o/x")];
    type Change = Box<dyn Fn(&mut Descriptor)>;
    let cases: Vec<(&str, Change, Refused)> = vec![
        ("another key", Box::new(|it| it.key = ObjectKey::new([8; 32])), unavailable),
        ("another task", Box::new(move |it| it.task = other), (400, "digest_mismatch")),
        ("another body", Box::new(move |it| it.decoded = other), (400, "digest_mismatch")),
        ("another plain digest", Box::new(move |it| it.sent = other), unavailable),
        ("another object", Box::new(move |it| (it.object.sha256, it.sent) = (other, other)), unavailable),
        ("too long", Box::new(move |it| (it.object.bytes, it.sent) = (it.object.bytes + 1, other)), unavailable),
        ("too short", Box::new(move |it| (it.object.bytes, it.sent) = (it.object.bytes - 1, other)), unavailable),
        ("a bomb", Box::new(move |it| (it.object.bytes, it.sent) = (u64::MAX, other)), unavailable),
        ("no file", Box::new(move |it| (it.places, it.sent) = (vec!["file:///etc/passwd".into()], other)), unavailable),
        (
            "a name of nobody",
            Box::new(move |it| (it.places, it.sent) = (private("nobody.invalid"), other)),
            unavailable,
        ),
        ("this network", Box::new(move |it| (it.places, it.sent) = (private("0.0.0.0"), other)), unavailable),
        ("no object", Box::new(|it| it.object.bytes = TAG - 1), (415, "unsupported_media_type")),
        ("no place", Box::new(|it| it.places.clear()), (415, "unsupported_media_type")),
        ("five places", Box::new(|it| it.places = vec![it.places[0].clone(); 5]), (415, "unsupported_media_type")),
        ("another version", Box::new(|it| it.v = 2), (415, "unsupported_media_type")),
        ("a broken head", Box::new(|it| it.media.push('\n')), (415, "unsupported_media_type")),
    ];
    for (name, change, (status, code)) in cases {
        let mut descriptor = good.descriptor.clone();
        change(&mut descriptor);
        let answer = asked(&scene, &good.terms, descriptor.to_bytes()).await;
        assert_eq!(answer.status().as_u16(), status, "{name}");
        must_fail_with(answer, status, code).await;
    }
    for bytes in [b"{}".to_vec(), Vec::new(), vec![b' '; 1 << 15]] {
        assert!(asked(&scene, &good.terms, bytes).await.status().is_client_error());
    }
    let unnamed = Terms { decoded: None, ..good.terms };
    must_fail_with(asked(&scene, &unnamed, good.descriptor.to_bytes()).await, 400, "digest_mismatch").await;
    assert_eq!(scene.api.came(), [], "the API saw nothing of that");
}
