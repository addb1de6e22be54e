//! Seasons in memory: the shipped rules, driven from outside a day at a time.
//!
//! A *frame* goes in (`frames`), an answer comes out (`answers`): `begin` starts a season under rules of a version, each
//! `day` brings alerts, answers, traps and the outcomes that became known that day. What is given is checked before anything
//! changes (`checked`), so a refused day leaves the season as it was, and every refusal has a stable code (`refusal`).
//! The rules themselves are those of [`validation`](crate::validation), called as the validator calls them; here is only
//! what a validator would have in its ledger. `docs/simulator.md` states the protocol.

mod answers;
mod checked;
mod compare;
mod frames;
mod numbers;
mod plan;
mod refusal;
mod stored;
mod under_v1;
mod under_v2;

use std::num::NonZero;

use checked::Checked;
use frames::Frame;
use plan::Began;
use under_v1::UnderV1;
use under_v2::UnderV2;

pub use answers::{Answer, Details, Played};
pub use compare::{Comparison, MinerUnder, Under};
pub use numbers::Numbers;
pub use refusal::Refusal;
pub use stored::{Replayed, StoredAnswer, StoredOutcome, StoredRound};

/// Bytes of a frame, at most: 256 miners with 70,000 alerts.
pub const MAX_FRAME_BYTES: usize = 256 << 20;
/// Scores that a season keeps at a time, at most: 256 miners, 37 days, 7,000 alerts. A score takes some eleven bytes.
pub const MAX_KEPT_SCORES: usize = 1 << 26;
/// Miners of a season, at most: with both references these are the columns that rules v2 are made for.
pub const MAX_MINERS: usize = 4094;

/// Answers frames, one after another; at most one season is kept.
#[derive(Debug)]
pub struct Desk {
    threads: NonZero<usize>,
    season: Option<Season>,
}

#[derive(Debug)]
enum Season {
    V1(Box<UnderV1>),
    V2(Box<UnderV2>),
}

impl Desk {
    /// No season yet. What comes out does not depend on `threads`.
    #[must_use]
    pub const fn new(threads: NonZero<usize>) -> Self {
        Self { threads, season: None }
    }

    /// The answer to one frame: a JSON text.
    ///
    /// # Errors
    /// What is wrong with the frame. The season is as it was before.
    pub fn answer(&mut self, frame: &[u8]) -> Result<Answer, Refusal> {
        match frames::read(frame)? {
            Frame::Begin(begin) => {
                let began = Began::of(&begin)?;
                let said = began.said();
                self.season = Some(match began {
                    Began::V1 { miners, grace } => Season::V1(Box::new(UnderV1::new(miners, grace))),
                    Began::V2(plan) => Season::V2(Box::new(UnderV2::new(plan, self.threads))),
                });
                Ok(Answer::Begun(said))
            }
            Frame::Day(day) => {
                let played = match self.season.as_mut().ok_or(Refusal::NoSeason)? {
                    Season::V1(season) => season.play(&Checked::of(&day, season.as_ref())?),
                    Season::V2(season) => season.play(Checked::of(&day, season.as_ref())?),
                };
                Ok(Answer::Day(Box::new(played)))
            }
        }
    }
}
