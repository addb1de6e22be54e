//! The risk of an address: a total, bounded, monotone function that knows no order.

use aml_subnet::outputs::risk::severity_weight;
use aml_subnet::outputs::{ScoredAlert, address_risk};
use proptest::prelude::*;

type Alerts = Vec<ScoredAlert<'static>>;

fn alerts() -> impl Strategy<Value = Alerts> {
    let severity = prop::sample::select(vec!["low", "medium", "high", "critical", "", "unheard of"]);
    let pattern = prop::sample::select(vec!["peel chain", "structuring", "mixing", ""]);
    let alert = (severity, pattern, 0.0..=1.0);
    prop::collection::vec(alert.prop_map(|(severity, pattern, score)| ScoredAlert { severity, pattern, score }), 1..40)
}

fn risk(alerts: &Alerts) -> f64 {
    address_risk(alerts).expect("there are alerts").risk
}

proptest! {
    #[test]
    fn risk_is_from_zero_to_one_and_not_above_what_it_is_made_of(alerts in alerts()) {
        let of = address_risk(&alerts).expect("there are alerts");
        for part in [of.risk, of.highest, of.mean, of.any] {
            prop_assert!((0.0..=1.0).contains(&part), "{of:?}");
        }
        prop_assert!(of.mean <= of.highest + 1e-12 && of.highest <= of.any + 1e-12, "{of:?}");
    }

    #[test]
    fn a_higher_score_never_lowers_the_risk(alerts in alerts(), place in any::<prop::sample::Index>(), more in 0.0..=1.0) {
        let mut higher = alerts.clone();
        let place = place.index(higher.len());
        higher[place].score = f64::max(higher[place].score, more);
        prop_assert!(risk(&higher) >= risk(&alerts) - 1e-12);
    }

    #[test]
    fn the_order_of_alerts_changes_nothing((alerts, shuffled) in alerts().prop_flat_map(|alerts| (Just(alerts.clone()), Just(alerts).prop_shuffle()))) {
        prop_assert_eq!(risk(&alerts).to_bits(), risk(&shuffled).to_bits());
    }
}

#[test]
fn without_alerts_there_is_no_risk_to_tell() {
    assert_eq!(address_risk(&[]), None);
}

fn alert(severity: &'static str, pattern: &'static str, score: f64) -> ScoredAlert<'static> {
    ScoredAlert { severity, pattern, score }
}

#[test]
fn alerts_of_one_pattern_are_right_or_wrong_together() {
    let chain: Alerts = [0.9, 0.8, 0.7, 0.85, 0.6].map(|score| alert("high", "peel chain", score)).to_vec();
    let of = address_risk(&chain).expect("five alerts");
    assert_eq!((of.cases, of.any.to_bits()), (1, of.highest.to_bits()), "{of:?}");
    let mixed = [chain, vec![alert("low", "mixing", 0.5)]].concat();
    let of = address_risk(&mixed).expect("six alerts");
    assert!(of.cases == 2 && (of.any - 0.95).abs() < 1e-12, "{of:?}");
}

#[test]
fn a_worked_example() {
    // 0.4 * 0.8 + 0.3 * (0.8 * 4 + 0.5 * 1) / 5 + 0.3 * (1 - 0.2 * 0.5)
    let of = address_risk(&[alert("low", "structuring", 0.5), alert("critical", "mixing", 0.8)]).expect("two alerts");
    assert!((of.risk - (0.32 + 0.3 * 0.74 + 0.3 * 0.9)).abs() < 1e-12, "{of:?}");
    let weights: Vec<String> =
        ["low", "medium", "high", "critical", "?"].iter().map(|name| severity_weight(name).to_string()).collect();
    assert_eq!(weights, ["1", "2", "3", "4", "2"]);
}
