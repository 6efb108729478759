//! What the fields of a span say about the span itself, before it starts: its kind, its name, whose trace it continues.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use sentrace_protocol::sql::Dialect;
use tracing::Metadata;
use tracing::field::{Field, Visit};
use tracing::span::Attributes;

use crate::text::{filtered_name, with_text};

/// The op of spans that do not say theirs, as in Sentry's other SDKs.
const DEFAULT_OP: &str = "default";

/// Beginnings of field names that are worth a look at their values.
const TELLING: [&str; 6] = ["sentry.", "otel.", "db.", "http.", "rpc.", "messaging."];

/// What is known of a span when it starts.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    op: Option<Cow<'static, str>>,
    sentry_name: Option<Rc<str>>,
    otel_name: Option<Rc<str>>,
    kind: Kind,
    work: Option<Work>,
    /// Whose SQL a statement in the fields is.
    pub(crate) dialect: Dialect,
    /// Whether the fields ask for a transaction where there is none.
    pub(crate) transaction: bool,
    /// A transaction's name, where `sentry.transaction` is text.
    transaction_name: Option<Rc<str>>,
    /// The values of `sentry.trace` and `sentry.baggage`.
    pub(crate) incoming: Option<Vec<(&'static str, String)>>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Kind {
    #[default]
    Internal,
    Client,
    Server,
}

/// Kinds of work that have attributes of their own in OpenTelemetry.
#[derive(Debug, Clone, Copy)]
enum Work {
    Database,
    Http,
    Rpc,
    Messaging,
}

impl Naming {
    pub(crate) fn of(attributes: &Attributes<'_>) -> Self {
        let mut naming = Self::default();
        // Most spans have no such field: then no value needs to be looked at.
        if attributes.metadata().fields().iter().any(|field| tells(field.name())) {
            attributes.record(&mut naming);
        }
        naming
    }

    /// The kind of work: `sentry.op`, else what OpenTelemetry's attributes tell.
    pub(crate) fn take_op(&mut self) -> Cow<'static, str> {
        match self.op.take() {
            Some(op) => op,
            None => Cow::Borrowed(self.op_by_attributes()),
        }
    }

    fn op_by_attributes(&self) -> &'static str {
        match (self.work, self.kind) {
            (Some(Work::Database), _) => "db",
            (Some(Work::Http), Kind::Client) => "http.client",
            (Some(Work::Http), Kind::Server) => "http.server",
            (Some(Work::Http), Kind::Internal) => "http",
            (Some(Work::Rpc), _) => "rpc",
            (Some(Work::Messaging), _) => "message",
            (None, _) => DEFAULT_OP,
        }
    }

    /// `sentry.name`, else `otel.name`, else the name in the code.
    pub(crate) fn name<'a>(&'a self, metadata: &Metadata<'a>) -> &'a str {
        let given = self.sentry_name.as_deref().or(self.otel_name.as_deref());
        given.unwrap_or_else(|| metadata.name())
    }

    /// The same for a transaction, which may have a name of its own.
    pub(crate) fn transaction_name<'a>(&'a self, metadata: &Metadata<'a>) -> &'a str {
        self.transaction_name.as_deref().unwrap_or_else(|| self.name(metadata))
    }

    fn incoming(&mut self, name: &'static str, value: &str) {
        self.incoming.get_or_insert_default().push((name, value.to_owned()));
    }
}

impl Visit for Naming {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "sentry.op" if !value.is_empty() => self.op = Some(kept(value)),
            "sentry.name" if !value.is_empty() => self.sentry_name = Some(filtered_name(value)),
            "otel.name" if !value.is_empty() => self.otel_name = Some(filtered_name(value)),
            "sentry.transaction" => {
                self.transaction = true;
                self.transaction_name = (!value.is_empty()).then(|| filtered_name(value));
            }
            "sentry.trace" if !value.is_empty() => {
                self.transaction = true;
                self.incoming("sentry-trace", value);
            }
            "sentry.baggage" => self.incoming("baggage", value),
            "otel.kind" if value.eq_ignore_ascii_case("client") => self.kind = Kind::Client,
            "otel.kind" if value.eq_ignore_ascii_case("server") => self.kind = Kind::Server,
            "db.system" | "db.system.name" => {
                self.work = Some(Work::Database);
                self.dialect = Dialect::of_system(value);
            }
            "http.request.method" | "http.method" => self.work = Some(Work::Http),
            "rpc.system" | "rpc.service" => self.work = Some(Work::Rpc),
            "messaging.system" => self.work = Some(Work::Messaging),
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "sentry.transaction" {
            self.transaction = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Other values may be long, and are formatted once, when they are recorded.
        if tells(field.name()) {
            with_text(format_args!("{value:?}"), |text| self.record_str(field, text));
        }
    }
}

/// An op. Those of Sentry's conventions that spans are mostly given are literals, which need no copy.
fn kept(op: &str) -> Cow<'static, str> {
    macro_rules! literal {
        ($($known:literal),+ $(,)?) => {
            match op {
                $($known => Cow::Borrowed($known),)+
                other => Cow::Owned(other.to_owned()),
            }
        };
    }
    literal!(
        "cache.flush",
        "cache.get",
        "cache.put",
        "cache.remove",
        "db",
        "db.query",
        "db.redis",
        "db.sql.query",
        "default",
        "file.read",
        "file.write",
        "function",
        "grpc.client",
        "grpc.server",
        "http",
        "http.client",
        "http.server",
        "message",
        "middleware",
        "queue.process",
        "queue.publish",
        "queue.submit",
        "queue.task",
        "rpc",
        "serialize",
        "task",
        "template",
        "view.render",
    )
}

fn tells(name: &str) -> bool {
    TELLING.iter().any(|start| name.starts_with(start))
}
