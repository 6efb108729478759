//! That attributes of adapters follow Sentry's conventions, in both lifecycles.
//!
//! The attributes are those of traces: every adapter runs, and what it records is checked against the
//! conventions.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::{HeaderValue, Request, Response, StatusCode, header};
use sentrace::adapter::{CallSpan, OutgoingRequest};
use sentrace::env::TracedCommand as _;
use sentrace::job::{JobTrace, Process, Publish};
use sentrace::protocol::{Data, Value};
use sentrace::testing::Capture;
use sentrace::tower::{JobHead, SentryJobLayer, SentryMiddlewareSpanLayer, SentryRequestSizeLayer};
use sentrace::{
    Client, DataCollection, HandlerError, Options, SentryClientLayer, SentryTracingLayer,
    SentryTracingMiddleware, TraceLifecycle, TrustedProxies,
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing_subscriber::layer::SubscriberExt as _;

/// Keys that the conventions do not have, and why they are sent.
const OWN: &[(&str, &str)] = &[
    ("busy_ns", "`tracing`'s own name for it, in its formatters and in tracing-opentelemetry"),
    ("code.module.name", "as Sentry's own SDK for Rust names the module of a `tracing` span"),
    ("db.rows_affected", "sqlx's field with a namespace; the conventions count no rows"),
    ("db.rows_returned", "the same"),
    (
        "error.message",
        "OpenTelemetry's; the conventions have the message of exceptions only, and errors of Rust are none",
    ),
    ("follows_from", "`tracing`'s own name for it"),
    ("http.request.long_lived", "ours: why a request stays open after its response's head"),
    ("http.request.method_original", "OpenTelemetry's, and JavaScript's, beside the method `_OTHER`"),
    ("idle_ns", "see `busy_ns`"),
];

#[derive(Debug)]
struct Convention {
    kind: String,
    is_deprecated: bool,
}

fn conventions() -> BTreeMap<String, Convention> {
    let lines = include_str!("conventions.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let is_deprecated = columns[2] == "deprecated";
            (columns[0].to_owned(), Convention { kind: columns[1].to_owned(), is_deprecated })
        })
        .collect()
}

/// The convention for a key, which may be one for all keys of a family (`http.request.header.<key>`).
fn convention<'a>(conventions: &'a BTreeMap<String, Convention>, key: &str) -> Option<&'a Convention> {
    conventions.get(key).or_else(|| {
        let (family, _) = conventions
            .keys()
            .filter_map(|known| Some((known, known.strip_suffix("<key>")?)))
            .find(|(_, prefix)| key.starts_with(prefix))?;
        conventions.get(family)
    })
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "double",
        Value::Str(_) => "string",
        Value::Strs(_) => "string[]",
        _ => "another type",
    }
}

#[test]
fn every_attribute_of_an_adapter_is_one_of_the_conventions() {
    let conventions = conventions();
    let mut own = BTreeSet::new();
    let mut wrong = BTreeSet::new();
    for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
        let attributes = recorded(lifecycle);
        assert!(attributes.len() > 50, "every adapter has run: {attributes:?}");
        for (key, types) in attributes {
            let Some(convention) = convention(&conventions, &key) else {
                if OWN.iter().any(|(known, _)| *known == key) {
                    own.insert(key);
                } else {
                    wrong.insert(format!("{key} is not in the conventions ({lifecycle:?})"));
                }
                continue;
            };
            if convention.is_deprecated {
                wrong.insert(format!("{key} is deprecated ({lifecycle:?})"));
            }
            for kind in types {
                if kind != convention.kind {
                    wrong.insert(format!("{key} is a {kind}, not a {} ({lifecycle:?})", convention.kind));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let listed: BTreeSet<_> = OWN.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(own, listed, "keys of our own that no adapter sends any more");
}

/// The keys that all adapters set, with their types.
fn recorded(lifecycle: TraceLifecycle) -> BTreeMap<String, BTreeSet<&'static str>> {
    let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle).release("shop@1");
    let (client, capture) = Capture::client(options.server_name("web-1")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        serve(&client).await;
        serve_grpc(&client).await;
        stay_open(&client).await;
        call(&client).await;
        work(&client).await;
    });
    trace(&client);
    client.start_idle_transaction("idle").finish();
    attributes(&capture)
}

fn attributes(capture: &Arc<Capture>) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut found: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    let mut add = |data: &Data<'_>| {
        for (key, value) in data.iter() {
            found.entry(key.to_owned()).or_default().insert(kind(value));
        }
    };
    for captured in capture.take() {
        add(&captured.transaction.trace.data);
        captured.transaction.spans.iter().for_each(|span| add(&span.data));
    }
    capture.take_spans().iter().for_each(|captured| add(&captured.span.attributes));
    found
}

fn layer(client: &Client) -> SentryTracingLayer {
    SentryTracingLayer::new()
        .client(client.clone())
        .trusted_proxies(TrustedProxies::private().peer_is_proxy())
        .data_collection(DataCollection::new().user_info(true))
}

/// A request with all that is recorded of one, behind a middleware, with an error.
async fn serve(client: &Client) {
    let handler = post(async || {
        let mut response = Response::new(Body::from("no"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(HandlerError::new(std::io::Error::other("no stock")));
        response
    });
    let app = Router::new()
        .route("/orders/{id}", handler)
        .layer(SentryMiddlewareSpanLayer::new("auth", tower::layer::util::Identity::new()))
        .layer(SentryRequestSizeLayer::new())
        .layer(layer(client));
    for (method, length) in [("POST", true), ("BREW", false)] {
        let request = Request::builder()
            .method(method)
            .uri("https://shop.test:8443/orders/7?page=2")
            .header("x-forwarded-for", "9.9.9.9")
            .header("x-request-start", "t=1700000000.5")
            .header("user-agent", "curl/8");
        let request = if length { request.header("content-length", "3") } else { request };
        let response = app.clone().oneshot(request.body(Body::from("abc")).unwrap()).await.unwrap();
        axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    }
}

fn grpc() -> Request<Body> {
    let request = Request::builder().method("POST").uri("http://shop.test:50051/shop.Orders/Get");
    request.header(header::CONTENT_TYPE, "application/grpc").body(Body::empty()).unwrap()
}

async fn answer_grpc<B>(_: Request<B>) -> Result<Response<Body>, Infallible> {
    let response = Response::builder().header(header::CONTENT_TYPE, "application/grpc");
    Ok(response.header("grpc-status", "4").body(Body::empty()).unwrap())
}

async fn serve_grpc(client: &Client) {
    layer(client).layer(service_fn(answer_grpc)).oneshot(grpc()).await.map(drop).unwrap();
}

/// An event stream, and a WebSocket.
async fn stay_open(client: &Client) {
    for upgrades in [false, true] {
        let service = service_fn(move |_: Request<Body>| async move {
            let mut response =
                Response::new(Body::from_stream(futures_util::stream::pending::<Result<&str, Infallible>>()));
            if upgrades {
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            } else {
                let kind = HeaderValue::from_static("text/event-stream");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            Ok::<_, Infallible>(response)
        });
        let request = Request::builder().uri("/live").header(header::CONNECTION, "upgrade");
        let request = request.header(header::UPGRADE, "websocket").body(Body::empty()).unwrap();
        layer(client).layer(service).oneshot(request).await.map(drop).unwrap();
    }
}

/// Calls of all clients: that are answered, redirected, and that fail.
async fn call(client: &Client) {
    let moved =
        async || Response::builder().status(302).header(header::LOCATION, "/").body(Body::empty()).unwrap();
    let app =
        Router::new().route("/", axum::routing::get(async || "x")).route("/moved", axum::routing::get(moved));
    let base = sentrace_testkit::serve(app).await;
    let middleware = SentryTracingMiddleware::new().client(client.clone());
    let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(middleware).build();
    let tower = SentryClientLayer::new().client(client.clone());
    let transaction = client.start_transaction("calls", "task");
    transaction
        .scope(async {
            http.get(format!("{base}/moved?a=1")).send().await.unwrap();
            http.request(http::Method::from_bytes(b"BREW").unwrap(), &base).send().await.unwrap();
            http.get("http://127.0.0.1:1/").send().await.unwrap_err();
            tower.layer(service_fn(answer_grpc)).oneshot(grpc()).await.map(drop).unwrap();
            let answer =
                service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
            let request = Request::builder().uri("https://u:p@shop.test/a?b=c").body(Body::empty()).unwrap();
            tower.layer(answer).oneshot(request).await.map(drop).unwrap();
            let failed = OutgoingRequest { method: "GET", host: "h", ..OutgoingRequest::default() };
            CallSpan::http(&sentrace::current_span(), "auto.http.test", None, &failed)
                .finish_with_error("timeout");
        })
        .await;
    transaction.finish();
}

/// A job on both sides of its queue, and a subprocess.
async fn work(client: &Client) {
    let transaction = client.start_transaction("work", "task");
    let trace = transaction.enter(|| {
        let (span, trace) = Publish::to("mails").system("redis").message_id("17").body_size(120).start();
        span.finish();
        let (mut child, span) = Command::new("true").spawn_traced().unwrap();
        child.wait().unwrap();
        span.finish();
        Command::new("/no/such/program").spawn_traced().unwrap_err();
        trace
    });
    let failing = sentrace::try_in_span("task", "fails", async { Err::<(), _>("no stock") });
    transaction.scope(failing).await.unwrap_err();
    transaction.finish();
    let process = Process::of("mails", "send mail").system("redis").message_id("17").body_size(120);
    process.retry_count(2).client(client).start(&trace).finish();
    let read = |trace: &JobTrace| JobHead::new("send mail", trace.clone()).message_id("17").retry_count(1);
    let worker = SentryJobLayer::new("mails", read).client(client.clone());
    let fails = service_fn(async |_: JobTrace| Err::<(), _>(std::io::Error::other("no stock")));
    worker.layer(fails).oneshot(trace).await.unwrap_err();
}

/// Spans and events of `tracing`, with fields by names that were deprecated since, and what sqlx tells.
fn trace(client: &Client) {
    let layer = sentrace::tracing::layer().busy_times(true).code_location(true);
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    client.start_transaction("traced", "task").enter(|| {
        let first = tracing::info_span!(
            "request",
            otel.kind = "client",
            http.method = "GET",
            http.status_code = 200,
            http.url = "http://h/",
            http.scheme = "http",
            http.user_agent = "curl/8",
            net.host.name = "h",
            net.host.port = 80,
        );
        let second = tracing::info_span!(
            "query",
            db.system = "postgresql",
            db.name = "shop",
            db.operation = "SELECT",
            db.statement = "SELECT 1"
        );
        second.follows_from(&first);
        second.in_scope(|| tracing::error!(error = "gone", "failed"));
        drop(tracing::info_span!("message", messaging.system = "kafka", messaging.destination = "x"));
        drop(tracing::info_span!("call", rpc.system = "grpc", rpc.method = "a.B/C"));
        tracing::info!(
            target: "sqlx::query",
            summary = "SELECT a FROM b WHERE …",
            db.statement = "SELECT a FROM b WHERE c = $1",
            rows_affected = 0_u64,
            rows_returned = 1_u64,
            elapsed_secs = 0.1,
        );
    });
}
