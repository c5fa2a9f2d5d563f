"""counts.py - system calls and instructions of a broker for each message: figures without noise.

The broker runs under strace, or under valgrind's callgrind, once with few messages and once with
more; what the second run has more of is divided by the messages that it had more, so that start,
connecting and end do not count.  A broker that runs so slowly finds more to do at a time; both
do."""
import sys
import time

from brokers import BROKERS, Broker
from runs import run
from table import escape

SLOWLY = ("--patience", "200", "--at-once", "4")  # a handshake under valgrind takes long
FEW, MORE = 400, 80  # such a part of the messages of a full run
MORE_TLS = 10        # handshakes are not all of one length, which many messages must outweigh


def wrap(tool, out):
    if tool == "strace":
        # -D: strace is the child, so the broker can be told to end.
        return ["strace", "-D", "-f", "-c", "-U", "calls,name", "-o", out]
    return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]


def total(tool, out):
    """All that was counted; the file is complete some time after the broker has ended."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        lines = out.read_text(errors="replace").splitlines() if out.exists() else []
        for line in lines:
            words = line.split()
            if tool == "strace" and words[-1:] == ["total"]:
                return int(words[0])
            if tool == "callgrind" and words[:1] == ["totals:"]:
                return int(words[1])
        time.sleep(0.02)
    raise SystemExit(f"bench: {tool} has not told its total in {out}")


def count(tool, args, folder, cert, name, load, messages):
    """(what was counted, messages that arrived); None: the run failed."""
    out = folder / f"{tool}.out"
    out.unlink(missing_ok=True)
    with Broker(name, args.programs[name], folder, load, cert, wrap(tool, out)) as broker:
        result = run(args.generator, broker, load, messages, more=SLOWLY)
    if not result["ok"]:
        print(f"bench: {load.name}: {name} under {tool}: {result['why']}", file=sys.stderr)
        return None
    return total(tool, out), result["delivered"]


def per_message(tool, args, folder, cert, name, load):
    got = [count(tool, args, folder, cert, name, load, max(load.count // part, least))
           for part, least in ((FEW, 5), (MORE_TLS if load.tls else MORE, 25))]
    if None in got:
        return None
    (few, few_n), (more, more_n) = got
    return (more - few) / (more_n - few_n)


def cells(pair, places):
    text = ["–" if v is None else f"{v:,.{places}f}" for v in pair]
    ratio = f"{pair[1] / pair[0]:.2f}" if None not in pair and pair[0] > 0 else "–"
    return [*text, ratio]


def table(args, folder, cert, say):
    say("| load | system calls per message: mosquitto | merossd | ratio "
        "| instructions per message: mosquitto | merossd | ratio |\n| --- " + "| ---: " * 6 + "|")
    every = []
    for load in (load for load in args.loads if load.counted):
        it = {"load": load.name}
        row = [escape(load.name)]
        for tool, places in (("strace", 2), ("callgrind", 0)):
            # What plugs are asked at first costs more than what they report.
            skip = tool == "callgrind" and "--plugs" in load.args
            pair = [None if skip else per_message(tool, args, folder, cert, name, load)
                    for name in BROKERS]
            it[tool] = dict(zip(BROKERS, pair))
            row += cells(pair, places)
        say("| " + " | ".join(row) + " |")
        every.append(it)
    return every
