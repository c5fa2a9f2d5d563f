#!/usr/bin/env python3
"""compare.py BUILD [--quick] [--pairs N] [--only WORD] [--json FILE] [--list] - loads.py on mosquitto
and merossd in turn.

Each broker is started anew for each load, with its own configuration in a folder of its own, on one
core; the load generator has another.  What is compared is the broker's CPU time for each message
that arrived: it hardly depends on what else the machine does.  A benchmark, not a test: it ends
with 0 whatever comes out, and with 1 only when a run could not be made."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from loads import LOADS, cpu

BROKERS = ("mosquitto", "merossd")
BOTH = """listener {port} 127.0.0.1
allow_anonymous true
persistence {persistence}
max_queued_messages {queue}
max_inflight_messages 0
set_tcp_nodelay true
connection_messages false
log_type error
"""
TLS = "certfile {cert}\nkeyfile {key}\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_certificate(folder):
    """RSA-2048, as plugs need it; the same for both brokers."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                    cert, "-days", "30", "-subj", "/CN=localhost"], check=True, capture_output=True)
    key.chmod(0o644)
    return cert, key


class Broker:
    def __init__(self, name, program, folder, load, cert):
        self.port = free_port()
        conf = folder / f"{name}.conf"
        kept = load.persistence is not None
        text = BOTH.format(port=self.port, persistence=str(kept).lower(), queue=load.queue)
        if kept and name == "merossd":
            text += f"state_dir {folder / 'state'}\npersistence_sync {load.persistence}\n"
            shutil.rmtree(folder / "state", ignore_errors=True)
            (folder / "state").mkdir()
        if load.tls:
            text = text.replace("allow_anonymous", TLS.format(cert=cert[0], key=cert[1]) +
                                "allow_anonymous", 1)
        conf.write_text(text)
        command = [program, "-c", str(conf)]
        cores = sorted(os.sched_getaffinity(0))
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=open(folder / f"{name}.log", "wb"),
            preexec_fn=lambda: os.sched_setaffinity(0, cores[:1]))
        self.wait()

    def wait(self):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.01)
        raise SystemExit(f"bench: the broker did not start: {self.process.args}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run_once(args, name, load, folder, cert):
    broker = Broker(name, args.programs[name], folder, load, cert)
    count = max(load.count // 8, 20) if args.quick and load.figure is cpu else load.count
    command = [args.generator, "--port", str(broker.port), "--pid", str(broker.process.pid),
               "--count", str(count)] + load.args + (["--tls"] if load.tls else [])
    cores = sorted(os.sched_getaffinity(0))
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, cores[-1:]))
    finally:
        broker.stop()
    if not done.stdout:
        raise SystemExit(f"bench: {' '.join(map(str, command))}: {done.stderr}")
    result = json.loads(done.stdout)
    if not result["ok"]:
        print(f"bench: {load.name}: {name}: {result['why']}", file=sys.stderr)
    return result


def spread(values, places=2):
    if not values:
        return "-"
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{low:.{places}f} / {mid:.{places}f} / {high:.{places}f}"


def judge(load, ratio, ours):
    target, value = (load.target, ratio) if load.most is None else (load.most, ours)
    if target is None:
        return ""
    return f"≤ {target:g} " + ("met" if value <= target else "MISSED")


def row(load, runs):
    figures = {name: [load.figure(r) for r in runs[name]] for name in BROKERS}
    ratios = [b / a for a, b in zip(figures["mosquitto"], figures["merossd"]) if a > 0]
    ratio = statistics.median(ratios) if ratios else 0
    verdict = judge(load, ratio, statistics.median(figures["merossd"]))
    own = statistics.median([r["own_load"] for r in runs["merossd"]])
    return (f"| {load.name} | {spread(figures['mosquitto'])} | {spread(figures['merossd'])} | "
            f"{spread(ratios)} | {verdict} | {own:.0%} |")


def measure(args, folder):
    cert = make_certificate(folder)
    every = []
    print("| load | mosquitto, µs per message: min / median / max | merossd | ratio | target "
          "| generator busy |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for load in args.loads:
        runs = {name: [] for name in BROKERS}
        for _ in range(args.pairs):
            for name in BROKERS:
                runs[name].append(run_once(args, name, load, folder, cert))
        every.append({"load": load.name, "args": load.args, "target": load.target, "runs": runs})
        print(row(load, runs), flush=True)
    return every


def read_arguments():
    p = argparse.ArgumentParser(prog="tools/bench")
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--pairs", type=int)
    p.add_argument("--only", default="")
    p.add_argument("--json", type=pathlib.Path)
    p.add_argument("--list", action="store_true")
    args = p.parse_args()
    args.pairs = args.pairs or (3 if args.quick else 5)
    args.loads = [load for load in LOADS if args.only.lower() in load.name.lower()]
    args.json = args.json or args.build / "bench.json"
    args.generator = args.build.resolve() / "tests/bench/bench_load"
    args.programs = {"merossd": args.build.resolve() / "merossd",
                     "mosquitto": shutil.which("mosquitto") or "/usr/sbin/mosquitto"}
    return args


def version(program):
    said = subprocess.run([program, "-h" if "mosquitto" in str(program) else "--version"],
                          capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0]


def main():
    args = read_arguments()
    if args.list:
        print("\n".join(load.name for load in args.loads))
        return
    what = {"machine": os.uname().machine, "cores": len(os.sched_getaffinity(0)),
            "brokers": [version(args.programs[name]) for name in BROKERS], "pairs": args.pairs}
    print("; ".join(f"{k}: {v}" for k, v in what.items()), "\n")
    with tempfile.TemporaryDirectory(prefix="merossd-bench-") as folder:
        pathlib.Path(folder).chmod(0o755)
        what["loads"] = measure(args, pathlib.Path(folder))
    args.json.write_text(json.dumps(what, indent=1))
    print(f"\nevery run: {args.json}")


if __name__ == "__main__":
    main()
