//! Posts to one URL over kept connections.

mod connector;
mod error;
mod pool;
mod proxy;
mod target;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use rustls::ClientConfig;
use tokio::time::timeout;

use self::connector::Connector;
pub(crate) use self::error::{Error, explain};
use self::pool::{Pool, Unanswered};
pub(crate) use self::proxy::Proxy;
use self::target::Prepared;
pub(crate) use self::target::Target;

/// An answer is read up to here so that its connection can be used again; one that goes on closes it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_ANSWER_TIME: Duration = Duration::from_secs(1);
/// How much of a refusal is kept.
const SHOWN_BYTES: usize = 512;

/// A client for one [`Target`]: what is the same in all posts is prepared once. It follows no redirects.
#[derive(Debug)]
pub(crate) struct Client {
    requests: Prepared,
    pool: Arc<Pool>,
    timeout: Duration,
}

/// How a [`Client`] connects.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) tls: ClientConfig,
    pub(crate) proxy: Option<Proxy>,
    /// Whether HTTP/2 is spoken without asking.
    pub(crate) http2_prior_knowledge: bool,
    /// For one post from its first byte to the answer's first.
    pub(crate) timeout: Duration,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) version: Version,
    /// Of a refusal, the start of its body.
    pub(crate) said: Vec<u8>,
}

impl Client {
    /// `headers` go with each post.
    pub(crate) fn new(target: &Target, headers: HeaderMap, config: Config) -> Self {
        let requests = target.prepare(headers, config.proxy.as_ref());
        let connector = Connector::new(config.tls, config.proxy);
        let pool = Arc::new(Pool::new(connector, target.uri().clone(), config.http2_prior_knowledge));
        Self { requests, pool, timeout: config.timeout }
    }

    /// Posts a body. Anything that is said is an answer, a refusal too.
    ///
    /// # Errors
    /// When no answer came: nobody can be reached, it took too long, or what came is no HTTP.
    pub(crate) async fn post(&self, body: Bytes) -> Result<Answer, Error> {
        timeout(self.timeout, self.try_twice(body)).await.unwrap_or(Err(Error::TimedOut(self.timeout)))
    }

    async fn try_twice(&self, body: Bytes) -> Result<Answer, Error> {
        match self.send(body.clone()).await {
            // A kept connection may be closed at the very moment it is used again. That is nobody's fault, and the
            // ingest knows an envelope that it should see twice by its event id.
            Err(Error::Broken(_)) => self.send(body).await,
            outcome => outcome,
        }
    }

    async fn send(&self, body: Bytes) -> Result<Answer, Error> {
        let (response, sender) = loop {
            let mut sender = self.pool.sender().await?;
            match sender.send(self.requests.request(sender.version(), body.clone())).await {
                Ok(response) => break (response, sender),
                // The next one may still be open; each is tried once.
                Err(Unanswered { unsent: true, .. }) if sender.was_kept() => {}
                Err(unanswered) => return Err(Error::Broken(unanswered.error)),
            }
        };
        let (head, body) = response.into_parts();
        let shown = if head.status.is_success() { 0 } else { SHOWN_BYTES };
        let said = if body.is_end_stream() {
            Some(Vec::new())
        } else {
            timeout(MAX_ANSWER_TIME, read(body, shown)).await.unwrap_or_default()
        };
        if said.is_some() {
            self.pool.keep(sender);
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            version: head.version,
            said: said.unwrap_or_default(),
        })
    }
}

/// Reads to the end, and keeps so much of the start; `None` where there is no end.
async fn read(mut body: Incoming, shown: usize) -> Option<Vec<u8>> {
    let mut start = Vec::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.ok()?;
        let Some(chunk) = frame.data_ref() else { continue };
        total += chunk.len();
        start.extend(chunk.iter().take(shown.saturating_sub(start.len())));
        if total > MAX_ANSWER_BYTES {
            return None;
        }
    }
    Some(start)
}
