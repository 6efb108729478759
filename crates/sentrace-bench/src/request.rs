//! The request that every variant serves.

use std::ops::Range;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use serde::{Deserialize, Serialize};

/// The incoming trace.
pub const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
/// The caller's span.
pub const PARENT_SPAN_ID: &str = "b7ad6b7169203331";

/// The members of another Sentry SDK.
const SENTRYS: &str = "sentry-trace_id=0af7651916cd43dd8448eb211c80319c,\
    sentry-public_key=9c1f0d3e5b7a48c2a6d4e8f013579bdf,sentry-sample_rate=0.25,sentry-sample_rand=0.104233,\
    sentry-sampled=true,sentry-release=shop%401.4.0,sentry-environment=production,sentry-transaction=GET%20%2Forders";

/// The target in the request line.
const TARGET: &str = "/users/1000?page=2";

/// The vendors with members in the incoming `baggage`, about 300 bytes in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Baggage {
    /// Sentry and two other vendors.
    Mixed,
    /// Sentry alone.
    Sentrys,
}

impl Baggage {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mixed, Self::Sentrys];

    /// Returns the one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|baggage| baggage.name() == name)
    }

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Sentrys => "sentrys",
        }
    }

    /// Returns the value of the header.
    pub fn value(self) -> String {
        match self {
            Self::Mixed => format!("tenant=7;ttl=60,{SENTRYS},vendor=abcdef0123456789"),
            Self::Sentrys => SENTRYS.to_owned(),
        }
    }
}

/// The head of a request as received from a connection, from which requests are created.
#[derive(Debug, Clone)]
pub struct RequestHead {
    text: Vec<u8>,
    target: Range<usize>,
    fields: Vec<(HeaderName, Range<usize>)>,
}

impl RequestHead {
    /// Creates `GET /users/1000?page=2` with twelve header fields, including both trace headers.
    /// `sampled` is the caller's decision.
    pub fn new(baggage: Baggage, sampled: bool) -> Self {
        let sentry_trace = format!("{TRACE_ID}-{PARENT_SPAN_ID}-{}", u8::from(sampled));
        let mut baggage = baggage.value();
        if !sampled {
            baggage = baggage.replace("sentry-sampled=true", "sentry-sampled=false");
        }
        Self::with_trace(("sentry-trace", &sentry_trace), &baggage)
    }

    /// Creates the same request without a decision.
    pub fn undecided(baggage: Baggage) -> Self {
        let sentry_trace = format!("{TRACE_ID}-{PARENT_SPAN_ID}");
        Self::with_trace(
            ("sentry-trace", &sentry_trace),
            &baggage.value().replace("sentry-sampled=true,", ""),
        )
    }

    /// Creates the same request with W3C's `traceparent` instead of `sentry-trace`.
    pub fn w3c(baggage: Baggage, sampled: bool) -> Self {
        let traceparent = format!("00-{TRACE_ID}-{PARENT_SPAN_ID}-0{}", u8::from(sampled));
        Self::with_trace(("traceparent", &traceparent), &baggage.value())
    }

    fn with_trace(trace: (&'static str, &str), baggage: &str) -> Self {
        Self::with_fields([
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
            trace,
            ("baggage", baggage),
        ])
    }

    /// Creates the same request line with these fields.
    pub fn with_fields<'a>(fields: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        let mut text = format!("GET {TARGET} HTTP/1.1\r\n");
        let fields = fields
            .into_iter()
            .map(|(name, value)| {
                let at = text.len() + name.len() + 2;
                text.push_str(&format!("{name}: {value}\r\n"));
                (HeaderName::from_static(name), at..at + value.len())
            })
            .collect();
        text.push_str("\r\n");
        Self { text: text.into_bytes(), target: 4..4 + TARGET.len(), fields }
    }

    /// Returns the head as bytes, for a connection.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Creates a request as hyper does: a new buffer for the head, of which target and header
    /// values are slices.
    pub fn fresh(&self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        let buffer = Bytes::copy_from_slice(&self.text);
        *request.uri_mut() =
            Uri::from_maybe_shared(buffer.slice(self.target.clone())).expect("the target is a URI");
        self.write(&buffer, request.headers_mut());
        request
    }

    /// Creates only the headers of such a request.
    pub fn fresh_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.write(&Bytes::copy_from_slice(&self.text), &mut headers);
        headers
    }

    fn write(&self, buffer: &Bytes, headers: &mut HeaderMap) {
        headers.reserve(self.fields.len());
        for (name, value) in &self.fields {
            let value =
                HeaderValue::from_maybe_shared(buffer.slice(value.clone())).expect("the value is one");
            headers.append(name.clone(), value);
        }
    }
}
