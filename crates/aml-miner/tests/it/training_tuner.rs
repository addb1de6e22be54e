//! What the tuner searches: only parameters that change the kind of model it is asked about.

use aml_miner::models::bundle::ModelKind;
use aml_miner::training::config::{Boosting, ClassWeight, Returning};
use aml_miner::training::fit::{Settings, Sides, grown};
use aml_miner::training::hyperparameter_tuner::{Point, Space};
use aml_miner::training::samples::Samples;
use aml_miner::training::watch::Silent;
use proptest::prelude::{Strategy, prop_assert_eq, proptest};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::training_support::samples;

const KINDS: [ModelKind; 3] = [ModelKind::AlertScorer, ModelKind::AlertRanker, ModelKind::ClusterScorer];

fn searched(kind: ModelKind, start: &Boosting) -> Vec<&'static str> {
    Space::new(kind, start).dimensions().iter().map(|dimension| dimension.name).collect()
}

/// The trees without the list of parameters at the end of the text.
fn trees(kind: ModelKind, boosting: &Boosting, data: &[Samples; 2]) -> String {
    let settings = Settings {
        kind,
        boosting,
        seed: 7,
        threads: 1,
        categories: &[],
        returning: Returning::Keep,
        history_masked: 0.0,
    };
    let sides = Sides { train: &data[0], validation: Some(&data[1]) };
    let grown = grown(settings, sides, "a model", &Silent).expect("a model").grown;
    grown.model_text.split("\nparameters:").next().unwrap_or_default().to_owned()
}

#[test]
fn the_class_weight_is_searched_where_it_does_something() {
    let plain = Boosting::default();
    assert_eq!(searched(ModelKind::AlertScorer, &plain).len(), 9);
    assert_eq!(searched(ModelKind::ClusterScorer, &plain).len(), 9);
    let ranker = searched(ModelKind::AlertRanker, &plain);
    assert_eq!(ranker.len(), 8);
    assert!(!ranker.contains(&"class_weight"), "{ranker:?}");
    let balanced = Boosting { class_weight: ClassWeight::Balanced, ..plain };
    let space = Space::new(ModelKind::AlertRanker, &balanced);
    let point = space.random(&mut ChaCha8Rng::seed_from_u64(1));
    assert_eq!(space.apply(&point, &balanced).class_weight, ClassWeight::Balanced, "what is not searched stays");
}

#[test]
fn rows_that_are_never_drawn_leave_nothing_to_search() {
    let whole = Boosting { bagging_freq: 0, ..Boosting::default() };
    assert!(KINDS.iter().all(|&kind| !searched(kind, &whole).contains(&"bagging_fraction")));
}

#[test]
fn every_searched_parameter_changes_the_model() {
    let data = [samples(8, 150, 1), samples(3, 150, 2)];
    let start = Boosting { rounds: 8, early_stopping: 0, bagging_freq: 1, min_data_in_leaf: 5, ..Boosting::default() };
    for kind in KINDS {
        let space = Space::new(kind, &start);
        let usual = trees(kind, &start, &data);
        for (index, dimension) in space.dimensions().iter().enumerate() {
            let mut point = space.point_of(&start);
            // Far from where the parameter is, within its range.
            let far = [0.0, 0.999].map(|share| share_of(&space, index, share));
            point.0[index] =
                if (far[0] - point.0[index]).abs() > (far[1] - point.0[index]).abs() { far[0] } else { far[1] };
            let other = trees(kind, &space.apply(&point, &start), &data);
            assert_ne!(usual, other, "{kind}: {}", dimension.name);
        }
    }
}

fn share_of(space: &Space, index: usize, share: f64) -> f64 {
    let range = space.dimensions()[index].range();
    range.start() + (range.end() - range.start()) * share
}

fn kinds() -> impl Strategy<Value = ModelKind> {
    (0..3_usize).prop_map(|index| KINDS[index])
}

proptest! {
    #[test]
    fn a_point_stands_for_its_parameters(kind in kinds(), seed: u64) {
        let start = Boosting::default();
        let space = Space::new(kind, &start);
        let drawn = space.random(&mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(space.has(&drawn), true);
        let boosting = space.apply(&drawn, &start);
        let again = space.apply(&space.point_of(&boosting), &start);
        prop_assert_eq!(again.num_leaves, boosting.num_leaves);
        prop_assert_eq!(again.class_weight, boosting.class_weight);
        prop_assert_eq!((again.lambda_l2 - boosting.lambda_l2).abs() < 1e-5, true);
        let mut short = drawn.0;
        short.pop();
        prop_assert_eq!(space.has(&Point(short)), false);
    }
}
