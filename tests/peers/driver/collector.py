"""Starts `sentrace-collector` and queries its JSON API."""

import json
import time
import urllib.parse

import ingest


class Collector:
    def __init__(self, party):
        self.party = party
        self.url = party.match(r"traces\s+(http://\S+?)/?$")
        self.port = urllib.parse.urlsplit(self.url).port

    def pass_on(self, method, path, headers, body):
        connection = ingest.connection(self.port)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def get(self, path):
        answer, text = self.pass_on("GET", path, {}, None)
        return json.loads(text) if answer.status == 200 else None

    def clear(self):
        self.pass_on("DELETE", "/api/traces", {}, None)

    def traces(self):
        return self.get("/api/traces")

    def problems(self):
        return self.get("/api/problems")

    def trace(self, trace_id):
        return self.get(f"/api/traces/{trace_id}")

    def wait_for_trace(self, trace_id, projects, seconds=15):
        """Returns the trace when all projects have reported and it is complete, or as it is after the timeout."""
        end = time.monotonic() + seconds
        while True:
            trace = self.trace(trace_id)
            if trace and is_whole(trace, projects):
                return trace
            if time.monotonic() > end:
                return trace
            time.sleep(0.05)


def is_whole(trace, projects):
    told = sorted(it["project"] for it in trace["transactions"] if not it["open"])
    open_ones = any(it["open"] for it in trace["transactions"])
    summary = trace["summary"]
    return told == sorted(projects) and not open_ones and summary["roots"] == 1 and summary["orphans"] == 0
