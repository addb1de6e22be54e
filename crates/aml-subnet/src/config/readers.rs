//! `[validator.readers]`: who may read the API and the pages, and how much.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// More origins are a mistake.
const MOST: usize = 64;
/// The origin that stands for all.
pub const ANY_ORIGIN: &str = "*";

/// `[validator.readers]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderSettings {
    /// Requests of one client in a minute; 0 for any number. Those of this machine itself are not counted, unless a proxy names
    /// their client.
    pub requests_per_minute: u32,
    /// Addresses of reverse proxies, which name their clients in `X-Forwarded-For`.
    pub proxies: Vec<IpAddr>,
    /// Name of the environment variable with the token that readers must have; without one everybody may read.
    pub token_env: Option<String>,
    /// Or a file with it.
    pub token_file: Option<PathBuf>,
    /// Whether pages for people are open although there is a token.
    pub open_pages: bool,
    /// Origins of web pages that may read the API: `https://cases.example.com`, or `*` for all.
    pub origins: Vec<String>,
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self {
            requests_per_minute: 600,
            proxies: Vec::new(),
            token_env: None,
            token_file: None,
            open_pages: false,
            origins: Vec::new(),
        }
    }
}

impl ReaderSettings {
    /// Everything that is wrong, each as one line.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.token_env.is_some() && self.token_file.is_some() {
            problems.push("readers.token_env: give token_env or token_file".to_owned());
        }
        if self.open_pages && self.token_env.is_none() && self.token_file.is_none() {
            problems.push("readers.open_pages: without a token all pages are open".to_owned());
        }
        if self.origins.len() > MOST {
            problems.push(format!("readers.origins: at most {MOST}"));
        }
        for origin in self.origins.iter().filter(|origin| !is_origin(origin)) {
            problems.push(format!("readers.origins: `{origin}` is no origin as https://cases.example.com, or `*`"));
        }
        problems
    }
}

/// Whether a browser sends such an origin: a scheme, a host, and a port that is not the usual one; nothing behind it.
fn is_origin(text: &str) -> bool {
    if text == ANY_ORIGIN {
        return true;
    }
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let plain = host.bytes().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
    });
    plain && text.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{ReaderSettings, is_origin};

    #[test]
    fn origins_are_as_browsers_send_them() {
        for good in
            ["*", "https://cases.example.com", "http://localhost:3000", "https://192.0.2.7", "http://[::1]:8080"]
        {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "",
            "null",
            "cases.example.com",
            "https://",
            "https://a.example/",
            "https://a.example/x",
            "https://A.example",
            "ftp://a",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let both =
            ReaderSettings { token_env: Some("A".into()), token_file: Some("b".into()), ..ReaderSettings::default() };
        assert_eq!(both.problems().len(), 1);
        let open = ReaderSettings { open_pages: true, origins: vec!["null".into(); 65], ..ReaderSettings::default() };
        assert_eq!(open.problems().len(), 1 + 1 + 65);
        assert_eq!(ReaderSettings::default().problems(), Vec::<String>::new());
    }
}
