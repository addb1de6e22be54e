//! A season: days of rounds with miners of every kind, by a validator that is killed at random instants, and by its twin
//! that is not. In the end both have the same rounds, and neither has submitted a window of weights twice.
//!
//! Under rules v2 with sealed answers; `AML_SEASON_RULES=v1` plays under v1. `AML_SEASON_SECONDS=3600` makes the season last so long; `AML_SEASON_SEED=n` draws the same instants again;
//! `AML_SEASON_DIR=folder` keeps everything there, with exports of both ledgers and `figures.json`; `AML_SUBNET_BIN=file`
//! takes another program than the one that was built with the test.

mod cast;
mod ends;
mod kills;
mod seat;
mod source;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aml_miner::clock::{Clock as _, SystemClock};
use aml_subnet::store::records::RoundId;
use serde_json::json;

use cast::Cast;
use ends::{Laws, pay, rounds_are_equal};
use kills::{Draw, Moment};
use seat::{Play, Seat};
use source::Source;

use crate::validator_kill::Rules;

/// Days of a season that has no duration. Where answers are sealed a day waits for their opening.
const fn days(rules: Rules) -> usize {
    match rules {
        Rules::V1 => 5,
        Rules::V2Sealed => 3,
    }
}
/// The day on which a miner comes that nobody knew before.
const NEWCOMER_DAY: usize = 2;
/// Kills of a day, at most.
const MOST_KILLS: u64 = 4;
/// Longer than a day takes on the busiest machine; a validator that stands still fails by it.
const PATIENCE: Duration = Duration::from_secs(300);

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} cannot be read")))
}

/// Under which rules, and when the answers of a day open: the more miners, the longer they take to answer.
fn play(is_long: bool) -> Play {
    let rules = match setting::<String>("AML_SEASON_RULES").as_deref() {
        None | Some("v2") => Rules::V2Sealed,
        Some("v1") => Rules::V1,
        Some(other) => panic!("AML_SEASON_RULES={other} is neither v1 nor v2"),
    };
    Play { rules, opening: if is_long { 75 } else { 45 } }
}

/// Where the season is: a folder that is kept, or one that goes away.
fn stage() -> (PathBuf, Option<tempfile::TempDir>) {
    if let Some(kept) = std::env::var_os("AML_SEASON_DIR") {
        return (PathBuf::from(kept), None);
    }
    let folder = tempfile::tempdir().expect("a folder");
    (folder.path().to_path_buf(), Some(folder))
}

/// What was done to the validator that is killed.
#[derive(Default)]
struct Season {
    days: Vec<RoundId>,
    kills: u64,
    by_moment: BTreeMap<String, u64>,
    with_weights_open: u64,
}

impl Season {
    /// A day: its batch appears, the one validator is killed some times, and then both get through.
    async fn day(&mut self, source: &mut Source, (tried, twin): (&mut Seat, &mut Seat), draw: &mut Draw) {
        tried.dawn();
        let id = source.dawn();
        for _ in 0..=draw.below(MOST_KILLS) {
            let instant = draw.instant(tried.heard());
            tried.live_until(&instant).await;
            let Moment { step, weights_open } = tried.kill(id).await;
            self.kills += 1;
            *self.by_moment.entry(step).or_default() += 1;
            self.with_weights_open += u64::from(weights_open);
            tried.start();
        }
        for seat in [tried, twin] {
            let settled = tokio::time::timeout(PATIENCE, seat.settled(id)).await;
            assert!(settled.is_ok(), "{}: {id} is not settled after {PATIENCE:?}\n{}", seat.name, seat.last_words());
        }
        self.days.push(id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_of_kills_ends_as_one_without() {
    let (folder, _guard) = stage();
    let seed = setting("AML_SEASON_SEED").unwrap_or_else(|| u64::from(SystemClock.now().subsec_nanos()));
    let seconds = setting::<u64>("AML_SEASON_SECONDS").map(Duration::from_secs);
    println!("season: seed {seed} (AML_SEASON_SEED), {}", folder.display());
    let (began, mut draw, mut season) = (std::time::Instant::now(), Draw::new(seed), Season::default());
    let cast = Cast::assemble(seconds.is_some()).await;
    let mut source = Source::new(folder.join("sot"));
    let play = play(seconds.is_some());
    let mut tried = Seat::set("tried", &folder, &cast, play).await;
    let mut twin = Seat::set("twin", &folder, &cast, play).await;
    tried.start();
    twin.start();
    while season.days.len() < days(play.rules) || seconds.is_some_and(|seconds| began.elapsed() < seconds) {
        if season.days.len() == NEWCOMER_DAY {
            tried.welcome(&cast.newcomer).await;
            twin.welcome(&cast.newcomer).await;
        }
        season.day(&mut source, (&mut tried, &mut twin), &mut draw).await;
    }
    let mut ends = Vec::new();
    for seat in [&mut tried, &mut twin] {
        let paid = tokio::time::timeout(PATIENCE, seat.paid()).await;
        assert!(paid.is_ok(), "{}: no weights after the last settlement\n{}", seat.name, seat.last_words());
        ends.push(seat.end_in_peace().await);
    }
    let figures = json!({
        "seed": seed,
        "rules": format!("{:?}", play.rules),
        "seconds": began.elapsed().as_secs(),
        "days": season.days.len(),
        "kills": season.kills,
        "kills_by_moment": season.by_moment,
        "kills_with_weights_on_their_way": season.with_weights_open,
        "pay": pay(&twin, &cast).await,
        "tried": ends[0],
        "twin": ends[1],
    });
    println!("season: {figures:#}");
    if std::env::var_os("AML_SEASON_DIR").is_some() {
        std::fs::write(folder.join("figures.json"), format!("{figures:#}\n")).expect("a file");
        tried.export();
        twin.export();
    }
    for (seat, end) in [&tried, &twin].into_iter().zip(&ends) {
        Laws { seat, cast: &cast, days: &season.days }.hold(end).await;
    }
    rounds_are_equal(&tried, &twin, &season.days).await;
    tried.close().await;
    twin.close().await;
}
