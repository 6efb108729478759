//! Calls over HTTP.

use sentrace::Origin;
use sentrace::adapter::OutgoingRequest;

use super::recorded::{called, called_statically, expect, instrumented};
use super::{Row, not_applicable, row};

const CALL: OutgoingRequest<'_> = OutgoingRequest {
    method: "GET",
    scheme: "https",
    host: "api.example.com",
    port: None,
    path: "/users/123",
    query: Some("a=1"),
    has_credentials: false,
};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(12, "the domain, and the URL in its attributes", || {
            let expected = [
                ("name", "GET api.example.com"),
                ("sentry.op", "http.client"),
                ("sentry.kind", "client"),
                ("url.domain", "api.example.com"),
                ("url.path", "/users/123"),
                ("url.query", "a=1"),
                ("url.full", "https://api.example.com/users/123?a=1"),
                ("url.scheme", "https"),
            ];
            expect(&called(&CALL, &[]), &expected);
        }),
        row(13, "a port is in no name", || {
            let call =
                OutgoingRequest { method: "POST", scheme: "http", host: "h", port: Some(8080), ..CALL };
            expect(&called(&call, &[]), &[("name", "POST h"), ("server.port", "8080")]);
        }),
        row(
            14,
            "`get` is another method than `GET` (RFC 9110), which libraries of Rust send as it is; JavaScript \
                 follows the Fetch standard, which sends it in upper case",
            || {
                let expected = [
                    ("name", "HTTP"),
                    ("http.request.method", "_OTHER"),
                    ("http.request.method_original", "get"),
                ];
                expect(&called(&OutgoingRequest { method: "get", ..CALL }, &[]), &expected);
            },
        ),
        row(15, "no method", || {
            expect(&instrumented("http.client", &[("url.domain", "h")]), &[("name", "HTTP")]);
        }),
        row(16, "a relative URL", || {
            let call = OutgoingRequest { scheme: "", host: "", ..CALL };
            expect(&called(&call, &[]), &[("name", "GET"), ("url.domain", "")]);
        }),
        row(17, "a method that is not standardised", || {
            let expected = [
                ("name", "HTTP"),
                ("http.request.method", "_OTHER"),
                ("http.request.method_original", "FOO"),
            ];
            expect(&called(&OutgoingRequest { method: "FOO", ..CALL }, &[]), &expected);
        }),
        row(18, "code knows the template", || {
            expect(&called(&CALL, &[("url.template", "/users/{id}")]), &[("name", "GET /users/{id}")]);
        }),
        row(19, "static mode keeps the URL", || {
            let captured = called_statically(&CALL);
            captured.expect_span("GET https://api.example.com/users/123");
        }),
        row(20, "credentials are filtered; the name is JavaScript's, without a URL", || {
            let call =
                OutgoingRequest { host: "h", path: "/x", query: Some("q=1"), has_credentials: true, ..CALL };
            let expected = [("name", "GET h"), ("url.full", "https://[Filtered]:[Filtered]@h/x?q=1")];
            expect(&called(&call, &[]), &expected);
        }),
        row(64, "values of parameters whose decoded names are sensitive", || {
            let call = OutgoingRequest {
                scheme: "http",
                host: "h",
                path: "/p",
                query: Some("A%5BKey%5D=1&b"),
                ..CALL
            };
            expect(&called(&call, &[]), &[("url.full", "http://h/p?A%5BKey%5D=[Filtered]&b")]);
        }),
        not_applicable(65, "a fragment in the URL", "requests of the `http` crate and of reqwest have none"),
        row(
            69,
            "targets ignore case, as in JavaScript; the specification is silent, and Python minds it",
            || {
                assert!(Origin::contains("myApi.com").matches("https://myapi.com/x"));
                assert!(Origin::regex("/path").unwrap().matches("http://h/Path"));
                let (client, _) = sentrace::testing::Capture::client(
                    sentrace::Options::new().tracing_origins(Vec::<Origin>::new()),
                )
                .unwrap();
                assert!(!client.propagation_targets().allows("http://h/"), "an empty list allows nothing");
            },
        ),
    ]
}
