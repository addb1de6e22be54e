//! Which of several forms a caller wants: `?format=`, else `Accept`. Pure.

use crate::outputs::Format;

use super::error::{ApiError, ErrorCode, value_error};

/// Other names under which Parquet is asked for.
const PARQUET_NAMES: [&str; 3] = ["application/vnd.apache.parquet", "application/x-parquet", "application/parquet"];

/// The form of canonical scores that is wanted; JSON when nothing is said.
///
/// # Errors
/// When the format is not known, or nothing that is accepted is on offer.
pub(super) fn format(wanted: Option<&str>, accept: Option<&str>) -> Result<Format, ApiError> {
    if let Some(name) = wanted {
        let known = Format::ALL.into_iter().find(|format| format.name() == name);
        let wrong = || value_error("query", "format", "Input should be 'json', 'csv' or 'parquet'", name);
        return known.ok_or_else(wrong);
    }
    let Some(accept) = accept else { return Ok(Format::Json) };
    let quality = |format: Format| match format {
        Format::Parquet => PARQUET_NAMES.iter().map(|name| quality(accept, name)).fold(0, u16::max),
        other => quality(accept, other.media_type()),
    };
    // Of equals the first wins.
    let best =
        Format::ALL.into_iter().rev().max_by_key(|format| quality(*format)).filter(|format| quality(*format) > 0);
    let detail = "Canonical scores are offered as application/json, text/csv and application/vnd.apache.parquet";
    best.ok_or_else(|| ApiError::new(ErrorCode::NotAcceptable, detail))
}

/// How much a media type is wanted, in thousandths; the most specific range decides.
fn quality(accept: &str, media_type: &str) -> u16 {
    let group = media_type.split('/').next().unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let specific = match name.as_str() {
            name if name == media_type => 2,
            "*/*" => 0,
            name if name.strip_suffix("/*") == Some(group) => 1,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        Some((specific, thousandths(weight)))
    });
    ranges.max_by_key(|(specific, _)| *specific).map_or(0, |(_, weight)| weight)
}

fn thousandths(weight: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let whole = (weight.clamp(0.0, 1.0) * 1e3).round() as u16;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> Option<Format> {
        format(None, Some(accept)).ok()
    }

    #[test]
    fn the_most_wanted_form_wins_and_json_is_the_default() {
        assert_eq!(format(None, None).ok(), Some(Format::Json));
        for (accept, wanted) in [
            ("*/*", Some(Format::Json)),
            ("text/csv", Some(Format::Csv)),
            ("text/*", Some(Format::Csv)),
            ("application/x-parquet", Some(Format::Parquet)),
            ("application/json;q=0.2, text/csv;q=0.9", Some(Format::Csv)),
            ("application/json;q=0, */*;q=0.1", Some(Format::Csv)),
            ("text/html, */*;q=0.8", Some(Format::Json)),
            ("TEXT/CSV", Some(Format::Csv)),
            ("image/png", None),
            ("application/json;q=0", None),
            ("application/json;q=NaN", None),
            ("", None),
        ] {
            assert_eq!(chosen(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn the_query_wins_over_the_header() {
        assert_eq!(format(Some("parquet"), Some("text/csv")).ok(), Some(Format::Parquet));
        assert_eq!(format(Some("xml"), None).map_err(|error| error.code), Err(ErrorCode::InvalidRequest));
    }
}
