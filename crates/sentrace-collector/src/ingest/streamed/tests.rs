use serde_json::json;

use crate::ingest::{Credentials, Examined, examine};
use crate::model::Severity::{self, Error, Warning};
use crate::model::Transaction;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CONTENT_TYPE: &str = super::CONTENT_TYPE;

/// The specification's example, a segment and a span below it, with a few attributes more.
fn payload() -> serde_json::Value {
    json!({"version": 2, "items": [
        {"trace_id": TRACE, "span_id": "b7ad6b7169203331", "parent_span_id": "00f067aa0ba902b7",
         "name": "GET /orders/{id}", "status": "ok", "is_segment": true,
         "start_timestamp": 1_787_220_000.104_233, "end_timestamp": 1_787_220_000.148_907,
         "attributes": {
            "sentry.segment.name": {"type": "string", "value": "GET /orders/{id}"},
            "sentry.segment.id": {"type": "string", "value": "b7ad6b7169203331"},
            "sentry.segment.name.source": {"type": "string", "value": "route"},
            "sentry.trace_lifecycle": {"type": "string", "value": "stream"},
            "sentry.op": {"type": "string", "value": "http.server"},
            "sentry.origin": {"type": "string", "value": "auto.http.tower"},
            "sentry.release": {"type": "string", "value": "shop@1.4.0"},
            "sampled_share": {"type": "double", "value": 1, "unit": "ratio"},
            "http.response.status_code": {"type": "integer", "value": 200},
            "http.request.header.accept": {"type": "array", "value": ["application/json"]}}},
        {"trace_id": TRACE, "span_id": "53995c3f42cd8ad8", "parent_span_id": "b7ad6b7169203331",
         "name": "GET inventory.internal", "status": "error", "is_segment": false,
         "start_timestamp": 1_787_220_000.110_001, "end_timestamp": 1_787_220_000.140_555,
         "attributes": {
            "sentry.segment.name": {"type": "string", "value": "GET /orders/{id}"},
            "sentry.segment.id": {"type": "string", "value": "b7ad6b7169203331"},
            "sentry.trace_lifecycle": {"type": "string", "value": "stream"},
            "sentry.status.message": {"type": "string", "value": "unavailable"},
            "sentry.op": {"type": "string", "value": "http.client"}}}]})
}

fn header() -> serde_json::Value {
    json!({"type": "span", "item_count": 2, "content_type": CONTENT_TYPE})
}

fn look_at(header: &serde_json::Value, payload: &serde_json::Value) -> Examined {
    let headers = json!({
        "sent_at": "2026-08-20T10:00:00.123Z", "sdk": {"name": "acme.node", "version": "11.0.0"},
        "trace": {"trace_id": TRACE, "public_key": "k", "sample_rate": "1", "sample_rand": "0.5", "sampled": "true"},
    });
    let body = format!("{headers}\n{header}\n{payload}\n");
    let credentials = Credentials { header: Some("k".into()), ..Credentials::default() };
    examine(body.as_bytes(), Some("1"), &credentials, 0.0)
}

fn only(examined: Examined) -> Transaction {
    let mut streamed = examined.streamed;
    assert_eq!(streamed.len(), 1, "one transaction");
    *streamed.remove(0)
}

#[test]
fn what_follows_the_specification_has_no_problems() {
    let examined = look_at(&header(), &payload());
    assert_eq!(examined.problems, []);
    assert_eq!(examined.refusal, None);
    assert_eq!(examined.items["span"], 1);
    let segment = only(examined);
    assert!(segment.streamed && !segment.open);
    assert_eq!(segment.event_id, None);
    assert_eq!(segment.name, "GET /orders/{id}");
    assert_eq!(segment.parent_span_id.map(|id| id.to_string()).as_deref(), Some("00f067aa0ba902b7"));
    assert_eq!((segment.op.as_deref(), segment.source.as_deref()), (Some("http.server"), Some("route")));
    assert_eq!((segment.start, segment.end), (1_787_220_000.104_233, 1_787_220_000.148_907));
    assert_eq!(segment.data["http.request.header.accept"], json!(["application/json"]));
    assert_eq!(segment.release.as_deref(), Some("shop@1.4.0"));
    assert_eq!(segment.payload, payload()["items"][0]);
    assert_eq!(segment.dsc.unwrap()["public_key"], "k");
    let span = &segment.spans[0];
    assert_eq!(span.description.as_deref(), Some("GET inventory.internal"));
    assert_eq!(span.status.as_deref(), Some("unavailable"), "more than error");
    assert_eq!(span.op.as_deref(), Some("http.client"));
}

#[test]
fn spans_without_their_segment_wait_for_it() {
    let mut payload = payload();
    payload["items"].as_array_mut().unwrap().remove(0);
    let mut header = header();
    header["item_count"] = json!(1);
    let examined = look_at(&header, &payload);
    assert_eq!(examined.problems, []);
    let segment = only(examined);
    assert!(segment.open);
    assert_eq!(segment.span_id.to_string(), "b7ad6b7169203331");
    assert_eq!((segment.name.as_str(), segment.spans.len()), ("GET /orders/{id}", 1));
    assert_eq!((segment.start, segment.end), (1_787_220_000.110_001, 1_787_220_000.140_555));
}

#[test]
fn problems_of_streamed_spans_are_named_and_only_what_sentry_drops_is_refused() {
    let segment = "/items/0";
    let attribute = |key: &str| format!("/items/0/attributes/{key}");
    let child_source = "/items/1/attributes/sentry.segment.name.source";
    let text = |text: &str| json!({"type": "string", "value": text});
    let table: [(String, serde_json::Value, Severity, &str, &str); 23] = [
        ("/items".into(), json!({}), Error, "items", "no array"),
        ("/items".into(), json!([]), Error, "items", "no spans"),
        ("/items".into(), json!(vec![payload()["items"][1].clone(); 1001]), Error, "items", "1,001 spans"),
        ("/version".into(), json!(7), Warning, "version", "an unknown version"),
        (segment.into(), json!(7), Error, "items[0]", "a span that is none"),
        (format!("{segment}/trace_id"), json!("x"), Error, "trace_id", "a trace id that is none"),
        (format!("{segment}/trace_id"), json!("a".repeat(32)), Error, "items[1].trace_id", "two traces"),
        (format!("{segment}/span_id"), json!(null), Error, "items[0].span_id", "no span id"),
        (
            format!("{segment}/span_id"),
            json!("53995c3f42cd8ad8"),
            Warning,
            "items[1].span_id",
            "an id used twice",
        ),
        (
            format!("{segment}/span_id"),
            json!("53995c3f42cd8ad9"),
            Warning,
            "sentry.segment.id\"]",
            "another id",
        ),
        (format!("{segment}/name"), json!(""), Error, "items[0].name", "no name"),
        (
            format!("{segment}/status"),
            json!("cancelled"),
            Warning,
            "items[0].status",
            "a word of transactions",
        ),
        (format!("{segment}/is_segment"), json!(null), Warning, "is_segment", "not said"),
        (format!("{segment}/end_timestamp"), json!(1.0), Error, "start_timestamp", "an end before the start"),
        (attribute("sentry.segment.name"), json!(null), Warning, "sentry.segment.name\"]", "no segment name"),
        (
            attribute("sentry.segment.name.source"),
            text("x"),
            Warning,
            "name.source\"]",
            "a source that is none",
        ),
        (
            child_source.into(),
            text("route"),
            Warning,
            "items[1].attributes[\"sentry.segment.name.source\"]",
            "a child with it",
        ),
        (attribute("sentry.trace_lifecycle"), text("static"), Warning, "trace_lifecycle\"]", "not streamed"),
        (attribute("sentry.origin"), text("magic"), Warning, "sentry.origin\"]", "an origin that is none"),
        (attribute("x"), json!(1), Warning, "attributes[\"x\"]", "no type"),
        (
            attribute("x"),
            json!({"type": "integer", "value": "1"}),
            Warning,
            "attributes[\"x\"]",
            "another type",
        ),
        (
            attribute("x"),
            json!({"type": "object", "value": {}}),
            Warning,
            "attributes[\"x\"]",
            "an unknown type",
        ),
        (
            attribute("x"),
            json!({"type": "array", "value": ["a", 1]}),
            Warning,
            "attributes[\"x\"]",
            "a mixed array",
        ),
    ];
    for (pointer, new, severity, path, reason) in table {
        let mut payload = payload();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = payload.pointer_mut(parent).unwrap();
        match key.parse::<usize>() {
            Ok(index) => parent[index] = new,
            Err(_) => parent[key] = new,
        }
        let mut header = header();
        header["item_count"] = json!(payload["items"].as_array().map_or(0, Vec::len));
        let examined = look_at(&header, &payload);
        let found = examined.problems.iter().any(|it| it.severity == severity && it.path.ends_with(path));
        assert!(found, "{reason}: {:?}", examined.problems);
        let status = examined.refusal.map(|refusal| refusal.status);
        assert_eq!(status, (severity == Error).then_some(400), "{reason}: {:?}", examined.problems);
    }
}

#[test]
fn the_item_header_must_say_what_the_item_holds() {
    let table = [
        (json!({"type": "span", "item_count": 2}), Some(Error), "no content type"),
        (json!({"type": "span", "content_type": CONTENT_TYPE}), Some(Error), "no count"),
        (
            json!({"type": "span", "content_type": CONTENT_TYPE, "item_count": 3}),
            Some(Warning),
            "another count",
        ),
        (json!({"type": "span"}), None, "an older item, which is only counted"),
    ];
    for (header, severity, reason) in table {
        let examined = look_at(&header, &payload());
        assert_eq!(
            examined.problems.first().map(|it| it.severity),
            severity,
            "{reason}: {:?}",
            examined.problems
        );
        assert_eq!(examined.items["span"], 1, "{reason}");
    }
}

#[test]
fn a_span_says_its_segment_or_belongs_to_what_is_above_it() {
    let mut payload = payload();
    for item in payload["items"].as_array_mut().unwrap() {
        item.as_object_mut().unwrap().remove("attributes");
    }
    let examined = look_at(&header(), &payload);
    assert_eq!(examined.refusal, None, "{:?}", examined.problems);
    assert_eq!(only(examined).spans.len(), 1);
}

#[test]
fn links_are_read_with_their_types() {
    let mut payload = payload();
    let linked = |span_id: &str, attributes: serde_json::Value| json!({"trace_id": "11111111111111111111111111111111", "span_id": span_id, "sampled": true, "attributes": attributes});
    let message = json!({"sentry.link.type": {"type": "string", "value": "message_origin"}});
    payload["items"][0]["links"] =
        json!([linked("53995c3f42cd8ad8", message), linked("53995c3f42cd8ad9", json!({}))]);
    payload["items"][1]["links"] = json!([linked("nonsense", json!({})), {"span_id": 1}]);
    let examined = look_at(&header(), &payload);
    let errors = examined.problems.iter().filter(|problem| problem.severity == Error);
    assert_eq!(errors.count(), 3, "{:?}", examined.problems);
    let transaction = only(examined);
    let types: Vec<_> = transaction.links.iter().map(crate::model::SpanLink::link_type).collect();
    assert_eq!(types, [Some("message_origin"), None]);
    assert_eq!(transaction.links[0].sampled, Some(true));
    assert_eq!(transaction.spans[0].links, [], "without ids there is no link");
}
