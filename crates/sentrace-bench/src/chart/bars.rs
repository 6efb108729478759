//! Groups of horizontal bars.

use super::{document, figure, text};

/// Bars that share a scale.
#[derive(Debug, Clone)]
pub struct Group {
    /// What they are about.
    pub title: String,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Who it is.
    pub label: String,
    /// How long it is.
    pub value: f64,
    /// Between what the true value lies, drawn as a line over its end.
    pub span: (f64, f64),
    /// Whether it is one of ours.
    pub ours: bool,
}

const WIDTH: f64 = 840.0;
const LABELS: f64 = 350.0;
const VALUES: f64 = 90.0;
const ROW: f64 = 20.0;

/// All groups below each other, each with a scale of its own.
pub fn bars(title: &str, note: &str, groups: &[Group], unit: &str) -> String {
    let mut drawn = text(0.0, 16.0, "title", "start", title);
    drawn += &text(0.0, 34.0, "note", "start", note);
    let mut y = 62.0;
    for group in groups {
        drawn += &text(0.0, y, "title", "start", &group.title);
        y += 8.0;
        let longest = group.bars.iter().map(|bar| bar.value.max(bar.span.1)).fold(1.0, f64::max);
        let scaled = |value: f64| value / longest * (WIDTH - LABELS - VALUES);
        for bar in &group.bars {
            let length = scaled(bar.value).max(1.0);
            let (low, high) = (scaled(bar.span.0.max(0.0)), scaled(bar.span.1.max(0.0)));
            let class = if bar.ours { "ours" } else { "peer" };
            drawn += &text(LABELS - 8.0, y + 14.0, "", "end", &bar.label);
            drawn += &format!(
                "<rect x=\"{LABELS}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"14\" rx=\"2\" class=\"{class}\"/>\n",
                y + 3.0
            );
            // One that is no wider than it is thick says nothing.
            if high - low > 2.0 {
                drawn += &format!(
                    "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"span\"/>\n",
                    LABELS + low,
                    LABELS + high,
                    y = y + 10.0
                );
            }
            let value = format!("{} {unit}", figure(bar.value));
            drawn += &text(LABELS + length.max(high) + 6.0, y + 14.0, "", "start", &value);
            y += ROW;
        }
        y += 28.0;
    }
    document(WIDTH, y - 20.0, title, &drawn)
}
