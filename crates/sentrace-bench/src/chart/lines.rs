//! Panels of curves, two beside each other.

use super::{document, figure, text};

/// Curves over the same axes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What the panel shows.
    pub title: String,
    /// What runs to the right.
    pub across: String,
    /// Whether each step to the right multiplies instead of adding.
    pub logarithmic: bool,
    /// Names and points; two curves at most.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 310.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 34.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 64.0;
const STEPS: u32 = 4;

/// All panels.
pub fn lines(title: &str, panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(2);
    let drawn: String = panels
        .iter()
        .enumerate()
        .map(|(at, panel)| {
            let (x, y) = ((at % 2) as f64 * WIDTH, (at / 2) as f64 * HEIGHT);
            format!("<g transform=\"translate({x:.0} {y:.0})\">\n{}</g>\n", draw(panel))
        })
        .collect();
    document(2.0 * WIDTH, rows as f64 * HEIGHT, title, &drawn)
}

fn draw(panel: &Panel) -> String {
    let points = || panel.curves.iter().flat_map(|(_, points)| points);
    let scaled = |x: f64| if panel.logarithmic { x.max(1.0).ln() } else { x };
    let (first, last) = points()
        .map(|(x, _)| scaled(*x))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let top = rounded_up(points().map(|(_, y)| *y).fold(0.0, f64::max));
    let at_x =
        |x: f64| LEFT + (scaled(x) - first) / (last - first).max(f64::MIN_POSITIVE) * (WIDTH - LEFT - RIGHT);
    let at_y = |y: f64| HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM);

    let mut drawn = text(0.0, 16.0, "title", "start", &panel.title);
    for step in 0..=STEPS {
        let value = top * f64::from(step) / f64::from(STEPS);
        let class = if step == 0 { "axis" } else { "grid" };
        drawn += &format!(
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"{class}\"/>\n",
            WIDTH - RIGHT,
            y = at_y(value)
        );
        drawn += &text(LEFT - 6.0, at_y(value) + 4.0, "note", "end", &figure(value));
    }
    for (number, (name, points)) in panel.curves.iter().enumerate() {
        let class = number % 2;
        let path: Vec<String> =
            points.iter().map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(*y))).collect();
        drawn += &format!("<polyline points=\"{}\" class=\"line{class}\"/>\n", path.join(" "));
        for (x, y) in points.iter().filter(|_| points.len() < 12) {
            drawn += &format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" class=\"mark{class}\"/>\n",
                at_x(*x),
                at_y(*y)
            );
        }
        let x = number as f64 * 190.0;
        drawn += &format!("<circle cx=\"{:.1}\" cy=\"31\" r=\"4\" class=\"mark{class}\"/>\n", x + 4.0);
        drawn += &text(x + 14.0, 35.0, "", "start", name);
    }
    let longest = panel.curves.iter().map(|(_, points)| points).max_by_key(|points| points.len());
    let mut free_from = f64::NEG_INFINITY;
    for (x, _) in longest.into_iter().flatten() {
        if at_x(*x) >= free_from {
            drawn += &text(at_x(*x), HEIGHT - BOTTOM + 16.0, "note", "middle", &figure(*x));
            free_from = at_x(*x) + 62.0;
        }
    }
    drawn += &text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 30.0, "note", "middle", &panel.across);
    drawn
}

/// The next figure that divides well into steps.
fn rounded_up(value: f64) -> f64 {
    let magnitude = 10_f64.powf(value.max(1.0).log10().floor());
    [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0]
        .map(|factor| factor * magnitude)
        .into_iter()
        .find(|top| *top >= value)
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_figure_that_divides_well() {
        for (value, expected) in [(0.0, 1.0), (11.7, 12.0), (1_450.0, 1_600.0), (96_000.0, 100_000.0)] {
            assert!((rounded_up(value) - expected).abs() < 1e-6, "{value}");
        }
    }
}
