//! A service: its client, its layer, and its outgoing calls.

use reqwest_middleware::ClientWithMiddleware;
use sentrace::{Client, Options, SentryTracingLayer};

use crate::{PATIENCE, plain_http};

/// A service with its own client, so that tests run in parallel and a process can have many
/// services.
#[derive(Debug, Clone)]
pub struct Project {
    /// The client that records and delivers.
    pub client: Client,
    /// The middleware on a client with guarded redirects.
    pub http: ClientWithMiddleware,
}

impl Project {
    /// Creates a service that sends to `dsn`.
    pub fn new(name: &str, dsn: String, set_up: impl FnOnce(Options) -> Options) -> Self {
        let options = Options::new().dsn(dsn).release(format!("{name}@1.0.0")).environment("test");
        let client = sentrace::client(set_up(options)).expect("the options of a test are right");
        let http = sentrace::reqwest::client(plain_http())
            .expect("a client without a redirect policy of its own")
            .client(client.clone())
            .build();
        Self { client, http }
    }

    /// Returns the server layer.
    pub fn layer(&self) -> SentryTracingLayer {
        SentryTracingLayer::new().client(self.client.clone())
    }

    /// Sends what has finished, including losses.
    pub async fn flush(&self) {
        let client = self.client.clone();
        let flushed = tokio::task::spawn_blocking(move || client.flush(PATIENCE)).await;
        assert!(flushed.expect("flushing does not panic"), "all is sent in time");
    }
}
