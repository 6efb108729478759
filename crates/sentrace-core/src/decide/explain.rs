//! What debug mode answers to: why was this not sampled, not continued, not propagated?
//!
//! Everything here is cold. Callers ask [`debug_is_on`](crate::diagnostics::debug_is_on) first.

use sentrace_protocol::url::UrlRef;
use sentrace_protocol::{Reason, TraceId, sensitive};

use crate::decide::sampling::{DecidedBy, Decision, SampleRand, Sampling, is_rate};
use crate::diagnostics::{debug_is_on, explain};
use crate::handle::transaction::TransactionOptions;
use crate::propagation::outgoing::Outgoing;
use crate::record::full_name;
use crate::trace::incoming::ContinuationRules;

/// What was known when a transaction was not recorded.
pub(crate) struct Unrecorded<'a> {
    pub(crate) options: &'a TransactionOptions<'a>,
    pub(crate) sampling: &'a Sampling,
    pub(crate) ignored: bool,
    pub(crate) decision: Option<Decision>,
    pub(crate) rate_halvings: u32,
}

impl Unrecorded<'_> {
    /// Says why, once for each cause and name.
    #[cold]
    pub(crate) fn explain(&self, sample_rand: impl FnOnce() -> SampleRand) {
        let name = full_name(self.options.name);
        let name = sensitive::filter_text(&name);
        let Some(Decision { rate, reason, by, unusable, .. }) = self.decision else {
            return self.explain_undecided(&name);
        };
        if by == DecidedBy::Caller {
            let said = "not sampled: whoever started it decided against it";
            return explain("explicit", &name, format_args!("transaction {name:?} is {said}"));
        }
        let Some(rate) = rate else {
            let remedy = match unusable {
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
            let halvings = self.rate_halvings;
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
        let Some(who) = self.who(by) else {
            return explain(
                "no rate",
                &name,
                format_args!(
                    "transaction {name:?} is not sampled: the sampler has no say in it, and no rate is set; set \
                     traces_sample_rate for what it leaves open"
                ),
            );
        };
        let halved = match self.rate_halvings {
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

    /// Whose rate it was that decided; `None` where nobody named one.
    fn who(&self, by: DecidedBy) -> Option<&'static str> {
        let own_rate = self.options.sample_rate.is_some_and(is_rate);
        match (by, self.options.sampler) {
            (DecidedBy::Sampler, Some(_)) => Some("the layer's sampler answered"),
            (DecidedBy::Sampler, None) => Some("traces_sampler answered"),
            _ if own_rate => Some("the layer's sample_rate is"),
            _ => self.sampling.rate.map(|_| "traces_sample_rate is"),
        }
    }

    fn explain_undecided(&self, name: &str) {
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

/// Says why a trace that came in is not continued, once for each organisation that it comes from.
#[cold]
pub(crate) fn not_continued(rules: &ContinuationRules, trace_id: TraceId, theirs: Option<&str>) {
    let ContinuationRules { org_id: ours, strict, .. } = rules;
    let strictly = if *strict { ", and strict_trace_continuation asks for the same" } else { "" };
    explain(
        "organisation",
        theirs.unwrap_or_default(),
        format_args!(
            "trace {trace_id} is not continued: it comes from organisation {theirs:?}, ours is {ours:?}{strictly}; set \
             org_id where that is wrong"
        ),
    );
}

/// Says why a job begins a trace, once for each name of jobs.
#[cold]
pub(crate) fn job_without_trace(queue: &str, name: &str) {
    explain(
        "job without trace",
        name,
        format_args!(
            "job {name:?} of queue {queue:?} begins a trace of its own: its message carries none; queue it with \
             Publish::to({queue:?}).start(), and put the JobTrace that it gives into the message"
        ),
    );
}

/// Says why a call to `url` carries no trace headers, once for each host.
#[cold]
pub(crate) fn withheld(outgoing: &Outgoing, url: &str) {
    if !debug_is_on() {
        return;
    }
    let url_parts = UrlRef::parse(url);
    match url_parts.host() {
        Some(host) if outgoing.is_own(url) => explain(
            "own host",
            host,
            format_args!(
                "calls to {host:?} are left alone: that is the DSN's host, so they would report on reporting"
            ),
        ),
        Some(host) => explain(
            "tracing_origins",
            host,
            format_args!(
                "calls to {host:?} carry no trace headers: tracing_origins are {:?}; add Origin::host({host:?}) if the \
                 host is yours",
                outgoing.origins()
            ),
        ),
        None if url_parts.is_ambiguous() => explain(
            "ambiguous host",
            "",
            format_args!(
                "a call carries no trace headers: HTTP clients read the host of its URL in different ways; write it as \
                 a plain name or address, without escapes, backslashes and brackets in a name"
            ),
        ),
        None => explain(
            "unknown host",
            "",
            format_args!("a call carries no trace headers: its host is unknown, for its URL names none"),
        ),
    }
}

/// Says why the hook of a middleware or layer lets calls carry nothing.
#[cold]
pub(crate) fn withheld_by_hook() {
    if debug_is_on() {
        let said = "the middleware's or layer's hook asked for that";
        explain("hook", "", format_args!("a call carries no trace headers: {said}"));
    }
}

/// Says why a call keeps the `sentry-trace` that it has.
#[cold]
#[cfg(feature = "http")]
pub(crate) fn keeps_own_headers() {
    if debug_is_on() {
        explain(
            "own headers",
            "",
            format_args!(
                "a call carries a sentry-trace that the application set, which stays as it is: the called service \
                 continues that trace, not the current one; remove the header to propagate"
            ),
        );
    }
}
