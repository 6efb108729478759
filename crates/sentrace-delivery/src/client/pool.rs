//! Connections that are kept for the next posts: one for each with HTTP/1.1, one for all with HTTP/2.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, Uri, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::sleep;

use super::connector::{Connector, Opened};
use super::error::Error;
use crate::reach::Reach;

type Body = Full<Bytes>;

/// A connection that nothing was sent on for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// A connection that all share must not swallow posts for long after the other side has vanished.
const HTTP2_PING: Duration = Duration::from_secs(10);

/// The connections to one host.
#[derive(Debug)]
pub(super) struct Pool {
    connector: Connector,
    uri: Uri,
    prior_knowledge: bool,
    /// Whether the last connection was one for all.
    shares: AtomicBool,
    /// Held by who opens the connection that all are going to share.
    opening: tokio::sync::Mutex<()>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Those that were used last are at the end, and used first.
    single: VecDeque<(http1::SendRequest<Body>, Instant)>,
    shared: Option<(http2::SendRequest<Body>, Instant)>,
    /// Whether somebody is going to look for what is idle.
    swept: bool,
}

/// A connection that a post can go out on.
#[derive(Debug)]
pub(super) struct Sender {
    way: Way,
    was_kept: bool,
}

#[derive(Debug)]
enum Way {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// No answer came; `unsent`: because nothing was sent.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) error: hyper::Error,
    pub(super) unsent: bool,
}

impl Pool {
    pub(super) fn new(connector: Connector, uri: Uri, prior_knowledge: bool) -> Self {
        Self {
            connector,
            uri,
            prior_knowledge,
            shares: AtomicBool::new(prior_knowledge),
            opening: tokio::sync::Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// A connection that was kept, or a new one.
    pub(super) async fn sender(&self) -> Result<Sender, Error> {
        if let Some(sender) = self.take() {
            return Ok(sender);
        }
        let shares = self.shares.load(Ordering::Relaxed);
        let _opening = if shares { Some(self.opening.lock().await) } else { None };
        match self.take() {
            Some(sender) => Ok(sender),
            // Seldom needed, and large: it is not to be a part of each post.
            None => Box::pin(self.open()).await,
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn keep(self: &Arc<Self>, sender: Sender) {
        let mut kept = self.lock();
        if let Way::Http1(sender) = sender.way {
            kept.add(sender, Instant::now());
        }
        if !std::mem::replace(&mut kept.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    fn take(&self) -> Option<Sender> {
        self.lock().take().map(|way| Sender { way, was_kept: true })
    }

    async fn open(&self) -> Result<Sender, Error> {
        let Opened { stream, http2 } = self.connector.open(&self.uri).await?;
        let way = if http2 || self.prior_knowledge {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.timer(TokioTimer::new()).keep_alive_interval(HTTP2_PING).keep_alive_timeout(HTTP2_PING);
            let (sender, connection) = builder.handshake(stream).await.map_err(Error::Broken)?;
            tokio::spawn(connection);
            self.lock().shared = Some((sender.clone(), Instant::now()));
            Way::Http2(sender)
        } else {
            let (sender, connection) =
                http1::Builder::new().handshake(stream).await.map_err(Error::Broken)?;
            tokio::spawn(connection);
            Way::Http1(sender)
        };
        self.shares.store(matches!(way, Way::Http2(_)), Ordering::Relaxed);
        Ok(Sender { way, was_kept: false })
    }

    /// Closes what nothing was sent on for long; whether nothing is left.
    pub(super) fn close_idle(&self, now: Instant) -> bool {
        self.lock().close_idle(now)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, sender: http1::SendRequest<Body>, now: Instant) {
        while self.single.front().is_some_and(|(sender, used_at)| is_over(sender.is_closed(), *used_at, now))
        {
            self.single.pop_front();
        }
        if self.single.len() < Reach::MOST && !sender.is_closed() {
            self.single.push_back((sender, now));
        }
    }

    fn take(&mut self) -> Option<Way> {
        if let Some((sender, used_at)) = self.shared.as_mut().filter(|(sender, _)| !sender.is_closed()) {
            *used_at = Instant::now();
            return Some(Way::Http2(sender.clone()));
        }
        let last = self.single.iter().rposition(|(sender, _)| sender.is_ready())?;
        self.single.remove(last).map(|(sender, _)| Way::Http1(sender))
    }

    /// Whether nothing is left.
    fn close_idle(&mut self, now: Instant) -> bool {
        self.single.retain(|(sender, used_at)| !is_over(sender.is_closed(), *used_at, now));
        self.shared = self.shared.take().filter(|(sender, at)| !is_over(sender.is_closed(), *at, now));
        self.swept = !self.single.is_empty() || self.shared.is_some();
        !self.swept
    }
}

impl Sender {
    pub(super) fn version(&self) -> Version {
        match self.way {
            Way::Http1(_) => Version::HTTP_11,
            Way::Http2(_) => Version::HTTP_2,
        }
    }

    /// Whether it was used before, and may have been closed since. Of those that all share a closed one is replaced.
    pub(super) fn was_kept(&self) -> bool {
        self.was_kept && matches!(self.way, Way::Http1(_))
    }

    pub(super) async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        let outcome = match &mut self.way {
            Way::Http1(sender) => sender.try_send_request(request).await,
            Way::Http2(sender) => sender.try_send_request(request).await,
        };
        outcome.map_err(Unanswered::from)
    }
}

impl From<TrySendError<Request<Body>>> for Unanswered {
    fn from(error: TrySendError<Request<Body>>) -> Self {
        Self { unsent: error.message().is_some(), error: error.into_error() }
    }
}

fn is_over(is_closed: bool, used_at: Instant, now: Instant) -> bool {
    is_closed || now.saturating_duration_since(used_at) >= IDLE
}

async fn sweep(pool: Weak<Pool>) {
    loop {
        sleep(IDLE).await;
        if pool.upgrade().is_none_or(|pool| pool.close_idle(Instant::now())) {
            return;
        }
    }
}
