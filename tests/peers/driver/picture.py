"""Takes a picture of a trace that starts in the browser, as the collector shows it."""

import subprocess
from pathlib import Path

from cases.browser import open_page


def take(house, file):
    with house.parties() as start:
        front = start.rust("front", PEER_SCRIPT=house.work / "node" / "page.bundle.js")
        api = start.rust("api", PEER_PAGES=front.url)
        others = [start.python("asgi", "pricing"), start.rust("inventory", lifecycle="stream"), start.node("shipping")]
        way = ",".join(party.relay() for party in others)
        # Twice, so that the second run contains no setup work.
        for _ in range(2):
            house.collector.clear()
            browser, outcome = open_page(start, f"{front.url}/static/cart", f"{api.relay()}?via={way}", "static")
        trace_id = dict(outcome["answer"]["headers"])["sentry-trace"].split("-")[0]
        house.collector.wait_for_trace(trace_id, [party.project for party in (browser, api, *others)])
        command = ["node", house.work / "node" / "picture.js", f"{house.collector.url}/traces/{trace_id}", Path(file).resolve()]
        subprocess.run(command, check=True, timeout=60)
    print(file)
    return 0
