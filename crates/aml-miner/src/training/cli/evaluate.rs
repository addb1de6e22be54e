//! `evaluate`: measures models on labelled batches.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::training::cli::args::EvaluateArgs;
use crate::training::evaluation::{Evaluation, Judging, evaluate};
use crate::training::samples::Samples;
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
        let evaluation = judge(model, &assembled.samples, Judging { config: &config.evaluation, seed: config.seed });
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

/// Judges a model on `samples`; days that it was made from are pointed out.
fn judge(model: &Model, samples: &Samples, judging: Judging<'_>) -> Evaluation {
    let base_rate = model.base_rate().unwrap_or_else(|| share(samples));
    let answers = model.answers(samples);
    let mut evaluation = evaluate(samples, answers, model.entry.model.is_probability(), base_rate, judging);
    if let Some((first, last)) = model.overlap(samples) {
        evaluation.warnings.insert(
            0,
            format!(
                "the model was made from days {first} to {last}, some of which are measured here: too good to be true"
            ),
        );
    }
    evaluation
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are far below 2^53")]
fn share(samples: &Samples) -> f64 {
    samples.positives() as f64 / samples.len().max(1) as f64
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(model: &Model, evaluation: &Evaluation) {
    println!("{} ({})", model.path.display(), model.entry.model_version);
    print!("{}", summary(evaluation, &evaluation.warnings));
}
