//! The chain itself: blocks, storage, pool. Synchronous and without sockets; [`super::node`] puts tasks around it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::block::{self, Block, Header};
use super::config::Config;
use super::exec::{Exec, Fault};
use super::extrinsic::{Signed, bare, blake2_256};
use super::genesis;
use super::items::{system, timestamp};
use super::maker;
use super::metadata::{BLOCK_HASH_COUNT, Metadata};
use super::mirror::node_subtensor_runtime::RuntimeCall;
use super::mirror::{H256, pallet_timestamp};
use super::pool::{Invalid, MAX_AHEAD, Pool, PoolError, Status, Waiting, Watcher};
use super::shield::Shield;
use super::spec::Spec;
use super::state::{Changes, Overlay, State, View};
use super::validity::{self, Scene};

mod history;

/// Blocks that are kept with their storage: as long as the longest life of a transaction.
const KEPT: usize = BLOCK_HASH_COUNT as usize;
/// Blocks between two clean-ups of storage.
const PRUNE_EVERY: u64 = 256;
/// Transactions in a block.
const MAX_IN_BLOCK: usize = 512;

/// Blocks, storage and pool.
pub(crate) struct Ledger {
    state: State,
    /// Consecutive blocks; the last is the head.
    blocks: VecDeque<Arc<Block>>,
    numbers: HashMap<H256, u64>,
    genesis: H256,
    finalized: u64,
    /// Whether new blocks are final at once.
    pub(crate) finalizing: bool,
    spec: Spec,
    pool: Pool,
    /// Watched transactions in blocks that are not final yet.
    included: Vec<(u64, Watcher)>,
    /// Transactions of blocks that are not final yet, to be tried again if the block is taken back.
    undecided: Vec<(u64, Signed, Vec<u8>)>,
    metadata: BTreeMap<u32, Arc<Metadata>>,
    /// What the metadata does not mention.
    without: Vec<String>,
    shield: Option<Shield>,
}

/// A block that was made, with what it changed.
pub(crate) struct Made {
    /// The block.
    pub(crate) block: Arc<Block>,
    /// What it changed.
    pub(crate) changes: Changes,
}

impl Ledger {
    /// A chain with its first block.
    pub(crate) fn new(config: &Config, now_ms: u64) -> (Self, Made) {
        let spec = config.spec();
        let mut ledger = Self { without: config.without.clone(), ..Self::empty(spec) };
        let metadata = blake2_256(&ledger.metadata_of(spec).v15);
        let mut exec = maker::begin(Overlay::new(ledger.state.at(0)), 0, spec);
        genesis::write(&mut exec, config);
        timestamp::NOW.put(&mut exec.db, (), &now_ms);
        let changes = exec.db.into_changes();
        let header = Header {
            parent_hash: H256::default(),
            number: parity_scale_codec::Compact(0),
            state_root: block::state_root(metadata, &changes),
            extrinsics_root: block::extrinsics_root(&[]),
            digest: block::digest(now_ms),
        };
        let hash = config.genesis_hash.map_or_else(|| header.hash(), H256);
        let made = ledger.adopt(Block { hash, header, extrinsics: Vec::new(), spec, time_ms: now_ms }, changes);
        (ledger, made)
    }

    fn empty(spec: Spec) -> Self {
        Self {
            state: State::default(),
            blocks: VecDeque::new(),
            numbers: HashMap::new(),
            genesis: H256::default(),
            finalized: 0,
            finalizing: true,
            spec,
            pool: Pool::default(),
            included: Vec::new(),
            undecided: Vec::new(),
            metadata: BTreeMap::new(),
            without: Vec::new(),
            shield: Shield::new(),
        }
    }

    /// Takes a block as the new head.
    pub(crate) fn adopt(&mut self, block: Block, changes: Changes) -> Made {
        let block = Arc::new(block);
        let number = block.number();
        if self.blocks.is_empty() && number == 0 {
            self.genesis = block.hash;
        }
        self.state.commit(number, changes.clone());
        self.numbers.insert(block.hash, number);
        self.blocks.push_back(Arc::clone(&block));
        self.spec = block.spec;
        self.forget_old(number);
        Made { block, changes }
    }

    fn forget_old(&mut self, head: u64) {
        while self.blocks.len() > KEPT {
            if let Some(old) = self.blocks.pop_front().filter(|old| old.number() > 0) {
                self.numbers.remove(&old.hash);
            }
        }
        if head.is_multiple_of(PRUNE_EVERY) {
            let oldest = self.blocks.front().map_or(0, |block| block.number());
            self.state.prune_before(oldest);
        }
    }

    /// The runtime of the next block.
    pub(crate) fn spec(&self) -> Spec {
        self.spec
    }

    /// The newest block.
    pub(crate) fn head(&self) -> Arc<Block> {
        Arc::clone(self.blocks.back().expect("a ledger has its first block from the beginning"))
    }

    /// The newest final block.
    pub(crate) fn finalized(&self) -> Arc<Block> {
        self.by_number(self.finalized).unwrap_or_else(|| self.head())
    }

    /// A block by its height.
    pub(crate) fn by_number(&self, number: u64) -> Option<Arc<Block>> {
        let first = self.blocks.front()?.number();
        let place = usize::try_from(number.checked_sub(first)?).ok()?;
        self.blocks.get(place).map(Arc::clone)
    }

    /// Hash of a block by its height; the first one's is never forgotten.
    pub(crate) fn hash_of(&self, number: u64) -> Option<H256> {
        if number == 0 { Some(self.genesis) } else { self.by_number(number).map(|block| block.hash) }
    }

    /// A block by its name.
    pub(crate) fn by_hash(&self, hash: H256) -> Option<Arc<Block>> {
        self.by_number(*self.numbers.get(&hash)?).filter(|block| block.hash == hash)
    }

    /// Storage after a block.
    pub(crate) fn view(&self, number: u64) -> View<'_> {
        self.state.at(number)
    }

    /// The metadata of a runtime.
    pub(crate) fn metadata_of(&mut self, spec: Spec) -> Arc<Metadata> {
        Arc::clone(self.metadata.entry(spec.version).or_insert_with(|| Arc::new(Metadata::of(spec, &self.without))))
    }

    /// Transactions that wait.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Takes a transaction into the pool.
    pub(crate) fn submit(&mut self, bytes: Vec<u8>, watcher: Option<Watcher>) -> Result<H256, PoolError> {
        let signed = Signed::read(&bytes)?;
        let hash = blake2_256(&bytes);
        let ready = match self.check(&signed, bytes.len()) {
            Ok(()) => true,
            Err(Invalid::Future) => self.is_near(&signed).then_some(false).ok_or(Invalid::Future)?,
            Err(invalid) => return Err(invalid.into()),
        };
        let waiting = Waiting { hash, bytes, signed, watcher };
        let told = waiting.watcher.clone();
        self.pool.insert(waiting)?;
        if let Some(told) = told {
            let _ = told.try_send(if ready { Status::Ready } else { Status::Future });
        }
        Ok(hash)
    }

    fn check(&self, signed: &Signed, bytes: usize) -> Result<(), Invalid> {
        let head = self.head();
        let scene = self.scene(&head);
        validity::check(&self.state.at(head.number()), scene, signed, bytes)
    }

    /// What the block after `parent` checks transactions against.
    fn scene(&self, parent: &Block) -> Scene {
        Scene { genesis: self.genesis, parent: parent.hash, block: parent.number() + 1, spec: self.spec }
    }

    fn is_near(&self, signed: &Signed) -> bool {
        let next = system::ACCOUNT.get(&self.view(self.head().number()), (signed.signer,)).nonce;
        signed.nonce.saturating_sub(next) <= MAX_AHEAD
    }

    /// Makes a block: first what the developer asks for, then what waits in the pool.
    pub(crate) fn make<T>(
        &mut self,
        now_ms: u64,
        wish: impl FnOnce(&mut Exec<'_>) -> Result<T, Fault>,
    ) -> (Made, Result<T, Fault>) {
        let parent = self.head();
        let number = parent.number() + 1;
        let time_ms = now_ms.max(parent.time_ms + 1);
        let mut exec = maker::begin(Overlay::new(self.state.at(parent.number())), number, self.spec);
        maker::initialize(&mut exec, &parent, time_ms);
        if let Some(shield) = &self.shield {
            shield.announce(&mut exec);
        }
        let wished = exec.atomic(wish);
        let timestamp = RuntimeCall::Timestamp(pallet_timestamp::pallet::Call::set { now: time_ms });
        let mut extrinsics = vec![bare(&timestamp)];
        maker::inherent(&mut exec);
        let scene = self.scene(&parent);
        let mut outcomes = Vec::new();
        for (signer, nonce) in self.pool.order() {
            let Some(waiting) = self.pool.get(signer, nonce).filter(|_| extrinsics.len() < MAX_IN_BLOCK) else {
                continue;
            };
            match validity::check(&exec.db, scene, &waiting.signed, waiting.bytes.len()) {
                Ok(()) => {
                    maker::include(&mut exec, &mut extrinsics, &waiting.signed, waiting.bytes.clone());
                    outcomes.push((signer, nonce, true));
                    let carried = self.shield.as_ref().and_then(|shield| shield.carried(&waiting.signed.call));
                    if let Some((signed, bytes)) = carried
                        && validity::check(&exec.db, scene, &signed, bytes.len()).is_ok()
                    {
                        maker::include(&mut exec, &mut extrinsics, &signed, bytes);
                    }
                }
                Err(Invalid::Future) => {}
                Err(_) => outcomes.push((signer, nonce, false)),
            }
        }
        let changes = maker::finish(exec, extrinsics.len());
        let made = self.seal(&parent, time_ms, extrinsics, changes);
        self.settle(&made.block, outcomes);
        (made, wished)
    }

    fn seal(&mut self, parent: &Block, time_ms: u64, extrinsics: Vec<Vec<u8>>, changes: Changes) -> Made {
        let header = Header {
            parent_hash: parent.hash,
            number: parity_scale_codec::Compact(parent.number() + 1),
            state_root: block::state_root(parent.header.state_root, &changes),
            extrinsics_root: block::extrinsics_root(&extrinsics),
            digest: block::digest(time_ms),
        };
        let block = Block { hash: header.hash(), header, extrinsics, spec: self.spec, time_ms };
        let made = self.adopt(block, changes);
        if self.finalizing {
            self.finalize();
        }
        made
    }

    /// Takes what is in the block out of the pool, and what can never be in one.
    fn settle(&mut self, block: &Block, outcomes: Vec<(super::mirror::AccountId32, u32, bool)>) {
        for (signer, nonce, included) in outcomes {
            let Some(gone) = self.pool.remove(signer, nonce) else { continue };
            if !included {
                gone.tell(Status::Invalid);
                continue;
            }
            gone.tell(Status::InBlock(block.hash));
            if self.finalized >= block.number() {
                gone.tell(Status::Finalized(block.hash));
                continue;
            }
            self.included.extend(gone.watcher.map(|watcher| (block.number(), watcher)));
            self.undecided.push((block.number(), gone.signed, gone.bytes));
        }
    }

    /// The next blocks are made by another runtime.
    pub(crate) fn upgrade(&mut self, spec: Spec, now_ms: u64) -> Made {
        self.spec = spec;
        let note = |exec: &mut Exec<'_>| {
            genesis::note_runtime(exec, spec);
            exec.emit(super::mirror::node_subtensor_runtime::RuntimeEvent::System(
                super::mirror::frame_system::pallet::Event::CodeUpdated,
            ));
            Ok(())
        };
        self.make(now_ms, note).0
    }
}
