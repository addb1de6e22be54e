//! PostgreSQL over TLS: what `sslmode` and `sslrootcert` ask for is had, or refused with the reason.

use std::path::Path;
use std::process::{Command, Stdio};

use aml_subnet::store::records::Step;
use aml_subnet::store::{OpenLedgerError, StorageError};

use crate::ledger_kit::{Home, causes, must_open, must_reach, open};

/// An authority that the ledger is told to trust, another one, and a certificate by the first for `localhost`.
const CERTIFICATES: &str = "
for name in ca other; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=$name \
        -keyout $name.key -out $name.pem || exit 1
done
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > names
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr &&
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem &&
    chmod 600 server.key
";

/// A server that encrypts.
struct Encrypted {
    home: Home,
    port: u16,
}

impl Encrypted {
    fn server() -> Option<Self> {
        let there = Command::new("openssl").arg("version").stdout(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            println!("skipped: no openssl to make certificates with; on Debian: apt-get install openssl");
            return None;
        }
        let (home, port) = Home::tls_server(|as_server| {
            let made = as_server("sh").args(["-c", CERTIFICATES]).output().expect("it runs");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        })?;
        Some(Self { home, port })
    }

    fn url(&self, host: &str, options: &str) -> String {
        format!("postgres://aml@{host}:{}/postgres?{options}", self.port)
    }

    /// What trusts a file of certificates.
    fn trusting(&self, mode: &str, authority: &str) -> String {
        format!("sslmode={mode}&sslrootcert={}", self.folder().join(authority).display())
    }

    fn folder(&self) -> &Path {
        self.home.folder.path()
    }

    /// Whether all connections but the one that asks are encrypted; there are some.
    fn is_all_encrypted(&self) -> bool {
        let said = self.home.server_ask(
            "SELECT count(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        );
        said == "t"
    }
}

async fn must_refuse(url: &str, expected: &str) {
    let refused = open(url, "the test", false).await.expect_err("it is not as safe as asked for");
    let said = causes(&refused);
    assert!(matches!(refused, OpenLedgerError::Storage { source: StorageError::Insecure { .. }, .. }), "{said}");
    assert!(said.contains("sslmode") && said.contains(expected), "{said}: expected {expected}");
}

#[tokio::test]
async fn a_server_whose_certificate_holds_is_written_to_over_tls() {
    let Some(server) = Encrypted::server() else { return };
    let urls = [
        server.url("localhost", &server.trusting("verify-full", "ca.pem")),
        // Another name than the certificate's is what these two do not look at.
        server.url("127.0.0.1", &server.trusting("verify-ca", "ca.pem")),
        server.url("127.0.0.1", "sslmode=require"),
        server.url("127.0.0.1", ""),
    ];
    for url in urls {
        let ledger = must_open(&url).await;
        must_reach(&ledger, 1, Step::Settled).await;
        assert!(server.is_all_encrypted(), "{url}");
        ledger.close().await;
    }
    let ledger = must_open(&server.url("localhost", "sslmode=disable")).await;
    assert!(!server.is_all_encrypted(), "the look tells the difference");
    ledger.close().await;
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_refused() {
    let Some(server) = Encrypted::server() else { return };
    for mode in ["verify-full", "verify-ca"] {
        must_refuse(&server.url("localhost", &server.trusting(mode, "other.pem")), "certificate").await;
        must_refuse(&server.url("localhost", &format!("sslmode={mode}")), "certificate").await;
    }
    must_refuse(&server.url("127.0.0.1", &server.trusting("verify-full", "ca.pem")), "certificate").await;
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let Some(home) = Home::server() else { return };
    for mode in ["require", "verify-ca", "verify-full"] {
        must_refuse(&format!("{}&sslmode={mode}", home.url), "does not support TLS").await;
    }
    must_open(&format!("{}&sslmode=prefer", home.url)).await.close().await;
}
