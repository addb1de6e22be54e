//! Weights on chain beside those of the ledger.

use std::collections::BTreeMap;

use askama::Template;

use super::frame::{Frame, Tile};
use super::svg::{Svg, bar};
use super::text::{NONE, percent, short, when, whole};
use crate::api::views::weights::{Weight, WeightsAnswer, WeightsEntry};

/// The page.
#[derive(Template)]
#[template(path = "weights.html")]
pub(super) struct Weights {
    frame: Frame,
    netuid: u16,
    mechanism: u8,
    tiles: Vec<Tile>,
    rows: Vec<Row>,
    submissions: Vec<Submission>,
}

struct Row {
    uid: u16,
    hotkey: String,
    short: String,
    chain: String,
    ledger: String,
    bar: Svg,
    value: String,
}

struct Submission {
    epoch: String,
    state: &'static str,
    tone: &'static str,
    note: String,
    route: &'static str,
    block: String,
    made: String,
    vector: String,
    digest: String,
}

impl Weights {
    pub(super) fn new(frame: Frame, answer: &WeightsAnswer, oldest: f64) -> Self {
        Self {
            frame,
            netuid: answer.netuid,
            mechanism: answer.mechanism,
            tiles: tiles(answer, oldest),
            rows: rows(answer),
            submissions: answer.submissions.iter().map(submission).collect(),
        }
    }
}

fn tiles(answer: &WeightsAnswer, oldest: f64) -> Vec<Tile> {
    let seen = answer.on_chain.as_ref();
    let age = seen.and_then(|seen| seen.age_tempos);
    let note = match age {
        Some(age) if age > oldest => "older than they should be",
        Some(_) => "tempos since the last update",
        None => "not known",
    };
    let agrees = match answer.agrees {
        Some(true) => ("yes", "the chain shows what was confirmed"),
        Some(false) => ("no", "the chain shows something else"),
        None => (NONE, "nothing to compare yet"),
    };
    vec![
        Tile::new("Age", age.map_or_else(|| NONE.to_owned(), |age| format!("{age:.1}")), note),
        Tile::new(
            "Last update",
            seen.and_then(|seen| seen.last_update).map_or_else(|| NONE.to_owned(), whole),
            "block",
        ),
        Tile::new("Chain agrees", agrees.0, agrees.1),
        Tile::new("Receivers", seen.map_or_else(|| NONE.to_owned(), |seen| seen.weights.len().to_string()), "on chain"),
    ]
}

fn shares(weights: &[Weight]) -> BTreeMap<u16, f64> {
    let total: f64 = weights.iter().map(|weight| f64::from(weight.value)).sum();
    weights.iter().map(|weight| (weight.uid, f64::from(weight.value) / total.max(1.0))).collect()
}

fn rows(answer: &WeightsAnswer) -> Vec<Row> {
    let on_chain = answer.on_chain.as_ref().map(|seen| seen.weights.as_slice()).unwrap_or_default();
    let confirmed = answer.submissions.iter().find_map(|entry| entry.weights.as_deref()).unwrap_or_default();
    let (chain, ledger) = (shares(on_chain), shares(confirmed));
    let all: BTreeMap<u16, &Weight> = confirmed.iter().chain(on_chain).map(|weight| (weight.uid, weight)).collect();
    let row = |(uid, weight): (u16, &Weight)| {
        let hotkey = weight.hotkey.clone().unwrap_or_default();
        let value = on_chain.iter().find(|weight| weight.uid == uid);
        Row {
            uid,
            short: short(&hotkey),
            hotkey,
            chain: percent(chain.get(&uid).copied()),
            ledger: percent(ledger.get(&uid).copied()),
            bar: bar(chain.get(&uid).copied(), "main"),
            value: value.map_or_else(|| NONE.to_owned(), |weight| whole(weight.value.into())),
        }
    };
    all.into_iter().map(row).collect()
}

fn submission(of: &WeightsEntry) -> Submission {
    let (tone, note) = match of.state {
        "confirmed" => ("good", String::new()),
        "failed" => ("bad", of.why.clone().unwrap_or_default()),
        "timelocked" => {
            ("warn", of.reveal_from.map(|block| format!("revealed from block {}", whole(block))).unwrap_or_default())
        }
        "committed" => ("warn", "to be revealed".to_owned()),
        _ => ("", String::new()),
    };
    Submission {
        epoch: whole(of.epoch),
        state: of.state,
        tone,
        note: super::text::line(&note, super::miner::LINE),
        route: match of.route {
            "hash_commit" => "commit, then reveal",
            "timelocked" => "timelocked commit",
            _ => "in the clear",
        },
        block: of.block.map_or_else(|| NONE.to_owned(), whole),
        made: when(&of.made_at),
        vector: of.vector.clone(),
        digest: of.vector.chars().take(12).collect(),
    }
}
