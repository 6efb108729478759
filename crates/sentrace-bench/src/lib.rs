//! The request that all figures are about, and the ways that are measured.
//!
//! - `cargo bench --bench headers` measures with criterion.
//! - `cargo run --release --bin headers` prints nanoseconds and allocations beside what was promised, and fails where
//!   a promise is broken.

use http::{HeaderMap, HeaderValue};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, Trace};
use sentrace_protocol::{SentryTrace, baggage, sentry_trace};

/// The members of the baseline's request, without those of other vendors: what another SDK of Sentry sends.
pub const SENTRYS: &str = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,\
    sentry-public_key=9c1f0d3e5b7a48c2a6d4e8f013579bdf,sentry-sample_rate=0.25,sentry-sample_rand=0.104233,\
    sentry-sampled=true,sentry-release=shop%401.4.0,sentry-environment=production,sentry-transaction=GET%20%2Forders";

/// The same among members of other vendors.
pub const MIXED: &str = "tenant=7;ttl=60,sentry-trace_id=0af7651916cd43dd8448eb211c80319c,\
    sentry-public_key=9c1f0d3e5b7a48c2a6d4e8f013579bdf,sentry-sample_rate=0.25,sentry-sample_rand=0.104233,\
    sentry-sampled=true,sentry-release=shop%401.4.0,sentry-environment=production,sentry-transaction=GET%20%2Forders,\
    vendor=abcdef0123456789";

/// Twelve header fields, both trace headers among them, as the baseline has it.
pub fn request(baggage: &'static str) -> HeaderMap {
    let fields = [
        ("host", "shop.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("accept", "application/json"),
        ("accept-language", "en-GB,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("referer", "https://shop.example.com/users"),
        ("authorization", "Bearer 0123456789abcdef0123456789abcdef"),
        ("cookie", "session=0123456789abcdef; theme=dark"),
        ("x-request-id", "7d4cf6c6-7a4f-4c56-9b0e-6a0c8f3f6a51"),
        ("x-forwarded-for", "203.0.113.7"),
        (sentry_trace::HEADER, "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
        (baggage::HEADER, baggage),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

/// A client as services have it: with a DSN that names no organisation.
pub fn client() -> Client {
    let options =
        Options::new().dsn("http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@127.0.0.1:9/1").traces_sample_rate(1.0);
    match Capture::client(options) {
        Ok((client, _)) => client,
        Err(error) => unreachable!("the options are right: {error}"),
    }
}

/// Reads both headers and decides whether their trace is continued, as the server layer does.
pub fn parse(client: &Client, headers: &HeaderMap) -> sentrace_core::Incoming {
    client.read(headers)
}

/// Writes both headers' values into `buffer`: values and text alone, without a pipeline.
pub fn render(parsed: &Parsed, buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(parsed.sentry_trace.to_text().as_bytes());
    buffer.extend_from_slice(parsed.baggage.as_bytes());
}

/// The headers of a call below a continued trace, as any adapter asks for them.
pub fn render_values(trace: &Trace) -> Option<sentrace_core::TraceHeaders> {
    trace.trace_headers()
}

/// Both headers, read.
#[derive(Debug)]
pub struct Parsed {
    sentry_trace: SentryTrace,
    baggage: String,
}

impl Parsed {
    /// Reads both headers into values alone, without deciding anything.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let sentry_trace = SentryTrace::parse_opt(headers.get(sentry_trace::HEADER)?.as_bytes())?;
        let fields = headers.get_all(baggage::HEADER);
        let mut members = String::with_capacity(fields.iter().map(HeaderValue::len).sum());
        baggage::copy_sentry_members(fields.iter().map(HeaderValue::as_bytes), &mut members);
        Some(Self { sentry_trace, baggage: members })
    }
}
