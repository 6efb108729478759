//! Debug messages about spans that are not recorded.

use std::borrow::Cow;

use sentrace_protocol::losses::Reason;
use sentrace_protocol::sensitive;

use super::recycle;
use crate::diagnostics::explain;
use crate::record::Record;

/// Explains that a span has no transaction, once per name.
#[cold]
pub(crate) fn report_orphan(op: &str, description: &str) {
    let name = name(op, description);
    if recycle::global().is_none() {
        return explain(
            "span without client",
            "",
            format_args!(
                "span {name:?} is not recorded: nothing is initialised, or the guard of init was dropped; call init first \
                 and keep its guard"
            ),
        );
    }
    explain(
        "span of nothing",
        &name,
        format_args!(
            "span {name:?} ({op}) is not recorded: no transaction is current here. Tasks and threads begin without one: \
             give tokio::spawn the future.in_current_span(), a thread the with_current_span(closure), or start a \
             transaction"
        ),
    );
}

/// Explains why a span of a recorded transaction is not recorded, once per cause and name.
#[cold]
pub(crate) fn report_unrecorded(op: &str, description: &str, lost: Reason, max_spans: usize) {
    let name = name(op, description);
    match lost {
        Reason::InsufficientData => explain(
            "span after the end",
            &name,
            format_args!(
                "span {name:?} ({op}) is not recorded: its transaction had ended before it started, as in a task that \
                 outlives its request; wait for the task, start a transaction for it, or stream spans \
                 (TraceLifecycle::Stream)"
            ),
        ),
        Reason::Ignored => explain(
            "ignored span",
            &name,
            format_args!("span {name:?} ({op}) is not recorded: a rule of ignore_spans matches it"),
        ),
        _ => explain(
            "too many spans",
            "",
            format_args!(
                "span {name:?} ({op}) is not recorded: its transaction has all the spans that it may have ({max_spans}); \
                 record fewer, larger steps"
            ),
        ),
    }
}

/// Explains which spans are dropped because they were open when their transaction ended, once per
/// name.
#[cold]
pub(crate) fn report_unfinished(record: &Record) {
    let transaction = record.name();
    let transaction = sensitive::filter_text(&transaction);
    for span in record.spans.iter().skip(1).filter(|span| span.end.is_none()) {
        let op = record.arena.get(span.op);
        let name = name(op, record.arena.get(span.description));
        explain(
            "unfinished span",
            &name,
            format_args!(
                "span {name:?} ({op}) is left out: it was still open when its transaction {transaction:?} ended, as in a \
                 task that outlives its request; wait for the task, start a transaction for it, or stream spans \
                 (TraceLifecycle::Stream)"
            ),
        );
    }
}

/// Returns the span's name without secrets, since messages go to logs.
fn name<'a>(op: &'a str, description: &'a str) -> Cow<'a, str> {
    sensitive::filter_text(if description.is_empty() { op } else { description })
}
