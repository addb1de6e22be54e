//! Brings the schema of a ledger up to date, version by version. A ledger of an older program is brought up to date; one of a newer program is refused.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, Row as _, SqlSafeStr as _};

use super::dialect::Dialect;

/// Every version of the schema, oldest first. What is released here is never changed.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "ledger", include_str!("migrations/0001_ledger.sql")),
    (2, "rules v2", include_str!("migrations/0002_rules_v2.sql")),
];

/// The version that this program writes.
pub(super) const LATEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The version of the ledger; 0 for an empty database.
pub(super) async fn version(pool: &AnyPool, dialect: Dialect) -> Result<i64, sqlx::Error> {
    let tables: i64 = sqlx::query(dialect.count_tables()).bind("_sqlx_migrations").fetch_one(pool).await?.try_get(0)?;
    if tables == 0 {
        return Ok(0);
    }
    sqlx::query("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations").fetch_one(pool).await?.try_get(0)
}

/// Brings the ledger up to date. Each version is one transaction.
pub(super) async fn run(pool: &AnyPool, dialect: Dialect) -> Result<(), sqlx::migrate::MigrateError> {
    let migration = |(version, name, sql): (i64, &'static str, &str)| {
        let sql = AssertSqlSafe(dialect.write(sql)).into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect()).run(pool).await
}
