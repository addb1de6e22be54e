//! Which patterns begin on a day, who takes part, and what is remembered of them as the truth.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Poisson};

use super::config::SynthConfig;
use super::population::{ASSETS, Population, any, favoured};
use super::shapes::{Shape, Typology};
use super::traffic::{DAY_MS, Transfer};

/// A pattern that is being played out: the truth behind alerts.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) illicit: bool,
    pub(super) members: Vec<u32>,
    /// Last day on which it moves money.
    pub(super) last_day: i32,
}

/// What an account's recent part in patterns makes of an alert about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    /// Nothing.
    Clean,
    /// It took part in something that only looked like laundering.
    Harmless,
    /// It took part in laundering.
    Illicit,
}

/// Mean number of accounts of a pattern, over the typologies.
const MEAN_MEMBERS: f64 = 6.0;
/// Of the accounts of running patterns, the share that the rules bring up as alerts.
const CAUGHT: f64 = 0.45;
/// Harmless patterns for each illicit one.
const HARMLESS: f64 = 2.5;

/// Starts the patterns of `day`: their transfers go to `out`, their truth is returned.
pub(super) fn begin(
    config: &SynthConfig,
    population: &mut Population,
    day: i32,
    rng: &mut ChaCha8Rng,
    out: &mut Vec<Transfer>,
) -> Vec<Pattern> {
    // A pattern is visible for its own days and for as long as the window still covers them.
    let visible = f64::from(config.window_days) + 2.0;
    let wanted = config.alerts as f64 * config.illicit_share / CAUGHT / MEAN_MEMBERS / visible;
    let mut patterns = Vec::new();
    for (illicit, mean) in [(true, wanted), (false, wanted * HARMLESS)] {
        let count = Poisson::new(mean.max(0.05)).map_or(0.0, |poisson| poisson.sample(rng)) as usize;
        for _ in 0..count {
            patterns.push(play(config, population, Plan { illicit, day }, rng, out));
        }
    }
    patterns
}

/// What is to be played, and from which day on.
struct Plan {
    illicit: bool,
    day: i32,
}

fn play(
    config: &SynthConfig,
    population: &mut Population,
    plan: Plan,
    rng: &mut ChaCha8Rng,
    out: &mut Vec<Transfer>,
) -> Pattern {
    let Plan { illicit, day } = plan;
    let typology = draw_typology(illicit, rng);
    let (least, most) = typology.members();
    let count = rng.random_range(least..=most);
    let skill = if illicit {
        (config.disguise + config.drift * f64::from((day - first_day(config)).max(0)) / 100.0)
            * rng.random_range(0.2..1.6)
    } else {
        rng.random_range(0.1..1.0)
    };
    let skill = skill.clamp(0.0, 1.0);
    let mut members = recruit(population, Wanted { count, illicit, skill, day }, rng);
    if typology == Typology::DormantActivation
        && let Some(sleeper) = population.wake(rng)
    {
        members[0] = sleeper;
    }
    let days = 1 + (skill * 5.0 * rng.random::<f64>()) as i32;
    let median: f64 = if illicit { 60_000.0 } else { 30_000.0 };
    let shape = Shape {
        typology,
        members: &members,
        venue: favoured(&population.exchanges, rng),
        mixer: any(&population.mixers, rng),
        total: LogNormal::new(median.ln(), 0.8).map_or(median, |normal| normal.sample(rng)),
        first_day: day,
        days,
        night: if illicit { 0.3 - 0.2 * skill } else { rng.random_range(0.02..0.2) },
        blur: if illicit { skill } else { 0.2 + 0.8 * skill },
        asset: rng.random_range(0..ASSETS.len()) as u8,
    };
    let transfers = shape.transfers(rng);
    let last_day = transfers.iter().map(|transfer| (transfer.at / DAY_MS) as i32).max().unwrap_or(day);
    out.extend(transfers);
    Pattern { illicit, members, last_day }
}

/// The first day of the simulation, in days since the epoch.
pub(super) fn first_day(config: &SynthConfig) -> i32 {
    config.start.to_epoch_days()
}

fn draw_typology(illicit: bool, rng: &mut ChaCha8Rng) -> Typology {
    // Honest people rarely use mixers or peel chains, and often collect or pay out.
    let weights: [f64; 9] = if illicit {
        [1.2, 1.2, 0.9, 1.1, 1.0, 1.0, 0.8, 1.0, 0.8]
    } else {
        [1.0, 0.6, 0.3, 1.2, 1.6, 1.6, 0.8, 0.3, 1.0]
    };
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    for (typology, weight) in Typology::ALL.into_iter().zip(weights) {
        left -= weight;
        if left <= 0.0 {
            return typology;
        }
    }
    Typology::FanIn
}

/// Members that are looked for.
struct Wanted {
    count: usize,
    illicit: bool,
    /// From 0 to 1.
    skill: f64,
    day: i32,
}

/// Launderers use fresh shells, the better ones accounts with a past; honest people are who they are.
fn recruit(population: &mut Population, wanted: Wanted, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let Wanted { count, illicit, skill, day } = wanted;
    let mut members = Vec::with_capacity(count);
    while members.len() < count {
        let shell = if illicit { 0.75 - 0.6 * skill } else { 0.08 };
        let id = if rng.random_bool(shell.clamp(0.0, 1.0)) {
            population.add_shell(day, rng)
        } else {
            any(&population.people, rng)
        };
        if !members.contains(&id) {
            members.push(id);
        }
    }
    members
}
