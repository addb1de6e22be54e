//! A machine to upgrade: a root with programs and units, a stand-in `systemctl`, releases, and a server that answers as the
//! program that was started last.
//!
//! The programs of releases are scripts: they say their version, let the program of the tests look at settings, and start as told.

use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aml_miner::digest::Digest;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;

use crate::scores_cli::Desk;

const REAL: &str = env!("CARGO_BIN_EXE_aml-subnet");

/// What a program of a release does when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Opens the ledger, and answers.
    Well,
    /// As a program that knows schema 1 alone.
    WellOnOld,
    /// Opens the ledger, answers, and is never ready.
    Unready,
    /// Ends at once.
    Not,
}

/// What the server has to know.
pub(crate) struct Answers {
    folder: PathBuf,
    /// Whether a program that is started writes to the ledger before it fails.
    pub(crate) writes: AtomicBool,
    url: String,
}

/// The machine.
pub(crate) struct Machine {
    pub(crate) desk: Desk,
    pub(crate) answers: Arc<Answers>,
    address: SocketAddr,
    /// Where programs are, below the root.
    prefix: &'static str,
}

impl Machine {
    /// One on which the tarball of version 1.0.0 is installed and runs.
    pub(crate) async fn new(desk: Desk, old: Start) -> Self {
        Self::at_prefix(desk, old, "usr/local").await
    }

    /// One on which dpkg has installed the package of version 1.0.0; `None`, with the reason, where dpkg cannot.
    pub(crate) async fn packaged(desk: Desk, old: Start) -> Option<Self> {
        let root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
        let dpkg = Command::new("dpkg").arg("--version").output().is_ok_and(|output| output.status.success());
        if !root || !dpkg {
            eprintln!("skipped: only root installs packages, and only where there is dpkg");
            return None;
        }
        let machine = Self::at_prefix(desk, old, "usr").await;
        std::fs::create_dir_all(machine.at("root/var/lib/dpkg")).expect("a folder");
        std::fs::write(machine.at("root/var/lib/dpkg/status"), "").expect("written");
        let package = machine.package(&machine.at("own"), "1.0.0", old);
        must_run(Command::new("dpkg").arg("--root").arg(machine.at("root")).arg("--install").arg(package));
        Some(machine)
    }

    async fn at_prefix(desk: Desk, old: Start, prefix: &'static str) -> Self {
        let folder = desk.0.folder.path().to_owned();
        let answers = Arc::new(Answers { folder, writes: AtomicBool::new(false), url: desk.0.url.clone() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let releases = files_of(&desk.0.folder.path().join("served"));
        let app = Router::new()
            .route("/health", get(health))
            .route("/ready", get(ready))
            .with_state(Arc::clone(&answers))
            .merge(releases);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let machine = Self { desk, answers, address, prefix };
        machine.set_up(old);
        machine
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.desk.0.folder.path().join(path)
    }

    /// The server's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn set_up(&self, old: Start) {
        for folder in ["root/etc/systemd/system", "stand_in", "sot", "own", "served"] {
            std::fs::create_dir_all(self.at(folder)).expect("a folder");
        }
        self.programs(&self.bin(), "1.0.0", old);
        std::fs::write(self.at("root/etc/systemd/system/aml-subnet-validator.service"), "of 1.0.0").expect("written");
        std::fs::write(self.at("up"), "1.0.0").expect("written");
        let settings = format!(
            "netuid = 7\n[wallet]\nname = \"val\"\nhotkey = \"default\"\npath = \"{folder}/wallets\"\n\
             [miner]\nstatus_listen = \"{address}\"\n\
             [validator]\nsot = \"{folder}/sot\"\ndata_dir = \"{folder}/own\"\nlisten = \"{address}\"\n",
            folder = self.desk.0.folder.path().display(),
            address = self.address
        );
        std::fs::write(self.at("subnet.toml"), settings).expect("written");
        std::fs::write(self.at("validator.env"), format!("DATABASE_URL={}\n", self.answers.url)).expect("written");
        let bin = self.bin();
        for (unit, program, role) in [
            ("aml-subnet-validator", "aml-subnet", "validator --config"),
            ("aml-subnet-miner", "aml-subnet", "miner --config"),
            ("aml-miner-serve", "aml-miner-serve", "--config"),
        ] {
            let program = bin.join(program);
            let shown = format!(
                "LoadState=loaded\nUser=\nWorkingDirectory={folder}\nEnvironment=NOTE=x\n\
                 EnvironmentFiles={folder}/validator.env (ignore_errors=yes)\n\
                 ExecStart={{ path={program} ; argv[]={program} {role} {folder}/subnet.toml ; ignore_errors=no }}\n",
                folder = self.desk.0.folder.path().display(),
                program = program.display()
            );
            std::fs::write(self.at(&format!("stand_in/{unit}.service")), shown).expect("written");
        }
        script(&self.at("stand_in/systemctl"), SYSTEMCTL);
    }

    fn bin(&self) -> PathBuf {
        self.at("root").join(self.prefix).join("bin")
    }

    /// The package of a version, in a folder: programs, and a setting that an operator may change.
    fn package(&self, folder: &Path, version: &str, start: Start) -> PathBuf {
        let stage = self.at(&format!("package-{version}"));
        self.programs(&stage.join("usr/bin"), version, start);
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let control = format!(
            "Package: aml\nVersion: {version}\nArchitecture: {architecture}\n\
             Maintainer: nobody <nobody@aml.example>\nDescription: of a test\n in two lines\n"
        );
        for (path, text) in [
            ("DEBIAN/control", control.as_str()),
            ("DEBIAN/conffiles", "/etc/aml/miner.env\n/etc/aml/validator.env\n"),
            ("etc/aml/miner.env", version),
            ("etc/aml/validator.env", version),
            ("usr/share/aml/trained_models/model.txt", version),
        ] {
            let path = stage.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        let package = folder.join(format!("aml_{version}_{architecture}.deb"));
        must_run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&stage).arg(&package));
        package
    }

    /// What dpkg says is installed.
    pub(crate) fn of_dpkg(&self) -> String {
        let mut command = Command::new("dpkg-query");
        command.arg("--admindir").arg(self.at("root/var/lib/dpkg"));
        let output = command.args(["--show", "--showformat=${Version} ${db:Status-Status}", "aml"]).output();
        String::from_utf8_lossy(&output.expect("it runs").stdout).into_owned()
    }

    /// The four programs of a version.
    fn programs(&self, bin: &Path, version: &str, start: Start) {
        let home = self.desk.0.folder.path().display();
        // An empty folder is no export: the ledger is opened, and brought up to date, and nothing is imported.
        let opens = format!(
            "[ \"$1\" != validator ] || {REAL} import --config {home}/subnet.toml {home}/sot >/dev/null 2>&1; "
        );
        let starts = match start {
            Start::Well => format!("{opens}echo {version} >{home}/up"),
            Start::WellOnOld => {
                format!("{REAL} \"$@\" --facts | grep -q '\"schema\":1' && echo {version} >{home}/up")
            }
            Start::Unready => format!("{opens}echo {version} unready >{home}/up"),
            Start::Not => "exit 1".to_owned(),
        };
        let of = |name: &str, looks: &str| {
            format!(
                "#!/usr/bin/env bash\n[ \"$1\" != --version ] || {{ echo '{name} {version}'; exit; }}\n\
                 case \"$*\" in *--check*|*--facts*) {looks} ;; esac\n{starts}\n"
            )
        };
        std::fs::create_dir_all(bin).expect("a folder");
        script(&bin.join("aml-subnet"), &of("aml-subnet", &format!("exec {REAL} \"$@\"")));
        for name in ["aml-miner-serve", "aml-miner-batch", "aml-miner-train"] {
            script(&bin.join(name), &of(name, "exit 0"));
        }
    }

    /// A release in a folder, signed by the machine's own key.
    pub(crate) fn release(&self, version: &str, start: Start) -> PathBuf {
        let folder = self.at(&format!("served/release-{version}"));
        let name = format!("aml-{version}-{}-unknown-linux-gnu", std::env::consts::ARCH);
        let inside = folder.join(&name);
        self.programs(&inside.join("bin"), version, start);
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for part in ["deploy", "config"] {
            must_run(Command::new("cp").arg("-r").arg(repository.join(part)).arg(&inside));
        }
        for part in ["docs/page.md", "trained_models/model.txt"] {
            let path = inside.join(part);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, version).expect("written");
        }
        let tarball = format!("{name}.tar.gz");
        must_run(Command::new("tar").arg("-czf").arg(&tarball).arg(&name).current_dir(&folder));
        std::fs::remove_dir_all(inside).expect("it is ours");
        if self.prefix == "usr" {
            self.package(&folder, version, start);
        }
        self.seal(&folder, "key");
        folder
    }

    /// Sums of what lies in a folder, and the signature over them.
    pub(crate) fn seal(&self, folder: &Path, key: &str) {
        let key = self.at(key);
        if !key.exists() {
            must_run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
            let public = std::fs::read_to_string(key.with_extension("pub")).expect("a key");
            let named: Vec<&str> = public.split(' ').take(2).collect();
            let line = format!("aml-release namespaces=\"aml-release\" {}\n", named.join(" ").trim());
            std::fs::write(key.with_extension("signers"), line).expect("written");
        }
        let mut sums = String::new();
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let name = entry.file_name().into_string().expect("UTF-8");
            if !name.starts_with("SHA256SUMS") {
                sums.push_str(&format!("{}  {name}\n", Digest::of(&std::fs::read(entry.path()).expect("a file"))));
            }
        }
        std::fs::write(folder.join("SHA256SUMS"), sums).expect("written");
        let _ = std::fs::remove_file(folder.join("SHA256SUMS.sig"));
        let sign = ["-q", "-Y", "sign", "-n", "aml-release", "-f"];
        must_run(Command::new("ssh-keygen").args(sign).arg(&key).arg(folder.join("SHA256SUMS")));
    }

    /// The command, with the machine's own signers.
    pub(crate) async fn upgrade(&self, more: &[&str]) -> Output {
        let signers = self.at("key.signers");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(REAL);
        command
            .args(["upgrade", "--limit", "3"])
            .arg("--root")
            .arg(self.at("root"))
            .arg("--state")
            .arg(self.at("state"));
        command.arg("--signers").arg(signers).args(more).current_dir(self.desk.0.folder.path());
        command.env("PATH", format!("{}:{path}", self.at("stand_in").display())).env_remove("AML_SUBNET_CONFIG");
        tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("no panic")
    }

    /// What was told to `systemctl`, but for questions.
    pub(crate) fn told(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.at("stand_in/calls")).unwrap_or_default();
        calls.lines().filter(|line| !line.starts_with("show")).map(str::to_owned).collect()
    }

    /// The version that is installed.
    pub(crate) fn installed(&self) -> String {
        let output = Command::new(self.bin().join("aml-subnet")).arg("--version").output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// Stops and starts what it is told; `NRestarts` is what a file says.
const SYSTEMCTL: &str = r#"#!/usr/bin/env bash
here=$(cd "$(dirname "$0")" && pwd)
echo "$*" >>"$here/calls"
case $1 in
  show)
    cat "$here/$2"
    [ -e "$here/../up" ] && [ "$2" = aml-subnet-validator.service ] && echo ActiveState=active || echo ActiveState=inactive
    ;;
  stop) rm -f "$here/../up" ;;
  start)
    shift
    for unit in "$@"; do
      argv=$(sed -n 's/.*argv\[\]=\(.*\) ; ignore.*/\1/p' "$here/$unit")
      (cd "$here/.." && set -a && . ./validator.env && $argv) || true
    done
    ;;
esac
"#;

fn script(path: &Path, text: &str) {
    // Another name first: a file that is being written cannot be run.
    let new = path.with_extension("new");
    std::fs::write(&new, text).expect("written");
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    std::fs::rename(new, path).expect("moved");
}

fn must_run(command: &mut Command) {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn health(State(answers): State<Arc<Answers>>) -> (StatusCode, String) {
    let Ok(up) = std::fs::read_to_string(answers.folder.join("up")) else {
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    };
    if answers.writes.load(Ordering::SeqCst) && up.contains("unready") {
        answers.writes.store(false, Ordering::SeqCst);
        let ledger = crate::ledger_kit::must_open(&answers.url).await;
        crate::ledger_kit::must_reach(&ledger, 9, aml_subnet::store::records::Step::Tasked).await;
        ledger.close().await;
    }
    (StatusCode::OK, json!({ "version": up.split_whitespace().next() }).to_string())
}

async fn ready(State(answers): State<Arc<Answers>>) -> (StatusCode, String) {
    let up = std::fs::read_to_string(answers.folder.join("up")).unwrap_or_default();
    let ready = !up.is_empty() && !up.contains("unready");
    let reasons: &[&str] = if ready { &[] } else { &["the ledger does not answer"] };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json!({ "ready": ready, "reasons": reasons }).to_string())
}

/// The files of a folder, over HTTP.
fn files_of(folder: &Path) -> Router {
    let folder = folder.to_owned();
    let file = move |axum::extract::Path((release, name)): axum::extract::Path<(String, String)>| {
        let path = folder.join(release).join(name);
        async move { std::fs::read(path).map_err(|_| StatusCode::NOT_FOUND) }
    };
    Router::new().route("/releases/{release}/{name}", get(file))
}
