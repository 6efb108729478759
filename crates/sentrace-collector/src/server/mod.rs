//! The HTTP server: ingest, JSON API and pages on one port.

mod api;
mod body;
mod guard;
mod ingest;
mod pages;

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::ServiceExt;

use self::ingest::HangUp;
use crate::shared::Shared;

/// More connections wait until one of these ends.
const MAX_CONNECTIONS: usize = 1_024;
/// How long a client may take to send its head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// After a failed `accept` (out of descriptors, most likely) the next one waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = router(shared);
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // Never closed, so this cannot fail.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let router = router.clone();
        connections.spawn(async move {
            connection(stream, router).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let guarded = api::routes().merge(pages::routes()).layer(axum::middleware::from_fn(guard::local_host));
    guarded.merge(ingest::routes(&shared)).with_state(shared)
}

async fn connection(stream: TcpStream, router: Router) {
    // Small answers on kept-alive connections would otherwise wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let router = router.clone();
        async move { answer(router, request).await }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    // An error here is a peer that went away or a connection that was hung up on purpose.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(router: Router, request: http::Request<Incoming>) -> io::Result<Response> {
    let answer: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
    match answer {
        Ok(response) if response.extensions().get::<HangUp>().is_none() => Ok(response),
        Ok(_) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "hung up on purpose")),
        Err(never) => match never {},
    }
}
