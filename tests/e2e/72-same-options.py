#!/usr/bin/env python3
"""72-same-options.py MEROSSD PLUGSIM [words] - one configuration file, mosquitto and merossd side by side:
what a client sees must be the same, above all what 0 means [F132]."""
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import harness
from harness import Client, Skip, Wire, check, connect, free_port, parse, publish, run

MEROSSD, PLUGSIM = harness.program_arguments()


def mosquitto():
    for name in (shutil.which("mosquitto"), "/usr/sbin/mosquitto"):
        if name and os.access(name, os.X_OK):
            return name
    raise Skip("no mosquitto here")


@contextlib.contextmanager
def serving(program, text):
    """A broker with this configuration; gives its port."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
    port = free_port()
    ours = f"state_dir {root}/state\n" if program == MEROSSD else ""
    (root / "conf").write_text(f"user root\n{ours}listener {port} 127.0.0.1\n"
                               f"allow_anonymous true\n{text}\n")
    p = harness.Program([program, "-c", root / "conf"])
    try:
        p.wait_line(r"running|`merossd list` shows")
        yield port
        status = p.kill(signal.SIGTERM)
        check(status == 0 and not harness.SANITIZER.search(p.text()), p.text())
    finally:
        if p.alive():
            p.kill()
        shutil.rmtree(root, ignore_errors=True)


# ---------------------------------------------------------------- what a client sees

def answer(wire):
    """The next packet, briefly; "closed" at the end."""
    data = wire.receive()
    if data is None:
        return "closed"
    p = parse(data)
    return " ".join([p["kind"]] + [f"{k}={p[k]}" for k in ("code", "codes", "qos", "retain", "topic")
                                   if k in p])


def connecting(port, **options):
    wire = Wire(port)
    wire.send(connect("probe", **options))
    seen = answer(wire)
    wire.close()
    return seen


def sending(port, data):
    """What comes back for one packet, and for a PINGREQ behind it."""
    wire = Wire(port)
    wire.send(connect("probe"))
    answer(wire)
    wire.send(data)
    wire.send(b"\xc0\x00")
    seen = [answer(wire)]
    if seen[0] not in ("closed", "pingresp"):
        seen.append(answer(wire))
    wire.close()
    return seen


def subscribing(port, qos):
    return Client(port, "probe").subscribe("t", qos)


def arriving(port, messages, qos=1, absent=False, ack=True):
    """How many of these (payload, qos) messages a subscriber gets before it acknowledges any."""
    sub = Client(port, "sub", clean=False)
    sub.subscribe("t", qos)
    pub = Client(port, "pub")
    if absent:
        sub.disconnect()
        pub.ping()
    for payload, message_qos in messages:
        pub.publish("t", payload, qos=message_qos)
    if absent:
        sub = Client(port, "sub", clean=False)
    seen = []
    sub.wire.send(b"\xc0\x00")
    while True:
        p = parse(sub.wire.receive())
        if p["kind"] == "pingresp":
            # What is sent behind it belongs to it: mosquitto answers first and sends then.
            if ack == "done":
                return seen
            sub.wire.send(b"\xc0\x00")
            ack = "done"
            continue
        if p["kind"] == "publish":
            seen.append((len(p["payload"]), p["qos"], p["retain"]))


def retained_later(port):
    pub = Client(port, "pub")
    pub.publish("r", "x", retain=True)
    sub = Client(port, "sub")
    sub.subscribe("r", 1)
    m = sub.message()
    return m["qos"], m["retain"]


def same(text, *probes, theirs=None):
    """The probes, each as a function of the port, see the same at both brokers.  `theirs`: what to
    give mosquitto instead, where its version 2.0.11 takes no 0 but means it."""
    seen = []
    for program in (mosquitto(), MEROSSD):
        with serving(program, text if program == MEROSSD or theirs is None else theirs) as port:
            seen.append([probe(port) for probe in probes])
    check(seen[0] == seen[1], f"{text!r}:\n    mosquitto {seen[0]}\n    merossd   {seen[1]}")
    return seen[1]


TEN = [(str(i), 1) for i in range(10)]
MANY = [(str(i), 1) for i in range(150)]


def max_keepalive():
    """mosquitto 2.0.11 asks it of MQTT 5 clients only; later ones answer as merossd does."""
    probes = [lambda port, s=s: connecting(port, keepalive=s) for s in (0, 59, 60, 61, 65535)]
    same("max_keepalive 0", *probes, theirs="")
    with serving(MEROSSD, "max_keepalive 60") as port:
        seen = [probe(port)[-1] for probe in probes]
        check(seen == ["2", "0", "0", "2", "2"], f"{seen}")


def max_qos():
    for value in (0, 1, 2):
        same(f"max_qos {value}",
             *(lambda port, q=q: sending(port, publish("t", b"x", q, 1 if q else None))
               for q in (0, 1, 2)),
             *(lambda port, q=q: subscribing(port, q) for q in (0, 1, 2)),
             *(lambda port, q=q: connecting(port, will=("w", "gone", q, False)) for q in (0, 1, 2)))


def retain_available():
    for value in ("true", "false"):
        same(f"retain_available {value}",
             lambda port: sending(port, publish("t", b"x", 0, retain=True)),
             lambda port: sending(port, publish("t", b"x", 1, 1, retain=True)),
             lambda port: connecting(port, will=("w", "gone", 0, True)),
             lambda port: connecting(port, will=("w", "gone", 0, False)))


def message_size_limit():
    """F42: of a Will, too."""
    for value in (0, 10):
        same(f"message_size_limit {value}",
             *(lambda port, n=n: connecting(port, will=("w", "x" * n, 1, False)) for n in (10, 11)),
             lambda port: arriving(port, [("0123456789", 1), ("0123456789A", 1), ("end", 1)]))


def max_packet_size():
    """The manual says "the full MQTT packet"; mosquitto 2.0.11 leaves out the fixed header."""
    for value in (0, 40):
        same(f"max_packet_size {value}",
             lambda port: sending(port, publish("t", b"x" * 35, 0)),
             lambda port: sending(port, publish("t", b"x" * 38, 0)),
             theirs=None if value else "")


def queue_qos0_messages():
    both = [("a", 0), ("bb", 1), ("ccc", 0)]
    for value in ("true", "false"):
        same(f"queue_qos0_messages {value}",
             lambda port: sorted(arriving(port, both, absent=True)))


def upgrade_outgoing_qos():
    for value in ("true", "false"):
        same(f"upgrade_outgoing_qos {value}", retained_later,
             lambda port: arriving(port, [("a", 0), ("b", 1)], qos=2))


def max_inflight_messages():
    for value in (0, 1, 3, 20):
        seen = same(f"max_inflight_messages {value}", lambda port: len(arriving(port, MANY)))
        check(seen == [value or 150], f"{value}: {seen}")


def max_queued_messages():
    """F132: three times in its life, 0 lost everything in mosquitto."""
    for value in (0, 1000):
        seen = same(f"max_queued_messages {value}\nmax_inflight_messages 0",
                    lambda port: len(arriving(port, MANY, absent=True)))
        check(seen == [150], f"{value}: {seen}")


def max_queued_bytes():
    """F133: it does not touch what a client gets at once."""
    for value in (0, 100000):
        same(f"max_queued_bytes {value}", lambda port: len(arriving(port, TEN)),
             lambda port: len(arriving(port, [("x", 0)] * 10, qos=0)))


def an_unknown_option_is_an_error_in_both():
    for program in (mosquitto(), MEROSSD):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write("\nnonsense 1\n")
            f.flush()
            code, out, err = run([program, "-c", f.name])
            check(code != 0, f"{program} takes nonsense: {out}{err}")


def persistent_client_expiration_has_the_same_words():
    for value, good in (("1h", True), ("2d", True), ("3w", True), ("4m", True), ("5y", True),
                        ("6x", False), ("d", False)):
        for program in (mosquitto(), MEROSSD):
            try:
                with serving(program, f"persistent_client_expiration {value}") as port:
                    Client(port, "a").ping()
                took = True
            except harness.Failure:
                took = False
            check(took == good, f"{program}: {value} {took}")


def sys_topics(port):
    """All names below $SYS, until a second round has come."""
    other = Client(port, "other")
    other.subscribe("t", 1)
    other.publish("t", "x", qos=1)
    reader = Client(port, "reader")
    reader.subscribe("$SYS/#", 0)
    seen, rounds = {}, 0
    while rounds < 2:
        m = reader.message()
        seen[m["topic"]] = m["payload"]
        rounds += m["topic"] == "$SYS/broker/uptime" and not m["retain"]
    return seen


# What mosquitto 2.0.11 has besides: names it calls deprecated or shows always as 0, of its bridges,
# of its message store, and of its own build.
ONLY_MOSQUITTO = {"messages/stored", "store/messages/count", "store/messages/bytes", "timestamp",
                  "load/sockets/1min", "load/sockets/5min", "load/sockets/15min",
                  "shared_subscriptions/count"}


def sys_topics_have_the_same_names():
    names = []
    for program in (mosquitto(), MEROSSD):
        with serving(program, "sys_interval 1") as port:
            seen = sys_topics(port)
            check(int(seen["$SYS/broker/clients/connected"]) == 2, f"{seen}")
            check(seen["$SYS/broker/uptime"].endswith(b" seconds"), f"{seen}")
            names.append({t.removeprefix("$SYS/broker/") for t in seen})
    missing = names[0] - names[1] - ONLY_MOSQUITTO
    check(not missing, f"mosquitto has and merossd has not: {sorted(missing)}")


if __name__ == "__main__":
    sys.exit(harness.main([
        max_keepalive, max_qos, retain_available, message_size_limit, max_packet_size,
        queue_qos0_messages, upgrade_outgoing_qos, max_inflight_messages, max_queued_messages,
        max_queued_bytes, an_unknown_option_is_an_error_in_both,
        persistent_client_expiration_has_the_same_words, sys_topics_have_the_same_names,
    ]))
