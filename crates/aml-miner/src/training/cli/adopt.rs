//! `adopt`: a model that was trained elsewhere becomes a bundle.

use crate::training::adopt::{Adoption, Done, adopt};
use crate::training::assemble::Range;
use crate::training::calibration;
use crate::training::cli::args::AdoptArgs;
use crate::training::cli::train::clock;
use crate::training::watch::Watch;

pub(super) fn run(args: &AdoptArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let clock = clock()?;
    let range = |data_dir: &std::path::PathBuf| Range {
        data_dir: data_dir.clone(),
        start: args.start_date,
        end: args.end_date,
        history: args.history.clone(),
    };
    let done = adopt(&Adoption {
        model: &args.model,
        kind: args.kind.into(),
        schema: args.schema.as_deref(),
        version: &args.model_version,
        output: &args.output,
        replace: args.replace,
        calibrate: args.calibrate.as_ref().map(range),
        values_are_codes: args.values_are_codes,
        watch,
        clock: clock.as_ref(),
    })?;
    say(&done);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(done: &Done) {
    let entry = &done.entry;
    let library = entry.adopted.as_ref().map_or("", |adopted| adopted.library.as_str());
    println!("{} ({})", done.path.display(), entry.model_version);
    println!(
        "{library}, objective `{}`, {} trees, {} features",
        entry.objective,
        done.trees,
        entry.schema.features.len()
    );
    match entry.adopted.as_ref().and_then(|adopted| adopted.calibrated.as_ref()) {
        Some(rows) => println!(
            "calibrated ({}) on {} rows of {} to {}",
            calibration::name(&entry.calibration),
            rows.rows,
            rows.first_date,
            rows.last_date
        ),
        None => println!("scores as the model gives them: --calibrate DIR fits a curve on labelled days"),
    }
}
