"""Reads payloads as JSON, and prints the problems that Relay's normaliser finds."""

import json
import sys
from datetime import datetime, timezone

from sentry_relay.processing import StoreNormalizer

normalizer = StoreNormalizer(
    project_id=1,
    received_at=datetime.now(timezone.utc).isoformat(),
    max_secs_in_future=60,
    max_secs_in_past=2592000,
    normalize_user_agent=True,
    client="sentrace",
)


def event_of(span):
    """Converts a streamed span to the equivalent transaction, whose fields and attributes follow the same rules."""
    attributes = {key: attribute["value"] for key, attribute in span.get("attributes", {}).items()}
    trace = {key: span[key] for key in ("trace_id", "span_id", "parent_span_id") if key in span}
    return {
        "type": "transaction",
        "platform": attributes.get("sentry.platform"),
        "release": attributes.get("sentry.release"),
        "environment": attributes.get("sentry.environment"),
        "transaction": span["name"],
        "transaction_info": {"source": attributes.get("sentry.segment.name.source", "custom")},
        "start_timestamp": span["start_timestamp"],
        "timestamp": span["end_timestamp"],
        "contexts": {
            "trace": {
                **trace,
                "op": attributes.get("sentry.op"),
                "origin": attributes.get("sentry.origin"),
                "data": attributes,
            }
        },
        "spans": [],
    }


def objections(meta, path=""):
    """Returns errors, and remarks about trimmed or scrubbed values. A changed value is neither."""
    for key, value in meta.items():
        if key == "" and (value.get("err") or value.get("rem") or value.get("len")):
            yield f"{path or '.'}: {json.dumps(value)}"
        elif key != "" and isinstance(value, dict):
            yield from objections(value, f"{path}.{key}")


transactions = spans = 0
found = []
for payload in json.load(sys.stdin):
    if "items" in payload:
        events = [event_of(span) for span in payload["items"]]
        spans += len(events)
    else:
        events = [payload]
        transactions += 1
    for event in events:
        normalised = normalizer.normalize_event(event)
        found += objections(normalised.get("_meta") or {})
        kept = len(normalised.get("spans") or [])
        if kept != len(event.get("spans") or []):
            found.append(f"{len(event['spans'])} spans became {kept}")
        if normalised["contexts"]["trace"]["trace_id"] != event["contexts"]["trace"]["trace_id"]:
            found.append("the trace id has changed")

print(f"{transactions} transactions and {spans} streamed spans, {len(found)} objections")
print("\n".join(sorted(set(found))[:40]))
sys.exit(1 if found else 0)
