//! Calls with one answer: names, data, the trace, and statuses in the head.

use sentrace_core::testing::CapturedTransaction;
use sentrace_protocol::{SpanStatus, TransactionSource};
use sentrace_tower::{SentryClientLayer, SentryTracingLayer};
use tonic::{Code, Request};

use super::orders::{Text, connect, path, serve};
use crate::support::{in_time, only, only_span, recording, value};

/// Asks for one order; what client and server recorded.
async fn ask(method: &'static str, message: &str) -> (Code, CapturedTransaction, CapturedTransaction) {
    let (server, served) = recording();
    let (client, called) = recording();
    let address = serve(SentryTracingLayer::new().client(server)).await;
    let mut orders = connect(address, SentryClientLayer::new().client(client.clone())).await;
    let transaction = client.start_transaction("test", "task");
    let call = orders.unary(Request::new(message.to_owned()), path(method), Text);
    let answer = transaction.scope(in_time(call)).await;
    transaction.finish();
    let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
    (code, only(&called).await, only(&served).await)
}

#[tokio::test]
async fn client_and_server_name_the_method_and_share_the_trace() {
    let (_, client, server) = ask("/shop.Orders/Get", "0").await;
    let span = only_span(&client);
    assert_eq!((&*span.op, span.description.as_deref()), ("grpc.client", Some("/shop.Orders/Get")));
    assert_eq!(span.origin, "auto.grpc.tower");
    let transaction = &server.transaction;
    assert_eq!((&*transaction.name, &*transaction.trace.op), ("/shop.Orders/Get", "grpc.server"));
    assert_eq!(transaction.source, TransactionSource::Route);
    assert_eq!(transaction.trace.trace_id, client.transaction.trace.trace_id);
    assert_eq!(transaction.trace.parent_span_id, Some(span.span_id));
    let dsc = server.dynamic_sampling_context.unwrap();
    assert_eq!(dsc.get("trace_id"), Some(&*transaction.trace.trace_id.to_string()));
    let rows = [
        ("rpc.system.name", "grpc".into()),
        ("rpc.service", "shop.Orders".into()),
        ("rpc.method", "shop.Orders/Get".into()),
        ("rpc.response.status_code", "OK".into()),
        ("http.response.status_code", 200.into()),
    ];
    for (key, expected) in rows {
        assert_eq!(value(&span.data, key), Some(&expected), "{key} of the client");
        assert_eq!(value(&transaction.trace.data, key), Some(&expected), "{key} of the server");
    }
    assert_eq!(value(&span.data, "server.address"), Some(&"127.0.0.1".into()));
    assert!(value(&span.data, "server.port").is_some());
}

#[tokio::test]
async fn every_code_in_a_head_is_its_status_on_both_sides() {
    for code in 0..=16 {
        let (answered, client, server) = ask("/shop.Orders/Get", &code.to_string()).await;
        assert_eq!(answered, Code::from_i32(code), "what the service answered");
        let expected = STATUSES[usize::try_from(code).unwrap()];
        assert_eq!(only_span(&client).status, Some(expected), "client, code {code}");
        assert_eq!(server.transaction.trace.status, Some(expected), "server, code {code}");
    }
}

#[tokio::test]
async fn a_method_that_nobody_implements_is_unimplemented() {
    for method in ["/shop.Orders/Nope", "/nobody.Knows/This"] {
        let (code, client, server) = ask(method, "0").await;
        assert_eq!(code, Code::Unimplemented);
        assert_eq!(only_span(&client).status, Some(SpanStatus::Unimplemented), "{method}");
        assert_eq!(server.transaction.trace.status, Some(SpanStatus::Unimplemented), "{method}");
    }
}

/// By code (Sentry SDK specification, *Span status*, as other SDKs map gRPC).
pub(super) const STATUSES: [SpanStatus; 17] = [
    SpanStatus::Ok,
    SpanStatus::Cancelled,
    SpanStatus::UnknownError,
    SpanStatus::InvalidArgument,
    SpanStatus::DeadlineExceeded,
    SpanStatus::NotFound,
    SpanStatus::AlreadyExists,
    SpanStatus::PermissionDenied,
    SpanStatus::ResourceExhausted,
    SpanStatus::FailedPrecondition,
    SpanStatus::Aborted,
    SpanStatus::OutOfRange,
    SpanStatus::Unimplemented,
    SpanStatus::InternalError,
    SpanStatus::Unavailable,
    SpanStatus::DataLoss,
    SpanStatus::Unauthenticated,
];
