//! `aml-subnet metagraph`: the neurons and the rules of the subnet, as the chain client reads them.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{SettingsArgs, chain};
use crate::chain::types::{Hyperparameters, Metagraph, Neuron};

/// Arguments of `metagraph`.
#[derive(Debug, Args)]
pub(super) struct MetagraphArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads and prints.
pub(super) fn run(args: &MetagraphArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings.load(&[])?;
    let subtensor = chain::connect(&settings)?;
    let (metagraph, rules) = chain::block_on(async {
        let rules = subtensor.hyperparameters(settings.netuid).await?;
        Ok((subtensor.metagraph(settings.netuid).await?, rules))
    })?;
    if args.json {
        let neurons: Vec<_> = metagraph.neurons.iter().map(as_json).collect();
        let (netuid, block) = (metagraph.netuid, metagraph.block.0);
        let all = json!({"netuid": netuid, "block": block, "rules": rules_json(&rules), "neurons": neurons});
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        print!("{}", table(&metagraph, &rules));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(neuron: &Neuron) -> serde_json::Value {
    json!({
        "uid": neuron.uid.0,
        "hotkey": neuron.hotkey.to_string(),
        "coldkey": neuron.coldkey.to_string(),
        "axon": neuron.axon.map(|axon| format!("{}:{}", axon.ip, axon.port)),
        "validator_permit": neuron.validator_permit,
        "active": neuron.active,
        "stake_rao": neuron.stake,
        "last_update": neuron.last_update.0,
        "incentive": neuron.incentive,
        "dividends": neuron.dividends,
    })
}

fn rules_json(rules: &Hyperparameters) -> serde_json::Value {
    json!({
        "tempo": rules.tempo,
        "weights_version": rules.weights_version,
        "weights_rate_limit": rules.weights_rate_limit,
        "serving_rate_limit": rules.serving_rate_limit,
        "min_allowed_weights": rules.min_allowed_weights,
        "max_weight_limit": rules.max_weight_limit,
        "max_allowed_uids": rules.max_allowed_uids,
        "immunity_period": rules.immunity_period,
        "activity_cutoff": rules.activity_cutoff,
        "commit_reveal": rules.commit_reveal,
        "reveal_period_epochs": rules.reveal_period_epochs,
        "registration_price_rao": rules.registration_price,
        "stake_threshold_rao": rules.stake_threshold,
        "commit_reveal_version": rules.commit_reveal_version,
    })
}

fn table(metagraph: &Metagraph, rules: &Hyperparameters) -> String {
    let mut text = format!(
        "subnet {} at block {}: {} neurons, tempo {}, weights every {} blocks, commit-reveal {}\n",
        metagraph.netuid,
        metagraph.block.0,
        metagraph.neurons.len(),
        rules.tempo,
        rules.weights_rate_limit,
        if rules.commit_reveal { "on" } else { "off" },
    );
    let _ = writeln!(
        text,
        "{:>5}  {:<48}  {:>6}  {:>16}  {:>11}  axon",
        "uid", "hotkey", "permit", "stake (TAO)", "updated"
    );
    for neuron in &metagraph.neurons {
        let axon = neuron.axon.map_or_else(|| "-".to_owned(), |axon| format!("{}:{}", axon.ip, axon.port));
        let (whole, rest) = (neuron.stake / 1_000_000_000, neuron.stake % 1_000_000_000 / 1_000_000);
        let _ = writeln!(
            text,
            "{:>5}  {:<48}  {:>6}  {:>16}  {:>11}  {axon}",
            neuron.uid.0,
            neuron.hotkey,
            if neuron.validator_permit { "yes" } else { "no" },
            format!("{whole}.{rest:03}"),
            neuron.last_update.0,
        );
    }
    text
}
