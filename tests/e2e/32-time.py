#!/usr/bin/env python3
"""32-time.py MEROSSD PLUGSIM [words] - the time server (`ntp_listener`), asked over real sockets by
a small SNTP client, and the time zone of the host."""
import json
import os
import re
import signal
import socket
import struct
import sys
import time

import harness
from harness import Broker, Program, Skip, check

MEROSSD, PLUGSIM = harness.program_arguments()
ERA = 2208988800  # from 1900 to 1970


def request(version=4, mode=3, transmit=b"\x11\x22\x33\x44\x55\x66\x77\x88"):
    return bytes([version << 3 | mode, 0, 6]) + bytes(37) + transmit


def udp(host, family=socket.AF_INET, local=None):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(harness.PATIENCE)
    if local:
        s.bind((local, 0))
    s.connect(host)  # only what comes from there is received
    return s


def ask(s, what=None):
    """The answer, taken apart."""
    s.send(what or request())
    data = s.recv(2048)
    check(len(data) == 48, f"an answer of {len(data)} bytes")
    first, stratum, poll, precision, delay, dispersion, ref = struct.unpack("!BBBbII4s", data[:16])
    times = struct.unpack("!IIIIIIII", data[16:])
    return {"leap": first >> 6, "version": first >> 3 & 7, "mode": first & 7, "stratum": stratum,
            "poll": poll, "refid": ref, "originate": data[24:32],
            "transmit": times[6] - ERA + times[7] / 2**32}


def port_of(b, which):
    line = b.wait_line(rf"answering with the time on {which}, UDP port \d+")
    return int(re.search(r"UDP port (\d+)", line)[1])


def a_plug_is_told_the_time():
    with Broker(MEROSSD, "ntp_listener 0 127.0.0.1") as b:
        s = udp(("127.0.0.1", port_of(b, "127.0.0.1")))
        for version in (1, 2, 3, 4):
            before = time.time()
            got = ask(s, request(version))
            after = time.time()
            check(before - 0.001 <= got["transmit"] <= after + 0.001,
                  f"told {got['transmit']}, it is {before} to {after}")
            check((got["leap"], got["version"], got["mode"]) == (0, version, 4), got)
            check(1 <= got["stratum"] <= 15 and got["poll"] == 6, got)
            check(got["originate"] == b"\x11\x22\x33\x44\x55\x66\x77\x88", got)


def what_is_no_request_gets_no_answer():
    """Short ones, other modes and versions; the next answer belongs to the request after them."""
    with Broker(MEROSSD, "ntp_listener 0 127.0.0.1") as b:
        s = udp(("127.0.0.1", port_of(b, "127.0.0.1")))
        for bad in (b"", b"\x23", request()[:47], request(0), request(5), request(7),
                    *(request(4, mode) for mode in (0, 1, 2, 4, 5, 6, 7)), b"\xff" * 1400):
            s.send(bad)
        check(ask(s, request(transmit=b"the last"))["originate"] == b"the last", "another's answer")
        long = request(transmit=b"longest.") + bytes(2000)  # longer than anything we take whole
        check(ask(s, long)["originate"] == b"longest.", "another's answer")


def the_answer_comes_from_the_address_that_was_asked():
    """A host has many addresses; a client that asked one takes no answer from another."""
    with Broker(MEROSSD, "ntp_listener 0") as b:
        port = port_of(b, "every address")
        for address in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
            check(ask(udp((address, port)))["mode"] == 4, address)
        try:
            s = udp(("::1", port), socket.AF_INET6)
        except OSError:
            raise Skip("no IPv6 here") from None
        check(ask(s)["mode"] == 4, "::1")


def one_that_floods_is_answered_eight_times():
    with Broker(MEROSSD, "ntp_listener 0 127.0.0.1") as b:
        port = port_of(b, "127.0.0.1")
        loud, quiet = udp(("127.0.0.1", port)), udp(("127.0.0.1", port), local="127.0.0.9")
        begun = time.monotonic()
        for _ in range(100):
            loud.send(request())
        ask(quiet)  # is behind them all
        more = int((time.monotonic() - begun) / 2) + 1  # one each two seconds
        loud.settimeout(0)
        n = 0
        while True:
            try:
                loud.recv(100)
                n += 1
            except BlockingIOError:
                break
        check(8 <= n <= 8 + more, f"{n} answers")


def several_and_what_a_reload_says():
    with Broker(MEROSSD, "ntp_listener 0 127.0.0.1\nntp_listener 0 127.0.0.5") as b:
        ports = {a: port_of(b, a) for a in ("127.0.0.1", "127.0.0.5")}
        b.extra = "ntp_listener 0 127.0.0.1"
        (b.state / "test.conf").write_text(b.config())
        b.wait_line("runs; its state directory")  # before that, a signal ends it
        b.program.process.send_signal(signal.SIGHUP)
        b.wait_line("option 'ntp_listener' has changed; that needs a restart")
        for address, port in ports.items():
            check(ask(udp((address, port)))["mode"] == 4, address)


def refused(extra, *words, demote=False):
    b = Broker(MEROSSD, extra)
    b.tcp, b.tls = harness.free_port(), harness.free_port()
    path = b.state / "test.conf"
    path.write_text(b.config())
    argv = [MEROSSD, "-c", path]
    if demote:
        os.chmod(b.state, 0o755)
        os.chown(b.state, 65534, 65534)
        argv = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all",
                "--inh-caps=-all", *argv]
    p = Program(argv)
    check(p.wait() == 1, f"ended with {p.process.returncode}:\n{p.text()}")
    for word in words:
        check(word in p.text(), f"no {word!r} in:\n{p.text()}")


def a_port_that_cannot_be_had_is_said():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        refused(f"ntp_listener {s.getsockname()[1]} 127.0.0.1", "ntp_listener", "UDP port",
                "ss -lnup")
    refused("ntp_listener 123 192.0.2.77", "no interface of this host has that address")
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
        if int(f.read()) <= 123:
            raise Skip("anybody may open port 123 here")
    refused("ntp_listener 123 127.0.0.77", "need root or CAP_NET_BIND_SERVICE",
            demote=os.geteuid() == 0)


def another_zone_reaches_the_plugs():
    """[trap 32] By SIGHUP; the files of the host are the business of tools_zonewatch."""
    with Broker(MEROSSD, "meross_timezone CET-1CEST,M3.5.0,M10.5.0/3") as b:
        sim = Program([PLUGSIM, "--port", b.tls, "--type", "mss310"], stdin=True)
        try:
            sim.wait_line("time CET-1CEST,M3.5.0,M10.5.0/3 20 rules")
            b.extra = "meross_timezone IST-5:30"
            (b.state / "test.conf").write_text(b.config())
            b.program.process.send_signal(signal.SIGHUP)
            b.wait_line("changed: plugs are told IST-5:30, from meross_timezone")
            sim.wait_line("time IST-5:30 1 rules")
        finally:
            sim.kill(signal.SIGTERM)


def timers_from_the_command_line():
    with Broker(MEROSSD) as b:
        sim = Program([PLUGSIM, "--port", b.tls, "--type", "mss310"], stdin=True)
        try:
            sim.wait_line("^plug 0 bound")
            sim.wait_line("time .* rules")
            name = json.loads(b.client("list", "--json")[1])["plugs"][0]["name"]

            def good(*words):
                code, out, err = b.client("timer", name, *words)
                check(code == 0 and not err, f"{words}: {code} {out} {err}")
                return out
            check("no timers" in good(), "a plug has timers from the start")
            out = good("add", "07:30", "on", "--name", "coffee")
            check("07:30 daily" in out and "Days:" not in out, out)
            out = good("add", "22:15", "off", "--days", "mon,fri")
            check("22:15 mon,fri" in out and "first bit for sunday" in out, out)
            good("disable", "coffee")
            out = good("list")
            check(re.search(r"07:30 daily +ON +0 +disabled +coffee", out), out)
            listed = json.loads(good("--json"))["timers"]
            check(len(listed) == 2 and listed[0]["enabled"] is False, listed)
            check("after 15 min" in good("auto-off", "15"), "auto-off")
            check("removed" in good("auto-off", "off"), "auto-off off")
            for timer in listed:
                good("remove", timer["id"])
            check("no timers" in good(), "they are still there")
            for status, words in ((2, ["jump"]), (2, ["add"]), (2, ["add", "7:60", "on"]),
                                  (2, ["add", "07:30", "maybe"]), (2, ["remove"]),
                                  (2, ["add", "07:30", "on", "--days", "someday"]),
                                  (2, ["add", "07:30", "on", "--days", "mon", "--once"]),
                                  (2, ["add", "sunset", "on"]), (2, ["list", "--once"]),
                                  (2, ["auto-off", "30s"]), (2, ["remove", "x", "--channel", "1"]),
                                  (1, ["remove", "nothing"]),
                                  (1, ["add", "07:30", "on", "--channel", "9"])):
                code, out, err = b.client("timer", name, *words)
                check(code == status and err.startswith("merossd: ") and not out,
                      f"{words}: {code} {out} {err}")
            check(b.client("timer", "nobody")[0] == 3, "a plug that is not there")
        finally:
            sim.kill(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(harness.main([
        a_plug_is_told_the_time, what_is_no_request_gets_no_answer,
        the_answer_comes_from_the_address_that_was_asked, one_that_floods_is_answered_eight_times,
        several_and_what_a_reload_says, a_port_that_cannot_be_had_is_said,
        another_zone_reaches_the_plugs,
        timers_from_the_command_line,
    ]))
