//! Bittensor neurons of the AML subnet.
//!
//! The miner's proxy verifies signed requests and forwards them to an inference API; the validator asks all miners,
//! judges their answers, merges them and sets weights on chain; the localnet is a development chain for both.
//! Nothing here knows machine learning: the crate links no LightGBM.
//!
//! **What is promised** is what stands here at the root: it follows semantic versioning, and `scripts/checks/semver.sh` compares it
//! with the last release. The modules below are hidden from this page: the program, tests and benches reach into them, and
//! they change with any version.

#[doc(hidden)]
pub mod api;
#[doc(hidden)]
pub mod beacon;
#[doc(hidden)]
pub mod calendar;
#[doc(hidden)]
pub mod chain;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod doctor;
#[doc(hidden)]
pub mod entropy;
mod failpoint;
#[doc(hidden)]
pub mod http;
#[doc(hidden)]
pub mod localnet;
#[doc(hidden)]
pub mod logging;
#[doc(hidden)]
pub mod miner;
#[doc(hidden)]
pub mod outputs;
#[doc(hidden)]
pub mod protocol;
#[doc(hidden)]
pub mod readers;
#[doc(hidden)]
pub mod seasons;
#[cfg(feature = "simulate")]
#[doc(hidden)]
pub mod simulate;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod subtensor;
#[doc(hidden)]
pub mod upgrade;
#[doc(hidden)]
pub mod validation;
#[doc(hidden)]
pub mod validator;
#[doc(hidden)]
pub mod wallet;

pub use api::router;
pub use api::state::{ApiParts, ApiState};
pub use chain::types::{Block, Metagraph, Neuron, Uid};
pub use cli::{Cli, Program};
pub use config::{Settings, ValidatorSettings};
pub use outputs::{CanonicalRow, Manifest, verify as verify_published};
pub use protocol::{Nonce, NonceSource, Refusal};
pub use store::records::{Round, RoundId, Step};
pub use store::{Ledger, Opening};
pub use subtensor::Subtensor;
pub use validation::rules::{CustomRules, RegisterRulesError, Rules, RulesVersion, register as register_rules};
pub use validation::rules_list::RulesList;
pub use validation::v2::Constants;
pub use wallet::{Hotkey, Scheme, Signer, WalletArgs, verify as verify_signature};
