#!/usr/bin/env python3
"""10-spec.py MEROSSD PLUGSIM [words] - the sequence cases of tests/spec/cases against one broker.

Every case runs at level 3 and 4, in clear, over TLS and over WebSockets in both, unless it says
otherwise; after each, a well-behaved pair of clients must still be served.  Words choose cases: a file name, file:line, or
a part of the title or tags.  `10-spec.py --running PORT` takes a broker that already runs."""
import concurrent.futures
import pathlib
import sys
import threading
import time

import harness
import sequence

CASES = pathlib.Path(__file__).resolve().parents[1] / "spec/cases"
WORKERS = 12


class Pair:
    """The bystanders: a subscriber and a publisher that keep to every rule."""

    def __init__(self, open_wire, number):
        self.topic = f"bystander/{number:05d}"
        self.ends = [open_wire(), open_wire()]
        for end, name in zip(self.ends, "sp"):
            end.send(harness.connect(f"by{number:05d}{name}"))
            harness.check(end.receive() == b"\x20\x02\x00\x00", "a bystander was refused")
        self.ends[0].send(harness.packet(0x82, b"\x00\x01" + harness.string(self.topic) + b"\x01"))
        harness.check(self.ends[0].receive() == b"\x90\x03\x00\x01\x01", "a bystander got no SUBACK")
        self.count = 0

    def check(self):
        self.count += 1
        payload = str(self.count).encode()
        self.ends[1].send(harness.publish(self.topic, payload, 1, 7))
        harness.check(self.ends[1].receive() == b"\x40\x02\x00\x07", "a bystander got no PUBACK")
        data = self.ends[0].receive()
        harness.check(data is not None, "a bystander lost its connection")
        got = harness.parse(data)
        harness.check(got["kind"] == "publish" and got["payload"] == payload,
                      f"a bystander got {harness.show(data)}")
        self.ends[0].send(harness.packet(0x40, got["id"].to_bytes(2, "big")))

    def close(self):
        for end in self.ends:
            end.close()


class Runner:
    def __init__(self, ports):
        self.ports = ports  # transport -> port
        self.tls = harness.tls_context()
        self.local = threading.local()
        self.pairs = []
        self.failures = []

    def open_wire(self, transport, **options):
        tls = self.tls if transport in ("tls", "wss") else None
        kind = harness.WebSocketWire if transport in ("ws", "wss") else harness.Wire
        return kind(self.ports[transport], tls, **options)

    def one(self, job):
        number, case, level, transport = job
        opener = lambda **options: self.open_wire(transport, **options)
        try:
            if not hasattr(self.local, "pair"):
                self.local.pair = Pair(lambda: self.open_wire("tcp"), number)
                self.pairs.append(self.local.pair)
            sequence.Run(case, level, transport, opener, number).go()
            self.local.pair.check()
        except Exception as e:  # pylint: disable=broad-except
            if not isinstance(e, harness.Failure):
                e = f"{type(e).__name__}: {e}"
            self.failures.append(f"level {level} {transport}: {case.title}\n    {e}")

    def run(self, jobs):
        """The alone ones one by one, then the rest side by side, the slow ones first."""
        for job in (j for j in jobs if j[1].alone):
            self.one(job)
        crowd = sorted((j for j in jobs if not j[1].alone), key=lambda j: not j[1].slow)
        slow = sum(j[1].slow for j in crowd)
        with concurrent.futures.ThreadPoolExecutor(WORKERS + slow) as pool:
            list(pool.map(self.one, crowd))
        for pair in self.pairs:
            pair.close()


def chosen(words):
    cases = []
    for path in sorted(CASES.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        cases += [c for c in sequence.read_cases(path)
                  if not words or any(w in c.name() or w in lines[c.line - 1] for w in words)]
    return cases


def jobs_of(cases, transports):
    triples = [(c, level, transport) for c in cases for level in c.levels
               for transport in c.transports if transport in transports]
    return [(number, *t) for number, t in enumerate(triples, 1)]


def report(runner, jobs, cases, begin):
    for failure in sorted(runner.failures):
        print("FAILED", failure)
    print(f"{len(cases)} cases, {len(jobs)} runs in {time.monotonic() - begin:.1f} s, "
          f"{len(runner.failures)} failed")
    return bool(runner.failures) or not jobs


def main():
    begin = time.monotonic()
    if sys.argv[1:2] == ["--running"]:
        cases = chosen(sys.argv[3:])
        runner = Runner({"tcp": int(sys.argv[2])})
        jobs = jobs_of(cases, ("tcp",))
        runner.run(jobs)
        return report(runner, jobs, cases, begin)
    binary, _ = harness.program_arguments()
    cases = chosen(sys.argv[3:])
    jobs = jobs_of(cases, sequence.TRANSPORTS)
    with harness.Broker(binary, "allow_anonymous true", ws=True) as broker:
        runner = Runner({t: getattr(broker, t) for t in sequence.TRANSPORTS})
        runner.run(jobs)
        failed = report(runner, jobs, cases, begin)
    return failed


if __name__ == "__main__":
    sys.exit(main())
