//! The parts of the proxy that need no socket: rates, slots, spools, and the cached metagraph.

use std::io::Read as _;
use std::time::Duration;

use aml_miner::digest::Digest;
use aml_subnet::chain::metagraph::{Cache, Kept};
use aml_subnet::chain::types::{Block, Metagraph, Neuron, Uid};
use aml_subnet::http::rate::{Buckets, peer_of};
use aml_subnet::http::spool::{DiskBudget, Spool, SpoolError, SpoolLimits};
use aml_subnet::miner::priority::{Busy, Slots};
use aml_subnet::wallet::Hotkey;
use futures_util::{FutureExt as _, TryStreamExt as _};
use proptest::prelude::*;

#[tokio::test]
async fn the_highest_stake_goes_first_and_the_lowest_gives_way() {
    let slots = Slots::new(1, 2);
    let working = slots.acquire(1).await.expect("free");
    let mut low = Box::pin(slots.acquire(10));
    let mut middle = Box::pin(slots.acquire(20));
    assert!(low.as_mut().now_or_never().is_none() && middle.as_mut().now_or_never().is_none());
    // Equal stake does not crowd out who came first.
    assert_eq!(slots.acquire(10).await.err(), Some(Busy));
    let mut high = Box::pin(slots.acquire(30));
    assert!(high.as_mut().now_or_never().is_none());
    assert_eq!(low.await.err(), Some(Busy));
    drop(working);
    let working = high.now_or_never().expect("its turn").expect("a slot");
    assert!(middle.as_mut().now_or_never().is_none());
    drop(working);
    assert!(middle.now_or_never().expect("its turn").is_ok());
}

#[tokio::test]
async fn a_request_that_gives_up_in_line_loses_no_slot() {
    let slots = Slots::new(1, 5);
    let working = slots.acquire(1).await.expect("free");
    let mut first = Box::pin(slots.acquire(9));
    let mut second = Box::pin(slots.acquire(8));
    assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    drop(working);
    // The slot was handed to the first, which never picks it up.
    drop(first);
    drop(second.now_or_never().expect("its turn").expect("a slot"));
    assert_eq!(slots.waiting(), 0);
    assert!(slots.acquire(0).now_or_never().expect("free again").is_ok());
}

#[test]
fn a_rate_refills_and_looking_costs_nothing() {
    let buckets = Buckets::new(60);
    let at = Duration::from_secs;
    for _ in 0..60 {
        assert_eq!(buckets.wait(&1, at(100)), None);
        assert_eq!(buckets.take(1, at(100)), None);
    }
    assert_eq!(buckets.wait(&1, at(100)), Some(at(1)));
    assert_eq!(buckets.take(2, at(100)), None, "another key");
    assert_eq!(buckets.take(1, at(101)), None);
    assert_eq!(buckets.wait(&1, at(90)), Some(at(1)), "a clock that steps back gives nothing");
}

#[test]
fn one_ipv6_customer_is_one_peer() {
    let peer = |text: &str| peer_of(text.parse().expect("an address"));
    assert_eq!(peer("2001:db8:1:2::1"), peer("2001:db8:1:2:ffff::9"));
    assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
    assert_eq!(peer("::ffff:192.0.2.7"), peer("192.0.2.7"));
}

fn neurons(count: u8) -> Metagraph {
    let neuron = |uid: u8| Neuron {
        uid: Uid(u16::from(uid)),
        hotkey: Hotkey::from_bytes([uid; 32]),
        coldkey: Hotkey::from_bytes([uid; 32]),
        axon: None,
        validator_permit: true,
        active: true,
        stake: 1,
        last_update: Block(0),
        incentive: 0,
        dividends: 0,
    };
    Metagraph { netuid: 7, block: Block(u64::from(count)), neurons: (0..count).map(neuron).collect() }
}

#[test]
fn mass_deregistration_is_believed_the_second_time_only() {
    let (cache, now) = (Cache::default(), Duration::from_secs(1));
    let size = || cache.current().map(|snapshot| snapshot.len());
    assert_eq!(cache.put(neurons(100), now), Kept::Current);
    assert_eq!(cache.put(neurons(60), now), Kept::Current);
    assert_eq!(cache.put(neurons(3), now), Kept::Doubted);
    assert_eq!(size(), Some(60));
    assert_eq!(cache.put(neurons(61), now), Kept::Current, "it was a partial read");
    assert_eq!(cache.put(neurons(3), now), Kept::Doubted);
    assert_eq!(cache.put(neurons(3), now), Kept::Current, "it was true");
    assert_eq!(size(), Some(3));
}

#[test]
fn the_first_read_of_a_process_is_held_against_what_is_known_from_elsewhere() {
    let (cache, now) = (Cache::default(), Duration::from_secs(1));
    cache.expect(100);
    assert_eq!(cache.put(neurons(3), now), Kept::Doubted);
    assert!(cache.current().is_none());
    assert_eq!(cache.put(neurons(3), now), Kept::Current, "a second read says the same");
    cache.expect(100);
    assert_eq!(cache.put(neurons(2), now), Kept::Current, "what was read counts for more");
}

fn limits(max_bytes: u64, memory_bytes: usize, disk: &DiskBudget) -> SpoolLimits {
    SpoolLimits { max_bytes, memory_bytes, disk: disk.clone() }
}

#[tokio::test]
async fn a_spool_gives_its_room_back_however_it_ends() {
    let disk = DiskBudget::new(1000);
    let mut spool = Spool::new(&limits(10_000, 10, &disk));
    spool.push(&[1; 600]).await.expect("room");
    assert_eq!(disk.left(), 400);
    assert!(matches!(spool.push(&[1; 600]).await, Err(SpoolError::DiskBudget)));
    drop(spool);
    assert_eq!(disk.left(), 1000);
    let mut spool = Spool::new(&limits(10_000, 10, &disk));
    spool.push(&[1; 600]).await.expect("room");
    let stream = spool.finish().await.expect("written").into_stream();
    assert_eq!(disk.left(), 400);
    drop(stream);
    assert_eq!(disk.left(), 1000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_spool_keeps_every_byte(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20),
        memory in 0_usize..200,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let whole: Vec<u8> = chunks.concat();
        let disk = DiskBudget::new(1 << 20);
        let (read, streamed, spooled_digest) = runtime.block_on(async {
            let mut spool = Spool::new(&limits(1 << 20, memory, &disk));
            for chunk in &chunks {
                spool.push(chunk).await.expect("room");
            }
            let spooled = spool.finish().await.expect("written");
            let digest = spooled.digest();
            let look = |reader: &mut dyn std::io::Read| {
                let mut bytes = Vec::new();
                reader.take(1 << 20).read_to_end(&mut bytes).map(|_| bytes)
            };
            let (spooled, read) = spooled.inspect(look).await.expect("rewound");
            let streamed: Vec<bytes::Bytes> = spooled.into_stream().try_collect().await.expect("read");
            (read.expect("read"), streamed.concat(), digest)
        });
        prop_assert_eq!(&read, &whole);
        prop_assert_eq!(&streamed, &whole);
        prop_assert_eq!(spooled_digest, Digest::of(&whole));
        prop_assert_eq!(disk.left(), 1 << 20);
    }
}
