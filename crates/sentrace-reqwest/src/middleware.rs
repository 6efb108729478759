//! The middleware: a span around each request, and trace headers on it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next, Result};
use sentrace_core::{CallSpan, Client, OutgoingCall, diagnostics};

use crate::hooks::Hooks;
use crate::redirect::{Guard, Guarded, Kept};
use crate::span;

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
    hooks: Hooks,
}

impl SentryTracingMiddleware {
    /// For a client that somebody else built, whose redirects are not guarded.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn guarded(client: Option<Client>, guard: Guard, hooks: Hooks) -> Self {
        Self { client, guard: Some(Arc::new(guard)), hooks }
    }

    /// The client whose `tracing_origins` decide, instead of the current or global one.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Which calls become spans. Others still carry the trace on: what they call finds the current span.
    ///
    /// The hook sees the request and what [`with_extension`](reqwest_middleware::RequestBuilder::with_extension) put
    /// beside it.
    ///
    /// ```
    /// use sentrace_reqwest::SentryTracingMiddleware;
    ///
    /// let tracing = SentryTracingMiddleware::new().filter(|request, _| request.url().path() != "/health");
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.filter(filter);
        self
    }

    /// Which calls may carry trace headers, of those that the `tracing_origins` allow.
    #[must_use]
    pub fn propagate_if(
        mut self,
        propagate: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.hooks.propagate_if(propagate);
        self
    }

    /// Names spans; `None` leaves the name as it would be, `METHOD scheme://host/path`. Good names are few:
    /// `GET /users/{id}`.
    ///
    /// ```
    /// use sentrace_reqwest::SentryTracingMiddleware;
    ///
    /// /// Goes along with a call: `http.get(url).with_extension(Named("GET /users/{id}"))`.
    /// #[derive(Clone)]
    /// struct Named(&'static str);
    ///
    /// let tracing = SentryTracingMiddleware::new()
    ///     .name(|_, extensions| extensions.get::<Named>().map(|name| name.0.to_owned()));
    /// ```
    #[must_use]
    pub fn name(
        mut self,
        name: impl Fn(&Request, &Extensions) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.name(name);
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
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        // What is borrowed here would stay in the future to its end, and futures that are large cost most of all: so
        // the request goes through by value, and what is rarely needed has an allocation of its own.
        let (request, begun) = self.begin(request, extensions);
        let sent = next.run(request, extensions);
        let Some(Begun { span, client, kept }) = begun else { return Guarded::aside(sent).await };
        let (answer, hops) = match (kept, client) {
            (Some((guard, kept)), Some(client)) => guard.run(sent, kept, client).await,
            (_, client) => {
                let answer = Guarded::aside(sent).await;
                if let (Some(client), Ok(response)) = (client, &answer) {
                    warn_if_carried_away(&client, response.url());
                }
                (answer, 0)
            }
        };
        span::end(span, &answer, hops);
        answer
    }
}

/// A call that is traced, from before it is sent.
struct Begun<'a> {
    span: CallSpan,
    /// Whose trace headers it carries.
    client: Option<Client>,
    /// What it was without them.
    kept: Option<(&'a Guard, Box<Kept>)>,
}

impl SentryTracingMiddleware {
    /// Starts the span and puts the trace on the request; `None` where the call is left alone.
    fn begin(&self, mut request: Request, extensions: &Extensions) -> (Request, Option<Begun<'_>>) {
        if let Some(guard) = &self.guard {
            guard.add_default_headers(request.headers_mut());
        }
        let Some(mut call) = OutgoingCall::to(request.url().as_str(), self.client.as_ref()) else {
            return (request, None);
        };
        if !self.hooks.propagates(&request, extensions) {
            call = call.without_headers();
        }
        let span = if self.hooks.records(&request, extensions) {
            let name = self.hooks.name_of(&request, extensions);
            span::start(call.parent(), name.as_deref(), &request)
        } else {
            CallSpan::none()
        };
        // Only what will carry headers has to be kept as it was without them.
        let guard = self.guard.as_deref().filter(|_| call.allows_headers());
        let kept = guard.map(|guard| (guard, guard.keep(&request)));
        let injected = call.inject(&span, request.headers_mut());
        let client = injected.then(|| call.into_client());
        (request, Some(Begun { span, client, kept }))
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
