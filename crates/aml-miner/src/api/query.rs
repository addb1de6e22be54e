//! The query of a scoring request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::{ApiError, query_error};
use crate::scoring::Extent;

/// How much of an explanation is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum Explain {
    /// `explain_json` is an empty object.
    None,
    /// The five features with the largest contributions.
    #[default]
    Top,
    /// Every feature, by contribution.
    Full,
}

impl Explain {
    /// What that means for scoring.
    pub(super) fn extent(self) -> Option<Extent> {
        match self {
            Self::None => None,
            Self::Top => Some(Extent::Top),
            Self::Full => Some(Extent::Full),
        }
    }
}

/// Whether a body with unknown keys, or without what the model reads, is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strict(pub(super) bool);

impl<S: Sync> FromRequestParts<S> for Strict {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut strict = Self::default();
        for pair in parts.uri.query().unwrap_or_default().split('&') {
            let Some(value) = pair.strip_prefix("strict=") else { continue };
            strict = match value {
                "true" | "1" => Self(true),
                "false" | "0" => Self(false),
                other => {
                    let shown: String = other.chars().take(100).collect();
                    return Err(query_error("strict", "Input should be 'true' or 'false'", &shown));
                }
            };
        }
        Ok(strict)
    }
}

impl<S: Sync> FromRequestParts<S> for Explain {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut explain = Self::default();
        for pair in parts.uri.query().unwrap_or_default().split('&') {
            let Some(value) = pair.strip_prefix("explain=") else { continue };
            explain = match value {
                "none" => Self::None,
                "top" => Self::Top,
                "full" => Self::Full,
                other => {
                    let shown: String = other.chars().take(100).collect();
                    return Err(query_error("explain", "Input should be 'none', 'top' or 'full'", &shown));
                }
            };
        }
        Ok(explain)
    }
}
