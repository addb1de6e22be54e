//! Judging, merging and paying: pure functions over tasks, answers and outcomes.
//!
//! Nothing here knows a runtime, a clock, a store or a chain; everything is a function of its arguments, so that a
//! stored round can be computed again, byte for byte. Formulas and constants belong to rules of a version
//! ([`rules::RulesVersion`]); `docs/scoring_v1.md` states v1, `docs/scoring.md` states v2, which is in [`v2`].

pub mod ensemble_aggregator;
pub mod leaderboard;
pub mod observations;
pub mod performance;
pub mod rules;
pub mod rules_list;
pub mod score;
pub mod similarity;
pub mod submission;
pub mod tier1_integrity;
pub mod tier2_traps;
pub mod tier3_settlement;
pub mod v2;
pub mod weights;
