//! `aml-subnet simulate`: a validator's days on virtual time, from seeds. In test builds only.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use crate::simulate::{Broken, Flaw, Plan, Report, Ruling, Wanted, least, simulate};

/// How long the least plan that breaks a law is looked for.
const SHRINKING: Duration = Duration::from_secs(120);
/// More alerts make answers that are larger than the simulated validator takes.
const MOST_ALERTS: u64 = 1000;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
#[command(
    after_help = "A seed stands for a world: its miners, and what goes wrong on which day. The same seed is the same
world on every machine. What is not given is as in a day of four miners and 64 alerts, or, with --mixed, drawn from the seed.

Examples:
  aml-subnet simulate --seed 7                                one day of four miners, twice: the same trace?
  aml-subnet simulate --seed 7 --trace                        every event
  aml-subnet simulate --seed 7 --days 12 --miners 16 --alerts 256 --rules v2
  aml-subnet simulate --seed 1 --seeds 1000000 --mixed --minutes 10 --quiet
  aml-subnet simulate --seed 7 --flaw loses-answers           a law breaks, and the least trace of that"
)]
pub(super) struct SimulateArgs {
    /// The seed; everything follows from it
    #[arg(long)]
    seed: u64,
    /// So many seeds, one after another
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// No new seed after so many minutes
    #[arg(long)]
    minutes: Option<f64>,
    /// Days, a batch each
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: Option<u32>,
    /// Miners, from 1 to 1000
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    miners: Option<u16>,
    /// Alerts of a batch
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=MOST_ALERTS))]
    alerts: Option<u64>,
    /// Rules: v1, v2, or v2 from a day on (counted from 0), as in `v2-from-3`
    #[arg(long, value_parser = ruling)]
    rules: Option<Ruling>,
    /// Sealed answers (under rules v2 alone), or open ones
    #[arg(long, value_enum)]
    answers: Option<AnswersName>,
    /// Whatever is not given is drawn from the seed
    #[arg(long)]
    mixed: bool,
    /// Nothing goes wrong but miners
    #[arg(long)]
    calm: bool,
    /// Every event, not only those of a broken law
    #[arg(long)]
    trace: bool,
    /// Broken laws and totals alone
    #[arg(long)]
    quiet: bool,
    /// Goes on after a broken law
    #[arg(long)]
    keep_going: bool,
    /// A world that breaks the law
    #[arg(long, value_enum)]
    flaw: Option<FlawName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum AnswersName {
    /// Sealed until their round opens
    Sealed,
    /// As they are
    Open,
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

impl From<FlawName> for Flaw {
    fn from(name: FlawName) -> Self {
        match name {
            FlawName::LosesAnswers => Self::LosesAnswers,
            FlawName::LosesPublications => Self::LosesPublications,
            FlawName::LosesWeights => Self::LosesWeights,
            FlawName::DeniesWeights => Self::DeniesWeights,
            FlawName::MixesWeights => Self::MixesWeights,
        }
    }
}

fn ruling(text: &str) -> Result<Ruling, String> {
    match text {
        "v1" => Ok(Ruling::V1),
        "v2" => Ok(Ruling::V2),
        _ => {
            let day = text.strip_prefix("v2-from-").and_then(|day| day.parse().ok());
            day.map(Ruling::V2From).ok_or_else(|| "expected v1, v2 or v2-from-DAY, as in v2-from-3".to_owned())
        }
    }
}

impl SimulateArgs {
    fn wanted(&self) -> Wanted {
        let given = Wanted {
            days: self.days,
            miners: self.miners.map(usize::from),
            alerts: self.alerts.and_then(|alerts| usize::try_from(alerts).ok()),
            rules: self.rules,
            sealed: self.answers.map(|answers| answers == AnswersName::Sealed),
            calm: self.calm,
        };
        if self.mixed {
            return given;
        }
        let Wanted { days, miners, alerts, rules, sealed, .. } = Wanted::SMALL;
        Wanted {
            days: given.days.or(days),
            miners: given.miners.or(miners),
            alerts: given.alerts.or(alerts),
            rules: given.rules.or(rules),
            sealed: given.sealed.or(sealed),
            calm: given.calm,
        }
    }

    fn plan(&self, seed: u64) -> Plan {
        let plan = Plan::drawn(seed, &self.wanted());
        match self.flaw {
            Some(flaw) => plan.with(flaw.into()),
            None => plan,
        }
    }
}

/// What all seeds came to.
#[derive(Debug, Default)]
struct Totals {
    seeds: u64,
    days: u64,
    rounds: usize,
    events: usize,
    broken: u64,
}

/// Runs each seed; exits with 1 when one breaks the law, or comes out differently the second time.
pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let is_late = || args.minutes.is_some_and(|minutes| began.elapsed().as_secs_f64() >= minutes * 60.0);
    let mut totals = Totals::default();
    for seed in args.seed..args.seed.saturating_add(args.seeds) {
        if totals.seeds > 0 && (is_late() || (totals.broken > 0 && !args.keep_going)) {
            break;
        }
        let report = simulate(args.plan(seed))?;
        totals.add(&report);
        if !args.quiet {
            say(&report, args.trace);
        }
        let good = match &report.broken {
            Some(broken) => tell(seed, broken, report.clone()).map(|()| false)?,
            None => args.seeds > 1 || is_the_same(seed, &report)?,
        };
        totals.broken += u64::from(!good);
    }
    if args.seeds > 1 {
        totals.say(began.elapsed());
    }
    Ok(if totals.broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(seed: u64, broken: &Broken, report: Report) -> anyhow::Result<()> {
    println!("seed {seed}: LAW BROKEN: {broken}");
    let least = least(report, SHRINKING)?;
    let why = least.broken.as_ref().map_or_else(String::new, ToString::to_string);
    println!("least: {}\n{}{why}", least.plan, least.trace);
    Ok(())
}

fn is_the_same(seed: u64, report: &Report) -> anyhow::Result<bool> {
    let again = simulate(report.plan.clone())?;
    let same = again.digest == report.digest;
    println!("seed {seed}: {}, {}", if same { "the same again" } else { "NOT the same again" }, again.digest);
    Ok(same)
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.days += u64::from(report.plan.days);
        self.rounds += report.rounds;
        self.events += report.trace.len();
    }

    fn say(&self, took: Duration) {
        let Self { seeds, days, rounds, events, broken } = self;
        println!(
            "totals: {seeds} seeds, {days} days, {rounds} rounds published, {events} events, {broken} broken, {} s",
            took.as_secs()
        );
    }
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
