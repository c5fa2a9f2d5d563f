#!/usr/bin/env python3
"""90-differential.py MEROSSD PLUGSIM [words] - random scripts, against mosquitto and merossd alike.

A script is a list of steps: connect, subscribe, publish, acknowledge, leave in several ways, break
a rule.  It is made from its number alone, so that number repeats it.  After each step all clients
are read to the end; what they got is put into a form in which only differences that matter are
left (Packet Identifiers become the message they stand for; order is kept within one topic), and
the two brokers are compared.  Where the standard leaves a choice and merossd chooses another way
than mosquitto, the generator does not go; ALLOWED has those places, each with its reason and with
what both do.

SCRIPTS=2000 STEPS=40 FIRST=0 90-differential.py MEROSSD PLUGSIM"""
import os
import pathlib
import random
import shutil
import signal
import struct
import sys
import tempfile

import harness
from harness import Skip, Wire, check, free_port, packet, parse, string

MEROSSD, PLUGSIM = harness.program_arguments()
SCRIPTS = int(os.environ.get("SCRIPTS", "60"))
STEPS = int(os.environ.get("STEPS", "40"))
FIRST = int(os.environ.get("FIRST", "0"))

TOPICS = ["{n}/a", "{n}/a/b", "{n}/a/b/c", "{n}/a//c", "{n}/d", "/{n}/a", "{n}/", "$x/{n}/a"]
FILTERS = TOPICS + ["{n}/#", "{n}/+", "{n}/+/b", "{n}/a/#", "{n}/+/+/c", "#", "+/+", "/#", "/+/a",
                    "+/{n}/#", "$x/#", "$x/+/a", "{n}/a/b/#", "{n}/a/+"]
CLIENTS = ["p", "q", "r", "s"]
# What breaks a rule, and must end the connection.
BREACHES = {
    "topic with #": "30 05 00 03 61 2f 23", "QoS 3": "36 05 00 01 61 00 01",
    "empty topic": "30 02 00 00",
    "packet id 0": "32 05 00 01 61 00 00", "SUBSCRIBE without filters": "82 02 00 01",
    "SUBSCRIBE with flags 0": "80 06 00 01 00 01 61 00", "filter a#": "82 07 00 01 00 02 61 23 00",
    "subscription QoS 3": "82 06 00 01 00 01 61 03", "UNSUBSCRIBE without filters": "a2 02 00 01",
    "type 0": "00 00", "type 15": "f0 00", "CONNACK": "20 02 00 00",
    "PUBREL with flags 0": "60 02 00 01",
    "length of 5 bytes": "30 ff ff ff ff 01", "U+0000": "30 04 00 02 61 00",
    "bad UTF-8": "30 04 00 02 c3 28", "UNSUBSCRIBE of a#": "a2 06 00 01 00 02 61 23",
    "DISCONNECT with a body": "e0 01 00",
}
# A breach at level 4 only, or with mosquitto only there (ALLOWED: level_3_without_filters).
LEVEL_4 = ("SUBSCRIBE without filters", "UNSUBSCRIBE without filters", "SUBSCRIBE with flags 0",
           "PUBREL with flags 0")
SECOND_CONNECT = "10 0d 00 04 4d 51 54 54 04 02 00 00 00 01 7a"
# What is odd but leaves the connection as it is.
ODDITIES = {"PUBACK for nothing": "40 02 ff f0", "PUBREL for nothing": "62 02 ff f0",
            "PUBCOMP for nothing": "70 02 ff f0"}

# First packets that must be refused; what is written as text is a client id of no other.
FIRSTS = {
    "PINGREQ": "c0 00", "PUBACK": "40 02 00 01", "DISCONNECT": "e0 00", "type 0": "00 00",
    "level 6": "10 0e 00 04 4d 51 54 54 06 02 00 00 00 02 7a 7a",
    "another name": "10 0e 00 04 4d 51 54 58 04 02 00 00 00 02 7a 7a",
    "no id, clean 0": "10 0c 00 04 4d 51 54 54 04 00 00 00 00 00",
    "no id, level 3": "10 0e 00 06 4d 51 49 73 64 70 03 02 00 00 00 00",
    "reserved flag": "10 0e 00 04 4d 51 54 54 04 03 00 00 00 02 7a 7a",
    "Will QoS 3": "10 14 00 04 4d 51 54 54 04 1e 00 00 00 02 7a 7a 00 01 77 00 01 77",
    "Will QoS without Will": "10 0e 00 04 4d 51 54 54 04 0a 00 00 00 02 7a 7a",
    "Will Retain without Will": "10 0e 00 04 4d 51 54 54 04 22 00 00 00 02 7a 7a",
    "Will to #": "10 14 00 04 4d 51 54 54 04 06 00 00 00 02 7a 7a 00 01 23 00 01 77",
    "Will to nothing": "10 13 00 04 4d 51 54 54 04 06 00 00 00 02 7a 7a 00 00 00 01 77",
    "password without user": "10 11 00 04 4d 51 54 54 04 42 00 00 00 02 7a 7a 00 01 70",
    "user flag without user": "10 0e 00 04 4d 51 54 54 04 82 00 00 00 02 7a 7a",
    "bytes behind the end": "10 0f 00 04 4d 51 54 54 04 02 00 00 00 02 7a 7a 00",
    "an id that is longer than the packet": "10 0e 00 04 4d 51 54 54 04 02 00 00 00 09 7a 7a",
    "U+0000 in the id": "10 0e 00 04 4d 51 54 54 04 02 00 00 00 02 7a 00",
}


def matches(pattern, topic):
    """MQTT's rule, the slow and plain way."""
    want, have = pattern.split("/"), topic.split("/")
    if topic[0] == "$" and want[0] in ("#", "+"):
        return False
    for i, word in enumerate(want):
        if word == "#":
            return True
        if i >= len(have) or word not in ("+", have[i]):
            return False
    return len(want) == len(have)


def overlap(one, other, topics):
    return any(matches(one, t) and matches(other, t) for t in topics)


# ---------------------------------------------------------------- making scripts

class Actor:
    """What the generator knows of one client."""

    def __init__(self, name, level):
        self.name, self.level = name, level
        self.online = self.clean = self.will = False
        self.filters = {}  # filter -> QoS


class Maker:
    def __init__(self, number, restart=False):
        self.restarts = restart
        self.random = random.Random(number)
        self.number = number
        self.topics = [t.format(n=number) for t in TOPICS]
        self.actors = [Actor(c, self.random.choice((3, 4, 4))) for c in CLIENTS]
        self.steps = []
        self.count = 0

    def script(self, length):
        while len(self.steps) < length:
            if self.restarts and len(self.steps) >= length // 2:
                self.restarts = False
                self.restart()
            actor = self.random.choice(self.actors)
            if not actor.online and self.random.random() < 0.05:
                what = self.random.choice(sorted(FIRSTS))
                self.steps.append(("first", actor.name, what))
            elif not actor.online or self.random.random() < 0.04:
                self.connect(actor)
            else:
                weights = dict(subscribe=6, unsubscribe=2, publish=14, ack=9, twice=2, leave=2,
                               breach=0.6, odd=0.4)
                kind = self.random.choices(list(weights), list(weights.values()))[0]
                getattr(self, kind)(actor)
        for actor in self.actors:  # whoever was away comes back and hears what waited
            if not actor.online and not actor.clean:
                self.steps.append(("connect", actor.name, dict(level=actor.level, clean=False)))
                actor.online, actor.will = True, False
            if actor.online:
                self.steps.append(("ack", actor.name, "all"))
                self.steps.append(("ack", actor.name, "all"))
        return self.steps

    def restart(self):
        """Whoever has a Will goes first: at the end of a broker it is chance who is still there
        to get it."""
        for a in self.actors:
            if a.online and a.will:
                self.steps.append(("leave", a.name, "disconnect"))
        self.steps.append(("restart", CLIENTS[0], None))
        for a in self.actors:
            a.online = a.will = False
            if a.clean:
                a.filters = {}

    def payload(self):
        self.count += 1
        return b"%d" % self.count

    def connect(self, a):
        clean = self.random.random() < 0.4
        if a.online and a.will and not a.clean and not clean:
            return  # ALLOWED: will_of_a_session_that_is_taken_over
        options = dict(level=a.level, clean=clean, keepalive=self.random.choice((0, 600)))
        a.will = self.random.random() < 0.3
        if a.will:
            options["will"] = (self.random.choice(self.topics), self.payload(),
                               self.random.randrange(3), self.random.random() < 0.3)
        if self.random.random() < 0.1:
            options["user"] = "somebody"
        if clean or a.clean:
            a.filters = {}
        a.online, a.clean = True, clean
        self.steps.append(("connect", a.name, options))

    def subscribe(self, a):
        chosen = []
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            f = self.random.choice(FILTERS).format(n=self.number)
            others = {q for g, q in a.filters.items() if g != f and overlap(f, g, self.topics)}
            if len(others) > 1 or (a.level == 3 and f in a.filters):
                continue  # ALLOWED: overlapping_filters, level_3_subscribes_again
            qos = others.pop() if others else self.random.randrange(3)
            a.filters[f] = qos
            chosen.append((f, qos))
        if chosen:
            self.steps.append(("subscribe", a.name, chosen))

    def unsubscribe(self, a):
        known = sorted(a.filters) + [self.random.choice(FILTERS).format(n=self.number)]
        f = self.random.choice(known)
        a.filters.pop(f, None)
        self.steps.append(("unsubscribe", a.name, f))

    def publish(self, a):
        qos = self.random.randrange(3)
        retain = self.random.random() < 0.25
        payload = b"" if retain and self.random.random() < 0.2 else self.payload()
        topic = self.random.choice(self.topics)
        pid = len(self.steps) + 1
        self.steps.append(("publish", a.name, (topic, payload, qos, pid, retain)))

    def twice(self, a):
        """QoS 2, repeated before PUBREL; sometimes over a new connection.
        ALLOWED: qos_2_is_delivered_when - so all of it is one step, and it is not the actor's own
        message that comes back over either connection."""
        topic = self.random.choice(self.topics)
        over = self.random.random() < 0.5 and not a.clean
        if over and any(matches(f, topic) for f in a.filters):
            return
        a.will = a.will and not over
        again = dict(level=a.level, clean=False) if over else None
        retain = self.random.random() < 0.2
        message = (topic, self.payload(), 2, len(self.steps) + 1, retain)
        self.steps.append(("twice", a.name, (message, again)))

    def ack(self, a):
        self.steps.append(("ack", a.name, self.random.choice(("first", "last", "all", "all"))))

    def leave(self, a):
        how = self.random.choice(("disconnect", "vanish"))  # of RST nobody knows when it arrives
        a.online = False
        self.steps.append(("leave", a.name, how))

    def breach(self, a):
        what = self.random.choice(sorted(BREACHES))
        if a.level == 3 and what in LEVEL_4:
            return
        a.online = False
        self.steps.append(("send", a.name, what))

    def odd(self, a):
        self.steps.append(("send", a.name, self.random.choice(sorted(ODDITIES))))


# ---------------------------------------------------------------- running scripts

class Peer:
    """One client at one broker: its connection, and what it owes."""

    def __init__(self, port, client_id):
        self.port, self.id = port, client_id
        self.wire = None
        self.message_of = {}  # Packet Identifier of the broker -> payload
        self.owed = []        # (payload, kind of the answer, Packet Identifier)
        self.seen = []

    def online(self):
        return self.wire is not None

    def send(self, data):
        try:
            self.wire.send(data)
        except OSError:
            pass  # the next read says that it ended

    def take(self, data):
        p = parse(data)
        kind = p["kind"]
        if kind == "publish":
            text = p["payload"].decode()
            if p["topic"].startswith("meross/"):  # merossd's own; a `#` sees them
                if p["qos"]:
                    self.send(packet(0x40 if p["qos"] == 1 else 0x50, struct.pack(">H", p["id"])))
                    self.message_of[p["id"]] = "meross"
                return
            if p["qos"]:
                self.message_of[p["id"]] = text
                self.owed.append((text, 0x40 if p["qos"] == 1 else 0x50, p["id"]))
            self.seen.append(f"publish {p['topic']} {text} qos={p['qos']} dup={p['dup']} "
                             f"retain={p['retain']}")
        elif kind == "pubrel":
            text = self.message_of.get(p["id"], "?")
            if text == "meross":
                self.send(packet(0x70, struct.pack(">H", p["id"])))
                return
            self.owed.append((text, 0x70, p["id"]))
            self.seen.append(f"pubrel for {text}")
        elif kind == "suback":
            self.seen.append(f"suback {p['id']} {p['codes'].hex()}")
        elif kind == "connack":
            self.seen.append(f"connack sp={p['sp']} code={p['code']}")
        else:
            self.seen.append(" ".join([kind] + [str(p[k]) for k in ("id",) if k in p]))

    def settle(self, times=1):
        """Reads everything that the broker has sent."""
        for _ in range(times):
            if not self.online():
                return
            self.send(b"\xc0\x00")
            while True:
                try:
                    data = self.wire.receive()
                except ConnectionError:
                    data = None
                if data is None:
                    self.gone()
                    return
                if data == b"\xd0\x00":
                    break
                self.take(data)

    def gone(self):
        self.seen.append("closed")
        self.drop()

    def drop(self):
        self.wire.close()
        self.wire = None
        self.owed = []


class Side:
    """One broker, and the clients of one script there."""

    def __init__(self, server, number):
        self.server, self.port = server, server.port
        self.peers = {c: Peer(self.port, f"{c}{number}") for c in CLIENTS}

    def step(self, op, name, arg):
        """Does it; returns what each client saw, in comparable form."""
        peer = self.peers[name]
        if op in ("connect", "first", "restart") or peer.online():
            getattr(self, "do_" + op)(peer, arg)
        peer.settle(2)
        for other in self.peers.values():
            if other is not peer:
                other.settle()
        seen = {}
        for c, p in self.peers.items():
            seen[c] = comparable(p.seen)
            p.seen = []
        return seen

    def do_connect(self, p, options):
        if p.online():  # taken over: the old connection is read to its end
            old = p.wire
            p.wire = Wire(self.port)
            p.send(harness.connect(p.id, **options))
            while old.receive() is not None:
                pass
            old.close()
            p.owed = []
            return
        p.wire = Wire(self.port)
        p.send(harness.connect(p.id, **options))

    def do_subscribe(self, p, filters):
        body = b"".join(string(f) + bytes([q]) for f, q in filters)
        p.send(packet(0x82, b"\x00\x09" + body))

    def do_unsubscribe(self, p, f):
        p.send(packet(0xA2, b"\x00\x0a" + string(f)))

    def do_restart(self, _, __):
        for p in self.peers.values():
            if p.online():
                p.drop()
        self.server.restart()

    def do_first(self, p, what):
        p.wire = Wire(self.port)
        p.send(bytes.fromhex(FIRSTS[what]))

    def do_hold(self, p, arg):
        """A PUBLISH of QoS 2 without its PUBREL."""
        topic, payload, _, pid, retain = arg
        p.send(harness.publish(topic, payload, 2, pid, retain=retain))

    def do_publish(self, p, arg):
        topic, payload, qos, pid, retain = arg
        p.send(harness.publish(topic, payload, qos, pid if qos else None, retain=retain))
        if qos == 2:
            p.send(packet(0x62, struct.pack(">H", pid)))

    def do_twice(self, p, arg):
        (topic, payload, qos, pid, retain), again = arg
        p.send(harness.publish(topic, payload, qos, pid, retain=retain))
        p.settle(2)
        if again and p.online():
            self.do_leave(p, "disconnect")
            self.do_connect(p, again)
        if p.online():
            p.send(harness.publish(topic, payload, qos, pid, dup=True, retain=retain))
            p.send(packet(0x62, struct.pack(">H", pid)))

    def do_ack(self, p, which):
        p.owed.sort()
        chosen = {"first": p.owed[:1], "last": p.owed[-1:], "all": p.owed}[which]
        p.owed = [o for o in p.owed if o not in chosen]
        for _, kind, pid in chosen:
            p.send(packet(kind, struct.pack(">H", pid)))

    def do_leave(self, p, how):
        if how == "disconnect":
            p.send(b"\xe0\x00")
            while True:
                data = p.wire.receive()
                if data is None:
                    break
                p.take(data)
        else:
            p.wire.vanish()
        p.drop()

    def do_send(self, p, what):
        p.send(bytes.fromhex((BREACHES | ODDITIES).get(what, what)))

    def clean_up(self, topics):
        """Leaves the broker as it was."""
        for p in self.peers.values():
            if p.online():
                p.drop()
            p.wire = Wire(self.port)
            p.send(harness.connect(p.id))
            p.settle()
            for t in topics:
                p.send(harness.publish(t, b"", 0, retain=True))
            p.settle()
            p.send(b"\xe0\x00")
            p.wire.expect_closed()
            p.drop()


def comparable(seen):
    """Order matters within one topic and QoS only [MQTT-4.6.0-6]; other packets keep theirs."""
    groups = {}
    for line in seen:
        words = line.split(" ")
        key = (words[1], words[-3]) if words[0] == "publish" else (words[0],)
        groups.setdefault(key, []).append(line)
    if ("pubrel",) in groups:
        groups["pubrel",].sort()  # as the messages were sent, and that of retained ones is free
    return [line for key in sorted(groups) for line in groups[key]]


class Server:
    """A broker with mosquitto's own limits and a store of its own."""

    def __init__(self, program, extra=""):
        self.program, self.extra, self.port = program, extra, free_port()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
        self.process = None

    def config(self):
        own = f"state_dir {self.root}/state\nmax_queued_bytes 0\n"
        theirs = f"set_tcp_nodelay true\npersistence true\npersistence_location {self.root}/\n"
        return (f"user root\n{own if self.program == MEROSSD else theirs}"
                f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{self.extra}\n")

    def start(self):
        (self.root / "conf").write_text(self.config())
        self.process = harness.Program([self.program, "-c", self.root / "conf"])
        self.process.wait_line(r"running|`merossd list` shows")

    def stop(self):
        status = self.process.kill(signal.SIGTERM)
        text = self.process.text()
        check(status == 0 and not harness.SANITIZER.search(text), text[-4000:])

    def restart(self):
        self.stop()
        self.start()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            if self.process.alive():
                self.process.kill()
            shutil.rmtree(self.root, ignore_errors=True)


def mosquitto():
    for name in (shutil.which("mosquitto"), "/usr/sbin/mosquitto"):
        if name and os.access(name, os.X_OK):
            return name
    raise Skip("no mosquitto here (Debian's package mosquitto)")


def difference(number, servers, restart):
    """The first difference in a script, for people; None when there is none."""
    maker = Maker(number, restart)
    steps = maker.script(STEPS)
    theirs, ours = (Side(server, number) for server in servers)
    found = None
    for i, step in enumerate(steps):
        a, b = theirs.step(*step), ours.step(*step)
        if a != b:
            found = describe(number, maker, steps[:i + 1], a, b)
            break
    for side in (theirs, ours):
        side.clean_up(maker.topics)
    return found


def describe(number, maker, steps, a, b):
    levels = " ".join(f"{x.name}={x.level}" for x in maker.actors)
    lines = [f"script {number} (levels {levels}), step {len(steps)}:"]
    lines += [f"    {op} {name} {arg}" for op, name, arg in steps]
    for c in CLIENTS:
        if a[c] != b[c]:
            lines += [f"  {c} at mosquitto: {a[c]}", f"  {c} at merossd:   {b[c]}"]
    return "\n".join(lines)


def compare(extra="", first=FIRST, count=SCRIPTS, restart=False):
    found = []
    with Server(mosquitto(), extra) as theirs, Server(MEROSSD, extra) as ours:
        for number in range(first, first + count):
            what = difference(number, (theirs, ours), restart)
            if what:
                found.append(number)
                print(what, flush=True)
    check(not found, f"scripts {found} differ")
    print(f"    {count} scripts of {STEPS} steps and more, no difference")


def random_scripts():
    compare()


def with_qos_0_queued():
    compare("queue_qos0_messages true", FIRST + 300000)


def with_qos_upgraded():
    compare("upgrade_outgoing_qos true", FIRST + 400000)


def with_a_restart():
    """Both are ended with SIGTERM in the middle of each script."""
    compare(first=FIRST + 500000, count=max(SCRIPTS // 10, 1), restart=True)


# ---------------------------------------------------------------- what may differ

CONNECT = dict(level=4, clean=False)
CONNECT3 = dict(level=3, clean=False)
WILL = dict(level=4, clean=False, will=("0/w", b"gone", 0, False))

# (name, steps, client, what it sees of the last step at mosquitto 2.0.11, and at merossd)
ALLOWED = [
    # [MQTT-3.3.5-1] asks for the higher QoS; mosquitto sends one copy with that of any of them.
    ("overlapping_filters",
     [("connect", "p", CONNECT), ("connect", "q", CONNECT),
      ("subscribe", "p", [("0/ov/#", 2), ("0/ov/+", 1)]),
      ("publish", "q", ("0/ov/x", b"1", 2, 7, False))], "p",
     ["publish 0/ov/x 1 qos=1 dup=0 retain=0"], ["publish 0/ov/x 1 qos=2 dup=0 retain=0"]),
    # [MQTT-4.3.3-2] leaves it to the receiver; both deliver once (step `twice`).
    ("qos_2_is_delivered_when",
     [("connect", "p", CONNECT), ("connect", "q", CONNECT), ("subscribe", "p", [("0/h", 0)]),
      ("hold", "q", ("0/h", b"1", 2, 7, False))], "p",
     [], ["publish 0/h 1 qos=0 dup=0 retain=0"]),
    # MQTT 3.1 does not ask for the Retained Messages again.
    ("level_3_subscribes_again",
     [("connect", "p", CONNECT3), ("publish", "p", ("0/r", b"1", 1, 7, True)),
      ("subscribe", "p", [("0/r", 0)]), ("subscribe", "p", [("0/r", 0)])], "p",
     ["publish 0/r 1 qos=0 dup=0 retain=1", "suback 9 00"], ["suback 9 00"]),
    # A breach at every level; mosquitto looks at level 4 only [F83].
    ("level_3_without_filters",
     [("connect", "p", CONNECT3), ("send", "p", "SUBSCRIBE without filters")], "p",
     ["suback 1 "], ["closed"]),
    ("level_3_without_filters_to_unsubscribe",
     [("connect", "p", CONNECT3), ("send", "p", "UNSUBSCRIBE without filters")], "p",
     ["unsuback 1"], ["closed"]),
    # [MQTT-4.8.0-1] [F19]; later versions of mosquitto close as well.
    ("suback_from_a_client",
     [("connect", "p", CONNECT), ("send", "p", "90 03 00 01 00")], "p", [], ["closed"]),
    # [MQTT-3.1.0-2] ends the connection, not the Session [MQTT-3.1.2-4], and the Will is due.
    ("a_second_connect_costs_the_session",
     [("connect", "p", CONNECT), ("send", "p", SECOND_CONNECT), ("connect", "p", CONNECT)], "p",
     ["connack sp=0 code=0"], ["connack sp=1 code=0"]),
    ("a_second_connect_costs_the_will",
     [("connect", "p", WILL), ("connect", "q", CONNECT), ("subscribe", "q", [("0/w", 0)]),
      ("send", "p", SECOND_CONNECT)], "q",
     [], ["publish 0/w gone qos=0 dup=0 retain=0"]),
    # Section 3.1.2.5: a connection that the Server closes has its Will sent.
    ("will_of_a_session_that_is_taken_over",
     [("connect", "p", WILL), ("connect", "q", CONNECT), ("subscribe", "q", [("0/w", 0)]),
      ("connect", "p", CONNECT)], "q",
     [], ["publish 0/w gone qos=0 dup=0 retain=0"]),
    # Shared subscriptions are not of MQTT 3.1.1; merossd takes the filter by its letters.
    ("shared_subscriptions",
     [("connect", "p", CONNECT), ("connect", "q", CONNECT),
      ("subscribe", "p", [("$share/g/0/s", 0)]), ("publish", "q", ("0/s", b"1", 0, 7, False))], "p",
     ["publish 0/s 1 qos=0 dup=0 retain=0"], []),
]


def allowed_differences():
    """Each is still there: when one goes, the generator may go there too."""
    with Server(mosquitto()) as theirs, Server(MEROSSD) as ours:
        for i, (name, steps, client, at_theirs, at_ours) in enumerate(ALLOWED):
            sides = [Side(server, f"allowed{i}") for server in (theirs, ours)]
            for step in steps[:-1]:
                a, b = (side.step(*step) for side in sides)
                check(a == b, f"{name}: at {step} already: {a} {b}")
            a, b = (side.step(*steps[-1])[client] for side in sides)
            check(b == at_ours, f"{name}: merossd {b}")
            check(a == at_theirs, f"{name}: mosquitto {a}")
            for side in sides:
                side.clean_up(["0/r"])


if __name__ == "__main__":
    sys.exit(harness.main([random_scripts, with_qos_0_queued, with_qos_upgraded,
                           with_a_restart, allowed_differences]))
