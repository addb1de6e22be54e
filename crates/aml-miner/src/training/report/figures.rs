//! The plots, as SVG text without outside references. Text and axes take the page's colour, so that they are readable
//! on light and dark.

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::ranged1d::{IntoSegmentedCoord, SegmentValue};
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::series::LineSeries;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle};

const SIZE: (u32, u32) = (460, 320);
/// Replaced by the page's own colour.
const INK: RGBColor = RGBColor(0, 0, 0);
const GRID: RGBColor = RGBColor(128, 128, 128);
/// Colours that are told apart on light and on dark, and by the colour-blind.
const SERIES: [RGBColor; 3] = [RGBColor(31, 119, 200), RGBColor(214, 96, 20), RGBColor(120, 120, 120)];

/// A plot that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct DrawError(String);

/// A line of a plot.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) dots: bool,
}

/// What the axes say and cover.
pub(super) struct Axes {
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) x_range: (f64, f64),
    pub(super) y_range: (f64, f64),
}

/// Lines over common axes.
pub(super) fn lines(axes: &Axes, lines: Vec<Line>) -> Result<String, DrawError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let (x, y) = (widened(axes.x_range), widened(axes.y_range));
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(52)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)
            .map_err(failed)?;
        let text = ("sans-serif", 13).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_desc(axes.x)
            .y_desc(axes.y)
            .label_style(text.clone())
            .axis_desc_style(text.clone())
            .axis_style(INK)
            .bold_line_style(GRID.mix(0.25))
            .light_line_style(GRID.mix(0.0))
            .draw()
            .map_err(failed)?;
        for (index, line) in lines.into_iter().enumerate() {
            let colour = SERIES[index % SERIES.len()];
            if line.dots {
                let dots = line.points.iter().map(|&point| Circle::new(point, 3, colour.filled()));
                chart.draw_series(dots).map_err(failed)?;
            }
            chart
                .draw_series(LineSeries::new(line.points, colour.stroke_width(2)))
                .map_err(failed)?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .label_font(text)
            .border_style(GRID.mix(0.3))
            .draw()
            .map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(themed(&svg))
}

/// Two bars on top of each other.
pub(super) struct Stack {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// Stacked bars side by side.
pub(super) fn stacked(axes: &Axes, bars: &[Stack]) -> Result<String, DrawError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let (x, y) = (widened(axes.x_range), widened(axes.y_range));
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(52)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)
            .map_err(failed)?;
        let text = ("sans-serif", 13).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_desc(axes.x)
            .y_desc(axes.y)
            .label_style(text.clone())
            .axis_desc_style(text)
            .axis_style(INK)
            .bold_line_style(GRID.mix(0.25))
            .light_line_style(GRID.mix(0.0))
            .draw()
            .map_err(failed)?;
        let lower = bars.iter().map(|stack| bar((stack.from, 0.0), (stack.to, stack.lower), SERIES[1]));
        chart.draw_series(lower).map_err(failed)?;
        let top = |stack: &Stack| (stack.to, stack.lower + stack.upper);
        let upper = bars.iter().map(|stack| bar((stack.from, stack.lower), top(stack), SERIES[0]));
        chart.draw_series(upper).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(themed(&svg))
}

/// Named horizontal bars, the first one on top.
pub(super) fn ranked(x: &str, bars: &[(String, f64)]) -> Result<String, DrawError> {
    let count = i32::try_from(bars.len()).unwrap_or(i32::MAX).max(1);
    let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut svg = String::new();
    {
        let height = 60 + 18 * u32::try_from(bars.len()).unwrap_or(1);
        let root = SVGBackend::with_string(&mut svg, (SIZE.0 + 160, height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .x_label_area_size(36)
            .y_label_area_size(250)
            .build_cartesian_2d(0.0..widened((0.0, most)).1, (0..count).into_segmented())
            .map_err(failed)?;
        let name = |place: &SegmentValue<i32>| match place {
            SegmentValue::CenterOf(index) => {
                let from_top = usize::try_from(count - 1 - index).unwrap_or(usize::MAX);
                bars.get(from_top).map_or_else(String::new, |(name, _)| name.clone())
            }
            _ => String::new(),
        };
        let text = ("sans-serif", 12).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_desc(x)
            .y_labels(bars.len().max(1))
            .y_label_formatter(&name)
            .label_style(text.clone())
            .axis_desc_style(text)
            .axis_style(INK)
            .disable_y_mesh()
            .bold_line_style(GRID.mix(0.25))
            .light_line_style(GRID.mix(0.0))
            .draw()
            .map_err(failed)?;
        let drawn = bars.iter().zip((0..count).rev()).map(|((_, value), place)| {
            let corners = [(0.0, SegmentValue::Exact(place)), (*value, SegmentValue::Exact(place + 1))];
            let mut rectangle = Rectangle::new(corners, SERIES[0].mix(0.8).filled());
            rectangle.set_margin(2, 2, 0, 0);
            rectangle
        });
        chart.draw_series(drawn).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(themed(&svg))
}

fn bar(low: (f64, f64), high: (f64, f64), colour: RGBColor) -> Rectangle<(f64, f64)> {
    Rectangle::new([low, high], ShapeStyle::from(colour.mix(0.8)).filled())
}

/// A range that has a width.
fn widened(range: (f64, f64)) -> (f64, f64) {
    let (low, high) = range;
    if high > low { range } else { (low, low + 1.0) }
}

/// The page's colour for ink, and a picture that shrinks with the page.
fn themed(svg: &str) -> String {
    svg.replace("#000000", "currentColor").replacen("<svg ", "<svg role=\"img\" style=\"max-width:100%\" ", 1)
}

fn failed(error: impl std::fmt::Display) -> DrawError {
    DrawError(error.to_string())
}
