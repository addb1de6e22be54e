//! Who may reload the models over HTTP, and what marks a request that may.

use std::fmt;

/// Who may ask for `POST /admin/reload`. A signal (SIGHUP) reloads whatever this is.
#[derive(Clone, PartialEq, Eq)]
pub enum ReloadAccess {
    /// Nobody: there is no token, and no setting that does without one.
    Nobody,
    /// Who has this token.
    Token(String),
    /// Whoever reaches a listener on loopback, browsers excepted.
    Loopback,
}

impl fmt::Display for ReloadAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "off: there is no token (API_ADMIN_TOKEN_FILE); SIGHUP reloads",
            Self::Token(_) => "for who has the token",
            Self::Loopback => {
                "open to whoever reaches this loopback address, also through a proxy (API_RELOAD_WITHOUT_TOKEN)"
            }
        })
    }
}

/// Marks requests that came in on a loopback address of this machine.
#[derive(Clone, Copy, Debug)]
pub struct OnLoopback;
