//! How a client is set up: in code, from the environment, code winning.

mod contradictions;
mod delivery;
mod environment;
pub(crate) mod identity;
pub(crate) mod idle;
pub(crate) mod lifecycle;
mod spotlight;

use std::fmt;
use std::sync::Arc;

use sentrace_protocol::{Dsn, sensitive};

pub(crate) use self::contradictions::warn_of_contradictions;
use self::delivery::DeliveryOptions;
pub use self::delivery::{BeforeSendTransaction, Compression};
use self::idle::Timeouts;
use self::lifecycle::LifecycleOptions;
pub use self::spotlight::Spotlight;
use crate::decide::sampling::{Sampler, Sampling, SamplingContext};
use crate::propagation::outgoing::Origin;
use crate::util::hook::UserClosure;

/// Where a service runs that does not say so (Sentry SDK specification, *Configuration*).
pub(crate) const DEFAULT_ENVIRONMENT: &str = "production";

/// All that can be set. Setters never fail: what is wrong is kept and told by `init`.
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
            environment_carrier: Vec::new(),
            debug: false,
            error: None,
        }
    }
}

impl Options {
    /// Nothing set: no DSN, tracing off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where to report: `https://key@host/project`. Empty is as good as unset: nothing is recorded or sent then.
    #[must_use]
    pub fn dsn(self, dsn: impl AsRef<str>) -> Self {
        self.set_dsn("dsn", dsn.as_ref())
    }

    /// What version of the service this is, for example `shop@1.4.0`. Blanks around it go, and nothing but blanks is as good
    /// as unset. Sentry takes at most 200 bytes without line breaks and slashes; anything else is made to fit, with a
    /// warning.
    #[must_use]
    pub fn release(mut self, release: impl Into<String>) -> Self {
        self.release = Some(release.into());
        self
    }

    /// Where the service runs; `production` by default, and where it is blank. Sentry takes at most 64 bytes without line
    /// breaks and slashes; anything else is made to fit, with a warning.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = environment.into();
        self
    }

    /// Which machine or service instance this is. Nothing is guessed, and a blank name is as good as unset.
    #[must_use]
    pub fn server_name(mut self, server_name: impl Into<String>) -> Self {
        self.server_name = Some(server_name.into());
        self
    }

    /// The share of new traces that are recorded, from 0 to 1. Unset: tracing is off, traces only pass through.
    /// 0: traces that begin here carry a negative decision. An incoming decision wins over the rate.
    #[must_use]
    pub fn traces_sample_rate(self, rate: f64) -> Self {
        self.set_rate("traces_sample_rate", rate)
    }

    /// Decides the rate for each transaction, and wins over an incoming decision and the rate. An answer that is not
    /// from 0 to 1, or a panic, has no say: one warning names what decides instead.
    #[must_use]
    pub fn traces_sampler(
        mut self,
        sampler: impl Fn(&SamplingContext<'_>) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let sampler = UserClosure::new(sampler);
        // NaN has no say. A closure that is gone is not asked any more.
        let sampler: Sampler =
            Arc::new(move |context| sampler.get().map_or(f64::NAN, |sampler| sampler(context)));
        self.sampling.sampler = Some(sampler);
        self
    }

    /// Where outgoing calls may carry trace headers; by default this machine only. An empty list
    /// (`Vec::<Origin>::new()`): nowhere.
    ///
    /// [`Origin::host`] is recommended. A string is looked for in the URL, as in other SDKs of Sentry; see
    /// [`Origin::contains`]. An origin that can never match is an error of `init`.
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

    /// The organisation, where the DSN's host (`o1.…`) does not tell it or tells another: set it with self-hosted
    /// Sentry and with a local Relay. It wins over the DSN; empty is as good as unset.
    #[must_use]
    pub fn org_id(mut self, org_id: impl Into<String>) -> Self {
        self.org_id = Some(org_id.into()).filter(|org_id| !org_id.is_empty());
        self
    }

    /// Whether traces go on only where both sides name the same organisation. Off by default.
    #[must_use]
    pub fn strict_trace_continuation(mut self, strict: bool) -> Self {
        self.strict_trace_continuation = strict;
        self
    }

    /// Whether outgoing calls carry W3C's `traceparent` too. Off by default.
    #[must_use]
    pub fn propagate_traceparent(mut self, propagate: bool) -> Self {
        self.propagate_traceparent = propagate;
        self
    }

    /// Whether a trace is continued from W3C's `traceparent` where no usable `sentry-trace` came. Off by default.
    /// Its flag is taken as the caller's decision.
    #[must_use]
    pub fn continue_traceparent(mut self, read: bool) -> Self {
        self.continue_traceparent = read;
        self
    }

    /// Explains on stderr what this client decides and why, for a service that does not trace as expected.
    #[must_use]
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// The options, or the first thing that is wrong with them.
    ///
    /// # Errors
    /// [`OptionsError`] names the option, its value and the rule.
    pub fn validated(mut self) -> Result<Self, OptionsError> {
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Where to report.
    pub fn get_dsn(&self) -> Option<&Dsn> {
        self.dsn.as_ref()
    }

    /// Whether its decisions are explained.
    pub fn is_debug(&self) -> bool {
        self.debug
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

/// An option that breaks its rule.
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
