//! The ledger: what a validator knows and must not lose.
//!
//! Every step of a round is recorded here before the next begins; raw answers are kept, so that a round can be judged
//! again under other rules. One code path serves SQLite and PostgreSQL; only this room knows SQL. Each write is one
//! transaction that is on disk when it returns, and says no when the round is not where the write expects it.

pub mod records;

mod address;
mod adopt;
mod answers;
mod backup;
mod body;
mod calibrations;
mod canonical;
mod codec;
mod columns;
mod dialect;
mod erasing;
mod error;
mod export;
mod files;
mod forget;
mod glimpse;
mod import;
mod ledger;
mod lock;
mod lookups;
mod marks;
mod migrate;
mod miners;
mod open;
mod opening;
mod outcomes;
mod reasons;
mod retention;
mod round_rows;
mod rounds;
mod seen;
mod settlements;
mod shares;
mod steps;
mod tables;
mod tasks;
mod verdicts;
mod weights;
mod write;

pub use address::{Address, NotAnAddress};
pub use adopt::Adoption;
pub use backup::BackupError;
pub use body::PackedBody;
pub use canonical::{AddressAlert, Merged};
pub use columns::PackedColumn;
pub use erasing::{ERASED, Erasure, LedgerTraces, Needle, NotErasable, Pseudonym};
pub use error::{RecordError, StepError, StorageError};
pub(crate) use error::{count_failure, count_from_zero};
pub use export::{ExportError, Exported, ExportedTable};
pub use files::RoundFile;
pub use forget::{ForgetKeyError, Forgotten};
pub use glimpse::{Glimpse, RoundGlimpse};
pub use import::ImportError;
pub use ledger::Ledger;
pub use lookups::{Before, Conduct, KnownShare};
pub use marks::VoidRoundError;
pub use open::{OpenLedgerError, Opening};
pub use retention::{Retention, Swept};
pub use round_rows::ROUND_TABLES;
pub use seen::OutcomesHeld;
pub use shares::InForce;
pub use weights::PlanWeightsError;
