//! What goes wrong, and must cost no day. Times are those since the midnight with which the first day begins.

use std::fmt;
use std::time::Duration;

/// Some time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub from: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Span {
    /// When it is over.
    #[must_use]
    pub const fn end(&self) -> Duration {
        self.from.saturating_add(self.lasts)
    }

    /// Whether `at` lies in it.
    #[must_use]
    pub fn has(&self, at: Duration) -> bool {
        self.from <= at && at < self.end()
    }

    /// Whether both have an instant in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.from < other.end() && other.from < self.end()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s+{}s", self.from.as_secs(), self.lasts.as_secs())
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No endpoint of the chain answers.
    ChainDown(Span),
    /// The endpoints show the chain as it was so many blocks before.
    ChainLags {
        /// When.
        span: Span,
        /// How far behind.
        blocks: u64,
    },
    /// Every second reading of the subnet shows a part of its neurons alone.
    ChainLies(Span),
    /// There are blocks, but none becomes final.
    FinalityStops(Span),
    /// What is sent to the chain gets into no block.
    SubmissionsLost(Span),
    /// Commits are never revealed.
    RevealsLost(Span),
    /// The source does not answer.
    SourceDown(Span),
    /// The batch of a day, counted from 0, comes so much later.
    BatchLate {
        /// The day.
        day: u32,
        /// How much later.
        by: Duration,
    },
    /// Whoever asks the source for outcomes of a past day hears nothing, ever.
    OutcomesHang,
    /// From then on the source says otherwise of some outcomes, and of some nothing any more.
    OutcomesChange(Duration),
    /// From the first answer on the ledger takes none for so long.
    LedgerGone(Duration),
    /// Nothing can be written: not to the ledger, and not beside it.
    DiskFull(Span),
    /// Every step of the ledger takes up to so long.
    SlowLedger(Duration),
    /// The validator reaches nobody: no miner, no chain, no source, no beacon.
    Partition(Span),
    /// The same from so long after a day's round has its task.
    CutOff {
        /// The day.
        day: u32,
        /// How long after.
        after: Duration,
        /// For how long.
        lasts: Duration,
    },
    /// Connections fail, answers break off, requests come twice.
    Lossy(Span),
    /// Requests and answers take longer.
    Delays(Span),
    /// The beacon says nothing.
    BeaconLate(Span),
    /// The process is killed at its so manieth instant after a time, counted over all its lives, and started again.
    Killed {
        /// The time.
        from: Duration,
        /// Which instant after it.
        instant: usize,
    },
    /// The same; it is started on another machine, which has the ledger, the pools of traps and what waits beside the ledger, and
    /// no batches.
    OtherMachine {
        /// The time.
        from: Duration,
        /// Which instant after it.
        instant: usize,
    },
    /// The machine is off.
    Down(Span),
    /// Whatever takes a processor takes up to so long.
    SlowMachine(Duration),
    /// The operator tells the process to stop, and starts it again.
    Stopped(Duration),
    /// The same, with other settings.
    Settings(Duration),
    /// The validator's clock is off.
    ClockOff {
        /// When.
        span: Span,
        /// By how much, in milliseconds.
        by_ms: i64,
    },
    /// A miner loses its place to a newcomer that has earned nothing.
    Deregistered {
        /// By its place in the plan.
        miner: usize,
        /// When.
        at: Duration,
    },
    /// A miner loses its place, and has another one at once.
    Moved {
        /// By its place in the plan.
        miner: usize,
        /// When.
        at: Duration,
    },
}

impl Trouble {
    /// When it is on; `None` where that has no end, or no begin.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        match *self {
            Self::ChainDown(span)
            | Self::ChainLags { span, .. }
            | Self::ChainLies(span)
            | Self::FinalityStops(span)
            | Self::SubmissionsLost(span)
            | Self::RevealsLost(span)
            | Self::SourceDown(span)
            | Self::DiskFull(span)
            | Self::Partition(span)
            | Self::Lossy(span)
            | Self::Delays(span)
            | Self::BeaconLate(span)
            | Self::Down(span)
            | Self::ClockOff { span, .. } => Some(span),
            _ => None,
        }
    }

    /// Whether it keeps weights from the chain, or from being seen on it.
    #[must_use]
    pub const fn is_of_weights(&self) -> bool {
        matches!(
            self,
            Self::ChainDown(_)
                | Self::ChainLags { .. }
                | Self::ChainLies(_)
                | Self::FinalityStops(_)
                | Self::SubmissionsLost(_)
                | Self::RevealsLost(_)
                | Self::DiskFull(_)
                | Self::Partition(_)
        )
    }
}
