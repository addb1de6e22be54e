//! `aml-subnet scores`, as an operator types it: files of published rounds alone, and files that hold.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use aml_subnet::store::records::Step;

use crate::common::dev_key;
use crate::ledger_kit::{Home, NOW, commitment, id, must_reach, round, silence, task, verdict};
use crate::validator_kill::ALICE;

/// A ledger, and the wallet of `//Alice`.
pub(crate) struct Desk(pub(crate) Home);

impl Desk {
    pub(crate) fn set() -> Self {
        let home = Home::file();
        let hotkeys = home.folder.path().join("wallets/val/hotkeys");
        std::fs::create_dir_all(&hotkeys).expect("a folder");
        std::fs::write(hotkeys.join("default"), ALICE).expect("a key");
        std::fs::set_permissions(hotkeys.join("default"), PermissionsExt::from_mode(0o600)).expect("a mode");
        Self(home)
    }

    /// The program with these words, at this desk.
    pub(crate) fn types(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aml-subnet"));
        command.args(words).current_dir(self.0.folder.path()).env("DATABASE_URL", &self.0.url);
        command.env_remove("AML_SUBNET_CONFIG").output().expect("it runs")
    }

    /// The same, with the wallet.
    pub(crate) fn signs(&self, words: &[&str]) -> Output {
        self.types(&[words, &["--wallet.path", "wallets", "--wallet.name", "val"]].concat())
    }

    fn scores(&self, words: &[&str]) -> Output {
        self.types(&[&["scores"], words].concat())
    }

    fn export(&self, round: &str) -> Output {
        self.signs(&["scores", "export", "--round", round, "--out", "out"])
    }
}

pub(crate) fn must_say(output: &Output, good: bool, expected: &str) {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.success(), good, "{said}");
    assert!(said.contains(expected), "{said}: expected {expected}");
}

#[tokio::test]
async fn files_of_a_published_round_are_written_signed_and_checked() {
    let desk = Desk::set();
    let ledger = desk.0.open().await;
    must_reach(&ledger, 1, Step::Published).await;
    let (name, alice) = (id(1).to_string(), dev_key("Alice").hotkey().to_string());
    must_say(&desk.export(&name), true, &format!("hotkey   {alice}"));
    let folder = format!("out/{}_30", id(1).date);
    must_say(&desk.scores(&["verify", &folder]), true, &format!("round    {name}"));
    must_say(&desk.scores(&["verify", &folder, "--hotkey", &alice]), true, "canonical.parquet (3 rows");
    let bob = dev_key("Bob").hotkey().to_string();
    must_say(&desk.scores(&["verify", &folder, "--hotkey", &bob]), false, "does not hold");
    let csv = desk.0.folder.path().join(&folder).join("canonical.csv");
    let text = std::fs::read_to_string(&csv).expect("a file");
    std::fs::write(&csv, text.replacen("high", "low!", 1)).expect("it is ours");
    must_say(&desk.scores(&["verify", &folder]), false, "canonical.csv");
}

#[tokio::test]
async fn what_is_not_published_is_not_signed_either() {
    let desk = Desk::set();
    let ledger = desk.0.open().await;
    must_reach(&ledger, 1, Step::Merged).await;
    must_say(&desk.export(&id(1).to_string()), false, "is not published yet");
    must_say(&desk.export(&id(9).to_string()), false, "has no round");
    // Nobody's submission counted.
    ledger.begin(&round(2)).await.expect("it begins");
    ledger.record_task(id(2), &task(2), commitment()).await.expect("tasked");
    for number in 1..=3 {
        ledger.record_answer(id(2), &silence(number), None).await.expect("an outcome");
    }
    ledger.finish_asking(id(2)).await.expect("asked");
    ledger.record_verdicts(id(2), &[verdict(3)]).await.expect("judged");
    ledger.record_canonical(id(2), None).await.expect("merged");
    ledger.publish(id(2), NOW).await.expect("published");
    must_say(&desk.export(&id(2).to_string()), false, "no submission counted");
    assert!(!desk.0.folder.path().join("out").exists(), "nothing is left behind");
}
