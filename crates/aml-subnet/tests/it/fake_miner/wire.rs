//! How a fake miner reads requests and writes answers: HTTP/1.1 by hand, so that every rule of it can be broken.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answers::Reply;
use super::{Behaviour, Miner, Wire};

/// A request as it came.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

impl Miner {
    pub(super) async fn serve(&self, mut stream: TcpStream) {
        // Whoever breaks off in the middle is the other side, and that is its right.
        let _ = self.converse(&mut stream).await;
    }

    async fn converse(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let early = if let Behaviour::Wire(wire) = self.behaviour { Some(wire) } else { None };
        match early {
            Some(Wire::NeverReads) => return std::future::pending().await,
            Some(Wire::Tls) => return stream.write_all(b"\x15\x03\x03\x00\x02\x02\x28").await,
            Some(Wire::Ssh) => return stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await,
            _ => {}
        }
        let mut request = read_head(stream).await?;
        if matches!(self.behaviour, Behaviour::RefusingUnread) {
            let words = r#"{"detail":"come back later","code":"overloaded"}"#;
            let head = format!("HTTP/1.1 429 Too Many Requests\r\ncontent-length: {}\r\n\r\n{words}", words.len());
            stream.write_all(head.as_bytes()).await?;
            stream.shutdown().await?;
            return self.read_body(stream, &mut request).await;
        }
        if request.headers.contains_key("expect") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        self.read_body(stream, &mut request).await?;
        if let Behaviour::HangingUp { pause } = self.behaviour {
            tokio::time::sleep(pause).await;
            return Ok(());
        }
        let reply = self.reply(&request);
        if let Behaviour::Slow { pause, .. } = self.behaviour {
            tokio::time::sleep(pause).await;
        }
        match early {
            None => write(stream, &reply).await,
            Some(wire) => misbehave(stream, wire, &reply).await,
        }
    }

    async fn read_body(&self, stream: &mut TcpStream, request: &mut Request) -> std::io::Result<()> {
        let length = request.headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let length: usize = length.unwrap_or(0);
        let mut buffer = vec![0; 64 * 1024];
        while request.body.len() < length {
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.seen.body_bytes.fetch_add(read, Ordering::SeqCst);
            request.body.extend_from_slice(&buffer[..read]);
        }
        Ok(())
    }
}

/// Reads up to the empty line, and no byte more.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8(head).expect("an ASCII head");
    let mut lines = text.trim_end().split("\r\n");
    let mut first = lines.next().expect("a request line").split(' ').map(str::to_owned);
    let (method, target) = (first.next().expect("a method"), first.next().expect("a target"));
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header");
        let name: HeaderName = name.parse().expect("a name");
        (name, HeaderValue::from_str(value.trim()).expect("a value"))
    });
    Ok(Request { method, target, headers: headers.collect(), body: Vec::new() })
}

fn head(reply: &Reply, more: &[(&str, String)]) -> String {
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", reply.status.as_u16());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    for (name, value) in more {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

fn length(bytes: usize) -> (&'static str, String) {
    ("content-length", bytes.to_string())
}

async fn send(stream: &mut TcpStream, head: &str, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.write_all(body).await
}

async fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    send(stream, &head(reply, &[length(reply.body.len())]), &reply.body).await?;
    stream.shutdown().await
}

/// Until the other side has had enough.
async fn hang(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}

async fn misbehave(stream: &mut TcpStream, wire: Wire, reply: &Reply) -> std::io::Result<()> {
    match wire {
        Wire::Drips => {
            send(stream, &head(reply, &[length(1 << 20)]), b"").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Wire::OnlyContinues => loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        },
        Wire::Floods => {
            send(stream, &head(reply, &[("transfer-encoding", "chunked".to_owned())]), b"").await?;
            let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Wire::Resets => return stream.set_zero_linger(),
        Wire::HalfCloses => stream.shutdown().await?,
        Wire::ShorterThanDeclared => {
            stream.write_all(&misshapen(wire, reply)).await?;
            stream.shutdown().await?;
        }
        other => stream.write_all(&misshapen(other, reply)).await?,
    }
    hang(stream).await
}

/// The bytes that are sent before nothing follows.
fn misshapen(wire: Wire, reply: &Reply) -> Vec<u8> {
    let whole = reply.body.len();
    let chunked = || ("transfer-encoding", "chunked".to_owned());
    let (head, body) = match wire {
        Wire::HangsInHeaders => return head(reply, &[]).into_bytes(),
        Wire::HangsInBody => (head(reply, &[length(whole)]), reply.body[..whole / 2].to_vec()),
        Wire::DeclaresMuch => (head(reply, &[length(1 << 50)]), b"[".to_vec()),
        Wire::Bomb(encoding) => {
            let zeros = std::io::Read::take(std::io::repeat(0), 8 << 20);
            let bomb = zstd::encode_all(zeros, 3).expect("it packs");
            (head(reply, &[length(bomb.len()), ("content-encoding", encoding.to_owned())]), bomb)
        }
        Wire::ShorterThanDeclared => (head(reply, &[length(whole + 1)]), reply.body.clone()),
        Wire::LongerThanDeclared => (head(reply, &[length(whole - 1)]), reply.body.clone()),
        Wire::TwoLengths => (head(reply, &[length(whole), length(whole - 1)]), reply.body.clone()),
        Wire::ManyHeaders => {
            let many: String = (0..10_000).map(|at| format!("x-{at}: {at}\r\n")).collect();
            (format!("{}{many}", head(reply, &[length(whole)])), reply.body.clone())
        }
        Wire::HugeHeader => (head(reply, &[length(whole), ("x-huge", "x".repeat(1 << 20))]), reply.body.clone()),
        Wire::BadChunk => (head(reply, &[chunked()]), b"zz\r\nhello\r\n".to_vec()),
        _ => return Vec::new(),
    };
    [head.as_bytes(), b"\r\n", &body].concat()
}
