//! How sure a round can be: what its probabilities rest on, and how they held.

use super::plots::reliability;
use super::svg::Svg;
use super::text::{percent, score, whole};
use crate::api::views::{CalibrationBrief, Held};
use crate::readers::reliability::{Bin, Reliability};

/// What was told, held against what came.
pub(super) struct HeldView {
    pub(super) what: &'static str,
    pub(super) plot: Svg,
    pub(super) outcomes: String,
    pub(super) illicit: String,
    pub(super) error: String,
    pub(super) raw_error: String,
    pub(super) brier: String,
    pub(super) raw_brier: String,
    pub(super) resolution: String,
    pub(super) raw_resolution: String,
    pub(super) rows: Vec<BinRow>,
}

/// One bin of the plot, for those who do not see it.
pub(super) struct BinRow {
    pub(super) name: String,
    pub(super) told: String,
    pub(super) came: String,
    pub(super) interval: String,
    pub(super) of: String,
}

impl HeldView {
    pub(super) fn new(held: &Held) -> Self {
        let (what, shown) = match &held.probability {
            Some(held) => ("probabilities", Some(held)),
            None => ("raw scores", held.score.as_ref()),
        };
        let raw = held.score.as_ref().filter(|_| held.probability.is_some());
        let error = |of: Option<&Reliability>| of.map(|of| score(of.error)).unwrap_or_default();
        let brier = |of: Option<&Reliability>| of.map(|of| score(of.brier)).unwrap_or_default();
        let resolution = |of: Option<&Reliability>| of.map(|of| format!("{:.4}", of.resolution)).unwrap_or_default();
        let label = format!("Of the {what}: share of alerts that were confirmed, over what was told");
        let rows = |held: &Reliability| {
            let bins = (1..).zip(&held.bins).map(|(at, bin)| row(format!("{at}"), bin));
            bins.chain(std::iter::once(row("top tenth".to_owned(), &held.top))).collect()
        };
        Self {
            what,
            plot: shown.map(|held| reliability(held, &label)).unwrap_or_default(),
            outcomes: whole(shown.map_or(0, |held| held.outcomes)),
            illicit: whole(shown.map_or(0, |held| held.illicit)),
            error: error(shown),
            raw_error: error(raw),
            brier: brier(shown),
            raw_brier: brier(raw),
            resolution: resolution(shown),
            raw_resolution: resolution(raw),
            rows: shown.map(rows).unwrap_or_default(),
        }
    }
}

fn row(name: String, bin: &Bin) -> BinRow {
    BinRow {
        name,
        told: percent(Some(bin.told)),
        came: percent(Some(bin.came)),
        interval: super::top::interval(Some(bin.low), Some(bin.high)),
        of: format!("{} of {}", whole(bin.illicit), whole(bin.outcomes)),
    }
}

/// What the probabilities of a round rest on, in a sentence.
pub(super) fn sure(calibration: Option<&CalibrationBrief>) -> String {
    match calibration {
        None => "This round was published without probabilities.".to_owned(),
        Some(of) if of.known => format!(
            "Learned from {} outcomes ({} illicit) of {} {} of the {} days before, as they were known when the round was opened.",
            whole(of.outcomes),
            whole(of.illicit),
            of.rounds,
            if of.rounds == 1 { "round" } else { "rounds" },
            of.days
        ),
        Some(of) => format!(
            "Not told: too little is known. It takes {} outcomes of each kind, an address counting once; of the rarer kind {:.0} are known from the {} days before.",
            of.least,
            of.rarer.floor(),
            of.days
        ),
    }
}
