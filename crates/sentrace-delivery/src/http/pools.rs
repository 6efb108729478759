//! Pools of kept connections.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::config::Config;
use super::connector::Connector;
use super::metered::{MAX_FIELDS, MAX_HEAD_BYTES};
use super::proxy::Proxy;
use super::target::Target;
use super::tls::{self, Alpn};

/// Detects that the peer of a connection that all posts share has vanished.
const HTTP2_PING: Duration = Duration::from_secs(10);
/// Larger heads of HTTP/2 responses reset their stream.
const MAX_HTTP2_HEAD_BYTES: u32 = 64 * 1024;
/// Consecutive failures to connect after which the protocol is negotiated again.
const MAX_FAILURES: u32 = 2;
/// Broken posts that count as one failure to connect: a connection that is closing breaks all its posts.
const BROKEN_POSTS: u32 = 500;

type Pool = Client<Connector, Full<Bytes>>;

/// A pool that negotiates the protocol, and one for HTTP/2 once the ingest is known to speak it.
///
/// Until the protocol is negotiated, each request without a free connection opens one. If a server ends the one HTTP/2
/// connection (with GOAWAY after an hour, or after a thousand requests), all posts of a round would do so. A pool for HTTP/2
/// alone opens one connection, and all posts wait for it.
#[derive(Debug)]
pub(super) struct Pools {
    negotiating: Pool,
    /// `None` if there is nothing to negotiate, or no TLS to do it with.
    http2: Option<Pool>,
    speaks_http2: AtomicBool,
    failures: AtomicU32,
}

impl Pools {
    pub(super) fn new(target: &Target, config: Config, idle: Duration) -> Self {
        let Config { tls, proxy, http2_prior_knowledge, max_idle_connections, .. } = config;
        let pool = |alpn, proxy, http2_only| pool(&tls, alpn, proxy, http2_only, idle, max_idle_connections);
        let negotiates = target.is_https() && !http2_prior_knowledge;
        let http2 = negotiates.then(|| pool(Alpn::Http2, proxy.clone(), true));
        Self {
            negotiating: pool(Alpn::Either, proxy, http2_prior_knowledge),
            http2,
            speaks_http2: AtomicBool::new(false),
            failures: AtomicU32::new(0),
        }
    }

    pub(super) async fn request(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        if let Some(http2) = self.http2.as_ref().filter(|_| self.speaks_http2.load(Ordering::Relaxed)) {
            let outcome = http2.request(request).await;
            self.learn(&outcome);
            return outcome;
        }
        let outcome = self.negotiating.request(request).await;
        if outcome.as_ref().is_ok_and(|response| response.version() == Version::HTTP_2) {
            self.speaks_http2.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Decides whether the ingest still speaks HTTP/2.
    fn learn(&self, outcome: &Result<Response<Incoming>, Error>) {
        let failures = match outcome {
            Ok(_) => 0,
            Err(error) if error.is_connect() => self.failures.load(Ordering::Relaxed) + BROKEN_POSTS,
            Err(_) => self.failures.load(Ordering::Relaxed) + 1,
        };
        let renegotiates = failures >= MAX_FAILURES * BROKEN_POSTS;
        if renegotiates {
            self.speaks_http2.store(false, Ordering::Relaxed);
        }
        self.failures.store(if renegotiates { 0 } else { failures }, Ordering::Relaxed);
    }
}

fn pool(
    tls: &tls::Config,
    alpn: Alpn,
    proxy: Option<Proxy>,
    http2_only: bool,
    idle: Duration,
    max_idle_connections: usize,
) -> Pool {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle)
        .pool_max_idle_per_host(max_idle_connections)
        .http1_max_headers(MAX_FIELDS)
        .http1_max_buf_size(MAX_HEAD_BYTES)
        .http2_only(http2_only)
        .http2_max_header_list_size(MAX_HTTP2_HEAD_BYTES)
        .http2_keep_alive_interval(HTTP2_PING)
        .http2_keep_alive_timeout(HTTP2_PING)
        .build(Connector::new(tls, alpn, proxy))
}
