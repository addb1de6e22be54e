//! Who gets what nobody earned: a word or a uid in the file.

use serde::{Deserialize, Serialize};

/// Where the part of a day's pay goes that nobody earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "UnearnedText", into = "UnearnedText")]
pub enum Unearned {
    /// To the subnet owner's uid: the practice of the field.
    #[default]
    Owner,
    /// Nowhere: no weights are set.
    Withhold,
    /// To this uid.
    Uid(u16),
}

/// As it is written: a word or a uid.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum UnearnedText {
    Word(UnearnedWord),
    Uid(u16),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UnearnedWord {
    Owner,
    Withhold,
}

impl From<UnearnedText> for Unearned {
    fn from(text: UnearnedText) -> Self {
        match text {
            UnearnedText::Word(UnearnedWord::Owner) => Self::Owner,
            UnearnedText::Word(UnearnedWord::Withhold) => Self::Withhold,
            UnearnedText::Uid(uid) => Self::Uid(uid),
        }
    }
}

impl From<Unearned> for UnearnedText {
    fn from(unearned: Unearned) -> Self {
        match unearned {
            Unearned::Owner => Self::Word(UnearnedWord::Owner),
            Unearned::Withhold => Self::Word(UnearnedWord::Withhold),
            Unearned::Uid(uid) => Self::Uid(uid),
        }
    }
}
