//! `evaluate`: measures models on labelled batches, alone or against others.

use anyhow::Context;
use serde_json::{Map, Value};

use crate::training::cli::args::EvaluateArgs;
use crate::training::cli::comparing::{Shelf, comparisons};
use crate::training::compare::Comparison;
use crate::training::evaluation::{Evaluation, Judging};
use crate::training::shelf::Model;
use crate::training::summary::summary;
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

pub(super) fn run(args: &EvaluateArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let config = args.config.config()?;
    let judging = Judging { config: &config.evaluation, seed: config.seed };
    let version = args.model_version.as_deref();
    let shelf = Shelf::open(&args.models, version)?;
    // The others may have another version, and are refused before anything is read.
    let against = args.against.as_ref().map(|path| Shelf::open(path, None)).transpose()?;
    let measured = shelf.measured(&args.range.range(), watch)?;
    let compared = match &against {
        Some(others) => comparisons(&measured, &others.measured(&args.range.range(), watch)?, judging, watch)?,
        None => Vec::new(),
    };
    tell(&compared);
    let mut all = Map::new();
    for one in &measured {
        let evaluation = one.model.judge(&one.samples, judging);
        say(one.model, &evaluation);
        all.insert(one.model.entry.model.name().to_owned(), serde_json::to_value(&evaluation)?);
    }
    if against.is_some() {
        all.insert("comparison".to_owned(), serde_json::to_value(&compared)?);
    }
    if let Some(path) = &args.output {
        let mut json = serde_json::to_vec_pretty(&Value::Object(all))?;
        json.push(b'\n');
        whole_file::write(path, &json, Readers::Everyone)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn tell(compared: &[Comparison]) {
    for one in compared {
        let period = one.period.as_ref().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
        println!("{}", one.sentence());
        println!("  compared on {} rows, {} illicit{period}", one.rows, one.positives);
    }
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(model: &Model, evaluation: &Evaluation) {
    println!("{} ({})", model.path.display(), model.entry.model_version);
    print!("{}", summary(evaluation, &evaluation.warnings));
}
