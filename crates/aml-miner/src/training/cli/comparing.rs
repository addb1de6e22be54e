//! Two shelves of models on the same days: what `evaluate --against` and `report --compare` have in common.

use std::path::Path;

use crate::training::assemble::Range;
use crate::training::compare::{Comparison, Side, compare};
use crate::training::evaluation::Judging;
use crate::training::samples::Samples;
use crate::training::shelf::{Model, models};
use crate::training::watch::Watch;

/// The models of a directory.
pub(super) struct Shelf {
    pub(super) name: String,
    pub(super) models: Vec<Model>,
}

impl Shelf {
    pub(super) fn open(directory: &Path, version: Option<&str>) -> anyhow::Result<Self> {
        Ok(Self { name: directory.display().to_string(), models: models(directory, version)? })
    }

    /// Every model with its rows of `range`.
    pub(super) fn measured(&self, range: &Range, watch: &dyn Watch) -> anyhow::Result<Vec<Measured<'_>>> {
        let rows = |model| -> anyhow::Result<Measured<'_>> {
            Ok(Measured { shelf: self, model, samples: model.rows(range, &self.models, watch)?.samples })
        };
        self.models.iter().map(rows).collect()
    }
}

/// A model and its rows.
pub(super) struct Measured<'a> {
    shelf: &'a Shelf,
    pub(super) model: &'a Model,
    pub(super) samples: Samples,
}

impl Measured<'_> {
    fn side<'a>(&self, samples: &'a Samples) -> Side<'a> {
        let name = format!("{} ({})", self.shelf.name, self.model.entry.model_version);
        Side { name, answers: self.model.answers(samples), samples }
    }
}

/// Every kind of model that both have.
pub(super) fn comparisons(
    first: &[Measured<'_>],
    second: &[Measured<'_>],
    judging: Judging<'_>,
    watch: &dyn Watch,
) -> anyhow::Result<Vec<Comparison>> {
    let mut all = Vec::new();
    for one in first {
        let kind = one.model.entry.model;
        match second.iter().find(|other| other.model.entry.model == kind) {
            Some(other) => all.push(comparison([one, other], judging, watch)?),
            None => watch.note(&format!("{kind}: only {} has one", one.shelf.name)),
        }
    }
    Ok(all)
}

fn comparison(both: [&Measured<'_>; 2], judging: Judging<'_>, watch: &dyn Watch) -> anyhow::Result<Comparison> {
    let seen = |date: i32| both.iter().any(|one| one.model.has_seen(date));
    let (all, unseen) = (&both[0].samples.days, both[0].samples.days.iter().filter(|day| !seen(day.date)).count());
    let kind = both[0].model.entry.model;
    if unseen == 0 {
        watch.note(&format!("{kind}: compared on days that one of them was made from, which flatters it"));
    } else if unseen < all.len() {
        watch.note(&format!("{kind}: compared on the {unseen} of {} days that neither was made from", all.len()));
    }
    let taken = |samples: &Samples| {
        let days = samples.days.iter().filter(|day| unseen == 0 || !seen(day.date));
        samples.with_days(days.cloned().collect())
    };
    let [first, second] = both.map(|one| taken(&one.samples));
    Ok(compare(kind, [both[0].side(&first), both[1].side(&second)], judging)?)
}
