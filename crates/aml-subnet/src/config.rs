//! Settings: defaults, then the file, then the environment, then flags. All problems are reported at once.

mod axon;
mod forms;
mod home;
mod load;
mod readers;
mod references;
mod sealing;
pub mod settings;
mod subtensor;
mod summary;
mod unearned;
pub mod validator;
mod webhooks;

pub use load::{ConfigError, Override, load};
pub use readers::{ANY_ORIGIN, ReaderSettings};
pub use references::{MirrorSettings, ReferenceSettings};
pub use sealing::{Answers, OpenRequests, SealingSettings};
pub use settings::Settings;
pub use unearned::Unearned;
pub use validator::{TrapSettings, ValidatorSettings};
pub use webhooks::{WebhookEvent, WebhookSettings};
