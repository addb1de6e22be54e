//! `[validator]`: where batches come from, how miners are asked, when rounds are published, settled and paid.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aml_miner::secret_url::SecretUrl;
use aml_miner::wire::{Explain, Share};
use serde::{Deserialize, Serialize};

use super::forms::{is_database, is_key};
use super::readers::ReaderSettings;
use super::references::ReferenceSettings;
use super::sealing::Answers;
use super::unearned::Unearned;
use super::webhooks::{self, WebhookSettings};
use crate::validation::rules_list::RulesList;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Shortest time that columns are kept.
const LEAST_COLUMNS_AGE: Duration = Duration::from_secs(40 * 24 * 3600);

/// `[validator]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidatorSettings {
    /// Where batches come from: a directory of batch directories, `http(s)://...`, or `s3://bucket/prefix`.
    pub sot: String,
    /// Ed25519 public key (hex) that must have signed every batch; without one any intact batch is taken.
    pub sot_publisher: Option<String>,
    /// Only batches whose features look back so many days; without it batches of any window.
    pub window_days: Option<u16>,
    /// Folder for downloaded batches, published files, and the ledger when it is SQLite.
    pub data_dir: PathBuf,
    /// Folder for what a second machine needs to go on, where there is one: the secret of salts, pools of traps, published
    /// files. Without it they lie in the data folder.
    pub shared_dir: Option<PathBuf>,
    /// `sqlite://FILE` or `postgres://...`; without it `ledger.sqlite` in the data folder.
    pub database_url: Option<SecretUrl>,
    /// Where the read API and the pages are served.
    pub listen: SocketAddr,
    /// How often a new batch is looked for.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// How long the miners of a round have, all together; later answers do not count in full.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
    /// How long one miner may take; it never reaches beyond the deadline.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How often one miner is asked in a round, from 1 to 5: again when its failure may pass.
    pub attempts: u32,
    /// Miners that are asked at once: each takes a socket, memory below a megabyte, disk for its answer.
    pub concurrency: usize,
    /// Largest answer, decoded.
    pub max_answer_bytes: u64,
    /// Whether miners at loopback and private addresses are called: for development chains only.
    pub allow_private_ips: bool,
    /// Whether a miner that does not speak btauth/1 is asked in the form of SDK 10.
    pub v10_fallback: bool,
    /// Whether such an answer counts, though nobody signs it: under rules v2 alone, with three of nine checks failed.
    pub accept_unsigned: bool,
    /// How much of an explanation miners are asked for: `none`, `top` or `full` of every alert, or `share:0.1`.
    pub explain: Explain,
    /// Whether miners that take tasks as Arrow, packed, are sent them so: under rules v2.
    pub arrow_tasks: bool,
    /// From where those fetch tasks that say that they do.
    pub references: ReferenceSettings,
    /// Whether answers are sealed until their round opens: under rules v2.
    pub answers: Answers,
    /// Canonical scores may be read from so long after their round began.
    #[serde(with = "humantime_serde")]
    pub publish_delay: Duration,
    /// Outcomes are looked for from so long after the day of the batch.
    #[serde(with = "humantime_serde")]
    pub settle_after: Duration,
    /// And no longer than until then.
    #[serde(with = "humantime_serde")]
    pub settle_until: Duration,
    /// A round without a submission counts as 0 only when the hotkey was known for so long.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// Alerts with known outcomes that are mixed into each miner's task.
    pub traps: TrapSettings,
    /// Rules that rounds are judged under, by day; without any the ledger's own, and the newest for an empty one.
    pub rules: Option<RulesList>,
    /// Where the part of a day's pay goes that nobody earned under rules v2.
    pub unearned: Unearned,
    /// Mechanism of the subnet that weights are set for.
    pub mechanism: u8,
    /// Do everything but set weights.
    pub shadow: bool,
    /// How often the chain is asked whether weights are due.
    #[serde(with = "humantime_serde")]
    pub weights_interval: Duration,
    /// The version that weights carry, instead of the rules' or the subnet's own key.
    pub weights_version: Option<u64>,
    /// No weights while the ledger has fewer days with rounds that count.
    pub weights_min_rounds: usize,
    /// Raw answers of settled rounds are kept so long.
    #[serde(with = "humantime_serde")]
    pub retention_age: Duration,
    /// And no more bytes of them than this, compressed; the oldest go first.
    pub retention_bytes: u64,
    /// Columns and scores of submissions, from which rules v2 pay, are kept so long.
    #[serde(with = "humantime_serde")]
    pub columns_age: Duration,
    /// Who may read, and how much.
    pub readers: ReaderSettings,
    /// Who is told when a round is published, gets outcomes, or is settled.
    pub webhooks: Vec<WebhookSettings>,
}

/// `[validator.traps]`: how many traps each miner is sent. Small batches get fewer: traps are a small share of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrapSettings {
    /// Groups of confirmed illicit alerts.
    pub high_groups: usize,
    /// Groups of clean alerts.
    pub low_groups: usize,
    /// Alerts of a group.
    pub group_size: usize,
}

impl Default for TrapSettings {
    /// A random submission passes a high group of 20 with probability 2e-10, and a low one with 0.058.
    fn default() -> Self {
        Self { high_groups: 2, low_groups: 2, group_size: 20 }
    }
}

impl Default for ValidatorSettings {
    fn default() -> Self {
        Self {
            sot: "batches".to_owned(),
            sot_publisher: None,
            window_days: None,
            data_dir: PathBuf::from("validator-data"),
            shared_dir: None,
            database_url: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8100)),
            interval: 10 * MINUTE,
            deadline: 15 * MINUTE,
            timeout: 2 * MINUTE,
            attempts: 5,
            concurrency: 256,
            max_answer_bytes: 64 << 20,
            allow_private_ips: false,
            v10_fallback: false,
            accept_unsigned: false,
            explain: Explain::Share(Share::TENTH),
            arrow_tasks: true,
            references: ReferenceSettings::default(),
            answers: Answers::default(),
            publish_delay: Duration::ZERO,
            settle_after: 7 * DAY,
            settle_until: 21 * DAY,
            grace: 3 * DAY,
            traps: TrapSettings::default(),
            rules: None,
            unearned: Unearned::default(),
            mechanism: 0,
            shadow: false,
            weights_interval: MINUTE,
            weights_version: None,
            weights_min_rounds: 1,
            retention_age: 90 * DAY,
            retention_bytes: 50 << 30,
            columns_age: 60 * DAY,
            readers: ReaderSettings::default(),
            webhooks: Vec::new(),
        }
    }
}

impl ValidatorSettings {
    /// The ledger: what was set, or a file in the data folder.
    #[must_use]
    pub fn ledger_url(&self) -> String {
        let file = || format!("sqlite://{}", self.data_dir.join("ledger.sqlite").display());
        self.database_url.as_ref().map_or_else(file, |url| url.expose().to_owned())
    }

    /// Where canonical scores are published as files.
    #[must_use]
    pub fn published_dir(&self) -> PathBuf {
        self.shared().join("published")
    }

    /// The folder for what a second machine needs.
    #[must_use]
    pub fn shared(&self) -> &Path {
        self.shared_dir.as_deref().unwrap_or(&self.data_dir)
    }

    /// Everything that is wrong, each as one line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut refuse = |wrong: bool, text: String| {
            if wrong {
                problems.push(format!("validator.{text}"));
            }
        };
        refuse(
            self.sot.trim().is_empty(),
            "sot: expected a directory, an http(s) URL or s3://bucket/prefix".to_owned(),
        );
        refuse(
            self.sot_publisher.as_deref().is_some_and(|key| !is_key(key)),
            "sot_publisher: expected 64 lower-case hex digits".to_owned(),
        );
        refuse(
            self.database_url.as_ref().is_some_and(|url| !is_database(url.expose())),
            "database_url: expected sqlite://FILE or postgres://USER@HOST/NAME".to_owned(),
        );
        for (name, value) in [
            ("interval", self.interval),
            ("deadline", self.deadline),
            ("timeout", self.timeout),
            ("weights_interval", self.weights_interval),
        ] {
            refuse(value < Duration::from_millis(1), format!("{name}: must be positive"));
        }
        for (name, value) in [
            ("concurrency", self.concurrency as u64),
            ("max_answer_bytes", self.max_answer_bytes),
            ("weights_min_rounds", self.weights_min_rounds as u64),
            ("window_days", self.window_days.map_or(1, u64::from)),
        ] {
            refuse(value == 0, format!("{name}: must be at least 1"));
        }
        refuse(!(1..=5).contains(&self.attempts), "attempts: from 1 to 5".to_owned());
        refuse(self.deadline > DAY, "deadline: must not exceed a day, for there is a batch a day".to_owned());
        refuse(self.settle_until < self.settle_after, "settle_until: must not be before settle_after".to_owned());
        refuse(self.accept_unsigned && !self.v10_fallback, "accept_unsigned: needs v10_fallback = true".to_owned());
        refuse(
            self.traps.group_size == 0 && self.traps.high_groups + self.traps.low_groups > 0,
            "traps.group_size: must be at least 1; no groups are no traps".to_owned(),
        );
        // Settlement works on raw answers; whoever throws them away before can never settle.
        refuse(
            self.retention_age <= self.settle_until,
            "retention_age: must be longer than settle_until, for settlement reads the raw answers".to_owned(),
        );
        // A window of rules v2 looks back on rounds up to 36 days old.
        refuse(
            self.columns_age < LEAST_COLUMNS_AGE,
            "columns_age: must be at least 40 days, for rules v2 pay from the columns of the last 37".to_owned(),
        );
        self.references.problems().into_iter().for_each(|problem| refuse(true, problem));
        self.readers.problems().into_iter().for_each(|problem| refuse(true, problem));
        webhooks::problems(&self.webhooks).into_iter().for_each(|problem| refuse(true, problem));
        if let Some(list) = &self.rules {
            list.problems().into_iter().for_each(|problem| refuse(true, format!("rules: {problem}")));
        }
        problems
    }
}
