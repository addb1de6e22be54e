//! Nothing is learnt from the future: days, labels and addresses are kept apart.

use std::collections::HashSet;

use aml_miner::training::config::{ModelConfig, SharedAddresses, SplitConfig};
use aml_miner::training::samples::{DAY_MS, Samples};
use aml_miner::training::split::{SplitError, plan, split};
use proptest::prelude::{prop_assert, proptest};

use crate::training_support::{FIRST_DAY, samples};

fn config(embargo_days: u32) -> SplitConfig {
    SplitConfig { embargo_days, ..ModelConfig::default().split }
}

fn addresses(samples: &Samples) -> HashSet<u32> {
    samples.rows().flat_map(|row| row.addresses.iter().copied()).collect()
}

#[test]
fn periods_follow_each_other_with_an_embargo_between() {
    let dates: Vec<i32> = (100..140).collect();
    let periods = plan(&dates, &config(7)).expect("forty days are enough");
    assert_eq!(periods.test, (134, 139));
    assert_eq!(periods.validation, (121, 126));
    assert_eq!(periods.train, (100, 113));
}

#[test]
fn too_few_days_say_what_would_help() {
    let dates: Vec<i32> = (100..110).collect();
    let error = plan(&dates, &config(7)).expect_err("ten days are too few for two weeks of embargo");
    assert_eq!(error, SplitError::TooShort { days: 10, test: 2, validation: 2, embargo: 7 });
    assert!(error.to_string().contains("lower split.embargo_days"));
    assert!(plan(&dates, &config(0)).is_ok());
    assert!(plan(&[], &config(0)).is_err());
}

#[test]
fn a_label_that_came_too_late_is_not_learnt_from() {
    let mut all = samples(40, 50, 1);
    all.days[0].rows[3].known_at = i64::from(FIRST_DAY + 35) * DAY_MS;
    let split = split(all, &config(7)).expect("both classes everywhere");
    assert_eq!(split.left_out[0].label_too_late, 1);
    assert!(split.train.rows().all(|row| row.known_at < i64::from(split.periods.validation.0) * DAY_MS));
    assert!(split.validation.rows().all(|row| row.known_at < i64::from(split.periods.test.0) * DAY_MS));
    assert!(split.train.rows().all(|row| row.id != format!("{FIRST_DAY}-3")));
}

#[test]
fn a_shared_address_stays_on_the_side_that_was_asked_for() {
    let shared = u32::MAX;
    for (policy, in_train, in_test) in [
        (SharedAddresses::Later, false, true),
        (SharedAddresses::Earlier, true, false),
        (SharedAddresses::Both, true, true),
    ] {
        let mut all = samples(40, 50, 2);
        all.days[0].rows[0].addresses = Box::new([shared]);
        all.days[39].rows[0].addresses = Box::new([7, shared]);
        let split = split(all, &SplitConfig { shared_addresses: policy, ..config(7) }).expect("both classes");
        assert_eq!(addresses(&split.train).contains(&shared), in_train, "{policy:?}");
        assert_eq!(addresses(&split.test).contains(&shared), in_test, "{policy:?}");
    }
}

#[test]
fn a_period_without_a_class_is_an_error_that_names_it() {
    let mut all = samples(40, 50, 3);
    all.days.iter_mut().skip(30).flat_map(|day| &mut day.rows).for_each(|row| row.illicit = false);
    let error = split(all, &config(7)).expect_err("no illicit row in the test period");
    assert!(error.to_string().starts_with("the test period has 300 usable rows, 0 of them illicit"), "{error}");
}

proptest! {
    #[test]
    fn whatever_the_days_the_periods_never_touch(
        gaps in proptest::collection::vec(1_i32..5, 3..80), embargo in 0_u32..20,
        test in 0.01_f64..0.5, validation in 0.01_f64..0.5,
    ) {
        let dates: Vec<i32> = gaps.iter().scan(100, |date, gap| { *date += gap; Some(*date) }).collect();
        let config = SplitConfig { test_share: test, validation_share: validation, ..config(embargo) };
        if let Ok(periods) = plan(&dates, &config) {
            let embargo = i32::try_from(embargo).expect("small");
            prop_assert!(periods.train.0 <= periods.train.1);
            prop_assert!(periods.train.1 + embargo < periods.validation.0);
            prop_assert!(periods.validation.1 + embargo < periods.test.0);
            prop_assert!(periods.test.1 == *dates.last().expect("some"));
        }
    }
}
