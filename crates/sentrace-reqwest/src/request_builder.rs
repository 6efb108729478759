//! Trace headers for requests of a plain `reqwest::Client`.

use reqwest::{Request, RequestBuilder};
use sentrace_core::inject_headers;

/// Adds the current trace to a request of a plain [`reqwest::Client`], if its URL is among the `tracing_origins`. This trait is
/// sealed.
///
/// There is no span for the call: the parent of the called service is the current span. A `sentry-trace` that the application
/// set stays, and so does other vendors' `baggage`.
///
/// reqwest follows redirects to any host, with all headers except credentials. To prevent that, use
/// [`client`](crate::client), which guards redirects, or a client that follows none.
///
/// ```
/// use sentrace_reqwest::WithTraceHeaders as _;
///
/// # async fn run() -> Result<(), reqwest::Error> {
/// # if false {
/// let http = reqwest::Client::new();
/// let stock = http.get("http://127.0.0.1:3001/stock/7").with_trace_headers().send().await?;
/// # }
/// # Ok(())
/// # }
/// ```
pub trait WithTraceHeaders: sealed::Sealed + Sized {
    /// Adds `sentry-trace` and `baggage`, and `traceparent` if it is enabled (Sentry SDK specification, *Trace Propagation*
    /// 1.9). An error in a builder is kept.
    #[must_use]
    fn with_trace_headers(self) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Request {}
    impl Sealed for super::RequestBuilder {}
}

impl WithTraceHeaders for Request {
    fn with_trace_headers(mut self) -> Self {
        let url = self.url().clone();
        inject_headers(url.as_str(), self.headers_mut(), None);
        self
    }
}

impl WithTraceHeaders for RequestBuilder {
    fn with_trace_headers(self) -> Self {
        // Once taken out of the builder, an error cannot be put back. Only the debug form shows that there is one.
        if self.try_clone().is_none() && format!("{self:?}").starts_with("RequestBuilder { error:") {
            return self;
        }
        match self.build_split() {
            (client, Ok(request)) => Self::from_parts(client, request.with_trace_headers()),
            (client, Err(_)) => client.get(""),
        }
    }
}
