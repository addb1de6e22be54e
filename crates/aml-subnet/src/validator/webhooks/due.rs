//! What there is to tell of a round: the difference between what is so and what was told. Pure.

use serde::{Deserialize, Serialize};

use crate::config::WebhookEvent;
use crate::store::records::{OutcomeVersion, Round, Step};

/// A published round as the ledger has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    /// The round.
    pub(super) round: Round,
    /// How much is known of it.
    pub(super) outcomes: OutcomeVersion,
}

/// What was told of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    /// That it is published.
    pub(super) published: bool,
    /// So many versions of outcomes.
    pub(super) outcomes: u64,
    /// That it is settled.
    pub(super) settled: bool,
    /// That it is void.
    pub(super) void: bool,
    /// A message about it was sent, and perhaps arrived, whatever became of the answer. Written before the first one is sent.
    #[serde(default)]
    pub(super) attempted: bool,
}

impl Known {
    /// All that is so.
    pub(super) fn of(fact: &Fact) -> Self {
        let mut known = Self::default();
        WebhookEvent::ALL.into_iter().for_each(|event| known.note(fact, event));
        known
    }

    /// Notes that an event was told as it is now.
    pub(super) fn note(&mut self, fact: &Fact, event: WebhookEvent) {
        match event {
            WebhookEvent::Published => self.published = true,
            WebhookEvent::Outcomes => self.outcomes = fact.outcomes.versions,
            WebhookEvent::Settled => self.settled = fact.round.step == Step::Settled,
            WebhookEvent::Void => self.void = fact.round.marks.void.is_some(),
        }
    }
}

/// The events of a round that were not told, in their order.
pub(super) fn due(known: &Known, fact: &Fact) -> Vec<WebhookEvent> {
    let (round, is_void) = (&fact.round, fact.round.marks.void.is_some());
    let is_due = |event: &WebhookEvent| match event {
        // Of a round that was void before anybody can have heard of it nothing is said.
        WebhookEvent::Published => !known.published && !is_void,
        WebhookEvent::Outcomes => known.outcomes < fact.outcomes.versions && !is_void,
        WebhookEvent::Settled => !known.settled && round.step == Step::Settled && !is_void,
        WebhookEvent::Void => !known.void && is_void && (known.published || known.attempted),
    };
    WebhookEvent::ALL.into_iter().filter(is_due).collect()
}

#[cfg(test)]
mod tests {
    use aml_miner::digest::Digest;

    use super::{Fact, Known, due};
    use crate::config::WebhookEvent::{Outcomes, Published, Settled, Void};
    use crate::store::records::{Mark, OutcomeVersion, Round, Step};
    use crate::validation::rules::RulesVersion;

    fn fact(step: Step, versions: u64) -> Fact {
        let round = Round {
            id: "1-2026-01-05-30".parse().expect("a round"),
            step,
            rules: RulesVersion::V2,
            shadow: false,
            batch: Digest::of(b"batch"),
            alerts: 5,
            opened_ms: 0,
            deadline_ms: None,
            commitment: None,
            published_ms: None,
            settled_ms: None,
            list: None,
            marks: Default::default(),
        };
        Fact { round, outcomes: OutcomeVersion { versions, ..OutcomeVersion::default() } }
    }

    #[test]
    fn each_is_told_once_and_outcomes_each_time() {
        let mut known = Known::default();
        let (first, later, end) = (fact(Step::Published, 0), fact(Step::Published, 3), fact(Step::Settled, 4));
        for (fact, wanted) in [(&first, vec![Published]), (&later, vec![Outcomes]), (&end, vec![Outcomes, Settled])] {
            let events = due(&known, fact);
            assert_eq!(events, wanted);
            events.into_iter().for_each(|event| known.note(fact, event));
            assert_eq!(due(&known, fact), [], "told is told");
        }
        assert_eq!(known, Known::of(&end));
    }

    #[test]
    fn a_void_round_is_taken_back_from_whom_it_was_told() {
        let mut void = fact(Step::Settled, 9);
        void.round.marks.void = Some(Mark { at_ms: 1, why: "a rehearsal".to_owned() });
        assert_eq!(due(&Known::default(), &void), [], "nobody heard of it");
        let told = Known { published: true, ..Known::default() };
        assert_eq!(due(&told, &void), [Void]);
        let perhaps = Known { attempted: true, ..Known::default() };
        assert_eq!(due(&perhaps, &void), [Void], "it may have arrived, though the answer did not");
    }
}
