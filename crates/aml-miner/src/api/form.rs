//! In which form an answer is wanted: JSON unless `Accept` prefers another.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::data::arrow_stream::MEDIA_TYPE as ARROW;
use crate::wire::reply::Framing;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Rows as JSON objects.
    Rows(Framing),
    /// One Arrow IPC stream.
    Arrow,
}

impl Form {
    /// The form that the headers like best; of forms that they like equally, the first of JSON, NDJSON and Arrow.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let ranges: Vec<(&str, f32)> = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(range)
            .collect();
        let forms = [Self::Rows(Framing::List), Self::Rows(Framing::Lines), Self::Arrow];
        let mut best = (forms[0], 0.0);
        for form in forms {
            let liking = form.liking(&ranges);
            if liking > best.1 {
                best = (form, liking);
            }
        }
        best.0
    }

    /// How much these ranges like it; the most specific one counts.
    fn liking(self, ranges: &[(&str, f32)]) -> f32 {
        let of = |range: &str| ranges.iter().find(|(known, _)| known.eq_ignore_ascii_case(range)).map(|(_, q)| *q);
        // A range over all is served by JSON, as ever.
        let any = || if self == Self::Rows(Framing::List) { of("application/*").or_else(|| of("*/*")) } else { None };
        of(self.media_type()).or_else(any).unwrap_or(0.0)
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Rows(Framing::List) => JSON,
            Self::Rows(Framing::Lines) => NDJSON,
            Self::Arrow => ARROW,
        }
    }

    /// The `Content-Type` of an answer in this form.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(self.media_type())
    }
}

/// One media range and its weight.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight = weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
    (name, if weight > 0.0 && weight <= 1.0 { weight } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{Form, Framing};

    fn form(accept: &'static str) -> Form {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        Form::of(&headers)
    }

    #[test]
    fn the_form_liked_best_is_taken_and_json_otherwise() {
        let (json, lines) = (Form::Rows(Framing::List), Form::Rows(Framing::Lines));
        assert_eq!(Form::of(&HeaderMap::new()), json);
        for (accept, wanted) in [
            ("*/*", json),
            ("application/*;q=0.1", json),
            ("text/html", json),
            ("application/x-ndjson", lines),
            ("Application/X-NDJSON;q=1", lines),
            ("application/vnd.apache.arrow.stream", Form::Arrow),
            ("application/vnd.apache.arrow.stream;q=0.5, application/json", json),
            ("application/vnd.apache.arrow.stream, application/json;q=0.5", Form::Arrow),
            ("application/vnd.apache.arrow.stream, */*;q=0.1", Form::Arrow),
            ("application/vnd.apache.arrow.stream;q=0", json),
            ("application/vnd.apache.arrow.stream;q=NaN", json),
            ("application/vnd.apache.arrow.stream, application/json", json),
        ] {
            assert_eq!(form(accept), wanted, "{accept}");
        }
    }
}
