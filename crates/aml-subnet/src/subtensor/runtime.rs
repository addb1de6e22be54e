//! Whether a runtime has what we use, told by its metadata alone: before an upgrade, and without a node.
//!
//! Calls are encoded and values decoded by the code that does so at work, with the least and the greatest values that
//! each type can hold. What metadata cannot tell is what numbers mean: only a number that becomes a fixed-point number is
//! noticed. The metadata is hostile: time and memory are bounded whatever its types are.

mod edges;
mod file;
mod list;
mod lookup;
mod need;
mod purposes;
mod report;
mod text;
mod wires;

pub use file::{MAX_BYTES, NotMetadata};
pub use report::{Finding, Report, Service, State, Used, Verdict};

use file::Described;
use list::needs;
use lookup::Runtime;

/// Looks for everything that we use in the metadata of a runtime: SCALE as it is, in hexadecimal digits, or as a node
/// answers it.
///
/// # Errors
/// [`NotMetadata`] when it is none, or not of a Subtensor.
pub fn check(bytes: &[u8]) -> Result<Report, NotMetadata> {
    let described = file::read(bytes)?;
    let runtime = Runtime::of(&described)?;
    let found: Vec<_> = needs().into_iter().map(|need| (runtime.look(&need), need)).collect();
    Ok(report::of(&described, &found))
}

/// Everything that we use of a runtime.
#[must_use]
pub fn used() -> Vec<Used> {
    needs().iter().map(Used::of).collect()
}

/// What a runtime is called, and which of some names it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// Version of the runtime.
    pub spec_version: u32,
    /// Of the names that were asked about, those that it lacks.
    pub lacks: Vec<String>,
}

/// Which of `names` a runtime has neither as a storage item or a call of Subtensor's pallet nor as a method of a runtime API.
///
/// # Errors
/// [`NotMetadata`] when it is none, or not of a Subtensor.
pub fn likeness(bytes: &[u8], names: Vec<String>) -> Result<Likeness, NotMetadata> {
    let described = file::read(bytes)?;
    Runtime::of(&described)?;
    let Described { spec_version, .. } = described;
    let lacks = names.into_iter().filter(|name| described.lacks(name)).collect();
    Ok(Likeness { spec_version, lacks })
}
