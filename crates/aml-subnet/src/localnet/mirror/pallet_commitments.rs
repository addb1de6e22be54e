//! Public notes of neurons. This chain stores none; the shapes are there for clients that list them.

pub(crate) mod types {
    //! What a note holds.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    use crate::localnet::mirror::BoundedVec;

    /// One field of a note.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Data {
        None,
    }

    /// A note.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct CommitmentInfo {
        pub(crate) fields: BoundedVec<Data>,
    }

    /// A note and its deposit.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct Registration {
        pub(crate) deposit: u64,
        pub(crate) block: u32,
        pub(crate) info: CommitmentInfo,
    }
}

pub(crate) mod pallet {
    //! Errors.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// Errors.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Error {
        #[codec(index = 1)]
        AccountNotAllowedCommit,
    }
}
