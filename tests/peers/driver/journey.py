"""A call through several parties: what each of them got, and what must be true of it."""

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass
class Hop:
    """What a party was sent."""

    party: str
    headers: list

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def sentry_trace(self):
        values = self.all("sentry-trace")
        assert len(values) <= 1, f"{self.party} got sentry-trace {len(values)} times"
        return values[0].split("-") if values else None

    def members(self):
        """Of all its baggage fields: some SDKs add one of their own."""
        return [tuple(member.strip().split("=", 1)) for member in ",".join(self.all("baggage")).split(",") if member]

    def context(self):
        """Sentry's members, as an envelope has them."""
        sentry = [(key, value) for key, value in self.members() if key.startswith("sentry-")]
        assert len(sentry) == len(dict(sentry)), f"{self.party} got members of Sentry's twice: {sentry}"
        return {key.removeprefix("sentry-"): urllib.parse.unquote(value) for key, value in sentry}

    def foreign(self):
        return {key: value for key, value in self.members() if not key.startswith("sentry-")}


def travel(addresses):
    """Calls the first address, which calls the second, and so on; the hops in order."""
    first, *rest = addresses
    url = f"{first}?{urllib.parse.urlencode({'via': ','.join(rest)})}"
    # What a caller outside says to somebody else: it must come no further than the first party.
    request = urllib.request.Request(url, headers={"baggage": "outsider=1"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    hops = []
    while answer:
        hops.append(Hop(answer["party"], answer["headers"]))
        answer = answer["next"]
    return hops
