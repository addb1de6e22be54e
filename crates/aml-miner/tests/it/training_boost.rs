//! Boosting: reproducible whatever the threads, early stopping, a stop that keeps the best round so far.

use std::ops::ControlFlow;

use aml_miner::metrics::roc_auc;
use aml_miner::training::boost::{Grown, Measured, Round, Task, grow};
use aml_miner::training::config::Boosting;
use aml_miner::training::lightgbm::{Dataset, LightGbmError, Parameters, Rows};
use aml_miner::training::samples::{Samples, Target, Targets};
use aml_miner::training::scored::Scored;

use crate::training_support::samples;

fn grow_with(threads: usize, seed: u64, watch: &mut dyn FnMut(&Round) -> ControlFlow<()>) -> Grown {
    let (train, validation) = (samples(20, 100, 1), samples(5, 100, 2));
    let options = Boosting { rounds: 200, early_stopping: 15, ..Boosting::default() };
    let parameters = options.parameters("binary", seed, threads);
    grow_on(&train, &validation, parameters, Target::Illicit, watch)
}

fn grow_on(
    train: &Samples,
    validation: &Samples,
    parameters: Parameters,
    target: Target,
    watch: &mut dyn FnMut(&Round) -> ControlFlow<()>,
) -> Grown {
    let targets = [train, validation].map(|samples| Targets::new(samples, target, 1.0));
    let measure = |samples: &Samples, scores: &[f64]| match target {
        Target::Illicit => roc_auc(&samples.labels(), scores).expect("both classes"),
        Target::Relevance => Scored::new(samples, scores.to_vec(), false).ndcg(10).expect("a relevant row"),
    };
    let (of_train, of_validation) =
        (|scores: &[f64]| measure(train, scores), |scores: &[f64]| measure(validation, scores));
    let task = Task {
        parameters,
        features: &train.schema.features,
        rounds: 200,
        patience: 15,
        train: Measured { rows: targets[0].rows(train), measure: &of_train },
        validation: Some(Measured { rows: targets[1].rows(validation), measure: &of_validation }),
    };
    grow(&task, watch).expect("LightGBM trains")
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let go = &mut |_: &Round| ControlFlow::Continue(());
    let one = grow_with(1, 42, go);
    assert_eq!(one.model_text, grow_with(1, 42, go).model_text);
    assert_eq!(one.model_text, grow_with(3, 42, go).model_text);
    assert_ne!(one.model_text, grow_with(1, 43, go).model_text);
}

#[test]
fn boosting_stops_after_the_best_round_and_keeps_it() {
    let grown = grow_with(1, 42, &mut |_| ControlFlow::Continue(()));
    let best = grown.curve.iter().filter_map(|round| round.validation).fold(0.0, f64::max);
    assert_eq!(grown.best, Some(best));
    assert!(best > 0.8, "the signal is found: {best}");
    assert_eq!(grown.curve.len(), grown.rounds + 15, "patience counts from the best round");
    assert_eq!(grown.model_text.matches("\nTree=").count(), grown.rounds);
    assert!(!grown.interrupted);
}

#[test]
fn a_stop_keeps_the_best_round_so_far() {
    let watch = &mut |round: &Round| if round.round == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let grown = grow_with(1, 42, watch);
    assert!(grown.interrupted);
    assert_eq!(grown.curve.len(), 7);
    assert_eq!(grown.model_text.matches("\nTree=").count(), grown.rounds);
}

#[test]
fn a_ranker_learns_the_order_within_its_days() {
    let (train, validation) = (samples(20, 60, 5), samples(8, 60, 6));
    let parameters = Boosting { min_data_in_leaf: 10, ..Boosting::default() }.parameters("lambdarank", 1, 1);
    let grown = grow_on(&train, &validation, parameters, Target::Relevance, &mut |_| ControlFlow::Continue(()));
    let random = Scored::new(&validation, vec![0.0; validation.len()], false).ndcg(10).expect("defined");
    assert!(grown.best > Some(random + 0.2), "{:?} against {random} of a constant", grown.best);
}

#[test]
fn labels_and_groups_that_do_not_cover_the_rows_are_refused() {
    let data = samples(2, 30, 9);
    let parts: Vec<_> = data.days.iter().map(|day| &day.matrix).collect();
    let features = &data.schema.features;
    let labels = vec![0.0_f32; 60];
    let refused = |rows: Rows<'_>| match Dataset::new(&rows, features, &Parameters::default(), None) {
        Err(LightGbmError::Length { what, .. }) => what,
        other => panic!("expected a refusal, got {:?}", other.map(|_| ())),
    };
    let short = Rows { parts: parts.clone(), labels: &labels[..59], weights: None, groups: None };
    assert_eq!(refused(short), "labels");
    let groups = Rows { parts: parts.clone(), labels: &labels, weights: None, groups: Some(&[30, 29]) };
    assert_eq!(refused(groups), "query groups");
    let weights = Rows { parts, labels: &labels, weights: Some(&labels[..1]), groups: None };
    assert_eq!(refused(weights), "weights");
}

#[test]
fn a_nul_byte_never_reaches_the_library() {
    let data = samples(1, 30, 9);
    let labels = vec![0.0_f32; 30];
    let rows = Rows { parts: vec![&data.days[0].matrix], labels: &labels, weights: None, groups: None };
    let names = ["a", "b\0", "c", "d"].map(str::to_owned);
    assert!(matches!(Dataset::new(&rows, &names, &Parameters::default(), None), Err(LightGbmError::Nul(_))));
}
