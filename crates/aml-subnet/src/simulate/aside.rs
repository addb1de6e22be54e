//! Answers that wait for the ledger of a simulation: kept like a disk keeps them, through the death of a process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::store::records::{Answer, RoundId};
use crate::validator::world::{Aside, AsideError};
use crate::wallet::Hotkey;

type Kept = BTreeMap<(RoundId, Hotkey), (Answer, Option<Bytes>)>;

/// A disk with answers.
#[derive(Default)]
pub(super) struct SimAside(Mutex<Kept>);

impl SimAside {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside for SimAside {
    fn put(&self, round: RoundId, answer: &Answer, body: Option<&Bytes>) -> Result<(), AsideError> {
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
