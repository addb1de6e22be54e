//! Opening a ledger: the lock, the connections, the schema.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Database, Executor as _};
use sqlx_core::transaction::TransactionManager as _;
use tokio::sync::Semaphore;

use super::address::{Address, NotAnAddress};
use super::dialect::Dialect;
use super::error::{StorageError, during};
use super::ledger::{Inner, Ledger};
use super::lock::{ANSWER, Lock, LockError, connect_within};
use super::migrate;

/// Connections at most; a page or two and the round are all that use them.
const CONNECTIONS: u32 = 10;

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who opens it, in the words that a second one is refused with.
    pub holder: String,
    /// Reads only: needs no lock, runs beside a validator, changes nothing, and wants an up-to-date ledger.
    pub read_only: bool,
}

/// Why a ledger was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenLedgerError {
    /// Not a ledger's address.
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    /// Somebody else writes to it.
    #[error("{address} is in use by {holder}: one validator per ledger; stop it first, or use another ledger")]
    Held {
        /// Where.
        address: String,
        /// By whom.
        holder: String,
    },
    /// There is nothing to read.
    #[error("there is no ledger at {address}: a validator makes it when it starts")]
    Missing {
        /// Where.
        address: String,
    },
    /// Written by a newer program.
    #[error("{address} has schema version {found}, this program knows {known}: it needs a newer aml-subnet")]
    Newer {
        /// Where.
        address: String,
        /// Its version.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// Written by an older program, and open for reading only.
    #[error(
        "{address} has schema version {found}, this program {known}: start the validator once to bring it up to date"
    )]
    Older {
        /// Where.
        address: String,
        /// Its version.
        found: i64,
        /// What is needed.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring {address} up to date")]
    Migrate {
        /// Where.
        address: String,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// Its file, or the lock's.
    #[error("cannot use {path}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error("cannot open {address}")]
    Storage {
        /// Where.
        address: String,
        /// Why.
        source: StorageError,
    },
}

impl Ledger {
    /// Opens the ledger at `url`, makes it where there is none, brings it up to date, and keeps others from writing to
    /// it until the last clone is dropped.
    ///
    /// # Errors
    /// Who holds it, what is wrong with its file, server or version.
    pub async fn open(url: &str, opening: &Opening) -> Result<Self, OpenLedgerError> {
        install_drivers();
        let address: Address = url.parse()?;
        let holder = format!("{} (process {})", opening.holder, std::process::id());
        let lock = prepare(&address, opening, &holder).await?;
        let dialect = Dialect::of(&address);
        let storage = |source| OpenLedgerError::Storage { address: address.to_string(), source };
        let pool = connect(&address, dialect, opening.read_only).await.map_err(during("open")).map_err(storage)?;
        check_version(&pool, dialect, &address, opening.read_only).await?;
        let token = if opening.read_only { None } else { Some(fresh_token(&address)?) };
        if token.is_some() {
            let migrated = migrate::run(&pool, dialect).await;
            migrated.map_err(|source| OpenLedgerError::Migrate { address: address.to_string(), source })?;
        }
        let ledger = Self::of(address.clone(), dialect, pool, token, lock);
        ledger.take_over(&holder).await.map_err(storage)?;
        Ok(ledger)
    }

    /// Opens an up-to-date ledger beside whoever holds it: without a lock and without a claim, so that all ordinary
    /// writes are refused, but over connections that can write.
    pub(super) async fn open_beside(url: &str) -> Result<Self, OpenLedgerError> {
        install_drivers();
        let address: Address = url.parse()?;
        if matches!(&address, Address::File(path) if !path.exists()) {
            return Err(OpenLedgerError::Missing { address: address.to_string() });
        }
        let dialect = Dialect::of(&address);
        let pool = connect(&address, dialect, false).await.map_err(during("open"));
        let pool = pool.map_err(|source| OpenLedgerError::Storage { address: address.to_string(), source })?;
        check_version(&pool, dialect, &address, true).await?;
        Ok(Self::of(address, dialect, pool, None, Lock::None))
    }

    fn of(address: Address, dialect: Dialect, pool: AnyPool, token: Option<String>, lock: Lock) -> Self {
        let writers = Arc::new(Semaphore::new(dialect.writers() as usize));
        Self { inner: Arc::new(Inner { address, dialect, pool, writers, token, lock, moments: Arc::default() }) }
    }
}

/// The drivers of both databases, and what they encrypt with.
pub(super) fn install_drivers() {
    sqlx::any::install_default_drivers();
    // `sslmode=verify-ca` takes the process's own choice, and panics where there is none. One that was made before is as
    // good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The lock, and a file that only its owner reads.
async fn prepare(address: &Address, opening: &Opening, holder: &str) -> Result<Lock, OpenLedgerError> {
    let lock = match address {
        Address::Memory => return Ok(Lock::None),
        Address::File(path) if opening.read_only => {
            let missing = || OpenLedgerError::Missing { address: address.to_string() };
            return if path.exists() { Ok(Lock::None) } else { Err(missing()) };
        }
        Address::Postgres(_) if opening.read_only => return Ok(Lock::None),
        Address::File(path) => {
            let private = make_private(path);
            let real = private.map_err(|source| OpenLedgerError::File { path: path.clone(), source })?;
            Lock::of_file(&real, holder)
        }
        Address::Postgres(url) => Lock::of_server(url.expose()).await,
    };
    lock.map_err(|error| match error {
        LockError::Held(holder) => OpenLedgerError::Held { address: address.to_string(), holder },
        LockError::File(path, source) => OpenLedgerError::File { path, source },
        LockError::Server(source) => {
            OpenLedgerError::Storage { address: address.to_string(), source: StorageError::of("lock", source) }
        }
    })
}

/// Makes the file, its owner's alone, and says where it really is. SQLite gives its side files the same mode.
fn make_private(path: &Path) -> io::Result<PathBuf> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    drop(file);
    fs::canonicalize(path)
}

pub(super) async fn connect(address: &Address, dialect: Dialect, read_only: bool) -> Result<AnyPool, sqlx::Error> {
    let options = AnyConnectOptions::from_str(&address.driver_url(read_only))?.disable_statement_logging();
    let told = dialect.on_connect(read_only);
    let memory = *address == Address::Memory;
    if !memory {
        // The pool would try for as long as one waits for a connection, and not say what is wrong.
        let mut first = connect_within(ANSWER, &options).await?;
        for statement in told.iter().chain(dialect.on_open(read_only)) {
            first.execute(*statement).await?;
        }
        first.close().await?;
    }
    let pool = AnyPoolOptions::new().acquire_timeout(ANSWER).after_connect(move |connection, _| {
        Box::pin(async move {
            for statement in told {
                connection.execute(*statement).await?;
            }
            Ok(())
        })
    });
    // What is in memory lives as long as its one connection.
    let pool = if memory {
        pool.max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None)
    } else {
        let pool = pool.max_connections(CONNECTIONS).before_acquire(|connection, _| Box::pin(in_step(connection)));
        // Whoever only reads a file reads that file to the end: connections that come later would open whatever lies in its place then.
        let stays = read_only && matches!(address, Address::File(_));
        if stays { pool.min_connections(CONNECTIONS).idle_timeout(None).max_lifetime(None) } else { pool }
    };
    pool.connect_with(options).await
}

/// SQLite ends a transaction by itself when the disk is full, and the driver would count it as open for ever. Opening another
/// connection takes space on the disk, so this one is brought back in step: a transaction is opened beside the driver, for
/// it to undo.
async fn in_step(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // Refused where one is open indeed.
        connection.execute("BEGIN").await.ok();
        <Any as Database>::TransactionManager::rollback(connection).await?;
    }
    Ok(true)
}

async fn check_version(
    pool: &AnyPool,
    dialect: Dialect,
    address: &Address,
    read_only: bool,
) -> Result<(), OpenLedgerError> {
    let found = migrate::version(pool, dialect).await.map_err(during("read the version"));
    let address = address.to_string();
    let found = found.map_err(|source| OpenLedgerError::Storage { address: address.clone(), source })?;
    let known = migrate::LATEST;
    match found {
        _ if found > known => Err(OpenLedgerError::Newer { address, found, known }),
        0 if read_only => Err(OpenLedgerError::Missing { address }),
        _ if read_only && found < known => Err(OpenLedgerError::Older { address, found, known }),
        _ => Ok(()),
    }
}

fn fresh_token(address: &Address) -> Result<String, OpenLedgerError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| OpenLedgerError::File {
        path: PathBuf::from(address.to_string()),
        source: io::Error::other(error.to_string()),
    })?;
    Ok(hex::encode(bytes))
}
