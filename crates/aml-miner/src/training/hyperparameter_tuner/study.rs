//! The study file: a header and one finished trial per line, replaced in one step after every trial.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::space::{Point, Space};
use crate::digest::Digest;
use crate::models::bundle::ModelKind;
use crate::training::assemble::Assembled;
use crate::training::config::ModelConfig;
use crate::training::fit::Settings;
use crate::whole_file::{self, Readers};

/// A hundred thousand trials; a longer file is not a study.
const MAX_STUDY_BYTES: u64 = 64 << 20;

/// What the trials of a study have in common; trials under another header cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Layout of the file.
    pub format: u32,
    /// The model.
    pub model: ModelKind,
    /// Seed of the search.
    pub seed: u64,
    /// The training data.
    pub data_sha256: Digest,
    /// The features.
    pub schema_sha256: Digest,
    /// Names of the searched parameters.
    pub searched: Vec<String>,
    /// Split, folds and the parameters that are not searched, as one digest.
    pub setting_sha256: Digest,
}

/// One finished trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Number, from 0.
    pub number: u32,
    /// Where in the space.
    pub point: Point,
    /// Mean metric over the folds that were tried; larger is better.
    pub value: f64,
    /// Metric of each fold that was tried.
    pub folds: Vec<f64>,
    /// Whether it was given up before the last fold.
    pub pruned: bool,
}

/// Why a study file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The file cannot be read or written.
    #[error("cannot access the study {path}", path = path.display())]
    Access {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of the study {path} {problem}", path = path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The study is about something else.
    #[error(
        "the study {path} was made with another {what}: continue it with the same data and configuration, or give \
         another --study",
        path = path.display()
    )]
    Other {
        /// Which file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// A study and its file.
#[derive(Clone, Debug)]
pub struct Study {
    path: PathBuf,
    header: Header,
    /// Finished trials, by number.
    pub trials: Vec<Trial>,
}

impl Header {
    /// The header of a search in `space`.
    #[must_use]
    pub fn new(settings: Settings<'_>, space: &Space, assembled: &Assembled, config: &ModelConfig) -> Self {
        let fixed = settings.boosting.clone();
        let setting = format!("{:?}\n{:?}\n{fixed:?}", config.split, config.tuning.folds);
        Self {
            format: 1,
            model: settings.kind,
            seed: config.seed,
            data_sha256: assembled.summary.data_sha256,
            schema_sha256: assembled.samples.schema.hash(),
            searched: space.dimensions().iter().map(|dimension| dimension.name.to_owned()).collect(),
            setting_sha256: Digest::of(setting.as_bytes()),
        }
    }

    fn difference(&self, other: &Self) -> Option<&'static str> {
        let differences = [
            (self.format != other.format, "layout"),
            (self.model != other.model, "model"),
            (self.seed != other.seed, "seed"),
            (self.data_sha256 != other.data_sha256, "training data"),
            (self.schema_sha256 != other.schema_sha256, "set of features"),
            (self.searched != other.searched, "search space"),
            (self.setting_sha256 != other.setting_sha256, "split, number of folds or fixed parameter"),
        ];
        differences.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
    }
}

impl Study {
    /// The study in `space` at `path`, or a new one where there is no file.
    ///
    /// # Errors
    /// When the file is damaged or about something else.
    pub fn open(path: &Path, header: Header, space: &Space) -> Result<Self, StudyError> {
        let access = |source| StudyError::Access { path: path.to_owned(), source };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path: path.to_owned(), header, trials: Vec::new() });
            }
            Err(error) => return Err(access(error)),
            Ok(about) if about.len() > MAX_STUDY_BYTES => {
                return Err(access(io::Error::other("the file is too long for a study")));
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(access)?;
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let (_, first) = lines.next().unwrap_or((1, ""));
        let found: Header = parse(path, 1, first)?;
        if let Some(what) = header.difference(&found) {
            return Err(StudyError::Other { path: path.to_owned(), what });
        }
        let mut trials: Vec<Trial> = Vec::new();
        for (line, text) in lines {
            let trial: Trial = parse(path, line, text)?;
            let expected = trials.len();
            if trial.number as usize != expected || !space.has(&trial.point) || !trial.value.is_finite() {
                let problem = format!("is not a valid trial {expected}");
                return Err(StudyError::Line { path: path.to_owned(), line, problem });
            }
            trials.push(trial);
        }
        Ok(Self { path: path.to_owned(), header, trials })
    }

    /// Number of the next trial.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.trials.len()).unwrap_or(u32::MAX)
    }

    /// Adds a trial and writes the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, trial: Trial) -> Result<(), StudyError> {
        self.trials.push(trial);
        let access = |source| StudyError::Access { path: self.path.clone(), source };
        let mut text = serde_json::to_string(&self.header).map_err(io::Error::from).map_err(access)?;
        for trial in &self.trials {
            text.push('\n');
            text.push_str(&serde_json::to_string(trial).map_err(io::Error::from).map_err(access)?);
        }
        text.push('\n');
        whole_file::write(&self.path, text.as_bytes(), Readers::Everyone).map_err(access)
    }

    /// The best trial that was not given up; the earliest of equals.
    #[must_use]
    pub fn best(&self) -> Option<&Trial> {
        let finished = self.trials.iter().filter(|trial| !trial.pruned);
        finished.min_by(|a, b| b.value.total_cmp(&a.value).then(a.number.cmp(&b.number)))
    }

    /// Median over the trials of the mean of their first `folds` folds; minus infinity where no trial got so far.
    #[must_use]
    pub fn median_after(&self, folds: usize) -> f64 {
        let reached = self.trials.iter().filter_map(|trial| trial.folds.get(..folds));
        let mut means: Vec<f64> = reached.map(mean).collect();
        means.sort_by(f64::total_cmp);
        means.get(means.len() / 2).copied().unwrap_or(f64::NEG_INFINITY)
    }
}

/// The mean of a trial's folds.
#[expect(clippy::cast_precision_loss, reason = "a handful of folds")]
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, line: usize, text: &str) -> Result<T, StudyError> {
    serde_json::from_str(text).map_err(|error| StudyError::Line {
        path: path.to_owned(),
        line,
        problem: format!("cannot be read: {error}"),
    })
}
