//! What is kept of all alerts and clusters of a day.

use crate::scoring::is_severe;
use crate::wire::spec::ALERTS;
use crate::wire::{Table, TextColumn};

/// What is kept of all alerts and clusters.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) alert_ids: TextColumn,
    pub(super) cluster_ids: TextColumn,
    pub(super) severe_alerts: Vec<bool>,
    pub(super) severe_clusters: Vec<bool>,
    compared: Option<Table>,
}

impl Facts {
    pub(super) fn learn_clusters(&mut self, clusters: &Table, severe: bool) {
        if let Some(ids) = clusters.texts("cluster_id") {
            self.cluster_ids.append(ids);
        }
        if severe {
            mark(clusters, "severity_max", &mut self.severe_clusters);
        }
    }

    pub(super) fn learn_alerts(&mut self, alerts: &Table, severe: bool, relative: bool) {
        if let Some(ids) = alerts.texts("alert_id") {
            self.alert_ids.append(ids);
        }
        if severe {
            mark(alerts, "severity", &mut self.severe_alerts);
        }
        if relative {
            let mut of = vec![None; ALERTS.columns.len()];
            for name in ["volume_usd", "alert_confidence_score"] {
                if let Some(position) = ALERTS.position(name) {
                    of[position] = alerts.column(position).cloned();
                }
            }
            let rows = Table::new(&ALERTS, alerts.rows(), of, Vec::new());
            self.compared.get_or_insert_with(|| Table::empty(&ALERTS)).append(rows);
        }
    }

    pub(super) fn volumes(&self) -> Option<&[f64]> {
        self.compared.as_ref()?.numbers("volume_usd")
    }

    pub(super) fn confidences(&self) -> Option<&[f64]> {
        self.compared.as_ref()?.numbers("alert_confidence_score")
    }
}

fn mark(table: &Table, column: &str, severe: &mut Vec<bool>) {
    let texts = table.texts(column);
    severe.extend((0..table.rows()).map(|row| texts.is_some_and(|texts| is_severe(texts.get(row)))));
}
