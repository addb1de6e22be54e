//! The leaderboard, and one miner with its history.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::brief::{MinerBrief, RoundFacts};
use super::information::MinerInformation;
use crate::calendar::date_of;
use crate::chain::types::Metagraph;
use crate::validation::leaderboard::{Place, mean};
use crate::validation::performance::RoundScore;
use crate::validation::rules::Rules;
use crate::validation::weights::shares;
use crate::wallet::Hotkey;

/// A miner's mean score on one day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Day {
    /// Which day.
    pub date: String,
    /// Mean score of its rounds.
    pub score: f64,
}

/// Where a miner stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Standing)]
pub struct MinerStanding {
    /// 1 is the best, by share under rules v2, by performance under v1; equal ones go by hotkey.
    pub rank: usize,
    /// Who.
    pub hotkey: String,
    /// Its uid, as the chain was read last; null when it is not registered.
    pub uid: Option<u16>,
    /// Mean score over its rounds of the last days.
    pub performance: f64,
    /// The same, where copies share what one of them would earn: what weights are set by.
    pub earned: f64,
    /// How many rounds that are.
    pub rounds: usize,
    /// How many of them are settled.
    pub settled: usize,
    /// Mean of tier 1 over the rounds in which its submission counted.
    pub tier1: Option<f64>,
    /// Mean of tier 2 over the rounds that had traps for it.
    pub tier2: Option<f64>,
    /// Mean of tier 3 over the settled rounds.
    pub tier3: Option<f64>,
    /// Share of the weights that it would get now; null when the chain was not read, or it is not registered. Under rules v2
    /// its share of the newest round's pay, before shares of those that are gone are divided.
    pub share: Option<f64>,
    /// By day, oldest first.
    pub days: Vec<Day>,
}

/// The leaderboard.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MinerList {
    /// The last day that counts.
    pub as_of: String,
    /// Days that performance looks back on.
    pub performance_days: i64,
    /// Miners in all.
    pub total: usize,
    /// The miners, best first.
    pub miners: Vec<MinerStanding>,
    /// Value of `offset` for the next page; null on the last one.
    pub next_offset: Option<usize>,
}

/// One miner in one round.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MinerRound {
    /// The round.
    pub round: String,
    /// Its day.
    pub date: String,
    /// Whether it is settled.
    pub settled: bool,
    /// Whether it was run without setting weights.
    pub shadow: bool,
    /// How the miner fared.
    #[serde(flatten)]
    pub brief: MinerBrief,
}

/// One miner.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MinerDetail {
    /// Who.
    pub hotkey: String,
    /// Where it stands; null without a round in the last days.
    pub standing: Option<MinerStanding>,
    /// Why it is paid what it is paid; null where the newest round is not under rules v2, or does not know it.
    pub information: Option<MinerInformation>,
    /// SHA-256 of the key that its receipts are known by.
    pub receipt_key: Option<String>,
    /// When it was first seen on chain.
    pub first_seen_at: Option<String>,
    /// Failures in a row, where there are any.
    pub failures: u32,
    /// Until when it is left alone after them.
    pub left_alone_until: Option<String>,
    /// What a registration costs now, in TAO; null where the chain was not read or does not say.
    pub registration_price_tao: Option<f64>,
    /// Its rounds, newest first.
    pub rounds: Vec<MinerRound>,
    /// Value of `before` for the next page; null on the last one.
    pub next_before: Option<String>,
}

impl MinerRound {
    /// How `hotkey` fared in a round; `None` when it was not asked.
    #[must_use]
    pub fn of(facts: &RoundFacts, hotkey: &Hotkey) -> Option<Self> {
        let brief = facts.miners.get(hotkey)?.clone();
        let round = &facts.round;
        let settled = round.settled_ms.is_some();
        Some(Self {
            round: round.id.to_string(),
            date: round.id.date.to_string(),
            settled,
            shadow: round.shadow,
            brief,
        })
    }
}

/// The leaderboard's `places`, against the chain as it was read last.
#[must_use]
pub fn standings(rules: &Rules, places: &[Place], metagraph: Option<&Metagraph>) -> Vec<MinerStanding> {
    let registered = metagraph.map(Metagraph::hotkeys).unwrap_or_default();
    let uids: BTreeMap<Hotkey, u16> = registered.iter().map(|(uid, hotkey)| (*hotkey, *uid)).collect();
    let earned = places.iter().map(|place| (place.hotkey, place.earned)).collect();
    let shares: BTreeMap<Hotkey, f64> =
        shares(&earned, &registered).into_iter().map(|share| (share.hotkey, share.share)).collect();
    let standing = |(rank, place): (usize, &Place)| {
        let [tier1, tier2, tier3] = place.tiers();
        MinerStanding {
            rank,
            hotkey: place.hotkey.to_string(),
            uid: uids.get(&place.hotkey).copied(),
            performance: place.performance,
            earned: place.earned,
            rounds: place.recent.len(),
            settled: place.settled(),
            tier1,
            tier2,
            tier3,
            share: shares.get(&place.hotkey).copied(),
            days: by_day(rules, &place.recent),
        }
    };
    (1..).zip(places).map(standing).collect()
}

fn by_day(rules: &Rules, rounds: &[RoundScore]) -> Vec<Day> {
    let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for round in rounds {
        days.entry(round.day).or_default().push(round.score(rules));
    }
    let day = |(day, scores): (i64, Vec<f64>)| Day {
        date: date_of(day).to_string(),
        score: mean(scores.into_iter()).unwrap_or(0.0),
    };
    days.into_iter().map(day).collect()
}
