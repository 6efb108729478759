"""Spotlight's sidecar receives what sentrace records, and shows it through its own interface, MCP."""

import itertools
import json
import re
import time
import urllib.request

import journey

FILTERS = {"filters": {"timeWindow": 60}}


def cases():
    yield "its sidecar shows our trace, without a DSN", shows_our_trace


def shows_our_trace(house):
    with house.parties() as start:
        sidecar = start.spotlight()
        stream = f"{sidecar.url}/stream"
        # A rate of 0 applies to Sentry only: Spotlight receives everything.
        behind = start.rust("behind", rate=None, SENTRY_DSN="", SENTRY_SPOTLIGHT=stream)
        front = start.rust("front", rate=None, SENTRY_DSN="", SENTRY_SPOTLIGHT=stream)
        hops = journey.travel([front.relay(), behind.relay()])
        trace_id = hops[1].sentry_trace()[0]
        mcp = Mcp(f"{sidecar.url}/mcp")
        wait_for(lambda: mcp.call("search_traces", FILTERS), [trace_id[:8]])
        parts = ["GET /front/{item}", "call the next", "http.client", "GET /behind/{item}"]
        wait_for(lambda: mcp.call("get_traces", {"traceId": trace_id[:8]}), parts)


def wait_for(ask, parts, seconds=15):
    """Polls until all parts are shown, in this order."""
    end = time.monotonic() + seconds
    in_order = re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)
    while not in_order.search(answer := ask()):
        assert time.monotonic() < end, f"of {parts}, not all are shown in this order: {answer}"
        time.sleep(0.1)


class Mcp:
    """A minimal client of the Model Context Protocol that can call tools."""

    def __init__(self, url):
        self._url, self._session, self._ids = url, None, itertools.count(1)
        client = {"name": "sentrace-peers", "version": "1"}
        self._post("initialize", {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": client})
        self._post("notifications/initialized", None, answered=False)

    def call(self, tool, arguments):
        result = self._post("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), f"{tool}: {result}"
        return "\n".join(part.get("text", "") for part in result["content"])

    def _post(self, method, params, answered=True):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        if answered:
            message["id"] = next(self._ids)
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if self._session:
            headers["mcp-session-id"] = self._session
        request = urllib.request.Request(self._url, json.dumps(message).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            self._session = response.headers.get("mcp-session-id") or self._session
            text = response.read().decode()
        if not answered:
            return None
        # Plain JSON, or an event of an event stream.
        found = re.search(r"^data: (.*)$", text, re.MULTILINE)
        answer = json.loads(found.group(1) if found else text)
        assert "error" not in answer, f"{method}: {answer}"
        return answer["result"]
