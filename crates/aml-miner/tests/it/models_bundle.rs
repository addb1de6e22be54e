//! Bundles: what was saved loads, and every difference between a file and its entry is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use aml_miner::data::BatchDir;
use aml_miner::digest::Digest;
use aml_miner::error_chain::with_causes;
use aml_miner::features::{FeatureBuilder, Matrix, RowKind, Schema};
use aml_miner::models::ModelFiles;
use aml_miner::models::bundle::{Bundle, Draft, MAX_METADATA_BYTES, METADATA_FILE, ModelKind, Origin, Training, save};
use aml_miner::models::{BaseModel as _, Calibration, TreeModel};
use tempfile::TempDir;

use crate::shared::shared;

const TREES: &str = "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\nthreshold=0.5\ndecision_type=2\nleft_child=-1\n\
right_child=-2\nleaf_value=-1 2\nleaf_count=3 1\ninternal_count=4\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";

fn model_text(objective: &str, names: &str) -> String {
    format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
         objective={objective}\nfeature_names={names}\nfeature_infos=none none\n\n{TREES}"
    )
}

fn draft(model: ModelKind) -> Draft {
    let features = ["volume", "confidence"].map(str::to_owned).to_vec();
    Draft {
        model,
        version: "1.0.0".into(),
        schema: Schema { version: 1, rows: model.rows(), features },
        calibration: Calibration::None,
        alert_scorer: None,
        batch_relative: false,
        origin: Origin::Trained(Training {
            data_sha256: Digest::of(b"data"),
            first_date: "2025-01-01".into(),
            last_date: "2025-03-31".into(),
            rows: 4,
            parameters: BTreeMap::from([("num_leaves".into(), 31.into())]),
            seeds: BTreeMap::from([("seed".into(), 42)]),
            lightgbm_version: "4.7.0".into(),
        }),
        metrics: BTreeMap::from([("roc_auc".into(), 0.1 + 0.2)]),
        created_at: "2025-04-01T00:00:00Z".into(),
    }
}

/// A directory with one saved alert scorer.
fn saved(draft: Draft) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let objective = if draft.model == ModelKind::AlertRanker { "lambdarank" } else { "binary sigmoid:1" };
    let (path, _) = save(directory.path(), model_text(objective, "volume confidence"), draft).expect("saved");
    (directory, path)
}

fn refusal(path: &Path) -> String {
    with_causes(&Bundle::load(path, ModelKind::AlertScorer).expect_err("must be refused"))
}

fn edit(path: &Path, good: &str, bad: &str) {
    let text = fs::read_to_string(path).expect("readable");
    assert!(text.contains(good), "{good} is in {text}");
    fs::write(path, text.replacen(good, bad, 1)).expect("writable");
}

#[test]
fn a_saved_bundle_loads_and_scores() {
    let (_directory, path) = saved(draft(ModelKind::AlertScorer));
    assert!(path.ends_with("alert_scorer_v1.0.0.txt"));
    let model = TreeModel::load(&path, ModelKind::AlertScorer).expect("loads");
    let digest = Digest::of(&fs::read(&path).expect("readable"));
    assert_eq!((model.name(), model.digest()), ("alert_scorer", digest));
    assert_eq!(model.version(), format!("1.0.0+{}", digest.short()));
    assert_eq!(model.entry().metrics["roc_auc"].to_bits(), (0.1_f64 + 0.2).to_bits());
    let matrix = Matrix::from_rows(2, vec![9.0, 0.4, 9.0, 0.6, 9.0, f64::NAN]);
    let scores = model.predict(&matrix);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    assert_eq!(scores, [sigmoid(-1.0), sigmoid(2.0), sigmoid(-1.0)]);
    let explained = model.explain(&matrix);
    assert!((explained.base_value - -0.25).abs() < 1e-15, "{}", explained.base_value);
    assert!((explained.values.row(1)[1] - 2.25).abs() < 1e-15, "{:?}", explained.values);
}

#[test]
fn all_models_live_in_one_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let save = |kind, objective| {
        let text = model_text(objective, "volume confidence");
        save(directory.path(), &text, draft(kind)).expect("saved").0
    };
    let ranker = save(ModelKind::AlertRanker, "lambdarank");
    let scorer = save(ModelKind::AlertScorer, "binary sigmoid:1");
    let clusters = save(ModelKind::ClusterScorer, "binary sigmoid:1");
    assert_eq!(TreeModel::load(&ranker, ModelKind::AlertRanker).expect("loads").name(), "alert_ranker");
    assert_eq!(TreeModel::load(&scorer, ModelKind::AlertScorer).expect("loads").name(), "alert_scorer");
    assert_eq!(TreeModel::load(&clusters, ModelKind::ClusterScorer).expect("loads").schema().rows, RowKind::Cluster);
    assert!(refusal(&ranker).contains("a model of kind alert_ranker, not alert_scorer"));
    let files: Vec<_> = fs::read_dir(directory.path()).expect("listed").collect();
    assert_eq!(files.len(), 4, "no temporary file stays: {files:?}");
}

#[test]
fn the_curve_of_the_bundle_decides_the_score() {
    let curve = Calibration::Isotonic { x: vec![-1.0, 3.0], y: vec![0.2, 0.6] };
    let (_directory, path) = saved(Draft { calibration: curve, ..draft(ModelKind::AlertScorer) });
    let model = TreeModel::load(&path, ModelKind::AlertScorer).expect("loads");
    let mut scores = [0.0; 2];
    model.predict_into(&[0.0, 0.0, 0.0, 1.0], &mut scores);
    assert!((scores[0] - 0.2).abs() < 1e-15 && (scores[1] - 0.5).abs() < 1e-15, "{scores:?}");
}

#[test]
fn another_curve_is_another_version() {
    let of = |calibration| {
        let (_directory, path) = saved(Draft { calibration, ..draft(ModelKind::AlertScorer) });
        TreeModel::load(&path, ModelKind::AlertScorer).expect("loads").version().to_owned()
    };
    let isotonic = |y: f64| Calibration::Isotonic { x: vec![-1.0, 3.0], y: vec![0.2, y] };
    let curves = [
        Calibration::None,
        Calibration::Platt { a: 1.0, b: 0.0 },
        Calibration::Platt { a: 1.0, b: f64::EPSILON },
        isotonic(0.6),
        isotonic(0.6_f64.next_up()),
    ];
    let versions: BTreeSet<String> = curves.clone().map(of).into();
    assert_eq!(versions.len(), curves.len(), "{versions:?}");
    let file = Digest::of(model_text("binary sigmoid:1", "volume confidence").as_bytes()).short();
    assert!(versions.iter().all(|version| version.starts_with(&format!("1.0.0+{file}"))), "{versions:?}");
    let platt = Digest::of(b"platt\n3ff0000000000000 0000000000000000\n").short();
    assert!(versions.contains(&format!("1.0.0+{file}.{platt}")), "{versions:?}");
}

#[test]
fn a_changed_curve_is_refused_under_the_old_version_and_an_older_bundle_gets_its_whole_one() {
    let curve = Calibration::Platt { a: 1.5, b: 0.25 };
    let (directory, path) = saved(Draft { calibration: curve.clone(), ..draft(ModelKind::AlertScorer) });
    let metadata = directory.path().join(METADATA_FILE);
    let whole = TreeModel::load(&path, ModelKind::AlertScorer).expect("loads").version().to_owned();
    edit(&metadata, &format!(".{}\"", curve.digest().short()), "\"");
    let older = TreeModel::load(&path, ModelKind::AlertScorer).expect("loads");
    assert_eq!(older.version(), whole);
    edit(&metadata, whole.rsplit_once('.').expect("a curve").0, &whole);
    assert_eq!(TreeModel::load(&path, ModelKind::AlertScorer).expect("loads").version(), whole);
    edit(&metadata, "\"a\": 1.5", "\"a\": 1.75");
    assert!(refusal(&path).contains(&format!("model_version is `{whole}`")), "{}", refusal(&path));
}

#[test]
fn whatever_was_changed_is_named() {
    let cases: [(&str, &str, &str); 9] = [
        ("\"format\": 1", "\"format\": 2", "has format 2, this program reads 1"),
        ("\"format\": 1,", "", "missing field `format`"),
        ("\"created_at\"", "\"made_at\"", "unknown field `made_at`"),
        ("alert_scorer_v1.0.0.txt", "other.txt", "no entry for `alert_scorer_v1.0.0.txt`, only for: other.txt"),
        ("\"sha256\": \"", "\"sha256\": \"x", "is not a SHA-256 digest"),
        ("1.0.0+", "1.0+", "model_version is `1.0+"),
        ("\"volume\"", "\"volumes\"", "the schema's hash is"),
        ("binary sigmoid:1", "binary sigmoid:2", "objective is `binary sigmoid:1`, its entry says `binary sigmoid:2`"),
        ("\"kind\": \"none\"", "\"kind\": \"platt\", \"a\": -1, \"b\": 0", "platt needs a positive slope"),
    ];
    for (good, bad, expected) in cases {
        let (directory, path) = saved(draft(ModelKind::AlertScorer));
        edit(&directory.path().join(METADATA_FILE), good, bad);
        let found = refusal(&path);
        assert!(found.contains(expected), "{good} -> {bad}: {found}");
    }
}

#[test]
fn a_changed_model_file_is_refused() {
    let (_directory, path) = saved(draft(ModelKind::AlertScorer));
    edit(&path, "leaf_value=-1 2", "leaf_value=-1 3");
    assert!(refusal(&path).contains("the model file's SHA-256 is"));
    fs::remove_file(&path).expect("removed");
    assert!(refusal(&path).contains("cannot read"));
}

#[test]
fn a_bundle_that_would_not_load_is_not_saved() {
    let directory = tempfile::tempdir().expect("a directory");
    let refused = |text: &str, draft| with_causes(&save(directory.path(), text, draft).expect_err("refused"));
    let good = model_text("binary sigmoid:1", "volume confidence");
    let scorer = || draft(ModelKind::AlertScorer);
    let swapped = model_text("binary sigmoid:1", "confidence volume");
    assert!(refused(&swapped, scorer()).contains("feature 0 of the model file is `confidence`"));
    let ranking = model_text("lambdarank", "volume confidence");
    assert!(refused(&ranking, scorer()).contains("one probability per row, not `lambdarank`"));
    assert!(refused(&good[..200], scorer()).contains("`end of trees` is missing"));
    let versioned = |version: &str| Draft { version: version.into(), ..scorer() };
    for version in ["1.0", "1.0.0.0", "v1.0.0", "../../1.0.0", "01.0.0", ""] {
        assert!(refused(&good, versioned(version)).contains("needs a version such as 1.0.0"));
    }
    let metrics = BTreeMap::from([("auc".to_owned(), f64::NAN)]);
    assert!(refused(&good, Draft { metrics, ..scorer() }).contains("metric `auc` is not a finite number"));
    let mut wrong_rows = scorer();
    wrong_rows.schema.rows = RowKind::Cluster;
    assert!(refused(&good, wrong_rows).contains("takes Alert rows, the schema is of Cluster rows"));
    assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 0, "nothing was written");
}

#[test]
fn metadata_that_cannot_be_read_is_not_overwritten() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(METADATA_FILE), "{").expect("written");
    let text = model_text("binary sigmoid:1", "volume confidence");
    let error = save(directory.path(), &text, draft(ModelKind::AlertScorer)).expect_err("refused");
    assert!(with_causes(&error).contains("cannot be read"), "{error}");
    assert_eq!(fs::read_to_string(directory.path().join(METADATA_FILE)).expect("kept"), "{");
}

#[test]
fn metadata_has_one_reader_that_takes_all_of_it_or_refuses() {
    let (directory, path) = saved(draft(ModelKind::AlertScorer));
    let metadata = directory.path().join(METADATA_FILE);
    let text = fs::read_to_string(&metadata).expect("there");
    // Blanks after the end of the document belong to the file: whoever cuts it off there reads what it is not.
    fs::write(&metadata, format!("{text}{}", " ".repeat(MAX_METADATA_BYTES))).expect("written");
    let too_large = format!("it has more than {MAX_METADATA_BYTES} bytes");
    assert!(refusal(&path).contains(&too_large), "{}", refusal(&path));
    let found = ModelFiles::in_directory(directory.path()).expect_err("too large");
    assert!(with_causes(&found).contains(&too_large), "{}", with_causes(&found));
    #[cfg(feature = "training")]
    {
        let shelf = aml_miner::training::shelf::models(directory.path(), None).err().expect("too large");
        assert!(with_causes(&shelf).contains(&too_large), "{}", with_causes(&shelf));
    }
    fs::write(&metadata, text.replace("\"format\": 1", "\"format\": 2")).expect("written");
    let found = ModelFiles::in_directory(directory.path()).expect_err("another layout");
    assert!(with_causes(&found).contains("has format 2, this program reads 1"), "{}", with_causes(&found));
}

#[test]
#[cfg(all(unix, feature = "training"))]
fn a_file_without_an_end_is_not_read_to_it() {
    use aml_miner::training::record::TrainingRecord;
    let (directory, path) = saved(draft(ModelKind::AlertScorer));
    std::os::unix::fs::symlink("/dev/zero", TrainingRecord::path(&path)).expect("linked");
    let record = TrainingRecord::load(&path).expect_err("no record");
    assert!(with_causes(&record).contains("it has more than"), "{}", with_causes(&record));
    let metadata = directory.path().join(METADATA_FILE);
    fs::remove_file(&metadata).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", &metadata).expect("linked");
    assert!(refusal(&path).contains("it has more than"), "{}", refusal(&path));
}

#[test]
fn a_model_of_pandas_categories_scores_as_lightgbm_does() {
    let (Some(case), Some(batch)) =
        (shared("cases/models/v47_pandas_category"), shared("cases/model_batch/2025-10-26_w7"))
    else {
        return;
    };
    let doubles = |name: &str| -> Vec<f64> {
        let bytes = std::fs::read(case.join(name)).expect("an array");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let values = bytes[10 + header..].chunks_exact(8);
        values.map(|value| f64::from_le_bytes(value.try_into().expect("eight bytes"))).collect()
    };
    let model = TreeModel::load(&case.join("alert_scorer_v1.0.0.txt"), ModelKind::AlertScorer).expect("loads");
    let batch = BatchDir::open(batch).and_then(|dir| dir.load()).expect("a batch").batch;
    let matrix = FeatureBuilder::new(model.schema()).expect("known features").alerts(&batch).expect("a matrix").matrix;
    let (predicted, expected) = (model.predict(&matrix), doubles("pred.npy"));
    let mut raw = vec![0.0; matrix.rows()];
    model.raw_into(matrix.values(), &mut raw);
    assert_eq!(predicted.len(), expected.len());
    for (row, (ours, theirs)) in predicted.iter().zip(&expected).enumerate() {
        assert_eq!(ours.to_bits(), theirs.to_bits(), "row {row}: {ours} and {theirs}");
    }
    for (row, (ours, theirs)) in raw.iter().zip(doubles("raw.npy")).enumerate() {
        assert_eq!(ours.to_bits(), theirs.to_bits(), "row {row}");
    }
    let (explained, theirs) = (model.explain(&matrix), doubles("contrib.npy"));
    let width = matrix.columns() + 1;
    for (row, theirs) in theirs.chunks(width).enumerate() {
        for (ours, theirs) in explained.values.row(row).iter().zip(theirs) {
            assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "row {row}: {ours} and {theirs}");
        }
    }
}
