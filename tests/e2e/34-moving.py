#!/usr/bin/env python3
"""34-moving.py MEROSSD PLUGSIM [words] - plugs are sent on and reset: `merossd move-all` and `unbind`
against simulated plugs."""
import json
import re
import signal
import subprocess
import time

import harness
from harness import Broker, Program, check, free_port
from pairing import (MEROSSD, Sim, Terminal, plugs_of, records, verb)


def ten_plugs_move():
    models = "mss310,mss210,mss425e,mss110-7.3.37,mss305-8.3.15"
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new, \
            Sim(old, "--type", models, "--count", "10") as sim:
        for i in range(10):
            sim.event(rf"^plug {i} bound")
        deadline = time.monotonic() + 2 * harness.PATIENCE
        while not (len(plugs_of(old)) == 10 and all(p["online"] for p in plugs_of(old))):
            check(time.monotonic() < deadline, f"{plugs_of(old)}")
        for i, p in enumerate(plugs_of(old)):
            check(verb(old, "rename", p["uuid"], f"Lampe {i}")[0] == 0, "")
        before = {p["uuid"]: p["name"] for p in plugs_of(old)}
        to = ("--port", new.tls, "--to-port", new.tcp)
        code, out, err = verb(old, "move-all", "127.0.0.1", *to, patience=280)
        check(code == 0 and "10 of 10 plugs" in out, f"{code} {out}{err}")
        after = plugs_of(new)
        check({p["uuid"]: p["name"] for p in after} == before, f"{after}")
        check(all(p["online"] and p["key"] == "own" for p in after), f"{after}")
        for p in after:
            code, out, err = verb(new, "toggle", p["name"])
            check(code == 0, f"{p['name']}: {err}")
        code, out, err = verb(old, "move-all", "127.0.0.1", *to)  # again: nothing is left to do
        check(code == 0 and out.count("there already") == 10, out)
        code, out, err = verb(old, "move-all", "127.0.0.1", *to, "--json")
        check(json.loads(out)["there_already"] == 10, out)


def new_firmware_is_not_hurried():
    """[trap 39] Firmware 8 restarts under a burst: whoever asks, right after it connected."""
    with Broker(MEROSSD) as b, Sim(b, "--type", "mss305-8.3.15") as sim:
        sim.event("^plug 0 bound")
        name = plugs_of(b)[0]["name"]
        switches = [subprocess.Popen([MEROSSD, "on", "-p", str(b.tcp), name]) for _ in range(4)]
        check([s.wait(60) for s in switches] == [0] * 4, sim.program.text())


def new_firmware_moves():
    """[trap 39] The request to move waits its turn."""
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new, \
            Sim(old, "--type", "mss305-8.3.15") as sim:
        sim.event("^plug 0 bound")
        code, out, err = verb(old, "move-all", "127.0.0.1", "--port", new.tls, "--to-port", new.tcp)
        check(code == 0 and "1 of 1 plug" in out, f"{code} {out}{err}")
        check(plugs_of(new)[0]["key"] == "own", f"{plugs_of(new)}")


def some_plugs_stay():
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new:
        with Sim(old, "--type", "mss210") as gone:
            gone.event("^plug 0 bound")
            name = plugs_of(old)[0]["name"]
        with Sim(old, "--type", "mss310") as sim:
            sim.event("^plug 0 bound")
            check(verb(old, "rename", name, "away")[0] == 0, "")
            to = ("--port", new.tls, "--to-port", new.tcp)
            code, out, err = verb(old, "move-all", "127.0.0.1", *to)
            check("away  offline: away is not connected" in out and "1 of 2" in out and code == 4, f"{code} {out}{err}")
            check(len(plugs_of(new)) == 1, f"{plugs_of(new)}")


class Moving(Program):
    """`move-all` in the background, with the simulated plug's word that it was told."""

    def __init__(self, old, new, sim):
        mark = sim.program.mark()
        super().__init__([MEROSSD, "move-all", "-h", "127.0.0.1", "-p", old.tcp, "127.0.0.1",
                          "--port", new.tls, "--to-port", new.tcp])
        sim.event("^plug 0 told", mark)


def online_with_its_key(broker):
    deadline = time.monotonic() + harness.PATIENCE
    while not any(p["key"] == "own" and p["online"] for p in plugs_of(broker)):
        check(time.monotonic() < deadline, f"{plugs_of(broker)}")


def ctrl_c_after_a_plug_was_told():
    """It has not left yet, and will: the other broker keeps the key it will come with."""
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new, \
            Sim(old, "--type", "mss310", "--option", "rekey_ms=3000", forgiving=True) as sim:
        sim.event("^plug 0 bound")
        p = Moving(old, new, sim)
        p.process.send_signal(signal.SIGINT)
        check(p.wait() == 1 and "its key is kept there" in p.text(), p.text())
        sim.event("^plug 0 rekey")
        online_with_its_key(new)


def a_key_that_was_told_is_not_replaced():
    """A plug that was told and is away may come with that key: a further run leaves it alone."""
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new:
        with Sim(old, "--type", "mss310", "--option", "rekey_ms=600000", forgiving=True) as sim:
            sim.event("^plug 0 bound")
            for _ in range(2):  # the first key is a new plug's, the second one waits beside it
                p = Moving(old, new, sim)
                p.process.send_signal(signal.SIGINT)
                check(p.wait() == 1, p.text())
            sim.program.kill()
        name = plugs_of(old)[0]["name"]
        deadline = time.monotonic() + harness.PATIENCE
        while not (keys := re.findall(rb'"pending_key":"([0-9a-f]{32})"', records(new))):
            check(time.monotonic() < deadline, "no key was kept")
            time.sleep(0.1)
        while plugs_of(old)[0]["online"]:
            check(time.monotonic() < deadline, f"{plugs_of(old)}")
        code, out, err = verb(old, "move-all", "127.0.0.1", "--port", new.tls, "--to-port", new.tcp)
        check(code == 4 and f"{name}  offline: it is not here with the key" in out, f"{code} {out}{err}")
        with Sim(new, "--type", "mss310", "--key", keys[-1].decode(), forgiving=True):
            online_with_its_key(new)


def move_refusals():
    with Broker(MEROSSD) as old, Sim(old, "--type", "mss310") as sim:
        sim.event("^plug 0 bound")
        code, out, err = verb(old, "move-all", "127.0.0.1", "--port", free_port())
        check(code == 1 and "refuses connections" in err and "No plug was touched" in err, err)
        with Broker(MEROSSD, extra="allow_anonymous false\n") as new:
            code, out, err = verb(old, "move-all", "127.0.0.1", "--port", new.tls, "--to-port",
                                  new.tcp)
            check(code == 1 and "not authorised" in err, f"{code} {err}")
            nothing = plugs_of(old)
            check(nothing[0]["online"], "it was moved")


def unbinds():
    with Broker(MEROSSD) as b, Sim(b, "--type", "mss310", forgiving=True) as sim:
        sim.event("^plug 0 bound")
        name = plugs_of(b)[0]["name"]
        code, out, err = verb(b, "unbind", name)
        check(code == 2 and "--yes" in err, err)
        t = Terminal(b, "unbind", name)
        t.wait("Type its name")
        t.type("something\n")
        check(t.end() == 1 and "nothing was changed" in t.text, t.text)
        check(len(plugs_of(b)) == 1, "it is gone")
        t = Terminal(b, "unbind", name)
        t.wait("Type its name")
        t.type(name + "\n")
        check(t.end() == 0 and "is reset and forgotten" in t.text, t.text)
        check(plugs_of(b) == [], f"{plugs_of(b)}")
        code, out, err = verb(b, "unbind", name, "--yes")
        check(code == 3 and "no plug" in err, err)


def unbinds_over_the_lan():
    """The plug has no connection any more: its broker is at another port."""
    for model in ("mss310", "mss110-7.3.37"):
        http = free_port()
        with Broker(MEROSSD, extra=f"meross_lan_port {http}\n") as b, \
                Sim(b, "--type", model, "--http", http, forgiving=True) as sim:
            sim.event("^plug 0 bound")
            name = plugs_of(b)[0]["name"]
            check(verb(b, "on", name)[0] == 0, "it does not obey")
            b.stop()
            b.start()
            code, out, err = verb(b, "unbind", name, "--yes")
            check(code == 0 and "is reset and forgotten" in out, f"{model}: {code} {out}{err}")
            sim.event("^plug 0 pairing")
            check(plugs_of(b) == [], f"{plugs_of(b)}")


if __name__ == "__main__":
    raise SystemExit(harness.main([
        ten_plugs_move, new_firmware_is_not_hurried, new_firmware_moves, some_plugs_stay,
        ctrl_c_after_a_plug_was_told, a_key_that_was_told_is_not_replaced, move_refusals, unbinds,
        unbinds_over_the_lan]))
