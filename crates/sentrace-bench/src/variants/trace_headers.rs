//! Reading and writing `sentry-trace` and `baggage`, and nothing else.

use std::hint::black_box;

use http::{HeaderMap, HeaderValue};
use sentrace::{Client, Trace};
use sentrace_protocol::{SentryTrace, baggage, sentry_trace};

use crate::http::sink::{Dropping, NOWHERE, options};
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::headers("headers-read", read),
    Variant::headers("headers-of-a-call", of_a_call),
    Variant::headers("headers-write-text", write_text),
    Variant::headers("headers-read-and-write-text", read_and_write_text),
];

struct Over<F>(F);

impl<F: FnMut()> Subject for Over<F> {
    fn run(&mut self, calls: u32) {
        for _ in 0..calls {
            (self.0)();
        }
    }
}

fn headers_and_client(baggage: Baggage) -> (HeaderMap, Client) {
    let (client, _) = Dropping::client(options(NOWHERE));
    (RequestHead::new(baggage, true).fresh_headers(), client)
}

/// Reads both headers and decides whether to continue the trace, as the server layer does.
fn read(baggage: Baggage) -> Box<dyn Subject> {
    let (headers, client) = headers_and_client(baggage);
    Box::new(Over(move || drop(black_box(client.extract(black_box(&headers))))))
}

/// Returns the headers of a call in a continued trace, as adapters do.
fn of_a_call(baggage: Baggage) -> Box<dyn Subject> {
    let (headers, client) = headers_and_client(baggage);
    let trace: Trace = client.continue_trace(&headers);
    assert!(trace.trace_headers().is_some(), "the trace is continued");
    Box::new(Over(move || drop(black_box(black_box(&trace).trace_headers()))))
}

/// Writes both values into a buffer.
fn write_text(baggage: Baggage) -> Box<dyn Subject> {
    let parsed =
        Parsed::read(&RequestHead::new(baggage, true).fresh_headers()).expect("both headers are there");
    let mut buffer = Vec::with_capacity(1_024);
    Box::new(Over(move || black_box(&parsed).write(black_box(&mut buffer))))
}

/// Reads both headers into values and writes them again, without a client.
fn read_and_write_text(baggage: Baggage) -> Box<dyn Subject> {
    let headers = RequestHead::new(baggage, true).fresh_headers();
    let mut buffer = Vec::with_capacity(1_024);
    Box::new(Over(move || {
        if let Some(parsed) = Parsed::read(black_box(&headers)) {
            parsed.write(black_box(&mut buffer));
        }
    }))
}

/// Both parsed headers.
struct Parsed {
    sentry_trace: SentryTrace,
    baggage: String,
}

impl Parsed {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let sentry_trace = SentryTrace::parse_opt(headers.get(sentry_trace::HEADER)?.as_bytes())?;
        let fields = headers.get_all(baggage::HEADER);
        let mut members = String::with_capacity(fields.iter().map(HeaderValue::len).sum());
        baggage::copy_sentry_members(fields.iter().map(HeaderValue::as_bytes), &mut members);
        Some(Self { sentry_trace, baggage: members })
    }

    fn write(&self, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend_from_slice(self.sentry_trace.to_text().as_bytes());
        buffer.extend_from_slice(self.baggage.as_bytes());
    }
}
