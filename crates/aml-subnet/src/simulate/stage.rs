//! What all simulated sides share: the time, the trace, what is drawn, what is wrong now, whether the validator's process
//! lives, and the first law that was broken.

use std::fmt::Display;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aml_miner::clock::Clock as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::days::{day_of, round_of};
use super::laws::Broken;
use super::plan::Plan;
use super::time::VirtualTime;
use super::trace::Trace;
use super::troubles::{Span, Trouble};
use crate::store::records::RoundId;
use crate::validator::traps::Draw;
use crate::validator::world::{Entropy, NoEntropy, Time as _};

/// Between a task's deadline and its record lie steps of the ledger that take so long at most.
const HURRY_MS: i64 = 10_000;

/// What all simulated sides share.
pub(super) struct Stage {
    /// The time.
    pub(super) time: VirtualTime,
    /// The world.
    pub(super) plan: Plan,
    /// Cancelled once the ledger has the round of the last day published.
    pub(super) published: CancellationToken,
    /// Cancelled once a law is broken.
    pub(super) over: CancellationToken,
    life: Mutex<Life>,
    killed: Notify,
}

struct Life {
    trace: Trace,
    draw: Draw,
    kills: Vec<Kill>,
    dead: bool,
    /// How many processes there were.
    processes: usize,
    /// Whether the next process is on another machine.
    moved: bool,
    /// How long miners have, by the settings of the process.
    deadline: Duration,
    /// When the validator reached nobody, beside what the plan says.
    cut: Vec<Span>,
    broken: Option<Broken>,
    first_published: Option<Duration>,
}

/// The process is killed when no instants are left.
struct Kill {
    from: Duration,
    left: usize,
    moves: bool,
}

impl Stage {
    pub(super) fn new(plan: Plan, time: VirtualTime) -> Self {
        let draw = Draw::new(&[b"aml-simulate/2 stage", &plan.seed.to_le_bytes()]);
        let kill = |trouble: &Trouble| match *trouble {
            Trouble::Killed { from, instant } => Some(Kill { from, left: instant, moves: false }),
            Trouble::OtherMachine { from, instant } => Some(Kill { from, left: instant, moves: true }),
            Trouble::Down(span) => Some(Kill { from: span.from, left: 1, moves: false }),
            _ => None,
        };
        let kills = plan.troubles.iter().filter_map(kill).collect();
        let life = Life {
            trace: Trace::default(),
            draw,
            kills,
            dead: false,
            processes: 0,
            moved: false,
            deadline: Duration::ZERO,
            cut: Vec::new(),
            broken: None,
            first_published: None,
        };
        let (published, over) = (CancellationToken::new(), CancellationToken::new());
        Self { time, plan, published, over, life: Mutex::new(life), killed: Notify::new() }
    }

    /// Writes down what happens at an edge.
    pub(super) fn note(&self, edge: &'static str, what: impl Display) {
        let at = self.time.uptime();
        self.life().trace.note(at, edge, what.to_string());
    }

    /// A law is broken; the first one counts, and ends the simulation.
    pub(super) fn breaks(&self, law: Broken) {
        self.note("law", &law);
        self.life().broken.get_or_insert(law);
        self.over.cancel();
    }

    /// The first law that was broken.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.life().broken.clone()
    }

    /// When the ledger had the first published round.
    pub(super) fn first_published(&self) -> Option<Duration> {
        self.life().first_published
    }

    /// The ledger has a published round.
    pub(super) fn is_published(&self, round: RoundId) {
        let now = self.time.uptime();
        self.life().first_published.get_or_insert(now);
        if round == round_of(self.plan.days.saturating_sub(1)) {
            self.published.cancel();
        }
    }

    /// Whether a trouble of this sort is on now.
    pub(super) fn suffers(&self, sort: impl Fn(&Trouble) -> Option<Span>) -> bool {
        let now = self.time.uptime();
        self.plan.troubles.iter().filter_map(sort).any(|span| span.has(now))
    }

    /// Whether the validator reaches nobody.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut_at(self.time.uptime())
    }

    /// The same of another time, as far as is known now.
    pub(super) fn is_cut_at(&self, at: Duration) -> bool {
        let planned = self.plan.troubles.iter().filter_map(|trouble| match trouble {
            Trouble::Partition(span) => Some(*span),
            _ => None,
        });
        planned.chain(self.life().cut.iter().copied()).any(|span| span.has(at))
    }

    /// The round of a day has its task, for the first time.
    fn cuts_off(&self, round: RoundId) {
        let of_day = day_of(round.date);
        for trouble in &self.plan.troubles {
            if let Trouble::CutOff { day, after, lasts } = *trouble
                && of_day == Some(day)
            {
                let from = self.time.uptime() + after;
                self.life().cut.push(Span { from, lasts });
            }
        }
    }

    /// Whether nothing can be written.
    pub(super) fn is_full(&self) -> bool {
        self.suffers(|trouble| if let Trouble::DiskFull(span) = trouble { Some(*span) } else { None })
    }

    /// The day of this moment, counted from 0.
    pub(super) fn day(&self) -> u32 {
        let date = crate::calendar::date_of(crate::calendar::day_at(self.time.real()));
        day_of(date).unwrap_or_default()
    }

    /// A number below `limit`.
    pub(super) fn below(&self, limit: usize) -> usize {
        self.life().draw.below(limit)
    }

    /// Some time, at most `most`.
    pub(super) fn span(&self, most: Duration) -> Duration {
        let unit = self.life().draw.unit();
        most.mul_f64(unit)
    }

    /// Some time passes, at most `most`.
    pub(super) async fn pause(&self, most: Duration) {
        let span = self.span(most);
        self.time.sleep(span).await;
    }

    /// An instant at which the validator's process may die. What belongs to a dead process never gets beyond it.
    pub(super) async fn instant(&self) {
        if self.is_last() {
            self.killed.notify_one();
        }
        if self.life().dead {
            pending::<()>().await;
        }
    }

    /// When the process is dead.
    pub(super) async fn death(&self) {
        self.killed.notified().await;
    }

    /// A new process, after whatever is left of the old one was dropped; says whether it is on another machine.
    pub(super) fn rise(&self) -> bool {
        let mut life = self.life();
        life.dead = false;
        life.processes += 1;
        std::mem::take(&mut life.moved)
    }

    /// The process of this moment; `None` while it is dead.
    pub(super) fn process(&self) -> Option<usize> {
        let life = self.life();
        (!life.dead).then_some(life.processes)
    }

    /// How long miners have from now on.
    pub(super) fn gives(&self, deadline: Duration) {
        self.life().deadline = deadline;
    }

    /// A round has a task: miners have their full time.
    pub(super) fn tasked(&self, round: RoundId, deadline_ms: i64) {
        let left_ms = deadline_ms.saturating_sub(self.time.now_ms());
        self.cuts_off(round);
        let wanted_ms = i64::try_from(self.life().deadline.as_millis()).unwrap_or(i64::MAX);
        if left_ms.saturating_add(HURRY_MS) < wanted_ms {
            self.breaks(Broken::Hurried { round, left_s: left_ms / 1000 });
        }
    }

    /// Everything that happened.
    pub(super) fn trace(&self) -> Trace {
        self.life().trace.clone()
    }

    fn is_last(&self) -> bool {
        let now = self.time.uptime();
        let mut life = self.life();
        if life.dead {
            return false;
        }
        for kill in life.kills.iter_mut().filter(|kill| kill.from <= now) {
            kill.left = kill.left.saturating_sub(1);
        }
        let due = life.kills.iter().position(|kill| kill.left == 0);
        if let Some(place) = due {
            let kill = life.kills.remove(place);
            life.dead = true;
            life.moved |= kill.moves;
        }
        life.dead
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entropy for Stage {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let mut life = self.life();
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&life.draw.number().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
