//! The miner's proxy: verifies signed requests, lets welcome callers through to the inference API, signs the answers.
//!
//! [`server::router`] holds the routes and [`crate::http::listen::serve`] the sockets; [`run::run`] puts everything together.

pub mod admit;
pub mod announce;
pub mod authorize;
mod bodies;
pub mod failure;
pub mod forward;
mod kept;
mod legacy;
mod native;
mod observe;
mod openings;
pub mod priority;
pub mod proxy;
mod references;
mod refresh;
pub mod run;
mod sealing;
pub mod server;
pub mod status;
pub mod verdicts;
