#!/usr/bin/env python3
"""37-lan.py MEROSSD PLUGSIM [words] - plugs without a connection, over real sockets.

A plug connects once and goes; then a small HTTP server of ours answers for it as plugs do."""
import hashlib
import json
import socket
import struct
import sys
import threading

import harness
from harness import Broker, Client, Program, check, free_port

MEROSSD, PLUGSIM = harness.program_arguments()


def sign(message_id, key, timestamp):
    return hashlib.md5(f"{message_id}{key}{timestamp}".encode()).hexdigest()


class HttpPlug:
    """One thread that takes one connection after the other.  `habit` is one of "plain", "lf",
    "cut", "reset", "silent"."""

    def __init__(self, port, plug, key=""):
        self.plug, self.key, self.habit, self.on = plug, key, "plain", 0
        self.requests, self.errors = [], []
        self.socket = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                try:
                    self.answer(connection)
                except (OSError, ValueError, KeyError) as e:
                    self.errors.append(repr(e))

    def read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096) or b"\r\n\r\n"
        head, body = data.split(b"\r\n\r\n", 1)
        if not head.startswith(b"POST /config HTTP/1.1\r\n"):
            raise ValueError(head)
        size = int([l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")][0]
                   .split(b":")[1])
        while len(body) < size:
            body += connection.recv(4096)
        return json.loads(body)

    def payload(self, header, payload):
        if header["namespace"] == "Appliance.System.All":
            return {"all": {"system": {
                "hardware": {"type": self.plug["type"], "version": "6.0.0",
                             "uuid": self.plug["uuid"], "macAddress": self.plug["mac"]},
                "firmware": {"version": self.plug["firmware"], "server": "127.0.0.1", "port": 1},
                "time": {"timestamp": 1, "timezone": "", "timeRule": []},
                "online": {"status": 0}},
                "digest": {"togglex": [{"channel": 0, "onoff": self.on, "lmTime": 1}]}}}
        if header["namespace"] == "Appliance.Control.ToggleX":
            self.on = payload["togglex"]["onoff"]
        return {}

    def answer(self, connection):
        message = self.read(connection)
        header = message["header"]
        self.requests.append((header["method"], header["namespace"]))
        if header["sign"] != sign(header["messageId"], self.key, header["timestamp"]):
            raise ValueError("a wrong sign")
        if self.habit == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if self.habit == "silent":
            connection.recv(1)  # until the other side has had enough
            return
        reply = {"header": {"messageId": header["messageId"], "namespace": header["namespace"],
                            "method": header["method"] + "ACK", "payloadVersion": 1,
                            "from": f"/appliance/{self.plug['uuid']}/publish", "timestamp": 1700000000,
                            "sign": sign(header["messageId"], self.key, 1700000000)},
                 "payload": self.payload(header, message["payload"])}
        body = json.dumps(reply).encode()
        end = b"\n" if self.habit == "lf" else b"\r\n"
        data = end.join((b"HTTP/1.1 200 OK", b"Content-Type: application/json",
                         b"Content-Length: %d" % len(body), b"", body))
        half = len(data) - len(body) // 2
        connection.sendall(data[:half])
        if self.habit != "cut":
            connection.sendall(data[half:])

    def close(self):
        self.socket.close()
        check(not self.errors, f"{self.errors}")


def known_plug(broker):
    """A plug that was here and is gone."""
    sim = Program([PLUGSIM, "--port", broker.tls, "--type", "mss210"], stdin=True)
    sim.wait_line("^plug 0 bound")
    watcher = Client(broker.tcp, "watcher")
    watcher.subscribe("meross/broker/plugs", 1)
    while True:
        plugs = json.loads(watcher.message()["payload"])
        plugs = plugs["plugs"] if isinstance(plugs, dict) else plugs
        if len(plugs) == 1 and plugs[0]["online"] and plugs[0]["type"] == "mss210":
            break
    broker.wait_line("mss210-")
    code, out, err = broker.client("get", plugs[0]["name"])
    check(code in (0, 2), f"{code} {out} {err}")
    sim.tell("quit")
    check(sim.wait() == 0, sim.text()[-2000:])
    watcher.subscribe(f"meross/{plugs[0]['name']}/availability", 1)
    watcher.message(lambda m: m["topic"].endswith("/availability") and m["payload"] == b"offline")
    watcher.disconnect()
    return plugs[0]


def options(port):
    return f"meross_lan_port {port}\nmeross_offline_delay 0\n"


def ask(client, plug, order):
    topic = f"meross/{plug['name']}"
    client.publish(f"{topic}/set", json.dumps({"state": order, "transaction": order}))
    m = client.message(lambda m: m["topic"] == f"{topic}/response" and
                       json.loads(m["payload"])["transaction"] == order)
    return json.loads(m["payload"])


def switched_over_the_lan():
    port = free_port()
    with Broker(MEROSSD, extra=options(port)) as b:
        plug = known_plug(b)
        client = Client(b.tcp, "hand")
        client.subscribe("meross/#")
        answer = ask(client, plug, "ON")  # nobody listens on that port
        check(answer["code"] == "offline", f"{answer}")
        b.restart()
        client = Client(b.tcp, "hand")
        client.subscribe("meross/#")
        http = HttpPlug(port, plug)
        for habit, order, on in (("plain", "ON", 1), ("lf", "OFF", 0), ("plain", "TOGGLE", 1)):
            http.habit = habit
            answer = ask(client, plug, order)
            check(answer["status"] == "ok" and http.on == on, f"{habit}: {answer}")
        for habit, code in (("cut", "refused"), ("reset", "timeout"), ("silent", "timeout")):
            http.habit = habit
            answer = ask(client, plug, "OFF")
            check(answer.get("code") == code, f"{habit}: {answer}")
        http.close()
        check(http.requests[0] == ("GET", "Appliance.System.All"), f"{http.requests}")


def switched_off_by_option():
    port = free_port()
    with Broker(MEROSSD, extra=options(port) + "meross_lan off\n") as b:
        plug = known_plug(b)
        http = HttpPlug(port, plug)
        client = Client(b.tcp, "hand")
        client.subscribe("meross/#")
        check(ask(client, plug, "ON")["code"] == "offline", "it was asked")
        b.extra = options(port)
        (b.state / "test.conf").write_text(b.config())
        b.program.process.send_signal(1)
        b.wait_line("the configuration was read again")
        check(ask(client, plug, "ON")["status"] == "ok", "it was not asked after SIGHUP")
        http.close()


def a_stop_while_a_plug_is_asked():
    port = free_port()
    with Broker(MEROSSD, extra=options(port)) as b:
        plug = known_plug(b)
        http = HttpPlug(port, plug)
        http.habit = "silent"
        client = Client(b.tcp, "hand")
        client.publish(f"meross/{plug['name']}/set", "ON", qos=1)
        while not http.requests:
            client.ping()
        b.stop()
        b.start(same_ports=True)
        http.close()


TESTS = [switched_over_the_lan, switched_off_by_option, a_stop_while_a_plug_is_asked]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS))
