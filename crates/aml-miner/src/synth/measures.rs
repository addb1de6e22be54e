//! The `features` table: measurements, anomaly scores, flags and quality of every account of a window.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::activity::NAMES;
use super::assemble::{Names, assemble};
use super::config::SynthConfig;
use super::population::{ASSETS, Role};
use super::rules;
use super::view::View;
use crate::table::spec::FEATURES;
use crate::wire::{Column, NumberLists, Table};

/// Columns of which some values are missing in real data.
const NULLABLE: [&str; 12] = [
    "pagerank",
    "betweenness",
    "closeness",
    "clustering_coefficient",
    "amount_skewness",
    "amount_kurtosis",
    "behavioral_anomaly_score",
    "graph_anomaly_score",
    "neighborhood_anomaly_score",
    "global_anomaly_score",
    "hourly_entropy",
    "counterparty_stability",
];

/// Numbers by column name, one entry an account.
pub(super) struct Measures {
    columns: Vec<(&'static str, Vec<f64>)>,
    missing: f64,
}

impl Measures {
    pub(super) fn new(view: &View<'_>, config: &SynthConfig, rng: &mut ChaCha8Rng) -> Self {
        let mut columns: Vec<(&'static str, Vec<f64>)> = Vec::with_capacity(FEATURES.columns.len());
        for (at, name) in NAMES.iter().enumerate() {
            columns.push((name, view.activities.iter().map(|activity| activity.values[at]).collect()));
        }
        let mut measures = Self { columns, missing: config.missing };
        measures.add_graph(view);
        measures.add_anomalies(view);
        measures.add_flags(view, rng);
        measures.add_quality();
        measures
    }

    /// The table; rows of a few accounts, and a few values, are missing.
    pub(super) fn table(&self, names: &Names<'_>, view: &View<'_>, rng: &mut ChaCha8Rng) -> Table {
        let count = view.window.accounts.len();
        let rows: Vec<usize> = (0..count).filter(|_| !rng.random_bool(self.missing)).collect();
        let mut columns: Vec<(&str, Column)> = vec![("address", names.column(view, rows.iter().copied()))];
        for (name, values) in &self.columns {
            if matches!(*name, "dominant_asset_in" | "dominant_asset_out") {
                columns.push((name, Column::Texts(rows.iter().map(|&row| asset_name(values[row])).collect())));
            } else if FEATURES.position(name).is_some() {
                let nullable = NULLABLE.contains(name);
                let mut value = |row: &usize| {
                    let lost = nullable && rng.random_bool(self.missing);
                    if lost || !values[*row].is_finite() { f64::NAN } else { rounded(values[*row]) }
                };
                columns.push((name, Column::Numbers(rows.iter().map(&mut value).collect())));
            }
        }
        columns.push(("hourly_activity", lists(rows.iter().map(|&row| &view.activities[row].hourly[..]))));
        columns.push(("daily_activity", lists(rows.iter().map(|&row| &view.activities[row].daily[..]))));
        assemble(&FEATURES, rows.len(), names, columns)
    }

    fn get(&self, name: &str) -> &[f64] {
        self.columns.iter().find(|(known, _)| *known == name).map_or(&[], |(_, values)| values)
    }

    fn add_graph(&mut self, view: &View<'_>) {
        let graph = view.graph;
        for (name, values) in [
            ("pagerank", &graph.pagerank),
            ("betweenness", &graph.betweenness),
            ("closeness", &graph.closeness),
            ("clustering_coefficient", &graph.clustering),
            ("kcore", &graph.core),
            ("community_id", &graph.community),
            ("khop1_count", &graph.reach[0]),
            ("khop2_count", &graph.reach[1]),
            ("khop3_count", &graph.reach[2]),
            ("khop1_volume_usd", &graph.reach_usd[0]),
            ("khop2_volume_usd", &graph.reach_usd[1]),
            ("khop3_volume_usd", &graph.reach_usd[2]),
        ] {
            self.columns.push((name, values.clone()));
        }
        let top = graph.pagerank.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        self.columns.push(("centrality_score", graph.pagerank.iter().map(|rank| (rank / top).sqrt()).collect()));
    }

    fn add_anomalies(&mut self, view: &View<'_>) {
        let behaviour =
            self.mean_deviation(&["velocity_score", "night_transaction_ratio", "burst_factor", "volume_cv"]);
        let place = self.mean_deviation(&["degree_total", "kcore", "khop2_count", "total_volume_usd"]);
        let around: Vec<f64> = (0..behaviour.len())
            .map(|account| {
                let near = view.window.targets(account).map(|edge| edge.to).take(50);
                let near: Vec<f64> = near.map(|id| behaviour[id as usize]).collect();
                if near.is_empty() { f64::NAN } else { near.iter().sum::<f64>() / near.len() as f64 }
            })
            .collect();
        let overall = behaviour.iter().zip(&place).map(|(a, b)| 1.0 - (1.0 - a) * (1.0 - b)).collect();
        let splits = self.get("structuring_score").iter().zip(self.get("velocity_score"));
        let suspicious = splits.map(|(split, speed)| 0.5 * split + 0.5 * speed).collect();
        let outlier = self.mean_deviation(&["max_tx_usd", "tx_total_count"]);
        for (name, values) in [
            ("behavioral_anomaly_score", behaviour),
            ("graph_anomaly_score", place),
            ("neighborhood_anomaly_score", around),
            ("global_anomaly_score", overall),
            ("suspicious_pattern_score", suspicious),
            ("outlier_score", outlier),
        ] {
            self.columns.push((name, values));
        }
    }

    /// How far an account is from the others in the named columns, from 0 to 1.
    fn mean_deviation(&self, names: &[&str]) -> Vec<f64> {
        let count = self.get(names[0]).len();
        let mut sum = vec![0.0; count];
        for name in names {
            let logs: Vec<f64> = self.get(name).iter().map(|value| value.max(0.0).ln_1p()).collect();
            let known = logs.iter().filter(|value| value.is_finite());
            let mean = known.clone().sum::<f64>() / count as f64;
            let spread = (known.map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64).sqrt().max(1e-9);
            for (total, value) in sum.iter_mut().zip(&logs) {
                let distance = if value.is_finite() { ((value - mean) / spread).abs() } else { 0.0 };
                *total += distance / names.len() as f64;
            }
        }
        sum.into_iter().map(|distance| 1.0 - (-distance / 2.0).exp()).collect()
    }

    fn add_flags(&mut self, view: &View<'_>, rng: &mut ChaCha8Rng) {
        let count = view.window.accounts.len();
        let mut flag = |name: &'static str, test: &mut dyn FnMut(usize) -> bool| {
            let values = (0..count).map(|account| f64::from(u8::from(test(account)))).collect();
            self.columns.push((name, values));
        };
        let reading = |account: usize, name: &str| rules::reading(&view.activities[account], name);
        let volume = |account: usize| reading(account, "total_volume_usd");
        let days = |account: usize| reading(account, "activity_days");
        flag("is_exchange_like", &mut |a| view.window.degree(a) > 100 && volume(a) > 50_000.0);
        flag("is_whale", &mut |a| volume(a) > 1.0e6);
        flag("is_mixer_like", &mut |a| view.role(a) == Role::Mixer && rng.random_bool(0.9));
        flag("is_contract_like", &mut |a| {
            view.role(a) == Role::Contract && reading(a, "night_transaction_ratio") > 0.1
        });
        flag("is_new_address", &mut |a| view.slept(a).is_none());
        flag("is_dormant_reactivated", &mut |a| view.slept(a).is_some_and(|days| days > 20));
        flag("is_high_volume_trader", &mut |a| volume(a) > 250_000.0 || reading(a, "tx_total_count") > 200.0);
        flag("is_hub_address", &mut |a| view.window.degree(a) > 50);
        flag("is_retail_active", &mut |a| volume(a) < 10_000.0 && days(a) >= 2.0);
        flag("is_whale_inactive", &mut |a| volume(a) > 1.0e6 && days(a) <= 1.0);
        flag("is_retail_inactive", &mut |a| volume(a) < 10_000.0 && days(a) <= 1.0);
        flag("is_regular_user", &mut |a| reading(a, "regularity_score") > 0.5);
    }

    fn add_quality(&mut self) {
        let counts = self.get("tx_total_count").to_vec();
        let seen = |half: f64| counts.iter().map(|count| count / (count + half)).collect::<Vec<f64>>();
        let (quality, confidence) = (seen(4.0), seen(8.0));
        let known = |account: usize| self.columns.iter().filter(|(_, values)| values[account].is_finite()).count();
        let complete = (0..counts.len()).map(|account| known(account) as f64 / self.columns.len() as f64).collect();
        self.columns.push(("completeness_score", complete));
        self.columns.push(("quality_score", quality));
        self.columns.push(("confidence_score", confidence));
    }
}

/// Nine significant digits: what a publisher would write, and small files.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || value.fract() == 0.0 {
        return value;
    }
    let scale = 10_f64.powi(8 - value.abs().log10().floor() as i32);
    let rounded = (value * scale).round() / scale;
    if rounded.is_finite() { rounded } else { value }
}

fn asset_name(position: f64) -> &'static str {
    if position.is_finite() { ASSETS.get(position as usize).copied().unwrap_or_default() } else { "" }
}

fn lists<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Column {
    let mut lists = NumberLists::default();
    for row in rows {
        row.iter().for_each(|&value| lists.push_item(value));
        lists.end_row();
    }
    Column::NumberLists(lists)
}
