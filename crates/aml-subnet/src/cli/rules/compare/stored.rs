//! Rounds as the ledger keeps them, ready to be played again.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate};

use crate::calendar::{day_at_ms, day_of};
use crate::seasons::{StoredAnswer, StoredOutcome, StoredRound};
use crate::store::Ledger;
use crate::store::records::{Round, Step, Task};
use crate::validation::tier2_traps::Expected;
use crate::validation::v2::advantage::advantage;
use crate::validator::evidence::Archive;
use crate::validator::judge::Judged;
use crate::validator::world::Threads;
use crate::wallet::Hotkey;

/// Rounds of one page of the ledger.
const PAGE: u32 = 100;

/// Judged rounds of these days, oldest first; one a day, the first by id where windows differ.
pub(super) async fn rounds(
    ledger: &Ledger,
    netuid: u16,
    days: RangeInclusive<NaiveDate>,
) -> anyhow::Result<Vec<Round>> {
    let mut found: Vec<Round> = Vec::new();
    let mut before = days.end().checked_add_days(Days::new(1));
    loop {
        let page = ledger.rounds(netuid, PAGE, before).await?;
        let Some(last) = page.last().map(|round| round.id.date) else { break };
        before = Some(last);
        found.extend(page.into_iter().filter(|round| round.step >= Step::Judged && days.contains(&round.id.date)));
        if last < *days.start() {
            break;
        }
    }
    found.sort_by_key(|round| (round.id.date, round.id.window_days));
    found.dedup_by_key(|round| round.id.date);
    Ok(found)
}

/// Everybody who was asked in these rounds, ascending.
pub(super) async fn hotkeys(ledger: &Ledger, rounds: &[Round]) -> anyhow::Result<Vec<Hotkey>> {
    let mut all = BTreeSet::new();
    for round in rounds {
        all.extend(ledger.verdicts(round.id).await?.into_iter().map(|verdict| verdict.hotkey));
    }
    Ok(all.into_iter().collect())
}

/// One round with everything in it.
pub(super) async fn round(ledger: &Ledger, round: &Round) -> anyhow::Result<StoredRound> {
    let archive = Archive { ledger, workers: &Threads };
    let task = archive.task(round.id).await?;
    let judged = archive.judged(round, &task, round.rules.rules()).await?;
    let settled = ledger.settled(round.id).await?;
    let known = round.settled_ms.map_or_else(|| day_of(round.id.date), day_at_ms);
    let labels = settled.map(|settled| settled.labels).unwrap_or_default();
    let outcome = |label: crate::validation::tier3_settlement::Label| StoredOutcome {
        place: label.place,
        illicit: label.illicit,
        relevance: label.relevance,
        known,
    };
    Ok(StoredRound {
        day: day_of(round.id.date),
        addresses: task.roster.iter().map(|row| row.address.clone()).collect(),
        outcomes: labels.into_iter().map(outcome).collect(),
        miners: judged.into_iter().map(|one| (one.verdict.hotkey, answer(&task, one))).collect(),
    })
}

fn answer(task: &Task, judged: Judged) -> StoredAnswer {
    let verdict = &judged.verdict;
    let groups = task.asks.get(&verdict.hotkey).map(|ask| ask.groups.as_slice()).unwrap_or_default();
    let groups = groups.iter().filter(|group| !group.places.is_empty());
    let found: Vec<_> = groups.zip(&verdict.traps).collect();
    let of = |kind: Expected| -> Vec<f64> {
        found.iter().filter(|(group, _)| group.expected == kind).map(|(_, finding)| finding.share).collect()
    };
    StoredAnswer {
        tier1: verdict.tier1.unwrap_or(0.0),
        tier2: verdict.tier2,
        advantage: advantage(&of(Expected::High), &of(Expected::Low)),
        submission: judged.submission,
    }
}
