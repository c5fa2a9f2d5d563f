"""table.py - the result as a table in Markdown, one row for each figure."""
import os
import platform
import statistics
import subprocess

from brokers import BACK, BROKERS

BUSY = 0.95  # the load generator was what limited the rate
HEAD = ("| load | figure | mosquitto: min / median / max | merossd | ratio | target "
        "| generator busy | resident after, first clients = 1 |\n" + "| --- " * 2 + "| ---: " * 6 + "|")


def escape(name):
    """As it may stand in a table."""
    return name.replace("|", "\\|").replace("#", "`#`").replace(" + ", " `+` ")


def spread(values, places=2):
    if not values:
        return "–"
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{low:.{places}f} / {mid:.{places}f} / {high:.{places}f}"


def values(figure, runs):
    return [figure.of(r) for r in runs if r["ok"]]


def ratios(figure, runs):
    both = [(a, b) for a, b in zip(*(runs[name] for name in BROKERS)) if a["ok"] and b["ok"]]
    return [figure.of(b) / figure.of(a) for a, b in both if figure.of(a) > 0]


def verdict(figure, runs):
    """(text, whether it was met); None: no target."""
    limit = figure.most if figure.target is None else figure.target
    if limit is None:
        return "", None
    got = values(figure, runs["merossd"]) if figure.target is None else ratios(figure, runs)
    met = bool(got) and statistics.median(got) <= limit
    times = "" if figure.target is None else " ×"
    return f"≤ {limit:g}{times} {'met' if met else 'MISSED'}", met


def busy(runs):
    """How much of its core the load generator used; it does not tell where the broker's CPU is the
    figure, except that a broker that waits has less to write at a time."""
    own = statistics.median([r["own_load"] for r in runs["merossd"] or runs["mosquitto"]])
    return f"{own:.0%}" + (" (it limits)" if own > BUSY else "")


def back(runs):
    seen = [max((r["back"] for r in runs[name] if "back" in r), default=None) for name in BROKERS]
    text = " / ".join("–" if b is None else f"{b:.2f}" for b in seen)
    return text + (" MISSED" if seen[1] is not None and seen[1] > BACK else "")


def rows(load, runs):
    for i, f in enumerate(load.figures):
        first = i == 0
        cells = [escape(load.name) if first else "", f.unit,
                 *(spread(values(f, runs[name]), f.places) for name in BROKERS),
                 spread(ratios(f, runs)), verdict(f, runs)[0],
                 busy(runs) if first else "", back(runs) if first else ""]
        yield "| " + " | ".join(cells) + " |"


def said_first(*command):
    said = subprocess.run(command, capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0]


def machine(programs):
    """What the numbers belong to."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "mosquitto": said_first(programs["mosquitto"], "-h"),
            "merossd": said_first(programs["merossd"], "--version")}
