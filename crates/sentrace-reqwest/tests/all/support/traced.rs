//! Clients that trace.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use reqwest::ClientBuilder;
use reqwest_middleware::ClientWithMiddleware;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options, Origin};
use sentrace_reqwest::{RedirectPolicy, client, client_with_redirect_policy};

use super::server::World;

/// A client of reqwest that carries traces to some URLs, over a client of sentrace of its own.
pub(crate) struct Setup {
    sentrace: Client,
    capture: Arc<Capture>,
    headers: HeaderMap,
    policy: Option<RedirectPolicy>,
}

impl Setup {
    pub(crate) fn new(allowed: impl IntoIterator<Item = String>) -> Self {
        Self::with_options(
            Options::new().traces_sample_rate(1.0).tracing_origins(allowed.into_iter().map(Origin::contains)),
        )
    }

    pub(crate) fn with_options(options: Options) -> Self {
        let (sentrace, capture) = Capture::client(options).unwrap();
        Self { sentrace, capture, headers: HeaderMap::new(), policy: None }
    }

    pub(crate) fn default_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    pub(crate) fn policy(mut self, policy: RedirectPolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    pub(crate) fn build(self, builder: ClientBuilder) -> ClientWithMiddleware {
        self.build_with(builder).0
    }

    /// The client, and sentrace's side of it.
    pub(crate) fn build_with(self, builder: ClientBuilder) -> (ClientWithMiddleware, Client, Arc<Capture>) {
        let guarded = match self.policy {
            Some(policy) => client_with_redirect_policy(builder, policy).unwrap(),
            None => client(builder).unwrap(),
        };
        let http = guarded.default_headers(self.headers).client(self.sentrace.clone()).build();
        (http, self.sentrace, self.capture)
    }
}

/// A client that carries traces to the allowed hosts of `world`.
pub(crate) fn traced(world: &World, builder: ClientBuilder) -> ClientWithMiddleware {
    Setup::new(world.allowed()).build(builder)
}

/// The one transaction that arrives.
pub(crate) fn only(capture: &Capture) -> CapturedTransaction {
    let mut captured = capture.wait_for(1, Duration::from_secs(5));
    assert_eq!(captured.len(), 1);
    captured.remove(0)
}
