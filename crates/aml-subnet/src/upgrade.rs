//! From the installed release to the next one, and back when the next one does not come up.
//!
//! Everything that can be found out is found out before anything stops: signature and sums, whether the new programs run here,
//! whether they take the real settings, whether a round is being asked. Then units stop, the ledger is copied, programs are
//! replaced, units start, and `/ready` is watched. What does not come within the limit is taken back, programs and ledger.
//!
//! Programs of a tarball are replaced file by file. Programs of a Debian package are replaced by dpkg, and the package that was
//! there is made anew first, so that dpkg can put it back.
//!
//! Units, users and settings are those that systemd knows; nothing is configured twice.

mod contents;
mod facts;
mod kept;
mod outcome;
mod package;
mod program;
mod release;
mod run;
mod systemd;
mod taking_back;
mod version;
mod watch;
mod when;
mod work;

pub use facts::{Facts, LedgerFacts};
pub use kept::KeepError;
pub use outcome::{Done, UpgradeError};
pub use package::PackageError;
pub use program::ProgramError;
pub use release::{Place, ReleaseError, Trust};
pub use run::Upgrade;
pub use systemd::{Role, SystemdError};
pub use taking_back::TakenBack;
pub use version::Version;
