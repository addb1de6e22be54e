//! What every column means, and in which unit: for the documents that programs and people read.

/// The words for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// What it means.
    pub meaning: &'static str,
    /// In which unit.
    pub unit: &'static str,
}

impl Words {
    /// Meaning and unit as one sentence.
    #[must_use]
    pub fn sentence(self) -> String {
        format!("{} ({}).", self.meaning, self.unit)
    }
}

/// The words for the column `column` of the table `table`.
#[must_use]
pub fn of(table: &str, column: &str) -> Option<Words> {
    let columns = TABLES.iter().find(|(name, _)| *name == table)?.1;
    let (_, meaning, unit) = *columns.iter().find(|(name, ..)| *name == column)?;
    Some(Words { meaning, unit })
}

/// Name, meaning and unit.
type Line = (&'static str, &'static str, &'static str);

const TABLES: [(&str, &[Line]); 5] = [
    ("alerts", ALERTS),
    ("features", FEATURES),
    ("clusters", CLUSTERS),
    ("money_flows", MONEY_FLOWS),
    ("labels", LABELS),
];

const ALERTS: &[Line] = &[
    ("window_days", "Days that the features of the alert's address look back", "days"),
    ("processing_date", "Day of the batch, UTC", "date"),
    ("alert_id", "Name of the alert, unique in its batch", "name"),
    ("address", "Address that the alert is about", "address"),
    ("typology_type", "Kind of laundering that the detector suspects, such as structuring", "name"),
    ("pattern_id", "Pattern that the detector found; empty where it found none", "name"),
    ("pattern_type", "Kind of that pattern", "name"),
    ("severity", "How severe the detector finds it: low, medium, high or critical", "name"),
    ("suspected_address_type", "What the address is taken for, such as exchange", "name"),
    ("suspected_address_subtype", "The same, closer", "name"),
    ("alert_confidence_score", "How sure the detector is", "0 to 1"),
    ("description", "What the detector says, for a person", "text"),
    ("volume_usd", "Money that the alert is about", "USD"),
    ("evidence_json", "What the detector found, as JSON text", "JSON"),
    ("risk_indicators", "Names of the indicators that were raised", "names"),
];

const CLUSTERS: &[Line] = &[
    ("window_days", "Days that the features look back", "days"),
    ("processing_date", "Day of the batch, UTC", "date"),
    ("cluster_id", "Name of the cluster, unique in its batch", "name"),
    ("cluster_type", "Why its alerts belong together: same_entity, pattern, proximity and others", "name"),
    ("primary_address", "Address that stands for it", "address"),
    ("pattern_id", "Pattern that its alerts share; empty where there is none", "name"),
    ("primary_alert_id", "Alert that stands for it", "name"),
    ("related_alert_ids", "Its alerts", "names"),
    ("addresses_involved", "Their addresses", "addresses"),
    ("total_alerts", "Number of its alerts", "count"),
    ("total_volume_usd", "Money that its alerts are about, together", "USD"),
    ("severity_max", "Highest severity of its alerts", "name"),
    ("confidence_avg", "Mean confidence of its alerts", "0 to 1"),
    ("earliest_alert_timestamp", "When the first of its alerts was raised", "ms since 1970, UTC, or ISO 8601"),
    ("latest_alert_timestamp", "When the last of its alerts was raised", "ms since 1970, UTC, or ISO 8601"),
];

const MONEY_FLOWS: &[Line] = &[
    ("from_address", "Address that paid", "address"),
    ("to_address", "Address that was paid", "address"),
    ("amount_usd", "Money that flowed along this edge within the window", "USD"),
    ("tx_count", "Transactions of this edge", "count"),
    ("first_seen", "When the first of them was", "ms since 1970, UTC, or ISO 8601"),
    ("last_seen", "When the last of them was", "ms since 1970, UTC, or ISO 8601"),
    ("asset", "Asset that was paid with", "name"),
    ("reciprocity_ratio", "Share of the money that flowed back", "ratio"),
];

const LABELS: &[Line] = &[
    ("alert_id", "Alert that the outcome is of", "name"),
    ("confirmed_illicit", "Whether the investigation confirmed it", "flag"),
    ("relevance", "2 confirmed illicit, 1 suspicious, 0 clean", "0 to 2"),
    ("confirmed_at", "When the outcome became known", "ms since 1970, UTC, or ISO 8601"),
    ("source", "Who says so", "name"),
];

const FEATURES: &[Line] = &[
    ("window_days", "Days that the features look back", "days"),
    ("processing_date", "Day of the batch, UTC", "date"),
    ("address", "Address that the row is about, unique in its batch", "address"),
    ("degree_in", "Edges into the address", "count"),
    ("degree_out", "Edges out of the address", "count"),
    ("degree_total", "Edges of the address", "count"),
    ("unique_counterparties", "Addresses that it paid or was paid by", "count"),
    ("unique_recipients_count", "Addresses that it paid", "count"),
    ("unique_senders_count", "Addresses that paid it", "count"),
    ("total_in_usd", "Money received", "USD"),
    ("total_out_usd", "Money sent", "USD"),
    ("net_flow_usd", "Money received less money sent", "USD"),
    ("total_volume_usd", "Money received and sent", "USD"),
    ("avg_tx_in_usd", "Mean amount of a transaction received", "USD"),
    ("avg_tx_out_usd", "Mean amount of a transaction sent", "USD"),
    ("median_tx_in_usd", "Median amount of a transaction received", "USD"),
    ("median_tx_out_usd", "Median amount of a transaction sent", "USD"),
    ("max_tx_usd", "Largest amount of a transaction", "USD"),
    ("min_tx_usd", "Smallest amount of a transaction", "USD"),
    ("avg_daily_volume_usd", "Money received and sent, a day", "USD a day"),
    ("amount_variance", "Variance of the amounts", "USD squared"),
    ("amount_skewness", "Skewness of the amounts", "number"),
    ("amount_kurtosis", "Kurtosis of the amounts", "number"),
    ("volume_std", "Standard deviation of the amounts", "USD"),
    ("volume_cv", "Standard deviation of the amounts over their mean", "ratio"),
    ("flow_concentration", "How much of the money is in few transactions", "0 to 1"),
    ("tx_in_count", "Transactions received", "count"),
    ("tx_out_count", "Transactions sent", "count"),
    ("tx_total_count", "Transactions", "count"),
    ("outlier_transactions", "Transactions of an unusual amount", "count"),
    ("activity_days", "Days with a transaction", "days"),
    ("activity_span_days", "Days from the first to the last transaction", "days"),
    ("peak_hour", "Hour of the day with the most transactions, UTC", "hour, 0 to 23"),
    ("peak_day", "Day of the week with the most transactions", "day, 0 to 7"),
    ("regularity_score", "How evenly transactions are spread over time", "score"),
    ("burst_factor", "Busiest period over the mean", "ratio"),
    ("peak_activity_hour", "Hour of the day with the most money, UTC", "hour, 0 to 23"),
    ("peak_activity_day", "Day of the week with the most money", "day, 0 to 7"),
    ("hourly_entropy", "Entropy of the hours of the day", "nats or bits, as the source counts"),
    ("daily_entropy", "Entropy of the days of the week", "nats or bits, as the source counts"),
    ("weekend_transaction_ratio", "Share of transactions on weekends", "0 to 1"),
    ("night_transaction_ratio", "Share of transactions at night", "0 to 1"),
    ("consistency_score", "How alike days are", "score"),
    ("first_activity_timestamp", "When the address was first seen", "ms since 1970, UTC, or ISO 8601"),
    ("last_activity_timestamp", "When the address was last seen", "ms since 1970, UTC, or ISO 8601"),
    ("hourly_activity", "Transactions by hour of the day", "24 counts"),
    ("daily_activity", "Transactions by day of the week", "7 counts"),
    ("reciprocity_ratio", "Share of counterparties that it both paid and was paid by", "0 to 1"),
    ("flow_diversity", "How evenly money is spread over counterparties", "score"),
    ("counterparty_concentration", "How much of the money goes to few counterparties", "0 to 1"),
    ("concentration_ratio", "Share of the largest counterparty", "0 to 1"),
    ("velocity_score", "How fast money is passed on", "score"),
    ("structuring_score", "How much amounts look cut to stay below a threshold", "score"),
    ("small_transaction_ratio", "Share of small transactions", "0 to 1"),
    ("flow_reciprocity_entropy", "Entropy of the shares of money that flow back", "nats or bits, as the source counts"),
    ("counterparty_stability", "Share of counterparties known before", "0 to 1"),
    ("flow_burstiness", "How much flows come in bursts", "score"),
    ("transaction_regularity", "How even the times between transactions are", "score"),
    ("amount_predictability", "How alike amounts are", "score"),
    ("unique_assets_in", "Assets received", "count"),
    ("unique_assets_out", "Assets sent", "count"),
    ("asset_diversity_score", "How evenly assets are used", "score"),
    ("dominant_asset_in", "Asset received most", "name"),
    ("dominant_asset_out", "Asset sent most", "name"),
    ("pagerank", "PageRank in the graph of flows", "share"),
    ("betweenness", "Betweenness centrality in the graph of flows", "score"),
    ("closeness", "Closeness centrality in the graph of flows", "score"),
    ("clustering_coefficient", "Share of its neighbours that know each other", "0 to 1"),
    ("kcore", "Largest k of a k-core that holds it", "count"),
    ("community_id", "Number of the community in the graph of flows", "number without order"),
    ("centrality_score", "Centrality, several measures together", "score"),
    ("khop1_count", "Addresses one step away", "count"),
    ("khop2_count", "Addresses up to two steps away", "count"),
    ("khop3_count", "Addresses up to three steps away", "count"),
    ("khop1_volume_usd", "Money of the addresses one step away", "USD"),
    ("khop2_volume_usd", "Money of the addresses up to two steps away", "USD"),
    ("khop3_volume_usd", "Money of the addresses up to three steps away", "USD"),
    ("behavioral_anomaly_score", "How unusual its behaviour is", "score"),
    ("graph_anomaly_score", "How unusual its place in the graph is", "score"),
    ("neighborhood_anomaly_score", "How unusual its neighbours are", "score"),
    ("global_anomaly_score", "How unusual it is, all together", "score"),
    ("suspicious_pattern_score", "How much it looks like known patterns", "score"),
    ("outlier_score", "How far it is from the others", "score"),
    ("is_exchange_like", "Looks like an exchange", "flag"),
    ("is_whale", "Holds or moves very much", "flag"),
    ("is_mixer_like", "Looks like a mixer", "flag"),
    ("is_contract_like", "Looks like a contract", "flag"),
    ("is_new_address", "Was not seen before the window", "flag"),
    ("is_dormant_reactivated", "Was silent for long and is active again", "flag"),
    ("is_high_volume_trader", "Trades very much", "flag"),
    ("is_hub_address", "Has very many counterparties", "flag"),
    ("is_retail_active", "Looks like an active private person", "flag"),
    ("is_whale_inactive", "Holds very much and is silent", "flag"),
    ("is_retail_inactive", "Looks like a silent private person", "flag"),
    ("is_regular_user", "Looks like a regular user", "flag"),
    ("completeness_score", "How much of the row could be computed", "0 to 1"),
    ("quality_score", "How good the data behind the row is", "score"),
    ("confidence_score", "How sure the source is of the row", "score"),
];

#[cfg(test)]
mod tests {
    use crate::table::spec::{ALERTS, CLUSTERS, FEATURES, LABELS, MONEY_FLOWS};

    #[test]
    fn every_column_has_its_words_and_no_other() {
        for table in [&ALERTS, &FEATURES, &CLUSTERS, &MONEY_FLOWS, &LABELS] {
            let columns = table.columns.iter().map(|column| column.name);
            let without: Vec<_> = columns.filter(|name| super::of(table.name, name).is_none()).collect();
            assert!(without.is_empty(), "{}: {without:?}", table.name);
            let described = super::TABLES.iter().find(|(name, _)| *name == table.name).expect("the table").1;
            assert_eq!(described.len(), table.columns.len(), "{}", table.name);
        }
    }
}
