//! The chain with its tasks: one lock, one block at a time, everyone who listens is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use super::beacon;
use super::block::Block;
use super::config::Config;
use super::exec::{Exec, Fault};
use super::journal::{Journal, JournalError, Record, Stored};
use super::ledger::{Ledger, Made};
use super::spec::Spec;

/// Blocks that a slow listener may be behind; then it misses some and goes on with the newest.
const MAX_BEHIND: usize = 256;

/// A block that is news to listeners.
#[derive(Clone, Debug)]
pub(crate) enum Head {
    /// The newest block.
    Best(Arc<Block>),
    /// The newest final block.
    Final(Arc<Block>),
}

/// The chain, shared by the server and the block maker.
pub(crate) struct Node {
    ledger: Mutex<Ledger>,
    /// Locked only while the ledger is.
    journal: Mutex<Option<Journal>>,
    heads: broadcast::Sender<Head>,
    spec: watch::Sender<Spec>,
    block_time: watch::Sender<Option<Duration>>,
    beacon: AtomicBool,
    config: Config,
}

impl Node {
    /// A node of the chain in the configured directory, or of a new one.
    pub(crate) fn new(config: Config) -> Result<Arc<Self>, JournalError> {
        let (ledger, journal) = match &config.db {
            None => (Ledger::new(&config, now_ms(&config)).0, None),
            Some(directory) => {
                let (mut journal, records) = Journal::open(directory)?;
                let ledger = Ledger::restore(records).unwrap_or_else(|| Ledger::new(&config, now_ms(&config)).0);
                let failed = |source| JournalError::Open { path: directory.clone(), source };
                journal.replace(&ledger.snapshot()).map_err(failed)?;
                (ledger, Some(journal))
            }
        };
        let spec = watch::Sender::new(ledger.spec());
        let block_time = watch::Sender::new(config.block_time);
        let heads = broadcast::Sender::new(MAX_BEHIND);
        let journal = Mutex::new(journal);
        let beacon = AtomicBool::new(config.beacon);
        Ok(Arc::new(Self { ledger: Mutex::new(ledger), journal, heads, spec, block_time, beacon, config }))
    }

    /// The chain, for as long as the guard lives.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A panic while the lock was held left at most a transaction in the pool too many.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to new blocks.
    pub(crate) fn heads(&self) -> broadcast::Receiver<Head> {
        self.heads.subscribe()
    }

    /// Listens to upgrades of the runtime.
    pub(crate) fn specs(&self) -> watch::Receiver<Spec> {
        self.spec.subscribe()
    }

    /// Makes a block now.
    pub(crate) fn make_block(&self) -> Arc<Block> {
        self.wish(|_| Ok(())).0
    }

    /// Makes a block that begins with what the developer asks for.
    pub(crate) fn wish<T>(
        &self,
        wish: impl FnOnce(&mut Exec<'_>) -> Result<T, Fault>,
    ) -> (Arc<Block>, Result<T, Fault>) {
        let mut ledger = self.ledger();
        let (now_ms, runs) = (now_ms(&self.config), self.beacon.load(Ordering::Relaxed));
        let (made, wished) = ledger.make(now_ms, |exec| {
            if runs {
                beacon::on_block(exec, now_ms);
            }
            wish(exec)
        });
        let finalizing = ledger.finalizing;
        (self.publish(&ledger, made, finalizing), wished)
    }

    /// Lets another runtime make the next blocks, the first of them now.
    pub(crate) fn upgrade(&self, spec: Spec) -> Arc<Block> {
        let mut ledger = self.ledger();
        let made = ledger.upgrade(spec, now_ms(&self.config));
        let finalizing = ledger.finalizing;
        self.spec.send_replace(spec);
        self.publish(&ledger, made, finalizing)
    }

    /// Tells the listeners, while the lock is still held so that blocks come in order.
    fn publish(&self, ledger: &Ledger, made: Made, finalizing: bool) -> Arc<Block> {
        self.note(ledger, &Record::Block { block: Stored::from(&*made.block), changes: made.changes });
        let _ = self.heads.send(Head::Best(Arc::clone(&made.block)));
        if finalizing {
            let _ = self.heads.send(Head::Final(Arc::clone(&made.block)));
        }
        made.block
    }

    /// Writes a step into the journal; if that fails, the chain goes on in memory and says so.
    fn note(&self, ledger: &Ledger, record: &Record) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = journal.as_mut() else { return };
        let written =
            open.append(record).and_then(|()| if open.is_long() { open.replace(&ledger.snapshot()) } else { Ok(()) });
        if let Err(error) = written {
            tracing::error!(%error, "the chain cannot be written to disk any more; it goes on in memory");
            *journal = None;
        }
    }

    /// Waits until everything is on the disk and lets go of it; what happens later is not written any more.
    pub(crate) fn close(&self) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = journal.as_ref().map(Journal::sync) {
            tracing::error!(%error, "the last blocks may not be on disk");
        }
    }

    /// Whether blocks are final at once; if they are again, all are.
    pub(crate) fn set_finalizing(&self, finalizing: bool) {
        let mut ledger = self.ledger();
        ledger.finalizing = finalizing;
        if finalizing {
            ledger.finalize();
            let _ = self.heads.send(Head::Final(ledger.finalized()));
        }
    }

    /// Takes back blocks that are not final.
    pub(crate) fn take_back(&self, depth: u64) -> u64 {
        let mut ledger = self.ledger();
        let gone = ledger.take_back(depth);
        self.note(&ledger, &Record::TakenBack { to: ledger.head().number() });
        self.spec.send_replace(ledger.spec());
        gone
    }

    /// Changes the time between blocks; `None` stops them.
    pub(crate) fn set_block_time(&self, block_time: Option<Duration>) {
        self.block_time.send_replace(block_time);
    }

    /// Stops the chain's own beacon, or lets it go on.
    pub(crate) fn set_beacon(&self, runs: bool) {
        self.beacon.store(runs, Ordering::Relaxed);
    }

    /// Makes blocks until it is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut block_time = self.block_time.subscribe();
        loop {
            let wait = *block_time.borrow_and_update();
            let tick = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tick => drop(self.make_block()),
                changed = block_time.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn now_ms(config: &Config) -> u64 {
    u64::try_from(config.clock.now().as_millis()).unwrap_or(u64::MAX)
}
