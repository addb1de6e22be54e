//! `tune`: searches better parameters and writes them as a configuration.

use anyhow::Context;

use crate::models::bundle::ModelKind;
use crate::training::cli::args::TuneArgs;
use crate::training::cli::choosing::{rows, session};
use crate::training::hyperparameter_tuner::{Search, best_as_yaml, tune};
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

#[expect(clippy::print_stdout, reason = "the command's own output")]
pub(super) fn run(args: &TuneArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let session = session(args.range.range(), &args.config, &args.output, watch)?;
    let kind = args.model.kind();
    let assembled = rows(&session, kind)?;
    let study = args.study.clone().unwrap_or_else(|| args.output.with_extension("study.jsonl"));
    let trials = args.trials.unwrap_or(session.config.tuning.trials);
    let best = tune(&session, session.settings(kind), &assembled, Search { study: &study, trials })?;
    let section = match kind {
        ModelKind::AlertScorer => "scorer",
        ModelKind::AlertRanker => "ranker",
        ModelKind::ClusterScorer => "clusters",
    };
    let yaml = best_as_yaml(section, &best)?;
    whole_file::write(&args.output, yaml.as_bytes(), Readers::Everyone)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    println!("{} (study: {})", args.output.display(), study.display());
    print!("{yaml}");
    Ok(())
}
