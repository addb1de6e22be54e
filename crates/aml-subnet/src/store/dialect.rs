//! All that SQLite and PostgreSQL write differently.

use super::address::Address;

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// What is spoken at an address.
    pub(super) const fn of(address: &Address) -> Self {
        match address {
            Address::File(_) | Address::Memory => Self::Sqlite,
            Address::Postgres(_) => Self::Postgres,
        }
    }

    /// Begins a transaction that will write. SQLite's takes the write lock at once, for a read that turns into a write
    /// fails when another came first.
    pub(super) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Begins a transaction that sees one instant, whatever is written meanwhile.
    pub(super) const fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Reads who holds the ledger, and keeps it so until the transaction ends.
    pub(super) const fn read_token(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT value FROM ledger WHERE name = 'token'",
            Self::Postgres => "SELECT value FROM ledger WHERE name = 'token' FOR SHARE",
        }
    }

    /// Reads how far a round has come, and keeps it there until the transaction ends.
    pub(super) const fn hold_step(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT step FROM rounds WHERE id = $1",
            Self::Postgres => "SELECT step FROM rounds WHERE id = $1 FOR SHARE",
        }
    }

    /// Counts the tables of a name.
    pub(super) const fn count_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
            Self::Postgres => {
                "SELECT COUNT(*) FROM information_schema.tables \
                 WHERE table_schema = current_schema() AND table_name = $1"
            }
        }
    }

    /// What every new connection is told. A commit is on disk when it returns; nobody waits for another's lock for ever.
    pub(super) const fn on_connect(self, read_only: bool) -> &'static [&'static str] {
        match (self, read_only) {
            (Self::Sqlite, false) => &["PRAGMA busy_timeout = 30000", "PRAGMA synchronous = FULL"],
            (Self::Sqlite, true) => &["PRAGMA busy_timeout = 30000"],
            (Self::Postgres, false) => &["SET synchronous_commit = on", "SET lock_timeout = '30s'"],
            (Self::Postgres, true) => &["SET default_transaction_read_only = on", "SET lock_timeout = '30s'"],
        }
    }

    /// What the first connection is told: space of swept bodies is given back. The database keeps it, and a full disk may have
    /// no room for being told again.
    pub(super) const fn on_open(self, read_only: bool) -> &'static [&'static str] {
        match (self, read_only) {
            (Self::Sqlite, false) => &["PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL"],
            _ => &[],
        }
    }

    /// What writes everything anew, so that nothing is left in the files of what was overwritten.
    pub(super) const fn scrub(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["VACUUM"],
            Self::Postgres => &[
                "VACUUM (FULL) rounds",
                "VACUUM (FULL) tasks",
                "VACUUM (FULL) answers",
                "VACUUM (FULL) bodies",
                "VACUUM (FULL) verdicts",
                "VACUUM (FULL) alerts",
                "VACUUM (FULL) outcomes",
                "VACUUM (FULL) files",
            ],
        }
    }

    /// A migration in this dialect.
    pub(super) fn write(self, migration: &str) -> String {
        let (key, blob, clustered) = match self {
            Self::Sqlite => ("TEXT", "BLOB", " WITHOUT ROWID"),
            // Sorted by bytes, as SQLite does.
            Self::Postgres => ("TEXT COLLATE \"C\"", "BYTEA", ""),
        };
        migration.replace("{key}", key).replace("{blob}", blob).replace("{clustered}", clustered)
    }

    /// How many transactions write at once. SQLite has one writer; waiting here is fair, waiting in it is not.
    pub(super) const fn writers(self) -> u32 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 8,
        }
    }
}
