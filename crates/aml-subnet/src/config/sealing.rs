//! `[sealing]`: which beacon answers are sealed to, and where else its rounds are read.

use std::time::Duration;

use aml_miner::secret_url::SecretUrl;
use serde::{Deserialize, Serialize};

use crate::beacon::{Beacon, OpeningRule};

/// More relays are a mistake.
const MOST_RELAYS: usize = 8;
/// Further away no development opening is.
const LONGEST: Duration = Duration::from_secs(600);

/// Whether miners' answers are sealed until their round opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// Nobody can read them before, whoever holds them.
    #[default]
    Sealed,
    /// As they are.
    Open,
}

/// What a miner sends to whoever asks without naming an opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpenRequests {
    /// An open answer, as long as nobody has asked for a sealed one lately: in a subnet that seals, a validator that asks for an
    /// open answer wants to use it.
    #[default]
    Auto,
    /// A refusal.
    Refuse,
    /// An open answer.
    Answer,
}

/// `[sealing]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SealingSettings {
    /// The beacon; `development` on development chains only.
    pub beacon: Beacon,
    /// HTTP APIs of drand, asked in this order when the chain does not have a round.
    pub relays: Vec<SecretUrl>,
    /// With the development beacon rounds open at the next multiple of this that is as far away.
    #[serde(with = "humantime_serde")]
    pub development_opening: Duration,
}

impl Default for SealingSettings {
    fn default() -> Self {
        Self { beacon: Beacon::default(), relays: Vec::new(), development_opening: Duration::from_secs(30) }
    }
}

impl SealingSettings {
    /// When rounds open.
    #[must_use]
    pub const fn rule(&self) -> OpeningRule {
        match self.beacon {
            Beacon::Quicknet => OpeningRule::SUBNET,
            Beacon::Development => OpeningRule::development(self.development_opening.as_secs()),
        }
    }

    /// Everything that is wrong, each as one line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.relays.len() > MOST_RELAYS {
            problems.push(format!("sealing.relays: at most {MOST_RELAYS}"));
        }
        for relay in self.relays.iter().filter(|relay| !super::forms::is_http_url(relay.expose())) {
            problems.push(format!("sealing.relays: {relay} is no http(s) URL"));
        }
        if !(Duration::from_secs(1)..=LONGEST).contains(&self.development_opening)
            || self.development_opening.subsec_nanos() != 0
        {
            problems
                .push(format!("sealing.development_opening: whole seconds, from one to {} of them", LONGEST.as_secs()));
        }
        problems
    }
}
