//! The money flow as a picture and as a table that says the same. Senders stand on the left, what it is about in the middle,
//! receivers on the right; a line is as thick as its money.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::DateTime;

use super::svg::{Svg, escape};
use super::text::{encoded, line, short};
use crate::api::dossier::facts::usd;
use crate::readers::flows::{Flow, Node, Picture, Rest, Role};

const WIDTH: f64 = 900.0;
/// Height of an address in its column.
const STEP: f64 = 40.0;
const TOP: f64 = 34.0;
/// Half the width of an address.
const HALF: f64 = 92.0;
const COLUMNS: [f64; 3] = [HALF + 6.0, WIDTH / 2.0, WIDTH - HALF - 6.0];
/// Characters of an asset's name.
const ASSET: usize = 12;

/// Picture and table of a flow.
pub(super) struct FlowView {
    pub(super) picture: Svg,
    pub(super) rows: Vec<FlowRow>,
    pub(super) rest: String,
}

/// One flow.
pub(super) struct FlowRow {
    pub(super) from: String,
    pub(super) from_short: String,
    pub(super) from_query: String,
    pub(super) to: String,
    pub(super) to_short: String,
    pub(super) to_query: String,
    pub(super) usd: String,
    pub(super) transactions: String,
    pub(super) time: String,
    pub(super) assets: String,
}

impl FlowView {
    pub(super) fn new(picture: &Picture) -> Self {
        Self { picture: drawn(picture), rows: picture.flows.iter().map(row).collect(), rest: rest(picture) }
    }
}

fn row(of: &Flow) -> FlowRow {
    FlowRow {
        from: line(&of.from, 160),
        from_short: name(&of.from),
        from_query: encoded(&of.from),
        to: line(&of.to, 160),
        to_short: name(&of.to),
        to_query: encoded(&of.to),
        usd: of.usd.map_or_else(|| "not said".to_owned(), usd),
        transactions: of.transactions.map(|count| format!("{count:.0}")).unwrap_or_default(),
        time: time(of),
        assets: assets(of),
    }
}

fn name(address: &str) -> String {
    line(&short(address), 16)
}

fn assets(of: &Flow) -> String {
    of.assets.iter().map(|asset| line(asset, ASSET)).collect::<Vec<_>>().join(", ")
}

/// From when to when.
fn time(of: &Flow) -> String {
    let day = |ms: i64| DateTime::from_timestamp_millis(ms).map(|time| time.format("%-d %b %Y, %H:%M").to_string());
    match (of.first_ms.and_then(day), of.last_ms.and_then(day)) {
        (Some(first), Some(last)) if first == last => first,
        (Some(first), Some(last)) => format!("{first} to {last}"),
        (first, last) => first.or(last).unwrap_or_default(),
    }
}

/// Who is not named.
fn rest(picture: &Picture) -> String {
    let Rest { addresses, received_usd, paid_usd } = picture.rest;
    let mut text = String::new();
    if picture.more_members > 0 {
        let _ = write!(text, "{} more members are not drawn. ", picture.more_members);
    }
    if picture.nodes.iter().any(|node| node.role == Role::Member) {
        text.push_str("◆ is of the same cluster. ");
    }
    if addresses > 0 {
        let (out, back) = (usd(received_usd), usd(paid_usd));
        let _ = write!(text, "And {addresses} more addresses: they were paid {out} and paid {back}.");
    }
    text.trim_end().to_owned()
}

/// Where an address stands: its column and the middle of its height.
type Places<'a> = BTreeMap<&'a str, (usize, f64)>;

fn drawn(picture: &Picture) -> Svg {
    let mut columns: [Vec<&Node>; 3] = Default::default();
    for node in &picture.nodes {
        let column = match node.role {
            Role::Focus => 1,
            _ if node.paid_usd > node.received_usd => 0,
            _ => 2,
        };
        columns[column].push(node);
    }
    let most = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let height = TOP + most as f64 * STEP + if picture.rest.addresses > 0 { 30.0 } else { 8.0 };
    let mut places: Places<'_> = BTreeMap::new();
    for (column, nodes) in columns.iter().enumerate() {
        let start = TOP + (most - nodes.len()) as f64 * STEP / 2.0;
        for (at, node) in nodes.iter().enumerate() {
            places.insert(&node.address, (column, start + (at as f64 + 0.5) * STEP));
        }
    }
    let label = format!(
        "Money flow: {} addresses, {} flows. The table below says the same.",
        picture.nodes.len(),
        picture.flows.len()
    );
    let mut out = format!(
        "<svg class=\"chart flow\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">",
        escape(&label)
    );
    for (x, title) in COLUMNS.into_iter().zip(["paid in", "", "was paid"]) {
        let _ = write!(out, "<text x=\"{x:.0}\" y=\"16\" text-anchor=\"middle\">{title}</text>");
    }
    let largest = picture.flows.iter().filter_map(|flow| flow.usd).fold(0.0, f64::max);
    picture.flows.iter().for_each(|flow| edge(&mut out, flow, &places, largest));
    for node in &picture.nodes {
        if let Some(&(column, y)) = places.get(node.address.as_str()) {
            draw_node(&mut out, node, (COLUMNS[column], y), &picture.flows);
        }
    }
    if picture.rest.addresses > 0 {
        let text = format!("and {} more addresses", picture.rest.addresses);
        let _ = write!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{text}</text>",
            WIDTH / 2.0,
            height - 8.0
        );
    }
    out.push_str("</svg>");
    Svg::drawn(out)
}

/// A line with an arrowhead at who was paid.
fn edge(out: &mut String, flow: &Flow, places: &Places<'_>, largest: f64) {
    let (Some(&from), Some(&to)) = (places.get(flow.from.as_str()), places.get(flow.to.as_str())) else { return };
    let share = if largest > 0.0 { (flow.usd.unwrap_or(0.0) / largest).clamp(0.0, 1.0) } else { 0.0 };
    let width = 1.0 + 5.0 * share.sqrt();
    let title = escape(&format!("{} to {}: {}", name(&flow.from), name(&flow.to), said(flow)));
    let (x1, x2, bend) = ends(from, to);
    let (y1, y2) = (from.1, to.1);
    // Where the line arrives from: within a column it comes back from the side.
    let back = match (from.0 == to.0, from.0) {
        (true, 0) => 1.0,
        (true, _) => -1.0,
        _ if x2 > x1 => -1.0,
        _ => 1.0,
    };
    let (tip, base) = (x2, x2 + back * 8.0);
    // What goes back the other way does not lie on top.
    let shift = if to.0 < from.0 { 6.0 } else { -6.0 };
    let (y1, y2) = (y1 + shift, y2 + shift);
    let y2 = if from.0 == to.0 { y2 + 8.0 } else { y2 };
    let path = format!("M{x1:.1} {y1:.1}C{bend:.1} {y1:.1} {bend:.1} {y2:.1} {base:.1} {y2:.1}");
    let _ = write!(
        out,
        "<g class=\"money\"><title>{title}</title><path class=\"way\" d=\"{path}\" stroke-width=\"{width:.1}\"/>\
         <path class=\"head\" d=\"M{tip:.1} {y2:.1}L{base:.1} {up:.1}V{down:.1}Z\"/></g>",
        up = y2 - 4.5,
        down = y2 + 4.5,
    );
}

/// Where a line begins and ends, and how far it bends.
fn ends(from: (usize, f64), to: (usize, f64)) -> (f64, f64, f64) {
    let (a, b) = (COLUMNS[from.0], COLUMNS[to.0]);
    if from.0 == to.0 {
        let side = if from.0 == 0 { 1.0 } else { -1.0 };
        return (a + side * HALF, b + side * HALF, a + side * (HALF + 46.0));
    }
    let side = if b > a { 1.0 } else { -1.0 };
    let (x1, x2) = (a + side * HALF, b - side * HALF);
    (x1, x2, (x1 + x2) / 2.0)
}

fn draw_node(out: &mut String, node: &Node, (x, y): (f64, f64), flows: &[Flow]) {
    let class = match node.role {
        Role::Focus => "focus",
        Role::Member => "member",
        Role::Other => "other",
    };
    let shown = match node.role {
        Role::Member => format!("{} ◆", name(&node.address)),
        _ => name(&node.address),
    };
    let second = if node.role == Role::Focus { String::new() } else { sums(node, flows) };
    let shift = if second.is_empty() { 4.0 } else { -2.0 };
    let _ = write!(
        out,
        "<g class=\"node {class}\"><title>{title}</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width}\" height=\"32\" rx=\"6\"/>\
         <text class=\"name\" x=\"{x:.1}\" y=\"{ty:.1}\" text-anchor=\"middle\">{shown}</text>",
        title = escape(&line(&node.address, 160)),
        left = x - HALF,
        top = y - 16.0,
        width = 2.0 * HALF,
        ty = y + shift,
        shown = escape(&shown),
    );
    if !second.is_empty() {
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{ty:.1}\" text-anchor=\"middle\">{second}</text>",
            ty = y + 11.0,
            second = escape(&second)
        );
    }
    out.push_str("</g>");
}

/// What passed between an address and the middle, in few words.
fn sums(node: &Node, flows: &[Flow]) -> String {
    let paid_in = node.paid_usd > node.received_usd;
    let ours = flows.iter().filter(|flow| if paid_in { flow.from == node.address } else { flow.to == node.address });
    let days: Vec<i64> = ours.flat_map(|flow| [flow.first_ms, flow.last_ms]).flatten().collect();
    let day = |ms: &i64| DateTime::from_timestamp_millis(*ms).map(|time| time.format("%-d %b").to_string());
    let (first, last) = (days.iter().min().and_then(day), days.iter().max().and_then(day));
    let amount = usd(node.paid_usd.max(node.received_usd));
    match (first, last) {
        (Some(first), Some(last)) if first == last => format!("{amount} · {first}"),
        (Some(first), Some(last)) => format!("{amount} · {first} to {last}"),
        _ => amount,
    }
}

fn said(flow: &Flow) -> String {
    let mut parts = vec![flow.usd.map_or_else(|| "amount not said".to_owned(), usd)];
    parts.extend(flow.transactions.map(|count| format!("{count:.0} transactions")));
    parts.extend(Some(time(flow)).filter(|time| !time.is_empty()));
    parts.extend(Some(assets(flow)).filter(|assets| !assets.is_empty()));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::FlowView;
    use crate::readers::flows::{Around, Flow, picture};

    fn flow(from: &str, to: &str, usd: f64) -> Flow {
        let (from, to) = (from.to_owned(), to.to_owned());
        Flow {
            from,
            to,
            usd: Some(usd),
            transactions: Some(2.0),
            first_ms: Some(0),
            last_ms: Some(i64::MAX),
            assets: vec!["<b>".to_owned()],
        }
    }

    #[test]
    fn a_hostile_graph_is_text_and_numbers() {
        let names = ["<script>", "\u{202e}evil", "a\"b", ""];
        let mut flows: Vec<Flow> = names.iter().map(|name| flow(name, "me", 1e300)).collect();
        flows.push(flow("me", "me", 1.0));
        flows.extend(names.iter().map(|name| flow("me", name, f64::MAX)));
        flows.push(flow(names[0], names[1], 3.0));
        let around = Around { focus: vec!["me".to_owned()], flows, ..Around::default() };
        let view = FlowView::new(&picture(&around));
        let drawn = view.picture.to_string();
        for never in ["<script", "\u{202e}", "a\"b", "NaN", "inf"] {
            assert!(!drawn.contains(never), "{never}: {drawn}");
        }
        assert_eq!((drawn.matches("<rect").count(), drawn.matches("class=\"way\"").count()), (5, 10));
        assert_eq!((view.rows.len(), view.rest.as_str()), (10, ""));
    }

    #[test]
    fn everybody_else_is_told_in_a_sentence() {
        let flows = (0..100).map(|at| flow("me", &format!("p{at:03}"), f64::from(at))).collect();
        let around = Around { focus: vec!["me".to_owned()], flows, ..Around::default() };
        let view = FlowView::new(&picture(&around));
        assert_eq!(view.rest, "And 61 more addresses: they were paid $1,830 and paid $0.00.");
        assert!(view.picture.to_string().contains("and 61 more addresses"));
    }
}
