//! One validator per ledger: a file lock beside a SQLite file, a session's advisory lock in PostgreSQL.
//!
//! Both are let go by the system when the process dies. PostgreSQL's may be lost without our death, when the server
//! restarts; every write therefore checks that the ledger still names this holder (see `write.rs`).

use std::ffi::OsString;
use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use aml_miner::locked_file::LockedFile;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection as _, Row as _};
use tokio::sync::Mutex;

/// How much of a lock file is read.
const LONGEST_HOLDER: u64 = 1000;
/// First half of the advisory lock's key; the second is the schema.
const LOCK_CLASS: i32 = 0x616d_6c31;
/// A process that was killed a moment ago may still be known to the server: it is waited for that long.
const PATIENCE: &str = "SET lock_timeout = '3s'";
/// A machine that died without a word is given up by the server after about a minute, not after hours. On a socket of the
/// same machine these say nothing, and need not.
const KEEPALIVE: &str = "SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 4; \
                         SET tcp_user_timeout = 60000";
/// How long a server may take to let somebody in.
pub(super) const ANSWER: Duration = Duration::from_secs(30);
/// SQLSTATE of a lock that was not got in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// What is held for as long as the ledger is open.
pub(super) enum Lock {
    /// Nothing: reading, or a ledger that nobody else can see.
    None,
    /// The locked file.
    File(Mutex<Option<LockedFile>>),
    /// The connection whose session has the lock.
    Session(Mutex<Option<AnyConnection>>),
}

/// Why there is no lock.
#[derive(Debug)]
pub(super) enum LockError {
    /// Somebody else has it.
    Held(String),
    /// The lock file cannot be used.
    File(PathBuf, io::Error),
    /// The server did not answer.
    Server(sqlx::Error),
}

impl Lock {
    /// Locks a file beside the ledger's and writes the holder into it.
    pub(super) fn of_file(ledger: &Path, holder: &str) -> Result<Self, LockError> {
        let mut name = OsString::from(ledger);
        name.push(".lock");
        let path = PathBuf::from(name);
        lock_file(&path, holder).map(|file| Self::File(Mutex::new(Some(file))))
    }

    /// Takes the advisory lock of the server's current schema, on a connection of its own.
    pub(super) async fn of_server(url: &str) -> Result<Self, LockError> {
        let options = AnyConnectOptions::from_str(url).map_err(LockError::Server)?;
        let mut session = connect_within(ANSWER, &options).await.map_err(LockError::Server)?;
        sqlx::query(PATIENCE).execute(&mut session).await.map_err(LockError::Server)?;
        sqlx::raw_sql(KEEPALIVE).execute(&mut session).await.map_err(LockError::Server)?;
        let asked = sqlx::query("SELECT pg_advisory_lock($1, hashtext(current_schema()))")
            .bind(LOCK_CLASS)
            .execute(&mut session)
            .await;
        match asked {
            Ok(_) => Ok(Self::Session(Mutex::new(Some(session)))),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => {
                Err(LockError::Held(named_holder(&mut session).await))
            }
            Err(error) => Err(LockError::Server(error)),
        }
    }

    /// Lets go.
    pub(super) async fn release(&self) {
        match self {
            Self::None => {}
            Self::File(file) => drop(file.lock().await.take()),
            Self::Session(session) => {
                if let Some(session) = session.lock().await.take() {
                    // The server lets go of the lock with the session, however it ends.
                    let _ = session.close().await;
                }
            }
        }
    }
}

/// A connection that is made within `limit`; a server that is half dead takes it and never says anything.
pub(super) async fn connect_within(limit: Duration, options: &AnyConnectOptions) -> Result<AnyConnection, sqlx::Error> {
    let made = tokio::time::timeout(limit, AnyConnection::connect_with(options)).await;
    made.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn lock_file(path: &Path, holder: &str) -> Result<LockedFile, LockError> {
    let failed = |error| LockError::File(path.to_owned(), error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match LockedFile::try_lock(options.open(path).map_err(failed)?) {
        Ok(mut file) => {
            file.set_len(0).map_err(failed)?;
            file.rewind().map_err(failed)?;
            file.write_all(holder.as_bytes()).map_err(failed)?;
            Ok(file)
        }
        Err((file, TryLockError::WouldBlock)) => {
            let mut text = Vec::new();
            let _ = file.take(LONGEST_HOLDER).read_to_end(&mut text);
            Err(LockError::Held(String::from_utf8_lossy(&text).into_owned()))
        }
        Err((_, TryLockError::Error(error))) => Err(failed(error)),
    }
}

/// Who holds the ledger, as it says itself.
async fn named_holder(session: &mut AnyConnection) -> String {
    let row = sqlx::query("SELECT value FROM ledger WHERE name = 'holder'").fetch_one(session).await;
    row.and_then(|row| row.try_get("value")).unwrap_or_else(|_| "another process".to_owned())
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use std::str::FromStr as _;
    use std::time::Duration;

    use sqlx::any::AnyConnectOptions;

    use super::connect_within;

    #[tokio::test]
    async fn a_server_that_takes_connections_and_says_nothing_is_given_up() {
        sqlx::any::install_default_drivers();
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("postgres://aml@{}/x", silent.local_addr().expect("an address"));
        let options = AnyConnectOptions::from_str(&url).expect("a URL");
        let given_up = connect_within(Duration::from_millis(20), &options).await;
        assert!(matches!(given_up, Err(sqlx::Error::PoolTimedOut)), "{given_up:?}");
    }
}
