//! What happened, line by line, and the digest that says whether the same happened again.

use std::fmt;
use std::time::Duration;

use aml_miner::digest::Digest;

/// Everything that crossed an edge of the validator, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(Vec<Line>);

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// Since the simulation began.
    at: Duration,
    edge: &'static str,
    what: String,
}

impl Trace {
    pub(super) fn note(&mut self, at: Duration, edge: &'static str, what: String) {
        self.0.push(Line { at, edge, what });
    }

    /// How many events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// SHA-256 of all lines.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_string().as_bytes())
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { at, edge, what } in &self.0 {
            writeln!(f, "{:>12.6} {edge:<8} {what}", at.as_secs_f64())?;
        }
        Ok(())
    }
}
