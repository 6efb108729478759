"""Negative decisions, deferred decisions, and hosts that must not receive trace headers."""

import checks
import journey


def cases():
    for kind in ("node", "asgi"):
        yield f"a rate of 0 in {kind} is a no for everybody", lambda house, it=kind: unsampled(house, it)
        yield f"without a rate in {kind}, Rust decides", lambda house, it=kind: undecided(house, it)
    for where in ("stranger", "signpost"):
        yield f"no header of the trace reaches a stranger, {where} called by Rust", lambda house, it=where: stranger(house, it)


def party(start, kind, name, **options):
    return start.node(name, **options) if kind == "node" else start.python(kind, name, **options)


def unsampled(house, kind):
    with house.parties() as start:
        # They record nothing, although their own rates would sample the trace.
        parties = [party(start, kind, "front", rate="0"), start.rust(), party(start, kind, "behind")]
        hops = journey.travel([it.relay() for it in parties])
    # All peers have ended and flushed by now.
    trace_id = checks.one_decision(hops, "0")
    checks.foreign_baggage_kept_and_not_leaked(hops)
    assert house.collector.trace(trace_id) is None, f"somebody recorded {trace_id}"
    contexts = [hop.context() for hop in hops[1:]]
    assert contexts[0]["sample_rand"] == contexts[1]["sample_rand"], contexts


def undecided(house, kind):
    with house.parties() as start:
        front = party(start, kind, "front", rate=None)
        rust, streaming = start.rust(), start.rust("streaming", lifecycle="stream")
        hops = journey.travel([it.relay() for it in (front, rust, streaming)])
        at_rust, at_streaming = hops[1], hops[2]
        assert at_rust.sentry_trace()[2:] == [], f"an open decision came as {at_rust.sentry_trace()}"
        trace_id = at_rust.sentry_trace()[0]
        assert at_streaming.sentry_trace()[0] == trace_id
        assert at_streaming.sentry_trace()[2:] == ["1"], f"Rust's rate is 1: {at_streaming.sentry_trace()}"
    trace = house.collector.trace(trace_id)
    told = sorted(it["project"] for it in trace["transactions"])
    assert told == sorted([rust.project, streaming.project]), f"told by {told}"


def stranger(house, where):
    with house.parties() as start:
        rust = start.rust()
        address = house.hosts.stranger() if where == "stranger" else house.hosts.signpost()
        hops = journey.travel([rust.relay(), address])
        assert hops[-1].party == "stranger"
        checks.nothing_of_the_trace(hops[-1])
        assert hops[-1].foreign() == {"rust": "own"}, f"our own baggage was lost: {hops[-1].foreign()}"
