"""The checks for every trace, whatever peers take part."""

import collections

# Deviations of peers from the specification, which requires that a context never changes after its first use.
# sentry-python overwrites the rate with its own, even if it inherited the decision.
PYTHON = ("sample_rate",)
# @sentry/node 10 propagates the name that a transaction had at the time of the call, and sends no name to Sentry, since
# the final name is a path.
NODE_10 = ("transaction",)


def whole_trace(house, trace_id, parties, exactly_one_trace=True):
    """Checks that the spans of all peers form one tree in one trace, and that the collector reports no problem."""
    expected = [party.project for party in parties]
    trace = house.collector.wait_for_trace(trace_id, expected)
    assert trace, f"the collector knows no trace {trace_id}, only {house.collector.traces()}"
    told = collections.Counter(it["project"] for it in trace["transactions"] if not it["open"])
    assert told == collections.Counter(expected), (
        f"transactions came from projects {told}, not {expected}: {outline(trace)}\n"
        f"    and all traces are {[(it['id'], it['name']) for it in house.collector.traces()]}"
    )
    summary = trace["summary"]
    for count in ("orphans", "dropped", "duplicates"):
        assert summary[count] == 0, f"{summary[count]} {count} in {outline(trace)}"
    assert summary["roots"] == 1, f"{summary['roots']} roots in {outline(trace)}"
    if exactly_one_trace:
        ids = [it["id"] for it in house.collector.traces()]
        assert ids == [trace_id], f"there are more traces than {trace_id}: {ids}"
    return trace


def nobody_objects(house):
    """Checks that the collector accepts everything and reports no problem."""
    refused = [(it.project, it.status, it.answer) for it in house.ingest.received() if it.status != 200]
    assert not refused, f"the collector refuses (project, status, answer): {refused}"
    assert not house.ingest.unreadable, f"envelopes that nobody can read: {house.ingest.unreadable}"
    problems = house.collector.problems()
    assert not problems, f"the collector objects: {problems}"


def one_context(house, trace_id, hops=(), parties=(), rewritten=()):
    """Checks that every envelope and every baggage has the same dynamic sampling context."""
    deviations = {party.project: party.deviates for party in parties}
    told = [hop.context() for hop in hops]
    seen = [(f"baggage to {hop.party}", context, ()) for hop, context in zip(hops, told)]
    for it in spans_of(house, trace_id):
        seen.append((f"envelope of project {it.project}", it.context(), deviations.get(it.project, ())))
    assert seen, f"nothing has come in trace {trace_id}"
    first = seen[0][1]
    for key in ("trace_id", "public_key", "sample_rate", "sample_rand", "sampled", "environment"):
        assert key in first, f"{seen[0][0]} lacks {key}: {first}"
    for where, context, own in seen:
        left_out = {*rewritten, *own}
        same = comparable(context, left_out) == comparable(first, left_out)
        assert same, f"{where} has {context}, {seen[0][0]} has {first}"
    return first


def comparable(context, left_out):
    # JavaScript parses it as a number: 0.360890 is propagated as 0.36089.
    number = {"sample_rand": float(context["sample_rand"])} if "sample_rand" in context else {}
    return {key: value for key, value in (context | number).items() if key not in left_out}


def ours_as_received(house, trace_id, hops, parties):
    """Checks that a sentrace peer sends the context to Sentry exactly as it received it."""
    for hop, party in zip(hops[1:], parties[1:]):
        if party.project in house.ours:
            sent = [it.context() for it in spans_of(house, trace_id) if it.project == party.project]
            assert all(context == hop.context() for context in sent), f"{party.name} got {hop.context()}, sent {sent}"


def spans_of(house, trace_id):
    return [it for it in house.ingest.received(trace_id) if it.carries_spans()]


def one_decision(hops, decision):
    """Checks that all hops after the first carry one trace id and one decision ("1", "0", or None if deferred)."""
    ids = {hop.sentry_trace()[0] for hop in hops[1:]}
    assert len(ids) == 1, f"several trace ids: {ids}"
    for hop in hops[1:]:
        trace = hop.sentry_trace()
        assert trace[2:] == ([decision] if decision else []), f"{hop.party} got the decision {trace[2:]}"
        sampled = {"1": "true", "0": "false", None: None}[decision]
        assert hop.context().get("sampled") == sampled, f"{hop.party} got {hop.context()}"
    return ids.pop()


def each_called_by_the_one_before(trace, hops, parties):
    """Checks that the span id that a peer received belongs to the peer before it and is the parent of its transaction."""
    owner = {node["span_id"]: trace["transactions"][node["transaction"]] for node in trace["tree"]}
    for before, hop, party in zip(parties, hops[1:], parties[1:]):
        span_id = hop.sentry_trace()[1]
        assert span_id in owner, f"{party.name} was called by {span_id}, which nobody has sent: {outline(trace)}"
        assert owner[span_id]["project"] == before.project, f"{span_id} is not a span of {before.name}"
        below = [it for it in trace["transactions"] if it["parent_span_id"] == span_id]
        projects = [it["project"] for it in below]
        assert projects == [party.project], f"below the call of {before.name} is {projects}: {outline(trace)}"


def foreign_baggage_kept_and_not_leaked(hops):
    """Checks that third-party baggage of a caller arrives, and is not forwarded."""
    assert hops[0].foreign() == {"outsider": "1"}, f"{hops[0].party} got {hops[0].foreign()}"
    for before, hop in zip(hops, hops[1:]):
        assert hop.foreign() == {before.party: "own"}, f"{hop.party} got {hop.foreign()} from {before.party}"


def nothing_of_the_trace(hop):
    """A host outside the allowlist."""
    for name in ("sentry-trace", "traceparent"):
        assert not hop.all(name), f"{hop.party} got {name}: {hop.all(name)}"
    assert not hop.context(), f"{hop.party} got {hop.context()}"


def outline(trace):
    rows = []
    for node in trace["tree"]:
        project = trace["transactions"][node["transaction"]]["project"]
        marks = " ".join(mark["kind"] for mark in node["marks"])
        rows.append(f"  {'  ' * node['depth']}[{project}] {node['op']} {node['name']} {node['span_id']} {marks}")
    return "\n" + "\n".join(rows)
