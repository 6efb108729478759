//! Kept connections, of which one is enough with HTTP/2.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connector::Connector;
use super::metered::{MAX_FIELDS, MAX_HEAD_BYTES};
use super::{Config, Proxy, Target};
use crate::reach::Reach;
use crate::tls::{self, Ask};

/// A connection that all share must not swallow posts for long after the other side has vanished.
const HTTP2_PING: Duration = Duration::from_secs(10);
/// Of an answer over HTTP/2; larger ones cost their stream.
const MAX_HTTP2_HEAD_BYTES: u32 = 64 * 1024;
/// Connections in a row that could not be opened, after which the ingest is asked again what it speaks.
const FAILURES_UNTIL_ASKED: u32 = 2;
/// So many posts that broke count as much as such a connection: those that a connection that is going refuses all break.
const BROKEN: u32 = 500;

type Pool = Client<Connector, Full<Bytes>>;

/// A pool for whatever the ingest speaks, and one for HTTP/2 once it is known to speak that.
///
/// While a pool does not know the protocol, each request without a free connection opens one. When the one connection of
/// HTTP/2 goes away (a server that sends GOAWAY after an hour, or after a thousand requests), all posts of a round would do
/// that. A pool for HTTP/2 alone opens one, and all wait for it.
#[derive(Debug)]
pub(super) struct Pools {
    either: Pool,
    /// `None` if `either` knows already, or there is no TLS to ask with.
    http2: Option<Pool>,
    speaks_http2: AtomicBool,
    failures: AtomicU32,
}

impl Pools {
    pub(super) fn new(target: &Target, config: Config, idle: Duration) -> Self {
        let Config { tls, proxy, http2_prior_knowledge, .. } = config;
        let asks = target.is_https() && !http2_prior_knowledge;
        let http2 = asks.then(|| pool(&tls, Ask::Http2, proxy.clone(), true, idle));
        Self {
            either: pool(&tls, Ask::Either, proxy, http2_prior_knowledge, idle),
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
        let outcome = self.either.request(request).await;
        if outcome.as_ref().is_ok_and(|response| response.version() == Version::HTTP_2) {
            self.speaks_http2.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Whether the ingest still speaks HTTP/2.
    fn learn(&self, outcome: &Result<Response<Incoming>, Error>) {
        let failures = match outcome {
            Ok(_) => 0,
            Err(error) if error.is_connect() => self.failures.load(Ordering::Relaxed) + BROKEN,
            Err(_) => self.failures.load(Ordering::Relaxed) + 1,
        };
        let asks = failures >= FAILURES_UNTIL_ASKED * BROKEN;
        if asks {
            self.speaks_http2.store(false, Ordering::Relaxed);
        }
        self.failures.store(if asks { 0 } else { failures }, Ordering::Relaxed);
    }
}

fn pool(tls: &tls::Config, ask: Ask, proxy: Option<Proxy>, http2_only: bool, idle: Duration) -> Pool {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle)
        .pool_max_idle_per_host(Reach::MOST)
        .http1_max_headers(MAX_FIELDS)
        .http1_max_buf_size(MAX_HEAD_BYTES)
        .http2_only(http2_only)
        .http2_max_header_list_size(MAX_HTTP2_HEAD_BYTES)
        .http2_keep_alive_interval(HTTP2_PING)
        .http2_keep_alive_timeout(HTTP2_PING)
        .build(Connector::new(tls, ask, proxy))
}
