//! Envelopes: what is posted to Sentry, a line of headers and then items with a header line each.
//!
//! Sentry SDK specification, *Envelopes*.

pub mod reader;
pub mod writer;

pub use self::reader::{RawEnvelope, RawItem, SplitItem, SplitItems, read, split};
pub use self::writer::{EnvelopeHeaders, EnvelopeWriter};

/// The `content-type` of an envelope.
pub const CONTENT_TYPE: &str = "application/x-sentry-envelope";
