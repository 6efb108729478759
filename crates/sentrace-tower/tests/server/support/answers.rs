//! Services without a framework.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::Service;

/// Answers every request with one status and text.
#[derive(Debug, Clone)]
pub(crate) struct Always(pub(crate) StatusCode, pub(crate) &'static str);

impl Always {
    pub(crate) fn ok() -> Self {
        Self(StatusCode::OK, "hello")
    }
}

impl<B> Service<Request<B>> for Always {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut response = Response::new(Full::from(self.1));
        *response.status_mut() = self.0;
        ready(Ok(response))
    }
}
