//! Streams that are not what they claim.

use crate::data::table_error::FileProblem;

/// A stream that cannot be read, for this reason.
pub(super) fn broken(reason: &str) -> FileProblem {
    FileProblem::BrokenStream(reason.to_owned())
}
