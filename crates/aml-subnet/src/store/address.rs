//! Where a ledger is: a file, memory, or a PostgreSQL server. From `DATABASE_URL`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aml_miner::secret_url::SecretUrl;
use sqlx::any::AnyConnectOptions;

/// Where a ledger is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file.
    File(PathBuf),
    /// SQLite in memory, gone with the process; for tests.
    Memory,
    /// A PostgreSQL server, by its URL, which may hold a password.
    Postgres(SecretUrl),
}

/// A text that names no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ledger's address: {why}; expected sqlite:PATH or postgres://USER@HOST/DATABASE")]
pub struct NotAnAddress {
    why: &'static str,
}

/// What to do about a server's address that cannot be taken apart.
const UNREADABLE: &str = "it cannot be taken apart: a password with one of `/ ? # [ ] @ : %` in it has to be \
                          percent-encoded, or leave it out and set PGPASSWORD";

/// Whether a server's address can be taken apart for certain: a slash in a password makes something else of it.
fn is_readable(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, rest) = path.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    AnyConnectOptions::from_str(url).is_ok() && (authority.contains('@') || !rest.contains('@'))
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = |why| Err(NotAnAddress { why });
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return if cfg!(feature = "postgres") {
                if is_readable(text) { Ok(Self::Postgres(SecretUrl::new(text))) } else { wrong(UNREADABLE) }
            } else {
                wrong("PostgreSQL needs the feature `postgres`, which this program was built without")
            };
        }
        let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) else {
            return wrong(if text.is_empty() {
                "it is empty"
            } else {
                "it starts with neither sqlite: nor postgres://"
            });
        };
        match path {
            ":memory:" => Ok(Self::Memory),
            "" => wrong("it names no file"),
            _ if path.contains('?') => wrong("a file takes no options, and no `?` in its name"),
            _ => Ok(Self::File(PathBuf::from(path))),
        }
    }
}

impl Address {
    /// The URL that the driver takes.
    pub(super) fn driver_url(&self, read_only: bool) -> String {
        match self {
            Self::File(path) => {
                format!("sqlite://{}?mode={}", escaped(path), if read_only { "ro" } else { "rwc" })
            }
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::Postgres(url) => url.expose().to_owned(),
        }
    }
}

/// Characters with a meaning in a URL, escaped.
fn escaped(path: &Path) -> String {
    let mut out = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Of a server scheme and host alone: fit for a log line.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "sqlite:{}", path.display()),
            Self::Memory => out.write_str("sqlite::memory:"),
            Self::Postgres(url) => write!(out, "{url}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Path, SecretUrl};

    #[test]
    fn an_address_is_a_file_or_a_server_and_shows_no_password() {
        let shown = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(shown("sqlite:ledger.sqlite").as_deref(), Ok("sqlite:ledger.sqlite"));
        assert_eq!(shown("sqlite:///var/lib/a b.sqlite").as_deref(), Ok("sqlite:/var/lib/a b.sqlite"));
        assert_eq!(shown("sqlite::memory:").as_deref(), Ok("sqlite::memory:"));
        let server = Address::Postgres(SecretUrl::new("postgres://aml:s3cret@db:5433/ledger?password=x"));
        assert_eq!(server.to_string(), "postgres://db:5433");
        if cfg!(feature = "postgres") {
            assert_eq!(shown("postgres:///ledger?host=/run").as_deref(), Ok("postgres://"));
            for unreadable in
                ["postgres://aml:s3/cret@db/ledger", "postgres://aml:12/cret@db/x", "postgres://a:s?cret@db/x"]
            {
                let refused = shown(unreadable).expect_err(unreadable).to_string();
                assert!(refused.contains("percent-encode") && refused.contains("PGPASSWORD"), "{refused}");
                assert!(!refused.contains("cret"), "{refused}");
            }
        } else {
            let refused = shown("postgres:///ledger?host=/run").expect_err("it was left out").to_string();
            assert!(refused.contains("needs the feature `postgres`"), "{refused}");
        }
        for wrong in ["", "sqlite:", "ledger.sqlite", "mysql://x", "sqlite:a?mode=rwc"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_survives_its_way_through_a_url() {
        let address = Address::File(Path::new("/x/a%b #ü.sqlite").to_owned());
        assert_eq!(address.driver_url(true), "sqlite:///x/a%25b%20%23%C3%BC.sqlite?mode=ro");
    }
}
