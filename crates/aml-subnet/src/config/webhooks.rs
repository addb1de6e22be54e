//! `[[validator.webhooks]]`: who is told when a round is published, gets outcomes, or is settled.

use std::path::PathBuf;

use aml_miner::secret_url::SecretUrl;
use serde::{Deserialize, Serialize};

use super::forms::is_http_url;

/// More are a mistake.
const MOST: usize = 16;

/// What somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookEvent {
    /// Canonical scores of a round may be read.
    Published,
    /// Outcomes of a round became known, changed, or were withdrawn.
    Outcomes,
    /// Nothing about a round changes any more.
    Settled,
    /// A round that was published counts nowhere after all.
    Void,
}

impl WebhookEvent {
    /// All of them, in the order in which they come about.
    pub const ALL: [Self; 4] = [Self::Published, Self::Outcomes, Self::Settled, Self::Void];

    /// Its name in a message.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "round.published",
            Self::Outcomes => "round.outcomes",
            Self::Settled => "round.settled",
            Self::Void => "round.void",
        }
    }
}

/// One of `[[validator.webhooks]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where messages are sent.
    pub url: SecretUrl,
    /// Name of the environment variable with the secret that they are signed with; without one the hotkey alone signs.
    pub secret_env: Option<String>,
    /// Or a file with it.
    pub secret_file: Option<PathBuf>,
    /// What is told.
    pub events: Vec<WebhookEvent>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        let events = WebhookEvent::ALL.to_vec();
        Self { url: SecretUrl::new(""), secret_env: None, secret_file: None, events }
    }
}

/// Everything that is wrong, each as one line.
pub(super) fn problems(webhooks: &[WebhookSettings]) -> Vec<String> {
    let mut problems = Vec::new();
    if webhooks.len() > MOST {
        problems.push(format!("webhooks: at most {MOST}"));
    }
    for (at, one) in webhooks.iter().enumerate() {
        let mut refuse = |wrong: bool, text: &str| {
            if wrong {
                problems.push(format!("webhooks[{at}].{text}"));
            }
        };
        refuse(!is_http_url(one.url.expose()), "url: expected http://host or https://host");
        refuse(one.events.is_empty(), "events: expected some of published, outcomes, settled, void");
        refuse(one.secret_env.is_some() && one.secret_file.is_some(), "secret_env: give secret_env or secret_file");
        refuse(webhooks.iter().take(at).any(|other| other.url == one.url), "url: stands there twice");
    }
    problems
}
