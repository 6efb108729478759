"""What all Python peers share: the setup of Sentry, the response of a relay, and the shutdown."""

import os
import re
import threading

import sentry_sdk

PARTY = os.environ["PEER_NAME"]


def init(**options):
    """Initialises Sentry. The SDK reads DSN, release and environment from SENTRY_*, but not the rate."""
    rate = os.environ.get("SENTRY_TRACES_SAMPLE_RATE")
    if rate is not None:
        options["traces_sample_rate"] = float(rate)
    if os.environ.get("PEER_LIFECYCLE"):
        options["trace_lifecycle"] = os.environ["PEER_LIFECYCLE"]
    origins = os.environ["PEER_ORIGINS"].split(",")
    targets = [rf"^https?://{re.escape(host)}[:/]" for host in origins]
    sentry_sdk.init(trace_propagation_targets=targets, **options)


def way(via):
    """Returns the next address, and the value of `via` for it."""
    first, _, rest = via.partition(",")
    return first, {"via": rest}


def own_baggage():
    return {"baggage": f"{PARTY}=own"}


def end_with_input():
    """Flushes and exits when the parent process closes the standard input or dies."""

    def wait():
        # Bypasses Python's buffers, whose locks could block if the interpreter exits first.
        while os.read(0, 4096):
            pass
        sentry_sdk.get_client().close(timeout=3)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
