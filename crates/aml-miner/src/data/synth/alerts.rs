//! Alerts of a day: which accounts the rules bring up, and how the alerts are written.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::SynthConfig;
use super::activity::Activity;
use super::graph::GraphMeasures;
use super::population::{Population, Role};
use super::rules::{Background, Candidate, judge};
use super::window::Window;

/// Counterparties beyond which an account is no longer followed through a cycle.
const CYCLE_DEGREE: usize = 40;
/// Accounts looked at in search of a cycle.
const CYCLE_STEPS: usize = 300;

/// The alerts of a day, strongest rules first in their draw, in the order of their accounts.
pub(super) fn raise(config: &SynthConfig, view: &View<'_>, rng: &mut ChaCha8Rng) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (account, activity) in view.activities.iter().enumerate() {
        let background = view.background(account);
        if let Some(candidate) = judge(account, activity, &background, rng) {
            let jitter: f64 = -(-rng.random::<f64>().max(1e-12).ln()).ln() * 0.25;
            candidates.push((candidate.strength + jitter, candidate));
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.account.cmp(&b.1.account)));
    candidates.truncate(config.alerts);
    let mut chosen: Vec<Candidate> = candidates.into_iter().map(|(_, candidate)| candidate).collect();
    chosen.sort_by_key(|candidate| candidate.account);
    chosen
}

/// What is known at the end of a day.
pub(super) struct View<'a> {
    pub(super) day: i32,
    pub(super) population: &'a Population,
    pub(super) window: &'a Window,
    pub(super) activities: &'a [Activity],
    pub(super) graph: &'a GraphMeasures,
}

impl View<'_> {
    /// The id of the account at position `account` of the window.
    pub(super) fn id(&self, account: usize) -> u32 {
        self.window.accounts[account]
    }

    pub(super) fn role(&self, account: usize) -> Role {
        self.population.accounts[self.id(account) as usize].role
    }

    pub(super) fn background(&self, account: usize) -> Background {
        let is_mixer = |other: u32| self.role(other as usize) == Role::Mixer;
        let out = self.window.targets(account).filter(|edge| is_mixer(edge.to)).map(|edge| edge.usd);
        let back = self.window.sources(account).filter(|edge| is_mixer(edge.from)).map(|edge| edge.usd);
        Background {
            mixer_usd: out.chain(back).sum(),
            cycle: self.cycle(account),
            slept: self.slept(account),
            known: matches!(self.role(account), Role::Exchange | Role::Mixer | Role::Contract),
        }
    }

    /// Days between the account's last transfer before the window and its first within; `None` when there was none.
    pub(super) fn slept(&self, account: usize) -> Option<i32> {
        let last_active = self.population.accounts[self.id(account) as usize].last_active?;
        let first = self.window.received(account).chain(self.window.sent(account)).map(|t| t.at).min();
        let first_day = first.map_or(self.day, |at| at.div_euclid(super::traffic::DAY_MS) as i32);
        Some(first_day - last_active)
    }

    /// Whether money can come back to `start` within four hops past accounts with few counterparties.
    fn cycle(&self, start: usize) -> bool {
        if self.window.degree(start) > CYCLE_DEGREE {
            return false;
        }
        let mut queue = vec![(start, 0)];
        let mut next = 0;
        while let Some(&(account, hop)) = queue.get(next) {
            next += 1;
            if hop == 4 || queue.len() > CYCLE_STEPS {
                return false;
            }
            for edge in self.window.targets(account) {
                let to = edge.to as usize;
                if to == start && hop >= 2 {
                    return true;
                }
                if to != start && edge.usd > 500.0 && self.window.degree(to) <= CYCLE_DEGREE {
                    queue.push((to, hop + 1));
                }
            }
        }
        false
    }
}

/// The detector's own confidence: it follows the rule's strength, not the truth.
pub(super) fn confidence(candidate: &Candidate, rng: &mut ChaCha8Rng) -> f64 {
    let noise = Normal::new(0.0_f64, 0.1).map_or(0.0, |normal| normal.sample(rng));
    let raw = 0.3 + 0.18 * candidate.strength + 0.03 * candidate.indicators.len() as f64 + noise;
    (raw.clamp(0.05, 0.99) * 10_000.0).round() / 10_000.0
}

/// Position in [`crate::wire::spec::SEVERITIES`].
pub(super) fn severity(candidate: &Candidate, rng: &mut ChaCha8Rng) -> usize {
    let size = (candidate.usd.max(1.0).log10() - 3.5).clamp(0.0, 2.5);
    let raw = 0.4 * candidate.strength + 0.45 * size + rng.random_range(-0.5..0.5);
    raw.clamp(0.0, 3.0) as usize
}

/// The kind of motif that a typology belongs to; empty where it has none.
pub(super) fn pattern_type(typology: &str) -> &'static str {
    match typology {
        "round_trip" => "cycle",
        "layering" | "peel_chain" | "rapid_movement" => "layering_path",
        "structuring" => "smurfing_network",
        "fan_in" => "motif_fanin",
        "fan_out" => "motif_fanout",
        _ => "",
    }
}
