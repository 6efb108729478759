//! The page of a trace: its services and the waterfall.

use std::collections::HashSet;

use maud::{Markup, html};

use super::{details, doctor, parts};
use crate::clock;
use crate::facts;
use crate::guides::Guides;
use crate::model::{Diagnosis, Mark, Node, Outcome, Remark, Service, Trace};
use crate::palette;

/// The maximum number of rows, since browsers get slow beyond; the JSON has all.
const MAX_ROWS: usize = 2_000;
/// The maximum indentation. Deeper rows show their depth as a number.
const MAX_INDENT: usize = 14;
const TICKS: usize = 4;

/// Renders the page, including the doctor's remarks.
pub(crate) fn render(trace: &Trace, remarks: Vec<Remark>) -> String {
    let summary = &trace.summary;
    let colors = palette::of(&summary.services);
    let body = html! {
        div.title {
            div {
                h1 { (summary.name) " " (parts::status(summary.status.as_deref())) }
                p.sub {
                    @if let Some(op) = &summary.op { span.op { (op) } }
                    code { (summary.id) }
                    span.muted { (clock::format_utc(summary.start)) }
                }
            }
            div.figures {
                @for fact in facts::of(summary) {
                    @let caption = if fact.unit.is_empty() { "duration" } else { fact.unit };
                    (parts::figure(caption, &fact.value, fact.tone))
                }
            }
        }
        (notes(trace))
        (doctor::of_trace(&Diagnosis::of(remarks), summary.id))
        section.legend aria-label="Services" {
            @for (color, service) in colors.iter().zip(&summary.services) { (legend(*color, service)) }
        }
        (waterfall(trace, &colors))
    };
    let aside = html! {
        a href="/" { "All traces" }
        a href="/doctor" { "Doctor" }
        a href={ "/api/traces/" (summary.id) } { "JSON" }
    };
    super::document(&summary.name, None, &aside, &body)
}

fn notes(trace: &Trace) -> Markup {
    let summary = &trace.summary;
    html! {
        @if summary.dropped > 0 {
            p.note { b { "Too large: " } (summary.dropped) " transactions of this trace were not kept." }
        }
    }
}

fn legend(color: usize, service: &Service) -> Markup {
    let about = [
        Some(format!("project {}", service.project)),
        service.release.clone(),
        service.environment.clone(),
        service.server_name.clone().filter(|name| *name != service.name),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    html! {
        div.card {
            (parts::service(color, service))
            div.muted { (about.join(" · ")) }
        }
    }
}

fn waterfall(trace: &Trace, colors: &[usize]) -> Markup {
    let mut guides = Guides::new(&trace.tree);
    let mut seen = HashSet::new();
    html! {
        section.waterfall aria-label="Waterfall" {
            div.row.head aria-hidden="true" {
                span { "Span" }
                span.axis {
                    @for tick in 0..TICKS {
                        span {
                            @if tick == 0 { "0" } @else {
                                (clock::duration(trace.summary.duration_ms * tick as f64 / TICKS as f64))
                            }
                        }
                    }
                }
                span.time { "Duration" }
            }
            @for node in trace.tree.iter().take(MAX_ROWS) {
                @let color = colors.get(node.service).copied().unwrap_or_default();
                (row(trace, node, color, guides.next(node), seen.insert(node.span_id)))
            }
            @if trace.tree.len() > MAX_ROWS {
                p.muted.more {
                    (trace.tree.len() - MAX_ROWS) " more spans are only available as "
                    a href={ "/api/traces/" (trace.summary.id) } { "JSON" } "."
                }
            }
        }
    }
}

fn row(trace: &Trace, node: &Node, color: usize, lines: &[bool], first_of_its_id: bool) -> Markup {
    let weight = if node.is_transaction() { "transaction" } else { "span" };
    let failed = if node.outcome() == Outcome::Failed { " failed" } else { "" };
    let class = format!("{weight} {}{failed}", parts::color(color));
    html! {
        details class=(class) id=[first_of_its_id.then(|| parts::anchor(node.span_id))] {
            summary.row {
                span.label {
                    (indent(lines))
                    span.text {
                        span.name { (node.name) }
                        @if let Some(op) = node.op.as_deref().filter(|op| *op != node.name) { span.op { (op) } }
                    }
                    @if node.outcome() != Outcome::Fine { (parts::status(node.status.as_deref())) }
                    @for mark in &node.marks {
                        span.badge.warn title=(mark) { "⚠ " (mark.label()) }
                    }
                }
                (bar(trace, node))
                span.time { (clock::duration(node.duration_ms)) }
            }
            (details::render(trace, node))
        }
    }
}

fn indent(lines: &[bool]) -> Markup {
    let Some((own, above)) = lines.split_last() else { return html! {} };
    html! {
        span.indent aria-hidden="true" {
            @for open in above.iter().take(MAX_INDENT) {
                i class=(if *open { "line" } else { "none" }) {}
            }
            @if above.len() > MAX_INDENT { small { (lines.len()) } }
            i class=(if *own { "tee" } else { "elbow" }) {}
        }
    }
}

fn bar(trace: &Trace, node: &Node) -> Markup {
    let whole = trace.summary.duration_ms;
    let starts_before = node.marks.iter().any(|mark| matches!(mark, Mark::StartsBeforeParent { .. }));
    let parent = trace.parent(node).filter(|_| starts_before);
    html! {
        svg.bar aria-hidden="true" {
            @let left = parts::percent(node.offset_ms, whole);
            rect.fill x=(left) width=(parts::percent(node.duration_ms, whole)) rx="2" {}
            @if let Some(parent) = parent {
                @let at = parts::percent(parent.offset_ms, whole);
                line.parent x1=(at) x2=(at) y1="0" y2="100%" {}
            }
        }
    }
}
