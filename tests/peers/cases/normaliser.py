"""Runs Relay's normaliser over every sentrace payload of these runs."""

import json
import subprocess

from house import PARTIES


def cases():
    yield "StoreNormalizer finds no error in any payload of ours", normalised


def normalised(house):
    payloads = []
    for envelope in house.ingest.received():
        if envelope.project in house.ours:
            payloads += [payload for kind in ("transaction", "event", "span") for payload in envelope.payloads(kind)]
    assert payloads, "no payload of ours was kept; run this case together with others"
    done = subprocess.run(
        [house.work / "venv" / "bin" / "python", PARTIES / "python" / "normalise.py"],
        input=json.dumps(payloads),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    print(f"               {done.stdout.strip()}")
