//! Keys: hotkeys as the public tools write them, addresses, signatures.
//!
//! Only a hotkey is ever needed here. A coldkey is never read.

mod derive;
pub mod encryption;
pub mod keyfile;
mod keylock;
mod locate;
mod scheme;
mod signer;
pub mod ss58;

pub use derive::DeriveError;
pub use keylock::{KeyGuard, KeyLock, KeyLockError};
pub use locate::{HotkeyFile, HotkeyFileError, Unlocked, WalletArgs, unmask_password};
pub use scheme::{Scheme, UnknownScheme, verify};
pub use signer::Signer;
pub use ss58::{Hotkey, NotAnAddress};
