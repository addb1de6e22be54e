//! What taking an upgrade back comes to: which rounds are lost by it.

use std::path::PathBuf;

use crate::store::{Glimpse, RoundGlimpse};

/// What taking back came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// What the new program recorded of rounds and the old ledger does not have, a line each.
    pub lost: Vec<String>,
    /// Where the new program's ledger lies.
    pub aside: Option<PathBuf>,
    /// What is wrong with the old program now that was not before.
    pub wrong: Option<String>,
    /// Why the old program was not started: a person has to do something first.
    pub waits: Option<String>,
}

/// What is in `after` alone.
pub(super) fn lost(before: &Glimpse, after: &Glimpse) -> Vec<String> {
    let gone = |round: &RoundGlimpse| {
        let was = before.rounds.iter().find(|old| old.id == round.id);
        match was {
            Some(old) if old.step >= round.step => None,
            Some(old) => Some(format!("round {}: {} again, it was {}", round.id, old.step.name(), round.step.name())),
            None => Some(format!("round {}: not begun, it was {}", round.id, round.step.name())),
        }
    };
    after.rounds.iter().filter_map(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::lost;
    use crate::store::records::Step;
    use crate::store::{Glimpse, RoundGlimpse};

    #[test]
    fn what_the_new_program_did_is_named() {
        let round = |id: &str, step| RoundGlimpse { id: id.to_owned(), step, deadline_ms: None, void: false };
        let before = Glimpse { schema: 1, rounds: vec![round("1-a", Step::Asked), round("1-b", Step::Settled)] };
        let rounds = vec![round("1-c", Step::Tasked), round("1-a", Step::Published), round("1-b", Step::Settled)];
        let after = Glimpse { schema: 2, rounds };
        let expected = ["round 1-c: not begun, it was tasked", "round 1-a: asked again, it was published"];
        assert_eq!(lost(&before, &after), expected);
        assert_eq!(lost(&after, &after), Vec::<String>::new());
    }
}
