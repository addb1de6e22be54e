//! Why a frame is refused.

/// What is wrong with a frame; [`code`](Self::code) is for programs and stays.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Not JSON, or not of the form of a frame.
    #[error("not a frame: {0}")]
    Form(String),
    /// Too long to be read.
    #[error("a frame has more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A day without a season.
    #[error("no season has begun")]
    NoSeason,
    /// A setting that the season's rules do not have, or that is out of range.
    #[error("{name}: {problem}")]
    Setting {
        /// Which.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A day that does not come after the last one.
    #[error("day {given} does not come after day {last}")]
    NotAfter {
        /// What was given.
        given: i64,
        /// The last day that was played.
        last: i64,
    },
    /// A list of another length than expected.
    #[error("{what}: {given} are given, there should be {wanted}")]
    Length {
        /// Which list.
        what: String,
        /// Its length.
        given: usize,
        /// What it should be.
        wanted: usize,
    },
    /// A value that is not what it should be.
    #[error("{what}: {value} at place {place} is not {wanted}")]
    Value {
        /// Which list.
        what: String,
        /// Where in it.
        place: usize,
        /// What was given.
        value: f64,
        /// What it should be.
        wanted: &'static str,
    },
    /// An outcome of an alert that the season does not have.
    #[error("outcome {place}: no alert {alert} on day {day}")]
    UnknownAlert {
        /// Where in the list.
        place: usize,
        /// The day of the round.
        day: i64,
        /// The alert's place in it.
        alert: usize,
    },
    /// A second outcome of one alert.
    #[error("outcome {place}: alert {alert} of day {day} has an outcome already")]
    Twice {
        /// Where in the list.
        place: usize,
        /// The day of the round.
        day: i64,
        /// The alert's place in it.
        alert: usize,
    },
    /// The season would keep too much.
    #[error("{given} scores would have to be kept at a time, more than {limit}")]
    TooMuch {
        /// How many.
        given: usize,
        /// The limit.
        limit: usize,
    },
}

impl Refusal {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(_) => "form",
            Self::TooLong { .. } => "too_long",
            Self::NoSeason => "no_season",
            Self::Setting { .. } => "setting",
            Self::NotAfter { .. } => "not_after",
            Self::Length { .. } => "length",
            Self::Value { .. } => "value",
            Self::UnknownAlert { .. } => "unknown_alert",
            Self::Twice { .. } => "twice",
            Self::TooMuch { .. } => "too_much",
        }
    }
}
