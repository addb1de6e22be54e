//! The tables of a day, written from what was simulated.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::alerts::{confidence, pattern_type, severity};
use super::assemble::{Names, assemble, texts};
use super::clusters::Group;
use super::patterns::Truth;
use super::population::{ASSETS, Role};
use super::rules::Candidate;
use super::traffic::DAY_MS;
use super::view::View;
use super::window::Edge;
use crate::table::spec::{ALERTS, CLUSTERS, LABELS, MONEY_FLOWS, SEVERITIES, severity_rank};
use crate::wire::{Column, Table, TextLists};

/// The `alerts` table.
pub(super) fn alerts(
    names: &Names<'_>,
    view: &View<'_>,
    raised: &[Candidate],
    groups: &[Group],
    rng: &mut ChaCha8Rng,
) -> Table {
    let mut group_of = vec![None; raised.len()];
    for (number, group) in groups.iter().enumerate() {
        group.alerts.iter().for_each(|&alert| group_of[alert] = Some(number));
    }
    let tag = names.tag();
    let pattern_id = |position: usize| match (pattern_type(raised[position].typology), group_of[position]) {
        ("", _) | (_, None) => String::new(),
        (motif, Some(group)) => format!("{motif}_{tag}_{group}"),
    };
    let ids: Vec<String> = (0..raised.len()).map(|position| names.alert_id(position)).collect();
    let patterns: Vec<String> = (0..raised.len()).map(pattern_id).collect();
    let volumes: Vec<f64> = raised.iter().map(|alert| (alert.usd * 100.0).round() / 100.0).collect();
    let descriptions: Vec<String> =
        raised.iter().zip(&volumes).map(|(alert, usd)| describe(names, alert, *usd)).collect();
    let evidence: Vec<String> = raised.iter().map(|alert| evidence(names, view, alert)).collect();
    let mut indicators = TextLists::default();
    for alert in raised {
        alert.indicators.iter().for_each(|sign| indicators.push_item(sign));
        indicators.end_row();
    }
    let kinds: Vec<&str> = raised.iter().map(|alert| suspected(view, alert, rng)).collect();
    let confidences = raised.iter().map(|alert| confidence(alert, rng)).collect();
    let severities: Vec<usize> = raised.iter().map(|alert| severity(alert, rng)).collect();
    assemble(
        &ALERTS,
        raised.len(),
        names,
        vec![
            ("alert_id", texts(ids.iter().map(String::as_str))),
            ("address", names.column(view, raised.iter().map(|alert| alert.account))),
            ("typology_type", texts(raised.iter().map(|alert| alert.typology))),
            ("pattern_id", texts(patterns.iter().map(String::as_str))),
            ("pattern_type", texts(raised.iter().map(|alert| pattern_type(alert.typology)))),
            ("severity", texts(severities.iter().map(|&rank| SEVERITIES[rank]))),
            ("suspected_address_type", texts(kinds.iter().copied())),
            ("suspected_address_subtype", texts(kinds.iter().map(|_| ""))),
            ("alert_confidence_score", Column::Numbers(confidences)),
            ("description", texts(descriptions.iter().map(String::as_str))),
            ("volume_usd", Column::Numbers(volumes)),
            ("evidence_json", texts(evidence.iter().map(String::as_str))),
            ("risk_indicators", Column::TextLists(indicators)),
        ],
    )
}

fn describe(names: &Names<'_>, alert: &Candidate, usd: f64) -> String {
    let what = alert.typology.replace('_', " ");
    format!("{what} pattern, {usd:.2} USD in {} days", names.config.window_days)
}

fn evidence(names: &Names<'_>, view: &View<'_>, alert: &Candidate) -> String {
    let peers = view.window.targets(alert.account).take(2).map(|edge| names.address(view, edge.to as usize));
    serde_json::json!({
        "detector": alert.typology,
        "tx_count": view.window.received(alert.account).count() + view.window.sent(alert.account).count(),
        "peers": peers.collect::<Vec<_>>(),
        "window": {"days": names.config.window_days, "end": names.date.to_string()},
    })
    .to_string()
}

fn suspected(view: &View<'_>, alert: &Candidate, rng: &mut ChaCha8Rng) -> &'static str {
    match view.role(alert.account) {
        _ if rng.random_bool(0.3) => "unknown",
        Role::Merchant => "merchant",
        Role::Exchange => "exchange",
        Role::Mixer => "mixer",
        Role::Retail | Role::Whale | Role::Contract => "personal_wallet",
    }
}

/// The `labels` table: one row per alert, known one to three weeks later, some of them wrong.
pub(super) fn labels(
    names: &Names<'_>,
    view: &View<'_>,
    raised: &[Candidate],
    truth: &[Truth],
    rng: &mut ChaCha8Rng,
) -> Table {
    let ids: Vec<String> = (0..raised.len()).map(|position| names.alert_id(position)).collect();
    let (mut illicit, mut relevance, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for alert in raised {
        let part = truth[view.id(alert.account) as usize];
        let guilty = (part == Truth::Illicit) != rng.random_bool(names.config.label_noise);
        let grade = if guilty { 2.0 } else { f64::from(u8::from(part != Truth::Clean)) };
        illicit.push(f64::from(u8::from(guilty)));
        relevance.push(grade);
        let day = i64::from(view.day) + rng.random_range(7..=21);
        known.push((day * DAY_MS + rng.random_range(0..DAY_MS)) as f64);
    }
    assemble(
        &LABELS,
        raised.len(),
        names,
        vec![
            ("alert_id", texts(ids.iter().map(String::as_str))),
            ("confirmed_illicit", Column::Numbers(illicit)),
            ("relevance", Column::Numbers(relevance)),
            ("confirmed_at", Column::Numbers(known)),
            ("source", texts(raised.iter().map(|_| "investigation"))),
        ],
    )
}

/// The `clusters` table.
pub(super) fn clusters(
    names: &Names<'_>,
    view: &View<'_>,
    alerts: &Table,
    raised: &[Candidate],
    groups: &[Group],
) -> Table {
    let tag = names.tag();
    let ids: Vec<String> =
        (0..groups.len()).map(|number| format!("cluster_{}_{tag}_{number:05}", names.date)).collect();
    let (mut members, mut addresses) = (TextLists::default(), TextLists::default());
    for group in groups {
        for &alert in &group.alerts {
            members.push_item(&names.alert_id(alert));
            addresses.push_item(names.address(view, raised[alert].account));
        }
        members.end_row();
        addresses.end_row();
    }
    let all = |name: &str| alerts.numbers(name).unwrap_or_default();
    let (volumes, confidences) = (all("volume_usd"), all("alert_confidence_score"));
    let sum = |group: &Group, values: &[f64]| group.alerts.iter().map(|&alert| values[alert]).sum::<f64>();
    let worst = |group: &Group| {
        let ranks = group.alerts.iter().filter_map(|&alert| severity_rank(alerts.texts("severity")?.get(alert)));
        SEVERITIES[ranks.max().unwrap_or(0)]
    };
    let times = |group: &Group| {
        let at = group.alerts.iter().flat_map(|&alert| view.window.sent(raised[alert].account).map(|t| t.at));
        let (first, last) = at.fold((i64::MAX, i64::MIN), |(a, b), time| (a.min(time), b.max(time)));
        if first > last { (f64::NAN, f64::NAN) } else { (first as f64, last as f64) }
    };
    let first = groups.iter().map(|group| raised[group.alerts[0]].account);
    let patterns = alerts.texts("pattern_id");
    let primary: Vec<String> = groups.iter().map(|group| names.alert_id(group.alerts[0])).collect();
    let count = |group: &Group| group.alerts.len() as f64;
    assemble(
        &CLUSTERS,
        groups.len(),
        names,
        vec![
            ("cluster_id", texts(ids.iter().map(String::as_str))),
            ("cluster_type", texts(groups.iter().map(|group| group.kind))),
            ("primary_address", names.column(view, first)),
            ("pattern_id", texts(groups.iter().map(|group| patterns.map_or("", |column| column.get(group.alerts[0]))))),
            ("primary_alert_id", texts(primary.iter().map(String::as_str))),
            ("related_alert_ids", Column::TextLists(members)),
            ("addresses_involved", Column::TextLists(addresses)),
            ("total_alerts", Column::Numbers(groups.iter().map(count).collect())),
            (
                "total_volume_usd",
                Column::Numbers(groups.iter().map(|group| (sum(group, volumes) * 100.0).round() / 100.0).collect()),
            ),
            ("severity_max", texts(groups.iter().map(worst))),
            (
                "confidence_avg",
                Column::Numbers(
                    groups
                        .iter()
                        .map(|group| (sum(group, confidences) / count(group) * 10_000.0).round() / 10_000.0)
                        .collect(),
                ),
            ),
            ("earliest_alert_timestamp", Column::Numbers(groups.iter().map(|group| times(group).0).collect())),
            ("latest_alert_timestamp", Column::Numbers(groups.iter().map(|group| times(group).1).collect())),
        ],
    )
}

/// The `money_flows` table: every edge of the window.
pub(super) fn money_flows(names: &Names<'_>, view: &View<'_>) -> Table {
    let edges = &view.window.edges;
    let back = |edge: &Edge| {
        let reverse = view.window.targets(edge.to as usize).find(|other| other.to == edge.from).map_or(0.0, |e| e.usd);
        let (low, high) = (edge.usd.min(reverse), edge.usd.max(reverse));
        (low / high * 1.0e6).round() / 1.0e6
    };
    let numbers = |value: &dyn Fn(&Edge) -> f64| Column::Numbers(edges.iter().map(value).collect());
    assemble(
        &MONEY_FLOWS,
        edges.len(),
        names,
        vec![
            ("from_address", names.column(view, edges.iter().map(|edge| edge.from as usize))),
            ("to_address", names.column(view, edges.iter().map(|edge| edge.to as usize))),
            ("amount_usd", numbers(&|edge| (edge.usd * 100.0).round() / 100.0)),
            ("tx_count", numbers(&|edge| f64::from(edge.count))),
            ("first_seen", numbers(&|edge| edge.first as f64)),
            ("last_seen", numbers(&|edge| edge.last as f64)),
            ("asset", texts(edges.iter().map(|edge| ASSETS[edge.asset as usize]))),
            ("reciprocity_ratio", numbers(&back)),
        ],
    )
}
