//! The list of traces.

use maud::{Markup, html};

use super::parts;
use crate::clock;
use crate::facts::Tone;
use crate::model::{Counts, ReportedProblem, Reports, TraceSummary};
use crate::palette;

/// The maximum number of problems that are shown.
pub(crate) const MAX_PROBLEMS: usize = 20;
/// The maximum number of services that a row names.
const MAX_SERVICES: usize = 6;
const REFRESH_S: u32 = 3;

/// The data of the list.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) traces: Vec<TraceSummary>,
    pub(crate) reports: Reports,
    /// The latest problems, newest first.
    pub(crate) latest: Vec<ReportedProblem>,
    pub(crate) problems: usize,
    pub(crate) counts: Counts,
    pub(crate) dsn: String,
    /// Seconds since the Unix epoch.
    pub(crate) now: f64,
}

impl List {
    pub(crate) fn render(&self) -> String {
        let body = html! {
            div.title {
                h1 { "Traces" }
                div.figures {
                    (figure("traces", self.traces.len() as u64, Tone::Plain))
                    (figure("envelopes", self.counts.received, Tone::Plain))
                    (figure("refused", self.counts.refused, Tone::Bad))
                    (figure("problems", self.problems as u64, Tone::Warn))
                }
            }
            @if self.traces.is_empty() { (self.empty()) } @else { (self.table()) }
            div.columns {
                (self.losses())
                (self.latest_problems())
            }
        };
        let aside = html! {
            span.dsn { "DSN " code { (self.dsn) } }
            a href="/doctor" { "Doctor" }
            a href="/api/traces" { "JSON" }
        };
        super::document("Traces", Some(REFRESH_S), &aside, &body)
    }

    fn empty(&self) -> Markup {
        html! {
            section.empty {
                h2 { "Waiting for the first trace" }
                p { "Start a service with this DSN. Use any project number, one for each service." }
                pre { "SENTRY_DSN=" (self.dsn) " SENTRY_TRACES_SAMPLE_RATE=1 cargo run" }
                p.muted { "This page reloads every " (REFRESH_S) " seconds." }
            }
        }
    }

    fn table(&self) -> Markup {
        let longest = self.traces.iter().map(|trace| trace.duration_ms).fold(0.0, f64::max);
        html! {
            div.scroll {
                table.traces {
                    thead {
                        tr {
                            th { "Trace" } th { "Status" } th { "Services" }
                            th.number { "Spans" } th.number { "Duration" } th.number { "Received" }
                        }
                    }
                    tbody { @for trace in &self.traces { (self.row(trace, longest)) } }
                }
            }
        }
    }

    fn row(&self, trace: &TraceSummary, longest: f64) -> Markup {
        let id = trace.id.to_string();
        let colors = palette::of(&trace.services);
        html! {
            tr {
                td.name {
                    a href={ "/traces/" (id) } { (trace.name) }
                    div.sub {
                        @if let Some(op) = &trace.op { span.op { (op) } }
                        code { (id) }
                    }
                }
                td { (parts::status(trace.status.as_deref())) (flags(trace)) }
                td {
                    div.services {
                        @for (color, service) in colors.iter().zip(&trace.services).take(MAX_SERVICES) {
                            (parts::service(*color, service))
                        }
                        @if trace.services.len() > MAX_SERVICES {
                            span.muted { "+" (trace.services.len() - MAX_SERVICES) }
                        }
                    }
                }
                td.number { (trace.spans) }
                td.number {
                    (clock::duration(trace.duration_ms))
                    svg.mini aria-hidden="true" {
                        rect width=(parts::percent(trace.duration_ms, longest)) height="100%" rx="2" {}
                    }
                }
                td.number.muted title=(clock::format_utc(trace.received_at)) { (ago(self.now - trace.received_at)) }
            }
        }
    }

    fn losses(&self) -> Markup {
        html! {
            @if !self.reports.discarded.is_empty() {
                section.panel {
                    h2 { "Reported losses" }
                    table.plain {
                        thead {
                            tr { th { "Project" } th { "Category" } th { "Reason" } th.number { "Quantity" } }
                        }
                        tbody {
                            @for entry in &self.reports.discarded {
                                tr {
                                    td { (entry.project) } td { (entry.category) }
                                    td { code { (entry.reason) } } td.number { (entry.quantity) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn latest_problems(&self) -> Markup {
        html! {
            @if !self.latest.is_empty() {
                section.panel {
                    h2 { "Latest problems" }
                    ul.problems {
                        @for reported in &self.latest {
                            li {
                                (parts::problem(&reported.problem))
                                span.from {
                                    "project " (reported.project) " · " (ago(self.now - reported.received_at))
                                    @if let Some(trace) = reported.trace_id {
                                        " · trace " a href={ "/traces/" (trace) } { (trace) }
                                    }
                                }
                            }
                        }
                    }
                    @if self.problems > self.latest.len() {
                        p.muted { (self.problems - self.latest.len()) " more in " a href="/api/problems" { "JSON" } }
                    }
                }
            }
        }
    }
}

fn figure(caption: &str, count: u64, tone: Tone) -> Markup {
    parts::figure(caption, &count.to_string(), if count > 0 { tone } else { Tone::Plain })
}

fn flags(trace: &TraceSummary) -> Markup {
    html! {
        @if trace.failed > 0 { span.badge.bad { (trace.failed) " failed" } }
        @if trace.orphans > 0 {
            span.badge.warn { (trace.orphans) (if trace.orphans == 1 { " orphan" } else { " orphans" }) }
        }
        @if trace.skewed > 0 { span.badge.warn { "clock skew" } }
        @if trace.problems > 0 {
            span.badge.warn { (trace.problems) (if trace.problems == 1 { " problem" } else { " problems" }) }
        }
    }
}

fn ago(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        0..=1 => "now".to_owned(),
        seconds @ 2..=99 => format!("{seconds} s ago"),
        seconds @ 100..=5_999 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3_600),
    }
}
