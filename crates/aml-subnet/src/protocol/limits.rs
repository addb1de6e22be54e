//! How much a stranger may make us read or remember.

use std::time::Duration;

/// Longest value of a header that we parse: an address has 48 characters, a signature 130.
pub const MAX_HEADER_VALUE: usize = 256;
/// Nonces remembered for one sender: 60 requests a second for the whole time they are kept.
pub const MAX_NONCES_PER_SENDER: usize = 4096;
/// Nonces remembered in all: under 32 MiB.
pub const MAX_NONCES: usize = 262_144;
/// How long a nonce is kept at least; must exceed the window in which it could be used again.
pub const NONCE_RETENTION: Duration = Duration::from_secs(60);
/// Longest deadline a caller of the old form may ask for.
pub const MAX_CALLER_TIMEOUT: Duration = Duration::from_secs(60);
