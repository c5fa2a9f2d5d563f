"""runs.py - one load on one broker, once: what bench_load says, as a dictionary."""
import json
import os
import subprocess

from brokers import on_cores

QUICK = 8  # a quick run has so many times fewer messages


def generate(generator, broker, args, cores):
    """bench_load's result.  {ping} in args is the port in clear."""
    port = broker.tls_port or broker.port
    command = [str(generator), "--port", str(port), "--pid", str(broker.pid)]
    command += [a.format(ping=broker.port) if a == "{ping}" else a for a in args]
    with on_cores(cores):
        done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"bench: {' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout) | {"said": done.stderr}


def count_of(load, quick):
    return max(load.count // QUICK, 20) if quick and not load.fixed else load.count


def first_clients(generator, broker, load):
    """A few clients come and go; what the broker has then, in kB, is what it has when nothing is to
    be done.  What the first ones need of libraries and threads stays: the next have it for nothing."""
    args = "--kind connect --subs 0 --pubs 0 --idle 4 --count 8".split()
    args += ["--tls"] if load.tls else []
    generate(generator, broker, args, "last")
    return broker.resident_kb()


def run(generator, broker, load, count, back_s=0.0, more=()):
    """back_s  wait so long for the broker's memory to come back; 0: do not look
    more    arguments for bench_load"""
    cores = "all" if load.both else "last"
    look_back = back_s > 0 and not load.keeps
    idle_kb = first_clients(generator, broker, load) if look_back else None
    before = generate(generator, broker, load.first.split(), cores) if load.first else None
    args = load.args_of(broker.name) + ["--count", str(count), *more]
    args += ["--tls"] if load.tls else []
    if not load.args:
        args += "--kind idle --subs 0 --pubs 0 --idle 0".split()
    result = generate(generator, broker, args, cores)
    result |= {"first": before, "accept_ms": broker.accept_ms, "start_ms": broker.start_ms,
               "cores": len(os.sched_getaffinity(0))}
    if look_back and result["ok"]:
        result["back"] = broker.memory_back(idle_kb, back_s)
    return result
