"""Jobs over Redis: from Celery to Rust, and from Rust to Celery."""

import time
import urllib.request

import checks


def cases():
    for lifecycle in ("static", "stream"):
        yield f"Celery works on what Rust queues, {lifecycle}", lambda house, it=lifecycle: rust_to_celery(house, it)
        yield f"Rust works on what Celery queues, {lifecycle}", lambda house, it=lifecycle: celery_to_rust(house, it)


def rust_to_celery(house, lifecycle):
    with house.redis() as redis, house.parties() as start:
        rust = start.rust(lifecycle=lifecycle, PEER_REDIS=redis)
        worker = start.python("worker", PEER_REDIS_URL=f"redis://{redis}/0", lifecycle=lifecycle)
        trace = job_is_one_trace(house, rust, worker)
        publish = next(node for node in trace["tree"] if node["op"] == "queue.publish")
        work = next(it for it in trace["transactions"] if it["project"] == worker.project)
        assert work["parent_span_id"] == publish["span_id"], f"the work is not below its publishing: {checks.outline(trace)}"


def celery_to_rust(house, lifecycle):
    with house.redis() as redis, house.parties() as start:
        queuer = start.python("queuer", PEER_REDIS_URL=f"redis://{redis}/0", lifecycle=lifecycle)
        rust = start.rust(lifecycle=lifecycle, PEER_REDIS=redis)
        trace = job_is_one_trace(house, queuer, rust)
        work = next(it for it in trace["transactions"] if it["project"] == rust.project)
        # Streamed spans are named by their queue.
        name = "rust.invoice" if lifecycle == "static" else "process rust"
        assert (work["op"], work["name"]) == ("queue.process", name), f"{work['op']} {work['name']}"
        latency = work["data"].get("messaging.message.receive.latency")
        assert latency is not None and 0 <= latency < 60_000, f"it waited for {latency} ms"
        assert work["data"]["messaging.system"] == "redis"


def job_is_one_trace(house, queuing, working):
    """Queues a job with one peer. Returns the trace once the other peer has processed the job."""
    with urllib.request.urlopen(f"{queuing.url}/jobs/job-17", timeout=20) as answer:
        assert answer.status == 200
    trace_id = first_trace(house)
    trace = checks.whole_trace(house, trace_id, [queuing, working])
    checks.one_context(house, trace_id, rewritten=checks.PYTHON)
    return trace


def first_trace(house, seconds=20):
    end = time.monotonic() + seconds
    while not (traces := house.collector.traces()):
        assert time.monotonic() < end, "nothing has come"
        time.sleep(0.05)
    return traces[0]["id"]
