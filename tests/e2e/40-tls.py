#!/usr/bin/env python3
"""40-tls.py MEROSSD PLUGSIM [words] - old and wrong ClientHellos, and what the log says to them."""
import os
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile

import harness
from harness import Broker, Client, Failure, Skip, Wire, check, run

MEROSSD, PLUGSIM = harness.program_arguments()
BROKER = None

STATIC_RSA = [0x0035, 0x002F, 0x003D, 0x003C]  # AES-256/128 CBC with SHA-1 and SHA-256
ECDHE_RSA = [0xC014, 0xC013, 0xC028, 0xC027]
HELLO, ALERT, HANDSHAKE = 2, 0x15, 0x16


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def signatures(*pairs):
    codes = b"".join(struct.pack(">H", p) for p in pairs)
    return extension(13, struct.pack(">H", len(codes)) + codes)


CURVES = extension(10, b"\x00\x02\x00\x17") + extension(11, b"\x01\x00")
RSA_SHA1, RSA_SHA256 = 0x0201, 0x0401


def client_hello(suites, extensions=None, version=0x0303, record=0x0301):
    body = struct.pack(">H", version) + os.urandom(32) + b"\x00"
    body += struct.pack(">H", 2 * len(suites)) + b"".join(struct.pack(">H", s) for s in suites)
    body += b"\x01\x00"
    if extensions is not None:
        body += struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16" + struct.pack(">HH", record, len(handshake)) + handshake


def answer_to(data, port=None):
    """(version, suite) of the ServerHello, ("alert", description), or None at the end."""
    wire = Wire(port or BROKER.tls)
    wire.send(data)
    head = read(wire, 5)
    if head is None:
        return None
    body = read(wire, struct.unpack(">H", head[3:])[0])
    wire.close()
    if head[0] == ALERT:
        return "alert", body[1]
    check(head[0] == HANDSHAKE and body[0] == HELLO, f"got {(head + body)[:20].hex(' ')}")
    session = body[38]
    return struct.unpack(">H", body[4:6])[0], struct.unpack(">H", body[39 + session:41 + session])[0]


def read(wire, n):
    data = b""
    while len(data) < n:
        try:
            more = wire.sock.recv(n - len(data))
        except ConnectionError:
            more = b""
        if not more:
            return None
        data += more
    return data


def old_hellos_are_served():
    for name, suites, extensions in (
            ("static RSA, no extensions at all", STATIC_RSA, None),
            ("static RSA, an empty extensions block", STATIC_RSA, b""),
            ("static RSA, signatures RSA+SHA1 only", STATIC_RSA, signatures(RSA_SHA1)),
            ("static RSA, SHA-256 and SHA-1", STATIC_RSA, signatures(RSA_SHA256, RSA_SHA1)),
            ("ECDHE-RSA, P-256, no signatures", ECDHE_RSA + STATIC_RSA, CURVES),
            ("ECDHE-RSA, P-256, SHA-1 only", ECDHE_RSA + STATIC_RSA, CURVES + signatures(RSA_SHA1)),
            ("static RSA GCM", [0x009D, 0x009C], signatures(RSA_SHA256))):
        got = answer_to(client_hello(suites, extensions))
        check(got and got[0] == 0x0303 and got[1] in suites, f"{name}: {got}")


def ecdhe_is_preferred():
    got = answer_to(client_hello(STATIC_RSA + ECDHE_RSA, CURVES + signatures(RSA_SHA256)))
    check(got and got[1] in ECDHE_RSA, f"{got}")


def each_old_suite_alone():
    for suite in STATIC_RSA + ECDHE_RSA + [0x009C, 0x009D, 0xC02F, 0xC030]:
        got = answer_to(client_hello([suite], CURVES + signatures(RSA_SHA256, RSA_SHA1)))
        check(got == (0x0303, suite), f"{suite:04x}: {got}")


def hello_in_pieces():
    data = client_hello(STATIC_RSA, signatures(RSA_SHA256))
    wire = Wire(BROKER.tls)
    for i in range(len(data)):
        wire.send(data[i:i + 1])
    head = read(wire, 5)
    check(head is not None and head[0] == HANDSHAKE, f"{head}")
    wire.close()


def tls_1_1_is_refused_and_said():
    mark = BROKER.mark()
    got = answer_to(client_hello(STATIC_RSA, None, 0x0302))
    check(got is None or got[0] == "alert", f"{got}")
    BROKER.wait_line(r"TLS 1\.1.*TLS 1\.2", mark)


def no_shared_cipher_is_said():
    mark = BROKER.mark()
    got = answer_to(client_hello([0x0005], signatures(RSA_SHA256)))  # RC4-SHA
    check(got is None or got[0] == "alert", f"{got}")
    BROKER.wait_line(r"no cipher suite in common.*0x0005", mark)


def unknown_ca_is_said():
    """A client that trusts another CA."""
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    with tempfile.TemporaryDirectory() as folder:
        other = os.path.join(folder, "other.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        os.path.join(folder, "other.key"), "-out", other, "-subj", "/CN=other"],
                       check=True, capture_output=True)
        mark = BROKER.mark()
        try:
            Wire(BROKER.tls, harness.tls_context(other), "localhost")
        except ssl.SSLCertVerificationError:
            pass
        else:
            raise Failure("a client that trusts another CA was content")
        BROKER.wait_line(r"(does not trust our CA|unknown_ca).*ca\.pem", mark)


def our_ca_is_enough():
    context = harness.tls_context(BROKER.ca_file())
    for name in ("127.0.0.1", "localhost"):
        wire = Wire(BROKER.tls, context, name)
        wire.send(harness.connect("trusting"))
        check(wire.receive() == b"\x20\x02\x00\x00", f"{name}: no CONNACK")
        wire.close()


def modern_tls_as_far_as_the_library_goes():
    context = harness.tls_context()
    client = Client(BROKER.tls, "modern", context)
    version = client.wire.sock.version()
    check(version in ("TLSv1.2", "TLSv1.3"), version)
    client.ping()
    print(f"    {version}, {client.wire.sock.cipher()[0]}")


def tls_hello_on_the_plain_port_is_said():
    mark = BROKER.mark()
    wire = Wire(BROKER.tcp)
    wire.send(client_hello(STATIC_RSA, signatures(RSA_SHA256)))
    wire.expect_closed()
    BROKER.wait_line("TLS ClientHello to a plain", mark)


def plain_mqtt_on_the_tls_port_is_said():
    mark = BROKER.mark()
    wire = Wire(BROKER.tls)
    wire.send(harness.connect("lost"))
    check(read(wire, 1) in (None, b"\x15"), "an answer in clear")
    BROKER.wait_line("plain MQTT on a TLS port", mark)


def http_is_said_on_either_port():
    for port in (BROKER.tcp, BROKER.tls):
        mark = BROKER.mark()
        wire = Wire(port)
        wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        check(read(wire, 1) in (None, b"\x15"), "an answer to HTTP")
        BROKER.wait_line("HTTP", mark)


def noise_is_refused():
    for data in (b"\x16\x03\x01\x00\x00", b"\x16\x03\x01\xff\xff" + b"\x00" * 100,
                 b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", b"\x80\x2e\x01\x03\x01", b"\x00" * 50,
                 os.urandom(300)):
        wire = Wire(BROKER.tls)
        wire.send(data)
        wire.reset()
    for cut in (1, 5, 9, 20, 60):
        wire = Wire(BROKER.tls)
        wire.send(client_hello(STATIC_RSA, signatures(RSA_SHA256))[:cut])
        wire.reset()
    Client(BROKER.tls, "after-noise", harness.tls_context()).ping()


def a_handshake_that_stands_still_hinders_nobody():
    idle = [Wire(BROKER.tls) for _ in range(20)]
    for wire in idle[:10]:
        wire.send(client_hello(ECDHE_RSA, CURVES + signatures(RSA_SHA256)))
    Client(BROKER.tls, "in-between", harness.tls_context()).ping()
    Client(BROKER.tcp, "in-clear").ping()
    for wire in idle:
        wire.close()


def openssl_s_client():
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    p = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{BROKER.tls}", "-CAfile",
                        BROKER.ca_file(), "-verify_return_error", "-tls1_2"],
                       input=b"", capture_output=True, timeout=60, check=False)
    out = p.stdout.decode("utf-8", "replace")
    check("Verify return code: 0 (ok)" in out, out[-2000:] + p.stderr.decode()[-2000:])
    code, text, err = run(["openssl", "x509", "-in", BROKER.ca_file(), "-noout", "-text"])
    check(code == 0 and "CA:TRUE" in text and "sha256WithRSAEncryption" in text, text + err)


def session_is_resumed():
    context = harness.tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = Client(BROKER.tls, "resume", context)
    session = first.wire.sock.session
    first.disconnect()
    raw = Wire(BROKER.tls).raw
    again = context.wrap_socket(raw, session=session)
    check(again.session_reused, "the TLS session was not resumed")
    again.close()


class InPieces:
    """In place of a TLS context: a socket whose records leave as far as push() says."""

    def __init__(self):
        self.held = None  # bytes that wait for push(); None: they leave at once

    def wrap_socket(self, raw, server_hostname=None):
        self.raw = raw
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = harness.tls_context().wrap_bio(self.come, self.go, server_hostname=server_hostname)
        self.until_done(self.tls.do_handshake)
        return self

    def until_done(self, step, *args):
        while True:
            try:
                result, done = step(*args), True
            except ssl.SSLWantReadError:
                done = False
            if self.held is None:
                self.raw.sendall(self.go.read())
            else:
                self.held += self.go.read()
            if done:
                return result
            more = self.raw.recv(65536)
            if not more:
                return b""
            self.come.write(more)

    def push(self, n):
        self.raw.sendall(self.held[:n])
        self.held = self.held[n:]

    def settimeout(self, seconds):
        self.raw.settimeout(seconds)

    def sendall(self, data):
        while data:
            data = data[self.until_done(self.tls.write, data):]

    def recv(self, n):
        return self.until_done(self.tls.read, n)

    def close(self):
        self.raw.close()


def crowd_in_the_middle_of_records():
    """The broker lends its record buffers to whom it reads from: nobody's bytes get into another's,
    and what is sent to those who are in the middle of a record arrives as well."""
    reader, writer = Client(BROKER.tcp, "reader"), Client(BROKER.tls, "writer", harness.tls_context())
    reader.subscribe("pieces/#")
    pieces = [InPieces() for _ in range(12)]
    crowd = [Client(BROKER.tls, f"piece{i}", p) for i, p in enumerate(pieces)]
    for c in crowd:
        c.subscribe("to/all")
    for turn, size in enumerate((1, 40, 700, 5000, 16384, 40000)):
        payloads = {f"pieces/{i}": bytes([turn * 16 + i]) * size for i in range(len(crowd))}
        for c, p, (topic, payload) in zip(crowd, pieces, payloads.items()):
            p.held = b""
            c.publish(topic, payload)
        for cut in (3, 4, 20, len(pieces[0].held) // 2, -1):
            for p in pieces:
                p.push(cut)
            writer.publish("to/all", bytes([cut & 255]) * size)
            for c in crowd:
                check(c.message()["payload"] == bytes([cut & 255]) * size, f"after {cut} of {size}")
        for p in pieces:
            p.push(len(p.held))
            p.held = None
        for _ in crowd:
            said = reader.message()
            check(payloads.pop(said["topic"]) == said["payload"], f"{said['topic']} of {size}")
    for c in crowd + [reader, writer]:
        c.ping()
        c.wire.close()


def key_update_ends_one_connection():
    """Our library has none.  A broker of its own: the one of the other tests has told of so many
    connections that failed that it only counts them now."""
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    with Broker(MEROSSD) as b:
        bystander = Client(b.tls, "bystander", harness.tls_context())
        said = ask_for_key_update(b.tls)
        bystander.ping()
        bystander.disconnect()
        if b"TLSv1.3" not in said:
            raise Skip("no TLS 1.3 here")
        check(b"KEYUPDATE" in said, said[-500:])
        b.wait_line("TLS: SSL - An unexpected message was received")


def ask_for_key_update(port):
    word, end = os.pipe()
    os.write(end, b"K\n")
    p = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3"],
                       stdin=word, capture_output=True, timeout=60, check=False)
    os.close(word)
    os.close(end)
    return p.stdout + p.stderr


TESTS = [old_hellos_are_served, ecdhe_is_preferred, each_old_suite_alone, hello_in_pieces,
         tls_1_1_is_refused_and_said, no_shared_cipher_is_said, unknown_ca_is_said,
         our_ca_is_enough, modern_tls_as_far_as_the_library_goes,
         tls_hello_on_the_plain_port_is_said, plain_mqtt_on_the_tls_port_is_said,
         http_is_said_on_either_port, noise_is_refused,
         a_handshake_that_stands_still_hinders_nobody, openssl_s_client, session_is_resumed,
         crowd_in_the_middle_of_records, key_update_ends_one_connection]

if __name__ == "__main__":
    with Broker(MEROSSD) as BROKER:
        FAILED = harness.main(TESTS)
    sys.exit(FAILED)
