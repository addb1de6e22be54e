//! The batch of the kit's newest day, as a detector might have made it: ordinary alerts, hostile texts, flows with cycles, loops
//! and a hub, an address without features.

use std::path::Path;
use std::sync::OnceLock;

use aml_miner::data::batch_dir::BatchDir;
use aml_miner::data::{WriteOptions, write_batch};
use aml_miner::digest::Digest;
use aml_miner::wire::spec::{ALERTS, CLUSTERS, FEATURES, MONEY_FLOWS};
use aml_miner::wire::{Batch, Column, Table, TableSpec, TextColumn, TextLists};
use aml_subnet::store::records::RosterRow;

use crate::api_kit::{DAYS, HOSTILE, id, task};

/// Counterparties of the hub.
pub(crate) const CROWD: usize = 3_000;
/// The alert about the hub.
pub(crate) const HUB: usize = 20;
/// Place of an alert whose address has no features and no flows.
pub(crate) const BARE: usize = 50;
/// A cluster with a name like any other, of alerts 0 to 29.
pub(crate) const CLUSTER: &str = "cluster_7";

/// An id that a link has to encode.
pub(crate) fn odd_cluster() -> String {
    format!("c/\u{202e}{HOSTILE}")
}

fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> Column {
    Column::Texts(all.into_iter().collect::<TextColumn>())
}

fn lists(all: &[Vec<String>]) -> Column {
    let mut lists = TextLists::default();
    for row in all {
        row.iter().for_each(|item| lists.push_item(item));
        lists.end_row();
    }
    Column::TextLists(lists)
}

fn table(spec: &'static TableSpec, rows: usize, columns: Vec<(&str, Column)>) -> Table {
    let mut all: Vec<Option<Column>> = spec.columns.iter().map(|_| None).collect();
    for (name, column) in columns {
        all[spec.position(name).expect("a column of the format")] = Some(column);
    }
    Table::new(spec, rows, all, Vec::new())
}

fn alerts(roster: &[RosterRow]) -> Table {
    let long = "word ".repeat(13_000);
    let description = |place: usize| match place {
        1 => long.clone(),
        2 => format!("{HOSTILE}\u{202e}\u{1}\n=cmd"),
        place => format!("Sent on 94 % of what came in, within 3 hours (alert {place})"),
    };
    let descriptions: Vec<String> = (0..roster.len()).map(description).collect();
    let evidence: Vec<String> = (0..roster.len())
        .map(
            |place| if place == 2 { format!("[{HOSTILE}") } else { format!("{{\"hops\":{place},\"asset\":\"USDT\"}}") },
        )
        .collect();
    let indicators: Vec<Vec<String>> =
        roster.iter().map(|_| vec!["rapid_movement".to_owned(), HOSTILE.to_owned()]).collect();
    let numbers = |of: fn(usize) -> f64| Column::Numbers((0..roster.len()).map(of).collect());
    table(
        &ALERTS,
        roster.len(),
        vec![
            ("alert_id", texts(roster.iter().map(|row| row.alert_id.as_str()))),
            ("address", texts(roster.iter().map(|row| row.address.as_str()))),
            ("typology_type", texts(roster.iter().map(|row| row.typology.as_str()))),
            ("severity", texts(roster.iter().map(|row| row.severity.as_str()))),
            ("description", texts(descriptions.iter().map(String::as_str))),
            ("evidence_json", texts(evidence.iter().map(String::as_str))),
            ("risk_indicators", lists(&indicators)),
            ("volume_usd", numbers(|place| 1_234.5 + place as f64)),
            ("alert_confidence_score", numbers(|place| if place % 3 == 0 { f64::NAN } else { 0.5 })),
        ],
    )
}

fn features(roster: &[RosterRow]) -> Table {
    let bare = &roster[BARE].address;
    let mut addresses: Vec<&str> = roster.iter().map(|row| row.address.as_str()).filter(|one| one != bare).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let numbers = |value: f64| Column::Numbers(vec![value; addresses.len()]);
    let columns = vec![
        ("address", texts(addresses.iter().copied())),
        ("total_in_usd", numbers(5_000_000.0)),
        ("tx_out_count", numbers(17.0)),
        ("velocity_score", numbers(f64::NAN)),
        ("is_mixer_like", numbers(1.0)),
    ];
    table(&FEATURES, addresses.len(), columns)
}

fn clusters(roster: &[RosterRow]) -> Table {
    let of = |places: std::ops::Range<usize>, part: fn(&RosterRow) -> &String| -> Vec<String> {
        roster[places].iter().map(|row| part(row).clone()).collect()
    };
    let ids = [CLUSTER.to_owned(), odd_cluster()];
    let columns = vec![
        ("cluster_id", texts(ids.iter().map(String::as_str))),
        ("cluster_type", texts(["same_entity", HOSTILE])),
        ("related_alert_ids", lists(&[of(0..30, |row| &row.alert_id), of(2..4, |row| &row.alert_id)])),
        ("addresses_involved", lists(&[of(0..30, |row| &row.address), of(2..4, |row| &row.address)])),
        ("total_volume_usd", Column::Numbers(vec![1e6, f64::NAN])),
    ];
    table(&CLUSTERS, 2, columns)
}

fn flows(roster: &[RosterRow]) -> Table {
    let address = |place: usize| roster[place].address.clone();
    let mut all = vec![
        (address(0), address(0), 77.0),
        (address(0), address(1), 10.0),
        (address(1), address(2), 20.0),
        (address(2), address(0), 30.0),
        (HOSTILE.to_owned(), address(2), 40.0),
        ("\u{202e}reversed".to_owned(), address(2), 50.0),
    ];
    all.extend((0..CROWD).map(|at| (address(HUB), format!("counterparty_{at:05}"), at as f64)));
    all.extend((0..CROWD).map(|at| (format!("payer_{at:05}"), address(HUB), at as f64 / 2.0)));
    let numbers = |of: &dyn Fn(usize) -> f64| Column::Numbers((0..all.len()).map(of).collect());
    let columns = vec![
        ("from_address", texts(all.iter().map(|flow| flow.0.as_str()))),
        ("to_address", texts(all.iter().map(|flow| flow.1.as_str()))),
        ("amount_usd", numbers(&|row| all[row].2)),
        ("tx_count", numbers(&|row| 1.0 + row as f64 % 5.0)),
        ("first_seen", numbers(&|_| 1_769_000_000_000.0)),
        ("last_seen", numbers(&|_| 1_769_600_000_000.0)),
        ("asset", texts(all.iter().map(|_| "<i>USDT"))),
    ];
    table(&MONEY_FLOWS, all.len(), columns)
}

/// Writes the batch below `root`, as a cache has it.
pub(crate) fn must_write(root: &Path) {
    let roster = task(DAYS).roster;
    let batch = Batch {
        alerts: alerts(&roster),
        features: features(&roster),
        clusters: clusters(&roster),
        money_flows: flows(&roster),
    };
    let options = WriteOptions {
        processing_date: id(DAYS).date,
        window_days: 30,
        network: "testnet",
        created_at: "2026-01-30T01:00:00Z",
        publisher: None,
        replace: false,
    };
    std::fs::create_dir_all(root).expect("a folder");
    let target = root.join(format!("{}_w30", id(DAYS).date));
    write_batch(&target, &batch, None, &options).expect("written");
}

/// SHA-256 of its manifest.
pub(crate) fn digest() -> Digest {
    static DIGEST: OnceLock<Digest> = OnceLock::new();
    *DIGEST.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        must_write(folder.path());
        let place = folder.path().join(format!("{}_w30", id(DAYS).date));
        BatchDir::open(place).expect("a batch").manifest_sha256()
    })
}
