#!/usr/bin/env python3
"""34-joining.py MEROSSD PLUGSIM [words] - `merossd pair --join`: into the plug's network and back,
whatever happens; `nmcli`, `iw` and `ip` are stand-ins."""
import os
import signal

import harness
from harness import Broker, Program, check, free_port
from pairing import (IW_AIR, MEROSSD, NMCLI, NMCLI_AIR, SECRET, Sim, Stand, Terminal,
                     nothing_registered, pair, side_by_side, verb, ways_to_join)


def joins_and_comes_back():
    for way, stand in ways_to_join():
        with stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--join", env=stand.env)
            check(code == 0, f"{way}: {out}{err}\n{stand.log()}")
            check("joining Meross_SW_3456" in out, out)
            check(not stand.has("inside") and not stand.has("profile"), f"{way}:\n{stand.log()}")
            check(SECRET not in stand.log(), "the password in the words of a program")
            if way == "nmcli":
                check(stand.has("home") and "My:Home" in out, f"{out}\n{stand.log()}")
                check("never-default yes" in stand.log(), stand.log())
            else:
                check("ip addr add 10.10.10.199/24 dev mrspair0" in stand.log(), stand.log())


def comes_back_after_a_failure():
    for way, stand in ways_to_join():
        with stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--join", ssid="Home5G", env=stand.env)
            check(code == 1 and "5 GHz" in err, f"{way}: {err}")
            check(not stand.has("inside") and not stand.has("profile"), f"{way}:\n{stand.log()}")
            check(way == "iw" or stand.has("home"), stand.log())
            # It does not let us in at all.
            (stand.path / "refuses").touch()
            code, out, err = verb(b, "pair", "--plug", f"127.0.0.1:{free_port()}", "--ssid", "Home",
                                  "--join", env=stand.env)
            check(code == 1 and "cannot join the plug's network" in err, f"{way}: {err}")
            check(not stand.has("inside") and not stand.has("profile"), f"{way}:\n{stand.log()}")
            nothing_registered(b)


def interrupted_at(way, step):
    stand = dict(ways_to_join())[way]
    with stand, Broker(MEROSSD) as b, Sim(b, "--ap", forgiving=True) as sim:
        p = Program([MEROSSD, "pair", "-h", "127.0.0.1", "-p", b.tcp, "--plug", sim.at(),
                     "--ssid", "Home", "--join"], stdin=True, env={**os.environ, **stand.env})
        p.wait_line(step)
        p.process.send_signal(signal.SIGINT)
        check(p.wait() == 1, p.text())
        check(not stand.has("inside") and not stand.has("profile"),
              f"{way}, {step}:\n{stand.log()}")
        nothing_registered(b)


def comes_back_after_ctrl_c():
    side_by_side(interrupted_at, [
        (way, step) for way in ("nmcli", "iw")
        for step in ("joining Meross", "found mss310", "looks for networks")])


def looks_back_for_the_reason():
    """With --join the plug's network is joined once more when the plug does not arrive."""
    with Stand(NMCLI_AIR, nmcli=NMCLI) as stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--join", password="not the password", env=stand.env)
        check(code == 1 and "password error" in err, err)
        check(stand.log().count("connection up id merossd-pair") == 2, stand.log())
        check(not stand.has("inside") and not stand.has("profile"), stand.log())
        nothing_registered(b)


def no_tool_no_network():
    with Stand("", nmcli="#!/bin/sh\nexit 127\n", iw="#!/bin/sh\nexit 127\n") as stand, \
            Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--join", env=stand.env)
        check(code == 1 and "nmcli" in err and "iw" in err, err)
        check("Without --join" in err, err)


def several_plugs():
    """Which of them is asked for, or said; without a terminal they are named."""
    air = {"nmcli": NMCLI_AIR + "Meross_SW_9999:90:2412 MHz\n",
           "iw": IW_AIR + "BSS 48:e1:e9:12:99:99(on wlan0)\n\tfreq: 2412\n\tsignal: -40.00 dBm\n"
                          "\tSSID: Meross_SW_9999\n"}
    for way, stand in ways_to_join():
        (stand.path / "air").write_text(air[way])
        with stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--join", env=stand.env)
            check(code == 1 and "Meross_SW_9999, Meross_SW_3456" in err and "--ap-name" in err,
                  f"{way}: {code} {err}")
            check("joining" not in out and not stand.has("inside"), f"{way}: {out}")
            nothing_registered(b)
            code, out, err = pair(b, sim, "--join", "--ap-name", "Meross_SW_3456", env=stand.env)
            check(code == 0 and "joining Meross_SW_3456" in out, f"{way}: {out}{err}")
            check("Meross_SW_9999" not in stand.log(), stand.log())


def a_person_chooses_the_plug():
    with Stand(NMCLI_AIR + "Meross_SW_9999:90:2412 MHz\n", nmcli=NMCLI) as stand, \
            Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        t = Terminal(b, "pair", "--plug", sim.at(), "--join", "--ssid", "Home", env=stand.env)
        t.wait(r"1\) Meross_SW_9999 +90 %\n +2\) Meross_SW_3456 +80 %\nPlug \[1-2\]: $")
        t.type("3\n")
        t.type("2\n")
        t.wait("joining Meross_SW_3456")
        t.wait(r"Password of Home: $")
        t.type(SECRET + "\n")
        check(t.end() == 0 and "is ready" in t.text, t.text)


if __name__ == "__main__":
    raise SystemExit(harness.main([
        joins_and_comes_back, comes_back_after_a_failure, comes_back_after_ctrl_c,
        looks_back_for_the_reason, no_tool_no_network, several_plugs, a_person_chooses_the_plug]))
