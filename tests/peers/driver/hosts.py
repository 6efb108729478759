"""Two more hosts: one that must not receive trace headers, and one that may, and redirects to the first."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STRANGER = "127.0.0.2"


class Hosts:
    def __init__(self):
        self._stranger = serve(STRANGER, Stranger)
        self._signpost = serve("127.0.0.1", Signpost)
        self._signpost.target = self.stranger()

    def stranger(self):
        return f"http://{STRANGER}:{self._stranger.server_port}/relay/stranger"

    def signpost(self):
        """Redirects to the foreign host."""
        return f"http://127.0.0.1:{self._signpost.server_port}/relay/signpost"

    def close(self):
        self._stranger.shutdown()
        self._signpost.shutdown()


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Stranger(Quiet):
    def do_GET(self):
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        body = json.dumps({"party": "stranger", "headers": headers, "next": None}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Signpost(Quiet):
    def do_GET(self):
        self.send_response(307)
        self.send_header("location", self.server.target)
        self.send_header("content-length", "0")
        self.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        """Ignores disconnected clients."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


def serve(host, handler):
    server = Server((host, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
