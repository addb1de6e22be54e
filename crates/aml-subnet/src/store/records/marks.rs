//! Marks of a round: held, void, late, adopted.

use serde::{Deserialize, Serialize};

/// That something was said of a round, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at_ms: i64,
    /// Why, in one line.
    pub why: String,
}

/// What can be said of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// Waits because of a failure on our side; taken back when it goes on.
    Held,
    /// Counts nowhere; for good.
    Void,
    /// Merged and shown, not paid; for good.
    Late,
}

/// What befell a round. Rounds as they should be have none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// When its answers are opened; none for open answers.
    pub opening_ms: Option<i64>,
    /// Waiting because of a failure of ours.
    pub held: Option<Mark>,
    /// When its deadline was extended, which happens once.
    pub extended_ms: Option<i64>,
    /// Counts nowhere.
    pub void: Option<Mark>,
    /// Shown, not paid.
    pub late: Option<Mark>,
    /// Whose packs it comes from, where it was not run here.
    pub adopted: Option<String>,
    /// When outcomes were last looked for.
    pub outcomes_ms: Option<i64>,
}

impl Marks {
    /// Whether the round stands in anybody's numerator or denominator.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.void.is_none() && self.late.is_none()
    }

    /// Whether it did at a moment, in milliseconds since 1970.
    #[must_use]
    pub fn counted_at(&self, at_ms: i64) -> bool {
        [&self.void, &self.late].into_iter().flatten().all(|mark| mark.at_ms > at_ms)
    }
}
