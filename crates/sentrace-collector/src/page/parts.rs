//! Components that several pages share.

use maud::{Markup, html};
use sentrace_protocol::SpanId;
use serde_json::{Map, Value};

use crate::facts::Tone;
use crate::model::{Outcome, Problem, Service, Severity};

/// Returns the class for the colour of a service.
pub(super) fn color(color: usize) -> String {
    format!("s{color}")
}

/// Renders a status as a badge, with a word and a sign in addition to the colour.
pub(super) fn status(status: Option<&str>) -> Markup {
    let shown = status.unwrap_or("no status");
    match Outcome::of(status) {
        Outcome::Fine => html! { span.badge.fine { (shown) } },
        Outcome::Cancelled => html! { span.badge.warn { "⊘ " (shown) } },
        Outcome::Failed => html! { span.badge.bad { "✕ " (shown) } },
    }
}

/// Renders a service as a coloured dot with its name.
pub(super) fn service(color: usize, service: &Service) -> Markup {
    html! { span class={ "service " (self::color(color)) } { (service.name) } }
}

/// Renders a figure with its caption.
pub(super) fn figure(caption: &str, value: &str, tone: Tone) -> Markup {
    let class = match tone {
        Tone::Plain => "figure",
        Tone::Warn => "figure warned",
        Tone::Bad => "figure bad",
    };
    html! {
        div class=(class) {
            span.value { (value) }
            span.caption { (caption) }
        }
    }
}

/// Renders a list of names and values. Renders nothing if there are none.
pub(super) fn table(title: &str, rows: &[(String, String)]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section.block {
                h3 { (title) }
                dl {
                    @for (name, value) in rows {
                        div { dt { (name) } dd { (value) } }
                    }
                }
            }
        }
    }
}

/// Returns the members of a JSON object as rows.
pub(super) fn rows(object: &Map<String, Value>) -> Vec<(String, String)> {
    object.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// Formats a JSON value, with strings unquoted.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Renders problems as a list.
pub(super) fn problems(problems: &[Problem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            section.block.wide {
                h3 { "Problems" }
                ul.problems { @for problem in problems { li { (self::problem(problem)) } } }
            }
        }
    }
}

/// Renders a problem.
pub(super) fn problem(problem: &Problem) -> Markup {
    let (class, word) = match problem.severity {
        Severity::Warning => ("badge warn", "warning"),
        Severity::Error => ("badge bad", "error"),
    };
    html! {
        span class=(class) { (word) } " " code { (problem.path) } " " (problem.message)
    }
}

/// Returns the URL fragment of a span on the page of its trace.
pub(super) fn anchor(id: SpanId) -> String {
    format!("span-{id}")
}

/// Formats a share in percent, for the geometry of an SVG. CSS would need inline styles, which the
/// content security policy forbids.
pub(super) fn percent(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 };
    format!("{:.3}%", share * 100.0)
}
