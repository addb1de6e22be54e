//! The steps of making a block.

use parity_scale_codec::Decode;

use super::block::{self, Block};
use super::exec::{self, Exec, Fault, Origin};
use super::extrinsic::Signed;
use super::item::{self, Read};
use super::items::{subtensor, system, timestamp};
use super::metadata::BLOCK_HASH_COUNT;
use super::mirror::frame_support::dispatch::{DispatchClass, Pays};
use super::mirror::frame_system::pallet::Event;
use super::mirror::frame_system::{DispatchEventInfo, Phase};
use super::mirror::node_subtensor_runtime::RuntimeEvent;
use super::mirror::pallet_transaction_payment;
use super::rules::{dispatch, epoch, subnets, timelock};
use super::spec::Spec;
use super::state::{Changes, Overlay};
use super::validity;

/// Begins a block.
pub(crate) fn begin(db: Overlay<'_>, block: u64, spec: Spec) -> Exec<'_> {
    Exec { db, block, spec, events: Vec::new(), phase: Phase::Initialization }
}

/// What happens before any transaction.
pub(crate) fn initialize(exec: &mut Exec<'_>, parent: &Block, time_ms: u64) {
    let number = u32::try_from(exec.block).unwrap_or(u32::MAX);
    let db = &mut exec.db;
    system::NUMBER.put(db, (), &number);
    system::PARENT_HASH.put(db, (), &parent.hash);
    system::BLOCK_HASH.put(db, (number.saturating_sub(1),), &parent.hash);
    if let Some(old) = number.checked_sub(BLOCK_HASH_COUNT + 1).filter(|old| *old > 0) {
        system::BLOCK_HASH.remove(db, (old,));
    }
    system::DIGEST.put(db, (), &block::digest(time_ms));
    timestamp::NOW.put(db, (), &time_ms);
    let netuids = netuids(db);
    for netuid in &netuids {
        if subtensor::REGISTRATIONS_THIS_BLOCK.contains(db, (*netuid,)) {
            subtensor::REGISTRATIONS_THIS_BLOCK.remove(db, (*netuid,));
        }
    }
    timelock::on_block(exec, &netuids);
    epoch::on_block(exec, &netuids);
}

/// Every subnet, the root included.
pub(crate) fn netuids(db: &impl Read) -> Vec<u16> {
    let prefix = item::prefix(subtensor::NETWORKS_ADDED.pallet, subtensor::NETWORKS_ADDED.name);
    let keys = db.keys(&prefix, None, usize::from(u16::MAX)).into_iter();
    let netuid = |key: Vec<u8>| u16::decode(&mut key.get(prefix.len()..)?).ok();
    keys.filter_map(netuid).filter(|netuid| subnets::exists(db, *netuid)).collect()
}

/// The time of the block, which is its first transaction.
pub(crate) fn inherent(exec: &mut Exec<'_>) {
    exec.phase = Phase::ApplyExtrinsic(0);
    let dispatch_info = DispatchEventInfo { class: DispatchClass::Mandatory, ..DispatchEventInfo::default() };
    exec.emit(RuntimeEvent::System(Event::ExtrinsicSuccess { dispatch_info }));
}

/// Puts a transaction that was found valid into the block.
pub(crate) fn include(exec: &mut Exec<'_>, extrinsics: &mut Vec<Vec<u8>>, tx: &Signed, bytes: Vec<u8>) {
    exec.phase = Phase::ApplyExtrinsic(u32::try_from(extrinsics.len()).unwrap_or(u32::MAX));
    apply(exec, tx, bytes.len());
    extrinsics.push(bytes);
}

/// Carries out a transaction that was found valid: it is paid for and counted even if its call fails.
fn apply(exec: &mut Exec<'_>, tx: &Signed, bytes: usize) {
    let cost = validity::cost(tx, bytes);
    system::ACCOUNT.mutate(&mut exec.db, (tx.signer,), |account| account.nonce += 1);
    if cost > 0 && exec::withdraw(&mut exec.db, tx.signer, cost).is_err() {
        return;
    }
    let result = dispatch::run(exec, Origin::Signed(tx.signer), &tx.call);
    if cost > 0 {
        exec.emit(RuntimeEvent::TransactionPayment(pallet_transaction_payment::pallet::Event::TransactionFeePaid {
            who: tx.signer,
            actual_fee: cost - tx.tip,
            tip: tx.tip,
        }));
    }
    let event = outcome(exec.spec, result, cost > 0);
    exec.emit(RuntimeEvent::System(event));
}

fn outcome(spec: Spec, result: Result<(), Fault>, paid: bool) -> Event {
    let pays_fee = if paid { Pays::Yes } else { Pays::No };
    let dispatch_info = DispatchEventInfo { pays_fee, ..DispatchEventInfo::default() };
    match result {
        Ok(()) => Event::ExtrinsicSuccess { dispatch_info },
        Err(fault) => Event::ExtrinsicFailed { dispatch_error: fault.dispatch_error(spec), dispatch_info },
    }
}

/// Writes down what happened; gives all changes of the block.
pub(crate) fn finish(mut exec: Exec<'_>, extrinsics: usize) -> Changes {
    let events = std::mem::take(&mut exec.events);
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    system::EVENTS.put(&mut exec.db, (), &events);
    system::EVENT_COUNT.put(&mut exec.db, (), &count(events.len()));
    system::EXTRINSIC_COUNT.put(&mut exec.db, (), &count(extrinsics));
    exec.db.into_changes()
}
