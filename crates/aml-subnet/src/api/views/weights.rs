//! Weights: what the ledger planned and what the chain shows.
//!
//! A vector is shown once the chain shows it: before that it may be committed and not revealed. Salts are never shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::chain_view::ChainSeen;
use crate::calendar::rfc3339;
use crate::chain::route::Route;
use crate::chain::weights::ChainWeights;
use crate::store::records::{WeightsRecord, WeightsState};
use crate::wallet::Hotkey;

/// One weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Weight {
    /// Receiver.
    pub uid: u16,
    /// Its hotkey, as the chain was read last.
    pub hotkey: Option<String>,
    /// In 65535ths of the largest.
    pub value: u16,
}

/// The weights that this validator has on chain.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OnChain {
    /// The finalised block that was read last.
    pub block: u64,
    /// Blocks of an epoch.
    pub tempo: u16,
    /// Block of the last confirmed weights; without any, of the hotkey's last update.
    pub last_update: Option<u64>,
    /// Their age in tempos; to be looked into above 3.
    pub age_tempos: Option<f64>,
    /// The weights, by uid.
    pub weights: Vec<Weight>,
}

/// One submission, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WeightsEntry {
    /// The epoch it is for, by its first block.
    pub epoch: u64,
    /// SHA-256 of the vector.
    pub vector: String,
    /// How it gets on chain: `plain`, `hash_commit` or `timelocked`.
    pub route: &'static str,
    /// `planned`, `committed`, `timelocked`, `confirmed` or `failed`.
    pub state: &'static str,
    /// Block of the commit, or in which the weights took effect.
    pub block: Option<u64>,
    /// The block from which the chain reveals a timelocked commit.
    pub reveal_from: Option<u64>,
    /// Why it failed.
    pub why: Option<String>,
    /// When it was recorded, RFC 3339 in UTC.
    pub made_at: String,
    /// The vector, once the chain shows it.
    pub weights: Option<Vec<Weight>>,
}

/// Weights on chain and in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WeightsAnswer {
    /// The subnet.
    pub netuid: u16,
    /// Its mechanism.
    pub mechanism: u8,
    /// The validator.
    pub hotkey: String,
    /// What the chain shows; null when it was not read yet.
    pub on_chain: Option<OnChain>,
    /// Whether the chain shows what the ledger confirmed last; null when either is not known.
    pub agrees: Option<bool>,
    /// The submissions, newest first.
    pub submissions: Vec<WeightsEntry>,
}

impl WeightsAnswer {
    /// The answer, from the last reading of the chain and the ledger's records, newest first.
    #[must_use]
    pub fn new(
        netuid: u16,
        mechanism: u8,
        hotkey: &Hotkey,
        seen: Option<&ChainSeen>,
        records: &[WeightsRecord],
    ) -> Self {
        let confirmed = records.iter().find(|record| matches!(record.state, WeightsState::Confirmed { .. }));
        let shown = seen.and_then(|seen| seen.reading.weights.as_ref());
        let agrees = confirmed.zip(shown).map(|(record, shown)| {
            let mut on_chain: Vec<(u16, u16)> = shown.iter().map(|(uid, value)| (uid.0, *value)).collect();
            let mut planned = pairs(&record.plan.content.weights);
            on_chain.sort_unstable();
            planned.sort_unstable();
            on_chain == planned
        });
        Self {
            netuid,
            mechanism,
            hotkey: hotkey.to_string(),
            on_chain: seen.map(on_chain),
            agrees,
            submissions: records.iter().map(|record| entry(record, seen)).collect(),
        }
    }
}

fn on_chain(seen: &ChainSeen) -> OnChain {
    let weights: Vec<(u16, u16)> = seen.reading.weights.iter().flatten().map(|(uid, value)| (uid.0, *value)).collect();
    OnChain {
        block: seen.block().0,
        tempo: seen.reading.tempo,
        last_update: seen.weights_since.map(|block| block.0),
        age_tempos: seen.weights_age(),
        weights: named(&weights, Some(seen)),
    }
}

fn entry(record: &WeightsRecord, seen: Option<&ChainSeen>) -> WeightsEntry {
    let (state, block, reveal_from, why) = match &record.state {
        WeightsState::Planned => ("planned", None, None, None),
        WeightsState::Committed { block } => ("committed", Some(*block), None, None),
        WeightsState::Timelocked { block, reveal_from, .. } => ("timelocked", Some(*block), Some(*reveal_from), None),
        WeightsState::Confirmed { block } => ("confirmed", Some(*block), None, None),
        WeightsState::Failed { why } => ("failed", None, None, Some(why.clone())),
    };
    let shown = matches!(record.state, WeightsState::Confirmed { .. });
    WeightsEntry {
        epoch: record.epoch,
        vector: record.vector.to_string(),
        route: match record.plan.route {
            Route::Plain => "plain",
            Route::HashCommit => "hash_commit",
            Route::Timelocked { .. } => "timelocked",
        },
        state,
        block,
        reveal_from,
        why,
        made_at: rfc3339(record.made_ms),
        weights: shown.then(|| named(&pairs(&record.plan.content.weights), seen)),
    }
}

fn pairs(weights: &ChainWeights) -> Vec<(u16, u16)> {
    weights.uids.iter().copied().zip(weights.values.iter().copied()).collect()
}

fn named(pairs: &[(u16, u16)], seen: Option<&ChainSeen>) -> Vec<Weight> {
    let hotkey = |uid: u16| {
        let neurons = seen.map(|seen| seen.reading.metagraph.neurons.iter())?;
        neurons.into_iter().find(|neuron| neuron.uid.0 == uid).map(|neuron| neuron.hotkey.to_string())
    };
    let mut weights: Vec<Weight> =
        pairs.iter().map(|&(uid, value)| Weight { uid, hotkey: hotkey(uid), value }).collect();
    weights.sort_by_key(|weight| weight.uid);
    weights
}
