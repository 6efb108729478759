"""Runs the cases: `python driver WORK BINARIES [NAME..]`. The last line has the numbers of passed and failed cases."""

import importlib
import pkgutil
import signal
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cases
import checks
import picture
from house import House

SECONDS_PER_CASE = 75
# The normaliser checks the payloads of all other cases, so it runs last.
LAST = "normaliser"


class TooSlow(Exception):
    pass


def main():
    work, binaries, *wanted = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    house = House(work, binaries)
    if wanted[:1] == ["--picture"]:
        try:
            return picture.take(house, wanted[1])
        finally:
            house.close()
    passed, failed = 0, []
    try:
        for name, case in all_cases():
            if wanted and not any(text in name for text in wanted):
                continue
            begin = time.monotonic()
            error = attempt(house, case)
            print(f"{'FAILED' if error else 'ok':6} {time.monotonic() - begin:5.1f}s  {name}", flush=True)
            if error:
                print(error, flush=True)
                failed.append(name)
            else:
                passed += 1
    finally:
        house.close()
    print("\n".join(["", "failed:", *failed, ""]) if failed else "")
    print(f"{passed} passed, {len(failed)} failed", flush=True)
    return 1 if failed or not passed else 0


def all_cases():
    names = sorted((module.name for module in pkgutil.iter_modules(cases.__path__)), key=lambda it: (it == LAST, it))
    for module in names:
        for name, case in importlib.import_module(f"cases.{module}").cases():
            yield f"{module}: {name}", case


def attempt(house, case):
    house.collector.clear()
    try:
        with limit(SECONDS_PER_CASE):
            case(house)
            # The peers have ended by now, so all envelopes have arrived.
            checks.nobody_objects(house)
    except AssertionError as error:
        return f"    {error}"
    except Exception:
        return "    " + traceback.format_exc().replace("\n", "\n    ")
    return None


@contextmanager
def limit(seconds):
    def late(*_):
        raise TooSlow(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


sys.exit(main())
