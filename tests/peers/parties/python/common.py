"""What all Python parties share: how Sentry is set up, what a relay answers, how it ends."""

import os
import re
import threading

import sentry_sdk

PARTY = os.environ["PEER_NAME"]


def init(**options):
    """DSN, release and environment are read from SENTRY_* by the SDK; the rate is not."""
    rate = os.environ.get("SENTRY_TRACES_SAMPLE_RATE")
    if rate is not None:
        options["traces_sample_rate"] = float(rate)
    if os.environ.get("PEER_LIFECYCLE"):
        options["trace_lifecycle"] = os.environ["PEER_LIFECYCLE"]
    origins = os.environ["PEER_ORIGINS"].split(",")
    targets = [rf"^https?://{re.escape(host)}[:/]" for host in origins]
    sentry_sdk.init(trace_propagation_targets=targets, **options)


def way(via):
    """The next address, and what it gets as `via`."""
    first, _, rest = via.partition(",")
    return first, {"via": rest}


def own_baggage():
    return {"baggage": f"{PARTY}=own"}


def end_with_input():
    """Ends, having sent everything, when whoever started this closes our input, or dies."""

    def wait():
        # Below Python's own buffers, whose locks would be in the way when the interpreter ends first.
        while os.read(0, 4096):
            pass
        sentry_sdk.get_client().close(timeout=3)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
