//! Settings come from four places, and fail loudly and completely.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aml_miner::config::{Settings, Sources};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("settings.toml");
    std::fs::write(&path, text).expect("written");
    (dir, path)
}

#[test]
fn the_shipped_file_states_the_defaults() {
    let shipped = Settings::read(Sources::default().file(&repository("config/miner-api.toml"))).expect("good");
    assert_eq!(shipped, Settings::read(Sources::default()).expect("good"));
    assert_eq!(shipped.api.port, 8000);
    assert_eq!(shipped.limits.alerts, 200_000);
    assert_eq!(shipped.limits.request_time, Duration::from_secs(120));
}

#[test]
fn the_shipped_environment_file_is_good() {
    let settings = Settings::read(Sources::default().dotenv(&repository(".env.example"))).expect("good");
    assert_eq!(settings, Settings::read(Sources::default()).expect("good"));
}

#[test]
fn later_places_win() {
    let (dir, path) = file("[api]\nport = 1\nhost = \"127.0.0.2\"\n[limits]\nbody_bytes = \"2MiB\"\nalerts = 7\n");
    let dotenv = dir.path().join(".env");
    std::fs::write(&dotenv, "API_PORT=2\nAPI_MAX_ALERTS=8\nLOG_LEVEL=debug\n").expect("written");
    let sources = Sources::default().file(&path).environment(variables(&[("API_PORT", "3")])).dotenv(&dotenv);
    let settings = Settings::read(sources.clone()).expect("good");
    assert_eq!((settings.api.port, settings.limits.alerts, settings.log.level.as_str()), (3, 8, "debug"));
    assert_eq!(settings.api.host.to_string(), "127.0.0.2");
    assert_eq!(settings.limits.body_bytes, 2 << 20);
    let flagged = Settings::read(sources.flag("api.port", Some("4".to_owned()))).expect("good");
    assert_eq!(flagged.api.port, 4);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let (_dir, path) =
        file("[api]\nport = 70000\nprot = 1\n[limits]\nbody_bytes = \"3 parsecs\"\n[other]\nkey = [1]\n");
    let sources =
        Sources::default().file(&path).environment(variables(&[("API_QUEUE", "-1"), ("API_HEADER_TIME", "0s")]));
    let told = Settings::read(sources).expect_err("bad").to_string();
    for part in ["api.port", "api.prot", "parsecs", "other.key", "API_QUEUE", "API_HEADER_TIME", "6 problem(s)"] {
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
}

#[test]
fn limits_that_contradict_each_other_are_refused() {
    let sources = Sources::default().environment(variables(&[("API_MAX_DECODED_BYTES", "1KiB")]));
    assert!(Settings::read(sources).expect_err("bad").to_string().contains("decoded_bytes"));
    assert!(Settings::read(Sources::default().file(Path::new("no/such.toml"))).is_err());
}

#[test]
fn an_empty_path_is_a_model_that_is_not_served() {
    let sources = Sources::default().environment(variables(&[("ALERT_RANKER_PATH", "")]));
    assert_eq!(Settings::read(sources).expect("good").models.alert_ranker, None);
}
