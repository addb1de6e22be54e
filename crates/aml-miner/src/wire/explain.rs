//! How much of an explanation a request asks for: the value of `explain` in its query, in settings, and on command lines.

use std::fmt;
use std::str::FromStr;

/// How much of an explanation is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explain {
    /// None: scores alone, about 140 bytes per row.
    None,
    /// The five features with the largest contributions, for every row: about 600 bytes per row.
    #[default]
    Top,
    /// Every feature, by contribution, for every row: several KiB per row.
    Full,
    /// As [`Explain::Top`] for a share of the rows, those with the highest scores of the answer, and for every row of severity `high` or
    /// `critical`; nothing for the rest.
    Share(Share),
}

/// A share of rows: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

// It is a number.
impl Eq for Share {}

/// Texts longer than this are no share.
const LONGEST: usize = 24;

/// A text that says nothing of explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'none', 'top', 'full', or 'share:' and a number above 0 that is at most 1, such as 'share:0.1'")]
pub struct NotExplain;

impl Explain {
    /// How many of `rows` rows are explained at most, of which so many are severe.
    #[must_use]
    pub fn most(self, rows: usize, severe: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Top | Self::Full => rows,
            Self::Share(share) => share.of(rows).saturating_add(severe).min(rows),
        }
    }
}

impl Share {
    /// A tenth.
    pub const TENTH: Self = Self(0.1);

    /// A share above 0 that is at most 1.
    ///
    /// # Errors
    /// Other numbers.
    pub fn new(share: f64) -> Result<Self, NotExplain> {
        if share > 0.0 && share <= 1.0 { Ok(Self(share)) } else { Err(NotExplain) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// So many of `rows`: at least one where there is one.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row counts are far below 2^53, and a share of one is not below zero"
    )]
    pub fn of(self, rows: usize) -> usize {
        // 0.1 of 70 rows are 7, whatever the last bit of the product says.
        let share = (self.0 * rows as f64 - 1e-6).ceil() as usize;
        share.max(1).min(rows)
    }
}

impl FromStr for Explain {
    type Err = NotExplain;

    fn from_str(text: &str) -> Result<Self, NotExplain> {
        match text {
            "none" => Ok(Self::None),
            "top" => Ok(Self::Top),
            "full" => Ok(Self::Full),
            text => {
                let share = text.strip_prefix("share:").filter(|share| share.len() <= LONGEST).ok_or(NotExplain)?;
                // Plain decimals only: no exponents, signs or names.
                let plain = share.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let share = share.parse().ok().filter(|_| plain).ok_or(NotExplain)?;
                Share::new(share).map(Self::Share)
            }
        }
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::Top => out.write_str("top"),
            Self::Full => out.write_str("full"),
            Self::Share(Share(share)) => write!(out, "share:{share}"),
        }
    }
}

impl serde::Serialize for Explain {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Explain {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
        text.parse().map_err(|NotExplain| {
            let shown: String = text.chars().take(40).collect();
            serde::de::Error::custom(format_args!("`{shown}`: {NotExplain}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Explain, Share};

    #[test]
    fn what_is_written_is_read() {
        for text in ["none", "top", "full", "share:0.1", "share:1", "share:0.025"] {
            assert_eq!(text.parse::<Explain>().map(|explain| explain.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in [
            "",
            "all",
            "Top",
            "share",
            "share:",
            "share:0",
            "share:0.0",
            "share:1.01",
            "share:-0.1",
            "share:+0.1",
            "share:nan",
            "share:inf",
            "share:1e-3",
            "share: 0.1",
            "share:.",
            "share:0.10000000000000000000000001",
        ] {
            assert!(text.parse::<Explain>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_of_any_rows_is_a_row_at_least() {
        let share = Share::new(0.1).expect("a share");
        let counts: Vec<usize> = [0, 1, 10, 11, 70, 50_000].into_iter().map(|rows| share.of(rows)).collect();
        assert_eq!(counts, [0, 1, 1, 2, 7, 5_000]);
        assert_eq!(Share::new(1.0).expect("all").of(7), 7);
    }
}
