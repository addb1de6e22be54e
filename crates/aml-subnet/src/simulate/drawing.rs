//! From a seed to a plan: how large, who takes part, what goes wrong and when.
//!
//! Troubles are drawn so that each day can be held: every one ends in good time, and what together would be a failure of ours
//! that nobody can make good (no source and no network for a whole day) is left out.

use std::time::Duration;

use super::days::{BATCH_AT, DAY, day_begins};
use super::plan::{Kind, Lie, Plan, Ruling, Wanted};
use super::troubles::{Span, Trouble};
use crate::validator::traps::Draw;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// How much of a day around its round troubles are drawn for most often.
const BUSY: Duration = Duration::from_secs(3 * 3600);
/// Everything that is wrong with a miner.
const WRONG: [Kind; 14] = [
    Kind::Slow,
    Kind::Late,
    Kind::Silent,
    Kind::Stalled,
    Kind::HangingUp,
    Kind::Huge,
    Kind::Closed,
    Kind::Lying(Lie::Nan),
    Kind::Lying(Lie::Missing),
    Kind::Lying(Lie::Garbage),
    Kind::Lying(Lie::OtherKey),
    Kind::Lying(Lie::OtherReceipt),
    Kind::Lying(Lie::Truncated),
    Kind::Lying(Lie::Open),
];

/// The plan of a seed.
pub(super) fn plan(seed: u64, wanted: &Wanted) -> Plan {
    let mut dice = Dice(Draw::new(&[b"aml-simulate/2 plan", &seed.to_le_bytes()]));
    let (size, ruled) = (dice.0.below(10), dice.0.below(8));
    let drawn_days = match size {
        0..=4 => 1,
        5..=7 => 2 + small(dice.0.below(3)),
        8 => 5 + small(dice.0.below(4)),
        _ => 11 + small(dice.0.below(4)),
    };
    let days = wanted.days.unwrap_or(drawn_days).max(1);
    let drawn_miners = if dice.one_in(40) { 64 + dice.0.below(193) } else { 3 + dice.0.below(14) };
    let miners = wanted.miners.unwrap_or(drawn_miners).max(1);
    let alerts = wanted.alerts.unwrap_or(if days > 9 { 256 } else { 64 });
    let switch = small(dice.0.below(days as usize));
    let rules = wanted.rules.unwrap_or(match ruled {
        0..=2 => Ruling::V1,
        3 => Ruling::V2From(switch),
        _ => Ruling::V2,
    });
    let drawn_sealed = dice.one_in(3);
    let sealed = rules == Ruling::V2 && wanted.sealed.unwrap_or(drawn_sealed);
    let commits = dice.one_in(4);
    let miners = dice.cast(miners);
    let mut plan = Plan { seed, days, alerts, rules, sealed, commits, miners, troubles: Vec::new(), flaw: None };
    if !wanted.calm {
        plan.troubles = dice.troubles(&plan);
    }
    plan
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

struct Dice(Draw);

impl Dice {
    fn one_in(&mut self, of: usize) -> bool {
        self.0.below(of) == 0
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        // Whole seconds are easier to read.
        Duration::from_secs(most.mul_f64(self.0.unit()).as_secs()) + Duration::from_secs(1)
    }

    /// One good miner at least, mostly more; the rest is wrong in every way.
    fn cast(&mut self, count: usize) -> Vec<Kind> {
        let mut cast = vec![Kind::Honest];
        while cast.len() < count {
            cast.push(match self.0.below(10) {
                0..=3 => Kind::Honest,
                4 => Kind::Refusing,
                _ => WRONG[self.0.below(WRONG.len())],
            });
        }
        self.0.shuffle(&mut cast);
        cast
    }

    fn troubles(&mut self, plan: &Plan) -> Vec<Trouble> {
        let mut all = Vec::new();
        if self.one_in(3) {
            let most = Duration::from_millis(self.0.below(500) as u64 + 1);
            all.push(Trouble::SlowLedger(most));
        }
        if self.one_in(4) {
            let most = Duration::from_secs(300) / small(plan.miners.len()).max(16);
            all.push(Trouble::SlowMachine(self.up_to(most)));
        }
        if self.one_in(6) {
            all.push(Trouble::OutcomesHang);
        }
        if self.one_in(6) {
            all.push(Trouble::LedgerGone(self.up_to(4 * MINUTE)));
        }
        for day in 0..plan.days {
            self.day(plan, day, &mut all);
        }
        all
    }

    /// A time of a day: mostly about when its round is run.
    fn time(&mut self, day: u32) -> Duration {
        let busy = self.0.below(4) > 0;
        let (from, most) = if busy { (BATCH_AT.saturating_sub(HOUR / 2), BUSY) } else { (Duration::ZERO, DAY) };
        day_begins(day) + from + self.up_to(most)
    }

    /// So long after a task was made. Honest miners answer within seconds: mostly before that, so that the round has to be held.
    fn after_task(&mut self) -> Duration {
        let soon = self.0.below(3) > 0;
        if soon { Duration::from_millis(self.0.below(3000) as u64 + 1) } else { self.up_to(MINUTE) }
    }

    fn span(&mut self, day: u32, most: Duration) -> Span {
        Span { from: self.time(day), lasts: self.up_to(most) }
    }

    fn day(&mut self, plan: &Plan, day: u32, all: &mut Vec<Trouble>) {
        // A round that is held needs one before it, and is held in vain while the source or the chain is away.
        let is_cut = day > 0 && self.one_in(6);
        if is_cut {
            let (from, lasts) = (self.time(day), self.up_to(20 * MINUTE));
            let after = self.after_task();
            let while_asked = self.one_in(2);
            all.push(match while_asked {
                true => Trouble::CutOff { day, after, lasts },
                false => Trouble::Partition(Span { from, lasts }),
            });
        } else if self.one_in(6) {
            let instant = self.0.below(300 + 15 * plan.miners.len()) + 1;
            all.push(Trouble::OtherMachine { from: day_begins(day) + BATCH_AT, instant });
        } else {
            self.outages(day, all);
            if self.one_in(8) {
                all.push(Trouble::Down(self.span(day, 40 * MINUTE)));
            }
        }
        if self.one_in(6) {
            all.push(Trouble::BatchLate { day, by: self.up_to(6 * HOUR) });
        } else if self.one_in(5) {
            self.clock(day, all);
        }
        self.network(plan, day, all);
        self.weights(plan, day, all);
        self.processes(plan, day, all);
        if self.one_in(6) {
            all.push(Trouble::DiskFull(self.span(day, 5 * MINUTE)));
        }
        if day > 0 && self.one_in(4) {
            // When the day's round may be published already.
            all.push(Trouble::OutcomesChange(day_begins(day) + BATCH_AT + self.up_to(HOUR)));
        }
    }

    fn outages(&mut self, day: u32, all: &mut Vec<Trouble>) {
        if self.one_in(4) {
            all.push(Trouble::ChainDown(self.span(day, 2 * HOUR)));
        }
        if self.one_in(4) {
            all.push(Trouble::SourceDown(self.span(day, 2 * HOUR)));
        }
    }

    /// In the afternoon, when no round is run, by hours; at any time by less than a second.
    fn clock(&mut self, day: u32, all: &mut Vec<Trouble>) {
        let ahead = if self.one_in(2) { 1 } else { -1 };
        let off = |span, most: Duration| {
            let by_ms = i64::try_from(most.as_millis()).unwrap_or_default();
            Trouble::ClockOff { span, by_ms: ahead * by_ms }
        };
        if self.one_in(2) {
            let by = self.up_to(2 * HOUR);
            let from = day_begins(day) + 14 * HOUR + self.up_to(3 * HOUR);
            all.push(off(Span { from, lasts: self.up_to(2 * HOUR) }, by));
        } else {
            let by = Duration::from_millis(self.0.below(900) as u64);
            all.push(off(self.span(day, 4 * HOUR), by));
        }
    }

    fn network(&mut self, plan: &Plan, day: u32, all: &mut Vec<Trouble>) {
        if self.one_in(4) {
            all.push(Trouble::Lossy(self.span(day, 3 * HOUR)));
        }
        if self.one_in(6) {
            all.push(Trouble::Delays(self.span(day, 3 * HOUR)));
        }
        // On the first day nobody knows better.
        if day > 0 && self.one_in(6) {
            all.push(Trouble::ChainLies(self.span(day, 3 * HOUR)));
        }
        if self.one_in(8) {
            let span = self.span(day, 3 * HOUR);
            all.push(Trouble::ChainLags { span, blocks: self.0.below(40) as u64 + 1 });
        }
        if plan.sealed && self.one_in(3) {
            // About the opening, in the morning of the next day.
            let from = day_begins(day + 1) + 5 * HOUR + self.up_to(HOUR);
            all.push(Trouble::BeaconLate(Span { from, lasts: self.up_to(2 * HOUR) }));
        }
        if plan.miners.len() > 2 && self.one_in(6) {
            let (miner, at) = (self.0.below(plan.miners.len()), self.time(day));
            let gone = self.one_in(2);
            all.push(if gone { Trouble::Deregistered { miner, at } } else { Trouble::Moved { miner, at } });
        }
    }

    fn weights(&mut self, plan: &Plan, day: u32, all: &mut Vec<Trouble>) {
        if self.one_in(5) {
            all.push(Trouble::SubmissionsLost(self.span(day, 90 * MINUTE)));
        }
        if plan.commits && self.one_in(4) {
            all.push(Trouble::RevealsLost(self.span(day, 12 * HOUR)));
        }
        if self.one_in(4) {
            let stops = self.span(day, 30 * MINUTE);
            all.push(Trouble::FinalityStops(stops));
            if self.one_in(2) {
                // An operator looks at it.
                all.push(Trouble::Stopped(stops.from + self.up_to(stops.lasts)));
            }
        }
    }

    fn processes(&mut self, plan: &Plan, day: u32, all: &mut Vec<Trouble>) {
        let most = 300 + 15 * plan.miners.len();
        for _ in 0..self.0.below(4) {
            let from = if self.one_in(4) { self.time(day) } else { day_begins(day) + BATCH_AT };
            all.push(Trouble::Killed { from, instant: self.0.below(most) + 1 });
        }
        if self.one_in(6) {
            all.push(Trouble::Stopped(self.time(day)));
        }
        if self.one_in(6) {
            all.push(Trouble::Settings(self.time(day)));
        }
    }
}
