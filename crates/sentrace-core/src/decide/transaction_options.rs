//! Options for a transaction.

use std::borrow::Cow;
use std::fmt;

use sentrace_protocol::{SpanLink, TransactionSource, Value, http_method};

use super::sampling::Sampler;
use crate::record::MANUAL;
use crate::record::data_collection::DataCollection;
use crate::record::request_parts::RequestParts;

/// Options for a transaction: its name and kind, and what may decide about it.
#[derive(Clone)]
pub struct TransactionOptions<'a> {
    /// Method and rest of the name; either may be empty.
    pub(crate) name: (&'static str, &'a str),
    pub(crate) source: TransactionSource,
    pub(crate) op: Cow<'static, str>,
    pub(crate) origin: &'static str,
    pub(crate) recorded: bool,
    pub(crate) sampled: Option<bool>,
    pub(crate) sample_rate: Option<f64>,
    pub(crate) sampler: Option<&'a Sampler>,
    pub(crate) request: Option<&'a dyn RequestParts>,
    pub(crate) custom: &'a [(&'a str, Value<'a>)],
    pub(crate) collection: Option<&'a DataCollection>,
    pub(crate) attributes: &'a [(&'static str, Value<'a>)],
    pub(crate) derives_name: bool,
    pub(crate) links: &'a [SpanLink<'a>],
}

impl<'a> TransactionOptions<'a> {
    /// Creates options for a transaction that a user names (source `custom`, origin `manual`).
    #[inline]
    pub fn new(name: &'a str, op: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: ("", name),
            source: TransactionSource::Custom,
            op: op.into(),
            origin: MANUAL,
            recorded: true,
            sampled: None,
            sample_rate: None,
            sampler: None,
            request: None,
            custom: &[],
            collection: None,
            attributes: &[],
            derives_name: false,
            links: &[],
        }
    }

    /// Sets the name `METHOD path`, which is joined later, off the request's path. A method that is
    /// not [known](sentrace_protocol::http_method) is shown as `HTTP`, so that clients cannot
    /// create names.
    #[must_use]
    #[inline]
    pub fn http_name(mut self, method: &str, path: &'a str) -> Self {
        self.name = (if method.is_empty() { "" } else { http_method::in_names(method) }, path);
        self
    }

    /// Sets where the name comes from.
    #[must_use]
    #[inline]
    pub fn source(mut self, source: TransactionSource) -> Self {
        self.source = source;
        self
    }

    /// Sets which code starts the transaction, for example `auto.http.tower`.
    #[must_use]
    #[inline]
    pub fn origin(mut self, origin: &'static str) -> Self {
        self.origin = origin;
        self
    }

    /// Sets whether there is a transaction. Without one, the trace is only propagated.
    #[must_use]
    #[inline]
    pub fn recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Decides explicitly, before sampler, parent and rate.
    #[must_use]
    #[inline]
    pub fn sampled(mut self, sampled: bool) -> Self {
        self.sampled = Some(sampled);
        self
    }

    /// Sets a rate that takes precedence over the client's, from 0 to 1. Other values are ignored
    /// with a warning.
    #[must_use]
    #[inline]
    pub fn sample_rate(mut self, rate: Option<f64>) -> Self {
        self.sample_rate = rate;
        self
    }

    /// Sets a sampler that takes precedence over the client's.
    #[must_use]
    #[inline]
    pub fn sampler(mut self, sampler: Option<&'a Sampler>) -> Self {
        self.sampler = sampler;
        self
    }

    /// Sets values that a sampler can look at.
    ///
    /// ```
    /// use sentrace_core::TransactionOptions;
    ///
    /// let custom = [("tenant", "acme".into())];
    /// let options = TransactionOptions::new("import", "task").custom(&custom);
    /// ```
    #[must_use]
    #[inline]
    pub fn custom(mut self, custom: &'a [(&'a str, Value<'a>)]) -> Self {
        self.custom = custom;
        self
    }

    /// Links the transaction's own span to other spans; see
    /// [`SpanRef::add_link`](crate::SpanRef::add_link).
    ///
    /// ```
    /// use sentrace_core::{SpanLink, TransactionOptions, link_type};
    ///
    /// let message = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
    /// let links: Vec<_> = SpanLink::from_carrier(&message).into_iter().collect();
    /// let options = TransactionOptions::new("resize", "queue.process").links(&links);
    /// ```
    #[must_use]
    #[inline]
    pub fn links(mut self, links: &'a [SpanLink<'a>]) -> Self {
        self.links = links;
        self
    }

    /// Sets the request that a sampler can look at.
    #[must_use]
    #[inline]
    pub fn request(mut self, request: &'a dyn RequestParts) -> Self {
        self.request = Some(request);
        self
    }

    /// Records the parts of the [`request`](Self::request) that `collection` allows. Without it,
    /// nothing of the request is recorded.
    #[must_use]
    #[inline]
    pub fn data_collection(mut self, collection: &'a DataCollection) -> Self {
        self.collection = Some(collection);
        self
    }
}

impl<'a> TransactionOptions<'a> {
    /// Sets the first values of the transaction's data, which [`ignore_spans`](crate::Options::ignore_spans) sees.
    #[must_use]
    #[inline]
    pub fn attributes(mut self, attributes: &'a [(&'static str, Value<'a>)]) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets whether an adapter chose the name. A streamed transaction is then named by its op and attributes
    /// ([`span_name`](sentrace_protocol::span_name)), until code names it.
    #[must_use]
    #[inline]
    pub fn derives_name(mut self, derives_name: bool) -> Self {
        self.derives_name = derives_name;
        self
    }
}

impl fmt::Debug for TransactionOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionOptions")
            .field("name", &self.name)
            .field("op", &self.op)
            .field("source", &self.source)
            .field("sampled", &self.sampled)
            .field("sample_rate", &self.sample_rate)
            .finish_non_exhaustive()
    }
}
