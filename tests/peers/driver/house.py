"""What all cases share: the collector, the ingest in front of it, Redis, and the code that starts peers."""

import itertools
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import checks
from collector import Collector
from hosts import Hosts
from ingest import Ingest
from party import Party

HERE = Path(__file__).resolve().parent.parent
PARTIES = HERE / "parties"
ENVIRONMENT = "peers"


class House:
    """Paths, and the processes that run for the whole time. `installed` holds node_modules; the other files are built."""

    def __init__(self, work, binaries):
        self.work, self.binaries = Path(work).resolve(), Path(binaries).resolve()
        self._stack = ExitStack()
        self._projects = itertools.count(1)
        self.ours = set()
        collector = Party(
            "collector", [self.binaries / "sentrace-collector", "--listen", "127.0.0.1:0", "--traces", "2000"]
        )
        self._stack.callback(terminate, collector)
        self.collector = Collector(collector)
        self.ingest = Ingest(self.collector)
        self._stack.callback(self.ingest.close)
        self.hosts = Hosts()
        self._stack.callback(self.hosts.close)

    def close(self):
        self._stack.close()

    @contextmanager
    def parties(self):
        """Starts peers and stops them at the end of the block, the last one first. Prints their output if a case fails."""
        with ExitStack() as stack:
            started = Started(self, stack)
            try:
                yield started
            except BaseException:
                for party in started.all:
                    print(party.tail(), file=sys.stderr)
                raise

    @contextmanager
    def redis(self):
        """Starts a Redis that does not use the disk, and returns its `host:port`."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        redis = Party("redis", command, cwd=self.work)
        try:
            redis.match("(Ready to accept connections)")
            yield f"127.0.0.1:{port}"
        finally:
            terminate(redis)


def terminate(party):
    party._process.terminate()
    party.close()


class Started:
    def __init__(self, house, stack):
        self._house, self._stack = house, stack
        self.all = []

    def _start(self, name, command, rate="1", lifecycle=None, cwd=None, **variables):
        house = self._house
        project = str(next(house._projects))
        told = {
            "SENTRY_DSN": house.ingest.dsn(project),
            "SENTRY_RELEASE": f"{name}@1.0.0",
            "SENTRY_ENVIRONMENT": ENVIRONMENT,
            "SENTRY_TRACES_SAMPLE_RATE": rate,
            "PEER_NAME": name,
            "PEER_LIFECYCLE": lifecycle,
            "PEER_ORIGINS": "127.0.0.1",
        }
        party = Party(name, command, project, cwd, **{**told, **variables})
        self._stack.callback(party.close)
        self.all.append(party)
        return party

    def rust(self, name="rust", **options):
        party = self._start(name, [self._house.binaries / "examples" / "peer"], **options)
        self._house.ours.add(party.project)
        return party.listening()

    def node(self, name="node", sdk="sentry-node-11", server="express", **options):
        command = ["node", self._house.work / "node" / "server.cjs"]
        party = self._start(name, command, PEER_SDK=sdk, PEER_SERVER=server, **options)
        party.deviates = checks.NODE_10 if sdk == "sentry-node-10" else ()
        return party.listening()

    def python(self, script, name=None, **options):
        command = [self._house.work / "venv" / "bin" / "python", "-u", PARTIES / "python" / f"{script}.py"]
        return self._start(name or script, command, cwd=self._house.work, **options).listening()

    def browser(self, url, calls, lifecycle=None):
        command = ["node", self._house.work / "node" / "drive.js"]
        return self._start("browser", command, lifecycle=lifecycle, PEER_URL=url, PEER_CALLS=calls)

    def spotlight(self):
        command = ["node", self._house.work / "node" / "spotlight.js"]
        return self._start("spotlight", command, cwd=self._house.work).listening()
