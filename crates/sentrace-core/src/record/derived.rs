//! Attributes of spans that follow from others. They are added on the worker.

use sentrace_protocol::sql::{self, Dialect};
use sentrace_protocol::url::UrlRef;
use sentrace_protocol::{Data, Value};

use super::span_name::Attributes;

/// Adds what the other attributes of an adapter's span say, where it is not there.
pub(super) fn add_derived(op: &str, data: &mut Data<'_>) {
    if data.get("sentry.kind").is_none() {
        data.set("sentry.kind", kind(op));
    }
    if op == "http.client" {
        add_url(data);
    }
    add_query(data);
}

/// An attribute of a span that starts, which may follow from the others.
pub(crate) fn derived_attribute<'a>(key: &str, attributes: &'a dyn Attributes) -> Option<Value<'a>> {
    attributes.attribute(key).or_else(|| {
        let of_statement: fn(&str) -> String = match key {
            "db.query.summary" => sql::summary,
            "db.operation.name" => |statement| sql::operation(statement).unwrap_or_default().to_owned(),
            _ => return None,
        };
        match attributes.attribute("db.query.text")? {
            Value::Str(statement) => Some(of_statement(&statement).into()),
            _ => None,
        }
    })
}

/// Which side of a call the span is (`sentry.kind`, OpenTelemetry's span kinds).
fn kind(op: &str) -> &'static str {
    match op {
        "http.server" | "grpc.server" | "websocket.server" => "server",
        "http.client" | "grpc.client" => "client",
        "queue.publish" => "producer",
        "queue.process" | "queue.receive" => "consumer",
        op if op == "db" || op.starts_with("db.") || op.starts_with("cache.") => "client",
        _ => "internal",
    }
}

fn add_url(data: &mut Data<'_>) {
    let Some(Value::Str(url)) = data.get("url.full") else { return };
    let url = UrlRef::parse(url);
    let parts = [("url.scheme", url.scheme()), ("url.domain", url.host().unwrap_or_default())];
    for (key, part) in parts.map(|(key, part)| (key, part.to_owned())) {
        if !part.is_empty() && data.get(key).is_none() {
            data.set(key, part);
        }
    }
}

fn add_query(data: &mut Data<'_>) {
    let Some(Value::Str(text)) = data.get("db.query.text") else { return };
    let dialect = match data.get("db.system.name") {
        Some(Value::Str(system)) => Dialect::of_system(system),
        _ => Dialect::Unknown,
    };
    if dialect == Dialect::NotSql {
        return;
    }
    let statement = sql::parameterise(text, dialect);
    let (summary, operation) = (sql::summary(&statement), sql::operation(&statement).map(str::to_owned));
    for (key, value) in [("db.query.summary", summary), ("db.operation.name", operation.unwrap_or_default())]
    {
        if !value.is_empty() && data.get(key).is_none() {
            data.set(key, value);
        }
    }
}
