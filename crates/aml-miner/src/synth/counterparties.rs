//! Measurements of an account's dealings with each of its counterparties.

use super::stats::entropy;
use super::window::{Edge, Window};

pub(super) fn topology(window: &Window, account: usize) -> [f64; 6] {
    let (senders, recipients) = (window.sources(account).len(), window.targets(account).len());
    let both = shared(window, account).count();
    let unique = senders + recipients - both;
    [senders, recipients, senders + recipients, unique, recipients, senders].map(|count| count as f64)
}

/// Edges out of `account` whose receiver also sends to it.
fn shared(window: &Window, account: usize) -> impl Iterator<Item = &Edge> {
    let mut sources = window.sources(account).map(|edge| edge.from).peekable();
    window.targets(account).filter(move |edge| {
        while sources.next_if(|&source| source < edge.to).is_some() {}
        sources.peek() == Some(&edge.to)
    })
}

pub(super) fn flows(window: &Window, account: usize) -> [f64; 7] {
    let by_counterparty: Vec<f64> =
        window.sources(account).chain(window.targets(account)).map(|edge| edge.usd).collect();
    let total: f64 = by_counterparty.iter().sum();
    let recipients = window.targets(account).len();
    let mutual: f64 = shared(window, account).map(|edge| edge.usd).sum();
    let outward: f64 = window.targets(account).map(|edge| edge.usd).sum();
    let squares = by_counterparty.iter().map(|usd| (usd / total).powi(2)).sum::<f64>();
    let top = by_counterparty.iter().copied().fold(0.0, f64::max) / total;
    let repeated = window.targets(account).filter(|edge| edge.count > 1).count();
    let reciprocity = if outward > 0.0 { mutual / outward } else { f64::NAN };
    let mixed = entropy(&[mutual, outward - mutual]);
    let stable = if recipients > 0 { repeated as f64 / recipients as f64 } else { f64::NAN };
    let largest_out = window.targets(account).map(|edge| edge.usd).fold(0.0, f64::max);
    let concentration = if outward > 0.0 { largest_out / outward } else { f64::NAN };
    [reciprocity, entropy(&by_counterparty), squares, top, concentration, mixed, stable]
}
