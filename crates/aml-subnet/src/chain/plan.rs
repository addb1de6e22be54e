//! Weights that are wanted, and the plan that gets them on chain.
//!
//! A plan is a value: it can be shown, stored and carried out later. For a hash commit it holds the salt, so it is to
//! be stored before it is carried out.

use serde::{Deserialize, Serialize};

use super::commit::PendingReveal;
use super::route::Route;
use super::types::Uid;

/// Weights that are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightsRequest {
    /// The subnet.
    pub netuid: u16,
    /// Its mechanism; 0 where there is but one.
    pub mechanism: u8,
    /// The weights, by uid.
    pub weights: Vec<(Uid, f64)>,
    /// The version they carry; `None` for the one that the subnet asks for.
    pub version_key: Option<u64>,
    /// Nobody can guess it; a hash commit needs it.
    pub salt: Vec<u16>,
}

/// Weights that the chain would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightsPlan {
    /// How they get on chain.
    pub route: Route,
    /// The setting, the weights, and the salt of a hash commit.
    pub content: PendingReveal,
}
