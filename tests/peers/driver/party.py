"""Peer programs: starts them, waits for them, and stops them by closing their standard input."""

import os
import re
import subprocess
import threading
import time


class Party:
    """`project` is the project that it reports to; `lines` is its output."""

    def __init__(self, name, command, project=None, cwd=None, **variables):
        self.name, self.project = name, project
        # The members of the context that differ in its own envelopes.
        self.deviates = ()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("SENTRY_", "PEER_"))}
        environment.update({key: str(value) for key, value in variables.items() if value is not None})
        self.lines = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            with self._changed:
                self.lines.append(line.rstrip())
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def match(self, pattern, seconds=30):
        """Returns the first group of the first line that matches."""
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found.group(1)
                left = end - time.monotonic()
                if left <= 0 or self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} never said {pattern!r}, but:\n{self.tail()}")
                self._changed.wait(min(left, 0.2))

    def listening(self):
        self.url = self.match(r"listening on ((?:http|redis)\S*)")
        return self

    def tail(self):
        return "\n".join(f"    {self.name}| {line}" for line in self.lines[-25:])

    def relay(self, item="7"):
        return f"{self.url}/{self.name}/{item}"

    def close(self, seconds=10):
        """Asks the program to flush and exit, and kills it if it does not."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            return self._process.wait()
