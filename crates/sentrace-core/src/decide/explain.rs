//! Debug messages about transactions that are not recorded.
//!
//! Everything here is cold. Callers check
//! [`is_debug_enabled`](crate::diagnostics::is_debug_enabled) first.

use std::sync::atomic::AtomicBool;

use sentrace_protocol::{Reason, sensitive};

use crate::decide::sampling::{DecidedBy, Decision, Sampling, is_rate};
use crate::decide::transaction_options::TransactionOptions;
use crate::diagnostics::{debug_once, explain};
use crate::propagation::sample_rand::SampleRand;
use crate::record::full_name;

/// What was known when a transaction was not recorded.
pub(crate) struct NotRecorded<'a> {
    pub(crate) options: &'a TransactionOptions<'a>,
    pub(crate) sampling: &'a Sampling,
    pub(crate) ignored: bool,
    pub(crate) decision: Option<Decision>,
    pub(crate) downsample_factor: u32,
}

impl NotRecorded<'_> {
    /// Explains why, once per cause and name.
    #[cold]
    pub(crate) fn report(&self, sample_rand: impl FnOnce() -> SampleRand) {
        let name = full_name(self.options.name);
        let name = sensitive::filter_text(&name);
        let Some(Decision { rate, reason, by, invalid, .. }) = self.decision else {
            return self.report_undecided(&name);
        };
        if by == DecidedBy::Caller {
            let said = "not sampled: whoever started it decided against it";
            return explain("explicit", &name, format_args!("transaction {name:?} is {said}"));
        }
        let Some(rate) = rate else {
            let remedy = match invalid {
                Some(_) => "let the sampler answer with a rate",
                None => "set traces_sampler",
            };
            return explain(
                "parent",
                &name,
                format_args!(
                    "transaction {name:?} is not sampled: its caller decided against it, which beats traces_sample_rate; \
                     raise the caller's rate, {remedy}, or let the layer not trust what comes from outside"
                ),
            );
        };
        let rand = sample_rand();
        if reason == Reason::Backpressure {
            let halvings = self.downsample_factor;
            return explain(
                "back-pressure",
                &name,
                format_args!(
                    "transaction {name:?} is not sampled: more comes than can be delivered, so rates are halved {halvings} \
                     times, here to {rate}, and {rand} is not below that; lower traces_sample_rate, or see stats() for \
                     what holds delivery up"
                ),
            );
        }
        let Some(who) = self.decider(by) else {
            return explain(
                "no rate",
                &name,
                format_args!(
                    "transaction {name:?} is not sampled: the sampler has no say in it, and no rate is set; set \
                     traces_sample_rate for what it leaves open"
                ),
            );
        };
        let halved = match self.downsample_factor {
            0 => "",
            _ => " (halved because more comes than can be delivered)",
        };
        explain(
            "rate",
            &name,
            format_args!(
                "transaction {name:?} is not sampled this time: {who} {rate}{halved}, and the trace's sample_rand {rand} is not \
                 below that; with 1 all are"
            ),
        );
    }

    /// Returns whose rate decided, or `None` if there was none.
    fn decider(&self, by: DecidedBy) -> Option<&'static str> {
        let own_rate = self.options.sample_rate.is_some_and(is_rate);
        match (by, self.options.sampler) {
            (DecidedBy::Sampler, Some(_)) => Some("the layer's sampler answered"),
            (DecidedBy::Sampler, None) => Some("traces_sampler answered"),
            _ if own_rate => Some("the layer's sample_rate is"),
            _ => self.sampling.rate.map(|_| "traces_sample_rate is"),
        }
    }

    fn report_undecided(&self, name: &str) {
        if !self.options.recorded && self.options.request.is_some_and(|request| request.method() == "OPTIONS")
        {
            explain(
                "OPTIONS",
                "",
                format_args!(
                    "{name:?} has no transaction: OPTIONS requests are left out, which are CORS preflights as a rule, unless \
                     the layer has trace_options_requests(true)"
                ),
            );
        } else if !self.options.recorded {
            explain(
                "filter",
                name,
                format_args!("{name:?} has no transaction: the layer's filter leaves it out"),
            );
        } else if self.ignored {
            explain(
                "ignore_spans",
                name,
                format_args!("transaction {name:?} is not recorded: a rule of ignore_spans matches it"),
            );
        } else if self.sampling.no_project {
            explain(
                "no DSN",
                "",
                format_args!(
                    "no transaction is recorded: there is no DSN, so traces only pass through; set SENTRY_DSN, and \
                     SENTRY_TRACES_SAMPLE_RATE where no rate is set, 1 for all"
                ),
            );
        } else {
            explain(
                "tracing is off",
                "",
                format_args!(
                    "no transaction is recorded: neither traces_sample_rate nor traces_sampler is set, so traces only \
                     pass through; set SENTRY_TRACES_SAMPLE_RATE, 1 for all"
                ),
            );
        }
    }
}

/// Explains in debug mode, once, that a hook started something.
#[cold]
pub(crate) fn report_started_by_hook() {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    debug_once(
        &REPORTED,
        format_args!(
            "a transaction or span is not recorded because a hook started it (a sampler, filter, name, \
             before_send_transaction, diagnostics handler, or the Display of a recorded value): start it outside the hook"
        ),
    );
}
