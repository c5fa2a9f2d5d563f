#!/usr/bin/env python3
"""34-pairing.py MEROSSD PLUGSIM [words] - plugs in set-up mode are set up: `merossd pair` against
simulated plugs."""
import json
import re
import tempfile

import harness
from harness import Broker, check
from pairing import (MEROSSD, SECRET, Sim, Terminal, nothing_registered, pair, plugs_of,
                     side_by_side, verb)


def the_whole_way():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", "mss310") as sim:
        code, out, err = pair(b, sim, "--name", "kettle")
        check(code == 0, f"{code}\n{out}{err}")
        for words in ("answers plugs", "found mss310, 48:e1:e9:12:34:56", "random key", "both hosts",
                      "it blinks green", "LED: steady", "first reading: 2", "kettle is ready"):
            check(words in out, f"{words}:\n{out}")
        plug = plugs_of(b)[0]
        check(plug["name"] == "kettle" and plug["key"] == "own" and plug["online"], f"{plug}")
        check("\033[" not in out, "colours in a pipe")
        code, out, _ = verb(b, "toggle", "kettle")
        check(code == 0, out)
        check("kettle" not in b.program.text() or SECRET not in b.program.text(), "in the log")
        code, out, err = pair(b, sim)  # it is no access point any more
        check(code == 1 and "set up already" in err, f"{code} {err}")


def json_for_programs():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", "mss210") as sim:
        with tempfile.NamedTemporaryFile() as f:
            f.write(SECRET.encode() + b"\r\nsecond line\n")
            f.flush()
            code, out, err = verb(b, "pair", "--plug", sim.at(), "--ssid", "Home", "--json",
                                  "--password-file", f.name)
        result = json.loads(out)
        check(code == 0 and result["status"] == "ok" and result["type"] == "mss210", f"{out}{err}")
        check(result["name"] == plugs_of(b)[0]["name"] and "✓" in err, f"{out}{err}")


def one_generation(model, *options):
    words = [w for o in options for w in ("--option", o)]
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", model, *words) as sim:
        code, out, err = pair(b, sim)
        check(code == 0, f"{model} {options}: {code}\n{out}{err}")
        plug = plugs_of(b)[0]
        check(plug["key"] == "own" and plug["online"], f"{model} {options}: {plug}")
        check(sim.asked("Config.Wifi") + sim.asked("Config.WifiX") == 1, "told twice")


def generations():
    """Old, encrypted and slow plugs, and their habits."""
    side_by_side(one_generation, (
        ("mss310-1.1.18",), ("mss110-7.3.37",), ("mss310-2.1.17",), ("mss315-9.5.33",),
        ("mss310", "http_bare_lf=1"), ("mss310", "lost_setack=1"),
        ("mss310", "wifix=1", "ecdhe=1"), ("mss310", "wifix=0", "ecdhe=0")))


def one_access_point_of_two():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--bssid", "DE:AD:00:00:BE:F0")
        check(code == 0, f"{out}{err}")
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--bssid", "DE:AD:00:00:00:00")
        check(code == 1 and "from that access point" in err, err)
        nothing_registered(b)


def by_a_person():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        t = Terminal(b, "pair", "--plug", sim.at())
        t.wait(r"Network \[1-4\]: $")
        check(re.search(r"1\) Home +96 %  good  WPA", t.text), t.text)
        check("open" in t.text and "Café \"Zur Post\"" in t.text, t.text)
        for wrong in ("9", "0", "x", ""):
            t.type(wrong + "\n")
        t.type("1\n")
        t.wait(r"Password of Home: $")
        t.type(SECRET + "\n")
        t.wait(r"Name for this plug")
        t.type("a/b\n")
        t.wait(r"none of / \+ #")
        t.type("Küche\n")
        check(t.end() == 0, t.text)
        check(SECRET not in t.text, "the password was shown")
        check("\033[32m✓" in t.text and "Küche is ready" in t.text, t.text)


def paired_again():
    """A plug that was known is reset and set up again: it keeps its name until it is there."""
    with Broker(MEROSSD) as b:
        with Sim(b, "--ap") as sim:
            check(pair(b, sim, "--name", "kettle")[0] == 0, "")
        with Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--name", "boiler", ssid="Home5G")
            check(code == 1 and plugs_of(b)[0]["name"] == "kettle", f"{err} {plugs_of(b)}")
        with Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--name", "boiler")
            check(code == 0 and "boiler is ready" in out, f"{out}{err}")
            plug = plugs_of(b)[0]
            check(plug["name"] == "boiler" and plug["key"] == "own" and plug["online"], f"{plug}")
            check(verb(b, "toggle", "boiler")[0] == 0, "it does not obey its second key")


def ctrl_c_at_a_prompt():
    for prompt, answers in ((r"Network \[1-4\]: $", []), (r"Password of Home: $", ["1\n"])):
        with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            t = Terminal(b, "pair", "--plug", sim.at())
            for answer in answers:
                t.wait(r"Network \[1-4\]: $")
                t.type(answer)
            t.wait(prompt)
            t.type("\x03")
            check(t.end() == 1 and "interrupted" in t.text and "untouched" in t.text, t.text)
            nothing_registered(b)


if __name__ == "__main__":
    raise SystemExit(harness.main([
        the_whole_way, json_for_programs, generations, one_access_point_of_two, by_a_person,
        paired_again, ctrl_c_at_a_prompt]))
