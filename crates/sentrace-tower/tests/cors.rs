//! `SentryCorsLayer` with tower-http's `CorsLayer`, over real sockets, in both orders.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::net::SocketAddr;
use std::sync::mpsc;

use axum::Router;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::routing::{get, options, post};
use sentrace_core::Options;
use sentrace_core::testing::Capture;
use sentrace_testkit::{Answer, Wire, serve_at as serve};
use sentrace_tower::cors::Misplacement;
use sentrace_tower::{SentryCorsLayer, SentryTracingLayer, sentry_headers};
use tower::ServiceBuilder;
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

const SHOP: &str = "https://shop.example";

const PREFLIGHT: &str = "OPTIONS /pay HTTP/1.1\r\nHost: api.example\r\nOrigin: https://shop.example\r\n\
    Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: baggage,content-type,sentry-trace\r\n";
const FOREIGN_PREFLIGHT: &str = "OPTIONS /pay HTTP/1.1\r\nHost: api.example\r\n\
    Origin: https://foreign.example\r\nAccess-Control-Request-Method: POST\r\n";
const CROSS_ORIGIN: &str =
    "POST /pay HTTP/1.1\r\nHost: api.example\r\nOrigin: https://shop.example\r\nContent-Length: 0\r\n";
const SAME_ORIGIN: &str =
    "POST /pay HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://shop.example\r\nContent-Length: 0\r\n";

fn shop() -> Router {
    Router::new().route("/pay", post(|| async { "paid" }))
}

fn cors() -> CorsLayer {
    let origins = AllowOrigin::list([HeaderValue::from_static(SHOP)]);
    CorsLayer::new().allow_origin(origins).allow_methods([Method::POST]).allow_headers([CONTENT_TYPE])
}

/// A layer, and what it finds out about its place.
fn watched() -> (SentryCorsLayer, mpsc::Receiver<Misplacement>) {
    let (sender, findings) = mpsc::channel();
    let layer = SentryCorsLayer::new().on_misplaced(move |misplacement| sender.send(*misplacement).unwrap());
    (layer, findings)
}

/// Whether a browser on the shop's page would send these request headers after this answer.
fn permits(answer: &Answer, headers: &[&str]) -> bool {
    let allowed = answer.all("access-control-allow-headers").join(",").to_ascii_lowercase();
    (200..300).contains(&answer.status())
        && matches!(answer.all("access-control-allow-origin")[..], ["*" | SHOP])
        && headers.iter().all(|header| allowed.split(',').any(|name| name.trim() == *header))
}

async fn ask(address: SocketAddr, request: &str) -> Answer {
    Wire::connect(address).await.ask(request).await
}

#[tokio::test]
async fn outside_the_cors_layer_a_browser_may_send_trace_headers() {
    let (layer, findings) = watched();
    let by_router = shop().layer(cors()).layer(layer.clone());
    let by_builder = shop().layer(ServiceBuilder::new().layer(layer).layer(cors()));
    for (app, way) in [(by_router, "Router::layer"), (by_builder, "ServiceBuilder")] {
        let address = serve(app).await;
        let preflight = ask(address, PREFLIGHT).await;
        assert!(permits(&preflight, &["baggage", "content-type", "sentry-trace"]), "{way}: {preflight:?}");
        let allowed = preflight.all("access-control-allow-headers");
        assert_eq!(allowed, ["content-type,sentry-trace,baggage"], "{way}: one list, nothing else opened");
        assert_eq!(preflight.all("access-control-allow-methods"), ["POST"], "{way}: the methods stay");

        let actual = ask(address, CROSS_ORIGIN).await;
        assert_eq!(actual.body(), "paid", "{way}");
        assert_eq!(actual.all("access-control-allow-headers"), [""; 0], "{way}: only preflights are touched");
    }
    assert_eq!(findings.try_iter().count(), 0, "the right order is not complained about");
}

#[tokio::test]
async fn inside_the_cors_layer_it_cannot_help_and_says_so_once() {
    for way in ["Router::layer", "ServiceBuilder"] {
        let (layer, findings) = watched();
        let app = match way {
            "Router::layer" => shop().layer(layer).layer(cors()),
            _ => shop().layer(ServiceBuilder::new().layer(cors()).layer(layer)),
        };
        let address = serve(app).await;
        let preflight = ask(address, PREFLIGHT).await;
        assert_eq!(preflight.all("access-control-allow-headers"), ["content-type"], "{way}");
        assert_eq!(findings.try_iter().count(), 0, "{way}: CorsLayer keeps preflights to itself");

        for _ in 0..3 {
            let actual = ask(address, CROSS_ORIGIN).await;
            assert_eq!((actual.status(), actual.body()), (200, "paid"), "{way}");
        }
        assert_eq!(findings.try_iter().collect::<Vec<_>>(), [Misplacement::NoPreflightSeen], "{way}");
    }
}

#[tokio::test]
async fn a_cors_layer_that_lists_the_headers_itself_makes_the_order_irrelevant() {
    let headers: Vec<_> = [CONTENT_TYPE].into_iter().chain(sentry_headers()).collect();
    let (layer, findings) = watched();
    let inside = serve(shop().layer(layer.clone()).layer(cors().allow_headers(headers.clone()))).await;
    let outside = serve(shop().layer(cors().allow_headers(headers)).layer(layer)).await;
    for address in [inside, outside] {
        let preflight = ask(address, PREFLIGHT).await;
        assert_eq!(preflight.all("access-control-allow-headers"), ["content-type,sentry-trace,baggage"]);
        let traced =
            format!("{CROSS_ORIGIN}sentry-trace: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331\r\n");
        assert_eq!(ask(address, &traced).await.body(), "paid");
    }
    assert_eq!(findings.try_iter().count(), 0);
}

#[tokio::test]
async fn without_a_cors_layer_a_preflight_stays_refused_and_that_is_told() {
    let (layer, findings) = watched();
    let address = serve(shop().layer(layer)).await;
    for _ in 0..2 {
        let preflight = ask(address, PREFLIGHT).await;
        assert_eq!(preflight.status(), 405);
        assert_eq!(preflight.all("access-control-allow-headers"), [""; 0]);
        assert_eq!(preflight.all("access-control-allow-origin"), [""; 0], "an origin is never opened");
    }
    let expected = Misplacement::PreflightUndecided(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(findings.try_iter().collect::<Vec<_>>(), [expected]);
}

#[tokio::test]
async fn a_refused_origin_stays_refused_and_is_no_finding() {
    let (layer, findings) = watched();
    let address = serve(shop().layer(cors()).layer(layer)).await;
    let foreign = CROSS_ORIGIN.replace("shop.example", "foreign.example");
    assert_eq!(ask(address, &foreign).await.all("access-control-allow-origin"), [""; 0]);
    let preflight = ask(address, FOREIGN_PREFLIGHT).await;
    assert_eq!(preflight.all("access-control-allow-origin"), [""; 0]);
    assert_eq!(preflight.all("access-control-allow-headers"), ["content-type"], "left as CorsLayer wrote it");
    assert_eq!(findings.try_iter().count(), 0);
}

#[tokio::test]
async fn a_service_for_its_own_pages_is_not_bothered_about_cors() {
    let (layer, findings) = watched();
    let address = serve(shop().layer(layer)).await;
    assert_eq!(ask(address, SAME_ORIGIN).await.body(), "paid");
    assert_eq!(ask(address, "OPTIONS /pay HTTP/1.1\r\nHost: shop.example\r\n").await.status(), 405);
    assert_eq!(findings.try_iter().count(), 0);
}

#[tokio::test]
async fn every_way_to_configure_allowed_headers_keeps_its_meaning() {
    let listed = |headers: AllowHeaders| cors().allow_headers(headers);
    let rows = [
        (CorsLayer::new().allow_origin(Any), "sentry-trace,baggage", "no list: one with only ours"),
        (listed(AllowHeaders::any()), "*", "the wildcard already says it"),
        (
            listed(AllowHeaders::mirror_request()),
            "baggage,content-type,sentry-trace",
            "mirrored names are not listed twice",
        ),
        (
            listed(AllowHeaders::list([AUTHORIZATION])).allow_credentials(true),
            "authorization,sentry-trace,baggage",
            "a list with credentials",
        ),
    ];
    for (cors, expected, reason) in rows {
        let address = serve(shop().layer(cors).layer(SentryCorsLayer::new())).await;
        let preflight = ask(address, PREFLIGHT).await;
        assert_eq!(preflight.all("access-control-allow-headers"), [expected], "{reason}");
    }
}

#[tokio::test]
async fn a_literal_star_beside_credentials_is_extended() {
    let grant = [
        ("access-control-allow-origin", SHOP),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "*"),
    ];
    let by_hand = Router::new().route("/pay", options(move || async move { (grant, "") }));
    let preflight = ask(serve(by_hand.layer(SentryCorsLayer::new())).await, PREFLIGHT).await;
    assert_eq!(preflight.all("access-control-allow-headers"), ["*,sentry-trace,baggage"]);
}

#[tokio::test]
async fn traceparent_is_allowed_when_asked_for() {
    for (asked, expected) in [
        (false, "content-type,sentry-trace,baggage"),
        (true, "content-type,sentry-trace,baggage,traceparent"),
    ] {
        let address = serve(shop().layer(cors()).layer(SentryCorsLayer::new().traceparent(asked))).await;
        assert_eq!(ask(address, PREFLIGHT).await.all("access-control-allow-headers"), [expected]);
    }
}

#[tokio::test]
async fn traceparent_is_allowed_where_the_client_propagates_it_unless_told_otherwise() {
    let rows = [
        (true, None, true, "the client propagates it"),
        (false, None, false, "the client does not"),
        (true, Some(false), false, "the layer was told not to"),
        (false, Some(true), true, "the layer was told to"),
    ];
    for (propagated, told, expected, reason) in rows {
        let (client, _) = Capture::client(Options::new().propagate_traceparent(propagated)).unwrap();
        let (mut layer, _findings) = watched();
        if let Some(told) = told {
            layer = layer.traceparent(told);
        }
        let app = shop().layer(cors()).layer(layer).layer(SentryTracingLayer::new().client(client));
        let preflight = ask(serve(app).await, PREFLIGHT).await;
        assert!(permits(&preflight, &["sentry-trace", "baggage"]), "{reason}");
        assert_eq!(permits(&preflight, &["traceparent"]), expected, "{reason}");
    }
}

#[tokio::test]
async fn only_granted_preflights_are_touched() {
    let origin = ("access-control-allow-origin", SHOP);
    let app = Router::new()
        .route("/pay", options(move || async move { (StatusCode::FORBIDDEN, [origin], "") }))
        .route("/rates", get(|| async { "12" }).options(move || async move { ([origin], "GET, OPTIONS") }));
    let address = serve(app.layer(SentryCorsLayer::new())).await;
    let untouched = [
        (PREFLIGHT.to_owned(), 403, "an answer that is no success grants nothing"),
        (
            "OPTIONS /rates HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.example\r\n".to_owned(),
            200,
            "OPTIONS without a requested method is no preflight",
        ),
    ];
    for (request, status, reason) in untouched {
        let answer = ask(address, &request).await;
        assert_eq!(answer.status(), status, "{reason}");
        assert_eq!(answer.all("access-control-allow-headers"), [""; 0], "{reason}");
    }
}

/// The other half of `unhooked_it_warns_once_on_standard_error`, which runs it in a process of its own.
#[tokio::test]
#[ignore = "writes to standard error; run by another test"]
async fn misplaced_without_a_hook() {
    let address = serve(shop().layer(SentryCorsLayer::new()).layer(cors())).await;
    for _ in 0..3 {
        ask(address, CROSS_ORIGIN).await;
    }
}

#[test]
fn unhooked_it_warns_once_on_standard_error() {
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "misplaced_without_a_hook", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let errors = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{errors}");
    assert_eq!(errors.matches("the CORS layer sits outside of SentryCorsLayer").count(), 1, "{errors}");
}
