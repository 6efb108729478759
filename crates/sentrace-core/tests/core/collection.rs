//! What of headers, cookies and content is recorded, by the vectors of Sentry's SDKs (numbers in the reasons).

use sentrace_core::adapter::RequestParts;
use sentrace_core::{
    Collect, ContentCollection, DataCollection, Options, TraceLifecycle, TransactionOptions,
};
use sentrace_protocol::{Data, Value};

use crate::support::recording_with;

type Fields = &'static [(&'static str, &'static str)];

struct Asked(Fields);

impl RequestParts for Asked {
    fn method(&self) -> &str {
        "GET"
    }
    fn scheme(&self) -> &str {
        "http"
    }
    fn host(&self) -> &str {
        "h"
    }
    fn path(&self) -> &str {
        "/p"
    }
    fn query(&self) -> Option<&str> {
        None
    }
    fn route(&self) -> Option<&str> {
        None
    }
    fn protocol_version(&self) -> &'static str {
        "1.1"
    }
    fn for_each_header(&self, each: &mut dyn FnMut(&str, &[u8])) {
        self.0.iter().for_each(|(name, value)| each(name, value.as_bytes()));
    }
}

/// The attributes of a request's transaction with these header fields, and with those of its response.
fn recorded(
    lifecycle: TraceLifecycle,
    collection: &DataCollection,
    asked: Fields,
    answered: Fields,
) -> Data<'static> {
    let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle);
    let (client, capture) = recording_with(options);
    let asked = Asked(asked);
    let options = TransactionOptions::new("GET", "http.server").request(&asked).data_collection(collection);
    let transaction = client.start_transaction_with(&options);
    transaction.record_response_headers(collection, |each| {
        answered.iter().for_each(|(name, value)| each(name, value.as_bytes()));
    });
    transaction.finish();
    match lifecycle {
        TraceLifecycle::Stream => capture.take_spans().remove(0).span.attributes,
        _ => capture.take().remove(0).transaction.trace.data,
    }
}

/// Header attributes without the prefix, in order.
fn headers(data: &Data<'static>, prefix: &str) -> Vec<(String, Vec<String>)> {
    let of = |(key, value): (&str, &Value<'_>)| {
        let Value::Strs(values) = value else { return None };
        Some((key.strip_prefix(prefix)?.to_owned(), values.iter().map(ToString::to_string).collect()))
    };
    data.iter().filter_map(of).collect()
}

#[test]
fn header_fields_and_cookies_are_recorded_by_their_rules() {
    const BOTH: Fields = &[("accept", "a/b"), ("cookie", "theme=dark; connect.sid=1")];
    const FILTERED: &str = "[Filtered]";
    type Row = (DataCollection, Fields, &'static [(&'static str, &'static [&'static str])], &'static str);
    let new = DataCollection::new;
    let with_cookies = || new().cookies(Collect::deny_list());
    let rows: [Row; 10] = [
        (
            new(),
            &[
                ("accept", "application/json"),
                ("authorization", "Bearer x"),
                ("x-api-key", "k"),
                ("x-multi", "a"),
                ("x-multi", "b"),
            ],
            &[
                ("accept", &["application/json"]),
                ("authorization", &[FILTERED]),
                ("x-api-key", &[FILTERED]),
                ("x-multi", &["a", "b"]),
            ],
            "vector 58: arrays, with secrets by the denylist",
        ),
        (
            with_cookies(),
            &[("cookie", "user_session=abc; theme = dark; connect.sid=1; lonely; jwt=a=b; =; x=1")],
            &[(
                "cookie",
                &[
                    "user_session=[Filtered]",
                    "theme=dark",
                    "connect.sid=[Filtered]",
                    FILTERED,
                    "jwt=[Filtered]",
                    "x=1",
                ],
            )],
            "vector 59",
        ),
        (with_cookies(), &[("cookie", " ; = ; ")], &[("cookie", &[FILTERED])], "vector 61"),
        (new().cookies(Collect::Off), BOTH, &[("accept", &["a/b"])], "vector 62: no cookies"),
        (
            with_cookies().request_headers(Collect::Off),
            BOTH,
            &[("cookie", &["theme=dark", "connect.sid=[Filtered]"])],
            "vector 62: cookies alone",
        ),
        (new().request_headers(Collect::Off), BOTH, &[], "vector 62: neither"),
        (
            new().request_headers(Collect::allow(["request-id", "token"])),
            &[("accept", "a"), ("x-request-id", "7"), ("x-token", "t")],
            &[("accept", &[FILTERED]), ("x-request-id", &["7"]), ("x-token", &[FILTERED])],
            "vector 63: an allowed key shows its value unless the denylist has it",
        ),
        (
            new(),
            BOTH,
            &[("accept", &["a/b"]), ("cookie", &[FILTERED])],
            "a cookie is a secret unless asked for",
        ),
        (
            new().cookies(Collect::allow(["theme"])),
            &[("cookie", "theme=dark; lang=de")],
            &[("cookie", &["theme=dark", "lang=[Filtered]"])],
            "cookies have terms of their own",
        ),
        (
            new().cookies(Collect::deny(["cart"])),
            &[("cookie", "cart=7; lang=de"), ("cookie", "a=b")],
            &[("cookie", &["cart=[Filtered]", "lang=de", "a=b"])],
            "several fields",
        ),
    ];
    for (collection, asked, expected, reason) in rows {
        let data = recorded(TraceLifecycle::Stream, &collection, asked, &[]);
        let owned = |(name, values): &(&str, &[&str])| {
            ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        let expected: Vec<_> = expected.iter().map(owned).collect();
        assert_eq!(headers(&data, "http.request.header."), expected, "{reason}");
        assert_eq!(headers(&data, "http.response.header."), [], "{reason}: nothing of the response");
    }
}

#[test]
fn response_headers_are_recorded_if_asked_for() {
    const ANSWERED: Fields = &[
        ("content-type", "text/html"),
        ("set-cookie", "theme=light; Path=/; HttpOnly"),
        ("set-cookie", "__Host-a=1; Secure"),
        ("x-api-key", "k"),
    ];
    let rows = [
        (DataCollection::new(), vec![], "off by default"),
        (
            DataCollection::new().cookies(Collect::deny_list()),
            vec![("set-cookie", vec!["theme=light", "__Host-a=[Filtered]"])],
            "vector 60: cookies alone",
        ),
        (
            DataCollection::new().response_headers(Collect::deny_list()),
            vec![
                ("content-type", vec!["text/html"]),
                ("set-cookie", vec!["[Filtered]", "[Filtered]"]),
                ("x-api-key", vec!["[Filtered]"]),
            ],
            "by the denylist",
        ),
        (
            DataCollection::new().response_headers(Collect::deny_list()).cookies(Collect::Off),
            vec![("content-type", vec!["text/html"]), ("x-api-key", vec!["[Filtered]"])],
            "without cookies",
        ),
    ];
    for (collection, expected, reason) in rows {
        for lifecycle in [TraceLifecycle::Stream, TraceLifecycle::Static] {
            let data = recorded(lifecycle, &collection, &[], ANSWERED);
            let owned = |(name, values): &(&str, Vec<&str>)| {
                ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
            };
            let expected: Vec<_> = expected.iter().map(owned).collect();
            assert_eq!(headers(&data, "http.response.header."), expected, "{lifecycle:?}: {reason}");
        }
    }
}

#[test]
fn content_of_a_category_that_is_off_is_not_sent() {
    for lifecycle in [TraceLifecycle::Stream, TraceLifecycle::Static] {
        for (off, reason) in [(false, "all by default"), (true, "off")] {
            let mut options = Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle);
            if off {
                options = options.content_collection(ContentCollection::new().database_query_data(false));
            }
            let (client, capture) = recording_with(options);
            let transaction = client.start_transaction("work", "task");
            let span = transaction.start_span("db.query", "SELECT 1");
            span.set_data("db.query.parameter.0", "ada");
            span.set_data("db.query.text", "SELECT ?");
            span.finish();
            transaction.finish();
            let data = match lifecycle {
                TraceLifecycle::Stream => capture.take_spans().remove(0).span.attributes,
                _ => capture.take().remove(0).transaction.spans.remove(0).data,
            };
            assert_eq!(data.get("db.query.parameter.0").is_none(), off, "{lifecycle:?}: {reason}");
            assert!(data.get("db.query.text").is_some(), "{lifecycle:?}: {reason}");
        }
    }
}
