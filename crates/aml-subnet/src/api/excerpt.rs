//! A part of a day's canonical scores, by rank: `?limit=`, and `?after=` to go on.
//!
//! What is published never changes, so a rank is a cursor that holds. The whole day is the signed file; an excerpt is not.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::error::ApiError;
use super::query::{Count, Params};
use super::reply::{self, Content, Keep};
use crate::outputs::format::{Columns, encode_columns};
use crate::outputs::{CanonicalRow, Format};
use crate::store::records::{Round, RoundId};

/// Rows unless told otherwise, and at most: above any day.
const LIMIT: Count = Count { usual: 1_000, most: 100_000 };
/// The lowest rank that can be told.
const AFTER: Count = Count { usual: 0, most: 4_294_967_294 };

/// Which part of a day is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    limit: usize,
    after: usize,
}

impl Excerpt {
    /// The part that a query asks for; `None` when it asks for the whole day.
    pub(super) fn of(params: &Params) -> Result<Option<Self>, ApiError> {
        if params.text("limit").is_none() && params.text("after").is_none() {
            return Ok(None);
        }
        Ok(Some(Self { limit: params.count("limit", LIMIT)?, after: params.count("after", AFTER)? }))
    }

    /// The rows of the part, the most urgent first, and the rank after which the next part begins.
    fn cut(self, mut rows: Vec<CanonicalRow>) -> (Vec<CanonicalRow>, Option<u32>) {
        rows.retain(|row| usize::try_from(row.rank).is_ok_and(|rank| rank > self.after));
        rows.sort_by_key(|row| row.rank);
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().map(|row| row.rank).filter(|_| more);
        (rows, next)
    }

    /// The part as an answer.
    pub(super) fn answer(
        self,
        rows: Vec<CanonicalRow>,
        round: &Round,
        format: Format,
        asked: &HeaderMap,
    ) -> Result<Response, ApiError> {
        let columns = Columns::of(&rows);
        let (rows, next) = self.cut(rows);
        let bytes = encode_columns(&rows, format, columns).map_err(ApiError::internal)?;
        let content = Content { media_type: format.media_type(), bytes, keep: Keep::Check };
        let mut response = reply::content(asked, content);
        if let Some(next) = next {
            let RoundId { date, window_days, .. } = round.id;
            let query = format!("window_days={window_days}&format={format}&limit={}&after={next}", self.limit);
            if let Ok(link) = HeaderValue::from_str(&format!("</canonical/{date}?{query}>; rel=\"next\"")) {
                response.headers_mut().insert(header::LINK, link);
            }
        }
        Ok(response)
    }
}
