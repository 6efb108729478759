//! Envelope and baggage have the rate that was applied here, also in a context from another
//! service.

use std::sync::Arc;
use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use sentrace_core::deliver::{Deliver, DeliverSpans, FinishedTransaction, Losses};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, SamplingContext, TraceLifecycle, TransactionOptions};
use sentrace_protocol::DynamicSamplingContext;

use crate::support::{DEFERRED, SAMPLED, TRACE_ID, UNSAMPLED, client, context_of, continued};

/// Creates a client whose rates are halved because delivery cannot keep up.
fn busy(options: Options, halvings: u32) -> (Client, Arc<Capture>) {
    let capture = Arc::new(Capture::default());
    let busy = Busy { capture: Arc::clone(&capture), halvings };
    (Client::new(options, Arc::new(busy), Arc::new(Losses::default())).unwrap(), capture)
}

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

    fn spans(&self) -> Option<&dyn DeliverSpans> {
        Some(&*self.capture)
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.capture.flush(timeout)
    }
}

/// Returns the contexts of envelopes in either lifecycle.
fn delivered(capture: &Capture) -> Vec<DynamicSamplingContext> {
    let transactions = capture.take().into_iter().filter_map(|captured| captured.dynamic_sampling_context);
    let spans = capture.take_spans().into_iter().filter_map(|captured| captured.dynamic_sampling_context);
    transactions.chain(spans).collect()
}

#[test]
fn it_is_told_where_this_service_decided_and_nowhere_else() {
    let id = format!("sentry-trace_id={TRACE_ID}");
    let own = |options: Options| options.dsn("http://ours@ingest.test/1");
    let rate = |rate: f64| own(Options::new().traces_sample_rate(rate));
    let sampler = |answer: f64| own(Options::new().traces_sampler(move |_| answer));
    let task = || TransactionOptions::new("work", "task");
    // Used as sample_rand: 0.1 is below all rates here except 0, so everything possible is
    // recorded.
    let rand = "sentry-sample_rand=0.1";
    type Row<'a> = (Options, TransactionOptions<'a>, &'a str, String, u32, String, &'a str);
    let rows: Vec<Row<'_>> = vec![
        (
            rate(0.4),
            task(),
            DEFERRED,
            format!("{id},{rand}"),
            0,
            format!("{id},{rand},sentry-sample_rate=0.4,sentry-sampled=true"),
            "the rate decided what was open",
        ),
        (
            sampler(0.25),
            task(),
            SAMPLED,
            format!("{id},sentry-sample_rate=1.0,{rand},sentry-sampled=true"),
            0,
            format!("{id},sentry-sample_rate=0.25,{rand},sentry-sampled=true"),
            "a sampler decided anew, and its rate takes the place of the other",
        ),
        (
            sampler(0.25),
            task(),
            SAMPLED,
            format!("{id},sentry-sample_rate =\t1.0;p=1,{rand}"),
            0,
            format!("{id},sentry-sample_rate=0.25,{rand},sentry-sampled=true"),
            "however it was written",
        ),
        (
            sampler(0.25),
            task(),
            SAMPLED,
            format!("sentry-sample%5Frate=1,{id},sentry-sample_rate=0.5,{rand},sentry-sampled=true"),
            0,
            format!("sentry-sample_rate=0.25,{id},{rand},sentry-sampled=true"),
            "however often",
        ),
        (
            sampler(0.25),
            task(),
            SAMPLED,
            format!("{id},sentry-sample_rate=often,{rand},sentry-sampled=true"),
            0,
            format!("{id},sentry-sample_rate=0.25,{rand},sentry-sampled=true"),
            "in place of nonsense",
        ),
        (
            rate(0.8),
            task(),
            DEFERRED,
            format!("{id},{rand}"),
            1,
            format!("{id},{rand},sentry-sample_rate=0.4,sentry-sampled=true"),
            "halved under load, it is the half that was applied",
        ),
        (
            rate(0.0),
            task().sample_rate(Some(0.5)),
            DEFERRED,
            format!("{id},{rand}"),
            0,
            format!("{id},{rand},sentry-sample_rate=0.5,sentry-sampled=true"),
            "the rate of a layer",
        ),
        (
            rate(0.4),
            task(),
            SAMPLED,
            format!("{id},sentry-sample_rate=1.0,{rand}"),
            0,
            format!("{id},sentry-sample_rate=1.0,{rand}"),
            "an inherited decision changes nothing",
        ),
        (rate(0.4), task(), SAMPLED, format!("{id},{rand}"), 3, format!("{id},{rand}"), "nor does load"),
        (
            rate(0.4),
            task().sampled(true),
            DEFERRED,
            format!("{id},{rand}"),
            0,
            format!("{id},{rand}"),
            "an explicit decision has no rate",
        ),
        (
            rate(0.4),
            task().sampled(true),
            UNSAMPLED,
            format!("{id},sentry-sample_rate=0.25,{rand},sentry-sampled=false"),
            0,
            format!("{id},sentry-sample_rate=0.25,{rand},sentry-sampled=false"),
            "nor takes it another's away",
        ),
        (rate(0.4), task(), DEFERRED, String::new(), 0, String::new(), "an empty context stays empty"),
        (rate(1.0), task(), DEFERRED, "tenant=7".into(), 0, String::new(), "with others' members, too"),
        (sampler(1.0), task(), UNSAMPLED, String::new(), 0, String::new(), "and where a sampler decided"),
    ];
    for (options, start, sentry_trace, incoming, halvings, expected, reason) in rows {
        for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
            for calls in [true, false] {
                let (client, capture) = busy(options.clone().trace_lifecycle(lifecycle), halvings);
                let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", &incoming)]);
                let transaction = trace.start_transaction_with(&start);
                let sent = calls.then(|| transaction.baggage().unwrap_or_default());
                assert!(sent.is_none_or(|sent| sent == expected), "{reason}");
                let is_sampled = transaction.is_sampled();
                transaction.finish();
                let delivered = delivered(&capture);
                let is_empty = expected.is_empty();
                let expected = DynamicSamplingContext::from_baggage(&expected);
                if is_empty && lifecycle == TraceLifecycle::Stream {
                    // Envelopes of spans must have a context.
                    assert!(delivered.iter().all(|context| context.get("sample_rate").is_none()), "{reason}");
                } else {
                    let count = usize::from(is_sampled && !is_empty);
                    assert_eq!(delivered, vec![expected; count], "{reason}, {lifecycle:?}");
                }
            }
        }
    }
}

#[test]
fn each_transaction_of_a_trace_tells_its_own() {
    let by_name = |context: &SamplingContext<'_>| if context.name() == "rare" { 0.25 } else { 1.0 };
    let (client, capture) = client(Options::new().traces_sampler(by_name));
    for _ in 0..50 {
        let trace = client.start_new_trace();
        let often = trace.start_transaction("often", "task");
        often.baggage();
        for started in [
            trace.start_transaction("rare", "task"),
            often.enter(|| client.start_transaction("rare", "task")),
        ] {
            let context = context_of(&started.trace_headers().unwrap());
            let rand: f64 = context.get("sample_rand").unwrap().parse().unwrap();
            assert_eq!(context.get("sample_rate"), Some("0.25"));
            assert_eq!(started.is_sampled(), rand < 0.25);
        }
        drop(often);
    }
    for captured in capture.take() {
        let rate = if captured.transaction.name == "rare" { "0.25" } else { "1" };
        assert_eq!(captured.dynamic_sampling_context.unwrap().get("sample_rate"), Some(rate));
    }
}

#[test]
fn a_trace_that_went_out_undecided_tells_the_decision_once_there_is_one() {
    let (client, capture) = client(Options::new().traces_sample_rate(1.0));
    let trace = client.start_new_trace();
    let open = context_of(&trace.trace_headers().unwrap());
    assert_eq!((open.get("sampled"), open.get("sample_rate")), (None, None));
    let transaction = trace.start_transaction("work", "task");
    let told = context_of(&transaction.trace_headers().unwrap());
    assert_eq!((told.get("sampled"), told.get("sample_rate")), (Some("true"), Some("1")));
    assert_eq!(told.get("sample_rand"), open.get("sample_rand"));
    transaction.finish();
    assert_eq!(capture.take()[0].dynamic_sampling_context, Some(told));
}

/// Three services, of which the last returns its parent's rate, as the documentation of
/// `SamplingContext` recommends.
fn torn(
    traces: u128,
    head: &str,
    baggage: impl Fn(u128) -> Option<String>,
    second: impl Fn() -> Options,
) -> usize {
    let third = || Options::new().traces_sampler(|context| context.parent_sample_rate().unwrap_or(0.5));
    let (second, third, fourth) = (client(second()).0, client(third()).0, client(third()).0);
    let mut torn = 0;
    for number in 1..=traces {
        // Scrambled, so that no bit of the id is the same for all.
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let sentry_trace = format!("{id:032x}-b7ad6b7169203331{head}");
        let mut headers = vec![("sentry-trace", sentry_trace)];
        headers.extend(baggage(id).map(|baggage| ("baggage", baggage)));
        let deciding = second.continue_trace(&headers).start_transaction("second", "task");
        let mut decisions = vec![deciding.is_sampled()];
        let mut headers = deciding.trace_headers().unwrap();
        for service in [&third, &fourth] {
            let carried: Vec<_> = headers.into_iter().collect();
            let transaction = service.continue_trace(&carried).start_transaction("later", "task");
            decisions.push(transaction.is_sampled());
            headers = transaction.trace_headers().unwrap();
        }
        torn += usize::from(decisions.iter().any(|decision| *decision != decisions[0]));
    }
    torn
}

#[test]
fn no_trace_is_torn_behind_the_service_that_decides() {
    let id_only = |id: u128| Some(format!("sentry-trace_id={id:032x},sentry-public_key=k"));
    let decided = |id: u128| {
        Some(format!(
            "sentry-trace_id={id:032x},sentry-public_key=k,sentry-sample_rate=1.0,sentry-sampled=true"
        ))
    };
    let unexplained =
        |id: u128| Some(format!("sentry-trace_id={id:032x},sentry-public_key=k,sentry-sampled=false"));
    let wrong_rand = |id: u128| Some(format!("sentry-trace_id={id:032x},sentry-sample_rand=7"));
    let rate = |rate: f64| move || Options::new().traces_sample_rate(rate);
    let sampler = |rate: f64| move || Options::new().traces_sampler(move |_| rate);
    let rows = [
        (torn(4_000, "", id_only, rate(0.4)), "a rate decides what is open"),
        (torn(500, "-", id_only, rate(0.4)), "as Ruby writes what is open"),
        (torn(500, "", wrong_rand, rate(0.4)), "beside a sample_rand that is none"),
        (torn(4_000, "-1", decided, sampler(0.25)), "a sampler decides anew"),
        (
            torn(500, "-0", unexplained, sampler(0.25)),
            "a sampler decides against the head, which names no rate",
        ),
        (torn(500, "-1", unexplained, sampler(0.75)), "or with it"),
        (torn(500, "-1", decided, sampler(0.0)), "a sampler wants none"),
        (torn(500, "-1", decided, sampler(1.0)), "or all"),
        (
            torn(500, "-0", |_| None, rate(0.4)),
            "an inherited decision without context, but for the rate of 0.5",
        ),
    ];
    for (torn, reason) in &rows[..8] {
        assert_eq!(*torn, 0, "{reason}");
    }
    // Without any context, the rate of the decision is unknown.
    assert!(rows[8].0 > 0, "{}", rows[8].1);
}

fn rate() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), Just(1.0 / 3.0), Just(f64::MIN_POSITIVE), 0.0..=1.0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// For every incoming trace and decision: both contexts have the applied rate, it explains the
    /// decision, and nothing else changes.
    #[test]
    fn the_applied_rate_explains_the_decision(
        flag in option::of(any::<bool>()),
        with_id: bool,
        came_rate in option::of(rate()),
        came_rand in option::of(0_u32..1_000_000),
        came_sampled: bool,
        client_rate in option::of(rate()),
        layer_rate in option::of(rate()),
        answer in option::of(rate()),
        halvings in 0_u32..4,
        streams: bool,
    ) {
        let mut members = vec!["sentry-release=front".to_owned()];
        members.extend(with_id.then(|| format!("sentry-trace_id={TRACE_ID}")));
        members.extend(came_rate.map(|rate| format!("sentry-sample_rate={rate}")));
        members.extend(came_rand.map(|rand| format!("sentry-sample_rand=0.{rand:06}")));
        let decision = flag.filter(|_| came_sampled);
        members.extend(decision.map(|sampled| format!("sentry-sampled={sampled}")));
        let came = members.join(",");
        let mut options = Options::new();
        if streams {
            options = options.trace_lifecycle(TraceLifecycle::Stream);
        }
        if let Some(rate) = client_rate {
            options = options.traces_sample_rate(rate);
        }
        if let Some(answer) = answer {
            options = options.traces_sampler(move |_| answer);
        }
        let (client, capture) = busy(options, halvings);
        let sentry_trace = match flag {
            None => DEFERRED,
            Some(true) => SAMPLED,
            Some(false) => UNSAMPLED,
        };
        let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", &came)]);
        let before = DynamicSamplingContext::from_baggage(trace.trace_headers().unwrap().baggage().unwrap());
        let start = TransactionOptions::new("work", "task").sample_rate(layer_rate);
        let transaction = trace.start_transaction_with(&start);
        let told = DynamicSamplingContext::from_baggage(&transaction.baggage().unwrap());
        let sampled = transaction.sampled();
        transaction.finish();
        for delivered in delivered(&capture) {
            prop_assert_eq!(&delivered, &told, "envelope and baggage say the same");
        }
        let configured = answer.or(layer_rate).or(client_rate);
        let decided_here = answer.is_some() || (flag.is_none() && configured.is_some());
        if !decided_here {
            prop_assert_eq!(told, before);
            return Ok(());
        }
        let number = |key| told.get(key).unwrap().parse::<f64>().unwrap();
        let applied = configured.unwrap() / f64::from(1_u32 << halvings);
        prop_assert_eq!(number("sample_rate"), applied);
        prop_assert_eq!(sampled, Some(number("sample_rand") < applied), "it explains the decision");
        for (key, value) in before.iter().filter(|(key, _)| *key != "sample_rate") {
            prop_assert_eq!(told.get(key), Some(value), "nothing else changes: {}", key);
        }
        if before.get("sampled").is_none() {
            prop_assert_eq!(told.get("sampled"), sampled.map(|sampled| if sampled { "true" } else { "false" }));
        }
    }
}
