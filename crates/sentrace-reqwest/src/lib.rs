//! Sentry tracing for [reqwest](https://docs.rs/reqwest): a span per request, and trace headers for allowed hosts only.
//!
//! [`client`] adds [`SentryTracingMiddleware`] to a client with guarded redirects. Each of its requests is an `http.client` span
//! of the current transaction, and carries `sentry-trace` and `baggage` to the hosts in
//! [`Options::tracing_origins`](sentrace_core::Options::tracing_origins) only, even after redirects.
//!
//! ```
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let http = sentrace_reqwest::client(reqwest::Client::builder())?.build();
//! # if false {
//! let stock = http.get("http://127.0.0.1:3001/stock/7").send().await?;
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! For a plain [`reqwest::Client`] there is [`WithTraceHeaders`], which adds headers and records no spans.
//!
//! TLS, HTTP/2 and decompression are features of reqwest, which a service enables in its own manifest.
//!
//! # What is guarded, and what is not
//! reqwest follows redirects below every middleware and removes only credentials from the request. The guard is part of the
//! client's redirect policy: it stops reqwest before a hop that leaves the allowed hosts, and sends that hop itself. It does so
//! for headers of this crate, of another middleware and of the application. The request that arrives there, the limits of hops
//! and time, errors and the response are the same as with reqwest alone, with these exceptions:
//!
//! - A credential or a trace header among the default headers of *reqwest's* builder arrives there as an empty header,
//!   because reqwest cannot omit it; [`ClientBuilder::default_headers`] can. A default `content-type` of reqwest's builder is
//!   still sent after a redirect has turned a POST into a GET.
//! - Credentials stay removed after a hop to another host. reqwest 0.13 sends them again on the next hop inside that host.
//! - `read_timeout` starts again, and an `https_only` client refuses `http` with an error that is not a redirect's.

mod client;
mod config;
mod default_headers;
mod middleware;
mod redirect;
mod request_builder;
mod span;

pub use client::{ClientBuilder, ClientError, client, client_with_redirect_policy};
pub use middleware::SentryTracingMiddleware;
pub use redirect::{RedirectAction, RedirectAttempt, RedirectPolicy};
pub use request_builder::WithTraceHeaders;
