//! Gateways, whatever comes in.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, InCurrentSpan as _, Options, Origin};
use sentrace_tower::{SentryClientLayer, SentryTracingLayer};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::in_time;

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn value(name: &'static str) -> BoxedStrategy<(HeaderName, HeaderValue)> {
    let texts = match name {
        "sentry-trace" => vec![
            format!("{CALLER}-{PARENT}-1"),
            format!("{CALLER}-{PARENT}-0"),
            format!("{CALLER}-{PARENT}"),
            format!("{CALLER}-{PARENT}-1,{CALLER}-{PARENT}-1"),
            format!("{CALLER}-{PARENT}-1,{CALLER}-1111111111111111-1"),
            format!("{CALLER}-{PARENT}-1, undefined"),
            "undefined".to_owned(),
            String::new(),
        ],
        "traceparent" => vec![
            format!("00-{CALLER}-{PARENT}-01"),
            "00-33333333333333333333333333333333-4444444444444444-01".to_owned(),
            "nonsense".to_owned(),
        ],
        _ => vec![
            format!("tenant=7,sentry-trace_id={CALLER},sentry-sampled=true,sentry-sample_rate=1"),
            "sentry-org_id=9".to_owned(),
            "sentry-org_id=7,other=1".to_owned(),
            "tenant=7".to_owned(),
            "=,=;,sentry-".to_owned(),
        ],
    };
    let text = select(texts).prop_map(|text| HeaderValue::from_str(&text).expect("it is printable"));
    let bytes = vec(prop_oneof![Just(b'\t'), 32..127_u8, 128..=255_u8], 0..40)
        .prop_map(|bytes| HeaderValue::from_bytes(&bytes).expect("it has no control characters"));
    prop_oneof![6 => text, 1 => bytes].prop_map(move |value| (HeaderName::from_static(name), value)).boxed()
}

fn fields() -> impl Strategy<Value = HeaderMap> {
    let field = prop_oneof![4 => value("sentry-trace"), 2 => value("baggage"), 1 => value("traceparent")];
    vec(field, 0..5).prop_map(|fields| {
        fields.into_iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    })
}

/// How the gateway is set.
#[derive(Debug, Clone)]
struct Gateway {
    rate: Option<f64>,
    trusts: bool,
    filtered: bool,
    strict: bool,
    reads_w3c: bool,
    writes_w3c: bool,
    may_go_on: bool,
    spawns: bool,
    grpc: bool,
}

fn gateway() -> impl Strategy<Value = Gateway> {
    let flags = any::<(bool, bool, bool, bool, bool, bool, bool)>();
    (select(vec![None, Some(0.0), Some(1.0), Some(1.0)]), flags, proptest::bool::weighted(0.2)).prop_map(
        |(rate, (trusts, strict, reads_w3c, writes_w3c, may_go_on, spawns, grpc), filtered)| Gateway {
            rate,
            trusts,
            filtered,
            strict,
            reads_w3c,
            writes_w3c,
            may_go_on,
            spawns,
            grpc,
        },
    )
}

impl Gateway {
    fn client(&self) -> (Client, Arc<Capture>) {
        let origin = if self.may_go_on { "next.test" } else { "other.test" };
        let mut options = Options::new()
            .org_id("7")
            .strict_trace_continuation(self.strict)
            .continue_traceparent(self.reads_w3c)
            .propagate_traceparent(self.writes_w3c)
            .tracing_origins([Origin::host(origin)]);
        if let Some(rate) = self.rate {
            options = options.traces_sample_rate(rate);
        }
        Capture::client(options).unwrap()
    }

    fn layer(&self) -> SentryTracingLayer {
        let records = !self.filtered;
        SentryTracingLayer::new().trust_incoming(self.trusts).filter(move |_| records)
    }
}

/// What the gateway and the service behind it recorded, and the headers between them.
struct Seen {
    gateway: Option<CapturedTransaction>,
    next: CapturedTransaction,
    between: HeaderMap,
}

/// Sends a request with these headers through a gateway that copies them.
async fn pass(set: &Gateway, headers: HeaderMap) -> Seen {
    // Records everything and reads whatever it can.
    let (behind, recorded) =
        Capture::client(Options::new().traces_sampler(|_| 1.0).continue_traceparent(true)).unwrap();
    let between = Arc::new(std::sync::Mutex::new(HeaderMap::new()));
    let look = Arc::clone(&between);
    let next = Router::new().fallback(async || "here").layer(SentryTracingLayer::new().client(behind));
    let wire = service_fn(move |request: Request<Body>| {
        *look.lock().unwrap() = request.headers().clone();
        let next = next.clone();
        async move { Ok::<_, Infallible>(tokio::spawn(next.oneshot(request)).await.unwrap().unwrap()) }
    });
    let (client, capture) = set.client();
    let http = SentryClientLayer::new().client(client.clone()).layer(wire);
    let Gateway { spawns, grpc, .. } = *set;
    let forward = async move |headers: HeaderMap| {
        let mut onward = Request::get("http://next.test/").body(Body::empty()).unwrap();
        *onward.headers_mut() = headers;
        if grpc {
            onward.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        }
        let call = http.oneshot(onward);
        let answer = if spawns { tokio::spawn(call.in_current_span()).await.unwrap() } else { call.await };
        let body = answer.unwrap().into_body();
        axum::body::to_bytes(Body::new(body), 100).await.unwrap()
    };
    let app = Router::new().fallback(forward).layer(set.layer().client(client));
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    *request.headers_mut() = headers;
    let answer = in_time(app.oneshot(request)).await.unwrap();
    in_time(axum::body::to_bytes(answer.into_body(), 100)).await.unwrap();
    let next = recorded.take().pop().expect("everything is recorded behind the gateway");
    let between = between.lock().unwrap().clone();
    Seen { gateway: capture.take().pop(), next, between }
}

fn config(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn whatever_comes_in_the_next_service_hangs_below_the_gateway_or_is_told_nothing(
        set in gateway(),
        headers in fields(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Seen { gateway, next, between } = runtime.block_on(pass(&set, headers.clone()));
        let next = next.transaction.trace;
        let claim = format!("{headers:?} became {between:?}");
        if !set.may_go_on {
            prop_assert!(!sentrace_core::adapter::has_trace_headers(&between), "{claim}");
            prop_assert!(!between.contains_key("traceparent"), "{claim}");
            prop_assert_eq!(next.parent_span_id, None, "{}", claim);
            return Ok(());
        }
        prop_assert_eq!(between.get_all("sentry-trace").iter().count(), 1, "{}", claim);
        match gateway {
            Some(CapturedTransaction { transaction, .. }) => {
                prop_assert_eq!(next.trace_id, transaction.trace.trace_id, "{}", claim);
                prop_assert_eq!(next.parent_span_id, Some(transaction.spans[0].span_id), "{}", claim);
            }
            // What is not recorded passes through, or begins a trace whose first span is not recorded.
            None if set.trusts => prop_assert!(next.parent_span_id.is_some(), "{claim}"),
            None => {
                prop_assert!(next.parent_span_id.is_some_and(|parent| parent.to_string() != PARENT), "{claim}");
                prop_assert_ne!(next.trace_id.to_string(), CALLER, "{}", claim);
            }
        }
        let mut w3c = between.get_all("traceparent").iter();
        if set.writes_w3c {
            let (Some(w3c), None) = (w3c.next(), w3c.next()) else { panic!("{claim}") };
            let parent = next.parent_span_id.unwrap();
            prop_assert!(w3c.to_str().unwrap().contains(&format!("-{}-{parent}-", next.trace_id)), "{claim}");
        }
    }
}
