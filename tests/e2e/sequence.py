"""sequence.py - reads and runs the cases of tests/spec/cases; tests/README.md has the format."""
import ast
import re
import struct

import harness
from harness import Failure, check, packet, string

LEVELS = (3, 4)
TRANSPORTS = ("tcp", "tls", "ws", "wss")


class Case:
    def __init__(self, file, line, polarity, title):
        self.file, self.line, self.polarity, self.title = file, line, polarity, title
        self.levels, self.alone, self.slow = LEVELS, False, False
        self.transports = TRANSPORTS
        self.steps = []  # (line number, connection, operator, text)

    def name(self):
        return f"{self.file}:{self.line}"


def read_cases(path):
    """All cases of one file; a mistake in the file is an error with its line."""
    cases = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        where = f"{path.name}:{number}"
        if not line or line.startswith("#"):
            continue
        head = re.match(r"(obey|breach)\s+((?:\[[^\]]+\]\s*)*)(.+)$", raw)
        if head:
            cases.append(Case(path.name, number, head[1], head[3]))
            continue
        check(cases, f"{where}: a line before the first case")
        case = cases[-1]
        step = re.match(r"([a-z])(>>|>|<~|<|!)\s*(.*)$", line)
        if step:
            case.steps.append((number, step[1], step[2], step[3]))
        elif re.fullmatch(r"level [34]", line):
            case.levels = (int(line[-1]),)
        elif re.fullmatch(r"transport (tcp|tls|ws|wss)", line):
            case.transports = (line.split()[1],)
        elif line == "websockets":
            case.transports = ("ws", "wss")
        elif line in ("alone", "slow"):
            setattr(case, line, True)
        else:
            raise Failure(f"{where}: {line!r} is not a step")
    return cases


def split_words(text):
    """Words; blanks inside quotes do not split."""
    return re.findall(r"""(?:[^\s"]|"(?:\\.|[^"\\])*")+""", text)


def literal(word):
    """The bytes of a word that may contain quotes: x"a b" is the text `a b` after x."""
    parts = re.split(r'("(?:\\.|[^"\\])*")', word)
    return b"".join(ast.literal_eval("b" + p) if p.startswith('"') else p.encode() for p in parts)


def value(word):
    """The value of name=value as bytes; `*N` is N letters x, `TEXT*N` repeats TEXT."""
    m = re.fullmatch(r"(.*)\*(\d+)", word, re.S)
    if m and not word.startswith('"'):
        return (literal(m[1]) or b"x") * int(m[2])
    return literal(word)


def raw_bytes(words):
    """Hex pairs, "text", s"MQTT string", and any of them *N times."""
    out = b""
    for word in words:
        m = re.fullmatch(r"(.*?)(?:\*(\d+))?", word, re.S)
        body, times = m[1], int(m[2] or 1)
        if body.startswith('s"'):
            item = string(literal(body[1:]))
        elif body.startswith('"'):
            item = literal(body)
        else:
            check(re.fullmatch(r"([0-9a-f]{2})+", body), f"{word!r} is neither hex nor quoted")
            item = bytes.fromhex(body)
        out += item * times
    return out


class Run:
    """One case at one level over one transport."""

    def __init__(self, case, level, transport, open_wire, number):
        self.case, self.level, self.transport, self.number = case, level, transport, number
        self.open_wire = open_wire  # (**options of WebSocketWire) -> Wire
        self.wires, self.ids = {}, {}  # ids: (connection, @name) -> Packet Identifier
        self.owed = {}  # connection -> Packet Identifiers that it has not acknowledged

    def go(self):
        try:
            for line, conn, operator, text in self.case.steps:
                try:
                    self.step(conn, operator, self.fill(text))
                except Failure as e:
                    raise Failure(f"{self.case.file}:{line} `{conn}{operator} {text}`: {e}") from None
        finally:
            for wire in self.wires.values():
                wire.close()

    def fill(self, text):
        """{n}: five digits of this run alone; PROTO: protocol name and level, as in CONNECT."""
        proto = 's"MQIsdp" 03' if self.level == 3 else 's"MQTT" 04'
        return text.replace("{n}", f"{self.number:05d}").replace("PROTO", proto)

    def step(self, conn, operator, text):
        if operator == "!":
            self.act(conn, text)
        elif operator == "<":
            self.expect(conn, text)
        elif operator == "<~":
            self.expect_among_ours(conn, text)
        else:
            wire = self.wires.get(conn)
            if wire is None or wire.ended:
                wire = self.wires[conn] = self.open_wire()
            data = b"".join(self.build(conn, part) for part in text.split(" ; "))
            if text.startswith("frame "):
                wire.send_raw(data)
                return
            for chunk in ([data[i:i + 1] for i in range(len(data))] if operator == ">>" else [data]):
                wire.send(chunk)

    def act(self, conn, text):
        if text.startswith(("open ", "refused ")):
            return self.offer(conn, *text.split(" ", 1))
        wire = self.wires[conn]
        if text == "vanish":
            wire.vanish()
        elif text == "reset":
            wire.reset()
        else:
            raise Failure("not an action")

    def offer(self, conn, outcome, protocols):
        """Opens a WebSocket with these subprotocols; `none` offers nothing."""
        wire = self.open_wire(protocol=None if protocols == "none" else protocols)
        check(wire.status == (101 if outcome == "open" else 400), f"status {wire.status}")
        if outcome == "open":
            self.wires[conn] = wire
        else:
            wire.close()

    # -- sending

    def build(self, conn, text):
        if text.startswith("frame "):
            return self.make_frame(conn, text[6:])
        words = split_words(text)
        kind, rest = words[0], words[1:]
        if re.fullmatch(r"([0-9a-f]{2})+(\*\d+)?", kind) or kind[0] == '"' or kind.startswith('s"'):
            return raw_bytes(words)
        if kind == "pkt":
            return packet(int(rest[0], 16), raw_bytes(rest[1:]))
        options = [w.split("=", 1) for w in rest]
        o = {k: v for k, v in options}
        maker = getattr(self, "make_" + kind, None)
        check(maker, f"no packet is called {kind}")
        data = maker(conn, o, options)
        check(not o, f"{kind} knows no {' '.join(o)}")
        return data

    def make_frame(self, conn, text):
        """`frame 82 PACKET`: a masked WebSocket frame that begins with this byte."""
        first, _, rest = text.partition(" ")
        head = int(first, 16)
        return harness.ws_frame(head & 15, self.build(conn, rest) if rest else b"",
                                fin=head >> 7, rsv=head >> 4 & 7)

    def make_connect(self, conn, o, _):
        clean = o.pop("clean", "1") == "1"
        if clean:
            self.owed[conn] = set()
        will = None
        if "will" in o:
            will = (value(o.pop("will")), value(o.pop("willmsg", "gone")),
                    int(o.pop("willqos", 0)), int(o.pop("willretain", 0)))
        return harness.connect(
            value(o.pop("id", f"c{self.number:05d}{conn}")), int(o.pop("level", self.level)), clean,
            int(o.pop("keepalive", 0)), will,
            value(o.pop("user")) if "user" in o else None,
            value(o.pop("password")) if "password" in o else None,
            value(o.pop("name")) if "name" in o else None,
            int(o.pop("flags"), 16) if "flags" in o else None)

    def packet_id(self, conn, word):
        return self.ids[conn, word] if word.startswith("@") else int(word)

    def make_publish(self, conn, o, _):
        qos = int(o.pop("qos", 0))
        packet_id = self.packet_id(conn, o.pop("id", "1")) if qos else None
        return harness.publish(value(o.pop("topic")), value(o.pop("payload", "hello")), qos,
                               packet_id, int(o.pop("dup", 0)), int(o.pop("retain", 0)))

    def make_flood(self, _, o, __):
        """`count` messages with Packet Identifiers 1, 2, ... and payloads 0, 1, ...; `spread=1`
        puts the number below the topic as well."""
        topic, qos, count = value(o.pop("topic")), int(o.pop("qos")), int(o.pop("count"))
        retain, spread = int(o.pop("retain", 0)), int(o.pop("spread", 0))
        return b"".join(harness.publish(topic + (b"/%d" % i if spread else b""), b"%d" % i, qos,
                                        i + 1 if qos else None, retain=retain)
                        for i in range(count))

    def make_subscribe(self, _, o, options):
        """filter=... qos=... may be given several times, in pairs."""
        body = struct.pack(">H", int(o.get("id", 1)))
        pairs = []
        for name, word in options:
            if name == "filter":
                pairs.append([value(word), 0])
            elif name == "qos":
                pairs[-1][1] = int(word)
            o.pop(name, None)
        return packet(0x82, body + b"".join(string(f) + bytes([q]) for f, q in pairs))

    def make_unsubscribe(self, _, o, options):
        body = struct.pack(">H", int(o.get("id", 1)))
        filters = [value(word) for name, word in options if name == "filter"]
        o.clear()
        return packet(0xA2, body + b"".join(string(f) for f in filters))

    def acknowledge(self, conn, first, o):
        packet_id = self.packet_id(conn, o.pop("id"))
        if first in (0x40, 0x70):
            self.owed.setdefault(conn, set()).discard(packet_id)
        return packet(first, struct.pack(">H", packet_id))

    def make_puback(self, conn, o, _):
        return self.acknowledge(conn, 0x40, o)

    def make_pubrec(self, conn, o, _):
        return self.acknowledge(conn, 0x50, o)

    def make_pubrel(self, conn, o, _):
        return self.acknowledge(conn, 0x62, o)

    def make_pubcomp(self, conn, o, _):
        return self.acknowledge(conn, 0x70, o)

    def make_pingreq(self, *_):
        return b"\xc0\x00"

    def make_disconnect(self, *_):
        return b"\xe0\x00"

    # -- expecting

    def receive(self, conn):
        wire = self.wires.get(conn)
        check(wire is not None, f"{conn} was never opened")
        return wire.receive()

    def expect(self, conn, text):
        if text == "closed":
            packet_ = self.receive(conn)
            check(packet_ is None, f"got {harness.show(packet_)}")
        elif text.startswith("closed "):  # with this code of WebSockets
            packet_ = self.receive(conn)
            check(packet_ is None, f"got {harness.show(packet_)}")
            code = self.wires[conn].close_code
            check(code == int(text[7:]), f"got close code {code}")
        elif text.startswith("chose "):  # the subprotocol
            chosen = self.wires[conn].headers.get("sec-websocket-protocol")
            check(chosen == text[6:], f"got {chosen}")
        elif text.startswith("pong "):  # in what was received up to here
            check(raw_bytes([text[5:]]) in self.wires[conn].pongs, f"got {self.wires[conn].pongs}")
        elif text == "alive":  # nothing more comes, and the connection works
            # Twice: the broker answers at once but delivers at the end of its turn, so only the
            # second PINGRESP comes after everything that was under way.
            for _ in range(2):
                self.wires[conn].send(b"\xc0\x00")
                answer = self.receive(conn)
                check(answer == b"\xd0\x00", f"got {harness.show(answer)}")
        elif text.startswith("any "):  # so many packets, whatever they are
            for _ in range(int(text[4:])):
                check(self.receive(conn) is not None, "the connection ended")
        elif text.startswith("flood "):
            self.expect_flood(conn, dict(w.split("=", 1) for w in split_words(text)[1:]))
        elif text.startswith("{"):  # all of these, in any order
            self.expect_set(conn, [w.strip() for w in text.strip("{}").split(" ; ")])
        elif re.match(r"([0-9a-f]{2}|pkt)( |$)", text):
            answer = self.receive(conn)
            check(answer == self.build(conn, text), f"got {harness.show(answer)}")
        else:
            answer = self.receive(conn)
            check(answer is not None, "the connection ended")
            self.match(conn, answer, text)

    def expect_set(self, conn, texts):
        for _ in range(len(texts)):
            answer = self.receive(conn)
            check(answer is not None, "the connection ended")
            for text in texts:
                try:
                    self.match(conn, answer, text)
                except Failure:
                    continue
                texts.remove(text)
                break
            else:
                raise Failure(f"got {harness.show(answer)}")

    def expect_flood(self, conn, want):
        """What `flood` sent, in order, each acknowledged as it comes."""
        count = int(want.pop("count"))
        for i in range(count):
            answer = self.receive(conn)
            check(answer is not None, f"the connection ended after {i} of {count}")
            words = " ".join(f"{k}={v}" for k, v in want.items())
            self.match(conn, answer, f"publish {words} payload={i} id=@flood{i}")
            packet_id = self.packet_id(conn, f"@flood{i}")
            self.wires[conn].send(self.make_puback(conn, {"id": str(packet_id)}, None))

    def expect_among_ours(self, conn, text):
        """As expect, but messages that the broker itself publishes may come before."""
        while True:
            answer = self.receive(conn)
            check(answer is not None, "the connection ended")
            got = harness.parse(answer)
            if got["kind"] != "publish" or not got["topic"].startswith("meross/"):
                return self.match(conn, answer, text)

    def match(self, conn, answer, text):
        """Every named field must fit.  PUBLISH: qos, dup and retain are 0 unless said otherwise;
        Session Present does not exist on level 3."""
        kind, *rest = split_words(text)
        got = harness.parse(answer)
        seen = harness.show(answer)
        want = dict(w.split("=", 1) for w in rest)
        check(got["kind"] == kind, f"got {seen}")
        if kind == "publish":
            want = {"qos": "0", "dup": "0", "retain": "0", "payload": "hello", **want}
        elif kind == "connack":
            want = {"sp": "0", "code": "0", **want}
            if self.level == 3:
                want["sp"] = "0"
        for name, word in want.items():
            if word == "any":
                continue
            if name != "id" or not word.startswith("@"):
                self.compare(conn, name, word, got, seen)
        self.note_id(conn, want.get("id", ""), got, seen)

    def note_id(self, conn, word, got, seen):
        """@name stands for the Packet Identifier that came first under this name."""
        if not word.startswith("@"):
            return
        expected = self.ids.setdefault((conn, word), got["id"])
        check(got["id"] == expected, f"got {seen}, not id={expected}")
        if got["kind"] == "publish":
            owed = self.owed.setdefault(conn, set())
            check(got["dup"] or got["id"] not in owed, f"{seen}: this id is still in use")
            owed.add(got["id"])

    def compare(self, conn, name, word, got, seen):
        if name == "id":
            ok = got["id"] == self.packet_id(conn, word)
        elif name == "codes":
            ok = got["codes"] == bytes.fromhex(word.replace(",", ""))
        elif name == "topic":
            ok = got["topic"].encode() == value(word)
        elif name == "payload":
            ok = got["payload"] == value(word)
        else:
            ok = got.get(name) == int(word)
        check(ok, f"got {seen}")
