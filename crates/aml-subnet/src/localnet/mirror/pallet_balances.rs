//! The pallet of balances: what accounts own, in rao (a billionth of a TAO).

pub(crate) mod types {
    //! What an account holds.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    /// Marks of an account.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct ExtraFlags(pub(crate) u128);

    impl Default for ExtraFlags {
        fn default() -> Self {
            Self(1 << 127)
        }
    }

    /// What an account holds.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) struct AccountData {
        pub(crate) free: u64,
        pub(crate) reserved: u64,
        pub(crate) frozen: u64,
        pub(crate) flags: ExtraFlags,
    }
}

pub(crate) mod pallet {
    //! Calls, events and errors.
    use parity_scale_codec::{Decode, Encode};
    use scale_info::TypeInfo;

    use crate::localnet::mirror::{AccountId32, sp_runtime::multiaddress::MultiAddress};

    /// Calls.
    #[expect(non_camel_case_types, reason = "names on the wire")]
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Call {
        #[codec(index = 0)]
        transfer_allow_death {
            dest: MultiAddress,
            #[codec(compact)]
            value: u64,
        },
        #[codec(index = 3)]
        transfer_keep_alive {
            dest: MultiAddress,
            #[codec(compact)]
            value: u64,
        },
        #[codec(index = 8)]
        force_set_balance {
            who: MultiAddress,
            #[codec(compact)]
            new_free: u64,
        },
    }

    /// Events.
    #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Event {
        #[codec(index = 0)]
        Endowed { account: AccountId32, free_balance: u64 },
        #[codec(index = 2)]
        Transfer { from: AccountId32, to: AccountId32, amount: u64 },
        #[codec(index = 3)]
        BalanceSet { who: AccountId32, free: u64 },
        #[codec(index = 7)]
        Deposit { who: AccountId32, amount: u64 },
        #[codec(index = 8)]
        Withdraw { who: AccountId32, amount: u64 },
    }

    /// Errors.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
    pub(crate) enum Error {
        #[codec(index = 2)]
        InsufficientBalance,
        #[codec(index = 3)]
        ExistentialDeposit,
        #[codec(index = 4)]
        Expendability,
    }
}
