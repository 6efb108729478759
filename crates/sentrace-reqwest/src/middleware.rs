//! The middleware: a span around each request, and trace headers on it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next, Result};
use sentrace_core::{Client, current_span, diagnostics};

use crate::inject::inject;
use crate::redirect::{Guard, Guarded};
use crate::span::CallSpan;

/// Makes each request an `http.client` span of the current transaction and carries the trace to the hosts of
/// `tracing_origins` (Sentry SDK specification, *HTTP Client Integrations* and *Trace Propagation* 1.9).
///
/// Without a current transaction the request still carries the trace that it belongs to. Requests to the DSN's host
/// are left alone, and so is a request to which the application gave a `sentry-trace` of its own. The answer, and
/// every error, pass through as they are.
///
/// [`client`](crate::client) builds the middleware into a client whose redirects are guarded, and is to be
/// preferred. [`new`](Self::new) is for a client that somebody else built: add it last. There, a redirect takes the
/// headers along wherever it leads; when that has happened, it is said once on stderr or to the
/// [handler](sentrace_core::diagnostics::set_handler).
///
/// ```
/// use reqwest_middleware::ClientBuilder;
/// use sentrace_reqwest::SentryTracingMiddleware;
///
/// # fn built_elsewhere() -> reqwest::Client { reqwest::Client::new() }
/// let http = ClientBuilder::new(built_elsewhere()).with(SentryTracingMiddleware::new()).build();
/// ```
#[derive(Clone, Default)]
pub struct SentryTracingMiddleware {
    client: Option<Client>,
    guard: Option<Arc<Guard>>,
}

impl SentryTracingMiddleware {
    /// For a client that somebody else built, whose redirects are not guarded.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn guarded(client: Option<Client>, guard: Guard) -> Self {
        Self { client, guard: Some(Arc::new(guard)) }
    }

    /// The client whose `tracing_origins` decide, instead of the current or global one.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }
}

impl fmt::Debug for SentryTracingMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryTracingMiddleware")
            .field("client", &self.client)
            .field("guarded", &self.guard.is_some())
            .finish()
    }
}

#[async_trait::async_trait]
impl Middleware for SentryTracingMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        if let Some(guard) = &self.guard {
            guard.add_default_headers(request.headers_mut());
        }
        let current = current_span();
        let client = self.client.clone().or_else(|| current.client()).or_else(Client::global);
        let Some(client) = client else {
            return Guarded::aside(next.run(request, extensions)).await;
        };
        let url = request.url().as_str();
        let allowed = client.outgoing().allows(url);
        if !allowed && client.outgoing().is_own(url) {
            return Guarded::aside(next.run(request, extensions)).await;
        }
        let span = CallSpan::start(&current, request.method(), request.url());
        let carried = match (allowed, current.is_none()) {
            (false, _) => None,
            (true, false) => span.trace_headers(),
            (true, true) => client.process_trace().trace_headers(),
        };
        drop(current);
        // Only what will carry headers has to be kept as it was without them.
        let kept = match (&carried, &self.guard) {
            (Some(_), Some(guard)) => Some((guard, guard.keep(&request))),
            _ => None,
        };
        let injected = carried.is_some_and(|headers| inject(request.headers_mut(), headers));
        let (answer, hops) = match kept {
            Some((guard, kept)) if injected => guard.run(next.run(request, extensions), kept, client).await,
            _ => {
                let answer = Guarded::aside(next.run(request, extensions)).await;
                if let (true, Ok(response)) = (injected, &answer) {
                    warn_if_carried_away(&client, response.url());
                }
                (answer, 0)
            }
        };
        span.end(&answer, hops);
        answer
    }
}

/// The host that reqwest gives to an answer that a middleware made up.
const MADE_UP: &str = "no.url.provided.local";

fn warn_if_carried_away(client: &Client, answered: &Url) {
    static SAID: AtomicBool = AtomicBool::new(false);
    let host = answered.host_str().unwrap_or_default();
    // The request was for an allowed URL, so that an answer from another one came by a redirect.
    if host != MADE_UP && !client.outgoing().allows(answered.as_str()) {
        diagnostics::warn_once(
            &SAID,
            format_args!(
                "a redirect carried trace headers to {host}, which is not among the tracing_origins; \
                 build the client with sentrace::reqwest::client, which guards redirects",
            ),
        );
    }
}
