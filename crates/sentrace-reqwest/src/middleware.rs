//! The middleware, which records a span for each request and injects trace headers.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::{Extensions, HeaderName};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next, Result};
use sentrace_core::adapter::{CallSpan, OutgoingCall, has_trace_headers};
use sentrace_core::{Client, diagnostics};

use crate::config::Config;
use crate::default_headers::DefaultHeaders;
use crate::redirect::{GuardedFuture, RedirectChain, RedirectGuard, is_redirect};
use crate::span;

/// Records each request as an `http.client` span of the current transaction and propagates the trace to the hosts in
/// `tracing_origins` (Sentry SDK specification, *HTTP Client Integrations* and *Trace Propagation* 1.9).
///
/// Without a current transaction the request still carries the trace that it belongs to. Requests to the DSN's host are not
/// traced, and a `sentry-trace` that the application set is kept. Headers that a gateway copies from the request it serves are
/// replaced, and so are those that this process injected into a request that it sends again; if the host may not get the trace,
/// both are removed ([`OutgoingCall::inject`]). Responses and errors are passed through unchanged.
///
/// Prefer [`client`](crate::client), which builds the middleware into a client with guarded redirects. [`new`](Self::new) is for
/// an existing client: add it last. There, redirects carry the headers to any host; the first time this happens there is a
/// warning on stderr or to the [handler](sentrace_core::diagnostics::set_handler).
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
    config: Config,
    headers: Option<Arc<DefaultHeaders>>,
    guard: Option<Arc<RedirectGuard>>,
}

impl SentryTracingMiddleware {
    /// Creates the middleware for an existing client, whose redirects are not guarded.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn built(config: Config, headers: DefaultHeaders, guard: Option<RedirectGuard>) -> Self {
        Self { config, headers: Some(Arc::new(headers)), guard: guard.map(Arc::new) }
    }

    /// Sets the client whose `tracing_origins` apply, instead of the current or global one.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.config.client = Some(client);
        self
    }

    /// Sets which calls become spans. Others still carry the trace, with the current span as the parent.
    ///
    /// The hook gets the request and the extensions that
    /// [`with_extension`](reqwest_middleware::RequestBuilder::with_extension) has added.
    ///
    /// ```
    /// use sentrace_reqwest::SentryTracingMiddleware;
    ///
    /// let tracing = SentryTracingMiddleware::new().filter(|request, _| request.url().path() != "/health");
    /// ```
    #[must_use]
    pub fn filter(mut self, filter: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static) -> Self {
        self.config.filter = Some(Arc::new(filter));
        self
    }

    /// Sets which of the calls that the `tracing_origins` allow carry trace headers.
    #[must_use]
    pub fn propagate_if(
        mut self,
        propagate: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.config.propagate = Some(Arc::new(propagate));
        self
    }

    /// Sets the names of spans. With `None` a span keeps its default name, `METHOD scheme://host/path`. Use names with few
    /// distinct values: `GET /users/{id}`.
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
        self.config.namer = Some(Arc::new(name));
        self
    }
}

impl fmt::Debug for SentryTracingMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentryTracingMiddleware")
            .field("client", &self.config.client)
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
        // The request is not stored here: a future's data is copied with it, and large futures cost more than anything else.
        let (mut sent, begun) = self.send(request, extensions, next);
        let mut answer = (&mut sent).await;
        let Some(Begun { span, unguarded }) = begun else { return answer };
        let (mut hops, foreign_hop, saved) = sent.into_end();
        if let (Some(guard), Some(foreign_hop), Some(saved)) = (&self.guard, foreign_hop, saved)
            && is_redirect(&answer)
        {
            // The rare path has its own allocation, so that the common one stays small.
            (answer, hops) = Box::pin(guard.reissue(saved, foreign_hop, hops)).await;
            extensions.insert(LeftWithoutTrace);
        }
        if let (Some(call), Ok(response)) = (unguarded, &answer)
            && extensions.get::<LeftWithoutTrace>().is_none()
        {
            warn_if_redirected(&call, response.url());
        }
        span::end(span, &answer, hops);
        answer
    }
}

/// Shows a middleware without a guard further out that this one has removed the trace before a hop to a foreign host.
#[derive(Clone)]
struct LeftWithoutTrace;

/// The future of the next middleware.
type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>;

/// The request that is being sent.
type Sent<'a> = GuardedFuture<Sending<'a>>;

/// A traced call.
struct Begun {
    span: CallSpan,
    /// Set if it carries trace headers through unguarded redirects.
    unguarded: Option<OutgoingCall>,
}

impl SentryTracingMiddleware {
    /// Starts the span, injects the trace and passes the request to the next middleware. Returns no [`Begun`] if the call is not
    /// traced.
    fn send<'a>(
        &'a self,
        mut request: Request,
        extensions: &'a mut Extensions,
        next: Next<'a>,
    ) -> (Sent<'a>, Option<Begun>) {
        let mut hidden = Vec::new();
        if let Some(defaults) = &self.headers {
            defaults.add_to(request.headers_mut());
            hidden = defaults.hidden_from(request.headers());
        }
        let Some(mut call) = OutgoingCall::to(request.url().as_str(), self.config.client.as_ref()) else {
            OutgoingCall::remove_propagated_headers(request.headers_mut(), self.config.client.as_ref());
            return (self.guarded(next.run(request, extensions), None), None);
        };
        let may_carry = call.allows_headers();
        if !self.config.propagates(&request, extensions) || hidden.contains(&SENTRY_TRACE) {
            call = call.without_headers();
        }
        let span = if self.config.records(&request, extensions) {
            let name = self.config.name_of(&request, extensions);
            span::start(call.parent(), name.as_deref(), &request)
        } else {
            CallSpan::none()
        };
        // Only a request that may carry headers has to be saved, at best as it was without them. A middleware further in may
        // add them, too, so the hook does not matter here.
        let guard = self.guard.as_deref();
        let mut saved = guard.filter(|_| may_carry).map(|guard| guard.save(&request));
        let injected = call.inject(&span, request.headers_mut());
        for name in &hidden {
            request.headers_mut().remove(name);
        }
        if let (None, Some(guard)) = (&saved, guard)
            && (!hidden.is_empty() || has_trace_headers(request.headers()))
        {
            saved = Some(guard.save(&request));
        }
        let (mut chain, mut unguarded) = (None, None);
        match saved {
            Some(saved) => chain = Some(RedirectChain::first(saved, call.into_client())),
            None if injected => unguarded = Some(call),
            None => {}
        }
        span::attach_to_body(&span, &mut request);
        let sent = self.guarded(next.run(request, extensions), chain);
        (sent, Some(Begun { span, unguarded }))
    }

    fn guarded<'a>(&self, sending: Sending<'a>, chain: Option<Box<RedirectChain>>) -> Sent<'a> {
        if self.guard.is_some() {
            GuardedFuture::new(sending, chain)
        } else {
            GuardedFuture::transparent(sending)
        }
    }
}

const SENTRY_TRACE: HeaderName = HeaderName::from_static("sentry-trace");

/// The host that reqwest assigns to a response that a middleware has created.
const SYNTHETIC: &str = "no.url.provided.local";

fn warn_if_redirected(call: &OutgoingCall, answered: &Url) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let host = answered.host_str().unwrap_or_default();
    // The request was for an allowed URL, so a response from another one is the result of a redirect.
    if host != SYNTHETIC && !call.propagation_targets().allows(answered.as_str()) {
        diagnostics::warn_once(
            &WARNED,
            format_args!(
                "a redirect carried trace headers to {host}, which is not among the tracing_origins; \
                 build the client with sentrace::reqwest::client, which guards redirects",
            ),
        );
    }
}
