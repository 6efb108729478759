//! Requests that are served.

use axum::body::Body;
use sentrace::protocol::Value;
use sentrace::testing::Capture;
use sentrace::{DataCollection, Options, SentryTracingLayer, TrustedProxies};

use super::recorded::{expect, name_in_context, request, segment, serve, served, stream, streaming, text};
use super::{Row, open, row};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "53995c3f42cd8ad8";

fn get(uri: &str) -> http::Request<Body> {
    request("GET", uri).header("host", "shop.test").body(Body::empty()).unwrap()
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(1, "a route, and a secret in the query", || {
            let served = served(Some("/users/{id}"), get("/users/123?token=a&x=1"), 200);
            let expected = [
                ("name", "GET /users/{id}"),
                ("sentry.op", "http.server"),
                ("sentry.segment.name.source", "route"),
                ("sentry.kind", "server"),
                ("http.route", "/users/{id}"),
                ("url.path", "/users/123"),
                ("url.query", "token=[Filtered]&x=1"),
                ("url.full", "http://shop.test/users/123?token=[Filtered]&x=1"),
                ("network.protocol.name", "http"),
                ("network.protocol.version", "1.1"),
                ("sentry.status.message", ""),
            ];
            expect(&served, &expected);
            assert_eq!(name_in_context(&served), Some("GET /users/{id}"));
        }),
        row(2, "no route, not found", || {
            let served = served(None, get("/nf/123"), 404);
            let expected = [
                ("name", "GET"),
                ("sentry.segment.name.source", "url"),
                ("url.path", "/nf/123"),
                ("sentry.status.message", "not_found"),
            ];
            expect(&served, &expected);
            assert_eq!(name_in_context(&served), None);
        }),
        row(3, "`/` without a route, as Node.js has it", || {
            expect(&served(None, get("/"), 200), &[("name", "GET"), ("sentry.segment.name.source", "url")]);
        }),
        row(
            4,
            "`/` is no route: Node.js (row 3) is followed, and not Bun, Deno and Cloudflare, because a router \
                knows what a route is",
            || {
                expect(
                    &served(None, get("/"), 200),
                    &[("name", "GET"), ("sentry.segment.name.source", "url")],
                );
                expect(
                    &served(None, get("/a/1"), 200),
                    &[("name", "GET"), ("sentry.segment.name.source", "url")],
                );
                expect(&served(Some("/"), get("/"), 200), &[("name", "GET /")]);
            },
        ),
        row(5, "the body's size", || {
            let post = request("POST", "/p").header("content-length", "3").body(Body::from("abc")).unwrap();
            let served = served(None, post, 200);
            assert_eq!(served.span.name, "POST");
            assert_eq!(served.span.attributes.get("http.request.body.size"), Some(&Value::Int(3)));
        }),
        row(6, "any method can be sent", || {
            let brew = request("BREW", "/users/1").body(Body::empty()).unwrap();
            let expected = [
                ("name", "HTTP"),
                ("http.request.method", "_OTHER"),
                ("http.request.method_original", "BREW"),
            ];
            expect(&served(None, brew, 200), &expected);
        }),
        row(
            7,
            "HEAD and OPTIONS if the layer is asked to leave them out; static files are a matter of `filter`",
            || {
                for method in ["HEAD", "OPTIONS"] {
                    let (client, capture) = streaming();
                    let layer = SentryTracingLayer::new()
                        .client(client)
                        .trace_head_requests(false)
                        .trace_options_requests(false)
                        .filter(|head| !head.uri().path().ends_with(".css"));
                    let asked = request(method, "/a").body(Body::empty()).unwrap();
                    serve(layer.clone(), None, asked, 200);
                    serve(layer, None, get("/a.css"), 200);
                    assert_eq!(capture.take_spans().len(), 0, "{method}");
                }
            },
        ),
        row(8, "another organisation begins a trace", || {
            let (client, capture) = Capture::client(stream().org_id("1")).unwrap();
            let asked = request("GET", "/")
                .header("sentry-trace", format!("{TRACE}-{PARENT}-1"))
                .header("baggage", "sentry-org_id=2")
                .body(Body::empty())
                .unwrap();
            serve(SentryTracingLayer::new().client(client), None, asked, 200);
            let served = segment(capture.take_spans());
            assert_eq!(served.span.parent_span_id, None);
            assert_ne!(served.span.trace_id.to_string(), TRACE);
        }),
        row(9, "a caller without baggage", || {
            let asked = request("GET", "/").header("sentry-trace", format!("{TRACE}-{PARENT}-1"));
            let served = served(None, asked.body(Body::empty()).unwrap(), 200);
            assert_eq!(served.span.parent_span_id.map(|id| id.to_string()).as_deref(), Some(PARENT));
            assert!(served.span.is_segment && served.span.name == "GET");
        }),
        row(10, "the client behind proxies that are trusted; the peer's address is not recorded", || {
            let (client, capture) = streaming();
            let layer = SentryTracingLayer::new()
                .client(client)
                .trusted_proxies(TrustedProxies::new(["1.1.1.1/32"]).unwrap().peer_is_proxy())
                .data_collection(DataCollection::new().user_info(true));
            let asked = request("GET", "/").header("x-forwarded-for", "9.9.9.9, 1.1.1.1");
            serve(layer, None, asked.body(Body::empty()).unwrap(), 200);
            let served = segment(capture.take_spans());
            expect(&served, &[("client.address", "9.9.9.9"), ("client.port", "")]);
        }),
        row(11, "static mode keeps the path", || {
            let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
            serve(SentryTracingLayer::new().client(client), None, get("/users/123"), 200);
            let captured = capture.take().remove(0).transaction;
            assert_eq!((&*captured.name, captured.source.as_str()), ("GET /users/123", "url"));
        }),
        row(58, "header fields are arrays, without secrets", || {
            let asked = request("GET", "/")
                .header("accept", "application/json")
                .header("authorization", "Bearer a")
                .header("x-api-key", "a")
                .header("x-multi", "a")
                .header("x-multi", "b");
            let served = served(None, asked.body(Body::empty()).unwrap(), 200);
            let rows = [
                ("accept", vec!["application/json"]),
                ("authorization", vec!["[Filtered]"]),
                ("x-api-key", vec!["[Filtered]"]),
                ("x-multi", vec!["a", "b"]),
            ];
            for (name, expected) in rows {
                let key = format!("http.request.header.{name}");
                assert_eq!(served.span.attributes.get(&key), Some(&Value::from(expected)), "{name}");
            }
        }),
        open(59, "cookies by name", "item 5: data collection of cookies"),
        open(60, "cookies that are set", "item 5: data collection of cookies"),
        open(61, "cookies without names", "item 5: data collection of cookies"),
        open(62, "cookies or headers switched off", "item 5: data collection of cookies"),
        open(63, "headers that are allowed", "item 5: data collection"),
        row(67, "statuses of HTTP", || {
            for (status, message) in [
                (200, ""),
                (304, ""),
                (400, "invalid_argument"),
                (404, "not_found"),
                (503, "unavailable"),
                (600, "internal_error"),
            ] {
                let served = served(None, get("/"), status);
                assert_eq!(served.span.status.is_error(), !message.is_empty(), "{status}");
                assert_eq!(text(&served, "sentry.status.message"), message, "{status}");
            }
        }),
        row(
            68,
            "a client that is gone: an error named `cancelled`. JavaScript says `ok` and Python has no such \
                 status; the specification is silent, and an error keeps what happened",
            || {
                let served = served(None, get("/"), 499);
                expect(&served, &[("sentry.status.message", "cancelled")]);
            },
        ),
        row(82, "no framework: JavaScript is followed, whose names have no URL", || {
            let served = served(None, get("/users/123?token=a&x=1"), 404);
            let expected = [
                ("name", "GET"),
                ("sentry.segment.name.source", "url"),
                ("url.query", "token=[Filtered]&x=1"),
                ("http.query", ""),
            ];
            expect(&served, &expected);
        }),
        row(
            83,
            "header attributes are arrays, as the specification and JavaScript have them, and not texts as in Python",
            || {
                let served = served(None, get("/"), 200);
                let host = served.span.attributes.get("http.request.header.host");
                assert_eq!(host, Some(&Value::from(vec!["shop.test"])));
            },
        ),
        row(
            84,
            "a caller without baggage: the envelope says trace and key alone, because the context is frozen \
                 (JavaScript sends none, which the specification forbids; Python makes one up)",
            || {
                let options = stream().dsn("https://abc@o1.ingest.example.com/1").release("shop@1");
                let (client, capture) = Capture::client(options).unwrap();
                let asked = request("GET", "/").header("sentry-trace", format!("{TRACE}-{PARENT}-1"));
                serve(
                    SentryTracingLayer::new().client(client),
                    None,
                    asked.body(Body::empty()).unwrap(),
                    200,
                );
                let context = segment(capture.take_spans()).dynamic_sampling_context.unwrap();
                assert_eq!((context.get("trace_id"), context.get("public_key")), (Some(TRACE), Some("abc")));
                assert_eq!((context.get("release"), context.get("sample_rand")), (None, None));
            },
        ),
    ]
}
