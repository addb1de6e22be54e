//! CatBoost's `.cbm`: the letters `CBM1`, a length, and a FlatBuffer.

use super::super::limits::{MAX_FEATURES, MAX_TREES};
use super::document::loss_of;
use super::flatbuffer::{Buffer, Table};
use super::{MAX_QUESTIONS, Parts, Question, SymmetricTree};

/// Entries of the model's information that are looked at.
const MAX_INFORMATION: usize = 1_000;
/// Borders of all features.
const MAX_BORDERS: usize = 1 << 22;
/// CatBoost's number for missing values that are greater than every border.
const AS_TRUE: u8 = 2;

/// Fields of the tables, by their numbers in CatBoost's schema.
mod core {
    pub(super) const TREES: usize = 1;
    pub(super) const INFORMATION: usize = 2;
}

mod trees {
    pub(super) const OUTPUTS: usize = 0;
    pub(super) const SPLITS: usize = 1;
    pub(super) const SIZES: usize = 2;
    pub(super) const CATEGORICAL: usize = 4;
    pub(super) const FLOATS: usize = 5;
    pub(super) const ONE_HOT: usize = 6;
    pub(super) const STATISTICS: usize = 7;
    pub(super) const VALUES: usize = 8;
    pub(super) const WEIGHTS: usize = 9;
    pub(super) const STEPS: usize = 10;
    pub(super) const TEXTS: usize = 12;
    pub(super) const ESTIMATED: usize = 13;
    pub(super) const SCALE: usize = 14;
    pub(super) const BIAS: usize = 15;
    pub(super) const BIASES: usize = 16;
}

mod float {
    pub(super) const HAS_MISSING: usize = 0;
    pub(super) const PLACE: usize = 2;
    pub(super) const BORDERS: usize = 3;
    pub(super) const NAME: usize = 4;
    pub(super) const MISSING: usize = 5;
}

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Result<Parts, String> {
    let cut = || "the file is cut: copy it again".to_owned();
    let length = bytes.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes).ok_or_else(cut)?;
    let body = bytes.get(8..).and_then(|rest| rest.get(..length as usize)).ok_or_else(cut)?;
    let root = Buffer(body).root()?;
    let table = root.table(core::TREES)?.ok_or("it has no trees")?;
    check(table)?;
    let floats = Floats::read(table)?;
    Ok(Parts {
        trees: symmetric(table, &floats.questions)?,
        names: floats.names,
        missing_above: floats.missing_above,
        scale: table.f64(trees::SCALE, 1.0)?,
        bias: bias(table)?,
        loss: loss(root)?,
    })
}

fn check(table: Table<'_>) -> Result<(), String> {
    if table.list(trees::CATEGORICAL, 4)?.length + table.list(trees::ONE_HOT, 4)?.length > 0
        || table.list(trees::STATISTICS, 4)?.length > 0
    {
        return Err(
            "it has categorical features, whose hashes and statistics are not read here: train on numbers".into()
        );
    }
    if table.list(trees::TEXTS, 4)?.length + table.list(trees::ESTIMATED, 4)?.length > 0 {
        return Err("it has text or embedding features: train on numbers".into());
    }
    if table.list(trees::STEPS, 4)?.length > 0 {
        return Err("its trees are not symmetric (grow_policy): those are wanted".into());
    }
    if table.i32(trees::OUTPUTS, 0)? > 1 {
        return Err("it gives several scores per row: one is wanted".into());
    }
    Ok(())
}

fn bias(table: Table<'_>) -> Result<f64, String> {
    match table.list(trees::BIASES, 8)?.f64s()?[..] {
        [] => Ok(table.f64(trees::BIAS, 0.0)?),
        [bias] => Ok(bias),
        _ => Err("it gives several scores per row: one is wanted".into()),
    }
}

/// The features, and all questions in the order in which trees number them.
struct Floats {
    names: Vec<String>,
    missing_above: Vec<bool>,
    questions: Vec<Question>,
}

impl Floats {
    fn read(table: Table<'_>) -> Result<Self, String> {
        let list = table.list(trees::FLOATS, 4)?;
        let count = list.length;
        if count > MAX_FEATURES {
            return Err(format!("it has {count} features, a model has at most {MAX_FEATURES}"));
        }
        let mut read =
            Self { names: vec![String::new(); count], missing_above: vec![false; count], questions: Vec::new() };
        for feature in list.tables() {
            let feature = feature?;
            let place = usize::try_from(feature.i32(float::PLACE, -1)?).ok().filter(|place| *place < count);
            let place = place.ok_or("its features are not in the order of a row")?;
            let borders = feature.list(float::BORDERS, 4)?.f32s()?;
            if !borders.iter().all(|border| border.is_finite()) || read.questions.len() + borders.len() > MAX_BORDERS {
                return Err("its borders are too many, or no numbers".into());
            }
            read.questions.extend(borders.into_iter().map(|border| Question { feature: place, border }));
            let missing = feature.u8(float::HAS_MISSING, 0)? != 0;
            read.missing_above[place] = missing && feature.u8(float::MISSING, 0)? == AS_TRUE;
            read.names[place] = feature.text(float::NAME)?.chars().take(1_000).collect();
        }
        Ok(read)
    }
}

fn symmetric(table: Table<'_>, questions: &[Question]) -> Result<Vec<SymmetricTree>, String> {
    let (sizes, splits) = (table.list(trees::SIZES, 4)?.i32s()?, table.list(trees::SPLITS, 4)?.i32s()?);
    let (values, weights) = (table.list(trees::VALUES, 8)?.f64s()?, table.list(trees::WEIGHTS, 8)?.f64s()?);
    if sizes.len() > MAX_TREES {
        return Err(format!("it has {} trees, a model has at most {MAX_TREES}", sizes.len()));
    }
    let (mut splits, mut values, mut weights) = (&splits[..], &values[..], &weights[..]);
    let known = !weights.is_empty();
    let mut grown = Vec::with_capacity(sizes.len());
    for size in sizes {
        let size = usize::try_from(size).ok().filter(|size| *size <= MAX_QUESTIONS).ok_or("a tree is too deep")?;
        let asked = next(&mut splits, size)?.iter().map(|split| {
            let question = usize::try_from(*split).ok().and_then(|split| questions.get(split));
            question.copied().ok_or_else(|| "a tree asks what no border answers".to_owned())
        });
        let questions = asked.collect::<Result<_, _>>()?;
        let values = next(&mut values, 1 << size)?.to_vec();
        let weights = if known { next(&mut weights, 1 << size)?.to_vec() } else { Vec::new() };
        grown.push(SymmetricTree { questions, values, weights });
    }
    if !splits.is_empty() || !values.is_empty() || !weights.is_empty() {
        return Err("it has more splits or leaves than its trees".into());
    }
    Ok(grown)
}

/// Takes the next `count` elements.
fn next<'a, T>(rest: &mut &'a [T], count: usize) -> Result<&'a [T], String> {
    let (taken, left) = rest.split_at_checked(count).ok_or("its trees have fewer splits or leaves than they should")?;
    *rest = left;
    Ok(taken)
}

fn loss(root: Table<'_>) -> Result<String, String> {
    for entry in root.list(core::INFORMATION, 4)?.tables().take(MAX_INFORMATION) {
        let entry = entry?;
        if entry.text(0)? == "params" {
            return Ok(loss_of(entry.text(1)?));
        }
    }
    Ok(String::new())
}
