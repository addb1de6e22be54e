//! `scorer`, `ranker`, `clusters` and `all`.

use anyhow::Context;

use crate::clock::{Clock, FixedClock, SystemClock};
use crate::models::bundle::ModelKind;
use crate::training::assemble::alerts;
use crate::training::card;
use crate::training::cli::args::TrainArgs;
use crate::training::session::{Session, Trained};
use crate::training::summary::{fitted_again, summary};
use crate::training::train_cluster_scorer::{train_cluster_scorer, train_cluster_scorer_with};
use crate::training::train_ranker::train_ranker_on;
use crate::training::train_scorer::train_scorer_on;
use crate::training::watch::Watch;

/// Seconds since 1970 that stand for the time of a reproducible build.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// One model to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Scorer,
    Ranker,
    Clusters,
}

impl Step {
    fn kind(self) -> ModelKind {
        match self {
            Self::Scorer => ModelKind::AlertScorer,
            Self::Ranker => ModelKind::AlertRanker,
            Self::Clusters => ModelKind::ClusterScorer,
        }
    }
}

/// Trains the models of `steps` in order; each is written as soon as it is done.
pub(super) fn run(args: &TrainArgs, steps: &[Step], watch: &dyn Watch) -> anyhow::Result<()> {
    let clock = clock()?;
    let mut config = args.config.config()?;
    if let Some(version) = &args.model_version {
        config.model_version.clone_from(version);
    }
    let session = Session {
        range: args.range.range(),
        output: args.output.clone(),
        config,
        threads: args.config.threads(),
        watch,
        clock: clock.as_ref(),
    };
    let kinds: Vec<ModelKind> = steps.iter().map(|step| step.kind()).collect();
    let there = session.already_there(&kinds);
    if let (Some(path), false) = (there.first(), args.replace) {
        anyhow::bail!(
            "{} is there already: give --replace to make it anew, --model-version to keep it, or another --output",
            path.display()
        );
    }
    if steps == [Step::Clusters] {
        say(&train_cluster_scorer(&session)?);
        return tell_card(&session);
    }
    // The rows of all steps are the same alerts; they are read once.
    let assembled = alerts(&session.range, &session.schema(ModelKind::AlertScorer), watch)?;
    for step in steps {
        let trained = match step {
            Step::Scorer => train_scorer_on(&session, &assembled),
            Step::Ranker => train_ranker_on(&session, &assembled),
            Step::Clusters => train_cluster_scorer_with(&session, &assembled),
        }?;
        say(&trained);
        if watch.stopped() {
            watch.note("stopped; the models listed above are complete");
            break;
        }
    }
    tell_card(&session)
}

/// Writes the card of all models of this version that are there.
#[expect(clippy::print_stdout, reason = "the command's own output")]
fn tell_card(session: &Session<'_>) -> anyhow::Result<()> {
    let path = card::write(&session.output, &session.config.model_version)?;
    println!("{}", path.display());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(trained: &Trained) {
    println!("{} ({})", trained.model.display(), trained.version);
    print!("{}", summary(&trained.record.test, &trained.record.warnings));
    if let Some(refit) = &trained.record.refit {
        print!("{}", fitted_again(refit));
    }
}

/// The clock; one that stands still in a reproducible build.
pub(super) fn clock() -> anyhow::Result<Box<dyn Clock>> {
    match std::env::var(SOURCE_DATE_EPOCH) {
        Ok(seconds) => {
            let seconds = seconds.parse().with_context(|| format!("{SOURCE_DATE_EPOCH} must be whole seconds"))?;
            Ok(Box::new(FixedClock(std::time::Duration::from_secs(seconds))))
        }
        Err(_) => Ok(Box::new(SystemClock)),
    }
}
