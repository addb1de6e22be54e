//! The head of a model file: what the model is, before its trees.

use super::super::limits::{MAX_CLASSES, MAX_FEATURES, MAX_TREES};
use super::super::objective::Objective;
use super::error::{Fault, ParseError, quote};
use super::lines::{Fields, Lines};

/// Everything the head says that matters later.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) objective: Objective,
    pub(super) objective_text: String,
    pub(super) outputs: usize,
    pub(super) average_output: bool,
    pub(super) feature_names: Vec<String>,
    pub(super) feature_infos: Vec<String>,
    /// Bytes of each tree's text; `None` when the file does not say.
    pub(super) tree_sizes: Option<Vec<usize>>,
}

impl Header {
    /// Reads up to the first tree.
    pub(super) fn read(lines: &mut Lines<'_>) -> Result<Self, ParseError> {
        let first = lines.next().map_or("", |line| line.text);
        if first != "tree" {
            return Err(Fault::NotAModel { found: quote(first) }.at(1));
        }
        let fields = Fields::read(lines)?;
        version(&fields)?;
        let outputs = fields.integer("num_tree_per_iteration", 1..=MAX_CLASSES)?;
        let classes = fields.integer("num_class", 1..=MAX_CLASSES)?;
        if classes != outputs {
            let line = fields.must("num_class")?;
            let expected = format!("num_tree_per_iteration, {outputs}");
            return Err(Fault::bad("num_class", line.text, expected).at(line.number));
        }
        let features = fields.integer("max_feature_idx", 0..=MAX_FEATURES - 1)? + 1;
        Ok(Self {
            objective: objective(&fields, outputs)?,
            objective_text: fields.get("objective").map_or("", |line| line.text).to_owned(),
            outputs,
            average_output: fields.get("average_output").is_some(),
            feature_names: words(&fields, "feature_names", features)?,
            feature_infos: words(&fields, "feature_infos", features)?,
            tree_sizes: tree_sizes(&fields)?,
        })
    }
}

fn version(fields: &Fields<'_>) -> Result<(), ParseError> {
    let line = fields.must("version")?;
    match line.text {
        "v3" | "v4" => Ok(()),
        other => Err(Fault::Version { found: quote(other) }.at(line.number)),
    }
}

fn objective(fields: &Fields<'_>, outputs: usize) -> Result<Objective, ParseError> {
    match fields.get("objective") {
        None => Ok(Objective::Raw),
        Some(line) => super::objective::objective(line.text, outputs).map_err(|problem| problem.at(line.number)),
    }
}

/// Exactly `length` words.
fn words(fields: &Fields<'_>, key: &'static str, length: usize) -> Result<Vec<String>, ParseError> {
    let line = fields.must(key)?;
    let found = line.text.split(' ').filter(|word| !word.is_empty()).count();
    if found != length {
        return Err(Fault::Length { key, found, expected: length }.at(line.number));
    }
    Ok(line.text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn tree_sizes(fields: &Fields<'_>) -> Result<Option<Vec<usize>>, ParseError> {
    let Some(line) = fields.get("tree_sizes") else { return Ok(None) };
    let count = line.text.split_ascii_whitespace().count();
    if count > MAX_TREES {
        let expected = format!("a model has at most {MAX_TREES}");
        return Err(Fault::Trees { found: count, expected }.at(line.number));
    }
    fields.list("tree_sizes", count).map(Some)
}
