//! The page of the leaderboard: all miners by their share of pay.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{Days, NaiveDate};

use super::frame::{Frame, Tile};
use super::svg::{Svg, bar, sparkline};
use super::text::{maybe, percent, score, short, when, whole};
use crate::api::views::{MinerList, MinerStanding, RoundBrief};

/// The page.
#[derive(Template)]
#[template(path = "leaderboard.html")]
pub(super) struct Leaderboard {
    frame: Frame,
    days: i64,
    as_of: String,
    tiles: Vec<Tile>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    rank: usize,
    hotkey: String,
    short: String,
    uid: String,
    performance: String,
    bar: Svg,
    tiers: (String, String, String),
    rounds: usize,
    settled: usize,
    spark: Svg,
    share: String,
}

impl Leaderboard {
    pub(super) fn new(frame: Frame, list: &MinerList, newest: Option<&RoundBrief>) -> Self {
        let days = recent(&list.as_of, list.performance_days);
        Self {
            frame,
            days: list.performance_days,
            as_of: when(&format!("{}T00:00:00Z", list.as_of)).trim_end_matches(", 00:00").to_owned(),
            tiles: tiles(list, newest),
            rows: list.miners.iter().map(|standing| row(standing, &days)).collect(),
            next: list.next_offset.map(|offset| format!("/page/miners?offset={offset}")),
        }
    }
}

fn tiles(list: &MinerList, newest: Option<&RoundBrief>) -> Vec<Tile> {
    let best = list.miners.first().filter(|standing| standing.rank == 1);
    let mut tiles = vec![Tile::new("Miners ranked", whole(list.total as u64), "with a round in that time")];
    if let Some(best) = best {
        tiles.push(Tile::new("Best performance", score(best.performance), short(&best.hotkey)));
    }
    if let Some(round) = newest {
        let accepted = format!("{} of {}", round.accepted, round.asked);
        tiles.push(Tile::new("Accepted", accepted, format!("in the round of {}", round.date)));
        tiles.push(Tile::new("Alerts", whole(round.alerts), format!("in the round of {}", round.date)));
    }
    tiles
}

/// The days up to `last`, oldest first.
fn recent(last: &str, days: i64) -> Vec<String> {
    let last: NaiveDate = last.parse().unwrap_or_default();
    let count = u64::try_from(days).unwrap_or(0);
    (0..count).rev().filter_map(|back| last.checked_sub_days(Days::new(back))).map(|day| day.to_string()).collect()
}

fn row(of: &MinerStanding, days: &[String]) -> Row {
    let known: BTreeMap<&str, f64> = of.days.iter().map(|day| (day.date.as_str(), day.score)).collect();
    let line: Vec<Option<f64>> = days.iter().map(|day| known.get(day.as_str()).copied()).collect();
    let label = format!("Daily mean score, {} of {} days with a round", known.len(), days.len());
    Row {
        rank: of.rank,
        hotkey: of.hotkey.clone(),
        short: short(&of.hotkey),
        uid: of.uid.map(|uid| uid.to_string()).unwrap_or_default(),
        performance: score(of.performance),
        bar: bar(Some(of.performance), "main"),
        tiers: (maybe(of.tier1), maybe(of.tier2), maybe(of.tier3)),
        rounds: of.rounds,
        settled: of.settled,
        spark: sparkline(&line, &label),
        share: percent(of.share),
    }
}
