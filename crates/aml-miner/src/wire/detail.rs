//! The body of an error as callers see it: FastAPI's shape, a stable code, the request's id.

use serde::Serialize;

use super::problem::Problem;

/// What FastAPI puts under `detail`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// One sentence.
    Text(String),
    /// Problems with values.
    Problems(Vec<Problem>),
}

impl Detail {
    /// `{"detail": ..., "code": ..., "request_id": ...}`.
    #[must_use]
    pub fn body(&self, code: impl Serialize, request_id: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Document<'a, Code> {
            detail: &'a Detail,
            code: Code,
            request_id: &'a str,
        }
        serde_json::to_vec(&Document { detail: self, code, request_id }).unwrap_or_default()
    }
}
