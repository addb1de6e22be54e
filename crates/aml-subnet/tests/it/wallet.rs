//! Hotkeys written by the public SDKs open, with the key they hold; what is mixed up is refused.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use aml_subnet::wallet::keyfile::{self, KeyfileError};
use aml_subnet::wallet::{Hotkey, HotkeyFileError, Scheme, Signer, WalletArgs, unmask_password, verify};
use proptest::prelude::*;
use serde_json::Value;

use crate::common::{dev_key, must_read_json, must_text, shared};

const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

fn no_environment(_: &str) -> Option<OsString> {
    None
}

fn hotkey_files(root: &Path, sdk: &str) -> Vec<Value> {
    let expected = must_read_json(&root.join(sdk).join("expected.json"));
    let files = expected["files"].as_array().expect("a list").clone();
    let relevant = |file: &Value| {
        let name = must_text(file, "file");
        (name.contains("/hotkeys/") || name.contains("other_encryptions"))
            && file["public_only"].as_bool() != Some(true)
    };
    files.into_iter().filter(relevant).collect()
}

fn must_be_the_expected(signer: &Signer, expected: &Value) {
    let name = must_text(expected, "file");
    assert_eq!(signer.hotkey().to_string(), must_text(expected, "ss58Address"), "{name}");
    let scheme = if expected["cryptoType"] == 0 { Scheme::Ed25519 } else { Scheme::Sr25519 };
    assert_eq!(signer.scheme(), scheme, "{name}");
    let signature = signer.sign(b"challenge");
    assert!(verify(scheme, &signer.hotkey(), b"challenge", &signature), "{name}");
    assert!(!verify(scheme, &signer.hotkey(), b"challengf", &signature), "{name}");
}

#[test]
fn every_plain_hotkey_of_both_sdks_opens() {
    let Some(root) = shared("fixtures/bittensor/wallets") else { return };
    let mut opened = 0;
    for sdk in ["sdk10", "sdk11"] {
        for file in hotkey_files(&root, sdk).iter().filter(|file| file["encrypted"] == false) {
            let bytes = std::fs::read(root.join(sdk).join(must_text(file, "file"))).expect("readable");
            let signer = keyfile::read(&bytes, None).unwrap_or_else(|error| panic!("{file}: {error}"));
            must_be_the_expected(&signer, file);
            opened += 1;
        }
    }
    assert!(opened >= 10, "only {opened} files found");
}

#[test]
fn every_encrypted_hotkey_opens_with_its_password_only() {
    let Some(root) = shared("fixtures/bittensor/wallets") else { return };
    let mut opened = 0;
    for sdk in ["sdk10", "sdk11"] {
        for file in hotkey_files(&root, sdk).iter().filter(|file| file["encrypted"] == true) {
            let bytes = std::fs::read(root.join(sdk).join(must_text(file, "file"))).expect("readable");
            assert_eq!(keyfile::read(&bytes, None).unwrap_err(), KeyfileError::PasswordNeeded, "{file}");
            let signer = keyfile::read(&bytes, Some(must_text(file, "password")));
            must_be_the_expected(&signer.unwrap_or_else(|error| panic!("{file}: {error}")), file);
            opened += 1;
        }
    }
    assert_eq!(opened, 6);
}

#[test]
fn a_wrong_password_or_a_damaged_file_is_refused_alike() {
    let Some(root) = shared("fixtures/bittensor/wallets/sdk10/other_encryptions") else { return };
    let vault = std::fs::read(root.join("hotkey_ansible_vault")).expect("readable");
    let refusal = keyfile::read(&vault, Some("wrong")).unwrap_err().to_string();
    assert_eq!(refusal, "wrong password, or the file was damaged");
    for cut in [10, 30, vault.len() / 2, vault.len() - 2] {
        assert!(keyfile::read(&vault[..cut], Some("test-Password-1!")).is_err(), "cut at {cut}");
    }
}

#[test]
fn incomplete_files_open_as_in_sdk_11_and_mixed_up_ones_do_not() {
    let Some(root) = shared("fixtures/bittensor/wallets") else { return };
    let expected = must_read_json(&root.join("sdk11/expected.json"));
    let mut seen = 0;
    for case in expected["reads_sdk10_files"].as_array().expect("a list") {
        let name = must_text(case, "file");
        if !name.starts_with("variants/") {
            continue;
        }
        let result = keyfile::read(&std::fs::read(root.join("sdk10").join(name)).expect("readable"), None);
        match (name, case.get("sdk11")) {
            // The SDK opens it without a secret; a neuron has no use for that.
            ("variants/only_ss58_public", _) => assert_eq!(result.unwrap_err(), KeyfileError::PublicOnly),
            (_, Some(key)) => assert_eq!(result.expect(name).hotkey().to_string(), must_text(key, "ss58Address")),
            (_, None) => assert!(result.is_err(), "{name} must be refused: {case}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn phrases_paths_and_signatures_agree_with_the_sdks() {
    let Some(path) = shared("fixtures/bittensor/wallets/keys.json") else { return };
    let keys = must_read_json(&path);
    for case in keys["mnemonics"].as_array().expect("a list") {
        for scheme in Scheme::ALL {
            let signer = Signer::from_mnemonic(must_text(case, "mnemonic"), scheme).expect("a valid phrase");
            assert_eq!(signer.hotkey().to_string(), must_text(&case[scheme.name()], "ss58"));
        }
        let secret = hex::decode(&must_text(&case["sr25519"], "private_key_64")[2..]).expect("hex");
        let signer = Signer::from_private_key(&secret, Scheme::Sr25519).expect("a valid secret");
        assert_eq!(signer.hotkey().to_string(), must_text(&case["sr25519"], "ss58"));
    }
    for case in keys["uris"].as_array().expect("a list") {
        for scheme in Scheme::ALL {
            let signer = Signer::from_uri(must_text(case, "uri"), scheme).expect("a valid URI");
            assert_eq!(signer.hotkey().to_string(), must_text(case, scheme.name()));
        }
    }
    for case in keys["signatures"].as_array().expect("a list") {
        let scheme: Scheme = must_text(case, "scheme").parse().expect("a known scheme");
        let key = must_key(must_text(case, "public"));
        let message = hex::decode(must_text(case, "message_hex")).expect("hex");
        assert!(verify(scheme, &key, &message, &must_signature(must_text(case, "signature"))), "{case}");
        // The SDK 11 takes a signature over <Bytes>message</Bytes> for the message itself; we do not.
        assert!(!verify(scheme, &key, &message, &must_signature(must_text(case, "wrapped_signature"))), "{case}");
    }
}

fn must_key(text: &str) -> Hotkey {
    Hotkey::from_bytes(hex::decode(&text[2..]).expect("hex").try_into().expect("32 bytes"))
}

fn must_signature(text: &str) -> [u8; 64] {
    hex::decode(&text[2..]).expect("hex").try_into().expect("64 bytes")
}

/// Vectors of Substrate's own documentation (`subkey inspect`), for what the captured keys lack.
#[test]
fn soft_paths_and_passwords_follow_substrate() {
    let key = |uri: &str| Signer::from_uri(uri, Scheme::Sr25519).map(|signer| signer.hotkey().to_string());
    assert_eq!(key("//Alice//stash").as_deref(), Ok("5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"));
    // sp-core's own test vectors for the development phrase.
    let soft = Signer::from_uri("/Alice", Scheme::Sr25519).expect("valid");
    assert_eq!(
        hex::encode(soft.hotkey().as_bytes()),
        "d6c71059dbbe9ad2b0ed3f289738b800836eb425544ce694825285b958ca755e"
    );
    assert_ne!(key("//Alice"), key("//Alice///password"));
    assert!(Signer::from_uri("/Alice", Scheme::Ed25519).is_err());
}

fn wallet_with(content: &[u8], mode: u32) -> (tempfile::TempDir, WalletArgs) {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().expect("a folder");
    let hotkeys = root.path().join("mine/hotkeys");
    std::fs::create_dir_all(&hotkeys).expect("a folder");
    std::fs::write(hotkeys.join("first"), content).expect("a file");
    std::fs::set_permissions(hotkeys.join("first"), PermissionsExt::from_mode(mode)).expect("a mode");
    let text = |text: &str| Some(text.to_owned());
    let path = Some(root.path().to_owned());
    (root, WalletArgs { name: text("mine"), hotkey: text("first"), path, password_file: None })
}

#[test]
fn a_file_that_others_may_read_opens_with_a_warning() {
    let (_root, args) = wallet_with(PHRASE.as_bytes(), 0o644);
    let unlocked = args.locate(no_environment).expect("located").open(no_environment).expect("opened");
    assert!(unlocked.warning.expect("a warning").contains("chmod 600"));
    let (_root, args) = wallet_with(PHRASE.as_bytes(), 0o600);
    assert!(args.locate(no_environment).expect("located").open(no_environment).expect("opened").warning.is_none());
}

#[test]
fn names_cannot_lead_to_the_coldkey() {
    for name in ["../coldkey", "..", "", "a/b", "a\\b", "a\0b"] {
        let args = WalletArgs { hotkey: Some(name.to_owned()), path: Some(".".into()), ..WalletArgs::default() };
        assert!(matches!(args.locate(no_environment), Err(HotkeyFileError::Name(_))), "{name:?}");
    }
}

#[test]
fn huge_files_and_folders_are_not_read() {
    let (_root, args) = wallet_with(&vec![b' '; 70_000], 0o600);
    let error = args.locate(no_environment).expect("located").open(no_environment).unwrap_err();
    assert!(matches!(error, HotkeyFileError::NotAKeyFile(_)), "{error}");
    let (root, mut args) = wallet_with(b"", 0o600);
    std::fs::create_dir(root.path().join("mine/hotkeys/second")).expect("a folder");
    args.hotkey = Some("second".to_owned());
    let error = args.locate(no_environment).expect("located").open(no_environment).unwrap_err();
    assert!(matches!(error, HotkeyFileError::NotAKeyFile(_)), "{error}");
}

#[test]
fn the_password_is_found_where_the_sdks_keep_it() {
    let Some(root) = shared("fixtures/bittensor/wallets") else { return };
    let expected = must_read_json(&root.join("sdk11/expected.json"));
    let example = &expected["password_env_example"];
    let args = WalletArgs {
        name: Some("validator".to_owned()),
        hotkey: Some("encrypted".to_owned()),
        path: Some(root.join("sdk10").canonicalize().expect("it exists")),
        password_file: None,
    };
    let unmasked = unmask_password(must_text(example, "env_var"), must_text(example, "value"));
    assert_eq!(unmasked.expect("base64").as_str(), must_text(example, "password"));
    let file = args.locate(no_environment).expect("located");
    let theirs = must_text(example, "env_var");
    let tail = "_WALLETS_SDK10_VALIDATOR_HOTKEYS_ENCRYPTED";
    assert!(theirs.ends_with(tail) && file.password_variable().ends_with(tail), "{}", file.password_variable());
    let error = file.open(no_environment).unwrap_err();
    assert!(
        matches!(&error, HotkeyFileError::PasswordNeeded { variable, .. } if *variable == file.password_variable())
    );
    let variables = HashMap::from([("BT_WALLET_PASSWORD".to_owned(), OsString::from("test-Password-1!"))]);
    let signer = file.open(|name| variables.get(name).cloned()).expect("opened").signer;
    assert_eq!(signer.hotkey().to_string(), "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe");
}

#[test]
fn nothing_secret_is_printed() {
    let printed = format!("{:?}", dev_key("Alice"));
    assert_eq!(printed, "Signer(sr25519 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY)");
    let file = format!(r#"{{"secretPhrase": ["{PHRASE}"]}}"#);
    let error = keyfile::read(file.as_bytes(), None).unwrap_err().to_string();
    assert!(!error.contains("legal"), "{error}");
}

proptest! {
    // Curve arithmetic is slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_bytes_make_a_key_file_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = keyfile::read(&bytes, None);
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_only(seed: [u8; 32], message: Vec<u8>, bit in 0_usize..512) {
        for scheme in Scheme::ALL {
            let signer = Signer::from_seed(&seed, scheme);
            let mut signature = signer.sign(&message);
            prop_assert!(verify(scheme, &signer.hotkey(), &message, &signature));
            prop_assert!(!verify(scheme.other(), &signer.hotkey(), &message, &signature));
            signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify(scheme, &signer.hotkey(), &message, &signature));
        }
    }

    #[test]
    fn an_address_reads_back(key: [u8; 32]) {
        let key = Hotkey::from_bytes(key);
        prop_assert_eq!(key.to_string().parse(), Ok(key));
    }
}
