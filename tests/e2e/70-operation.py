#!/usr/bin/env python3
"""70-operation.py MEROSSD PLUGSIM [words] - running it: mosquitto's own configuration, reload, signals,
systemd, the log and where it goes, another user, and who is connected."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import harness
from harness import Broker, Client, Failure, Skip, check, folder, free_port, run

MEROSSD, PLUGSIM = harness.program_arguments()
DEBIAN = pathlib.Path("/etc/mosquitto/mosquitto.conf")


@contextlib.contextmanager
def environment(**values):
    before = {k: os.environ.get(k) for k in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for k, v in before.items():
            if v is None:
                del os.environ[k]
            else:
                os.environ[k] = v


def hup(broker, pattern=r"SIGHUP: (the configuration was read again|nothing was changed)"):
    mark = broker.mark()
    broker.program.process.send_signal(signal.SIGHUP)
    return broker.wait_line(pattern, mark)


def rewrite(broker, extra):
    """Another configuration for the same listeners."""
    broker.extra = extra
    (broker.state / "test.conf").write_text(broker.config())


def until(condition, what):
    deadline = time.monotonic() + harness.PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} did not happen")
        threading.Event().wait(0.02)


# ---------------------------------------------------------------- mosquitto's configuration

def debians_own_file_is_fine():
    if not DEBIAN.exists():
        raise Skip("no mosquitto.conf of Debian here")
    code, out, err = run([MEROSSD, "check", DEBIAN])
    check(code == 0, f"{code}: {out}{err}")
    check("persistence_location: merossd keeps its state in its own folder" in out, out)


DEBIAN_TEXT = """# Place your local configuration in /etc/mosquitto/conf.d/
#
# A full description of the configuration file is at
# /usr/share/doc/mosquitto/examples/mosquitto.conf.example

pid_file /run/mosquitto/mosquitto.pid

persistence true
persistence_location /var/lib/mosquitto/

log_dest file /var/log/mosquitto/mosquitto.log

include_dir /etc/mosquitto/conf.d
"""


def a_copy_of_it_serves_with_log_pid_file_and_conf_d():
    """The same file below another root, with what a user adds in conf.d."""
    with folder() as root:
        for path in ("run", "var/log", "etc/mosquitto/conf.d", "var/lib"):
            (root / path).mkdir(parents=True)
        text = DEBIAN.read_text() if DEBIAN.exists() else DEBIAN_TEXT
        conf = root / "etc/mosquitto/mosquitto.conf"
        conf.write_text(re.sub(r" (/(run|var|etc)/)", rf" {root}\1", text))
        port = free_port()
        (root / "etc/mosquitto/conf.d/local.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nautosave_interval 60\n"
            f"state_dir {root}/var/lib/merossd\n")
        program = harness.Program([MEROSSD, "-c", conf])
        try:
            log = root / "var/log/mosquitto/mosquitto.log"
            until(lambda: log.exists() and "next: `merossd list`" in log.read_text(), "the start")
            said = log.read_text()
            check("option 'autosave_interval' of mosquitto is ignored" in said, said)
            check("local.conf:3" in said, said)
            pid = (root / "run/mosquitto/mosquitto.pid").read_text()
            check(int(pid) == program.process.pid, f"pid file: {pid}")
            client = Client(port, "a")
            client.publish("x", "1", qos=1)
            client.disconnect()
            check(not (root / "var/lib/mosquitto").exists(), "persistence_location was touched")
        finally:
            status = program.kill(signal.SIGTERM)
        check(status == 0, f"ended with {status}: {program.text()}")
        check(program.text() == "", f"stderr is not the log: {program.text()}")
        check(not (root / "run/mosquitto/mosquitto.pid").exists(), "the pid file stays")


def faults_name_file_line_option_and_what_is_allowed():
    with folder() as root:
        (root / "d").mkdir()
        main = root / "m.conf"
        main.write_text(f"port 1\ninclude_dir {root}/d\n")
        (root / "d/x.conf").write_text("\nmax_qos 3\n")
        code, _, err = run([MEROSSD, "-c", main])
        check(code == 1, f"exit {code}")
        for part in ("d/x.conf:2:", 'bad value "3" of option \'max_qos\'', "a number from 0 to 2"):
            check(part in err, f"{part} is not in {err}")


# ---------------------------------------------------------------- SIGHUP

def reload_changes_limits_at_once():
    with Broker(MEROSSD, "message_size_limit 10") as b:
        sub, pub = Client(b.tcp, "sub"), Client(b.tcp, "pub")
        sub.subscribe("t", 1)
        pub.publish("t", "0123456789A", qos=1)  # dropped
        rewrite(b, "message_size_limit 20\nmax_keepalive 60")
        hup(b)
        pub.publish("t", "0123456789B", qos=1)
        check(sub.message()["payload"] == b"0123456789B", "the old limit still holds")
        wire = harness.Wire(b.tcp)
        wire.send(harness.connect("late", keepalive=61))
        check(harness.parse(wire.receive())["code"] == 2, "max_keepalive is not in effect")
        wire.close()
        sub.ping()
        pub.ping()


def a_fault_keeps_everything_as_it_was():
    """F174: a file with a fault changes nothing, not even what stands before the fault."""
    with Broker(MEROSSD, "message_size_limit 10") as b:
        sub, pub = Client(b.tcp, "sub"), Client(b.tcp, "pub")
        sub.subscribe("t", 1)
        for fault, said in (
                ("message_size_limit 20\nmax_qos 7", r"test\.conf:\d+: bad value .* 'max_qos'"),
                ("message_size_limit 20\nwhat 7", r"test\.conf:\d+: unknown option 'what'"),
                ("message_size_limit 20\nmeross_timezone Mars/Olympus", r"Mars/Olympus"),
                ("message_size_limit 20\ninclude_dir /nowhere", r"cannot read include_dir"),
                (f"message_size_limit 20\nlistener {free_port()}\ncertfile /nowhere/c\n"
                 "keyfile /nowhere/k", r"cannot read certfile /nowhere/c")):
            rewrite(b, fault)
            line = hup(b, r"SIGHUP: nothing was changed")
            check(re.search(said, line), f"/{said}/ is not in {line}")
        pub.publish("t", "0123456789A", qos=1)
        pub.publish("t", "short", qos=1)
        check(sub.message()["payload"] == b"short", "a part of the bad file is in effect")
        (b.state / "test.conf").unlink()
        check("No such file" in hup(b, r"SIGHUP: nothing was changed"), "the missing file")
        pub.publish("t", "again", qos=1)
        check(sub.message()["payload"] == b"again", "it does not serve any more")


def code_of(port, user, password, client_id="c"):
    wire = harness.Wire(port)
    wire.send(harness.connect(client_id, user=user, password=password))
    code = harness.parse(wire.receive())["code"]
    wire.close()
    return code


def rights_are_part_of_the_one_reload():
    """A fault in a limit keeps the rights, a fault in the rights keeps the limits."""
    with folder() as root:
        users, acl = root / "users", root / "acl"
        code, _, err = run([MEROSSD, "passwd", "-c", "-b", users, "u", "one"])
        check(code == 0, err)
        acl.write_text("topic readwrite t\n")
        files = f"password_file {users}\nacl_file {acl}\nallow_anonymous true"
        with Broker(MEROSSD, files) as b:
            u = Client(b.tcp, "u", user="u", password="one")
            nobody = Client(b.tcp, "nobody")
            nobody.subscribe("#")
            code, _, err = run([MEROSSD, "passwd", "-b", users, "u", "two"])
            check(code == 0, err)
            acl.write_text("topic readwrite other\n")
            rewrite(b, f"{files}\nmax_qos 7")
            hup(b, r"SIGHUP: nothing was changed")
            check(code_of(b.tcp, "u", "one") == 0, "half of it was taken: the password")
            nobody.publish("t", "still", qos=1)
            check(nobody.message()["payload"] == b"still", "half of it was taken: the rights")
            acl.write_text("topic readwrite other\nnonsense\n")
            rewrite(b, f"{files}\nmessage_size_limit 1\nmeross_auth known")
            line = hup(b, r"SIGHUP: nothing was changed")
            check("acl:2: " in line, line)
            nobody.publish("t", "long", qos=1)
            check(nobody.message()["payload"] == b"long", "half of it was taken: the limit")
            u.ping()
            acl.write_text("topic readwrite other\n")
            rewrite(b, f"{files}\n")
            hup(b, r"SIGHUP: the configuration was read again")
            u.wire.expect_closed()
            check(code_of(b.tcp, "u", "one") == 5 and code_of(b.tcp, "u", "two") == 0, "password")
            nobody.publish("t", "no", qos=1)
            nobody.publish("other", "yes", qos=1)
            check(nobody.message()["payload"] == b"yes", "the new rights")
            rewrite(b, f"password_file {users}\nallow_anonymous false")
            hup(b, r"SIGHUP: the configuration was read again")
            nobody.wire.expect_closed()


class TwoDoors(Broker):
    """Two listeners in clear, each with a password file of its own, in the order of `doors`."""
    doors, settings = ("one", "two"), "per_listener_settings true"

    def config(self):
        ports = {"one": self.tcp, "two": self.tls}
        return (f"state_dir {self.state}\n{self.settings}\n" +
                "".join(f"listener {ports[d]} 127.0.0.1\npassword_file {self.extra / d}\n"
                        for d in self.doors))

    def logins(self):
        return [code_of(port, "u", w) for port in (self.tcp, self.tls) for w in ("one", "two")]


def each_socket_keeps_its_own_users():
    """Sockets keep their numbers over a reload, whatever order the file has them in; and one that is
    gone from the file, yet open, goes on with the users it had."""
    with folder() as root:
        for name in ("one", "two"):
            code, _, err = run([MEROSSD, "passwd", "-c", "-b", root / name, "u", name])
            check(code == 0, err)
        with TwoDoors(MEROSSD, root) as b:
            check(b.logins() == [0, 5, 5, 0], b.logins())
            for doors in (("two", "one"), ("two",), ("one",), ("one", "two")):
                b.doors = doors
                rewrite(b, root)
                hup(b, r"SIGHUP: the configuration was read again")
                check(b.logins() == [0, 5, 5, 0], f"{doors}: {b.logins()}")
            b.doors, b.settings = ("one",), "per_listener_settings false"
            rewrite(b, root)
            line = hup(b, r"SIGHUP: nothing was changed")
            check("'per_listener_settings' has changed; that needs a restart" in line, line)
            check(b.logins() == [0, 5, 5, 0], b.logins())


def a_reload_without_file_descriptors_changes_nothing():
    """F140: what cannot be read is not taken for empty."""
    with Broker(MEROSSD, "message_size_limit 10") as b:
        pid = b.program.process.pid
        sub = Client(b.tcp, "sub")
        sub.subscribe("t", 1)
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))  # what is open stays open
        check("Too many open files" in hup(b, r"SIGHUP: nothing was changed"), "not the reason")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        sub.publish("t", "0123456789A", qos=1)
        sub.publish("t", "short", qos=1)
        check(sub.message()["payload"] == b"short", "the limit is gone")


def what_needs_a_restart_is_named():
    with Broker(MEROSSD) as b:
        client = Client(b.tcp, "a")
        (b.state / "test.conf").write_text(
            f"state_dir {b.state}/other\nlistener {b.tcp} 127.0.0.1\nlistener {free_port()}\n"
            "meross_topic house\n")
        mark = b.mark()
        hup(b)
        for said in ("option 'state_dir' has changed; that needs a restart",
                     "option 'meross_topic' has changed; that needs a restart",
                     f"port {b.tls} is gone from the file; that needs a restart",
                     r"port \d+ is new; that needs a restart"):
            b.wait_line(said, mark)
        client.ping()
        tls = Client(b.tls, "b", tls=harness.tls_context())
        tls.ping()


def a_new_certificate_is_used_by_new_connections():
    with folder() as root:
        for name in ("one", "two"):
            code, _, err = run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                                "30", "-subj", f"/CN={name}", "-keyout", root / f"{name}.key",
                                "-out", root / f"{name}.pem"])
            if code != 0:
                raise Skip(f"no openssl: {err[-100:]}")
        shutil.copy(root / "one.pem", root / "c.pem")
        shutil.copy(root / "one.key", root / "c.key")
        port = free_port()
        with Broker(MEROSSD, f"listener {port} 127.0.0.1\ncertfile {root}/c.pem\n"
                             f"keyfile {root}/c.key") as b:
            old = Client(port, "old", tls=harness.tls_context())
            check(peer_name(old) == b"one", "the first certificate")
            shutil.copy(root / "two.pem", root / "c.pem")  # and the key does not fit
            hup(b, r"SIGHUP: nothing was changed")
            check(peer_name(Client(port, "x", tls=harness.tls_context())) == b"one", "half a pair")
            shutil.copy(root / "two.key", root / "c.key")
            hup(b)
            check(peer_name(Client(port, "y", tls=harness.tls_context())) == b"two", "not new")
            old.ping()


def peer_name(client):
    der = client.wire.sock.getpeercert(True)
    return re.search(rb"(one|two)", der)[1]


def reload_in_a_loop_under_load_loses_nothing():
    """F173: good, bad and different files by turns, while messages flow at QoS 1 and clients come
    and go."""
    rounds = 60
    with Broker(MEROSSD, options=["-v"]) as b:
        sub, pub = Client(b.tcp, "sub", clean=False), Client(b.tcp, "pub")
        sub.subscribe("t", 1)
        stop = threading.Event()
        guests = []

        def come_and_go():
            while not stop.is_set():
                try:
                    guest = Client(b.tls, f"guest{len(guests)}", tls=harness.tls_context())
                    guest.subscribe("#", 0)
                    guest.disconnect()
                    guests.append(None)
                except Exception as e:  # pylint: disable=broad-except
                    guests.append(e)
                    return

        thread = threading.Thread(target=come_and_go)
        thread.start()
        texts = ["meross_key one\nmeross_key two\nmax_inflight_messages 3\nlog_type all",
                 "max_qos 9", "meross_key three\nmax_queued_messages 0\nmemory_limit 1000000000",
                 "plugin /x.so\nlog_timestamp_format %s", "include_dir /nowhere"]
        try:
            for i in range(rounds):
                rewrite(b, texts[i % len(texts)])
                b.program.process.send_signal(signal.SIGHUP)
                for k in range(5):
                    pub.publish("t", f"{5 * i + k}", qos=1)
            hup(b)
        finally:
            stop.set()
            thread.join()
        for n in range(5 * rounds):
            got = sub.message()["payload"]
            check(got == str(n).encode(), f"message {n} is {got}")
        check(guests and guests[-1] is None, f"a guest: {guests and guests[-1]!r}")
        check("debug" in "\n".join(b.program.text().splitlines()[-20:]), "-v is forgotten")


# ---------------------------------------------------------------- signals and systemd

def connects(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def signalled_at_once(broker, number):
    """The exit status of a broker that gets the signal as soon as its first port is open."""
    program = subprocess.Popen([MEROSSD, "-c", broker.state / "test.conf"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + harness.PATIENCE
        while not connects(broker.tcp) and time.monotonic() < deadline:
            pass
        program.send_signal(number)
        if number != signal.SIGTERM:
            program.send_signal(signal.SIGTERM)
        return program.wait(harness.PATIENCE)
    finally:
        program.kill()
        program.wait()


def a_signal_during_the_start_is_heard():
    """Ports open one after the other; whoever sees the first may signal before the last."""
    with Broker(MEROSSD) as b:
        b.stop()
        for i in range(12):
            number = signal.SIGHUP if i % 3 == 2 else signal.SIGTERM
            status = signalled_at_once(b, number)
            check(status == 0, f"start {i}, {number.name}: {status}")
        b.start(same_ports=True)


def stopped_twice(broker):
    """Whether the second signal came while the broker still waited for a client that does not read."""
    with socket.create_connection(("127.0.0.1", broker.tcp)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(bytes.fromhex("100d00044d51545404020000000173") + b"\x82\x06\0\1\0\1#\0")
        pub = Client(broker.tcp, "pub")
        for _ in range(8):
            pub.publish("much", bytes(1 << 20), 1)
        pub.publish("kept", b"1", 1, retain=True)
        mark = broker.mark()
        process = broker.program.process
        process.send_signal(signal.SIGTERM)
        broker.wait_line("server: stopping$", mark)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGINT):
            process.send_signal(number)
        status = broker.program.wait()
    text = broker.program.text()
    check(status == 0 and "read again" not in text, f"{status}\n{text}")
    return "stopping at once" in text


def a_second_signal_hurries_and_loses_nothing():
    """A stop waits two seconds for clients; the machine may take as long, so it may try three times."""
    for _ in range(3):
        b = Broker(MEROSSD, "persistence_sync 3600\nmax_queued_bytes 0").start()
        hurried = stopped_twice(b)
        with b:
            check(retained(b.tcp, "kept") == ["kept"], "what was acknowledged is gone")
        if hurried:
            return
    raise Failure("the second signal changes nothing")


def first_start(root):
    """Whether a client was served before the port for plugs was open."""
    port = free_port()
    conf = root / "test.conf"
    conf.write_text(f"state_dir {root}/state\nlistener {port} 127.0.0.1\n"
                    f"listener {free_port()} 127.0.0.1\ntls auto\n")
    program = harness.Program([MEROSSD, "-c", conf])
    try:
        program.wait_line("port [0-9]+, in clear")
        Client(port, "early").disconnect()
        early = ", TLS" not in program.text()
        program.wait_line("listening on .*, TLS")
        return early
    finally:
        check(program.kill(signal.SIGTERM) == 0, program.text())


def clients_are_served_while_the_first_keys_are_made():
    """The machine decides who is first, so it may try three times."""
    for _ in range(3):
        with folder() as root:
            if first_start(root):
                return
    raise Failure("nobody is served before there are keys")


def usr1_writes_every_session_to_the_log():
    with Broker(MEROSSD) as b:
        away = Client(b.tcp, "away", clean=False)
        away.subscribe("t", 1)
        away.disconnect()
        here = Client(b.tcp, "here", user="me", password="secret")
        here.publish("t", "x", qos=1)
        mark = b.mark()
        b.program.process.send_signal(signal.SIGUSR1)
        b.wait_line(r"dump: end", mark)
        b.wait_line(r'dump: client="away" .* away for \d+ s, clean=0 subscriptions=1 queued=1 '
                    r'\(2 bytes\)', mark)
        b.wait_line(r'dump: client="here" user="me" connected from 127\.0\.0\.1:\d+', mark)
        b.wait_line(r"dump: connections=1 sessions=2 .* memory=\d+", mark)
        check("secret" not in b.program.text(), "a password is in the log")


def systemd_hears(address, name):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(address)
    s.settimeout(harness.PATIENCE)
    heard = []

    def wait(word):
        while True:
            for i, text in enumerate(heard):
                if word in text:
                    return heard.pop(i)
            heard.append(s.recv(1000).decode())

    with environment(NOTIFY_SOCKET=name, WATCHDOG_USEC="100000"):
        with Broker(MEROSSD) as b:
            check(f"MAINPID={b.program.process.pid}" in wait("READY=1"), "MAINPID")
            wait("WATCHDOG=1")
            wait("WATCHDOG=1")
            hup(b)
            check("MONOTONIC_USEC=" in wait("RELOADING=1"), "MONOTONIC_USEC")
            wait("READY=1")
            rewrite(b, "wrong")
            hup(b)
            check("old configuration" in wait("READY=1\nSTATUS="), "STATUS after a bad file")
    wait("STOPPING=1")
    s.close()


def systemd_is_told_by_path():
    with folder() as root:
        systemd_hears(str(root / "notify"), str(root / "notify"))


def systemd_is_told_by_abstract_name():
    name = f"merossd-e2e-{os.getpid()}"
    systemd_hears("\0" + name, "@" + name)


def a_service_is_given_its_folders():
    """StateDirectory= and RuntimeDirectory= of a unit hold without an option in the file."""
    with folder() as root:
        state, run = root / "state", root / "run"
        if Broker.seed:
            shutil.copytree(Broker.seed, state)
        state.mkdir(exist_ok=True)
        run.mkdir()
        with environment(STATE_DIRECTORY=str(state), RUNTIME_DIRECTORY=f"{run}:/elsewhere"):
            with Broker(MEROSSD, state=state) as b:
                b.stop()
                text = (state / "test.conf").read_text()
                (state / "test.conf").write_text(text.replace(f"state_dir {state}\n", ""))
                b.program = harness.Program([MEROSSD, "-c", state / "test.conf"])
                b.wait_line(f"its state directory is {state}")
                Client(b.tcp, "pub").publish("kept", "x", 1, retain=True)
                check(list(run.glob("*/state.*.hot")), "no journal in the runtime directory")


# ---------------------------------------------------------------- the log

def a_rotated_log_file_is_opened_again():
    with folder() as root:
        log = root / "logs/m.log"
        with Broker(MEROSSD, f"log_dest file {log}\nlog_timestamp false") as b:
            until(lambda: "next: `merossd list`" in log.read_text(), "the start")
            log.rename(root / "old.log")
            b.program.process.send_signal(signal.SIGHUP)
            until(lambda: log.exists() and "SIGHUP" in log.read_text(), "the new file")
            check("SIGHUP" not in (root / "old.log").read_text(), "the old file")
            check(stat.S_IMODE(log.stat().st_mode) & 0o007 == 0, "everybody can read the log")


def the_log_is_a_topic_too():
    with Broker(MEROSSD, "log_dest topic\nlog_dest stderr", options=["-v"]) as b:
        watcher = Client(b.tcp, "watcher")
        watcher.subscribe("$SYS/broker/log/#", 2)
        Client(b.tcp, "guest").disconnect()
        m = watcher.message(lambda m: b'client="guest" connected' in m["payload"])
        check(m["topic"] == "$SYS/broker/log/N" and not m["retain"], str(m))
        watcher.ping()


def a_log_that_cannot_be_opened_is_no_reason_to_stay_dark():
    with Broker(MEROSSD, "log_dest file /nowhere/at/all/x.log") as b:
        b.wait_line(r"cannot open the log file /nowhere/at/all/x\.log: No such file.*; make its folder")
        Client(b.tcp, "a").ping()


# ---------------------------------------------------------------- another user, the background

def root_becomes_the_user():
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    nobody = pwd.getpwnam("nobody")
    with folder() as root:
        state = root / "state"
        state.mkdir(mode=0o700)
        if Broker.seed:
            shutil.copytree(Broker.seed, state, dirs_exist_ok=True)
        extra = f"user nobody\npid_file {root}/run/m.pid\nlog_dest stderr\nlog_dest file {root}/log/m"
        b = Broker(MEROSSD, extra, state=state)
        for attempt in range(2):  # the second finds what the first wrote as nobody
            with b:
                status = pathlib.Path(f"/proc/{b.program.process.pid}/status").read_text()
                for word, number in (("Uid", nobody.pw_uid), ("Gid", nobody.pw_gid)):
                    line = re.search(rf"{word}:\s+(.*)", status)[1].split()
                    check(set(line) == {str(number)}, f"{word}: {line}")
                groups = re.search(r"Groups:(.*)", status)[1].split()
                check("0" not in groups, f"Groups: {groups}")
                client = Client(b.tcp, "a", clean=False)
                client.subscribe("t", 1)
                hup(b)
                client.disconnect()
                check((root / "run/m.pid").read_text().strip() == str(b.program.process.pid), "pid")
        for path in [state, *state.rglob("*")]:
            if path.name != "test.conf":
                check(path.stat().st_uid == nobody.pw_uid, f"{path} belongs to {path.stat().st_uid}")
        check("permission" not in b.program.text().lower(), b.program.text())


def an_unknown_user_is_an_error():
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    with folder() as root:
        (root / "c").write_text(f"state_dir {root}/s\nlistener 0 127.0.0.1\nuser no-such-user\n")
        code, _, err = run([MEROSSD, "-c", root / "c"])
        check(code == 1 and "there is no user no-such-user" in err, f"{code} {err}")


def in_the_background_it_logs_to_a_file_and_leaves_a_pid():
    with folder() as root:
        port = free_port()
        (root / "c").write_text(f"state_dir {root}/s\nlistener {port} 127.0.0.1\n"
                                f"pid_file {root}/p\nlog_dest file {root}/l\n")
        code, out, err = run([MEROSSD, "-c", root / "c", "-d"])
        check(code == 0, f"{code} {out} {err}")
        pid = int((root / "p").read_text())
        try:
            Client(port, "a").ping()  # it serves when the parent returns
            check('client="a" connected' in (root / "l").read_text(), "the log file")
        finally:
            os.kill(pid, signal.SIGTERM)
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists() or
              "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().split(")")[1], "the end")
        check(not (root / "p").exists(), "the pid file stays")


# ---------------------------------------------------------------- who is there

def clients_are_listed():
    with Broker(MEROSSD) as b:
        away = Client(b.tcp, "away", clean=False)
        away.subscribe("t", 1)
        away.disconnect()
        here = Client(b.tls, "here", tls=harness.tls_context(), user="me", level=3)
        here.subscribe("a", 0)
        here.subscribe("b", 0)
        here.publish("t", "x", qos=1)
        code, out, err = b.client("clients", "--json")
        check(code == 0, f"{code} {err}")
        listed = {c["id"]: c for c in json.loads(out)["clients"]}
        check(listed["here"]["user"] == "me" and listed["here"]["tls"] is True, str(listed))
        check(listed["here"]["protocol"] == "3.1", str(listed))
        check(listed["here"]["subscriptions"] == 2, str(listed))
        check(listed["here"]["address"].startswith("127.0.0.1:"), str(listed))
        check(listed["away"]["connected"] is False and listed["away"]["queued"] == 1, str(listed))
        check(json.loads(out)["total"] == len(listed) == 3, "the tool itself is the third")
        turned = Client(b.tcp, "a\u202eb")  # would turn what stands behind it around
        code, out, err = b.client("clients", "--json")
        check("a\u202eb" in [c["id"] for c in json.loads(out)["clients"]], out)
        check("\u202e" not in out, "it is printed as it is")
        turned.disconnect()
        code, out, err = b.client("clients")
        check(code == 0, f"{code} {err}")
        check(re.search(r"^here +me +127\.0\.0\.1:\d+ +\d+ s +3\.1 TLS +2 +0$", out, re.M), out)
        check(re.search(r"^away +- +away ", out, re.M), out)


def check_reports_warnings_and_certificates():
    with folder() as root:
        file = root / "c"
        file.write_text("plugin /x.so\nlistener 1 127.0.0.1\n")
        code, out, _ = run([MEROSSD, "check", file])
        check(code == 0 and "warning: " in out and "c:1: option 'plugin' of mosquitto" in out, out)
        code, out, _ = run([MEROSSD, "check", file, "--json"])
        check(len(json.loads(out)["warnings"]) == 1, out)
        (root / "x.pem").write_text("nothing\n")
        file.write_text(f"listener 1\ncertfile {root}/x.pem\nkeyfile {root}/x.pem\n")
        code, _, err = run([MEROSSD, "check", file])
        check(code == 1 and "c:1: listener 1:" in err, err)


def an_mqtt_5_client_is_told_the_version():
    with Broker(MEROSSD) as b:
        wire = harness.Wire(b.tcp)
        wire.send(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc")
        check(wire.receive() == b"\x20\x02\x00\x01", "no CONNACK 0x01 in 3.1.1 form")
        wire.close()


def retained(port, topics="kept/#"):
    sub = Client(port, "sub")
    sub.subscribe(topics, 1)
    sub.ping()  # an answer may overtake messages,
    sub.ping()  # but not those of the turn before
    return sorted(m["topic"] for m in sub.messages)


def the_user_whom_root_becomes_keeps_what_it_acknowledged():
    """The journal in memory must be his as well, at the first start and after a crash."""
    if os.geteuid() != 0:
        raise Skip("only root becomes somebody else")
    b = harness.Broker(MEROSSD, "user nobody")
    b.state.chmod(0o700)
    for i in range(3):
        b.start(same_ports=True)
        Client(b.tcp, "pub").publish(f"kept/{i}", "x", 1, retain=True)
        b.program.kill()
        check("could not be written" not in b.program.text(), b.program.text())
    with b:
        check(retained(b.tcp) == ["kept/0", "kept/1", "kept/2"], "not all there")


def a_deleted_directory_stays_deleted():
    """What a journal in memory has belongs to the directory, not to its path."""
    b = harness.Broker(MEROSSD).start()
    Client(b.tcp, "pub").publish("kept/old", "x", 1, retain=True)
    b.program.kill()
    for file in b.state.iterdir():
        if file.name == "id" or file.name.startswith("state."):
            file.unlink()
    with b:
        Client(b.tcp, "pub").publish("kept/new", "x", 1, retain=True)
        check(retained(b.tcp) == ["kept/new"], "the old one is back")


if __name__ == "__main__":
    sys.exit(harness.main([
        the_user_whom_root_becomes_keeps_what_it_acknowledged, a_deleted_directory_stays_deleted,
        debians_own_file_is_fine, a_copy_of_it_serves_with_log_pid_file_and_conf_d,
        faults_name_file_line_option_and_what_is_allowed,
        reload_changes_limits_at_once, a_fault_keeps_everything_as_it_was,
        rights_are_part_of_the_one_reload, each_socket_keeps_its_own_users,
        a_reload_without_file_descriptors_changes_nothing, what_needs_a_restart_is_named,
        a_new_certificate_is_used_by_new_connections, reload_in_a_loop_under_load_loses_nothing,
        a_signal_during_the_start_is_heard, a_second_signal_hurries_and_loses_nothing,
        clients_are_served_while_the_first_keys_are_made,
        usr1_writes_every_session_to_the_log, systemd_is_told_by_path,
        systemd_is_told_by_abstract_name, a_service_is_given_its_folders,
        a_rotated_log_file_is_opened_again,
        the_log_is_a_topic_too, a_log_that_cannot_be_opened_is_no_reason_to_stay_dark,
        root_becomes_the_user, an_unknown_user_is_an_error,
        in_the_background_it_logs_to_a_file_and_leaves_a_pid, clients_are_listed,
        check_reports_warnings_and_certificates, an_mqtt_5_client_is_told_the_version,
    ]))
