//! The chain's description of itself, in the two versions that clients ask for.
//!
//! Built from the same Rust types that decode transactions and encode storage, so it cannot say anything else than what
//! the chain does. What a runtime lacks is taken out by name afterwards.

use frame_metadata::v15::{
    CustomMetadata, ExtrinsicMetadata, OuterEnums, PalletCallMetadata, PalletConstantMetadata, PalletErrorMetadata,
    PalletEventMetadata, PalletMetadata, PalletStorageMetadata, RuntimeMetadataV15, SignedExtensionMetadata,
};
use frame_metadata::{META_RESERVED, RuntimeMetadata, RuntimeMetadataPrefixed, v14};
use parity_scale_codec::Encode;
use scale_info::form::PortableForm;
use scale_info::{MetaType, PortableRegistry, TypeDef, TypeInfo, Variant, meta_type};

use super::item::Entry;
use super::mirror::frame_system::extensions::{CheckMortality, CheckNonce, Empty};
use super::mirror::node_subtensor_runtime::{Runtime, RuntimeCall, RuntimeError, RuntimeEvent};
use super::mirror::pallet_subtensor::pallet::Error;
use super::mirror::sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic;
use super::mirror::sp_runtime::{MultiSignature, multiaddress::MultiAddress};
use super::mirror::{
    H256, frame_metadata_hash_extension::CheckMetadataHash, frame_system, pallet_admin_utils, pallet_balances,
    pallet_commitments, pallet_shield, pallet_subtensor, pallet_sudo, pallet_timestamp, pallet_transaction_payment,
};
use super::spec::{Generation, Spec};
use super::{apis, items, spec};

/// The pallet that is Subtensor's own.
pub(crate) const PALLET: &str = "SubtensorModule";
/// Blocks whose hashes are kept, and so the longest life of a transaction.
pub(crate) const BLOCK_HASH_COUNT: u32 = 4096;
/// Least balance of an account, in rao.
pub(crate) const EXISTENTIAL_DEPOSIT: u64 = 500;
/// Milliseconds between blocks as clients are told; how long it takes is a setting.
const SLOT_MS: u64 = 250;
/// Prefix of addresses.
pub(crate) const SS58_PREFIX: u16 = 42;

/// Both versions, encoded.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Version 14.
    pub(crate) v14: Vec<u8>,
    /// Version 15.
    pub(crate) v15: Vec<u8>,
}

impl Metadata {
    /// The metadata of a runtime, without storage items, calls and runtime APIs of these names.
    pub(crate) fn of(spec: Spec, without: &[String]) -> Self {
        let mut new = RuntimeMetadataV15::new(
            pallets(spec),
            extrinsic(spec),
            meta_type::<Runtime>(),
            apis::metadata(spec),
            OuterEnums {
                call_enum_ty: meta_type::<RuntimeCall>(),
                event_enum_ty: meta_type::<RuntimeEvent>(),
                error_enum_ty: meta_type::<RuntimeError>(),
            },
            CustomMetadata { map: [("UncheckedExtrinsic", custom::<UncheckedExtrinsic>())].into() },
        );
        adapt(&mut new.types, spec);
        leave_out(&mut new, without);
        let transaction = new.custom.map.values().next().map_or(new.ty, |value| value.ty);
        new.custom.map.clear();
        let encode = |metadata| RuntimeMetadataPrefixed(META_RESERVED, metadata).encode();
        Self { v14: encode(RuntimeMetadata::V14(downgrade(&new, transaction))), v15: encode(RuntimeMetadata::V15(new)) }
    }
}

/// Takes out by name what a runtime is to lack.
fn leave_out(metadata: &mut RuntimeMetadataV15, without: &[String]) {
    let stays = |name: &str| !without.iter().any(|gone| gone == name);
    for pallet in metadata.pallets.iter_mut().filter(|pallet| pallet.name == PALLET) {
        pallet.storage.iter_mut().for_each(|storage| storage.entries.retain(|entry| stays(&entry.name)));
    }
    metadata.apis.iter_mut().for_each(|api| api.methods.retain(|method| stays(&method.name)));
    for ty in &mut metadata.types.types {
        if let (TypeDef::Variant(calls), [pallet, .., "Call"]) =
            (&mut ty.ty.type_def, ty.ty.path.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice())
            && *pallet == "pallet_subtensor"
        {
            calls.variants.retain(|call| stays(&call.name));
        }
    }
}

/// A type that is in the registry although nothing of version 15 refers to it.
fn custom<T: TypeInfo + 'static>() -> frame_metadata::v15::CustomValueMetadata {
    frame_metadata::v15::CustomValueMetadata { ty: meta_type::<T>(), value: Vec::new() }
}

/// Drops the part of paths that only this crate has, and what the runtime lacks; numbers the errors.
fn adapt(registry: &mut PortableRegistry, spec: Spec) {
    for ty in &mut registry.types {
        let path = &mut ty.ty.path.segments;
        if let Some(end) = path.iter().position(|segment| segment == "mirror") {
            path.drain(..=end);
        }
        let TypeDef::Variant(enumeration) = &mut ty.ty.type_def else { continue };
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["node_subtensor_runtime", "RuntimeCall" | "RuntimeEvent"] => {
                enumeration.variants.retain(|pallet| spec.has_shield() || pallet.name != "MevShield");
            }
            [pallet, "pallet", "Call"] => enumeration.variants.retain(|call| spec.lists_call(pallet, &call.name)),
            [pallet, "pallet", "Error"] => {
                if *pallet == "pallet_subtensor" {
                    number_errors(&mut enumeration.variants, spec);
                }
                fill_gaps(&mut enumeration.variants);
            }
            _ => {}
        }
    }
}

/// Gives the errors the numbers that they have in this runtime, and drops those that it lacks.
fn number_errors(variants: &mut Vec<Variant<PortableForm>>, spec: Spec) {
    let error = |name: &str| Error::all().find(|error| format!("{error:?}") == name);
    variants.retain_mut(|variant| {
        let index = error(&variant.name).and_then(|error| spec.error_index(error));
        variant.index = index.unwrap_or_default();
        index.is_some()
    });
    variants.sort_by_key(|variant| variant.index);
}

/// Puts a nameless error at every number that is not used: some clients look errors up by their place in the list.
fn fill_gaps(variants: &mut Vec<Variant<PortableForm>>) {
    let end = variants.iter().map(|variant| variant.index).max().map_or(0, |last| u16::from(last) + 1);
    let numbers = (0..end).filter_map(|index| u8::try_from(index).ok());
    let unused = |index: u8| Variant { name: format!("Unused{index}"), fields: Vec::new(), index, docs: Vec::new() };
    let known = std::mem::take(variants);
    let at = |index: u8| known.iter().find(|variant| variant.index == index).cloned();
    *variants = numbers.map(|index| at(index).unwrap_or_else(|| unused(index))).collect();
}

/// One pallet; what it lacks is `None`.
struct Parts {
    name: &'static str,
    index: u8,
    storage: Vec<Entry>,
    calls: Option<MetaType>,
    event: Option<MetaType>,
    error: Option<MetaType>,
    constants: Vec<PalletConstantMetadata>,
}

impl Parts {
    fn new(name: &'static str, index: u8, storage: Vec<Entry>) -> Self {
        Self { name, index, storage, calls: None, event: None, error: None, constants: Vec::new() }
    }

    fn calls<T: TypeInfo + 'static>(self) -> Self {
        Self { calls: Some(meta_type::<T>()), ..self }
    }

    fn event<T: TypeInfo + 'static>(self) -> Self {
        Self { event: Some(meta_type::<T>()), ..self }
    }

    fn error<T: TypeInfo + 'static>(self) -> Self {
        Self { error: Some(meta_type::<T>()), ..self }
    }

    fn constant<T: TypeInfo + Encode + 'static>(mut self, name: &'static str, value: &T) -> Self {
        let (ty, value) = (meta_type::<T>(), value.encode());
        self.constants.push(PalletConstantMetadata { name, ty, value, docs: Vec::new() });
        self
    }

    fn build(self, generation: Generation) -> PalletMetadata {
        let kept = self.storage.into_iter().filter(|entry| self::spec::has(generation, entry.only));
        let entries: Vec<_> = kept.map(|entry| entry.metadata).collect();
        PalletMetadata {
            name: self.name,
            storage: (!entries.is_empty()).then_some(PalletStorageMetadata { prefix: self.name, entries }),
            calls: self.calls.map(|ty| PalletCallMetadata { ty }),
            event: self.event.map(|ty| PalletEventMetadata { ty }),
            constants: self.constants,
            error: self.error.map(|ty| PalletErrorMetadata { ty }),
            index: self.index,
            docs: Vec::new(),
        }
    }
}

fn pallets(spec: Spec) -> Vec<PalletMetadata> {
    let mut all = vec![
        Parts::new("System", 0, items::system::entries())
            .calls::<frame_system::pallet::Call>()
            .event::<frame_system::pallet::Event>()
            .error::<frame_system::pallet::Error>()
            .constant("BlockHashCount", &BLOCK_HASH_COUNT)
            .constant("Version", &apis::version(spec))
            .constant("SS58Prefix", &SS58_PREFIX),
        Parts::new("Timestamp", 2, items::timestamp::entries()).calls::<pallet_timestamp::pallet::Call>(),
        Parts::new("Balances", 5, items::balances::entries())
            .calls::<pallet_balances::pallet::Call>()
            .event::<pallet_balances::pallet::Event>()
            .error::<pallet_balances::pallet::Error>()
            .constant("ExistentialDeposit", &EXISTENTIAL_DEPOSIT),
        Parts::new("TransactionPayment", 6, Vec::new()).event::<pallet_transaction_payment::pallet::Event>(),
        Parts::new("SubtensorModule", 7, items::subtensor::entries())
            .calls::<pallet_subtensor::pallet::Call>()
            .event::<pallet_subtensor::pallet::Event>()
            .error::<Error>(),
        Parts::new("Sudo", 12, items::sudo::entries())
            .calls::<pallet_sudo::pallet::Call>()
            .event::<pallet_sudo::pallet::Event>()
            .error::<pallet_sudo::pallet::Error>(),
        Parts::new("Commitments", 18, items::commitments::entries()).error::<pallet_commitments::pallet::Error>(),
        Parts::new("AdminUtils", 19, Vec::new())
            .calls::<pallet_admin_utils::pallet::Call>()
            .error::<pallet_admin_utils::pallet::Error>(),
    ];
    if spec.generation != Generation::G218 {
        all.push(Parts::new("Drand", 26, items::drand::entries()));
        all.push(Parts::new("Swap", 28, items::swap::entries()));
    }
    if spec.has_shield() {
        all.push(Parts::new("Aura", 3, Vec::new()).constant("SlotDuration", &SLOT_MS));
        let shield = Parts::new("MevShield", 30, items::shield::entries());
        all.push(shield.calls::<pallet_shield::pallet::Call>().event::<pallet_shield::pallet::Event>());
    }
    all.into_iter().map(|parts| parts.build(spec.generation)).collect()
}

/// Transaction extensions: their names, what they put into the transaction, and what they add to the signed bytes.
fn extensions(spec: Spec) -> Vec<(&'static str, MetaType, MetaType)> {
    let (none, number, hash) = (meta_type::<()>(), meta_type::<u32>(), meta_type::<H256>());
    let empty = meta_type::<Empty>();
    let mut all = vec![
        ("CheckNonZeroSender", empty, none),
        ("CheckSpecVersion", empty, number),
        ("CheckTxVersion", empty, number),
        ("CheckGenesis", empty, hash),
        ("CheckMortality", meta_type::<CheckMortality>(), hash),
        ("CheckNonce", meta_type::<CheckNonce>(), none),
        ("CheckWeight", empty, none),
        ("ChargeTransactionPayment", meta_type::<pallet_transaction_payment::ChargeTransactionPayment>(), none),
    ];
    all.extend(spec.own_extensions().iter().map(|name| (*name, empty, none)));
    all.push(("CheckMetadataHash", meta_type::<CheckMetadataHash>(), meta_type::<Option<[u8; 32]>>()));
    all
}

fn extrinsic(spec: Spec) -> ExtrinsicMetadata {
    let extension = |(identifier, ty, additional_signed)| SignedExtensionMetadata { identifier, ty, additional_signed };
    ExtrinsicMetadata {
        version: 4,
        address_ty: meta_type::<MultiAddress>(),
        call_ty: meta_type::<RuntimeCall>(),
        signature_ty: meta_type::<MultiSignature>(),
        extra_ty: meta_type::<()>(),
        signed_extensions: extensions(spec).into_iter().map(extension).collect(),
    }
}

/// The same as version 14, which has neither runtime APIs nor docs of pallets.
fn downgrade(
    new: &RuntimeMetadataV15,
    transaction: <PortableForm as scale_info::form::Form>::Type,
) -> v14::RuntimeMetadataV14 {
    let pallet = |pallet: &PalletMetadata<PortableForm>| v14::PalletMetadata {
        name: pallet.name.clone(),
        storage: pallet.storage.clone(),
        calls: pallet.calls.clone(),
        event: pallet.event.clone(),
        constants: pallet.constants.clone(),
        error: pallet.error.clone(),
        index: pallet.index,
    };
    let extension = |extension: &SignedExtensionMetadata<PortableForm>| v14::SignedExtensionMetadata {
        identifier: extension.identifier.clone(),
        ty: extension.ty,
        additional_signed: extension.additional_signed,
    };
    v14::RuntimeMetadataV14 {
        types: new.types.clone(),
        pallets: new.pallets.iter().map(pallet).collect(),
        extrinsic: v14::ExtrinsicMetadata {
            ty: transaction,
            version: new.extrinsic.version,
            signed_extensions: new.extrinsic.signed_extensions.iter().map(extension).collect(),
        },
        ty: new.ty,
    }
}
