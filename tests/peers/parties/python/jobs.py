"""The job that Rust queues and this worker does, and how a job for Rust is queued."""

import os

from celery import Celery

app = Celery("peers", broker=os.environ["PEER_REDIS_URL"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue="celery",
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="peers.invoice")
def invoice(order):
    """Tells that it was done where the test looks for it."""
    with app.connection_for_write() as connection:
        connection.default_channel.client.set(f"done:{order}", "peers.invoice")
