//! Copies of all envelopes for Spotlight, which never hold anything up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use sentrace_core::diagnostics;
use sentrace_protocol::{envelope, sensitive};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::client::{Client, Config, Target, describe};
use crate::error::OnMachine;
use crate::{StartError, backoff, tls};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Pauses while nobody listens (Sentry SDK specification, *Spotlight*).
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Envelopes and bytes that may wait; more are left out.
const MAX_WAITING: usize = 1_000;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The way to Spotlight, one post after the other.
#[derive(Debug)]
pub(crate) struct Spotlight {
    sender: mpsc::Sender<Bytes>,
    receiver: Option<mpsc::Receiver<Bytes>>,
    viewer: Arc<Viewer>,
    waiting: Arc<Waiting>,
}

#[derive(Debug)]
struct Viewer {
    client: Client,
    target: Target,
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
        };
        let viewer = Arc::new(Viewer { client: Client::new(&target, headers, config), target });
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        Ok(Self { sender, receiver: Some(receiver), viewer, waiting: Arc::default() })
    }

    /// Starts to post, on the runtime that this is called in.
    pub(crate) fn start(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            tokio::spawn(run(receiver, Arc::clone(&self.viewer), Arc::clone(&self.waiting)));
        }
    }

    /// Hands a copy over, or leaves it out where too many wait.
    pub(crate) fn send(&self, envelope: Bytes) {
        let size = envelope.len();
        if self.waiting.bytes.load(Ordering::Relaxed) + size > MAX_BYTES {
            return;
        }
        self.waiting.envelopes.fetch_add(1, Ordering::Relaxed);
        self.waiting.bytes.fetch_add(size, Ordering::Relaxed);
        if self.sender.try_send(envelope).is_err() {
            self.waiting.done(size);
        }
    }

    /// Whether no copy is left that could still be posted.
    pub(crate) fn is_settled(&self) -> bool {
        self.waiting.envelopes.load(Ordering::Relaxed) == 0
    }

    /// Waits until no copy is left that could still be posted.
    pub(crate) async fn settled(&self) {
        loop {
            let none_left = self.waiting.none_left.notified();
            if self.is_settled() {
                return;
            }
            none_left.await;
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

async fn run(mut receiver: mpsc::Receiver<Bytes>, viewer: Arc<Viewer>, waiting: Arc<Waiting>) {
    let (mut failures, mut away_until, mut told) = (0, Instant::now(), false);
    while let Some(body) = receiver.recv().await {
        let size = body.len();
        // While nobody listens, what comes is left out: it would be old when somebody does.
        if Instant::now() >= away_until {
            match viewer.client.post(body).await {
                Ok(_) => failures = 0,
                Err(error) => {
                    failures += 1;
                    away_until = Instant::now() + backoff::pause(failures, FIRST_PAUSE, LONGEST_PAUSE);
                    if !std::mem::replace(&mut told, true) {
                        let url = viewer.target.uri().to_string();
                        let url = sensitive::filter_url(&url);
                        diagnostics::warn(format_args!(
                            "Spotlight does not answer at {url}: {}",
                            describe(&error)
                        ));
                    }
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
