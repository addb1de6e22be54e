//! What was found, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::file::Described;
use super::need::{Found, Need};
use super::purposes::{Outcome, PURPOSES};

/// Whether a neuron can work with a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is as it is needed, or something else stands in.
    Works,
    /// A neuron works, without something that it can do without.
    WorksWithLess,
    /// The metadata does not tell enough.
    Unknown,
    /// Something that a neuron needs is not there, or not as it is needed.
    Broken,
}

/// One thing that we use, whatever a runtime has of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// As in [`Finding`].
    pub kind: &'static str,
    /// Its full name.
    pub name: String,
    /// The type that it is read as, or its arguments.
    pub wanted: String,
}

impl Used {
    pub(super) fn of(need: &Need) -> Self {
        let name = if need.pallet.is_empty() { need.name.to_owned() } else { format!("{}.{}", need.pallet, need.name) };
        Self { kind: need.kind(), name, wanted: need.wanted() }
    }
}

/// What a runtime has of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it is needed.
    Same,
    /// Usable, with a difference.
    Close,
    /// Of another shape, and not usable.
    Changed,
    /// Not there.
    Missing,
    /// The metadata does not tell.
    Untold,
}

/// One thing that we use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `call`, `storage`, `constant`, `event`, `api`, `refusal` or `form`.
    pub kind: &'static str,
    /// Its full name.
    pub name: String,
    /// The type that it is read as, or its arguments.
    pub wanted: String,
    /// What the runtime has.
    pub state: State,
    /// What differs.
    pub difference: Option<String>,
    /// What happens then.
    pub consequence: Option<String>,
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// What it is.
    pub name: &'static str,
    /// Whether a neuron is of no use without it.
    pub vital: bool,
    /// Whether it works; nothing where the metadata does not tell.
    pub works: Option<bool>,
    /// In which way it works, or why it does not.
    pub how: String,
}

/// What a runtime has of all that we use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the runtime.
    pub spec_name: String,
    /// Version of the runtime; 0 where it does not say.
    pub spec_version: u32,
    /// Version of the form of the metadata.
    pub metadata_version: u8,
    /// In one word.
    pub verdict: Verdict,
    /// What works.
    pub services: Vec<Service>,
    /// Everything that we use.
    pub findings: Vec<Finding>,
}

/// Puts together what was found.
pub(super) fn of(described: &Described, found: &[(Found, Need)]) -> Report {
    let services: Vec<Service> = PURPOSES
        .iter()
        .map(|purpose| {
            let (works, how) = match purpose.judge(found) {
                Outcome::Works(way) => (Some(true), way.to_owned()),
                Outcome::Untold => (None, "version 14 of metadata does not tell of runtime APIs".to_owned()),
                Outcome::Broken(reasons) => (Some(false), reasons.join("; ")),
            };
            Service { name: purpose.name, vital: purpose.is_vital, works, how }
        })
        .collect();
    let broken = |vital: bool| services.iter().any(|service| service.works == Some(false) && service.vital == vital);
    let unknown = services.iter().any(|service| service.works.is_none());
    let verdict = match (broken(true), unknown, broken(false)) {
        (true, ..) => Verdict::Broken,
        (_, true, _) => Verdict::Unknown,
        (.., true) => Verdict::WorksWithLess,
        _ => Verdict::Works,
    };
    Report {
        spec_name: described.spec_name.clone(),
        spec_version: described.spec_version,
        metadata_version: described.version,
        verdict,
        services,
        findings: found.iter().map(|(found, need)| finding(found, need)).collect(),
    }
}

fn finding(found: &Found, need: &Need) -> Finding {
    let (state, difference, consequence) = match found {
        Found::Same => (State::Same, None, None),
        Found::Close(note) => (State::Close, Some(note.clone()), None),
        Found::Changed(note) => {
            (State::Changed, Some(note.clone()), Some(need.otherwise.unwrap_or("what uses it fails with an error")))
        }
        Found::Missing => (State::Missing, None, Some(need.without)),
        Found::Untold => (State::Untold, None, None),
    };
    let Used { kind, name, wanted } = Used::of(need);
    Finding { kind, name, wanted, state, difference, consequence: consequence.map(str::to_owned) }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spec_name, spec_version, metadata_version, .. } = self;
        writeln!(f, "runtime {spec_name} {spec_version}, metadata of version {metadata_version}")?;
        for finding in &self.findings {
            let state = match finding.state {
                State::Same => "same",
                State::Close => "close",
                State::Changed => "CHANGED",
                State::Missing => "missing",
                State::Untold => "untold",
            };
            write!(f, "  {state:<8} {:<9} {}", finding.kind, finding.name)?;
            for note in finding.difference.iter().chain(&finding.consequence) {
                write!(f, "; {note}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "what works:")?;
        for service in &self.services {
            let state = match service.works {
                Some(true) => "yes",
                Some(false) if service.vital => "NO",
                Some(false) => "no",
                None => "untold",
            };
            let how = if service.how.is_empty() { String::new() } else { format!(": {}", service.how) };
            writeln!(f, "  {state:<8} {}{how}", service.name)?;
        }
        f.write_str(match self.verdict {
            Verdict::Works => "a neuron works with this runtime",
            Verdict::WorksWithLess => "a neuron works with this runtime, without what is marked `no`",
            Verdict::Unknown => {
                "nothing that is told is wrong, but not everything is told: version 15 or 16 tells more"
            }
            Verdict::Broken => "a neuron does not work with this runtime: see what is marked `NO`",
        })
    }
}
