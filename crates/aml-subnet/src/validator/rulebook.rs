//! Which rules a validator is under: its settings' list, held against what its ledger has recorded.
//!
//! An empty ledger begins under the newest rules. One that has rounds stays under theirs until its operator gives a day.

use chrono::NaiveDate;

use super::world::RoundLog;
use crate::calendar::whole_days;
use crate::config::ValidatorSettings;
use crate::store::records::RoundId;
use crate::store::{Ledger, StorageError};
use crate::validation::rules::RulesVersion;
use crate::validation::rules_list::RulesList;

/// Rounds that are held against a list: more than any rules look back on.
const ROUNDS: u32 = 400;
/// Days that columns are kept beyond the oldest round of a window.
const SLACK: i64 = 3;

/// Why a list of rules is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RulebookError {
    /// It begins before it was known.
    #[error(
        "rules: {version} from {from} lies in the past (today is {today}): rounds are judged under the rules of their \
         day, so give a day from {tomorrow} on"
    )]
    Past {
        /// The version.
        version: &'static str,
        /// Its day.
        from: NaiveDate,
        /// Today.
        today: NaiveDate,
        /// The first day that can be given.
        tomorrow: NaiveDate,
    },
    /// It says otherwise than the ledger.
    #[error(
        "rules: round {round} was judged under {recorded}, the list ({list}) says {listed} for its day: a ledger stays \
         under its rules until a day that is given, as in rules = [{{ version = \"{recorded}\" }}, {{ version = \
         \"{listed}\", from = \"{tomorrow}\" }}]"
    )]
    Recorded {
        /// The round.
        round: RoundId,
        /// What it was judged under.
        recorded: &'static str,
        /// What the list says.
        listed: &'static str,
        /// The list.
        list: RulesList,
        /// The first day that can be given.
        tomorrow: NaiveDate,
    },
    /// What it pays from is swept too early.
    #[error(
        "columns_age: must be at least {} days, for rules {version} pay from the columns of the last {look_back}",
        look_back + SLACK
    )]
    Columns {
        /// The version.
        version: &'static str,
        /// How many days its window looks back.
        look_back: i64,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
}

/// The list of a validator: what is set, else what its newest round was begun under, else the newest rules.
///
/// # Errors
/// The ledger's.
pub async fn list(ledger: &dyn RoundLog, settings: &ValidatorSettings, netuid: u16) -> Result<RulesList, StorageError> {
    if let Some(list) = &settings.rules {
        return Ok(list.clone());
    }
    let newest = ledger.rounds(netuid, 1, None).await?.pop();
    Ok(match newest {
        Some(round) => round.list.unwrap_or_else(|| RulesList::always(round.rules)),
        None => RulesList::always(RulesVersion::LATEST),
    })
}

/// As [`list`], held against what the ledger has recorded, and remembered by it.
///
/// # Errors
/// When the list says otherwise than the ledger, or begins in the past.
pub async fn open(
    ledger: &Ledger,
    settings: &ValidatorSettings,
    netuid: u16,
    today: NaiveDate,
) -> Result<RulesList, RulebookError> {
    let list = check(ledger, settings, netuid, today).await?;
    let text = serde_json::to_string(&list).unwrap_or_default();
    if ledger.rules_list().await?.as_deref() != Some(text.as_str()) {
        ledger.keep_rules_list(&text).await?;
    }
    Ok(list)
}

/// As [`open`], and changes nothing.
///
/// # Errors
/// As there.
pub async fn check(
    ledger: &Ledger,
    settings: &ValidatorSettings,
    netuid: u16,
    today: NaiveDate,
) -> Result<RulesList, RulebookError> {
    let list = list(ledger, settings, netuid).await?;
    keeps_columns(&list, settings)?;
    let tomorrow = today.succ_opt().unwrap_or(today);
    let rounds = ledger.rounds(netuid, ROUNDS, None).await?;
    let version = |round: &crate::store::records::Round| list.on(round.id.date);
    if let Some(round) = rounds.iter().find(|round| version(round) != round.rules) {
        return Err(RulebookError::Recorded {
            round: round.id,
            recorded: round.rules.name(),
            listed: version(round).name(),
            list,
            tomorrow,
        });
    }
    let remembered = ledger.rules_list().await?.and_then(|text| serde_json::from_str::<RulesList>(&text).ok());
    let recorded = rounds.first().map(|round| round.list.clone().unwrap_or_else(|| RulesList::always(round.rules)));
    let known = remembered.or(recorded);
    let begun = match &known {
        Some(known) => list.begun_unknown(known, today),
        None => list.begun_unknown(&RulesList::always(RulesVersion::V1), today),
    };
    match begun.first() {
        Some(entry) => Err(RulebookError::Past {
            version: entry.version.name(),
            from: entry.from.unwrap_or(today),
            today,
            tomorrow,
        }),
        None => Ok(list),
    }
}

/// Whether the columns of every window that the list pays from are kept long enough.
fn keeps_columns(list: &RulesList, settings: &ValidatorSettings) -> Result<(), RulebookError> {
    let kept = whole_days(settings.columns_age);
    let windows = list.entries().iter().filter_map(|entry| Some((entry.version, entry.version.information()?)));
    let longest = windows.max_by_key(|(_, constants)| constants.look_back());
    match longest {
        Some((version, constants)) if kept < constants.look_back() + SLACK => {
            Err(RulebookError::Columns { version: version.name(), look_back: constants.look_back() })
        }
        _ => Ok(()),
    }
}
