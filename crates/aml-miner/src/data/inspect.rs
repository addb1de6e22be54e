//! What a batch holds: rows, missing values, ranges, label rate, and columns that give the label away by being missing.

mod columns;
mod labels;

use serde::Serialize;

use crate::data::batch_dir::LoadedBatch;
use crate::table::Table;

pub use columns::ColumnReport;
pub use labels::{LabelReport, MissingSignal};

/// Share of missing values from which a column is pointed out as nearly empty.
const NEARLY_EMPTY: f64 = 0.99;

/// The findings about one batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The day the batch is for.
    pub processing_date: String,
    /// Days that the features look back.
    pub window_days: u16,
    /// The chain.
    pub network: String,
    /// Digest of the manifest's signed bytes.
    pub digest: String,
    /// Who signed it.
    pub publisher: Option<String>,
    /// The tables that are there.
    pub tables: Vec<TableReport>,
    /// How the tables fit together.
    pub joins: JoinReport,
    /// Outcomes, where they are known.
    pub labels: Option<LabelReport>,
    /// What somebody should look at before training on it.
    pub warnings: Vec<String>,
}

/// The findings about one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableReport {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub rows: usize,
    /// Columns of the format that it lacks altogether.
    pub absent: Vec<&'static str>,
    /// Columns that the format does not know.
    pub unknown: Vec<String>,
    /// Columns that it has.
    pub columns: Vec<ColumnReport>,
}

/// How the tables of a batch fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JoinReport {
    /// Alerts whose address has no row of features.
    pub alerts_without_features: usize,
    /// Alerts that are in no cluster.
    pub alerts_without_cluster: usize,
    /// Alerts that a cluster names and the batch lacks.
    pub cluster_alerts_unknown: usize,
}

/// Looks at a batch.
#[must_use]
pub fn inspect(loaded: &LoadedBatch) -> Inspection {
    let batch = &loaded.batch;
    let tables: Vec<TableReport> = [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows]
        .into_iter()
        .chain(&loaded.labels)
        .map(table_report)
        .collect();
    let joins = join_report(loaded);
    let labels = loaded.labels.as_ref().map(|table| labels::label_report(loaded, table));
    let warnings = warnings(&tables, &joins, labels.as_ref());
    Inspection {
        processing_date: loaded.meta.processing_date.to_string(),
        window_days: loaded.meta.window_days,
        network: loaded.meta.network.clone(),
        digest: loaded.meta.digest().to_string(),
        publisher: loaded.meta.publisher.clone(),
        tables,
        joins,
        labels,
        warnings,
    }
}

fn table_report(table: &Table) -> TableReport {
    let all = table.spec().columns.iter().zip(table.columns());
    let absent = all.clone().filter(|(_, column)| column.is_none()).map(|(about, _)| about.name).collect();
    let columns = all.filter_map(|(about, column)| Some(columns::report(about, column.as_ref()?))).collect();
    TableReport {
        name: table.spec().name,
        rows: table.rows(),
        absent,
        unknown: table.unknown_columns().to_vec(),
        columns,
    }
}

fn join_report(loaded: &LoadedBatch) -> JoinReport {
    use std::collections::HashSet;
    let (alerts, clusters) = (&loaded.batch.alerts, &loaded.batch.clusters);
    let known: HashSet<&str> =
        loaded.batch.features.texts("address").into_iter().flat_map(|texts| texts.iter()).collect();
    let ids: HashSet<&str> = alerts.texts("alert_id").into_iter().flat_map(|texts| texts.iter()).collect();
    let mut clustered = HashSet::new();
    if let Some(lists) = clusters.text_lists("related_alert_ids") {
        (0..lists.len()).for_each(|row| clustered.extend(lists.get(row)));
    }
    let addresses = alerts.texts("address");
    JoinReport {
        alerts_without_features: addresses.map_or(0, |texts| texts.iter().filter(|text| !known.contains(text)).count()),
        alerts_without_cluster: ids.iter().filter(|id| !clustered.contains(*id)).count(),
        cluster_alerts_unknown: clustered.iter().filter(|id| !ids.contains(*id)).count(),
    }
}

fn warnings(tables: &[TableReport], joins: &JoinReport, labels: Option<&LabelReport>) -> Vec<String> {
    let mut found = Vec::new();
    for table in tables.iter().filter(|table| table.rows > 0) {
        if !table.unknown.is_empty() {
            found.push(format!("{}: unknown columns are not used: {}", table.name, table.unknown.join(", ")));
        }
        let empty: Vec<_> = table.columns.iter().filter(|c| c.missing >= NEARLY_EMPTY).map(|c| c.name).collect();
        if !empty.is_empty() {
            found.push(format!("{}: nearly or wholly empty: {}", table.name, empty.join(", ")));
        }
        let constant: Vec<_> = table.columns.iter().filter(|c| c.is_constant(table.rows)).map(|c| c.name).collect();
        let measured = matches!(table.name, "alerts" | "features");
        if measured && !constant.is_empty() {
            found.push(format!("{}: the same value in every row: {}", table.name, constant.join(", ")));
        }
    }
    if joins.cluster_alerts_unknown > 0 {
        found.push(format!("clusters name {} alerts that the batch lacks", joins.cluster_alerts_unknown));
    }
    found.extend(labels.into_iter().flat_map(LabelReport::warnings));
    found
}
