//! What a runtime offers, by name: for a chain that is to lack what another runtime lacks.

use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use parity_scale_codec::Decode as _;
use scale_info::TypeDef;

use super::metadata::{Metadata, PALLET};
use super::spec::{Generation, Spec};

impl Generation {
    /// The family that a runtime of this version is likely to be of: the newest that is not newer.
    #[must_use]
    pub const fn near(version: u32) -> Self {
        match version {
            0..381 => Self::G218,
            381..463 => Self::G381,
            _ => Self::G463,
        }
    }

    /// Everything that may be left out of it ([`Config::without`](super::Config::without)): storage items and calls of
    /// Subtensor's pallet, methods of runtime APIs.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        names(self.spec())
    }
}

fn names(spec: Spec) -> Vec<String> {
    let encoded = Metadata::of(spec, &[]).v15;
    let Ok(RuntimeMetadataPrefixed(_, RuntimeMetadata::V15(metadata))) =
        RuntimeMetadataPrefixed::decode(&mut &encoded[..])
    else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for pallet in metadata.pallets.iter().filter(|pallet| pallet.name == PALLET) {
        names.extend(pallet.storage.iter().flat_map(|storage| &storage.entries).map(|entry| entry.name.clone()));
        let calls = pallet.calls.as_ref().and_then(|calls| metadata.types.resolve(calls.ty.id));
        if let Some(TypeDef::Variant(calls)) = calls.map(|ty| &ty.type_def) {
            names.extend(calls.variants.iter().map(|call| call.name.clone()));
        }
    }
    names.extend(metadata.apis.iter().flat_map(|api| &api.methods).map(|method| method.name.clone()));
    names
}
