//! What the tests of the rules share: hotkeys, submissions, who is registered.

use std::collections::BTreeMap;

use aml_miner::wire::ScoreRow;
use aml_subnet::validation::submission::Submission;
use aml_subnet::wallet::Hotkey;

pub(crate) fn hotkey(number: u8) -> Hotkey {
    Hotkey::from_bytes([number; 32])
}

/// A submission for alerts that are numbered.
pub(crate) fn must_submit(scores: &[f64]) -> Submission {
    let ids: Vec<String> = (0..scores.len()).map(|number| format!("alert-{number}")).collect();
    let row = |(id, &score): (&String, &f64)| ScoreRow {
        alert_id: id.clone(),
        score,
        model_version: "1.0.0+0a1b2c3d4e5f".to_owned(),
        latency_ms: 0.1,
        explain_json: String::new(),
    };
    let rows: Vec<ScoreRow> = ids.iter().zip(scores).map(row).collect();
    Submission::accept(&ids, &rows).expect("a submission")
}

/// A subnet in which hotkey `n` has uid `n`.
pub(crate) fn registered(members: u8) -> BTreeMap<u16, Hotkey> {
    (0..members).map(|number| (u16::from(number), hotkey(number))).collect()
}
