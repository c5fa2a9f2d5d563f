"""harness.py - what the end-to-end tests share: the real binary, raw sockets, MQTT bytes.

Standard library only.  Nothing here sleeps to let something happen: every wait is for an event
(a log line, a packet, the end of a connection) and is bounded by PATIENCE."""
import atexit
import base64
import contextlib
import hashlib
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PATIENCE = 20.0  # seconds; a bound for waits, not a measure of anything
SANITIZER = re.compile(r"(Address|Leak|UndefinedBehavior|Thread)Sanitizer|runtime error:")
KINDS = ["?", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe",
         "suback", "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "?"]


class Failure(AssertionError):
    """What a test found wrong."""


class Skip(Exception):
    """This machine lacks what the test needs."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def free_port():
    """A port that nobody has, outside the range that outgoing connections take theirs from, so
    that it is still free when a broker restarts."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failure("no free port")


# ---------------------------------------------------------------- folders

@contextlib.contextmanager
def folder():
    """A new one that other users may enter; it is removed afterwards."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-")).resolve()
    root.chmod(0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def small_disk(size):
    """A file system of its own, as in "256k"."""
    with folder() as root:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", root],
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise Skip("this user may not mount a small disk")
        try:
            yield root
        finally:
            subprocess.run(["umount", "-l", root], check=False)


def fill_up(file):
    """Writes until the disk is full."""
    with open(file, "wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"\0" * 4096)


# ---------------------------------------------------------------- programs

class Program:
    """A child process whose output lines (standard output and error together) are kept."""

    def __init__(self, argv, env=None, stdin=False):
        self.argv = [str(a) for a in argv]
        self.lines = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, env=env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for raw in self.process.stdout:
            with self._news:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self.lines.append(None)  # the end
            self._news.notify_all()

    def tell(self, line):
        """Writes a line to its standard input."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def mark(self):
        """The current end of the output, for wait_line(since=...)."""
        with self._news:
            return len(self.lines)

    def wait_line(self, pattern, since=0, patience=PATIENCE):
        """The first line from `since` on that matches; fails when none comes."""
        deadline = time.monotonic() + patience
        with self._news:
            seen = since
            while True:
                for line in self.lines[seen:]:
                    if line is not None and re.search(pattern, line):
                        return line
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0 or (self.lines and self.lines[-1] is None):
                    tail = "\n    ".join(l for l in self.lines[since:][-12:] if l is not None)
                    raise Failure(f"no line matches /{pattern}/ in the output of "
                                  f"{pathlib.Path(self.argv[0]).name}:\n    {tail}")
                self._news.wait(left)

    def text(self):
        with self._news:
            return "\n".join(l for l in self.lines if l is not None)

    def alive(self):
        return self.process.poll() is None

    def wait(self, patience=PATIENCE):
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.argv[0]} does not end:\n{self.text()[-3000:]}") from None
        self._reader.join(PATIENCE)
        return status

    def kill(self, how=signal.SIGKILL):
        if self.alive():
            self.process.send_signal(how)
        return self.wait()


def run(argv, patience=60, env=None):
    """Runs a program to its end: (exit code, output, errors)."""
    p = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=patience, env=env, check=False)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")


class Broker:
    """merossd in a state directory of its own, with a clear and a TLS listener on loopback; with
    ws=True also with two for WebSockets.

    Keys and certificates are made once for each script and copied from then on.

    with Broker(binary) as b: ... connects to b.tcp and b.tls; leaving the block ends it with
    SIGTERM, and fails when it does not exit 0 or when a sanitizer spoke."""

    seed = None  # a folder with the keys and certificates of the first broker

    def __init__(self, binary, extra="", state=None, verbose=False, options=(), ws=False):
        self.binary, self.extra, self.verbose, self.options = binary, extra, verbose, list(options)
        self.with_ws = ws
        self.own_state = state is None
        self.state = pathlib.Path(state or tempfile.mkdtemp(prefix="merossd-e2e-"))
        self.program = None
        self.tcp = self.tls = self.ws = self.wss = 0
        if self.own_state and Broker.seed:
            shutil.copytree(Broker.seed, self.state, dirs_exist_ok=True)

    def _keep_keys(self):
        Broker.seed = tempfile.mkdtemp(prefix="merossd-e2e-keys-")
        atexit.register(shutil.rmtree, Broker.seed, True)
        for file in self.state.rglob("*"):
            if file.suffix in (".pem", ".key"):
                copy = pathlib.Path(Broker.seed) / file.relative_to(self.state)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copy)

    def ca_file(self):
        """The CA that `merossd cert` tells a client to trust."""
        code, out, err = run([self.binary, "cert", "--json", "-c", self.state / "test.conf"])
        check(code == 0, f"merossd cert: {code}\n{err}")
        found = re.findall(r'"([^"]*ca\.pem)"', out)
        check(found, f"merossd cert --json names no ca.pem:\n{out}")
        return found[0]

    def config(self):
        ws = (f"listener {self.ws} 127.0.0.1\nprotocol websockets\n"
              f"listener {self.wss} 127.0.0.1\nprotocol websockets\ntls auto\n")
        return (f"state_dir {self.state}\n"
                "meross_offline_delay 0\n"  # a test may set another one below
                f"listener {self.tcp} 127.0.0.1\n"
                f"listener {self.tls} 127.0.0.1\n"
                f"tls auto\n{ws if self.with_ws else ''}{self.extra}\n")

    def start(self, same_ports=False):
        for _ in range(5):
            if not (same_ports and self.tcp):
                self.tcp, self.tls, self.ws, self.wss = (free_port() for _ in range(4))
            path = self.state / "test.conf"
            path.write_text(self.config())
            argv = [self.binary, "-c", path, *self.options]
            self.program = Program(argv + (["-v"] if self.verbose else []))
            ports = [self.tcp, self.tls] + ([self.ws, self.wss] if self.with_ws else [])
            if all(self._ready(p) for p in ports):
                if Broker.seed is None:
                    self._keep_keys()
                return self
            if self.program.alive() or "in use" not in self.program.text():
                break
        text = self.program.text()
        self.program.kill()
        raise Failure(f"the broker did not start:\n{text}")

    def _ready(self, port):
        deadline = time.monotonic() + 3 * PATIENCE  # it makes RSA keys at the first start
        while time.monotonic() < deadline and self.program.alive():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                select.select([], [], [], 0.02)
        return False

    def stop(self):
        """Ends it as a service manager does, and checks how it went."""
        status = self.program.kill(signal.SIGTERM) if self.program.alive() else self.program.wait()
        text = self.program.text()
        check(not SANITIZER.search(text), "a sanitizer spoke:\n" + text[-6000:])
        check(status == 0, f"the broker ended with {status}:\n" + text[-3000:])

    def restart(self):
        self.stop()
        return self.start(same_ports=True)

    def crash(self):
        """kill -9, and started again."""
        self.program.kill()
        return self.start(same_ports=True)

    def wait_line(self, *args, **kwargs):
        return self.program.wait_line(*args, **kwargs)

    def mark(self):
        return self.program.mark()

    def client(self, verb, *args, patience=60):
        """Runs a verb of the command-line tool against this broker: (code, output, errors)."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("MEROSSD_")}
        return run([self.binary, verb, "-h", "127.0.0.1", "-p", self.tcp, *args], patience, env)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            elif self.program.alive():
                self.program.kill()
        finally:
            if kind is not None:
                print("--- the broker said:", *self.program.text().splitlines()[-30:], sep="\n    ")
            if self.own_state:
                shutil.rmtree(self.state, ignore_errors=True)


# ---------------------------------------------------------------- sockets

def tls_context(cafile=None):
    """TLS as a modern client does it; without `cafile` it believes everybody, as plugs do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cafile:
        context.load_verify_locations(cafile)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Wire:
    """One Network Connection: sends bytes, hands back whole Control Packets."""

    def __init__(self, port, tls=None, name=None):
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.raw = raw
        self.sock = tls.wrap_socket(raw, server_hostname=name) if tls else raw
        self.sock.settimeout(PATIENCE)
        self.inbox = b""
        self.ended = False

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (ConnectionError, ssl.SSLError):
            self.ended = True  # the other side was quicker; receive() shows what it said

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            raise Failure(f"nothing came for {PATIENCE:.0f} s") from None
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        except ssl.SSLError as e:
            if "EOF" not in str(e):
                raise
            data = b""
        self.inbox += data
        return bool(data)

    def receive(self):
        """The next Control Packet as bytes, or None at the end of the connection."""
        while True:
            size = packet_size(self.inbox)
            if size is not None and len(self.inbox) >= size:
                packet, self.inbox = self.inbox[:size], self.inbox[size:]
                return packet
            if not self._more():
                check(not self.inbox, f"the connection ended inside a packet: {self.inbox.hex(' ')}")
                self.ended = True
                return None

    def expect_closed(self):
        packet = self.receive()
        check(packet is None, f"expected the end, got {show(packet)}")

    def vanish(self):
        """The network fails: no DISCONNECT; returns once the broker has noticed."""
        try:
            self.raw_socket().shutdown(socket.SHUT_WR)
            while self.raw_socket().recv(65536):
                pass
        except OSError:
            pass
        self.close()

    def reset(self):
        """The peer's machine is gone: RST instead of FIN."""
        self.raw_socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def raw_socket(self):
        """The TCP socket itself, below TLS."""
        if isinstance(self.sock, ssl.SSLSocket):
            plain = socket.socket(fileno=self.sock.detach())
            plain.settimeout(PATIENCE)
            self.sock = plain
        return self.sock

    def close(self):
        self.ended = True
        try:
            self.sock.close()
        except OSError:
            pass


# ---------------------------------------------------------------- WebSockets

UPGRADE = ("GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{more}\r\n")
WS_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def ws_request(key, path="/mqtt", protocol="mqtt", more=""):
    if protocol is not None:
        more = f"Sec-WebSocket-Protocol: {protocol}\r\n" + more
    return UPGRADE.format(path=path, host="127.0.0.1", key=key, more=more).encode()


def ws_frame(opcode, payload=b"", fin=True, mask=True, rsv=0):
    """A frame as a client sends it."""
    n = len(payload)
    head = bytes([(128 if fin else 0) | rsv << 4 | opcode])
    bit = 128 if mask else 0
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if not mask:
        return head + payload
    key = os.urandom(4)
    pad = (key * (n // 4 + 1))[:n]
    return head + key + (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(
        n, "big")


class WebSocketWire(Wire):
    """A Wire through WebSocket frames.  `received` and `closed` tell about the frames."""

    def __init__(self, port, tls=None, name=None, protocol="mqtt", more="", path="/mqtt"):
        super().__init__(port, tls, name)
        self.frames = b""  # bytes that are not looked at yet
        self.received = []  # opcodes
        self.pongs = []
        self.close_code = None  # of the broker's close frame; 0 = it had none
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(ws_request(key, path, protocol, more))
        self.status, self.headers = self.read_answer()
        if self.status == 101:
            accept = base64.b64encode(hashlib.sha1(key.encode() + WS_GUID).digest()).decode()
            check(self.headers.get("sec-websocket-accept") == accept, "a wrong Sec-WebSocket-Accept")

    def read_answer(self):
        """(status, headers) of the HTTP answer; of an error, the body is headers[""]."""
        while b"\r\n\r\n" not in self.frames:
            if not self._raw_more():
                raise Failure(f"no whole HTTP answer: {self.frames!r}")
        head, self.frames = self.frames.split(b"\r\n\r\n", 1)
        lines = head.decode("ascii").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        if status != 101:
            while self._raw_more():
                pass
            headers[""] = self.frames.decode()
            check(len(self.frames) == int(headers["content-length"]), "a wrong Content-Length")
        return status, headers

    def _raw_more(self):
        inbox, self.inbox = self.inbox, b""
        more = super()._more()
        self.frames += self.inbox
        self.inbox = inbox
        return more

    def send(self, data, opcode=2):
        self.send_raw(ws_frame(opcode, data))

    def send_raw(self, data):
        super().send(data)

    def take_frame(self):
        """(opcode, payload) of the next frame; None when it is not whole."""
        data = self.frames
        if len(data) < 2:
            return None
        check(data[0] & 0x70 == 0 and data[0] & 0x80, f"a fragment or reserved bits: {data[0]:02x}")
        check(data[1] < 128, "the broker masks its frames")
        size, at = data[1], 2
        if size > 125:
            at = 4 if size == 126 else 10
            if len(data) < at:
                return None
            size = int.from_bytes(data[2:at], "big")
        if len(data) < at + size:
            return None
        self.frames = data[at + size:]
        return data[0] & 15, data[at:at + size]

    def _more(self):
        """Bytes of MQTT into the inbox; False at the close frame or the end."""
        if self.close_code is not None:
            return False
        while True:
            frame = self.take_frame()
            if frame is None:
                if not self._raw_more():
                    return False
                continue
            opcode, payload = frame
            self.received.append(opcode)
            if opcode == 2:
                self.inbox += payload
                return True
            if opcode == 8:
                self.close_code = int.from_bytes(payload[:2], "big") if payload else 0
                return False
            check(opcode == 10, f"the broker sent a frame with opcode {opcode}")
            self.pongs.append(payload)


# ---------------------------------------------------------------- MQTT bytes

def packet_size(data):
    """The size of the Control Packet that begins `data`, or None while that is not known."""
    size = shift = 0
    for i, byte in enumerate(data[1:5]):
        size |= (byte & 127) << shift
        if byte < 128:
            return size + 2 + i
        shift += 7
    check(len(data) < 5, f"the broker sent a malformed length: {data[:5].hex(' ')}")
    return None


def length(n):
    out = b""
    while True:
        n, byte = n >> 7, n & 127
        out += bytes([byte | (128 if n else 0)])
        if not n:
            return out


def packet(first, body=b""):
    return bytes([first]) + length(len(body)) + body


def string(s):
    data = s.encode() if isinstance(s, str) else s
    return struct.pack(">H", len(data)) + data


def connect(client_id, level=4, clean=True, keepalive=0, will=None, user=None, password=None,
            name=None, flags=None):
    """A CONNECT; will is (topic, payload, qos, retain)."""
    bits = 2 if clean else 0
    body = string(client_id)
    if will:
        topic, payload, qos, retain = will
        bits |= 4 | qos << 3 | (32 if retain else 0)
        body += string(topic) + string(payload)
    if user is not None:
        bits |= 128
        body += string(user)
    if password is not None:
        bits |= 64
        body += string(password)
    if name is None:
        name = "MQIsdp" if level & 127 == 3 else "MQTT"
    head = string(name) + bytes([level, bits if flags is None else flags])
    return packet(0x10, head + struct.pack(">H", keepalive) + body)


def publish(topic, payload=b"", qos=0, packet_id=None, dup=False, retain=False):
    body = string(topic)
    if packet_id is not None:
        body += struct.pack(">H", packet_id)
    return packet(0x30 | dup << 3 | qos << 1 | retain, body + payload)


def parse(data):
    """A Control Packet from the broker as a dictionary; fails on one that breaks the standard."""
    kind, flags = KINDS[data[0] >> 4], data[0] & 15
    body = data[1 + len(length_bytes(data)):]
    out = {"kind": kind}
    if kind == "publish":
        n = struct.unpack(">H", body[:2])[0]
        out.update(topic=body[2:2 + n].decode(), qos=flags >> 1 & 3, dup=flags >> 3,
                   retain=flags & 1)
        rest = body[2 + n:]
        if out["qos"]:
            out["id"] = struct.unpack(">H", rest[:2])[0]
            check(out["id"] != 0, "a PUBLISH with Packet Identifier 0")
            rest = rest[2:]
        check(out["qos"] < 3, "a PUBLISH with QoS 3")
        check(out["qos"] or not out["dup"], "a PUBLISH with QoS 0 and DUP")
        out["payload"] = rest
        return out
    check(flags == (2 if kind == "pubrel" else 0), f"flags {flags} in a {kind}")
    if kind == "connack":
        check(len(body) == 2 and body[0] < 2, f"malformed CONNACK {data.hex(' ')}")
        out.update(sp=body[0], code=body[1])
    elif kind == "suback":
        out.update(id=struct.unpack(">H", body[:2])[0], codes=body[2:])
        check(set(out["codes"]) <= {0, 1, 2, 0x80}, f"codes {out['codes'].hex(' ')} in a SUBACK")
    elif kind in ("puback", "pubrec", "pubrel", "pubcomp", "unsuback"):
        check(len(body) == 2, f"malformed {kind} {data.hex(' ')}")
        out.update(id=struct.unpack(">H", body)[0])
    else:
        check(kind == "pingresp" and not body, f"a server may not send {data[:20].hex(' ')}")
    return out


def length_bytes(data):
    return data[1:2 + next(i for i, b in enumerate(data[1:5]) if b < 128)]


def show(data):
    """A packet for people."""
    if data is None:
        return "the end of the connection"
    try:
        p = parse(data)
    except (Failure, ValueError, IndexError, struct.error, StopIteration):
        return data[:60].hex(" ")
    words = []
    for k, v in p.items():
        if k != "kind":
            words.append(f"{k}={v[:40]!r}" if isinstance(v, bytes) else f"{k}={v}")
    return " ".join([p["kind"], *words])


class Client:
    """A well-behaved MQTT client, for tests that are not about bytes."""

    def __init__(self, port, client_id, tls=None, wire=None, **options):
        self.wire = wire or Wire(port, tls)
        self.next_id = 0
        self.messages = []
        self.wire.send(connect(client_id, **options))
        answer = self.wire.receive()
        check(answer is not None, f"{client_id}: the connection ended instead of CONNACK")
        self.connack = parse(answer)
        check(self.connack["code"] == 0, f"{client_id}: {show(answer)}")

    def _await(self, kind):
        while True:
            data = self.wire.receive()
            check(data is not None, f"the connection ended while waiting for {kind}")
            p = parse(data)
            if p["kind"] == "publish":
                self._take(p)
            elif p["kind"] == "pubrel":
                self.wire.send(packet(0x70, struct.pack(">H", p["id"])))
            if p["kind"] == kind:
                return p

    def _take(self, p):
        if p["qos"]:
            self.wire.send(packet(0x40 if p["qos"] == 1 else 0x50, struct.pack(">H", p["id"])))
        self.messages.append(p)

    def subscribe(self, topic_filter, qos=0):
        self.next_id += 1
        self.wire.send(packet(0x82, struct.pack(">H", self.next_id) + string(topic_filter) +
                              bytes([qos])))
        return self._await("suback")["codes"]

    def publish(self, topic, payload, qos=0, retain=False):
        self.next_id += 1
        data = payload.encode() if isinstance(payload, str) else payload
        self.wire.send(publish(topic, data, qos, self.next_id if qos else None, retain=retain))
        if qos == 1:
            self._await("puback")
        elif qos == 2:
            self._await("pubrec")
            self.wire.send(packet(0x62, struct.pack(">H", self.next_id)))
            self._await("pubcomp")

    def message(self, wanted=lambda m: True):
        """The next message that `wanted` accepts; the others before it are dropped."""
        while True:
            while self.messages:
                m = self.messages.pop(0)
                if wanted(m):
                    return m
            self._await("publish")

    def ping(self):
        """Everything the broker sent before this has been read afterwards."""
        self.wire.send(b"\xc0\x00")
        self._await("pingresp")

    def disconnect(self):
        self.wire.send(b"\xe0\x00")
        self.wire.close()


# ---------------------------------------------------------------- a test script

def program_arguments():
    """(merossd, plugsim) from the command line that ctest gives."""
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} MEROSSD PLUGSIM [words of the tests to run]")
    return os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def memory_for_journals():
    """Where merossd keeps its journals in memory: /run for root; a session of a user has a folder, and
    a bare machine's user gets one here."""
    if os.geteuid() == 0:
        return pathlib.Path("/run")
    if "XDG_RUNTIME_DIR" not in os.environ:
        folder_of_user = tempfile.mkdtemp(prefix="merossd-e2e-")
        atexit.register(shutil.rmtree, folder_of_user, ignore_errors=True)
        os.environ["XDG_RUNTIME_DIR"] = folder_of_user
    return pathlib.Path(os.environ["XDG_RUNTIME_DIR"])


def main(tests):
    """Runs the functions of a script; further words on the command line choose among them."""
    # Who was started in the background has Ctrl-C ignored, and so would every program started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = sys.argv[3:]
    failed = skipped = ran = 0
    for test in tests:
        if wanted and not any(w in test.__name__ for w in wanted):
            continue
        begin = time.monotonic()
        ran += 1
        try:
            test()
            word = "ok"
        except Skip as e:
            word = f"skipped: {e}"
            skipped += 1
        except Exception as e:  # pylint: disable=broad-except
            failed += 1
            word = f"FAILED: {e}"
            if not isinstance(e, Failure):
                traceback.print_exc(file=sys.stdout)
        print(f"{test.__name__} ({time.monotonic() - begin:.1f} s): {word}", flush=True)
    print(f"{ran} tests, {failed} failed, {skipped} skipped")
    return failed > 0
