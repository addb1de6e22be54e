//! A disk that is full or gone, and programs that start at once: what needs the disk says so, the rest goes on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::api_process::{Running, SCORE, one_alert, program, save_models};

/// The server as it runs where no file can grow, as on a full disk.
fn without_room(directory: &Path, models: &[(&str, PathBuf)]) -> Command {
    let server = program(directory, models);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0""#]).arg(server.get_program());
    command.current_dir(directory).env_clear();
    command.envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn a_full_disk_stops_no_answer_and_no_reload() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    drop(Running::start(directory.path(), &models));
    let mut server = Running::of(&mut without_room(directory.path(), &models));
    assert!(server.ask(&one_alert()).contains(SCORE));
    server.signal("-HUP");
    server.wait_for("models are reloaded");
    assert!(server.ask(&one_alert()).contains("x-aml-receipt: "));
}

#[test]
fn a_key_that_does_not_fit_on_the_disk_is_told_and_leaves_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let run = without_room(directory.path(), &models).output().expect("it runs");
    let told = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot use the signing key file") && told.contains("receipt.key"), "{told}");
    assert_eq!(std::fs::read_dir(directory.path().join("keys")).expect("made").count(), 0);
    // With room again, it starts.
    assert!(Running::start(directory.path(), &models).ask(&one_alert()).contains("x-aml-receipt: "));
}

#[test]
fn lines_of_the_log_that_cannot_be_written_stop_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = Running::start(directory.path(), &save_models(directory.path(), "1.0.0"));
    drop(server.log.take());
    for _ in 0..20 {
        assert!(server.ask(&one_alert()).contains(SCORE));
    }
    server.signal("-TERM");
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn servers_that_start_at_once_sign_with_one_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let models = save_models(directory.path(), "1.0.0");
    let mut servers: Vec<_> = (0..4).map(|_| Running::spawn(&mut program(directory.path(), &models))).collect();
    let keys: Vec<_> =
        servers.iter_mut().map(|server| server.wait_for("receipts are signed")["public_key"].clone()).collect();
    assert!(keys[0].is_string() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    for mut server in servers {
        server.wait_until_listening();
        assert!(server.ask(&one_alert()).contains(SCORE));
    }
}
