//! Weights in words and as JSON. Pure.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::store::records::WeightsState;
use crate::validator::pay::{Due, Preview, WeightsAge};
use crate::wallet::Hotkey;

/// Submissions that are listed.
const LISTED: usize = 10;

/// All that is shown.
pub(super) struct Sheet<'a> {
    pub(super) netuid: u16,
    pub(super) mechanism: u8,
    pub(super) hotkey: Hotkey,
    pub(super) rounds: usize,
    pub(super) min_rounds: usize,
    pub(super) preview: &'a Preview,
}

impl Sheet<'_> {
    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = self.head();
        self.vector(&mut text);
        if !self.preview.records.is_empty() {
            text.push_str("\nsubmissions, newest first\n");
        }
        for record in self.preview.records.iter().take(LISTED) {
            let vector = record.vector.to_string();
            let (epoch, receivers) = (record.epoch, record.plan.content.weights.uids.len());
            let short = vector.get(..16).unwrap_or(&vector);
            let _ = writeln!(text, "  epoch {epoch}: {receivers} neurons, {} [{short}]", state(&record.state));
        }
        text
    }

    fn head(&self) -> String {
        let Preview { standing, epoch, records, on_chain, .. } = self.preview;
        let place = standing.uid.map_or_else(|| "not registered".to_owned(), |uid| format!("uid {}", uid.0));
        let age = WeightsAge::of(standing, records);
        let since =
            age.map_or_else(String::new, |age| format!(", since block {}, {:.1} tempos ago", age.since.0, age.tempos));
        let receivers = on_chain.as_ref().map_or(0, Vec::len);
        format!(
            "subnet {} mechanism {} at block {}, hotkey {}\n  standing         {place}, validator permit {}\n  \
             epoch            from block {}, the next one in {} blocks (tempo {})\n  on chain         {receivers} \
             neurons have a weight{since}\n  next submission  {}\n  rounds           {} \
             days with rounds that count, {} wanted\n",
            self.netuid,
            self.mechanism,
            standing.block.0,
            self.hotkey,
            if standing.permit { "yes" } else { "no" },
            epoch.first.0,
            epoch.blocks_left(),
            standing.rules.tempo,
            due(&self.preview.due),
            self.rounds,
            self.min_rounds,
        )
    }

    fn vector(&self, text: &mut String) {
        let preview = self.preview;
        if let Some(why) = &preview.withheld {
            let _ = writeln!(text, "\nnothing would be set: {why}");
        }
        if let Some(Err(error)) = &preview.vector {
            let _ = writeln!(text, "\nnothing would be set: {error}");
        }
        if let Some(refused) = &preview.refused {
            let _ = writeln!(text, "\nthe chain would refuse it now: {refused}");
        }
        if !preview.rows.is_empty() {
            let _ = writeln!(
                text,
                "\n{:>5}  {:<48}  {:>11}  {:>6}  {:>8}  {:>6}  {:>8}",
                "uid", "hotkey", "performance", "rounds", "share", "weight", "on chain"
            );
        }
        for row in &preview.rows {
            let _ = writeln!(
                text,
                "{:>5}  {:<48}  {:>11.6}  {:>6}  {:>8.6}  {:>6}  {:>8}",
                row.uid.0,
                row.hotkey.to_string(),
                row.performance,
                row.rounds,
                row.share,
                row.weight,
                row.on_chain
            );
        }
        if !preview.dropped.is_empty() {
            text.push_str("\nwithout a weight\n");
        }
        for left in &preview.dropped {
            let _ = writeln!(text, "  {}  {:.6}  {}", left.hotkey, left.performance, left.why);
        }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let preview = self.preview;
        let Preview { standing, epoch, .. } = preview;
        let rows: Vec<Value> = preview.rows.iter().map(row_json).collect();
        let records: Vec<Value> = preview
            .records
            .iter()
            .map(|record| {
                json!({
                    "epoch": record.epoch,
                    "vector": record.vector.to_string(),
                    "state": record.state,
                    "uids": record.plan.content.weights.uids,
                    "values": record.plan.content.weights.values,
                    "made_ms": record.made_ms,
                })
            })
            .collect();
        let chain = preview.on_chain.as_ref().map(|weights| {
            weights.iter().map(|(uid, value)| json!({ "uid": uid.0, "weight": value })).collect::<Vec<_>>()
        });
        let age = WeightsAge::of(standing, &preview.records);
        json!({
            "netuid": self.netuid,
            "mechanism": self.mechanism,
            "hotkey": self.hotkey.to_string(),
            "block": standing.block.0,
            "uid": standing.uid.map(|uid| uid.0),
            "validator_permit": standing.permit,
            "epoch": { "first": epoch.first.0, "next": epoch.next.0, "tempo": standing.rules.tempo },
            "due": due_json(&preview.due),
            "last_block": age.map(|age| age.since.0),
            "age_tempos": age.map(|age| age.tempos),
            "rounds": self.rounds,
            "min_rounds": self.min_rounds,
            "withheld": preview.withheld.map(|why| why.to_string()),
            "refused": preview.refused.as_ref().map(ToString::to_string),
            "unfit": preview.vector.as_ref().and_then(|vector| vector.as_ref().err()).map(ToString::to_string),
            "weights": rows,
            "dropped": preview.dropped.iter().map(|left| json!({
                "hotkey": left.hotkey.to_string(), "performance": left.performance, "why": left.why,
            })).collect::<Vec<_>>(),
            "on_chain": chain,
            "submissions": records,
        })
    }
}

fn row_json(row: &crate::validator::pay::Row) -> Value {
    json!({
        "uid": row.uid.0,
        "hotkey": row.hotkey.to_string(),
        "performance": row.performance,
        "rounds": row.rounds,
        "share": row.share,
        "weight": row.weight,
        "on_chain": row.on_chain,
    })
}

/// When the next submission is due, in words.
pub(super) fn due(due: &Due) -> String {
    match due {
        Due::Now => "due now".to_owned(),
        Due::Unfinished { epoch } => format!("that of epoch {epoch} is on its way"),
        Due::Later { blocks, because } => format!("in {blocks} blocks ({})", because.reason()),
    }
}

fn due_json(due: &Due) -> Value {
    match due {
        Due::Now => json!({ "when": "now" }),
        Due::Unfinished { epoch } => json!({ "when": "unfinished", "epoch": epoch }),
        Due::Later { blocks, because } => json!({ "when": "later", "blocks": blocks, "because": because.reason() }),
    }
}

/// How far a submission has come, in words.
pub(super) fn state(state: &WeightsState) -> String {
    match state {
        WeightsState::Planned => "planned, its end is not known".to_owned(),
        WeightsState::Committed { block } => format!("committed in block {block}, to be revealed"),
        WeightsState::Timelocked { block, round, reveal_from } => {
            format!("committed in block {block} to drand round {round}, the chain reveals it from block {reveal_from}")
        }
        WeightsState::Confirmed { block } => format!("on chain since block {block}"),
        WeightsState::Failed { why } => format!("failed: {why}"),
    }
}
