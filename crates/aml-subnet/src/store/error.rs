//! What can go wrong with the ledger, told apart by what an operator does about it.

use aml_miner::digest::Digest;

use super::records::{RoundId, Step};

/// The database did not do what was asked. What was recorded before is not touched.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Nothing more fits.
    #[error(
        "no space is left for the ledger ({operation}); nothing recorded is lost: free space, or lower the retention, \
         and repeat"
    )]
    Full {
        /// What was done.
        operation: &'static str,
        /// What the database says.
        source: sqlx::Error,
    },
    /// It may not be written.
    #[error("the ledger cannot be written ({operation}): is its file or file system read-only, or the user's role?")]
    ReadOnly {
        /// What was done.
        operation: &'static str,
        /// What the database says.
        source: sqlx::Error,
    },
    /// Not what was written.
    #[error(
        "the ledger is damaged ({operation}): keep the file, restore the newest backup, and see docs/ledger.md for what \
         can be saved"
    )]
    Damaged {
        /// What was done.
        operation: &'static str,
        /// What the database says.
        source: sqlx::Error,
    },
    /// It does not answer, or not in time.
    #[error("the ledger's database does not answer or cannot be reached ({operation})")]
    Unavailable {
        /// What was done.
        operation: &'static str,
        /// What the database says.
        source: sqlx::Error,
    },
    /// The connection is not as safe as the ledger's address asks for.
    #[error(
        "no connection to the ledger's database that is as safe as its address asks ({operation}): see sslmode and \
         sslrootcert in docs/ledger.md"
    )]
    Insecure {
        /// What was done.
        operation: &'static str,
        /// What is wrong with it.
        source: sqlx::Error,
    },
    /// Anything else it says.
    #[error("the ledger's database refused `{operation}`")]
    Database {
        /// What was done.
        operation: &'static str,
        /// What the database says.
        source: sqlx::Error,
    },
    /// A stored record does not read back.
    #[error("the ledger's record `{what}` does not read back: {why}")]
    Malformed {
        /// Which.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// What is stored is not what its digest says.
    #[error("`{name}` of round {round} is not what its digest says: {actual}, expected {expected}; see docs/ledger.md")]
    Altered {
        /// The round.
        round: RoundId,
        /// Whose column, or which file.
        name: String,
        /// What was recorded.
        expected: Digest,
        /// What is there.
        actual: Digest,
    },
    /// A value that would not read back, such as one with a NaN in it, is not written.
    #[error("`{what}` cannot be recorded: {why}")]
    Unrecordable {
        /// Which.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Opened to be read.
    #[error("the ledger is open for reading only, `{0}` needs to write")]
    OpenedReadOnly(&'static str),
    /// Another validator has taken it since.
    #[error("the ledger was taken over by {holder}: this process must not write to it any more")]
    TakenOver {
        /// Who has it now.
        holder: String,
    },
}

impl StorageError {
    /// What `source` means for `operation`.
    pub(super) fn of(operation: &'static str, source: sqlx::Error) -> Self {
        match Fault::of(&source) {
            Fault::Full => Self::Full { operation, source },
            Fault::ReadOnly => Self::ReadOnly { operation, source },
            Fault::Damaged => Self::Damaged { operation, source },
            Fault::Unavailable => Self::Unavailable { operation, source },
            Fault::Insecure => Self::Insecure { operation, source },
            Fault::Other => Self::Database { operation, source },
        }
    }

    /// Whether repeating it later may help without anything being changed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Unavailable { .. })
    }
}

const FAILURES: &str = "aml_validator_ledger_errors_total";

/// Counts that the ledger refused to `read` or `write`.
pub(crate) fn count_failure(operation: &'static str) {
    metrics::counter!(FAILURES, "operation" => operation).increment(1);
}

/// Zero is a number too: an alert rule on an absent series never fires.
pub(crate) fn count_from_zero() {
    metrics::counter!(FAILURES, "operation" => "read").increment(0);
    metrics::counter!(FAILURES, "operation" => "write").increment(0);
}

/// For `map_err`. A failed write is counted, for an alert to be raised; what is only read is counted by its reader.
pub(super) fn during(operation: &'static str) -> impl Fn(sqlx::Error) -> StorageError + Copy {
    move |source| {
        if !operation.starts_with("read ") {
            count_failure("write");
        }
        StorageError::of(operation, source)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Full,
    ReadOnly,
    Damaged,
    Unavailable,
    Insecure,
    Other,
}

impl Fault {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => error.code().map_or(Self::Other, |code| Self::of_code(&code)),
            sqlx::Error::Tls(_) => Self::Insecure,
            // What is wrong with a certificate comes as a fault of the stream.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Self::Insecure,
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable
            }
            _ => Self::Other,
        }
    }

    /// SQLite's codes are numbers whose low byte is the class; PostgreSQL's SQLSTATEs have five characters.
    fn of_code(code: &str) -> Self {
        if code.len() == 5 {
            return match code {
                // A lock that was not got in time.
                "55P03" => Self::Unavailable,
                "53100" | "54000" => Self::Full,
                "25006" | "42501" => Self::ReadOnly,
                "XX001" | "XX002" => Self::Damaged,
                _ if code.starts_with("08") || code.starts_with("57P") || code == "53300" => Self::Unavailable,
                _ => Self::Other,
            };
        }
        match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(13) => Self::Full,
            Ok(3 | 8) => Self::ReadOnly,
            Ok(11 | 26) => Self::Damaged,
            Ok(5 | 6 | 10 | 14) => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

/// A step that is not the next one of its round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("round {round} is {actual:?}, not {expected:?}: a round's steps are neither skipped nor taken back")]
pub struct StepError {
    /// The round.
    pub round: RoundId,
    /// Where it would have to be.
    pub expected: Step,
    /// Where it is.
    pub actual: Step,
}

/// Why something of a round was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not its turn.
    #[error(transparent)]
    Step(#[from] StepError),
    /// There is no such round.
    #[error("there is no round {0} in the ledger")]
    UnknownRound(RoundId),
    /// It is recorded already, with another content.
    #[error("round {round} has another {what} already; what is recorded is not replaced")]
    Differs {
        /// The round.
        round: RoundId,
        /// What of it.
        what: &'static str,
    },
    /// A body that is not the one its answer names, or none where it names one.
    #[error("the body of {hotkey}'s answer is not what the answer says: {why}")]
    Body {
        /// Whose.
        hotkey: crate::wallet::Hotkey,
        /// What is wrong.
        why: String,
    },
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn codes_of_both_databases_are_told_apart_by_what_to_do() {
        let cases = [
            ("13", Fault::Full),
            ("53100", Fault::Full),
            ("8", Fault::ReadOnly),
            ("1032", Fault::ReadOnly),
            ("25006", Fault::ReadOnly),
            ("11", Fault::Damaged),
            ("26", Fault::Damaged),
            ("XX001", Fault::Damaged),
            ("5", Fault::Unavailable),
            ("778", Fault::Unavailable),
            ("57P01", Fault::Unavailable),
            ("08006", Fault::Unavailable),
            ("55P03", Fault::Unavailable),
            ("1555", Fault::Other),
            ("23505", Fault::Other),
            ("", Fault::Other),
        ];
        for (code, fault) in cases {
            assert_eq!(Fault::of_code(code), fault, "{code}");
        }
    }

    #[test]
    fn a_write_that_fails_is_counted_for_the_alert() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let _ = super::during("record_task")(sqlx::Error::PoolClosed);
            let _ = super::during("read a task")(sqlx::Error::PoolClosed);
        });
        let text = recorder.handle().render();
        assert!(text.contains("aml_validator_ledger_errors_total{operation=\"write\"} 1"), "{text}");
    }
}
