//! Tasks and answers made by hand, as a round would have them.

use std::collections::BTreeMap;

use aml_miner::digest::{Digest, Hashed};
use aml_miner::receipt::{InputForm, ReceiptKey, Statement};
use aml_miner::wire::ScoreRow;
use aml_subnet::store::records::{Answer, Ask, BodyForm, Common, CommonParts, Form, Reply, RosterRow, SentAlert, Task};
use aml_subnet::validation::tier2_traps::{Expected, TrapGroup};
use aml_subnet::wallet::Hotkey;

/// A hotkey by number.
pub(crate) fn hotkey(number: u8) -> Hotkey {
    Hotkey::from_bytes([number; 32])
}

/// The request body of a miner, which only its digest matters of.
pub(crate) fn request(number: u8) -> Vec<u8> {
    format!("request of {number}").into_bytes()
}

/// A roster of so many alerts, severities in turn.
pub(crate) fn roster(alerts: usize) -> Vec<RosterRow> {
    let severities = ["low", "medium", "high", "critical"];
    let row = |number: usize| RosterRow {
        alert_id: format!("alert-{number}"),
        address: format!("0x{number:040x}"),
        typology: "structuring".to_owned(),
        severity: severities[number % severities.len()].to_owned(),
    };
    (0..alerts).map(row).collect()
}

/// A task for miners 1 to `miners`, each with a trap expected low at the first place and one expected high at the last.
pub(crate) fn task(alerts: usize, miners: u8) -> Task {
    let group = |name: &str, expected, place| TrapGroup { name: name.to_owned(), expected, places: vec![place] };
    let ask = |number: u8| {
        let ask = Ask {
            uid: u16::from(number),
            axon: Some(([192, 0, 2, number], 8091).into()),
            issued: vec![(0, format!("low-{number}")), (alerts + 1, format!("high-{number}"))],
            groups: vec![group("low", Expected::Low, 0), group("high", Expected::High, alerts + 1)],
            receipt_key: None,
        };
        (hotkey(number), ask)
    };
    Task {
        salt: [9; 32],
        deadline_ms: 10_000,
        traps: None,
        roster: roster(alerts),
        asks: (1..=miners).map(ask).collect(),
        common: None,
        sealing: None,
        arrow: None,
    }
}

/// The same alerts under other ids, upside down, with a low trap first and a high one last: the task of all miners.
pub(crate) fn common_task(alerts: usize, miners: u8, accept_unsigned: bool) -> Task {
    let group = |name: &str, expected, place| TrapGroup { name: name.to_owned(), expected, places: vec![place] };
    let trap = |id: &str| SentAlert { id: id.to_owned(), of: None };
    let real = |of: usize| SentAlert { id: format!("a-{of}"), of: Some(of) };
    let between = (0..alerts).rev().map(real);
    let parts = CommonParts {
        alerts: std::iter::once(trap("a-low")).chain(between).chain([trap("a-high")]).collect(),
        groups: vec![group("low", Expected::Low, 0), group("high", Expected::High, alerts + 1)],
        clusters: Vec::new(),
        patterns: Vec::new(),
        body: Digest::of(b"the body of all"),
        accept_unsigned,
    };
    let mut task = task(alerts, miners);
    task.asks.values_mut().for_each(|ask| (ask.issued, ask.groups) = (Vec::new(), Vec::new()));
    Task { common: Some(Common::new(parts).expect("a task")), ..task }
}

/// The receipt key of a miner.
pub(crate) fn receipt_key(number: u8) -> ReceiptKey {
    ReceiptKey::from_secret(&[number; 32])
}

/// An answer with a receipt, and its body: `scores` are for the miner's alerts in its order.
pub(crate) fn answer(task: &Task, number: u8, scores: &[f64]) -> (Answer, Hashed) {
    let ids = task.sheet(&hotkey(number)).expect("is asked").ids();
    let row = |(alert_id, score): (&str, &f64)| ScoreRow {
        alert_id: alert_id.to_owned(),
        score: *score,
        model_version: "1.0.0".to_owned(),
        latency_ms: 0.0,
        explain_json: String::new(),
    };
    let rows: Vec<ScoreRow> = ids.into_iter().zip(scores).map(row).collect();
    let body = Hashed::of(serde_json::to_vec(&rows).expect("rows"));
    let statement = Statement {
        input: Digest::of(&request(number)),
        form: InputForm::Json,
        output: body.digest(),
        model_version: "1.0.0".to_owned(),
        model: Digest::of(b"model"),
        schema: Digest::of(b"schema"),
        state: None,
        timestamp: 1,
    };
    let made = Answer {
        hotkey: hotkey(number),
        reply: Reply::Answered,
        form: Form::Btauth,
        request: Some(Digest::of(&request(number))),
        request_form: BodyForm::Json,
        sent_bytes: None,
        status: Some(200),
        receipt: Some(receipt_key(number).sign(&statement).to_header()),
        headers: BTreeMap::new(),
        body: Some(body.digest()),
        bytes: body.bytes().len() as u64,
        asked_ms: 1_000,
        took_ms: 250,
        in_time: true,
        attempts: Vec::new(),
        sealed: None,
        takes_arrow: false,
    };
    (made, body)
}

/// Nothing but what came of asking.
pub(crate) fn silence(number: u8, reply: Reply) -> Answer {
    Answer::silence(hotkey(number), reply, 1_000)
}
