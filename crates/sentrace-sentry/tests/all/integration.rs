//! The integration without a server: what it tells, and what it leaves alone.

use std::sync::Arc;

use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, current_span};
use sentrace_sentry::SentraceIntegration;
use sentry::protocol::{Context, Event, TraceContext};
use sentry::test::{with_captured_envelopes_options, with_captured_events_options};
use sentry::{ClientOptions, Level};

fn recording() -> Client {
    Capture::client(Options::new().traces_sample_rate(1.0)).unwrap().0
}

fn integrated() -> ClientOptions {
    ClientOptions::new().add_integration(SentraceIntegration::new())
}

fn captured(run: impl FnOnce()) -> Event<'static> {
    let mut events = with_captured_events_options(run, integrated());
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

fn trace_of(event: &Event<'_>) -> TraceContext {
    match event.contexts.get("trace") {
        Some(Context::Trace(trace)) => (**trace).clone(),
        other => panic!("no trace but {other:?}"),
    }
}

#[test]
fn events_name_the_span_that_is_current() {
    let transaction = recording().start_transaction("send invoice", "queue.task");
    let span = transaction.start_span("template", "invoice.html");
    let rows = [("in the transaction", transaction.clone()), ("in a span", (*span).clone())];
    for (reason, current) in rows {
        let event = captured(|| {
            current.enter(|| sentry::capture_message("no address", Level::Error));
        });
        let trace = trace_of(&event);
        assert_eq!(trace.trace_id.to_string(), current.trace_id().unwrap().to_string(), "{reason}");
        assert_eq!(trace.span_id.to_string(), current.span_id().unwrap().to_string(), "{reason}");
        assert_eq!(event.transaction.as_deref(), Some("send invoice"), "{reason}");
    }
}

#[test]
fn errors_carry_the_trace_as_messages_do() {
    let trace = recording().start_new_trace();
    let event = captured(|| {
        trace.enter(|| sentry::capture_error(&std::io::Error::other("disk full")));
    });
    let ids = trace.enter(|| current_span().trace_id()).unwrap();
    assert_eq!(trace_of(&event).trace_id.to_string(), ids.to_string());
    assert_eq!(event.transaction, None, "a trace without a transaction has no name");
}

#[test]
fn a_name_by_hand_stays() {
    let transaction = recording().start_transaction("send invoice", "queue.task");
    let event = captured(|| {
        sentry::configure_scope(|scope| scope.set_transaction(Some("mine")));
        transaction.enter(|| sentry::capture_message("no address", Level::Error));
    });
    assert_eq!(event.transaction.as_deref(), Some("mine"));
}

#[test]
fn a_continued_trace_does_not_lend_the_name_of_its_head() {
    let headers = [
        ("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
        ("baggage", "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,sentry-transaction=GET%20%2Fhead"),
    ];
    let transaction = recording().continue_trace(headers.as_slice()).start_transaction("work", "queue.task");
    let event = captured(|| {
        transaction.enter(|| sentry::capture_message("no address", Level::Error));
    });
    assert_eq!(trace_of(&event).trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(event.transaction, None);
}

#[test]
fn where_no_trace_is_current_nothing_changes() {
    let event = captured(|| {
        sentry::capture_message("on its own", Level::Info);
    });
    assert_ne!(trace_of(&event).trace_id.to_string(), "0".repeat(32), "the official crate's own");
    assert_eq!(event.transaction, None);
}

#[test]
fn hooks_for_logs_and_metrics_see_the_ids_and_have_the_last_word() {
    let transaction = recording().start_transaction("send invoice", "queue.task");
    let trace_id = transaction.trace_id().unwrap().to_string();
    let expected = trace_id.clone();
    let mut options = ClientOptions::new();
    options.before_send_log = Some(Arc::new(move |log| {
        (log.trace_id.map(|id| id.to_string()).as_ref() == Some(&expected) && log.body != "secret")
            .then_some(log)
    }));
    let options = options.add_integration(SentraceIntegration::new());
    let envelopes = with_captured_envelopes_options(
        || {
            transaction.enter(|| {
                sentry::logger_warn!("seen");
                sentry::logger_warn!("secret");
                sentry::metrics::counter("sent", 1).capture();
            });
            sentry::Hub::current().client().unwrap().flush(None);
        },
        options,
    );
    let mut bytes = Vec::new();
    for envelope in envelopes {
        envelope.to_writer(&mut bytes).unwrap();
    }
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(r#""body":"seen""#) && !text.contains("secret"), "{text}");
    assert_eq!(text.matches(&trace_id).count(), 2, "a log and a metric: {text}");
}
