//! Options for a span that is started by this crate.

use std::borrow::Cow;

use sentrace_protocol::{SpanLink, Value};

use crate::handle::span::{Span, SpanRef};
use crate::values::{IntoData, IntoTag};

/// Options for an activity's span: its kind, description, initial data and tags.
///
/// ```
/// use sentrace_core::SpanOptions;
///
/// let options = SpanOptions::new("task", "process the cart").data("cart.items", 3).tag("plan", "gold");
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until something is started with them"]
pub struct SpanOptions<'a> {
    op: Cow<'static, str>,
    description: Cow<'a, str>,
    data: Vec<(Cow<'static, str>, Value<'a>)>,
    tags: Vec<(Cow<'static, str>, String)>,
    links: Vec<SpanLink<'a>>,
}

impl<'a> SpanOptions<'a> {
    /// Creates options. `op` is the kind of work (`db.query`, `task`) and should have few distinct
    /// values; `description` describes this particular span.
    pub fn new(op: impl Into<Cow<'static, str>>, description: impl Into<Cow<'a, str>>) -> Self {
        Self {
            op: op.into(),
            description: description.into(),
            data: Vec::new(),
            tags: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Sets a value of the span's `data`; see [`SpanRef::set_data`].
    pub fn data<Kind>(mut self, key: impl Into<Cow<'static, str>>, value: impl IntoData<'a, Kind>) -> Self {
        self.data.extend(value.into_data().map(|value| (key.into(), value)));
        self
    }

    /// Sets a tag; see [`SpanRef::set_tag`].
    pub fn tag<Kind>(mut self, key: impl Into<Cow<'static, str>>, value: impl IntoTag<Kind>) -> Self {
        self.tags.extend(value.with_tag(str::to_owned).map(|value| (key.into(), value)));
        self
    }

    /// Adds a link to another span; see [`SpanRef::add_link`].
    ///
    /// ```
    /// use sentrace_core::{SpanOptions, current_span};
    ///
    /// let mut options = SpanOptions::new("task", "process the cart");
    /// if let Some(link) = current_span().link() {
    ///     options = options.link(link);
    /// }
    /// ```
    pub fn link(mut self, link: SpanLink<'a>) -> Self {
        self.links.push(link);
        self
    }

    pub(crate) fn start_below(self, parent: &SpanRef) -> Span {
        let span = parent.start_span(self.op, self.description);
        for (key, value) in self.data {
            span.set_data(key, value);
        }
        for (key, value) in self.tags {
            span.set_tag(key, value);
        }
        span.add_links(self.links);
        span
    }
}
