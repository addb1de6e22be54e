//! The beacon as the chain knows it.

pub(crate) mod types {
    //! What a round leaves behind.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    use crate::localnet::mirror::BoundedVec;

    /// A round of the beacon.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct Pulse {
        pub(crate) round: u64,
        pub(crate) randomness: BoundedVec<u8>,
        pub(crate) signature: BoundedVec<u8>,
    }
}
