//! The miner's proxy: verifies signed requests, lets welcome callers through to the inference API, signs the answers.
//!
//! [`server::router`] holds the routes and [`listen::serve`] the sockets; [`run::run`] puts everything together.

pub mod admit;
pub mod authorize;
pub mod failure;
pub mod forward;
mod legacy;
pub mod listen;
mod native;
mod observe;
pub mod priority;
pub mod rate;
pub mod run;
pub mod server;
mod stall;
pub mod status;
