//! `select`: chooses features and writes the choice as a configuration.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use crate::features::RowKind;
use crate::features::selector::{Dropped, Judged};
use crate::models::bundle::ModelKind;
use crate::training::cli::args::SelectArgs;
use crate::training::cli::choosing::{rows, session};
use crate::training::config::{FeatureChoice, ModelConfig};
use crate::training::select::{Selection, describe, select};
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

/// Features that are shown.
const SHOWN: usize = 40;

#[expect(clippy::print_stdout, reason = "the command's own output")]
pub(super) fn run(args: &SelectArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let session = session(args.range.range(), &args.config, &args.output, watch)?;
    let kind = args.model.kind();
    let assembled = rows(&session, kind)?;
    let Some(selection) = select(&session, kind, &session.split(&assembled)?)? else {
        bail!("nothing was chosen yet, and nothing is written")
    };
    let yaml = as_yaml(kind, &selection, &session.config)?;
    whole_file::write(&args.output, yaml.as_bytes(), Readers::Everyone)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    table(&selection.judged);
    println!("{}", describe(&selection.record));
    println!("{}", args.output.display());
    Ok(())
}

/// The choice as a configuration: one section that `--config` takes.
fn as_yaml(kind: ModelKind, selection: &Selection, config: &ModelConfig) -> anyhow::Result<String> {
    let (section, given) = match kind.rows() {
        RowKind::Alert => ("alert_features", &config.alert_features),
        RowKind::Cluster => ("cluster_features", &config.cluster_features),
    };
    let taken = |name: &String| selection.schema.features.contains(name);
    let mut drop = given.drop.clone();
    let left_out = selection.judged.iter().map(|judged| &judged.name).filter(|name| !taken(name));
    drop.extend(left_out.filter(|name| !given.add.contains(name)).cloned());
    let choice = FeatureChoice {
        add: given.add.iter().filter(|name| taken(name)).cloned().collect(),
        drop,
        categorical: given.categorical.iter().filter(|name| taken(name)).cloned().collect(),
    };
    let body = serde_yaml_ng::to_string(&BTreeMap::from([(section, choice)]))?;
    Ok(format!("# {}\n{body}", describe(&selection.record)))
}

/// The features with the largest gains, and how many were dropped for which reason.
#[expect(clippy::print_stdout, reason = "the command's own output")]
fn table(judged: &[Judged]) {
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by(|one, two| two.importance.total_cmp(&one.importance).then_with(|| one.name.cmp(&two.name)));
    println!("{:<40} {:>12} {:>12}  outcome", "feature", "gain", "information");
    for one in sorted.iter().take(SHOWN) {
        println!(
            "{:<40} {:>12.1} {:>12.4}  {}",
            one.name,
            one.importance,
            one.information,
            outcome(one.dropped.as_ref())
        );
    }
    let rest = sorted.len().saturating_sub(SHOWN);
    if rest > 0 {
        println!("and {rest} more");
    }
}

fn outcome(dropped: Option<&Dropped>) -> String {
    match dropped {
        None => "taken".to_owned(),
        Some(Dropped::Constant) => "left out: one value".to_owned(),
        Some(Dropped::Unused) => "left out: not used".to_owned(),
        Some(Dropped::Uninformative) => "left out: says too little".to_owned(),
        Some(Dropped::Redundant { with, correlation }) => format!("left out: follows {with} ({correlation:.3})"),
        Some(Dropped::Beyond) => "left out: others say more".to_owned(),
    }
}
