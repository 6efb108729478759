//! The global client. It is shared by all threads, so this is a single test.

use std::sync::Arc;

use sentrace_core::testing::Capture;
use sentrace_core::{
    Client, Options, continue_trace, current_span, get_baggage, get_traceparent, start_new_trace, start_span,
    start_transaction, trace_headers,
};

const SENTRY_TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
fn a_bound_client_is_found_and_the_processs_trace_is_used_outside_requests_only() {
    assert!(Client::current().is_none());
    start_transaction("nothing is bound", "task").finish();
    assert_eq!(get_traceparent(), None);

    let vars = |name: &str| match name {
        "SENTRY_TRACE" => Some(SENTRY_TRACE.to_owned()),
        "SENTRY_BAGGAGE" => Some("sentry-release=parent".to_owned()),
        _ => None,
    };
    let (client, capture) = Capture::client(Options::from_vars(vars).traces_sample_rate(1.0)).unwrap();
    assert!(client.bind().is_none());
    assert!(current_span().is_none(), "the process's trace is nobody's span");
    let outside = get_traceparent().unwrap();
    assert!(outside.starts_with(TRACE_ID) && outside.ends_with("-1"), "{outside}");
    assert_eq!(get_traceparent().as_deref(), Some(&*outside), "the same each time");
    assert_eq!(get_baggage().as_deref(), Some("sentry-release=parent"));
    start_span("task", "outside").set_data("nothing", "happens");

    start_transaction("outside", "task").finish();
    let request = continue_trace(&[("accept", "text/plain")]);
    request.enter(|| {
        assert!(!get_traceparent().unwrap().starts_with(TRACE_ID), "requests are their callers'");
        assert!(!trace_headers().unwrap().baggage().unwrap().contains("parent"));
        start_transaction("inside", "task").finish();
    });
    assert_ne!(start_new_trace().trace_id().unwrap().to_string(), TRACE_ID);
    let captured = capture.take();
    let traces: Vec<_> =
        captured.iter().map(|captured| captured.transaction.trace.trace_id.to_string() == TRACE_ID).collect();
    assert_eq!(traces, [true, false]);

    // An explicit client's span has its own client.
    let (explicit, explicit_capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
    let transaction = explicit.start_transaction("explicit", "task");
    transaction.enter(|| start_transaction("below", "task").finish());
    transaction.finish();
    assert_eq!((explicit_capture.take().len(), capture.take().len()), (2, 0));

    explicit.unbind();
    assert!(Client::global().is_some(), "another client's end takes nothing away");
    let replaced = explicit.bind();
    assert!(replaced.is_some());
    client.unbind();
    assert!(Client::global().is_some(), "nor does the end of one that was replaced");
    explicit.unbind();
    assert!(Client::global().is_none());
    assert!(Client::with_current(|_| ()).is_none());

    let (lent, lent_capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
    lent.bind();
    let inside = Client::with_current(|client| {
        client.start_transaction("outer", "task").finish();
        Client::with_current(|client| client.start_transaction("inner", "task").finish())
    });
    assert_eq!(inside, Some(Some(())), "it is found while it is lent");
    assert_eq!(lent_capture.take().len(), 2);

    // A thread keeps the global client for its next requests, and releases it when it sees another
    // one, or none.
    drop([start_transaction("two at", "task"), start_transaction("the same time", "task")]);
    lent.unbind();
    drop((lent, lent_capture.take()));
    assert!(Arc::strong_count(&lent_capture) > 1, "nothing has looked for a client since");
    assert!(Client::global().is_none());
    assert_eq!(Arc::strong_count(&lent_capture), 1, "what this thread keeps holds nobody's client open");
}
