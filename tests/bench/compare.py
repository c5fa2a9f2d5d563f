#!/usr/bin/env python3
"""compare.py BUILD [options] - loads.py on mosquitto and merossd in turn; see tools/bench.

Each broker is started anew for each load, with the same settings, on one core; the load generator
has another.  What is compared is the broker's CPU time for each message that arrived: it hardly
depends on what else the machine does.  Where TLS is on, the client offers one suite and one curve
only (TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256, P-256), so both brokers do the same.  A benchmark, not a
test: it ends with 0 whatever comes out, and with 1 only when a run could not be made."""
import argparse
import json
import pathlib
import shutil
import sys
import tempfile

import counts
import table
from brokers import BROKERS, Broker, make_certificate
from loads import LOADS
from runs import count_of, run

BACK_S = {"merossd": 15.0, "mosquitto": 1.0}  # mosquitto gives nothing back later


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder, self.cert = args, folder, make_certificate(folder)
        self.lines = []

    def say(self, line):
        self.lines.append(line)
        print(line, flush=True)

    def run_once(self, name, load, last):
        with Broker(name, self.args.programs[name], self.folder, load, self.cert) as broker:
            result = run(self.args.generator, broker, load, count_of(load, self.args.quick),
                         BACK_S[name] if last else 0)
        if not result["ok"]:
            print(f"bench: {load.name}: {name}: {result['why']} {result['said']}"
                  f"{broker.log.read_text(errors='replace')[-500:]}", file=sys.stderr)
        return result

    def measure(self, load):
        runs = {name: [] for name in BROKERS}
        pairs = 1 if load.once else self.args.pairs
        for i in range(pairs):
            for name in BROKERS:
                if load.args_of(name) is not None:
                    runs[name].append(self.run_once(name, load, i + 1 == pairs))
        for line in table.rows(load, runs):
            self.say(line)
        return {"load": load.name, "args": load.args, "runs": runs}

    def all(self):
        what = table.machine(self.args.programs) | {"pairs": self.args.pairs}
        self.say("; ".join(f"{k}: {v}" for k, v in what.items()) + "\n")
        if self.args.counts:
            return what | {"counts": counts.table(self.args, self.folder, self.cert, self.say)}
        self.say(table.HEAD)
        return what | {"loads": [self.measure(load) for load in self.args.loads]}


def read_arguments():
    p = argparse.ArgumentParser(prog="tools/bench")
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--pairs", type=int)
    p.add_argument("--only", default="")
    p.add_argument("--json", type=pathlib.Path)
    p.add_argument("--markdown", type=pathlib.Path)
    p.add_argument("--counts", action="store_true")
    p.add_argument("--list", action="store_true")
    args = p.parse_args()
    args.pairs = args.pairs or (3 if args.quick else 5)
    args.loads = [load for load in LOADS if args.only.lower() in load.name.lower()]
    args.json = args.json or args.build / ("counts.json" if args.counts else "bench.json")
    args.generator = args.build.resolve() / "tests/bench/bench_load"
    args.programs = {"merossd": args.build.resolve() / "merossd",
                     "mosquitto": shutil.which("mosquitto") or "/usr/sbin/mosquitto"}
    return args


def main():
    args = read_arguments()
    if args.list:
        print("\n".join(load.name for load in args.loads))
        return
    with tempfile.TemporaryDirectory(prefix="merossd-bench-") as folder:
        pathlib.Path(folder).chmod(0o755)
        bench = Bench(args, pathlib.Path(folder))
        what = bench.all()
    args.json.write_text(json.dumps(what, indent=1))
    if args.markdown:
        args.markdown.write_text("\n".join(bench.lines) + "\n")
    print(f"\nevery run: {args.json}")


if __name__ == "__main__":
    main()
