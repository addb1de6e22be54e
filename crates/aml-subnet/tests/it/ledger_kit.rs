//! Databases of a test's own, and records to put into them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use aml_miner::digest::{Digest, Hashed};
pub(crate) use aml_miner::error_chain::with_causes as causes;
use aml_subnet::chain::commit::PendingReveal;
use aml_subnet::chain::plan::WeightsPlan;
use aml_subnet::chain::route::Route;
use aml_subnet::chain::weights::ChainWeights;
use aml_subnet::store::records::{
    Answer, Ask, BodyForm, Canonical, Form, Observations, Reply, RosterRow, Round, RoundId, Settled, Step, Task,
    Verdict, WeightsRecord, WeightsState,
};
use aml_subnet::store::{Ledger, OpenLedgerError, Opening};
use aml_subnet::validation::rules::RulesVersion;
use aml_subnet::validation::score::CanonicalScore;
use aml_subnet::validation::score::Score;
use aml_subnet::validation::tier1_integrity::{Check, Finding};
use aml_subnet::validation::tier2_traps::{Expected, TrapFinding, TrapGroup};
use aml_subnet::validation::tier3_settlement::{Label, Settlement};
use aml_subnet::wallet::Hotkey;

/// A place for a ledger, and what keeps it there.
pub(crate) struct Home {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
    server: Option<Server>,
}

impl Home {
    /// A folder for a SQLite file.
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("ledger.sqlite").display());
        Self { name: "SQLite", url, folder, server: None }
    }

    /// A PostgreSQL server on a socket; says so where there is none.
    pub(crate) fn server() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path())?;
        let url = server.url("postgres");
        Some(Self { name: "PostgreSQL", url, folder, server: Some(server) })
    }

    /// A PostgreSQL server that encrypts with `server.pem` and `server.key` of its folder, on a port of this machine;
    /// says so where there is none. `prepare` puts files there as the user that the server runs as.
    pub(crate) fn tls_server(prepare: impl FnOnce(&dyn Fn(&str) -> Command)) -> Option<(Self, u16)> {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = Server::init(folder.path())?;
        prepare(&|program| {
            let mut command = as_owner(unprivileged(), std::path::Path::new(program));
            command.current_dir(folder.path());
            command
        });
        let at = |name: &str| folder.path().join(name).display().to_string();
        // Somebody else may take the port before the server does.
        let started = (0..20).find_map(|_| {
            let free = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
            let settings = [
                "listen_addresses=127.0.0.1".to_owned(),
                "ssl=on".to_owned(),
                format!("ssl_cert_file={}", at("server.pem")),
                format!("ssl_key_file={}", at("server.key")),
            ];
            Server::launch(folder.path(), &bin, (free, &settings))
        });
        let server = started.expect("a port");
        let (port, url) = (server.port, format!("postgres://aml@localhost:{}/postgres", server.port));
        Some((Self { name: "PostgreSQL over TLS", url, folder, server: Some(server) }, port))
    }

    /// What a query of one value says, asked behind the program's back.
    pub(crate) fn server_ask(&self, query: &str) -> String {
        self.server.as_ref().expect("a server's home").sql("postgres", query)
    }

    /// Both.
    pub(crate) fn both() -> Vec<Self> {
        std::iter::once(Self::file()).chain(Self::server()).collect()
    }

    /// A second, empty database at the same home.
    pub(crate) fn another(&self, name: &str) -> String {
        match &self.server {
            None => format!("sqlite:{}", self.folder.path().join(format!("{name}.sqlite")).display()),
            Some(server) => {
                server.sql("postgres", &format!("CREATE DATABASE {name}"));
                server.url(name)
            }
        }
    }

    /// The file of a SQLite ledger.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    /// Changes a SQLite ledger behind the program's back.
    pub(crate) async fn sqlite_sql(&self, statement: &str) {
        use sqlx::Connection as _;
        let url = self.url.replacen("sqlite:", "sqlite://", 1);
        let mut connection = sqlx::AnyConnection::connect(&url).await.expect("it opens");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect("it runs");
        connection.close().await.expect("it closes");
    }

    /// Changes a PostgreSQL ledger behind the program's back.
    pub(crate) fn server_sql(&self, statement: &str) {
        self.server.as_ref().expect("a server's home").sql("postgres", statement);
    }

    /// Runs a file of statements in one of a server's databases.
    pub(crate) fn psql(&self, url: &str, file: &std::path::Path) {
        let done = Command::new(postgres_bin().expect("it was there a moment ago").join("psql"))
            .args(["--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(file)
            .arg(url)
            .output()
            .expect("psql runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// All of a server's ledger as statements.
    pub(crate) fn pg_dump(&self) -> String {
        let done = Command::new(postgres_bin().expect("it was there a moment ago").join("pg_dump"))
            .args(["--inserts", "--no-owner", "--no-privileges"])
            .arg(&self.url)
            .output()
            .expect("pg_dump runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // Newer tools fence the dump with commands that older ones do not know.
        let text = String::from_utf8(done.stdout).expect("it is SQL");
        text.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect()
    }

    /// Stops the server, as a crash would.
    pub(crate) fn stop(mut self) {
        let server = self.server.take().expect("a server's home");
        drop(server);
    }

    /// Where the files of the ledger, or the socket of its server, are.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn is_server(&self) -> bool {
        self.server.is_some()
    }

    pub(crate) async fn open(&self) -> Ledger {
        must_open(&self.url).await
    }
}

/// Opens for writing.
pub(crate) async fn must_open(url: &str) -> Ledger {
    open(url, "the test", false).await.unwrap_or_else(|error| panic!("{url}: {}", causes(&error)))
}

/// Opens in any way.
pub(crate) async fn open(url: &str, holder: &str, read_only: bool) -> Result<Ledger, OpenLedgerError> {
    Ledger::open(url, &Opening { holder: holder.to_owned(), read_only }).await
}

/// A PostgreSQL server that ends with the test.
struct Server {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    fn start(folder: &std::path::Path) -> Option<Self> {
        let bin = Self::init(folder)?;
        Some(Self::launch(folder, &bin, (5432, &["listen_addresses=".to_owned()])).expect("postgres starts"))
    }

    /// Makes an empty database; says so where there is no PostgreSQL. Where its programs are.
    fn init(folder: &std::path::Path) -> Option<PathBuf> {
        let Some(bin) = postgres_bin() else {
            println!("skipped: no PostgreSQL (no initdb); on Debian: apt-get install postgresql");
            return None;
        };
        let owner = unprivileged();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(folder, Some(uid), Some(gid)).expect("the folder is given away");
        }
        let data = folder.join("data");
        let made = as_owner(owner, &bin.join("initdb"))
            .args(["--no-sync", "--auth=trust", "--no-locale", "--encoding=UTF8", "--username=aml", "-D"])
            .arg(&data)
            .current_dir(folder)
            .stdout(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(bin)
    }

    /// Runs a server with more settings; none when it does not come up.
    fn launch(folder: &std::path::Path, bin: &std::path::Path, (port, settings): (u16, &[String])) -> Option<Self> {
        let mut process = as_owner(unprivileged(), &bin.join("postgres"))
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .args(["-c", &format!("port={port}"), "-c", "fsync=off", "-c", "max_connections=60", "-c"])
            .arg(format!("unix_socket_directories={}", folder.display()))
            .arg("-D")
            .arg(folder.join("data"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres runs");
        let mut log = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let ready = |line: &str| line.contains("ready to accept connections");
        let started = log.by_ref().map_while(Result::ok).any(|line| ready(&line));
        let server = Self { process, folder: folder.to_owned(), port };
        if !started {
            return None;
        }
        std::thread::spawn(move || log.for_each(drop));
        Some(server)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://aml@localhost/{database}?host={}", self.folder.display())
    }

    /// Does something in a database; what came of it, bare.
    fn sql(&self, database: &str, statement: &str) -> String {
        let bin = postgres_bin().expect("it was there a moment ago");
        let done = Command::new(bin.join("psql"))
            .args(["--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-U", "aml", "-d", database, "-c", statement])
            .args(["-p", &self.port.to_string(), "-h"])
            .arg(&self.folder)
            .output()
            .expect("psql runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Quits at once, and takes its own children with it.
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// Debian's place for each version, or what is on the path.
fn postgres_bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    places.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    places
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists() && bin.join("psql").exists())
}

/// PostgreSQL does not run as root: its own user, or nobody.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |args: &[&str]| {
        let output = Command::new("id").args(args).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|user| Some((id(&["-u", user])?, id(&["-g", user])?)))
}

/// A command as that user, ended when the thread that started it ends.
fn as_owner(owner: Option<(u32, u32)>, program: &std::path::Path) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((uid, gid)) = owner {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.args(["--pdeathsig", "QUIT"]).arg(program);
    command.env("LC_ALL", "C");
    command
}

/// The time of most things in these tests.
pub(crate) const NOW: i64 = 1_795_000_000_000;
/// The subnet of all of them.
pub(crate) const NETUID: u16 = 7;

pub(crate) fn miner(number: u8) -> Hotkey {
    Hotkey::from_bytes([number; 32])
}

/// A round of the n-th day of 2026.
pub(crate) fn id(day: u32) -> RoundId {
    let date = chrono::NaiveDate::from_yo_opt(2026, day).expect("a day of that year");
    RoundId { netuid: NETUID, date, window_days: 30 }
}

pub(crate) fn round(day: u32) -> Round {
    Round {
        id: id(day),
        step: Step::Fetched,
        rules: RulesVersion::V1,
        shadow: false,
        batch: Digest::of(format!("batch {day}").as_bytes()),
        alerts: 3,
        opened_ms: NOW,
        deadline_ms: None,
        commitment: None,
        published_ms: None,
        settled_ms: None,
        list: None,
        marks: Default::default(),
    }
}

pub(crate) fn task(day: u32) -> Task {
    let row = |number: u32| RosterRow {
        alert_id: format!("alert-{day}-{number}"),
        address: format!("address-{}", number % 2),
        typology: "structuring".to_owned(),
        severity: "high".to_owned(),
    };
    let ask = |uid: u8| Ask {
        uid: u16::from(uid),
        axon: Some(([203, 0, 113, uid], 8091).into()),
        issued: vec![(1, format!("trap-{uid}"))],
        groups: vec![TrapGroup { name: "mixing".to_owned(), expected: Expected::High, places: vec![1] }],
        receipt_key: None,
    };
    Task {
        salt: [9; 32],
        deadline_ms: NOW + 60_000,
        traps: None,
        roster: (0..3).map(row).collect(),
        asks: (1..=3).map(|uid| (miner(uid), ask(uid))).collect(),
        common: None,
        sealing: None,
        arrow: None,
        reference: None,
    }
}

pub(crate) fn commitment() -> Digest {
    Digest::of(b"salt and traps")
}

/// A body that is unlike that of any other miner and day.
pub(crate) fn body(day: u32, number: u8) -> Vec<u8> {
    format!("{{\"scores\":[0.1,0.2,0.{number}],\"day\":{day}}}").into_bytes()
}

/// A body as the ledger takes it.
pub(crate) fn hashed(body: impl Into<Vec<u8>>) -> Arc<Hashed> {
    Arc::new(Hashed::of(body.into()))
}

pub(crate) fn answer(day: u32, number: u8) -> Answer {
    let body = body(day, number);
    Answer {
        hotkey: miner(number),
        reply: Reply::Answered,
        form: Form::Btauth,
        request: Some(Digest::of(b"request")),
        request_form: BodyForm::Json,
        sent_bytes: None,
        status: Some(200),
        receipt: Some("receipt".to_owned()),
        headers: BTreeMap::from([("x-aml-answer-nonce".to_owned(), "1".to_owned())]),
        body: Some(Digest::of(&body)),
        bytes: body.len() as u64,
        asked_ms: NOW + i64::from(day) * 86_400_000 + i64::from(number),
        took_ms: 250,
        in_time: true,
        attempts: Vec::new(),
        sealed: None,
        takes_arrow: false,
        takes_references: false,
    }
}

/// No answer at all.
pub(crate) fn silence(number: u8) -> Answer {
    Answer {
        reply: Reply::Unreachable("connection refused".to_owned()),
        status: None,
        receipt: None,
        headers: BTreeMap::new(),
        body: None,
        bytes: 0,
        in_time: false,
        ..answer(1, number)
    }
}

/// Accepted for miners 1 and 2, with numbers that are hard to write in decimal.
pub(crate) fn verdict(number: u8) -> Verdict {
    let accepted = number < 3;
    Verdict {
        hotkey: miner(number),
        uid: u16::from(number),
        accepted: if accepted { Ok(()) } else { Err("no answer".to_owned()) },
        tier1: accepted.then_some(1.0 / 3.0 + f64::from(number) * f64::EPSILON),
        checks: vec![Finding { check: Check::Format, fault: None }],
        tier2: accepted.then_some(f64::from_bits(0x3FE9_9999_9999_999A + u64::from(number))),
        traps: vec![TrapFinding { name: "mixing".to_owned(), share: 0.1 + 0.2, passed: false }],
        observations: Observations { entropy: Some(5e-324), ..Observations::default() },
        model_version: Some("1.0.0".to_owned()),
        receipt_key: accepted.then(|| Digest::of(&[number])),
        took_ms: 250,
        advantage: None,
        stored: None,
    }
}

pub(crate) fn verdicts() -> Vec<Verdict> {
    (1..=3).map(verdict).collect()
}

pub(crate) fn canonical() -> Canonical {
    let score = |value: f64| CanonicalScore {
        score: Score::new(value).expect("a probability"),
        deviation: value / 7.0,
        miners: 2,
    };
    Canonical {
        rules: RulesVersion::V1,
        scores: vec![score(0.1 + 0.2), score(5e-324), score(1.0 - f64::EPSILON)],
        weights: BTreeMap::from([(miner(1), 2.0 / 3.0), (miner(2), 1.0 / 3.0)]),
        performance: BTreeMap::from([(miner(1), 0.45)]),
    }
}

pub(crate) fn settled() -> Settled {
    let settlement = |score| Settlement { auc: 0.9, brier: 0.1, log_loss: 0.3, ece: 1.0 / 3.0, ndcg: 0.8, score };
    Settled {
        rules: RulesVersion::V1,
        labels: vec![Label { place: 0, illicit: true, relevance: 2 }],
        miners: BTreeMap::from([(miner(1), Some(settlement(0.1 + 0.7))), (miner(2), None)]),
        canonical: Some(settlement(0.8)),
        beside: BTreeMap::new(),
    }
}

pub(crate) fn weights(epoch: u64) -> WeightsRecord {
    let content = PendingReveal {
        netuid: NETUID,
        mechanism: 0,
        weights: ChainWeights { uids: vec![1, 2], values: vec![65535, 1] },
        salt: vec![1, 2, 3],
        version_key: u64::MAX,
    };
    WeightsRecord {
        epoch,
        vector: Digest::of(b"vector"),
        plan: WeightsPlan { route: Route::HashCommit, content },
        state: WeightsState::Planned,
        made_ms: NOW,
    }
}

/// Takes a round up to a step.
pub(crate) async fn must_reach(ledger: &Ledger, day: u32, step: Step) {
    ledger.begin(&round(day)).await.expect("it begins");
    if step >= Step::Tasked {
        ledger.record_task(id(day), &task(day), commitment()).await.expect("it is tasked");
    }
    if step >= Step::Asked {
        for number in [1, 2] {
            let body = hashed(body(day, number));
            ledger.record_answer(id(day), &answer(day, number), Some(&body)).await.expect("an answer");
        }
        ledger.record_answer(id(day), &silence(3), None).await.expect("no answer");
        ledger.finish_asking(id(day)).await.expect("it is asked");
    }
    if step >= Step::Judged {
        ledger.record_verdicts(id(day), &verdicts()).await.expect("it is judged");
    }
    if step >= Step::Merged {
        ledger.record_canonical(id(day), Some(&canonical())).await.expect("it is merged");
    }
    if step >= Step::Published {
        ledger.publish(id(day), NOW + 1).await.expect("it is published");
    }
    if step >= Step::Settled {
        ledger.record_settled(id(day), &settled(), NOW + 2).await.expect("it is settled");
    }
}
