//! Copies of all envelopes for Spotlight, which never delay delivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use sentrace_core::diagnostics;
use sentrace_protocol::{envelope, sensitive};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::error::OnMachine;
use crate::http::{Config, HttpClient, Target, describe_error, tls};
use crate::{StartError, backoff};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Pauses while Spotlight does not respond (Sentry SDK specification, *Spotlight*).
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Envelopes and bytes that may wait. Further copies are dropped.
const MAX_WAITING: usize = 1_000;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Posts copies to Spotlight, one after the other.
#[derive(Debug)]
pub(crate) struct Spotlight {
    copies: Copies,
    receiver: Option<mpsc::Receiver<Bytes>>,
    client: Arc<HttpClient>,
    url: String,
}

/// Hands copies of envelopes to Spotlight.
#[derive(Debug, Clone)]
pub(crate) struct Copies {
    sender: mpsc::Sender<Bytes>,
    waiting: Arc<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    envelopes: AtomicUsize,
    bytes: AtomicUsize,
    none_left: Notify,
}

impl Spotlight {
    pub(crate) fn new(url: &str) -> Result<Self, StartError> {
        let target = Target::parse(url).map_err(|rule| {
            let shown = sensitive::filter_option(url);
            StartError::new(
                format!("option spotlight: {shown:?} is not a URL, nor a word for on or off"),
                rule,
            )
        })?;
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(envelope::CONTENT_TYPE))]);
        let config = Config {
            tls: tls::config(target.is_https(), &[], OnMachine::Fail)?,
            proxy: None,
            http2_prior_knowledge: false,
            timeout: TIMEOUT,
            max_idle_connections: 1,
        };
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        Ok(Self {
            copies: Copies { sender, waiting: Arc::default() },
            receiver: Some(receiver),
            client: Arc::new(HttpClient::new(&target, headers, config)),
            url: sensitive::filter_url(&target.uri().to_string()).into_owned(),
        })
    }

    /// Starts to post, on the current runtime.
    pub(crate) fn start(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            let waiting = Arc::clone(&self.copies.waiting);
            tokio::spawn(run(receiver, Arc::clone(&self.client), self.url.clone(), waiting));
        }
    }

    pub(crate) fn copies(&self) -> Copies {
        self.copies.clone()
    }

    /// Returns `true` if no copy is left that could still be posted.
    pub(crate) fn is_settled(&self) -> bool {
        self.copies.waiting.envelopes.load(Ordering::Relaxed) == 0
    }

    /// Waits until no copy is left that could still be posted. Returns at once if there is no Spotlight.
    pub(crate) async fn all_settled(spotlight: Option<&Self>) {
        let Some(spotlight) = spotlight else { return };
        loop {
            let none_left = spotlight.copies.waiting.none_left.notified();
            if spotlight.is_settled() {
                return;
            }
            none_left.await;
        }
    }
}

impl Copies {
    /// Hands over a copy, unless too many wait.
    pub(crate) fn send(&self, envelope: &[u8]) {
        let size = envelope.len();
        if self.waiting.bytes.load(Ordering::Relaxed) + size > MAX_BYTES {
            return;
        }
        self.waiting.envelopes.fetch_add(1, Ordering::Relaxed);
        self.waiting.bytes.fetch_add(size, Ordering::Relaxed);
        if self.sender.try_send(Bytes::copy_from_slice(envelope)).is_err() {
            self.waiting.done(size);
        }
    }
}

impl Waiting {
    fn done(&self, size: usize) {
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        if self.envelopes.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.none_left.notify_waiters();
        }
    }
}

async fn run(
    mut receiver: mpsc::Receiver<Bytes>,
    client: Arc<HttpClient>,
    url: String,
    waiting: Arc<Waiting>,
) {
    let (mut failures, mut paused_until) = (0, Instant::now());
    let warned = AtomicBool::new(false);
    while let Some(body) = receiver.recv().await {
        let size = body.len();
        // Copies are dropped while Spotlight does not respond: they would be old when it does.
        if Instant::now() >= paused_until {
            match client.post(body).await {
                Ok(_) => failures = 0,
                Err(error) => {
                    failures += 1;
                    paused_until = Instant::now() + backoff::pause(failures, FIRST_BACKOFF, MAX_BACKOFF);
                    diagnostics::warn_once(
                        &warned,
                        format_args!("Spotlight does not respond at {url}: {}", describe_error(&error)),
                    );
                }
            }
        }
        waiting.done(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_posted_to_is_named_without_its_secrets() {
        for url in [
            "http://me:SECRET@spot light/stream",
            "http://me:SE/CRET SECRET@spotlight",
            "me:SECRET@spotlight:8969",
            "ftp://spotlight/?token=SECRET",
            "http://1.2.3.4.5/stream?sig=SECRET",
        ] {
            let error = Spotlight::new(url).unwrap_err().to_string();
            assert!(error.contains("option spotlight") && !error.contains("SECRET"), "{error}");
        }
    }
}
