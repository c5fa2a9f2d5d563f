#!/usr/bin/env python3
"""32-energy.py MEROSSD PLUGSIM [words] - power and energy: the verbs against the real program, and
what is kept over a restart.  (What is counted in two days is in tests/sim/test_two_days.c.)"""
import csv
import io
import json
import re
import signal
import sys
import time

import harness
from harness import Broker, Client, Failure, Program, check

MEROSSD, PLUGSIM = harness.program_arguments()


class Plugs:
    """A plugsim process; leaving the block ends it, and fails when it saw a violation."""

    def __init__(self, broker, *options):
        self.program = Program([PLUGSIM, "--port", broker.tls, *options], stdin=True)

    def __enter__(self):
        return self.program

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.program.kill()
            print("--- plugsim said:", *self.program.text().splitlines()[-20:], sep="\n    ")
            return
        self.program.tell("quit")
        status = self.program.wait()
        check(status == 0, f"plugsim ended with {status}:\n{self.program.text()[-3000:]}")


def until(broker, condition, what):
    """Waits for a state of a plug that satisfies the condition; bounded."""
    watcher = Client(broker.tcp, f"waiter{time.monotonic_ns()}")
    watcher.subscribe("meross/+", 0)
    deadline = time.monotonic() + 3 * harness.PATIENCE
    while time.monotonic() < deadline:
        message = watcher.message()
        if message["payload"][:1] == b"{":
            state = json.loads(message["payload"])
            if condition(state):
                watcher.disconnect()
                return message["topic"].split("/")[1], state
    raise Failure(f"not {what}")


def asked(broker, *words):
    code, out, err = broker.client(*words)
    check(code == 0 and not err, f"{words}: {code} {out} {err}")
    return out


def account(b, name, *words):
    """The channel of the plug as `energy --json` tells it."""
    return json.loads(asked(b, "energy", name, *words, "--json"))["channels"][0]


def until_total(b, name, least, between=lambda: None):
    """Asks until so many Wh are booked; bounded."""
    deadline = time.monotonic() + 3 * harness.PATIENCE
    while account(b, name)["total"] < least:
        check(time.monotonic() < deadline, f"less than {least} Wh were booked")
        between()


def the_verbs():
    with Broker(MEROSSD, extra="meross_timezone UTC") as b:
        check("No plug has counted" in asked(b, "energy"), "energy of nobody")
        check("No plug has told" in asked(b, "power"), "power of nobody")
        with Plugs(b, "--type", "mss310,mss210", "--option", "retry_ms=500") as sim:
            sim.wait_line("^plug 0 bound")
            sim.wait_line("^plug 1 bound")
            sim.tell("load 0 0 36000000")  # 10 Wh each second
            name, _ = until(b, lambda s: "power" in s, "measuring")
            asked(b, "on", name)  # read again within ten seconds
            name, _ = until(b, lambda s: s.get("energy", 0) > 0.02, "20 Wh")
            table = asked(b, "power")
            check(re.search(rf"^{name} +0 +[\d.]+ W +233.1 V +[\d.]+ A +[\d.]+ kWh +[\d.]+ kWh$",
                            table, re.M), table)
            power = json.loads(asked(b, "power", name, "--json"))
            check(power["plugs"][0]["channels"][0]["power"] in (60, 36000), f"{power}")
            formats(b, name, sim)
            errors(b, name)
            shown = json.loads(asked(b, "power", name, "--json"))["plugs"][0]["channels"][0]["energy"]
            mark = sim.mark()
            b.restart()
            sim.wait_line("^plug 0 session", mark)
            # It is counted as soon as the plug is back.
            until_total(b, name, 20, lambda: until(b, lambda s: s.get("energy", 0) >= shown,
                                                   "what was shown before"))
            asked(b, "rename", name, "kettle, \"big\"")
            check(asked(b, "energy", "--csv").splitlines()[1].startswith('"kettle, ""big""",0,'),
                  asked(b, "energy", "--csv"))
            asked(b, "forget", "kettle, \"big\"", "--yes")
            check("No plug has counted" in asked(b, "energy") or
                  json.loads(asked(b, "energy", "--json"))["plugs"][0]["name"] == name, "forgotten")


def a_count_comes(b, name, sim):
    """The plug, which was stopped, answers what the questions before this made merossd ask it.  It
    counts 10 Wh each second, so that there is an hour to tell of, which there is not for a first
    count (meross/energy/ledger.h)."""
    before = account(b, name)["total"]
    stopped = time.monotonic()
    while time.monotonic() < stopped + 1:
        check(account(b, name)["total"] == before, "a plug counted that is stopped")
    sim.process.send_signal(signal.SIGCONT)
    until_total(b, name, before + 1)


def of_one_account(b, name, words, meanwhile=lambda: None):
    """(JSON, table, CSV) of the same account: whoever asks for energy makes the plug count, and when
    that, or midnight, comes between the answers, they are asked for again."""
    deadline = time.monotonic() + 3 * harness.PATIENCE
    data = account(b, name, *words)
    meanwhile()
    while time.monotonic() < deadline:
        table = asked(b, "energy", name, *words)
        listed = list(csv.DictReader(io.StringIO(asked(b, "energy", name, *words, "--csv"))))
        before, data = data, account(b, name, *words)
        if data == before:
            return data, table, listed
    raise Failure(f"the account of {name} is never the same twice: {before} {data}")


def formats(b, name, sim):
    """Table, CSV and JSON say the same, and the sums are those of the rows."""
    month = time.strftime("%Y-%m", time.gmtime())
    sim.process.send_signal(signal.SIGSTOP)  # it counts when the test says so
    for words in ([], ["--days", "30"], ["--hours"], ["--month", month]):
        hours = words == ["--hours"]
        channel, table, listed = of_one_account(
            b, name, words, (lambda: a_count_comes(b, name, sim)) if hours else lambda: None)
        rows = channel["rows"]
        check(rows or not hours, f"no hour: {channel}")
        check(channel["sum"] == sum(r["wh"] for r in rows), f"{channel}")
        check(channel["total"] >= channel["sum"], f"{channel}")
        check("together" in table and "since it is counted" in table, table)
        check([(r["plug"], int(r["wh"])) for r in listed] == [(name, r["wh"]) for r in rows],
              f"{listed} {rows}")
    check(name in asked(b, "energy"), "all plugs")
    check(name in asked(b, "energy", "--month", month), "a month")


def errors(b, name):
    """Every wrong word has its sentence."""
    other = [p["name"] for p in json.loads(asked(b, "list", "--json"))["plugs"] if p["name"] != name]
    for code, words, part in (
            (2, [name, "--day", "2026-02-30"], "no day"), (2, [name, "--day", "today"], "no day"),
            (2, [name, "--month", "2026-13"], "no month"), (2, [name, "--days", "401"], "1 to 400"),
            (2, [name, "--days", "0"], "1 to 400"), (2, [name, "--csv", "--json"], "not both"),
            (2, [name, "--hours", "--days", "2"], "one of"), (2, ["--hours"], "needs a plug"),
            (2, ["--channel", "1"], "needs a plug"), (2, [name, "more"], "too many words"),
            (2, [name, "--day"], "needs a value"), (1, [name, "--channel", "7"], "channel 7"),
            (1, [name, "--day", "2999-01-01"], "future"), (1, [name, "--day", "2019-01-01"], "400 days"),
            (1, [name, "--month", "2019-01"], "400 days"), (3, ["nobody"], "nobody"),
            (1, other, "does not measure power")):
        got, out, err = b.client("energy", *words)
        check(got == code and part in err and (not out or "--json" in words), f"{words}: {got} {out} {err}")
    for code, words, part in ((3, ["nobody"], "nobody"), (1, other, "does not measure power")):
        got, out, err = b.client("power", *words)
        check(got == code and part in err and not out, f"power {words}: {got} {out} {err}")
    got, out, err = b.client("energy", "nobody", "--json")
    check(got == 3 and json.loads(out)["code"] == "no_such_plug", f"{got} {out} {err}")


TESTS = [the_verbs]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS))
