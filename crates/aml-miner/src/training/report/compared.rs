//! Which of two models is better: the first thing on a page that compares.

use super::markup::{escaped, put};
use crate::training::bootstrap::Interval;
use crate::training::compare::{Comparison, Verdict};

/// Verdicts, then every figure of both.
pub(super) fn section(page: &mut String, comparisons: &[Comparison]) {
    if comparisons.is_empty() {
        return;
    }
    page.push_str("<section><h2>Which is better</h2>");
    for one in comparisons {
        let class = if one.verdict == Verdict::Open { "open" } else { "verdict" };
        put(page, format_args!("<p class=\"{class}\">{}</p>", escaped(&one.sentence())));
    }
    comparisons.iter().for_each(|one| table(page, one));
    page.push_str("</section>");
}

fn table(page: &mut String, one: &Comparison) {
    let [first, second] = &one.names;
    let period = one.period.as_ref().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
    put(page, format_args!("<h3>{}: {} rows{period}, {} illicit</h3>", one.model, one.rows, one.positives));
    put(page, format_args!("<p>A: {}<br>B: {}</p>", escaped(first), escaped(second)));
    page.push_str("<table><tr><th>metric<th>A<th>B<th>A less B<th>95 % interval</tr>");
    for (name, found) in &one.metrics {
        let within =
            found.interval.map_or_else(String::new, |Interval { low, high }| format!("{low:+.4} to {high:+.4}"));
        let (first, second, difference) = (found.first, found.second, found.difference);
        let name = escaped(name);
        put(page, format_args!("<tr><td>{name}<td>{first:.4}<td>{second:.4}<td>{difference:+.4}<td>{within}</tr>"));
    }
    page.push_str("</table>");
}
