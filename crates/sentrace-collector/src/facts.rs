//! The key figures of a trace, for the pages and the terminal.

use crate::clock;
use crate::model::TraceSummary;

/// How a figure is highlighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Warn,
    Bad,
}

/// A figure with its unit. A duration includes it in the value.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) value: String,
    pub(crate) unit: &'static str,
    pub(crate) tone: Tone,
}

impl Fact {
    /// Formats the fact, such as `4 services` or `312 ms`.
    pub(crate) fn text(&self) -> String {
        if self.unit.is_empty() { self.value.clone() } else { format!("{} {}", self.value, self.unit) }
    }
}

/// Returns the figures of a trace.
pub(crate) fn of(summary: &TraceSummary) -> Vec<Fact> {
    let extra_roots = if summary.roots > 1 { summary.roots } else { 0 };
    let duration = Fact { value: clock::duration(summary.duration_ms), unit: "", tone: Tone::Plain };
    let counted = [
        (summary.services.len() as u64, "service", "services", Tone::Plain),
        (summary.spans as u64, "span", "spans", Tone::Plain),
        (summary.failed as u64, "failed", "failed", Tone::Bad),
        (extra_roots as u64, "root", "roots", Tone::Warn),
        (summary.orphans as u64, "orphan", "orphans", Tone::Warn),
        (summary.skewed as u64, "clock skew", "clock skews", Tone::Warn),
        (summary.problems as u64, "problem", "problems", Tone::Warn),
        (u64::from(summary.duplicates), "duplicate", "duplicates", Tone::Warn),
        (summary.dropped, "not kept", "not kept", Tone::Bad),
    ];
    let counted = counted.into_iter().filter(|(count, _, _, tone)| *count > 0 || *tone == Tone::Plain);
    let counted = counted.map(|(count, one, many, tone)| Fact {
        value: count.to_string(),
        unit: if count == 1 { one } else { many },
        tone,
    });
    std::iter::once(duration).chain(counted).collect()
}
