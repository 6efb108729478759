//! Everything that can carry a trace.

use std::collections::{BTreeMap, HashMap};

use http::{HeaderMap, HeaderValue};
use sentrace_core::Trace;
use sentrace_core::carriers::job::{JobTrace, Publish};
use sentrace_protocol::Carrier;

use crate::support::{SAMPLED, carried, is_the_callers, recording};

const BAGGAGE: &str = "sentry-release=a,sentry-sample_rand=0.500000";

/// The headers of a broker's message, as its library stores them.
struct Message {
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Carrier for Message {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        for (key, value) in &self.headers {
            if let (true, Some(value)) = (key == name, value) {
                each(value);
            }
        }
    }
}

#[test]
fn any_carrier_continues_the_trace_with_its_baggage() {
    let (client, _) = recording();
    let pairs = |keys: [&'static str; 2]| -> Vec<(&str, String)> {
        keys.into_iter().zip([SAMPLED.to_owned(), BAGGAGE.to_owned()]).collect()
    };
    let plain = || pairs(["sentry-trace", "baggage"]);
    let mut headers = HeaderMap::new();
    for (name, value) in plain() {
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    }
    let message = Message {
        headers: plain().into_iter().map(|(key, value)| (key.to_owned(), Some(value.into_bytes()))).collect(),
    };
    let rows: [(Trace, &str); 10] = [
        (client.continue_trace(&headers), "an HTTP request's headers"),
        (client.continue_trace(&plain()), "a list of pairs"),
        (client.continue_trace(plain().as_slice()), "a slice of pairs"),
        (client.continue_trace(&plain().into_iter().collect::<HashMap<_, _>>()), "a hash map"),
        (client.continue_trace(&plain().into_iter().collect::<BTreeMap<_, _>>()), "a tree map"),
        (client.continue_trace(&pairs(["HTTP_SENTRY_TRACE", "HTTP_BAGGAGE"])), "a CGI environment"),
        (client.continue_trace(&pairs(["SENTRY_TRACE", "SENTRY_BAGGAGE"])), "a process's environment"),
        (client.continue_trace(&pairs(["Sentry-Trace", "Baggage"])), "names as HTTP/1 writes them"),
        (client.continue_trace(&pairs(["sentry_trace", "baggage"])), "names as identifiers"),
        (client.continue_trace(&message), "a type of somebody else's"),
    ];
    for (trace, reason) in rows {
        assert!(is_the_callers(&trace), "{reason}");
        assert_eq!(carried(&trace).baggage(), Some(BAGGAGE), "{reason}");
    }
}

#[test]
fn pairs_fit_into_any_carrier_on_the_way_out() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    let headers = transaction.trace_headers().unwrap();
    let map: HashMap<&str, String> = headers.clone().into_iter().collect();
    assert_eq!(map["sentry-trace"], transaction.sentry_trace().unwrap().to_string());
    let continued = client.continue_trace(&map);
    assert_eq!(continued.trace_id(), transaction.trace_id());
    assert_eq!(carried(&continued), headers, "the trace that went in");
}

#[test]
fn a_brokers_message_carries_the_trace_both_ways() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    let (span, trace) = transaction.enter(|| Publish::to("mails").start());
    let headers = trace
        .headers()
        .map(|(name, value)| (name.to_owned(), Some(value.into_owned().into_bytes())))
        .collect();
    let message = Message { headers };
    let arrived = JobTrace::from_carrier(&message);
    assert_eq!(arrived, trace);
    let work = arrived.process_with(&client, "mails", "send mail");
    assert_eq!(work.trace_id(), span.trace_id());
}
