//! The borders between models, and between a caller and the API: every pair is served with the same bits, or refused with a
//! reason. `docs/testing.md` has the table of all borders.

use std::path::Path;

use aml_miner::api::models::Loaded;
use aml_miner::data::write_batch;
use aml_miner::digest::Digest;
use aml_miner::models::bundle::{Draft, LearntFrom, METADATA_FILE, Metadata, ModelKind, save};
use aml_miner::models::{Calibration, ModelFiles};
use aml_miner::offline::OfflineModels;
use aml_miner::synth::{SynthConfig, generate};
use aml_miner::wire::{Explain, ScoreRow, write_body};

use crate::api_answer_forms::{ARROW, NDJSON, doubles, must_read, texts};
use crate::api_forms::{FORM, form};
use crate::api_kit::TestServer;
use crate::batch_kit::{options, small_batch};
use crate::frame_kit::Frame;

const TREES: &str = "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nthreshold=0.3 1.5\ndecision_type=8 8\n\
left_child=-1 -2\nright_child=1 -3\nleaf_value=-1.25 0.5 2\nleaf_count=3 1 2\ninternal_count=6 3\nis_linear=0\n\
shrinkage=1\n\n\nend of trees\n";

fn text(features: [&str; 2], leaf: &str) -> String {
    let trees = TREES.replace("-1.25", leaf);
    format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
         objective=binary sigmoid:1\nfeature_names={}\nfeature_infos=none none\n\n{trees}",
        features.join(" ")
    )
}

fn draft(model: ModelKind, version: &str, features: [&str; 2]) -> Draft {
    Draft { version: version.to_owned(), ..crate::batch_models::draft(model, features) }
}

/// Alert scorers by name: trees, and the curve over them.
fn scorers() -> [(&'static str, &'static str, Calibration); 4] {
    let curve = |a| Calibration::Platt { a, b: 0.0 };
    [
        ("plain", "-1.25", Calibration::None),
        ("curved", "-1.25", curve(0.5)),
        ("curved otherwise", "-1.25", curve(0.75)),
        ("other trees", "-1.5", Calibration::None),
    ]
}

/// What a cluster scorer says of its alert scorer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    /// The file and the curve.
    Both,
    /// An older entry: the file.
    File,
    /// An entry older than that: nothing.
    Nothing,
    /// It takes no scores of alerts.
    TakesNone,
}

/// The files of a scorer, if any, and of clusters that were trained on another one.
fn models(folder: &Path, scorer: Option<usize>, trained_on: usize, says: Says) -> ModelFiles {
    let all = scorers();
    let features = ["alert_confidence_score", "severity_encoded"];
    let alert_scorer = scorer.map(|at| {
        let (_, leaf, curve) = &all[at];
        let draft = Draft { calibration: curve.clone(), ..draft(ModelKind::AlertScorer, "1.0.0", features) };
        save(folder, text(features, leaf), draft).expect("a good bundle").0
    });
    let (_, leaf, curve) = &all[trained_on];
    let from = LearntFrom { file: Digest::of(text(features, leaf).as_bytes()), curve: curve.digest() };
    let taken =
        if says == Says::TakesNone { ["total_volume_usd", "total_alerts"] } else { ["score_max", "total_alerts"] };
    let learnt = (says != Says::Nothing).then_some(from);
    let draft = Draft { alert_scorer: learnt, ..draft(ModelKind::ClusterScorer, "1.0.0", taken) };
    let (path, _) = save(folder, text(taken, "-1.25"), draft).expect("a good bundle");
    if says == Says::File {
        let mut metadata = Metadata::load(folder).expect("readable");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        metadata.models.get_mut(name).expect("an entry").alert_scorer_curve = None;
        std::fs::write(folder.join(METADATA_FILE), serde_json::to_vec(&metadata).expect("JSON")).expect("writable");
    }
    ModelFiles { alert_scorer, alert_ranker: None, cluster_scorer: Some(path), history: None }
}

/// Why clusters are not served beside a scorer; `None` where they are.
fn refusal(scorer: usize, trained_on: usize, says: Says) -> Option<&'static str> {
    let all = scorers();
    let (same_trees, same_curve) = (all[scorer].1 == all[trained_on].1, all[scorer].2 == all[trained_on].2);
    match says {
        Says::Nothing | Says::TakesNone => None,
        Says::File | Says::Both if !same_trees => Some(", not of 1.0.0+"),
        Says::Both if !same_curve => Some("which was calibrated otherwise, not of 1.0.0+"),
        Says::File | Says::Both => None,
    }
}

#[test]
fn every_cluster_scorer_meets_every_alert_scorer() {
    let mut refused = 0;
    for scorer in 0..scorers().len() {
        for trained_on in 0..scorers().len() {
            for says in [Says::Both, Says::File, Says::Nothing, Says::TakesNone] {
                let folder = tempfile::tempdir().expect("a directory");
                let files = models(folder.path(), Some(scorer), trained_on, says);
                let (what, loaded) = (format!("{scorer} beside {trained_on}, {says:?}"), Loaded::from_paths(&files));
                let offline = OfflineModels::load(&files).err().map(|error| error.to_string());
                let Some(why) = refusal(scorer, trained_on, says) else {
                    assert_eq!((loaded.failures, offline), (Vec::new(), None), "{what}");
                    continue;
                };
                let (name, told) = loaded.failures.first().expect(&what);
                assert!(*name == "cluster_scorer" && told.contains(why), "{what}: {told}");
                assert!(loaded.models.alert_scorer.is_some() && loaded.models.cluster_scorer.is_none(), "{what}");
                assert_eq!(offline.as_ref(), Some(told), "{what}: the same without a server");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 12 + 6, "other trees by both kinds, other curves by those who name it");
}

#[test]
fn clusters_without_a_scorer_are_refused_where_they_take_its_scores() {
    for says in [Says::Both, Says::TakesNone] {
        let folder = tempfile::tempdir().expect("a directory");
        let files = models(folder.path(), None, 0, says);
        let offline = OfflineModels::load(&files).expect("nothing is wrong with the file");
        let told = offline
            .answers(&small_batch(), Explain::None)
            .map(|answers| answers.len())
            .map_err(|error| error.to_string());
        match says {
            Says::TakesNone => assert_eq!(told, Ok(1)),
            _ => assert_eq!(
                told,
                Err("the cluster scorer takes the scores of an alert scorer, and none is given".to_owned())
            ),
        }
    }
}

/// Ids, scores bit by bit, and explanations: what must not depend on a form.
type Told = Vec<(String, u64, String)>;

fn told_in_json(rows: &[ScoreRow]) -> Told {
    rows.iter().map(|row| (row.alert_id.clone(), row.score.to_bits(), row.explain_json.clone())).collect()
}

fn told(accept: &str, body: &[u8]) -> Told {
    if accept == ARROW {
        let (_, found) = must_read(body);
        let columns = found.arrays();
        let (ids, why) = (texts(&*columns[0]), texts(&*columns[4]));
        return ids
            .into_iter()
            .zip(doubles(&*columns[1]))
            .zip(why)
            .map(|((id, score), why)| (id, score, why))
            .collect();
    }
    if accept == NDJSON {
        let lines = std::str::from_utf8(body).expect("text").lines();
        let rows: Vec<ScoreRow> = lines.map(|line| serde_json::from_str(line).expect("a row")).collect();
        return told_in_json(&rows);
    }
    told_in_json(&serde_json::from_slice::<Vec<ScoreRow>>(body).expect("rows"))
}

#[test]
fn every_form_of_a_request_meets_every_form_of_an_answer() {
    let server = TestServer::start();
    let config = SynthConfig { alerts: 40, addresses: 300, days: 1, ..SynthConfig::default() };
    let batch = generate(&config).expect("a valid configuration").next().expect("one day").batch;
    let folder = tempfile::tempdir().expect("a directory");
    let target = folder.path().join("batch");
    write_batch(&target, &batch, None, &options()).expect("written");
    let tables = ["alerts", "features", "clusters", "money_flows"];
    let path = |name: &str| target.join(format!("{name}.parquet"));
    let parquet = tables.map(|name| (name, std::fs::read(path(name)).expect("there")));
    let arrow = tables.map(|name| (name, Frame::read(&path(name)).stream(true)));
    let json = write_body(&batch);
    for explain in ["none", "top", "full", "share:0.1", "share:1"] {
        let route = format!("/score/alerts?explain={explain}");
        let mut first: Option<Told> = None;
        for (form, kind, body) in [
            ("JSON", "content-type: application/json", json.clone()),
            ("Parquet", FORM[0], form(&parquet)),
            ("Arrow", FORM[0], form(&arrow)),
        ] {
            for accept in ["application/json", NDJSON, ARROW] {
                let headers = [kind, &format!("accept: {accept}")];
                let answer = server.connect().post(&route, &headers, &body).must_succeed();
                let receipt = answer.header(aml_miner::receipt::HEADER).expect("a receipt");
                aml_miner::receipt::verify(receipt, &body, &answer.body, None).expect("over the bytes that were sent");
                let told = told(accept, &answer.body);
                assert_eq!(told.len(), batch.alerts.rows());
                assert!(*first.get_or_insert_with(|| told.clone()) == told, "{form} to {accept}, explain={explain}");
            }
        }
    }
}
