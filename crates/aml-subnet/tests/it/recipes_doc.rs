//! The recipes of `docs/recipes.md` run as they stand on what a validator publishes, where their packages are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::api_kit::{DAYS, canonical, must_publish, task};

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes.md");
    std::fs::read_to_string(page).expect("the page is there")
}

/// The recipes for a package, joined.
fn recipes(package: &str) -> String {
    let (text, fence) = (page(), format!("```python {package}\n"));
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("```").next().expect("it ends"));
    blocks.collect()
}

/// A Python that has a package: that of scripts/checks/readers.sh, else the machine's.
fn python(package: &str) -> Option<PathBuf> {
    let own = std::env::var_os("AML_READERS_DIR").map(PathBuf::from);
    let usual = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/aml-readers"));
    let of_checks = own.or(usual).map(|folder| folder.join(package).join("bin/python"));
    let has = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", &format!("import {package}")]).output();
        import.is_ok_and(|done| done.status.success())
    };
    of_checks.into_iter().chain([PathBuf::from("python3")]).find(has)
}

/// What the recipes of a package print, run on the published days; `None` without the package.
fn printed(package: &str) -> Option<String> {
    let Some(python) = python(package) else {
        println!("skipped: there is no {package}");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for day in 1..=DAYS {
        must_publish(&folder.path().join("published"), day);
    }
    let ran =
        Command::new(python).args(["-c", &recipes(package)]).current_dir(folder.path()).output().expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).expect("text"))
}

/// Id of the most urgent alert of the newest day.
fn most_urgent() -> String {
    let scores = canonical(DAYS).scores;
    let highest = (0..scores.len()).max_by(|a, b| scores[*a].score.get().total_cmp(&scores[*b].score.get()));
    task(DAYS).roster[highest.expect("some")].alert_id.clone()
}

#[test]
fn those_for_duckdb_find_what_was_published() {
    let Some(printed) = printed("duckdb") else { return };
    let first = printed.lines().next().expect("a line");
    assert!(first.starts_with(&format!("(1, '{}'", most_urgent())), "{first}");
    // 240 alerts of 200 addresses.
    assert!(printed.contains("200 actors;"), "{printed}");
}

#[test]
fn those_for_polars_find_what_was_published() {
    let Some(printed) = printed("polars") else { return };
    assert!(printed.contains("2026-01"), "{printed}");
    assert!(printed.contains("shape: (10, 5)"), "{printed}");
}

#[test]
fn every_recipe_names_its_package() {
    let blocks = page().matches("```python").count();
    assert_eq!(page().matches("```python duckdb\n").count() + page().matches("```python polars\n").count(), blocks);
    assert!(blocks >= 6, "{blocks}");
}
