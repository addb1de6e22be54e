//! Plots for readers as inline SVG: what was told against what came.

use std::fmt::Write as _;

use super::svg::Svg;
use crate::readers::reliability::{Bin, Reliability};

/// Side of the plot's square.
const SIDE: f64 = 240.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 10.0;

/// Share that came over share that was told, a point a bin with its interval of 90 %.
pub(super) fn reliability(held: &Reliability, label: &str) -> Svg {
    let most = held.bins.iter().map(|bin| bin.told.max(bin.high)).fold(0.0, f64::max);
    // Where all is small, the plot is of what there is.
    let end = [0.1, 0.2, 0.5].into_iter().find(|end| most <= *end).unwrap_or(1.0);
    let x = |value: f64| LEFT + (value / end).clamp(0.0, 1.0) * SIDE;
    let y = |value: f64| TOP + (1.0 - (value / end).clamp(0.0, 1.0)) * SIDE;
    let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
    let mut out = format!(
        "<svg class=\"chart square\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{label}\">",
        w = right + 28.0,
        h = bottom + 44.0,
        label = super::svg::escape(label),
    );
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let value = part * end;
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {line:.1}H{right}\"/><text x=\"{tx}\" y=\"{ty:.1}\" text-anchor=\"end\">{text}</text>\
             <text x=\"{bx:.1}\" y=\"{by:.1}\" text-anchor=\"middle\">{text}</text>",
            line = y(value),
            tx = LEFT - 6.0,
            ty = y(value) + 3.5,
            bx = x(value),
            by = bottom + 16.0,
            text = percent(value),
        );
    }
    let _ = write!(out, "<path class=\"axis\" d=\"M{LEFT} {bottom}L{right} {TOP}\"/>");
    held.bins.iter().for_each(|bin| point(&mut out, bin, (&x, &y)));
    let _ = write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">told</text><text x=\"{}\" y=\"{}\">came</text></svg>",
        LEFT + SIDE / 2.0,
        bottom + 36.0,
        LEFT + 6.0,
        TOP + 12.0
    );
    Svg::drawn(out)
}

fn point(out: &mut String, bin: &Bin, (x, y): (&impl Fn(f64) -> f64, &impl Fn(f64) -> f64)) {
    let Bin { outcomes, illicit, told, came, low, high } = *bin;
    let _ = write!(
        out,
        "<g><title>told {t}, came {c}: {illicit} of {outcomes}</title><path class=\"whisker\" d=\"M{at:.1} {from:.1}V{to:.1}\"/>\
         <circle class=\"point\" cx=\"{at:.1}\" cy=\"{cy:.1}\" r=\"4\"/></g>",
        t = percent(told),
        c = percent(came),
        at = x(told),
        from = y(low),
        to = y(high),
        cy = y(came),
    );
}

fn percent(value: f64) -> String {
    let text = format!("{:.1}", value * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::reliability;
    use crate::readers::reliability;

    #[test]
    fn every_bin_is_drawn_within_the_plot() {
        let pairs: Vec<(f64, bool)> = (0..200).map(|at| (f64::from(at) / 200.0, at % 3 == 0)).collect();
        let held = reliability::reliability(&pairs).expect("enough");
        let drawn = reliability(&held, "a<b").to_string();
        assert_eq!((drawn.matches("<circle").count(), drawn.matches("NaN").count()), (10, 0));
        assert!(drawn.contains("aria-label=\"a&lt;b\""));
    }
}
