//! Where a ledger is: a file, memory, or a PostgreSQL server. From `DATABASE_URL`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a ledger is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file.
    File(PathBuf),
    /// SQLite in memory, gone with the process; for tests.
    Memory,
    /// A PostgreSQL server, by its URL, which may hold a password.
    Postgres(String),
}

/// A text that names no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a ledger's address: {why}; expected sqlite:PATH or postgres://USER@HOST/DATABASE")]
pub struct NotAnAddress {
    why: &'static str,
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = |why| Err(NotAnAddress { why });
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return if cfg!(feature = "postgres") {
                Ok(Self::Postgres(text.to_owned()))
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
            Self::Postgres(url) => url.clone(),
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

/// Without a password: fit for a log line.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "sqlite:{}", path.display()),
            Self::Memory => out.write_str("sqlite::memory:"),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
                let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
                let user = user.split(':').next().unwrap_or_default();
                let at = if user.is_empty() { "" } else { "@" };
                write!(out, "{scheme}://{user}{at}{host}/{database}")
            }
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
    use super::{Address, Path};

    #[test]
    fn an_address_is_a_file_or_a_server_and_shows_no_password() {
        let shown = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(shown("sqlite:ledger.sqlite").as_deref(), Ok("sqlite:ledger.sqlite"));
        assert_eq!(shown("sqlite:///var/lib/a b.sqlite").as_deref(), Ok("sqlite:/var/lib/a b.sqlite"));
        assert_eq!(shown("sqlite::memory:").as_deref(), Ok("sqlite::memory:"));
        let server = Address::Postgres("postgres://aml:s3cret@db:5433/ledger?password=x".to_owned());
        assert_eq!(server.to_string(), "postgres://aml@db:5433/ledger");
        if cfg!(feature = "postgres") {
            assert_eq!(shown("postgres:///ledger?host=/run").as_deref(), Ok("postgres:///ledger"));
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
