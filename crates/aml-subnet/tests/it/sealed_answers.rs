//! The form of sealed answers and of the signature over them: what opens, for whom, and with what.

use aml_miner::digest::Digest;
use aml_subnet::beacon::{BadPulse, Beacon, BeaconRound, LockedKey, Pulse, UnlockError, sign_for_development};
use aml_subnet::protocol::answer::Asked;
use aml_subnet::protocol::sealed::{HEAD, OVERHEAD, Packed, Parties, Plain, Sealed, Spoiled, seal, unpack};
use aml_subnet::protocol::second_answer::{
    self, BEACON_HEADER, Came, ENCODING_HEADER, Encoding, PLAIN_HEADER, Stated, Subject, payload, verify_answer,
};
use aml_subnet::protocol::{Nonce, Refusal};
use aml_subnet::wallet::{Hotkey, Scheme, Signer};
use http::{HeaderValue, StatusCode};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use crate::common::dev_key;

/// Public pulses of quicknet: `https://api.drand.sh/CHAIN/public/ROUND`.
const QUICKNET: [(u64, &str); 3] = [
    (1, "b55e7cb2d5c613ee0b2e28d6750aabbb78c39dcc96bd9d38c2c2e12198df95571de8e8e402a0cc48871c7089a2b3af4b"),
    (123, "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92"),
    (1000, "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
];

const MOST: u64 = 1 << 20;

fn quicknet(round: u64) -> BeaconRound {
    BeaconRound { beacon: Beacon::Quicknet, round }
}

fn signature(round: u64) -> Vec<u8> {
    let text = QUICKNET.iter().find(|(known, _)| *known == round).expect("a known round").1;
    hex::decode(text).expect("hex")
}

fn pulse(round: u64) -> Pulse {
    Pulse::checked(quicknet(round), &signature(round)).expect("quicknet's")
}

fn parties() -> Parties {
    Parties {
        miner: Hotkey::from_bytes([1; 32]),
        validator: Hotkey::from_bytes([2; 32]),
        task: Digest::of(b"the task"),
    }
}

fn sealed(round: u64) -> Vec<u8> {
    let packed = Packed::of(Some("receipt"), b"[{\"score\":0.5}]").expect("packed");
    seal(packed, quicknet(round), &parties()).expect("sealed")
}

fn opened(bytes: &[u8], round: u64, parties: &Parties) -> Result<Plain, Spoiled> {
    Sealed::read(bytes, quicknet(round))?.open(&pulse(round), parties, MOST)
}

#[test]
fn the_networks_pulses_are_its_own_and_nothing_else_is() {
    for (round, _) in QUICKNET {
        let of = quicknet(round);
        assert_eq!(Pulse::checked(of, &signature(round)).map(|pulse| pulse.of()), Ok(of));
        let next = quicknet(round + 1);
        assert_eq!(Pulse::checked(next, &signature(round)), Err(BadPulse::Signature(next)));
    }
    let of = quicknet(1000);
    assert_eq!(Pulse::checked(of, &[0xc0; 48]), Err(BadPulse::Shape(of)), "no point");
    let infinity = [&[0xc0][..], &[0; 47]].concat();
    assert_eq!(Pulse::checked(of, &infinity), Err(BadPulse::Signature(of)), "the point at infinity signs nothing");
    assert_eq!(Pulse::checked(of, &signature(1000)[..47]), Err(BadPulse::Shape(of)));
    let development = sign_for_development(1000);
    assert_eq!(Pulse::checked(of, &development), Err(BadPulse::Signature(of)), "the development key is another one");
    assert_eq!(Pulse::of_development(1000).map(|pulse| *pulse.signature()), Some(development));
}

#[test]
fn a_key_opens_with_the_signature_of_its_round_alone() {
    let locked = LockedKey::lock(&[7; 32], quicknet(1000)).expect("locked");
    assert_eq!(*locked.unlock(&pulse(1000)).expect("opens"), [7; 32]);
    assert_eq!(locked.unlock(&pulse(123)).expect_err("another round"), UnlockError::Closed);
    assert_eq!(LockedKey([0xff; 160]).unlock(&pulse(1000)).expect_err("no point"), UnlockError::Shape);
    assert_ne!(locked, LockedKey::lock(&[7; 32], quicknet(1000)).expect("locked"), "never twice the same");
}

#[test]
fn an_answer_opens_for_those_it_was_sealed_for_with_the_networks_pulse() {
    let bytes = sealed(1000);
    let plain = opened(&bytes, 1000, &parties()).expect("opens");
    assert_eq!(plain, Plain { receipt: Some("receipt".to_owned()), body: b"[{\"score\":0.5}]".to_vec() });
    let other = Hotkey::from_bytes([3; 32]);
    for parties in [
        Parties { miner: other, ..parties() },
        Parties { validator: other, ..parties() },
        Parties { task: Digest::of(b"another task"), ..parties() },
        Parties { miner: parties().validator, validator: parties().miner, ..parties() },
    ] {
        assert_eq!(opened(&bytes, 1000, &parties), Err(Spoiled::Swapped));
    }
}

/// Made in Python from docs/sealing.md alone.
#[test]
fn the_vector_of_the_page_opens() {
    let vector: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/sealed/quicknet_1000.json")).expect("JSON");
    let text = |name: &str| vector[name].as_str().expect("text").to_owned();
    let bytes = hex::decode(text("sealed")).expect("hex");
    let (miner, validator) = (text("miner").parse().expect("ss58"), text("validator").parse().expect("ss58"));
    let parties = Parties { miner, validator, task: text("task").parse().expect("a digest") };
    let plain = opened(&bytes, 1000, &parties).expect("opens");
    assert_eq!(plain, Plain { receipt: Some(text("receipt")), body: text("plain").into_bytes() });
    assert_eq!(Digest::of(&plain.body).to_string(), text("plain_sha256"));
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sealing.md");
    let page = std::fs::read_to_string(page).expect("the page").replace('\n', "");
    for name in ["sealed", "sealed_sha256", "plain_sha256", "signature", "miner", "validator", "task"] {
        assert!(page.contains(&text(name)), "the page has the vector's {name}");
    }
}

#[test]
fn what_is_wrong_with_a_sealed_answer_has_a_name() {
    let good = sealed(1000);
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        opened(&bytes, 1000, &parties()).expect_err("changed")
    };
    assert_eq!(changed(0), Spoiled::Form);
    assert_eq!(changed(12), Spoiled::OtherBeacon);
    assert_eq!(changed(51), Spoiled::OtherRound);
    assert_eq!(changed(150), Spoiled::Locked);
    assert_eq!(changed(212), Spoiled::Swapped, "the nonce");
    assert_eq!(changed(HEAD - 1), Spoiled::Swapped, "the length is bound too");
    assert_eq!(changed(good.len() - 1), Spoiled::Swapped, "the tag");
    assert_eq!(opened(&[], 1000, &parties()), Err(Spoiled::Truncated));
    assert_eq!(opened(&good[..100], 1000, &parties()), Err(Spoiled::Truncated));
    assert_eq!(opened(&good[..HEAD + 15], 1000, &parties()), Err(Spoiled::Truncated));
    assert_eq!(opened(&good[..good.len() - 1], 1000, &parties()), Err(Spoiled::Swapped));
    assert_eq!(opened(b"another answer", 1000, &parties()), Err(Spoiled::Form));
    assert_eq!(Sealed::read(&good, quicknet(123)).expect_err("signed for another round"), Spoiled::OtherRound);
    let of_development = BeaconRound { beacon: Beacon::Development, round: 1000 };
    assert_eq!(Sealed::read(&good, of_development).expect_err("of another beacon"), Spoiled::OtherBeacon);
    let foreign = Sealed::read(&good, quicknet(1000)).expect("reads").open(&pulse(123), &parties(), MOST);
    assert_eq!(foreign, Err(Spoiled::OtherRound));
}

#[test]
fn a_bomb_is_told_by_its_head_and_by_what_it_unpacks_to() {
    let large = vec![b' '; 3 << 20];
    let packed = Packed::of(None, &large).expect("packed");
    let bytes = seal(packed, quicknet(1000), &parties()).expect("sealed");
    assert!(bytes.len() < 10_000, "it is small until it is unpacked: {}", bytes.len());
    assert_eq!(opened(&bytes, 1000, &parties()), Err(Spoiled::Bomb));
    let kept = Packed::of(None, &large).expect("packed");
    assert_eq!(unpack(kept.frame(), MOST), Err(Spoiled::Bomb));
    assert_eq!(unpack(b"no frame", MOST), Err(Spoiled::Bomb));
    assert_eq!(unpack(kept.frame(), 3 << 20).expect("within bounds").body, large);
}

#[test]
fn a_receipt_is_one_line() {
    for receipt in ["two\nlines", "two\rlines", &"x".repeat(5000)] {
        assert!(Packed::of(Some(receipt), b"[]").is_err());
    }
    let none = seal(Packed::of(None, b"").expect("packed"), quicknet(1000), &parties()).expect("sealed");
    assert_eq!(opened(&none, 1000, &parties()), Ok(Plain { receipt: None, body: Vec::new() }));
}

#[test]
fn sealing_adds_less_than_its_compression_takes_away() {
    let row = |n: u32| format!(r#"{{"alert_id":"alert_{n}","score":0.{n},"model_version":"1.0.0+0a1b2c3d4e5f"}}"#);
    let body = format!("[{}]", (0..2000).map(row).collect::<Vec<_>>().join(",")).into_bytes();
    let packed = Packed::of(Some(&"r".repeat(800)), &body).expect("packed");
    let frame = packed.frame().len();
    let bytes = seal(packed, quicknet(1000), &parties()).expect("sealed");
    assert_eq!(bytes.len(), frame + OVERHEAD);
    assert!(bytes.len() * 3 < body.len(), "{} of {}", bytes.len(), body.len());
}

fn asked() -> Asked {
    Asked { nonce: Nonce::new(7), validator: dev_key("Alice").hotkey(), body: Digest::of(b"ask") }
}

fn subject() -> Subject {
    Subject { task: Digest::of(b"task"), commitment: Digest::of(b"traps"), decoded: Digest::of(b"ask") }
}

fn stated() -> Stated {
    Stated {
        status: StatusCode::OK,
        plain: Digest::of(b"[]"),
        sent: Digest::of(b"sealed"),
        encoding: Encoding::Sealed,
        beacon: Some(quicknet(29_000_000)),
    }
}

#[test]
fn the_second_form_signs_fourteen_lines() {
    let bytes = payload(Scheme::Sr25519, &dev_key("Bob").hotkey(), &stated(), &asked(), &subject());
    let text = String::from_utf8(bytes).expect("text");
    let [task, traps, ask, plain, sent] =
        ["task", "traps", "ask", "[]", "sealed"].map(|text| Digest::of(text.as_bytes()).to_string());
    let (miner, validator) = (dev_key("Bob").hotkey().to_string(), dev_key("Alice").hotkey().to_string());
    let expected = [
        "amlanswer/2",
        "sr25519",
        "200",
        &task,
        &traps,
        &ask,
        &ask,
        &plain,
        &sent,
        "amlsealed/1",
        "quicknet:29000000",
        &miner,
        &validator,
        "7",
    ];
    assert_eq!(text.split('\n').collect::<Vec<_>>(), expected);
    let open = Stated { encoding: Encoding::Identity, beacon: None, sent: Digest::of(b"[]"), ..stated() };
    let bytes = payload(Scheme::Ed25519, &dev_key("Bob").hotkey(), &open, &asked(), &subject());
    let text = String::from_utf8(bytes).expect("text");
    assert!(text.contains("\nidentity\nnone\n") && text.starts_with("amlanswer/2\ned25519\n"), "{text}");
}

#[test]
fn an_answer_of_the_second_form_is_verified_in_every_part() {
    for miner in [dev_key("Bob"), Signer::from_seed(&[5; 32], Scheme::Ed25519)] {
        let headers = second_answer::sign(&miner, &stated(), &asked(), &subject());
        let came = Came { status: StatusCode::OK, sent: stated().sent };
        let verified = verify_answer(&headers, &miner.hotkey(), came, &asked(), &subject());
        assert_eq!(verified.map(|(_, stated)| stated), Ok(stated()));
        let bad = |came, asked: &Asked, subject: &Subject| {
            verify_answer(&headers, &miner.hotkey(), came, asked, subject).expect_err("another answer")
        };
        let other = Digest::of(b"other");
        assert_eq!(bad(Came { sent: other, ..came }, &asked(), &subject()), Refusal::BadSignature);
        assert_eq!(bad(Came { status: StatusCode::CREATED, ..came }, &asked(), &subject()), Refusal::BadSignature);
        assert_eq!(bad(came, &Asked { body: other, ..asked() }, &subject()), Refusal::BadSignature);
        assert_eq!(bad(came, &Asked { validator: miner.hotkey(), ..asked() }, &subject()), Refusal::BadSignature);
        for subject in [
            Subject { task: other, ..subject() },
            Subject { commitment: other, ..subject() },
            Subject { decoded: other, ..subject() },
        ] {
            assert_eq!(bad(came, &asked(), &subject), Refusal::BadSignature);
        }
        for (name, value) in [
            (PLAIN_HEADER, other.to_string()),
            (BEACON_HEADER, "quicknet:29000001".to_owned()),
            (BEACON_HEADER, "development:29000000".to_owned()),
        ] {
            let mut headers = headers.clone();
            headers.insert(name, HeaderValue::from_str(&value).expect("a value"));
            let refused = verify_answer(&headers, &miner.hotkey(), came, &asked(), &subject());
            assert_eq!(refused.expect_err("changed"), Refusal::BadSignature);
        }
    }
}

#[test]
fn what_does_not_go_together_is_no_answer() {
    let miner = dev_key("Bob");
    let came = Came { status: StatusCode::OK, sent: stated().sent };
    let verify = |stated: &Stated| {
        let headers = second_answer::sign(&miner, stated, &asked(), &subject());
        verify_answer(&headers, &miner.hotkey(), came, &asked(), &subject())
    };
    for stated in [
        Stated { beacon: None, ..stated() },
        Stated { encoding: Encoding::Identity, ..stated() },
        Stated { encoding: Encoding::Identity, beacon: None, ..stated() },
    ] {
        let refused = verify(&stated).expect_err("what is said does not go together");
        assert!(matches!(refused, Refusal::Malformed { name: ENCODING_HEADER, .. }), "{refused:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_reading_panic(noise in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Sealed::read(&noise, quicknet(1000)).is_err());
        let mut framed = b"amlsealed/1\n".to_vec();
        framed.extend_from_slice(&Beacon::Quicknet.chain());
        framed.extend_from_slice(&1000_u64.to_be_bytes());
        framed.extend_from_slice(&noise);
        if let Ok(sealed) = Sealed::read(&framed, quicknet(1000)) {
            // Whatever its length says, nothing of that size is taken before its key opens, and noise is no key.
            prop_assert!(matches!(sealed.open(&pulse(1000), &parties(), MOST), Err(Spoiled::Bomb | Spoiled::Locked)));
        }
        prop_assert!(unpack(&noise, MOST).is_err());
    }
}
