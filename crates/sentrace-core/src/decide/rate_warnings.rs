//! Warnings about rates outside 0 to 1, once per client and cause.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use sentrace_protocol::sensitive;

use crate::decide::sampling::{DecidedBy, Decision, InvalidRate, is_rate};
use crate::decide::transaction_options::TransactionOptions;
use crate::diagnostics::warn_once;
use crate::record::full_name;

/// Which warnings of a client were reported.
#[derive(Debug, Default)]
pub(crate) struct RateWarnings {
    sampler: AtomicBool,
    own_sampler: AtomicBool,
    own_rate: AtomicBool,
}

impl RateWarnings {
    /// Reports the invalid value and what is used instead. `parent_sampled` is the caller's
    /// decision, `client_rate` the rate of the options.
    #[cold]
    pub(crate) fn warn(
        &self,
        options: &TransactionOptions<'_>,
        client_rate: Option<f64>,
        decision: Option<Decision>,
        parent_sampled: Option<bool>,
    ) {
        const RULE: &str = "a rate is a number from 0 (nothing) to 1 (everything)";
        let name = full_name(options.name);
        let name = sensitive::filter_text(&name);
        let own_rate = options.sample_rate;
        if let Some(wrong) = own_rate.filter(|rate| !is_rate(*rate)) {
            let instead = fallback_rate(None, client_rate);
            warn_once(
                &self.own_rate,
                format_args!(
                    "sample_rate {wrong} of the layer or transaction {name:?} is ignored: {RULE}; {instead}"
                ),
            );
        }
        let Some(Decision { by, invalid: Some(invalid), .. }) = decision else { return };
        let (warned, sampler) = match options.sampler {
            Some(_) => (&self.own_sampler, "the layer's sampler"),
            None => (&self.sampler, "traces_sampler"),
        };
        let instead = match (by, parent_sampled) {
            (DecidedBy::Parent, Some(true)) => {
                Cow::Borrowed("the caller's decision, sampled, is used instead")
            }
            (DecidedBy::Parent, _) => Cow::Borrowed("the caller's decision, not sampled, is used instead"),
            _ => fallback_rate(own_rate.filter(|rate| is_rate(*rate)), client_rate),
        };
        match invalid {
            InvalidRate::Number(rate) => warn_once(
                warned,
                format_args!("{sampler} answered {rate} for transaction {name:?}: {RULE}; {instead}"),
            ),
            InvalidRate::Panic => {
                warn_once(warned, format_args!("{sampler} panicked for transaction {name:?}; {instead}"));
            }
        }
    }
}

fn fallback_rate(own: Option<f64>, client: Option<f64>) -> Cow<'static, str> {
    // Adding 0 removes the sign of a zero.
    match (own.map(|rate| rate + 0.0), client.map(|rate| rate + 0.0)) {
        (Some(rate), _) => Cow::Owned(format!("the layer's sample_rate {rate} is used instead")),
        (None, Some(rate)) => Cow::Owned(format!("traces_sample_rate {rate} is used instead")),
        (None, None) => Cow::Borrowed("0 is used instead, for traces_sample_rate is not set"),
    }
}
