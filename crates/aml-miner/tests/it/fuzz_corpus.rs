//! The corpus of the fuzz targets for files and headers passes through the targets, and so does what is one change away.

use std::path::Path;

use crate::fuzz_targets::ALL;

/// Changes of each seed.
const CHANGES: u64 = 24;

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
fn the_corpus_of_files_and_headers_is_handled() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in ALL {
        let mut seeds = 0;
        for file in std::fs::read_dir(corpus.join(name)).expect("the corpus is part of the repository") {
            let seed = std::fs::read(file.expect("a file").path()).expect("readable");
            target(&seed);
            (1..=CHANGES).for_each(|number| target(&changed(&seed, number)));
            seeds += 1;
        }
        assert!(seeds >= 2, "{name} has {seeds} seeds");
    }
}
