//! A browser's preflight through both orders of the CORS layers, with tracing.

use std::sync::mpsc;

use axum::Router;
use axum::routing::post;
use http::{HeaderValue, Method, header};
use sentrace::{SentryCorsLayer, sentry_headers};
use sentrace_tests::{Ingest, Wire, serve};
use tower_http::cors::{AllowOrigin, CorsLayer};

const PREFLIGHT: &str = "OPTIONS /pay HTTP/1.1\r\nHost: api.test\r\nOrigin: https://shop.test\r\n\
    Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: baggage,content-type,sentry-trace\r\n";
const CALL: &str = "POST /pay HTTP/1.1\r\nHost: api.test\r\nOrigin: https://shop.test\r\nContent-Length: 0\r\n\
    sentry-trace: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1\r\n";

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::exact(HeaderValue::from_static("https://shop.test")))
        .allow_methods([Method::POST])
        .allow_headers([header::CONTENT_TYPE])
}

fn permits_trace_headers(allowed: Option<&str>) -> bool {
    let allowed = allowed.unwrap_or_default().to_ascii_lowercase();
    ["sentry-trace", "baggage", "content-type"]
        .iter()
        .all(|name| allowed.split(',').any(|one| one.trim() == *name))
}

#[tokio::test]
async fn outside_cors_layer_browsers_may_send_a_trace_and_it_is_continued() {
    let ingest = Ingest::start();
    let shop = ingest.project("shop");
    let (told, misplaced) = mpsc::channel();
    let app = Router::new()
        .route("/pay", post(async || "paid"))
        .layer(cors())
        .layer(
            SentryCorsLayer::new()
                .on_misplaced(move |misplacement| told.send(format!("{misplacement:?}")).unwrap()),
        )
        .layer(shop.layer());
    let base = serve(app).await;

    let preflight = Wire::connect(&base).await.ask(PREFLIGHT).await;
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://shop.test"));
    assert!(permits_trace_headers(preflight.header("access-control-allow-headers")), "{preflight:?}");

    assert_eq!(Wire::connect(&base).await.ask(CALL).await.status(), 200);
    shop.flush().await;
    let trace = ingest.trace(1).await;
    assert_eq!(trace.summary.id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(trace.summary.name, "POST /pay", "the preflight is no transaction");
    assert!(misplaced.try_recv().is_err(), "nothing is wrong");
}

#[tokio::test]
async fn inside_cors_layer_somebody_is_told_once() {
    let ingest = Ingest::start();
    let shop = ingest.project("shop");
    let (told, misplaced) = mpsc::channel();
    let app = Router::new()
        .route("/pay", post(async || "paid"))
        .layer(
            SentryCorsLayer::new()
                .on_misplaced(move |misplacement| told.send(format!("{misplacement:?}")).unwrap()),
        )
        .layer(cors())
        .layer(shop.layer());
    let base = serve(app).await;

    let preflight = Wire::connect(&base).await.ask(PREFLIGHT).await;
    assert!(!permits_trace_headers(preflight.header("access-control-allow-headers")), "{preflight:?}");
    for _ in 0..3 {
        // After such an answer, a browser sends the request without the headers.
        let call = CALL.split("sentry-trace").next().unwrap();
        assert_eq!(
            Wire::connect(&base).await.ask(call).await.status(),
            200,
            "it costs the headers, not the request"
        );
    }
    assert_eq!(misplaced.try_iter().count(), 1);
}

#[tokio::test]
async fn listing_the_headers_at_cors_layer_does_as_well() {
    let app = Router::new().route("/pay", post(async || "paid")).layer(
        cors().allow_headers([header::CONTENT_TYPE].into_iter().chain(sentry_headers()).collect::<Vec<_>>()),
    );
    let preflight = Wire::connect(&serve(app).await).await.ask(PREFLIGHT).await;
    assert!(permits_trace_headers(preflight.header("access-control-allow-headers")), "{preflight:?}");
}
