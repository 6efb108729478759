//! Client options, set in code or by the environment. Code takes precedence.

mod contradictions;
mod delivery;
mod environment;
pub(crate) mod identity;
pub(crate) mod idle;
pub(crate) mod lifecycle;
mod scope;
mod spotlight;

use std::fmt;
use std::sync::Arc;

use sentrace_protocol::{Dsn, sensitive};

pub(crate) use self::contradictions::warn_of_contradictions;
use self::delivery::DeliveryOptions;
pub use self::delivery::{BeforeSendSpan, BeforeSendTransaction, Compression, DeliverySettings};
use self::idle::Timeouts;
use self::lifecycle::LifecycleOptions;
use self::scope::ScopeOptions;
pub use self::spotlight::Spotlight;
use crate::decide::sampling::{Sampler, Sampling, SamplingContext};
use crate::propagation::outgoing::Origin;
use crate::util::hook::UserClosure;

/// The environment if none is set (Sentry SDK specification, *Configuration*).
pub(crate) const DEFAULT_ENVIRONMENT: &str = "production";

/// Client configuration. Setters never fail; the first invalid value is reported by `init`.
///
/// ```
/// use sentrace_core::{Options, Origin};
///
/// let options = Options::new()
///     .dsn("https://9c1f0d3e5b7a48c2@o1.ingest.example.com/42")
///     .release("shop@1.4.0")
///     .environment("production")
///     .traces_sample_rate(0.25)
///     .tracing_origins([Origin::host("api.example.com")]);
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) dsn: Option<Dsn>,
    pub(crate) release: Option<String>,
    pub(crate) environment: String,
    pub(crate) server_name: Option<String>,
    pub(crate) sampling: Sampling,
    pub(crate) tracing_origins: Option<Vec<Origin>>,
    pub(crate) org_id: Option<String>,
    pub(crate) strict_trace_continuation: bool,
    pub(crate) propagate_traceparent: bool,
    pub(crate) continue_traceparent: bool,
    pub(crate) delivery: DeliveryOptions,
    pub(crate) lifecycle: LifecycleOptions,
    pub(crate) idle: Timeouts,
    pub(crate) scope: ScopeOptions,
    pub(crate) environment_carrier: Vec<(&'static str, String)>,
    pub(crate) debug: bool,
    error: Option<OptionsError>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dsn: None,
            release: None,
            environment: DEFAULT_ENVIRONMENT.to_owned(),
            server_name: None,
            sampling: Sampling::default(),
            tracing_origins: None,
            org_id: None,
            strict_trace_continuation: false,
            propagate_traceparent: false,
            continue_traceparent: false,
            delivery: DeliveryOptions::default(),
            lifecycle: LifecycleOptions::default(),
            idle: Timeouts::default(),
            scope: ScopeOptions::default(),
            environment_carrier: Vec::new(),
            debug: false,
            error: None,
        }
    }
}

impl Options {
    /// Creates options without a DSN and with tracing off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the DSN, `https://key@host/project`. If it is empty or unset, nothing is recorded or
    /// sent.
    #[must_use]
    pub fn dsn(self, dsn: impl AsRef<str>) -> Self {
        self.set_dsn("dsn", dsn.as_ref())
    }

    /// Sets the version of the service, for example `shop@1.4.0`.
    ///
    /// Surrounding whitespace is removed; a blank release counts as unset. Sentry accepts at most
    /// 200 bytes without line breaks and slashes. Anything else is adjusted, with a warning.
    #[must_use]
    pub fn release(mut self, release: impl Into<String>) -> Self {
        self.release = Some(release.into());
        self
    }

    /// Sets the environment. Defaults to `production`, also if it is blank. Sentry accepts at most
    /// 64 bytes without line breaks and slashes. Anything else is adjusted, with a warning.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = environment.into();
        self
    }

    /// Sets the name of the machine or service instance. There is no default, and a blank name
    /// counts as unset.
    #[must_use]
    pub fn server_name(mut self, server_name: impl Into<String>) -> Self {
        self.server_name = Some(server_name.into());
        self
    }

    /// Sets the fraction of new traces that are recorded, from 0 to 1.
    ///
    /// If unset, tracing is off and traces are only propagated. With 0, traces that start here
    /// carry a negative decision. An incoming decision takes precedence over the rate.
    #[must_use]
    pub fn traces_sample_rate(self, rate: f64) -> Self {
        self.set_rate("traces_sample_rate", rate)
    }

    /// Sets a function that returns the rate of each transaction. It takes precedence over an
    /// incoming decision and the rate.
    ///
    /// Results outside `0.0..=1.0`, and panics, are ignored. A warning says once what is used
    /// instead.
    #[must_use]
    pub fn traces_sampler(
        mut self,
        sampler: impl Fn(&SamplingContext<'_>) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let sampler = UserClosure::new(sampler);
        // NaN is ignored. A closure that was dropped is not called again.
        let sampler: Sampler =
            Arc::new(move |context| sampler.get().map_or(f64::NAN, |sampler| sampler(context)));
        self.sampling.sampler = Some(sampler);
        self
    }

    /// Sets where outgoing calls may carry trace headers. Defaults to this machine. An empty list
    /// (`Vec::<Origin>::new()`) means nowhere.
    ///
    /// [`Origin::host`] is recommended. A string is searched in the URL, as in Sentry's other SDKs;
    /// see [`Origin::contains`]. An origin that can never match is an error of `init`.
    ///
    /// ```
    /// use sentrace_core::{Options, Origin};
    ///
    /// let by_host = Options::new().tracing_origins([Origin::host("example.com"), Origin::host("127.0.0.1:3000")]);
    /// let by_text = Options::new().tracing_origins(["https://api.example.com/", "/internal/"]);
    /// ```
    #[doc(alias = "trace_propagation_targets")]
    #[must_use]
    pub fn tracing_origins(mut self, origins: impl IntoIterator<Item = impl Into<Origin>>) -> Self {
        let mut valid = Vec::new();
        for origin in origins {
            match origin.into().validated() {
                Ok(origin) => valid.push(origin),
                Err(error) => {
                    let error = OptionsError { option: "tracing_origins", message: error.to_string() };
                    self.error = self.error.or(Some(error));
                }
            }
        }
        self.tracing_origins = Some(valid);
        self
    }

    /// Sets the organization, if the DSN's host (`o1.…`) has none or another one: set it with
    /// self-hosted Sentry and with a local Relay. It takes precedence over the DSN. An empty one
    /// counts as unset.
    #[must_use]
    pub fn org_id(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(org_id.into()).filter(|org_id| !org_id.is_empty());
        self
    }

    /// Sets whether traces are only continued if both sides name the same organization. Off by
    /// default.
    #[must_use]
    pub fn strict_trace_continuation(mut self, strict: bool) -> Self {
        self.strict_trace_continuation = strict;
        self
    }

    /// Sets whether outgoing calls also carry W3C's `traceparent`. Off by default.
    #[must_use]
    pub fn propagate_traceparent(mut self, propagate: bool) -> Self {
        self.propagate_traceparent = propagate;
        self
    }

    /// Sets whether a trace is continued from W3C's `traceparent` if there is no usable
    /// `sentry-trace`. Off by default. The caller's decision is the flag of `traceparent`.
    #[must_use]
    pub fn continue_traceparent(mut self, read: bool) -> Self {
        self.continue_traceparent = read;
        self
    }

    /// Explains on stderr what this client decides and why, for a service that does not trace as
    /// expected.
    #[must_use]
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Returns the options if they are valid.
    ///
    /// # Errors
    /// Returns an [`OptionsError`] with the first invalid option, its value and the rule.
    pub fn validated(mut self) -> Result<Self, OptionsError> {
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    fn set_dsn(mut self, option: &'static str, dsn: &str) -> Self {
        if dsn.trim().is_empty() {
            self.dsn = None;
            return self;
        }
        match dsn.trim().parse() {
            Ok(dsn) => self.dsn = Some(dsn),
            Err(error) => {
                self.error = self.error.or(Some(OptionsError { option, message: format!("{error}") }));
            }
        }
        self
    }

    fn set_rate(mut self, option: &'static str, rate: f64) -> Self {
        if !(0.0..=1.0).contains(&rate) {
            return self.fail(option, &rate.to_string(), RATE_RULE);
        }
        self.sampling.rate = Some(rate);
        self
    }

    fn fail(mut self, option: &'static str, value: &str, rule: &str) -> Self {
        let message = format!("{:?} is {rule}", sensitive::filter_option(value));
        self.error = self.error.or(Some(OptionsError { option, message }));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("dsn", &self.dsn)
            .field("release", &self.release)
            .field("environment", &self.environment)
            .field("sampling", &self.sampling)
            .field("tracing_origins", &self.tracing_origins)
            .field("delivery", &self.delivery)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

const RATE_RULE: &str = "not a rate: write a number from 0 (nothing) to 1 (everything)";

/// An invalid option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError {
    option: &'static str,
    message: String,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "option {}: {}", self.option, self.message)
    }
}

impl std::error::Error for OptionsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_rule() {
        let rate = Options::new().traces_sample_rate(1.5).validated().unwrap_err().to_string();
        assert!(rate.contains("traces_sample_rate") && rate.contains("1.5"), "{rate}");
        assert!(Options::new().traces_sample_rate(f64::NAN).validated().is_err());
        let dsn = Options::new().dsn("https://host/1").validated().unwrap_err().to_string();
        assert!(dsn.contains("option dsn") && dsn.contains("https://host/1"), "{dsn}");
    }
}
