"""A WSGI service (Flask) that queues jobs for the Rust worker."""

import common
from sentry_sdk.integrations.celery import CeleryIntegration

common.init(integrations=[CeleryIntegration()])

import flask
import jobs
from werkzeug.serving import make_server

app = flask.Flask("queuer")


@app.get("/jobs/<id>")
def enqueue(id):
    jobs.app.send_task("rust.invoice", args=[id], task_id=id, queue="rust")
    return {"queued": id}


server = make_server("127.0.0.1", 0, app, threaded=True)
print(f"listening on http://127.0.0.1:{server.port}", flush=True)
common.end_with_input()
server.serve_forever()
