//! Settings of the server: defaults, then the file, then the environment (with `.env` beneath it), then flags.
//!
//! Nothing is guessed: unknown keys and bad values are all told at once.

mod parse;
mod settings;
mod sources;

pub use settings::{ApiSettings, LimitSettings, LogFormat, LogSettings, Settings, WorkSettings};
pub use sources::{SettingsError, Sources};
