//! Alerts of a day: which accounts the rules bring up, and how the alerts are written.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::config::SynthConfig;
use super::rules::{Candidate, judge};
use super::view::View;

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

/// The detector's own confidence: it follows the rule's strength, not the truth.
pub(super) fn confidence(candidate: &Candidate, rng: &mut ChaCha8Rng) -> f64 {
    let noise = Normal::new(0.0_f64, 0.1).map_or(0.0, |normal| normal.sample(rng));
    let raw = 0.3 + 0.18 * candidate.strength + 0.03 * candidate.indicators.len() as f64 + noise;
    (raw.clamp(0.05, 0.99) * 10_000.0).round() / 10_000.0
}

/// Position in [`crate::table::spec::SEVERITIES`].
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
