//! Every example of `docs/validator_api.md` works as it stands.

use std::path::Path;
use std::process::Command;

use aml_subnet::api::serve::serve;
use aml_subnet::outputs::pack_path;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api_kit::{DAYS, Kit, SETTLED, id, must_publish};

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/validator_api.md");
    std::fs::read_to_string(page).expect("the page is there")
}

/// The `sh` blocks of a page, joined.
fn examples(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().expect("it ends"));
    blocks.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_run() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: there is no curl");
        return;
    }
    let kit = Kit::season().await;
    let root = kit.folder.path().join("published");
    must_publish(&root, DAYS);
    let pack = pack_path(&root, &id(SETTLED));
    aml_miner::whole_file::write(&pack, b"a pack", aml_miner::whole_file::Readers::Everyone).expect("written");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, kit.api.clone(), stop.clone()));
    let strict = "set -eu\ncurl() { command curl --fail --silent --show-error --noproxy '*' \"$@\"; }\n";
    let script = examples(&page()).replace("http://localhost:8100", &format!("http://{address}"));
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new("bash").arg("-c").arg(format!("{strict}{script}")).current_dir(place).output()
    });
    let ran = ran.await.expect("it ran").expect("bash");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(std::fs::read(folder.path().join("canonical.parquet")).expect("saved").starts_with(b"PAR1"));
    stop.cancel();
    serving.await.expect("it ends");
}

#[test]
fn every_route_has_an_example_and_every_error_a_line() {
    let (page, document) = (page(), aml_subnet::api::openapi::build());
    let examples = examples(&page);
    for route in document["paths"].as_object().expect("paths").keys() {
        let stem = route.split('{').next().expect("a beginning");
        let tail = route.rsplit('}').next().filter(|_| route.contains('}')).unwrap_or_default();
        let shown = examples.lines().any(|line| {
            let path = line.split("http://localhost:8100").nth(1).unwrap_or_default().trim_end_matches('\'');
            let path = path.split('?').next().unwrap_or_default();
            path.starts_with(stem) && path.ends_with(tail) && (route.contains('{') || path == route)
        });
        assert!(shown, "{route} has no example");
    }
    for code in document["components"]["schemas"]["ErrorCode"]["enum"].as_array().expect("codes") {
        assert!(page.contains(&format!("`{}`", code.as_str().expect("text"))), "{code} is not explained");
    }
    for line in page.lines().filter(|line| line.contains("`aml_validator_")) {
        assert!(line.starts_with("| "), "{line}");
    }
}
