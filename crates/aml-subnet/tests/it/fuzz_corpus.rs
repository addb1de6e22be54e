//! The corpus of every fuzz target passes through the target, and so does what is one change away from it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::fuzz_targets::ALL;

/// Changes of each seed.
const CHANGES: u64 = 24;
/// Far beyond what one input takes on a busy machine.
const AMPLE: Duration = Duration::from_secs(60);

/// A small change that follows from its number.
fn changed(seed: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let length = seed.len().max(1) as u64;
    let at = |salt: u64| {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt) >> 7;
        usize::try_from(mixed % length).expect("below a length")
    };
    match number % 4 {
        _ if seed.is_empty() => bytes.push(0),
        0 => bytes[at(1)] ^= 1 << (number % 8),
        1 => bytes.truncate(at(2)),
        2 => bytes.insert(at(3), b'"'),
        _ => bytes.extend_from_slice(&seed[at(4)..]),
    }
    bytes
}

#[test]
fn the_corpus_of_every_target_is_handled() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut folders: Vec<String> = std::fs::read_dir(&corpus)
        .expect("the corpus is part of the repository")
        .map(|entry| entry.expect("a folder").file_name().into_string().expect("a plain name"))
        .collect();
    folders.sort();
    let mut named: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    assert_eq!(folders, named, "each target has a corpus");
    for (name, target) in ALL {
        let mut seeds = 0;
        for file in std::fs::read_dir(corpus.join(name)).expect("a folder") {
            let seed = std::fs::read(file.expect("a file").path()).expect("readable");
            for number in 0..=CHANGES {
                let bytes = if number == 0 { seed.clone() } else { changed(&seed, number) };
                let begun = Instant::now();
                target(&bytes);
                assert!(
                    begun.elapsed() < AMPLE,
                    "{name}: an input of {} bytes took {:?}",
                    bytes.len(),
                    begun.elapsed()
                );
            }
            seeds += 1;
        }
        assert!(seeds >= 2, "{name} has {seeds} seeds");
    }
}
