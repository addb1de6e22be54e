//! What a seed stands for: who takes part, and what goes wrong.

use std::fmt;
use std::time::Duration;

use crate::validator::traps::Draw;

const MINUTE: u64 = 60;

/// What a miner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers in some seconds.
    Honest,
    /// Takes so long that it may be too late.
    Slow,
    /// Takes no connection, or takes it and says nothing.
    Silent,
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
}

/// What goes wrong, and must not cost a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No endpoint of the chain answers until so long after the start.
    ChainDown(Duration),
    /// The source does not answer until so long after the start.
    SourceDown(Duration),
    /// Every step of the ledger takes up to so long.
    SlowLedger(Duration),
    /// The process is killed at its so manieth instant, counted over all its lives, and started again.
    Killed(usize),
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

/// A world and a day of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All that is drawn while it runs follows from this.
    pub seed: u64,
    /// The miners, by uid.
    pub miners: Vec<Kind>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// What is broken for good.
    pub flaw: Option<Flaw>,
}

impl Plan {
    /// The plan of a seed: one miner of each kind, and troubles that end in good time.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw::new(&[b"aml-simulate/1 plan", &seed.to_le_bytes()]);
        let lies = [Lie::Nan, Lie::Missing, Lie::Garbage, Lie::OtherKey, Lie::OtherReceipt];
        let mut miners = vec![Kind::Honest, Kind::Slow, Kind::Silent, Kind::Lying(lies[draw.below(lies.len())])];
        draw.shuffle(&mut miners);
        let span = |draw: &mut Draw| Duration::from_secs(draw.below(120) as u64 * MINUTE + 1);
        let mut troubles = Vec::new();
        if draw.below(2) == 0 {
            troubles.push(Trouble::ChainDown(span(&mut draw)));
        }
        if draw.below(2) == 0 {
            troubles.push(Trouble::SourceDown(span(&mut draw)));
        }
        if draw.below(2) == 0 {
            troubles.push(Trouble::SlowLedger(Duration::from_millis(draw.below(500) as u64 + 1)));
        }
        for _ in 0..draw.below(4) {
            troubles.push(Trouble::Killed(draw.below(200) + 1));
        }
        Self { seed, miners, troubles, flaw: None }
    }

    /// The same world, broken.
    #[must_use]
    pub fn with(self, flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..self }
    }

    /// Plans with one trouble or one miner less, an honest miner always left.
    #[must_use]
    pub fn smaller(&self) -> Vec<Self> {
        let without = |troubles: &[Trouble], place: usize| {
            let mut left = troubles.to_vec();
            left.remove(place);
            left
        };
        let mut plans: Vec<Self> = (0..self.troubles.len())
            .map(|place| Self { troubles: without(&self.troubles, place), ..self.clone() })
            .collect();
        for place in (0..self.miners.len()).filter(|place| self.miners[*place] != Kind::Honest) {
            let mut plan = self.clone();
            plan.miners.remove(place);
            plans.push(plan);
        }
        plans
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, miners {:?}, troubles {:?}", self.seed, self.miners, self.troubles)?;
        self.flaw.map_or(Ok(()), |flaw| write!(f, ", flaw {flaw:?}"))
    }
}
