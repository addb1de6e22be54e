//! Everything of a runtime that we use. A test holds the names to those in the code that uses them.

use subxt::config::substrate::{AccountId32, H256};

use super::super::calls::{self, Names};
use super::super::collateral::Stored;
use super::super::neurons::{AxonInfo, FullMetagraph, NeuronLite, SubnetState};
use super::need::{Key, LONG, Need, Reads, SHORT, What, typed};
use super::wires::{about_weights, announcement};
use crate::chain::refusal::{ChainRefusal, PALLET};

const ACCOUNT: Key = Key::Account;
const SYSTEM: &str = "System";

/// What we use, in groups.
pub(super) fn needs() -> Vec<Need> {
    let groups = [calls(), rules(), standing(), weights(), neurons(), fields(), forms(), apis(), refusals()];
    groups.into_iter().flatten().collect()
}

const fn need(name: &'static str, what: What, without: &'static str) -> Need {
    Need { pallet: PALLET, name, what, without, otherwise: None }
}

/// An item under these keys.
const fn item(name: &'static str, keys: &'static [Key], reads: Reads, without: &'static str) -> Need {
    need(name, What::Storage { keys, below: false, reads }, without)
}

impl Need {
    const fn of(self, pallet: &'static str) -> Self {
        Self { pallet, ..self }
    }

    const fn otherwise(self, what: &'static str) -> Self {
        Self { otherwise: Some(what), ..self }
    }
}

fn calls() -> Vec<Need> {
    /// One call of a pair in its two forms.
    macro_rules! pair {
        ($names:expr) => {{
            const NAMES: Names = $names;
            [
                need(
                    NAMES.main,
                    What::Call(|edge| about_weights(NAMES, true, edge)),
                    "the form for a mechanism does the same",
                ),
                need(
                    NAMES.general,
                    What::Call(|edge| about_weights(NAMES, false, edge)),
                    "no weights for mechanisms beside 0",
                ),
            ]
        }};
    }
    let weights = [pair!(calls::SET), pair!(calls::COMMIT), pair!(calls::REVEAL), pair!(calls::TIMELOCK)];
    let axon = need(calls::SERVE_AXON, What::Call(announcement), "no axon is announced");
    weights.into_iter().flatten().chain([axon]).collect()
}

/// The rules of a subnet.
fn rules() -> Vec<Need> {
    const BY_SUBNET: &[Key] = &[SHORT];
    let rule = |name, reads, without| item(name, BY_SUBNET, reads, without);
    let global = |name, reads, without| item(name, &[], reads, without);
    let foreseen = "not foreseen: the chain refuses by itself";
    let shown = "shown as unknown";
    vec![
        rule("NetworksAdded", typed!(bool), "a netuid that does not exist is found out later"),
        rule("Tempo", typed!(u16), "no rules, no weights"),
        rule("WeightsVersionKey", typed!(u64), "counts as 0"),
        rule("WeightsSetRateLimit", typed!(u64), foreseen),
        rule("ServingRateLimit", typed!(u64), foreseen),
        rule("MinAllowedWeights", typed!(u16), foreseen),
        rule("MaxWeightsLimit", typed!(u16), "counts as no limit"),
        rule("MaxAllowedUids", typed!(u16), "shown as unknown; a miner is not told how near it is to losing its place"),
        rule("ImmunityPeriod", typed!(u16), "shown as unknown; a miner is not told how near it is to losing its place"),
        rule("ActivityCutoff", typed!(u64), shown),
        rule("ActivityCutoffFactorMilli", typed!(u64), "ActivityCutoff is taken"),
        rule("CommitRevealWeightsEnabled", typed!(bool), "counts as off"),
        rule("RevealPeriodEpochs", typed!(u64), "counts as 1"),
        rule("Burn", typed!(u64), shown),
        global("StakeThreshold", typed!(u64), "WeightsMinStake is taken, else nothing is foreseen"),
        global("WeightsMinStake", typed!(u64), "StakeThreshold is taken"),
        global("CommitRevealWeightsVersion", typed!(u16), "only hash commits are written"),
    ]
}

/// What a hotkey is and may do in a subnet, and the epochs of the subnet.
fn standing() -> Vec<Need> {
    const OF_HOTKEY: &[Key] = &[SHORT, ACCOUNT];
    const BY_SUBNET: &[Key] = &[SHORT];
    const BY_PLACE: &[Key] = &[SHORT, SHORT];
    let foreseen = "not foreseen: the chain refuses by itself";
    vec![
        item("Uids", OF_HOTKEY, typed!(u16), "no weights, no announcements"),
        item("LastUpdate", BY_SUBNET, typed!(Vec<u64>), "no weights"),
        item("ValidatorPermit", BY_SUBNET, typed!(Vec<bool>), foreseen),
        item("SubnetOwnerHotkey", BY_SUBNET, typed!(AccountId32), foreseen),
        item("MechanismCountCurrent", BY_SUBNET, typed!(u8), "counts as 1"),
        item("SubnetworkN", BY_SUBNET, typed!(u16), "a netuid that does not exist is found out later"),
        item("BlockAtRegistration", BY_PLACE, typed!(u64), "counts as never: newcomers are not told apart"),
        item("LastEpochBlock", BY_SUBNET, typed!(u64), "epochs are computed from the block's number"),
        item("PendingEpochAt", BY_SUBNET, typed!(u64), "counts as 0"),
        item("BlocksSinceLastStep", BY_SUBNET, typed!(u64), "counts as 0"),
    ]
}

/// Weights and commits that are stored.
fn weights() -> Vec<Need> {
    const BY_SUBNET: &[Key] = &[SHORT];
    let timelocked = typed!(Vec<(AccountId32, u64, Vec<u8>, u64)>);
    vec![
        item("Weights", &[SHORT, SHORT], typed!(Vec<(u16, u16)>), "no weights: they could not be read back"),
        item(
            "WeightCommits",
            &[SHORT, ACCOUNT],
            typed!(Vec<(H256, u64, u64, u64)>),
            "no hash commits: they could not be read back",
        ),
        need(
            "TimelockedWeightCommits",
            What::Storage { keys: BY_SUBNET, below: true, reads: timelocked },
            "no timelocked commits: they could not be read back",
        ),
    ]
}

/// Neurons in storage: read where no runtime API tells them.
fn neurons() -> Vec<Need> {
    const BY_SUBNET: &[Key] = &[SHORT];
    let api = "needed only where no runtime API tells the neurons";
    let place = "the other one says who goes first; without either all are equal";
    vec![
        item("Keys", &[SHORT, SHORT], typed!(AccountId32), api),
        item("Axons", &[SHORT, ACCOUNT], typed!(AxonInfo), "announcements cannot be read back"),
        item("Active", BY_SUBNET, typed!(Vec<bool>), api),
        item("Incentive", BY_SUBNET, typed!(Vec<u16>), api),
        item("Dividends", BY_SUBNET, typed!(Vec<u16>), api),
        item("Owner", &[ACCOUNT], typed!(AccountId32), api),
        item("TotalHotkeyAlpha", &[ACCOUNT, SHORT], typed!(u64), "needed only where no runtime API tells the stakes"),
        item("PruningScores", BY_SUBNET, typed!(Vec<u64>), place),
        item("Emission", BY_SUBNET, typed!(Vec<u64>), place),
        item(
            "MinerCollateral",
            &[SHORT, ACCOUNT, ACCOUNT],
            typed!(Stored, ["locked", "min_locked", "earned"]),
            "no collateral is shown",
        ),
    ]
}

/// What is read of other pallets.
fn fields() -> Vec<Need> {
    const NOW: What = What::Storage { keys: &[], below: false, reads: Reads::Exactly("u64") };
    const EVENTS: What = What::Storage { keys: &[], below: false, reads: Reads::Library };
    const PULSES: What =
        What::Storage { keys: &[LONG], below: false, reads: Reads::Exactly("(u64, Vec<u8>, Vec<u8>)") };
    let revealed = What::Event(Some("(u16, [u8; 32])"));
    let told = "the weights that the chain shows say whether a timelocked commit was opened";
    let step = "blocks count as 12 s where no constant says it";
    vec![
        need("Now", NOW, "the chain's clock is not compared with ours")
            .of("Timestamp")
            .otherwise("the chain's clock is not compared with ours"),
        need("Events", EVENTS, "nothing that is sent can be called done").of(SYSTEM),
        need("Pulses", PULSES, "sealed answers are opened by relays alone").of("Drand"),
        need("SlotDuration", What::Constant(typed!(u64)), step).of("Aura").otherwise(step),
        need("MinimumPeriod", What::Constant(typed!(u64)), step).of("Timestamp").otherwise(step),
        need("ExtrinsicSuccess", What::Event(None), "nothing that is sent can be called done").of(SYSTEM),
        need("ExtrinsicFailed", What::Failure, "refusals cannot be told").of(SYSTEM),
        need("TimelockedWeightsRevealed", revealed, told).otherwise(told),
        need("CRV3WeightsRevealed", revealed, told).otherwise(told),
    ]
}

fn forms() -> Vec<Need> {
    vec![need("signed transaction", What::Transaction, "nothing can be signed").of("")]
}

fn apis() -> Vec<Need> {
    const SUBNET: &str = "SubnetInfoRuntimeApi";
    const NETUID: &[Key] = &[SHORT];
    let metagraph = typed!(
        Option<FullMetagraph>,
        [
            "hotkeys",
            "coldkeys",
            "axons",
            "active",
            "validator_permit",
            "last_update",
            "incentives",
            "dividends",
            "total_stake"
        ]
    );
    let neurons = typed!(
        Vec<NeuronLite>,
        [
            "hotkey",
            "coldkey",
            "uid",
            "active",
            "axon_info",
            "incentive",
            "dividends",
            "last_update",
            "validator_permit"
        ]
    );
    let state = typed!(Option<SubnetState>, ["hotkeys", "total_stake"]);
    let api = |name, reads, old, without| need(name, What::Api { args: NETUID, reads, old }, without);
    let nonce = What::Api { args: &[ACCOUNT], reads: Reads::Exactly("u32"), old: false };
    vec![
        need("account_nonce", nonce, "nothing can be signed").of("AccountNonceApi"),
        api("get_metagraph", metagraph, false, "get_neurons_lite tells the neurons").of(SUBNET),
        api("get_neurons_lite", neurons, true, "storage tells the neurons").of("NeuronInfoRuntimeApi"),
        api("get_subnet_state", state, true, "TotalHotkeyAlpha tells the stakes").of(SUBNET),
    ]
}

fn refusals() -> Vec<Need> {
    let without = "under another name it is shown without advice, and is no reason to wait";
    ChainRefusal::NAMES.iter().map(|name| need(name, What::Refusal, without)).collect()
}
