//! The features with fixed names, one file per group: each file lists its features and how they are computed. A new
//! feature goes into the list of its group.

pub(crate) mod address;
pub(crate) mod alert;
pub(crate) mod cluster;
pub(crate) mod flow;
pub(crate) mod history;
pub(crate) mod members;
pub(crate) mod relative;
pub(crate) mod scores;
