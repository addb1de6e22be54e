//! Pages for people: well-formed, true to the ledger, harmless whatever miners send, and drawn by a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use aml_miner::digest::Digest;
use aml_subnet::api::serve::serve;
use axum::http::Method;
use base64::Engine as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api_batch::{CLUSTER, HUB};
use crate::api_kit::{DAYS, HOSTILE, Kit, SETTLED, id, led_to, miner, task};

fn paths() -> Vec<String> {
    let address = &task(DAYS).roster[3].address;
    vec![
        "/".to_owned(),
        "/page/miners".to_owned(),
        "/page/plan".to_owned(),
        "/page/plan?reviews=50&precision=0.2".to_owned(),
        "/page/drift".to_owned(),
        format!("/page/alerts/{}/{}", id(DAYS), task(DAYS).roster[3].alert_id),
        format!("/page/alerts/{}/{}", id(DAYS), task(DAYS).roster[HUB].alert_id),
        format!("/page/clusters/{}/{CLUSTER}", id(DAYS)),
        "/page/cases".to_owned(),
        "/page/cases?by=address&after=150".to_owned(),
        format!("/page/alerts/{}", id(DAYS)),
        format!("/page/alerts/{}?q=00&severity=high&sort=-deviation", id(DAYS)),
        format!("/page/alerts/{}?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E", id(DAYS)),
        "/page/rounds".to_owned(),
        "/page/rounds?before=2026-01-04".to_owned(),
        format!("/page/rounds/{}", id(DAYS)),
        format!("/page/rounds/{}", id(SETTLED)),
        format!("/page/miners/{}", miner(1)),
        format!("/page/miners/{}", miner(7)),
        format!("/page/miners/{}", miner(8)),
        format!("/page/miners/{}?limit=3", miner(11)),
        "/page/weights".to_owned(),
        "/page/risk".to_owned(),
        format!("/page/risk?address={address}"),
        "/page/risk?address=%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
    ]
}

#[tokio::test]
async fn every_page_is_well_formed_harmless_and_complete_in_itself() {
    let kit = Kit::season().await;
    let empty = Kit::empty().await;
    for (kit, path) in paths().iter().map(|path| (&kit, path.as_str())).chain(
        ["/", "/page/miners", "/page/plan", "/page/drift", "/page/rounds", "/page/cases", "/page/weights"]
            .map(|path| (&empty, path)),
    ) {
        let page = kit.get(path).await.must_succeed();
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        let html = page.text();
        must_be_well_formed(&html, path);
        let lower = html.to_lowercase();
        for never in
            ["<script", "<img", "onerror=\"", " style=", "javascript:", "http://", "https://", "@import", "url("]
        {
            assert!(!lower.contains(never), "{path} has {never}");
        }
        let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
        let digest = base64::engine::general_purpose::STANDARD.encode(Digest::of(style.as_bytes()).as_bytes());
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains(&format!("style-src 'sha256-{digest}'")) && policy.starts_with("default-src 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        for link in html.split("href=\"").skip(1).map(|rest| rest.split('"').next().expect("ends")) {
            let inside = link.starts_with("./") || link.starts_with("../") || link.starts_with('#') || link == "data:,";
            assert!(inside, "{path} links to {link}");
        }
    }
}

#[tokio::test]
async fn every_link_leads_somewhere() {
    let kit = Kit::season().await;
    let mut links = std::collections::BTreeSet::new();
    for path in paths() {
        let html = kit.get(&path).await.must_succeed().text();
        links.extend(led_to(&html, &path));
    }
    assert!(links.len() > 60, "{}", links.len());
    for link in links {
        let status = kit.get(&link).await.status.as_u16();
        // Files are published by the validator itself, not here.
        assert!(status == 200 || (status == 404 && link.contains("/manifest")), "{link} answers {status}");
    }
}

/// Behind any path that a proxy puts before the pages and takes away again, every link stays behind it, on error pages too.
#[tokio::test]
async fn links_stay_behind_the_path_of_a_proxy() {
    let kit = Kit::season().await;
    let lost = ["/page/nowhere", "/page/rounds/x/y/z", "/page/miners/nobody"].map(str::to_owned);
    for path in paths().iter().chain(&lost) {
        let html = kit.get(path).await.text();
        let links = led_to(&html, &format!("/aml/validator{path}"));
        assert!(links.len() > 8, "{path}: {links:?}");
        for link in links {
            assert!(link.starts_with("/aml/validator/"), "{path} leads to {link}");
        }
    }
    for header in ["forwarded", "x-forwarded-prefix"] {
        let told = kit.send(Method::GET, "/page/miners", &[(header, "/elsewhere")]).await.must_succeed().text();
        assert!(!told.contains("elsewhere"), "{header} is believed");
    }
}

#[tokio::test]
async fn pages_say_what_the_ledger_says() {
    let kit = Kit::season().await;
    let board = kit.get("/page/miners").await.must_succeed().text();
    let list = kit.get("/miners").await.must_succeed().json();
    let mut at = 0;
    for row in list["miners"].as_array().expect("a list") {
        let hotkey = row["hotkey"].as_str().expect("text");
        let found = board[at..].find(hotkey).unwrap_or_else(|| panic!("{hotkey} is not there, or out of order"));
        at += found;
        let worth = format!("{:.3}", row["performance"].as_f64().expect("a number"));
        assert!(board[at..].split("</tr>").next().expect("a row").contains(&worth), "{hotkey}: {worth}");
    }
    let page = kit.get(&format!("/page/rounds/{}", id(SETTLED))).await.must_succeed().text();
    let detail = kit.get(&format!("/rounds/{}", id(SETTLED))).await.must_succeed().json();
    for text in
        [&detail["salt"], &detail["commitment"], &detail["round"]["batch"], &detail["canonical"]["top"][0]["alert_id"]]
    {
        assert!(page.contains(text.as_str().expect("text")), "{text}");
    }
    let accepted = format!("{} of {}", detail["round"]["accepted"], detail["round"]["asked"]);
    assert!(page.contains(&accepted) && page.contains("connection refused") && page.contains("not serving"));
    assert!(page.contains("one of 2 copies, which share one reward"));
    let weights = kit.get("/page/weights").await.must_succeed().text();
    for text in ["confirmed", "committed", "failed", "SettingWeightsTooFast", "commit, then reveal"] {
        assert!(weights.contains(text), "{text}");
    }
}

#[tokio::test]
async fn what_a_hostile_miner_sends_is_text() {
    let kit = Kit::season().await;
    for path in
        [format!("/page/miners/{}", miner(7)), format!("/page/miners/{}", miner(8)), format!("/page/rounds/{}", id(20))]
    {
        let html = kit.get(&path).await.must_succeed().text();
        assert!(!html.contains(HOSTILE) && html.contains("&#60;script&#62;alert(1)"), "{path}");
    }
}

#[tokio::test]
async fn empty_pages_say_what_to_do() {
    let kit = Kit::empty().await;
    for (path, hint) in [
        ("/", "No day is published yet"),
        ("/page/miners", "No miner is ranked yet"),
        ("/page/rounds", "aml-subnet validator --once"),
        ("/page/weights", "aml-subnet weights show"),
    ] {
        assert!(kit.get(path).await.must_succeed().text().contains(hint), "{path}");
    }
}

#[test]
fn templates_escape_everything() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for file in std::fs::read_dir(folder).expect("templates").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("readable");
        for never in ["|safe", "| safe", "escape(\"none\")", "<script", "style=\""] {
            assert!(!text.contains(never), "{} has {never}", file.path().display());
        }
    }
}

/// Pages in a browser without a window, light and dark, wide and narrow.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_draws_every_page() {
    let Some(chromium) = browser() else {
        println!("skipped: no Chromium (Debian: apt-get install chromium)");
        return;
    };
    let kit = Kit::season().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, kit.api.clone(), stop.clone()));
    let out = std::env::var_os("AML_SCREENSHOTS").map(PathBuf::from);
    let profile = tempfile::tempdir().expect("a folder");
    let shots = [
        ("/".to_owned(), "home"),
        ("/page/miners".to_owned(), "leaderboard"),
        ("/page/plan".to_owned(), "plan"),
        ("/page/drift".to_owned(), "drift"),
        (format!("/page/alerts/{}/{}", id(DAYS), task(DAYS).roster[2].alert_id), "alert"),
        (format!("/page/alerts/{}/{}", id(DAYS), task(DAYS).roster[HUB].alert_id), "hub"),
        (format!("/page/clusters/{}/{CLUSTER}", id(DAYS)), "cluster"),
        ("/page/cases".to_owned(), "cases"),
        (format!("/page/alerts/{}?typology=mixing", id(DAYS)), "alerts"),
        ("/page/rounds".to_owned(), "rounds"),
        (format!("/page/rounds/{}", id(SETTLED)), "round"),
        (format!("/page/rounds/{}", id(DAYS)), "open"),
        (format!("/page/miners/{}", miner(3)), "miner"),
        ("/page/weights".to_owned(), "weights"),
        (format!("/page/risk?address={}", task(DAYS).roster[3].address), "risk"),
    ];
    for (path, name) in shots {
        let dom = run(&chromium, profile.path(), &["--dump-dom", &format!("{base}{path}")]).await;
        let dom = String::from_utf8(dom).expect("UTF-8");
        assert!(dom.contains("</main>") && dom.contains("AML subnet 1"), "{name}: {dom}");
        let Some(out) = &out else { continue };
        for (scheme, size) in [("light", "1280,1500"), ("dark", "1280,1500"), ("light", "500,1500")] {
            let dark = format!("--blink-settings=preferredColorScheme={}", u8::from(scheme == "light"));
            let width = size.split(',').next().expect("a width");
            let shot = format!("--screenshot={}", out.join(format!("{name}-{scheme}-{width}.png")).display());
            let window = format!("--window-size={size}");
            run(&chromium, profile.path(), &[&dark, &shot, &window, &format!("{base}{path}")]).await;
        }
    }
    stop.cancel();
    serving.await.expect("it ends");
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.exists())
}

async fn run(chromium: &Path, profile: &Path, args: &[&str]) -> Vec<u8> {
    let mut command = Command::new(chromium);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-dev-shm-usage",
        "--no-proxy-server",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display())).args(args);
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("it ran").expect("it starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// Every element is closed in order, every attribute quoted and given once, every id unique.
pub(crate) fn must_be_well_formed(html: &str, page: &str) {
    const VOID: [&str; 6] = ["meta", "link", "input", "br", "hr", "!doctype"];
    let mut open: Vec<String> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("{page}: an element is not closed: {rest:.80}"));
        let tag = &rest[..end];
        assert!(!tag.contains('<'), "{page}: < within <{tag}>");
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{page}: </{name}> closes another");
            continue;
        }
        let name = tag.split([' ', '/']).next().expect("a name").to_lowercase();
        let mut seen = std::collections::BTreeSet::new();
        for (attribute, value) in attributes(&tag[name.len()..], page) {
            assert!(seen.insert(attribute.clone()), "{page}: {attribute} twice in <{tag}>");
            if attribute == "id" {
                assert!(ids.insert(value.clone()), "{page}: id {value} twice");
            }
        }
        if tag.ends_with('/') || VOID.contains(&name.as_str()) {
            continue;
        }
        if name == "style" {
            let end = rest.find("</style>").unwrap_or_else(|| panic!("{page}: a style is not closed"));
            rest = &rest[end..];
        }
        open.push(name);
    }
    assert!(open.is_empty(), "{page}: {open:?} are not closed");
}

fn attributes(text: &str, page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_end_matches('/').trim();
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap_or_else(|| panic!("{page}: a value is not closed: {quoted:.80}"));
            value = quoted[..end].to_owned();
            rest = &quoted[end + 1..];
        } else {
            assert!(!rest.starts_with('='), "{page}: a value without quotes: {rest:.80}");
        }
        found.push((name, value));
        rest = rest.trim_start();
    }
    found
}
