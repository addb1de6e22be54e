//! The shapes of transfers that patterns are made of. Launderers and honest people use the same shapes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::traffic::{DAY_MS, Transfer, cents, time_of_day};

/// What a pattern looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Typology {
    Structuring,
    Layering,
    Mixing,
    RapidMovement,
    FanIn,
    FanOut,
    RoundTrip,
    PeelChain,
    DormantActivation,
}

impl Typology {
    pub(super) const ALL: [Self; 9] = [
        Self::Structuring,
        Self::Layering,
        Self::Mixing,
        Self::RapidMovement,
        Self::FanIn,
        Self::FanOut,
        Self::RoundTrip,
        Self::PeelChain,
        Self::DormantActivation,
    ];

    /// How many accounts take part: fewest and most.
    pub(super) const fn members(self) -> (usize, usize) {
        match self {
            Self::Structuring => (3, 6),
            Self::Layering => (6, 10),
            Self::Mixing => (2, 4),
            Self::RapidMovement | Self::DormantActivation => (2, 3),
            Self::FanIn | Self::FanOut => (7, 16),
            Self::RoundTrip => (3, 6),
            Self::PeelChain => (5, 9),
        }
    }
}

/// One pattern, ready to be turned into transfers.
pub(super) struct Shape<'a> {
    pub(super) typology: Typology,
    pub(super) members: &'a [u32],
    /// Where the money goes in the end, or comes from.
    pub(super) venue: u32,
    pub(super) mixer: u32,
    pub(super) total: f64,
    pub(super) first_day: i32,
    pub(super) days: i32,
    pub(super) night: f64,
    /// 0: as the textbook says; 1: stretched, split and mixed so that little is left of it.
    pub(super) blur: f64,
    pub(super) asset: u8,
}

/// From whom to whom money goes.
#[derive(Clone, Copy)]
struct Hop {
    from: u32,
    to: u32,
}

impl Shape<'_> {
    /// The transfers of the whole pattern, in no particular order.
    pub(super) fn transfers(&self, rng: &mut ChaCha8Rng) -> Vec<Transfer> {
        let mut out = Vec::new();
        match self.typology {
            Typology::Structuring => self.structuring(rng, &mut out),
            Typology::Layering => self.layering(rng, &mut out),
            Typology::Mixing => self.mixing(rng, &mut out),
            Typology::RapidMovement => self.chain(self.members, self.total, rng, &mut out),
            Typology::FanIn => self.fan(true, rng, &mut out),
            Typology::FanOut => self.fan(false, rng, &mut out),
            Typology::RoundTrip => self.round_trip(rng, &mut out),
            Typology::PeelChain => self.peel_chain(rng, &mut out),
            Typology::DormantActivation => self.dormant(rng, &mut out),
        }
        out
    }

    fn structuring(&self, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let low = 8_600.0 - 6_000.0 * self.blur * rng.random::<f64>();
        let (collector, smurfs) = self.ends();
        let count = ((self.total / 9_000.0) as usize).clamp(4, 24);
        for number in 0..count {
            let smurf = smurfs[number % smurfs.len()];
            let at = self.moment(rng);
            let usd = rng.random_range(low..9_950.0);
            self.push(out, Hop { from: self.venue, to: smurf }, at - self.pause(rng), usd * 1.01);
            self.push(out, Hop { from: smurf, to: collector }, at, usd);
        }
    }

    fn layering(&self, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let (source, rest) = self.ends();
        let (first, second) = rest.split_at(rest.len() / 2);
        let mut at = self.moment(rng);
        self.push(out, Hop { from: self.venue, to: source }, at, self.total);
        for &layer in first {
            at += self.pause(rng);
            let part = self.total / first.len() as f64 * self.kept(rng);
            self.push(out, Hop { from: source, to: layer }, at, part);
            for &next in second {
                let later = at + self.pause(rng);
                let slice = part / second.len() as f64 * self.kept(rng);
                self.push(out, Hop { from: layer, to: next }, later, slice);
                self.push(out, Hop { from: next, to: self.venue }, later + self.pause(rng), slice * self.kept(rng));
            }
        }
    }

    fn mixing(&self, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        for &member in self.members {
            let pieces = rng.random_range(2..7);
            let mut at = self.moment(rng);
            self.push(out, Hop { from: self.venue, to: member }, at, self.total / self.members.len() as f64);
            for _ in 0..pieces {
                at += self.pause(rng);
                // Through the mixer, or (better hidden) through the venue.
                let via = if rng.random_bool(0.6 * self.blur) { self.venue } else { self.mixer };
                let usd = [1_000.0, 10_000.0][rng.random_range(0..2)];
                self.push(out, Hop { from: member, to: via }, at, usd);
                self.push(out, Hop { from: via, to: member }, at + self.pause(rng) * 2, usd * 0.98);
            }
        }
    }

    fn fan(&self, inward: bool, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let (hub, spokes) = self.ends();
        let part = self.total / spokes.len() as f64;
        let mut last = 0;
        for &spoke in spokes {
            let at = self.moment(rng);
            last = last.max(at);
            let usd = part * rng.random_range(0.5..1.5);
            let (from, to) = if inward { (spoke, hub) } else { (hub, spoke) };
            self.push(out, Hop { from, to }, at, usd);
        }
        if inward {
            self.push(out, Hop { from: hub, to: self.venue }, last + self.pause(rng), self.total * self.kept(rng));
        } else {
            let first = i64::from(self.first_day) * DAY_MS;
            self.push(out, Hop { from: self.venue, to: hub }, first, self.total * 1.02);
        }
    }

    fn round_trip(&self, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let ring: Vec<u32> = self.members.iter().copied().chain(self.members.first().copied()).collect();
        for _ in 0..rng.random_range(1..3) {
            self.chain(&ring, self.total, rng, out);
        }
    }

    fn peel_chain(&self, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let mut at = self.moment(rng);
        let mut left = self.total;
        self.push(out, Hop { from: self.venue, to: self.members[0] }, at, left);
        for pair in self.members.windows(2) {
            at += self.pause(rng);
            let peeled = left * rng.random_range(0.03..0.12);
            left -= peeled;
            self.push(out, Hop { from: pair[0], to: self.venue }, at, peeled);
            self.push(out, Hop { from: pair[0], to: pair[1] }, at + 60_000, left);
        }
    }

    fn dormant(&self, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let (woken, rest) = self.ends();
        for &next in rest {
            let at = self.moment(rng);
            let usd = self.total / rest.len() as f64;
            self.push(out, Hop { from: woken, to: next }, at, usd);
            self.push(out, Hop { from: next, to: self.venue }, at + self.pause(rng), usd * self.kept(rng));
        }
    }

    /// Money handed from one to the next, each keeping a little.
    fn chain(&self, members: &[u32], total: f64, rng: &mut ChaCha8Rng, out: &mut Vec<Transfer>) {
        let mut at = self.moment(rng);
        let mut usd = total;
        if let Some(&first) = members.first() {
            self.push(out, Hop { from: self.venue, to: first }, at, usd);
        }
        for pair in members.windows(2) {
            at += self.pause(rng);
            usd *= self.kept(rng);
            self.push(out, Hop { from: pair[0], to: pair[1] }, at, usd);
        }
        if let Some(&last) = members.last() {
            self.push(out, Hop { from: last, to: self.venue }, at + self.pause(rng), usd * self.kept(rng));
        }
    }

    fn ends(&self) -> (u32, &[u32]) {
        (self.members[0], &self.members[1..])
    }

    fn moment(&self, rng: &mut ChaCha8Rng) -> i64 {
        i64::from(self.first_day + rng.random_range(0..self.days.max(1))) * DAY_MS + time_of_day(self.night, rng)
    }

    /// Time that money rests: minutes to hours, up to two days when blurred.
    fn pause(&self, rng: &mut ChaCha8Rng) -> i64 {
        let hours = rng.random_range(0.1..4.0) + self.blur * rng.random_range(0.0..36.0);
        (hours * 3_600_000.0) as i64
    }

    /// Share that is passed on.
    fn kept(&self, rng: &mut ChaCha8Rng) -> f64 {
        rng.random_range(0.93..0.99) - self.blur * rng.random_range(0.0..0.4)
    }

    fn push(&self, out: &mut Vec<Transfer>, hop: Hop, at: i64, usd: f64) {
        if hop.from != hop.to {
            // Nothing happens before the day on which the pattern begins.
            let at = at.max(i64::from(self.first_day) * DAY_MS);
            out.push(Transfer { from: hop.from, to: hop.to, at, usd: cents(usd.max(0.01)), asset: self.asset });
        }
    }
}
