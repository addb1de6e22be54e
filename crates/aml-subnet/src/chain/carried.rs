//! Which version of the rules the weights of a validator carried.

/// What is known of the version of the last weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// This one.
    Version(u64),
    /// They were committed: nobody sees it before they are revealed, and of timelocked ones never.
    Sealed,
    /// The node has no such block any more, or nothing of this hotkey in it.
    Unknown,
}

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => write!(f, "{version}"),
            Self::Sealed => f.write_str("sealed"),
            Self::Unknown => f.write_str("not known"),
        }
    }
}
