//! Keys: hotkeys as the public tools write them, addresses, signatures.

pub mod ss58;

pub use ss58::{Hotkey, NotAnAddress};
