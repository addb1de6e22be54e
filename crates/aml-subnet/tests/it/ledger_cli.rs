//! `aml-subnet export`, `import` and `backup`, as an operator types them.

use std::process::{Command, Output};

use aml_subnet::store::records::Step;

use crate::ledger_kit::{Home, NETUID, must_open, must_reach};

/// The command, in a folder of its own and without this machine's settings.
fn aml_subnet(home: &Home, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aml-subnet"))
        .args(args)
        .current_dir(home.folder.path())
        .env_remove("AML_SUBNET_CONFIG")
        .env_remove("VALIDATOR_DATA_DIR")
        .env("DATABASE_URL", &home.url)
        .output()
        .expect("it runs")
}

fn must_succeed(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn must_fail(output: &Output, expected: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains(expected), "{text}: expected {expected}");
}

#[tokio::test]
async fn a_ledger_is_exported_imported_and_backed_up_from_the_command_line() {
    let home = Home::file();
    must_fail(&aml_subnet(&home, &["export", "out"]), "there is no ledger at");
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Settled).await;

    let text = must_succeed(&aml_subnet(&home, &["export", "out"]));
    assert!(text.contains("1 rounds") && text.contains("3 verdicts"), "{text}");
    must_fail(&aml_subnet(&home, &["export", "out"]), "exists already");
    must_succeed(&aml_subnet(&home, &["backup", "copy.sqlite"]));
    must_fail(&aml_subnet(&home, &["import", "out"]), "is in use by the test");
    ledger.close().await;
    must_fail(&aml_subnet(&home, &["import", "out"]), "is not empty");

    let text = must_succeed(&aml_subnet(&home, &["import", "--database-url", "sqlite:new/ledger.sqlite", "out"]));
    assert!(text.contains("1 rounds"), "{text}");
    for file in ["copy.sqlite", "new/ledger.sqlite"] {
        let copy = must_open(&format!("sqlite:{}", home.folder.path().join(file).display())).await;
        assert_eq!(copy.rounds(NETUID, 10, None).await.unwrap().len(), 1, "{file}");
    }
    must_fail(&aml_subnet(&home, &["export", "--database-url", "mysql://x", "again"]), "database_url");
}
