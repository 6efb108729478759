"""A parser for Sentry's envelopes that is independent of sentrace."""

import gzip
import json
import zlib
from dataclasses import dataclass, field


@dataclass
class Envelope:
    """A received envelope: its sender and its items."""

    project: str
    headers: dict
    items: list = field(default_factory=list)
    status: int = 0
    answer: str = ""

    def trace_id(self):
        return self.context().get("trace_id")

    def context(self):
        """The dynamic sampling context."""
        return self.headers.get("trace") or {}

    def carries_spans(self):
        return any(header["type"] in ("transaction", "span") for header, _ in self.items)

    def payloads(self, kind):
        return [json.loads(payload) for header, payload in self.items if header["type"] == kind]


def parse(project, body, encoding):
    rest = decoded(body, encoding)
    headers, rest = line(rest)
    envelope = Envelope(project, headers)
    while rest.strip():
        header, rest = line(rest)
        length = header.get("length", rest.find(b"\n") if b"\n" in rest else len(rest))
        envelope.items.append((header, rest[:length]))
        rest = rest[length:].removeprefix(b"\n")
    return envelope


def decoded(body, encoding):
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding in (None, "", "identity"):
        return body
    raise ValueError(f"content-encoding {encoding} is none that this can read")


def line(data):
    first, _, rest = data.partition(b"\n")
    return json.loads(first), rest
