//! Options that are valid individually but contradict each other. Each is reported once, when a
//! client is created.

use crate::diagnostics::warn;
use crate::options::Options;
use crate::options::lifecycle::TraceLifecycle;

/// A smaller queue holds hardly any transaction.
const SMALL_QUEUE: usize = 64 * 1024;

/// Reports each contradiction and its remedy. `org_id` is from the option or the DSN.
/// `delivers_spans` is `true` if the deliverer accepts streamed spans.
pub(crate) fn warn_of_contradictions(options: &Options, org_id: Option<&str>, delivers_spans: bool) {
    let delivery = &options.delivery;
    match org_id {
        None if options.strict_trace_continuation => warn(format_args!(
            "strict_trace_continuation is on, but the organisation of this service is not known, so no trace is continued \
             that names one; set org_id, or use a DSN whose host tells it (o123.ingest.example.com)"
        )),
        Some(org_id) if !org_id.bytes().all(|byte| byte.is_ascii_digit()) => warn(format_args!(
            "org_id {org_id:?} is not a number: other services tell theirs as in the host of a DSN (o123.ingest.example.com), \
             so their traces are not continued; set the number"
        )),
        _ => {}
    }
    if options.propagate_traceparent && options.tracing_origins.as_ref().is_some_and(Vec::is_empty) {
        warn(format_args!(
            "propagate_traceparent has no effect: tracing_origins is empty, so no call carries anything; name the hosts that \
             may get trace headers"
        ));
    }
    match (delivery.spool_dir.is_some(), delivery.spool_bytes) {
        (false, Some(_)) => warn(format_args!(
            "spool_bytes has no effect: there is no spool_dir, so nothing is kept on disk; set spool_dir"
        )),
        (true, Some(0)) => warn(format_args!(
            "spool_dir has no effect: spool_bytes is 0, so nothing is kept on disk; give it some room, or remove both"
        )),
        _ => {}
    }
    if delivery.queue_bytes < SMALL_QUEUE {
        warn(format_args!(
            "queue_bytes is {}, which holds hardly any transaction: what does not fit is refused and counted as \
             queue_overflow; the default is 33554432 (32 MiB)",
            delivery.queue_bytes
        ));
    }
    let lifecycle = &options.lifecycle;
    match lifecycle.lifecycle {
        TraceLifecycle::Static if lifecycle.flush_interval.is_some() => warn(format_args!(
            "span_flush_interval has no effect: spans are sent with their transaction; set \
             trace_lifecycle(TraceLifecycle::Stream)"
        )),
        TraceLifecycle::Stream if !delivers_spans => warn(format_args!(
            "TraceLifecycle::Stream has no effect: this client's delivery takes whole transactions only"
        )),
        TraceLifecycle::Stream if delivery.before_send_transaction.is_some() => warn(format_args!(
            "before_send_transaction is never called: spans are streamed, so there is no transaction to look at; use \
             before_send_span, ignore_spans, or TraceLifecycle::Static"
        )),
        _ => {}
    }
    for rule in lifecycle.ignore.iter().filter(|rule| rule.matches_everything()) {
        warn(format_args!(
            "ignore_spans: {rule:?} matches every span, so nothing is recorded; say which spans are meant"
        ));
    }
    options.idle.warn_if_idle_exceeds_final();
}
