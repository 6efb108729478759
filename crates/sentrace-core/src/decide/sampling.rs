//! Decides whether a transaction is recorded, once, when it starts.

use crate::propagation::sample_rand::SampleRand;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use sentrace_protocol::{Reason, TraceId, Value};

use crate::record::full_name;
use crate::record::request_parts::RequestParts;
use crate::util::hook::catch_panic;

/// Halving more often would record nothing (Sentry SDK specification, *Backpressure*).
const MAX_HALVINGS: u32 = 10;

/// Returns the sample rate of one transaction; see
/// [`Options::traces_sampler`](crate::Options::traces_sampler).
pub type Sampler = Arc<dyn Fn(&SamplingContext<'_>) -> f64 + Send + Sync>;

/// What a sampler knows of the transaction that is about to start.
#[non_exhaustive]
pub struct SamplingContext<'a> {
    /// The trace id.
    pub trace_id: TraceId,
    /// The transaction's operation, for example `http.server`.
    pub op: &'a str,
    /// The caller's decision, if there is one.
    pub parent_sampled: Option<bool>,
    /// The request, for transactions of a server layer.
    pub request: Option<&'a dyn RequestParts>,
    pub(crate) custom: &'a [(&'a str, Value<'a>)],
    pub(crate) name: (&'a str, &'a str),
    /// Called on demand: few samplers need it, and it takes a search through the baggage.
    pub(crate) parent_sample_rate: &'a dyn Fn() -> Option<f64>,
}

impl SamplingContext<'_> {
    /// Returns the rate that was applied last: by the head of the trace, or by a service in between
    /// that decided again. Returns `None` if the trace starts here, or if the rate is unknown.
    ///
    /// A sampler that returns this rate decides as that service did, because both compare it to the
    /// same random number. Sentry can still extrapolate counts:
    ///
    /// ```
    /// use sentrace_core::Options;
    ///
    /// let options = Options::new().traces_sampler(|context| {
    ///     match (context.parent_sample_rate(), context.parent_sampled) {
    ///         (Some(rate), _) => rate,
    ///         (None, Some(sampled)) => f64::from(sampled), // decided by an unknown rate
    ///         (None, None) => 0.5,                         // traces that begin here
    ///     }
    /// });
    /// ```
    pub fn parent_sample_rate(&self) -> Option<f64> {
        (self.parent_sample_rate)()
    }

    /// Returns a value that was set for the sampler
    /// ([`TransactionOptions::custom`](crate::TransactionOptions::custom)).
    pub fn custom(&self, key: &str) -> Option<&Value<'_>> {
        self.custom.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Returns the transaction's name, for example `GET /users/{id}`.
    pub fn name(&self) -> Cow<'_, str> {
        full_name(self.name)
    }
}

impl fmt::Debug for SamplingContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SamplingContext")
            .field("name", &self.name())
            .field("op", &self.op)
            .field("parent_sampled", &self.parent_sampled)
            .field("parent_sample_rate", &self.parent_sample_rate())
            .finish_non_exhaustive()
    }
}

/// The sampling options of a client. With neither a rate nor a sampler, traces are propagated and
/// nothing is recorded.
#[derive(Clone, Default)]
pub(crate) struct Sampling {
    pub(crate) rate: Option<f64>,
    pub(crate) sampler: Option<Sampler>,
    /// Whether everything that is not ignored is recorded, as if sampled explicitly.
    pub(crate) everything: bool,
    /// Whether there is no project, so that nothing is recorded regardless of rates.
    pub(crate) no_project: bool,
}

impl fmt::Debug for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sampler = self.sampler.as_ref().map(|_| "Fn(&SamplingContext) -> f64");
        f.debug_struct("Sampling").field("rate", &self.rate).field("sampler", &sampler).finish()
    }
}

/// The decision about a transaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decision {
    pub(crate) sampled: bool,
    /// The applied rate, for the dynamic sampling context. Set if a rate or sampler of this service
    /// decided.
    pub(crate) rate: Option<f64>,
    pub(crate) by: DecidedBy,
    /// The reason for the client report, if it is not sampled.
    pub(crate) reason: Reason,
    /// The sampler's invalid result, if any.
    pub(crate) invalid: Option<InvalidRate>,
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecidedBy {
    /// The code that started the transaction.
    Caller,
    Sampler,
    /// The incoming decision.
    Parent,
    /// A rate, or its absence.
    Rate,
}

/// A sampler's result that is not a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum InvalidRate {
    Number(f64),
    Panic,
}

/// Returns `true` for values from 0 (nothing) to 1 (everything).
pub(crate) fn is_rate(rate: f64) -> bool {
    (0.0..=1.0).contains(&rate)
}

/// Decides by the first of: explicit decision, sampler, parent's decision, rate. The rate is halved
/// `halvings` times.
pub(crate) fn decide(
    explicit: Option<bool>,
    sampler: Option<&Sampler>,
    rate: Option<f64>,
    sample_rand: impl FnOnce() -> SampleRand,
    halvings: impl FnOnce() -> u32,
    context: &SamplingContext<'_>,
) -> Decision {
    let decision =
        |sampled, by| Decision { sampled, rate: None, by, reason: Reason::SampleRate, invalid: None };
    if let Some(sampled) = explicit {
        return decision(sampled, DecidedBy::Caller);
    }
    let (asked, invalid) = match sampler.map(|sampler| call_sampler(sampler, context)) {
        None => (None, None),
        Some(Ok(rate)) => (Some(rate), None),
        Some(Err(invalid)) => (None, Some(invalid)),
    };
    if let (None, Some(sampled)) = (asked, context.parent_sampled) {
        return Decision { invalid, ..decision(sampled, DecidedBy::Parent) };
    }
    let by = if asked.is_some() { DecidedBy::Sampler } else { DecidedBy::Rate };
    let rate = asked.or(rate).unwrap_or(0.0);
    if rate <= 0.0 {
        // No number is below 0, and reading the random number takes a search through the baggage.
        return Decision { rate: Some(0.0), invalid, ..decision(false, by) };
    }
    let sample_rand = sample_rand();
    let halved = rate / f64::from(1_u32 << halvings().min(MAX_HALVINGS));
    let reason = if sample_rand.is_below(rate) { Reason::Backpressure } else { Reason::SampleRate };
    Decision { sampled: sample_rand.is_below(halved), rate: Some(halved), by, reason, invalid }
}

/// Calls a sampler. Results outside `0.0..=1.0`, and panics, are errors.
fn call_sampler(sampler: &Sampler, context: &SamplingContext<'_>) -> Result<f64, InvalidRate> {
    let rate = catch_panic(|| sampler(context)).ok_or(InvalidRate::Panic)?;
    if is_rate(rate) { Ok(rate) } else { Err(InvalidRate::Number(rate)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace_id(last: u8) -> TraceId {
        TraceId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, last]).unwrap()
    }

    fn context(parent_sampled: Option<bool>) -> SamplingContext<'static> {
        SamplingContext {
            trace_id: trace_id(1),
            op: "http.server",
            parent_sampled,
            request: None,
            custom: &[],
            name: ("GET", "/"),
            parent_sample_rate: &|| None,
        }
    }

    #[test]
    fn the_first_that_speaks_decides() {
        type Function = fn(&SamplingContext<'_>) -> f64;
        type Row = (Option<Function>, Option<f64>, Option<bool>, Option<bool>, bool, &'static str);
        let rows: [Row; 9] = [
            (Some(|_| 0.0), Some(0.0), Some(true), Some(false), true, "explicit beats all"),
            (Some(|_| 1.0), Some(0.0), None, Some(false), true, "a sampler beats the parent"),
            (None, Some(0.0), None, Some(true), true, "the parent beats the rate, 0 included"),
            (None, Some(1.0), None, Some(false), false, "the parent beats the rate"),
            (None, Some(1.0), None, None, true, "the rate decides at the head"),
            (None, Some(0.5), None, None, false, "not below the rate is not sampled"),
            (Some(|_| f64::NAN), Some(1.0), None, Some(false), false, "nonsense has no say"),
            (Some(|_| 1.5), Some(1.0), None, None, true, "nor has a rate above 1"),
            (Some(|_| panic!("sampler")), Some(1.0), None, Some(true), true, "nor a panic"),
        ];
        for (sampler, rate, explicit, parent, expected, reason) in rows {
            let sampler = sampler.map(|sampler| Arc::new(sampler) as Sampler);
            let rand = || SampleRand::parse("0.5").unwrap();
            let decision = decide(explicit, sampler.as_ref(), rate, rand, || 0, &context(parent));
            assert_eq!(decision.sampled, expected, "{reason}");
        }
    }

    #[test]
    fn rates_that_decide_here_are_halved_under_load() {
        type Row = (Option<bool>, Option<bool>, f64, u32, bool, Reason, Option<f64>, &'static str);
        let rows: [Row; 7] = [
            (None, None, 0.8, 0, true, Reason::Backpressure, Some(0.8), "no load"),
            (None, None, 0.8, 1, false, Reason::Backpressure, Some(0.4), "halved once, and that is why"),
            (None, None, 0.4, 1, false, Reason::SampleRate, Some(0.2), "the rate alone is why"),
            (None, None, 1.0, 10, false, Reason::Backpressure, Some(1.0 / 1024.0), "ten times"),
            (None, None, 1.0, 99, false, Reason::Backpressure, Some(1.0 / 1024.0), "ten times at most"),
            (None, Some(true), 0.4, 5, true, Reason::SampleRate, None, "a decision that came in stands"),
            (Some(true), None, 0.4, 5, true, Reason::SampleRate, None, "an explicit one, too"),
        ];
        for (explicit, parent, rate, halvings, sampled, why, effective, reason) in rows {
            let rand = || SampleRand::parse("0.5").unwrap();
            let decision = decide(explicit, None, Some(rate), rand, || halvings, &context(parent));
            let by = match (explicit, parent) {
                (Some(_), _) => DecidedBy::Caller,
                (None, Some(_)) => DecidedBy::Parent,
                (None, None) => DecidedBy::Rate,
            };
            let expected = Decision { sampled, rate: effective, by, reason: why, invalid: None };
            assert_eq!(decision, expected, "{reason}");
        }
    }
}
