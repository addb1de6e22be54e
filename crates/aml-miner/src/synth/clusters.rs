//! Clusters: alerts whose accounts deal with each other, or are paid by the same unusual source.

use super::rules::Candidate;
use super::view::View;

/// Accounts with more counterparties than this connect nobody.
const HUB_DEGREE: usize = 40;
/// Members of the largest cluster; bigger groups are cut.
const MOST_MEMBERS: usize = 25;

/// A group of alerts.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Positions in the day's alerts, ascending.
    pub(super) alerts: Vec<usize>,
    pub(super) kind: &'static str,
}

/// Groups the day's alerts; alerts that belong to nobody are left out.
pub(super) fn group(view: &View<'_>, alerts: &[Candidate]) -> Vec<Group> {
    let mut alert_of = vec![usize::MAX; view.window.accounts.len()];
    alerts.iter().enumerate().for_each(|(position, alert)| alert_of[alert.account] = position);
    let mut sets = Sets::new(alerts.len());
    for (position, alert) in alerts.iter().enumerate() {
        if view.window.degree(alert.account) > HUB_DEGREE {
            continue;
        }
        for edge in view.window.targets(alert.account) {
            let other = alert_of[edge.to as usize];
            if other != usize::MAX && view.window.degree(edge.to as usize) <= HUB_DEGREE {
                sets.join(position, other);
            }
        }
    }
    sets.groups()
        .into_iter()
        .map(|alerts_of| {
            let kind = kind(view, alerts, &alerts_of);
            Group { alerts: alerts_of, kind }
        })
        .collect()
}

fn kind(view: &View<'_>, alerts: &[Candidate], members: &[usize]) -> &'static str {
    let typology = alerts[members[0]].typology;
    if members.iter().all(|&member| alerts[member].typology == typology) {
        return "pattern";
    }
    let community = |member: usize| view.graph.community[alerts[member].account].to_bits();
    let first = community(members[0]);
    if members.iter().all(|&member| community(member) == first) { "same_entity" } else { "proximity" }
}

/// Disjoint sets with the smallest member as their name.
struct Sets {
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self { parent: (0..count).collect(), size: vec![1; count] }
    }

    fn find(&mut self, mut item: usize) -> usize {
        while self.parent[item] != item {
            self.parent[item] = self.parent[self.parent[item]];
            item = self.parent[item];
        }
        item
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        if a != b && self.size[a] + self.size[b] <= MOST_MEMBERS {
            let (root, child) = (a.min(b), a.max(b));
            self.parent[child] = root;
            self.size[root] += self.size[child];
        }
    }

    /// The sets of at least two, by their smallest member.
    fn groups(mut self) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); self.parent.len()];
        for item in 0..self.parent.len() {
            let root = self.find(item);
            groups[root].push(item);
        }
        groups.retain(|group| group.len() > 1);
        groups
    }
}
