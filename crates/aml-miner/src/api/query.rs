//! The query of a scoring request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::{ApiError, query_error};
use crate::wire::{Explain, NotExplain};

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

/// What the parameter `explain` says, as the schema of the API writes it.
#[derive(utoipa::ToSchema)]
#[schema(
    as = Explain,
    pattern = r"^(none|top|full|share:(0?\.[0-9]+|1(\.0*)?))$",
    default = "top",
    examples("none", "top", "full", "share:0.1")
)]
#[expect(dead_code, reason = "it is there for the schema alone")]
pub(super) struct ExplainText(String);

impl<S: Sync> FromRequestParts<S> for Explain {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut explain = Self::default();
        for pair in parts.uri.query().unwrap_or_default().split('&') {
            let Some(value) = pair.strip_prefix("explain=") else { continue };
            // A colon may come as it is or escaped.
            let value = value.replacen("%3A", ":", 1).replacen("%3a", ":", 1);
            explain = value.parse().map_err(|wanted: NotExplain| {
                let shown: String = value.chars().take(100).collect();
                query_error("explain", &format!("Input should be {wanted}"), &shown)
            })?;
        }
        Ok(explain)
    }
}
