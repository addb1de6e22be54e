//! `report`: one HTML page and the same as JSON.

use anyhow::Context;

use crate::training::cli::args::ReportArgs;
use crate::training::evaluation::Judging;
use crate::training::report::{html, model_report};
use crate::training::shelf::models;
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

#[expect(clippy::print_stdout, reason = "the command's own output")]
pub(super) fn run(args: &ReportArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let config = args.config.config()?;
    let shelf = models(&args.models, args.model_version.as_deref())?;
    let mut reports = Vec::new();
    for model in &shelf {
        let assembled = model.rows(&args.range.range(), &shelf, watch)?;
        let file = std::fs::read(&model.path).with_context(|| format!("cannot read {}", model.path.display()))?;
        watch.note(&format!("looking at {}", model.path.display()));
        let judging = Judging { config: &config.evaluation, seed: config.seed };
        reports.push(model_report(model, &file, &assembled.samples, judging));
    }
    let data = args.output.with_extension("json");
    let mut json = serde_json::to_vec_pretty(&reports)?;
    json.push(b'\n');
    for (path, bytes) in [(&args.output, html(&reports)?.into_bytes()), (&data, json)] {
        whole_file::write(path, &bytes, Readers::Everyone)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
