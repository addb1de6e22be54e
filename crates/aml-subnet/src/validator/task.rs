//! What each miner of a round is asked: the batch with traps in between, of its own or the same for all.
//!
//! A [`Task`] is all that is stored; bodies are made from it on demand, the same bytes each time. The batch's rows are
//! written to JSON once. Under rules v1 a miner's body is made of pieces of that text with traps of its own in between;
//! under rules v2 there is one body, its ids fresh and its tables shuffled, and beside it the same packed, for miners that take
//! it so, and a descriptor for those that fetch it. So memory holds one copy of the batch, or two, however many miners are being asked. Before anything is asked, a commitment to all traps, and to what the fresh ids stand for,
//! is fixed; with the salt it can be checked by anybody once the round is settled.

mod commitment;
mod encoded;
mod error;
mod form;
mod reference;
mod shared;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::SocketAddr;

use aml_miner::digest::Digest;
use aml_miner::wire::{Batch, Table};
use bytes::Bytes;

use crate::http::body::RequestBody;
use crate::protocol::reference::ObjectKey;
use crate::store::records::{
    Ask, Common, CommonParts, FormBytes, RosterRow, RoundId, Sealing, Task, TrapOrigin, TrapPlan,
};
use crate::validator::query::Encoded;
use crate::validator::traps::{Forge, TrapPool, common, merged};
use crate::wallet::Hotkey;
use shared::Shared;

pub use commitment::{CommonList, MinerTraps, Sent, TrapList, commitment_of};
pub use error::{MakeTaskError, ResumeTaskError};
pub use form::TaskForm;
pub use reference::TaskObject;

/// Somebody to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub hotkey: Hotkey,
    /// Its uid at this moment.
    pub uid: u16,
    /// Where it serves; `None` when it announced nothing.
    pub axon: Option<SocketAddr>,
    /// Key that its receipts are known by; `None` when it has none yet.
    pub receipt_key: Option<Digest>,
    /// Whether it takes tasks as Arrow.
    pub takes_arrow: bool,
    /// Whether it fetches them by reference.
    pub takes_references: bool,
}

/// What a new task is made of, beside batch and pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// The round.
    pub round: RoundId,
    /// Thirty-two random bytes.
    pub salt: [u8; 32],
    /// When answers stop to count.
    pub deadline_ms: i64,
    /// How many traps.
    pub plan: TrapPlan,
    /// Whether every miner has traps of its own.
    pub form: TaskForm,
}

/// Makes the bodies of a round.
#[derive(Debug)]
pub struct TaskMaker {
    round: RoundId,
    task: Task,
    shared: Shared,
    forge: Option<Forge>,
    /// The encoded form, where it has one and its bytes are at hand.
    encoded: Option<encoded::Form>,
    /// The same by reference.
    reference: Option<reference::Form>,
}

impl TaskMaker {
    /// A new task about `batch`; each of `peers` is asked once. Without settled alerts there are no traps.
    ///
    /// # Errors
    /// When there is nothing to ask about.
    pub fn new(new: NewTask, batch: &Batch, pool: TrapPool, peers: &[Peer]) -> Result<Self, MakeTaskError> {
        let round = new.round;
        let roster = roster(&batch.alerts);
        if roster.is_empty() {
            return Err(MakeTaskError::NoAlerts(round));
        }
        let traps = (!pool.is_empty()).then(|| TrapOrigin { pool: pool.digest(), plan: new.plan });
        let forge = traps.map(|origin| Forge::new(pool, origin.plan, round, batch));
        let sorted: BTreeMap<Hotkey, &Peer> = peers.iter().map(|peer| (peer.hotkey, peer)).collect();
        let (asks, common, shared, encoded) = match new.form {
            TaskForm::PerMiner => (own_asks(&new, forge.as_ref(), &sorted), None, Shared::of(batch), None),
            TaskForm::Common { accept_unsigned } => {
                let made = form::common(round, &new.salt, batch, forge.as_ref());
                let common = Common::new(CommonParts { accept_unsigned, ..made.parts });
                let common = common.map_err(|source| MakeTaskError::Common { round, source })?;
                let takers =
                    peers.iter().filter(|peer| peer.takes_arrow || peer.takes_references).map(|peer| peer.hotkey);
                let encoded = encoded::Form::of(&common, &made.batch, takers.collect());
                (
                    sorted.iter().map(|(hotkey, peer)| (*hotkey, peer.ask())).collect(),
                    Some(common),
                    made.shared,
                    encoded,
                )
            }
        };
        let arrow = encoded.as_ref().map(|form| form.record.clone());
        let NewTask { salt, deadline_ms, .. } = new;
        let task = Task { salt, deadline_ms, traps, roster, asks, common, sealing: None, arrow, reference: None };
        Ok(Self { round, task, shared, forge, encoded, reference: None })
    }

    /// The maker of a stored task, with the batch and the pool that it was made from.
    ///
    /// # Errors
    /// When batch or pool are others.
    pub fn resume(round: RoundId, task: Task, batch: &Batch, pool: TrapPool) -> Result<Self, ResumeTaskError> {
        if roster(&batch.alerts) != task.roster {
            return Err(ResumeTaskError::Roster(round));
        }
        if let Some(expected) = task.traps.map(|origin| origin.pool).filter(|expected| *expected != pool.digest()) {
            return Err(ResumeTaskError::Pool { round, expected, actual: pool.digest() });
        }
        let forge = task.traps.map(|origin| Forge::new(pool, origin.plan, round, batch));
        let shared = match &task.common {
            Some(stored) => {
                let form::Made { parts, shared, .. } = form::common(round, &task.salt, batch, forge.as_ref());
                let again = Common::new(CommonParts { accept_unsigned: stored.accept_unsigned(), ..parts });
                if again.as_ref() != Ok(stored) {
                    return Err(ResumeTaskError::Common(round));
                }
                shared
            }
            None => {
                own_traps_agree(round, &task, forge.as_ref())?;
                Shared::of(batch)
            }
        };
        Ok(Self { round, shared, forge, task, encoded: None, reference: None })
    }

    /// The same with the bytes of its encoded forms, as they were kept. Others than the task names are not sent.
    #[must_use]
    pub fn kept(mut self, arrow: Option<Vec<u8>>, reference: Option<Vec<u8>>) -> Self {
        let is = |sent: Digest, bytes: &Bytes| Digest::of(bytes) == sent;
        let arrow = self.task.arrow.clone().zip(arrow.map(Bytes::from));
        self.encoded =
            arrow.filter(|(form, bytes)| is(form.sent, bytes)).map(|(record, bytes)| encoded::Form { record, bytes });
        let reference = self.task.reference.clone().zip(reference.map(Bytes::from));
        self.reference = reference
            .filter(|(form, bytes)| is(form.sent, bytes))
            .map(|(record, bytes)| reference::Form { record, bytes });
        self
    }

    /// The bytes of the encoded forms, to be kept.
    #[must_use]
    pub fn forms(&self) -> FormBytes<'_> {
        FormBytes {
            arrow: self.encoded.as_ref().map(|form| &*form.bytes),
            reference: self.reference.as_ref().map(|form| &*form.bytes),
        }
    }

    /// What those are sent who take more than JSON: by reference first, then inline.
    #[must_use]
    pub fn encoded(&self) -> Option<Encoded> {
        let common = self.task.common.as_ref()?;
        let reference = self.reference.as_ref().map(|form| form.encoded(common));
        let forms: Vec<_> =
            reference.into_iter().chain(self.encoded.as_ref().map(|form| form.encoded(common))).collect();
        (!forms.is_empty()).then(|| Encoded::new(forms))
    }

    /// The encrypted object of a task that somebody may fetch; `key` makes the key out of the digest of what is encrypted.
    #[must_use]
    pub fn object(&self, key: impl FnOnce(&Digest) -> ObjectKey) -> Option<TaskObject> {
        let (arrow, common) = (self.encoded.as_ref()?, self.task.common.as_ref()?);
        TaskObject::of(arrow, common, key(&arrow.record.sent)).ok()
    }

    /// The same task by reference for `to`, whose object lies at `places`.
    #[must_use]
    pub fn referenced(mut self, object: &TaskObject, places: Vec<String>, to: BTreeSet<Hotkey>) -> Self {
        if let (Some(arrow), Some(common), false) = (&self.encoded, &self.task.common, places.is_empty()) {
            let form = object.described((arrow, common), places, to);
            self.task.reference = Some(form.record.clone());
            self.reference = Some(form);
        }
        self
    }

    /// The same task with answers until `deadline_ms`: it is fixed when everything else is.
    #[must_use]
    pub fn due(mut self, deadline_ms: i64) -> Self {
        self.task.deadline_ms = deadline_ms;
        self
    }

    /// The same task with answers that are sealed until an opening.
    #[must_use]
    pub fn sealed(mut self, sealing: Option<Sealing>) -> Self {
        self.task.sealing = sealing;
        self
    }

    /// What is stored.
    #[must_use]
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// `sha256(salt ‖ list)`.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        commitment_of(&self.task)
    }

    /// The request body of a miner, in pieces that share the batch's rows; `None` for somebody that is not asked.
    #[must_use]
    pub fn body(&self, hotkey: &Hotkey) -> Option<RequestBody> {
        let ask = self.task.asks.get(hotkey)?;
        let own = self.forge.as_ref().filter(|_| self.task.common.is_none());
        let traps = own.map(|forge| forge.rows(&Forge::draw(&self.task.salt, self.round, hotkey), &ask.issued));
        Some(RequestBody::from(self.shared.body(traps.as_ref())))
    }

    /// The batch as a miner sees it: what its body says, as tables. `batch` is the one of the round.
    #[must_use]
    pub fn batch(&self, hotkey: &Hotkey, batch: &Batch) -> Option<Batch> {
        let ask = self.task.asks.get(hotkey)?;
        if self.task.common.is_some() {
            return Some(common::make(self.round, &self.task.salt, batch, self.forge.as_ref()).batch);
        }
        let Some(forge) = &self.forge else { return Some(batch.clone()) };
        let traps = forge.rows(&Forge::draw(&self.task.salt, self.round, hotkey), &ask.issued);
        Some(merged(batch, &traps.rows, &traps.places))
    }
}

impl Peer {
    /// What is sent to it, without traps of its own.
    fn ask(&self) -> Ask {
        Ask { uid: self.uid, axon: self.axon, issued: Vec::new(), groups: Vec::new(), receipt_key: self.receipt_key }
    }
}

/// Traps of its own for every miner; no id is issued twice.
fn own_asks(new: &NewTask, forge: Option<&Forge>, peers: &BTreeMap<Hotkey, &Peer>) -> BTreeMap<Hotkey, Ask> {
    let mut issued = HashSet::new();
    let ask = |(hotkey, peer): (&Hotkey, &&Peer)| {
        let traps = forge.map(|forge| forge.issue(&Forge::draw(&new.salt, new.round, hotkey), &mut issued));
        let (issued, groups) = traps.map(|traps| (traps.issued, traps.groups)).unwrap_or_default();
        (*hotkey, Ask { issued, groups, ..peer.ask() })
    };
    peers.iter().map(ask).collect()
}

/// Whether the stored traps are those that would be drawn again.
fn own_traps_agree(round: RoundId, task: &Task, forge: Option<&Forge>) -> Result<(), ResumeTaskError> {
    let strange = task.asks.iter().find(|(hotkey, ask)| match forge {
        Some(forge) => !forge.agrees(&Forge::draw(&task.salt, round, hotkey), ask),
        None => !ask.issued.is_empty(),
    });
    strange.map_or(Ok(()), |(&hotkey, _)| Err(ResumeTaskError::Traps { round, hotkey }))
}

fn roster(alerts: &Table) -> Vec<RosterRow> {
    let text = |column: &str, row: usize| alerts.texts(column).map_or("", |texts| texts.get(row)).to_owned();
    let row = |row: usize| RosterRow {
        alert_id: text("alert_id", row),
        address: text("address", row),
        typology: text("typology_type", row),
        severity: text("severity", row),
    };
    (0..alerts.rows()).map(row).collect()
}
