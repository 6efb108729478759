"""Python calls Rust calls Python."""

import checks
from cases.node import travelled_whole


def cases():
    for lifecycle in (None, "stream"):
        said = lifecycle or "its default"
        for first, second in (("wsgi", "asgi"), ("asgi", "wsgi")):
            name = f"sentry-sdk with {first}, {said}, calls Rust calls {second}"
            yield name, lambda house, it=(first, second, lifecycle): python_rust_python(house, *it)
    yield "Rust calls WSGI calls Rust calls ASGI", rust_first
    yield "Node calls Rust calls Python calls Rust calls Node", everybody


def python_rust_python(house, first, second, lifecycle):
    with house.parties() as start:
        front = start.python(first, lifecycle=lifecycle)
        rust = start.rust(lifecycle="static")
        streaming = start.rust("streaming", lifecycle="stream")
        behind = start.python(second, lifecycle=lifecycle)
        hops = travelled_whole(house, [front, rust, streaming, behind], rewritten=checks.PYTHON)
        # requests adds a second field to the one that the code has set; httpx merges both into one.
        fields = {"wsgi": 2, "asgi": 1}[first]
        assert len(hops[1].all("baggage")) == fields, f"{first} sent {hops[1].all('baggage')}"


def rust_first(house):
    with house.parties() as start:
        parties = [start.rust("front"), start.python("wsgi"), start.rust("between", lifecycle="stream"), start.python("asgi")]
        travelled_whole(house, parties, rewritten=checks.PYTHON)


def everybody(house):
    with house.parties() as start:
        parties = [
            start.node("front"),
            start.rust("one"),
            start.python("asgi"),
            start.rust("two", lifecycle="stream"),
            start.node("behind", sdk="sentry-node-10", server="http"),
        ]
        travelled_whole(house, parties, rewritten=checks.PYTHON)
