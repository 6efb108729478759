//! Names of streamed spans, by op, from their attributes.
//!
//! A streamed span has a name of low cardinality: a route, a table, a queue, but never a URL, a key or a statement. Sentry's
//! conventions give templates for each op. [`TEMPLATES`] is the one table of them; adapters only set attributes.

use std::borrow::Cow;

/// The templates of some ops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameTemplates {
    /// The ops; one that ends with `.*` stands for all that begin with it.
    pub ops: &'static [&'static str],
    /// The `db.system.name` that the span must have.
    pub system: Option<&'static str>,
    /// Tried in order: the first one whose attributes the span has is the name. The last one has none.
    pub templates: &'static [&'static str],
}

const fn row(ops: &'static [&'static str], templates: &'static [&'static str]) -> NameTemplates {
    NameTemplates { ops, system: None, templates }
}

/// The table. The first row that fits an op counts.
///
/// The conventions have no templates for RPC, middleware, subprocesses and `websocket`; theirs are ours.
pub const TEMPLATES: &[NameTemplates] = &[
    row(
        &["http.server", "websocket", "websocket.server"],
        &[
            "{{http.request.method}} {{http.route}}",
            "{{http.request.method}} {{url.template}}",
            "{{http.request.method}}",
            "HTTP",
        ],
    ),
    row(
        &["http.client", "http.client.stream"],
        &[
            "{{http.request.method}} {{http.route}}",
            "{{http.request.method}} {{url.template}}",
            "{{http.request.method}} {{url.domain}}",
            "{{http.request.method}}",
            "HTTP",
        ],
    ),
    row(&["grpc", "grpc.*", "rpc", "rpc.*"], &["{{rpc.method}}", "{{rpc.system.name}}", "RPC"]),
    NameTemplates {
        ops: &["db", "db.query"],
        system: Some("redis"),
        templates: &[
            "{{db.operation.name}} {{db.stored_procedure.name}}",
            "{{db.operation.name}} {{server.address}}:{{server.port}}",
            "redis",
        ],
    },
    row(
        &["db", "db.query", "db.sql.*"],
        &[
            "{{db.query.summary}}",
            "{{db.operation.name}} {{db.collection.name}}",
            "{{db.operation.name}} {{db.stored_procedure.name}}",
            "{{db.operation.name}} {{db.namespace}}",
            "{{db.operation.name}} {{server.address}}:{{server.port}}",
            "{{db.collection.name}}",
            "{{db.stored_procedure.name}}",
            "{{db.namespace}}",
            "{{server.address}}:{{server.port}}",
            "{{db.system.name}}",
            "Database operation",
        ],
    ),
    row(&["cache.get"], &["cache.get"]),
    row(&["cache.put"], &["cache.put"]),
    row(&["cache.remove"], &["cache.remove"]),
    row(&["cache.flush"], &["cache.flush"]),
    row(
        &["queue", "queue.*", "topic.*"],
        &[
            "{{messaging.operation.type}} {{messaging.destination.name}}",
            "{{messaging.operation.type}} {{server.address}}:{{server.port}}",
            "{{messaging.operation.type}}",
            "Messaging",
        ],
    ),
    row(
        &["graphql", "graphql.*"],
        &["GraphQL {{graphql.operation.type}}", "GraphQL {{graphql.processing.type}}", "GraphQL Operation"],
    ),
    row(&["function"], &["{{code.function.name}}", "Function execution"]),
    row(
        &["function.aws", "function.gcp", "function.azure"],
        &["{{faas.name}}", "Serverless function execution"],
    ),
    row(&["middleware"], &["{{middleware.name}}", "<anonymous>"]),
    row(&["handler"], &["{{http.route}}", "Request handler"]),
    row(&["router"], &["{{router.navigation.route.id}}", "{{http.route}}", "{{url.template}}", "Router"]),
    row(&["subprocess"], &["{{process.executable.name}}", "subprocess"]),
    row(
        &["mcp.server"],
        &[
            "{{mcp.method.name}} {{gen_ai.tool.name}}",
            "{{mcp.method.name}} {{gen_ai.prompt.name}}",
            "{{mcp.method.name}}",
            "MCP server operation",
        ],
    ),
    row(
        &["mcp.notification.client_to_server", "mcp.notification.server_to_client"],
        &["{{mcp.method.name}}", "MCP notification"],
    ),
    row(
        &["gen_ai.invoke_agent", "gen_ai.create_agent", "gen_ai.handoff"],
        &[
            "{{gen_ai.operation.name}} {{gen_ai.agent.name}}",
            "{{gen_ai.operation.name}} {{gen_ai.pipeline.name}}",
            "{{gen_ai.operation.name}} {{gen_ai.function_id}}",
            "{{gen_ai.operation.name}}",
            "Generative AI agent operation",
        ],
    ),
    row(
        &["gen_ai.*"],
        &[
            "{{gen_ai.operation.name}} {{gen_ai.request.model}}",
            "{{gen_ai.operation.name}} {{gen_ai.tool.name}}",
            "{{gen_ai.operation.name}}",
            "Generative AI model operation",
        ],
    ),
];

/// Returns the name of a streamed span with this op, or `None` if the conventions have none: then the name that the code
/// gave stays.
///
/// `attribute` returns the span's attributes as text.
///
/// ```
/// use sentrace_protocol::span_name::span_name;
///
/// let attributes = [("http.request.method", "GET"), ("http.route", "/users/{id}")];
/// let find = |key: &str| attributes.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).into());
/// assert_eq!(span_name("http.server", find).as_deref(), Some("GET /users/{id}"));
/// assert_eq!(span_name("invoice.render", find), None);
/// ```
///
/// Sentry, *Span v2 Protocol*, names; `sentry-conventions` 0.33.
pub fn span_name<'a>(op: &str, attribute: impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<String> {
    let attribute = |key: &str| {
        let value = attribute(key).filter(|value| !value.is_empty())?;
        // It stands for methods that are not standardised, of which clients can send any number.
        (key != "http.request.method" || value != "_OTHER").then_some(value)
    };
    let row = TEMPLATES.iter().find(|row| {
        let fits = row.ops.iter().any(|candidate| is_op(op, candidate));
        fits && row.system.is_none_or(|system| attribute("db.system.name").is_some_and(|name| name == system))
    })?;
    row.templates.iter().find_map(|template| fill(template, &attribute))
}

fn is_op(op: &str, candidate: &str) -> bool {
    match candidate.strip_suffix('*') {
        Some(prefix) => op.starts_with(prefix),
        None => op == candidate,
    }
}

/// The template with its attributes, or `None` if one of them is missing.
fn fill<'a>(template: &str, attribute: &impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<String> {
    let mut name = String::new();
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once("{{") {
        let (key, behind) = behind.split_once("}}")?;
        name.push_str(text);
        name.push_str(&attribute(key)?);
        rest = behind;
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_templates() {
        type Attributes = &'static [(&'static str, &'static str)];
        // op, attributes, name, reason (numbers are those of the specification's vectors)
        let rows: &[(&str, Attributes, &str, &str)] = &[
            (
                "http.server",
                &[("http.request.method", "GET"), ("http.route", "/users/:id")],
                "GET /users/:id",
                "1",
            ),
            (
                "http.server",
                &[("http.request.method", "GET"), ("url.path", "/nf/123")],
                "GET",
                "2: no path in a name",
            ),
            ("http.server", &[], "HTTP", "6"),
            (
                "http.server",
                &[("http.request.method", "_OTHER"), ("http.route", "/a")],
                "HTTP",
                "6: any method",
            ),
            (
                "http.client",
                &[("http.request.method", "GET"), ("url.domain", "api.example.com")],
                "GET api.example.com",
                "12",
            ),
            (
                "http.client",
                &[("http.request.method", "POST"), ("url.domain", "h"), ("server.port", "8080")],
                "POST h",
                "13",
            ),
            ("http.client", &[("url.domain", "h")], "HTTP", "15"),
            ("http.client", &[("http.request.method", "GET")], "GET", "16"),
            ("http.client", &[("http.request.method", "_OTHER"), ("url.domain", "h")], "HTTP", "17"),
            (
                "http.client",
                &[("http.request.method", "GET"), ("url.template", "/users/{id}"), ("url.domain", "h")],
                "GET /users/{id}",
                "18",
            ),
            (
                "db.query",
                &[("db.query.summary", "SELECT users"), ("db.namespace", "shop")],
                "SELECT users",
                "22",
            ),
            ("db.query", &[("db.system.name", "postgresql")], "postgresql", "33"),
            (
                "db.query",
                &[
                    ("db.system.name", "redis"),
                    ("db.operation.name", "SET"),
                    ("server.address", "localhost"),
                    ("server.port", "6379"),
                ],
                "SET localhost:6379",
                "36",
            ),
            (
                "db.query",
                &[
                    ("db.system.name", "redis"),
                    ("db.operation.name", "GET"),
                    ("server.address", "/run/redis.sock"),
                    ("db.namespace", "1"),
                ],
                "redis",
                "37",
            ),
            (
                "db.query",
                &[
                    ("db.system.name", "redis"),
                    ("db.operation.name", "FCALL"),
                    ("db.stored_procedure.name", "myfn"),
                ],
                "FCALL myfn",
                "38",
            ),
            ("cache.get", &[("cache.key", "cache:1")], "cache.get", "40"),
            ("cache.put", &[], "cache.put", "41"),
            ("db", &[("db.operation.name", "find"), ("db.collection.name", "users")], "find users", "43"),
            (
                "db",
                &[("db.collection.name", ""), ("db.namespace", "shop")],
                "shop",
                "43: without an operation; nothing is empty",
            ),
            ("db", &[], "Database operation", "nothing is known"),
            (
                "queue.publish",
                &[("messaging.operation.type", "send"), ("messaging.destination.name", "my-topic")],
                "send my-topic",
                "44",
            ),
            (
                "queue.receive",
                &[("messaging.operation.type", "receive"), ("server.address", "h"), ("server.port", "1")],
                "receive h:1",
                "no destination",
            ),
            ("queue.publish", &[("messaging.operation.type", "send")], "send", "48"),
            ("queue.process", &[], "Messaging", "nothing is known"),
            ("graphql", &[("graphql.processing.type", "parse")], "GraphQL parse", "50"),
            (
                "graphql",
                &[("graphql.operation.type", "query"), ("graphql.processing.type", "execute")],
                "GraphQL query",
                "50",
            ),
            (
                "mcp.server",
                &[("mcp.method.name", "tools/call"), ("gen_ai.tool.name", "get-weather")],
                "tools/call get-weather",
                "51",
            ),
            (
                "mcp.server",
                &[("mcp.method.name", "resources/read"), ("mcp.resource.uri", "file:///a")],
                "resources/read",
                "52",
            ),
            ("mcp.server", &[], "MCP server operation", "53"),
            ("function", &[("code.function.name", "handleSubmit")], "handleSubmit", "54"),
            ("function", &[], "Function execution", "54"),
            ("function.gcp", &[], "Serverless function execution", "55"),
            ("handler", &[("http.route", "/users/:id")], "/users/:id", "56"),
            ("handler", &[], "Request handler", "56"),
            (
                "gen_ai.chat",
                &[("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "gpt-4")],
                "chat gpt-4",
                "57",
            ),
            ("gen_ai.chat", &[("gen_ai.operation.name", "chat")], "chat", "57"),
            (
                "gen_ai.invoke_agent",
                &[
                    ("gen_ai.operation.name", "invoke_agent"),
                    ("gen_ai.agent.name", "a"),
                    ("gen_ai.request.model", "m"),
                ],
                "invoke_agent a",
                "an agent before any model",
            ),
            ("grpc", &[("rpc.method", "pkg.Svc/M")], "pkg.Svc/M", "our choice"),
            ("subprocess", &[("process.executable.name", "convert")], "convert", "our choice"),
        ];
        for (op, attributes, expected, reason) in rows {
            let find = |key: &str| {
                attributes.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).into())
            };
            assert_eq!(span_name(op, find).as_deref(), Some(*expected), "{reason}: {op} {attributes:?}");
        }
        for op in ["", "invoice.render", "http", "http.server.x", "db.redis", "functional", "gen_ai"] {
            assert_eq!(
                span_name(op, |_| Some("x".into())),
                None,
                "no template for {op:?}: the given name stays"
            );
        }
    }

    #[test]
    fn the_last_template_of_each_row_needs_no_attribute() {
        for row in TEMPLATES {
            assert!(row.templates.last().is_some_and(|last| !last.contains("{{")), "{:?}", row.ops);
        }
    }
}
