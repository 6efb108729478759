//! Methods and content types are the client's to choose, so they create no names.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_protocol::{SpanStatus, TransactionSource, http_method};
use sentrace_tower::{SentryRouteLayer, SentryTracingLayer};
use tower::{Layer, ServiceExt};

use crate::support::{Always, data, layer, only, recording};

fn request(method: &str, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

async fn answer(app: &Router, capture: &Capture, request: Request<Body>) -> CapturedTransaction {
    let response = app.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    only(capture.take())
}

fn shop() -> Router {
    Router::new().route("/users/{id}", any(async || "user")).route_layer(SentryRouteLayer::new())
}

/// Every place where the layer may sit, and whether it knows routes there.
fn places(layer: &SentryTracingLayer) -> [(&'static str, Router); 4] {
    let around = |layer: SentryTracingLayer| Router::new().fallback_service(layer.layer(shop()));
    [
        ("around the router", around(layer.clone())),
        ("around the router, route late", around(layer.clone().late_route(true))),
        ("inside of the router", shop().layer(layer.clone())),
        ("inside of the router, route late", shop().layer(layer.clone().late_route(true))),
    ]
}

#[tokio::test]
async fn methods_that_clients_make_up_have_one_name_together() {
    let (layer, capture) = layer();
    let made_up = ["X0", "X1", "get", "Get", "PROPFIND", "PURGE", "_OTHER", "HTTP", "M-SEARCH", "GET1"];
    for (place, app) in places(&layer) {
        let mut names = BTreeSet::new();
        for method in made_up {
            for path in ["/users/7", "/wp-login.php"] {
                let captured = answer(&app, &capture, request(method, path)).await;
                assert_eq!(data(&captured, "http.request.method"), Some(http_method::OTHER), "{place}");
                assert_eq!(data(&captured, "http.request.method_original"), Some(method), "{place}");
                let shown = captured.transaction.request.unwrap();
                assert_eq!(shown.method, method, "the request is shown as it came: {place}");
                names.insert(captured.transaction.name.into_owned());
            }
        }
        let unmatched = if place.ends_with("late") { "HTTP" } else { "HTTP /wp-login.php" };
        let expected = BTreeSet::from([unmatched.to_owned(), "HTTP /users/{id}".to_owned()]);
        assert_eq!(names, expected, "{place}");
    }
}

#[tokio::test]
async fn methods_of_the_standards_are_named_as_they_are() {
    let (layer, capture) = layer();
    let layer = layer.trace_options_requests(true);
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"] {
        for (place, app) in places(&layer) {
            let captured = answer(&app, &capture, request(method, "/users/7")).await;
            assert_eq!(captured.transaction.name, format!("{method} /users/{{id}}"), "{place}");
            assert_eq!(data(&captured, "http.request.method"), Some(method), "{place}");
            assert_eq!(data(&captured, "http.request.method_original"), None, "{place}");
        }
    }
}

#[tokio::test]
async fn targets_without_a_path_leave_no_blank_in_the_name() {
    let rows = [
        ("CONNECT", "db.internal:5432", "CONNECT", "authority-form"),
        ("GET", "db.internal:5432", "GET", "authority-form that nobody should send"),
        ("X7", "db.internal:5432", "HTTP", "the same with a method made up"),
        ("GET", "http://shop.test", "GET /", "absolute-form without a path"),
        ("GET", "http://shop.test?tab=2", "GET /", "the same with a query"),
        ("OPTIONS", "*", "OPTIONS *", "asterisk-form"),
        ("GET", "/", "GET /", "origin-form"),
    ];
    for (method, uri, name, reason) in rows {
        let (layer, capture) = layer();
        let layer = layer.trace_options_requests(true);
        let response = layer.layer(Always::ok()).oneshot(request(method, uri)).await.unwrap();
        drop(response);
        let captured = only(capture.take());
        assert_eq!(
            (&*captured.transaction.name, captured.transaction.source),
            (name, TransactionSource::Url),
            "{reason}"
        );
    }
}

/// What a client claims with `content-type: application/grpc`, and what the service answers.
struct Claim {
    path: &'static str,
    answers: &'static [(&'static str, &'static str)],
    status: StatusCode,
    body: &'static str,
}

const PLAIN: Claim =
    Claim { path: "/", answers: &[("content-type", "text/plain")], status: StatusCode::OK, body: "made" };

async fn claimed(around: bool, late: bool, claim: Claim) -> CapturedTransaction {
    let (client, capture): (_, Arc<Capture>) = recording();
    let layer = SentryTracingLayer::new().client(client).late_route(late);
    let Claim { path, answers, status, body } = claim;
    let handler = async move || {
        let mut headers = HeaderMap::new();
        for (name, value) in answers {
            headers.append(*name, value.parse().unwrap());
        }
        let mut response = Body::from(body).into_response();
        *response.status_mut() = status;
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().extend(headers);
        response
    };
    let routes = Router::new()
        .route("/users/{id}", post(handler))
        .route("/shop.Orders/{*rest}", post(handler))
        .route("/shop.Exact/Get", post(handler))
        .route_layer(SentryRouteLayer::new())
        .fallback(handler);
    let app = if around { Router::new().fallback_service(layer.layer(routes)) } else { routes.layer(layer) };
    let mut request = request("POST", path);
    request.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
    answer(&app, &capture, request).await
}

#[tokio::test]
async fn a_content_type_alone_makes_no_grpc_call() {
    use TransactionSource::{Route, Url};
    let rows = [
        (false, false, "/users/7", "POST /users/{id}", Route, "a matched route"),
        (false, true, "/users/7", "POST /users/{id}", Route, "a matched route, told twice"),
        (true, false, "/users/7", "POST /users/{id}", Route, "a route told from inside"),
        (true, true, "/users/7", "POST /users/{id}", Route, "a route told late"),
        (false, false, "/shop.Orders/Get", "POST /shop.Orders/{*rest}", Route, "a route as tonic's"),
        (false, false, "/a/7", "POST /a/7", Url, "no route"),
        (true, false, "/a/7", "POST /a/7", Url, "no route, from outside"),
        (true, true, "/a/7", "POST", Url, "no route, and names are to be few"),
    ];
    for (around, late, path, name, source, reason) in rows {
        for (answers, body, status) in [
            (&[("content-type", "text/plain")][..], "made", StatusCode::OK),
            (&[("content-type", "text/plain")], "", StatusCode::OK),
            (&[], "", StatusCode::OK),
            (&[], "made", StatusCode::OK),
            (&[("content-type", "application/grpc-web")], "made", StatusCode::OK),
            (&[("content-type", "text/plain")], "none", StatusCode::NOT_FOUND),
        ] {
            let captured = claimed(around, late, Claim { path, answers, body, status }).await;
            let transaction = &captured.transaction;
            assert_eq!((&*transaction.name, transaction.source), (name, source), "{reason}: {answers:?}");
            assert_eq!(&*transaction.trace.op, "http.server", "{reason}: {answers:?}");
            assert_eq!(transaction.trace.origin, "auto.http.tower", "{reason}: {answers:?}");
            let expected = SpanStatus::from_http(status.as_u16());
            assert_eq!(transaction.trace.status, Some(expected), "{reason}: {answers:?}");
            assert_eq!(data(&captured, "rpc.system.name"), None, "{reason}: {answers:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_of_grpc_tells_what_the_request_was() {
    use TransactionSource::{Route, Url};
    let ok: &[(&str, &str)] = &[("content-type", "application/grpc"), ("grpc-status", "0")];
    let unimplemented: &[(&str, &str)] = &[("content-type", "application/grpc+proto"), ("grpc-status", "12")];
    let refused: &[(&str, &str)] = &[("content-type", "application/grpc"), ("grpc-status", "16")];
    let (good, bad, no) = (SpanStatus::Ok, SpanStatus::Unimplemented, SpanStatus::Unauthenticated);
    type Row<'a> = (
        bool,
        bool,
        &'static str,
        &'static [(&'static str, &'static str)],
        &'a str,
        TransactionSource,
        SpanStatus,
        &'a str,
    );
    let rows: [Row<'_>; 11] = [
        (true, false, "/shop.Orders/Get", ok, "/shop.Orders/Get", Route, good, "around tonic's router"),
        (false, false, "/shop.Orders/Get", ok, "/shop.Orders/Get", Route, good, "inside of it"),
        (true, true, "/shop.Orders/Get", ok, "/shop.Orders/Get", Route, good, "the route told late"),
        (false, false, "/shop.Exact/Get", ok, "/shop.Exact/Get", Route, good, "a route of its own"),
        (true, false, "/a/7", ok, "/a/7", Route, good, "a proxy whose service knows the method"),
        (true, false, "/a/7", unimplemented, "/a/7", Url, bad, "nobody knows the method"),
        (true, true, "/a/7", unimplemented, "POST", Url, bad, "nobody knows it, and names are to be few"),
        (
            true,
            false,
            "/a/7",
            refused,
            "/a/7",
            Url,
            no,
            "an interceptor answers before anybody looks for the method",
        ),
        (
            false,
            false,
            "/shop.Orders/X7",
            unimplemented,
            "POST /shop.Orders/{*rest}",
            Route,
            bad,
            "no such method of a service",
        ),
        (false, false, "/users/7", ok, "POST /users/{id}", Route, good, "another route names the request"),
        (true, false, "/users/7", ok, "POST /users/{id}", Route, good, "and so when it is told"),
    ];
    for (around, late, path, answers, name, source, status, reason) in rows {
        let captured = claimed(around, late, Claim { path, answers, ..PLAIN }).await;
        let transaction = &captured.transaction;
        assert_eq!((&*transaction.name, transaction.source), (name, source), "{reason}");
        assert_eq!(&*transaction.trace.op, "grpc.server", "{reason}");
        assert_eq!(transaction.trace.origin, "auto.grpc.tower", "{reason}");
        assert_eq!(transaction.trace.status, Some(status), "{reason}");
        assert_eq!(data(&captured, "rpc.system.name"), Some("grpc"), "{reason}");
        assert_eq!(data(&captured, "rpc.method"), path.strip_prefix('/'), "{reason}");
    }
}

#[tokio::test]
async fn a_handler_that_hands_the_content_type_back_lets_nobody_choose_names() {
    use TransactionSource::{Route, Url};
    let echo = async |request: axum::extract::Request| {
        let (parts, body) = request.into_parts();
        let status =
            if parts.headers.contains_key("x-204") { StatusCode::NO_CONTENT } else { StatusCode::OK };
        (status, [(CONTENT_TYPE, parts.headers[CONTENT_TYPE].clone())], body)
    };
    let (layer, capture) = layer();
    let app = Router::new().route("/files/{*rest}", post(echo)).fallback(echo).layer(layer);
    for (path, name, source) in [
        ("/files/7", "POST /files/{*rest}", Route),
        ("/files/7/8", "POST /files/{*rest}", Route),
        ("/a/7", "/a/7", Url),
    ] {
        for (marked, body) in [(false, "hello"), (false, ""), (true, "")] {
            let mut request = request("POST", path).map(|_| body.into());
            request.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
            if marked {
                request.headers_mut().insert("x-204", "1".parse().unwrap());
            }
            let captured = answer(&app, &capture, request).await;
            let named = (&*captured.transaction.name, captured.transaction.source);
            assert_eq!(named, (name, source), "{path} {marked} {body:?}");
        }
    }
}

#[tokio::test]
async fn chosen_names_stay_whatever_the_answer_is() {
    for answers in
        [&[("content-type", "application/grpc"), ("grpc-status", "0")][..], &[("content-type", "text/plain")]]
    {
        let (layer, capture) = layer();
        let layer = layer.name(|_| Some(("orders".to_owned(), TransactionSource::Component)));
        let handler = async move || {
            let mut response = ().into_response();
            for (name, value) in answers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        };
        let app = Router::new().fallback(handler).layer(layer);
        let mut request = request("POST", "/shop.Orders/Get");
        request.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
        let captured = answer(&app, &capture, request).await;
        assert_eq!(
            (&*captured.transaction.name, captured.transaction.source),
            ("orders", TransactionSource::Component)
        );
    }
}

#[tokio::test]
async fn a_call_whose_client_leaves_before_the_answer_is_still_one_of_grpc() {
    let (layer, capture) = layer();
    let app =
        layer.layer(Router::new().fallback(get(std::future::pending::<()>).post(std::future::pending::<()>)));
    let mut request = request("POST", "/shop.Orders/Get");
    request.headers_mut().insert(CONTENT_TYPE, "application/grpc".parse().unwrap());
    let waited = tokio::time::timeout(std::time::Duration::from_millis(20), app.oneshot(request)).await;
    assert!(waited.is_err());
    let captured = only(capture.take());
    assert_eq!(&*captured.transaction.trace.op, "grpc.server");
    let named = (&*captured.transaction.name, captured.transaction.source);
    assert_eq!(named, ("/shop.Orders/Get", TransactionSource::Url));
}
