//! One block while it is being made: storage, events, and how a call's failure is reported.

use super::item::{Read, Write};
use super::items::system;
use super::mirror::frame_system::{EventRecord, Phase};
use super::mirror::node_subtensor_runtime::RuntimeEvent;
use super::mirror::sp_runtime::{DispatchError, ModuleError, TokenError};
use super::mirror::{AccountId32, frame_system, pallet_admin_utils, pallet_subtensor, pallet_sudo};
use super::spec::Spec;
use super::state::Overlay;

/// Why a call failed, before the runtime's numbers are put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// By a rule of the subnets.
    Subtensor(pallet_subtensor::pallet::Error),
    /// By a rule of the administration.
    Admin(pallet_admin_utils::pallet::Error),
    /// Not the sudo key.
    Sudo(pallet_sudo::pallet::Error),
    /// Not a call of this runtime.
    System(frame_system::pallet::Error),
    /// Not enough funds.
    Token(TokenError),
    /// The signer may not do this.
    BadOrigin,
    /// An account is named in a way that cannot be looked up.
    CannotLookup,
}

impl From<pallet_subtensor::pallet::Error> for Fault {
    fn from(error: pallet_subtensor::pallet::Error) -> Self {
        Self::Subtensor(error)
    }
}

/// Number of the pallet, and of the error within.
fn module(index: u8, error: u8) -> DispatchError {
    DispatchError::Module(ModuleError { index, error: [error, 0, 0, 0] })
}

impl Fault {
    /// As this runtime reports it.
    pub(crate) fn dispatch_error(self, spec: Spec) -> DispatchError {
        use parity_scale_codec::Encode as _;
        let number = |encoded: Vec<u8>| encoded.first().copied().unwrap_or_default();
        match self {
            Self::System(error) => module(0, number(error.encode())),
            Self::Subtensor(error) => spec.error_index(error).map_or(DispatchError::Other, |index| module(7, index)),
            Self::Sudo(error) => module(12, number(error.encode())),
            Self::Admin(error) => module(19, number(error.encode())),
            Self::Token(error) => DispatchError::Token(error),
            Self::BadOrigin => DispatchError::BadOrigin,
            Self::CannotLookup => DispatchError::CannotLookup,
        }
    }
}

/// A block while it is being made.
#[derive(Debug)]
pub(crate) struct Exec<'a> {
    /// Storage with the changes so far.
    pub(crate) db: Overlay<'a>,
    /// Its number.
    pub(crate) block: u64,
    /// The runtime that makes it.
    pub(crate) spec: Spec,
    /// What happened so far.
    pub(crate) events: Vec<EventRecord>,
    /// What happens now.
    pub(crate) phase: Phase,
}

/// Who asks for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An account, by its signature.
    Signed(AccountId32),
    /// The sudo key, or the chain itself.
    Root,
}

impl Origin {
    /// The account that signed.
    pub(crate) fn signer(self) -> Result<AccountId32, Fault> {
        match self {
            Self::Signed(who) => Ok(who),
            Self::Root => Err(Fault::BadOrigin),
        }
    }

    /// Refuses everyone but root.
    pub(crate) fn root(self) -> Result<(), Fault> {
        match self {
            Self::Signed(_) => Err(Fault::BadOrigin),
            Self::Root => Ok(()),
        }
    }
}

impl Exec<'_> {
    /// Notes that something happened.
    pub(crate) fn emit(&mut self, event: RuntimeEvent) {
        self.events.push(EventRecord { phase: self.phase, event, topics: Vec::new() });
    }

    /// Notes that something happened to subnets.
    pub(crate) fn emit_subtensor(&mut self, event: pallet_subtensor::pallet::Event) {
        self.emit(RuntimeEvent::SubtensorModule(event));
    }

    /// Runs `body` so that a failure leaves neither changes nor events.
    pub(crate) fn atomic<T>(&mut self, body: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.db.begin();
        let events = self.events.len();
        let result = body(self);
        if result.is_ok() {
            self.db.keep();
        } else {
            self.db.forget();
            self.events.truncate(events);
        }
        result
    }
}

/// Free balance of an account.
pub(crate) fn balance(db: &impl Read, who: AccountId32) -> u64 {
    system::ACCOUNT.get(db, (who,)).data.free
}

/// Adds to an account's balance.
pub(crate) fn deposit(db: &mut impl Write, who: AccountId32, amount: u64) {
    system::ACCOUNT.mutate(db, (who,), |account| {
        account.data.free = account.data.free.saturating_add(amount);
        account.providers = 1;
    });
}

/// Takes from an account's balance, if it has that much.
pub(crate) fn withdraw(db: &mut impl Write, who: AccountId32, amount: u64) -> Result<(), Fault> {
    let mut account = system::ACCOUNT.get(db, (who,));
    account.data.free = account.data.free.checked_sub(amount).ok_or(Fault::Token(TokenError::FundsUnavailable))?;
    system::ACCOUNT.put(db, (who,), &account);
    Ok(())
}
