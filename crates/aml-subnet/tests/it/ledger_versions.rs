//! A ledger of every released version opens and goes on.
//!
//! `tests/fixtures/ledger/VERSION.sqlite.sql` and `VERSION.postgres.sql` are what that version wrote: a settled round
//! with swept bodies, a published one, an unfinished one, weights. They are never changed; a new version adds its own
//! with `AML_WRITE_FIXTURES=1 cargo nextest run -p aml-subnet --run-ignored all ledger_versions`.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::ledger_kit::{Home, must_open};
use crate::ledger_transfer::{filled, must_be_filled};

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ledger")
}

#[tokio::test]
async fn a_ledger_of_every_released_version_opens_and_goes_on() {
    let mut seen = 0;
    let mut server = None;
    for file in fs::read_dir(fixtures()).expect("fixtures").flatten() {
        let name = file.file_name().into_string().expect("a plain name");
        let sql = fs::read_to_string(file.path()).expect("a text");
        if let Some(version) = name.strip_suffix(".sqlite.sql") {
            let home = Home::file();
            must_run(&home.url, &sql).await;
            must_be_filled(&must_open(&home.url).await).await;
            seen += usize::from(version == "1.0.0");
        } else {
            let version = name.strip_suffix(".postgres.sql").expect("one of the two");
            let Some(home) = server.get_or_insert_with(Home::server) else { continue };
            let url = home.another(&format!("v{}", version.replace('.', "_")));
            home.psql(&url, &file.path());
            must_be_filled(&must_open(&url).await).await;
        }
    }
    assert_eq!(seen, 1, "the first version is among them");
}

#[tokio::test]
#[ignore = "writes the fixtures of this version when AML_WRITE_FIXTURES is set"]
async fn fixtures_of_this_version() {
    if std::env::var_os("AML_WRITE_FIXTURES").is_none() {
        return;
    }
    fs::create_dir_all(fixtures()).expect("it is ours");
    let version = env!("CARGO_PKG_VERSION");
    let home = Home::file();
    filled(&home.url).await.close().await;
    let path = fixtures().join(format!("{version}.sqlite.sql"));
    fs::write(path, dumped(&home.url).await).expect("it is ours");
    let home = Home::server().expect("PostgreSQL is needed here");
    filled(&home.url).await.close().await;
    fs::write(fixtures().join(format!("{version}.postgres.sql")), home.pg_dump()).expect("it is ours");
}

pub(crate) async fn must_run(url: &str, sql: &str) {
    let mut connection = must_connect(url).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
}

async fn must_connect(url: &str) -> sqlx::AnyConnection {
    sqlx::any::install_default_drivers();
    let url = format!("{}?mode=rwc", url.replacen("sqlite:", "sqlite://", 1));
    sqlx::AnyConnection::connect(&url).await.expect("it opens")
}

/// All of a SQLite file as statements.
async fn dumped(url: &str) -> String {
    let mut connection = must_connect(url).await;
    let texts = async |connection: &mut sqlx::AnyConnection, select: String| {
        let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(connection).await.expect("it reads");
        rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>()
    };
    let mut sql = String::new();
    let select = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid";
    for statement in texts(&mut connection, select.to_owned()).await {
        sql.push_str(&format!("{statement};\n"));
    }
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid";
    for table in texts(&mut connection, tables.to_owned()).await {
        let columns = format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')");
        let quoted = texts(&mut connection, columns).await.join(" || ',' || ");
        let select = format!("SELECT 'INSERT INTO {table} VALUES (' || {quoted} || ');' FROM {table}");
        for insert in texts(&mut connection, select).await {
            sql.push_str(&insert);
            sql.push('\n');
        }
    }
    sql
}
