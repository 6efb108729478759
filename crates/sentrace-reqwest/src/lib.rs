//! Sentry tracing for [reqwest](https://docs.rs/reqwest): a span per request, and trace headers only where they may go.
//!
//! [`client`] puts [`SentryTracingMiddleware`] on a client whose redirects are guarded. Every request through it is a
//! span `http.client` of the current transaction, and carries `sentry-trace` and `baggage` to the hosts of
//! [`Options::tracing_origins`](sentrace_core::Options::tracing_origins); after a redirect, too, to no other.
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
//! For a client that is to stay a plain [`reqwest::Client`] there is [`WithTraceHeaders`]: headers, and no spans.
//!
//! TLS, HTTP/2 and decompression are features of reqwest that the service chooses in its own manifest.
//!
//! # What is guarded, and what is not
//! reqwest follows redirects below every middleware and takes only credentials off the request. The guard is part of
//! the client's redirect policy: it stops reqwest before a hop that leaves the allowed hosts, and sends that hop itself.
//! It does so whoever set the headers: this crate, a second middleware, or the application.
//! What arrives there, hop limit, time limit, errors and the answer are those of reqwest alone, but for these:
//!
//! - A credential or a trace header among the default headers of *reqwest's* builder arrives there as an empty header,
//!   because reqwest cannot leave it out; [`ClientBuilder::default_headers`] can. A default `content-type` of reqwest's builder is
//!   sent on where a redirect turned a POST into a GET.
//! - Credentials stay off after a hop to another host. reqwest 0.13 sends them again on the next hop inside that host.
//! - `read_timeout` begins anew, and an `https_only` client refuses `http` with an error that is not a redirect's.

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
