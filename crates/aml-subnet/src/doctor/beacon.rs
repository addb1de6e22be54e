//! The beacon that answers are sealed to: whether the chain has its rounds, and whether our clock goes with them.

use std::time::Duration;

use tokio::time::timeout;

use super::judge::Role;
use super::{Class, Finding, State, finding, ok};
use crate::beacon::{Beacon, BeaconRound, Pulse};
use crate::calendar::rfc3339;
use crate::config::{Answers, Settings};
use crate::subtensor::Subtensor;

/// A round of so long ago is on the chain, and one of so long ahead is not, seconds.
const AROUND: u64 = 60;
/// How long the chain may take.
const LOOK: Duration = Duration::from_secs(15);

/// What was found out of the beacon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeaconFacts {
    /// Which.
    pub beacon: Beacon,
    /// Whether the chain is for development.
    pub development: bool,
    /// Whether the chain has the round of a minute ago, checked; else why not.
    pub past: Result<(), String>,
    /// Whether it has the round of a minute from now.
    pub future: bool,
    /// Relays that are named.
    pub relays: usize,
    /// When a round that is begun now would open, in milliseconds since 1970.
    pub opening_ms: i64,
}

/// Looks; `None` where nothing is sealed.
pub(super) async fn look(settings: &Settings, role: Role, chain: &Subtensor, now: Duration) -> Option<BeaconFacts> {
    if role == Role::Validator && settings.validator.answers == Answers::Open {
        return None;
    }
    let (beacon, now_s) = (settings.sealing.beacon, now.as_secs());
    let past = BeaconRound::opening_at(beacon, now_s.saturating_sub(AROUND));
    let future = BeaconRound::opening_at(beacon, now_s.saturating_add(AROUND));
    let there = match timeout(LOOK, chain.pulse(past.round)).await {
        Ok(Ok(Some(signature))) => Pulse::checked(past, &signature).map(drop).map_err(|error| error.to_string()),
        Ok(Ok(None)) => Err(format!("the chain does not have round {past}, of a minute ago")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the chain does not answer".to_owned()),
    };
    let ahead = matches!(timeout(LOOK, chain.pulse(future.round)).await, Ok(Ok(Some(_))));
    let development = matches!(timeout(LOOK, chain.is_for_development()).await, Ok(Ok(true)));
    let day_s = now_s / 86_400 * 86_400;
    let opening_s = settings.sealing.rule().opening_s(day_s, now_s);
    let opening_ms = i64::try_from(opening_s.saturating_mul(1000)).unwrap_or(i64::MAX);
    let relays = settings.sealing.relays.len();
    Some(BeaconFacts { beacon, development, past: there, future: ahead, relays, opening_ms })
}

/// Judges it.
pub(super) fn judge(facts: &BeaconFacts) -> Finding {
    let BeaconFacts { beacon, development, past, future, relays, opening_ms } = facts;
    if *beacon == Beacon::Development && !development {
        let text = "sealing.beacon is development, whose key everybody knows, and this is no development chain";
        return finding(
            Class::Beacon,
            State::Failed,
            text,
            "remove sealing.beacon: answers are sealed to quicknet then",
        );
    }
    if *future {
        let text = format!("the chain has a round of {beacon} that is a minute ahead of your clock");
        return finding(Class::Beacon, State::Failed, text, "set the clock by NTP: openings go by it");
    }
    match past {
        Ok(()) => {
            let opens = rfc3339(*opening_ms);
            ok(
                Class::Beacon,
                format!("the chain has the rounds of {beacon}; a round of today that begins now opens at {opens}"),
            )
        }
        Err(why) if *relays > 0 => {
            let advice = "sealed answers are opened by the relays of sealing.relays, as long as one of them answers";
            finding(Class::Beacon, State::Warning, why.clone(), advice)
        }
        Err(why) => {
            let advice = "sealed answers cannot be opened without it: name one in sealing.relays, as in https://api.drand.sh; \
                          or the clock is ahead";
            finding(Class::Beacon, State::Warning, why.clone(), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beacon, BeaconFacts, State, judge};

    fn facts() -> BeaconFacts {
        let opening_ms = 1_767_679_200_000;
        BeaconFacts { beacon: Beacon::Quicknet, development: false, past: Ok(()), future: false, relays: 0, opening_ms }
    }

    #[test]
    fn the_beacon_is_good_when_the_chain_has_the_past_and_not_the_future() {
        let good = judge(&facts());
        assert_eq!(good.state, State::Ok);
        assert!(good.text.contains("2026-01-06T06:00:00"), "{}", good.text);
        assert_eq!(judge(&BeaconFacts { future: true, ..facts() }).state, State::Failed);
        let gone = BeaconFacts { past: Err("nothing".to_owned()), ..facts() };
        assert_eq!(judge(&gone).state, State::Warning);
        assert!(judge(&BeaconFacts { relays: 1, ..gone }).advice.contains("relays"));
        let development = BeaconFacts { beacon: Beacon::Development, ..facts() };
        assert_eq!(judge(&development).state, State::Failed);
        assert_eq!(judge(&BeaconFacts { development: true, ..development }).state, State::Ok);
    }
}
