//! The doctor's remarks: about all traces on a separate page, about one trace on its page.

use maud::{Markup, html};
use sentrace_protocol::TraceId;

use super::parts;
use crate::facts::Tone;
use crate::model::{Diagnosis, Remark};

/// The maximum number of complaints of a kind that are shown; the JSON has all.
const MAX_COMPLAINTS: usize = 20;
/// The maximum number of places of a complaint that are shown.
const MAX_PLACES: usize = 3;

/// Renders the page.
pub(crate) fn render(diagnoses: &[Diagnosis], traces: usize) -> String {
    let kinds = diagnoses.len();
    let remarks = diagnoses.iter().map(count).sum::<usize>();
    let tone = if remarks > 0 { Tone::Warn } else { Tone::Plain };
    let body = html! {
        div.title {
            div {
                h1 { "Doctor" }
                p.sub { span.muted { "What is odd in the kept traces, although Sentry would accept it." } }
            }
            div.figures {
                (parts::figure(if traces == 1 { "trace examined" } else { "traces examined" }, &traces.to_string(), Tone::Plain))
                (parts::figure(if kinds == 1 { "kind of oddity" } else { "kinds of oddities" }, &kinds.to_string(), tone))
                (parts::figure(if remarks == 1 { "remark" } else { "remarks" }, &remarks.to_string(), tone))
            }
        }
        @if diagnoses.is_empty() {
            section.empty {
                h2 { @if traces == 0 { "No traces yet" } @else { "Nothing odd" } }
                p.muted {
                    @if traces == 0 { "The doctor examines traces as they arrive." }
                    @else { "All spans have their parents, clocks and contexts agree, and names can be aggregated." }
                }
                p { a href="/" { "All traces" } }
            }
        }
        @for diagnosis in diagnoses {
            section.panel.diagnosis id=(anchor(diagnosis)) {
                h2 { (diagnosis.title) " " span.badge.warn { (count(diagnosis)) } }
                (advice(diagnosis))
                (complaints(diagnosis, None))
            }
        }
    };
    let aside = html! {
        a href="/" { "All traces" }
        a href="/api/doctor" { "JSON" }
    };
    super::document("Doctor", None, &aside, &body)
}

/// Renders the remarks about one trace. Renders nothing if there are none.
pub(super) fn of_trace(diagnoses: &[Diagnosis], trace: TraceId) -> Markup {
    html! {
        @if !diagnoses.is_empty() {
            section.remarks aria-label="Remarks of the doctor" {
                @for diagnosis in diagnoses {
                    details.remark {
                        summary {
                            span.badge.warn { "⚠ " (diagnosis.title) }
                            span.first { (first(diagnosis)) }
                            @if count(diagnosis) > 1 { span.muted { "+" (count(diagnosis) - 1) } }
                        }
                        (advice(diagnosis))
                        (complaints(diagnosis, Some(trace)))
                    }
                }
            }
        }
    }
}

fn count(diagnosis: &Diagnosis) -> usize {
    diagnosis.complaints.iter().map(|complaint| complaint.count).sum()
}

fn first(diagnosis: &Diagnosis) -> &str {
    diagnosis.complaints.first().map_or("", |complaint| complaint.what.as_str())
}

fn anchor(diagnosis: &Diagnosis) -> String {
    diagnosis.title.to_lowercase().replace(' ', "-")
}

fn advice(diagnosis: &Diagnosis) -> Markup {
    html! {
        dl.advice {
            div { dt { "Why it matters" } dd { (diagnosis.why) } }
            div { dt { "What to do" } dd { (diagnosis.advice) } }
        }
    }
}

/// Renders complaints; `within` is the trace whose page shows them.
fn complaints(diagnosis: &Diagnosis, within: Option<TraceId>) -> Markup {
    let more = diagnosis.complaints.len().saturating_sub(MAX_COMPLAINTS);
    html! {
        ul.complaints {
            @for complaint in diagnosis.complaints.iter().take(MAX_COMPLAINTS) {
                li {
                    span.what { (complaint.what) }
                    @if complaint.count > 1 { " " span.muted { (complaint.count) "×" } }
                    ul.places { @for remark in complaint.remarks.iter().take(MAX_PLACES) { li { (place(remark, within)) } } }
                    @if complaint.count > MAX_PLACES { span.muted { "and " (complaint.count - MAX_PLACES) " more" } }
                }
            }
        }
        @if more > 0 { p.muted { (more) " more in " a href=(json(within)) { "JSON" } } }
    }
}

fn place(remark: &Remark, within: Option<TraceId>) -> Markup {
    let here = within == Some(remark.trace_id);
    let other = remark.other_trace_id.filter(|other| within != Some(*other));
    let shown = remark.span_id.map_or_else(|| remark.trace_id.to_string(), |span_id| span_id.to_string());
    html! {
        @if !remark.detail.is_empty() { span.detail { (remark.detail) } " " }
        span.muted { @if !here { "in " } @else { "at " } }
        a href=(link(remark, here)) { code { @if here { (shown) } @else { (remark.trace_id) } } }
        @if let Some(other) = other {
            span.muted { ", answered in " } a href={ "/traces/" (other) } { code { (other) } }
        }
    }
}

fn link(remark: &Remark, here: bool) -> String {
    let trace = if here { String::new() } else { format!("/traces/{}", remark.trace_id) };
    remark.span_id.map_or_else(|| trace.clone(), |span_id| format!("{trace}#{}", parts::anchor(span_id)))
}

fn json(within: Option<TraceId>) -> String {
    within.map_or_else(|| "/api/doctor".to_owned(), |trace| format!("/api/traces/{trace}/doctor"))
}
