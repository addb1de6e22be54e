//! Whether a runtime has what we use, told by metadata that is made up: the development chain's, with one thing changed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use aml_subnet::localnet::{Config, Generation, Localnet};
use aml_subnet::subtensor::runtime::{Finding, NotMetadata, Report, State, Verdict, check};
use frame_metadata::v15::{RuntimeMetadataV15, StorageEntryMetadata, StorageEntryType};
use frame_metadata::{META_RESERVED, RuntimeMetadata, RuntimeMetadataPrefixed};
use jsonrpsee::core::client::ClientT;
use jsonrpsee::http_client::HttpClientBuilder;
use jsonrpsee::rpc_params;
use parity_scale_codec::{Decode as _, Encode as _};
use scale_info::form::PortableForm;
use scale_info::{Field, Path as TypePath, PortableType, Type, TypeDef, TypeDefPrimitive, Variant};

use crate::common::shared;

/// The answer of a chain that asks for its metadata in a version.
pub(crate) async fn answered(localnet: &Localnet, version: u32) -> Vec<u8> {
    let client = HttpClientBuilder::default().build(localnet.http_url()).expect("a client");
    let version = format!("0x{}", hex::encode(version.encode()));
    let params = rpc_params!["Metadata_metadata_at_version", version];
    let text: String = client.request("state_call", params).await.expect("answers");
    hex::decode(text.trim_start_matches("0x")).expect("hex")
}

async fn served(generation: Generation) -> Vec<u8> {
    let config = Config { generation, block_time: None, ..Config::default() };
    let localnet = Localnet::start(config).await.expect("port 0 is free");
    Option::<Vec<u8>>::decode(&mut &answered(&localnet, 15).await[..]).expect("bytes").expect("version 15")
}

/// Metadata that is changed before it is looked at.
struct Draft(RuntimeMetadataV15);

impl Draft {
    async fn of(generation: Generation) -> Self {
        match RuntimeMetadataPrefixed::decode(&mut &served(generation).await[..]).expect("metadata").1 {
            RuntimeMetadata::V15(metadata) => Self(metadata),
            _ => panic!("not version 15"),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        RuntimeMetadataPrefixed(META_RESERVED, RuntimeMetadata::V15(self.0.clone())).encode()
    }

    fn report(&self) -> Report {
        check(&self.bytes()).expect("metadata")
    }

    fn primitive(&mut self, primitive: TypeDefPrimitive) -> u32 {
        self.add(TypePath::default(), TypeDef::Primitive(primitive))
    }

    fn add(&mut self, path: TypePath<PortableForm>, def: impl Into<TypeDef<PortableForm>>) -> u32 {
        let id = u32::try_from(self.0.types.types.len()).expect("few types");
        self.0.types.types.push(PortableType::new(id, Type::new(path, [], def, Vec::new())));
        id
    }

    /// A number of the form `name { bits: u64 }`.
    fn fixed_point(&mut self, name: &str) -> u32 {
        let bits = self.primitive(TypeDefPrimitive::U64);
        let field = Field::new(Some("bits".to_owned()), bits.into(), None, Vec::new());
        let path = TypePath::from_segments_unchecked([name.to_owned()]);
        self.add(path, scale_info::TypeDefComposite::new([field]))
    }

    fn item(&mut self, name: &str) -> &mut StorageEntryMetadata<PortableForm> {
        let pallets = self.0.pallets.iter_mut();
        let mut items = pallets.flat_map(|pallet| pallet.storage.iter_mut().flat_map(|storage| &mut storage.entries));
        items.find(|item| item.name == name).expect("an item")
    }

    fn set_value(&mut self, item: &str, ty: u32) {
        match &mut self.item(item).ty {
            StorageEntryType::Plain(value) | StorageEntryType::Map { value, .. } => *value = ty.into(),
        }
    }

    /// A call or an event of the pallet, or of the system.
    fn variant(&mut self, name: &str) -> &mut Variant<PortableForm> {
        let types = self.0.types.types.iter_mut().filter(|ty| ty.ty.path.segments.len() > 1);
        let mut variants = types.filter_map(|ty| match &mut ty.ty.type_def {
            TypeDef::Variant(all) => all.variants.iter_mut().find(|variant| variant.name == name),
            _ => None,
        });
        variants.next().expect("a variant")
    }

    /// The type of an API's answer, below the option or list it is in.
    fn answer(&mut self, method: &str) -> u32 {
        let mut methods = self.0.apis.iter().flat_map(|api| &api.methods);
        let output = methods.find(|found| found.name == method).expect("a method").output.id;
        match &self.0.types.resolve(output).expect("a type").type_def {
            TypeDef::Variant(option) => {
                option.variants.iter().find_map(|some| some.fields.first()).expect("some").ty.id
            }
            TypeDef::Sequence(list) => list.type_param.id,
            _ => output,
        }
    }

    fn fields(&mut self, ty: u32) -> &mut Vec<Field<PortableForm>> {
        let ty = self.0.types.types.iter_mut().find(|found| found.id == ty).expect("a type");
        match &mut ty.ty.type_def {
            TypeDef::Composite(composite) => &mut composite.fields,
            _ => panic!("no struct"),
        }
    }
}

#[track_caller]
fn must_find<'a>(report: &'a Report, name: &str) -> &'a Finding {
    let is_named = |finding: &&Finding| finding.name.rsplit('.').next() == Some(name);
    report.findings.iter().find(is_named).unwrap_or_else(|| panic!("nothing is said of {name}"))
}

/// Whether a piece of work is done, and how.
#[track_caller]
pub(crate) fn must_tell<'a>(report: &'a Report, service: &str) -> (Option<bool>, &'a str) {
    let found = report.services.iter().find(|found| found.name == service);
    let found = found.unwrap_or_else(|| panic!("nothing is said of {service}"));
    (found.works, &found.how)
}

#[tokio::test]
async fn every_runtime_of_the_development_chain_can_be_worked_with() {
    for (generation, verdict, commits) in [
        (Generation::G218, Verdict::WorksWithLess, "hash commits"),
        (Generation::G381, Verdict::WorksWithLess, "timelocked"),
        (Generation::G463, Verdict::Works, "timelocked"),
    ] {
        let report = Draft::of(generation).await.report();
        assert_eq!(report.verdict, verdict, "{report}");
        assert_eq!(must_tell(&report, "weights that are committed"), (Some(true), commits), "{report}");
        let changed = report.findings.iter().filter(|finding| finding.state == State::Changed).count();
        assert_eq!(changed, 0, "{report}");
    }
}

#[tokio::test]
async fn an_item_that_is_missing_is_told_with_what_happens_then() {
    let mut draft = Draft::of(Generation::G463).await;
    for pallet in &mut draft.0.pallets {
        pallet.storage.iter_mut().for_each(|storage| {
            storage.entries.retain(|item| !["Tempo", "Burn"].contains(&item.name.as_str()));
        });
    }
    let report = draft.report();
    assert_eq!((report.verdict, report.metadata_version), (Verdict::Broken, 15));
    assert_eq!(must_find(&report, "Tempo").state, State::Missing);
    let burn = must_find(&report, "Burn");
    assert_eq!((burn.state, burn.consequence.as_deref()), (State::Missing, Some("shown as unknown")));
    let said = (Some(false), "Tempo is missing");
    assert_eq!(must_tell(&report, "rules of the subnet"), said);
    assert_eq!(must_tell(&report, "weights in the clear").0, Some(false));
    assert_eq!(must_tell(&report, "neurons"), (Some(true), "get_metagraph"));
}

#[tokio::test]
async fn an_item_that_we_can_do_without_is_needed_as_it_was_where_it_is_there() {
    let mut draft = Draft::of(Generation::G463).await;
    let text = draft.primitive(TypeDefPrimitive::Str);
    draft.set_value("Burn", text);
    let report = draft.report();
    let burn = must_find(&report, "Burn");
    assert_eq!(burn.state, State::Changed);
    assert!(
        burn.difference.as_deref().is_some_and(|difference| difference.starts_with("it is str, not u64")),
        "{burn:?}"
    );
    assert_eq!((report.verdict, must_tell(&report, "rules of the subnet").0), (Verdict::Broken, Some(false)));
}

#[tokio::test]
async fn a_wider_number_is_read_while_its_values_fit_and_a_narrower_one_always() {
    let mut draft = Draft::of(Generation::G463).await;
    let (wide, narrow) = (draft.primitive(TypeDefPrimitive::U128), draft.primitive(TypeDefPrimitive::U8));
    draft.set_value("Burn", wide);
    draft.set_value("Tempo", narrow);
    let report = draft.report();
    assert_eq!(must_find(&report, "Burn").state, State::Close);
    assert_eq!(must_find(&report, "Tempo").state, State::Same);
    assert_eq!(report.verdict, Verdict::Works);
    let signed = draft.primitive(TypeDefPrimitive::I16);
    draft.set_value("Tempo", signed);
    assert_eq!(must_find(&draft.report(), "Tempo").state, State::Close, "it may be below nought");
}

#[tokio::test]
async fn a_number_that_counts_in_another_unit_is_no_number() {
    let mut draft = Draft::of(Generation::G463).await;
    let fixed = draft.fixed_point("FixedU64");
    draft.set_value("Burn", fixed);
    let metagraph = draft.answer("get_metagraph");
    let report = draft.report();
    let burn = must_find(&report, "Burn");
    assert_eq!(burn.state, State::Changed);
    assert!(burn.difference.as_deref().is_some_and(|why| why.contains("FixedU64")), "{burn:?}");
    assert_eq!(must_find(&report, "get_metagraph").state, State::Same, "what is not read may be of any unit");
    // Now a number that is read, deep within an answer.
    let stakes = draft.add(TypePath::default(), scale_info::TypeDefSequence::new(fixed.into()));
    for field in draft.fields(metagraph) {
        if field.name.as_deref() == Some("total_stake") {
            field.ty = stakes.into();
        }
    }
    let report = draft.report();
    assert_eq!(must_find(&report, "get_metagraph").state, State::Changed);
    assert_eq!(must_tell(&report, "neurons").0, Some(false), "no other way is tried where this one is there");
}

#[tokio::test]
async fn arguments_that_come_go_or_change_are_told() {
    let call = "commit_timelocked_weights";
    let mut draft = Draft::of(Generation::G463).await;
    let number = draft.primitive(TypeDefPrimitive::U16);
    draft.variant(call).fields.push(Field::new(Some("tip".to_owned()), number.into(), None, Vec::new()));
    let report = draft.report();
    let found = must_find(&report, call);
    assert_eq!(found.state, State::Changed);
    let told = found.difference.as_deref().unwrap_or_default();
    assert!(told.contains("tip") && told.contains("reveal_round: u64"), "{told}");
    assert_eq!(must_tell(&report, "weights that are committed").0, Some(false), "and nothing else is tried");
    assert_eq!(must_tell(&report, "weights in the clear").0, Some(true));

    draft
        .variant(call)
        .fields
        .retain(|field| !["tip", "reveal_round"].contains(&field.name.as_deref().expect("a name")));
    let report = draft.report();
    let found = must_find(&report, call);
    assert_eq!((found.state, found.difference.as_deref()), (State::Close, Some("it takes no reveal_round any more")));

    let narrow = draft.primitive(TypeDefPrimitive::U8);
    draft.variant("serve_axon").fields.iter_mut().for_each(|field| {
        if field.name.as_deref() == Some("port") {
            field.ty = narrow.into();
        }
    });
    assert_eq!(must_find(&draft.report(), "serve_axon").state, State::Close, "ports above 255 are not taken");
    let fixed = draft.fixed_point("FixedU64");
    draft.variant("serve_axon").fields[1].ty = fixed.into();
    assert_eq!(must_find(&draft.report(), "serve_axon").state, State::Changed);
    assert_eq!(draft.report().verdict, Verdict::Broken);
}

#[tokio::test]
async fn keys_events_and_refusals_are_looked_at_too() {
    let mut draft = Draft::of(Generation::G463).await;
    let StorageEntryType::Map { hashers, value, .. } = draft.item("LastUpdate").ty.clone() else { panic!("no map") };
    draft.item("Tempo").ty = StorageEntryType::Plain(value);
    draft.item("Burn").ty = StorageEntryType::Map { hashers, key: value, value };
    let wide = draft.primitive(TypeDefPrimitive::U64);
    let narrow = draft.primitive(TypeDefPrimitive::U8);
    let StorageEntryType::Map { key, .. } = &mut draft.item("LastUpdate").ty else { panic!("no map") };
    *key = wide.into();
    let StorageEntryType::Map { key, .. } = &mut draft.item("ImmunityPeriod").ty else { panic!("no map") };
    *key = narrow.into();
    draft.variant("TimelockedWeightsRevealed").fields.truncate(1);
    draft.variant("SettingWeightsTooFast").name = "TooFast".to_owned();
    let report = draft.report();
    let state = |name: &str| must_find(&report, name).state;
    assert_eq!((state("Tempo"), state("Burn")), (State::Changed, State::Changed), "a key less, a list as key");
    assert_eq!(state("LastUpdate"), State::Same, "a wider key takes every number");
    assert_eq!(state("ImmunityPeriod"), State::Close, "a narrower one does not");
    assert_eq!(state("TimelockedWeightsRevealed"), State::Changed);
    assert_eq!(state("SettingWeightsTooFast"), State::Missing);
}

#[tokio::test]
async fn a_transaction_that_wants_more_cannot_be_signed() {
    let mut draft = Draft::of(Generation::G463).await;
    assert_eq!(must_find(&draft.report(), "signed transaction").state, State::Same);
    let number = draft.primitive(TypeDefPrimitive::U64);
    let empty = draft.0.extrinsic.signed_extensions[0].clone();
    let mut asked = empty.clone();
    (asked.identifier, asked.ty) = ("CheckPoem".to_owned(), number.into());
    draft.0.extrinsic.signed_extensions.push(asked);
    let report = draft.report();
    assert_eq!(must_find(&report, "signed transaction").state, State::Changed);
    assert_eq!((report.verdict, must_tell(&report, "transactions").0), (Verdict::Broken, Some(false)));
    let last = draft.0.extrinsic.signed_extensions.last_mut().expect("an extension");
    last.ty = empty.ty;
    assert_eq!(
        must_find(&draft.report(), "signed transaction").state,
        State::Same,
        "one that asks for nothing is no matter"
    );
}

#[tokio::test]
async fn types_without_end_cost_no_more_than_others() {
    let mut draft = Draft::of(Generation::G463).await;
    let own = u32::try_from(draft.0.types.types.len()).expect("few types");
    let within = Field::new(None, own.into(), None, Vec::new());
    let endless = draft.add(TypePath::default(), scale_info::TypeDefComposite::new([within]));
    assert_eq!(endless, own);
    let unit = draft.add(TypePath::default(), scale_info::TypeDefTuple::new_portable([]));
    let wide = draft.add(TypePath::default(), scale_info::TypeDefArray::new(u32::MAX, unit.into()));
    draft.set_value("Tempo", endless);
    draft.set_value("Burn", wide);
    draft.set_value("Pulses", endless);
    draft.set_value("Now", wide);
    draft.variant("serve_axon").fields[0].ty = endless.into();
    draft.variant("set_weights").fields[0].ty = wide.into();
    let StorageEntryType::Map { key, .. } = &mut draft.item("LastUpdate").ty else { panic!("no map") };
    *key = endless.into();
    // Thirty of thirty of thirty, twelve times: as the items of a list that is empty they take no bytes at all.
    let mut broad = unit;
    for _ in 0..12 {
        broad = draft.add(TypePath::default(), scale_info::TypeDefTuple::new_portable([broad.into(); 30]));
    }
    let none = draft.add(TypePath::default(), scale_info::TypeDefArray::new(0, broad.into()));
    let StorageEntryType::Map { key, .. } = &mut draft.item("ServingRateLimit").ty else { panic!("no map") };
    *key = none.into();
    let some = scale_info::Variant::<scale_info::form::PortableForm> {
        name: "Some".into(),
        fields: vec![Field::new(None, broad.into(), None, Vec::new())],
        index: 1,
        docs: Vec::new(),
    };
    let option = scale_info::Path { segments: vec!["Option".into()] };
    let maybe = draft.add(option, scale_info::TypeDefVariant::new([some]));
    draft.set_value("Weights", maybe);
    let report = draft.report();
    for name in
        ["Tempo", "Burn", "Pulses", "Now", "serve_axon", "set_weights", "LastUpdate", "ServingRateLimit", "Weights"]
    {
        assert_eq!(must_find(&report, name).state, State::Changed, "{name}");
    }
}

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).expect("small")).expect("small")
    }
}

#[tokio::test]
async fn metadata_that_is_damaged_anywhere_is_judged_or_refused() {
    let sound = served(Generation::G463).await;
    let (mut dice, mut refused) = (Dice(7), 0);
    for _ in 0..200 {
        let mut bytes = sound.clone();
        for _ in 0..=dice.below(3) {
            let at = 5 + dice.below(bytes.len() - 5);
            match dice.below(3) {
                0 => bytes[at] ^= 1 << dice.below(8),
                1 => bytes[at] = [0, 0xff, 0xfe, 0x80][dice.below(4)],
                _ => drop(bytes.remove(at)),
            }
        }
        refused += u32::from(check(&bytes).is_err());
    }
    assert!((1..200).contains(&refused), "{refused} of 200 are refused");
}

#[tokio::test]
async fn metadata_is_read_in_the_forms_in_which_people_have_it() {
    let localnet = Localnet::start(Config { block_time: None, ..Config::default() }).await.expect("it starts");
    let answer = answered(&localnet, 15).await;
    let raw = Option::<Vec<u8>>::decode(&mut &answer[..]).expect("bytes").expect("version 15");
    let digits = hex::encode(&raw);
    let wanted = check(&raw).expect("metadata");
    let json = format!(r#"{{"jsonrpc":"2.0","id":1,"result":"0x{digits}"}}"#);
    let forms =
        [answer.clone(), raw.encode(), digits.clone().into_bytes(), format!("0x{digits}\n").into(), json.into()];
    for form in forms.into_iter().chain([format!("0x{}", hex::encode(&answer)).into()]) {
        assert_eq!(check(&form).expect("metadata"), wanted);
    }
    let old = Option::<Vec<u8>>::decode(&mut &answered(&localnet, 14).await[..]).expect("bytes").expect("version 14");
    let told = check(&old).expect("metadata");
    assert_eq!((told.metadata_version, told.verdict), (14, Verdict::Unknown), "it tells of no runtime APIs");
    assert_eq!(must_tell(&told, "weights in the clear").0, Some(true));
}

#[tokio::test]
async fn what_is_no_metadata_is_told_apart() {
    let draft = Draft::of(Generation::G463).await;
    let raw = draft.bytes();
    let refusal = |bytes: &[u8]| check(bytes).expect_err("no metadata of a Subtensor");
    assert!(matches!(refusal(b"\0asm\x01\0\0\0"), NotMetadata::Program));
    assert!(matches!(refusal(b"0x0061736d01000000"), NotMetadata::Program));
    for nothing in [&b""[..], b"meta", b"{}", b"0x", b"hello", &[0xff; 40]] {
        assert!(matches!(refusal(nothing), NotMetadata::Other), "{nothing:?}");
    }
    assert!(matches!(refusal(&raw[..raw.len() / 2]), NotMetadata::Damaged(_)));
    let other_version = [b"meta", &[13][..], &raw[5..]].concat();
    assert!(matches!(refusal(&other_version), NotMetadata::Version(13)));
    let mut draft = draft;
    draft.0.pallets.retain(|pallet| pallet.name != "SubtensorModule");
    assert!(matches!(refusal(&draft.bytes()), NotMetadata::OtherChain));
    assert!(matches!(refusal(&vec![b'0'; 17 << 20]), NotMetadata::TooLong(_)));
}

#[test]
fn metadata_of_real_runtimes_is_understood() {
    let expected = [
        ("metadata_218_v14.scale", 218, Verdict::Unknown, None),
        ("metadata_218_v15.scale", 218, Verdict::WorksWithLess, Some("hash commits")),
        ("metadata_381_v15_converted.scale", 381, Verdict::WorksWithLess, Some("timelocked")),
        ("metadata_381_v16.scale", 381, Verdict::WorksWithLess, Some("timelocked")),
    ];
    for (file, version, verdict, commits) in expected {
        let Some(path) = shared(&format!("chain/{file}")) else { return };
        let report = check(&std::fs::read(path).expect("readable")).expect("metadata");
        assert_eq!((report.spec_version, report.verdict), (version, verdict), "{file}: {report}");
        if let Some(commits) = commits {
            assert_eq!(must_tell(&report, "weights that are committed"), (Some(true), commits), "{file}");
        }
    }
}

/// Words in quotes that look like the name of a pallet, an item or an event.
fn words(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().take_while(|line| *line != "#[cfg(test)]");
    let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted.filter(|word| {
        word.len() > 2
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && word.chars().all(|letter| letter.is_ascii_alphanumeric())
            && word.chars().any(|letter| letter.is_ascii_lowercase())
    })
}

#[tokio::test]
async fn nothing_that_the_client_names_is_forgotten() {
    let report = Draft::of(Generation::G463).await.report();
    let told: BTreeSet<&str> = report.findings.iter().flat_map(|finding| finding.name.split('.')).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/subtensor");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()) {
        if file.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&file).expect("readable");
        for word in words(&source).filter(|word| !["Immediately", "Development"].contains(word)) {
            assert!(told.contains(word), "{word} of {} is not looked for in metadata", file.display());
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen} names were seen");
}

fn run(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
    command.args(arguments).arg(file).env_clear().current_dir(file.parent().expect("a folder")).stdin(Stdio::null());
    command.output().expect("it runs")
}

#[tokio::test]
async fn the_command_says_it_in_words_in_json_and_by_its_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("metadata");
    let mut draft = Draft::of(Generation::G463).await;
    let check = ["chain", "check-metadata"];
    std::fs::write(&file, hex::encode(draft.bytes())).expect("written");
    let output = run(&check, &file);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("same     storage   SubtensorModule.Tempo\n"), "{text}");
    assert!(text.ends_with("a neuron works with this runtime\n"), "{text}");

    draft.variant("serve_axon").name = "announce_axon".to_owned();
    std::fs::write(&file, draft.bytes()).expect("written");
    let output = run(&["chain", "check-metadata", "--json"], &file);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((report["verdict"].as_str(), report["spec_version"].as_u64()), (Some("broken"), Some(463)));

    std::fs::write(&file, "hello").expect("written");
    let output = run(&check, &file);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("it is no metadata"));
    assert_eq!(run(&check, &folder.path().join("absent")).status.code(), Some(2));
}

#[tokio::test]
async fn a_chain_that_resembles_a_runtime_lacks_what_it_lacks() {
    let mut draft = Draft::of(Generation::G381).await;
    for pallet in draft.0.pallets.iter_mut().filter(|pallet| pallet.name == "SubtensorModule") {
        pallet.storage.iter_mut().for_each(|storage| storage.entries.retain(|item| item.name != "Burn"));
    }
    draft.0.apis.iter_mut().for_each(|api| api.methods.retain(|method| method.name != "get_metagraph"));
    let like =
        aml_subnet::subtensor::runtime::likeness(&draft.bytes(), Generation::near(400).names()).expect("metadata");
    assert_eq!((Generation::near(400), like.spec_version), (Generation::G381, 381));
    assert_eq!(like.lacks, ["Burn", "get_metagraph"]);
    let config = Config {
        generation: Generation::near(400),
        spec_version: Some(400),
        without: like.lacks,
        block_time: None,
        ..Config::default()
    };
    let localnet = Localnet::start(config).await.expect("it starts");
    let report = check(&answered(&localnet, 15).await).expect("metadata");
    assert_eq!(report.spec_version, 400);
    assert_eq!(must_find(&report, "Burn").state, State::Missing);
    assert_eq!(must_tell(&report, "neurons"), (Some(true), "get_neurons_lite and get_subnet_state"));
}
