//! The ledger: what a validator knows and must not lose.
//!
//! Every step of a round is recorded here before the next begins; raw answers are kept, so that a round can be judged
//! again under other rules.

pub mod records;
