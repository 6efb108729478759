//! The charts, as SVG that is readable on white and on black.

use std::fmt::Write as _;

use sentrace_bench::growth::Curve;
use sentrace_bench::request::Baggage;
use sentrace_bench::table::figure;

use crate::promises::PROMISES;
use crate::results::Results;

/// The viewer's scheme decides about the colours, also where the file stands in a page as an image.
const STYLE: &str = "<style>\
    text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:14px}.note{fill:#59636e}\
    .own{fill:#6a5acd}.other{fill:#aab2bd}.span{stroke:#1f2328;stroke-width:2}.grid{stroke:#aab2bd;opacity:.5}\
    .line{fill:none;stroke-width:2}.c0{stroke:#6a5acd}.c1{stroke:#c2600a}.f0{fill:#6a5acd}.f1{fill:#c2600a}\
    @media (prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.own{fill:#a195f5}.other{fill:#59636e}\
    .span{stroke:#e6edf3}.grid{stroke:#59636e}.c0{stroke:#a195f5}.c1{stroke:#f0954a}.f0{fill:#a195f5}.f1{fill:#f0954a}}\
    </style>";
const OVER: &str = "Nanoseconds of one request over the same server behind a layer that does nothing; lines are 95 % intervals.";

/// A bar: the variant, a label, and whether it is one of ours.
type Bar<'a> = (&'a str, &'a str, bool);

/// Returns the charts with the names of their files.
pub fn all(results: &Results) -> Vec<(&'static str, String)> {
    let jobs = PROMISES.jobs.iter().map(|job| {
        let ours = job.ours.iter().map(|(name, label, _)| (&**name, &**label, true));
        let peers = job.peers.iter().map(|(name, label)| (&**name, &**label, false));
        (&*job.title, ours.chain(peers).collect())
    });
    let steps = PROMISES.least.iter().map(|(name, ..)| (&**name, &**name, false));
    let ours = PROMISES.least.iter().flat_map(|(.., ours)| ours).map(|name| (&**name, &**name, true));
    let least = (
        "At the least, each step with all before it, and ours with all that it is for",
        steps.chain(ours).collect(),
    );
    let mut charts = vec![
        ("performance.svg", bars("What tracing costs", jobs, results)),
        ("performance-least.svg", bars("What the least would cost", [least], results)),
    ];
    if let Some(growth) = &results.growth {
        let panels = [
            ("Spans: microseconds of a request", "child spans", &growth.spans, 1e-3, true),
            ("Headers: nanoseconds of a request", "fields of 16 bytes", &growth.headers, 1.0, false),
            ("Baggage: nanoseconds of a request", "bytes", &growth.baggage, 1.0, false),
            (
                "Thousand requests a second, two processors",
                "at the same time",
                &growth.concurrency,
                1e-3,
                true,
            ),
            ("Memory: MiB of the process", "transactions", &growth.memory, 1.0, false),
        ];
        let mut drawn = String::new();
        for (at, (title, across, curves, unit, logarithmic)) in panels.into_iter().enumerate() {
            let (x, y) = (at % 2 * 440, at / 2 * 300);
            let panel = panel(title, across, curves, unit, logarithmic);
            let _ = writeln!(drawn, "<g transform=\"translate({x} {y})\">\n{panel}</g>");
        }
        charts.push((
            "performance-growth.svg",
            document(880.0, 900.0, "How the cost of sentrace grows", &drawn),
        ));
    }
    charts
}

/// Groups of horizontal bars below each other, each with a scale of its own.
fn bars<'a>(
    title: &str,
    groups: impl IntoIterator<Item = (&'a str, Vec<Bar<'a>>)>,
    results: &Results,
) -> String {
    const LEFT: f64 = 350.0;
    let mut drawn = text(0.0, 16.0, "title", "start", title) + &text(0.0, 34.0, "note", "start", OVER);
    let mut y = 62.0;
    for (title, bars) in groups {
        drawn += &text(0.0, y, "title", "start", title);
        let own = |name: &str| results.own_time(Baggage::Mixed, name);
        let bars: Vec<_> =
            bars.into_iter().filter_map(|(name, label, ours)| Some((own(name)?, label, ours))).collect();
        let longest = bars.iter().map(|(own, ..)| own.high).fold(1.0, f64::max);
        for (own, label, ours) in bars {
            y += 20.0;
            let [length, low, high] =
                [own.middle, own.low, own.high].map(|value| value.max(0.0) / longest * 400.0);
            let class = if ours { "own" } else { "other" };
            drawn += &text(LEFT - 8.0, y + 2.0, "", "end", &label.replace('`', ""));
            let _ = writeln!(
                drawn,
                "<rect x=\"{LEFT}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"14\" class=\"{class}\"/>",
                y - 9.0
            );
            // An interval that is no wider than its line is thick says nothing.
            if high - low > 2.0 {
                drawn += &line(LEFT + low, y - 2.0, LEFT + high, y - 2.0, "span");
            }
            drawn += &text(
                LEFT + length.max(high) + 6.0,
                y + 2.0,
                "",
                "start",
                &format!("{} ns", figure(own.middle.max(0.0))),
            );
        }
        y += 48.0;
    }
    document(840.0, y - 30.0, title, &drawn)
}

/// Curves over the same axes, `logarithmic` to the right.
fn panel(title: &str, across: &str, curves: &[Curve], unit: f64, logarithmic: bool) -> String {
    let [left, right, top_edge, bottom]: [f64; 4] = [66.0, 406.0, 64.0, 246.0];
    let scaled = |x: f64| if logarithmic { x.max(1.0).ln() } else { x };
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let extreme = |of: fn(f64, f64) -> f64, from| points().map(|(x, _)| scaled(*x)).fold(from, of);
    let (first, last) = (extreme(f64::min, f64::INFINITY), extreme(f64::max, f64::NEG_INFINITY));
    let top = rounded_up(points().map(|(_, y)| y * unit).fold(0.0, f64::max));
    let at_x = |x: f64| left + (scaled(x) - first) / (last - first).max(f64::MIN_POSITIVE) * (right - left);
    let at_y = |y: f64| bottom - y / top * (bottom - top_edge);
    let mut drawn = text(0.0, 16.0, "title", "start", title) + &text(236.0, 280.0, "note", "middle", across);
    for value in [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| share * top) {
        drawn += &line(left, at_y(value), right, at_y(value), "grid");
        drawn += &text(left - 6.0, at_y(value) + 4.0, "note", "end", &figure(value));
    }
    let mut free_from = f64::NEG_INFINITY;
    for (x, _) in curves
        .iter()
        .flat_map(|curve| &curve.points)
        .take(curves.first().map_or(0, |curve| curve.points.len()))
    {
        if at_x(*x) >= free_from {
            drawn += &text(at_x(*x), bottom + 16.0, "note", "middle", &figure(*x));
            free_from = at_x(*x) + 62.0;
        }
    }
    for (color, curve) in curves.iter().enumerate() {
        let path: Vec<_> =
            curve.points.iter().map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(y * unit))).collect();
        let _ = writeln!(drawn, "<polyline points=\"{}\" class=\"line c{color}\"/>", path.join(" "));
        let key = 4.0 + color as f64 * 190.0;
        let _ = writeln!(drawn, "<circle cx=\"{key:.0}\" cy=\"31\" r=\"4\" class=\"f{color}\"/>");
        drawn += &text(key + 10.0, 35.0, "", "start", &curve.name);
    }
    drawn
}

/// The next figure that divides well into four steps.
fn rounded_up(value: f64) -> f64 {
    let magnitude = 10_f64.powf(value.max(1.0).log10().floor());
    let tops = [1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0].map(|factor| factor * magnitude);
    tops.into_iter().find(|top| *top >= value).unwrap_or(value)
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, class: &str) -> String {
    format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>\n")
}

fn text(x: f64, y: f64, class: &str, anchor: &str, content: &str) -> String {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\">{content}</text>\n")
}

fn document(width: f64, height: f64, title: &str, drawn: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">{STYLE}\n{drawn}</svg>\n"
    )
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

    #[test]
    fn what_is_written_into_a_chart_cannot_end_it() {
        assert!(text(0.0, 0.0, "", "", "<b> & c").contains("&lt;b> &amp; c"));
    }
}
