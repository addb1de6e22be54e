//! Transactions that are encrypted until a block carries them out.

pub(crate) mod pallet {
    //! Calls and events.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    use crate::localnet::mirror::{AccountId32, BoundedVec, H256};

    /// Calls.
    #[expect(non_camel_case_types, reason = "names on the wire")]
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Call {
        #[codec(index = 1)]
        submit_encrypted { ciphertext: BoundedVec<u8> },
    }

    /// Events.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Event {
        #[codec(index = 0)]
        EncryptedSubmitted { id: H256, who: AccountId32 },
    }
}
