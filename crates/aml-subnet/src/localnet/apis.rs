//! Runtime APIs: one table gives their metadata and answers `state_call`.

use std::collections::BTreeMap;

use frame_metadata::v15::{RuntimeApiMetadata, RuntimeApiMethodMetadata, RuntimeApiMethodParamMetadata};
use parity_scale_codec::{Decode, Encode};
use scale_info::{MetaType, meta_type};

mod metagraph;
mod query;
mod stakes;
mod subnets;

use super::items::{subtensor, system};
use super::mirror::frame_support::dispatch::DispatchClass;
use super::mirror::pallet_subtensor::rpc_info::dynamic_info::DynamicInfo;
use super::mirror::pallet_subtensor::rpc_info::metagraph::{Metagraph, SelectiveMetagraph};
use super::mirror::pallet_subtensor::rpc_info::neuron_info::{NeuronInfo, NeuronInfoLite};
use super::mirror::pallet_subtensor::rpc_info::show_subnet::SubnetState;
use super::mirror::pallet_subtensor::rpc_info::stake_info::{StakeAvailability, StakeInfo};
use super::mirror::pallet_subtensor::rpc_info::subnet_info::{SubnetHyperparams, SubnetInfo, SubnetInfov2};
use super::mirror::pallet_subtensor_swap_runtime_api::{SimSwapResult, SubnetPrice};
use super::mirror::pallet_transaction_payment::types::RuntimeDispatchInfo;
use super::mirror::sp_version::RuntimeVersion;
use super::mirror::sp_weights::weight_v2::Weight;
use super::mirror::{AccountId32, BoundedVec};
use super::spec::{Generation, Spec, TRANSACTION_VERSION, has};
pub(crate) use query::Query;

/// How an answer is put on the wire.
enum Form {
    /// As its type.
    Typed(Vec<u8>),
    /// Runtimes that hide the type: as bytes, empty for nothing.
    Opaque(Vec<u8>),
}

/// Reads the arguments and gives both forms of the answer.
type Run = fn(&Query<'_>, &mut &[u8]) -> Result<(Form, Form), parity_scale_codec::Error>;

/// One method.
struct Method {
    api: &'static str,
    name: &'static str,
    /// The only runtime that has it.
    only: Option<Generation>,
    inputs: fn() -> Vec<(&'static str, MetaType)>,
    output: fn() -> MetaType,
    /// Whether the older runtime hides the type of the answer.
    hidden_in_218: bool,
    run: Run,
}

/// Why a call of a runtime API was not answered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    #[error("Exported method {0} is not found")]
    Unknown(String),
    #[error("Bad input data provided to {method}: {source}")]
    Input { method: String, source: parity_scale_codec::Error },
}

/// The two forms of an answer.
trait Answer: Encode {
    fn bare(&self) -> Vec<u8> {
        self.encode()
    }
}

impl<T: Encode> Answer for Vec<T> {}
impl<K: Encode, V: Encode> Answer for BTreeMap<K, V> {}
impl Answer for u64 {}
impl Answer for u32 {}
impl Answer for RuntimeVersion {}
impl Answer for SimSwapResult {}
impl Answer for RuntimeDispatchInfo {}
impl<T: Encode> Answer for Option<T> {
    fn bare(&self) -> Vec<u8> {
        self.as_ref().map(Encode::encode).unwrap_or_default()
    }
}

/// An optional answer whose absence the older runtime spells out, too.
struct Spelled<T>(Option<T>);

impl<T: Encode> Encode for Spelled<T> {
    fn encode_to<W: parity_scale_codec::Output + ?Sized>(&self, dest: &mut W) {
        self.0.encode_to(dest);
    }
}

impl<T: scale_info::TypeInfo + 'static> scale_info::TypeInfo for Spelled<T> {
    type Identity = Option<T>;

    fn type_info() -> scale_info::Type {
        Option::<T>::type_info()
    }
}

impl<T: Encode> Answer for Spelled<T> {}

macro_rules! methods {
    ($($(@$only:ident)? $(#$hidden:ident)? $api:ident.$name:ident($($arg:ident: $ty:ty),*) -> $out:ty = $run:expr;)*) => {
        const METHODS: &[Method] = &[$(Method {
            api: stringify!($api),
            name: stringify!($name),
            only: methods!(@only $($only)?),
            inputs: || vec![$((stringify!($arg), meta_type::<$ty>())),*],
            output: || meta_type::<$out>(),
            hidden_in_218: methods!(@hidden $($hidden)?),
            run: |query, _input| {
                $(let $arg = <$ty>::decode(_input)?;)*
                let run: fn(&Query<'_>, $($ty),*) -> $out = $run;
                let out: $out = run(query, $($arg),*);
                Ok((Form::Typed(out.encode()), Form::Opaque(out.bare())))
            },
        }),*];
    };
    (@only) => { None };
    (@only $only:ident) => { Some(Generation::$only) };
    (@hidden) => { false };
    (@hidden $hidden:ident) => { true };
}

methods! {
    Core.version() -> RuntimeVersion = |q| version(q.spec);
    AccountNonceApi.account_nonce(account: AccountId32) -> u32 = |q, who| system::ACCOUNT.get(&q.db, (who,)).nonce;
    #hidden NeuronInfoRuntimeApi.get_neurons(netuid: u16) -> Vec<NeuronInfo> = subnets::neurons;
    #hidden NeuronInfoRuntimeApi.get_neuron(netuid: u16, uid: u16) -> Option<NeuronInfo> = subnets::neuron;
    #hidden NeuronInfoRuntimeApi.get_neurons_lite(netuid: u16) -> Vec<NeuronInfoLite> = subnets::neurons_lite;
    #hidden NeuronInfoRuntimeApi.get_neuron_lite(netuid: u16, uid: u16) -> Option<NeuronInfoLite> = subnets::neuron_lite;
    #hidden SubnetInfoRuntimeApi.get_subnet_info(netuid: u16) -> Option<SubnetInfo> = subnets::info;
    #hidden SubnetInfoRuntimeApi.get_subnets_info() -> Vec<Option<SubnetInfo>> = subnets::infos;
    @G381 SubnetInfoRuntimeApi.get_subnet_info_v2(netuid: u16) -> Option<SubnetInfov2> = subnets::info_v2;
    @G381 SubnetInfoRuntimeApi.get_subnets_info_v2() -> Vec<Option<SubnetInfov2>> = subnets::infos_v2;
    #hidden SubnetInfoRuntimeApi.get_subnet_hyperparams(netuid: u16) -> Option<SubnetHyperparams> = subnets::hyperparams;
    #hidden SubnetInfoRuntimeApi.get_subnet_state(netuid: u16) -> Spelled<SubnetState> = |q, netuid| Spelled(metagraph::state(q, netuid));
    #hidden SubnetInfoRuntimeApi.get_dynamic_info(netuid: u16) -> Option<DynamicInfo> = subnets::dynamic;
    #hidden SubnetInfoRuntimeApi.get_all_dynamic_info() -> Vec<Option<DynamicInfo>> = subnets::dynamics;
    @G381 SubnetInfoRuntimeApi.get_metagraph(netuid: u16) -> Option<Metagraph> = metagraph::metagraph;
    @G381 SubnetInfoRuntimeApi.get_all_metagraphs() -> Vec<Option<Metagraph>> = metagraph::metagraphs;
    @G381 SubnetInfoRuntimeApi.get_selective_metagraph(netuid: u16, metagraph_indexes: Vec<u16>) -> Option<SelectiveMetagraph> =
        |q, netuid, wanted| metagraph::metagraph(q, netuid).map(|full| full.select(&wanted));
    @G381 SubnetInfoRuntimeApi.get_mechagraph(netuid: u16, mecid: u8) -> Option<Metagraph> = metagraph::mechagraph;
    @G381 SubnetInfoRuntimeApi.get_selective_mechagraph(netuid: u16, mecid: u8, metagraph_indexes: Vec<u16>) -> Option<SelectiveMetagraph> =
        |q, netuid, mecid, wanted| metagraph::mechagraph(q, netuid, mecid).map(|full| full.select(&wanted));
    @G381 StakeInfoRuntimeApi.get_stake_info_for_coldkey(coldkey_account: AccountId32) -> Vec<StakeInfo> = stakes::stakes;
    @G381 StakeInfoRuntimeApi.get_stake_info_for_coldkeys(coldkey_accounts: Vec<AccountId32>) -> Vec<(AccountId32, Vec<StakeInfo>)> =
        |q, coldkeys| coldkeys.into_iter().map(|coldkey| (coldkey, stakes::stakes(q, coldkey))).collect();
    @G381 StakeInfoRuntimeApi.get_stake_info_for_hotkey_coldkey_netuid(hotkey_account: AccountId32, coldkey_account: AccountId32, netuid: u16) -> Option<StakeInfo> =
        stakes::stake;
    @G463 StakeInfoRuntimeApi.get_stake_availability_for_coldkeys(coldkey_accounts: Vec<AccountId32>, netuids: Vec<u16>) -> BTreeMap<AccountId32, BTreeMap<u16, StakeAvailability>> =
        |q, coldkeys, netuids| coldkeys.into_iter().map(|coldkey| (coldkey, stakes::availability(q, coldkey, &netuids))).collect();
    @G463 BetaBasketRuntimeApi.get_root_basket_owed(coldkey: AccountId32) -> u64 = |_, _| 0;
    @G463 BetaBasketRuntimeApi.get_root_basket_positions(coldkey: AccountId32) -> Vec<(AccountId32, u64, u64)> = |_, _| Vec::new();
    @G381 SubnetRegistrationRuntimeApi.get_network_registration_cost() -> u64 =
        |q| subtensor::NETWORK_MIN_LOCK_COST.get(&q.db, ());
    @G381 SwapRuntimeApi.sim_swap_tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult = |_, _, tao| even_swap(tao);
    @G381 SwapRuntimeApi.sim_swap_alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult = |_, _, alpha| even_swap(alpha);
    @G381 SwapRuntimeApi.current_alpha_price(netuid: u16) -> u64 = |_, _| PRICE;
    @G381 SwapRuntimeApi.current_alpha_price_all() -> Vec<SubnetPrice> = |q| {
        q.netuids().into_iter().map(|netuid| SubnetPrice { netuid, price: PRICE }).collect()
    };
    TransactionPaymentApi.query_info(uxt: BoundedVec<u8>, len: u32) -> RuntimeDispatchInfo = |_, uxt, _| payment(&uxt.0);
}

/// The methods of a runtime.
fn of(spec: Spec) -> impl Iterator<Item = &'static Method> {
    METHODS.iter().filter(move |method| has(spec.generation, method.only))
}

impl Method {
    fn is_hidden(&self, spec: Spec) -> bool {
        self.hidden_in_218 && spec.generation == Generation::G218
    }

    fn metadata(&self, spec: Spec) -> RuntimeApiMethodMetadata {
        let input = |(name, ty)| RuntimeApiMethodParamMetadata { name, ty };
        RuntimeApiMethodMetadata {
            name: self.name,
            inputs: (self.inputs)().into_iter().map(input).collect(),
            output: if self.is_hidden(spec) { meta_type::<Vec<u8>>() } else { (self.output)() },
            docs: Vec::new(),
        }
    }
}

/// The runtime APIs as the metadata lists them.
pub(crate) fn metadata(spec: Spec) -> Vec<RuntimeApiMetadata> {
    let mut apis: Vec<RuntimeApiMetadata> = Vec::new();
    for method in of(spec) {
        match apis.iter_mut().find(|api| api.name == method.api) {
            Some(api) => api.methods.push(method.metadata(spec)),
            None => {
                let methods = vec![method.metadata(spec)];
                apis.push(RuntimeApiMetadata { name: method.api, methods, docs: Vec::new() });
            }
        }
    }
    apis
}

/// Answers `state_call`, except for what needs the metadata or the pool.
pub(crate) fn call(query: &Query<'_>, name: &str, input: &[u8]) -> Result<Vec<u8>, CallError> {
    let is_named = |method: &&Method| {
        name.strip_prefix(method.api).and_then(|rest| rest.strip_prefix('_')).is_some_and(|rest| rest == method.name)
    };
    let method = of(query.spec).find(is_named).ok_or_else(|| CallError::Unknown(name.to_owned()))?;
    let answer = (method.run)(query, &mut &*input);
    let (typed, opaque) = answer.map_err(|source| CallError::Input { method: name.to_owned(), source })?;
    Ok(match if method.is_hidden(query.spec) { opaque } else { typed } {
        Form::Typed(bytes) => bytes,
        Form::Opaque(bytes) => bytes.encode(),
    })
}

/// What the runtime says about itself.
pub(crate) fn version(spec: Spec) -> RuntimeVersion {
    RuntimeVersion {
        spec_name: "node-subtensor".to_owned(),
        impl_name: "node-subtensor".to_owned(),
        authoring_version: 1,
        spec_version: spec.version,
        impl_version: 1,
        apis: vec![(API_CORE, 5), (API_METADATA, 2)],
        transaction_version: TRANSACTION_VERSION,
        system_version: 1,
    }
}

/// Identifier of the `Core` API.
const API_CORE: [u8; 8] = [0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b];
/// Identifier of the `Metadata` API; version 2 has `metadata_at_version`.
const API_METADATA: [u8; 8] = [0x37, 0xe3, 0x97, 0xfc, 0x7c, 0x91, 0xf5, 0xe4];

/// What a transaction would cost.
pub(crate) fn payment(bytes: &[u8]) -> RuntimeDispatchInfo {
    let call = super::extrinsic::Signed::read(&bytes.encode()).or_else(|_| super::extrinsic::Signed::read(bytes));
    let free = call.as_ref().is_ok_and(|signed| super::rules::dispatch::is_free(&signed.call));
    let partial_fee = if free { 0 } else { fee(bytes.len()) };
    RuntimeDispatchInfo {
        weight: Weight { ref_time: 1_000_000, proof_size: 0 },
        class: DispatchClass::Normal,
        partial_fee,
    }
}

/// Fee in rao of a transaction that is not free: a base, and something for each byte.
pub(crate) fn fee(bytes: usize) -> u64 {
    124_000 + u64::try_from(bytes).unwrap_or(u64::MAX / 2)
}

/// Rao that an alpha costs: there is no market.
const PRICE: u64 = 1_000_000_000;

/// What a swap would give: the same amount, for nothing.
fn even_swap(amount: u64) -> SimSwapResult {
    SimSwapResult { tao_amount: amount, alpha_amount: amount, ..SimSwapResult::default() }
}
