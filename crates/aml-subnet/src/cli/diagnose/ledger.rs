//! Rounds of a ledger with one more miner, or with another model in a miner's place.

use std::collections::BTreeSet;

use anyhow::ensure;
use chrono::{Days, NaiveDate};

use super::submission::{Line, Submitted};
use super::{Cast, DiagnoseArgs};
use crate::calendar::{date_of, whole_days};
use crate::cli::rules::stored;
use crate::seasons::{StoredAnswer, StoredRound};
use crate::store::Ledger;
use crate::store::records::{RosterRow, Round};
use crate::validation::rules::RulesVersion;
use crate::wallet::Hotkey;

/// The key of one more miner: nobody has it, and it comes after all others.
const NOBODY: [u8; 32] = [255; 32];

/// The stored rounds with the submission in them.
pub(super) fn cast(args: &DiagnoseArgs, own: &Submitted) -> anyhow::Result<Cast> {
    args.ledger.read(async |settings, ledger| {
        let (first, last) = span(args, own)?;
        let asked = stored::rounds(&ledger, settings.netuid, first..=last).await?;
        let me = args.in_place_of.unwrap_or_else(|| Hotkey::from_bytes(NOBODY));
        let rules = args.rules.or_else(|| asked.last().map(|round| round.rules)).unwrap_or(RulesVersion::V2);
        let since = first.checked_sub_days(Days::new(rules.run_up())).unwrap_or(NaiveDate::MIN);
        let found = stored::rounds(&ledger, settings.netuid, since..=last).await?;
        let (mut rounds, mut missing) = (Vec::new(), Vec::new());
        for round in &found {
            match with_submission(&ledger, round, own, args.in_place_of).await {
                Ok(played) => rounds.push(played),
                Err(error) => missing.push(format!("round {}: {error:#}", round.id)),
            }
        }
        let there: BTreeSet<Hotkey> =
            rounds.iter().flat_map(|round: &StoredRound| round.miners.keys().copied()).collect();
        ensure!(
            there.contains(&me),
            "no round of the ledger from {since} to {last} can be played with this submission"
        );
        let mut names = vec![(me, own.name())];
        names.extend(there.into_iter().filter(|hotkey| *hotkey != me).map(|hotkey| (hotkey, hotkey.to_string())));
        Ok(Cast { rounds, names, rules, grace: whole_days(settings.validator.grace), missing })
    })
}

/// The days of the submission.
fn span(args: &DiagnoseArgs, own: &Submitted) -> anyhow::Result<(NaiveDate, NaiveDate)> {
    let (Some(first), Some(last)) = (own.days.keys().next(), own.days.keys().next_back()) else {
        anyhow::bail!("the submission has no days")
    };
    let last = args.to.map_or(*last, |to| to.min(*last));
    Ok((*first, last))
}

/// In a miner's place, rounds in which its own answer did not count stay as they were: that was not the model's doing.
async fn with_submission(
    ledger: &Ledger,
    round: &Round,
    own: &Submitted,
    in_place_of: Option<Hotkey>,
) -> anyhow::Result<StoredRound> {
    let mut played = stored::round(ledger, round).await?;
    let me = in_place_of.unwrap_or_else(|| Hotkey::from_bytes(NOBODY));
    let before = played.miners.get(&me);
    if in_place_of.is_some() && before.is_none_or(|before| before.submission.is_none()) {
        return Ok(played);
    }
    match own.days.get(&date_of(played.day)) {
        Some(line) => {
            let roster = stored::roster(ledger, round).await?;
            let answer = answer(line, &roster, before)?;
            played.miners.insert(me, answer);
        }
        None => _ = played.miners.remove(&me),
    }
    Ok(played)
}

/// What the miner in whose place it is played did on checks and traps stays; one more miner is taken to have passed them.
fn answer(line: &Line, roster: &[RosterRow], before: Option<&StoredAnswer>) -> anyhow::Result<StoredAnswer> {
    let ids: Vec<&str> = roster.iter().map(|row| row.alert_id.as_str()).collect();
    let submission = Some(line.submission(None, &ids)?);
    Ok(match before {
        Some(before) => StoredAnswer { submission, ..before.clone() },
        None => StoredAnswer { submission, tier1: 1.0, tier2: Some(1.0), advantage: Some(1.0) },
    })
}
