//! Which addresses are called, and how long a miner that fails is left alone: pure rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aml_subnet::http::address::{Kind, NotCalled, check, kind};
use aml_subnet::store::records::{Dormancy, Reply};
use aml_subnet::validator::query::dormancy::{after, is_asleep};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

const HOUR: i64 = 3_600_000;

/// First and last address of every special network, its neighbours on both sides, and what it is.
const SPECIAL: [(&str, &str, Kind, bool, bool); 30] = [
    ("0.0.0.0", "0.0.0.0", Kind::Unspecified, true, true),
    ("0.0.0.1", "0.255.255.255", Kind::ThisNetwork, true, false),
    ("10.0.0.0", "10.255.255.255", Kind::Private, false, false),
    ("100.64.0.0", "100.127.255.255", Kind::CarrierNat, false, false),
    ("127.0.0.0", "127.255.255.255", Kind::Loopback, false, false),
    ("169.254.0.0", "169.254.255.255", Kind::LinkLocal, false, false),
    ("172.16.0.0", "172.31.255.255", Kind::Private, false, false),
    ("192.0.0.0", "192.0.0.255", Kind::Reserved, false, false),
    ("192.0.2.0", "192.0.2.255", Kind::Documentation, false, false),
    ("192.88.99.0", "192.88.99.255", Kind::Reserved, false, false),
    ("192.168.0.0", "192.168.255.255", Kind::Private, false, false),
    ("198.18.0.0", "198.19.255.255", Kind::Benchmarking, false, false),
    ("198.51.100.0", "198.51.100.255", Kind::Documentation, false, false),
    ("203.0.113.0", "203.0.113.255", Kind::Documentation, false, false),
    ("224.0.0.0", "239.255.255.255", Kind::Multicast, false, true),
    ("240.0.0.0", "255.255.255.254", Kind::Reserved, true, true),
    ("255.255.255.255", "255.255.255.255", Kind::Broadcast, true, true),
    ("::", "::", Kind::Unspecified, true, true),
    ("::1", "::1", Kind::Loopback, true, true),
    ("::2", "::ffff:ffff:ffff:ffff", Kind::Mapped, true, true),
    ("64:ff9b::", "64:ff9b:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Translated, true, true),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Tunnelled, false, true),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", Kind::Benchmarking, true, true),
    ("2001:2:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Reserved, true, false),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Documentation, false, false),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Tunnelled, false, false),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Documentation, true, false),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::UniqueLocal, true, true),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::LinkLocal, true, true),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Kind::Multicast, true, true),
];

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn step(ip: IpAddr, by: i8) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().checked_add_signed(by.into()).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(ip) => ip.to_bits().checked_add_signed(by.into()).map(|bits| Ipv6Addr::from_bits(bits).into()),
    }
}

#[test]
fn every_special_network_is_known_from_its_first_to_its_last_address() {
    for (first, last, expected, special_before, special_after) in SPECIAL {
        assert_eq!(kind(ip(first)), Some(expected), "{first}");
        assert_eq!(kind(ip(last)), Some(expected), "{last}");
        for (neighbour, special) in [(step(ip(first), -1), special_before), (step(ip(last), 1), special_after)] {
            if let Some(neighbour) = neighbour {
                assert_eq!(kind(neighbour).is_some(), special, "{neighbour} beside {first} to {last}");
                assert_ne!(kind(neighbour), Some(expected), "{neighbour} beside {first} to {last}");
            }
        }
    }
}

#[test]
fn forms_that_carry_another_address_are_refused_whatever_they_carry() {
    for (form, expected) in [
        ("::ffff:127.0.0.1", Kind::Mapped),
        ("::ffff:8.8.8.8", Kind::Mapped),
        ("::127.0.0.1", Kind::Mapped),
        ("::ffff:0:10.0.0.1", Kind::Mapped),
        ("64:ff9b::10.0.0.1", Kind::Translated),
        ("64:ff9b:1::a00:1", Kind::Translated),
        ("2002:a00:1::1", Kind::Tunnelled),
        ("2002:808:808::1", Kind::Tunnelled),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Kind::Tunnelled),
        ("2a01:4f8::5efe:192.168.0.1", Kind::Tunnelled),
        ("2a01:4f8::200:5efe:8.8.8.8", Kind::Tunnelled),
        ("fec0::1", Kind::UniqueLocal),
        ("100::1", Kind::Reserved),
        ("5f00::1", Kind::Reserved),
    ] {
        assert_eq!(kind(ip(form)), Some(expected), "{form}");
        assert!(expected == Kind::UniqueLocal || check(SocketAddr::new(ip(form), 8091), true).is_err(), "{form}");
    }
}

#[test]
fn ordinary_addresses_are_called() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "95.217.1.1",
        "172.15.255.255",
        "223.255.255.255",
        "2a01:4f8::1",
        "2606:4700::1111",
        "2001:4860:4860::8888",
    ] {
        assert_eq!(check(SocketAddr::new(ip(text), 8091), false), Ok(()), "{text}");
        assert_eq!(check(SocketAddr::new(ip(text), 0), true), Err(NotCalled::Port), "{text}");
    }
}

#[test]
fn a_development_chain_may_use_its_own_machine_and_network_but_nothing_else() {
    for text in [
        "127.0.0.1",
        "10.1.2.3",
        "172.17.0.2",
        "192.168.1.1",
        "100.100.0.1",
        "169.254.1.1",
        "::1",
        "fd00::1",
        "fe80::1",
    ] {
        assert!(check(SocketAddr::new(ip(text), 8091), false).is_err(), "{text}");
        assert_eq!(check(SocketAddr::new(ip(text), 8091), true), Ok(()), "{text}");
    }
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "ff02::1",
        "2001:db8::1",
    ] {
        let refused = check(SocketAddr::new(ip(text), 8091), true).expect_err(text);
        assert!(refused.to_string().starts_with(&format!("{text} is ")), "{refused}");
    }
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        Just(Reply::Answered),
        Just(Reply::Refused("no".to_owned())),
        Just(Reply::TimedOut),
        Just(Reply::Unreachable("gone".to_owned())),
        Just(Reply::NotServing),
        Just(Reply::TooLarge),
    ]
}

/// Failures in a row from `now` on, each tried as soon as it may be.
fn failing(times: u32) -> Vec<(i64, Dormancy)> {
    let (mut now, mut state, mut all) = (0, None, Vec::new());
    for _ in 0..times {
        let next: Dormancy = after(state.as_ref(), &Reply::TimedOut, now).expect("remembered");
        all.push((now, next));
        (now, state) = (next.next_try_ms, Some(next));
    }
    all
}

#[test]
fn pauses_double_from_an_hour_to_three_days() {
    let pauses: Vec<i64> = failing(14).into_iter().map(|(at, state)| (state.next_try_ms - at) / HOUR).collect();
    assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 64, 72, 72, 72, 72, 72]);
}

#[test]
fn two_failures_are_free() {
    for (now, state) in failing(2) {
        assert!(!is_asleep(Some(&state), now));
    }
    let (now, third) = failing(3)[2];
    assert!(is_asleep(Some(&third), now) && is_asleep(Some(&third), now + HOUR - 1));
    assert!(!is_asleep(Some(&third), now + HOUR));
}

#[test]
fn a_clock_that_was_wrong_does_not_silence_anybody_for_ever() {
    let far = Dormancy { failures: 9, next_try_ms: 400 * 24 * HOUR };
    assert!(!is_asleep(Some(&far), 0));
}

proptest! {
    #[test]
    fn only_public_unicast_is_called_v4(bits in any::<u32>()) {
        let ip = Ipv4Addr::from_bits(bits);
        let standard = ip.is_unspecified() || ip.is_loopback() || ip.is_private() || ip.is_link_local()
            || ip.is_broadcast() || ip.is_documentation() || ip.is_multicast();
        if standard {
            prop_assert!(kind(ip.into()).is_some());
        }
        // Every form of it within IPv6 is refused, public or not.
        for form in [ip.to_ipv6_mapped(), ip.to_ipv6_compatible()] {
            prop_assert!(check(SocketAddr::new(form.into(), 1), true).is_err() || form == Ipv6Addr::LOCALHOST);
        }
        let (high, low) = ((bits >> 16) as u16, (bits & 0xffff) as u16);
        for form in [
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
        ] {
            prop_assert!(check(SocketAddr::new(form.into(), 1), true).is_err());
        }
    }

    #[test]
    fn only_public_unicast_is_called_v6(bits in any::<u128>()) {
        let ip = Ipv6Addr::from_bits(bits);
        if kind(ip.into()).is_none() {
            prop_assert_eq!(ip.segments()[0] >> 13, 1, "2000::/3");
            prop_assert!(!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast());
        }
    }

    #[test]
    fn whoever_is_heard_is_awake_and_whoever_is_not_sleeps_within_bounds(
        replies in proptest::collection::vec((reply(), 0_i64..200 * HOUR), 0..40)
    ) {
        let (mut now, mut state, mut failures) = (0_i64, None::<Dormancy>, 0);
        for (reply, later) in replies {
            now += later;
            state = after(state.as_ref(), &reply, now);
            failures = match reply {
                Reply::Answered | Reply::Refused(_) => 0,
                Reply::NotServing | Reply::NotAsked => failures,
                Reply::TimedOut | Reply::Unreachable(_) | Reply::TooLarge => failures + 1,
            };
            prop_assert_eq!(state.map_or(0, |state| state.failures), failures);
            prop_assert!(failures > 2 || !is_asleep(state.as_ref(), now));
            prop_assert!(!is_asleep(state.as_ref(), now + 72 * HOUR), "tried again at last");
        }
    }
}
