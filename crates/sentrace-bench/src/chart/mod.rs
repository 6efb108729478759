//! Charts as SVG, readable on white and on black, made of nothing but text.

mod bars;
mod lines;

pub use self::bars::{Bar, Group, bars};
pub use self::lines::{Panel, lines};

/// Colours for both schemes. The viewer's scheme decides, also where the file stands in a page as an image.
const STYLE: &str = "<style>\
    text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
    .title{font-weight:600;font-size:14px}.note{fill:#59636e}\
    .ours{fill:#6a5acd}.peer{fill:#aab2bd}.span{stroke:#1f2328;stroke-width:2}.axis{stroke:#aab2bd}.grid{stroke:#aab2bd;opacity:.35}\
    .line0{stroke:#6a5acd}.line1{stroke:#c2600a}.mark0{fill:#6a5acd}.mark1{fill:#c2600a}\
    .line0,.line1{fill:none;stroke-width:2}\
    @media (prefers-color-scheme:dark){\
    text{fill:#e6edf3}.span{stroke:#e6edf3}.note{fill:#9198a1}.ours{fill:#a195f5}.peer{fill:#59636e}\
    .axis,.grid{stroke:#59636e}.line0{stroke:#a195f5}.line1{stroke:#f0954a}.mark0{fill:#a195f5}.mark1{fill:#f0954a}}\
    </style>";

/// The file around what was drawn.
fn document(width: f64, height: f64, title: &str, drawn: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">{STYLE}\n{drawn}</svg>\n"
    )
}

fn text(x: f64, y: f64, class: &str, anchor: &str, content: &str) -> String {
    let content = escaped(content);
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\">{content}</text>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A figure as people write it: `1,234`, or with a digit after the point where it is small.
pub fn figure(value: f64) -> String {
    if value != 0.0 && value.abs() < 10.0 && (value - value.round()).abs() > 0.05 {
        return format!("{value:.1}");
    }
    let rounded = value.round();
    let digits = format!("{:.0}", rounded.abs());
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rounded < 0.0 { format!("-{grouped}") } else { grouped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_by_thousands() {
        for (value, expected) in [
            (0.0, "0"),
            (3.1, "3.1"),
            (3.0, "3"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1_500.0, "-1,500"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }

    #[test]
    fn what_is_written_into_a_chart_cannot_end_it() {
        assert!(document(1.0, 1.0, "a \"<b>\" & c", "").contains("a &quot;&lt;b&gt;&quot; &amp; c"));
    }
}
