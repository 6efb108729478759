"""A call through several peers: what each of them received, and the checks for it."""

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass
class Hop:
    """The request that a peer received."""

    party: str
    headers: list

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def sentry_trace(self):
        values = self.all("sentry-trace")
        assert len(values) <= 1, f"{self.party} got sentry-trace {len(values)} times"
        return values[0].split("-") if values else None

    def members(self):
        """Returns the members of all baggage fields: some SDKs add a field of their own."""
        return [tuple(member.strip().split("=", 1)) for member in ",".join(self.all("baggage")).split(",") if member]

    def context(self):
        """Returns Sentry's members, in the form that envelopes have."""
        sentry = [(key, value) for key, value in self.members() if key.startswith("sentry-")]
        assert len(sentry) == len(dict(sentry)), f"{self.party} got members of Sentry's twice: {sentry}"
        return {key.removeprefix("sentry-"): urllib.parse.unquote(value) for key, value in sentry}

    def foreign(self):
        return {key: value for key, value in self.members() if not key.startswith("sentry-")}


def travel(addresses):
    """Calls the first address, which calls the second, and so on. Returns the hops in order."""
    first, *rest = addresses
    url = f"{first}?{urllib.parse.urlencode({'via': ','.join(rest)})}"
    # Third-party baggage of the external caller. It must not go beyond the first peer.
    request = urllib.request.Request(url, headers={"baggage": "outsider=1"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    hops = []
    while answer:
        hops.append(Hop(answer["party"], answer["headers"]))
        answer = answer["next"]
    return hops
