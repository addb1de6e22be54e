//! The end of an epoch: permits, and what neurons earned.
//!
//! A short form of the chain's consensus: validators with a permit are weighed by stake, each miner's score is the
//! stake-weighted median of its weights, larger weights are cut to it, and dividends follow the cut weights directly.
//! The original smooths dividends by bonds over several epochs and pays emission out; here bonds are not kept and nothing
//! is paid, so stakes move only by calls.

use crate::localnet::exec::Exec;
use crate::localnet::items::subtensor::{
    ACTIVE, ACTIVITY_CUTOFF, BLOCKS_SINCE_LAST_STEP, CONSENSUS, DIVIDENDS, INCENTIVE, KEYS, LAST_EPOCH_BLOCK,
    LAST_STEP_BLOCK, LAST_UPDATE, MAX_ALLOWED_VALIDATORS, MECHANISM_COUNT_CURRENT, PRUNING_SCORES, RANK,
    SUBNET_EPOCH_INDEX, SUBNETWORK_N, TEMPO, TRUST, VALIDATOR_PERMIT, VALIDATOR_TRUST, WEIGHTS,
};
use crate::localnet::rules::{staking, subnets};
use crate::localnet::spec::Generation;

/// Share of the stake that must stand behind a weight.
const MAJORITY: f64 = 0.5;

/// Whether a subnet's epoch ends in this block: by a fixed rhythm, or so many blocks after the last one.
fn is_due(exec: &Exec<'_>, netuid: u16) -> bool {
    let tempo = u64::from(TEMPO.get(&exec.db, (netuid,)));
    match exec.spec.generation {
        _ if tempo == 0 => false,
        Generation::G218 | Generation::G381 => (exec.block + u64::from(netuid) + 1).is_multiple_of(tempo + 1),
        Generation::G463 => exec.block.saturating_sub(LAST_EPOCH_BLOCK.get(&exec.db, (netuid,))) >= tempo,
    }
}

/// What a block begins with: epochs that end, counters that start anew.
pub(crate) fn on_block(exec: &mut Exec<'_>, netuids: &[u16]) {
    for netuid in netuids.iter().copied().filter(|netuid| *netuid != subnets::ROOT) {
        if is_due(exec, netuid) {
            run(exec, netuid);
        } else {
            BLOCKS_SINCE_LAST_STEP.mutate(&mut exec.db, (netuid,), |count| *count += 1);
        }
    }
}

/// Ends the epoch of a subnet.
pub(crate) fn run(exec: &mut Exec<'_>, netuid: u16) {
    let (block, db) = (exec.block, &mut exec.db);
    let size = SUBNETWORK_N.get(db, (netuid,));
    let stakes: Vec<u64> =
        (0..size).map(|uid| staking::of(db, exec.spec, KEYS.get(db, (netuid, uid)), netuid).total()).collect();
    let permits = strongest(&stakes, MAX_ALLOWED_VALIDATORS.get(db, (netuid,)));
    let cutoff = u64::from(ACTIVITY_CUTOFF.get(db, (netuid,)));
    let updates = LAST_UPDATE.get(db, (netuid,));
    let active: Vec<bool> = updates.iter().map(|last| last + cutoff >= block).collect();
    VALIDATOR_PERMIT.put(db, (netuid,), &permits);
    ACTIVE.put(db, (netuid,), &active);
    for mechanism in 0..MECHANISM_COUNT_CURRENT.get(db, (netuid,)) {
        let index = subnets::storage_index(netuid, mechanism);
        let counts = |uid: &u16| permits[usize::from(*uid)] && active.get(usize::from(*uid)) == Some(&true);
        let rows: Vec<Row> = (0..size)
            .filter(counts)
            .map(|uid| Row::new(uid, stakes[usize::from(uid)], &WEIGHTS.get(db, (index, uid)), usize::from(size)))
            .filter(|row| row.given)
            .collect();
        let earned = judge(&rows, usize::from(size));
        INCENTIVE.put(db, (index,), &quantized(&earned.incentive));
        if mechanism == 0 {
            CONSENSUS.put(db, (netuid,), &quantized(&earned.consensus));
            DIVIDENDS.put(db, (netuid,), &quantized(&earned.dividends));
            VALIDATOR_TRUST.put(db, (netuid,), &quantized(&earned.validator_trust));
            RANK.put(db, (netuid,), &quantized(&earned.incentive));
            TRUST.put(db, (netuid,), &quantized(&earned.consensus));
            let scores: Vec<f64> = earned.incentive.iter().zip(&earned.dividends).map(|(i, d)| i.max(*d)).collect();
            PRUNING_SCORES.put(db, (netuid,), &quantized(&scores));
        }
    }
    BLOCKS_SINCE_LAST_STEP.put(db, (netuid,), &0);
    LAST_STEP_BLOCK.put(db, (netuid,), &block);
    LAST_EPOCH_BLOCK.put(db, (netuid,), &block);
    SUBNET_EPOCH_INDEX.mutate(db, (netuid,), |index| *index += 1);
}

/// Who is among the `most` largest stakes, and has any; of equal stakes the earlier uid wins.
fn strongest(stakes: &[u64], most: u16) -> Vec<bool> {
    let mut order: Vec<usize> = (0..stakes.len()).filter(|uid| stakes[*uid] > 0).collect();
    order.sort_by_key(|uid| (std::cmp::Reverse(stakes[*uid]), *uid));
    order.truncate(usize::from(most));
    (0..stakes.len()).map(|uid| order.contains(&uid)).collect()
}

/// One validator's weights, as shares of one.
struct Row {
    uid: usize,
    stake: f64,
    shares: Vec<f64>,
    given: bool,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "stakes are compared, not added up to the rao")]
    fn new(uid: u16, stake: u64, weights: &[(u16, u16)], size: usize) -> Self {
        let sum: f64 = weights.iter().map(|(_, value)| f64::from(*value)).sum();
        let mut shares = vec![0.0; size];
        for (to, value) in weights {
            if let Some(share) = shares.get_mut(usize::from(*to)) {
                *share = if sum > 0.0 { f64::from(*value) / sum } else { 0.0 };
            }
        }
        Self { uid: usize::from(uid), stake: stake as f64, shares, given: sum > 0.0 }
    }
}

/// What an epoch decides, by uid.
struct Earned {
    consensus: Vec<f64>,
    incentive: Vec<f64>,
    dividends: Vec<f64>,
    validator_trust: Vec<f64>,
}

fn judge(rows: &[Row], size: usize) -> Earned {
    let total: f64 = rows.iter().map(|row| row.stake).sum();
    let consensus: Vec<f64> = (0..size).map(|to| median(rows, to, total)).collect();
    let cut = |row: &Row, to: usize| row.shares[to].min(consensus[to]);
    let mut incentive: Vec<f64> =
        (0..size).map(|to| rows.iter().map(|row| row.stake * cut(row, to)).sum::<f64>()).collect();
    normalize(&mut incentive);
    let mut dividends = vec![0.0; size];
    let mut validator_trust = vec![0.0; size];
    for row in rows {
        validator_trust[row.uid] = (0..size).map(|to| cut(row, to)).sum();
        dividends[row.uid] = row.stake * (0..size).map(|to| cut(row, to) * incentive[to]).sum::<f64>();
    }
    normalize(&mut dividends);
    Earned { consensus, incentive, dividends, validator_trust }
}

/// The largest weight for a neuron that a majority of the stake gives at least.
fn median(rows: &[Row], to: usize, total: f64) -> f64 {
    let mut given: Vec<(f64, f64)> = rows.iter().map(|row| (row.shares[to], row.stake)).collect();
    given.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut behind = 0.0;
    let wins = given.into_iter().find(|(_, stake)| {
        behind += stake;
        behind > total * MAJORITY
    });
    wins.map_or(0.0, |(share, _)| share)
}

fn normalize(column: &mut [f64]) {
    let sum: f64 = column.iter().sum();
    if sum > 0.0 {
        column.iter_mut().for_each(|value| *value /= sum);
    }
}

/// In 65535ths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 65535 by the clamp")]
fn quantized(column: &[f64]) -> Vec<u16> {
    column.iter().map(|value| (value.clamp(0.0, 1.0) * f64::from(u16::MAX)).round() as u16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_go_to_the_strongest_who_have_any_stake() {
        assert_eq!(strongest(&[5, 0, 9, 5], 2), [true, false, true, false]);
        assert_eq!(strongest(&[0, 0], 2), [false, false]);
    }

    #[test]
    fn a_minority_cannot_raise_its_favourite() {
        let rows = [Row::new(0, 60, &[(2, 65535)], 4), Row::new(1, 40, &[(3, 65535)], 4)];
        let earned = judge(&rows, 4);
        assert_eq!(quantized(&earned.incentive), [0, 0, 65535, 0]);
        assert_eq!(quantized(&earned.dividends), [65535, 0, 0, 0]);
        assert_eq!(quantized(&earned.validator_trust), [65535, 0, 0, 0]);
    }
}
