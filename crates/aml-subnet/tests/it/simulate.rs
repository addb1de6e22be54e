//! Rounds on virtual time: the law holds whatever a seed brings, the same seed is the same world, and a broken world is
//! found out.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use aml_subnet::simulate::{Broken, Flaw, Kind, Plan, Report, Trouble, least, simulate};

/// Seeds of a test; a run by hand takes more (`aml-subnet simulate --seed 1 --seeds 1000`).
const SEEDS: u64 = 24;

fn run(plan: Plan) -> Report {
    simulate(plan).expect("a ledger in memory")
}

#[test]
fn a_round_that_can_be_held_is_published_whatever_the_seed_brings() {
    let (mut digests, mut kills, mut counted) = (BTreeSet::new(), 0, BTreeSet::new());
    for seed in 1..=SEEDS {
        let report = run(Plan::of(seed));
        assert_eq!(report.broken, None, "{}\n{}", report.plan, report.trace);
        assert!((1..=2).contains(&report.accepted), "the honest miner counts, the slow one may:\n{}", report.trace);
        kills += report.plan.troubles.iter().filter(|trouble| matches!(trouble, Trouble::Killed(_))).count();
        counted.insert(report.accepted);
        digests.insert(report.digest.to_string());
    }
    assert_eq!(digests.len(), usize::try_from(SEEDS).expect("few"), "every seed is another world");
    assert!(
        kills > 10 && counted.len() == 2,
        "the seeds of this test bring what they are there for: {kills} {counted:?}"
    );
}

#[test]
fn a_published_round_is_paid_for_in_every_epoch() {
    for seed in 1..=SEEDS / 4 {
        let report = run(Plan { troubles: Vec::new(), ..Plan::of(seed) });
        assert_eq!(report.broken, None, "{}", report.trace);
        assert!((2..=3).contains(&report.paid), "an hour and a half reaches into two or three:\n{}", report.trace);
    }
}

#[test]
fn weights_that_are_set_twice_or_are_not_those_of_the_ledger_are_found_out() {
    for flaw in [Flaw::LosesWeights, Flaw::DeniesWeights, Flaw::MixesWeights] {
        let report = run(Plan::of(6).with(flaw));
        match (&report.broken, flaw) {
            (Some(Broken::Unrecorded { .. }), Flaw::LosesWeights) => {}
            (Some(Broken::Twice { times: 2.., .. }), Flaw::DeniesWeights) => {}
            (Some(Broken::Unlike { .. }), Flaw::MixesWeights) => {}
            other => panic!("{other:?}\n{}", report.trace),
        }
        let least = least(report).expect("a ledger in memory");
        assert_eq!((least.plan.miners.as_slice(), least.plan.troubles.as_slice()), (&[Kind::Honest][..], &[][..]));
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in [3, 5, 8] {
        let (first, again) = (run(Plan::of(seed)), run(Plan::of(seed)));
        assert_eq!(first.trace.to_string(), again.trace.to_string());
        assert_eq!((first.digest, first.took), (again.digest, again.took));
    }
}

#[test]
fn a_ledger_that_forgets_is_found_out_and_nothing_else_need_go_wrong() {
    for flaw in [Flaw::LosesAnswers, Flaw::LosesPublications] {
        let report = run(Plan::of(4).with(flaw));
        match (&report.broken, flaw) {
            (Some(Broken::Empty { .. }), Flaw::LosesAnswers) => {}
            (Some(Broken::Unpublished { step: Some(_), .. }), Flaw::LosesPublications) => {}
            other => panic!("{other:?}\n{}", report.trace),
        }
        let full = report.trace.len();
        let least = least(report).expect("a ledger in memory");
        assert_eq!((least.plan.miners.as_slice(), least.plan.troubles.as_slice()), (&[Kind::Honest][..], &[][..]));
        assert!(least.broken.is_some() && least.trace.len() < full);
    }
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-subnet")).arg("simulate").args(arguments).output().expect("it runs")
}

#[test]
fn two_processes_print_the_same_and_a_broken_law_its_least_trace() {
    let [first, second] = [program(&["--seed", "11"]), program(&["--seed", "11"])];
    let said = String::from_utf8_lossy(&first.stdout);
    assert!(first.status.success() && said.contains("the same again"), "{first:?}");
    assert_eq!(first.stdout, second.stdout);
    let broken = program(&["--seed", "11", "--flaw", "loses-answers"]);
    let said = String::from_utf8_lossy(&broken.stdout);
    assert_eq!(broken.status.code(), Some(1), "{said}");
    let told = ["seed 11: LAW BROKEN: round", "least: seed 11, miners [Honest], troubles []", "ledger   record_answer"];
    assert!(told.iter().all(|words| said.contains(words)), "{said}");
}
