//! Spans that are sent by themselves, without a transaction around them: version 2 of the `span` item.
//!
//! Sentry SDK specification, *Spans* 1.0, span streaming.

mod fit;
mod items;
mod span;

pub use self::items::{MAX_BYTES, MAX_ITEMS, MAX_SPAN_BYTES, SpanItems};
pub use self::span::StreamedSpan;

/// The `content_type` in the item's header.
pub const CONTENT_TYPE: &str = "application/vnd.sentry.items.span.v2+json";

/// Attributes that Sentry gives a meaning of its own (sentry-conventions).
pub mod keys {
    /// The name of the segment that the span belongs to. Every span has it.
    pub const SEGMENT_NAME: &str = "sentry.segment.name";
    /// The span id of that segment. Every span has it.
    pub const SEGMENT_ID: &str = "sentry.segment.id";
    /// Where the segment's name comes from. Only on the segment itself.
    pub const SEGMENT_NAME_SOURCE: &str = "sentry.segment.name.source";
    /// What a span does, if its name does not say it: a text for people, of any cardinality.
    pub const DESCRIPTION: &str = "sentry.description";
    /// `stream`.
    pub const TRACE_LIFECYCLE: &str = "sentry.trace_lifecycle";
    /// What kind of work it is, such as `http.client`.
    pub const OP: &str = "sentry.op";
    /// What made it: `manual`, or `auto` with the integration.
    pub const ORIGIN: &str = "sentry.origin";
    /// Which version of the service it was.
    pub const RELEASE: &str = "sentry.release";
    /// Where the service runs.
    pub const ENVIRONMENT: &str = "sentry.environment";
    /// What the service is written in.
    pub const PLATFORM: &str = "sentry.platform";
    /// What recorded it.
    pub const SDK_NAME: &str = "sentry.sdk.name";
    /// The version of that.
    pub const SDK_VERSION: &str = "sentry.sdk.version";
    /// How it failed, in the words of [`SpanStatus`](crate::SpanStatus): the status itself is `ok` or `error` only.
    pub const STATUS_MESSAGE: &str = "sentry.status.message";
}
