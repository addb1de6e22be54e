//! One need, looked up in one runtime: encoded and decoded as at work.

use scale_info::{PortableRegistry, TypeDef, Variant, form::PortableForm};
use scale_value::Value;
use subxt::client::{OfflineClient, OfflineClientAtBlock};
use subxt::config::DefaultExtrinsicParamsBuilder;
use subxt::config::substrate::{H256, SpecVersionForRange, SubstrateConfig};
use subxt::metadata::{Metadata, PalletMetadata};

use super::super::extrinsic::{Call, ERA_BLOCKS, ExtrinsicSigner};
use super::edges;
use super::file::{Described, NotMetadata};
use super::need::{Edge, Found, Key, Need, Reads, What};
use super::text;
use super::wires;
use crate::chain::refusal::PALLET;
use crate::wallet::{Scheme, Signer};

/// All edges, the easiest first.
const EDGES: [Edge; 3] = [Edge::Nought, Edge::Greatest, Edge::Least];

/// A runtime that is not there: its metadata alone.
pub(super) struct Runtime<'a> {
    described: &'a Described,
    client: OfflineClientAtBlock<SubstrateConfig>,
}

impl<'a> Runtime<'a> {
    /// The runtime of some metadata.
    pub(super) fn of(described: &'a Described) -> Result<Self, NotMetadata> {
        if described.metadata.pallet_by_name(PALLET).is_none() {
            return Err(NotMetadata::OtherChain);
        }
        let (spec_version, transaction_version) = (described.spec_version, 1);
        let all = SpecVersionForRange { block_range: 0..u64::MAX, spec_version, transaction_version };
        let config = SubstrateConfig::builder()
            .set_genesis_hash(H256::zero())
            .set_spec_version_for_block_ranges([all])
            .set_metadata_for_spec_versions([(spec_version, described.metadata.clone())])
            .build();
        let client = OfflineClient::new_with_config(config).at_block(1u64);
        let client = client.map_err(|error| NotMetadata::Damaged(error.to_string()))?;
        Ok(Self { described, client })
    }

    /// What it has of a need.
    pub(super) fn look(&self, need: &Need) -> Found {
        match need.what {
            What::Call(build) => self.call(need, build),
            What::Storage { keys, below, reads } => self.storage(need, (keys, below), reads),
            What::Constant(reads) => {
                let constant = self.pallet(need).and_then(|pallet| pallet.constant_by_name(need.name));
                constant.map_or(Found::Missing, |constant| self.reads(constant.ty(), reads))
            }
            What::Event(fields) => self.event(need, fields),
            What::Failure => self.failure(need),
            What::Refusal => {
                let errors = self.pallet(need).and_then(|pallet| pallet.error_variants());
                let known = errors.is_some_and(|all| all.iter().any(|error| error.name == need.name));
                if known { Found::Same } else { Found::Missing }
            }
            What::Api { args, reads, old } => self.api(need, args, (reads, old)),
            What::Transaction => self.transaction(),
        }
    }

    fn metadata(&self) -> &Metadata {
        &self.described.metadata
    }

    fn types(&self) -> &PortableRegistry {
        self.metadata().types()
    }

    fn pallet(&self, need: &Need) -> Option<PalletMetadata<'_>> {
        self.metadata().pallet_by_name(need.pallet)
    }

    fn call(&self, need: &Need, build: fn(Edge) -> Call) -> Found {
        let Some(variant) = self.pallet(need).and_then(|pallet| pallet.call_variant_by_name(need.name)) else {
            return Found::Missing;
        };
        if let Err(error) = self.bounded(variant) {
            return Found::Changed(error);
        }
        let encode = |edge| self.client.tx().call_data(&build(edge)).map_err(|error| in_full(&error));
        if let Err(error) = encode(Edge::Nought) {
            return Found::Changed(format!("{error}: it takes {}", self.arguments(variant)));
        }
        let mut types = variant.fields.iter().map(|field| field.ty.id);
        if let Some(name) = types.find_map(|ty| text::fixed_point(self.types(), ty, &[])) {
            return Found::Changed(format!("an argument is a {name}, which counts in another unit"));
        }
        let sent = wires::names(&build(Edge::Nought));
        let taken = |name: &String| variant.fields.iter().any(|field| field.name.as_ref() == Some(name));
        let dropped: Vec<String> = sent.into_iter().filter(|name| !taken(name)).collect();
        match encode(Edge::Greatest) {
            Err(error) => Found::Close(format!("great values are not taken: {error}")),
            Ok(_) if !dropped.is_empty() => Found::Close(format!("it takes no {} any more", dropped.join(", no "))),
            Ok(_) => Found::Same,
        }
    }

    /// Whether every type of the arguments has an end: encoding follows them as deep as they go.
    fn bounded(&self, variant: &Variant<PortableForm>) -> Result<(), String> {
        variant.fields.iter().try_for_each(|field| {
            edges::value(self.types(), field.ty.id, Edge::Nought).map(drop).map_err(|error| error.to_string())
        })
    }

    fn arguments(&self, variant: &Variant<PortableForm>) -> String {
        let each = variant.fields.iter().map(|field| {
            let name = field.name.as_deref().unwrap_or("_");
            format!("{name}: {}", text::shown(self.types(), field.ty.id))
        });
        format!("({})", each.collect::<Vec<_>>().join(", "))
    }

    fn storage(&self, need: &Need, (keys, below): (&[Key], bool), reads: Reads) -> Found {
        let items = self.pallet(need).and_then(|pallet| pallet.storage());
        let Some(entry) = items.and_then(|items| items.entry_by_name(need.name)) else { return Found::Missing };
        let theirs: Vec<u32> = entry.keys().map(|key| key.key_id).collect();
        let enough = if below { theirs.len() > keys.len() } else { theirs.len() == keys.len() };
        if !enough {
            let each: Vec<String> = theirs.iter().map(|key| text::shown(self.types(), *key)).collect();
            return Found::Changed(format!("its keys are ({})", each.join(", ")));
        }
        let keyed = self.keyed(keys, &theirs);
        keyed.worse(self.reads(entry.value_ty(), reads))
    }

    /// Whether keys, or arguments, can be given as these types.
    fn keyed(&self, keys: &[Key], types: &[u32]) -> Found {
        let mut found = Found::Same;
        for (key, ty) in keys.iter().zip(types) {
            let shown = text::shown(self.types(), *ty);
            if let Err(error) = edges::value(self.types(), *ty, Edge::Nought) {
                return Found::Changed(format!("its key {shown}: {error}"));
            }
            if let Some(name) = text::fixed_point(self.types(), *ty, &[]) {
                return Found::Changed(format!("its key is a {name}"));
            }
            if let Err(error) = wires::encoded(*key, Edge::Nought, *ty, self.types()) {
                return Found::Changed(format!("its key is {shown}: {error}"));
            }
            if let Err(error) = wires::encoded(*key, Edge::Greatest, *ty, self.types()) {
                found = Found::Close(format!("its key is {shown}: great values are not taken: {error}"));
            }
        }
        found
    }

    /// Whether values of a type can be read.
    fn reads(&self, ty: u32, reads: Reads) -> Found {
        let shown = || text::shown(self.types(), ty);
        match reads {
            Reads::Library => Found::Same,
            Reads::Exactly(wanted) => {
                let theirs = text::bare(self.types(), ty);
                if theirs == wanted { Found::Same } else { Found::Changed(format!("it is {theirs}, not {wanted}")) }
            }
            Reads::Typed { text: ours, decode, fields } => {
                let mut found = Found::Same;
                for edge in EDGES {
                    let bytes = match edges::value(self.types(), ty, edge) {
                        Ok(bytes) => bytes,
                        Err(error) => return Found::Changed(format!("it is {}: {error}", shown())),
                    };
                    let Err(error) = decode(&mut &bytes[..], ty, self.types()) else { continue };
                    if edge == Edge::Nought {
                        return Found::Changed(format!("it is {}, not {ours}: {error}", shown()));
                    }
                    found = Found::Close(format!("it is {}: read while its values fit {ours}", shown()));
                }
                match text::fixed_point(self.types(), ty, fields) {
                    Some(name) => Found::Changed(format!("a number in it is a {name}, which counts in another unit")),
                    None => found,
                }
            }
        }
    }

    fn event(&self, need: &Need, fields: Option<&str>) -> Found {
        let events = self.pallet(need).and_then(|pallet| pallet.event_variants());
        let event = events.and_then(|events| events.iter().find(|event| event.name == need.name));
        let Some(event) = event else { return Found::Missing };
        let theirs = text::bare_fields(self.types(), &event.fields);
        match fields {
            Some(wanted) if theirs != wanted => Found::Changed(format!("its fields are {theirs}, not {wanted}")),
            _ => Found::Same,
        }
    }

    /// The first field has to be the reason, and among the reasons the one with a pallet's number and its error.
    fn failure(&self, need: &Need) -> Found {
        let events = self.pallet(need).and_then(|pallet| pallet.event_variants());
        let event = events.and_then(|events| events.iter().find(|event| event.name == need.name));
        let Some(event) = event else { return Found::Missing };
        let reason = event.fields.first().and_then(|field| self.types().resolve(field.ty.id));
        let is_reason = reason.and_then(|ty| ty.path.segments.last()).is_some_and(|name| name == "DispatchError");
        let Some(TypeDef::Variant(reasons)) = reason.filter(|_| is_reason).map(|ty| &ty.type_def) else {
            return Found::Changed("its first field is no DispatchError".to_owned());
        };
        let module = reasons.variants.iter().find(|variant| variant.name == "Module");
        let fields = module.map(|module| text::bare_fields(self.types(), &module.fields));
        match fields.as_deref() {
            Some("((u8, [u8; 4]))") => Found::Same,
            other => Found::Changed(format!("a pallet's error is {}", other.unwrap_or("not told apart"))),
        }
    }

    fn api(&self, need: &Need, args: &[Key], (reads, old): (Reads, bool)) -> Found {
        if !self.described.tells_apis() {
            return Found::Untold;
        }
        let found = self.metadata().runtime_api_trait_by_name(need.pallet);
        let Some(method) = found.and_then(|api| api.method_by_name(need.name)) else { return Found::Missing };
        let theirs: Vec<u32> = method.inputs().map(|input| input.id).collect();
        if theirs.len() != args.len() {
            let each: Vec<String> = theirs.iter().map(|input| text::shown(self.types(), *input)).collect();
            return Found::Changed(format!("it takes ({})", each.join(", ")));
        }
        if old && text::bare(self.types(), method.output_ty()) == "Vec<u8>" {
            let note = "its answer is bytes without a type: read as runtimes of early 2025 wrote them";
            return self.keyed(args, &theirs).worse(Found::Close(note.to_owned()));
        }
        self.keyed(args, &theirs).worse(self.reads(method.output_ty(), reads))
    }

    /// Signs a remark, which says nothing, as everything is signed.
    fn transaction(&self) -> Found {
        let remark = subxt::dynamic::transaction(
            "System",
            "remark",
            scale_value::Composite::named([("remark", Value::from_bytes([]))]),
        );
        let versions = self.metadata().extrinsic().supported_versions();
        if !versions.contains(&4) {
            return Found::Changed(format!("transactions are of form {versions:?}, not 4"));
        }
        let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .mortal_from_unchecked(ERA_BLOCKS, 1, H256::zero())
            .nonce(u64::from(u32::MAX))
            .build();
        let signer = Signer::from_seed(&[7; 32], Scheme::Sr25519);
        let unsigned = self.client.tx().create_v4_signable_offline(&remark, params);
        let signed = unsigned.and_then(|mut unsigned| unsigned.sign(&ExtrinsicSigner(&signer)).map(drop));
        signed.map_or_else(|error| Found::Changed(in_full(&error)), |()| Found::Same)
    }
}

impl Found {
    /// The worse of two.
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Changed(why), _) | (_, Self::Changed(why)) => Self::Changed(why),
            (Self::Close(note), Self::Same) | (Self::Same, Self::Close(note)) => Self::Close(note),
            (Self::Close(one), Self::Close(other)) => Self::Close(format!("{one}; {other}")),
            (_, other) => other,
        }
    }
}

fn in_full(error: &impl std::error::Error) -> String {
    aml_miner::error_chain::with_causes(error)
}
