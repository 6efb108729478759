//! What fields do to spans.

use std::error::Error;
use std::fmt;

use sentrace_protocol::{SpanStatus, Value};
use tracing::field::Empty;
use tracing::{Span, info_span, instrument};

use crate::support::{record, record_with};

/// Opens a span; a table keeps several.
type Open = fn() -> Span;

#[derive(Debug)]
struct Order {
    #[expect(dead_code, reason = "it is formatted")]
    id: u32,
}

#[test]
fn fields_are_data_by_their_types() {
    let captured = record(|| {
        let order = Order { id: 7 };
        let _span = info_span!(
            "typed",
            int = -7_i64,
            unsigned = 7_u64,
            large = u64::MAX,
            float = 0.5,
            whole = 2.0,
            yes = true,
            text = "text",
            shown = %12,
            debug = ?order,
        );
    });
    let span = captured.expect_span("typed");
    let rows: [(&str, Value<'_>, &str); 9] = [
        ("int", (-7_i64).into(), "i64"),
        ("unsigned", 7_u64.into(), "u64"),
        ("large", "18446744073709551615".into(), "an u64 that does not fit is text"),
        ("float", 0.5.into(), "f64"),
        ("whole", 2.0.into(), "a whole f64"),
        ("yes", true.into(), "bool"),
        ("text", "text".into(), "str"),
        ("shown", "12".into(), "Display"),
        ("debug", "Order { id: 7 }".into(), "Debug"),
    ];
    for (key, expected, reason) in rows {
        assert_eq!(span.data.get(key), Some(&expected), "{reason}");
    }
}

#[test]
fn fields_that_come_later_are_data_too() {
    let captured = record(|| {
        let span = info_span!("later", rows = Empty, op = "read");
        span.record("rows", 3);
        span.record("op", "write");
    });
    let span = captured.expect_span("later");
    assert_eq!(span.data.get("rows"), Some(&3.into()));
    assert_eq!(span.data.get("op"), Some(&"write".into()), "the last value stays");
}

#[test]
fn arguments_of_instrumented_functions_are_data() {
    #[instrument(skip(secret))]
    fn pay(amount: u32, secret: &str) -> usize {
        secret.len()
    }
    let captured = record(|| {
        pay(12, "key");
    });
    let span = captured.expect_span("pay");
    assert_eq!(span.data.get("amount"), Some(&12.into()));
    assert_eq!(span.data.get("secret"), None);
    assert_eq!(span.origin, "auto.tracing");
}

#[test]
fn names_and_kinds_are_told_by_fields() {
    let rows: [(Open, &str, &str, &str); 10] = [
        (|| info_span!("plain"), "plain", "default", "the name in the code"),
        (|| info_span!("a", sentry.name = "sentry"), "sentry", "default", "sentry.name"),
        (|| info_span!("a", otel.name = "otel"), "otel", "default", "otel.name"),
        (
            || info_span!("a", otel.name = "otel", sentry.name = "sentry"),
            "sentry",
            "default",
            "Sentry's goes first",
        ),
        (|| info_span!("op", sentry.op = "template"), "op", "template", "sentry.op"),
        (|| info_span!("op", sentry.op = %"template"), "op", "template", "sentry.op by Display"),
        (
            || info_span!("out", otel.kind = "client", http.request.method = "GET"),
            "out",
            "http.client",
            "an outgoing call",
        ),
        (|| info_span!("in", otel.kind = "server", http.method = "GET"), "in", "http.server", "a request"),
        (|| info_span!("rpc", rpc.system = "grpc"), "rpc", "rpc", "a remote call"),
        (
            || info_span!("a", db.system = "mysql", db.statement = "SELECT 7 FROM b"),
            "SELECT ? FROM b",
            "db",
            "a statement tells more than a name",
        ),
    ];
    for (open, description, op, reason) in rows {
        let captured = record(|| drop(open()));
        let span = captured.transaction.spans.first().unwrap();
        assert_eq!(span.description.as_deref(), Some(description), "{reason}");
        assert_eq!(span.op, op, "{reason}");
    }
}

#[test]
fn a_span_may_be_renamed_later() {
    let captured = record(|| {
        let span = info_span!("first", sentry.name = Empty, sentry.op = Empty, db.statement = Empty);
        span.record("sentry.name", "second");
        span.record("sentry.op", "cache.get");
        span.record("db.statement", "SELECT 1");
    });
    let span = captured.expect_span("second");
    assert_eq!(span.op, "cache.get");
    assert_eq!(span.data.get("db.query.text"), Some(&"SELECT ?".into()), "a name that was given stays");
}

#[test]
fn fields_tell_how_it_went() {
    let rows: [(Open, SpanStatus, &str); 6] = [
        (|| info_span!("a"), SpanStatus::Ok, "nothing was said"),
        (|| info_span!("a", otel.status_code = "OK"), SpanStatus::Ok, "OpenTelemetry's word"),
        (|| info_span!("a", otel.status_code = "ERROR"), SpanStatus::InternalError, "the other one"),
        (|| info_span!("a", otel.status_code = ?"odd"), SpanStatus::Ok, "no word of theirs"),
        (|| info_span!("a", sentry.status = "not_found"), SpanStatus::NotFound, "Sentry's word"),
        (|| info_span!("a", sentry.status = "odd"), SpanStatus::Ok, "no word of Sentry's"),
    ];
    for (open, expected, reason) in rows {
        let captured = record(|| drop(open()));
        assert_eq!(captured.expect_span("a").status, Some(expected), "{reason}");
    }
}

#[test]
fn what_went_wrong_may_be_told_later() {
    let captured = record(|| {
        let span = info_span!("call", otel.status_code = Empty, otel.status_description = Empty);
        span.record("otel.status_code", "error");
        span.record("otel.status_description", "out of stock");
    });
    let span = captured.expect_span("call");
    assert_eq!(span.status, Some(SpanStatus::InternalError));
    assert_eq!(span.data.get("error.message"), Some(&"out of stock".into()));
}

#[test]
fn tags_are_tags() {
    let captured = record(|| drop(info_span!("tagged", tags.plan = "gold", tags.seats = 4)));
    let span = captured.expect_span("tagged");
    assert_eq!(span.tags.get("plan").map(AsRef::as_ref), Some("gold"));
    assert_eq!(span.tags.get("seats").map(AsRef::as_ref), Some("4"));
}

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("order not placed")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of stock")
    }
}

impl Error for Inner {}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn errors_are_told_with_their_causes() {
    let captured = record(|| {
        let error: &(dyn Error + 'static) = &Outer(Inner);
        let _span = info_span!("failing", error);
    });
    let span = captured.expect_span("failing");
    assert_eq!(span.data.get("error"), Some(&"order not placed".into()));
    assert_eq!(span.data.get("error.chain"), Some(&vec!["out of stock"].into()));
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a value that cannot be shown")
    }
}

/// Opens a span of its own, as careless getters do, below the one that it is recorded on.
struct Opens(Span);

impl fmt::Debug for Opens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _inner = info_span!(parent: &self.0, "inner", answer = 42).entered();
        f.write_str("opened")
    }
}

#[test]
fn values_that_misbehave_do_no_harm() {
    let captured = record(|| {
        let span = info_span!("odd", panics = ?Panics, opens = Empty, after = 1);
        let opens = Opens(span.clone());
        span.record("opens", tracing::field::debug(&opens));
    });
    let span = captured.expect_span("odd");
    assert_eq!(span.data.get("after"), Some(&1.into()), "what comes after is recorded");
    assert_eq!(span.data.get("opens"), Some(&"opened".into()));
    assert_eq!(captured.transaction.spans.len(), 1, "what starts while a value is formatted is not recorded");
}

#[test]
fn where_a_span_is_in_the_code_is_told_when_asked_for() {
    let layer = sentrace_tracing::layer().code_location(true);
    let captured = record_with(layer, || drop(info_span!("here")));
    let data = &captured.expect_span("here").data;
    assert_eq!(data.get("code.module.name"), Some(&module_path!().into()));
    assert_eq!(data.get("code.file.path"), Some(&file!().into()));
    assert!(matches!(data.get("code.line.number"), Some(Value::Int(_))));
}
