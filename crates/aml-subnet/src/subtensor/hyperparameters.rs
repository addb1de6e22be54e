//! The rules of a subnet, read with one request. Only the tempo is needed: what a runtime lacks has the value that this
//! implies, and what the chain would refuse it then says itself.

use super::snapshot::{Item, ReadError, Snapshot, Values};
use crate::chain::types::Hyperparameters;

/// Items per subnet that the rules are read from.
pub(super) const OF_A_SUBNET: &[&str] = &[
    "NetworksAdded",
    "Tempo",
    "WeightsVersionKey",
    "WeightsSetRateLimit",
    "ServingRateLimit",
    "MinAllowedWeights",
    "MaxWeightsLimit",
    "MaxAllowedUids",
    "ImmunityPeriod",
    "ActivityCutoff",
    "ActivityCutoffFactorMilli",
    "CommitRevealWeightsEnabled",
    "RevealPeriodEpochs",
    "Burn",
];
/// Items of the whole chain that they are read from.
pub(super) const OF_THE_CHAIN: &[&str] = &["StakeThreshold", "WeightsMinStake", "CommitRevealWeightsVersion"];

/// Reads the rules that concern a neuron.
pub(super) async fn read(snapshot: &Snapshot, netuid: u16) -> Result<Hyperparameters, ReadError> {
    let of_subnet = |name| Item::plain(name).number(netuid);
    let plain = OF_THE_CHAIN.iter().copied().map(Item::plain);
    let items: Vec<Item> = OF_A_SUBNET.iter().copied().map(of_subnet).chain(plain).collect();
    let values = snapshot.fetch(&items).await?;
    if values.get::<bool>(&of_subnet("NetworksAdded"))? == Some(false) {
        return Err(ReadError::NoSubnet(netuid));
    }
    let threshold = values.get(&Item::plain("StakeThreshold"))?;
    let old_threshold = values.get(&Item::plain("WeightsMinStake"))?;
    let tempo: u16 = values.need(&of_subnet("Tempo"))?;
    Ok(Hyperparameters {
        tempo,
        weights_version: values.get(&of_subnet("WeightsVersionKey"))?.unwrap_or(0),
        weights_rate_limit: values.get(&of_subnet("WeightsSetRateLimit"))?.unwrap_or(0),
        serving_rate_limit: values.get(&of_subnet("ServingRateLimit"))?.unwrap_or(0),
        min_allowed_weights: values.get(&of_subnet("MinAllowedWeights"))?.unwrap_or(1),
        // Runtimes without the limit have none.
        max_weight_limit: values.get(&of_subnet("MaxWeightsLimit"))?.unwrap_or(u16::MAX),
        max_allowed_uids: values.get(&of_subnet("MaxAllowedUids"))?,
        immunity_period: values.get(&of_subnet("ImmunityPeriod"))?,
        activity_cutoff: activity_cutoff(&values, netuid, tempo)?,
        commit_reveal: values.get(&of_subnet("CommitRevealWeightsEnabled"))?.unwrap_or(false),
        reveal_period_epochs: values.get(&of_subnet("RevealPeriodEpochs"))?.unwrap_or(1),
        registration_price: values.get(&of_subnet("Burn"))?,
        stake_threshold: threshold.or(old_threshold).unwrap_or(0),
        commit_reveal_version: values.get(&Item::plain("CommitRevealWeightsVersion"))?,
    })
}

/// By the newer item where the runtime has it: thousandths of a tempo.
fn activity_cutoff(values: &Values<'_>, netuid: u16, tempo: u16) -> Result<Option<u64>, ReadError> {
    let factor: Option<u64> = values.get(&Item::plain("ActivityCutoffFactorMilli").number(netuid))?;
    match factor {
        Some(factor) => Ok(Some((factor.saturating_mul(tempo.into()) / 1000).max(1))),
        None => values.get(&Item::plain("ActivityCutoff").number(netuid)),
    }
}
