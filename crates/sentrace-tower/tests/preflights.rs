//! Wrong setups of CORS, as the server layer sees them. The messages go to one handler for the whole process, so it is one test.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::routing::{options, post};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options};
use sentrace_tower::{SentryCorsLayer, SentryTracingLayer, sentry_headers};
use tower::ServiceExt;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

const SHOP: &str = "https://shop.example";
const ASKED: &str = "baggage,content-type,sentry-trace";

fn client(options: Options) -> Client {
    Capture::client(options.traces_sample_rate(1.0)).unwrap().0
}

fn shop() -> Router {
    Router::new().route("/pay", post(async || "paid"))
}

fn cors() -> CorsLayer {
    let origins = AllowOrigin::list([HeaderValue::from_static(SHOP)]);
    CorsLayer::new().allow_origin(origins).allow_methods([Method::POST]).allow_headers([CONTENT_TYPE])
}

fn preflight(path: &str, origin: &str, asked: &str) -> Request<Body> {
    let request = Request::builder().method("OPTIONS").uri(path).header("host", "api.example");
    let request = request.header("origin", origin).header("access-control-request-method", "POST");
    request.header("access-control-request-headers", asked).body(Body::empty()).unwrap()
}

/// What is said about three such preflights.
async fn said(app: Router, origin: &str, asked: &str) -> Vec<String> {
    for _ in 0..3 {
        app.clone().oneshot(preflight("/pay", origin, asked)).await.map(drop).unwrap();
    }
    std::mem::take(&mut *SAID.lock().unwrap())
}

#[tokio::test]
async fn a_granted_preflight_without_our_headers_is_warned_about_once() {
    assert!(set_handler(|level, message| {
        if level == Level::Warning {
            SAID.lock().unwrap().push(message.to_owned());
        }
    }));
    let traced = || SentryTracingLayer::new().client(client(Options::new()));
    let listed: Vec<_> = [CONTENT_TYPE].into_iter().chain(sentry_headers()).collect();
    let star = CorsLayer::new().allow_origin(Any).allow_headers(Any);
    let by_hand = |allowed: &'static str| {
        let answer = [("access-control-allow-origin", SHOP), ("access-control-allow-headers", allowed)];
        Router::new().route("/pay", options(async move || (answer, "")))
    };
    let with_credentials = options(async || {
        let answer = [
            ("access-control-allow-origin", SHOP),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-headers", "*"),
        ];
        (answer, "")
    });
    let rows = [
        (shop().layer(cors()), SHOP, ASKED, Some("sentry-trace, baggage"), "SentryCorsLayer is missing"),
        (
            shop().layer(SentryCorsLayer::new()).layer(cors()),
            SHOP,
            ASKED,
            Some("sentry-trace, baggage"),
            "inside of CorsLayer",
        ),
        (by_hand("Content-Type, Sentry-Trace"), SHOP, ASKED, Some("baggage"), "one of them is listed"),
        (
            Router::new().route("/pay", with_credentials),
            SHOP,
            ASKED,
            Some("sentry-trace, baggage"),
            "`*` beside credentials",
        ),
        (shop().layer(cors()).layer(SentryCorsLayer::new()), SHOP, ASKED, None, "the right order"),
        (shop().layer(cors().allow_headers(listed)), SHOP, ASKED, None, "listed by hand"),
        (shop().layer(star), SHOP, ASKED, None, "everything is allowed"),
        (shop().layer(CorsLayer::very_permissive()), SHOP, ASKED, None, "whatever is asked for is allowed"),
        (shop().layer(cors()), "https://foreign.example", ASKED, None, "a refused origin"),
        (shop().layer(cors()), SHOP, "content-type", None, "a page without Sentry"),
        (shop().layer(cors()), SHOP, "baggage,traceparent", None, "a page with another vendor's tracing"),
        (shop(), SHOP, ASKED, None, "no CORS at all"),
    ];
    for (app, origin, asked, refused, reason) in rows {
        let said = said(app.layer(traced()), origin, asked).await;
        match refused {
            Some(names) => {
                let [message] = &said[..] else { panic!("{reason}: {said:?}") };
                assert!(message.contains(&format!("request headers {names} that")), "{reason}: {message}");
                assert!(
                    message.contains(SHOP) && message.contains("SentryCorsLayer outside"),
                    "{reason}: {message}"
                );
            }
            None => assert!(said.is_empty(), "{reason}: {said:?}"),
        }
    }

    // The browser's SDK may send traceparent, too.
    let asked = "baggage,sentry-trace,traceparent";
    let app = |options: Options| {
        let layer = SentryTracingLayer::new().client(client(options));
        shop().layer(cors()).layer(SentryCorsLayer::new()).layer(layer)
    };
    let refused = said(app(Options::new()), SHOP, asked).await;
    assert!(matches!(&refused[..], [message] if message.contains("traceparent(true)")), "{refused:?}");
    assert_eq!(
        said(app(Options::new().continue_traceparent(true)), SHOP, asked).await,
        [""; 0],
        "it is read"
    );
    assert_eq!(
        said(app(Options::new().propagate_traceparent(true)), SHOP, asked).await,
        [""; 0],
        "it is sent"
    );

    // CORS on a part of the routes only.
    let partly = || {
        let api = Router::new().route("/pay", post(async || "paid")).layer(cors());
        Router::new().nest("/api", api).route("/health", post(async || "well"))
    };
    let app = partly().layer(SentryCorsLayer::new()).layer(traced());
    for path in ["/health", "/nope", "/.env", "/health", "/api/pay", "/health", "/health", "/nope"] {
        for asked in ["content-type", ASKED] {
            app.clone().oneshot(preflight(path, SHOP, asked)).await.map(drop).unwrap();
        }
    }
    assert_eq!(std::mem::take(&mut *SAID.lock().unwrap()), [""; 0], "CORS on a nested router");
}
