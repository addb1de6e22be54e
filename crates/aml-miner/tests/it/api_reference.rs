//! Every example of `docs/api_reference.md` works as it stands.

use std::path::Path;
use std::process::Command;

use crate::api_kit::TestServer;

/// The `sh` blocks of a page, joined.
fn examples(page: &str) -> String {
    let mut script = String::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line) {
            (false, "```sh") => inside = true,
            (true, "```") => inside = false,
            (true, line) => {
                script.push_str(line);
                script.push('\n');
            }
            _ => {}
        }
    }
    script
}

#[test]
fn the_examples_run() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: there is no curl");
        return;
    }
    let server = TestServer::start();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api_reference.md");
    let script = examples(&std::fs::read_to_string(page).expect("the page is there"));
    for route in [
        "/score/alerts",
        "/rank/alerts",
        "/score/clusters",
        "/health",
        "/ready",
        "/version",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/admin/reload",
    ] {
        assert!(script.contains(&format!("http://localhost:8000{route}")), "{route} has no example");
    }
    let script = script.replace("http://localhost:8000", &format!("http://{}", server.address));
    let strict = "set -eu\ncurl() { command curl --fail --silent --show-error --noproxy '*' \"$@\" >out.txt; test -s out.txt || test -s answer.json || test -s answer.arrow; }\n";
    let dir = tempfile::tempdir().expect("a directory");
    let run =
        Command::new("bash").arg("-c").arg(format!("{strict}{script}")).current_dir(dir.path()).output().expect("bash");
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let header = std::fs::read_to_string(dir.path().join("headers.txt")).expect("dumped");
    let receipt = header.lines().find_map(|line| line.strip_prefix("x-aml-receipt: ")).expect("a receipt");
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("written");
    aml_miner::receipt::verify(receipt.trim(), &read("request.json"), &read("answer.json"), None).expect("it holds");
}
