//! What the ledger keeps, as values: rounds, tasks, answers, verdicts, canonical scores, settlements, weights.
//!
//! Times are milliseconds since 1970-01-01 UTC. Nothing here knows a database.

mod answer;
mod dormancy;
mod round;
mod verdict;
mod weights;

pub use answer::{Answer, Form, Reply};
pub use dormancy::Dormancy;
pub use round::{Ask, NotARound, RosterRow, Round, RoundId, Step, Task, TrapOrigin, TrapPlan};
pub use verdict::{Canonical, Observations, Settled, Verdict};
pub use weights::{WeightsRecord, WeightsState, WeightsTarget};
