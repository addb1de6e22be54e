//! The rules of a subnet, read with one request; what an older runtime lacks has the value it implies.

use super::snapshot::{Item, ReadError, Snapshot};
use crate::chain::types::Hyperparameters;

/// Reads the rules that concern a neuron.
pub(super) async fn read(snapshot: &Snapshot, netuid: u16) -> Result<Hyperparameters, ReadError> {
    let of_subnet = |name| Item::plain(name).number(netuid);
    let names = [
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
        "CommitRevealWeightsEnabled",
        "RevealPeriodEpochs",
    ];
    let global = ["StakeThreshold", "WeightsMinStake", "CommitRevealWeightsVersion"];
    let items: Vec<Item> = names.map(of_subnet).into_iter().chain(global.map(Item::plain)).collect();
    let values = snapshot.fetch(&items).await?;
    if !values.need::<bool>(&of_subnet("NetworksAdded"))? {
        return Err(ReadError::NoSubnet(netuid));
    }
    let threshold = values.get(&Item::plain("StakeThreshold"))?;
    let old_threshold = values.get(&Item::plain("WeightsMinStake"))?;
    Ok(Hyperparameters {
        tempo: values.need(&of_subnet("Tempo"))?,
        weights_version: values.need(&of_subnet("WeightsVersionKey"))?,
        weights_rate_limit: values.need(&of_subnet("WeightsSetRateLimit"))?,
        serving_rate_limit: values.need(&of_subnet("ServingRateLimit"))?,
        min_allowed_weights: values.need(&of_subnet("MinAllowedWeights"))?,
        // Runtimes without the limit have none.
        max_weight_limit: values.get(&of_subnet("MaxWeightsLimit"))?.unwrap_or(u16::MAX),
        max_allowed_uids: values.need(&of_subnet("MaxAllowedUids"))?,
        immunity_period: values.need(&of_subnet("ImmunityPeriod"))?,
        activity_cutoff: values.need(&of_subnet("ActivityCutoff"))?,
        commit_reveal: values.get(&of_subnet("CommitRevealWeightsEnabled"))?.unwrap_or(false),
        reveal_period_epochs: values.get(&of_subnet("RevealPeriodEpochs"))?.unwrap_or(1),
        stake_threshold: threshold.or(old_threshold).unwrap_or(0),
        commit_reveal_version: values.get(&Item::plain("CommitRevealWeightsVersion"))?,
    })
}
