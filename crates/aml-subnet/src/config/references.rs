//! `[validator.references]`: from where miners fetch a round's task instead of being sent it.

use aml_miner::secret_url::SecretUrl;
use serde::{Deserialize, Serialize};

use super::forms::is_http_url;
use crate::protocol::reference::{MAX_PLACE, MAX_PLACES};

/// Characters that the digest of an object, and the way to it, add to a URL.
const ADDED: usize = 80;

/// `[validator.references]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReferenceSettings {
    /// URL under which miners reach this validator's read API, which serves objects below `/objects/`; without it they are
    /// fetched from mirrors alone.
    pub serve: Option<String>,
    /// Object stores that each round's object is put into.
    pub mirrors: Vec<MirrorSettings>,
}

/// `[[validator.references.mirrors]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorSettings {
    /// Where objects are written: `s3://bucket/prefix`, `http(s)://...` (WebDAV), or a directory that a web server shows.
    pub store: SecretUrl,
    /// Where miners find them: an `http` or `https` URL.
    pub url: String,
}

impl ReferenceSettings {
    /// Everything that is wrong, each as one line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let is_url = |url: &str| is_http_url(url) && url.len() + ADDED <= MAX_PLACE;
        if self.serve.as_deref().is_some_and(|url| !is_url(url)) {
            problems.push("references.serve: expected the http(s) URL of this validator's read API".to_owned());
        }
        if self.mirrors.iter().any(|mirror| !is_url(&mirror.url)) {
            problems.push("references.mirrors: `url` must be the http(s) URL that miners fetch from".to_owned());
        }
        if self.mirrors.len() + usize::from(self.serve.is_some()) > MAX_PLACES {
            problems.push(format!("references: at most {MAX_PLACES} places, `serve` counted"));
        }
        problems
    }
}
