//! `report`: one HTML page and the same as JSON.

use anyhow::Context;
use serde_json::json;

use crate::training::cli::args::ReportArgs;
use crate::training::cli::comparing::{Measured, Shelf, comparisons};
use crate::training::evaluation::Judging;
use crate::training::report::{ModelReport, compared, html, model_report};
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

pub(super) fn run(args: &ReportArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let config = args.config.config()?;
    let judging = Judging { config: &config.evaluation, seed: config.seed };
    let (range, version) = (args.range.range(), args.model_version.as_deref());
    match args.compare.as_slice() {
        [first, second] => {
            let shelves = [Shelf::open(first, version)?, Shelf::open(second, version)?];
            let [first, second] = &shelves;
            let (first, second) = (first.measured(&range, watch)?, second.measured(&range, watch)?);
            let verdicts = comparisons(&first, &second, judging, watch)?;
            let reports: Vec<ModelReport> =
                [reports(&first, judging, watch)?, reports(&second, judging, watch)?].concat();
            let page = compared(&verdicts, &reports)?;
            write(args, &page, &json!({ "comparison": verdicts, "models": reports }))
        }
        _ => {
            let directory = args.models.as_ref().context("--models or --compare is needed")?;
            let shelf = Shelf::open(directory, version)?;
            let reports = reports(&shelf.measured(&range, watch)?, judging, watch)?;
            write(args, &html(&reports)?, &json!(reports))
        }
    }
}

fn reports(measured: &[Measured<'_>], judging: Judging<'_>, watch: &dyn Watch) -> anyhow::Result<Vec<ModelReport>> {
    let report = |one: &Measured<'_>| {
        let path = &one.model.path;
        let file = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        watch.note(&format!("looking at {}", path.display()));
        Ok(model_report(one.model, &file, &one.samples, judging))
    };
    measured.iter().map(report).collect()
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn write(args: &ReportArgs, page: &str, data: &serde_json::Value) -> anyhow::Result<()> {
    let beside = args.output.with_extension("json");
    let mut json = serde_json::to_vec_pretty(data)?;
    json.push(b'\n');
    for (path, bytes) in [(&args.output, page.as_bytes()), (&beside, json.as_slice())] {
        whole_file::write(path, bytes, Readers::Everyone)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
