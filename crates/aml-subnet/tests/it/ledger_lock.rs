//! One validator per ledger, and who else may look.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use aml_subnet::store::records::Step;
use aml_subnet::store::{OpenLedgerError, StorageError};

use crate::ledger_kit::{Home, NETUID, causes, id, must_open, must_reach, open, round};

#[tokio::test]
async fn a_second_validator_is_told_who_holds_the_ledger() {
    for home in Home::both() {
        let first = open(&home.url, "validator Alice", false).await.expect("it is free");
        let refused = open(&home.url, "validator Bob", false).await.expect_err("it is held");
        let text = causes(&refused);
        assert!(matches!(refused, OpenLedgerError::Held { .. }), "{text}");
        assert!(text.contains("validator Alice"), "{}: {text}", home.name);
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        first.close().await;
        open(&home.url, "validator Bob", false).await.expect("it is free again");
    }
}

#[tokio::test]
async fn another_name_of_the_same_file_is_the_same_ledger() {
    let home = Home::file();
    let first = home.open().await;
    let link = home.folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(home.path(), &link).expect("it is ours");
    let refused = open(&format!("sqlite:{}", link.display()), "validator Bob", false).await.expect_err("it is held");
    assert!(matches!(refused, OpenLedgerError::Held { .. }), "{}", causes(&refused));
    first.close().await;
}

#[tokio::test]
async fn readers_look_beside_a_validator_and_change_nothing() {
    for home in Home::both() {
        let missing = open(&home.url, "reader", true).await.expect_err("there is nothing yet");
        assert!(matches!(missing, OpenLedgerError::Missing { .. }), "{}: {}", home.name, causes(&missing));
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Published).await;
        let reader = open(&home.url, "reader", true).await.expect("it reads beside the validator");
        assert!(reader.is_read_only() && !ledger.is_read_only());
        assert_eq!(reader.rounds(NETUID, 10, None).await.unwrap().len(), 1);
        must_reach(&ledger, 2, Step::Published).await;
        assert_eq!(reader.rounds(NETUID, 10, None).await.unwrap().len(), 2, "it sees what comes later");
        let refused = reader.note_seen(&[], 0).await;
        assert!(matches!(refused, Err(StorageError::OpenedReadOnly("note_seen"))), "{refused:?}");
        ledger.close().await;
        assert_eq!(reader.rounds(NETUID, 10, None).await.unwrap().len(), 2, "and after the validator is gone");
    }
}

#[tokio::test]
async fn a_holder_that_was_superseded_writes_no_more() {
    for home in Home::both() {
        let ledger = home.open().await;
        must_reach(&ledger, 1, Step::Fetched).await;
        // What a second validator does once the lock was lost, as when the server was restarted.
        let second = if home.is_server() {
            home.server_sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
            open(&home.url, "the successor", false).await.expect("the lock is free")
        } else {
            fs::remove_file(home.folder.path().join("ledger.sqlite.lock")).expect("somebody removes it");
            open(&home.url, "the successor", false).await.expect("the lock is free")
        };
        let refused = ledger.begin(&round(2)).await.expect_err("it is not its ledger any more");
        assert!(refused.to_string().contains("the successor"), "{}: {refused}", home.name);
        must_reach(&second, 2, Step::Tasked).await;
        assert_eq!(ledger.round(id(2)).await.unwrap().map(|round| round.step), Some(Step::Tasked), "it may still read");
    }
}

#[tokio::test]
async fn the_files_of_a_ledger_are_its_owners_alone() {
    let home = Home::file();
    fs::write(home.path(), "").expect("it is made with a loose mode");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o644)).expect("it is ours");
    let ledger = home.open().await;
    must_reach(&ledger, 1, Step::Tasked).await;
    let files: Vec<_> = fs::read_dir(home.folder.path()).expect("a folder").flatten().collect();
    assert!(files.len() >= 3, "the ledger, its log and its lock: {files:?}");
    for file in files {
        let mode = file.metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_newer_ledger_and_an_older_one_are_told_apart() {
    for home in Home::both() {
        let ledger = home.open().await;
        ledger.close().await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (999, 'from the future', true, ";
        if home.is_server() {
            home.server_sql(&format!("{newer}'\\x00', 1)"));
        } else {
            must_sqlite(&home.url, &format!("{newer}x'00', 1)")).await;
        }
        for read_only in [false, true] {
            let refused = open(&home.url, "an old program", read_only).await.expect_err("it is from the future");
            let text = causes(&refused);
            assert!(matches!(refused, OpenLedgerError::Newer { found: 999, .. }), "{}: {text}", home.name);
            assert!(text.contains("newer aml-subnet"), "{text}");
        }
    }
}

/// Changes a SQLite ledger behind the program's back.
async fn must_sqlite(url: &str, statement: &str) {
    use sqlx::Connection as _;
    sqlx::any::install_default_drivers();
    let url = url.replacen("sqlite:", "sqlite://", 1);
    let mut connection = sqlx::AnyConnection::connect(&url).await.expect("it opens");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect("it is done");
    connection.close().await.expect("it closes");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anything_is_touched() {
    for wrong in ["", "ledger.sqlite", "mysql://x/y", "sqlite:"] {
        let refused = open(wrong, "the test", false).await.expect_err("it is no address");
        assert!(matches!(refused, OpenLedgerError::Address(_)), "{}", causes(&refused));
    }
    let refused = open("postgres://aml:s3cret@127.0.0.1:1/x", "the test", false).await.expect_err("nobody listens");
    assert!(!causes(&refused).contains("s3cret"), "{}", causes(&refused));
    let home = Home::file();
    let memory = must_open("sqlite::memory:").await;
    must_reach(&memory, 1, Step::Settled).await;
    assert_eq!(fs::read_dir(home.folder.path()).expect("a folder").count(), 0);
}
