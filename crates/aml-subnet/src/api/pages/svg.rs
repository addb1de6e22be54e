//! Charts as inline SVG. Only numbers and escaped texts go in; colours come from the page's style sheet.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

/// A drawing, ready for a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Svg(String);

impl fmt::Display for Svg {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl HtmlSafe for Svg {}

impl Svg {
    /// A drawing of a neighbour, who escaped every text in it.
    pub(super) const fn drawn(text: String) -> Self {
        Self(text)
    }
}

/// A line of scores over days; days without a score are gaps.
pub(super) fn sparkline(days: &[Option<f64>], label: &str) -> Svg {
    const WIDTH: f64 = 120.0;
    const HEIGHT: f64 = 28.0;
    let step = WIDTH / days.len().max(2).saturating_sub(1) as f64;
    let at = |place: usize, score: f64| (place as f64 * step, 2.0 + (1.0 - score.clamp(0.0, 1.0)) * (HEIGHT - 4.0));
    let mut path = String::new();
    let mut lone = String::new();
    for (place, score) in days.iter().enumerate() {
        let Some(score) = score else { continue };
        let (x, y) = at(place, *score);
        let before = place.checked_sub(1).and_then(|before| days[before]);
        let after = days.get(place + 1).copied().flatten();
        let verb = if before.is_some() { 'L' } else { 'M' };
        let _ = write!(path, "{verb}{x:.1} {y:.1}");
        if before.is_none() && after.is_none() {
            let _ = write!(lone, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.6\"/>");
        }
    }
    let last = days.iter().enumerate().rev().find_map(|(place, score)| score.map(|score| at(place, score)));
    let dot =
        last.map(|(x, y)| format!("<circle class=\"now\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\"/>")).unwrap_or_default();
    let middle = HEIGHT / 2.0;
    Svg(format!(
        "<svg class=\"spark\" viewBox=\"-3 0 {w} {HEIGHT}\" width=\"{w}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{label}\">\
         <path class=\"grid\" d=\"M0 {middle}H{WIDTH}\"/><path class=\"line\" d=\"{path}\"/>{lone}{dot}</svg>",
        w = WIDTH + 6.0,
        label = escape(label),
    ))
}

/// A short bar for a share from 0 to 1, beside the number that it stands for.
pub(super) fn bar(share: Option<f64>, class: &str) -> Svg {
    let width = share.unwrap_or(0.0).clamp(0.0, 1.0) * 56.0;
    Svg(format!(
        "<svg class=\"bar {class}\" viewBox=\"0 0 56 4\" width=\"56\" height=\"4\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"56\" height=\"4\" rx=\"2\"/><rect class=\"fill\" width=\"{width:.1}\" height=\"4\" rx=\"2\"/></svg>",
        class = escape(class),
    ))
}

/// What one round adds up to, by tier.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    pub(super) label: String,
    pub(super) parts: [f64; 3],
    pub(super) settled: bool,
}

/// Rounds side by side, oldest first, each a stack of what its tiers add.
pub(super) fn stacks(rounds: &[Stack]) -> Svg {
    const HEIGHT: f64 = 150.0;
    const LEFT: f64 = 30.0;
    let slot = (820.0 / rounds.len().max(1) as f64).min(46.0);
    let bar = (slot * 0.62).max(2.0);
    let width = LEFT + 830.0;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} 190\" role=\"img\" aria-label=\"Score by round, as a stack of three tiers\">"
    );
    for line in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = 10.0 + (1.0 - line) * HEIGHT;
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{width}\"/><text x=\"{x:.1}\" y=\"{ty:.1}\" text-anchor=\"end\">{line}</text>",
            x = LEFT - 6.0,
            ty = y + 3.5,
        );
    }
    let every = rounds.len().div_ceil(10).max(1);
    for (place, round) in rounds.iter().enumerate() {
        let x = LEFT + 6.0 + place as f64 * slot;
        let mut top = 10.0 + HEIGHT;
        let open = if round.settled { "" } else { " open" };
        let _ = write!(out, "<g class=\"stack{open}\"><title>{}</title>", escape(&round.label));
        for (tier, part) in (1..).zip(round.parts) {
            let height = part.clamp(0.0, 1.0) * HEIGHT;
            top -= height;
            let _ = write!(
                out,
                "<rect class=\"t{tier}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{bar:.1}\" height=\"{height:.1}\"/>"
            );
        }
        out.push_str("</g>");
        if place % every == 0 {
            let day = round.label.split(':').next().unwrap_or_default();
            let _ =
                write!(out, "<text x=\"{:.1}\" y=\"178\" text-anchor=\"middle\">{}</text>", x + bar / 2.0, escape(day));
        }
    }
    out.push_str("</svg>");
    Svg(out)
}

/// How many alerts fall into each bin from 0 to 1.
pub(super) fn histogram(bins: &[u64]) -> Svg {
    const HEIGHT: f64 = 110.0;
    const WIDTH: f64 = 852.0;
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let slot = WIDTH / bins.len().max(1) as f64;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {w} 154\" role=\"img\" aria-label=\"Number of alerts by canonical score\">",
        w = WIDTH + 8.0
    );
    for (place, &count) in bins.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "counts of alerts are far below 2^53")]
        let share = count as f64 / most as f64;
        // A bin that is not empty is seen to be not empty.
        let height = if count > 0 { (share * HEIGHT).max(1.5) } else { 0.0 };
        let (low, high) = (place as f64 / bins.len() as f64, (place + 1) as f64 / bins.len() as f64);
        let _ = write!(
            out,
            "<g><title>{low:.2} to {high:.2}: {count} alerts</title><rect class=\"hist\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{height:.1}\" rx=\"1.5\"/></g>",
            x = 4.0 + place as f64 * slot + 1.0,
            y = 18.0 + HEIGHT - height,
            w = slot - 2.0,
        );
        if count == most {
            let _ = write!(
                out,
                "<text x=\"{x:.1}\" y=\"12\" text-anchor=\"{anchor}\">{count}</text>",
                x = 4.0 + (place as f64 + 0.5) * slot,
                anchor = if place == 0 {
                    "start"
                } else if place + 1 == bins.len() {
                    "end"
                } else {
                    "middle"
                },
            );
        }
    }
    let base = 18.0 + HEIGHT;
    let _ = write!(out, "<path class=\"axis\" d=\"M4 {base}H{}\"/>", WIDTH + 4.0);
    for (mark, anchor) in [(0.0, "start"), (0.25, "middle"), (0.5, "middle"), (0.75, "middle"), (1.0, "end")] {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{mark}</text>",
            4.0 + mark * WIDTH,
            base + 18.0
        );
    }
    out.push_str("</svg>");
    Svg(out)
}

/// A text as it may stand in a drawing.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_gaps_stay_gaps() {
        let drawn = sparkline(&[Some(0.0), Some(1.0), None, Some(0.5)], "a<b>\"c\"").to_string();
        assert!(drawn.contains("aria-label=\"a&lt;b&gt;&quot;c&quot;\""), "{drawn}");
        assert_eq!(drawn.matches('M').count(), 3, "two strokes and the grid: {drawn}");
        let drawn = stacks(&[Stack { label: "<i>".to_owned(), parts: [0.2, 0.3, 0.5], settled: true }]).to_string();
        assert!(drawn.contains("<title>&lt;i&gt;</title>"), "{drawn}");
    }

    #[test]
    fn a_bar_is_as_long_as_the_largest_share_allows() {
        assert!(bar(Some(7.0), "").to_string().contains("width=\"56.0\""));
        assert!(bar(None, "").to_string().contains("width=\"0.0\""));
        assert_eq!(histogram(&[0, 3, 6]).to_string().matches("height=\"0.0\"").count(), 1);
    }
}
