//! The rules that raise alerts. They see measurements, never the truth.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::activity::{Activity, NAMES};

/// An alert that a rule would raise.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// Position in the window.
    pub(super) account: usize,
    pub(super) typology: &'static str,
    pub(super) indicators: Vec<&'static str>,
    /// How strongly the rule fired, roughly 0 to 3.
    pub(super) strength: f64,
    /// USD that the alert is about.
    pub(super) usd: f64,
}

/// What the rules know of an account beside its activity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Background {
    /// USD to and from mixers.
    pub(super) mixer_usd: f64,
    /// Whether money came back to the account within four hops.
    pub(super) cycle: bool,
    /// Days since the last transfer before the window; `None` when there was none.
    pub(super) slept: Option<i32>,
    /// A venue, a mixer or a large merchant: known, and left alone.
    pub(super) known: bool,
}

/// Looks up a measurement by name.
pub(super) fn reading(activity: &Activity, name: &str) -> f64 {
    NAMES.iter().position(|known| *known == name).map_or(f64::NAN, |at| activity.values[at])
}

/// The strongest alert that the rules raise for an account, if they raise one.
pub(super) fn judge(
    account: usize,
    activity: &Activity,
    background: &Background,
    rng: &mut ChaCha8Rng,
) -> Option<Candidate> {
    if background.known {
        return None;
    }
    let get = |name: &str| reading(activity, name);
    let usd = get("total_volume_usd");
    let size = (usd.max(1.0).log10() - 3.0).clamp(0.0, 3.0);
    let passed = get("pass_through");
    let moved = passed / get("total_in_usd").max(1.0);
    let flowing = if passed > 3_000.0 { moved } else { 0.0 };
    let splits = get("near_limit_count");
    let sleeper = background.slept.is_some_and(|days| days > 20) && get("total_out_usd") > 5_000.0;
    let peel = flowing * f64::from(u8::from((1.5..2.5).contains(&get("unique_recipients_count"))));
    let fired = [
        ("structuring", (splits - 1.0).max(0.0) * 0.7),
        ("mixing", (background.mixer_usd / 12_000.0).min(2.5)),
        ("rapid_movement", flowing * 1.3 * f64::from(u8::from(get("tx_total_count") < 12.0))),
        ("layering", flowing * 0.25 * get("unique_recipients_count").min(6.0)),
        ("peel_chain", peel * 1.6),
        ("fan_in", (get("fan_in") - 5.0).max(0.0) * 0.18),
        ("fan_out", (get("fan_out") - 5.0).max(0.0) * 0.18),
        ("round_trip", if background.cycle { 0.5 + size * 0.4 } else { 0.0 }),
        ("dormant_activation", if sleeper { 0.7 + size * 0.5 } else { 0.0 }),
        ("high_risk_exposure", (size - 1.8).max(0.0) * 0.6),
    ];
    let noise = Normal::new(0.0_f64, 0.25).map_or(0.0, |normal| normal.sample(rng));
    let (typology, raw) = fired.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let strength = raw.min(2.5) + noise + 0.15 * size;
    let indicators = indicators(activity, background, splits, flowing, rng);
    Some(Candidate { account, typology, indicators, strength, usd })
}

fn indicators(
    activity: &Activity,
    background: &Background,
    splits: f64,
    flowing: f64,
    rng: &mut ChaCha8Rng,
) -> Vec<&'static str> {
    let get = |name: &str| reading(activity, name);
    let signs = [
        ("high_volume", get("total_volume_usd") > 50_000.0),
        ("rapid_movement", flowing > 0.6),
        ("structuring", splits >= 3.0),
        ("new_counterparty", get("counterparty_stability") < 0.2),
        ("night_activity", get("night_transaction_ratio") > 0.3),
        ("mixer_exposure", background.mixer_usd > 0.0),
        ("dormant_reactivation", background.slept.is_some_and(|days| days > 20)),
        ("round_trip", background.cycle),
    ];
    // A detector now and then overlooks a sign.
    signs.into_iter().filter(|(_, seen)| *seen && rng.random_bool(0.9)).map(|(name, _)| name).collect()
}
