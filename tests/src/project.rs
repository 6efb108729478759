//! A service: its client, its layer, its way out.

use reqwest_middleware::ClientWithMiddleware;
use sentrace::{Client, Options, SentryTracingLayer};

use crate::{PATIENCE, plain_http};

/// One service with a client of its own, so that tests run in parallel and one process holds many services.
#[derive(Debug, Clone)]
pub struct Project {
    /// What records and delivers.
    pub client: Client,
    /// The middleware on a client with guarded redirects.
    pub http: ClientWithMiddleware,
}

impl Project {
    /// A service called `name`, that sends to `dsn`.
    pub fn new(name: &str, dsn: String, set_up: impl FnOnce(Options) -> Options) -> Self {
        let options = Options::new().dsn(dsn).release(format!("{name}@1.0.0")).environment("test");
        let client = sentrace::client(set_up(options)).expect("the options of a test are right");
        let http = sentrace::reqwest::client(plain_http())
            .expect("a client without a redirect policy of its own")
            .client(client.clone())
            .build();
        Self { client, http }
    }

    /// The server layer.
    pub fn layer(&self) -> SentryTracingLayer {
        SentryTracingLayer::new().client(self.client.clone())
    }

    /// Sends what has finished, losses included.
    pub async fn flush(&self) {
        let client = self.client.clone();
        let flushed = tokio::task::spawn_blocking(move || client.flush(PATIENCE)).await;
        assert!(flushed.expect("flushing does not panic"), "all is sent in time");
    }
}
