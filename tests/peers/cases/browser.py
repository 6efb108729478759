"""A page in Chromium that calls another origin, which is behind a `CorsLayer`."""

import json

import checks


def cases():
    for lifecycle in (None, "static"):
        said = lifecycle or "its default"
        yield f"meta tags: one trace from the page to the other origin, {said}", lambda house, it=lifecycle: one_trace(house, "tagged", it)
    yield "Server-Timing: one trace from the page to the other origin", lambda house: one_trace(house, "timed", None)
    yield "without a trace in the page the browser begins one", begun_by_browser
    yield "without SentryCorsLayer the browser blocks the call", blocked


def one_trace(house, page, lifecycle):
    with house.parties() as start:
        front, api = rust_pair(house, start)
        browser, outcome = open_page(start, f"{front.url}/{page}", api.relay(), lifecycle)
        assert "error" not in outcome, f"the call failed: {outcome}"
        headers = dict(outcome["answer"]["headers"])
        trace_id = headers["sentry-trace"].split("-")[0]
        # The browser sends no other members of baggage, so no others may arrive.
        members = [member.strip() for member in headers["baggage"].split(",")]
        assert all(member.startswith("sentry-") for member in members), members

        trace = checks.whole_trace(house, trace_id, [front, browser, api])
        served, load, called = (only(trace, party) for party in (front, browser, api))
        assert served["name"] == f"GET /{page}", served["name"]
        assert load["op"] == "pageload", load["op"]
        assert load["parent_span_id"] == served["span_id"], checks.outline(trace)
        owner = {node["span_id"]: trace["transactions"][node["transaction"]] for node in trace["tree"]}
        caller = owner[called["parent_span_id"]]
        assert caller["project"] == browser.project, checks.outline(trace)
        context = checks.one_context(house, trace_id)
        assert context["release"] == f"{front.name}@1.0.0", f"the page continues the server's context, not {context}"


def begun_by_browser(house):
    with house.parties() as start:
        front, api = rust_pair(house, start)
        browser, outcome = open_page(start, f"{front.url}/static/page", api.relay())
        assert "error" not in outcome, f"the call failed: {outcome}"
        trace_id = dict(outcome["answer"]["headers"])["sentry-trace"].split("-")[0]
        trace = checks.whole_trace(house, trace_id, [browser, api])
        assert only(trace, browser)["parent_span_id"] is None, checks.outline(trace)
        context = checks.one_context(house, trace_id)
        assert context["release"] == "page@1.0.0", f"the page makes the context, not {context}"


def blocked(house):
    with house.parties() as start:
        front, api = rust_pair(house, start, PEER_CORS="plain")
        _, outcome = open_page(start, f"{front.url}/tagged", api.relay())
        assert "Failed to fetch" in outcome.get("error", ""), f"the call was not blocked: {outcome}"
        because = [line for line in outcome["said"] if "Access-Control-Allow-Headers" in line]
        assert because, f"it was blocked for another reason: {outcome['said']}"
        told = {it.project for it in house.ingest.received() if it.project == api.project and it.carries_spans()}
        assert not told, "the call has reached the other origin"


def rust_pair(house, start, **api_variables):
    """Starts a service that serves the page, and one on another origin that allows the page's origin."""
    front = start.rust("front", PEER_SCRIPT=house.work / "node" / "page.bundle.js")
    return front, start.rust("api", PEER_PAGES=front.url, **api_variables)


def open_page(start, url, calls, lifecycle=None):
    """Opens the page in a browser, where it makes one call. Returns the browser and the result of the call."""
    browser = start.browser(url, calls, lifecycle)
    return browser, json.loads(browser.match("^outcome (.*)$", seconds=50))


def only(trace, party):
    found = [it for it in trace["transactions"] if it["project"] == party.project]
    assert len(found) == 1, f"{party.name} told {len(found)} transactions: {checks.outline(trace)}"
    return found[0]
