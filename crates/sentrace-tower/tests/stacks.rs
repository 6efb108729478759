//! Common stacks of tower-http's layers with ours, in both orders, under axum and under plain hyper. That they compile is most
//! of the test: many of these layers ask that a body implements `Default`.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sentrace_core::Options;
use sentrace_core::testing::Capture;
use sentrace_protocol::SpanStatus;
use sentrace_tower::{
    ClientBody, CountedBody, ResponseBody, SentryCorsLayer, SentryMiddlewareSpanLayer,
    SentryRequestSizeLayer, SentryRouteLayer, SentryTracingLayer,
};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::add_extension::AddExtensionLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::decompression::{DecompressionLayer, RequestDecompressionLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::propagate_header::PropagateHeaderLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveHeadersLayer;
use tower_http::set_header::{SetRequestHeaderLayer, SetResponseHeaderLayer};
use tower_http::set_status::SetStatusLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;
use tower_http::validate_request::ValidateRequestHeaderLayer;

/// A service for plain hyper, whatever the body of a request is by the time it arrives.
#[derive(Clone)]
struct Plain;

impl<B> Service<Request<B>> for Plain {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::from("hello"))))
    }
}

/// Serves one connection with hyper, on a pair of pipes.
async fn over_hyper<S, B>(service: S) -> String
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut client, server) = tokio::io::duplex(4096);
    let service = TowerToHyperService::new(service);
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service);
    let ask = async {
        let request = "GET / HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (answer, served) = tokio::join!(ask, connection);
    served.unwrap();
    answer
}

async fn over_axum(app: Router) -> StatusCode {
    let request = Request::get("/").header("accept", "*/*").body(axum::body::Body::empty()).unwrap();
    let answer = app.oneshot(request).await.unwrap();
    let status = answer.status();
    answer.into_body().collect().await.unwrap();
    status
}

fn app() -> Router {
    Router::new().route("/", get(async || "hello")).route_layer(SentryRouteLayer::new())
}

/// A row for each layer: it stands outside of ours and inside of it. The other places are compiled and not run, so that the test
/// is not as large as all of these stacks together.
macro_rules! stacks {
    ($layer:ident, $capture:ident, $($what:literal => $other:expr,)*) => {$({
        let ours = || ServiceBuilder::new().layer($layer.clone()).layer(SentryCorsLayer::new());
        let _ = || app().layer(ours().layer($other).layer(SentryRequestSizeLayer::new()));
        let _ = || app().layer($layer.clone()).layer($other);
        let _ = || app().layer(ours().layer(SentryMiddlewareSpanLayer::new($what, $other)));
        let _ = || over_hyper(ServiceBuilder::new().layer($other).layer($layer.clone()).service(Plain));
        let _ = || over_hyper(ours().layer($other).layer(SentryRequestSizeLayer::new()).service(Plain));
        let _ = || over_hyper(ours().layer(SentryMiddlewareSpanLayer::new($what, $other)).service(Plain));
        let outside = app().layer(ServiceBuilder::new().layer($other).layer($layer.clone()));
        let inside = app().layer(ServiceBuilder::new().layer($layer.clone()).layer($other));
        for (app, place) in [(outside, "outside"), (inside, "inside")] {
            assert_eq!(over_axum(app).await, StatusCode::OK, "{}: {place}", $what);
            let captured = $capture.take();
            assert_eq!(captured.len(), 1, "{}: {place}", $what);
            assert_eq!(captured[0].transaction.trace.status, Some(SpanStatus::Ok), "{}: {place}", $what);
        }
    })*};
}

/// The same below a layer of CORS, for those whose own bodies implement `Default`.
macro_rules! stacks_below_cors {
    ($layer:ident, $($what:literal => $other:expr,)*) => {$({
        let cors = || ServiceBuilder::new().layer(SentryCorsLayer::new()).layer(CorsLayer::permissive());
        let _ = || app().layer(cors().layer($other).layer($layer.clone()));
        let _ = || app().layer(cors().layer($layer.clone()).layer($other));
        let _ = || app().layer(cors().layer($layer.clone()).layer(SentryMiddlewareSpanLayer::new($what, $other)));
        let _ = || over_hyper(cors().layer($other).layer($layer.clone()).service(Plain));
        let _ = || over_hyper(cors().layer($layer.clone()).layer($other).service(Plain));
        let _ = || over_hyper(cors().layer($layer.clone()).layer(SentryMiddlewareSpanLayer::new($what, $other)).service(Plain));
    })*};
}

const SECOND: Duration = Duration::from_secs(60);
const NAME: HeaderName = HeaderName::from_static("x-stack");
const VALUE: HeaderValue = HeaderValue::from_static("1");

#[tokio::test]
async fn layers_of_tower_http_stand_on_either_side_of_ours() {
    let (client, capture): (_, Arc<Capture>) =
        Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
    let layer = SentryTracingLayer::new().client(client);
    stacks! { layer, capture,
        "timeout" => TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, SECOND),
        "time limit of request bodies" => RequestBodyTimeoutLayer::new(SECOND),
        "time limit of response bodies" => ResponseBodyTimeoutLayer::new(SECOND),
        "cors" => CorsLayer::permissive(),
        "compression" => CompressionLayer::new(),
        "decompression" => DecompressionLayer::new(),
        "decompression of requests" => RequestDecompressionLayer::new(),
        "trace" => TraceLayer::new_for_http(),
        "catch-panic" => CatchPanicLayer::new(),
        "limit" => RequestBodyLimitLayer::new(1024),
        "request-id" => SetRequestIdLayer::x_request_id(MakeRequestUuid),
        "propagated request-id" => PropagateRequestIdLayer::x_request_id(),
        "propagate-header" => PropagateHeaderLayer::new(NAME),
        "sensitive-headers" => SetSensitiveHeadersLayer::new([header::AUTHORIZATION]),
        "request header" => SetRequestHeaderLayer::overriding(NAME, VALUE),
        "response header" => SetResponseHeaderLayer::if_not_present(NAME, VALUE),
        "add-extension" => AddExtensionLayer::new(7_u8),
        "normalize-path" => NormalizePathLayer::trim_trailing_slash(),
        "validate-request" => ValidateRequestHeaderLayer::accept("text/plain"),
        "set-status" => SetStatusLayer::new(StatusCode::OK),
        "all of ours again" => layer.clone(),
    }
    stacks_below_cors! { layer,
        "timeout" => TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, SECOND),
        "time limit of request bodies" => RequestBodyTimeoutLayer::new(SECOND),
        "cors" => CorsLayer::permissive(),
        "compression" => CompressionLayer::new(),
        "decompression" => DecompressionLayer::new(),
        "decompression of requests" => RequestDecompressionLayer::new(),
        "catch-panic" => CatchPanicLayer::new(),
        "limit" => RequestBodyLimitLayer::new(1024),
        "request-id" => SetRequestIdLayer::x_request_id(MakeRequestUuid),
        "propagated request-id" => PropagateRequestIdLayer::x_request_id(),
        "propagate-header" => PropagateHeaderLayer::new(NAME),
        "sensitive-headers" => SetSensitiveHeadersLayer::new([header::AUTHORIZATION]),
        "request header" => SetRequestHeaderLayer::overriding(NAME, VALUE),
        "response header" => SetResponseHeaderLayer::if_not_present(NAME, VALUE),
        "add-extension" => AddExtensionLayer::new(7_u8),
        "normalize-path" => NormalizePathLayer::trim_trailing_slash(),
        "validate-request" => ValidateRequestHeaderLayer::accept("text/plain"),
        "set-status" => SetStatusLayer::new(StatusCode::OK),
        "all of ours again" => layer.clone(),
    }
    let served =
        over_hyper(ServiceBuilder::new().layer(TraceLayer::new_for_http()).layer(layer).service(Plain));
    let answer = served.await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(capture.take().len(), 1);
}

/// Below a layer that follows redirects and asks that bodies of requests implement `Default`.
#[test]
fn bodies_are_default_if_what_they_wrap_is() {
    fn is_default<B: Body + Default>() -> bool {
        let body = B::default();
        body.is_end_stream() && body.size_hint().exact() == Some(0)
    }
    assert!(is_default::<ResponseBody<Full<Bytes>>>());
    assert!(is_default::<ResponseBody<axum::body::Body>>());
    assert!(is_default::<ResponseBody<ResponseBody<Empty<Bytes>>>>());
    assert!(is_default::<ClientBody<Full<Bytes>>>());
    assert!(is_default::<CountedBody<Empty<Bytes>>>());
}
