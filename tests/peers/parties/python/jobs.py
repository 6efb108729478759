"""The job that Rust queues and this worker processes, and the code that queues a job for Rust."""

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
    """Reports that the job was processed, where the test looks for it."""
    with app.connection_for_write() as connection:
        connection.default_channel.client.set(f"done:{order}", "peers.invoice")
