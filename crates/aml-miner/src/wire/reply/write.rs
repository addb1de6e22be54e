//! Writes the rows of an answer straight to bytes, block by block; blocks are written side by side and joined in order.
//!
//! `latency_ms` is known only when all rows are done, so each row leaves a gap of fixed width for it.

use serde::Serialize;

/// Width of the text of `latency_ms`.
const LATENCY_WIDTH: usize = 10;
const GAP: [u8; LATENCY_WIDTH] = *b"0.00000000";

/// How the rows of an answer stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// As one JSON list.
    List,
    /// As one JSON object a line (NDJSON).
    Lines,
}

impl Framing {
    /// What stands before the first row, between two, and after the last where there are any.
    const fn marks(self) -> (&'static [u8], u8, &'static [u8]) {
        match self {
            Self::List => (b"[", b',', b"]"),
            Self::Lines => (b"", b'\n', b"\n"),
        }
    }
}

/// What stands before the value of each of a model's features in explanations, written once for all.
#[derive(Clone, Debug)]
pub struct FeatureNames {
    /// JSON text.
    plain: Vec<Vec<u8>>,
    /// JSON text within JSON text, as in `explain_json`.
    nested: Vec<Vec<u8>>,
}

impl FeatureNames {
    /// Prepares `names`.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        let written = |text: &str| {
            let mut out = Vec::new();
            json(&mut out, text);
            out
        };
        let nested = |name: &String| {
            let outer = written(&String::from_utf8_lossy(&written(name)));
            NESTED.head(&outer[1..outer.len() - 1])
        };
        Self {
            nested: names.iter().map(nested).collect(),
            plain: names.iter().map(|name| PLAIN.head(&written(name))).collect(),
        }
    }
}

/// The fixed parts of an explanation.
struct Form {
    score: &'static [u8],
    base_value: &'static [u8],
    features: &'static [u8],
    feature: &'static [u8],
    no_name: &'static [u8],
    value: &'static [u8],
    impact: &'static [u8],
}

const PLAIN: Form = Form {
    score: b"{\"score\":",
    base_value: b",\"base_value\":",
    features: b",\"top_features\":[",
    feature: b"{\"feature\":",
    no_name: b"\"\"",
    value: b",\"value\":",
    impact: b",\"impact\":",
};
const NESTED: Form = Form {
    score: b"{\\\"score\\\":",
    base_value: b",\\\"base_value\\\":",
    features: b",\\\"top_features\\\":[",
    feature: b"{\\\"feature\\\":",
    no_name: b"\\\"\\\"",
    value: b",\\\"value\\\":",
    impact: b",\\\"impact\\\":",
};

/// The text that stands as `explain_json` in an answer.
#[must_use]
pub fn explanation_text(score: f64, explanation: Explanation<'_>) -> String {
    let mut out = Vec::new();
    PLAIN.write(&mut out, score, explanation, &explanation.names.plain);
    String::from_utf8(out).expect("JSON is text")
}

impl Form {
    /// From the opening of a feature of this name to its value.
    fn head(&self, name: &[u8]) -> Vec<u8> {
        [self.feature, name, self.value].concat()
    }

    fn write(&self, out: &mut Vec<u8>, score: f64, explanation: Explanation<'_>, names: &[Vec<u8>]) {
        out.extend_from_slice(self.score);
        json(out, score);
        out.extend_from_slice(self.base_value);
        json(out, explanation.base_value);
        out.extend_from_slice(self.features);
        for (index, impact) in explanation.impacts.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match names.get(impact.feature) {
                Some(head) => out.extend_from_slice(head),
                None => out.extend_from_slice(&self.head(self.no_name)),
            }
            json(out, impact.value);
            out.extend_from_slice(self.impact);
            json(out, impact.impact);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
}

/// One feature's part in a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impact {
    /// Index of the feature in its schema.
    pub feature: usize,
    /// Its value in this row; NaN where it is missing.
    pub value: f64,
    /// Its exact contribution to the raw score.
    pub impact: f64,
}

/// What `explain_json` holds beside the score.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    /// Names of the features.
    pub names: &'a FeatureNames,
    /// Expected raw score over the training data.
    pub base_value: f64,
    /// The features to name, strongest first.
    pub impacts: &'a [Impact],
}

/// Writes rows of `/score/alerts` or `/score/clusters`.
#[derive(Debug)]
pub struct AnswerWriter {
    out: Vec<u8>,
    gaps: Vec<usize>,
    framing: Framing,
    id_key: &'static str,
    version: Vec<u8>,
}

impl AnswerWriter {
    /// A writer of the rows of a list, whose identifier stands under `id_key`.
    #[must_use]
    pub fn new(id_key: &'static str, model_version: &str) -> Self {
        Self::framed(Framing::List, id_key, model_version)
    }

    /// A writer of rows that stand together like this, whose identifier stands under `id_key`.
    #[must_use]
    pub fn framed(framing: Framing, id_key: &'static str, model_version: &str) -> Self {
        let mut version = Vec::new();
        json(&mut version, model_version);
        Self { out: Vec::new(), gaps: Vec::new(), framing, id_key, version }
    }

    /// Adds a row; without an explanation `explain_json` is an empty object.
    pub fn row(&mut self, id: &str, score: f64, explanation: Option<Explanation<'_>>) {
        if !self.out.is_empty() {
            self.out.push(self.framing.marks().1);
        }
        self.out.extend_from_slice(b"{\"");
        self.out.extend_from_slice(self.id_key.as_bytes());
        self.out.extend_from_slice(b"\":");
        json(&mut self.out, id);
        self.out.extend_from_slice(b",\"score\":");
        json(&mut self.out, score);
        self.out.extend_from_slice(b",\"model_version\":");
        self.out.extend_from_slice(&self.version);
        self.out.extend_from_slice(b",\"latency_ms\":");
        self.gaps.push(self.out.len());
        self.out.extend_from_slice(&GAP);
        self.out.extend_from_slice(b",\"explain_json\":\"");
        match explanation {
            Some(explanation) => NESTED.write(&mut self.out, score, explanation, &explanation.names.nested),
            None => self.out.extend_from_slice(b"{}"),
        }
        self.out.extend_from_slice(b"\"}");
    }

    /// The rows, with `latency_ms` filled in.
    #[must_use]
    pub fn finish(mut self, latency_ms: f64) -> Vec<u8> {
        let text = latency_text(latency_ms);
        for gap in self.gaps {
            self.out[gap..gap + LATENCY_WIDTH].copy_from_slice(&text);
        }
        self.out
    }
}

/// `value` in exactly as many characters as the gap has.
fn latency_text(value: f64) -> [u8; LATENCY_WIDTH] {
    let bounded = if value.is_finite() { value.clamp(0.0, 9_999_999.0) } else { 0.0 };
    let whole_digits = format!("{bounded:.0}").len();
    let mut text = format!("{bounded:.*}", LATENCY_WIDTH - 1 - whole_digits);
    // 99.6 has fewer digits than the 100 it rounds to.
    while text.len() < LATENCY_WIDTH {
        text.push('0');
    }
    text.truncate(LATENCY_WIDTH);
    text.as_bytes().try_into().unwrap_or(GAP)
}

/// `latency_ms` as answers say it, which is not to the last bit.
#[must_use]
pub fn rounded_latency(value: f64) -> f64 {
    std::str::from_utf8(&latency_text(value)).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// One JSON list of the rows of all blocks.
#[must_use]
pub fn concat_blocks(blocks: &[Vec<u8>]) -> Vec<u8> {
    concat_framed(Framing::List, blocks)
}

/// The rows of all blocks, together.
#[must_use]
pub fn concat_framed(framing: Framing, blocks: &[Vec<u8>]) -> Vec<u8> {
    let (open, between, close) = framing.marks();
    let mut out = Vec::with_capacity(blocks.iter().map(|block| block.len() + 1).sum::<usize>() + 2);
    out.extend_from_slice(open);
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        if out.len() > open.len() {
            out.push(between);
        }
        out.extend_from_slice(block);
    }
    if framing == Framing::List || !out.is_empty() {
        out.extend_from_slice(close);
    }
    out
}

/// The answer of `/rank/alerts` for identifiers and scores from the most urgent on.
#[must_use]
pub fn write_ranks<'a>(framing: Framing, ranked: impl Iterator<Item = (&'a str, f64)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (rank, (id, score)) in (1_u64..).zip(ranked) {
        if rank > 1 {
            out.push(framing.marks().1);
        }
        out.extend_from_slice(b"{\"alert_id\":");
        json(&mut out, id);
        out.extend_from_slice(b",\"rank\":");
        json(&mut out, rank);
        out.extend_from_slice(b",\"score\":");
        json(&mut out, score);
        out.push(b'}');
    }
    concat_framed(framing, &[out])
}

/// Appends the JSON of a text or a number; numbers that are not finite become `null`.
fn json<T: Serialize>(out: &mut Vec<u8>, value: T) {
    serde_json::to_writer(out, &value).expect("texts and numbers are written to memory without failing");
}
