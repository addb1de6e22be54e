//! Days on virtual time: the laws hold whatever a seed brings, the same seed is the same world, and a broken world is found
//! out.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::time::Duration;

use aml_subnet::simulate::{Broken, Flaw, Kind, Lie, Plan, Report, Ruling, Span, Trouble, Wanted, least, simulate};

/// Seeds of a test; a run by hand takes more (`scripts/simulate.sh`).
const SEEDS: u64 = 20;
/// No law is so hard to break that its least plan is not found by then.
const PATIENCE: Duration = Duration::from_secs(300);
const MINUTE: Duration = Duration::from_secs(60);

fn run(plan: Plan) -> Report {
    simulate(plan).expect("a ledger in memory")
}

#[track_caller]
fn must_hold(plan: Plan) -> Report {
    let report = run(plan);
    assert_eq!(report.broken, None, "{}\n{}", report.plan, report.trace);
    report
}

/// A world of these miners in which nothing else goes wrong.
fn calm(seed: u64, days: u32, miners: Vec<Kind>) -> Plan {
    Plan { days, miners, troubles: Vec::new(), commits: false, ..Plan::of(seed) }
}

/// A world of some days under these rules.
fn season(seed: u64, days: u32, rules: Ruling, sealed: bool) -> Plan {
    let wanted =
        Wanted { days: Some(days), miners: Some(6), alerts: Some(64), rules: Some(rules), ..Wanted::default() };
    Plan::drawn(seed, &Wanted { sealed: Some(sealed), ..wanted })
}

#[test]
fn a_round_that_can_be_held_is_published_whatever_the_seed_brings() {
    let (mut digests, mut kills, mut counted) = (BTreeSet::new(), 0, BTreeSet::new());
    for seed in 1..=SEEDS {
        let report = must_hold(Plan::of(seed));
        let most = report.plan.miners.iter().filter(|kind| kind.may_count()).count();
        assert!((1..=most).contains(&report.accepted), "who answers well counts:\n{}", report.trace);
        kills += report.plan.troubles.iter().filter(|trouble| matches!(trouble, Trouble::Killed { .. })).count();
        counted.insert(report.accepted);
        digests.insert(report.digest.to_string());
    }
    assert_eq!(digests.len(), usize::try_from(SEEDS).expect("few"), "every seed is another world");
    assert!(
        kills > 10 && counted.len() > 1,
        "the seeds of this test bring what they are there for: {kills} {counted:?}"
    );
}

#[test]
fn no_day_of_a_season_is_lost_under_any_rules() {
    for (seed, rules, sealed) in
        [(101, Ruling::V1, false), (102, Ruling::V2, false), (103, Ruling::V2From(2), false), (104, Ruling::V2, true)]
    {
        let report = must_hold(season(seed, 3, rules, sealed));
        assert_eq!(report.rounds, 3, "{}", report.trace);
    }
}

#[test]
fn a_published_round_is_paid_for_in_every_epoch() {
    for seed in 1..=4 {
        let report = must_hold(calm(seed, 1, vec![Kind::Honest, Kind::Silent]));
        assert!((2..=3).contains(&report.paid), "an hour and a half reaches into two or three:\n{}", report.trace);
    }
}

#[test]
fn a_network_that_is_away_for_a_while_costs_no_day() {
    for seed in 1..=3 {
        let cut = Trouble::CutOff { day: 1, after: Duration::from_millis(1), lasts: 18 * MINUTE };
        let report = must_hold(Plan { troubles: vec![cut], ..calm(seed, 2, vec![Kind::Honest; 4]) });
        assert_eq!(report.accepted, 4, "{}", report.trace);
        assert!(report.trace.to_string().contains("mark_round"), "it was held:\n{}", report.trace);
    }
}

#[test]
fn a_commit_that_was_lost_does_not_pass_for_the_next_one() {
    let lost = Span { from: Duration::from_secs(24_908), lasts: Duration::from_secs(1_975) };
    let troubles = vec![Trouble::BatchLate { day: 0, by: Duration::from_secs(2_277) }, Trouble::SubmissionsLost(lost)];
    let plan = Plan { commits: true, troubles, ..calm(5027, 1, vec![Kind::Honest]) };
    must_hold(plan);
}

#[test]
fn most_cuts_that_are_drawn_come_while_miners_are_asked() {
    let wanted = Wanted { days: Some(3), miners: Some(4), ..Wanted::default() };
    let troubles = (0..500).flat_map(|seed| Plan::drawn(seed, &wanted).troubles);
    let after = troubles.filter_map(|trouble| match trouble {
        Trouble::CutOff { after, .. } => Some(after),
        _ => None,
    });
    let (soon, late): (Vec<_>, Vec<_>) = after.partition(|after| *after <= Duration::from_secs(3));
    assert!(late.len() > 5 && soon.len() > late.len(), "{} soon, {} later", soon.len(), late.len());
}

#[test]
fn a_miner_that_refuses_once_is_heard_and_one_that_breaks_every_rule_costs_nobody() {
    let kinds = [
        Kind::Refusing,
        Kind::Late,
        Kind::Stalled,
        Kind::HangingUp,
        Kind::Huge,
        Kind::Closed,
        Kind::Lying(Lie::Garbage),
        Kind::Lying(Lie::OtherKey),
    ];
    let report = must_hold(calm(9, 1, kinds.to_vec()));
    assert_eq!(report.accepted, 1, "{}", report.trace);
    let sealed = Plan { rules: Ruling::V2, sealed: true, ..calm(9, 1, kinds.to_vec()) };
    assert_eq!(must_hold(sealed).accepted, 1);
}

#[test]
fn weights_that_are_set_twice_or_are_not_those_of_the_ledger_are_found_out() {
    for flaw in [Flaw::LosesWeights, Flaw::DeniesWeights, Flaw::MixesWeights] {
        let report = run(calm(6, 1, vec![Kind::Honest, Kind::Slow]).with(flaw));
        match (&report.broken, flaw) {
            (Some(Broken::Unrecorded { .. }), Flaw::LosesWeights) => {}
            (Some(Broken::Twice { times: 2.., .. }), Flaw::DeniesWeights) => {}
            (Some(Broken::Unlike { .. }), Flaw::MixesWeights) => {}
            other => panic!("{other:?}\n{}", report.trace),
        }
        let least = least(report, PATIENCE).expect("a ledger in memory");
        assert_eq!((least.plan.miners.as_slice(), least.plan.troubles.as_slice()), (&[Kind::Honest][..], &[][..]));
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for plan in [Plan::of(3), Plan::of(5), season(8, 2, Ruling::V2, true)] {
        let (first, again) = (run(plan.clone()), run(plan));
        assert_eq!(first.trace.to_string(), again.trace.to_string());
        assert_eq!((first.digest, first.took), (again.digest, again.took));
    }
}

#[test]
fn a_ledger_that_forgets_is_found_out_and_nothing_else_need_go_wrong() {
    for flaw in [Flaw::LosesAnswers, Flaw::LosesPublications] {
        let report = run(Plan::of(4).with(flaw));
        match (&report.broken, flaw) {
            (Some(Broken::Forgotten { .. }), Flaw::LosesAnswers) => {}
            (Some(Broken::Unpublished { step: Some(_), .. }), Flaw::LosesPublications) => {}
            other => panic!("{other:?}\n{}", report.trace),
        }
        let full = report.trace.len();
        let least = least(report, PATIENCE).expect("a ledger in memory");
        let Plan { miners, troubles, .. } = &least.plan;
        assert!(miners.len() == 1 && troubles.is_empty(), "{}", least.plan);
        assert!(least.broken.is_some() && least.trace.len() < full);
    }
}

#[test]
fn outcomes_that_never_come_cost_no_round() {
    let plan = calm(5, 1, vec![Kind::Honest, Kind::Slow]);
    let report = must_hold(Plan { troubles: vec![Trouble::OutcomesHang], ..plan });
    // What was asked for while the batch was fetched is waited for no longer than that.
    let at = |words: &str| {
        let trace = report.trace.to_string();
        let line = trace.lines().find(|line| line.contains(words)).expect(words).to_owned();
        line.split_whitespace().next().and_then(|at| at.parse::<f64>().ok()).expect("a time")
    };
    assert!(at("record_task") - at("outcomes of") < 60.0, "{}", report.trace);
}

#[test]
fn a_ledger_that_takes_no_answers_for_a_while_costs_no_conversation() {
    let plan = calm(6, 1, vec![Kind::Honest; 3]);
    let report = must_hold(Plan { troubles: vec![Trouble::LedgerGone(4 * MINUTE)], ..plan });
    assert_eq!(report.accepted, 3, "{}", report.trace);
    let asked = report.trace.to_string().lines().filter(|line| line.contains("connect to")).count();
    assert_eq!(asked, 3, "nobody is asked twice:\n{}", report.trace);
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
    let broken = program(&["--seed", "11", "--miners", "2", "--flaw", "loses-answers"]);
    let said = String::from_utf8_lossy(&broken.stdout);
    assert_eq!(broken.status.code(), Some(1), "{said}");
    let told = ["seed 11: LAW BROKEN: of round", "least: seed 11, 1 days of 64 alerts", "troubles []", "record_answer"];
    assert!(told.iter().all(|words| said.contains(words)), "{said}");
}

#[test]
fn many_seeds_end_with_their_totals() {
    let some = program(&["--seed", "1", "--seeds", "2", "--miners", "3", "--calm", "--quiet"]);
    let said = String::from_utf8_lossy(&some.stdout);
    assert!(some.status.success() && said.contains("totals: 2 seeds, 2 days, 2 rounds published"), "{some:?}");
    let wrong = program(&["--seed", "1", "--rules", "v3"]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("v2-from-DAY"), "{wrong:?}");
}
