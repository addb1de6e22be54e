//! What became known of alerts, with what was said before.

/// A version of an alert's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOutcome {
    /// Place of the alert in the roster.
    pub place: u32,
    /// The address that it is about.
    pub address: String,
    /// Whether it is illicit; `None` where an outcome was withdrawn.
    pub illicit: Option<bool>,
    /// 2 confirmed illicit, 1 suspicious, 0 clean.
    pub relevance: u8,
    /// When it became known, by the source.
    pub confirmed_ms: i64,
    /// When we saw it first.
    pub seen_ms: i64,
    /// When another version replaced it.
    pub replaced_ms: Option<i64>,
}

impl KnownOutcome {
    /// Whether this version was the one in force at a moment, in milliseconds since 1970.
    #[must_use]
    pub fn was_known(&self, at_ms: i64) -> bool {
        self.seen_ms <= at_ms && self.replaced_ms.is_none_or(|replaced| replaced > at_ms)
    }

    /// Whether both say the same, whenever they were seen.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        (self.illicit, self.relevance, self.confirmed_ms) == (other.illicit, other.relevance, other.confirmed_ms)
    }
}

/// What looking for the outcomes of a round changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomesChange {
    /// Alerts whose outcome became known.
    pub new: usize,
    /// Outcomes that changed.
    pub changed: usize,
    /// Outcomes that were withdrawn.
    pub withdrawn: usize,
}

impl OutcomesChange {
    /// Whether anything did.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.new == 0 && self.changed == 0 && self.withdrawn == 0
    }

    /// Whether something that was said before is not so any more.
    #[must_use]
    pub const fn amends(&self) -> bool {
        self.changed > 0 || self.withdrawn > 0
    }
}

/// How often the outcomes of a round changed, and what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeVersion {
    /// Versions of outcomes, replaced and withdrawn ones included: it only grows, with every change.
    pub versions: u64,
    /// When the newest was seen first.
    pub newest_ms: Option<i64>,
    /// Outcomes that are known.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
}

/// How much is known of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeTally {
    /// Outcomes that are known.
    pub outcomes: u64,
    /// Illicit ones among them.
    pub illicit: u64,
    /// When they were last looked for; `None` before that.
    pub as_of_ms: Option<i64>,
}
