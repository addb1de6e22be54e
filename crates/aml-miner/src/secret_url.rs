//! URLs that may hold a secret: a password, a key in the path, a token in the query.
//!
//! Whatever prints one shows its scheme and its host, with the port, and nothing else; a text that cannot be taken apart
//! for certain shows less. What connects asks for all of it by name ([`SecretUrl::expose`]).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stands for the part that is not shown.
const HIDDEN: &str = "…";
/// Schemes of databases: nothing but a password has an `@` beside the one that ends it.
const DATABASES: [&str; 6] = ["postgres", "postgresql", "mysql", "redis", "rediss", "sqlite"];

/// A URL that may hold a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// This text, whatever it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// All of it, for whoever connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Scheme and host of a URL.
#[must_use]
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
        return HIDDEN.to_owned();
    }
    format!("{scheme}://{}", host(scheme, rest).unwrap_or(HIDDEN))
}

fn host<'a>(scheme: &str, rest: &'a str) -> Option<&'a str> {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => host,
        // An `@` that comes later may end a password with a slash in it: then this is no host.
        None if rest.contains('@') && (DATABASES.contains(&scheme) || !has_good_port(authority)) => return None,
        None if has_good_port(authority) => authority,
        None => authority.split(':').next().unwrap_or_default(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    host.chars().all(plain).then_some(host)
}

/// Whether what follows the last colon, if there is one, is a port.
fn has_good_port(authority: &str) -> bool {
    let after = authority.rsplit(']').next().unwrap_or_default();
    after.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok())
}

/// `text` with every URL in it cut down to scheme and host: for messages of libraries that quote what they were given.
#[must_use]
pub fn hide(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let start = rest[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
        // A space, a quote or a bracket ends it.
        let tail = &rest[at..];
        let length = tail.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')'));
        let end = at + length.unwrap_or(tail.len());
        let dots = rest[start..end].len() - rest[start..end].trim_end_matches([':', ',', ';', '.']).len();
        let end = end - dots;
        out.push_str(&rest[..start]);
        out.push_str(&shown(&rest[start..end]));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{SecretUrl, hide, shown};

    #[test]
    fn scheme_and_host_are_shown_and_nothing_else() {
        for (url, expected) in [
            ("wss://node.example.org:443/v1/s3cret", "wss://node.example.org:443"),
            ("wss://node.example.org/?apikey=s3cret", "wss://node.example.org"),
            ("https://aml:s3cret@sot.example.org/batches", "https://sot.example.org"),
            ("https://sot.example.org/batches@2025", "https://sot.example.org"),
            ("s3://bucket/s3cret/prefix", "s3://bucket"),
            ("redis://:s3cret@cache:6379/0", "redis://cache:6379"),
            ("postgres://aml:s3cret@db:5433/ledger?password=s3cret", "postgres://db:5433"),
            ("postgres:///ledger?host=/run", "postgres://"),
            ("http://[2001:db8::1]:8080/s3cret", "http://[2001:db8::1]:8080"),
            // What cannot be taken apart for certain.
            ("postgres://aml:s3/cret@db/ledger", "postgres://…"),
            ("postgres://aml:12/s3cret@db/ledger", "postgres://…"),
            ("postgres://aml:s3?cret@db/ledger", "postgres://…"),
            ("https://aml:s3/cret@sot.example.org", "https://…"),
            ("postgres://aml:s3cret", "postgres://aml"),
            ("postgres://aml:s3 cret%@d b/ledger", "postgres://…"),
            ("s3cret", "…"),
            ("s3:cret@db", "…"),
        ] {
            assert_eq!(shown(url), expected);
            let url = SecretUrl::new(url);
            assert_eq!((url.to_string(), format!("{url:?}")), (expected.to_owned(), expected.to_owned()));
        }
    }

    #[test]
    fn urls_in_a_message_of_somebody_else_are_cut_down() {
        let said =
            "Error performing GET https://u:s3cret@host/a?token=s3cret in 12ms - (http://[::1]:8/s3cret): refused";
        let hidden = "Error performing GET https://host in 12ms - (http://[::1]:8): refused";
        assert_eq!(hide(said), hidden);
        assert_eq!(hide("no URL here: a/b"), "no URL here: a/b");
        assert_eq!(hide("see wss://node/s3cret."), "see wss://node.");
    }
}
