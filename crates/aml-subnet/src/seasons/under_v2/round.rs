//! A round as rules v2 keep it: columns and counts of every submission, outcomes as they become known.

use std::collections::BTreeMap;

use crate::seasons::checked::{Became, Checked};
use crate::seasons::under_v2::REFERENCES;
use crate::validation::v2::calibration::Bins;
use crate::validation::v2::column::Worths;
use crate::validation::v2::curve::{Curve, Parts};
use crate::validation::v2::once::Outcome;
use crate::validation::v2::order::Order;
use crate::validation::v2::references::Known;
use crate::validation::v2::window::Window;

/// A round that was played.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) addresses: Vec<u64>,
    /// By miner; `None` where nothing counted, and for all once the round is out of the window.
    pub(super) said: Vec<Option<Said>>,
    pub(super) references: Vec<Vec<i16>>,
    pub(super) canonical: Vec<f64>,
    /// Outcomes by alert.
    pub(super) known: BTreeMap<usize, Known>,
}

/// What a submission says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) scores: Vec<f64>,
    pub(super) order: Order,
    pub(super) column: Vec<i16>,
    /// The part of its order that each alert is in.
    places: Vec<u8>,
    /// Outcomes that count, by part of the order and by bin of the scores.
    pub(super) parts: Parts,
    pub(super) bins: Bins,
}

/// Today's round under the curve that is in force, its canonical scores still empty.
pub(super) fn round_of(today: Checked, curve: Option<&Curve>, references: &[Option<Vec<f64>>; REFERENCES]) -> Round {
    let worths = Worths::new(curve, today.addresses.len());
    let said = |scores: Vec<f64>| {
        let order = Order::of(&scores);
        let (column, places) = (worths.column(&order), order.parts());
        Said { scores, order, column, places, parts: Parts::default(), bins: Bins::default() }
    };
    let public = |scores: &Option<Vec<f64>>| match scores {
        Some(scores) => worths.column(&Order::of(scores)),
        None => vec![0; today.addresses.len()],
    };
    let references = references.iter().map(public).collect();
    let submission =
        |given: Option<crate::seasons::checked::Submitted>| given?.submission.map(|one| said(one.batch.values()));
    let said = today.answers.into_iter().map(submission).collect();
    Round { addresses: today.addresses, said, references, canonical: Vec::new(), known: BTreeMap::new() }
}

impl Round {
    /// Notes an outcome, and whether it counts.
    pub(super) fn note(&mut self, outcome: &Became, counts: bool) {
        self.known.insert(outcome.alert, Known { illicit: outcome.illicit, day: outcome.known });
        for said in self.said.iter_mut().flatten().filter(|_| counts) {
            said.parts.count(said.places[outcome.alert], outcome.illicit);
            said.bins.count(said.scores[outcome.alert], outcome.illicit);
        }
    }

    /// Drops what only a round of the window needs.
    pub(super) fn forget(&mut self) {
        self.said.iter_mut().for_each(|said| *said = None);
        self.references.clear();
    }

    /// The outcomes that count in this window.
    pub(super) fn counting(&self, day: i64, window: &Window) -> Vec<Outcome<u64>> {
        let counts = self.known.iter().filter(|(_, known)| window.counts(day, known.day));
        let outcome = |(alert, known): (&usize, &Known)| {
            Some(Outcome {
                place: u32::try_from(*alert).ok()?,
                address: self.addresses[*alert],
                illicit: known.illicit,
            })
        };
        counts.filter_map(outcome).collect()
    }

    /// All outcomes, as references look them up.
    pub(super) fn outcomes(&self) -> Vec<(u32, Known)> {
        self.known.iter().filter_map(|(alert, known)| Some((u32::try_from(*alert).ok()?, *known))).collect()
    }
}
