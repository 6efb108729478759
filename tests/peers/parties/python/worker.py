"""A Celery worker that runs in this single process."""

import common
from sentry_sdk.integrations.celery import CeleryIntegration

common.init(integrations=[CeleryIntegration()])

import jobs

common.end_with_input()
print("listening on redis", flush=True)
jobs.app.worker_main(["worker", "--pool=solo", "--loglevel=warning", "--without-gossip", "--without-mingle"])
