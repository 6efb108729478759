//! Constructors of guarded clients.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::{Extensions, HeaderMap};
use reqwest::Request;
use reqwest_middleware::{ClientWithMiddleware, Middleware, RequestInitialiser};
use sentrace_core::{Client, diagnostics};

use crate::config::Config;
use crate::default_headers::DefaultHeaders;
use crate::middleware::SentryTracingMiddleware;
use crate::redirect::{PrintedPolicy, RedirectGuard, RedirectPolicy, Settings};

/// Adds the tracing middleware to a client that sends trace headers to allowed hosts only, even after redirects.
///
/// The builder's redirect policy is kept if it is a limit or none. A closure cannot be read from a builder: pass it to
/// [`client_with_redirect_policy`]. If the policy of a newer reqwest cannot be read, the builder keeps it, redirects are not
/// guarded, and there is one warning.
///
/// `baggage`, `sentry-trace` and `traceparent` among the builder's default headers are treated like those of a request: the
/// members of `baggage` are sent beside Sentry's, and a `sentry-trace` is kept.
///
/// ```
/// let http = sentrace_reqwest::client(reqwest::Client::builder())?.build();
/// # Ok::<(), sentrace_reqwest::ClientError>(())
/// ```
///
/// # Errors
/// Returns [`ClientError::CustomRedirectPolicy`] if the builder has a custom redirect policy, and [`ClientError::Build`] if
/// reqwest cannot build the client.
pub fn client(builder: reqwest::ClientBuilder) -> Result<ClientBuilder, ClientError> {
    let settings = Settings::read(&builder);
    client_with(builder, settings)
}

fn client_with(builder: reqwest::ClientBuilder, settings: Settings) -> Result<ClientBuilder, ClientError> {
    let policy = match settings.policy {
        PrintedPolicy::Limited(max) => RedirectPolicy::limited(max),
        PrintedPolicy::None => RedirectPolicy::none(),
        PrintedPolicy::Custom => return Err(ClientError::CustomRedirectPolicy),
        PrintedPolicy::Unreadable => {
            static WARNED: AtomicBool = AtomicBool::new(false);
            diagnostics::warn_once(
                &WARNED,
                format_args!(
                    "redirects of the reqwest client are not guarded: this version of reqwest does not tell the builder's \
                     redirect policy, which stays as it is, so a redirect may carry trace headers to any host; name the \
                     policy with sentrace::reqwest::client_with_redirect_policy",
                ),
            );
            return Ok(ClientBuilder::new(builder, settings)?.unguarded());
        }
    };
    guarded(builder, settings, policy)
}

/// Like [`client`], with a redirect policy that replaces the builder's.
///
/// # Errors
/// Returns [`ClientError::Build`] if reqwest cannot build the client.
pub fn client_with_redirect_policy(
    builder: reqwest::ClientBuilder,
    policy: RedirectPolicy,
) -> Result<ClientBuilder, ClientError> {
    let settings = Settings::read(&builder);
    guarded(builder, settings, policy)
}

fn guarded(
    builder: reqwest::ClientBuilder,
    settings: Settings,
    policy: RedirectPolicy,
) -> Result<ClientBuilder, ClientError> {
    ClientBuilder::new(builder.redirect(policy.guarded()), settings)
}

/// A builder for guarded clients: [`reqwest_middleware::ClientBuilder`] with tracing as the last middleware.
///
/// The last middleware sees the URL and the headers that are sent, and each attempt of a retrying middleware gets a span.
#[must_use = "nothing is sent before `build`"]
pub struct ClientBuilder {
    inner: reqwest_middleware::ClientBuilder,
    http: reqwest::Client,
    settings: Settings,
    is_guarded: bool,
    default_headers: HeaderMap,
    config: Config,
}

impl ClientBuilder {
    fn new(builder: reqwest::ClientBuilder, settings: Settings) -> Result<Self, ClientError> {
        let http = builder.build().map_err(ClientError::Build)?;
        Ok(Self {
            inner: reqwest_middleware::ClientBuilder::new(http.clone()),
            http,
            settings,
            is_guarded: true,
            default_headers: HeaderMap::new(),
            config: Config::default(),
        })
    }

    fn unguarded(mut self) -> Self {
        self.is_guarded = false;
        self
    }

    /// Adds a middleware outside the tracing.
    pub fn with<M: Middleware>(self, middleware: M) -> Self {
        self.with_arc(Arc::new(middleware))
    }

    /// Adds a shared middleware outside the tracing.
    pub fn with_arc(mut self, middleware: Arc<dyn Middleware>) -> Self {
        self.inner = self.inner.with_arc(middleware);
        self
    }

    /// Adds an initialiser, which changes each request builder.
    pub fn with_init<I: RequestInitialiser>(mut self, initialiser: I) -> Self {
        self.inner = self.inner.with_init(initialiser);
        self
    }

    /// Adds headers to every request that lacks them, like reqwest's method of this name. Unlike there, credentials among them are
    /// removed completely by a redirect to another host.
    ///
    /// ```
    /// use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
    ///
    /// let token = HeaderValue::from_static("Bearer 2f1c");
    /// let http = sentrace_reqwest::client(reqwest::Client::builder())?
    ///     .default_headers(HeaderMap::from_iter([(AUTHORIZATION, token)]))
    ///     .build();
    /// # Ok::<(), sentrace_reqwest::ClientError>(())
    /// ```
    pub fn default_headers(mut self, headers: HeaderMap) -> Self {
        for name in headers.keys() {
            self.default_headers.remove(name);
            for value in headers.get_all(name) {
                self.default_headers.append(name.clone(), value.clone());
            }
        }
        self
    }

    /// Sets the client whose `tracing_origins` apply, instead of the current or global one.
    pub fn client(mut self, client: Client) -> Self {
        self.config.client = Some(client);
        self
    }

    /// Sets which calls become spans; see [`SentryTracingMiddleware::filter`].
    pub fn filter(mut self, filter: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static) -> Self {
        self.config.filter = Some(Arc::new(filter));
        self
    }

    /// Sets which of the calls that the `tracing_origins` allow carry trace headers.
    pub fn propagate_if(
        mut self,
        propagate: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.config.propagate = Some(Arc::new(propagate));
        self
    }

    /// Sets the names of spans; see [`SentryTracingMiddleware::name`].
    ///
    /// ```
    /// let http = sentrace_reqwest::client(reqwest::Client::builder())?
    ///     .name(|request, _| request.url().path().starts_with("/users/").then(|| "GET /users/{id}".to_owned()))
    ///     .build();
    /// # Ok::<(), sentrace_reqwest::ClientError>(())
    /// ```
    pub fn name(
        mut self,
        name: impl Fn(&Request, &Extensions) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.config.namer = Some(Arc::new(name));
        self
    }

    /// Builds the client.
    pub fn build(self) -> ClientWithMiddleware {
        let headers = DefaultHeaders::new(self.default_headers, &self.settings);
        let guard = self.is_guarded.then(|| RedirectGuard::new(self.http, self.settings));
        self.inner.with(SentryTracingMiddleware::built(self.config, headers, guard)).build()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The error returned if a guarded client cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The builder's redirect policy is a closure.
    CustomRedirectPolicy,
    /// reqwest cannot build the client.
    Build(reqwest::Error),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CustomRedirectPolicy => f.write_str(
                "the reqwest builder has a custom redirect policy, which cannot be guarded from outside; \
                 give the closure to client_with_redirect_policy as RedirectPolicy::custom",
            ),
            Self::Build(error) => write!(f, "reqwest cannot build the client: {error}"),
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::CustomRedirectPolicy => None,
            Self::Build(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::redirect::Policy;

    use super::*;

    #[test]
    fn a_custom_policy_in_the_builder_is_refused_with_the_way_out() {
        let builder =
            reqwest::Client::builder().redirect(Policy::custom(|attempt| Policy::none().redirect(attempt)));
        let error = client(builder).unwrap_err().to_string();
        assert!(error.contains("client_with_redirect_policy"), "{error}");
    }

    #[test]
    fn a_policy_that_cannot_be_read_stays_in_force_without_a_guard() {
        let builder = reqwest::Client::builder().redirect(Policy::none());
        let settings = Settings { policy: PrintedPolicy::Unreadable, ..Settings::read(&builder) };
        let client = client_with(builder, settings).unwrap();
        assert!(!client.is_guarded);
        assert!(format!("{:?}", client.http).contains("None"), "{:?}", client.http);
    }

    #[test]
    fn what_reqwest_cannot_build_is_its_own_error() {
        let error = client(reqwest::Client::builder().user_agent("line\nbreak")).unwrap_err();
        assert!(matches!(error, ClientError::Build(_)), "{error:?}");
    }
}
