//! Days of any size: whatever parts they come in and whatever blocks they are scored in, the answers are those of the
//! batch that is scored as a whole, byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aml_miner::data::{BatchDir, Manifest};
use aml_miner::digest::Digest;
use aml_miner::features::{RowKind, Schema, features};
use aml_miner::history::{Facts, History};
use aml_miner::models::ModelFiles;
use aml_miner::models::bundle::{Draft, ModelKind, save};
use aml_miner::offline::{Blocks, OfflineModels, Signing, write_answers};
use aml_miner::receipt::ReceiptKey;
use aml_miner::synth::Day;
use aml_miner::wire::spec::MONEY_FLOWS;
use aml_miner::wire::{Batch, Explain, Share, Table};
use tempfile::TempDir;

use crate::batch_kit::files_of;
use crate::batch_models::draft;
use crate::batch_parts::{day, written};

/// Models that read every feature of the catalogue, those of earlier days too, and some of counterparties: a full explanation shows all their values.
fn every_feature() -> (TempDir, OfflineModels) {
    let of = |rows, more: &[&str]| -> Vec<String> {
        let fixed = features(rows).iter().map(|feature| feature.name.to_string());
        fixed.chain(more.iter().map(|&name| name.to_owned())).collect()
    };
    let counterparties = ["senders_mean_degree_in", "recipients_max_total_volume_usd", "typology_structuring"];
    let of_members = [
        "mean_senders_mean_degree_in",
        "max_volume_percentile",
        "mean_in_cluster",
        "address_max_recipients_mean_degree_in",
        "address_mean_flow_degree",
    ];
    let directory = tempfile::tempdir().expect("a directory");
    for (kind, names) in [
        (ModelKind::AlertScorer, of(RowKind::Alert, &counterparties)),
        (ModelKind::AlertRanker, of(RowKind::Alert, &[])),
        (ModelKind::ClusterScorer, of(RowKind::Cluster, &of_members)),
    ] {
        let known =
            |name: &&String| aml_miner::features::FeatureBuilder::new(&Schema::new(kind.rows(), [*name])).is_ok();
        let names: Vec<String> = names.iter().filter(known).cloned().collect();
        save_model(directory.path(), kind, names);
    }
    let mut files = ModelFiles::in_directory(directory.path()).expect("one model a kind");
    files.history = Some(ten_days_before(directory.path()));
    let models = OfflineModels::load(&files).expect("good bundles");
    (directory, models)
}

/// A state in which all addresses of the tests' days are known: days of the same economy said something of them before.
fn ten_days_before(directory: &Path) -> PathBuf {
    let Day { date, batch, .. } = day(300, 900);
    let facts = Facts::of(&batch);
    let mut history = History::default();
    for earlier in (1..=10).rev() {
        assert!(history.add(date.to_epoch_days() - earlier, &facts));
    }
    let path = directory.join("state.parquet");
    history.write(&path).expect("written");
    path
}

fn save_model(directory: &Path, kind: ModelKind, names: Vec<String>) {
    let objective = if kind == ModelKind::AlertRanker { "lambdarank" } else { "binary sigmoid:1" };
    let split = |name: &str| names.iter().position(|known| known == name).unwrap_or_default();
    let (one, other) = match kind {
        ModelKind::ClusterScorer => (split("score_max"), split("total_alerts")),
        _ => (split("alert_confidence_score"), split("flow_degree")),
    };
    let infos = vec!["none"; names.len()].join(" ");
    let text = format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={}\n\
         objective={objective}\nfeature_names={}\nfeature_infos={infos}\n\nTree=0\nnum_leaves=3\nnum_cat=0\n\
         split_feature={one} {other}\nthreshold=0.5 3.5\ndecision_type=8 8\nleft_child=-1 -2\nright_child=1 -3\n\
         leaf_value=-1.25 0.5 2\nleaf_count=3 1 2\ninternal_count=6 3\nis_linear=0\nshrinkage=1\n\n\nend of trees\n",
        names.len() - 1,
        names.join(" "),
    );
    let schema = Schema::new(kind.rows(), names);
    let batch_relative = schema.batch_relative();
    save(directory, &text, Draft { schema, batch_relative, ..draft(kind, ["a", "b"]) }).expect("a good bundle");
}

struct Bench {
    models: OfflineModels,
    key: ReceiptKey,
    root: TempDir,
    _models: TempDir,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let (directory, models) = every_feature();
        let key = ReceiptKey::load_or_create(&root.path().join("key")).expect("a key");
        Self { models, key, root, _models: directory }
    }

    fn signing(&self) -> Signing<'_> {
        Signing { key: &self.key, input: Digest::of(b"the day"), timestamp: 1 }
    }

    /// The answers of the batch as a whole.
    fn whole(&self, batch: &Batch, explain: Explain) -> BTreeMap<String, Vec<u8>> {
        let target = self.root.path().join("whole");
        let answers = self.models.answers(batch, explain).expect("scored");
        write_answers(&target, &answers, &self.signing(), true).expect("written");
        files_of(&target)
    }

    fn streamed(&self, path: &Path, explain: Explain, blocks: Blocks) -> BTreeMap<String, Vec<u8>> {
        let target = self.root.path().join("streamed");
        let directory = BatchDir::open(path).expect("a batch");
        self.models.score_day(&directory, explain, blocks, (&target, &self.signing(), true)).expect("scored");
        files_of(&target)
    }

    fn must_agree(&self, day: &Day, explain: Explain, splits: &[(Option<usize>, Blocks)]) {
        // As it is read back: of a table without rows a file says nothing of its columns.
        let path = self.root.path().join("day");
        std::fs::remove_dir_all(&path).ok();
        let read = BatchDir::open(written(day, None, &path)).and_then(|directory| directory.load());
        let whole = self.whole(&read.expect("a good batch").batch, explain);
        assert_eq!(whole.len(), 6, "three tables and their receipts");
        for (rows, blocks) in splits {
            std::fs::remove_dir_all(&path).ok();
            written(day, *rows, &path);
            let streamed = self.streamed(&path, explain, *blocks);
            assert_eq!(streamed.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
            for (name, bytes) in &whole {
                assert!(streamed[name] == *bytes, "{name}, parts of {rows:?}, {blocks:?}, {explain:?}");
            }
        }
    }
}

fn blocks(rows: usize, held: usize) -> Blocks {
    Blocks { rows, read: rows / 2 + 1, held }
}

#[test]
fn no_split_changes_a_byte() {
    let (bench, day) = (Bench::new(), day(300, 900));
    let splits = [
        (None, Blocks::default()),
        (None, blocks(1, 1 << 20)),
        (None, blocks(100, 0)),
        (Some(64), blocks(97, 10_000)),
        (Some(333), blocks(250, 1 << 24)),
        (Some(5_000), blocks(299, 0)),
    ];
    bench.must_agree(&day, Explain::Full, &splits);
}

#[test]
fn no_split_changes_what_is_explained() {
    let (bench, day) = (Bench::new(), day(200, 600));
    for explain in [Explain::None, Explain::Top, Explain::Share(Share::TENTH)] {
        bench.must_agree(&day, explain, &[(None, Blocks::default()), (Some(150), blocks(60, 5_000))]);
    }
}

#[test]
fn a_day_that_lacks_tables_is_scored_as_the_whole_is() {
    let bench = Bench::new();
    let full = day(120, 400);
    let splits = [(None, blocks(70, 0)), (Some(40), blocks(33, 1 << 20))];
    let without = |change: &dyn Fn(&mut Batch)| {
        let mut day = full.clone();
        change(&mut day.batch);
        day
    };
    let column = |table: &mut Table, name: &str| {
        let position = table.spec().position(name).expect("a column");
        table.set_column(position, None);
    };
    for day in [
        without(&|batch| batch.money_flows = Table::empty(&MONEY_FLOWS)),
        without(&|batch| batch.features = Batch::empty().features),
        without(&|batch| batch.clusters = Batch::empty().clusters),
        without(&|batch| column(&mut batch.features, "is_mixer_like")),
        without(&|batch| column(&mut batch.features, "is_exchange_like")),
        without(&|batch| column(&mut batch.alerts, "address")),
        without(&|batch| column(&mut batch.alerts, "volume_usd")),
        without(&|batch| column(&mut batch.clusters, "related_alert_ids")),
        without(&|batch| column(&mut batch.clusters, "addresses_involved")),
        without(&|batch| batch.alerts = batch.alerts.take(&[])),
    ] {
        bench.must_agree(&day, Explain::Full, &splits);
    }
}

#[test]
fn everybody_may_be_flagged() {
    let bench = Bench::new();
    let mut day = day(150, 300);
    for name in ["is_mixer_like", "is_exchange_like"] {
        let position = day.batch.features.spec().position(name).expect("a column");
        let rows = day.batch.features.rows();
        for every in [1, 7, 50] {
            let flags = (0..rows).map(|row| f64::from(u8::from(row % every == 0))).collect();
            day.batch.features.set_column(position, Some(aml_miner::wire::Column::Numbers(flags)));
            bench.must_agree(&day, Explain::Full, &[(None, blocks(29, 0)), (Some(100), blocks(150, 1 << 20))]);
        }
    }
}

#[test]
fn a_day_that_breaks_a_rule_gets_no_answers() {
    let (bench, day) = (Bench::new(), day(120, 400));
    let path = written(&day, Some(50), &bench.root.path().join("day"));
    let part = path.join("money_flows-001.parquet");
    let mut bytes = std::fs::read(&part).expect("a part");
    bytes[60] ^= 1;
    std::fs::write(&part, bytes).expect("writable");
    let target = bench.root.path().join("answers");
    let directory = BatchDir::open(&path).expect("a batch");
    let scored =
        bench.models.score_day(&directory, Explain::None, Blocks::default(), (&target, &bench.signing(), false));
    let told = scored.expect_err("a changed part").to_string();
    assert!(told.contains("money_flows-001.parquet has SHA-256"), "{told}");
    assert!(!target.exists());
}

#[test]
fn more_rows_than_the_manifest_says_are_told() {
    let (bench, day) = (Bench::new(), day(120, 400));
    for table in ["alerts", "features", "clusters", "money_flows"] {
        let path = bench.root.path().join(table);
        written(&day, None, &path);
        let meta = path.join("META.json");
        let mut manifest = Manifest::parse(&std::fs::read(&meta).expect("a manifest"), 64).expect("good");
        manifest.files.get_mut(&format!("{table}.parquet")).expect("named").rows = 1;
        std::fs::write(&meta, manifest.to_json()).expect("writable");
        let directory = BatchDir::open(&path).expect("a batch");
        let to = (bench.root.path().join("answers"), bench.signing());
        let scored = bench.models.score_day(&directory, Explain::None, blocks(10, 0), (&to.0, &to.1, false));
        let told = scored.expect_err("too many rows").to_string();
        assert!(told.ends_with("rows, META.json says 1"), "{told}");
    }
}
