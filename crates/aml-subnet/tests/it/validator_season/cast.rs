//! Who takes part: miners of every kind, which both validators ask.

use std::sync::Arc;
use std::time::Duration;

use aml_miner::clock::{Clock, SystemClock};

use crate::fake_miner::{Behaviour, FakeMiner, Lie, Wire};
use crate::validator_world::NETUID;

/// A miner and the development key that it has.
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) miner: FakeMiner,
}

/// All miners.
pub(super) struct Cast {
    /// Those that are there from the beginning.
    pub(super) actors: Vec<Actor>,
    /// One that registers in the middle of the season.
    pub(super) newcomer: Actor,
}

/// Miners of skill whose scores nobody copies.
pub(super) const SKILLED: [&str; 2] = ["Bob", "Charlie"];
/// Miners that must earn less: copied and copying, lazy.
pub(super) const POORER: [&str; 3] = ["Frank", "Grace", "Lazy"];
/// The newcomer.
pub(super) const NEWCOMER: &str = "Zoe";
/// Whose submission never counts.
const BAD: [(&str, Behaviour); 9] = [
    ("Nan", Behaviour::Lying(Lie::Nan)),
    ("Missing", Behaviour::Lying(Lie::Missing)),
    ("WrongInput", Behaviour::Lying(Lie::WrongInput)),
    ("OtherKey", Behaviour::Lying(Lie::OtherKey)),
    ("Garbage", Behaviour::Lying(Lie::Garbage)),
    ("Refusing", Behaviour::Refusing(503)),
    ("Breaking", Behaviour::Wire(Wire::ShorterThanDeclared)),
    ("HangingUp", Behaviour::HangingUp { pause: Duration::from_secs(3) }),
    ("Dead", Behaviour::Dead),
];
/// More of them, for a long season.
const WORSE: [(&str, Behaviour); 5] = [
    ("OutOfRange", Behaviour::Lying(Lie::OutOfRange)),
    ("WrongTask", Behaviour::Lying(Lie::WrongTask)),
    ("NoReceipt", Behaviour::Lying(Lie::NoReceipt)),
    ("Flooding", Behaviour::Wire(Wire::Floods)),
    ("Mute", Behaviour::HangingUp { pause: Duration::from_secs(20) }),
];

/// Miners of all degrees of skill, for a long season.
const MORE: [(&str, f64); 8] = [
    ("Ada", 0.85),
    ("Ben", 0.6),
    ("Cleo", 0.55),
    ("Dora", 0.45),
    ("Emil", 0.4),
    ("Finn", 0.35),
    ("Gus", 0.2),
    ("Hugo", 0.1),
];

/// Whether its submissions never count.
pub(super) fn is_bad(name: &str) -> bool {
    BAD.iter().chain(&WORSE).any(|(bad, _)| *bad == name)
}

impl Cast {
    pub(super) async fn assemble(is_long: bool) -> Self {
        let mut roles = vec![
            ("Bob", Behaviour::Honest { skill: 0.9 }),
            ("Charlie", Behaviour::Honest { skill: 0.7 }),
            ("Dave", Behaviour::Honest { skill: 0.3 }),
            ("Frank", Behaviour::Honest { skill: 0.8 }),
            ("Grace", Behaviour::Copying { of: "Frank", skill: 0.8 }),
            ("Lazy", Behaviour::Lazy),
            ("Slow", Behaviour::Slow { skill: 0.5, pause: Duration::from_secs(2) }),
        ];
        roles.extend(BAD);
        if is_long {
            roles.extend(WORSE);
            roles.extend(MORE.map(|(name, skill)| (name, Behaviour::Honest { skill })));
        }
        let mut actors = Vec::new();
        for (name, behaviour) in roles {
            actors.push(Actor::spawn(name, behaviour).await);
        }
        Self { actors, newcomer: Actor::spawn(NEWCOMER, Behaviour::Honest { skill: 0.75 }).await }
    }
}

impl Actor {
    async fn spawn(name: &'static str, behaviour: Behaviour) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self { name, miner: FakeMiner::spawn(name, behaviour, NETUID, clock).await }
    }
}
