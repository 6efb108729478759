//! Names of streamed spans: given by code, or derived from attributes if an adapter named the span.

use std::sync::Arc;

use sentrace_core::adapter::{CallSpan, InstrumentedSpan, OutgoingRequest, RequestParts};
use sentrace_core::carriers::job::{Process, Publish};
use sentrace_core::testing::{Capture, CapturedSpan};
use sentrace_core::{
    Client, DataCollection, IgnoreSpan, Options, SpanRef, TraceLifecycle, Transaction, TransactionOptions,
};
use sentrace_protocol::{TransactionSource, Value};

use crate::support::{lost, recording_with};
use sentrace_protocol::losses::{Category, Reason};

fn stream() -> Options {
    Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream)
}

struct Request {
    method: &'static str,
    route: Option<&'static str>,
}

impl RequestParts for Request {
    fn method(&self) -> &str {
        self.method
    }
    fn scheme(&self) -> &str {
        "https"
    }
    fn host(&self) -> &str {
        "shop.example"
    }
    fn path(&self) -> &str {
        "/users/123"
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn route(&self) -> Option<&str> {
        self.route
    }
    fn protocol_version(&self) -> &'static str {
        "1.1"
    }
    fn for_each_header(&self, _: &mut dyn FnMut(&str, &[u8])) {}
}

/// A request as an adapter opens it, `METHOD path` or `METHOD route`.
fn open(client: &Client, request: &Request) -> Transaction {
    let collection = DataCollection::new();
    let (path, source) = match request.route {
        Some(route) => (route, TransactionSource::Route),
        None => ("/users/123", TransactionSource::Url),
    };
    let options = TransactionOptions::new("", "http.server")
        .http_name(request.method, path)
        .source(source)
        .origin("auto.http.mine")
        .derives_name(true)
        .request(request)
        .data_collection(&collection);
    client.start_transaction_with(&options)
}

fn text<'a>(captured: &'a CapturedSpan, key: &str) -> Option<&'a str> {
    match captured.span.attributes.get(key)? {
        Value::Str(text) => Some(text),
        other => panic!("{key} is {other:?}"),
    }
}

fn segment(spans: &[CapturedSpan]) -> &CapturedSpan {
    spans.iter().find(|captured| captured.span.is_segment).unwrap()
}

fn dsc_name(captured: &CapturedSpan) -> Option<String> {
    let dsc = serde_json::to_value(captured.dynamic_sampling_context.as_ref()?).unwrap();
    dsc.get("transaction").map(|name| name.as_str().unwrap().to_owned())
}

#[test]
fn a_request_is_named_by_its_route_and_never_by_its_path() {
    type Edit = fn(&SpanRef);
    type Row = (&'static str, Option<&'static str>, Edit, &'static str, Option<&'static str>, &'static str);
    let rows: [Row; 7] = [
        ("GET", None, |_| (), "GET", None, "no route"),
        ("GET", Some("/users/:id"), |_| (), "GET /users/:id", Some("GET /users/:id"), "a known route"),
        (
            "GET",
            None,
            |span| span.set_route("/users/{id}"),
            "GET /users/{id}",
            Some("GET /users/{id}"),
            "a route that is known later",
        ),
        ("BREW", None, |_| (), "HTTP", None, "clients can send any method"),
        (
            "GET",
            Some("/users/:id"),
            |span| span.set_transaction_name("checkout", TransactionSource::Custom),
            "checkout",
            Some("checkout"),
            "code names it",
        ),
        (
            "GET",
            None,
            |span| {
                span.set_transaction_name("checkout", TransactionSource::Custom);
                span.set_route("/users/{id}");
            },
            "checkout",
            Some("checkout"),
            "code goes before a route",
        ),
        ("GET", None, |span| span.set_op("invoice"), "GET /users/123", None, "no template for the op"),
    ];
    for (method, route, edit, expected, in_context, reason) in rows {
        let (client, capture) = recording_with(stream());
        let transaction = open(&client, &Request { method, route });
        transaction.start_span("task", "early").finish();
        let late = transaction.start_span("task", "late");
        edit(&transaction);
        transaction.finish();
        late.finish();
        let spans = capture.take_spans();
        assert_eq!(segment(&spans).span.name, expected, "{reason}");
        assert_eq!(dsc_name(segment(&spans)).as_deref(), in_context, "{reason}");
        for span in &spans {
            assert_eq!(text(span, "sentry.segment.name"), Some(expected), "{reason}: {}", span.span.name);
        }
        let path = (method != "BREW").then_some("/users/123").or(Some("/users/123"));
        assert_eq!(text(segment(&spans), "url.path"), path, "the path stays in its attribute");
    }
}

#[test]
fn a_child_is_named_by_its_attributes_unless_code_named_it() {
    let call = |method, host, path| OutgoingRequest {
        method,
        scheme: "https",
        host,
        path,
        query: Some("a=1"),
        ..OutgoingRequest::default()
    };
    let http = |name: Option<&str>, request: OutgoingRequest<'_>| {
        let (client, capture) = recording_with(stream());
        let transaction = client.start_transaction("work", "task");
        CallSpan::http(&transaction, "auto.http.mine", name, &request).finish_with_status_code(200);
        only(&transaction, &capture)
    };
    assert_eq!(http(None, call("GET", "api.example.com", "/users/123")).span.name, "GET api.example.com");
    assert_eq!(http(None, call("GET", "", "/users/123")).span.name, "GET", "no host");
    assert_eq!(http(None, call("BREW", "api.example.com", "/")).span.name, "HTTP");
    assert_eq!(http(Some("pay"), call("GET", "api.example.com", "/")).span.name, "pay", "a hook named it");
    let told = http(None, call("GET", "api.example.com", "/users/123"));
    let url = [
        ("url.full", "https://api.example.com/users/123?a=1"),
        ("url.domain", "api.example.com"),
        ("url.scheme", "https"),
        ("url.path", "/users/123"),
        ("sentry.kind", "client"),
    ];
    for (key, expected) in url {
        assert_eq!(text(&told, key), Some(expected));
    }
    assert_eq!(text(&told, "http.query"), None);

    let adapter = |op, attributes: &[(&'static str, Value<'_>)], name| {
        let (client, capture) = recording_with(stream());
        let transaction = client.start_transaction("work", "task");
        let start = InstrumentedSpan { attributes, name, ..InstrumentedSpan::new(op, "auto.mine", "raw") };
        start.start(&transaction).finish();
        only(&transaction, &capture)
    };
    let statement = [("db.query.text", "SELECT * FROM users WHERE id = ?".into())];
    let select = adapter("db.query", &statement, None);
    assert_eq!(select.span.name, "SELECT users");
    assert_eq!(text(&select, "db.query.summary"), Some("SELECT users"));
    assert_eq!(text(&select, "db.operation.name"), Some("SELECT"));
    assert_eq!(adapter("task", &statement, None).span.name, "SELECT users", "a statement under any op");
    assert_eq!(adapter("db.query", &statement, Some("load user")).span.name, "load user");
    assert_eq!(adapter("task", &[], None).span.name, "raw", "no template for the op");
}

/// The only span below `transaction`.
fn only(transaction: &SpanRef, capture: &Arc<Capture>) -> CapturedSpan {
    let spans = capture.take_spans();
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_eq!(spans[0].span.parent_span_id, transaction.span_id());
    spans.into_iter().next().unwrap()
}

#[test]
fn both_sides_of_a_queue_are_named_by_what_they_do() {
    let (client, capture) = recording_with(stream());
    let transaction = client.start_transaction("order", "task");
    let (span, trace) = transaction.enter(|| Publish::to("mails").system("redis").start());
    span.finish();
    transaction.finish();
    let work = Process::of("mails", "send mail").client(&client).start(&trace);
    work.finish();
    let spans = capture.take_spans();
    let told = |at: usize, key: &str| text(&spans[at], key).unwrap_or_default().to_owned();
    assert_eq!((&*spans[0].span.name, &*spans[2].span.name), ("send mails", "process mails"));
    assert_eq!((told(0, "sentry.kind"), told(2, "sentry.kind")), ("producer".into(), "consumer".into()));
    assert_eq!(told(2, "sentry.description"), "send mail", "the job's own name");
    assert_eq!(told(2, "sentry.segment.name"), "process mails");
    assert!(matches!(
        spans[2].span.attributes.get("messaging.message.receive.latency"),
        Some(Value::Int(0..10_000))
    ));
}

#[test]
fn rules_judge_the_name_and_attributes_that_a_streamed_span_starts_with() {
    let rows = [
        (IgnoreSpan::contains("/health"), false, "the path is in no name"),
        (IgnoreSpan::any().attribute("url.path", "/health"), true, "it is an attribute"),
        (IgnoreSpan::regex("^GET inner.example$").unwrap(), true, "the streamed name"),
        (IgnoreSpan::any().attribute("server.port", "443"), false, "a text is no number"),
        (IgnoreSpan::any().attribute("sentry.origin", "auto.http.mine"), true, "the origin"),
        (IgnoreSpan::any().attribute("url.template", "/"), false, "an attribute that it has not"),
    ];
    for (rule, ignored, reason) in rows {
        let (client, capture) = recording_with(stream().ignore_spans([rule]));
        let transaction = client.start_transaction("work", "task");
        let request = OutgoingRequest {
            method: "GET",
            scheme: "https",
            host: "inner.example",
            path: "/health",
            ..OutgoingRequest::default()
        };
        CallSpan::http(&transaction, "auto.http.mine", None, &request).finish_with_status_code(200);
        assert_eq!(capture.take_spans().is_empty(), ignored, "{reason}");
        assert_eq!(lost(&client, Reason::Ignored, Category::Span), u64::from(ignored), "{reason}");
    }
    let rows = [
        (IgnoreSpan::contains("/users"), false, "a path that is in no name"),
        (IgnoreSpan::regex("^GET$").unwrap(), true, "the streamed name"),
    ];
    for (rule, ignored, reason) in rows {
        let (client, capture) = recording_with(stream().ignore_spans([rule]));
        open(&client, &Request { method: "GET", route: None }).finish();
        assert_eq!(capture.take_spans().is_empty(), ignored, "{reason}");
    }
    let statement = [("db.query.text", "SELECT * FROM users".into())];
    let (client, capture) = recording_with(stream().ignore_spans(["SELECT users"]));
    let transaction = client.start_transaction("work", "task");
    let start = InstrumentedSpan::new("db.query", "auto.mine", "SELECT * FROM users");
    InstrumentedSpan { attributes: &statement, ..start }.start(&transaction).finish();
    assert_eq!(capture.take_spans().len(), 0, "a summary is known at the start");
}

#[test]
fn a_static_trace_has_the_names_that_it_had() {
    let (client, capture) = recording_with(Options::new().traces_sample_rate(1.0));
    let transaction = open(&client, &Request { method: "GET", route: None });
    let start = InstrumentedSpan::new("db.query", "auto.mine", "SELECT * FROM users");
    InstrumentedSpan { attributes: &[("db.query.text", "SELECT 1".into())], ..start }
        .start(&transaction)
        .finish();
    transaction.enter(|| Publish::to("mails").start()).0.finish();
    transaction.finish();
    let captured = capture.expect_transaction("GET /users/123");
    assert_eq!(captured.expect_span("SELECT * FROM users").op, "db.query");
    assert_eq!(captured.expect_span("mails").op, "queue.publish");
    let options = TransactionOptions::new("job", "queue.process").derives_name(true);
    client.start_transaction_with(&options).finish();

    capture.expect_transaction("job");
}
