#!/usr/bin/env python3
"""80-bridge.py MEROSSD PLUGSIM [words] - bridges to Debian's mosquitto."""
import os
import pathlib
import select
import shutil
import signal
import socket
import sys
import tempfile
import time

import harness
from harness import PATIENCE, Broker, Client, Program, Skip, check, free_port, run

MEROSSD, _ = harness.program_arguments()


def mosquitto():
    for name in (shutil.which("mosquitto"), "/usr/sbin/mosquitto"):
        if name and os.path.exists(name):
            return name
    raise Skip("no mosquitto here")


class Remote:
    """mosquitto on a port of its own; what it stores, it stores at once."""

    def __init__(self, extra="", persistent=False):
        self.program = None
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mosquitto-e2e-"))
        os.chmod(self.folder, 0o777)
        store = (f"persistence true\npersistence_location {self.folder}/\n"
                 "autosave_interval 1\nautosave_on_changes true\n") if persistent else ""
        self.text = (f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                     f"log_type all\nuser root\n{store}{extra}\n")

    def start(self):
        file = self.folder / "mosquitto.conf"
        file.write_text(self.text)
        self.program = Program([mosquitto(), "-c", file])
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                select.select([], [], [], 0.02)
        raise harness.Failure("mosquitto does not start:\n" + self.program.text())

    def kill(self, how=signal.SIGKILL):
        self.program.kill(how)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if self.program is not None and self.program.alive():
            self.program.kill()
        if kind is not None and self.program is not None:
            print("--- mosquitto said:", *self.program.text().splitlines()[-40:], sep="\n    ")
        shutil.rmtree(self.folder, ignore_errors=True)


def bridge(port, *lines, name="b"):
    return "\n".join([f"connection {name}", f"address 127.0.0.1:{port}", "restart_timeout 1",
                      *lines])


UP = r"connection=.* connected as"


def subscriber(port, name, topic, qos=2):
    c = Client(port, name)
    c.subscribe(topic, qos)
    return c


def payload(client, text):
    return client.message(lambda m: m["payload"] == text.encode())


def every_qos_crosses_in_both_directions():
    """F197: each message gets its prefix, not the first one alone."""
    with Remote() as there:
        with Broker(MEROSSD, bridge(there.port, "topic out/# out 2 local/ remote/",
                                    "topic in/# in 2 home/ street/",
                                    "topic x/+ both 2", "topic \"\" out 1 one two")) as here:
            here.wait_line(UP)
            far, near = subscriber(there.port, "far", "#"), subscriber(here.tcp, "near", "#")
            for qos in (0, 1, 2):
                for n in range(3):
                    near.publish(f"local/out/{qos}/{n}", f"o{qos}{n}", qos)
                    m = payload(far, f"o{qos}{n}")
                    check((m["topic"], m["qos"]) == (f"remote/out/{qos}/{n}", qos), f"{m}")
                    far.publish(f"street/in/{qos}/{n}", f"i{qos}{n}", qos)
                    m = payload(near, f"i{qos}{n}")
                    check((m["topic"], m["qos"]) == (f"home/in/{qos}/{n}", qos), f"{m}")
            near.publish("one", "renamed", 1)
            check(payload(far, "renamed")["topic"] == "two", "a topic of its own")
            near.publish("other", "stays", 1)
            near.publish("x/1", "there", 1)
            check(payload(far, "there")["topic"] == "x/1", "both, out")
            far.publish("x/2", "back", 1)
            check(payload(near, "back")["topic"] == "x/2", "both, in")


def nothing_comes_back_and_retain_is_kept():
    """F196"""
    with Remote() as there:
        with Broker(MEROSSD, bridge(there.port, "topic x/# both 1")) as here:
            here.wait_line(UP)
            near, far = subscriber(here.tcp, "near", "x/#"), subscriber(there.port, "far", "x/#")
            near.publish("x/a", "kept", 1, retain=True)
            payload(near, "kept")
            payload(far, "kept")
            far.publish("x/b", "theirs", 1, retain=True)
            payload(near, "theirs")
            payload(far, "theirs")
            for client in (near, far):
                client.ping()
                client.ping()
                check(not client.messages, f"an echo: {client.messages}")
            late = Client(there.port, "late")
            late.subscribe("x/a", 1)
            check(late.message()["retain"] == 1, "RETAIN crosses")
            late = Client(here.tcp, "late")
            late.subscribe("x/b", 1)
            check(late.message()["retain"] == 1, "RETAIN crosses back")


def a_bridge_of_mosquitto_is_served():
    """The private bit towards us: RETAIN as published, no echo."""
    with Broker(MEROSSD) as here:
        with Remote(bridge(here.tcp, "topic x/# both 1", name="m")) as there:
            state = subscriber(here.tcp, "state", "$SYS/broker/connection/+/state", 1)
            state.message(lambda m: m["payload"] == b"1")
            near, far = subscriber(here.tcp, "near", "x/#"), subscriber(there.port, "far", "x/#")
            near.publish("x/a", "kept", 1, retain=True)
            payload(far, "kept")
            far.publish("x/b", "theirs", 1)
            payload(near, "theirs")
            for client in (near, far):
                client.ping()
                client.ping()
            left = [m for c in (near, far) for m in c.messages if m["payload"] != b"kept"]
            check(not [m for m in left if m["topic"] != "x/b"] and len(left) <= 1, f"echo {left}")
            late = Client(there.port, "late")
            late.subscribe("x/a", 1)
            check(late.message()["retain"] == 1, "RETAIN reached mosquitto")


def the_state_is_told_on_both_sides():
    with Remote() as there:
        topic = "$SYS/broker/connection/door/state"
        with Broker(MEROSSD, bridge(there.port, "topic x out", "remote_clientid door")) as here:
            here.wait_line(UP)
            far, near = subscriber(there.port, "far", topic), subscriber(here.tcp, "near", topic)
            far.message(lambda m: m["payload"] == b"1")
            near.message(lambda m: m["payload"] == b"1")
            there.kill()
            near.message(lambda m: m["payload"] == b"0")
            there.start()
            near.message(lambda m: m["payload"] == b"1")
            far = subscriber(there.port, "far", topic)
            far.message(lambda m: m["payload"] == b"1")
            here.program.kill()
            far.message(lambda m: m["payload"] == b"0")  # the Will
            here.start(same_ports=True)
            far.message(lambda m: m["payload"] == b"1")


def what_waits_while_it_is_down():
    """F199: with `cleansession true` nothing does."""
    for clean in ("false", "true"):
        there = Remote()
        with Broker(MEROSSD, bridge(there.port, "topic x/# out 1",
                                    f"cleansession {clean}")) as here:
            near = Client(here.tcp, "near")
            here.wait_line(r"connection=.* next: .* in ")
            near.publish("x/1", "early", 1)
            with there:
                here.wait_line(UP)
                far = subscriber(there.port, "far", "x/#")
                near.publish("x/2", "later", 1)
                first = far.message()["payload"] if clean == "true" else None
                check(first in (None, b"later"), f"it waited: {first}")
                if clean == "false":
                    far.message(lambda m: m["payload"] in (b"later",))


def nothing_is_lost_across_kills():
    """QoS 1 and 2 both ways, `kill -9` of either side in turn; mosquitto alone may lose what it
    had, because it acknowledges before it stores: so it is the one that is told to save first."""
    lines = ("topic out/# out 2", "topic in/# in 2", "remote_clientid durable",
             "local_clientid durable-here")
    with Remote(persistent=True) as there:
        with Broker(MEROSSD, bridge(there.port, *lines)) as here:
            here.wait_line(UP)
            far = Client(there.port, "far", clean=False)
            far.subscribe("out/#", 2)
            near = Client(here.tcp, "near", clean=False)
            near.subscribe("in/#", 2)
            near.disconnect()
            got = []
            sent = 0
            for _ in range(6):
                pub = Client(here.tcp, "pub")
                for _ in range(20):
                    sent += 1
                    pub.publish(f"out/{sent}", str(sent), 1 + sent % 2)
                here.crash()
                here.wait_line(UP)
            deadline = time.monotonic() + PATIENCE
            while len({m["payload"] for m in got}) < sent and time.monotonic() < deadline:
                got.append(far.message())
            want = {str(n).encode() for n in range(1, sent + 1)}
            have = [m["payload"] for m in got]
            check(set(have) == want, f"lost: {sorted(want - set(have))}")
            twice = [p for p in have if have.count(p) > 1 and int(p) % 2 == 1]
            check(not twice, f"QoS 2 twice: {twice}")
            # The other way: we die while messages come in.
            for round_ in range(4):
                for n in range(20):
                    far.publish(f"in/{round_}-{n}", f"{round_}-{n}", 1 + n % 2)
                here.crash()
                here.wait_line(UP)
            near = Client(here.tcp, "near", clean=False)
            want = {f"{r}-{n}".encode() for r in range(4) for n in range(20)}
            have = []
            while set(have) != want:
                have.append(near.message()["payload"])
            near.ping()
            have += [m["payload"] for m in near.messages]
            twice = [p for p in set(have) if have.count(p) > 1 and int(p.split(b"-")[1]) % 2 == 1]
            check(not twice, f"QoS 2 twice: {twice}")


def the_other_side_dies_in_the_middle():
    with Remote(persistent=True) as there:
        with Broker(MEROSSD, bridge(there.port, "topic out/# out 2",
                                    "remote_clientid durable")) as here:
            here.wait_line(UP)
            pub = Client(here.tcp, "pub")
            far = Client(there.port, "far", clean=False)
            far.subscribe("out/#", 2)
            for n in range(5):
                pub.publish(f"out/{n}", str(n), 1)
            for n in range(5):
                far.message(lambda m, n=n: m["payload"] == str(n).encode())
            far.disconnect()
            there.kill(signal.SIGTERM)  # it saves
            for n in range(5, 200):
                pub.publish(f"out/{n}", str(n), 1 + n % 2)
            there.start()
            far = Client(there.port, "far", clean=False)
            have = []
            while len(set(have)) < 195:
                have.append(far.message()["payload"])
            check(len(have) == 195, "something came twice")


def tls_with_our_own_ca():
    with Broker(MEROSSD) as keys:
        ca = keys.ca_file()
        folder = pathlib.Path(ca).parent
        tls = free_port()
        cert, key = pathlib.Path(ca), None
        for file in sorted(folder.rglob("*")):
            if file.name in ("server.pem", "cert.pem"):
                cert = file
            if file.name in ("server.key", "key.pem", "server-key.pem"):
                key = file
        check(key is not None, f"no key among {[f.name for f in folder.rglob('*')]}")
        extra = f"listener {tls} 127.0.0.1\ncertfile {cert}\nkeyfile {key}"
        with Remote(extra) as there:
            lines = [f"bridge_cafile {ca}", "topic x out 1"]
            with Broker(MEROSSD, bridge(tls, *lines)) as here:
                here.wait_line(UP)
                far = subscriber(there.port, "far", "x")
                Client(here.tcp, "near").publish("x", "sealed", 1)
                payload(far, "sealed")
            stranger = pathlib.Path(there.folder) / "stranger.pem"
            code, _, err = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                                "2", "-subj", "/CN=stranger", "-keyout", os.devnull, "-out",
                                stranger])
            if code == 0:
                lines[0] = f"bridge_cafile {stranger}"
                with Broker(MEROSSD, bridge(tls, *lines)) as here:
                    here.wait_line(r"connection=.*TLS.*next: ")
                    check("connected as" not in here.program.text(), "a stranger was believed")


def a_wrong_password_is_said():
    users = "password_file {}/users"
    there = Remote()
    there.text = there.text.replace("allow_anonymous true", users.format(there.folder))
    code, _, err = run(["mosquitto_passwd", "-b", "-c", there.folder / "users", "house", "right"])
    if code != 0:
        raise Skip(f"mosquitto_passwd: {err}")
    os.chmod(there.folder / "users", 0o644)
    with there:
        with Broker(MEROSSD, bridge(there.port, "topic x out 1", "remote_username house",
                                    "remote_password wrong")) as here:
            here.wait_line(r"connection=.*remote_password.*next: ")
            check("wrong" not in "".join(l for l in here.program.text().splitlines()
                                         if "password" not in l), "the password is in the log")
        with Broker(MEROSSD, bridge(there.port, "topic x out 1", "remote_username house",
                                    "remote_password right")) as here:
            here.wait_line(UP)


def another_address_takes_over():
    with Remote() as second:
        first = Remote()
        lines = bridge(first.port, "topic x out 1").replace(
            f":{first.port}", f":{first.port} 127.0.0.1:{second.port}")
        with Broker(MEROSSD, lines) as here:
            here.wait_line(UP)
            far = subscriber(second.port, "far", "x")
            Client(here.tcp, "near").publish("x", "second", 1)
            payload(far, "second")


def a_lazy_bridge_comes_and_goes():
    with Remote() as there:
        with Broker(MEROSSD, bridge(there.port, "topic x/# out 0", "start_type lazy",
                                    "threshold 3", "idle_timeout 1")) as here:
            near = Client(here.tcp, "near")
            far = subscriber(there.port, "far", "x/#")
            near.publish("x/1", "1")
            near.publish("x/2", "2")
            near.ping()
            check("connected as" not in here.program.text(), "too early")
            near.publish("x/3", "3")
            for n in (1, 2, 3):
                payload(far, str(n))
            here.wait_line("disconnected: idle_timeout")


def a_name_without_an_address_blocks_nobody():
    """F198"""
    with Broker(MEROSSD, "connection b\naddress nowhere.invalid\nrestart_timeout 1\n"
                         "topic x out 1") as here:
        near = Client(here.tcp, "near")
        for _ in range(50):
            near.ping()
        here.wait_line(r"nowhere.invalid.* next: .* in 1.0 s", patience=60)


def a_stranger_at_the_address_is_left_again():
    """F195: what answers is not MQTT, or ends at once; one attempt follows another, no more."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(PATIENCE)
        with Broker(MEROSSD, bridge(door.getsockname()[1], "topic x out 1")) as here:
            for words in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x20\x02\x00\x00\x30\x00",
                          b"\x20\x02\x00\x00\x20\x02\x00\x00"):
                guest, _ = door.accept()
                guest.settimeout(PATIENCE)
                check(guest.recv(4096)[0] == 0x10, "no CONNECT")
                guest.sendall(words)
                if not words:
                    guest.shutdown(socket.SHUT_WR)
                while guest.recv(4096):
                    pass
                guest.close()
            Client(here.tcp, "near").ping()


def a_broker_stops_while_its_bridge_connects():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(0)
        full = []
        for _ in range(4):  # nobody accepts them, so nobody else gets an answer
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(door.getsockname())
            full.append(s)
        with Broker(MEROSSD, bridge(door.getsockname()[1], "topic x out 1")) as here:
            Client(here.tcp, "near").ping()
        for s in full:
            s.close()


def once_is_once():
    there = Remote()
    with Broker(MEROSSD, bridge(there.port, "topic x out 1", "start_type once")) as here:
        here.wait_line("start_type once.*not started again")
        with there:
            Client(here.tcp, "near").ping()
            check("connected as" not in here.program.text(), "it was started again")


def its_client_identifier_is_taken():
    with Remote() as there:
        with Broker(MEROSSD, bridge(there.port, "topic x out", "local_clientid mine")) as here:
            here.wait_line(UP)
            wire = harness.Wire(here.tcp)
            wire.send(harness.connect("mine"))
            check(harness.parse(wire.receive())["code"] == 2, "it was let in")


def a_bad_section_is_an_error():
    """F200"""
    folder = tempfile.mkdtemp(prefix="merossd-e2e-")
    try:
        file = pathlib.Path(folder) / "b.conf"
        ok = "connection a\naddress h\ntopic x\n"
        for text, line, word in (
                (ok + ok, 4, "already a connection"),
                (ok + "local_clientid i\n" + ok.replace(" a", " b", 1) + "local_clientid i\n", 5,
                 "local_clientid"),
                (ok + "bridge_cafile /nowhere/ca.pem\n", 1, "/nowhere/ca.pem"),
                ("topic x\n", 1, "connection NAME"),
                ("connection a\ntopic x\n", 1, "address"),
                ("connection a\naddress h\ntopic a/#/b\n", 3, "bad value"),
                ("connection a\naddress h\ntopic x sideways\n", 3, "bad value"),
                ("connection a\naddress h:0\n", 2, "bad value"),
                ("connection a\naddress h\ntopic x\nremote_password p\n", 1, "remote_username")):
            file.write_text(text)
            code, out, err = run([MEROSSD, "check", file])
            check(code != 0 and f"b.conf:{line}:" in out + err and word in out + err,
                  f"{text!r}: {code} {out}{err}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(harness.main([
        every_qos_crosses_in_both_directions, nothing_comes_back_and_retain_is_kept,
        a_bridge_of_mosquitto_is_served, the_state_is_told_on_both_sides,
        what_waits_while_it_is_down, nothing_is_lost_across_kills,
        the_other_side_dies_in_the_middle, tls_with_our_own_ca, a_wrong_password_is_said,
        another_address_takes_over, a_lazy_bridge_comes_and_goes, its_client_identifier_is_taken,
        once_is_once, a_name_without_an_address_blocks_nobody,
        a_stranger_at_the_address_is_left_again, a_broker_stops_while_its_bridge_connects,
        a_bad_section_is_an_error]))
