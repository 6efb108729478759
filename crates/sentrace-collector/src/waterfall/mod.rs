//! Renders a trace as text: a tree with bars, for terminals and logs.

mod layout;
mod text;

use std::fmt::Write as _;

use self::layout::Layout;
use self::text::{Ink, Line, clean, fit};
use crate::clock;
use crate::facts::{self, Tone};
use crate::guides::Guides;
use crate::model::{Node, Outcome, Severity, Trace, TraceSummary};

/// The maximum number of problems that are listed.
const MAX_PROBLEMS: usize = 10;

/// Rendering options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The maximum width of lines in columns, at least 40.
    pub width: usize,
    /// Whether to use ANSI colours. The caller decides, for example by whether it prints to a
    /// terminal and by `NO_COLOR`.
    pub color: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 110, color: false }
    }
}

impl Options {
    /// Sets the width.
    #[must_use]
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Sets whether to use colours.
    #[must_use]
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }
}

/// Renders a trace. The text ends with a line break.
///
/// Every span takes one line: its name and op as a tree, the service, the status, a bar on the time
/// axis of the trace, and its duration. [Marks](crate::model::Mark) follow the name. Control
/// characters in names are replaced, so a name cannot send escape sequences to the terminal.
///
/// ```
/// # use sentrace_collector::{Collector, waterfall};
/// # let collector = Collector::start_in_background("127.0.0.1:0")?;
/// for summary in collector.traces() {
///     if let Some(trace) = collector.trace(summary.id) {
///         print!("{}", waterfall::render(&trace, waterfall::Options::default().color(true)));
///     }
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn render(trace: &Trace, options: Options) -> String {
    let layout = Layout::of(trace, options);
    let mut out = String::new();
    head(&mut out, &trace.summary, &layout);
    out.push('\n');
    axis(&mut out, trace, &layout);
    let mut guides = Guides::new(&trace.tree);
    for node in &trace.tree {
        let lines = guides.next(node);
        row(&mut out, trace, node, lines, &layout);
    }
    problems(&mut out, trace, &layout);
    out
}

fn head(out: &mut String, summary: &TraceSummary, layout: &Layout) {
    let mut line = layout.line();
    line.add(&clean(&summary.name), Ink::BOLD);
    for fact in facts::of(summary) {
        let ink = match fact.tone {
            Tone::Plain => Ink::PLAIN,
            Tone::Warn => Ink::YELLOW,
            Tone::Bad => Ink::RED,
        };
        line.add("  ·  ", Ink::DIM).add(&fact.text(), ink);
    }
    line.end(out);
    let mut line = layout.line();
    line.add("trace ", Ink::DIM).add(&summary.id.to_string(), Ink::PLAIN);
    line.add("  ·  ", Ink::DIM).add(&clock::format_utc(summary.start), Ink::DIM);
    line.end(out);
}

fn axis(out: &mut String, trace: &Trace, layout: &Layout) {
    let mut line = layout.line();
    line.add(&fit("", layout.label), Ink::PLAIN);
    if layout.service > 0 {
        line.gap().add(&fit("service", layout.service), Ink::DIM);
    }
    if layout.status > 0 {
        line.gap().add(&fit("status", layout.status), Ink::DIM);
    }
    let end = clock::duration(trace.summary.duration_ms);
    let fill = layout.bar.saturating_sub(end.chars().count() + 3);
    line.gap().add(&format!("0 {} {end}", "╌".repeat(fill)), Ink::DIM);
    line.end(out);
}

fn row(out: &mut String, trace: &Trace, node: &Node, lines: &[bool], layout: &Layout) {
    let mut line = layout.line();
    label(&mut line, node, lines, layout.label);
    let ink = layout.ink_of(node);
    if layout.service > 0 {
        let name = trace.service_of(node).map_or("", |service| service.name.as_str());
        line.gap().add(&fit(&clean(name), layout.service), ink);
    }
    if layout.status > 0 {
        let status_ink = match node.outcome() {
            Outcome::Fine => Ink::DIM,
            Outcome::Cancelled => Ink::YELLOW,
            Outcome::Failed => Ink::RED,
        };
        let status = clean(node.status.as_deref().unwrap_or("-"));
        line.gap().add(&fit(&status, layout.status), status_ink);
    }
    line.gap().add(&layout.bar_of(node), ink);
    let duration = clock::duration(node.duration_ms);
    line.gap().add(&format!("{duration:>width$}", width = layout.duration), Ink::PLAIN);
    line.end(out);
}

/// Writes tree lines, name, op and marks in exactly `width` columns. If they do not fit, the op is
/// omitted, and then the name is truncated.
fn label(line: &mut Line, node: &Node, lines: &[bool], width: usize) {
    let prefix = prefix(lines, width);
    let marks: Vec<String> = node.marks.iter().map(|mark| format!(" ⚠ {}", mark.label())).collect();
    let marks = marks.concat();
    let room = width.saturating_sub(text::width(&prefix)).saturating_sub(text::width(&marks));
    let name = clean(&node.name);
    let op = node.op.as_deref().filter(|op| *op != node.name).map(|op| format!(" · {}", clean(op)));
    let op = op.filter(|op| text::width(&name) + text::width(op) <= room).unwrap_or_default();
    let ink = if node.is_transaction() { Ink::BOLD } else { Ink::PLAIN };
    let shown = text::cut(&name, room.max(8));
    let used = [&prefix, &shown, &op, &marks].iter().map(|part| text::width(part)).sum::<usize>();
    line.add(&prefix, Ink::DIM).add(&shown, ink).add(&op, Ink::DIM).add(&marks, Ink::YELLOW);
    line.add(&" ".repeat(width.saturating_sub(used)), Ink::PLAIN);
}

fn prefix(lines: &[bool], width: usize) -> String {
    let Some((own, above)) = lines.split_last() else { return String::new() };
    let room = (width / 2 / 3).max(1);
    let mut prefix = String::new();
    if above.len() >= room {
        let _ = write!(prefix, "⋯{} ", above.len());
    } else {
        above.iter().for_each(|open| prefix.push_str(if *open { "│  " } else { "   " }));
    }
    prefix.push_str(if *own { "├─ " } else { "└─ " });
    prefix
}

fn problems(out: &mut String, trace: &Trace, layout: &Layout) {
    let all = trace.transactions.iter();
    let mut all = all.flat_map(|transaction| transaction.problems.iter().map(move |it| (transaction, it)));
    for (transaction, problem) in all.by_ref().take(MAX_PROBLEMS) {
        let ink = if problem.severity == Severity::Error { Ink::RED } else { Ink::YELLOW };
        let mut line = layout.line();
        line.add("⚠ ", ink).add(&clean(&transaction.name), Ink::PLAIN);
        line.add(&format!("  {}: {}", clean(&problem.path), clean(&problem.message)), Ink::DIM);
        line.end(out);
    }
    let more = all.count();
    if more > 0 {
        let _ = writeln!(out, "⚠ {more} more problems");
    }
}

#[cfg(test)]
mod tests;
