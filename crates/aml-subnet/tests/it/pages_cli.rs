//! `aml-subnet pages`: what a validator shows, from a copy or beside it; nothing is written, and a newer copy is taken.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use aml_miner::digest::Digest;
use aml_subnet::store::records::Step;
use serde_json::Value;

use crate::common::dev_key;
use crate::ledger_kit::{Home, id, must_reach};
use crate::{api_batch, api_kit};

/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and where it listens.
struct Server {
    child: Child,
    address: String,
    lines: Mutex<Receiver<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one on a ledger, in an empty folder.
    fn start(url: &str, folder: &Path) -> Self {
        Self::start_with(url, folder, &[])
    }

    /// Starts one with more arguments.
    fn start_with(url: &str, folder: &Path, more: &[&str]) -> Self {
        let hotkey = dev_key("Alice").hotkey().to_string();
        let mut child = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
            .args(["pages", "--hotkey", &hotkey, "--validator.listen", "127.0.0.1:0"])
            .args(more)
            .current_dir(folder)
            .env("DATABASE_URL", url)
            .env_remove("AML_SUBNET_CONFIG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let (told, lines) = std::sync::mpsc::channel();
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        for reader in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let told = told.clone();
            std::thread::spawn(move || {
                BufReader::new(reader).lines().map_while(Result::ok).for_each(|line| drop(told.send(line)))
            });
        }
        let lines = Mutex::new(lines);
        let line = said(&lines, "pages are served");
        let rest = line.split("127.0.0.1:").nth(1).expect("an address");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Self { child, address: format!("127.0.0.1:{port}"), lines }
    }

    /// Status and body.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }
}

/// The next line of the log with such a text.
fn said(lines: &Mutex<Receiver<String>>, text: &str) -> String {
    let lines = lines.lock().expect("not poisoned");
    let mut all = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok());
    all.find(|line| line.contains(text)).unwrap_or_else(|| panic!("it never says: {text}"))
}

fn rounds(server: &Server) -> usize {
    server.json("/rounds")["rounds"].as_array().expect("a list").len()
}

fn copied(home: &Home, name: &str) {
    let done = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["backup", name])
        .current_dir(home.folder.path())
        .env("DATABASE_URL", &home.url)
        .env_remove("AML_SUBNET_CONFIG")
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_served_unchanged_and_a_newer_one_is_taken() {
    let home = Home::file();
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Published).await;
    copied(&home, "copy.sqlite");
    let (served, empty) = (home.folder.path().join("served.sqlite"), tempfile::tempdir().expect("a folder"));
    std::fs::rename(home.folder.path().join("copy.sqlite"), &served).expect("moved");
    let before = Digest::of(&std::fs::read(&served).expect("a copy"));
    let server = Server::start(&format!("sqlite://{}", served.display()), empty.path());
    assert_eq!(rounds(&server), 1);
    assert_eq!(server.json("/canonical/latest").as_array().map(Vec::len), Some(3));
    let (status, page) = server.get("/");
    assert!(status == 200 && page.contains("read-only, without the chain"), "{page}");
    assert_eq!(server.get("/ready").0, 200, "it waits for no chain");
    assert_eq!(server.get(&format!("/page/rounds/{}", id(1))).0, 200);
    for path in
        ["/health", "/metrics", "/weights", "/miners", "/page/weights", "/page/miners", "/llms.txt", "/page/drift"]
    {
        assert_eq!(server.get(path).0, 200, "{path}");
    }
    assert_eq!(Digest::of(&std::fs::read(&served).expect("a copy")), before, "nothing is written");
    must_reach(&ledger, 2, Step::Published).await;
    copied(&home, "newer.sqlite");
    std::fs::rename(home.folder.path().join("newer.sqlite"), &served).expect("moved into place");
    // Whoever asks meanwhile is answered, by the one or by the other.
    let end = Instant::now() + PATIENCE;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while rounds(&server) < 2 {
                    assert!(Instant::now() < end, "the newer copy is not taken");
                }
            });
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_serves_beside_the_validator() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Published).await;
        let empty = tempfile::tempdir().expect("a folder");
        let servers = [Server::start(&home.url, empty.path()), Server::start(&home.url, empty.path())];
        // What the validator writes meanwhile is seen by all, and none of them holds it up.
        must_reach(&ledger, 2, Step::Published).await;
        for server in &servers {
            assert_eq!(rounds(server), 2, "{}", home.name);
        }
        let left: Vec<_> = std::fs::read_dir(empty.path()).expect("a folder").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn what_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ledger.sqlite");
    let done = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(["pages", "--hotkey", &dev_key("Alice").hotkey().to_string(), "--validator.listen", "127.0.0.1:0"])
        .env("DATABASE_URL", format!("sqlite://{}", file.display()))
        .env_remove("AML_SUBNET_CONFIG")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("there is no ledger at"), "{said}");
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_copy_is_served_until_a_good_one_is_there() {
    let home = Home::file();
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Published).await;
    copied(&home, "copy.sqlite");
    let file = |name: &str| home.folder.path().join(name);
    let (served, empty) = (file("served.sqlite"), tempfile::tempdir().expect("a folder"));
    std::fs::rename(file("copy.sqlite"), &served).expect("moved");
    // The other way to write an address is watched too.
    let server = Server::start(&format!("sqlite:{}", served.display()), empty.path());
    assert_eq!(rounds(&server), 1);
    must_reach(&ledger, 2, Step::Published).await;
    copied(&home, "newer.sqlite");
    let whole = std::fs::read(file("newer.sqlite")).expect("a copy");
    // Half of a ledger, and none at all.
    for bad in [&whole[..whole.len() / 2 / 4096 * 4096], b"not a ledger"] {
        std::fs::write(file("bad"), bad).expect("written");
        std::fs::rename(file("bad"), &served).expect("moved into place");
        said(&server.lines, "cannot be served");
        // More at once than it has served before: all of them see the old one.
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(rounds(&server), 1));
            }
        });
    }
    std::fs::rename(file("newer.sqlite"), &served).expect("moved into place");
    said(&server.lines, "another copy of the ledger is there");
    said(&server.lines, "pages are served");
    assert_eq!(rounds(&server), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_reads_is_hung_up_on_when_a_newer_copy_is_taken() {
    let home = Home::file();
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Published).await;
    copied(&home, "copy.sqlite");
    let file = |name: &str| home.folder.path().join(name);
    let (served, empty) = (file("served.sqlite"), tempfile::tempdir().expect("a folder"));
    std::fs::rename(file("copy.sqlite"), &served).expect("moved");
    let server = Server::start(&format!("sqlite://{}", served.display()), empty.path());
    let mut open = TcpStream::connect(&server.address).expect("it listens");
    assert_eq!(must_ask(&mut open), 1);
    must_reach(&ledger, 2, Step::Published).await;
    copied(&home, "newer.sqlite");
    std::fs::rename(file("newer.sqlite"), &served).expect("moved into place");
    let end = Instant::now() + PATIENCE;
    while must_ask(&mut open) < 2 {
        assert!(Instant::now() < end, "the newer copy is not taken");
        std::thread::yield_now();
    }
}

/// Asks for rounds on a connection that stays open; how many there are.
fn must_ask(stream: &mut TcpStream) -> usize {
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    write!(stream, "GET /rounds HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part).expect("an answer");
        assert!(read > 0, "hung up on after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        let length = text
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
        if length.is_some_and(|length: usize| body.len() >= length) {
            let told: Value = serde_json::from_str(body).expect("JSON");
            return told["rounds"].as_array().expect("a list").len();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_batch_says_is_shown_and_not_kept() {
    let home = Home::file();
    let ledger = home.open().await;
    api_kit::must_round(&ledger, api_kit::DAYS, Step::Published).await;
    let folder = tempfile::tempdir().expect("a folder");
    api_batch::must_write(&folder.path().join("batches"));
    let server = Server::start_with(&home.url, folder.path(), &["--validator.data_dir", "."]);
    let told = server.json("/drift");
    let mix = told["months"][0]["mix"].as_array().expect("a list").clone();
    let network = mix.iter().find(|mix| mix["by"] == "network").expect("named");
    assert_eq!(network["known"], serde_json::json!(api_kit::ALERTS), "the batch was read");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("readable").file_name()).collect();
    assert_eq!(left, ["batches"], "nothing is written");
}
