//! What of our work a runtime allows: judged by what is there, in the order in which the code chooses its ways.

use std::collections::BTreeSet;

use super::super::calls;
use super::super::hyperparameters::{OF_A_SUBNET, OF_THE_CHAIN};
use super::need::{Found, Need};

/// A piece of work.
pub(super) struct Purpose {
    pub(super) name: &'static str,
    /// Whether a neuron is of no use without it.
    pub(super) is_vital: bool,
    /// The ways in which it is done, the first choice first.
    pub(super) ways: &'static [Way],
}

/// One way.
pub(super) struct Way {
    /// What it is called.
    pub(super) name: &'static str,
    /// It is chosen where all of these are there.
    pub(super) chosen_by: &'static [&'static str],
    /// What it cannot do without.
    pub(super) needs: &'static [&'static str],
    /// What it reads where it is there, in lists: of another shape it is no good.
    pub(super) reads: &'static [&'static [&'static str]],
}

/// The rules of a subnet.
const RULES: &[&[&str]] = &[OF_A_SUBNET, OF_THE_CHAIN];
/// Where a validator stands, and the rules.
const STANDING: &[&[&str]] = &[
    &[
        "SubnetworkN",
        "ValidatorPermit",
        "SubnetOwnerHotkey",
        "MechanismCountCurrent",
        "LastEpochBlock",
        "PendingEpochAt",
        "BlocksSinceLastStep",
        "BlockAtRegistration",
    ],
    OF_A_SUBNET,
    OF_THE_CHAIN,
];
const PLACE: &[&str] = &["Tempo", "Uids", "LastUpdate", "Weights"];
/// Names of ways by which neurons are read.
const COUNTED: &[&[&str]] = &[&["NetworksAdded", "SubnetworkN"]];

/// A way that is always chosen.
const fn always(needs: &'static [&'static str], reads: &'static [&'static [&'static str]]) -> Way {
    Way { name: "", chosen_by: &[], needs, reads }
}

/// A way that is chosen by what is there.
const fn by(name: &'static str, chosen_by: &'static [&'static str], needs: &'static [&'static str]) -> Way {
    Way { name, chosen_by, needs, reads: STANDING }
}

/// All of them.
pub(super) const PURPOSES: [Purpose; 11] = [
    Purpose {
        name: "transactions",
        is_vital: true,
        ways: &[always(&["signed transaction", "account_nonce", "Events", "ExtrinsicSuccess", "ExtrinsicFailed"], &[])],
    },
    Purpose { name: "rules of the subnet", is_vital: true, ways: &[always(&["Tempo"], RULES)] },
    Purpose {
        name: "neurons",
        is_vital: true,
        ways: &[
            Way { name: "get_metagraph", chosen_by: &["get_metagraph"], needs: &[], reads: COUNTED },
            Way {
                name: "get_neurons_lite and get_subnet_state",
                chosen_by: &["get_neurons_lite", "get_subnet_state"],
                needs: &[],
                reads: COUNTED,
            },
            Way {
                name: "get_neurons_lite and TotalHotkeyAlpha",
                chosen_by: &["get_neurons_lite"],
                needs: &[],
                reads: &[&["NetworksAdded", "SubnetworkN", "TotalHotkeyAlpha"]],
            },
            Way {
                name: "storage",
                chosen_by: &["SubnetworkN"],
                needs: &["Keys", "ValidatorPermit", "Active", "LastUpdate", "Incentive", "Dividends", "Owner"],
                reads: &[&["NetworksAdded", "Axons", "TotalHotkeyAlpha"]],
            },
        ],
    },
    Purpose {
        name: "weights in the clear",
        is_vital: true,
        ways: &[by(calls::SET.main, &[calls::SET.main], PLACE), by(calls::SET.general, &[calls::SET.general], PLACE)],
    },
    Purpose {
        name: "weights that are committed",
        is_vital: true,
        ways: &[
            by(
                "timelocked",
                &["CommitRevealWeightsVersion", calls::TIMELOCK.main],
                &["Tempo", "Uids", "LastUpdate", "Weights", "TimelockedWeightCommits"],
            ),
            by(
                "timelocked, by mechanism",
                &["CommitRevealWeightsVersion", calls::TIMELOCK.general],
                &["Tempo", "Uids", "LastUpdate", "Weights", "TimelockedWeightCommits"],
            ),
            by(
                "hash commits",
                &[calls::COMMIT.main, calls::REVEAL.main],
                &["Tempo", "Uids", "LastUpdate", "Weights", "WeightCommits"],
            ),
            by(
                "hash commits, by mechanism",
                &[calls::COMMIT.general, calls::REVEAL.general],
                &["Tempo", "Uids", "LastUpdate", "Weights", "WeightCommits"],
            ),
        ],
    },
    Purpose {
        name: "weights of mechanisms",
        is_vital: false,
        ways: &[by(calls::SET.general, &[calls::SET.general], PLACE)],
    },
    Purpose {
        name: "announcements",
        is_vital: true,
        ways: &[always(&[calls::SERVE_AXON, "Uids", "Axons"], &[&["ServingRateLimit"]])],
    },
    Purpose { name: "opening of sealed answers by the chain", is_vital: false, ways: &[always(&["Pulses"], &[])] },
    Purpose {
        name: "how near a miner is to losing its place",
        is_vital: false,
        ways: &[always(
            &["Uids", "SubnetworkN", "MaxAllowedUids", "ImmunityPeriod"],
            &[&["PruningScores", "Emission", "BlockAtRegistration"]],
        )],
    },
    Purpose { name: "collateral", is_vital: false, ways: &[always(&["MinerCollateral", "Owner"], &[])] },
    Purpose {
        name: "the end of timelocked commits by their events",
        is_vital: false,
        ways: &[
            Way {
                name: "TimelockedWeightsRevealed",
                chosen_by: &["TimelockedWeightsRevealed"],
                needs: &[],
                reads: &[],
            },
            Way { name: "CRV3WeightsRevealed", chosen_by: &["CRV3WeightsRevealed"], needs: &[], reads: &[] },
        ],
    },
];

/// What became of a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It works, in this way.
    Works(&'static str),
    /// The metadata does not tell.
    Untold,
    /// It does not, for these reasons.
    Broken(Vec<String>),
}

impl Purpose {
    /// Judges by what was found.
    pub(super) fn judge(&self, found: &[(Found, Need)]) -> Outcome {
        let of = |name: &str| found.iter().find(|(_, need)| need.name == name).map(|(found, _)| found);
        for way in self.ways {
            let chosen: Vec<&Found> = way.chosen_by.iter().filter_map(|name| of(name)).collect();
            if chosen.iter().any(|found| **found == Found::Untold) {
                return Outcome::Untold;
            }
            if chosen.iter().all(|found| found.is_there()) {
                return way.judge(of);
            }
        }
        let each = self.ways.iter().map(|way| way.chosen_by.join(" with "));
        Outcome::Broken(vec![format!("there is neither of: {}", each.collect::<Vec<_>>().join(", "))])
    }
}

impl Way {
    /// Everything that it touches, each once.
    fn names(&self) -> BTreeSet<&'static str> {
        self.chosen_by.iter().chain(self.needs).chain(self.reads.iter().copied().flatten()).copied().collect()
    }

    fn judge<'a>(&self, of: impl Fn(&str) -> Option<&'a Found>) -> Outcome {
        let mut reasons = Vec::new();
        let mut untold = false;
        for name in self.names() {
            match of(name) {
                Some(Found::Changed(_)) => reasons.push(format!("{name} has changed")),
                Some(Found::Missing) if self.needs.contains(&name) => reasons.push(format!("{name} is missing")),
                Some(Found::Untold) => untold = true,
                _ => {}
            }
        }
        match (reasons.is_empty(), untold) {
            (false, _) => Outcome::Broken(reasons),
            (true, true) => Outcome::Untold,
            (true, false) => Outcome::Works(self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::needs;
    use super::PURPOSES;

    #[test]
    fn purposes_name_needs_that_are_looked_for() {
        let needs = needs();
        for purpose in &PURPOSES {
            for way in purpose.ways {
                for name in way.names() {
                    let named = needs.iter().filter(|need| need.name == name).count();
                    assert_eq!(named, 1, "{name} of {:?}", purpose.name);
                }
            }
        }
    }
}
