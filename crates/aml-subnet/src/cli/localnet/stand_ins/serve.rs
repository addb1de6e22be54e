//! A stand-in answers by hand-written HTTP/1.1 over the shared line, with one request to a connection, as our validator asks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock as _, SystemClock};
use aml_miner::data::arrow_stream;
use aml_miner::digest::Digest;
use aml_miner::receipt::{self, InputForm, ReceiptKey, Statement};
use aml_miner::wire::Explain;
use anyhow::Context as _;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::link::Link;
use super::sheet::{MOST, Sheet, Sheets, Turn, find};
use crate::http::fetch::{Wanted, fetch};
use crate::protocol::answer::{self, Answered, Asked};
use crate::protocol::content_digest;
use crate::protocol::reference::{self, Descriptor};
use crate::protocol::sealed::{Packed, Parties, seal};
use crate::protocol::second_answer::{self, Encoding, Stated, Subject};
use crate::protocol::signed_request::Claim;
use crate::protocol::terms::Terms;
use crate::wallet::Signer;

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;
/// How long an object may take.
const FETCH: Duration = Duration::from_secs(300);
/// Longest head that is read.
const MOST_HEAD: usize = 32 * 1024;
/// How long nothing is accepted after that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// A stand-in for a miner.
pub(super) struct StandIn {
    pub(super) signer: Signer,
    pub(super) number: u16,
    pub(super) link: Arc<Link>,
    pub(super) sheets: Arc<Sheets>,
}

/// A request without its body.
struct Head {
    target: String,
    headers: HeaderMap,
    /// What came behind it.
    rest: Vec<u8>,
}

/// What is answered to.
struct Question {
    asked: Asked,
    terms: Option<Terms>,
    explain: Explain,
}

impl StandIn {
    /// Answers whoever asks, for ever.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(stand_in = self.number, %error, "a connection is not accepted");
                    // Of too many open files some are closed sooner or later.
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let this = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(error) = this.converse(stream).await {
                    tracing::debug!(stand_in = this.number, %error, "a conversation ended early");
                }
            });
        }
    }

    async fn converse(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        let head = self.head(&mut stream).await?;
        if head.headers.contains_key(EXPECT) {
            self.link.write(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let question = question(&head)?;
        let task = question.terms.map_or(question.asked.body, |terms| terms.task);
        let refers = form(&head).0 == reference::MEDIA_TYPE;
        let sheet = match self.sheets.turn(task) {
            Turn::Reads => {
                let read = self.sheet(&mut stream, head).await;
                match &read {
                    Ok(sheet) => self.sheets.put(task, sheet),
                    // Whoever waits is told, and the next attempt reads it.
                    Err(_) => self.sheets.forget(task),
                }
                read?
            }
            Turn::Waits(mut reader) => {
                let body = self.body(&mut stream, head, refers).await?;
                if refers {
                    let descriptor = Descriptor::read(&body)?;
                    let object = self.fetched(&descriptor).await?;
                    anyhow::ensure!(Digest::of(&object) == descriptor.object.sha256, "another object");
                }
                let sheet = reader.wait_for(Option::is_some).await.context("nobody reads the task")?.clone();
                sheet.context("nobody reads the task")?
            }
        };
        self.link.count();
        let (signer, number) = (self.signer.clone(), self.number);
        let made = tokio::task::spawn_blocking(move || made(&signer, number, &sheet, &question)).await??;
        self.link.write(&mut stream, &made).await?;
        Ok(stream.shutdown().await?)
    }

    /// Reads the task for all, and fetches it first where the body only names it.
    async fn sheet(&self, stream: &mut TcpStream, head: Head) -> anyhow::Result<Arc<Sheet>> {
        let (media, packed) = form(&head);
        let body = self.body(stream, head, true).await?;
        let (body, media, packed) = if media == reference::MEDIA_TYPE {
            let descriptor = Descriptor::read(&body)?;
            let (object, media) = (self.fetched(&descriptor).await?, descriptor.media.clone());
            let packed = descriptor.encoding == "zstd";
            let opening = tokio::task::spawn_blocking(move || descriptor.open(object));
            (opening.await??, media, packed)
        } else {
            (body, media, packed)
        };
        let reading = tokio::task::spawn_blocking(move || Sheet::read(&body, &media, packed));
        Ok(Arc::new(reading.await??))
    }

    /// The object of a descriptor, as a miner's proxy fetches it. It comes from elsewhere than over the line.
    async fn fetched(&self, descriptor: &Descriptor) -> anyhow::Result<Vec<u8>> {
        let url = descriptor.places.first().context("no place")?;
        let wanted = Wanted { url, bytes: descriptor.object.bytes, allow_private_ips: true, patience: FETCH };
        let object = fetch(&wanted).await?;
        self.link.fetched(object.len());
        Ok(object)
    }

    async fn head(&self, stream: &mut TcpStream) -> anyhow::Result<Head> {
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
        let end = loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end;
            }
            let read = self.link.read(stream, &mut buffer).await?;
            anyhow::ensure!(read > 0 && bytes.len() < MOST_HEAD, "no head");
            bytes.extend_from_slice(&buffer[..read]);
        };
        let rest = bytes.split_off(end + 4);
        let text = String::from_utf8(bytes)?;
        let mut lines = text.trim_end().split("\r\n");
        let target = lines.next().and_then(|line| line.split(' ').nth(1)).context("no target")?.to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            headers.append(HeaderName::try_from(name)?, HeaderValue::from_str(value.trim())?);
        }
        Ok(Head { target, headers, rest })
    }

    /// Reads the body to its end; without `keeps` it is let go of as it comes.
    async fn body(&self, stream: &mut TcpStream, head: Head, keeps: bool) -> anyhow::Result<Vec<u8>> {
        let length = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let length = length.filter(|length| *length <= MOST).context("no length, or one above what is read")?;
        let mut left = length.saturating_sub(head.rest.len());
        let (mut body, mut buffer) = (if keeps { head.rest } else { Vec::new() }, vec![0; BUFFER]);
        while left > 0 {
            let read = self.link.read(stream, &mut buffer).await?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            left = left.saturating_sub(read);
            if keeps {
                body.extend_from_slice(&buffer[..read]);
            }
        }
        Ok(body)
    }
}

/// The type of a body, and whether it is packed.
fn form(head: &Head) -> (String, bool) {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (text(CONTENT_TYPE).to_owned(), text(CONTENT_ENCODING) == "zstd")
}

/// What is asked. Nothing of it is proven: the digest is believed as it is announced.
fn question(head: &Head) -> anyhow::Result<Question> {
    let claim = Claim::parse(&head.headers)?;
    let envelope = claim.envelope();
    let body = content_digest::announced(&head.headers)?.context("no Content-Digest")?;
    let (terms, query) = Terms::of_query(head.target.split_once('?').map(|(_, query)| query))?;
    let query = query.unwrap_or_default();
    let explain = query.split('&').find_map(|part| part.strip_prefix("explain="));
    let explain = explain.map_or(Ok(Explain::Top), str::parse).map_err(|_| anyhow::anyhow!("no such explanation"))?;
    Ok(Question { asked: Asked { nonce: envelope.nonce, validator: envelope.sender, body }, terms, explain })
}

/// The whole answer: head and body.
fn made(signer: &Signer, number: u16, sheet: &Sheet, question: &Question) -> anyhow::Result<Vec<u8>> {
    let Question { asked, terms, explain } = question;
    let body = sheet.answer(number, *explain);
    let plain = Digest::of(&body);
    let statement = Statement {
        input: terms.and_then(|terms| terms.decoded).unwrap_or(asked.body),
        form: if terms.and_then(|terms| terms.decoded).is_some() { InputForm::Form } else { InputForm::Json },
        output: plain,
        model_version: "1.0.0+0a1b2c3d4e5f".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: u64::try_from(SystemClock.now().as_millis())?,
    };
    let receipt = ReceiptKey::from_secret(Digest::of(&number.to_be_bytes()).as_bytes()).sign(&statement).to_header();
    let opening = terms.and_then(|terms| terms.opening);
    let (sent, encoding) = match (terms, opening) {
        (Some(terms), Some(opening)) => {
            let parties = Parties { miner: signer.hotkey(), validator: asked.validator, task: terms.task };
            (seal(Packed::of(Some(&receipt), &body)?, opening.round(), &parties)?, Encoding::Sealed)
        }
        _ => (body, Encoding::Identity),
    };
    let digest = if opening.is_some() { Digest::of(&sent) } else { plain };
    let signed = match terms {
        Some(terms) => {
            let beacon = opening.map(|opening| opening.round());
            let stated = Stated { status: StatusCode::OK, plain, sent: digest, encoding, beacon };
            let decoded = terms.decoded.unwrap_or(asked.body);
            let subject = Subject { task: terms.task, commitment: terms.commitment, decoded };
            second_answer::sign(signer, &stated, asked, &subject)
        }
        None => answer::sign(signer, Answered { status: StatusCode::OK, body: digest }, asked),
    };
    let mut head = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\naccept: {}\r\nconnection: close\r\n",
        sent.len(),
        [arrow_stream::MEDIA_TYPE, reference::MEDIA_TYPE].join(", ")
    );
    if opening.is_none() {
        head.push_str(&format!("{}: {receipt}\r\n", receipt::HEADER));
    }
    for (name, value) in &signed {
        head.push_str(&format!("{name}: {}\r\n", value.to_str()?));
    }
    head.push_str("\r\n");
    Ok([head.as_bytes(), &sent].concat())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::protocol::Nonce;
    use crate::protocol::signed_request::{Target, sign};
    use crate::wallet::Scheme;

    const BODY: &[u8] = br#"{"alerts":[{"alert_id":"1"},{"alert_id":"2"}]}"#;

    /// The head of a request that announces a body of this length.
    fn asks(length: usize) -> Vec<u8> {
        let (signer, body) = (Signer::from_uri("//Validator", Scheme::Sr25519).expect("a key"), Digest::of(BODY));
        let target = Target { method: "POST", path_and_query: "/", body };
        let mut head = format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\ncontent-type: application/json\r\n");
        let mut headers = sign(&signer, &target, None, Nonce::new(1_760_000_000_000_000_000));
        headers.insert("content-digest", content_digest::announce(body));
        for (name, value) in &headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
        }
        format!("{head}\r\n").into_bytes()
    }

    /// What is answered to this head and body, until the connection is closed.
    async fn answered(at: std::net::SocketAddr, head: &[u8], body: &[u8]) -> String {
        let mut stream = TcpStream::connect(at).await.expect("connected");
        let (mut reader, mut writer) = stream.split();
        let sent = async {
            // A stand-in that refuses closes its end early.
            let _ = writer.write_all(&[head, body].concat()).await;
            let _ = writer.shutdown().await;
        };
        let mut answer = Vec::new();
        let (_, _) = tokio::join!(sent, reader.read_to_end(&mut answer));
        String::from_utf8(answer).expect("JSON")
    }

    #[tokio::test]
    async fn an_upload_that_breaks_stalls_nobody() {
        let signer = Signer::from_uri("//StandIn1", Scheme::Sr25519).expect("a key");
        let stand_in = StandIn { signer, number: 1, link: Arc::new(Link::of(0)), sheets: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("its address");
        tokio::spawn(Arc::new(stand_in).serve(listener));
        for (length, body) in [(BODY.len(), &BODY[..9]), (9, &BODY[..9]), (usize::MAX, BODY)] {
            assert_eq!(answered(at, &asks(length), body).await, "", "{length}");
        }
        for _ in 0..2 {
            let answer = answered(at, &asks(BODY.len()), BODY).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""alert_id":"2""#), "{answer}");
        }
    }
}
