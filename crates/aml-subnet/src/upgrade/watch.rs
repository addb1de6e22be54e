//! Watching whether what was started does its work: `/ready`, and in `/health` the version that answers.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::facts::Facts;
use super::systemd::{self, Role};
use super::version::Version;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);
/// A unit that systemd has started again so often does not come up.
const RESTARTS: u32 = 3;
/// The longest answer of a probe.
const LONGEST: usize = 1 << 20;

/// What one look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The version that answers; `None` when nobody does.
    pub(super) version: Option<Version>,
    /// What is wrong with it; `None` when it did not say.
    pub(super) wrong: Option<Vec<String>>,
}

impl Look {
    /// Whether it answers, with nothing wrong.
    pub(super) fn is_ready(&self) -> bool {
        self.version.is_some() && self.wrong.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether `version` answers, and nothing is wrong with it that was not wrong with `before`.
    pub(super) fn is_as_good_as(&self, before: &Self, version: &Version) -> bool {
        let Some(wrong) = self.wrong.as_ref().filter(|_| self.version.as_ref() == Some(version)) else { return false };
        let known: Vec<String> = before.wrong.iter().flatten().map(|text| without_numbers(text)).collect();
        wrong.iter().all(|text| known.contains(&without_numbers(text)))
    }
}

/// Numbers grow while one waits.
fn without_numbers(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

#[derive(Deserialize)]
struct Health {
    version: String,
}

#[derive(Deserialize)]
struct Ready {
    ready: bool,
    #[serde(default)]
    reasons: Vec<String>,
}

/// Looks once.
pub(super) async fn look(facts: &Facts) -> Look {
    let Ok(client) = reqwest::Client::builder().timeout(LOOK).no_proxy().build() else { return Look::default() };
    let mut look = Look::default();
    if let Some(body) = get(&client, &format!("{}/health", facts.status)).await {
        look.version = serde_json::from_slice::<Health>(&body).ok().and_then(|health| health.version.parse().ok());
    }
    if let Some(body) = get(&client, &format!("{}/ready", facts.status)).await {
        look.wrong = serde_json::from_slice::<Ready>(&body).ok().map(|told| match told.ready {
            true => Vec::new(),
            false if told.reasons.is_empty() => vec!["it is not ready".to_owned()],
            false => told.reasons,
        });
    }
    look
}

/// The body of an answer of any status.
async fn get(client: &reqwest::Client, url: &str) -> Option<Vec<u8>> {
    let mut answer = client.get(url).send().await.ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return None;
        }
    }
    Some(body)
}

/// What is waited for.
pub(super) struct Awaited<'a> {
    pub(super) role: Role,
    pub(super) facts: &'a Facts,
    pub(super) version: &'a Version,
    /// What it was before.
    pub(super) before: &'a Look,
    pub(super) limit: Duration,
}

/// Waits until a started role is as good as before. Why it is not, when it does not come.
pub(super) async fn wait(awaited: &Awaited<'_>) -> Result<(), String> {
    let Awaited { role, facts, version, before, limit } = awaited;
    let end = Instant::now() + *limit;
    loop {
        let seen = look(facts).await;
        if seen.is_as_good_as(before, version) {
            return Ok(());
        }
        if let Some(unit) = gives_up(*role) {
            return Err(format!("{unit} was started {RESTARTS} times and does not stay: see journalctl -u {unit}"));
        }
        if Instant::now() >= end {
            let said = match (&seen.version, &seen.wrong) {
                (None, _) => format!("nobody answers at {}", facts.status),
                (Some(other), _) if other != *version => format!("version {other} answers at {}", facts.status),
                (_, None) => format!("{}/ready does not answer", facts.status),
                (_, Some(wrong)) => wrong.join("; "),
            };
            return Err(format!("not ready after {} s: {said}", limit.as_secs()));
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// A unit that does not stay up.
fn gives_up(role: Role) -> Option<&'static str> {
    let is_lost = |name: &&str| systemd::unit(name).is_ok_and(|unit| unit.restarts >= RESTARTS);
    role.units().iter().copied().find(is_lost)
}

#[cfg(test)]
mod tests {
    use super::Look;
    use crate::upgrade::version::Version;

    fn look(version: &str, wrong: Option<&[&str]>) -> Look {
        let wrong = wrong.map(|all| all.iter().map(ToString::to_string).collect());
        Look { version: version.parse().ok(), wrong }
    }

    #[test]
    fn what_was_wrong_before_may_be_wrong_still_and_nothing_else() {
        let new: Version = "1.1.0".parse().unwrap();
        let good = look("1.0.0", Some(&[]));
        let old = look("1.0.0", Some(&["weights are 3.4 tempos old"]));
        let is = |seen: &Look, before: &Look| seen.is_as_good_as(before, &new);
        assert!(is(&look("1.1.0", Some(&[])), &good) && is(&look("1.1.0", Some(&[])), &old));
        assert!(is(&look("1.1.0", Some(&["weights are 3.5 tempos old"])), &old));
        assert!(!is(&look("1.1.0", Some(&["weights are 3.5 tempos old"])), &good));
        assert!(!is(&look("1.1.0", Some(&["the ledger does not answer"])), &old));
        assert!(!is(&look("1.0.0", Some(&[])), &good), "the old one still answers");
        assert!(!is(&look("1.1.0", None), &old) && !is(&Look::default(), &Look::default()));
        assert!(look("1.1.0", Some(&[])).is_ready() && !old.is_ready() && !Look::default().is_ready());
    }
}
