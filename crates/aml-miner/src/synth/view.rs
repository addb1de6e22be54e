//! What is known of the accounts at the end of a day.

use super::activity::Activity;
use super::graph::GraphMeasures;
use super::population::{Population, Role};
use super::rules::Background;
use super::traffic::DAY_MS;
use super::window::Window;

/// Counterparties beyond which an account is no longer followed through a cycle.
const CYCLE_DEGREE: usize = 40;
/// Accounts looked at in search of a cycle.
const CYCLE_STEPS: usize = 300;

/// What is known at the end of a day.
pub(super) struct View<'a> {
    pub(super) day: i32,
    pub(super) population: &'a Population,
    pub(super) window: &'a Window,
    pub(super) activities: &'a [Activity],
    pub(super) graph: &'a GraphMeasures,
}

impl View<'_> {
    /// The id of the account at position `account` of the window.
    pub(super) fn id(&self, account: usize) -> u32 {
        self.window.accounts[account]
    }

    pub(super) fn role(&self, account: usize) -> Role {
        self.population.accounts[self.id(account) as usize].role
    }

    pub(super) fn background(&self, account: usize) -> Background {
        let is_mixer = |other: u32| self.role(other as usize) == Role::Mixer;
        let out = self.window.targets(account).filter(|edge| is_mixer(edge.to)).map(|edge| edge.usd);
        let back = self.window.sources(account).filter(|edge| is_mixer(edge.from)).map(|edge| edge.usd);
        Background {
            mixer_usd: out.chain(back).sum(),
            cycle: self.cycle(account),
            slept: self.slept(account),
            known: matches!(self.role(account), Role::Exchange | Role::Mixer | Role::Contract),
        }
    }

    /// Days between the account's last transfer before the window and its first within; `None` when there was none.
    pub(super) fn slept(&self, account: usize) -> Option<i32> {
        let last_active = self.population.accounts[self.id(account) as usize].last_active?;
        let first = self.window.received(account).chain(self.window.sent(account)).map(|t| t.at).min();
        let first_day = first.map_or(self.day, |at| at.div_euclid(DAY_MS) as i32);
        Some(first_day - last_active)
    }

    /// Whether money can come back to `start` within four hops past accounts with few counterparties.
    fn cycle(&self, start: usize) -> bool {
        if self.window.degree(start) > CYCLE_DEGREE {
            return false;
        }
        let mut queue = vec![(start, 0)];
        let mut next = 0;
        while let Some(&(account, hop)) = queue.get(next) {
            next += 1;
            if hop == 4 || queue.len() > CYCLE_STEPS {
                return false;
            }
            for edge in self.window.targets(account) {
                let to = edge.to as usize;
                if to == start && hop >= 2 {
                    return true;
                }
                if to != start && edge.usd > 500.0 && self.window.degree(to) <= CYCLE_DEGREE {
                    queue.push((to, hop + 1));
                }
            }
        }
        false
    }
}
