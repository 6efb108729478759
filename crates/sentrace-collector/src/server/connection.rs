//! Serves one connection, including faults.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::activity::Activity;
use super::paced::Paced;
use crate::behaviour::Fault;
use crate::shared::Shared;

const GARBAGE: &[u8] = b"\0\xff not HTTP\r\n\r\n";

/// Serves until the connection ends.
pub(super) async fn serve(stream: TcpStream, router: Router, shared: Arc<Shared>, activity: Arc<Activity>) {
    // Small answers on kept-alive connections would otherwise wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let of_request = Arc::clone(&activity);
    let service = service_fn(move |request: http::Request<Incoming>| {
        answer(router.clone(), request, Arc::clone(&of_request))
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // Counted from the last answer, so idle time is included.
    server.timer(TokioTimer::new()).header_read_timeout(shared.limits.client_time);
    let mut connection = server.serve_connection(TokioIo::new(Paced::new(stream, shared, activity)), service);
    // Any other error means that the peer disconnected.
    let Err(error) = (&mut connection).await else { return };
    let fault = error.source().and_then(|cause| cause.downcast_ref::<BrokenOff>()).map(|broken| broken.0);
    let stream = connection.into_parts().io.into_inner().into_inner();
    match fault {
        Some(Fault::Garbage) => _ = stream.try_write(GARBAGE),
        Some(Fault::Reset) => _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
        Some(Fault::HangUp | Fault::Hang) | None => {}
    }
}

async fn answer(
    router: Router,
    mut request: http::Request<Incoming>,
    activity: Arc<Activity>,
) -> Result<Response, BrokenOff> {
    request.extensions_mut().insert(Arc::clone(&activity));
    let answer: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
    activity.set_answering(false);
    let Ok(response) = answer;
    match response.extensions().get::<Fault>() {
        Some(fault) => Err(BrokenOff(*fault)),
        None => Ok(response),
    }
}

/// The connection is broken off instead of an answer.
#[derive(Debug)]
struct BrokenOff(Fault);

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken off on purpose")
    }
}

impl Error for BrokenOff {}
