//! A transaction and its spans, as they are sent.

mod fit;
mod request;
mod span;
mod timestamp;
mod user;

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub use self::fit::{Cut, MAX_BYTES};
pub use self::request::{Request, ResponseContext};
pub use self::span::{TraceContext, TransactionSpan};
pub use self::timestamp::{Rfc3339, Timestamp};
pub use self::user::User;
pub use super::entries::{Data, MAX_TAG_CHARS, Tags};
use crate::{EventId, TransactionSource};

/// One transaction with its spans, borrowed from where it was recorded and written straight to JSON.
///
/// Sentry SDK specification, *Event Payloads*, transaction.
///
/// ```
/// use std::time::Duration;
/// use sentrace_protocol::{
///     EventId, SdkInfo, SpanId, SpanStatus, Timestamp, TraceContext, TraceId, TransactionPayload, TransactionSource,
/// };
///
/// let trace_id = TraceId::from_hex(b"0af7651916cd43dd8448eb211c80319c").unwrap();
/// let mut trace = TraceContext::new(trace_id, SpanId::from_hex(b"b7ad6b7169203331").unwrap(), "http.server");
/// trace.status = Some(SpanStatus::Ok);
/// let sdk = SdkInfo { name: "acme.rust".into(), version: "0.1.0".into() };
/// let event_id = EventId::from_hex(b"5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70").unwrap();
/// let mut transaction = TransactionPayload::new(event_id, trace, sdk);
/// transaction.name = "GET /orders/{id}".into();
/// transaction.source = TransactionSource::Route;
/// transaction.start_timestamp = Timestamp(Duration::from_micros(1_787_220_000_104_233));
/// transaction.timestamp = Timestamp(Duration::from_micros(1_787_220_000_148_907));
/// transaction.release = Some("shop@1.4.0".into());
/// let json = serde_json::to_value(&transaction)?;
/// assert_eq!(json["contexts"]["trace"]["status"], "ok");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TransactionPayload<'a> {
    /// Its id as an event.
    pub event_id: EventId,
    /// Its name: `GET /orders/{id}`.
    pub name: Cow<'a, str>,
    /// Where the name comes from.
    pub source: TransactionSource,
    /// When it started.
    pub start_timestamp: Timestamp,
    /// When it ended. An earlier moment than the start is written as the start, or Sentry would discard it.
    pub timestamp: Timestamp,
    /// The span that the transaction is itself.
    pub trace: TraceContext<'a>,
    /// The HTTP request that it answered.
    pub request: Option<Request<'a>>,
    /// What it answered.
    pub response: Option<ResponseContext>,
    /// Who asked.
    pub user: Option<User<'a>>,
    /// Short texts to search by.
    pub tags: Tags<'a>,
    /// Which version of the service it was: `shop@1.4.0`.
    pub release: Option<Cow<'a, str>>,
    /// Where it runs. Sentry takes none for `production`.
    pub environment: Option<Cow<'a, str>>,
    /// Which machine it was.
    pub server_name: Option<Cow<'a, str>>,
    /// What recorded it.
    pub sdk: SdkInfo<'a>,
    /// The finished spans below it, in any order.
    pub spans: Vec<TransactionSpan<'a>>,
}

impl<'a> TransactionPayload<'a> {
    /// Creates a transaction without a name that started and ended at the beginning of 1970. All else is set on its fields.
    pub fn new(event_id: EventId, trace: TraceContext<'a>, sdk: SdkInfo<'a>) -> Self {
        Self {
            event_id,
            name: Cow::Borrowed(""),
            source: TransactionSource::Custom,
            start_timestamp: Timestamp::default(),
            timestamp: Timestamp::default(),
            trace,
            request: None,
            response: None,
            user: None,
            tags: Tags::new(),
            release: None,
            environment: None,
            server_name: None,
            sdk,
            spans: Vec::new(),
        }
    }

    /// The same transaction, borrowing from nothing.
    pub fn into_owned(self) -> TransactionPayload<'static> {
        TransactionPayload {
            event_id: self.event_id,
            name: cow_into_owned(self.name),
            source: self.source,
            start_timestamp: self.start_timestamp,
            timestamp: self.timestamp,
            trace: self.trace.into_owned(),
            request: self.request.map(Request::into_owned),
            response: self.response,
            user: self.user.map(User::into_owned),
            tags: self.tags.into_owned(),
            release: self.release.map(cow_into_owned),
            environment: self.environment.map(cow_into_owned),
            server_name: self.server_name.map(cow_into_owned),
            sdk: self.sdk.into_owned(),
            spans: self.spans.into_iter().map(TransactionSpan::into_owned).collect(),
        }
    }
}

impl Serialize for TransactionPayload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "transaction")?;
        map.serialize_entry("event_id", &self.event_id)?;
        map.serialize_entry("platform", "rust")?;
        map.serialize_entry("transaction", &self.name)?;
        map.serialize_entry("transaction_info", &TransactionInfo { source: self.source })?;
        map.serialize_entry("start_timestamp", &self.start_timestamp)?;
        map.serialize_entry("timestamp", &self.timestamp.max(self.start_timestamp))?;
        for (key, value) in [
            ("release", &self.release),
            ("environment", &self.environment),
            ("server_name", &self.server_name),
        ] {
            if let Some(value) = value {
                map.serialize_entry(key, value)?;
            }
        }
        map.serialize_entry("contexts", &Contexts { trace: &self.trace, response: self.response })?;
        if let Some(request) = &self.request {
            map.serialize_entry("request", request)?;
        }
        if let Some(user) = &self.user {
            map.serialize_entry("user", user)?;
        }
        if !self.tags.is_empty() {
            map.serialize_entry("tags", &self.tags)?;
        }
        map.serialize_entry("sdk", &self.sdk)?;
        map.serialize_entry("spans", &span::Spans { trace_id: self.trace.trace_id, spans: &self.spans })?;
        map.end()
    }
}

/// Which SDK recorded and sends.
///
/// Sentry SDK specification, *SDK Interface*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SdkInfo<'a> {
    /// `entity.ecosystem`, then optionally a flavour. The entity `sentry` is for Sentry's own SDKs.
    pub name: Cow<'a, str>,
    /// A semantic version without `v`.
    pub version: Cow<'a, str>,
}

impl SdkInfo<'_> {
    /// The same, borrowing from nothing.
    pub fn into_owned(self) -> SdkInfo<'static> {
        SdkInfo { name: cow_into_owned(self.name), version: cow_into_owned(self.version) }
    }
}

#[derive(Serialize)]
struct TransactionInfo {
    source: TransactionSource,
}

#[derive(Serialize)]
struct Contexts<'s, 'a> {
    trace: &'s TraceContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ResponseContext>,
}

fn cow_into_owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

#[cfg(test)]
pub(crate) mod tests;
