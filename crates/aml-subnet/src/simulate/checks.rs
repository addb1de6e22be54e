//! The laws of a day and of weights, as pure functions of what there is.

use std::collections::BTreeSet;
use std::time::Duration;

use super::cast::Miner;
use super::chain::Taken;
use super::days::{begins, day_begins, due, round_of};
use super::kept::KeptRound;
use super::laws::Broken;
use super::plan::Plan;
use super::stage::Stage;
use super::subnet::Subnet;
use super::troubles::{Span, Trouble};
use crate::chain::types::Uid;
use crate::store::records::{Reply, Step, WeightsRecord, WeightsState};
use crate::wallet::Hotkey;

/// Above so many hundredths of those that answered the round before, it is we who reached nobody.
const MOST_GONE: usize = 60;

/// Our own side is looked at within this.
const PROBED: Duration = Duration::from_secs(60);

/// A day whose time is over.
pub(super) struct EndedDay<'a> {
    pub(super) stage: &'a Stage,
    pub(super) subnet: &'a Subnet,
    pub(super) day: u32,
    pub(super) kept: Option<&'a KeptRound>,
    pub(super) before: Option<&'a KeptRound>,
}

impl EndedDay<'_> {
    /// The first law that does not hold.
    pub(super) fn broken(&self) -> Option<Broken> {
        let round = round_of(self.day);
        let Some(kept) = self.kept else { return Some(Broken::Unpublished { round, step: None }) };
        let marks = &kept.round.marks;
        if let Some(mark) = marks.void.as_ref().or(marks.late.as_ref()) {
            return Some(Broken::Void { round, why: mark.why.clone() });
        }
        if kept.round.step < Step::Published {
            return Some(Broken::Unpublished { round, step: Some(kept.round.step) });
        }
        if kept.without_column().is_some() {
            return Some(Broken::Forgotten { round, what: "a column" });
        }
        let end = due(&self.stage.plan, self.day);
        let good = self.subnet.miners().iter().enumerate().filter(|(place, miner)| {
            miner.kind.is_good() && self.subnet.is_there_until(*place, end) && !self.is_excused(kept, miner)
        });
        let mut good = good.map(|(_, miner)| miner).peekable();
        if kept.canonical.is_none() && good.peek().is_some() {
            return Some(Broken::Empty { round });
        }
        good.find_map(|miner| {
            let why = self.why_not(kept, miner)?;
            Some(Broken::Cost { round, miner: miner.name.clone(), why })
        })
    }

    /// Why a miner does not count; `None` when it does.
    fn why_not(&self, kept: &KeptRound, miner: &Miner) -> Option<String> {
        let hotkey = miner.hotkey();
        if !kept.task.as_ref().is_some_and(|task| task.asks.contains_key(&hotkey)) {
            return Some("it is not part of the task".to_owned());
        }
        let verdict = kept.verdicts.iter().find(|verdict| verdict.hotkey == hotkey);
        verdict.map_or_else(|| Some("it has no verdict".to_owned()), |verdict| verdict.accepted.clone().err())
    }

    /// Whether something befell the talk with a miner that nobody can be blamed for.
    fn is_excused(&self, kept: &KeptRound, miner: &Miner) -> bool {
        let befell = miner.day(self.day);
        befell.excused || (befell.cut && !self.were_most_gone(kept)) || self.was_not_asked(kept, miner)
    }

    /// Whether a miner was not asked because the machine was off, and is not blamed for it.
    fn was_not_asked(&self, kept: &KeptRound, miner: &Miner) -> bool {
        let (from, end) = (day_begins(self.day), due(&self.stage.plan, self.day));
        let whole = Span { from, lasts: end.saturating_sub(from) };
        let off = |trouble: &Trouble| matches!(trouble, Trouble::Down(span) if span.meets(&whole));
        let answer = kept.answers.iter().find(|answer| answer.hotkey == miner.hotkey());
        self.stage.plan.troubles.iter().any(off) && answer.is_some_and(|answer| answer.reply == Reply::NotAsked)
    }

    /// Whether so many of those that answered the round before were not reached because we reached nobody, that the round had
    /// to be held for them.
    fn were_most_gone(&self, kept: &KeptRound) -> bool {
        let Some(before) = self.before else { return false };
        // Where our side was well again before the deadline, nobody could tell any more.
        let deadline_ms = kept.task.as_ref().map_or(0, |task| task.deadline_ms);
        let deadline = Duration::from_millis(u64::try_from(deadline_ms).unwrap_or_default()).saturating_sub(begins());
        if !self.stage.is_cut_at(deadline) || !self.stage.is_cut_at(deadline + PROBED) {
            return false;
        }
        let answered = before.answers.iter().filter(|answer| answer.reply == Reply::Answered);
        let answered: BTreeSet<Hotkey> = answered.map(|answer| answer.hotkey).collect();
        let gone = self.subnet.miners().iter().filter(|miner| {
            let hotkey = miner.hotkey();
            let mut unreached = kept.answers.iter().filter(|answer| matches!(answer.reply, Reply::Unreachable(_)));
            answered.contains(&hotkey) && miner.day(self.day).cut && unreached.any(|answer| answer.hotkey == hotkey)
        });
        gone.count() * 100 > answered.len() * MOST_GONE
    }
}

/// Submissions of weights, in the ledger and on the chain.
pub(super) struct Submissions<'a> {
    pub(super) recorded: &'a [WeightsRecord],
    pub(super) taken: &'a [Taken],
    pub(super) shown: &'a [(Uid, u16)],
}

impl Submissions<'_> {
    /// The first law that does not hold.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.once().or_else(|| self.alike())
    }

    fn once(&self) -> Option<Broken> {
        let known = |taken: &&Taken| self.recorded.iter().any(|record| record.plan.content == taken.content);
        if let Some(taken) = self.taken.iter().find(|taken| !known(taken)) {
            return Some(Broken::Unrecorded { block: taken.block.0 });
        }
        self.recorded.iter().find_map(|record| {
            let times = self.taken.iter().filter(|taken| taken.content == record.plan.content).count();
            (times > 1).then_some(Broken::Twice { epoch: record.epoch, times })
        })
    }

    fn alike(&self) -> Option<Broken> {
        let mut confirmed = self.recorded.iter().filter_map(|record| match record.state {
            WeightsState::Confirmed { block } => Some((record, block)),
            _ => None,
        });
        let there = |(record, block): &(&WeightsRecord, u64)| {
            let shows = |taken: &Taken| taken.shows.is_some_and(|shows| shows.0 == *block);
            self.taken.iter().any(|taken| shows(taken) && taken.content == record.plan.content)
        };
        if let Some((_, block)) = confirmed.find(|confirmed| !there(confirmed)) {
            return Some(Broken::Unlike { block });
        }
        let shown = |taken: &&Taken| taken.content.weights.pairs() == self.shown;
        let any = self.shown.is_empty() || self.taken.iter().any(|taken| shown(&taken));
        let block = self.taken.last()?.block.0;
        (!any).then_some(Broken::Unlike { block })
    }
}

/// Whether nothing that a plan has in store keeps newer weights from the chain between two times.
pub(super) fn are_weights_free(plan: &Plan, from: Duration, to: Duration) -> bool {
    let good = plan.miners.iter().filter(|kind| kind.is_good()).count();
    let gone = plan.troubles.iter().filter(|trouble| matches!(trouble, Trouble::Deregistered { .. }));
    let quiet = Span { from, lasts: to.saturating_sub(from) };
    let meets = |trouble: &Trouble| trouble.is_of_weights() && trouble.span().is_some_and(|span| span.meets(&quiet));
    gone.count() < good && !plan.troubles.iter().any(meets)
}
