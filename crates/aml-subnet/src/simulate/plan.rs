//! What is simulated: a world, its days, who takes part, and what goes wrong.

use std::fmt;

use super::drawing;
use super::troubles::Trouble;

/// What a miner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers in some seconds.
    Honest,
    /// The same; but the first connection of each day is refused.
    Refusing,
    /// Takes so long that it may be too late.
    Slow,
    /// Answers when nobody waits any more.
    Late,
    /// Takes no connection, or takes it and says nothing.
    Silent,
    /// Takes a connection and reads nothing.
    Stalled,
    /// Takes a request, and hangs up.
    HangingUp,
    /// Answers with more than an answer may have.
    Huge,
    /// Refuses whoever asks.
    Closed,
    /// Answers in time, and wrongly.
    Lying(Lie),
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// A score is `NaN`.
    Nan,
    /// An alert is left out.
    Missing,
    /// It is not JSON.
    Garbage,
    /// It is signed by another key.
    OtherKey,
    /// Its receipt is for another request.
    OtherReceipt,
    /// Where a sealed answer is asked for, the last bytes are missing; else it is `Garbage`.
    Truncated,
    /// Where a sealed answer is asked for, it is open; else it is `Missing`.
    Open,
}

impl Kind {
    /// Those that must count in every round in which they can be reached.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Honest | Self::Refusing)
    }

    /// Those that may count.
    #[must_use]
    pub const fn may_count(self) -> bool {
        self.is_good() || matches!(self, Self::Slow)
    }
}

/// Which rules are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The first ones.
    V1,
    /// Pay for information.
    V2,
    /// The first ones before this day, counted from 0, then pay for information.
    V2From(u32),
}

/// What no validator could make good: it shows that the law is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The ledger says that an answer is recorded, and forgets it.
    LosesAnswers,
    /// The ledger says that a round is published, and forgets it.
    LosesPublications,
    /// The ledger says that a submission of weights is recorded, and forgets it.
    LosesWeights,
    /// The chain takes weights, and says that it knows nothing of them.
    DeniesWeights,
    /// The chain shows other weights than were set.
    MixesWeights,
}

/// How large a world is to be; what is left out is drawn from the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Days, a batch each.
    pub days: Option<u32>,
    /// Miners.
    pub miners: Option<usize>,
    /// Alerts of a batch.
    pub alerts: Option<usize>,
    /// Which rules are in force.
    pub rules: Option<Ruling>,
    /// Whether answers are sealed; only under rules v2 from the first day.
    pub sealed: Option<bool>,
    /// Nothing goes wrong but miners.
    pub calm: bool,
}

impl Wanted {
    /// A day of four miners and 64 alerts under the first rules.
    pub const SMALL: Self = Self {
        days: Some(1),
        miners: Some(4),
        alerts: Some(64),
        rules: Some(Ruling::V1),
        sealed: Some(false),
        calm: false,
    };
}

/// A world and its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All that is drawn while it runs follows from this.
    pub seed: u64,
    /// Days, a batch each.
    pub days: u32,
    /// Alerts of a batch.
    pub alerts: usize,
    /// Which rules are in force.
    pub rules: Ruling,
    /// Whether answers are sealed.
    pub sealed: bool,
    /// Whether weights are committed first, and revealed by the chain an epoch later.
    pub commits: bool,
    /// The miners, by uid.
    pub miners: Vec<Kind>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// What is broken for good.
    pub flaw: Option<Flaw>,
}

impl Plan {
    /// The small plan of a seed: a day of four miners.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self::drawn(seed, &Wanted::SMALL)
    }

    /// The plan of a seed, as large as is wanted. Its troubles end in good time.
    #[must_use]
    pub fn drawn(seed: u64, wanted: &Wanted) -> Self {
        drawing::plan(seed, wanted)
    }

    /// The same world, broken.
    #[must_use]
    pub fn with(self, flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..self }
    }

    /// Plans with one trouble, one miner or one day less, or without something; a good miner is always left.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let mut plans: Vec<Self> = (0..self.troubles.len())
            .map(|place| {
                let mut plan = self.clone();
                plan.troubles.remove(place);
                plan
            })
            .collect();
        if self.days > 1 {
            plans.extend([1, self.days / 2, self.days - 1].map(|days| Self { days, ..self.clone() }));
        }
        let good = self.miners.iter().filter(|kind| kind.is_good()).count();
        for place in (0..self.miners.len()).rev().filter(|place| good > 1 || !self.miners[*place].is_good()) {
            plans.extend(self.without_miner(place));
        }
        if self.sealed {
            plans.push(Self { sealed: false, ..self.clone() });
        }
        if self.commits {
            plans.push(Self { commits: false, ..self.clone() });
        }
        plans.dedup();
        plans
    }

    /// Without a miner; `None` when a trouble is about it.
    fn without_miner(&self, place: usize) -> Option<Self> {
        let mut plan = self.clone();
        plan.miners.remove(place);
        for trouble in &mut plan.troubles {
            if let Trouble::Deregistered { miner, .. } | Trouble::Moved { miner, .. } = trouble {
                match (*miner).cmp(&place) {
                    std::cmp::Ordering::Less => {}
                    std::cmp::Ordering::Equal => return None,
                    std::cmp::Ordering::Greater => *miner -= 1,
                }
            }
        }
        Some(plan)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, days, alerts, rules, miners, troubles, .. } = self;
        write!(f, "seed {seed}, {days} days of {alerts} alerts, rules {rules:?}")?;
        if self.sealed {
            f.write_str(", sealed")?;
        }
        if self.commits {
            f.write_str(", commits")?;
        }
        write!(f, ", miners {miners:?}, troubles {troubles:?}")?;
        self.flaw.map_or(Ok(()), |flaw| write!(f, ", flaw {flaw:?}"))
    }
}
