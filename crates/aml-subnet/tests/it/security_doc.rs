//! `docs/security.md` names tests that exist.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that a name like `miner_strangers` or `http/doors` may mean.
fn files(name: &str) -> Vec<PathBuf> {
    let crates = ["aml-subnet", "aml-miner"].map(|of| root().join("crates").join(of));
    let places = ["tests/it", "src"].map(Path::new);
    let all = crates.iter().flat_map(|of| places.iter().map(move |place| of.join(place).join(format!("{name}.rs"))));
    all.filter(|file| file.is_file()).collect()
}

/// Whether a file has a test of this name.
fn has_test(file: &Path, name: &str) -> bool {
    let text = std::fs::read_to_string(file).expect("readable");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.trim_start_matches("async ").starts_with(&format!("fn {name}(")));
    at.is_some_and(|at| {
        lines[at.saturating_sub(4)..at].iter().any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

#[test]
fn every_bound_is_shown_by_a_test_that_exists() {
    let text = std::fs::read_to_string(root().join("docs/security.md")).expect("it is there");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what"));
    let mut checked = 0;
    for row in rows {
        let shown = row.trim_end_matches('|').rsplit(" | ").next().expect("three columns");
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows it: {row}");
        for name in names {
            let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("{name} names no file"));
            assert!(files(file).iter().any(|file| has_test(file, test)), "there is no test {name}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked} tests");
}
