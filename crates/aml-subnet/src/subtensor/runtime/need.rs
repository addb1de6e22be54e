//! One thing of the runtime that we use, and what the code does with it.

use scale_decode::DecodeAsType;
use scale_info::PortableRegistry;

use super::super::extrinsic::Call;

/// The values with which something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Nought, one element, something.
    Nought,
    /// The greatest values.
    Greatest,
    /// The least values: below nought where there is a sign.
    Least,
}

/// A key of a storage item, or an argument of a runtime API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A number up to this.
    Number(u64),
    /// An account.
    Account,
}

/// A subnet's number, a mechanism's, a uid.
pub(super) const SHORT: Key = Key::Number(u16::MAX as u64);
/// A round.
pub(super) const LONG: Key = Key::Number(u64::MAX);

/// Reads one value as the code at work does.
type Decode = fn(&mut &[u8], u32, &PortableRegistry) -> Result<(), scale_decode::Error>;

/// How a value is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reads {
    /// By the types of the metadata, into a type of ours.
    Typed {
        /// That type.
        text: &'static str,
        /// What reads it.
        decode: Decode,
        /// The fields that are read of a struct.
        fields: &'static [&'static str],
    },
    /// Byte by byte: the type must be this and no other, names apart.
    Exactly(&'static str),
    /// By the library, which knows its type.
    Library,
}

/// Decodes as a type of ours.
pub(super) fn decode<T: DecodeAsType>(
    bytes: &mut &[u8],
    ty: u32,
    types: &PortableRegistry,
) -> Result<(), scale_decode::Error> {
    T::decode_as_type(bytes, ty, types).map(drop)
}

/// [`Reads::Typed`] of a type, and of the fields that are read of it.
macro_rules! typed {
    ($ty:ty) => { typed!($ty, []) };
    ($ty:ty, [$($field:literal),* $(,)?]) => {
        $crate::subtensor::runtime::need::Reads::Typed {
            text: stringify!($ty),
            decode: $crate::subtensor::runtime::need::decode::<$ty>,
            fields: &[$($field),*],
        }
    };
}
pub(super) use typed;

/// What is used.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A call of the pallet, as it is sent.
    Call(fn(Edge) -> Call),
    /// A storage item.
    Storage {
        /// Its keys; where more than these follow, all below them are read.
        keys: &'static [Key],
        /// Whether these are the first keys only.
        below: bool,
        /// Its value.
        reads: Reads,
    },
    /// A constant.
    Constant(Reads),
    /// An event: its fields, where they are read.
    Event(Option<&'static str>),
    /// A failed dispatch, with its reason.
    Failure,
    /// A refusal of the pallet, by its name.
    Refusal,
    /// A method of a runtime API.
    Api {
        /// Its arguments.
        args: &'static [Key],
        /// Its answer.
        reads: Reads,
        /// Whether the answer may also be bytes within bytes, as in runtimes of early 2025.
        old: bool,
    },
    /// A signed transaction of the fourth form.
    Transaction,
}

/// What is used, under which name, and what becomes of us without it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) pallet: &'static str,
    pub(super) name: &'static str,
    pub(super) what: What,
    /// What happens where a runtime lacks it.
    pub(super) without: &'static str,
    /// What happens where it is of another shape; reading or sending fails if nothing is said here.
    pub(super) otherwise: Option<&'static str>,
}

impl Need {
    /// The type that it is read as, or its arguments.
    pub(super) fn wanted(&self) -> String {
        let read = |reads: &Reads| match reads {
            Reads::Typed { text, .. } => (*text).to_owned(),
            Reads::Exactly(text) => (*text).to_owned(),
            Reads::Library => String::new(),
        };
        match &self.what {
            What::Call(build) => super::wires::names(&build(Edge::Nought)).join(", "),
            What::Storage { reads, .. } | What::Constant(reads) | What::Api { reads, .. } => read(reads),
            What::Event(fields) => fields.unwrap_or_default().to_owned(),
            What::Failure | What::Refusal | What::Transaction => String::new(),
        }
    }

    /// The kind in one word.
    pub(super) const fn kind(&self) -> &'static str {
        match self.what {
            What::Call(_) => "call",
            What::Storage { .. } => "storage",
            What::Constant(_) => "constant",
            What::Event(_) | What::Failure => "event",
            What::Refusal => "refusal",
            What::Api { .. } => "api",
            What::Transaction => "form",
        }
    }
}

/// What a runtime has of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As it is needed.
    Same,
    /// Usable, with a difference.
    Close(String),
    /// Not usable.
    Changed(String),
    /// Not there.
    Missing,
    /// The metadata does not tell.
    Untold,
}

impl Found {
    /// Whether it is there at all, so far as is told.
    pub(super) const fn is_there(&self) -> bool {
        !matches!(self, Self::Missing)
    }
}
