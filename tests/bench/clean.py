#!/usr/bin/env python3
"""clean.py BUILD [WORD] - each load of loads.py for a moment, on the merossd of that build.

For builds with sanitizers: a test, not a measurement.  It fails when a message is lost, when
merossd does not end with 0, or when a sanitizer says something."""
import pathlib
import re
import sys
import tempfile

from brokers import Broker, make_certificate
from loads import LOADS
from runs import run

BAD = re.compile(r"Sanitizer|runtime error|WARNING: ThreadSanitizer|Assertion")
# Nobody measures anything here: few of each are enough.
MOST = {"--idle": 100, "--subs": 60, "--pubs": 40, "--plugs": 25, "--at-once": 100, "--rate": 400,
        "--size": 100000, "--filters": 300}
MESSAGES = 200


def small(load):
    """The load with fewer of everything; topics follow the filters, so that each is still heard."""
    words = load.args[:]
    most = dict(MOST)
    if "--filters" in words:
        most["--topics"] = MOST["--filters"]
    for i, word in enumerate(words[:-1]):
        if word in most:
            words[i + 1] = str(min(int(words[i + 1]), most[word]))
    it = vars(load).copy()
    copy = object.__new__(type(load))
    vars(copy).update(it | {"args": words, "first": None})
    return copy


def check(build, folder, cert, load):
    """None, or what is wrong."""
    with Broker("merossd", build / "merossd", folder, load, cert) as broker:
        result = run(build / "tests/bench/bench_load", broker, load, min(load.count, MESSAGES),
                     more=("--patience", "60"))
        status = broker.stop()
    said = broker.log.read_text(errors="replace")
    if not result["ok"]:
        return f"{result['why']} {result['said']}"
    if BAD.search(said):
        return said
    return f"exit status {status}: {said}" if status != 0 else None


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    word = sys.argv[2].lower() if len(sys.argv) > 2 else ""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="merossd-clean-") as folder:
        folder = pathlib.Path(folder)
        cert = make_certificate(folder)
        for load in map(small, (load for load in LOADS if word in load.name.lower())):
            wrong = check(build, folder, cert, load)
            failed += wrong is not None
            print(f"{'FAILED' if wrong else 'clean'}: {load.name}{': ' + wrong if wrong else ''}",
                  flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
