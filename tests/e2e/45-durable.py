#!/usr/bin/env python3
"""45-durable.py - `kill -9` at random moments under QoS 1 and 2 load: nothing acknowledged is lost,
nothing of QoS 2 comes twice.

A publisher with a stored session sends numbered messages and notes which were acknowledged; the
broker is killed; it is started again; the publisher resumes as the standard asks (DUP, PUBREL); an
absent subscriber with a stored session then reads everything.

ROUNDS=200 45-durable.py MEROSSD PLUGSIM [words of the tests to run]"""
import itertools
import os
import pathlib
import random
import shutil
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import PATIENCE, Broker, Failure, check, main, program_arguments  # noqa: E402

MEROSSD, _ = program_arguments()

ROUNDS = int(os.environ.get("ROUNDS", "40"))  # kills; 200 for the long run
SETTLE = 0.05  # the longest a round lasts before the kill; a range to choose from, not a wait


def string(text):
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(first, body):
    n, head = len(body), bytes([first])
    while True:
        n, digit = divmod(n, 128)
        head += bytes([digit | (128 if n else 0)])
        if not n:
            return head + body


class Client:
    """A blocking client over a raw socket that reads whole packets."""

    def __init__(self, port, client_id, clean):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.send(packet(0x10, string("MQTT") + bytes([4, 2 if clean else 0]) +
                         struct.pack(">H", 0) + string(client_id)))
        kind, body = self.read()
        check(kind == 0x20 and body[1] == 0, f"CONNACK {kind:#x} {body!r}")
        self.present = bool(body[0])

    def send(self, raw):
        self.socket.sendall(raw)

    def read(self):
        """(first byte, body); raises ConnectionError at the end."""
        while True:
            parsed = self._parse()
            if parsed:
                return parsed
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more

    def _parse(self):
        n = shift = 0
        for i in range(1, min(len(self.buffer), 5)):
            n |= (self.buffer[i] & 127) << shift
            shift += 7
            if self.buffer[i] < 128:
                end = i + 1 + n
                if len(self.buffer) < end:
                    return None
                found = self.buffer[0], self.buffer[i + 1:end]
                self.buffer = self.buffer[end:]
                return found
        return None

    def close(self):
        self.socket.close()


class Publisher:
    """Keeps what MQTT asks a sender with a stored session to keep."""

    def __init__(self):
        self.number = 0
        self.unacked = {}   # packet id -> (number, qos); PUBLISH outstanding
        self.released = {}  # packet id -> number; PUBREL outstanding
        self.acked = set()  # numbers that the broker has taken over
        self.next_id = 0
        self.client = None

    def connect(self, port):
        self.client = Client(port, "publisher", clean=False)
        for pid, (number, qos) in sorted(self.unacked.items(), key=lambda e: e[1][0]):
            self._publish(pid, number, qos, dup=True)
        for pid in self.released:
            self.client.send(packet(0x62, struct.pack(">H", pid)))

    def _publish(self, pid, number, qos, dup=False):
        self.client.send(packet(0x30 | qos << 1 | (8 if dup else 0),
                                string(f"t/{qos}") + struct.pack(">H", pid) +
                                str(number).encode()))

    def publish(self):
        self.next_id = self.next_id % 60000 + 1
        self.number += 1
        qos = 1 + self.number % 2
        self.unacked[self.next_id] = (self.number, qos)
        self._publish(self.next_id, self.number, qos)

    def hear(self):
        kind, body = self.client.read()
        pid = struct.unpack(">H", body[:2])[0]
        if kind == 0x40:
            self.acked.add(self.unacked.pop(pid)[0])
        elif kind == 0x50:
            if pid in self.unacked:
                number = self.unacked.pop(pid)[0]
                self.acked.add(number)
                self.released[pid] = number
            self.client.send(packet(0x62, struct.pack(">H", pid)))
        elif kind == 0x70:
            self.released.pop(pid, None)
        else:
            raise Failure(f"the publisher got {kind:#x}")

    def run_until_killed(self, broker, seconds):
        """Publishes with a few on the way; the broker dies somewhere in between."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                while len(self.unacked) < 8:
                    self.publish()
                if time.monotonic() >= deadline and broker.program.alive():
                    broker.program.process.kill()
                self.hear()
        except (ConnectionError, OSError):
            self.client.close()
        broker.program.wait()

    def settle(self):
        while self.unacked or self.released:
            self.hear()
        self.client.close()


class Subscriber:
    """Counts what it gets; acknowledges as MQTT asks, and remembers QoS 2 ids it has received."""

    def __init__(self):
        self.count = {}  # number -> times
        self.known = set()

    def drain(self, port, until, patience=PATIENCE):
        """Reads until every number in `until` was seen and nothing is in flight."""
        client = Client(port, "subscriber", clean=False)
        client.socket.settimeout(patience)
        client.send(packet(0xC0, b""))
        ponged = 0  # PINGRESPs since something else came
        while not (ponged and until <= self.count.keys() and not self.known):
            kind, body = client.read()
            ponged = ponged + 1 if kind == 0xD0 else 0
            if kind >> 4 == 3:
                self._message(client, kind, body)
            elif kind >> 4 == 6:
                self.known.discard(body[:2])
                client.send(packet(0x70, body[:2]))
            elif kind == 0xD0:
                check(ponged < 100, f"never came: {sorted(until - self.count.keys())[:10]}")
                client.send(packet(0xC0, b""))
        client.close()

    def _message(self, client, kind, body):
        n = struct.unpack(">H", body[:2])[0]
        qos, pid, number = kind >> 1 & 3, body[2 + n:4 + n], int(body[4 + n:])
        if qos == 2:
            if pid not in self.known:
                self.count[number] = self.count.get(number, 0) + 1
            self.known.add(pid)
            client.send(packet(0x50, pid))
        else:
            self.count[number] = self.count.get(number, 0) + 1
            client.send(packet(0x40, pid))


def subscribe_and_leave(port):
    client = Client(port, "subscriber", clean=False)
    client.send(packet(0x82, struct.pack(">H", 1) + string("t/#") + b"\x02"))
    kind, _ = client.read()
    check(kind == 0x90, "no SUBACK")
    client.send(packet(0xE0, b""))
    client.close()


def verify(publisher, subscriber):
    lost = publisher.acked - subscriber.count.keys()
    check(not lost, f"acknowledged and lost: {sorted(lost)[:10]}")
    twice = [n for n, times in subscriber.count.items() if n % 2 and times > 1]
    check(not twice, f"QoS 2 came twice: {sorted(twice)[:10]}")


LIMITS = "max_queued_messages 0\nmax_queued_bytes 0\n"


def killed_at_random_moments():
    """Nothing acknowledged is lost, nothing of QoS 2 comes twice."""
    rounds = ROUNDS
    publisher, subscriber = Publisher(), Subscriber()
    broker = Broker(MEROSSD, extra=LIMITS).start()
    try:
        subscribe_and_leave(broker.tcp)
        publisher.connect(broker.tcp)
        for i in range(rounds):
            publisher.run_until_killed(broker, random.uniform(0, SETTLE))
            broker.start(same_ports=True)
            if i % 4 == 3:
                subscriber.drain(broker.tcp, set(publisher.acked))
            publisher.connect(broker.tcp)
        publisher.settle()
        subscriber.drain(broker.tcp, set(publisher.acked))
        verify(publisher, subscriber)
        print(f"    {rounds} kills, {len(publisher.acked)} messages acknowledged, none lost, "
              f"none of QoS 2 twice")
    finally:
        broker.stop()


def killed_while_the_subscriber_reads():
    """The receiving half: the broker dies while it delivers."""
    publisher, subscriber = Publisher(), Subscriber()
    broker = Broker(MEROSSD, extra=LIMITS).start()
    try:
        subscribe_and_leave(broker.tcp)
        for _ in range(15):
            publisher.connect(broker.tcp)
            for _ in range(40):
                publisher.publish()
            publisher.settle()
            client = Client(broker.tcp, "subscriber", clean=False)
            for _ in range(random.randint(0, 60)):
                kind, body = client.read()
                if kind >> 4 == 3:
                    subscriber._message(client, kind, body)
                elif kind >> 4 == 6:
                    subscriber.known.discard(body[:2])
                    client.send(packet(0x70, body[:2]))
            broker.crash()
            client.close()
        subscriber.drain(broker.tcp, set(publisher.acked))
        verify(publisher, subscriber)
    finally:
        broker.stop()


def retained_survives():
    """An acknowledged Retained Message is there after kill -9."""
    broker = Broker(MEROSSD).start()
    try:
        client = Client(broker.tcp, "r", clean=True)
        client.send(packet(0x33, string("keep") + b"\x00\x01" + b"value"))
        check(client.read()[0] == 0x40, "no PUBACK")
        broker.crash()
        client.close()
        client = Client(broker.tcp, "r", clean=True)
        client.send(packet(0x82, struct.pack(">H", 1) + string("keep") + b"\x01"))
        check(client.read()[0] == 0x90, "no SUBACK")
        kind, body = client.read()
        check(kind & 0xF1 == 0x31 and body.endswith(b"value"), "the Retained Message is gone")
        client.close()
    finally:
        broker.stop()


def killed_in_the_middle_of_a_replay():
    """SUBACK has promised the Retained Messages of every filter; to look them up takes many turns."""
    broker = Broker(MEROSSD).start()
    try:
        client = Client(broker.tcp, "r", clean=True)
        for n in range(1000):
            client.send(packet(0x31, string(f"t/{n}") + b"x"))
        client.send(packet(0x35, string("kept") + b"\x00\x01" + b"value"))
        check(client.read()[0] == 0x50, "no PUBREC")
        client.close()
        slow = b"".join(string(f"+/+/none/{n}") + b"\x01" for n in range(900))
        client = Client(broker.tcp, "away", clean=False)
        client.send(packet(0x82, struct.pack(">H", 1) + slow + string("kept") + b"\x02"))
        check(client.read()[0] == 0x90, "no SUBACK")
        broker.crash()
        client.close()
        client = Client(broker.tcp, "away", clean=False)
        kind, body = client.read()
        check(client.present and kind == 0x35 and body.endswith(b"value"), f"{kind:#x} {body!r}")
        client.close()
    finally:
        broker.stop()


def state_files(broker):
    return sorted(p for p in broker.state.iterdir() if p.name.startswith("state."))


def cut_and_damaged_files_start():
    """The state cut at any byte, or damaged at any: the broker starts and serves."""
    broker = Broker(MEROSSD, extra=LIMITS).start()
    publisher = Publisher()
    subscribe_and_leave(broker.tcp)
    publisher.connect(broker.tcp)
    for _ in range(20):
        publisher.publish()
    publisher.settle()
    broker.stop()
    files = state_files(broker)
    check(files, "there is no state file")
    copy = broker.state.with_name(broker.state.name + "-copy")
    shutil.copytree(broker.state, copy)
    try:
        size = max(f.stat().st_size for f in files)
        for at in random.sample(range(size), 12) + [0, 7, 8, size - 1]:
            for damage in (False, True):
                for f in state_files(broker):
                    f.unlink()
                for f in sorted(p for p in copy.iterdir() if p.name.startswith("state.")):
                    raw = bytearray(f.read_bytes())
                    if damage and at < len(raw) and at != 7:
                        raw[at] ^= 0xA5
                        (broker.state / f.name).write_bytes(raw)
                    else:
                        (broker.state / f.name).write_bytes(raw[:at])
                broker.start(same_ports=True)
                client = Client(broker.tcp, "alive", clean=True)
                client.send(packet(0xC0, b""))
                check(client.read()[0] == 0xD0, "no PINGRESP")
                client.close()
                broker.stop()
    finally:
        shutil.rmtree(copy, True)


def sync_always():
    """persistence_sync always: what is acknowledged is on the medium, not in a journal in memory."""
    broker = Broker(MEROSSD, extra=LIMITS + "persistence_sync always\n").start()
    publisher, subscriber = Publisher(), Subscriber()
    try:
        subscribe_and_leave(broker.tcp)
        publisher.connect(broker.tcp)
        for _ in range(10):
            publisher.run_until_killed(broker, random.uniform(0, SETTLE))
            broker.start(same_ports=True)
            publisher.connect(broker.tcp)
        publisher.settle()
        subscriber.drain(broker.tcp, set(publisher.acked))
        verify(publisher, subscriber)
    finally:
        broker.stop()


def sync_always_under_load():
    """persistence_sync always: one client that never ceases makes no other wait for its answers."""
    broker = Broker(MEROSSD, extra=LIMITS + "persistence_sync always\n").start()
    done = threading.Event()

    def flood(client):
        for n in itertools.count():
            if done.is_set():
                return
            client.send(packet(0x31, string(f"flood/{n % 50}") + os.urandom(20000)))

    flooder = Client(broker.tcp, "flooder", clean=True)
    thread = threading.Thread(target=flood, args=(flooder,))
    thread.start()
    try:
        client = Client(broker.tcp, "patient", clean=True)
        longest = 0
        for n in range(10):
            start = time.monotonic()
            client.send(packet(0x33, string("note") + struct.pack(">H", n + 1) + os.urandom(9)))
            check(client.read()[0] == 0x40, "no PUBACK")
            longest = max(longest, time.monotonic() - start)
        check(longest < 5, f"a PUBACK took {longest:.1f} s")
    finally:
        done.set()
        thread.join()
        broker.stop()


if __name__ == "__main__":
    sys.exit(main([killed_at_random_moments, killed_while_the_subscriber_reads, retained_survives,
                   killed_in_the_middle_of_a_replay,
                   cut_and_damaged_files_start, sync_always,
                   sync_always_under_load]))
