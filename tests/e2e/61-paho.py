#!/usr/bin/env python3
"""61-paho.py MEROSSD PLUGSIM [words] - Eclipse Paho, the client of most programs in Python and many
in C.  Needs Debian's python3-paho-mqtt; the part in C is tests/interop/paho_c.c, which is built
where libpaho-mqtt-dev is."""
import itertools
import os
import pathlib
import queue
import signal
import sys
import threading

import harness
from harness import PATIENCE, Broker, Failure, Skip, check

try:
    import paho.mqtt.client as paho
except ImportError:
    paho = None
    # The first python3 of the path need not be Debian's, which has Debian's packages.
    if os.path.exists("/usr/bin/python3") and "MEROSSD_PAHO" not in os.environ:
        os.environ["MEROSSD_PAHO"] = "tried"
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
os.environ.pop("MEROSSD_PAHO", None)

MEROSSD, PLUGSIM = harness.program_arguments()
BROKER = None
WAYS = list(itertools.product(("tcp", "tls", "ws", "wss"), (3, 4)))


class Paho:
    """A client with its own thread; what happens to it arrives in queues."""

    def __init__(self, name, transport="tcp", level=4, clean=True, will=None, setup=None):
        if paho is None:
            raise Skip("no paho.mqtt here (Debian's package python3-paho-mqtt)")
        self.connected, self.granted, self.sent = queue.Queue(), queue.Queue(), queue.Queue()
        self.messages = queue.Queue()
        c = self.client = paho.Client(name, clean_session=clean, protocol=level, transport=
                                      "websockets" if transport in ("ws", "wss") else "tcp")
        c.on_connect = lambda _, __, flags, code: self.connected.put((code,
                                                                      flags["session present"]))
        c.on_subscribe = lambda _, __, ___, codes: self.granted.put(codes)
        c.on_publish = lambda _, __, mid: self.sent.put(mid)
        c.on_message = lambda _, __, m: self.messages.put((m.topic, m.payload, m.qos, m.retain))
        c.reconnect_delay_set(1, 1)
        if will:
            c.will_set(*will)
        if transport in ("tls", "wss"):
            c.tls_set(BROKER.ca_file())
        if setup:
            setup(c)
        c.connect("127.0.0.1", getattr(BROKER, transport), 60)
        c.loop_start()
        code, self.present = self.next(self.connected)
        check(code == 0, f"CONNACK {code}")

    @staticmethod
    def next(q):
        try:
            return q.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failure("Paho: nothing came") from None

    def subscribe(self, *args):
        self.client.subscribe(*args)
        return self.next(self.granted)

    def publish(self, *args, **kwargs):
        info = self.client.publish(*args, **kwargs)
        info.wait_for_publish(PATIENCE)
        check(info.is_published(), "a publish does not complete")

    def expect(self, *wanted):
        got = self.next(self.messages)
        if got != wanted:
            short = [(m[0], m[1][:40], *m[2:]) for m in (got, wanted)]
            raise Failure(f"got {short[0]}, not {short[1]}")

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def die(self):
        """Without DISCONNECT."""
        self.client.loop_stop()
        self.client._sock_close()  # what the end of the process would do


def everywhere(test):
    for transport, level in WAYS:
        try:
            test(f"{test.__name__}/{transport}/{level}", transport, level)
        except Failure as e:
            raise Failure(f"{transport}, level {level}: {e}") from None


def every_qos():
    def test(topic, transport, level):
        sub, pub = Paho(topic + "s", transport, level), Paho(topic + "p", transport, level)
        for granted in range(3):
            check(sub.subscribe(f"{topic}/{granted}", granted) == (granted,), "the SUBACK")
            for qos in range(3):
                pub.publish(f"{topic}/{granted}", f"{qos}", qos)
                sub.expect(f"{topic}/{granted}", b"%d" % qos, min(qos, granted), 0)
        sub.close()
        pub.close()
    everywhere(test)


def retained():
    def test(topic, transport, level):
        c = Paho(topic, transport, level)
        c.publish(topic, "kept", 1, True)
        c.subscribe(topic, 2)
        c.expect(topic, b"kept", 1, 1)
        c.publish(topic, None, 1, True)
        c.expect(topic, b"", 1, 0)
        c.close()
    everywhere(test)


def will():
    def test(topic, transport, level):
        heir = Paho(topic + "h", transport, level)
        heir.subscribe(topic, 2)
        Paho(topic + "a", transport, level, will=(topic, "polite", 1, False)).close()
        Paho(topic + "b", transport, level, will=(topic, "gone", 2, False)).die()
        heir.expect(topic, b"gone", 2, 0)
        heir.close()
    everywhere(test)


def a_session_that_waits():
    def test(topic, transport, level):
        sub = Paho(topic + "s", transport, level, clean=False)
        check(not sub.present, "Session Present without a Session")
        sub.subscribe([(f"{topic}/+", 2)])
        sub.close()
        pub = Paho(topic + "p", transport, level)
        for i in range(60):
            pub.publish(f"{topic}/{1 + i % 2}", f"{i}", 1 + i % 2)
        sub = Paho(topic + "s", transport, level, clean=False)
        check(sub.present == (level == 4), "Session Present")
        got = {1: [], 2: []}  # Paho hands QoS 2 over at PUBREL, so each QoS has an order of its own
        for _ in range(60):
            name, payload, qos, _ = sub.next(sub.messages)
            check(name == f"{topic}/{qos}", f"{name} with QoS {qos}")
            got[qos].append(int(payload))
        check(got == {1: list(range(0, 60, 2)), 2: list(range(1, 60, 2))}, f"{got}")
        sub.close()
        pub.close()
    everywhere(test)


def large_payloads():
    def test(topic, transport, level):
        c = Paho(topic, transport, level)
        c.subscribe(topic, 2)
        for qos, size in ((0, 65535), (1, 400_000), (2, 1_900_000)):
            data = os.urandom(1000) * (size // 1000)
            c.publish(topic, data, qos)
            c.expect(topic, data, qos, 0)
        c.close()
    everywhere(test)


def two_hundred_topics():
    def test(topic, transport, level):
        c = Paho(topic, transport, level)
        filters = [(f"{topic}/{i}", i % 3) for i in range(200)]
        check(c.subscribe(filters) == tuple(q for _, q in filters), "the SUBACK")
        infos = [c.client.publish(f"{topic}/{i}", b"%d" % i, 2) for i in range(200)]
        for info in infos:
            info.wait_for_publish(PATIENCE)
            check(info.is_published(), "a publish does not complete")
        got = {c.next(c.messages)[:3] for _ in range(200)}
        check(got == {(f"{topic}/{i}", b"%d" % i, i % 3) for i in range(200)}, "not all of them")
        c.close()
    everywhere(test)


def the_broker_restarts():
    """It is killed and ended while Paho publishes; Paho reconnects and sends again by itself.
    Nothing that was acknowledged is lost, and QoS 2 comes once."""
    global BROKER  # pylint: disable=global-statement
    rounds, each = 6, 150
    before = BROKER
    try:
        with Broker(MEROSSD, "max_queued_messages 0\nmax_queued_bytes 0") as BROKER:
            away = Paho("restart-s", clean=False)
            away.subscribe("restart/#", 2)
            away.close()
            pub = Paho("restart-p", clean=False,
                       setup=lambda c: c.max_queued_messages_set(0))
            infos = []
            for i in range(rounds):
                some = threading.Event()
                pub.client.on_publish = lambda *_, some=some: some.set()
                infos += [pub.client.publish(f"restart/{1 + n % 2}", b"%d" % n, 1 + n % 2)
                          for n in range(i * each, (i + 1) * each)]
                check(some.wait(PATIENCE), "nothing was acknowledged")
                BROKER.program.kill(signal.SIGKILL if i % 2 else signal.SIGTERM)
                BROKER.start(same_ports=True)
                Paho.next(pub.connected)
            for info in infos:
                info.wait_for_publish(PATIENCE)
                check(info.is_published(), "a publish does not complete")
            pub.close()
            sub = Paho("restart-s", clean=False)
            check(sub.present, "the Session is gone")
            counts = {}
            while len(counts) < rounds * each:
                topic, payload, qos, _ = sub.next(sub.messages)
                check(topic == f"restart/{qos}", f"{topic} with QoS {qos}")
                counts[int(payload)] = counts.get(int(payload), 0) + 1
            twice = [n for n, times in counts.items() if times > 1 and n % 2]
            check(not twice, f"QoS 2 came twice: {twice}")
            sub.close()
    finally:
        BROKER = before


def paho_in_c():
    program = pathlib.Path(MEROSSD).parent / "tests/interop/paho_c"
    if not program.exists():
        raise Skip("tests/interop/paho_c was not built (Debian's package libpaho-mqtt-dev)")
    code, out, err = harness.run([program, BROKER.tcp, BROKER.tls, BROKER.ws, BROKER.wss,
                                  BROKER.ca_file()], 120)
    check(code == 0 and out.count(": ok") == 8, f"{code}\n{out}{err[-3000:]}")


def main():
    global BROKER  # pylint: disable=global-statement
    with Broker(MEROSSD, ws=True) as BROKER:
        return harness.main([every_qos, retained, will, a_session_that_waits, large_payloads,
                             two_hundred_topics, the_broker_restarts, paho_in_c])


if __name__ == "__main__":
    sys.exit(main())
