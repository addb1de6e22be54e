//! Models of every library: their own scores bit for bit, their contributions by the definition of Shapley values.
//!
//! The vectors in `tests/data/boosters` are made by `scripts/checks/boosters.py`; `AML_BOOSTERS_DIR` names a directory with more.

use std::path::{Path, PathBuf};

use aml_miner::models::bundle::CodeBook;
use aml_miner::trees::contributions::Explainer;
use aml_miner::trees::forest::Forest;
use aml_miner::trees::model::{Library, Model};
use aml_miner::trees::read;

use super::shap_oracle;

/// Features up to which all subsets are tried.
const FEW_FEATURES: usize = 7;
/// Leaves up to which all subsets are tried.
const FEW_LEAVES: usize = 60;

/// One model and what its library says.
struct Vector {
    path: PathBuf,
    model: Model,
    /// As a model takes them: categories by their codes.
    rows: Vec<f64>,
    raw: Vec<f64>,
    answers: Vec<f64>,
    /// A row's, then its base value.
    contributions: Option<Vec<f64>>,
}

pub(crate) fn stored() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/boosters")
}

fn doubles(path: &Path) -> Option<Vec<f64>> {
    let bytes = std::fs::read(path).ok()?;
    Some(bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

/// The model files of a directory, in the order of their names.
pub(crate) fn model_files(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).expect("a directory of vectors").map(|entry| entry.expect("an entry").path());
    let is_model = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ["txt", "json", "ubj", "cbm"].iter().any(|known| ending == *known))
    };
    let mut files: Vec<PathBuf> = entries.filter(is_model).collect();
    files.sort();
    files
}

impl Vector {
    fn load(path: PathBuf) -> Self {
        let bytes = std::fs::read(&path).expect("a model file");
        let model = read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let codes = CodeBook::of(&model, &bytes).expect("a code book");
        let rows = doubles(&path.with_extension("rows")).expect("rows");
        let scores = doubles(&path.with_extension("scores")).expect("scores");
        let (raw, answers) = scores.as_chunks::<2>().0.iter().map(|[raw, answer]| (*raw, *answer)).unzip();
        let contributions = doubles(&path.with_extension("contributions"));
        Self { rows: codes.translate(&rows, model.features), path, model, raw, answers, contributions }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn check_scores(&self) {
        let forest = Forest::new(&self.model);
        let mut raw = vec![0.0; self.answers.len()];
        forest.raw_into(&self.rows, &mut raw);
        let mut answers = raw.clone();
        forest.convert(&mut answers);
        let pairs = raw.iter().zip(&self.raw).map(|pair| ("raw score", pair));
        // A random forest of LightGBM gives no sums: its vectors have NaN there.
        let pairs = pairs.filter(|(_, (_, expected))| !expected.is_nan());
        let pairs = pairs.chain(answers.iter().zip(&self.answers).map(|pair| ("answer", pair)));
        for (what, (ours, theirs)) in pairs {
            assert_eq!(ours.to_bits(), theirs.to_bits(), "{}: {what} {ours}, the library's is {theirs}", self.name());
        }
    }

    fn check_contributions(&self) {
        let Ok(explainer) = Explainer::new(&self.model) else {
            panic!("{} cannot be explained", self.name());
        };
        let features = self.model.features;
        let mut values = vec![0.0; self.rows.len()];
        explainer.contributions_into(&self.rows, &mut values);
        let base = explainer.base_values()[0];
        let scale = self.scale();
        let leaves: usize = self.model.trees.iter().map(|tree| tree.leaf_values.len()).sum();
        let few = features <= FEW_FEATURES && leaves <= FEW_LEAVES;
        for (index, (row, values)) in self.rows.chunks(features).zip(values.chunks(features)).enumerate() {
            let sum = base + values.iter().sum::<f64>();
            let raw = shap_oracle::raw(&self.model, row);
            let near = (sum - raw).abs() <= 1e-9 * scale + self.model.rounding();
            assert!(near, "{} row {index}: parts add up to {sum}, the raw score is {raw}", self.name());
            if let (true, 0..4) = (few, index) {
                let factor = self.factor();
                for (ours, exact) in values.iter().zip(shap_oracle::by_definition(&self.model, row, 0)) {
                    let exact = exact * factor;
                    assert!(
                        (ours - exact).abs() <= 1e-9 * scale.max(1.0),
                        "{} row {index}: {ours}, {exact} by definition",
                        self.name()
                    );
                }
            }
            if let Some(theirs) = &self.contributions {
                let theirs = &theirs[index * (features + 1)..][..features + 1];
                for (ours, theirs) in values.iter().chain([&base]).zip(theirs) {
                    let near = (ours - theirs).abs() <= 1e-4 * scale.max(1.0);
                    assert!(near, "{} row {index}: contribution {ours}, the library's is {theirs}", self.name());
                }
            }
        }
    }

    /// How much of a leaf's value arrives in the raw score.
    fn factor(&self) -> f64 {
        let after = self.model.sums.after;
        after.of(1.0) - after.of(0.0)
    }

    /// The sum of the largest absolute values of the trees.
    fn scale(&self) -> f64 {
        let largest = |values: &[f64]| values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        self.factor().abs() * self.model.trees.iter().map(|tree| largest(&tree.leaf_values)).sum::<f64>()
    }
}

fn directories() -> Vec<PathBuf> {
    std::iter::once(stored()).chain(std::env::var_os("AML_BOOSTERS_DIR").map(PathBuf::from)).collect()
}

#[test]
fn every_library_s_own_bits() {
    let mut seen = [0; 4];
    for path in directories().iter().flat_map(|directory| model_files(directory)) {
        let vector = Vector::load(path);
        vector.check_scores();
        let library = [Library::LightGbm, Library::XgBoost, Library::CatBoost, Library::ScikitLearn];
        let place = library.iter().position(|library| *library == vector.model.library).expect("one of the four");
        seen[place] += 1;
    }
    println!("LightGBM {}, XGBoost {}, CatBoost {}, scikit-learn {} models", seen[0], seen[1], seen[2], seen[3]);
    assert!(seen.iter().all(|seen| *seen > 0), "each library has vectors: {seen:?}");
}

#[test]
fn contributions_are_shapley_values_and_near_the_library_s_own() {
    for path in directories().iter().flat_map(|directory| model_files(directory)) {
        Vector::load(path).check_contributions();
    }
}
