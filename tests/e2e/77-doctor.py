#!/usr/bin/env python3
"""merossd doctor on the real program: a house that is well, and each red line provoked."""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from harness import (Broker, Client, Failure, Program, Skip, check, connect, free_port, main,
                     program_arguments, publish, run, tls_context, PATIENCE)

MEROSSD, PLUGSIM = program_arguments()
UUID = "2101011234567890123448e1e9123456"
MAC = "48:e1:e9:12:34:56"
PASSWORD = "0_ab3ffddc9a9b94dab1487702ddd054d2"  # of MAC and the empty key
HERE = "server=127.0.0.1"
ENV = {k: v for k, v in os.environ.items() if not k.startswith("MEROSSD_")}


def doctor(b, *words, code=None):
    """The findings as (mark, about, part, text, todo), and the exit status."""
    status, out, err = run([MEROSSD, "doctor", "-c", b.state / "test.conf", "--json", *words],
                           env=ENV)
    try:
        found = json.loads(out)
    except ValueError:
        raise Failure(f"doctor {words}: {status}\n{out}\n{err}") from None
    check(status == (1 if found["bad"] else 0), f"status {status} with {found['bad']} red lines")
    check(found["bad"] == sum(f["mark"] == "bad" for f in found["findings"]), "a wrong count")
    if code is not None:
        check(status == code, f"status {status} in place of {code}:\n{out}")
    for f in found["findings"]:
        check(f["mark"] != "bad" or f.get("todo"), f"a red line without advice: {f}")
    return found["findings"]


def red(findings):
    return [f for f in findings if f["mark"] == "bad"]


def has(findings, about, mark, words, part=""):
    for f in findings:
        if f["about"] == about and f["mark"] == mark and words in f["text"] and part in f["part"]:
            return f
    raise Failure(f"no {mark} {about} with {words!r} in:\n" +
                  "\n".join(f"{f['mark']} {f['about']}: {f['text']}" for f in findings))


def await_finding(b, about, mark, words, *args):
    """Asks again until it is found: the broker learns some things a moment later."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = doctor(b, *args)
        try:
            return has(found, about, mark, words)
        except Failure:
            if time.monotonic() > deadline:
                raise


def await_well(b):
    """A plug is told the time zone after it was bound."""
    deadline = time.monotonic() + PATIENCE
    while red(doctor(b)) and time.monotonic() < deadline:
        pass


def await_text(b, name, words):
    """What the doctor says of a plug, once all of it has come: its first reading is later than its
    Bind, and no red line meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while True:
        code, out, err = run([MEROSSD, "doctor", name, "-c", b.state / "test.conf"], env=ENV)
        missing = [w for w in words if w not in out]
        if code == 0 and not missing:
            return out
        check(time.monotonic() < deadline, f"{code}, without {missing}\n{out}\n{err}")


class Plugs:
    """Simulated plugs that stay for the block."""

    def __init__(self, b, *options):
        self.program = Program([PLUGSIM, "--port", b.tls, "--until", "300", "--json", *options],
                               stdin=True)
        self.broker = b

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()


def await_bound(b, n):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        code, out, _ = b.client("list", "--json")
        if code == 0 and out.count('"bound": true') + out.count('"bound":true') >= n:
            return
        time.sleep(0.05)
    raise Failure(f"{n} plugs are not bound:\n{out}")


# ---------------------------------------------------------------- a house that is well

def all_is_well():
    """Two plugs, everything green; the text says so, and a plug has a timeline.  [trap 15]"""
    with Broker(MEROSSD) as b, Plugs(b, "--count", "2", "--option", HERE):
        await_bound(b, 2)
        await_finding(b, "server", "good", "this computer")
        await_well(b)
        found = doctor(b, code=0)
        check(not red(found), f"red lines: {red(found)}")
        has(found, "tls", "good", "RSA")
        has(found, "running", "good", "runs")
        has(found, "zone", "good" if any(f["about"] == "zone" and f["mark"] == "good"
                                         for f in found) else "note", "zone")
        has(found, "certificate", "good", "RSA-2048")
        has(found, "state", "good", "can be written")
        has(found, "bound", "good", "bound", "mss310-3456")
        has(found, "bound", "good", "bound", "mss310-3457")
        out = await_text(b, "mss310-3456", (
            "✓", "No red line", "TCP from 127.0.0.1", "TLSv1.", "CONNECT: MQTT 3.1, client id "
            "fmware:uuid_tail", "SUBSCRIBE", "Bind: 1 time", "first reading", "stands"))
        check("mss310-3457" not in out, f"the other plug is there:\n{out}")
        code, out, err = run([MEROSSD, "doctor", "nobody", "-c", b.state / "test.conf"], env=ENV)
        check(code == 3 and "nobody" in err, f"{code} {out} {err}")


def what_tls_offers():
    """--hello has no names, uuids and addresses; `show` has it, and a restart keeps it."""
    with Broker(MEROSSD) as b:
        code, out, _ = run([MEROSSD, "doctor", "--hello", "-c", b.state / "test.conf"], env=ENV)
        check(code == 0 and "No plug has shown" in out, out)
        with Plugs(b, "--count", "3", "--type", "mss310", "--cipher",
                   "TLS-RSA-WITH-AES-128-CBC-SHA"):
            await_bound(b, 3)
        b.restart()
        code, out, _ = run([MEROSSD, "doctor", "--hello", "--json", "-c", b.state / "test.conf"],
                           env=ENV)
        offers = json.loads(out)
        check(code == 0 and len(offers) == 1, f"three plugs that offer the same are one:\n{out}")
        check(offers[0]["type"] == "mss310", out)
        check(47 in offers[0]["offers"]["suites"], out)
        check(offers[0]["offers"]["sni"] in ("none", "name", "address"), out)
        _, text, _ = run([MEROSSD, "doctor", "--hello", "-c", b.state / "test.conf"], env=ENV)
        check("TLS_RSA_WITH_AES_128_CBC_SHA" in text, text)
        for secret in ("127.0.0.1", "48:e1", "48e1e9", "3456", "mss310-"):
            check(secret not in text + out, f"{secret} is in\n{text}\n{out}")
        code, out, _ = b.client("show", "mss310-3456", "--json")
        check(code == 0 and '"hello"' in out, out)
        code, out, err = run([MEROSSD, "doctor", "--hello", "--offline"], env=ENV)
        check(code == 2 and "exclude" in err, f"{code} {err}")


# ---------------------------------------------------------------- the broker

def a_stopped_broker():
    """Without a broker it still looks at this computer, and says who has the ports."""
    b = Broker(MEROSSD)
    with b:
        b.wait_line("merossd .* runs;")  # from then on SIGTERM is understood
        pass_through = b.config()
    os.makedirs(b.state, exist_ok=True)
    try:
        (b.state / "test.conf").write_text(pass_through)
        found = doctor(b, code=1)
        has(found, "broker", "bad", "cannot reach a broker")
        has(found, "clock", "good" if any(f["about"] == "clock" and f["mark"] == "good"
                                          for f in found) else "note", "the clock says")
        has(found, "port", "good", f"port {b.tls} is free")
        with socket.socket() as other:  # another program on its port
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", b.tls))
            other.listen(5)
            found = doctor(b, code=1)
            line = has(found, "port", "bad", f"port {b.tls}")
            check(f"process {os.getpid()}" in line["text"], line["text"])
    finally:
        shutil.rmtree(b.state, ignore_errors=True)


def a_wrong_port():
    with Broker(MEROSSD) as b:
        found = doctor(b, "-p", free_port(), code=1)
        has(found, "broker", "bad", "cannot reach a broker")
        with socket.socket() as mute:  # something else, which never answers MQTT
            mute.bind(("127.0.0.1", 0))
            mute.listen(5)
            found = doctor(b, "-p", mute.getsockname()[1], code=1)
            has(found, "broker", "bad", "")
        code, _, err = run([MEROSSD, "doctor", "-c", "/no/such/file"], env=ENV)
        check(code == 1 and "/no/such/file" in err, f"{code} {err}")
        code, _, err = run([MEROSSD, "doctor", "a", "b"], env=ENV)
        check(code == 2, f"{code} {err}")


def openssl(*words):
    if not shutil.which("openssl"):
        raise Skip("no openssl")
    subprocess.run(["openssl", *[str(w) for w in words]], check=True, capture_output=True)


def an_ecdsa_certificate():
    """[trap 15]: the listener works for a modern client, and no plug can use it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="merossd-doctor-"))
    try:
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "30", "-subj", "/CN=127.0.0.1", "-keyout", folder / "k.pem", "-out",
                folder / "c.pem")
        port = free_port()
        extra = f"listener {port} 127.0.0.1\ncertfile {folder}/c.pem\nkeyfile {folder}/k.pem\n"
        with Broker(MEROSSD, extra) as b:
            b.wait_line(f"port {port}, TLS")
            found = doctor(b, code=1)
            has(found, "rsa", "bad", f"port {port} has no RSA certificate")
            has(found, "tls", "bad", f"port {port} does not answer as plugs need it")
            has(found, "tls", "good", f"port {b.tls} answers")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------- who could not connect

def old_and_wrong_clients():
    """TLS 1.1, MQTT in clear on the TLS port, TLS on the clear port.  [trap 16]"""
    hello11 = bytes.fromhex("0302") + b"Z" * 32 + b"\0" + bytes.fromhex("0004002f0035") + b"\1\0"
    hello11 = b"\x16\x03\x01" + struct.pack(">H", len(hello11) + 4) + b"\1\0" + struct.pack(
        ">H", len(hello11)) + hello11
    with Broker(MEROSSD) as b:
        check(not red(doctor(b)), "a red line before anything happened")
        for port, data in ((b.tls, hello11), (b.tls, connect("plain")), (b.tcp, hello11)):
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as s:
                s.sendall(data)
                s.settimeout(PATIENCE)
                try:
                    while s.recv(4096):
                        pass
                except ConnectionError:
                    pass
        found = doctor(b, code=1)
        has(found, "attempt", "bad", "TLS 1.1, this listener starts at TLS 1.2")
        has(found, "attempt", "bad", "plain MQTT on a TLS port")
        has(found, "attempt", "bad", "ClientHello to a plain MQTT port")
        check(len(red(found)) == 3, f"{red(found)}")
        b.restart()
        check(not red(doctor(b)), "forgotten with a restart")


# ---------------------------------------------------------------- plugs that are not well

def a_wrong_key():
    with Broker(MEROSSD) as b, Plugs(b, "--count", "1", "--type", "mss310", "--key", "other",
                                     "--option", HERE):
        line = await_finding(b, "key", "bad", "another key")
        check("meross_key" in line["todo"], line["todo"])


def plug_id():
    return f"fmware:{UUID}_AbCdEfGhIjKlMnOp"


def a_plug_that_never_binds():
    """It connects, does not listen, and goes, again and again.  [trap 27]"""
    with Broker(MEROSSD) as b:
        for _ in range(2):
            plug = Client(b.tls, plug_id(), tls_context(), level=3, user=MAC, password=PASSWORD)
            found = doctor(b, code=1)
            has(found, "subscribe", "bad", "does not listen")
            plug.disconnect()
        line = await_finding(b, "attempt", "bad", "did not subscribe to its own topic")
        check("2 times" in line["text"], line["text"])


def a_mute_plug_and_a_stranger_status():
    """It asks for Bind again and again, as one does that does not like our answer.  [trap 27]"""
    bind = json.dumps({
        "header": {"messageId": "%", "namespace": "Appliance.Control.Bind", "method": "SET",
                   "payloadVersion": 1, "from": f"/appliance/{UUID}/subscribe", "timestamp": 1700000000,
                   "timestampMs": 1, "sign": "0" * 32},
        "payload": {"bind": {"hardware": {"type": "mss310", "version": "6.0.0"},
                             "firmware": {"version": "6.3.21"}}}})
    with Broker(MEROSSD) as b:
        plug = Client(b.tls, plug_id(), tls_context(), level=3, user=MAC, password=PASSWORD)
        plug.subscribe(f"/appliance/{UUID}/subscribe", 1)
        for i in range(4):
            plug.publish(f"/appliance/{UUID}/publish", bind.replace("%", f"{i:032d}"), 1)
        line = await_finding(b, "bind", "bad", "4 times")
        check("key" in line["todo"], line["todo"])
        plug.wire.vanish()
        line = await_finding(b, "offline", "bad", "not connected")
        check("LED" in line["todo"], line["todo"])


# ---------------------------------------------------------------- offline

def nothing_leaves_the_house():
    with Broker(MEROSSD) as b, Plugs(b, "--count", "1", "--type", "mss310", "--option", HERE):
        await_bound(b, 1)
        await_finding(b, "server", "good", "this computer", "--offline")
        found = doctor(b, "--offline", code=0)
        has(found, "outgoing", "good", "no connection out of the house since it started")
        line = has(found, "sockets", "good", "looked at now")
        check("0 go out" in line["text"], line["text"])
        has(found, "other", "skipped", "not looked at")


def a_bridge_out_of_the_house():
    """192.0.2.1 is nobody's: the attempt is what counts."""
    other = Broker(MEROSSD)
    with other:
        extra = ("connection office\naddress 192.0.2.1:8883\ntopic # out\n"
                 f"connection shed\naddress 127.0.0.1:{other.tcp}\ntopic shed/# out\n")
        with Broker(MEROSSD, extra) as b:
            line = await_finding(b, "outgoing", "bad", "192.0.2.1 port 8883", "--offline")
            check("bridge office" in line["text"] and "outside the house" in line["text"],
                  line["text"])
            found = doctor(b, "--offline", code=1)
            has(found, "outgoing", "good", "bridge shed")
            check(not [f for f in found if "no connection out" in f["text"]], f"{found}")


TESTS = [all_is_well, what_tls_offers, a_stopped_broker, a_wrong_port, an_ecdsa_certificate,
         old_and_wrong_clients, a_wrong_key, a_plug_that_never_binds,
         a_mute_plug_and_a_stranger_status, nothing_leaves_the_house, a_bridge_out_of_the_house]

if __name__ == "__main__":
    sys.exit(main(TESTS))
