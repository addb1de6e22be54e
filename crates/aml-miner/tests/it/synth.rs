//! The synthetic generator: reproducible, plausible, and true to the format.

use std::collections::BTreeSet;

use aml_miner::cli::batch::{Cli, Verdict, run};
use aml_miner::synth::{Day, SynthConfig, SynthConfigError, generate};
use clap::Parser as _;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

fn must_days(config: &SynthConfig) -> Vec<Day> {
    generate(config).expect("a valid configuration").collect()
}

fn small() -> SynthConfig {
    SynthConfig { alerts: 200, addresses: 2_000, days: 3, ..SynthConfig::default() }
}

#[test]
fn the_same_seed_gives_the_same_days_and_another_seed_others() {
    let days = must_days(&small());
    assert_eq!(format!("{days:?}"), format!("{:?}", must_days(&small())));
    let other = must_days(&SynthConfig { seed: 43, ..small() });
    assert_ne!(days[0].batch.alerts, other[0].batch.alerts);
}

#[test]
fn a_longer_run_begins_with_the_days_of_a_shorter_one() {
    let short = must_days(&SynthConfig { days: 1, ..small() });
    let long = must_days(&small());
    assert_eq!(format!("{:?}", short[0]), format!("{:?}", long[0]));
}

#[test]
fn most_alerts_are_false_and_labels_come_one_to_three_weeks_later() {
    let days = must_days(&SynthConfig { days: 6, ..small() });
    let mut rate = Vec::new();
    for day in &days {
        let illicit = day.labels.numbers("confirmed_illicit").expect("labels");
        rate.extend_from_slice(illicit);
        for &known in day.labels.numbers("confirmed_at").expect("times") {
            let delay = known / 86_400_000.0 - f64::from(day.date.to_epoch_days());
            assert!((7.0..22.0).contains(&delay), "known {delay} days after {}", day.date);
        }
    }
    let share = rate.iter().sum::<f64>() / f64::from(u32::try_from(rate.len()).expect("few"));
    assert!((0.05..0.25).contains(&share), "{share} of the alerts are true");
}

#[test]
fn tables_refer_to_each_other() {
    for day in must_days(&small()) {
        let batch = &day.batch;
        let alerts: BTreeSet<&str> = batch.alerts.texts("alert_id").expect("ids").iter().collect();
        assert_eq!(alerts.len(), batch.alerts.rows(), "alert ids are unique");
        assert_eq!(day.labels.texts("alert_id"), batch.alerts.texts("alert_id"), "one label an alert, same order");
        let members = batch.clusters.text_lists("related_alert_ids").expect("members");
        for cluster in 0..batch.clusters.rows() {
            assert!(members.count(cluster) >= 2);
            assert!(members.get(cluster).all(|id| alerts.contains(id)), "clusters hold alerts of the day");
        }
        let addresses: BTreeSet<&str> = batch.features.texts("address").expect("addresses").iter().collect();
        assert_eq!(addresses.len(), batch.features.rows(), "one row per address");
        let known = batch.alerts.texts("address").expect("addresses").iter().filter(|a| addresses.contains(a)).count();
        assert!(known * 10 > batch.alerts.rows() * 9, "nearly every alert's address has features");
        assert!(batch.money_flows.rows() > batch.features.rows() / 2);
    }
}

#[test]
fn features_are_measured_on_the_flows() {
    let day = must_days(&SynthConfig { missing: 0.0, days: 1, ..small() }).remove(0);
    let (features, flows) = (&day.batch.features, &day.batch.money_flows);
    let addresses = features.texts("address").expect("addresses");
    let (from, usd) = (flows.texts("from_address").expect("from"), flows.numbers("amount_usd").expect("usd"));
    for row in (0..features.rows()).step_by(97) {
        let own = (0..flows.rows()).filter(|&flow| from.get(flow) == addresses.get(row));
        let (count, sum) = own.fold((0.0, 0.0), |(count, sum), flow| (count + 1.0, sum + usd[flow]));
        assert_eq!(features.numbers("degree_out").expect("degree")[row].to_bits(), f64::to_bits(count));
        let total = features.numbers("total_out_usd").expect("total")[row];
        assert!((total - sum).abs() <= 1e-6 * sum.max(1.0), "{total} is not {sum}");
    }
}

#[test]
fn a_configuration_that_describes_no_world_is_refused_by_name() {
    let error = SynthConfig { illicit_share: 0.9, ..small() }.validate().expect_err("too many");
    assert_eq!(error.to_string(), "illicit_share is 0.9: it must be between 0 and 0.5");
    let error = generate(&SynthConfig { alerts: 0, ..small() }).err().expect("no alerts");
    assert!(matches!(error, SynthConfigError::Count { name: "alerts", .. }));
    assert!(SynthConfig { disguise: f64::NAN, ..small() }.validate().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn values_are_within_their_columns_ranges(seed in any::<u64>()) {
        let config = SynthConfig { seed, alerts: 60, addresses: 400, ..SynthConfig::default() };
        let day = must_days(&config).remove(0);
        let batch = &day.batch;
        for table in [&batch.alerts, &batch.features, &batch.clusters, &batch.money_flows, &day.labels] {
            for column in table.spec().columns {
                for value in table.numbers(column.name).unwrap_or_default().iter().filter(|value| !value.is_nan()) {
                    prop_assert!((column.min..=column.max).contains(value), "{} is {value}", column.name);
                }
            }
        }
        prop_assert_eq!(batch.alerts.rows(), 60);
    }
}

#[test]
fn the_command_writes_batches_that_verify_and_repeats_them_byte_for_byte() {
    let place = tempfile::tempdir().expect("a directory");
    let mut written = Vec::new();
    for name in ["first", "second"] {
        let out = place.path().join(name);
        let command =
            ["aml-miner-batch", "synth", &out.to_string_lossy(), "--days", "2", "--alerts", "40", "--addresses", "300"]
                .map(str::to_owned);
        let mut said = Vec::new();
        let cli = Cli::try_parse_from(command).expect("a command");
        assert_eq!(run(&cli, &mut said).expect("written"), Verdict::Passed);
        let cli = Cli::try_parse_from(["aml-miner-batch", "verify", &out.to_string_lossy()]).expect("a command");
        assert_eq!(run(&cli, &mut said).expect("read"), Verdict::Passed, "{}", String::from_utf8_lossy(&said));
        let manifest = out.join("2025-09-02_w7").join("META.json");
        written.push(std::fs::read(manifest).expect("a manifest"));
    }
    assert_eq!(written[0], written[1], "manifests hold the hashes of every file");
}

#[test]
fn large_days_are_several_economies_and_small_ones_are_one() {
    let config = |alerts, addresses| SynthConfig { alerts, addresses, ..SynthConfig::default() };
    for (alerts, addresses) in [(1, 100), (200_000, 10_000), (1_000, 2_000_000)] {
        assert_eq!(config(alerts, addresses).economies().expect("one"), [config(alerts, addresses)]);
    }
    for (alerts, addresses, count) in [(200_001, 800_000, 5), (2_000_000, 8_000_000, 40), (1_000, 2_000_001, 9)] {
        let economies = config(alerts, addresses).economies().expect("several");
        assert_eq!(economies.len(), count);
        assert_eq!(economies.iter().map(|economy| economy.alerts).sum::<usize>(), alerts);
        assert_eq!(economies.iter().map(|economy| economy.addresses).sum::<usize>(), addresses);
        let mut seeds: Vec<u64> = economies.iter().map(|economy| economy.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), count);
        economies.iter().for_each(|economy| economy.validate().expect("an economy"));
    }
    assert!(config(2_000_001, 10_000).economies().is_err());
    assert!(config(1_000, 20_000_001).economies().is_err());
}
