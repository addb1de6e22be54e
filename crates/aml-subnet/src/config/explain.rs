//! How much of an explanation miners are asked for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of an explanation is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Explain {
    /// Scores alone: about 140 bytes per alert.
    None,
    /// The five features that moved each score most: about 600 bytes per alert.
    #[default]
    Top,
    /// All features: several KiB per alert.
    Full,
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Top => "top",
            Self::Full => "full",
        })
    }
}
