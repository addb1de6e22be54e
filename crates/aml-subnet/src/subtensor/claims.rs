//! What nodes claim to be final, held against one another and against the clock. Pure: the time comes in from outside.
//!
//! Only finalised blocks are compared with finalised blocks. A node is behind while another one shows more; what another
//! one once showed is forgotten when it does not repeat it. A claim that the clock does not allow is not believed until
//! its node has stood by it for as long: a lie is not worth more than that, and a chain that had stood still gets on.

use std::time::Duration;

/// Finalised blocks that a node may be behind the furthest seen: four minutes of the main network.
const MAX_BEHIND: u64 = 20;
/// Blocks that a chain may be ahead of what the clock allows: finality that comes back after a day makes up for all of it.
const SLACK: u64 = 7200;
/// How long a claim counts that is not repeated, and how long one has to be repeated that cannot be.
pub(super) const MEMORY: Duration = Duration::from_secs(30);

/// A claim, by the time since start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Claim {
    block: u64,
    at: Duration,
}

/// What one node claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Track {
    last: Claim,
    /// Since when its claims follow from one another.
    since: Duration,
    believed: bool,
}

/// What is made of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Believed; whether it is further than anything believed before.
    Good { new: bool },
    /// Another node has shown more just now.
    Behind { furthest: u64 },
    /// It cannot be so far yet.
    Implausible { most: u64 },
}

/// What all nodes claim, by their places.
#[derive(Debug, Default)]
pub(super) struct Claims {
    tracks: Vec<Option<Track>>,
    /// The last claim that was believed, since it was first made.
    anchor: Option<Claim>,
}

impl Claims {
    /// Takes note of a claim of the node at `place`. `block_time` is how long a block takes.
    pub(super) fn look(&mut self, place: usize, block: u64, now: Duration, block_time: Duration) -> Verdict {
        if self.tracks.len() <= place {
            self.tracks.resize(place + 1, None);
        }
        let allowed = |since: Duration| 2 * blocks(now.saturating_sub(since), block_time);
        let before = self.tracks[place];
        let follows = before.filter(|track| {
            let most = track.last.block.saturating_add(SLACK).saturating_add(allowed(track.last.at));
            (track.last.block.saturating_sub(MAX_BEHIND)..=most).contains(&block)
        });
        let since = follows.map_or(now, |track| track.since);
        let most = self.anchor.map(|anchor| anchor.block.saturating_add(SLACK).saturating_add(allowed(anchor.at)));
        let stood_by = now.saturating_sub(since) >= MEMORY;
        let possible = stood_by || most.is_none_or(|most| block <= most);
        self.tracks[place] = Some(Track { last: Claim { block, at: now }, since, believed: possible });
        if !possible {
            return Verdict::Implausible { most: most.unwrap_or_default() };
        }
        let fresh = |track: &Track| track.believed && now.saturating_sub(track.last.at) < MEMORY;
        let others =
            self.tracks.iter().enumerate().filter(|(other, _)| *other != place).filter_map(|(_, track)| *track);
        let furthest = others.filter(fresh).map(|track| track.last.block).max();
        if let Some(furthest) = furthest.filter(|furthest| block.saturating_add(MAX_BEHIND) < *furthest) {
            return Verdict::Behind { furthest };
        }
        let new = self.anchor.is_none_or(|anchor| block > anchor.block);
        if self.anchor.is_none_or(|anchor| block != anchor.block) {
            self.anchor = Some(Claim { block, at: now });
        }
        Verdict::Good { new }
    }
}

fn blocks(span: Duration, block_time: Duration) -> u64 {
    u64::try_from(span.as_millis() / block_time.as_millis().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Claims, MEMORY, SLACK, Verdict};

    const BLOCK: Duration = Duration::from_secs(12);
    const GOOD: Verdict = Verdict::Good { new: true };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_node_that_once_claimed_too_much_holds_up_the_others_for_as_long_as_it_is_remembered() {
        let mut claims = Claims::default();
        assert_eq!(claims.look(0, 1_000_000_000, at(0), BLOCK), GOOD);
        assert_eq!(claims.look(0, 1_000_000_000, at(12), BLOCK), Verdict::Good { new: false });
        assert_eq!(claims.look(1, 8_000_000, at(13), BLOCK), Verdict::Behind { furthest: 1_000_000_000 });
        // It has come to itself: what it says now is all that counts.
        assert!(matches!(claims.look(0, 8_000_000, at(14), BLOCK), Verdict::Good { .. }));
        assert!(matches!(claims.look(1, 8_000_000, at(15), BLOCK), Verdict::Good { .. }));
        // Or it is never heard of again.
        let mut claims = Claims::default();
        assert_eq!(claims.look(0, 1_000_000_000, at(0), BLOCK), GOOD);
        assert!(matches!(claims.look(1, 8_000_000, MEMORY, BLOCK), Verdict::Good { .. }));
    }

    #[test]
    fn a_claim_beyond_the_clock_is_not_believed_until_it_is_stood_by() {
        let mut claims = Claims::default();
        assert_eq!(claims.look(0, 8_000_000, at(0), BLOCK), GOOD);
        let most = 8_000_000 + SLACK + 2;
        assert_eq!(claims.look(1, 1_000_000_000, at(12), BLOCK), Verdict::Implausible { most });
        assert_eq!(claims.look(0, 8_000_001, at(13), BLOCK), GOOD, "and it makes nobody look behind");
        assert!(matches!(claims.look(1, 1_000_000_001, at(24), BLOCK), Verdict::Implausible { .. }));
        assert_eq!(claims.look(1, 1_000_000_003, at(12) + MEMORY, BLOCK), GOOD);
    }

    #[test]
    fn a_chain_that_was_far_behind_its_clock_may_make_up_for_it() {
        let mut claims = Claims::default();
        assert_eq!(claims.look(0, 100, at(0), BLOCK), GOOD);
        for hour in 1..=24 {
            assert_eq!(claims.look(0, 100, at(hour * 3600), BLOCK), Verdict::Good { new: false });
        }
        assert_eq!(claims.look(0, 7300, at(24 * 3600 + 1), BLOCK), GOOD);
    }
}
