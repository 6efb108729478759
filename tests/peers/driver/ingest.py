"""The ingest for all peers: stores each envelope unchanged, and forwards it to the collector."""

import http.client
import threading

import envelopes
import hosts

PASSED = ("content-type", "content-encoding", "x-sentry-auth", "user-agent", "origin")


class Ingest:
    def __init__(self, collector):
        self._collector = collector
        self._lock = threading.Lock()
        self._envelopes = []
        self.unreadable = []
        ingest = self

        class Handler(hosts.Quiet):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                ingest.take(self)

            do_OPTIONS = do_POST

        self._server = hosts.serve("127.0.0.1", Handler)

    def dsn(self, project):
        return f"http://public@127.0.0.1:{self._server.server_port}/{project}"

    def take(self, request):
        body = read_body(request)
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        answer, text = self._collector.pass_on(request.command, request.path, headers, body)
        if request.command == "POST":
            self._keep(request, body, answer, text)
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                request.send_header(name, value)
        request.send_header("content-length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def _keep(self, request, body, answer, text):
        project = request.path.split("/")[2] if request.path.startswith("/api/") else "-"
        try:
            envelope = envelopes.parse(project, body, request.headers.get("content-encoding"))
        except (ValueError, OSError) as error:
            self.unreadable.append(f"project {project}: {error}")
            return
        envelope.status, envelope.answer = answer.status, text.decode(errors="replace")
        with self._lock:
            self._envelopes.append(envelope)

    def received(self, trace_id=None):
        with self._lock:
            return [it for it in self._envelopes if trace_id is None or it.trace_id() == trace_id]

    def close(self):
        self._server.shutdown()


def read_body(request):
    if request.headers.get("transfer-encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("content-length") or 0))
    body = b""
    while size := int(request.rfile.readline().split(b";")[0], 16):
        body += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return body


def connection(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=10)
