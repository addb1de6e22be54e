//! The query of a request: a few known keys with bounds; unknown keys are passed over.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::NaiveDate;

use super::error::{ApiError, ErrorCode, value_error};
use crate::calendar::date_from;

/// A count that may be asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// Where none is given.
    pub(super) usual: usize,
    /// No more than this.
    pub(super) most: usize,
}

/// The pairs of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|_| ApiError::new(ErrorCode::InvalidRequest, "The query cannot be read: expected key=value&…"))
    }
}

impl Params {
    /// The last value of a key; an empty one is none.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A whole number from 1 to the most that is allowed.
    pub(super) fn count(&self, key: &str, Count { usual, most }: Count) -> Result<usize, ApiError> {
        let Some(text) = self.text(key) else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number
            .ok_or_else(|| value_error("query", key, format!("Input should be a whole number from 1 to {most}"), text))
    }

    /// How many to pass over.
    pub(super) fn offset(&self) -> Result<usize, ApiError> {
        let Some(text) = self.text("offset") else { return Ok(0) };
        let wrong = || value_error("query", "offset", "Input should be a whole number of at least 0", text);
        text.parse().map_err(|_| wrong())
    }

    /// A calendar day.
    pub(super) fn date(&self, key: &str) -> Result<Option<NaiveDate>, ApiError> {
        self.text(key).map(|text| date("query", key, text)).transpose()
    }
}

/// A calendar day as YYYY-MM-DD.
pub(super) fn date(place: &str, key: &str, text: &str) -> Result<NaiveDate, ApiError> {
    date_from(text).ok_or_else(|| value_error(place, key, "Input should be a day as YYYY-MM-DD", text))
}
