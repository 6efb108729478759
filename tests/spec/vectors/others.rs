//! Kinds of work that no adapter of ours records: their attributes are set by hand.

use sentrace::protocol::Value;

use super::recorded::{expect, instrumented, streaming};
use super::{Row, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(50, "GraphQL", || {
            for (attributes, name) in [
                ([("graphql.processing.type", "parse"), ("graphql.operation.name", "")], "GraphQL parse"),
                (
                    [("graphql.operation.type", "query"), ("graphql.operation.name", "GetUser")],
                    "GraphQL query",
                ),
                ([("graphql.processing.type", "resolve"), ("graphql.operation.name", "")], "GraphQL resolve"),
            ] {
                expect(&instrumented("graphql", &attributes), &[("name", name)]);
            }
        }),
        row(51, "a tool of MCP", || {
            let call = [("mcp.method.name", "tools/call"), ("gen_ai.tool.name", "get-weather")];
            expect(&instrumented("mcp.server", &call), &[("name", "tools/call get-weather")]);
        }),
        row(52, "a resource of MCP", || {
            let read = [("mcp.method.name", "resources/read"), ("mcp.resource.uri", "file:///docs/api.md")];
            expect(&instrumented("mcp.server", &read), &[("name", "resources/read")]);
        }),
        row(53, "MCP without more", || {
            expect(
                &instrumented("mcp.server", &[("mcp.method.name", "initialize")]),
                &[("name", "initialize")],
            );
            expect(&instrumented("mcp.server", &[]), &[("name", "MCP server operation")]);
        }),
        row(54, "a function", || {
            let named = instrumented("function", &[("code.function.name", "handleSubmit")]);
            expect(&named, &[("name", "handleSubmit")]);
            expect(&instrumented("function", &[]), &[("name", "Function execution")]);
        }),
        row(55, "a serverless function", || {
            let function = instrumented("function.gcp", &[("faas.trigger", "http")]);
            expect(&function, &[("name", "Serverless function execution")]);
        }),
        row(56, "a handler", || {
            expect(&instrumented("handler", &[("http.route", "/users/:id")]), &[("name", "/users/:id")]);
            expect(&instrumented("handler", &[]), &[("name", "Request handler")]);
        }),
        row(57, "a model", || {
            let chat = ("gen_ai.operation.name", "chat");
            let of_model = instrumented("gen_ai.chat", &[chat, ("gen_ai.request.model", "gpt-4")]);
            expect(&of_model, &[("name", "chat gpt-4")]);
            expect(&instrumented("gen_ai.chat", &[chat]), &[("name", "chat")]);
        }),
        row(
            66,
            "types: a number of JavaScript has none, so 3.0 is an integer there; ours have the types that code \
                 gives them, as in Python. Objects and null cannot be set",
            || {
                let (client, capture) = streaming();
                let transaction = client.start_transaction("work", "task");
                transaction.set_data("integer", 3);
                transaction.set_data("float", 3.0);
                transaction.set_data("double", 1.5);
                transaction.set_data("nothing", None::<i64>);
                transaction.set_data("array", Vec::<String>::new());
                transaction.set_data("nan", f64::NAN);
                transaction.finish();
                let captured = capture.take_spans().remove(0);
                let attributes = &captured.span.attributes;
                assert_eq!(attributes.get("integer"), Some(&Value::Int(3)));
                assert_eq!(attributes.get("float"), Some(&Value::Float(3.0)));
                assert_eq!(attributes.get("double"), Some(&Value::Float(1.5)));
                assert_eq!(attributes.get("nothing"), None);
                assert_eq!(attributes.get("array"), Some(&Value::Strs(Vec::new())));
                let sent = serde_json::to_value(&captured.span).unwrap();
                assert_eq!(sent["attributes"]["double"], serde_json::json!({"type": "double", "value": 1.5}));
                assert!(sent["attributes"]["nan"].is_null(), "it is not sent: {}", sent["attributes"]["nan"]);
            },
        ),
    ]
}
