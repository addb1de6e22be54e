//! The file of a submission: a line for the model, a line for each day. It may come from anybody.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use aml_miner::wire::Batch;
use anyhow::{Context as _, bail, ensure};
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::validation::submission::Submission;

/// The form that is read.
const FORMAT: u32 = 1;
/// Bytes of a line: 200,000 alerts with some ten public models.
const MAX_LINE: u64 = 64 << 20;
/// Days of a file, at most: as many as a simulation makes.
const MAX_DAYS: usize = 3_660;
/// Public models, at most.
const MAX_PUBLIC: usize = 64;

/// The first line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    submission: u32,
    model_version: String,
    #[expect(dead_code, reason = "for readers of the file")]
    model_sha256: String,
    public: BTreeMap<String, String>,
}

/// The answers to one batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    processing_date: NaiveDate,
    pub(super) window_days: u16,
    #[serde(default)]
    seen: bool,
    alert_ids: Vec<String>,
    scores: Vec<f64>,
    public: BTreeMap<String, Vec<f64>>,
}

/// A whole file.
#[derive(Debug)]
pub(super) struct Submitted {
    path: PathBuf,
    pub(super) model_version: String,
    /// Names of public models.
    pub(super) public: Vec<String>,
    /// By day.
    pub(super) days: BTreeMap<NaiveDate, Line>,
}

impl Submitted {
    /// Reads a file; every refusal names file and line.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut input = BufReader::new(file);
        let (mut head, mut days) = (None::<Head>, BTreeMap::new());
        for number in 1_usize.. {
            let at = || format!("{}, line {number}", path.display());
            let mut line = Vec::new();
            if input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line).with_context(at)? == 0 {
                break;
            }
            ensure!(line.len() as u64 <= MAX_LINE, "{}: longer than {MAX_LINE} bytes", at());
            if line.trim_ascii().is_empty() {
                continue;
            }
            let Some(known) = &head else {
                head = Some(first(&line).with_context(at)?);
                continue;
            };
            let day: Line = parsed(&line).with_context(at)?;
            check(&day, known).with_context(at)?;
            let date = day.processing_date;
            ensure!(days.insert(date, day).is_none(), "{}: {date} is there twice", at());
            ensure!(days.len() <= MAX_DAYS, "{}: more than {MAX_DAYS} days", at());
        }
        let Some(Head { model_version, public, .. }) = head else { bail!("{} is empty", path.display()) };
        let public = public.into_keys().collect();
        Ok(Self { path: path.to_owned(), model_version, public, days })
    }

    /// Where it came from.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether there is a line of a day.
    pub(super) fn is_of(&self, date: NaiveDate) -> bool {
        self.days.contains_key(&date)
    }

    /// Whether the model has learnt from outcomes of a day.
    pub(super) fn has_seen(&self, date: NaiveDate) -> bool {
        self.days.get(&date).is_some_and(|line| line.seen)
    }
}

impl Line {
    /// The model's scores, or those of a public model, in the order of `ids`.
    pub(super) fn submission(&self, public: Option<&str>, ids: &[&str]) -> anyhow::Result<Submission> {
        let scores = match public {
            None => &self.scores,
            Some(name) => self.public.get(name).with_context(|| format!("no scores of {name}"))?,
        };
        let rows: Vec<_> =
            self.alert_ids.iter().map(|id| Cow::Borrowed(id.as_str())).zip(scores.iter().copied()).collect();
        let date = self.processing_date;
        Submission::accept_scores(ids, &rows).with_context(|| format!("the submission for {date}"))
    }
}

/// The alerts of a batch, in its order.
pub(super) fn ids(batch: &Batch) -> Vec<&str> {
    batch.alerts.texts("alert_id").map(|ids| ids.iter().collect()).unwrap_or_default()
}

fn first(line: &[u8]) -> anyhow::Result<Head> {
    let head: Head = parsed(line).context("the first line says which model it is")?;
    ensure!(head.submission == FORMAT, "submissions of form {} are not read, those of {FORMAT} are", head.submission);
    ensure!(head.public.len() <= MAX_PUBLIC, "{} public models are more than {MAX_PUBLIC}", head.public.len());
    Ok(head)
}

fn parsed<T: DeserializeOwned>(line: &[u8]) -> anyhow::Result<T> {
    Ok(serde_json::from_slice(line)?)
}

fn check(day: &Line, head: &Head) -> anyhow::Result<()> {
    let alerts = day.alert_ids.len();
    let lists =
        std::iter::once(("scores", &day.scores)).chain(day.public.iter().map(|(name, list)| (name.as_str(), list)));
    for (name, list) in lists {
        ensure!(list.len() == alerts, "{name}: {} scores for {alerts} alerts", list.len());
    }
    ensure!(day.public.keys().eq(head.public.keys()), "other public models than the first line names");
    Ok(())
}
