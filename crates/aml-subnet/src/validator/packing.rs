//! Evidence packs of rounds that can change no more: everything that their canonical scores come from.
//!
//! What a pack holds and how it is checked is in `docs/evidence.md`. A pack tells what every miner said of every alert, so there
//! is none before the round is settled and its last day for outcomes is over.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use aml_miner::clock::millis;
use aml_miner::digest::Digest;
use chrono::{Days, NaiveDate};

use super::information::{Information, InformationError};
use super::world::{RoundLog, Workers};
use crate::calendar::{date_of, day_at, day_of, rfc3339};
use crate::outputs::pack::{PackHead, PackManifest, PackWriter};
use crate::store::records::{ColumnName, Round, RoundId, Step, Verdict};
use crate::store::{ROUND_TABLES, StorageError};
use crate::validation::v2::Constants;
use crate::validation::v2::window::Window;
use crate::wallet::Signer;

/// Makes packs of what is kept.
#[derive(Clone, Copy)]
pub struct Packing<'a> {
    /// Where it is kept.
    pub ledger: &'a dyn RoundLog,
    /// Threads.
    pub workers: &'a dyn Workers,
    /// Who vouches for them.
    pub signer: &'a Signer,
    /// The time.
    pub now: Duration,
}

/// Which pack.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of which round.
    pub round: RoundId,
    /// The alert that it is for.
    pub alert: Option<String>,
    /// Whether raw answers are to be there.
    pub full: bool,
}

/// Why there is no pack.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// There is no such round.
    #[error("there is no round {0} in the ledger; `aml-subnet rounds` lists them")]
    Unknown(RoundId),
    /// Rules v1 keep no scores by roster place.
    #[error(
        "round {0} is not under rules v2: there are evidence packs of these alone (`aml-subnet export` has the rest)"
    )]
    OtherRules(RoundId),
    /// It counts nowhere.
    #[error("round {0} is void and counts nowhere: there is no evidence pack of it")]
    Void(RoundId),
    /// Another validator ran it, and miners signed for that one.
    #[error("round {round} was taken over from {from}, who has its evidence pack")]
    Adopted {
        /// The round.
        round: RoundId,
        /// Whose it is.
        from: String,
    },
    /// What miners said of it is still a secret.
    #[error("round {round} can still change (it is {step}); its evidence pack may be written from {from} on, once it is settled", step = step.name())]
    Open {
        /// The round.
        round: RoundId,
        /// Its step.
        step: Step,
        /// The first day.
        from: NaiveDate,
    },
    /// No such alert.
    #[error("round {round} has no alert {alert}; `/canonical/{date}` lists its {alerts} alerts", date = round.date)]
    NoAlert {
        /// The round.
        round: RoundId,
        /// What was asked for, shortened.
        alert: String,
        /// How many it has.
        alerts: usize,
    },
    /// Scores are gone.
    #[error("the scores of {miners} miners in round {round} are no longer kept (validator.columns_age)")]
    Swept {
        /// The round.
        round: RoundId,
        /// Of how many.
        miners: usize,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] StorageError),
    /// Voices did not come out again.
    #[error(transparent)]
    Information(#[from] InformationError),
    /// It cannot be written.
    #[error("cannot write the evidence pack")]
    Write(#[from] io::Error),
}

/// Whether a round can change no more on a day: it is settled, and no outcome can come.
fn is_closed(round: &Round, constants: &Constants, today: i64) -> bool {
    round.step >= Step::Settled && Window::new(constants, today).is_settled(day_of(round.id.date))
}

impl Packing<'_> {
    /// Whether there may be a pack of a round, as far as the round itself says.
    #[must_use]
    pub fn may_be(&self, round: &Round) -> bool {
        let constants = round.rules.information();
        let own = round.marks.void.is_none() && round.marks.adopted.is_none();
        own && constants.is_some_and(|constants| is_closed(round, constants, day_at(self.now)))
    }

    /// Writes the pack of a round.
    ///
    /// # Errors
    /// When there is none, or it cannot be written.
    pub async fn write<W: Write + Send>(&self, wanted: &Wanted, out: W) -> Result<(PackManifest, W), PackError> {
        let (round, constants) = self.ready(wanted.round).await?;
        let verdicts = self.ledger.verdicts(round.id).await?;
        self.whole(&round, &verdicts).await?;
        self.known(&round, wanted.alert.as_deref()).await?;
        let mut pack = PackWriter::new(out);
        for table in ROUND_TABLES {
            let rows = self.ledger.round_rows(round.id, table).await?;
            pack.add_compressed(&format!("{table}.jsonl"), &rows)?;
        }
        match self.ledger.calibration(round.id).await? {
            Some(calibration) => pack.add("calibration.json", &json(&calibration)?)?,
            None => pack.lacks("calibration.json", "the round was published without probabilities".to_owned()),
        }
        match self.ledger.reasons(round.id).await {
            Ok(Some(reasons)) => pack.add_compressed("reasons.json", &json(&reasons)?)?,
            Ok(None) => pack.lacks("reasons.json", "the round was published without reasons".to_owned()),
            Err(StorageError::Malformed { .. }) => {
                pack.lacks("reasons.json", "what is kept of them cannot be read".to_owned());
            }
            Err(error) => return Err(error.into()),
        }
        let information = Information { ledger: self.ledger, workers: self.workers, rules: round.rules, constants };
        match information.grounds(&round).await? {
            Some(grounds) => pack.add_compressed("grounds.json", &json(&grounds)?)?,
            None => {
                pack.lacks("grounds.json", "columns of the rounds before are no longer kept (columns_age)".to_owned());
            }
        }
        if wanted.full {
            self.bodies(&round, &mut pack).await?;
        }
        let head = PackHead {
            round: round.id,
            batch: round.batch,
            made_at: rfc3339(millis(self.now)),
            alert: wanted.alert.clone(),
        };
        Ok(pack.finish(head, wanted.full, self.signer)?)
    }

    /// The round, if there may be a pack of it.
    async fn ready(&self, id: RoundId) -> Result<(Round, &'static Constants), PackError> {
        let round = self.ledger.round(id).await?.ok_or(PackError::Unknown(id))?;
        let constants = round.rules.information().ok_or(PackError::OtherRules(id))?;
        if round.marks.void.is_some() {
            return Err(PackError::Void(id));
        }
        if let Some(from) = &round.marks.adopted {
            return Err(PackError::Adopted { round: id, from: from.clone() });
        }
        if !is_closed(&round, constants, day_at(self.now)) {
            let last = date_of(day_of(id.date) + constants.latest);
            let from = last.checked_add_days(Days::new(1)).unwrap_or(last);
            return Err(PackError::Open { round: id, step: round.step, from });
        }
        Ok((round, constants))
    }

    /// Whether the scores of all submissions that count are kept.
    async fn whole(&self, round: &Round, verdicts: &[Verdict]) -> Result<(), PackError> {
        let kept = self.ledger.column_digests(round.id).await?;
        let counts = verdicts.iter().filter(|verdict| verdict.accepted.is_ok());
        let swept = counts.filter(|verdict| !kept.contains_key(&ColumnName::Miner(verdict.hotkey))).count();
        if swept == 0 { Ok(()) } else { Err(PackError::Swept { round: round.id, miners: swept }) }
    }

    /// Whether the alert that is asked for is one of the round's.
    async fn known(&self, round: &Round, alert: Option<&str>) -> Result<(), PackError> {
        let Some(alert) = alert else { return Ok(()) };
        let roster = self.ledger.task(round.id).await?.map(|task| task.roster).unwrap_or_default();
        if roster.iter().any(|row| row.alert_id == alert) {
            return Ok(());
        }
        let shown = crate::http::client::printable(alert, 80);
        Err(PackError::NoAlert { round: round.id, alert: shown, alerts: roster.len() })
    }

    /// Adds all raw answers that are kept, and what they arrived sealed in.
    async fn bodies<W: Write + Send>(&self, round: &Round, pack: &mut PackWriter<W>) -> Result<(), PackError> {
        let answers = self.ledger.answers(round.id).await?;
        let plain = answers.iter().filter_map(|answer| answer.body);
        let sealed = answers.iter().filter_map(|answer| answer.sealed.as_ref().map(|sealed| sealed.cipher));
        let wanted: BTreeSet<Digest> = plain.chain(sealed).collect();
        let mut swept = 0_usize;
        for digest in &wanted {
            match self.ledger.packed_body(digest).await? {
                Some(packed) => {
                    let body = self.workers_unpack(packed).await?;
                    pack.add_compressed(&format!("bodies/{digest}"), &body)?;
                }
                None => swept += 1,
            }
        }
        if swept > 0 {
            let why =
                format!("{swept} of {} raw answers are no longer kept (retention_age, retention_bytes)", wanted.len());
            pack.lacks("bodies", why);
        }
        Ok(())
    }

    async fn workers_unpack(&self, packed: crate::store::PackedBody) -> Result<Vec<u8>, PackError> {
        let unpacked = self.workers.compute(move || packed.unpack()).await.map_err(InformationError::from)?;
        Ok(unpacked?.into_bytes())
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, io::Error> {
    Ok(serde_json::to_vec(value)?)
}
