//! `aml-subnet simulate`: rounds on virtual time, from seeds. In test builds only.

use std::process::ExitCode;

use clap::Args;

use crate::simulate::{Flaw, Plan, Report, least, simulate};

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// The seed; everything follows from it
    #[arg(long)]
    seed: u64,
    /// So many seeds, one after another
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Every event, not only those of a broken law
    #[arg(long)]
    trace: bool,
    /// A world that breaks the law
    #[arg(long, value_enum)]
    flaw: Option<FlawName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FlawName {
    /// The ledger forgets answers
    LosesAnswers,
    /// The ledger forgets publications
    LosesPublications,
    /// The ledger forgets submissions of weights
    LosesWeights,
    /// The chain denies the weights that it took
    DeniesWeights,
    /// The chain shows other weights than were set
    MixesWeights,
}

/// Runs each seed; exits with 1 when one breaks the law, or comes out differently the second time.
pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for seed in args.seed..args.seed.saturating_add(args.seeds) {
        let plan = Plan::of(seed);
        let plan = match args.flaw {
            None => plan,
            Some(FlawName::LosesAnswers) => plan.with(Flaw::LosesAnswers),
            Some(FlawName::LosesPublications) => plan.with(Flaw::LosesPublications),
            Some(FlawName::LosesWeights) => plan.with(Flaw::LosesWeights),
            Some(FlawName::DeniesWeights) => plan.with(Flaw::DeniesWeights),
            Some(FlawName::MixesWeights) => plan.with(Flaw::MixesWeights),
        };
        let report = simulate(plan)?;
        say(&report, args.trace);
        if let Some(broken) = &report.broken {
            println!("seed {seed}: LAW BROKEN: {broken}");
            let least = least(report.clone())?;
            println!("least: {}\n{}", least.plan, least.trace);
            code = ExitCode::FAILURE;
        } else if args.seeds == 1 {
            let again = simulate(report.plan.clone())?;
            let same = again.digest == report.digest;
            println!("seed {seed}: {}, {}", if same { "the same again" } else { "NOT the same again" }, again.digest);
            if !same {
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn say(report: &Report, whole: bool) {
    let Report { plan, round, trace, digest, took, accepted, paid, .. } = report;
    println!("{plan}");
    if whole {
        print!("{trace}");
    }
    let (seed, miners, took) = (plan.seed, plan.miners.len(), took.as_secs());
    println!(
        "seed {seed}: round {round}, {accepted} of {miners} miners count, weights set {paid} times, {took} s, {} events, \
         {digest}",
        trace.len()
    );
}
