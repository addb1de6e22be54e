//! A development chain that resembles a runtime of which only the metadata is there.

use std::path::Path;

use crate::localnet::Generation;
use crate::subtensor::runtime::{self, State};

/// The family of the runtime, its version, and what of the family it lacks. Says what differs and is not copied.
pub(super) fn shown(file: &Path) -> anyhow::Result<(Generation, Option<u32>, Vec<String>)> {
    let bytes = super::super::check_metadata::read(file)?;
    let report = runtime::check(&bytes)?;
    anyhow::ensure!(report.metadata_version > 14, "version 14 does not tell of runtime APIs: take version 15 or 16");
    let generation = Generation::near(report.spec_version);
    let likeness = runtime::likeness(&bytes, generation.names())?;
    eprintln!("resembles {} {}: {} names are left out", report.spec_name, report.spec_version, likeness.lacks.len());
    for finding in report.findings.iter().filter(|finding| finding.state == State::Changed) {
        let difference = finding.difference.as_deref().unwrap_or_default();
        eprintln!("not copied: {} {}: {difference}", finding.kind, finding.name);
    }
    Ok((generation, Some(likeness.spec_version), likeness.lacks))
}
