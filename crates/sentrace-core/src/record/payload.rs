//! Builds the payload from a record. This runs on the worker, never on a request's thread.

use std::borrow::Cow;
use std::time::SystemTime;

use sentrace_protocol::transaction::{
    Data, Request, ResponseContext, SdkInfo, Tags, Timestamp, TraceContext, TransactionPayload,
    TransactionSpan,
};
use sentrace_protocol::url::split_host_port;
use sentrace_protocol::{SpanStatus, TransactionSource, Value, sensitive};

use super::derived::add_derived;
use super::queue_time::time_in_queue;
use super::{MANUAL, Record, RecordedValue, Slot, SpanRecord, Text};
use crate::util::clock::{FastInstant, TickRate};

/// The same moment on both clocks.
///
/// Records have monotonic times only, which are read once and never jump. The wall clock is read
/// when the payload is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    wall: SystemTime,
    moment: FastInstant,
    scale: TickRate,
}

impl Anchor {
    pub(crate) fn now() -> Self {
        Self { wall: SystemTime::now(), moment: FastInstant::now(), scale: TickRate::now() }
    }

    pub(super) fn timestamp(&self, at: FastInstant) -> Timestamp {
        let wall = if at <= self.moment {
            self.wall.checked_sub(self.scale.between(at, self.moment))
        } else {
            self.wall.checked_add(self.scale.between(self.moment, at))
        };
        Timestamp(wall.and_then(|wall| wall.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default())
    }
}

impl Record {
    /// Returns the payload, borrowed from the record, or `None` for a record without the
    /// transaction's own span.
    pub(crate) fn transaction<'a>(&'a self, anchor: &Anchor) -> Option<TransactionPayload<'a>> {
        let (root, children) = self.spans.split_first()?;
        let mut spans: Vec<TransactionSpan<'a>> = Vec::with_capacity(children.len());
        let mut payload_index = vec![None; self.spans.len()];
        for (index, child) in children.iter().enumerate() {
            if let Some(end) = child.end {
                payload_index[index + 1] = Some(spans.len());
                spans.push(self.child(child, end, anchor));
            }
        }

        let mut root_data = Data::default();
        self.describe_request(root, anchor, &mut root_data);
        self.describe_response_headers(&mut root_data);
        let mut root_tags = Tags::default();
        for entry in &self.data {
            let key = self.arena.get(entry.key);
            if !self.may_send(entry.slot, key) {
                continue;
            }
            let (key, value) = (Cow::Borrowed(key), self.value(key, &entry.value));
            match self.target(entry.slot, &payload_index) {
                Target::Root => root_data.set(key, value),
                Target::Child(index) => spans[index].data.set(key, value),
                Target::Unfinished => {}
            }
        }
        for entry in &self.tags {
            let (key, value) = (Cow::Borrowed(self.arena.get(entry.key)), self.shown(entry.value));
            match self.target(entry.slot, &payload_index) {
                Target::Root => root_tags.set(key, value),
                Target::Child(index) => spans[index].tags.set(key, value),
                Target::Unfinished => {}
            }
        }

        if self.is_of_adapter(root) {
            add_derived(self.arena.get(root.op), &mut root_data);
        }
        for (index, child) in children.iter().enumerate() {
            if let (Some(at), true) = (payload_index[index + 1], self.is_of_adapter(child)) {
                add_derived(self.arena.get(child.op), &mut spans[at].data);
            }
        }
        let root_end = root.end.unwrap_or(root.start);
        for scope in self.scopes() {
            scope.fill(&mut root_data, root_end);
            let ends = children.iter().filter_map(|child| child.end);
            spans.iter_mut().zip(ends).for_each(|(span, end)| scope.fill(&mut span.data, end));
        }
        let mut root_links = Vec::new();
        for (slot, link) in self.all_links() {
            match self.target(slot, &payload_index) {
                Target::Root => root_links.push(link),
                Target::Child(index) => spans[index].links.push(link),
                Target::Unfinished => {}
            }
        }

        let mut trace = TraceContext::new(self.trace_id, root.span_id, self.arena.get(root.op));
        trace.parent_span_id = root.parent_span_id;
        trace.status = Some(root.status.unwrap_or(SpanStatus::Ok));
        trace.origin = Cow::Borrowed(self.arena.get(root.origin));
        trace.data = root_data;
        trace.links = root_links;
        let mut transaction = TransactionPayload::new(self.event_id, trace, SDK);
        transaction.name = self.shown_name();
        transaction.source = self.source;
        transaction.start_timestamp = anchor.timestamp(root.start);
        transaction.timestamp = anchor.timestamp(root_end);
        transaction.request = self.request.is_some().then(|| self.request());
        transaction.response = self.response_status.map(ResponseContext::new);
        transaction.user = self.user_at(root_end);
        transaction.tags = root_tags;
        transaction.release = self.identity.release.as_deref().map(Cow::Borrowed);
        transaction.environment = Some(Cow::Borrowed(&self.identity.environment));
        transaction.server_name = self.identity.server_name.as_deref().map(Cow::Borrowed);
        transaction.spans = spans;
        Some(transaction)
    }

    fn target(&self, slot: Slot, payload_index: &[Option<usize>]) -> Target {
        match slot {
            Slot::ROOT => Target::Root,
            Slot(index) => match payload_index.get(index as usize) {
                Some(Some(index)) => Target::Child(*index),
                _ => Target::Unfinished,
            },
        }
    }

    fn child<'a>(&'a self, span: &SpanRecord, end: FastInstant, anchor: &Anchor) -> TransactionSpan<'a> {
        let description = self.shown(span.description);
        let mut child = TransactionSpan::new(span.span_id, self.arena.get(span.op));
        child.parent_span_id = span.parent_span_id;
        child.description = (!description.is_empty()).then_some(description);
        child.status = span.status.or((!span.status_unset).then_some(SpanStatus::Ok));
        child.origin = Cow::Borrowed(self.arena.get(span.origin));
        child.start_timestamp = anchor.timestamp(span.start);
        child.timestamp = anchor.timestamp(end);
        child
    }

    /// Whether an adapter made the span, and not code alone.
    pub(super) fn is_of_adapter(&self, span: &SpanRecord) -> bool {
        span.derives_name || self.arena.get(span.origin) != MANUAL
    }

    /// Returns a text without the secrets that are recognizable in it. This is done here because no
    /// request waits for it.
    pub(super) fn shown(&self, text: Text) -> Cow<'_, str> {
        match text {
            Text::Literal(literal) => Cow::Borrowed(literal),
            Text::Copied { .. } => sensitive::filter_text(self.arena.get(text)),
        }
    }

    pub(crate) fn shown_name(&self) -> Cow<'_, str> {
        self.shown_as_name(self.name())
    }

    pub(super) fn shown_as_name<'a>(&self, name: Cow<'a, str>) -> Cow<'a, str> {
        if self.source == TransactionSource::Route {
            // A route is part of the program.
            return name;
        }
        match name {
            Cow::Borrowed(name) => sensitive::filter_text(name),
            Cow::Owned(name) => match sensitive::filter_text(&name) {
                Cow::Owned(filtered) => Cow::Owned(filtered),
                Cow::Borrowed(_) => Cow::Owned(name),
            },
        }
    }

    pub(super) fn value<'a>(&'a self, key: &str, value: &'a RecordedValue) -> Value<'a> {
        let shown = |text: Text| match text {
            Text::Literal(literal) => Cow::Borrowed(literal),
            Text::Copied { .. } => sensitive::filter_value(key, self.arena.get(text)),
        };
        match value {
            RecordedValue::Bool(value) => Value::Bool(*value),
            RecordedValue::Int(value) => Value::Int(*value),
            RecordedValue::Float(value) => Value::Float(*value),
            RecordedValue::Text(text) => Value::Str(shown(*text)),
            RecordedValue::Texts(texts) => Value::Strs(texts.iter().map(|text| shown(*text)).collect()),
            RecordedValue::Other(value) => (**value).clone(),
        }
    }

    /// Returns the `request` interface (Sentry SDK specification, *Event Payloads*, Request).
    fn request(&self) -> Request<'_> {
        let text = |text| Cow::Borrowed(self.arena.get(text));
        let headers = self.request.headers.iter();
        let mut request = Request::default();
        request.method = text(self.request.method_as_sent());
        request.url = Cow::Owned(self.url());
        request.query_string =
            self.request.query.map(|query| sensitive::filter_query_values(self.arena.get(query)));
        request.headers =
            headers.map(|(name, value)| (Cow::Borrowed(name), sensitive::filter_text(value))).collect();
        request
    }

    /// Returns the URL without its query.
    fn url(&self) -> String {
        let (scheme, path) = (self.arena.get(self.request.scheme), self.shown(self.request.path));
        let host = self.request.host(&self.arena);
        if host.is_empty() { path.into_owned() } else { [scheme, "://", host, &path].concat() }
    }

    /// Adds the attributes of an HTTP request (sentry-conventions, with OpenTelemetry's names).
    pub(super) fn describe_request<'a>(&'a self, root: &SpanRecord, anchor: &Anchor, data: &mut Data<'a>) {
        if self.request.is_some() {
            let request = &self.request;
            let mut put = |key: &'static str, text: Cow<'a, str>| {
                if !text.is_empty() {
                    data.set(Cow::Borrowed(key), Value::Str(text));
                }
            };
            let host = request.host(&self.arena);
            let (address, port) = split_host_port(host).unwrap_or((host, None));
            let text = |text| Cow::Borrowed(self.arena.get(text));
            let query = request.query.map_or("", |query| self.arena.get(query));
            put("http.request.method", text(request.method));
            put("http.request.method_original", text(request.method_original));
            put("http.route", text(request.route));
            put("url.path", self.shown(request.path));
            put("url.query", sensitive::filter_query_values(query));
            put("url.scheme", text(request.scheme));
            put("server.address", Cow::Borrowed(address));
            put("network.protocol.name", Cow::Borrowed("http"));
            put("network.protocol.version", text(request.protocol_version));
            put("user_agent.original", sensitive::filter_text(self.request.header("user-agent")));
            if let Some(port) = port {
                data.set(Cow::Borrowed("server.port"), Value::Int(port.into()));
            }
            data.set(Cow::Borrowed("url.full"), Value::Str(Cow::Owned(self.full_url())));
            if let Ok(bytes) = self.request.header("content-length").parse::<u64>() {
                data.set(Cow::Borrowed("http.request.body.size"), Value::from(bytes));
            }
            if let Some(waited) =
                time_in_queue(self.request.header("x-request-start"), anchor.timestamp(root.start))
            {
                data.set(Cow::Borrowed("http.server.request.time_in_queue"), Value::Float(waited));
            }
            if let Some(address) = request.client_address {
                data.set(Cow::Borrowed("client.address"), Value::from(address.to_string()));
            }
        }
        if let Some(status) = self.response_status {
            data.set(Cow::Borrowed("http.response.status_code"), Value::Int(status.into()));
        }
        if let Some(bytes) = self.response_size {
            data.set(Cow::Borrowed("http.response.body.size"), Value::from(bytes));
        }
        if let Some(first_byte) = self.first_byte {
            let seconds = first_byte.saturating_duration_since(root.start).as_secs_f64();
            data.set(Cow::Borrowed("http.request.time_to_first_byte"), Value::Float(seconds));
        }
    }

    fn full_url(&self) -> String {
        let mut url = self.url();
        if let Some(query) = self.request.query {
            url.push('?');
            url.push_str(&sensitive::filter_query_values(self.arena.get(query)));
        }
        url
    }
}

enum Target {
    Root,
    Child(usize),
    Unfinished,
}

/// The SDK, in payloads and envelope headers.
pub(crate) const SDK: SdkInfo<'static> =
    SdkInfo { name: Cow::Borrowed("sentrace.rust"), version: Cow::Borrowed(env!("CARGO_PKG_VERSION")) };
