"""A WSGI service (Flask) that calls others with requests."""

import common

common.init()

import flask
import requests
from werkzeug.serving import make_server

app = flask.Flask("wsgi")


@app.get(f"/{common.PARTY}/<item>")
def relay(item):
    headers = [(name.lower(), value) for name, value in flask.request.headers]
    first, rest = common.way(flask.request.args.get("via", ""))
    following = None
    if first:
        response = requests.get(first, params=rest, headers=common.own_baggage(), timeout=20)
        response.raise_for_status()
        following = response.json()
    return {"party": common.PARTY, "headers": headers, "next": following}


server = make_server("127.0.0.1", 0, app, threaded=True)
print(f"listening on http://127.0.0.1:{server.port}", flush=True)
common.end_with_input()
server.serve_forever()
