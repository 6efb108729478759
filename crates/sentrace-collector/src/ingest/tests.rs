use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::Severity;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn headers() -> Value {
    json!({
        "event_id": "5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70",
        "sent_at": "2026-08-20T10:00:00.123Z",
        "sdk": { "name": "acme.rust", "version": "0.1.0" },
        "trace": {
            "trace_id": TRACE, "public_key": "k", "sample_rate": "0.25", "sample_rand": "0.104233", "sampled": "true",
        },
    })
}

fn payload() -> Value {
    json!({
        "type": "transaction", "event_id": "5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70", "platform": "rust",
        "transaction": "GET /orders/{id}", "transaction_info": { "source": "route" },
        "start_timestamp": 1_787_220_000.104_233, "timestamp": 1_787_220_000.148_907,
        "contexts": {
            "trace": {
                "trace_id": TRACE, "span_id": "b7ad6b7169203331", "op": "http.server", "status": "ok",
                "origin": "auto.http.tower",
            },
            "response": { "status_code": 200 },
        },
        "tags": { "plan": "gold" },
        "spans": [{
            "trace_id": TRACE, "span_id": "53995c3f42cd8ad8", "parent_span_id": "b7ad6b7169203331",
            "op": "http.client", "start_timestamp": 1_787_220_000.11, "timestamp": "2026-08-20T10:00:00.14Z",
            "status": "unavailable",
        }],
    })
}

fn envelope(headers: &Value, items: &[(&str, String)]) -> Vec<u8> {
    let items = items
        .iter()
        .map(|(kind, payload)| format!("{}\n{payload}\n", json!({ "type": kind, "length": payload.len() })));
    format!("{headers}\n{}", items.collect::<String>()).into_bytes()
}

fn look_at(body: &[u8]) -> Examined {
    let credentials = Credentials { header: Some("k".into()), ..Credentials::default() };
    examine(body, Some("1"), &credentials, 0.0)
}

/// Sets the value at a JSON pointer, or removes it when the new one is the text `REMOVE`.
fn set(json: &mut Value, pointer: &str, new: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = json.pointer_mut(parent).expect(pointer).as_object_mut().expect(pointer);
    if new == "REMOVE" {
        parent.remove(key).expect(pointer);
    } else {
        parent.insert(key.to_owned(), new);
    }
}

#[test]
fn what_follows_the_specification_has_no_problems() {
    let examined = look_at(&envelope(&headers(), &[("transaction", payload().to_string())]));
    assert_eq!(examined.problems, []);
    assert_eq!(examined.refusal, None);
    let transaction = examined.transaction.unwrap();
    assert_eq!(transaction.trace_id.to_string(), TRACE);
    assert_eq!(transaction.name, "GET /orders/{id}");
    assert_eq!(transaction.spans[0].end, 1_787_220_000.14);
    assert_eq!(transaction.tags["plan"], "gold");
    assert_eq!(transaction.payload, payload());
    assert_eq!(transaction.dsc.unwrap()["public_key"], "k");
}

#[test]
fn problems_of_a_transaction_are_named_and_only_what_sentry_drops_is_refused() {
    use Severity::{Error, Warning};
    let zero = "0".repeat(32);
    let upper = TRACE.to_uppercase();
    let dashed = "0af76519-16cd-43dd-8448-eb211c80319c";
    let table = [
        ("/contexts", json!("REMOVE"), Error, "contexts.trace", "no trace context"),
        ("/contexts/trace", json!([]), Error, "contexts.trace", "a trace context that is none"),
        ("/contexts/trace/trace_id", json!("REMOVE"), Error, "trace.trace_id", "no trace id"),
        ("/contexts/trace/trace_id", json!(zero), Error, "trace.trace_id", "an id of zeros"),
        ("/contexts/trace/trace_id", json!(upper), Warning, "trace.trace_id", "upper case"),
        ("/contexts/trace/trace_id", json!(dashed), Warning, "trace.trace_id", "dashes"),
        (
            "/contexts/trace/trace_id",
            json!("a".repeat(32)),
            Warning,
            "spans[0].trace_id",
            "a span of another trace",
        ),
        (
            "/contexts/trace/trace_id",
            json!("a".repeat(32)),
            Warning,
            "headers.trace.trace_id",
            "another trace's DSC",
        ),
        ("/contexts/trace/span_id", json!("b7ad"), Error, "trace.span_id", "a short span id"),
        ("/contexts/trace/span_id", json!(7), Error, "trace.span_id", "a number as id"),
        (
            "/contexts/trace/parent_span_id",
            json!("zz"),
            Warning,
            "trace.parent_span_id",
            "a bad parent is dropped",
        ),
        ("/contexts/trace/status", json!("weird"), Warning, "trace.status", "an unknown status"),
        ("/contexts/trace/status", json!(200), Warning, "trace.status", "a number as status"),
        ("/contexts/trace/origin", json!("magic.http"), Warning, "trace.origin", "an origin of no kind"),
        ("/type", json!("REMOVE"), Warning, "items[0].type", "no type, as the official Rust SDK sends it"),
        ("/type", json!(null), Warning, "items[0].type", "a type of null"),
        ("/type", json!("event"), Error, "items[0].type", "another type"),
        ("/event_id", json!("1".repeat(32)), Warning, "items[0].event_id", "another id than the envelope's"),
        ("/transaction", json!("REMOVE"), Warning, "items[0].transaction", "no name"),
        ("/transaction_info", json!("REMOVE"), Warning, "transaction_info.source", "no source"),
        (
            "/transaction_info/source",
            json!("unknown"),
            Warning,
            "transaction_info.source",
            "an unknown source",
        ),
        ("/platform", json!("REMOVE"), Warning, "items[0].platform", "no platform"),
        ("/start_timestamp", json!("REMOVE"), Error, "start_timestamp", "no start"),
        ("/start_timestamp", json!(1_787_220_009.0), Error, "start_timestamp", "a start after the end"),
        ("/timestamp", json!("yesterday"), Error, "timestamp", "a time that is none"),
        ("/timestamp", json!(1e300), Error, "timestamp", "a time beyond the year 9999"),
        ("/start_timestamp", json!(-1.0), Error, "start_timestamp", "a time before the epoch"),
        ("/tags", json!({ "k": "v".repeat(201) }), Warning, "tags[\"k\"]", "a long tag"),
        ("/tags", json!({ "k": {} }), Warning, "tags[\"k\"]", "an object as a tag"),
        ("/spans", json!({}), Warning, "items[0].spans", "spans that are no array"),
        ("/spans", json!([7]), Error, "spans[0]", "a span that is none"),
        ("/spans", json!([{}]), Error, "spans[0].span_id", "a span without anything"),
        (
            "/spans",
            json!(vec![payload()["spans"][0].clone(); 2]),
            Warning,
            "spans[1].span_id",
            "an id used twice",
        ),
        (
            "/spans",
            json!(vec![payload()["spans"][0].clone(); 1001]),
            Warning,
            "items[0].spans",
            "1,001 spans",
        ),
    ];
    for (pointer, new, severity, path, reason) in table {
        let mut payload = payload();
        set(&mut payload, pointer, new);
        let examined = look_at(&envelope(&headers(), &[("transaction", payload.to_string())]));
        let found = examined.problems.iter().any(|it| it.severity == severity && it.path.ends_with(path));
        assert!(found, "{reason}: {:?}", examined.problems);
        let status = examined.refusal.map(|refusal| refusal.status);
        assert_eq!(status, (severity == Error).then_some(400), "{reason}: {:?}", examined.problems);
    }
}

#[test]
fn problems_of_an_envelope_are_named() {
    use Severity::{Error, Warning};
    let table = [
        ("/sent_at", json!("REMOVE"), Warning, "headers.sent_at", "no time"),
        ("/sent_at", json!("soon"), Error, "headers.sent_at", "a time that is none"),
        (
            "/sent_at",
            json!("2026-08-20T12:00:00+02:00"),
            Warning,
            "headers.sent_at",
            "a time that is not UTC",
        ),
        ("/event_id", json!("REMOVE"), Warning, "headers.event_id", "no event id"),
        ("/event_id", json!("none"), Error, "headers.event_id", "an event id that is none"),
        ("/retry", json!(1), Warning, "headers", "a header that is none"),
        ("/trace", json!("x"), Warning, "headers.trace", "a DSC that is no object"),
        ("/trace/trace_id", json!("REMOVE"), Warning, "trace.trace_id", "a DSC without trace id"),
        ("/trace/public_key", json!("REMOVE"), Warning, "trace.public_key", "a DSC without key"),
        ("/trace/sample_rate", json!(0.25), Warning, "trace.sample_rate", "a number where text belongs"),
        ("/trace/sample_rate", json!("2"), Warning, "trace.sample_rate", "a rate above 1"),
        ("/trace/sample_rand", json!("1.0"), Warning, "trace.sample_rand", "a random number of 1"),
        ("/trace/sampled", json!("yes"), Warning, "trace.sampled", "a decision that is none"),
        ("/trace/sampled", json!("false"), Warning, "trace.sampled", "a decision against its own numbers"),
    ];
    for (pointer, new, severity, path, reason) in table {
        let mut headers = headers();
        set(&mut headers, pointer, new);
        let examined = look_at(&envelope(&headers, &[("transaction", payload().to_string())]));
        let found = examined.problems.iter().any(|it| it.severity == severity && it.path.ends_with(path));
        assert!(found, "{reason}: {:?}", examined.problems);
        let status = examined.refusal.map(|refusal| refusal.status);
        assert_eq!(status, (severity == Error).then_some(400), "{reason}");
    }
}

#[test]
fn envelopes_that_are_none_are_refused() {
    let transaction = || payload().to_string();
    let big = || format!("\"{}\"", "x".repeat(1024 * 1024));
    let report = || format!("\"{}\"", "x".repeat(4 * 1024));
    let double = r#"{"sent_at":"2026-08-20T10:00:00Z","sent_at":"2026-08-20T10:00:00Z"}"#;
    let table = [
        (b"".to_vec(), 400, "nothing"),
        (b"nonsense".to_vec(), 400, "no JSON"),
        (double.as_bytes().to_vec(), 400, "sent_at twice"),
        (envelope(&headers(), &[("transaction", "{".into())]), 400, "a broken payload"),
        (envelope(&headers(), &[("transaction", "[]".into())]), 400, "a payload that is no object"),
        (
            envelope(&headers(), &[("transaction", transaction()), ("transaction", transaction())]),
            400,
            "two of them",
        ),
        (
            envelope(&headers(), &[("transaction", transaction()), ("event", "{}".into())]),
            400,
            "two kinds of event",
        ),
        (envelope(&headers(), &[("transaction", big())]), 413, "a transaction above 1 MiB"),
        (envelope(&headers(), &[("client_report", report())]), 413, "a client report above 4 KiB"),
        (envelope(&json!({ "dsn": "http://other@h/1" }), &[]), 403, "contradicting keys"),
        (envelope(&json!({ "dsn": "http://k@h/2" }), &[]), 403, "another project"),
    ];
    for (body, status, reason) in table {
        let examined = look_at(&body);
        let refusal = examined.refusal.expect(reason);
        assert_eq!(refusal.status, status, "{reason}: {refusal:?}");
        assert!(!refusal.message.is_empty(), "{reason}");
    }
    let nobody = examine(&envelope(&headers(), &[]), Some("1"), &Credentials::default(), 0.0);
    assert_eq!(nobody.refusal.map(|refusal| refusal.status), Some(403));
}

#[test]
fn client_reports_are_read_and_unknown_words_are_pointed_out() {
    let report = json!({ "timestamp": "2026-08-20T10:00:30Z", "discarded_events": [
        { "reason": "sample_rate", "category": "transaction", "quantity": 4 },
        { "reason": "bad_luck", "category": "karma", "quantity": 1 },
    ]});
    let examined = look_at(&envelope(&json!({}), &[("client_report", report.to_string())]));
    assert_eq!(examined.refusal, None);
    assert_eq!(examined.discarded.len(), 2);
    assert_eq!(examined.discarded[0], Discarded::new("1", "sample_rate", "transaction", 4));
    let paths: Vec<_> = examined.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["items[0].discarded_events[1].reason", "items[0].discarded_events[1].category"]);
}

#[test]
fn items_of_other_kinds_are_counted_and_mixtures_pointed_out() {
    let table = [
        (vec!["event"], 0, "one event"),
        (vec!["session", "client_report"], 0, "what may ride along"),
        (vec!["event", "attachment"], 0, "an event with its attachment"),
        (vec!["log", "trace_metric"], 1, "two kinds of telemetry"),
        (vec!["span"], 0, "spans with the context of their trace"),
        (vec!["horoscope"], 1, "a kind that Sentry does not know"),
    ];
    for (kinds, problems, reason) in table {
        let items: Vec<_> = kinds.iter().map(|kind| (*kind, "{}".to_owned())).collect();
        let examined = look_at(&envelope(&headers(), &items));
        assert_eq!(examined.problems.len(), problems, "{reason}: {:?}", examined.problems);
        assert_eq!(examined.items.values().sum::<u64>(), kinds.len() as u64, "{reason}");
    }
}

/// Anything in JSON, often under names that mean something.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(Value::from(TRACE)),
        Just(Value::from("b7ad6b7169203331")),
    ];
    let key = prop_oneof![
        Just("trace"),
        Just("contexts"),
        Just("spans"),
        Just("tags"),
        Just("data"),
        Just("span_id"),
        Just("trace_id"),
        Just("parent_span_id"),
        Just("start_timestamp"),
        Just("timestamp"),
        Just("status"),
        Just("discarded_events"),
        Just("sent_at"),
        Just("dsn"),
        Just("event_id"),
        Just("transaction_info"),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((key.clone().prop_map(str::to_owned), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..2_000)) {
        look_at(&body);
    }

    #[test]
    fn a_damaged_envelope_never_panics(cut in 0_usize..1_500, at in 0_usize..1_500, byte: u8) {
        let mut body = envelope(&headers(), &[("transaction", payload().to_string())]);
        let place = at % body.len();
        body[place] = byte;
        body.truncate(cut.max(place));
        look_at(&body);
    }

    #[test]
    fn hostile_fields_never_panic_and_what_is_taken_can_be_shown(
        pointer in prop::sample::select(vec![
            "/contexts", "/contexts/trace", "/contexts/trace/trace_id", "/contexts/trace/data", "/spans", "/tags",
            "/timestamp", "/start_timestamp", "/request", "/transaction", "/transaction_info", "/contexts/response",
        ]),
        new in any_json(),
        head in any_json(),
    ) {
        let mut payload = payload();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        payload.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), new);
        let mut headers = headers();
        headers.as_object_mut().unwrap().insert("trace".to_owned(), head);
        let items = [("transaction", payload.to_string()), ("client_report", payload["spans"].to_string())];
        let examined = look_at(&envelope(&headers, &items[..1]));
        look_at(&envelope(&headers, &items));
        let header = json!({ "type": "span", "item_count": 1, "content_type": payload["type"] });
        let span = format!("{headers}\n{header}\n{}\n", json!({ "items": [payload], "version": payload["tags"] }));
        let streamed = look_at(span.as_bytes()).streamed;
        for transaction in examined.transaction.into_iter().chain(streamed) {
            let trace = crate::fixture::assembled(vec![*transaction]);
            crate::waterfall::render(&trace, crate::waterfall::Options::default());
            crate::page::trace(&trace, crate::fixture::remarks(&trace));
            let json = serde_json::to_string(&trace).unwrap();
            prop_assert_eq!(serde_json::from_str::<crate::model::Trace>(&json).unwrap(), trace);
        }
    }
}

#[test]
fn links_of_transactions_and_their_spans_are_read() {
    let mut payload = payload();
    let linked = |attributes: Value| {
        json!([{"trace_id": "11111111111111111111111111111111", "span_id": "53995c3f42cd8ad9", "sampled": false,
                "attributes": attributes}])
    };
    payload["contexts"]["trace"]["links"] = linked(json!({"sentry.link.type": "previous_trace"}));
    payload["spans"][0]["links"] = linked(json!({"sentry.link.type": {"type": "string", "value": "x"}}));
    let examined = look_at(&envelope(&headers(), &[("transaction", payload.to_string())]));
    let problems: Vec<_> = examined.problems.iter().map(|problem| &*problem.message).collect();
    assert!(problems.len() == 1 && problems[0].contains("plain values"), "{problems:?}");
    let transaction = examined.transaction.unwrap();
    assert_eq!(transaction.links[0].link_type(), Some("previous_trace"));
    assert_eq!(transaction.links[0].sampled, Some(false));
    assert_eq!(transaction.spans[0].links[0].link_type(), None, "its type is no text");
}
