#!/usr/bin/env python3
"""60-websockets.py MEROSSD PLUGSIM [words] - MQTT over WebSockets with raw bytes: requests, frames,
closing, limits (F143, F179, F185 to F191, F193, F194).  The statements of the standard are cases
in tests/spec/cases/80-websockets.txt."""
import base64
import os
import signal
import socket
import struct
import sys

import harness
from harness import Broker, Client, WebSocketWire, Wire, check, connect, publish, ws_frame

MEROSSD, PLUGSIM = harness.program_arguments()
BROKER = None
TLS = harness.tls_context()
PAGES = 0  # a listener with websockets_origin
KEY = base64.b64encode(bytes(16)).decode()
BOTH = (("ws", None), ("wss", TLS))
SLACK = 65536  # of a message over max_packet_size
PACKET_MAX = 2097152


def ws(**options):
    return WebSocketWire(BROKER.ws, **options)


def wss(**options):
    return WebSocketWire(BROKER.wss, TLS, **options)


def client(name, make=ws, **options):
    return Client(0, name, wire=make(), **options)


def all_of(wire):
    data = b""
    while True:
        try:
            more = wire.sock.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return data
        data += more


def answer(request, port=None, tls=None, pieces=None):
    """The whole answer to bytes that are no good request."""
    wire = Wire(port or BROKER.ws, tls)
    step = pieces or len(request)
    for i in range(0, len(request), step):
        wire.send(request[i:i + step])
    data = all_of(wire)
    wire.close()
    return data.decode("latin-1")


def expect_status(status, sentence, request, **options):
    mark = BROKER.mark()
    text = answer(request, **options)
    check(text.startswith(f"HTTP/1.1 {status} "), f"{request[:60]!r}: {text[:200]!r}")
    head, _, body = text.partition("\r\n\r\n")
    check(sentence in body and body.endswith("\n"), f"{request[:60]!r}: {body!r}")
    check(f"Content-Length: {len(body)}" in head and "Connection: close" in head, head)
    BROKER.wait_line(f"WebSocket refused .{status}", mark)


def request(**changes):
    """A good request with fields replaced (None: left out)."""
    fields = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY,
              "Sec-WebSocket-Protocol": "mqtt"}
    start = changes.pop("start", "GET /mqtt HTTP/1.1")
    fields.update({k.replace("_", "-"): v for k, v in changes.items()})
    lines = [start] + [f"{k}: {v}" for k, v in fields.items() if v is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# ---------------------------------------------------------------- the request

def wrong_requests_get_a_sentence():
    for status, sentence, data in (
            (426, "MQTT over WebSockets", request(Upgrade=None, Connection=None)),
            (426, "version 13", request(Sec_WebSocket_Version="8")),
            (400, "Sec-WebSocket-Key", request(Sec_WebSocket_Key="short")),
            (400, "has to offer the subprotocol", request(Sec_WebSocket_Protocol=None)),
            (400, "none of the offered", request(Sec_WebSocket_Protocol="graphql-ws")),
            (400, "Host", request(Host=None)),
            (400, "not a request", request(start="GET /mqtt HTTP/1.0")),
            (400, "not a request", b"GARBAGE\r\n\r\n"),
            (405, "only GET", request(start="POST /mqtt HTTP/1.1")),
            (400, "header line", request(X="a\x00b"))):
        expect_status(status, sentence, data)
        expect_status(status, sentence, data, port=BROKER.wss, tls=TLS)
    expect_status(400, "header line", request(X="a\x00b"), pieces=1)


def headers_have_a_limit():
    fill = 8192 - len(request(X=""))
    wire = Wire(BROKER.ws)
    wire.send(request(X="x" * fill))
    check(b"101" in wire.sock.recv(12), "8192 bytes of headers were refused")
    wire.close()
    expect_status(431, "8192", request(X="x" * (fill + 1)))
    expect_status(431, "8192", b"GET /" + b"x" * 100000)
    expect_status(431, "64 header lines", request(**{f"X{i}": "y" for i in range(60)}))


def a_request_may_come_in_pieces_with_frames_behind():
    data = request() + ws_frame(2, connect("pieces")) + ws_frame(2, b"\xc0\x00")
    for step in (1, 7, len(data)):
        wire = Wire(BROKER.ws)
        for i in range(0, len(data), step):
            wire.send(data[i:i + step])
        got = b""
        while b"\xd0\x00" not in got:
            got += wire.sock.recv(1000)
        check(got.startswith(b"HTTP/1.1 101 ") and b"\r\n\r\n\x82" in got and b"\x20\x02\x00\x00" in got, got)
        wire.close()


def any_path_is_fine_as_in_mosquitto():
    for path in ("/", "/mqtt", "/ws?x=%20y", "/a/b"):
        Client(0, "path", wire=ws(path=path)).ping()


def pages_of_other_origins_are_refused():
    """F190: a page that somebody visits must not reach the broker of his house."""
    for origin in ("https://home.example", "HTTP://nas:8123"):
        wire = WebSocketWire(PAGES, more=f"Origin: {origin}\r\n")
        check(wire.status == 101, f"{origin}: {wire.status}")
        wire.close()
    WebSocketWire(PAGES).close()  # no browser
    for origin in ("https://evil.example", "http://home.example", "null", "https://home.example.x"):
        mark = BROKER.mark()
        wire = WebSocketWire(PAGES, more=f"Origin: {origin}\r\n")
        check(wire.status == 403 and "websockets_origin" in wire.headers[""], f"{origin}: {wire.status}")
        BROKER.wait_line("is not among websockets_origin; add it there", mark)
    check(ws(more="Origin: https://evil.example\r\n").status == 101, "unset allows every origin")


def what_belongs_elsewhere_is_said():
    for port, tls, data, words in (
            (BROKER.ws, None, connect("lost"), "bare MQTT on a WebSocket port"),
            (BROKER.wss, TLS, connect("lost"), "bare MQTT on a WebSocket port"),
            (BROKER.wss, None, connect("lost"), "plain MQTT on a TLS port"),
            (BROKER.wss, None, request(), "HTTP in clear"),
            (BROKER.ws, None, b"\x16\x03\x01\x00\x05hello", "TLS ClientHello to a WebSocket port"),
            (BROKER.tcp, None, request(), "protocol websockets")):
        mark = BROKER.mark()
        wire = Wire(port, tls)
        peer = wire.raw.getsockname()[1] if not tls else wire.sock.getsockname()[1]
        wire.send(data)
        all_of(wire)
        wire.close()
        BROKER.wait_line(words, mark)
        lines = [l for l in BROKER.program.text().splitlines() if f"127.0.0.1:{peer} " in l]
        check(len(lines) == 1, f"more than one line: {lines}")


# ---------------------------------------------------------------- frames

def faulty(code, *frames):
    for make in (ws, wss):
        wire = make()
        wire.send(connect("faulty"))
        check(wire.receive() == b"\x20\x02\x00\x00", "no CONNACK")
        for f in frames:
            wire.send_raw(f)
        packet = wire.receive()
        check(packet is None and wire.close_code == code, f"{frames[0][:8].hex()}: {packet}, "
              f"close code {wire.close_code}")
        check(all_of(wire) == b"", "bytes after the close frame")
        wire.close()


def faults_of_framing_end_the_connection():
    faulty(1003, ws_frame(1, b"text"))
    faulty(1002, ws_frame(2, b"\xc0\x00", mask=False))
    for rsv in (1, 2, 4):
        faulty(1002, ws_frame(2, b"\xc0\x00", rsv=rsv))
    for opcode in (3, 7, 11, 15):
        faulty(1002, ws_frame(opcode, b"x"))
    faulty(1002, ws_frame(0, b"x"))
    faulty(1002, ws_frame(2, b"\xc0", fin=False), ws_frame(2, b"\x00"))
    for opcode in (8, 9, 10):
        faulty(1002, ws_frame(opcode, b"x" * 126))
        faulty(1002, ws_frame(opcode, b"", fin=False))
    faulty(1002, ws_frame(8, b"\x03"))
    faulty(1002, b"\x82\xfe\x00\x7d" + bytes(4))  # 125 in two bytes
    faulty(1002, b"\x82\xff" + bytes(6) + b"\xff\xff" + bytes(4))
    faulty(1002, b"\x82\xff" + b"\xff" * 8 + bytes(4))


def lengths_are_bounded():
    """F143: a frame that announces too much, and fragments without an end."""
    faulty(1009, b"\x82\xff" + struct.pack(">Q", PACKET_MAX + SLACK + 1) + bytes(4))
    faulty(1009, b"\x82\xff" + struct.pack(">Q", 1 << 62) + bytes(4))
    wire = ws()
    wire.send(connect("endless"))
    wire.receive()
    wire.send_raw(ws_frame(2, b"\xc0\x00" * 100, fin=False))
    chunk = ws_frame(0, b"\xc0\x00" * 50000, fin=False)
    for _ in range((PACKET_MAX + SLACK) // 100000 + 1):
        wire.send_raw(chunk)
    while wire.receive():
        pass
    check(wire.close_code == 1009, f"close code {wire.close_code}")


def pings_are_answered_in_between():
    for make in (ws, wss):
        c = client("pings", make)
        for payload in (b"", b"x", b"y" * 125):
            c.wire.send_raw(ws_frame(9, payload))
            c.ping()
            check(c.wire.pongs[-1] == payload, f"{c.wire.pongs[-1:]}")
        c.wire.send_raw(ws_frame(10, b"nobody asked"))
        c.ping()
        c.disconnect()


def a_flood_of_pings_hinders_nobody():
    """Nobody reads the pongs; the broker drops them and serves the others."""
    wire = ws()
    wire.send(connect("ping-flood"))
    wire.receive()
    other = client("beside")
    burst = ws_frame(9, b"p" * 125) * 2000
    for _ in range(20):
        wire.send_raw(burst)
        other.ping()
    wire.reset()
    other.disconnect()


def large_messages_in_both_directions():
    data = os.urandom(1 << 20)
    for make in (ws, wss):
        c = client("large", make)
        c.subscribe("large", 1)
        c.publish("large", data, qos=1)
        check(c.message()["payload"] == data, "the payload was changed")
        c.ping()
        c.disconnect()


def a_large_packet_in_fragments_of_every_size():
    body = os.urandom(5000)
    c = client("fragments")
    c.subscribe("fragments")
    data, opcode, size = publish("fragments", body), 2, 1
    while data:
        part, data = data[:size], data[size:]
        c.wire.send_raw(ws_frame(opcode, part, fin=not data))
        opcode, size = 0, size + 3
    check(c.message()["payload"] == body, "the payload was changed")
    c.disconnect()


def a_packet_has_a_frame_of_its_own():
    """Also when many leave in one turn: Paho's client in C looks only at the first of a frame."""
    c, other = client("frames"), client("other")
    c.subscribe("frames")
    other.wire.send(b"".join(publish("frames", b"%d" % i) for i in range(100)))
    for i in range(100):
        check(c.message()["payload"] == b"%d" % i, "out of order")
    check(c.wire.received == [2] * 102, f"CONNACK, SUBACK, 100 messages: {c.wire.received}")
    c.disconnect()
    other.disconnect()


# ---------------------------------------------------------------- closing

def a_close_frame_is_answered_after_what_is_owed():
    for make in (ws, wss):
        wire = make()
        wire.send_raw(ws_frame(2, connect("owed")) + ws_frame(2, b"\xc0\x00") +
                      ws_frame(8, b"\x03\xe8" + b"bye"))
        check(wire.receive() == b"\x20\x02\x00\x00", "no CONNACK")
        check(wire.receive() == b"\xd0\x00", "no PINGRESP")
        check(wire.receive() is None and wire.close_code == 1000, f"code {wire.close_code}")
        check(all_of(wire) == b"", "bytes after the close frame")
        wire.close()
        wire = make()
        wire.send_raw(ws_frame(8))
        check(wire.receive() is None and wire.close_code == 0, f"code {wire.close_code}")
        wire.close()


def what_waits_for_the_store_keeps_its_order():
    """persistence_sync always: acknowledgements wait for the medium, behind the answer to the upgrade
    and before the close frame; also of a client that ends its direction at once."""
    said = [connect("held"), publish("kept", b"x", 1, 7, retain=True), b"\xc0\x00"]
    owed = b"\x20\x02\x00\x00" + b"\x40\x02\x00\x07" + b"\xd0\x00"
    with Broker(MEROSSD, "persistence_sync always", ws=True) as b:
        for _ in range(20):
            for port, tls in ((b.ws, None), (b.wss, TLS)):
                wire = Wire(port, tls)
                wire.send(request() + b"".join(ws_frame(2, p) for p in said) +
                          ws_frame(8, b"\x03\xe8"))
                got = all_of(wire)
                head, _, frames = got.partition(b"\r\n\r\n")
                check(head.startswith(b"HTTP/1.1 101 "), got)
                check(frames[-4:] == b"\x88\x02\x03\xe8", got)
                check(bare(frames[:-4]) == owed, got)
                wire.close()
            wire = Wire(b.tcp)
            wire.send(b"".join(said))
            wire.sock.shutdown(socket.SHUT_WR)
            check(all_of(wire) == owed, "after the end of its own direction")
            wire.close()


def bare(frames):
    """The contents of short binary frames of the broker."""
    data = b""
    while frames:
        check(frames[0] == 0x82 and frames[1] < 126, frames)
        data += frames[2:2 + frames[1]]
        frames = frames[2 + frames[1]:]
    return data


def connections_vanish_at_any_point():
    """F193, F194: the broker writes to what is gone."""
    c = client("survivor")
    whole = request() + ws_frame(2, connect("gone", will=("w", "x", 0, 0))) + ws_frame(
        2, harness.packet(0x82, b"\x00\x01" + harness.string("gone/#") + b"\x00"))
    for make in (lambda: Wire(BROKER.ws), lambda: Wire(BROKER.wss, TLS)):
        for cut in list(range(1, len(whole), 23)) + [len(whole)]:
            wire = make()
            wire.send(whole[:cut])
            c.publish("gone/x", b"y" * 5000)
            wire.reset()
    c.ping()
    c.disconnect()


def a_stalled_reader_stops_nobody():
    for make in (ws, wss):
        stalled = client("stalled", make)
        stalled.subscribe("flood")
        reader, writer = client("reader", make), client("writer")
        reader.subscribe("flood")
        reader.subscribe("small")
        for i in range(30):
            writer.publish("flood", b"f" * 500000)
            writer.publish("small", b"%d" % i)
            check(reader.message(lambda m: m["topic"] == "small")["payload"] == b"%d" % i, "lost")
        stalled.wire.reset()
        reader.disconnect()
        writer.disconnect()


def silence_is_ended_everywhere():
    """Ten seconds from accept to CONNECT, at whatever point somebody falls silent."""
    wires = [Wire(BROKER.ws), Wire(BROKER.wss), Wire(BROKER.wss, TLS), ws(), wss()]
    half = Wire(BROKER.ws)
    half.send(request()[:50])
    begun = ws()
    begun.send_raw(ws_frame(2, connect("slow"))[:9])
    drip = Wire(BROKER.tcp)
    drip.send(connect("slow")[:5])
    for wire in wires + [half, begun, drip]:
        all_of(wire)
        wire.close()


def the_end_of_the_broker_is_said():
    """Runs last: close code 1001, in clear and over TLS."""
    waiting = [client(make.__name__, make) for make in (ws, wss)]
    BROKER.program.process.send_signal(signal.SIGTERM)
    for c in waiting:
        while (packet := c.wire.receive()) is not None:
            check(harness.parse(packet)["kind"] == "publish", f"got {harness.show(packet)}")
        check(c.wire.close_code == 1001, f"code {c.wire.close_code}")
        c.wire.close()
    BROKER.program.wait()


TESTS = [wrong_requests_get_a_sentence, headers_have_a_limit,
         a_request_may_come_in_pieces_with_frames_behind, any_path_is_fine_as_in_mosquitto,
         pages_of_other_origins_are_refused, what_belongs_elsewhere_is_said,
         faults_of_framing_end_the_connection, lengths_are_bounded, pings_are_answered_in_between,
         a_flood_of_pings_hinders_nobody, large_messages_in_both_directions,
         a_large_packet_in_fragments_of_every_size, a_packet_has_a_frame_of_its_own,
         a_close_frame_is_answered_after_what_is_owed, what_waits_for_the_store_keeps_its_order,
         connections_vanish_at_any_point,
         a_stalled_reader_stops_nobody, silence_is_ended_everywhere, the_end_of_the_broker_is_said]

if __name__ == "__main__":
    PAGES = harness.free_port()
    with Broker(MEROSSD, f"listener {PAGES} 127.0.0.1\nprotocol websockets\n"
                "websockets_origin https://home.example/\nwebsockets_origin http://nas:8123\n",
                ws=True) as BROKER:
        FAILED = harness.main(TESTS)
    sys.exit(FAILED)
