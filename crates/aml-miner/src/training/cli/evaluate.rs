//! `evaluate`: measures models on labelled batches.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::training::cli::args::EvaluateArgs;
use crate::training::evaluation::{Evaluation, Judging};
use crate::training::shelf::{Model, models};
use crate::training::summary::summary;
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

pub(super) fn run(args: &EvaluateArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let config = args.config.config()?;
    let shelf = models(&args.models, args.model_version.as_deref())?;
    let mut all: BTreeMap<String, Evaluation> = BTreeMap::new();
    for model in &shelf {
        let assembled = model.rows(&args.range.range(), &shelf, watch)?;
        let evaluation = model.judge(&assembled.samples, Judging { config: &config.evaluation, seed: config.seed });
        say(model, &evaluation);
        all.insert(model.entry.model.name().to_owned(), evaluation);
    }
    if let Some(path) = &args.output {
        let mut json = serde_json::to_vec_pretty(&all)?;
        json.push(b'\n');
        whole_file::write(path, &json, Readers::Everyone)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(model: &Model, evaluation: &Evaluation) {
    println!("{} ({})", model.path.display(), model.entry.model_version);
    print!("{}", summary(evaluation, &evaluation.warnings));
}
