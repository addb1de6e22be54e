//! What the ledger keeps, as values: rounds, tasks, answers, verdicts, canonical scores, settlements, weights.
//!
//! Times are milliseconds since 1970-01-01 UTC. Nothing here knows a database.

mod answer;
mod column;
mod common;
mod dormancy;
mod forms;
mod marks;
mod outcome;
mod round;
mod sealed;
mod sheet;
mod standing;
mod verdict;
mod weights;

pub use answer::{Answer, Attempt, BodyForm, Form, Reply};
pub use column::{ColumnDigests, ColumnName, Counts, StoredColumn};
pub(super) use column::{score_bytes, scores_of, worth_bytes, worths_of};
pub use common::{Common, CommonParts, NotCommon, SentAlert, SentName};
pub use dormancy::Dormancy;
pub use forms::{EncodedTask, FormBytes, ReferencedTask};
pub use marks::{Mark, MarkKind, Marks};
pub use outcome::{KnownOutcome, OutcomeTally, OutcomeVersion, OutcomesChange};
pub use round::{Ask, NotARound, RosterRow, Round, RoundId, Step, Task, TrapOrigin, TrapPlan};
pub use sealed::{Pulses, SealedAnswer, SealedState, Sealing};
pub use sheet::Sheet;
pub use standing::{ShareOf, Shares, StandingRecord};
pub use verdict::{Canonical, Observations, Settled, Verdict};
pub use weights::{WeightsRecord, WeightsState, WeightsTarget};
