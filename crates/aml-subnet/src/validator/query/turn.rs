//! One miner's turns: a slot, an attempt, and another where that may help.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::again::{Bounds, Tries};
use super::talk::Told;
use super::trouble::OwnFailure;
use super::{Asking, Inner, Peer, dormancy, observe, record};
use crate::http::spool::Spooled;
use crate::store::records::{Answer, Dormancy};

/// What came of one miner, and the slot it still holds.
pub(super) struct Arrived {
    pub(super) answer: Answer,
    pub(super) body: Option<Spooled>,
    pub(super) dormancy: Option<Dormancy>,
    pub(super) _slot: Option<OwnedSemaphorePermit>,
}

/// Waits for a slot, asks, again where that may help, and keeps the slot until the answer is taken.
pub(super) async fn ask_in_turn(
    asker: Arc<Inner>,
    asking: Arc<Asking>,
    peer: Peer,
    slots: Arc<Semaphore>,
) -> Result<Arrived, OwnFailure> {
    let (mut tries, mut last): (Tries, Option<Told>) = (Tries::default(), None);
    let whole = left(asking.until_ms, asker.now_ms());
    loop {
        // Slots are never closed, and given in the order in which they are asked for: a second attempt comes after all
        // first ones.
        let slot = Arc::clone(&slots).acquire_owned().await.ok();
        let told = asker.ask_one(&asking, &peer, &tries.sent).await?;
        let told = match last.take() {
            // It was not its turn any more: what came before stands.
            Some(before) if !told.called => Told { passing: None, ..before },
            _ => {
                tries.done.push(record::attempt(&told));
                told
            }
        };
        let bounds = Bounds { attempts: asker.settings.attempts, whole, left: left(asking.until_ms, asker.now_ms()) };
        if let Some(pause) = tries.pause(&peer, &told, bounds) {
            observe::again(&peer, &tries.done, pause);
            drop(slot);
            last = Some(told);
            asker.time.sleep(pause).await;
            continue;
        }
        let called = told.called;
        let (mut answer, body) = record::record(peer.hotkey, told);
        answer.sent_bytes = called.then(|| tries.sent.load(Ordering::Relaxed));
        if tries.done.len() > 1 {
            answer.attempts = tries.done;
        }
        observe::asked(&peer, &answer);
        let previous = asking.dormancy.get(&peer.hotkey);
        // The round counts once, however often it was tried.
        let after = || dormancy::after(previous, &answer.reply, asker.now_ms());
        let dormancy = if called { after() } else { previous.copied() };
        return Ok(Arrived { answer, body, dormancy, _slot: slot });
    }
}

/// What is left of a round.
pub(super) fn left(until_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(0))
}
