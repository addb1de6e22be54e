//! Says what is wrong with a set-up, in plain words.
//!
//! [`probe`] collects facts and never fails; [`judge`] turns them into findings and knows no sockets. Each class of trouble
//! has an exit code of its own; the code of a report is that of its first failure, in the order in which causes come before effects.

pub mod beacon;
mod costs;
mod facts;
pub mod judge;
pub mod probe;
mod prospects;

use serde::Serialize;

/// A class of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The hotkey does not open.
    Wallet,
    /// Others can read the hotkey.
    KeyPermissions,
    /// No chain endpoint answers.
    EndpointDown,
    /// Our clock is off.
    ClockSkew,
    /// The hotkey is not in the subnet.
    Unregistered,
    /// A validator without a permit.
    NoPermit,
    /// The axon cannot be reached, or the chain names another place.
    PortClosed,
    /// The inference API does not answer or is not ready.
    ApiDown,
    /// Parts of different versions.
    VersionMismatch,
    /// Cached batches that cannot be read, or no room for answers.
    Disk,
    /// A miner that is about to lose its place.
    Place,
    /// A miner whose last answers did not count.
    Rounds,
    /// The beacon that answers are sealed to.
    Beacon,
}

impl Class {
    /// All, causes before effects.
    pub const ALL: [Self; 13] = [
        Self::Wallet,
        Self::KeyPermissions,
        Self::EndpointDown,
        Self::ClockSkew,
        Self::Unregistered,
        Self::NoPermit,
        Self::PortClosed,
        Self::ApiDown,
        Self::VersionMismatch,
        Self::Disk,
        Self::Beacon,
        Self::Place,
        Self::Rounds,
    ];

    /// What the process exits with.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Wallet => 10,
            Self::KeyPermissions => 11,
            Self::EndpointDown => 12,
            Self::ClockSkew => 13,
            Self::Unregistered => 14,
            Self::NoPermit => 15,
            Self::PortClosed => 16,
            Self::ApiDown => 17,
            Self::VersionMismatch => 18,
            Self::Disk => 19,
            Self::Place => 20,
            Self::Rounds => 21,
            Self::Beacon => 22,
        }
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Good.
    Ok,
    /// Good enough, but worth a look.
    Warning,
    /// Wrong.
    Failed,
    /// Could not be looked at, because something before it is wrong.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which class it belongs to.
    pub class: Class,
    /// What it came to.
    pub state: State,
    /// What was seen.
    pub text: String,
    /// What to do; empty when there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub advice: String,
}

fn ok(class: Class, text: impl Into<String>) -> Finding {
    finding(class, State::Ok, text, "")
}

fn finding(class: Class, state: State, text: impl Into<String>, advice: &str) -> Finding {
    Finding { class, state, text: text.into(), advice: advice.to_owned() }
}

/// All checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In order: causes before effects.
    pub findings: Vec<Finding>,
}

impl Report {
    /// 0 when nothing failed, else the code of the first failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let failed = self.findings.iter().find(|finding| finding.state == State::Failed);
        failed.map_or(0, |finding| finding.class.exit_code())
    }

    /// For people.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let mark = match finding.state {
                State::Ok => "ok  ",
                State::Warning => "warn",
                State::Failed => "FAIL",
                State::Skipped => "skip",
            };
            text.push_str(&format!("{mark}  {}\n", finding.text));
            if !finding.advice.is_empty() {
                text.push_str(&format!("      -> {}\n", finding.advice));
            }
        }
        text
    }
}
