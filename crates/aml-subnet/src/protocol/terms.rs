//! What a validator says of a round in the signed target of its request, beside the body: the task, the commitment to its
//! traps, the round, and when the answer may be read.
//!
//! Everything stands in the query under names that begin with `aml_`, so that the signature covers it; the proxy takes it
//! out before the request goes on to the API. Names that are not known are taken out as well.

use aml_miner::digest::Digest;
use chrono::NaiveDate;

use super::Refusal;
use crate::beacon::{Beacon, BeaconRound};
use crate::calendar::{date_from, start_ms};

/// What every name begins with.
const PREFIX: &str = "aml_";
/// Which form of answer is asked for.
const ANSWER: &str = "aml_answer";
const TASK: &str = "aml_task";
const COMMITMENT: &str = "aml_commitment";
const ROUND: &str = "aml_round";
const OPENING: &str = "aml_opening";
const BEACON: &str = "aml_beacon";
const DECODED: &str = "aml_decoded";

/// The day and the window of a batch, written `YYYY-MM-DD-WINDOW`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Day of the batch.
    pub date: NaiveDate,
    /// Days that its features look back.
    pub window_days: u16,
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        let (date, window) = text.rsplit_once('-')?;
        let day = Self { date: date_from(date)?, window_days: window.parse().ok()? };
        (day.to_string() == text).then_some(day)
    }

    /// When it begins, in seconds since 1970.
    #[must_use]
    pub fn start_s(&self) -> u64 {
        u64::try_from(start_ms(self.date) / 1000).unwrap_or(0)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}-{}", self.date, self.window_days)
    }
}

impl std::str::FromStr for Day {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text).ok_or_else(|| malformed(ROUND))
    }
}

/// When an answer may be read, and by which beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// In seconds since 1970.
    pub at_s: u64,
    /// The beacon.
    pub beacon: Beacon,
}

impl Opening {
    /// The round that answers are sealed to.
    #[must_use]
    pub const fn round(&self) -> BeaconRound {
        BeaconRound::opening_at(self.beacon, self.at_s)
    }
}

/// What is said of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// SHA-256 of the task as JSON, whatever form it is sent in.
    pub task: Digest,
    /// The commitment to its traps.
    pub commitment: Digest,
    /// The day and the window.
    pub day: Day,
    /// When the answer may be read; none where it is to be sent open.
    pub opening: Option<Opening>,
    /// SHA-256 of the body after its `Content-Encoding` is undone; none where it has none. The proxy does not unpack.
    pub decoded: Option<Digest>,
}

impl Terms {
    /// The target with these terms behind it.
    #[must_use]
    pub fn behind(&self, target: &str) -> String {
        let joint = if target.contains('?') { '&' } else { '?' };
        let Self { task, commitment, day, opening, decoded } = self;
        let opening =
            opening.map_or_else(String::new, |Opening { at_s, beacon }| format!("&{OPENING}={at_s}&{BEACON}={beacon}"));
        let decoded = decoded.map_or_else(String::new, |decoded| format!("&{DECODED}={decoded}"));
        format!("{target}{joint}{ANSWER}=2&{TASK}={task}&{COMMITMENT}={commitment}&{ROUND}={day}{opening}{decoded}")
    }

    /// The terms of a query, and what is left of it. Without `aml_answer` there are none.
    ///
    /// # Errors
    /// When a value is missing, repeated or malformed.
    pub fn of_query(query: Option<&str>) -> Result<(Option<Self>, Option<String>), Refusal> {
        let parts = || query.into_iter().flat_map(|query| query.split('&'));
        let rest: Vec<&str> = parts().filter(|part| !part.starts_with(PREFIX)).collect();
        let rest = (!rest.is_empty()).then(|| rest.join("&"));
        let one = |name: &'static str| {
            let mut values = parts().filter_map(|part| part.split_once('=')).filter(|(key, _)| *key == name);
            let value = values.next().map(|(_, value)| value);
            if values.next().is_some() { Err(Refusal::Repeated(name)) } else { Ok(value) }
        };
        let need = |name| one(name)?.ok_or(Refusal::Missing(name));
        match one(ANSWER)? {
            None => return Ok((None, rest)),
            Some("2") => {}
            Some(_) => return Err(malformed(ANSWER)),
        }
        let parsed = |name: &'static str, text: &str| text.parse::<Digest>().map_err(|_| malformed(name));
        let digest = |name: &'static str| parsed(name, need(name)?);
        let opening = match (one(OPENING)?, one(BEACON)?) {
            (None, None) => None,
            (at, beacon) => Some(Opening {
                at_s: at.and_then(seconds).ok_or_else(|| malformed(OPENING))?,
                beacon: beacon.and_then(|text| text.parse().ok()).ok_or_else(|| malformed(BEACON))?,
            }),
        };
        let decoded = one(DECODED)?.map(|text| parsed(DECODED, text)).transpose()?;
        let day = need(ROUND)?.parse()?;
        let terms = Self { task: digest(TASK)?, commitment: digest(COMMITMENT)?, day, opening, decoded };
        Ok((Some(terms), rest))
    }
}

/// Decimal digits, at most twelve.
fn seconds(text: &str) -> Option<u64> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

const fn malformed(name: &'static str) -> Refusal {
    let expected = match name.as_bytes() {
        b"aml_answer" => "2",
        b"aml_round" => "YYYY-MM-DD-WINDOW",
        b"aml_opening" => "seconds since 1970, with aml_beacon",
        b"aml_beacon" => "quicknet or development, with aml_opening",
        _ => "64 hex digits",
    };
    Refusal::Malformed { name, expected }
}

#[cfg(test)]
mod tests {
    use aml_miner::digest::Digest;

    use super::{Opening, Terms};
    use crate::beacon::Beacon;

    fn terms(opening: Option<Opening>) -> Terms {
        let day = "2026-01-05-30".parse().unwrap();
        Terms { task: Digest::of(b"task"), commitment: Digest::of(b"traps"), day, opening, decoded: None }
    }

    #[test]
    fn what_is_written_is_read_and_taken_out() {
        for opening in [None, Some(Opening { at_s: 1_767_679_200, beacon: Beacon::Quicknet })] {
            let written = terms(opening).behind("/1/score/alerts?explain=top");
            let query = written.split_once('?').map(|(_, query)| query);
            assert_eq!(Terms::of_query(query), Ok((Some(terms(opening)), Some("explain=top".to_owned()))));
        }
        let packed = Terms { decoded: Some(Digest::of(b"form")), ..terms(None) };
        let written = packed.behind("/1/score/alerts");
        assert_eq!(Terms::of_query(written.split_once('?').map(|(_, query)| query)), Ok((Some(packed), None)));
        assert_eq!(Terms::of_query(Some("explain=top&strict")), Ok((None, Some("explain=top&strict".to_owned()))));
        assert_eq!(Terms::of_query(Some("aml_other=1")), Ok((None, None)));
        assert_eq!(Terms::of_query(None), Ok((None, None)));
    }

    #[test]
    fn what_is_not_written_so_is_refused() {
        let opening = Some(Opening { at_s: 1_767_679_200, beacon: Beacon::Quicknet });
        let sealed = Terms { decoded: Some(Digest::of(b"form")), ..terms(opening) }.behind("");
        let good = sealed.trim_start_matches('?');
        for (from, to) in [
            ("aml_answer=2", "aml_answer=3"),
            ("aml_answer=2", "aml_answer=2&aml_answer=2"),
            ("aml_opening=1767679200", "aml_opening=-1"),
            ("&aml_opening=1767679200", ""),
            ("&aml_beacon=quicknet", ""),
            ("beacon=quicknet", "beacon=Quicknet"),
            ("2026-01-05-30", "2026-1-5-30"),
            ("2026-01-05-30", "2026-01-05-+30"),
            ("aml_task=", "aml_task=0"),
            ("aml_decoded=", "aml_decoded=0"),
            ("&aml_decoded=", "&aml_decoded=&aml_decoded="),
            ("aml_commitment=", "aml_other="),
        ] {
            let query = good.replace(from, to);
            assert!(query != good && Terms::of_query(Some(&query)).is_err(), "{query}");
        }
    }
}
