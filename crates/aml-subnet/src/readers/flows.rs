//! Which part of the money flow around an address, or around the members of a cluster, is shown: the largest counterparties by
//! name, the others as one number. Pure and bounded, whatever the graph is like.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

/// Addresses that a picture names.
pub const NODES: usize = 40;
/// Members of a cluster that stand in the middle of its picture.
pub const MIDDLE: usize = 12;
/// Assets that are named of one flow.
const ASSETS: usize = 3;

/// Money that went from one address to another within the window.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Flow {
    /// Who paid.
    pub from: String,
    /// Who was paid.
    pub to: String,
    /// How much, in US dollars; null where the batch does not say.
    pub usd: Option<f64>,
    /// Transactions; null where the batch does not say.
    pub transactions: Option<f64>,
    /// The first of them, in milliseconds since 1970.
    pub first_ms: Option<i64>,
    /// The last of them.
    pub last_ms: Option<i64>,
    /// In which assets, at most three.
    pub assets: Vec<String>,
}

/// What an address is in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What the picture is about.
    Focus,
    /// Of the same cluster.
    Member,
    /// Somebody else.
    Other,
}

/// An address of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Node {
    /// The address.
    pub address: String,
    /// What it is here.
    pub role: Role,
    /// What the focus paid it, in US dollars.
    pub received_usd: f64,
    /// What it paid the focus.
    pub paid_usd: f64,
}

/// Counterparties that are not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Rest {
    /// How many.
    pub addresses: u64,
    /// What the focus paid them, in US dollars.
    pub received_usd: f64,
    /// What they paid the focus.
    pub paid_usd: f64,
}

/// The part of the flow that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Picture {
    /// The addresses, what it is about first, then by amount.
    pub nodes: Vec<Node>,
    /// What went between them, the largest amounts first. One from an address to itself is among them.
    pub flows: Vec<Flow>,
    /// Who else there is.
    pub rest: Rest,
    /// Members in the middle that are not named.
    pub more_members: u64,
}

/// What a picture is made of.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// What it is about: an address, or the members of a cluster.
    pub focus: Vec<String>,
    /// Addresses that are pointed out among the others.
    pub members: BTreeSet<String>,
    /// Flows from and to the focus, in any order, several of a pair allowed.
    pub flows: Vec<Flow>,
    /// Counterparties of the focus that are left out of `flows` already.
    pub left_out: Rest,
}

/// Money between an address and the focus.
#[derive(Clone, Copy, Default)]
struct Sums {
    received: f64,
    paid: f64,
}

impl Sums {
    fn whole(self) -> f64 {
        self.received + self.paid
    }
}

/// The picture of `around`.
#[must_use]
pub fn picture(around: &Around) -> Picture {
    let (focus, more_members) = middle(around);
    let within: BTreeSet<&str> = focus.iter().copied().collect();
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for flow in &around.flows {
        let (from, to) = (flow.from.as_str(), flow.to.as_str());
        match (within.contains(from), within.contains(to)) {
            (true, false) => sums.entry(to).or_default().received += amount(flow),
            (false, true) => sums.entry(from).or_default().paid += amount(flow),
            _ => {}
        }
    }
    let mut others: Vec<(&str, Sums)> = sums.into_iter().collect();
    others.sort_by(|a, b| b.1.whole().total_cmp(&a.1.whole()).then_with(|| a.0.cmp(b.0)));
    let named = others.len().min(NODES.saturating_sub(focus.len()));
    let (shown, hidden) = others.split_at(named);
    let mut rest = around.left_out;
    for (_, sums) in hidden {
        rest.addresses += 1;
        rest.received_usd += sums.received;
        rest.paid_usd += sums.paid;
    }
    let all: BTreeSet<&str> = around.focus.iter().chain(&around.members).map(String::as_str).collect();
    let role = |address: &str| if all.contains(address) { Role::Member } else { Role::Other };
    let middle = focus.iter().map(|address| Node::new(address, Role::Focus, Sums::default()));
    let sides = shown.iter().map(|(address, sums)| Node::new(address, role(address), *sums));
    let nodes: Vec<Node> = middle.chain(sides).collect();
    let flows = between(&nodes, &around.flows);
    Picture { nodes, flows, rest, more_members }
}

/// What stands in the middle: those with the most money, and how many more there are.
fn middle(around: &Around) -> (Vec<&str>, u64) {
    let mut own: BTreeMap<&str, f64> = around.focus.iter().map(|address| (address.as_str(), 0.0)).collect();
    for flow in &around.flows {
        for end in BTreeSet::from([flow.from.as_str(), flow.to.as_str()]) {
            if let Some(sum) = own.get_mut(end) {
                *sum += amount(flow);
            }
        }
    }
    let mut focus: Vec<(&str, f64)> = own.into_iter().collect();
    focus.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let more = focus.len().saturating_sub(MIDDLE) as u64;
    (focus.into_iter().take(MIDDLE).map(|(address, _)| address).collect(), more)
}

fn amount(flow: &Flow) -> f64 {
    flow.usd.unwrap_or(0.0).max(0.0)
}

impl Node {
    fn new(address: &str, role: Role, sums: Sums) -> Self {
        Self { address: address.to_owned(), role, received_usd: sums.received, paid_usd: sums.paid }
    }
}

/// What went between these addresses, one flow a pair and direction.
fn between(nodes: &[Node], flows: &[Flow]) -> Vec<Flow> {
    let named: BTreeSet<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let mut pairs: BTreeMap<(&str, &str), Flow> = BTreeMap::new();
    for flow in flows {
        let key = (flow.from.as_str(), flow.to.as_str());
        if !named.contains(key.0) || !named.contains(key.1) {
            continue;
        }
        match pairs.entry(key) {
            std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(flow.clone())),
            std::collections::btree_map::Entry::Occupied(mut place) => add(place.get_mut(), flow),
        }
    }
    let mut all: Vec<Flow> = pairs.into_values().collect();
    all.sort_by(|a, b| b.usd.unwrap_or(0.0).total_cmp(&a.usd.unwrap_or(0.0)));
    all
}

/// Adds a flow of the same pair.
fn add(sum: &mut Flow, more: &Flow) {
    let plus = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, two) => one.or(two),
    };
    sum.usd = plus(sum.usd, more.usd);
    sum.transactions = plus(sum.transactions, more.transactions);
    sum.first_ms = [sum.first_ms, more.first_ms].into_iter().flatten().min();
    sum.last_ms = [sum.last_ms, more.last_ms].into_iter().flatten().max();
    for asset in &more.assets {
        if sum.assets.len() < ASSETS && !sum.assets.contains(asset) {
            sum.assets.push(asset.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Around, Flow, MIDDLE, NODES, Rest, Role, picture};

    fn flow(from: &str, to: &str, usd: f64) -> Flow {
        let (from, to) = (from.to_owned(), to.to_owned());
        Flow {
            from,
            to,
            usd: Some(usd),
            transactions: Some(1.0),
            first_ms: Some(5),
            last_ms: Some(9),
            assets: vec!["A".to_owned()],
        }
    }

    fn about(focus: &[&str], flows: Vec<Flow>) -> Around {
        Around { focus: focus.iter().map(|name| (*name).to_owned()).collect(), flows, ..Around::default() }
    }

    #[test]
    fn the_largest_are_named_and_the_others_are_counted_to_the_cent() {
        let flows: Vec<Flow> = (0..100_000).map(|at| flow("a", &format!("p{at:06}"), f64::from(at))).collect();
        let drawn = picture(&about(&["a"], flows));
        assert_eq!((drawn.nodes.len(), drawn.flows.len()), (NODES, NODES - 1));
        assert_eq!(drawn.nodes[1].address, "p099999");
        assert_eq!(drawn.rest.addresses, 100_000 - 39);
        let shown: f64 = drawn.nodes.iter().map(|node| node.received_usd).sum();
        assert!((shown + drawn.rest.received_usd - 99_999.0 * 100_000.0 / 2.0).abs() < 1e-3);
    }

    #[test]
    fn loops_pairs_and_cycles_are_drawn_once() {
        let flows = vec![
            flow("a", "a", 5.0),
            flow("a", "b", 1.0),
            flow("a", "b", 2.0),
            flow("b", "a", 4.0),
            flow("b", "c", 7.0),
            flow("c", "a", 1.0),
        ];
        let drawn = picture(&about(&["a", "a"], flows));
        assert_eq!(drawn.nodes.iter().map(|node| node.address.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((drawn.nodes[1].received_usd, drawn.nodes[1].paid_usd), (3.0, 4.0));
        assert_eq!(drawn.flows.len(), 5, "b to c is between two that are named: {:?}", drawn.flows);
        assert_eq!(drawn.rest, Rest::default());
    }

    #[test]
    fn members_are_pointed_out_and_a_crowd_of_them_is_bounded() {
        let names: Vec<String> = (0..60).map(|at| format!("m{at:02}")).collect();
        let focus: Vec<&str> = names.iter().map(String::as_str).collect();
        let flows = (0..60).map(|at| flow(&names[at], "sink", at as f64)).collect();
        let drawn = picture(&about(&focus, flows));
        assert_eq!((drawn.nodes[0].address.as_str(), drawn.more_members), ("m59", 60 - MIDDLE as u64));
        assert_eq!(drawn.nodes.len(), MIDDLE + 1);
        let mut around = about(&["a"], vec![flow("x", "a", 1.0), flow("y", "a", 2.0)]);
        around.members.insert("x".to_owned());
        let roles: Vec<Role> = picture(&around).nodes.iter().map(|node| node.role).collect();
        assert_eq!(roles, [Role::Focus, Role::Other, Role::Member]);
    }

    #[test]
    fn what_the_batch_does_not_say_stays_unsaid() {
        let silent = Flow {
            usd: None,
            transactions: None,
            first_ms: None,
            last_ms: None,
            assets: Vec::new(),
            ..flow("a", "b", 0.0)
        };
        let drawn = picture(&about(&["a"], vec![silent]));
        assert_eq!((drawn.flows[0].usd, drawn.flows[0].transactions), (None, None));
        assert_eq!(picture(&Around::default()).nodes.len(), 0);
    }
}
