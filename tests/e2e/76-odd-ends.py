#!/usr/bin/env python3
"""76-odd-ends.py MEROSSD PLUGSIM [words] - what is seen only from outside and belongs to no other
script: options of sockets, who counts as this computer, more than a thousand descriptors, and
names that want to write the log themselves.  F1, F2, ... are the names of tests/spec/cases."""
import ctypes
import errno
import json
import os
import re
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile

import harness
from harness import (Broker, Client, Failure, Skip, WebSocketWire, Wire, check, connect, folder,
                     packet, run, string)

MEROSSD, PLUGSIM = harness.program_arguments()
TLS = harness.tls_context()
INSIDE = "MEROSSD_TEST_NETWORK"
ADDRESS = "198.51.100.1"  # of the documentation; on the loopback device of a network of our own


# ---------------------------------------------------------------- sockets

def socket_of(pid, local):
    """The descriptor of another process that is connected to our address `local`, as ours."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        process = os.pidfd_open(pid)
    except (AttributeError, OSError) as e:
        raise Skip(f"no pidfd: {e}") from None
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                    continue
            except FileNotFoundError:
                continue  # closed meanwhile: that of an earlier client
            fd = libc.syscall(438, process, int(name), 0)  # pidfd_getfd
            if fd < 0 and ctypes.get_errno() == errno.EBADF:
                continue
            if fd < 0:
                raise Skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
            theirs = socket.socket(fileno=fd)
            try:
                if theirs.getpeername() == local:
                    return theirs
            except OSError:
                pass  # it listens
            theirs.close()
    finally:
        os.close(process)
    raise Failure("the broker has no socket of this client")


def small_packets_are_not_held_back():
    """TCP_NODELAY as it is on the accepted socket, in clear, over TLS and for WebSockets."""
    for extra, wanted in (("", True), ("set_tcp_nodelay false", False)):
        with Broker(MEROSSD, extra, ws=True) as b:
            for wire in (Wire(b.tcp), Wire(b.tls, TLS), WebSocketWire(b.ws)):
                c = Client(0, "c", wire=wire)
                theirs = socket_of(b.program.process.pid, wire.raw.getsockname()
                                   if wire.raw.fileno() >= 0 else wire.sock.getsockname())
                got = theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                theirs.close()
                check(bool(got) == wanted, f"{extra!r}: TCP_NODELAY is {got}")
                c.disconnect()


def more_than_a_thousand_descriptors():
    """F139: where select(2) ends, this does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        raise Skip("the system allows less than 4096 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
    try:
        with Broker(MEROSSD) as b:
            clients = [Client(b.tcp, f"c{i}") for i in range(1100)]
            top = max(int(n) for n in os.listdir(f"/proc/{b.program.process.pid}/fd"))
            check(top > 1024, f"the highest descriptor is {top}")
            for c in (clients[0], clients[-1]):
                c.subscribe("t", 1)
            clients[-1].publish("t", "from the last", 1)
            check(clients[0].message()["payload"] == b"from the last", "not delivered")
            clients[0].publish("t", "from the first", 1)
            clients[-1].message(lambda m: m["payload"] == b"from the first")
            for c in clients:
                c.disconnect()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---------------------------------------------------------------- who is this computer

def in_a_network_of_its_own(test):
    """Runs `test` where there is nothing but a loopback device, with ADDRESS on it."""
    if os.environ.get(INSIDE):
        for command in (["ip", "link", "set", "lo", "up"],
                        ["ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo"]):
            code = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
            if code:
                raise Skip(f"{' '.join(command)}: {code}")
        return test()
    if not (shutil.which("unshare") and shutil.which("ip")):
        raise Skip("no unshare or no ip here")
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        raise Skip("no right to a network of its own")
    code, out, err = harness.run(["unshare", "-rn", sys.executable, os.path.abspath(__file__),
                                  MEROSSD, PLUGSIM, test.__name__],
                                 env={**os.environ, INSIDE: "1"})
    check(code == 0, out + err)
    skipped = re.search(r"s\): skipped: (.*)", out)
    if skipped:
        raise Skip(skipped[1])
    check(" ok" in out, out + err)
    return None


class From(Wire):
    """A connection to another address than 127.0.0.1; it comes from there, too."""

    def __init__(self, host, port):  # pylint: disable=super-init-not-called
        self.raw = self.sock = socket.create_connection((host, port), harness.PATIENCE)
        self.inbox, self.ended = b"", False

    def code(self, user=None):
        self.send(connect("c", user=user, password="x" if user else None))
        return harness.parse(self.receive())["code"]


def strangers_from_elsewhere_need_a_name():
    """F166: without any option about users, this computer is let in and no other is."""
    def test():
        port = harness.free_port()
        with Broker(MEROSSD, f"listener {port}"):
            check(From("127.0.0.1", port).code() == 0, "this computer was refused")
            check(From("::1", port).code() == 0, "this computer was refused over IPv6")
            check(From(ADDRESS, port).code() == 5, "a stranger was let in")
            check(From(ADDRESS, port).code("name") == 5, "a stranger with some name was let in")
        with Broker(MEROSSD, f"allow_anonymous true\nlistener {port}"):
            check(From(ADDRESS, port).code() == 0, "allow_anonymous true is not obeyed")
        with Broker(MEROSSD, f"allow_anonymous false\nlistener {port}"):
            check(From("127.0.0.1", port).code() == 5, "allow_anonymous false is not obeyed")
    test.__name__ = "strangers_from_elsewhere_need_a_name"
    in_a_network_of_its_own(test)


def one_listener_takes_both_families():
    """`listener PORT` without an address: IPv4 and IPv6 clients meet."""
    def test():
        port = harness.free_port()
        with Broker(MEROSSD, f"listener {port}"):
            four = Client(0, "four", wire=From("127.0.0.1", port))
            six = Client(0, "six", wire=From("::1", port))
            four.subscribe("t", 1)
            six.publish("t", "over", 1)
            check(four.message()["payload"] == b"over", "not delivered")
    test.__name__ = "one_listener_takes_both_families"
    in_a_network_of_its_own(test)


def localhost_needs_no_file_of_names():
    """The client verbs find the broker of this computer without /etc/hosts and name server."""
    hide = "for f in hosts resolv.conf nsswitch.conf; do mount --bind /dev/null /etc/$f || exit 77; done"
    hidden = ["unshare", "-rm", "sh", "-c", f'{hide}; "$@"', "sh"]
    if not shutil.which("unshare"):
        raise Skip("no unshare here")
    if subprocess.run([*hidden, "true"], check=False, capture_output=True).returncode:
        raise Skip("no right to mounts of its own")
    resolves = [sys.executable, "-c", "import socket; socket.getaddrinfo('localhost', 1)"]
    if subprocess.run([*hidden, *resolves], check=False, capture_output=True).returncode == 0:
        raise Skip("something else resolves localhost here")
    with Broker(MEROSSD) as b:
        code, out, err = harness.run([*hidden, MEROSSD, "list", "-p", b.tcp])
        check(code == 0, f"{code} {out} {err}")
    code, out, err = harness.run([*hidden, MEROSSD, "list", "-h", "no-such-host"])
    check(code == 1 and "no such host" in err, f"{code} {out} {err}")


# ---------------------------------------------------------------- rights and limits together

def a_refused_publish_is_no_reason_to_go_without_limits():
    """F134: where 0 means no limit, a PUBLISH that nobody may receive is acknowledged all the
    same, and its sender stays."""
    for limit in ("max_queued_messages 0", "max_inflight_messages 0", "max_queued_bytes 0",
                  "max_inflight_bytes 0"):
        with tempfile.NamedTemporaryFile("w", suffix=".acl") as acl:
            acl.write("topic read no/#\ntopic readwrite yes\n")
            acl.flush()
            os.chmod(acl.name, 0o644)
            with Broker(MEROSSD, f"allow_anonymous true\nacl_file {acl.name}\n{limit}") as b:
                watch, c = Client(b.tcp, "watch"), Client(b.tcp, "c")
                for topic in ("no/#", "yes"):
                    check(watch.subscribe(topic, 2) == b"\x02", "not granted")
                for qos in (0, 1, 2):
                    for _ in range(3):
                        c.publish("no/x", "denied", qos)
                    c.publish("yes", str(qos), qos)
                    m = watch.message()
                    check((m["topic"], m["payload"]) == ("yes", b"%d" % qos), f"{limit}: {m}")
                c.ping()


# ---------------------------------------------------------------- the log

# The first is refused as a name, the second is let in: no control characters, and all the rest.
FORGED = "\r\n2026-01-01 error  net: forged\x1b[31m\x1b]0;x\x07\x7f\u009b31m\t"
SLY = "\" disconnected\\x0a\u202e\u2028\u200b%s%n"


def names_do_not_write_the_log():
    """F176: whatever a peer calls itself, its user, its topics, its page: one line each, and no
    byte in it that a terminal or a reader of logs would obey."""
    with Broker(MEROSSD, "allow_anonymous true\nlog_type all", ws=True, options=["-v"]) as b:
        def say(data, wire=None):
            wire = wire or Wire(b.tcp)
            wire.send(data)
            wire.send(b"\xe0\x00")
            while wire.receive() is not None:
                pass
            wire.close()

        def after_connect(data):
            say(connect("c") + data)
        for odd in (FORGED, SLY):
            for level in (3, 4, 5):
                say(connect(f"id{odd}{level}", level=level, user=f"user{odd}", password="p",
                            will=(f"will{odd}", b"x", 1, False)))
            say(connect("c", name=f"MQTT{odd}"))
            say(connect("c", user=f"name{odd}", password="p"))
            after_connect(harness.publish(f"topic{odd}", b"x" * 10, 0))
            after_connect(harness.publish(f"/appliance/{odd}/subscribe", b"{}", 1, 1))
            after_connect(harness.publish(f"/appliance/{odd}/publish", b"{}", 1, 1))
            after_connect(harness.publish(f"meross/{odd}/set", b"ON", 0))
            after_connect(harness.publish("meross/x/set", odd.encode(), 0))
            after_connect(harness.publish(f"meross/broker/request/{odd}", b"{}", 0))
            for verb in ("rename", "forget", "permit", "raw", "list"):
                order = {"transaction": f"t{odd}", "plug": f"p{odd}", "to": f"n{odd}", odd: odd}
                for ascii_only in (True, False):
                    text = json.dumps(order, ensure_ascii=ascii_only)
                    after_connect(harness.publish(f"meross/broker/request/{verb}",
                                                  text.encode(), 0))
            after_connect(packet(0x82, b"\x00\x01" + string(f"filter{odd}/#") + b"\x00"))
            after_connect(packet(0xA2, b"\x00\x01" + string(f"filter{odd}/#")))
        for first in ("GET", "G\x1bT"):
            wire = Wire(b.ws)
            wire.send(f"{first} /p\x1b[31m HTTP/1.1\r\nHost: x\x1b\r\nOrigin: o\x9b31m\r\n"
                      "Upgrade: websocket\x1b\r\n\r\n".encode("latin-1"))
            try:
                while wire.sock.recv(65536):
                    pass
            except ConnectionError:
                pass
            wire.close()
        say(connect("fence"))
        b.wait_line('client="fence" disconnected')
        text = b.program.text()
        check(r"%s%n" in text and "\\x22" in text, f"none of these names is in the log:\n{text}")
        for line in text.split("\n"):
            bad = re.search("[\x00-\x1f\x7f-\x9f\u2028\u202e]", line)
            check(not bad, f"a raw {bad and bad[0]!r} in {line!r}")
            check(not line.startswith("2026-01-01"), f"a forged line: {line!r}")


def closed_standard_files_keep_their_numbers():
    """Else the log is written into the event loop's own pipe, or into the journal."""
    with folder() as root:
        script = root / "merossd"
        script.write_text(f'#!/bin/sh\nexec {MEROSSD} "$@" <&- >&- 2>&-\n')
        script.chmod(0o755)
        with Broker(script) as b:
            for name in ("a", "b"):
                Client(b.tcp, name).publish("t", b"1", qos=1, retain=True)
            for fd in range(3):
                is_now = os.readlink(f"/proc/{b.program.process.pid}/fd/{fd}")
                check(is_now == "/dev/null", f"{fd} is {is_now}")
    code, _, _ = run(["sh", "-c", 'exec "$0" --version >&-', MEROSSD])
    check(code == 1, f"output that goes nowhere is no success: {code}")


def nobody_waits_for_who_reads_the_log():
    """A pager that is not turned, a terminal that Ctrl-S has stopped."""
    read, write = os.pipe()
    with folder() as root, os.fdopen(read, "rb", buffering=0) as log:
        script = root / "merossd"
        script.write_text(f'#!/bin/sh\nexec {MEROSSD} "$@" >/proc/{os.getpid()}/fd/{write} 2>&1\n')
        script.chmod(0o755)
        with Broker(script) as b:
            os.close(write)
            for i in range(600):
                Client(b.tcp, f"{i:0200}").disconnect()
            said = b""
            while b"lines are missing here: nobody read the log" not in said:
                Client(b.tcp, "read").disconnect()
                check(select.select([log], [], [], harness.PATIENCE)[0], said.decode()[-500:])
                said += log.read(65536)


if __name__ == "__main__":
    sys.exit(harness.main([
        small_packets_are_not_held_back, more_than_a_thousand_descriptors,
        strangers_from_elsewhere_need_a_name, one_listener_takes_both_families,
        localhost_needs_no_file_of_names,
        a_refused_publish_is_no_reason_to_go_without_limits, names_do_not_write_the_log,
        closed_standard_files_keep_their_numbers, nobody_waits_for_who_reads_the_log,
    ]))
