#!/usr/bin/env python3
"""75-faults.py MEROSSD PLUGSIM [words] - what brought other brokers down, from outside: rushes,
full disks, exhausted descriptors, clients that fight for one id.  In each a healthy pair of clients
works meanwhile and loses nothing.  The names F1, F2, ... are those of tests/spec/cases."""
import contextlib
import os
import pathlib
import random
import resource
import select
import signal
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading

import harness
from bystander import Bystander
from harness import (Broker, Client, Failure, Skip, Wire, check, connect, fill_up, packet, publish,
                     small_disk, string)

MEROSSD, PLUGSIM = harness.program_arguments()


def open_files():
    """As many descriptors for this test as the system allows; returns how many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def lines_with(broker, words, since=0):
    return [l for l in broker.program.lines[since:] if l and words in l]


def acknowledged(wire, count, kind="puback"):
    for _ in range(count):
        got = wire.receive()
        check(got is not None and harness.parse(got)["kind"] == kind,
              f"no {kind}: {harness.show(got)}")


# ---------------------------------------------------------------- connections

def a_header_that_drips_is_not_waited_for():
    """F20: a byte now and then is no CONNECT; the time for it runs on."""
    with Broker(MEROSSD) as b, Bystander(b.tcp):
        data = connect("slow", will=("w", "x" * 100, 0, False))
        wires = [Wire(b.tcp), Wire(b.tls, harness.tls_context())]
        waiting = list(wires)
        for byte in data[:60]:
            for wire in waiting:
                with contextlib.suppress(OSError):
                    wire.send(bytes([byte]))
            ended = select.select([w.sock for w in waiting], [], [], 0.4)[0]
            waiting = [w for w in waiting if w.sock not in ended]
            if not waiting:
                break
        check(not waiting, "it waits for ever")
        for wire in wires:
            wire.expect_closed()


def data_and_the_end_at_once():
    """F21: what came before the end of the stream counts, and DISCONNECT takes the Will along."""
    with Broker(MEROSSD) as b, Bystander(b.tcp):
        watcher = Client(b.tcp, "watcher")
        watcher.subscribe("fin/#", 1)
        for i in range(200):
            with socket.create_connection(("127.0.0.1", b.tcp)) as s:
                s.sendall(connect(f"fin{i}", will=("fin/will", "gone", 0, False)) +
                          publish("fin/x", b"%d" % i, 1, 1) + b"\xe0\x00")
                if i % 3 == 0:  # the answer that nobody reads makes an RST of the end
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
        for i in range(200):
            got = watcher.message()
            check((got["topic"], got["payload"]) == ("fin/x", b"%d" % i), f"{i}: {got}")
        watcher.ping()
        check(not watcher.messages, f"{watcher.messages}")


def a_rush_of_connections():
    """F137, F139: hundreds at once, all served, past descriptor 1024 too; then nothing is left."""
    if open_files() < 2400:
        raise Skip("too few file descriptors allowed")
    with Broker(MEROSSD, "connection_messages false") as b, Bystander(b.tcp) as by:
        pid = b.program.process.pid
        before = len(os.listdir(f"/proc/{pid}/fd"))
        for size in (500, 500, 1100):
            crowd = [Wire(b.tcp) for _ in range(size)]
            for i, wire in enumerate(crowd):
                wire.send(connect(f"rush{i}") +
                          packet(0x82, b"\x00\x01" + string(f"rush/{i}") + b"\x01"))
            for wire in crowd:
                check(wire.receive() == b"\x20\x02\x00\x00", "no CONNACK")
                check(wire.receive() == b"\x90\x03\x00\x01\x01", "no SUBACK")
            by.served(3)
            for wire in crowd:
                wire.send(b"\xe0\x00")
            for wire in crowd:
                wire.expect_closed()
                wire.close()
        by.served(3)
        after = len(os.listdir(f"/proc/{pid}/fd"))
        check(after <= before + 2, f"{after - before} descriptors are left")
        code, out, err = b.client("clients")
        check(code == 0 and "rush" not in out, f"clients that are gone are listed:\n{out}{err}")


def a_rush_of_handshakes():
    """F137, F142: with TLS, most of which say nothing or half a hello."""
    with Broker(MEROSSD, "connection_messages false") as b, Bystander(b.tcp) as by:
        silent = [socket.create_connection(("127.0.0.1", b.tls)) for _ in range(200)]
        half = [socket.create_connection(("127.0.0.1", b.tls)) for _ in range(50)]
        for s in half:
            s.sendall(bytes.fromhex("16 03 01 02 00 01 00 01 fc 03 03"))
        by.served(3)
        for i in range(20):
            Client(b.tls, f"real{i}", harness.tls_context()).disconnect()
        by.served(3)
        for s in silent + half:
            s.close()


def no_more_than_max_connections():
    """F142: a cap on connections holds over all listeners, and does not touch who is there."""
    with Broker(MEROSSD, "global_max_connections 12") as b, Bystander(b.tcp) as by:
        there = [Client(b.tcp, f"c{i}") for i in range(5)]
        there += [Client(b.tls, f"t{i}", harness.tls_context()) for i in range(5)]
        for port, tls in ((b.tcp, None), (b.tls, harness.tls_context())):
            wire = Wire(port, tls)
            wire.send(connect("more"))
            got = wire.receive()
            check(got in (None, b"\x20\x02\x00\x03"), f"{harness.show(got)}")
        by.served(5)
        for c in there:
            c.ping()
        there.pop().disconnect()
        by.served(5)
        Client(b.tcp, "again").disconnect()


def no_descriptor_left():
    """F138: new connections are refused, the old ones served, and the log does not fill up."""
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        pid = b.program.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(f) for f in os.listdir(f"/proc/{pid}/fd")) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 8, hard))
        mark = b.mark()
        crowd = [Wire(b.tcp) for _ in range(60)]
        for i, wire in enumerate(crowd):
            with contextlib.suppress(OSError):
                wire.send(connect(f"fd{i}"))
        answers = []
        for wire in crowd:
            try:
                answers.append(wire.receive())
            except OSError:
                answers.append(None)
        check(b"\x20\x02\x00\x00" in answers and None in answers, f"{answers}")
        by.served(20)
        said = len(b.program.lines) - mark
        check(said < 60 + 40, f"{said} lines in the log")
        for wire in crowd:
            wire.close()
        by.served(5)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        Client(b.tcp, "again").disconnect()


def two_clients_with_one_id():
    """F113, F194: they throw each other out, subscribe, are sent to and vanish meanwhile."""
    rounds = 150
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        errors = []

        def fight(seed):
            dice = random.Random(seed)
            try:
                for i in range(rounds):
                    tls = harness.tls_context() if dice.random() < 0.2 else None
                    wire = Wire(b.tls if tls else b.tcp, tls)
                    with contextlib.suppress(OSError):
                        wire.send(connect("twin", clean=dice.random() < 0.5,
                                          will=("twin/w", "gone", 1, False)) +
                                  packet(0x82, b"\x00\x01" + string("twin/#") + b"\x01") +
                                  publish("twin/x", b"y" * dice.randrange(3000), 1, 9) * 5)
                        if dice.random() < 0.3:
                            wire.reset()
                        elif dice.random() < 0.5:
                            wire.receive()
                            wire.receive()
                    wire.close()
            except (Failure, OSError) as e:
                errors.append(e)

        threads = [threading.Thread(target=fight, args=(s,)) for s in (1, 2, 3)]
        for t in threads:
            t.start()
        by.served(5)
        for t in threads:
            t.join()
        check(not errors, f"{errors}")
        Client(b.tcp, "twin").disconnect()


def the_fight_for_one_id_does_not_fill_the_log():
    """F114: what happens two hundred times is not said two hundred times."""
    with Broker(MEROSSD) as b, Bystander(b.tcp):
        mark = b.mark()
        old = Wire(b.tcp)
        for _ in range(200):
            new = Wire(b.tcp)
            new.send(connect("double"))
            check(new.receive() == b"\x20\x02\x00\x00", "no CONNACK")
            old.close()
            old = new
        said = lines_with(b, "double", mark)
        check(len(said) <= 100, f"{len(said)} lines; the last: {said[-3:]}")
        check(len([l for l in said if "use the same Client Identifier" in l]) == 1, f"{said}")


def subscribers_that_reset_while_they_are_sent_to():
    """F193: a write to a connection that is gone ends that connection."""
    with Broker(MEROSSD) as b, Bystander(b.tcp):
        pub = Wire(b.tcp)
        pub.send(connect("pipe-pub"))
        pub.receive()
        for i in range(60):
            tls = harness.tls_context() if i % 3 == 0 else None
            sub = Client(b.tls if tls else b.tcp, "pipe-sub", tls)
            sub.subscribe("pipe", 0)
            pub.send(publish("pipe", b"x" * 5000) * 40)
            sub.wire.reset()
            pub.send(publish("pipe", b"x" * 5000) * 10 + b"\xc0\x00")
            acknowledged(pub, 1, "pingresp")


# ---------------------------------------------------------------- floods

def floods_leave_room_for_others():
    """F136: eight that flood, one that does not read, and the bystanders in between."""
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        lazy = Client(b.tcp, "lazy")
        lazy.subscribe("flood/#", 0)
        errors = []

        def flood(i):
            try:
                wire = Wire(b.tcp)
                wire.send(connect(f"flood{i}"))
                wire.receive()
                for _ in range(40):
                    wire.send(publish(f"flood/{i}", b"z" * 500, 0) * 100)
                wire.send(b"\xc0\x00")
                acknowledged(wire, 1, "pingresp")
                wire.close()
            except (Failure, OSError) as e:
                errors.append(e)

        threads = [threading.Thread(target=flood, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        by.served(5)
        for t in threads:
            t.join()
        check(not errors, f"{errors}")


def dropped_messages_are_counted_not_listed():
    """F144: one line for a client, not one for each message."""
    with Broker(MEROSSD, "max_queued_messages 10") as b, Bystander(b.tcp):
        sub = Client(b.tcp, "absent", clean=False)
        sub.subscribe("drop", 1)
        sub.disconnect()
        pub = Wire(b.tcp)
        pub.send(connect("pub"))
        pub.receive()
        mark = b.mark()
        for i in range(30):
            pub.send(publish("drop", b"x", 1, 1) * 100)
            acknowledged(pub, 100)
        said = lines_with(b, "absent", mark)
        check(1 <= len(said) <= 3, f"{len(said)} lines: {said[:5]}")


def retained_messages_by_the_thousand():
    """F106: who subscribes to fifty thousand gets them all, and others are served between."""
    many = 50000
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        pub = Client(b.tcp, "pub")
        for i in range(0, many, 500):
            pub.wire.send(b"".join(publish(f"r/{n % 100}/{n}", b"v", 0, retain=True)
                                   for n in range(i, i + 500)))
        pub.ping()
        sub = Client(b.tcp, "all")
        sub.wire.send(packet(0x82, b"\x00\x01" + string("r/#") + b"\x00"))
        check(sub.wire.receive() == b"\x90\x03\x00\x01\x00", "no SUBACK")
        sub.wire.receive()
        by.served(10)  # the rest is not read yet, or not even written
        pub.publish("r/live", "now", 1)
        seen, live = 1, 0
        while seen < many or not live:
            got = harness.parse(sub.wire.receive())
            live += got["topic"] == "r/live"
            seen += got["retain"]
        sub.ping()
        check(not sub.messages, f"more than there are: {sub.messages[:2]}")


def a_storm_of_retained_topics():
    """F108: memory_limit ends it; what cannot be kept is delivered all the same."""
    with Broker(MEROSSD, "memory_limit 8000000\nmax_inflight_messages 0") as b, \
            Bystander(b.tcp) as by:
        sub = Client(b.tcp, "sub")
        sub.subscribe("s/live/#", 0)
        pub = Client(b.tcp, "pub")
        mark = b.mark()
        for i in range(0, 60000, 500):
            pub.wire.send(b"".join(publish(f"s/{n}/b/c/d/e", b"v" * 60, 0, retain=True)
                                   for n in range(i, i + 500)))
            pub.ping()
        by.served(3)
        pub.publish("s/live/1", b"x", 0, retain=True)
        check(sub.message()["payload"] == b"x", "not delivered")
        check(len(b.program.lines) - mark < 30, "\n".join(b.program.lines[mark:mark + 10]))


# ---------------------------------------------------------------- the disk

def state_bytes(root):
    return sum(p.stat().st_size for p in pathlib.Path(root).rglob("*") if p.is_file())


def the_same_topic_for_ever():
    """F155, F149: what is replaced leaves the disk too, while clients are served."""
    with Broker(MEROSSD) as b:
        with Bystander(b.tcp) as by:
            pub = Wire(b.tcp)
            pub.send(connect("pub"))
            pub.receive()
            for i in range(300):
                pub.send(publish("one/topic", b"%04d" % i + b"x" * 1000, 1, 1, retain=True) * 100)
                acknowledged(pub, 100)
            by.served(5)
        size = state_bytes(b.state)
        check(size < 12_000_000, f"{size} bytes on disk for one topic; 30 MB were written")
        pub.close()
        b.restart()
        sub = Client(b.tcp, "sub")
        sub.subscribe("one/topic")
        check(sub.message()["payload"].startswith(b"0299"), "not the last one")


def state_on(root):
    """The keys of the first broker, so that no time goes into new ones."""
    if Broker.seed is None:
        with Broker(MEROSSD):
            pass
    shutil.copytree(Broker.seed, root, dirs_exist_ok=True)
    return root


def a_full_disk():
    """F156: it goes on, says so, writes again when there is room, and what it kept is whole."""
    with small_disk("3m") as root:
        with Broker(MEROSSD, state=state_on(root)) as b, Bystander(b.tcp) as by:
            pub = Client(b.tcp, "pub")
            pub.publish("kept", "before", 1, retain=True)
            filler = root / "filler"
            mark = b.mark()
            fill_up(filler)
            for i in range(300):
                pub.publish(f"full/{i}", "x" * 500, 1, retain=True)
            by.served(5)
            b.wait_line(r"could not be written", mark)
            check(len(lines_with(b, "could not be written", mark)) < 20, "it says so over and over")
            filler.unlink()
            mark = b.mark()
            for i in range(50):
                pub.publish("kept/after", f"{i}", 1, retain=True)
            b.wait_line("is written to the medium again", mark)
            by.served(5)
        with Broker(MEROSSD, state=root) as b:
            sub = Client(b.tcp, "sub")
            sub.subscribe("kept/#", 0)
            sub.subscribe("full/299", 0)
            got = {}
            while len(got) < 3:
                m = sub.message()
                got[m["topic"]] = m["payload"]
            check(got["kept"] == b"before" and got["kept/after"] == b"49", f"{got}")


def a_full_disk_at_the_start():
    """F156: killed on a full disk, it comes back there, with everything, and writes when it can."""
    with small_disk("3m") as root:
        b = Broker(MEROSSD, state=state_on(root)).start()
        pub = Client(b.tcp, "pub")
        for i in range(300):
            pub.publish(f"full/{i}", "x" * 500, 1, retain=True)
        filler = root / "filler"
        fill_up(filler)
        os.truncate(filler, filler.stat().st_size - 30000)
        pub.publish("full/0", b"", 1, retain=True)
        pub.publish("full/1", "changed", 1, retain=True)
        b.crash()
        b.wait_line(r"cannot be written: No space left on device; make room on that disk")
        Client(b.tcp, "pub").publish("full/2", "later", 1, retain=True)
        b.crash()
        filler.unlink()
        Client(b.tcp, "pub").publish("full/3", "room", 1, retain=True)
        b.stop()
        with Broker(MEROSSD, state=root) as b:
            sub = Client(b.tcp, "sub")
            sub.subscribe("full/#", 0)
            got = {}
            while len(got) < 299:
                m = sub.message()
                got[m["topic"]] = m["payload"]
            want = {"full/1": b"changed", "full/2": b"later", "full/3": b"room", "full/4": b"x" * 500}
            check({k: got[k] for k in want} == want and "full/0" not in got, f"{got.keys()}")


def nobody_else_reads_the_state():
    """F157: folders 0700, files 0600, whatever the umask is."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
    before = os.umask(0)
    try:
        state, port = root / "state", harness.free_port()
        (root / "conf").write_text(f"state_dir {state}\nlistener {port} 127.0.0.1\n"
                                   "meross_key secret\n")
        program = harness.Program([MEROSSD, "-c", root / "conf"])
        program.wait_line("listening on")
        pub = Client(port, "pub", clean=False)
        pub.subscribe("a", 1)
        pub.publish("a", "x", 1, retain=True)
        check(program.kill(signal.SIGTERM) == 0, program.text())
        wrong = [f"{stat.filemode(p.stat().st_mode)} {p.name}" for p in [state, *state.rglob("*")]
                 if p.stat().st_mode & 0o077 and p.suffix != ".pem"]
        check(not wrong, f"others may read {wrong}")
    finally:
        os.umask(before)
        shutil.rmtree(root)


# ---------------------------------------------------------------- what is left behind, and input

def in_memory(pid, secret):
    """The writable mappings of a process that hold these bytes."""
    found = []
    try:
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
                open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
            for line in maps:
                m = line.split()
                low, high = (int(x, 16) for x in m[0].split("-"))
                if m[1].startswith("rw") and high - low < 1 << 30:
                    with contextlib.suppress(OSError, OverflowError, ValueError):
                        mem.seek(low)
                        if secret in mem.read(high - low):
                            found.append(line.strip())
    except PermissionError:
        raise Skip("this user may not look into the memory of the broker") from None
    return found


def a_refused_password_is_forgotten():
    """F46: it is nowhere in memory once its CONNECT was answered, or will never be whole."""
    secret = b"correct-horse-" + os.urandom(6).hex().encode()
    hello = connect("who", user="who", password=secret + b"x" * 200, level=4)
    cut = hello.index(secret) + len(secret) + 20
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        pid = b.program.process.pid
        for name, port, tls, parts in (
                ("in clear", b.tcp, False, [hello]),
                ("in pieces", b.tcp, False, [hello[:cut], hello[cut:cut + 50], hello[cut + 50:]]),
                ("with TLS", b.tls, True, [hello]),
                ("with TLS, in pieces", b.tls, True, [hello[:cut], hello[cut:]]),
                ("given up", b.tcp, False, [hello[:cut]]),
                ("at the wrong port", b.tls, False, [hello])):
            wire = Wire(port, harness.tls_context() if tls else None)
            for part in parts:
                wire.send(part)
                by.served(3)
            if len(b"".join(parts)) == len(hello) and tls == (port == b.tls):
                check(wire.receive() is not None, f"{name}: no CONNACK")
            wire.close()
            by.served(3)
            found = in_memory(pid, secret)
            check(not found, f"{name}: the password is still in {found}")


def crafted_configuration_files():
    """F172: `check` says what is wrong with it, and does not fall over."""
    dice = random.Random(172)
    samples = [b"\0" * 100, b"listener", b"listener " + b"9" * 5000, b"x" * 100_000, b"\xff" * 300,
               b"listener 1\n" * 500, b"user " + b"u" * 70000, b"include_dir " + b"/a" * 3000,
               b"persistent_client_expiration 99999999999999999999y", b"max_queued_bytes -1",
               b"log_timestamp_format %", b"\r\n\r\n\r", b"meross_key \x01\x02",
               b"listener 1 " + b"a" * 300]
    words = (b"listener tls auto allow_anonymous true max_qos state_dir log_type # \n \t \r "
             b"\xc3\x28").split(b" ")
    samples += [b"".join(dice.choice(words) + dice.choice((b" ", b"\n", b"", b"\0"))
                         for _ in range(dice.randrange(200))) for _ in range(25)]
    with tempfile.TemporaryDirectory(prefix="merossd-e2e-") as root:
        for i, sample in enumerate(samples):
            path = pathlib.Path(root) / "conf"
            path.write_bytes(sample)
            code, out, err = harness.run([MEROSSD, "check", "-c", path])
            check(code in (0, 1, 2) and not harness.SANITIZER.search(out + err),
                  f"sample {i}: {code}\n{out[-500:]}{err[-3000:]}")


def renegotiation_is_refused():
    """F184: a client that asks for a second handshake gets none."""
    if not shutil.which("openssl"):
        raise Skip("no openssl here")
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        mark = b.mark()
        done = subprocess.run(["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{b.tls}"],
                              input=b"R\n", capture_output=True, timeout=60, check=False)
        text = (done.stdout + done.stderr).decode("utf-8", "replace")
        check("RENEGOTIATING" in text, text[-2000:])
        again = text[text.index("RENEGOTIATING"):]
        check("no renegotiation" in again and "verify return" not in again, again)
        by.served(3)
        check(len(b.program.lines) - mark < 10, "it fills the log")


if __name__ == "__main__":
    sys.exit(harness.main([
        a_header_that_drips_is_not_waited_for, data_and_the_end_at_once, a_rush_of_connections,
        a_rush_of_handshakes, no_more_than_max_connections, no_descriptor_left,
        two_clients_with_one_id, the_fight_for_one_id_does_not_fill_the_log,
        subscribers_that_reset_while_they_are_sent_to,
        floods_leave_room_for_others, dropped_messages_are_counted_not_listed,
        retained_messages_by_the_thousand, a_storm_of_retained_topics, the_same_topic_for_ever,
        a_full_disk, a_full_disk_at_the_start, nobody_else_reads_the_state,
        a_refused_password_is_forgotten,
        crafted_configuration_files, renegotiation_is_refused,
    ]))
