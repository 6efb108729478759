//! The request that all clients make: with reqwest-middleware, and a stub instead of the network.

use http::{Extensions, HeaderMap};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use std::sync::{Arc, Mutex};

/// The target of the request.
pub const URL: &str = "https://api.example.com/pay/1000?currency=eur";

/// Answers every request at once, and keeps the headers of one on demand.
#[derive(Debug, Clone, Default)]
pub struct Stub {
    seen: Arc<Mutex<Option<HeaderMap>>>,
    looks: bool,
}

impl Stub {
    /// A client that calls `middleware` and the stub.
    pub fn client(middleware: Option<Arc<dyn Middleware>>) -> ClientWithMiddleware {
        Self::default().below(plain(middleware))
    }

    /// A client that exposes its last headers.
    pub fn looking(middleware: Option<Arc<dyn Middleware>>) -> (ClientWithMiddleware, Self) {
        Self::looking_below(plain(middleware))
    }

    /// Like [`new`](Self::new), for a client with its own middleware.
    pub fn looking_below(client: ClientWithMiddleware) -> (ClientWithMiddleware, Self) {
        let stub = Self { looks: true, ..Self::default() };
        (stub.clone().below(client), stub)
    }

    /// A client that calls the stub after its middleware.
    pub fn below(self, client: ClientWithMiddleware) -> ClientWithMiddleware {
        ClientBuilder::from_client(client).with(self).build()
    }

    /// Returns the headers of the last request.
    pub fn headers(&self) -> HeaderMap {
        self.seen.lock().ok().and_then(|seen| seen.clone()).unwrap_or_default()
    }
}

fn plain(middleware: Option<Arc<dyn Middleware>>) -> ClientWithMiddleware {
    let builder = ClientBuilder::new(reqwest::Client::new());
    match middleware {
        Some(middleware) => builder.with_arc(middleware).build(),
        None => builder.build(),
    }
}

#[async_trait::async_trait]
impl Middleware for Stub {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        if self.looks
            && let Ok(mut seen) = self.seen.lock()
        {
            *seen = Some(request.headers().clone());
        }
        Ok(Response::from(http::Response::new(Body::default())))
    }
}

/// A middleware that does nothing.
#[derive(Debug)]
pub struct Noop;

#[async_trait::async_trait]
impl Middleware for Noop {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        next.run(request, extensions).await
    }
}

/// Makes the request and drops the response.
pub async fn call(client: &ClientWithMiddleware) {
    let answer = client.get(URL).header("accept", "application/json").send().await;
    assert!(answer.is_ok(), "the stub never fails");
}
