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
    let home = Sources::default().environment(variables(&[("HOME", "/home/me")]));
    let shipped = Settings::read(home.clone().file(&repository("config/miner-api.toml"))).expect("good");
    assert_eq!(shipped, Settings::read(home).expect("good"));
    assert_eq!(shipped.api.signing_key_file, Some(PathBuf::from("/home/me/.aml/receipt_signing.key")));
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
fn a_model_that_is_not_served_is_named_none_or_empty_in_the_file() {
    let sources = Sources::default().environment(variables(&[("ALERT_RANKER_PATH", "none")]));
    assert_eq!(Settings::read(sources).expect("good").models.alert_ranker, None);
    let (_dir, path) = file("[models]\nalert_ranker = \"\"\n");
    assert_eq!(Settings::read(Sources::default().file(&path)).expect("good").models.alert_ranker, None);
}

#[test]
fn an_empty_variable_is_not_set() {
    let given = variables(&[("ALERT_RANKER_PATH", ""), ("API_PORT", ""), ("LOG_LEVEL", "")]);
    let dir = tempfile::tempdir().expect("a directory");
    let dotenv = dir.path().join(".env");
    std::fs::write(&dotenv, "API_PORT=2\nAPI_HOST=\n").expect("written");
    let settings = Settings::read(Sources::default().environment(given).dotenv(&dotenv)).expect("good");
    assert_eq!(settings.api.port, 2);
    let usual = Settings::read(Sources::default()).expect("good");
    assert_eq!((settings.models, settings.log, settings.api.host), (usual.models, usual.log, usual.api.host));
}

#[test]
fn a_line_of_dotenv_that_cannot_be_read_is_told_with_its_number_and_without_its_text() {
    let dir = tempfile::tempdir().expect("a directory");
    let dotenv = dir.path().join(".env");
    std::fs::write(&dotenv, "API_PORT=2\nMINER_SIGNING_KEY_FILE=/data/my secret\n").expect("written");
    let told = Settings::read(Sources::default().dotenv(&dotenv)).expect_err("bad").to_string();
    assert!(told.contains(".env, line 2") && told.contains("quotes") && !told.contains("secret"), "{told}");
}

#[test]
fn a_dollar_stays_and_the_home_directory_is_expanded() {
    let dir = tempfile::tempdir().expect("a directory");
    let dotenv = dir.path().join(".env");
    std::fs::write(&dotenv, "ALERT_RANKER_PATH=\"/m/pa$$word.txt\"\nCLUSTER_SCORER_PATH=/m/a$b\n").expect("written");
    let given = variables(&[("HOME", "/home/me"), ("ALERT_SCORER_PATH", "~/m.txt")]);
    let models = Settings::read(Sources::default().environment(given).dotenv(&dotenv)).expect("good").models;
    assert_eq!(models.alert_scorer, Some(PathBuf::from("/home/me/m.txt")));
    assert_eq!(models.alert_ranker, Some(PathBuf::from("/m/pa$$word.txt")));
    assert_eq!(models.cluster_scorer, Some(PathBuf::from("/m/a$b")));
    let told = Settings::read(Sources::default().environment(variables(&[("ALERT_SCORER_PATH", "~bob/m")])));
    assert!(told.expect_err("bad").to_string().contains("write the whole path"));
}
