//! Answers that wait for the ledger of a simulation: kept like a disk keeps them, through the death of a process.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::stage::Stage;
use crate::store::records::{Answer, RoundId};
use crate::validator::world::{Aside, AsideError};
use crate::wallet::Hotkey;

type Kept = BTreeMap<(RoundId, Hotkey), (Answer, Option<Bytes>)>;

/// A disk with answers.
pub(super) struct SimAside {
    stage: Arc<Stage>,
    kept: Mutex<Kept>,
}

impl SimAside {
    pub(super) fn new(stage: Arc<Stage>) -> Self {
        Self { stage, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside for SimAside {
    fn put(&self, round: RoundId, answer: &Answer, body: Option<&Bytes>) -> Result<(), AsideError> {
        if self.stage.is_full() {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(AsideError::Io { path: "aside".into(), source });
        }
        self.stage.note("aside", "an answer waits");
        self.lock().insert((round, answer.hotkey), (answer.clone(), body.cloned()));
        Ok(())
    }

    fn waiting(&self, round: RoundId) -> Result<Vec<Hotkey>, AsideError> {
        Ok(self.lock().keys().filter(|(of, _)| *of == round).map(|(_, hotkey)| *hotkey).collect())
    }

    fn look(&self, round: RoundId, hotkey: &Hotkey) -> Result<(Answer, Option<Bytes>), AsideError> {
        let gone = || AsideError::Damaged { path: hotkey.to_string().into(), why: "it is not there".to_owned() };
        self.lock().get(&(round, *hotkey)).cloned().ok_or_else(gone)
    }

    fn done(&self, round: RoundId, hotkey: &Hotkey) -> Result<(), AsideError> {
        self.lock().remove(&(round, *hotkey));
        Ok(())
    }
}
