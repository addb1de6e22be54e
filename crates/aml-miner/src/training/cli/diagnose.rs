//! `diagnose`: what a scorer is worth before it is registered.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use crate::clock::SystemClock;
use crate::models::bundle::ModelKind;
use crate::training::assemble::alerts;
use crate::training::cli::args::DiagnoseArgs;
use crate::training::config::ModelConfig;
use crate::training::diagnose::{Diagnosis, Named, Stability, Subject, diagnose, section, stability, write_submission};
use crate::training::evaluation::Judging;
use crate::training::report::{held_out, model_report, with_section};
use crate::training::session::Session;
use crate::training::shelf::{Model, models};
use crate::training::watch::Watch;
use crate::whole_file::{self, Readers};

/// What is written.
const FILES: [&str; 3] = ["diagnosis.html", "diagnosis.json", "submission.jsonl"];

#[expect(clippy::print_stdout, reason = "the command's own output")]
pub(super) fn run(args: &DiagnoseArgs, watch: &dyn Watch) -> anyhow::Result<()> {
    let [page, data, submission] = FILES.map(|name| args.output.join(name));
    if let (Some(path), false) = ([&page, &data, &submission].iter().find(|path| path.exists()), args.replace) {
        bail!("{} is there already: give --replace to make it anew, or another --output", path.display());
    }
    let config = args.config.config()?;
    let judging = Judging { config: &config.evaluation, seed: config.seed };
    let model = scorer(&args.models, args.model_version.as_deref())?;
    let others = args.public.iter().map(|path| scorer(path, None)).collect::<anyhow::Result<Vec<_>>>()?;
    let names: Vec<String> = args.public.iter().map(|path| path.display().to_string()).collect();
    let public: Vec<Named<'_>> = names.iter().zip(&others).map(|(name, model)| Named { name, model }).collect();
    let range = args.range.range();
    let samples = model.rows(&range, &[], watch)?.samples;
    let (measured, warnings) = held_out(&model, &samples);
    let subject = Subject { model: &model, samples: &measured, public: &public };
    let (mut diagnosis, days) = diagnose(&subject, &range, judging, watch)?;
    diagnosis.warnings.splice(0..0, warnings);
    diagnosis.stability = seeds(args, &config, watch)?;
    let file = std::fs::read(&model.path).with_context(|| format!("cannot read {}", model.path.display()))?;
    let report = model_report(&model, &file, &samples, judging);
    std::fs::create_dir_all(&args.output).with_context(|| format!("cannot make {}", args.output.display()))?;
    let html = with_section(&section(&diagnosis), std::slice::from_ref(&report))?;
    let mut json = serde_json::to_vec_pretty(&json!({ "diagnosis": diagnosis, "report": report }))?;
    json.push(b'\n');
    for (path, bytes) in [(&page, html.as_bytes()), (&data, json.as_slice())] {
        whole_file::write(path, bytes, Readers::Everyone)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    write_submission(&submission, &model, &public, &days)
        .with_context(|| format!("cannot write {}", submission.display()))?;
    say(&diagnosis);
    [page, data, submission].iter().for_each(|path| println!("{}", path.display()));
    Ok(())
}

/// The alert scorer of a directory: rounds are about its scores.
fn scorer(directory: &Path, version: Option<&str>) -> anyhow::Result<Model> {
    let found = models(directory, version)?.into_iter().find(|model| model.entry.model == ModelKind::AlertScorer);
    found.with_context(|| format!("{} has no alert scorer", directory.display()))
}

/// The recipe under other seeds, where that is wanted.
fn seeds(args: &DiagnoseArgs, config: &ModelConfig, watch: &dyn Watch) -> anyhow::Result<Option<Stability>> {
    if args.seeds == 0 {
        return Ok(None);
    }
    let session = Session {
        range: args.range.range(),
        output: args.output.clone(),
        config: config.clone(),
        threads: args.config.threads(),
        watch,
        clock: &SystemClock,
    };
    let assembled = alerts(&session.range, &session.schema(ModelKind::AlertScorer), watch)?;
    Ok(Some(stability(&session, &assembled, args.seeds)?))
}

#[expect(clippy::print_stdout, reason = "the command's own output")]
fn say(diagnosis: &Diagnosis) {
    if !diagnosis.seen_days.is_empty() {
        println!("warning: {} of {} days were learnt from", diagnosis.seen_days.len(), diagnosis.days.len());
    }
    diagnosis.warnings.iter().for_each(|warning| println!("warning: {warning}"));
    for one in &diagnosis.likeness {
        let alike = one.rank_correlation.map_or_else(|| "none".to_owned(), |value| format!("{value:.3}"));
        println!("{} ({}): correlation of ranks {alike}", one.name, one.version);
    }
    if let Some(ensemble) = &diagnosis.ensemble {
        println!("{}", ensemble.sentence());
    }
    if let Some(Stability { seeds, .. }) = &diagnosis.stability {
        let figures: Vec<String> = seeds.iter().filter_map(|one| Some(format!("{:.4}", one.roc_auc?))).collect();
        println!("ROC-AUC of {} seeds: {}", seeds.len(), figures.join(", "));
    }
}
