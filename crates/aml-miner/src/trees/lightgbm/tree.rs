//! The trees of a model file.

use std::sync::Arc;

use super::super::limits::{MAX_CATEGORY_WORDS, MAX_LEAF_VALUE, MAX_LEAVES, MAX_TREES};
use super::super::model::{Categories, Child, Missing, Node, Split, Tree};
use super::error::{Fault, ParseError, quote};
use super::header::Header;
use super::lines::{Fields, Line, Lines};
use super::topology;

/// Every key LightGBM 3 and 4 write into a tree that is not linear.
const KEYS: [&str; 18] = [
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "shrinkage",
];

/// Reads all trees, up to `end of trees`.
pub(super) fn read_all(lines: &mut Lines<'_>, header: &Header) -> Result<Vec<Tree>, ParseError> {
    let mut trees = Vec::new();
    loop {
        let head = lines.next().ok_or_else(|| Fault::Cut.at(lines.number()))?;
        let Some(number) = head.text.strip_prefix("Tree=") else {
            check_count(&trees, header, head.number)?;
            return Ok(trees);
        };
        if number != trees.len().to_string() {
            let found = quote(number);
            return Err(Fault::Order { found, expected: trees.len() }.at(head.number));
        }
        if trees.len() == MAX_TREES {
            let expected = format!("a model has at most {MAX_TREES}");
            return Err(Fault::Trees { found: MAX_TREES + 1, expected }.at(head.number));
        }
        let fields = Fields::read(lines)?;
        check_size(lines, header, head, trees.len())?;
        trees.push(Section { fields, head, header, tree: trees.len() }.read()?);
    }
}

fn check_count(trees: &[Tree], header: &Header, line: usize) -> Result<(), ParseError> {
    let found = trees.len();
    let wrong = |expected| Err(Fault::Trees { found, expected }.at(line));
    match &header.tree_sizes {
        Some(sizes) if sizes.len() != found => wrong(format!("`tree_sizes` announces {}", sizes.len())),
        _ if !found.is_multiple_of(header.outputs) => {
            wrong(format!("not a multiple of num_tree_per_iteration, {}", header.outputs))
        }
        _ => Ok(()),
    }
}

/// LightGBM itself jumps by `tree_sizes`; a file where they are off means something else to it than to a reader.
fn check_size(lines: &Lines<'_>, header: &Header, head: Line<'_>, tree: usize) -> Result<(), ParseError> {
    let end = lines.peek().map_or(head.offset, |line| line.offset);
    let found = end - head.offset;
    match header.tree_sizes.as_ref().and_then(|sizes| sizes.get(tree)) {
        Some(&expected) if expected != found => Err(Fault::Size { tree, found, expected }.at(head.number)),
        _ => Ok(()),
    }
}

/// The text of one tree.
struct Section<'a> {
    fields: Fields<'a>,
    head: Line<'a>,
    header: &'a Header,
    tree: usize,
}

impl Section<'_> {
    fn read(&self) -> Result<Tree, ParseError> {
        if let Some(line) = self.fields.get("is_linear").filter(|line| line.text.trim() != "0") {
            return Err(Fault::Linear.at(line.number));
        }
        if let Some((key, line)) = self.fields.keys().find(|(key, _)| !KEYS.contains(key)) {
            return Err(Fault::UnknownKey { key: quote(key) }.at(line));
        }
        let leaves = self.fields.integer("num_leaves", 1..=MAX_LEAVES)?;
        let leaf_values = self.leaf_values(leaves)?;
        let leaf_counts = self.counts("leaf_count", leaves)?;
        let nodes = self.nodes(leaves - 1)?;
        self.check_unused(leaves)?;
        let depth = if nodes.is_empty() { 0 } else { self.depth(&nodes)? };
        Ok(Tree { nodes, leaf_values, leaf_counts, depth })
    }

    fn depth(&self, nodes: &[Node]) -> Result<u32, ParseError> {
        topology::depth(nodes).map_err(|what| {
            let line = self.fields.get("left_child").unwrap_or(self.head).number;
            Fault::Shape { tree: self.tree, what }.at(line)
        })
    }

    /// Numbers that decide nothing here but must still be what they claim to be.
    fn check_unused(&self, leaves: usize) -> Result<(), ParseError> {
        for key in ["split_gain", "internal_value", "internal_weight"] {
            self.fields.list_or_none::<f64>(key, leaves - 1)?;
        }
        self.fields.list_or_none::<f64>("leaf_weight", leaves)?;
        self.fields.list_or_none::<f64>("shrinkage", 1).map(drop)
    }

    fn nodes(&self, count: usize) -> Result<Vec<Node>, ParseError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let features = self.fields.list::<u32>("split_feature", count)?;
        let lefts = self.children("left_child", count)?;
        let rights = self.children("right_child", count)?;
        let counts = self.counts("internal_count", count)?;
        let splits = self.splits(count)?;
        let mut nodes = Vec::with_capacity(count);
        for (index, split) in splits.into_iter().enumerate() {
            let feature = features[index];
            if feature as usize >= self.header.feature_names.len() {
                let expected = format!("a feature below {}", self.header.feature_names.len());
                return Err(self.bad("split_feature", &feature.to_string(), expected));
            }
            let count = counts.get(index).copied().unwrap_or(0.0);
            nodes.push(Node { feature, split, left: lefts[index], right: rights[index], count });
        }
        Ok(nodes)
    }

    fn children(&self, key: &'static str, count: usize) -> Result<Vec<Child>, ParseError> {
        let child = |index: i64| match usize::try_from(index) {
            Ok(node) if node < count => u32::try_from(node).ok().map(Child::Node),
            Ok(_) => None,
            Err(_) => u32::try_from(!index).ok().filter(|leaf| *leaf as usize <= count).map(Child::Leaf),
        };
        let read = |index| {
            let expected = format!("a node below {count} or a leaf from {} to -1", -1 - count as i128);
            child(index).ok_or_else(|| self.bad(key, &index.to_string(), expected))
        };
        self.fields.list::<i64>(key, count)?.into_iter().map(read).collect()
    }

    fn splits(&self, count: usize) -> Result<Vec<Split>, ParseError> {
        let sets = self.category_sets(count)?;
        let thresholds = self.fields.list::<f64>("threshold", count)?;
        let types = self.fields.list::<u8>("decision_type", count)?;
        let split = |(threshold, bits): (f64, u8)| match bits {
            0..=11 if bits & 1 == 1 => self.category_set(threshold, &sets),
            0..=11 if threshold.is_nan() => Err(self.bad("threshold", "nan", "a number")),
            0..=11 => Ok(Split::Numerical { threshold, missing: missing(bits) }),
            _ => Err(self.bad("decision_type", &bits.to_string(), "a decision from 0 to 11")),
        };
        thresholds.into_iter().zip(types).map(split).collect()
    }

    /// The sets of categories, cut from `cat_threshold` by `cat_boundaries`.
    fn category_sets(&self, nodes: usize) -> Result<Vec<Arc<[u32]>>, ParseError> {
        let sets = self.fields.integer("num_cat", 0..=nodes)?;
        if sets == 0 {
            return Ok(Vec::new());
        }
        let bounds = self.fields.list::<usize>("cat_boundaries", sets + 1)?;
        let in_order = |pair: &[usize]| (1..=MAX_CATEGORY_WORDS).contains(&pair[1].wrapping_sub(pair[0]));
        if bounds[0] != 0 || !bounds.windows(2).all(in_order) {
            let expected = format!("a rising list from 0 with steps of at most {MAX_CATEGORY_WORDS}");
            return Err(self.bad("cat_boundaries", "this list", expected));
        }
        let words = self.fields.list::<u32>("cat_threshold", bounds[sets])?;
        Ok(bounds.windows(2).map(|pair| words[pair[0]..pair[1]].into()).collect())
    }

    /// A categorical split's threshold is the index of its set.
    fn category_set(&self, threshold: f64, sets: &[Arc<[u32]>]) -> Result<Split, ParseError> {
        let expected = || format!("the number of a category set below {}", sets.len());
        let whole = threshold >= 0.0 && threshold < sets.len() as f64 && threshold.fract() == 0.0;
        if !whole {
            return Err(self.bad("threshold", &threshold.to_string(), expected()));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number within the list")]
        let set = threshold as usize;
        Ok(Split::Categorical(Categories { set: sets[set].clone(), members_left: true, missing_left: false }))
    }

    fn leaf_values(&self, leaves: usize) -> Result<Vec<f64>, ParseError> {
        let values = self.fields.list::<f64>("leaf_value", leaves)?;
        match values.iter().find(|value| value.is_nan() || value.abs() > MAX_LEAF_VALUE) {
            Some(value) => {
                let expected = format!("a number within {MAX_LEAF_VALUE:e}");
                Err(self.bad("leaf_value", &value.to_string(), expected))
            }
            None => Ok(values),
        }
    }

    /// Numbers of training rows; empty when the file has none.
    fn counts(&self, key: &'static str, length: usize) -> Result<Vec<f64>, ParseError> {
        let count = |value: i64| {
            let signed = i32::try_from(value).ok();
            let expected = "a number of rows";
            signed.filter(|value| *value >= 0).map(f64::from).ok_or_else(|| self.bad(key, &value.to_string(), expected))
        };
        self.fields.list_or_none::<i64>(key, length)?.into_iter().map(count).collect()
    }

    fn bad(&self, key: &'static str, found: &str, expected: impl Into<String>) -> ParseError {
        let line = self.fields.get(key).unwrap_or(self.head).number;
        Fault::bad(key, found, expected).at(line)
    }
}

/// LightGBM's bits: 1 categorical, 2 default left, 4 zero is missing, 8 NaN is missing.
fn missing(bits: u8) -> Missing {
    let left = bits & 2 != 0;
    match bits >> 2 {
        0 => Missing::None,
        1 => Missing::Zero { left },
        _ => Missing::Nan { left },
    }
}
