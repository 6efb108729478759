//! What a sampler sees, and how its result is used.

use std::sync::{Arc, Mutex};

use sentrace_core::adapter::RequestParts;
use sentrace_core::{Options, SamplingContext, TransactionOptions};
use sentrace_protocol::{TransactionSource, Value};

use crate::support::{DEFERRED, SAMPLED, UNSAMPLED, client, context_of, continued, only};

struct Request;

impl RequestParts for Request {
    fn method(&self) -> &str {
        "POST"
    }

    fn scheme(&self) -> &str {
        "https"
    }

    fn host(&self) -> &str {
        "shop.test"
    }

    fn path(&self) -> &str {
        "/orders/7"
    }

    fn query(&self) -> Option<&str> {
        Some("page=2")
    }

    fn route(&self) -> Option<&str> {
        Some("/orders/{id}")
    }

    fn protocol_version(&self) -> &'static str {
        "2"
    }

    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8])) {
        each("x-tier", b"gold");
    }
}

/// Returns what a sampler has seen, as text.
fn seen(context: &SamplingContext<'_>) -> String {
    let request = context.request.map(|request| {
        let mut headers = String::new();
        request.for_each_header(&mut |name, value| {
            headers += &format!("{name}={}", String::from_utf8_lossy(value));
        });
        let (method, host, path) = (request.method(), request.host(), request.path());
        format!("{method} {host}{path}?{} {headers}", request.query().unwrap_or_default())
    });
    format!(
        "{} | {} | {} | {:?} | {:?} | {:?} | {:?}",
        context.trace_id,
        context.name(),
        context.op,
        context.parent_sampled,
        context.parent_sample_rate(),
        context.custom("tenant"),
        request,
    )
}

#[test]
fn it_sees_name_op_parent_custom_data_and_the_request() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sampler = {
        let told = Arc::clone(&told);
        move |context: &SamplingContext<'_>| {
            told.lock().unwrap().push(seen(context));
            assert_eq!(context.custom("plan"), Some(&Value::from(3)));
            assert_eq!(context.custom("nothing"), None);
            1.0
        }
    };
    let (client, _) = client(Options::new().traces_sampler(sampler));
    let custom = [("tenant", Value::from("acme")), ("plan", 3.into())];
    let request = Request;
    let options = TransactionOptions::new("", "http.server")
        .http_name("POST", "/orders/{id}")
        .source(TransactionSource::Route)
        .custom(&custom)
        .request(&request);
    let headers = [("sentry-trace", UNSAMPLED), ("baggage", "sentry-sample_rate=0.25")];
    let transaction = continued(&client, &headers).start_transaction_with(&options);
    assert_eq!(transaction.sampled(), Some(true), "it was asked, and did not panic");
    let expected = "0af7651916cd43dd8448eb211c80319c | POST /orders/{id} | http.server | Some(false) | Some(0.25) | \
        Some(Str(\"acme\")) | Some(\"POST shop.test/orders/7?page=2 x-tier=gold\")";
    assert_eq!(*told.lock().unwrap(), [expected], "asked once");
}

#[test]
fn the_first_that_speaks_decides_and_is_told() {
    type Row = (Option<bool>, Option<f64>, &'static str, Option<f64>, bool, &'static str);
    let rows: [Row; 10] = [
        (Some(false), Some(1.0), SAMPLED, Some(1.0), false, "explicit goes before all"),
        (Some(true), Some(0.0), UNSAMPLED, Some(0.0), true, "explicit goes before all"),
        (None, Some(0.0), SAMPLED, Some(1.0), false, "the sampler goes before the parent"),
        (None, Some(1.0), UNSAMPLED, Some(0.0), true, "the sampler goes before the parent"),
        (None, None, SAMPLED, Some(0.0), true, "the parent goes before the rate, 0 included"),
        (None, None, UNSAMPLED, Some(1.0), false, "the parent goes before the rate"),
        (None, None, DEFERRED, Some(1.0), true, "the rate decides what is open"),
        (None, None, DEFERRED, Some(0.0), false, "the rate decides what is open"),
        (None, Some(f64::NAN), SAMPLED, Some(0.0), true, "nonsense has no say: the parent"),
        (None, Some(7.0), DEFERRED, Some(1.0), true, "nonsense has no say: the rate"),
    ];
    for (explicit, answer, sentry_trace, rate, expected, reason) in rows {
        let mut options = Options::new();
        if let Some(rate) = rate {
            options = options.traces_sample_rate(rate);
        }
        if let Some(answer) = answer {
            options = options.traces_sampler(move |_| answer);
        }
        let (client, capture) = client(options);
        let mut start = TransactionOptions::new("work", "task");
        if let Some(sampled) = explicit {
            start = start.sampled(sampled);
        }
        let trace = continued(&client, &[("sentry-trace", sentry_trace), ("baggage", "sentry-release=a")]);
        let transaction = trace.start_transaction_with(&start);
        let child = transaction.start_span("task", "child");
        assert_eq!(
            child.sentry_trace().unwrap().sampled,
            Some(expected),
            "it is passed to children: {reason}"
        );
        drop((child, transaction));
        assert_eq!(capture.take().len(), usize::from(expected), "{reason}");
    }
}

#[test]
fn a_sampler_that_panics_costs_its_say_and_nothing_else() {
    let (client, capture) =
        client(Options::new().traces_sample_rate(1.0).traces_sampler(|_| panic!("a bug of the sampler")));
    client.start_transaction("work", "task").finish();
    assert_eq!(only(&capture).dynamic_sampling_context.unwrap().get("sample_rate"), Some("1"));
}

#[test]
fn its_answer_is_the_rate_of_the_context() {
    let (client, _) = client(Options::new().traces_sample_rate(0.75).traces_sampler(|_| 0.25));
    let transaction = client.start_transaction("work", "task");
    let context = context_of(&transaction.trace_headers().unwrap());
    assert_eq!(context.get("sample_rate"), Some("0.25"));
}

#[test]
fn a_sampler_that_answers_with_the_parents_rate_decides_as_the_head_did() {
    for _ in 0..200 {
        let (head, _) = client(Options::new().traces_sample_rate(0.5));
        let (service, _) =
            client(Options::new().traces_sampler(|context| context.parent_sample_rate().unwrap_or(0.0)));
        let above = head.start_transaction("work", "task");
        let headers: Vec<_> = above.trace_headers().unwrap().into_iter().collect();
        let below = service.continue_trace(&headers).start_transaction("work", "task");
        assert_eq!(below.sampled(), above.sampled());
    }
}
