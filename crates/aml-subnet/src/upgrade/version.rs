//! Versions of programs, in their order.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version: three numbers, and what makes it a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    candidate: Option<String>,
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version; expected three numbers, as in 1.2.0 or 1.2.0-rc.1")]
pub struct NotAVersion(String);

impl Version {
    /// The version in what a program says of itself: `NAME VERSION ...`.
    #[must_use]
    pub fn in_words(said: &str) -> Option<Self> {
        said.split_whitespace().nth(1)?.parse().ok()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        self.candidate.as_ref().map_or(Ok(()), |candidate| write!(out, "-{candidate}"))
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let wrong = || NotAVersion(text.chars().take(60).collect());
        // What is behind a plus says how it was built.
        let plain = text.split('+').next().unwrap_or(text);
        let (numbers, candidate) = plain.split_once('-').map_or((plain, None), |(of, rest)| (of, Some(rest)));
        let parts: Vec<u64> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let numbers = parts.try_into().map_err(|_| wrong())?;
        let known = |of: &&str| !of.is_empty() && of.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
        if candidate.is_some_and(|of| !known(&of)) {
            return Err(wrong());
        }
        Ok(Self { numbers, candidate: candidate.map(str::to_owned) })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let candidates = || match (&self.candidate, &other.candidate) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(another)) => by_parts(one, another),
        };
        self.numbers.cmp(&other.numbers).then_with(candidates)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Part by part: numbers by value and before words, words by bytes, fewer parts first.
fn by_parts(one: &str, other: &str) -> Ordering {
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let (one, other) = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => (one, other),
        };
        let order = match (one.parse::<u64>(), other.parse::<u64>()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn a_candidate_comes_before_its_version_and_numbers_are_numbers() {
        let order = ["0.9.9", "1.0.0-alpha", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0-rc.10.1", "1.0.0", "1.0.10", "1.2.0"];
        let versions: Vec<Version> = order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.windows(2).all(|two| two[0] < two[1]));
        assert_eq!(versions.iter().map(ToString::to_string).collect::<Vec<_>>(), order);
        assert_eq!("1.0.0+abc".parse(), Ok(versions[5].clone()));
        assert_eq!(Version::in_words("aml-subnet 1.0.10 (5f3a)"), Some(versions[6].clone()));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "1", "1.0", "1.0.0.0", "1.0.x", "1.0.0-", "v1.0.0", "1.0.0-a b", "-1.0.0"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        assert_eq!(Version::in_words("aml-subnet"), None);
    }
}
