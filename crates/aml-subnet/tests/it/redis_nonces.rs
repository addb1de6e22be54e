//! Several proxies share their memory of nonces in Redis, and fail closed without it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aml_miner::secret_url::SecretUrl;
use aml_subnet::protocol::replay::NonceStore as _;
use aml_subnet::protocol::replay::redis::RedisNonces;
use aml_subnet::protocol::{Nonce, Refusal};

use crate::common::dev_key;

/// A Redis of this test's own, on a Unix socket in a folder of its own.
struct Server {
    process: Child,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("redis.sock");
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn();
        match process {
            Ok(process) => Some(Self { process, socket, _folder: folder }),
            Err(error) => {
                println!("skipped: cannot run redis-server ({error}); on Debian: apt-get install redis-server");
                None
            }
        }
    }

    async fn connect(&self) -> RedisNonces {
        let url = SecretUrl::new(format!("redis+unix://{}", self.socket.display()));
        loop {
            match RedisNonces::connect(&url, "test".to_owned()).await {
                Ok(store) => return store,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const NOW: Duration = Duration::from_secs(1_795_000_000);

#[tokio::test]
async fn a_nonce_counts_once_among_all_processes_and_never_without_the_store() {
    let Some(mut server) = Server::start() else { return };
    let connect =
        tokio::time::timeout(Duration::from_secs(20), async { (server.connect().await, server.connect().await) });
    let (one, other) = connect.await.expect("redis-server starts");
    let (alice, bob) = (dev_key("Alice").hotkey(), dev_key("Bob").hotkey());
    assert_eq!(one.first_use(alice, Nonce::new(1), NOW).await, Ok(()));
    assert_eq!(other.first_use(alice, Nonce::new(1), NOW).await, Err(Refusal::Replayed));
    assert_eq!(other.first_use(bob, Nonce::new(1), NOW).await, Ok(()));
    assert_eq!(other.first_use(alice, Nonce::new(2), NOW).await, Ok(()));
    server.process.kill().expect("it runs");
    server.process.wait().expect("it ends");
    assert_eq!(one.first_use(alice, Nonce::new(3), NOW).await, Err(Refusal::StoreDown));
}

#[test]
fn a_redis_that_cannot_be_reached_is_named_without_its_password() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let hotkeys = folder.path().join("mine/hotkeys");
    std::fs::create_dir_all(&hotkeys).expect("a folder");
    std::fs::write(hotkeys.join("first"), format!("0x{}", "07".repeat(32))).expect("a file");
    std::fs::set_permissions(hotkeys.join("first"), PermissionsExt::from_mode(0o600)).expect("a mode");
    let config = folder.path().join("c.toml");
    std::fs::write(&config, "[protocol]\nredis_url_env = \"NONCES\"\n[axon]\nport = 0\n").expect("a file");
    let run = Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args([
            "miner",
            "--wallet.name",
            "mine",
            "--wallet.hotkey",
            "first",
            "--subtensor.chain_endpoint",
            "ws://127.0.0.1:1",
        ])
        .args(["--miner.status_listen", "127.0.0.1:0", "--wallet.path"])
        .arg(folder.path())
        .arg("--config")
        .arg(&config)
        .env("NONCES", "redis://:s3cret@127.0.0.1:1/0")
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    let told = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(!run.status.success() && told.contains("redis://127.0.0.1:1") && !told.contains("s3cret"), "{told}");
}
