#!/usr/bin/env python3
"""55-listeners.py MEROSSD PLUGSIM [words] - Unix sockets, interfaces, limits of a listener, client
certificates, keys, and what happens when the computer has nothing left to give."""
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile

import harness
from harness import Broker, Client, Failure, Skip, WebSocketWire, Wire, check, connect, run

MEROSSD, PLUGSIM = harness.program_arguments()
TLS = harness.tls_context()
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-listeners-"))


class UnixWire(Wire):
    def __init__(self, path):  # pylint: disable=super-init-not-called
        self.sock = self.raw = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(harness.PATIENCE)
        self.sock.connect(str(path))
        self.inbox = b""
        self.ended = False


def refuses_to_start(config, words):
    """The broker ends with a sentence that matches."""
    with tempfile.TemporaryDirectory() as state:
        path = pathlib.Path(state) / "x.conf"
        path.write_text(f"state_dir {state}\n{config}\n")
        code, _, err = run([MEROSSD, "-c", path])
        check(code == 1 and re.search(words, err), f"{config!r}: {code} {err}")


def closed(wire):
    """Nothing comes but the end."""
    try:
        return wire.sock.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True


# ---------------------------------------------------------------- where it listens

def a_unix_socket_is_a_listener():
    path = FOLDER / "mqtt.sock"
    extra = f"listener 0 {path}\nlistener 0 {path}.2\nunix_socket_mode 600\nprotocol websockets\n"
    with Broker(MEROSSD, extra) as b:
        b.wait_line(f"listening on the Unix socket {path}, in clear")
        check(stat.S_IMODE(path.stat().st_mode) == 0o660, oct(path.stat().st_mode))
        check(stat.S_IMODE(os.stat(f"{path}.2").st_mode) == 0o600, "the mode was not set")
        mark = b.mark()
        # It is this host, so nobody needs a password.
        c = Client(0, "local", wire=UnixWire(path))
        b.wait_line(rf"unix:pid{os.getpid()},uid{os.getuid()}.*local", mark)
        other = Client(b.tcp, "beside")
        c.subscribe("x")
        other.publish("x", "hello")
        check(c.message()["payload"] == b"hello", "no message")
        # One that was killed leaves its file behind; the next takes its place.
        b.program.kill(signal.SIGKILL)
        check(path.exists(), "SIGKILL left no file")
        b.start(same_ports=True)
        Client(0, "again", wire=UnixWire(path)).disconnect()
        refuses_to_start(f"listener 0 {path}", "another program listens there")
        Client(0, "unharmed", wire=UnixWire(path)).disconnect()
    check(not path.exists(), "the file is still there after the end")


def what_is_no_socket_is_left_alone():
    path = FOLDER / "precious"
    path.write_text("mine")
    refuses_to_start(f"listener 0 {path}", "no socket, and is left alone")
    check(path.read_text() == "mine", "the file was touched")
    refuses_to_start(f"listener 0 {FOLDER}/missing/x", "does its folder exist")
    refuses_to_start(f"listener 0 /{'x' * 120}", "at most 107 bytes")


def plugs_are_not_sent_to_a_unix_socket():
    """Its listener has TLS, but no port that a plug could be pointed at."""
    with tempfile.TemporaryDirectory() as state:
        path = pathlib.Path(state) / "x.conf"
        path.write_text(f"state_dir {state}\nlistener 0 {state}/sock\ntls auto\n")
        program = harness.Program([MEROSSD, "-c", path])
        program.wait_line("no port has TLS")
        program.wait_line(f"listening on the Unix socket {state}/sock, TLS")
        check(program.kill(signal.SIGTERM) == 0, program.text())
        check("point them" not in program.text(), program.text())


def families_and_interfaces():
    four, six, lo = (harness.free_port() for _ in range(3))
    extra = (f"listener {four}\nsocket_domain ipv4\nlistener {six}\nsocket_domain ipv6\n"
             f"listener {lo}\nbind_interface lo\n")
    try:
        with Broker(MEROSSD, extra) as b:
            Client(four, "four").disconnect()
            Client(lo, "loopback").disconnect()
            try:
                socket.create_connection(("127.0.0.1", six), 5)
            except ConnectionRefusedError:
                pass
            else:
                raise Failure("an IPv6 listener took IPv4")
            socket.create_connection(("::1", six), 5).close()
            check(b.program.alive(), "it ended")
    except Failure as e:
        if "CAP_NET_RAW" in str(e) or "not supported" in str(e):
            raise Skip("no right to bind to an interface, or no IPv6") from None
        raise
    refuses_to_start(f"listener {four}\nbind_interface none0", "none0.*`ip link`")
    refuses_to_start(f"listener {four} ::1\nsocket_domain ipv4", "cannot listen")


def a_mount_point_is_a_house_of_its_own():
    port = harness.free_port()
    with Broker(MEROSSD, f"listener {port} 127.0.0.1\nmount_point guests/\n") as b:
        outside = Client(b.tcp, "outside")
        outside.subscribe("#", 2)
        inside = Client(port, "inside", clean=False, will=("last", b"words", 1, False))
        check(inside.subscribe("#", 2) == b"\x02", "not granted")
        for qos in (0, 1, 2):
            inside.publish("a", f"in{qos}", qos)
            m = outside.message(lambda m: m["topic"] == "guests/a")
            check(m["payload"] == b"in%d" % qos, f"{m}")
            check(inside.message()["topic"] == "a", "its own message has another name")
            outside.publish("guests/b/c", f"out{qos}", qos)
            m = inside.message()
            check((m["topic"], m["payload"]) == ("b/c", b"out%d" % qos), f"{m}")
        outside.publish("hidden", "x", 1)
        outside.publish("guests/kept", "y" * 2000, 1, retain=True)
        m = inside.message()
        check(m["topic"] == "kept" and len(m["payload"]) == 2000, f"{m}")
        late = Client(port, "late")
        late.subscribe("+")
        m = late.message()
        check(m["topic"] == "kept" and m["retain"], f"{m}")
        late.wire.send(harness.publish("x" * 65530, b""))
        check(late.wire.receive() is None, "a name too long for its mount point was taken")
        inside.wire.send(harness.packet(0xA2, b"\x00\x09" + harness.string("#")))
        check(inside.wire.receive() == b"\xb0\x02\x00\x09", "no UNSUBACK")
        outside.publish("guests/gone", "x", 1)
        inside.ping()
        check(not inside.messages, f"after UNSUBSCRIBE: {inside.messages}")
        inside.subscribe("#", 1)  # guests/# is also guests, and that is outside
        check(inside.message()["topic"] == "kept", "no Retained Message")
        for topic in ("guests", "guests/"):
            outside.publish(topic, "x", 1)
        outside.publish("guests/b", "x", 1)
        check(inside.message()["topic"] == "b", "a name of outside was seen")
        inside.wire.vanish()
        m = outside.message(lambda m: m["topic"].endswith("last"))
        check((m["topic"], m["payload"]) == ("guests/last", b"words"), f"{m}")
    refuses_to_start(f"listener {port}\nmount_point a/#", "mount_point holds no")


# ---------------------------------------------------------------- limits

def a_listener_has_a_limit_of_its_own():
    port = harness.free_port()
    with Broker(MEROSSD, f"listener {port} 127.0.0.1\nmax_connections 3\n") as b:
        mark = b.mark()
        held = [Client(port, f"c{i}") for i in range(3)]
        extra = [Wire(port) for _ in range(5)]
        check(all(closed(w) for w in extra), "more than max_connections")
        b.wait_line("listener 3 has its max_connections of 3; raise it", mark)
        check(b.program.text().count("its max_connections") == 1, "said more than once")
        Client(b.tcp, "elsewhere").ping()
        held[0].disconnect()
        b.wait_line("c0.*disconnected", mark)
        while True:  # the end of the first is known to the log before its socket is free
            wire = Wire(port)
            wire.send(connect("next"))
            if wire.receive() == b"\x20\x02\x00\x00":
                break
            wire.close()
        for c in held[1:]:
            c.ping()


def silent_handshakes_make_room():
    port = harness.free_port()
    with Broker(MEROSSD, f"listener {port} 127.0.0.1\ntls auto\nmax_handshakes 4\n") as b:
        b.wait_line(f"port {port}, TLS")
        mark = b.mark()
        silent = [Wire(port) for _ in range(12)]
        Client(port, "patient", TLS).ping()
        b.wait_line("handshakes under way: new ones wait", mark)
        b.wait_line("had to make room", mark)
        for _ in range(3):
            Client(port, "more", TLS).ping()
        for wire in silent:
            wire.close()


def a_storm_of_handshakes_is_served_in_turn():
    port = harness.free_port()
    with Broker(MEROSSD, f"listener {port} 127.0.0.1\ntls auto\nmax_handshakes 3\n") as b:
        b.wait_line(f"port {port}, TLS")
        raw = [socket.create_connection(("127.0.0.1", port), harness.PATIENCE) for _ in range(40)]
        socks = [TLS.wrap_socket(s, do_handshake_on_connect=False) for s in raw]
        for s in socks:
            s.setblocking(False)
        left = set(socks)
        import select  # pylint: disable=import-outside-toplevel
        while left:
            for s in list(left):
                try:
                    s.do_handshake()
                    left.discard(s)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    continue
            if left:
                check(select.select(left, [], [], harness.PATIENCE)[0], f"{len(left)} were left over")
        for s in socks:
            s.close()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def no_file_is_left():
    """F138: refused politely, said once, no loop; the store keeps its files."""
    script = FOLDER / "few-files"
    script.write_text(f"#!/bin/sh\nulimit -n 64\nexec {MEROSSD} \"$@\"\n")
    script.chmod(0o755)
    with Broker(str(script)) as b:
        mark = b.mark()
        beats = Client(b.tcp, "beats", keepalive=2)
        held, refused = [], 0
        for i in range(80):
            wire = Wire(b.tcp if i % 2 else b.tls)
            if i % 2:
                wire.send(connect(f"n{i}"))
                if wire.receive() != b"\x20\x02\x00\x00":
                    refused += 1
                    continue
            held.append(wire)
        check(refused > 10, f"only {refused} were refused")
        b.wait_line("limit on open files", mark)
        before = cpu_seconds(b.program.process.pid)
        # Something that takes real time: three seconds until its Keep Alive has passed.
        check(beats.wire.receive() is None, "Keep Alive did not end it")
        spent = cpu_seconds(b.program.process.pid) - before
        check(spent < 1.0, f"{spent} s of CPU while nothing happened")
        check(len(re.findall("limit on open files", b.program.text())) <= 2, "said too often")
        for wire in held:
            wire.close()
        while True:
            wire = Wire(b.tcp)
            wire.send(connect("after"))
            if wire.receive() == b"\x20\x02\x00\x00":
                break


def rss(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_comes_back():
    """Within 10 % of what it was, after a crowd and a stalled reader."""
    if b"__asan_init" in pathlib.Path(MEROSSD).read_bytes():
        raise Skip("AddressSanitizer keeps what was freed")
    with Broker(MEROSSD, "max_queued_bytes 20000000") as b:
        pid = b.program.process.pid

        def burden():
            crowd = [Client(b.tls, f"crowd{i}", TLS) for i in range(300)]
            stalled = Client(b.tcp, "stalled")
            stalled.subscribe("flood")
            writer = Client(b.tcp, "writer")
            for _ in range(40):
                writer.publish("flood", b"f" * 400000)
            writer.ping()
            peak = rss(pid)
            for c in crowd:
                c.disconnect()
            stalled.wire.reset()
            writer.disconnect()
            return peak

        burden()  # what is made once: buffers of libraries, tables
        watch = Client(b.tcp, "watch", keepalive=0)
        idle = settle(watch, pid, 0)
        peak = burden()
        after = settle(watch, pid, idle * 1.1)
        print(f"    idle {idle >> 10} KB, peak {peak >> 10} KB, after {after >> 10} KB")
        check(after <= idle * 1.1, f"idle {idle}, after {after}")


def settle(client, pid, enough):
    """The memory once it is at most `enough`, or does not shrink any more for five seconds."""
    for _ in range(5):
        second_of(client)
        if rss(pid) <= enough:
            break
    return rss(pid)


def second_of(client):
    """An event of the broker that takes a second and a half: a Keep Alive passes."""
    other = Wire(client.wire.raw.getpeername()[1])
    other.send(connect("tick", keepalive=1))
    check(other.receive() == b"\x20\x02\x00\x00", "no CONNACK")
    check(other.receive() is None, "Keep Alive did not end it")
    other.close()


# ---------------------------------------------------------------- certificates

def openssl(*args, **options):
    p = subprocess.run(["openssl", *map(str, args)], capture_output=True, cwd=FOLDER, check=False,
                       **options)
    check(p.returncode == 0, f"openssl {args}: {p.stderr.decode()}")
    return p.stdout


def make_ca(name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.pem", "-subj", f"/CN={name}", "-days", "30")
    (FOLDER / f"{name}.index").write_text("")
    (FOLDER / f"{name}.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={FOLDER}/{name}.index\ndefault_md=sha256\n"
        f"default_crl_days=30\ncertificate={FOLDER}/{name}.pem\nprivate_key={FOLDER}/{name}.key\n")


def make_cert(name, subject, ca="ca", *more):
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", subject, *more)
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
            "-CAcreateserial", "-out", f"{name}.pem", "-days", "30")


def der_length(data, at):
    """(length, where the content begins) of the DER value at `at`."""
    n = data[at + 1]
    if n < 128:
        return n, at + 2
    k = n & 127
    return int.from_bytes(data[at + 2:at + 2 + k], "big"), at + 2 + k


def forge(name, old, new, ca="ca"):
    """The same certificate with other bytes in it, signed again."""
    der = bytearray(openssl("x509", "-in", f"{name}.pem", "-outform", "DER"))
    check(der.count(old) == 1 and len(old) == len(new), "the bytes are not there once")
    der = der.replace(old, new)
    _, at = der_length(der, 0)
    n, body = der_length(der, at)
    (FOLDER / "tbs").write_bytes(der[at:body + n])
    signature = openssl("dgst", "-sha256", "-sign", f"{ca}.key", "tbs")
    der[-len(signature):] = signature
    (FOLDER / "forged.der").write_bytes(der)
    openssl("x509", "-inform", "DER", "-in", "forged.der", "-out", f"{name}.pem")


def make_certificates():
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    if (FOLDER / "ca.pem").exists():
        return
    make_ca("ca")
    make_ca("stranger")
    make_cert("server", "/CN=localhost")
    make_cert("good", "/C=DE/O=Home, sweet/OU=a+b/CN=alice")
    make_cert("revoked", "/CN=mallory")
    make_cert("outsider", "/CN=alice", "stranger")
    make_cert("nul", "/CN=admin#evil")
    forge("nul", b"admin#evil", b"admin\0evil")
    make_cert("latin", "/CN=aliceXX")
    # As T61String, for OpenSSL itself refuses such bytes in a UTF8String.
    forge("latin", b"\x0c\x07aliceXX", b"\x14\x07alice\xc3\x28")
    openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "none.crl")
    openssl("ca", "-config", "ca.cnf", "-revoke", "revoked.pem")
    openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "some.crl")
    shutil.copy(FOLDER / "none.crl", FOLDER / "now.crl")
    (FOLDER / "cas").mkdir()
    shutil.copy(FOLDER / "ca.pem", FOLDER / "cas/one.pem")
    (FOLDER / "cas/README").write_text("not a certificate")


def context(cert=None, top=None):
    c = harness.tls_context()
    if top:
        c.maximum_version = top
    if cert:
        c.load_cert_chain(FOLDER / f"{cert}.pem", FOLDER / f"{cert}.key")
    return c


def served(port, tls, make=Wire):
    """Does somebody with this TLS get a CONNACK?"""
    try:
        wire = make(port, tls)
        wire.send(connect("cert"))
        answer = wire.receive()
        wire.close()
        return answer == b"\x20\x02\x00\x00"
    except (ssl.SSLError, ConnectionError, Failure):
        return False


def certificate_listener(port, more="", protocol="mqtt", trust=None):
    return (f"listener {port} 127.0.0.1\nprotocol {protocol}\ncertfile {FOLDER}/server.pem\n"
            f"keyfile {FOLDER}/server.key\nrequire_certificate true\n"
            f"{trust or f'cafile {FOLDER}/ca.pem'}\n{more}\n")


def client_certificates_are_verified_on_every_transport():
    """F179, F181, F183."""
    make_certificates()
    plain, web, folder, auto = (harness.free_port() for _ in range(4))
    extra = certificate_listener(plain, f"crlfile {FOLDER}/now.crl") + \
        certificate_listener(web, f"crlfile {FOLDER}/now.crl", "websockets") + \
        certificate_listener(folder, trust=f"capath {FOLDER}/cas") + \
        f"listener {auto} 127.0.0.1\ntls auto\nrequire_certificate true\ncafile {FOLDER}/ca.pem\n"
    with Broker(MEROSSD, extra) as b:
        b.wait_line(f"port {auto}, TLS")
        ways = ((plain, Wire), (web, WebSocketWire), (folder, Wire), (auto, Wire))
        for port, make in ways:
            check(served(port, context("good"), make), f"{port}: a good certificate was refused")
            for _ in range(2):  # F180: the second time too
                for who, words in ((None, "sent no certificate"), ("outsider", "not signed by a CA"),
                                   ("nul", "NUL"), ("latin", "UTF-8")):
                    mark = b.mark()
                    check(not served(port, context(who), make), f"{port}: {who} was let in")
                    b.wait_line(words, mark)
        check(served(plain, context("revoked")), "not revoked yet")
        shutil.copy(FOLDER / "some.crl", FOLDER / "now.crl")
        mark = b.mark()
        b.program.process.send_signal(signal.SIGHUP)
        b.wait_line(f"port {web} uses", mark)
        for port, make in ways[:2]:
            mark = b.mark()
            check(not served(port, context("revoked"), make), "revoked, but let in")
            b.wait_line("revoked", mark)
            check(served(port, context("good"), make), "a good certificate was refused")
        # A list that cannot be read changes nothing.
        (FOLDER / "now.crl").write_text("nonsense")
        mark = b.mark()
        b.program.process.send_signal(signal.SIGHUP)
        b.wait_line("nothing was changed.*revocation list", mark)
        check(not served(plain, context("revoked")), "the old list was forgotten")
        check(served(plain, context("good")), "a good certificate was refused")


def nobody_resumes_where_certificates_are_asked_for():
    make_certificates()
    port = harness.free_port()
    with Broker(MEROSSD, certificate_listener(port)):
        tls = context("good", ssl.TLSVersion.TLSv1_2)
        first = Client(port, "first", tls)
        session = first.wire.sock.session
        first.disconnect()
        again = tls.wrap_socket(Wire(port).raw, session=session)
        check(not again.session_reused, "the session was resumed")
        again.close()


def faults_of_trust_stop_the_start():
    make_certificates()
    port = harness.free_port()
    (FOLDER / "empty.pem").write_text("")
    (FOLDER / "nothing").mkdir(exist_ok=True)
    for trust, words in ((f"cafile {FOLDER}/empty.pem", "empty.pem is not a PEM certificate"),
                         (f"cafile {FOLDER}/none.pem", "cannot read .*none.pem"),
                         (f"capath {FOLDER}/nothing", "no CA certificate can be read"),
                         (f"cafile {FOLDER}/ca.pem\ncrlfile {FOLDER}/ca.pem", "revocation list")):
        refuses_to_start(certificate_listener(port, trust=trust), words)


def a_failed_handshake_is_one_line():
    make_certificates()
    port = harness.free_port()
    with Broker(MEROSSD, certificate_listener(port)) as b:
        for tls in (context(), context("outsider")):
            mark = b.mark()
            raw = socket.create_connection(("127.0.0.1", port), harness.PATIENCE)
            peer = raw.getsockname()[1]
            try:
                s = tls.wrap_socket(raw)
                s.recv(1)
            except (ssl.SSLError, ConnectionError):
                pass
            b.wait_line(f"127.0.0.1:{peer} ", mark)
            Client(b.tcp, "fence").disconnect()
            b.wait_line("fence.*disconnected", mark)
            lines = [l for l in b.program.text().splitlines() if f"127.0.0.1:{peer} " in l]
            check(len(lines) == 1, "\n".join(lines))


# ---------------------------------------------------------------- ciphers, keys

def ciphers_are_chosen():
    make_certificates()
    port = harness.free_port()
    own = f"listener {port} 127.0.0.1\ncertfile {FOLDER}/server.pem\nkeyfile {FOLDER}/server.key\n"
    with Broker(MEROSSD, own + "ciphers ECDHE-RSA-AES256-SHA:AES128-SHA:DHE-RSA-AES256-SHA") as b:
        for wanted, got in (("ECDHE-RSA-AES256-SHA", True), ("AES128-SHA", True),
                            ("ECDHE-RSA-AES128-GCM-SHA256", False), ("AES256-SHA", False)):
            tls = context(top=ssl.TLSVersion.TLSv1_2)
            tls.set_ciphers(wanted + ":@SECLEVEL=0")
            check(served(port, tls) == got, f"{wanted}: not {got}")
        check(b.program.alive(), "it ended")
    for words in ("HIGH:!aNULL:!MD5", "ECDHE+AESGCM", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"):
        with Broker(MEROSSD, f"{own}ciphers {words}"):
            check(served(port, context(top=ssl.TLSVersion.TLSv1_2)), words)
    refuses_to_start(own + "ciphers RC4-SHA", "`ciphers RC4-SHA` names no suite")
    refuses_to_start(own + "ciphers ALL:!RSA:!AES:!ECDHE:!AES128:!AES256", "names no suite")


def s_client(port, identity, key):
    p = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-psk",
                        key, "-psk_identity", identity, "-cipher", "PSK:@SECLEVEL=0"],
                       input=b"", capture_output=True, timeout=60, check=False)
    return p.returncode == 0


def keys_instead_of_certificates():
    """F187: a key that begins with zeros."""
    make_certificates()
    keys = FOLDER / "keys"
    keys.write_text("# mine\nalice:000102030405060708090a0b0c0d0e0f\r\nbob:ff\n")
    port = harness.free_port()
    own = f"psk_file {keys}\nlistener {port} 127.0.0.1\npsk_hint house\n"
    with Broker(MEROSSD, own) as b:
        check(s_client(port, "alice", "000102030405060708090a0b0c0d0e0f"), "alice was refused")
        check(s_client(port, "bob", "ff"), "bob was refused")
        for identity, key in (("alice", "0102030405060708090a0b0c0d0e0f"), ("alice", "ff"),
                              ("eve", "ff"), ("", "ff")):
            mark = b.mark()
            check(not s_client(port, identity, key), f"{identity} with {key} was let in")
            b.wait_line("TLS:", mark)
        if shutil.which("mosquitto_pub"):
            code, _, err = run(["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "--psk", "ff",
                                "--psk-identity", "bob", "-t", "x", "-m", "y", "-q", "1"])
            check(code == 0, err)
    keys.write_text("alice:00\nbob:xyz\n")
    refuses_to_start(own, "keys:2: a line is `identity:key`")
    refuses_to_start(certificate_listener(port, "psk_hint a\n") + f"psk_file {keys}", "exclude")


def dhparamfile_is_named():
    make_certificates()
    port = harness.free_port()
    with Broker(MEROSSD, f"listener {port} 127.0.0.1\ncertfile {FOLDER}/server.pem\n"
                f"keyfile {FOLDER}/server.key\ndhparamfile {FOLDER}/dh.pem\n") as b:
        b.wait_line("test.conf:[0-9]+: dhparamfile is not used")
        check(served(port, context()), "no CONNACK")


TESTS = [a_unix_socket_is_a_listener, what_is_no_socket_is_left_alone,
         plugs_are_not_sent_to_a_unix_socket, families_and_interfaces, a_mount_point_is_a_house_of_its_own,
         a_listener_has_a_limit_of_its_own, silent_handshakes_make_room,
         a_storm_of_handshakes_is_served_in_turn, no_file_is_left, memory_comes_back,
         client_certificates_are_verified_on_every_transport,
         nobody_resumes_where_certificates_are_asked_for, faults_of_trust_stop_the_start,
         a_failed_handshake_is_one_line, ciphers_are_chosen, keys_instead_of_certificates,
         dhparamfile_is_named]

if __name__ == "__main__":
    try:
        FAILED = harness.main(TESTS)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    sys.exit(FAILED)
