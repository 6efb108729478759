"""Node calls Rust calls Node."""

import checks
import journey


def cases():
    for version in ("11", "10"):
        # The default lifecycle of each version, and the other one.
        for lifecycle in (None, "static" if version == "11" else "stream"):
            for server in ("express", "http"):
                name = f"@sentry/node {version} with {server}, {lifecycle or 'its default'}, calls Rust calls Node"
                yield name, lambda house, it=(version, lifecycle, server): node_rust_node(house, *it)
    yield "Rust calls Node calls Rust", rust_node_rust


def node_rust_node(house, version, lifecycle, server):
    with house.parties() as start:
        sdk = f"sentry-node-{version}"
        front = start.node("front", sdk=sdk, server=server, lifecycle=lifecycle)
        rust = start.rust(lifecycle="static")
        streaming = start.rust("streaming", lifecycle="stream")
        # The second Node service uses the other server and the other client.
        other = "http" if server == "express" else "express"
        behind = start.node("behind", sdk=sdk, server=other, lifecycle=lifecycle)
        travelled_whole(house, [front, rust, streaming, behind])


def rust_node_rust(house):
    with house.parties() as start:
        front = start.rust("front", lifecycle="stream")
        node = start.node()
        behind = start.rust("behind")
        travelled_whole(house, [front, node, behind])


def travelled_whole(house, parties, rewritten=()):
    """Makes one call through all of them and checks it."""
    hops = journey.travel([party.relay() for party in parties])
    assert [hop.party for hop in hops] == [party.name for party in parties]
    trace_id = checks.one_decision(hops, "1")
    checks.foreign_baggage_kept_and_not_leaked(hops)
    trace = checks.whole_trace(house, trace_id, parties)
    checks.each_called_by_the_one_before(trace, hops, parties)
    context = checks.one_context(house, trace_id, hops[1:], parties, rewritten)
    checks.ours_as_received(house, trace_id, hops, parties)
    assert context["release"] == f"{parties[0].name}@1.0.0", f"the first party makes the context, not {context}"
    return hops
