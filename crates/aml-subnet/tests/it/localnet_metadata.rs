//! What the development chain says of itself, beside what real runtimes say of themselves.

use std::collections::BTreeMap;

use aml_subnet::localnet::{Config, Generation, Localnet};
use frame_metadata::v15::{PalletMetadata, RuntimeMetadataV15, StorageEntryType};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use parity_scale_codec::Decode;
use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, TypeDef};

use crate::common::shared;

/// The metadata of a runtime as the chain serves it.
async fn served(generation: Generation) -> RuntimeMetadataV15 {
    let config = Config { generation, block_time: None, ..Config::default() };
    let localnet = Localnet::start(config).await.expect("port 0 is free");
    let client = HttpClientBuilder::default().build(localnet.http_url()).expect("a client");
    let version_15 = "0x0f000000";
    let text: String =
        client.request("state_call", rpc_params!["Metadata_metadata_at_version", version_15]).await.expect("answers");
    let raw = hex::decode(text.trim_start_matches("0x")).expect("hex");
    let inner = Option::<Vec<u8>>::decode(&mut &raw[..]).expect("an option of bytes").expect("has version 15");
    must_decode(&inner)
}

fn must_decode(bytes: &[u8]) -> RuntimeMetadataV15 {
    match RuntimeMetadataPrefixed::decode(&mut &*bytes).expect("metadata").1 {
        RuntimeMetadata::V15(metadata) => metadata,
        _ => panic!("not version 15"),
    }
}

/// A type without its names, as deep as it goes; enums and recursive types by their last name only.
fn shape(registry: &PortableRegistry, id: u32, depth: usize) -> String {
    let ty = registry.resolve(id).expect("a type");
    let inner = |id: u32| shape(registry, id, depth + 1);
    let name = ty.path.segments.last().cloned().unwrap_or_default();
    if depth > 8 || name.starts_with("Runtime") {
        return name;
    }
    match &ty.type_def {
        TypeDef::Composite(fields) if fields.fields.is_empty() => "()".to_owned(),
        TypeDef::Composite(fields) if fields.fields.len() == 1 && fields.fields[0].name.is_none() => {
            inner(fields.fields[0].ty.id)
        }
        TypeDef::Composite(fields) => {
            let field = |f: &scale_info::Field<PortableForm>| format!("{:?}:{}", f.name, inner(f.ty.id));
            format!("{{{}}}", fields.fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        TypeDef::Variant(variants) if name == "Option" => {
            let some = variants.variants.iter().find_map(|v| v.fields.first());
            format!("Option<{}>", some.map_or_else(String::new, |f| inner(f.ty.id)))
        }
        TypeDef::Variant(_) => name,
        TypeDef::Sequence(of) => format!("[{}]", inner(of.type_param.id)),
        TypeDef::Array(of) => format!("[{};{}]", inner(of.type_param.id), of.len),
        TypeDef::Tuple(of) => format!("({})", of.fields.iter().map(|f| inner(f.id)).collect::<Vec<_>>().join(",")),
        TypeDef::Primitive(primitive) => format!("{primitive:?}"),
        TypeDef::Compact(of) => format!("C<{}>", inner(of.type_param.id)),
        TypeDef::BitSequence(_) => "bits".to_owned(),
    }
}

/// Everything that a client can rely on, one line each, by its name.
fn promises(metadata: &RuntimeMetadataV15) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for pallet in &metadata.pallets {
        let at = |what: &str, name: &str| format!("{} {what} {name}", pallet.name);
        lines.insert(at("index", ""), pallet.index.to_string());
        variants(metadata, pallet.calls.as_ref().map(|c| c.ty.id), |name, line| {
            drop(lines.insert(at("call", name), line))
        });
        variants(metadata, pallet.error.as_ref().map(|c| c.ty.id), |name, line| {
            drop(lines.insert(at("error", name), line))
        });
        variants(metadata, pallet.event.as_ref().map(|c| c.ty.id), |name, line| {
            drop(lines.insert(at("event", name), line))
        });
        for (name, line) in storage(metadata, pallet) {
            lines.insert(at("storage", &name), line);
        }
    }
    for api in &metadata.apis {
        for method in &api.methods {
            let inputs: Vec<_> = method.inputs.iter().map(|i| shape(&metadata.types, i.ty.id, 0)).collect();
            let line = format!("{inputs:?} -> {}", shape(&metadata.types, method.output.id, 0));
            lines.insert(format!("{} api {}", api.name, method.name), line);
        }
    }
    let extensions: Vec<_> = metadata
        .extrinsic
        .signed_extensions
        .iter()
        .map(|e| {
            format!(
                "{} {} {}",
                e.identifier,
                shape(&metadata.types, e.ty.id, 0),
                shape(&metadata.types, e.additional_signed.id, 0)
            )
        })
        .collect();
    lines.insert("extensions".into(), extensions.join("; "));
    lines
}

fn variants(metadata: &RuntimeMetadataV15, id: Option<u32>, mut each: impl FnMut(&str, String)) {
    let Some(TypeDef::Variant(all)) = id.and_then(|id| metadata.types.resolve(id)).map(|ty| &ty.type_def) else {
        return;
    };
    for variant in all.variants.iter().filter(|variant| !variant.name.starts_with("Unused")) {
        let fields: Vec<_> =
            variant.fields.iter().map(|f| format!("{:?}:{}", f.name, shape(&metadata.types, f.ty.id, 0))).collect();
        each(&variant.name, format!("{} {fields:?}", variant.index));
    }
}

fn storage(metadata: &RuntimeMetadataV15, pallet: &PalletMetadata<PortableForm>) -> Vec<(String, String)> {
    let entries = pallet.storage.iter().flat_map(|storage| &storage.entries);
    let line = |entry: &frame_metadata::v15::StorageEntryMetadata<PortableForm>| {
        let ty = match &entry.ty {
            StorageEntryType::Plain(value) => shape(&metadata.types, value.id, 0),
            StorageEntryType::Map { hashers, key, value } => {
                let (key, value) = (shape(&metadata.types, key.id, 0), shape(&metadata.types, value.id, 0));
                format!("{hashers:?} {key} -> {value}")
            }
        };
        (entry.name.clone(), format!("{:?} {ty}", entry.modifier))
    };
    entries.map(line).collect()
}

/// What this chain promises differently from the real runtime, line by line.
async fn differences(generation: Generation, file: &str) -> Option<Vec<String>> {
    let real = std::fs::read(shared(&format!("chain/{file}"))?).expect("readable");
    let real = promises(&must_decode(&real));
    let ours = promises(&served(generation).await);
    assert!(ours.len() > 150, "the comparison must have something to compare, not {} lines", ours.len());
    let differs = |(name, line): (String, String)| match real.get(&name) {
        Some(theirs) if *theirs == line => None,
        Some(theirs) => Some(format!("{name}: ours {line}, theirs {theirs}")),
        None => Some(format!("{name}: theirs has none")),
    };
    Some(ours.into_iter().filter_map(differs).collect())
}

#[tokio::test]
async fn nothing_is_promised_that_runtime_381_does_not_have() {
    let Some(differences) = differences(Generation::G381, "metadata_381_v15_converted.scale").await else { return };
    // notes are not kept here, so their many shapes are not listed; extrinsics are opaque bytes either way
    let known = ["Commitments storage", "TransactionPaymentApi api query_info", "TransactionPayment error"];
    let unknown: Vec<_> =
        differences.iter().filter(|line| !known.iter().any(|known| line.starts_with(known))).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[tokio::test]
async fn calls_storage_and_errors_of_runtime_218_are_its_own() {
    let Some(differences) = differences(Generation::G218, "metadata_218_v15.scale").await else { return };
    // events keep the numbers of the newer runtime, and its shapes: clients find them by name
    let known = [" event ", "Commitments storage", "TransactionPaymentApi api query_info", "System storage Events"];
    let unknown: Vec<_> = differences.iter().filter(|line| !known.iter().any(|known| line.contains(known))).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
