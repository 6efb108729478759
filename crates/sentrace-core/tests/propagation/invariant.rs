//! `sample_rand < sample_rate <=> sampled`, in every context that starts here.

use std::sync::Arc;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use sentrace_core::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, TransactionOptions};
use sentrace_protocol::DynamicSamplingContext;

use crate::support::{client, continued};

/// Delivery cannot keep up: rates are halved.
#[derive(Debug)]
struct Busy {
    capture: Arc<Capture>,
    halvings: u32,
}

impl Deliver for Busy {
    fn deliver(&self, finished: FinishedTransaction) {
        self.capture.deliver(finished);
    }

    fn downsample_factor(&self) -> u32 {
        self.halvings
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.capture.flush(timeout)
    }
}

/// Usual rates, and numerically difficult ones.
fn rate() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(1.0 / 3.0),
        Just(f64::MIN_POSITIVE),
        Just(1.0 - f64::EPSILON),
        (0..=1_000_000_u32).prop_map(|millionths| f64::from(millionths) / 1e6),
        0.0..=1.0,
    ]
}

/// Results of a sampler, valid and invalid.
fn answer() -> impl Strategy<Value = f64> {
    prop_oneof![8 => rate(), 1 => Just(f64::NAN), 1 => Just(-1.0), 1 => Just(1.5)]
}

fn check(context: &DynamicSamplingContext, decision: Option<bool>) -> Result<(), TestCaseError> {
    let number = |key| context.get(key).map(|text| text.parse::<f64>().expect("it is a number"));
    let sampled = context.get("sampled").map(|text| text == "true");
    prop_assert_eq!(sampled, decision, "the context tells the decision that went out");
    let rand = number("sample_rand").expect("every context that begins here has one");
    prop_assert!((0.0..1.0).contains(&rand));
    prop_assert_eq!(context.get("sample_rand").map(str::len), Some(8));
    let rate = number("sample_rate");
    prop_assert_eq!(rate.is_some(), decision.is_some(), "a decision is explained, an open one is not");
    if let (Some(rate), Some(sampled)) = (rate, sampled) {
        prop_assert!((0.0..=1.0).contains(&rate));
        let text = context.get("sample_rate").unwrap_or_default();
        prop_assert!(
            serde_json::from_str::<f64>(text).is_ok() && !text.contains('-'),
            "JSON's notation: {}",
            text
        );
        prop_assert_eq!(rand < rate, sampled, "{} < {}", rand, rate);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_holds_on_every_context_that_begins_here(
        trace_id in 1_u128..,
        caller in option::of(any::<bool>()),
        client_rate in option::of(rate()),
        own_rate in option::of(rate()),
        answer in option::of(answer()),
        explicit in option::of(any::<bool>()),
        halvings in 0_u32..12,
        calls_first: bool,
    ) {
        let mut options = Options::new().dsn("http://key@ingest.test/1").continue_traceparent(true);
        if let Some(rate) = client_rate {
            options = options.traces_sample_rate(rate);
        }
        if let Some(answer) = answer {
            options = options.traces_sampler(move |_| answer);
        }
        let capture = Arc::new(Capture::default());
        let busy = Busy { capture: Arc::clone(&capture), halvings };
        let client = Client::new(options, Arc::new(busy), Arc::new(Losses::default())).unwrap();
        // A caller without Sentry chooses the id and may decide; without a caller, the trace starts
        // here.
        let trace = match caller {
            Some(sampled) => {
                let header = format!("00-{trace_id:032x}-b7ad6b7169203331-{:02x}", u8::from(sampled));
                continued(&client, &[("traceparent", &header)])
            }
            None => client.start_new_trace(),
        };
        let mut start = TransactionOptions::new("work", "task").sample_rate(own_rate);
        if let Some(sampled) = explicit {
            start = start.sampled(sampled);
        }
        let transaction = trace.start_transaction_with(&start);
        let decision = transaction.sampled();
        let sent = calls_first.then(|| DynamicSamplingContext::from_baggage(&transaction.baggage().unwrap()));
        transaction.finish();
        let delivered = capture.take();
        let tracing =
            client_rate.is_some() || own_rate.is_some() || answer.is_some() || explicit.is_some();
        prop_assert_eq!(delivered.len(), usize::from(tracing && decision == Some(true)));
        for captured in delivered {
            let context = captured.dynamic_sampling_context.unwrap();
            check(&context, decision)?;
            prop_assert!(sent.as_ref().is_none_or(|sent| *sent == context), "envelope and baggage say the same");
        }
        if let Some(sent) = sent {
            check(&sent, decision)?;
        }
    }

    #[test]
    fn it_holds_without_any_transaction(client_rate in option::of(rate())) {
        let mut options = Options::new();
        if let Some(rate) = client_rate {
            options = options.traces_sample_rate(rate);
        }
        let (client, _) = client(options);
        for trace in [client.start_new_trace(), client.process_trace()] {
            let headers = trace.trace_headers().unwrap();
            let never = client_rate.map(|rate| rate == 0.0) == Some(true);
            prop_assert_eq!(headers.sentry_trace().sampled, never.then_some(false));
            let context = DynamicSamplingContext::from_baggage(headers.baggage().unwrap());
            check(&context, headers.sentry_trace().sampled)?;
        }
    }
}
