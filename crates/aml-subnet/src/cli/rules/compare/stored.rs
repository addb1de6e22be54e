//! Rounds as the ledger keeps them, ready to be played again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate};

use crate::calendar::{day_at_ms, day_of};
use crate::seasons::{StoredAnswer, StoredOutcome, StoredRound};
use crate::store::Ledger;
use crate::store::records::{ColumnName, Reply, RosterRow, Round, Step, Task, Verdict};
use crate::validation::submission::Submission;
use crate::validation::tier2_traps::Expected;
use crate::validation::v2::advantage::advantage;
use crate::validator::evidence::Archive;
use crate::validator::world::Threads;
use crate::wallet::Hotkey;

/// Rounds of one page of the ledger.
const PAGE: u32 = 100;

/// Judged rounds of these days that count, oldest first; one a day, the shortest window where there are several.
pub(crate) async fn rounds(
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
        let counts =
            |round: &Round| round.step >= Step::Judged && round.marks.counts() && days.contains(&round.id.date);
        found.extend(page.into_iter().filter(counts));
        if last < *days.start() {
            break;
        }
    }
    found.sort_by_key(|round| (round.id.date, round.id.window_days));
    found.dedup_by_key(|round| round.id.date);
    Ok(found)
}

/// Everybody who is in these rounds, ascending.
pub(super) async fn hotkeys(ledger: &Ledger, rounds: &[Round]) -> anyhow::Result<Vec<Hotkey>> {
    let mut all = BTreeSet::new();
    for round in rounds {
        all.extend(ledger.verdicts(round.id).await?.into_iter().map(|verdict| verdict.hotkey));
    }
    Ok(all.into_iter().collect())
}

/// One round with everything in it. Scores are taken from where columns are made of them, and from raw answers where these are
/// all that there is.
pub(crate) async fn round(ledger: &Ledger, round: &Round) -> anyhow::Result<StoredRound> {
    let archive = Archive { ledger, workers: &Threads };
    let task = archive.task(round.id).await?;
    let verdicts = ledger.verdicts(round.id).await?;
    let mut submissions = kept(ledger, round).await?;
    if verdicts.iter().any(|verdict| verdict.accepted.is_ok() && !submissions.contains_key(&verdict.hotkey)) {
        let judged = archive.judged(round, &task, round.rules.rules()).await?;
        submissions = judged.into_iter().filter_map(|one| Some((one.verdict.hotkey, one.submission?))).collect();
    }
    let not_asked: BTreeSet<Hotkey> = (ledger.answers(round.id).await?.into_iter())
        .filter(|answer| answer.reply == Reply::NotAsked)
        .map(|answer| answer.hotkey)
        .collect();
    let asked = verdicts.into_iter().filter(|verdict| !not_asked.contains(&verdict.hotkey));
    let miners = asked.map(|verdict| (verdict.hotkey, answer(&task, &verdict, submissions.remove(&verdict.hotkey))));
    Ok(StoredRound {
        day: day_of(round.id.date),
        addresses: task.roster.iter().map(|row| row.address.clone()).collect(),
        miners: miners.collect(),
        outcomes: outcomes(ledger, round).await?,
    })
}

/// The alerts of a round, in its order.
pub(crate) async fn roster(ledger: &Ledger, round: &Round) -> anyhow::Result<Vec<RosterRow>> {
    Ok(Archive { ledger, workers: &Threads }.task(round.id).await?.roster.clone())
}

/// The scores that are kept beside columns.
async fn kept(ledger: &Ledger, round: &Round) -> anyhow::Result<BTreeMap<Hotkey, Submission>> {
    let mut submissions = BTreeMap::new();
    for packed in ledger.packed_scores(round.id).await? {
        if let ColumnName::Miner(hotkey) = packed.name {
            submissions.extend(Submission::of_stored(&packed.scores()?).map(|given| (hotkey, given)));
        }
    }
    Ok(submissions)
}

/// An address of a round, and what is known of it.
pub(crate) struct KnownAddress {
    pub(crate) address: String,
    pub(crate) illicit: bool,
}

/// What is known by now of a round's addresses.
pub(crate) async fn known(ledger: &Ledger, round: &Round) -> anyhow::Result<Vec<KnownAddress>> {
    let task = Archive { ledger, workers: &Threads }.task(round.id).await?;
    let address = |place: usize| task.roster.get(place).map(|row| row.address.clone());
    let known = outcomes(ledger, round).await?.into_iter();
    Ok(known.filter_map(|one| Some(KnownAddress { address: address(one.place)?, illicit: one.illicit })).collect())
}

/// What is known of a round's alerts: the outcomes that were recorded, else those that it was settled by.
async fn outcomes(ledger: &Ledger, round: &Round) -> anyhow::Result<Vec<StoredOutcome>> {
    let recorded = ledger.outcomes(round.id).await?.into_iter().filter(|one| one.replaced_ms.is_none());
    let recorded = recorded.filter_map(|one| {
        let place = usize::try_from(one.place).ok()?;
        Some(StoredOutcome {
            place,
            illicit: one.illicit?,
            relevance: one.relevance,
            known: day_at_ms(one.confirmed_ms),
        })
    });
    let recorded: Vec<StoredOutcome> = recorded.collect();
    if !recorded.is_empty() {
        return Ok(recorded);
    }
    let known = round.settled_ms.map_or_else(|| day_of(round.id.date), day_at_ms);
    let labels = ledger.settled(round.id).await?.map(|settled| settled.labels).unwrap_or_default();
    let outcome = |label: crate::validation::tier3_settlement::Label| StoredOutcome {
        place: label.place,
        illicit: label.illicit,
        relevance: label.relevance,
        known,
    };
    Ok(labels.into_iter().map(outcome).collect())
}

fn answer(task: &Task, verdict: &Verdict, submission: Option<Submission>) -> StoredAnswer {
    let tier1 = verdict.tier1.unwrap_or(0.0);
    let advantage = verdict.advantage.or_else(|| on_own_traps(task, verdict));
    StoredAnswer { tier1, tier2: verdict.tier2, advantage, submission: submission.filter(|_| verdict.accepted.is_ok()) }
}

/// The advantage on traps of a round that was judged under v1.
fn on_own_traps(task: &Task, verdict: &Verdict) -> Option<f64> {
    let groups = task.asks.get(&verdict.hotkey)?.groups.iter().filter(|group| !group.places.is_empty());
    let found: Vec<_> = groups.zip(&verdict.traps).collect();
    let of = |kind: Expected| -> Vec<f64> {
        found.iter().filter(|(group, _)| group.expected == kind).map(|(_, finding)| finding.share).collect()
    };
    advantage(&of(Expected::High), &of(Expected::Low))
}
