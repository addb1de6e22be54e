//! Traps: alerts whose outcome the validator knows, issued again among those of a miner's task.
//!
//! They come from settled batches: confirmed illicit ones of the highest relevance, which a good submission puts near the
//! top, and clean ones, which it puts below its median; where the round of that batch has canonical scores, only those
//! alerts that the scores had right, because what nobody could see tells nothing of whoever does not see it. Each gets a fresh id and a fresh address that look like those of
//! the round's batch; its features, clusters and money flows come along under the same fresh names, with jittered values
//! and the round's dates. Every miner gets a set of its own in every round, at random places, all of which follow from
//! the round's salt.
//!
//! What chance achieves: a random submission puts an alert into its top tenth with probability 0.1 and below its median
//! with 0.5. A group of 20 asks for 14, so chance passes a high group with 2e-10 and a low one with 0.058; with groups of
//! 10 it is 9e-6 and 0.17. What a miner can do: nothing looks an alert up by id, address or value. Somebody who compares
//! the tasks of two hotkeys, or a task with the batch at its source, sees which alerts are traps, though not which way
//! they go; and somebody with all past batches can search for the nearest old row. Traps catch the careless and the
//! lazy; settlement judges skill.

mod checksums;
mod choose;
mod cluster_rows;
pub(crate) mod common;
mod consensus;
mod draw;
mod fineness;
mod forge;
mod jitter;
mod levels;
mod merge;
mod names;
mod pool;
mod prose;
mod relabel;
mod renaming;
mod reword;
mod slice;
mod today;
mod together;

use std::collections::HashSet;

use aml_miner::wire::Batch;

use crate::store::records::{Ask, RoundId, TrapPlan};
use crate::validation::tier2_traps::TrapGroup;
use crate::wallet::Hotkey;
use choose::{Issuing, choose};
use forge::fresh_ids;
use today::{Today, tables};

pub use choose::ALERTS_PER_TRAP;
pub use consensus::Consensus;
pub use draw::Draw;
pub(crate) use forge::Forged;
pub(crate) use merge::merged;
pub use pool::{PoolPart, ReadPoolError, TrapPool};
pub use slice::{LEAST_GROUP, MAX_FLOWS, SettledBatch};

/// First part of every seed.
const DOMAIN: &[u8] = b"aml-traps/1";

/// The generator of a round for `purpose`, such as a hotkey or the choice of the pool.
#[must_use]
pub fn seeded(salt: &[u8; 32], round: RoundId, purpose: &[u8]) -> Draw {
    Draw::new(&[DOMAIN, salt, round.to_string().as_bytes(), purpose])
}

/// What one miner's traps are, without their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issue {
    /// Places and ids.
    pub(crate) issued: Vec<(usize, String)>,
    /// The groups.
    pub(crate) groups: Vec<TrapGroup>,
}

/// Makes the traps of a round.
#[derive(Clone, Debug)]
pub(crate) struct Forge {
    pool: TrapPool,
    plan: TrapPlan,
    today: Today,
    sizes: [usize; 4],
}

impl Forge {
    /// For the batch of `round`.
    pub(crate) fn new(pool: TrapPool, plan: TrapPlan, round: RoundId, batch: &Batch) -> Self {
        let sizes = tables(batch).map(aml_miner::wire::Table::rows);
        Self { pool, plan, today: Today::of(round.date, round.window_days, batch), sizes }
    }

    /// Draws a miner's traps; their ids join `issued`, so that no two miners share one.
    pub(crate) fn issue(&self, draw: &Draw, issued: &mut HashSet<String>) -> Issue {
        let chosen = choose(&self.pool, self.plan, Issuing::Alone, self.sizes[0], draw);
        let ids = fresh_ids(&self.pool, &self.today, &chosen, draw, issued);
        Issue { issued: chosen.places.into_iter().zip(ids).collect(), groups: chosen.groups }
    }

    /// Whether `ask` has the places and groups that would be drawn.
    pub(crate) fn agrees(&self, draw: &Draw, ask: &Ask) -> bool {
        let chosen = choose(&self.pool, self.plan, Issuing::Alone, self.sizes[0], draw);
        chosen.groups == ask.groups && chosen.places.iter().eq(ask.issued.iter().map(|(place, _)| place))
    }

    /// The rows of the traps that are `issued`.
    pub(crate) fn rows(&self, draw: &Draw, issued: &[(usize, String)]) -> Forged {
        let chosen = choose(&self.pool, self.plan, Issuing::Alone, self.sizes[0], draw);
        let ids: Vec<String> = issued.iter().map(|(_, id)| id.clone()).collect();
        let issued = forge::Issued { chosen: &chosen, ids: &ids, issuing: Issuing::Alone };
        forge::forge(&self.pool, &self.today, issued, self.sizes, draw)
    }

    /// The traps of the task that is the same for all, each with its company, and their groups. Companions come after all
    /// other alerts.
    pub(crate) fn common(&self, draw: &Draw) -> (Vec<TrapGroup>, Forged) {
        let chosen = choose(&self.pool, self.plan, Issuing::InCompany, self.sizes[0], draw);
        let ids = fresh_ids(&self.pool, &self.today, &chosen, draw, &mut HashSet::new());
        let issued = forge::Issued { chosen: &chosen, ids: &ids, issuing: Issuing::InCompany };
        let forged = forge::forge(&self.pool, &self.today, issued, self.sizes, draw);
        (chosen.groups, forged)
    }

    /// The generator of a miner.
    pub(crate) fn draw(salt: &[u8; 32], round: RoundId, hotkey: &Hotkey) -> Draw {
        seeded(salt, round, hotkey.as_bytes())
    }
}
