//! What an endpoint was told, in a small file, so that a restart neither loses nor repeats it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aml_miner::whole_file::{self, Readers};
use serde::{Deserialize, Serialize};

use super::due::{Fact, Known};
use crate::config::WebhookEvent;
use crate::store::records::{OutcomeVersion, Round, RoundId};

/// A hundred rounds take some ten kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// As it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// Of this form.
    version: u16,
    /// By round.
    rounds: BTreeMap<String, Known>,
    /// The message that was refused last.
    #[serde(default)]
    refused: Option<Refused>,
    /// How many messages about a round wait.
    #[serde(default)]
    untold: BTreeMap<String, usize>,
}

/// A message that an endpoint does not want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    round: String,
    event: WebhookEvent,
    times: u32,
}

/// Messages about a round that was looked at no more before they were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// The round.
    pub(super) round: String,
    /// How many.
    pub(super) messages: usize,
}

/// What an endpoint was told.
pub(super) struct Told {
    path: PathBuf,
    /// `None` until the file was read.
    kept: Option<Kept>,
    /// As it lies on the disk.
    written: Option<Kept>,
    /// When outcomes were last looked for, and how much was known then.
    looked: Mutex<BTreeMap<RoundId, (Option<i64>, OutcomeVersion)>>,
}

impl Told {
    /// What lies in a file.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, kept: None, written: None, looked: Mutex::default() }
    }

    /// Reads the file where that was not done; says whether there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read: it is never taken for a new one, which would hide what is to be told.
    pub(super) async fn is_new(&mut self) -> io::Result<bool> {
        if self.kept.is_none() {
            let path = self.path.clone();
            self.kept = aside(move || read(&path)).await?;
            self.written.clone_from(&self.kept);
        }
        Ok(self.kept.is_none())
    }

    /// Begins with all that is so now as told.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(super) async fn start(&mut self, facts: &[Fact]) -> io::Result<()> {
        let rounds = facts.iter().map(|fact| (fact.round.id.to_string(), Known::of(fact))).collect();
        self.kept = Some(Kept { version: 1, rounds, ..Kept::default() });
        self.keep().await
    }

    /// What was told of a round.
    pub(super) fn of(&self, id: RoundId) -> Known {
        self.kept.as_ref().and_then(|kept| kept.rounds.get(&id.to_string())).copied().unwrap_or_default()
    }

    /// Notes that an event was told.
    pub(super) fn note(&mut self, fact: &Fact, event: WebhookEvent) {
        if let Some(kept) = &mut self.kept {
            kept.rounds.entry(fact.round.id.to_string()).or_default().note(fact, event);
        }
    }

    /// Remembers what waits; says what waited before and is not looked at any more.
    pub(super) fn wait(&mut self, facts: &[Fact], waiting: &[(&Fact, WebhookEvent)]) -> Vec<Lost> {
        let Some(kept) = &mut self.kept else { return Vec::new() };
        let mut untold: BTreeMap<String, usize> = BTreeMap::new();
        for (fact, _) in waiting {
            *untold.entry(fact.round.id.to_string()).or_default() += 1;
        }
        let oldest = facts.first().map(|fact| fact.round.id.date);
        let is_past = |id: &str| oldest.zip(id.parse().ok()).is_some_and(|(oldest, id): (_, RoundId)| id.date < oldest);
        let before = std::mem::replace(&mut kept.untold, untold);
        before.into_iter().filter(|(id, _)| is_past(id)).map(|(round, messages)| Lost { round, messages }).collect()
    }

    /// Notes that a message about a round is sent.
    pub(super) fn attempt(&mut self, fact: &Fact) {
        if let Some(kept) = &mut self.kept {
            kept.rounds.entry(fact.round.id.to_string()).or_default().attempted = true;
        }
    }

    /// Notes that a message was refused; says how often it was.
    pub(super) fn refuse(&mut self, fact: &Fact, event: WebhookEvent) -> u32 {
        let Some(kept) = &mut self.kept else { return 0 };
        let round = fact.round.id.to_string();
        let before = kept.refused.take().filter(|last| last.round == round && last.event == event);
        let times = before.map_or(0, |last| last.times).saturating_add(1);
        kept.refused = Some(Refused { round, event, times });
        times
    }

    /// Notes that a message waits no more: it was taken, or put aside.
    pub(super) fn settle(&mut self, fact: &Fact, event: WebhookEvent) {
        self.note(fact, event);
        let Some(kept) = &mut self.kept else { return };
        kept.refused = None;
        let round = fact.round.id.to_string();
        match kept.untold.get_mut(&round) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(kept.untold.remove(&round)),
        }
    }

    /// Forgets rounds that are not looked at any more.
    pub(super) fn forget_but(&mut self, facts: &[Fact]) {
        let Some(oldest) = facts.first().map(|fact| fact.round.id.date) else { return };
        if let Some(kept) = &mut self.kept {
            kept.rounds.retain(|id, _| id.parse().is_ok_and(|id: RoundId| id.date >= oldest));
        }
    }

    /// Writes the file where it is not as it should be.
    ///
    /// # Errors
    /// The file system's.
    pub(super) async fn keep(&mut self) -> io::Result<()> {
        let Some(kept) = self.kept.clone().filter(|kept| self.written.as_ref() != Some(kept)) else { return Ok(()) };
        let (path, bytes) = (self.path.clone(), serde_json::to_vec(&kept).map_err(io::Error::other)?);
        aside(move || whole_file::write(&path, &bytes, Readers::Owner)).await?;
        self.written = Some(kept);
        Ok(())
    }

    /// How much is known of a round, where nobody has looked for more since it was read.
    pub(super) fn looked(&self, round: &Round) -> Option<OutcomeVersion> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.get(&round.id).filter(|(at, _)| *at == round.marks.outcomes_ms).map(|(_, known)| *known)
    }

    /// Remembers how much is known of a round.
    pub(super) fn look(&self, round: &Round, known: OutcomeVersion) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.insert(round.id, (round.marks.outcomes_ms, known));
    }
}

fn read(path: &Path) -> io::Result<Option<Kept>> {
    let bytes = match whole_file::read(path, MOST_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let kept: Kept = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
    if kept.version == 1 { Ok(Some(kept)) } else { Err(io::Error::other("its version is not known here")) }
}

/// On a thread that may take its time.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
