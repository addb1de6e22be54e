//! Addresses, signatures, errors of a dispatch, lifetimes.

use parity_scale_codec::{Decode, Encode};
use scale_info::TypeInfo;

use super::sp_core::crypto::AccountId32;

/// A signature and its scheme.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum MultiSignature {
    Ed25519([u8; 64]),
    Sr25519([u8; 64]),
    Ecdsa([u8; 65]),
}

pub(crate) mod multiaddress {
    //! Ways to name an account.
    use parity_scale_codec::{Compact, Decode, Encode};
    use scale_info::TypeInfo;

    use super::AccountId32;

    /// Ways to name an account; this chain knows only `Id`.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum MultiAddress {
        Id(AccountId32),
        Index(Compact<()>),
        Raw(Vec<u8>),
        Address32([u8; 32]),
        Address20([u8; 20]),
    }

    impl MultiAddress {
        /// The account, if the address names one directly.
        pub(crate) fn account(&self) -> Option<AccountId32> {
            match self {
                Self::Id(id) => Some(*id),
                Self::Address32(raw) => Some(AccountId32(*raw)),
                Self::Index(_) | Self::Raw(_) | Self::Address20(_) => None,
            }
        }
    }
}

/// An error of a pallet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) struct ModuleError {
    pub(crate) index: u8,
    pub(crate) error: [u8; 4],
}

/// Why a dispatch failed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum DispatchError {
    Other,
    CannotLookup,
    BadOrigin,
    Module(ModuleError),
    ConsumerRemaining,
    NoProviders,
    TooManyConsumers,
    Token(TokenError),
    Arithmetic(ArithmeticError),
    Transactional(TransactionalError),
    Exhausted,
    Corruption,
    Unavailable,
    RootNotAllowed,
}

/// Trouble with balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum TokenError {
    FundsUnavailable,
    OnlyProvider,
    BelowMinimum,
    CannotCreate,
    UnknownAsset,
    Frozen,
    Unsupported,
    CannotCreateHold,
    NotExpendable,
    Blocked,
}

/// Trouble with numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum ArithmeticError {
    Underflow,
    Overflow,
    DivisionByZero,
}

/// Trouble with layers of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(crate) enum TransactionalError {
    LimitReached,
    NoLayer,
}

pub(crate) mod generic {
    //! Blocks and transactions.

    pub(crate) mod digest {
        //! What a header says besides its hashes.
        use parity_scale_codec::{Decode, Encode};
        use scale_info::TypeInfo;

        /// Entries of a header.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) struct Digest {
            pub(crate) logs: Vec<DigestItem>,
        }

        /// One entry.
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
        pub(crate) enum DigestItem {
            #[codec(index = 0)]
            Other(Vec<u8>),
            #[codec(index = 4)]
            Consensus([u8; 4], Vec<u8>),
            #[codec(index = 5)]
            Seal([u8; 4], Vec<u8>),
            #[codec(index = 6)]
            PreRuntime([u8; 4], Vec<u8>),
            #[codec(index = 8)]
            RuntimeEnvironmentUpdated,
        }
    }

    pub(crate) mod era {
        //! How long a transaction lives.
        use parity_scale_codec::{Decode, Encode, Error, Input, Output};
        use scale_info::{Path, Type, TypeInfo, build::Variants};

        /// How long a transaction lives: for ever, or a period of blocks from a phase on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Era {
            Immortal,
            Mortal { period: u64, phase: u64 },
        }

        impl Era {
            /// The block whose hash the transaction is signed over.
            pub(crate) fn birth(self, current: u64) -> u64 {
                match self {
                    Self::Immortal => 0,
                    Self::Mortal { period, phase } => (current.max(phase) - phase) / period * period + phase,
                }
            }

            /// The first block in which the transaction is dead.
            #[cfg(test)]
            pub(crate) fn death(self, current: u64) -> u64 {
                match self {
                    Self::Immortal => u64::MAX,
                    Self::Mortal { period, .. } => self.birth(current) + period,
                }
            }
        }

        impl Encode for Era {
            fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
                match *self {
                    Self::Immortal => dest.push_byte(0),
                    Self::Mortal { period, phase } => {
                        let quantize = (period >> 12).max(1);
                        let exponent = u64::from(period.trailing_zeros()).saturating_sub(1).clamp(1, 15);
                        let bits = u16::try_from(exponent | ((phase / quantize) << 4)).unwrap_or(u16::MAX);
                        dest.write(&bits.to_le_bytes());
                    }
                }
            }
        }

        impl Decode for Era {
            fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
                let first = input.read_byte()?;
                if first == 0 {
                    return Ok(Self::Immortal);
                }
                let bits = u64::from(first) | (u64::from(input.read_byte()?) << 8);
                let period = 2_u64 << (bits % 16);
                let phase = (bits >> 4) * (period >> 12).max(1);
                if period >= 4 && phase < period {
                    Ok(Self::Mortal { period, phase })
                } else {
                    Err("invalid period and phase of an era".into())
                }
            }
        }

        impl TypeInfo for Era {
            type Identity = Self;

            fn type_info() -> Type {
                // The metadata's way to describe two packed bytes: the first byte chooses the variant.
                let mut variants = Variants::new().variant("Immortal", |v| v.index(0));
                for index in 1..=u8::MAX {
                    let name: &'static str = Box::leak(format!("Mortal{index}").into_boxed_str());
                    variants = variants.variant(name, |v| {
                        v.index(index).fields(scale_info::build::Fields::unnamed().field(|f| f.ty::<u8>()))
                    });
                }
                Type::builder().path(Path::new("Era", module_path!())).variant(variants)
            }
        }
    }

    pub(crate) mod unchecked_extrinsic {
        //! The type of a transaction, for the metadata only: it is opaque there.
        use scale_info::{Path, Type, TypeInfo, TypeParameter, build::Fields, meta_type};

        use super::super::{MultiSignature, multiaddress::MultiAddress};
        use crate::localnet::mirror::node_subtensor_runtime::RuntimeCall;

        /// The type of a transaction.
        pub(crate) enum UncheckedExtrinsic {}

        impl TypeInfo for UncheckedExtrinsic {
            type Identity = Self;

            fn type_info() -> Type {
                Type::builder()
                    .path(Path::new("UncheckedExtrinsic", module_path!()))
                    .type_params([
                        TypeParameter::new("Address", Some(meta_type::<MultiAddress>())),
                        TypeParameter::new("Call", Some(meta_type::<RuntimeCall>())),
                        TypeParameter::new("Signature", Some(meta_type::<MultiSignature>())),
                        TypeParameter::new("Extra", Some(meta_type::<()>())),
                    ])
                    .composite(Fields::unnamed().field(|f| f.ty::<Vec<u8>>()))
            }
        }
    }
}
