//! Trace headers for people whose client is reqwest's own.

use reqwest::{Request, RequestBuilder};
use sentrace_core::inject_headers;

/// Puts the current trace on a request of a plain [`reqwest::Client`], if its URL is among the `tracing_origins`.
///
/// There is no span for the call: what is called finds the current span as its parent. What the application set stays:
/// a `sentry-trace`, and other vendors' `baggage`.
///
/// reqwest follows redirects with all headers that are not credentials, to wherever they lead. Where that must not
/// happen, use [`client`](crate::client), which guards redirects, or a client that follows none.
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
pub trait WithTraceHeaders: Sized {
    /// The same request with `sentry-trace` and `baggage`, and `traceparent` where that is asked for (Sentry SDK
    /// specification, *Trace Propagation* 1.9). An error in a builder stays what it is.
    #[must_use]
    fn with_trace_headers(self) -> Self;
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
        // Once taken out of the builder, an error cannot be put back; only the debug form tells that there is one.
        if self.try_clone().is_none() && format!("{self:?}").starts_with("RequestBuilder { error:") {
            return self;
        }
        match self.build_split() {
            (client, Ok(request)) => Self::from_parts(client, request.with_trace_headers()),
            (client, Err(_)) => client.get(""),
        }
    }
}
