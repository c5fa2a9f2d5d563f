#!/usr/bin/env python3
"""74-drop-in.py MEROSSD PLUGSIM [words] - the configuration of a house that runs mosquitto: Debian's
file with users, rights, TLS and a bridge in conf.d.  Both brokers start with it as it is, and the same
mosquitto_pub and mosquitto_sub commands get the same answers."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time

import harness
from harness import Skip, check, free_port, run

MEROSSD, PLUGSIM = harness.program_arguments()
NOBODY = 65534

# As Debian 12 installs it; ROOT stands for the root of the file system.
DEBIAN = """\
# Place your local configuration in /etc/mosquitto/conf.d/
#
# A full description of the configuration file is at
# /usr/share/doc/mosquitto/examples/mosquitto.conf.example

pid_file ROOT/run/mosquitto/mosquitto.pid

persistence true
persistence_location ROOT/var/lib/mosquitto/

log_dest file ROOT/var/log/mosquitto/mosquitto.log

include_dir ROOT/etc/mosquitto/conf.d
"""

HOUSE = """\
per_listener_settings false
allow_anonymous false
password_file ROOT/etc/mosquitto/passwd
acl_file ROOT/etc/mosquitto/acl

listener PLAIN 127.0.0.1

listener TLS 127.0.0.1
certfile ROOT/etc/mosquitto/certs/server.pem
keyfile ROOT/etc/mosquitto/certs/server.key
"""

BRIDGE = """\
connection cloud
address 127.0.0.1:UPSTREAM
topic home/# out 1 "" house/
topic orders/# in 1 "" house/
remote_clientid house-bridge
restart_timeout 1
try_private false
notifications false
"""

ACL = """\
topic read public/#

user anna
topic readwrite home/#
topic readwrite public/#
topic read orders/#
topic deny home/secret

user ben
topic read home/temp

pattern readwrite dev/%u/#
pattern write by/%c/state
pattern read public/#
"""

PASSWORDS = {"anna": "first word", "ben": "s3cret", "carl": "c:d"}


def tool(name):
    for path in (shutil.which(name), f"/usr/sbin/{name}"):
        if path and os.access(path, os.X_OK):
            return path
    raise Skip(f"no {name} here")


def as_nobody(argv):
    """Root would write to /var/lib and change its user: the test is an ordinary user."""
    if os.geteuid() != 0:
        return argv
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv]


class House:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
        self.plain, self.tls, self.upstream = free_port(), free_port(), free_port()
        self.conf = self.root / "etc/mosquitto/mosquitto.conf"
        self.cafile = self.root / "etc/mosquitto/certs/ca.pem"

    def fill(self, text):
        for word, value in (("ROOT", self.root), ("PLAIN", self.plain), ("TLS", self.tls),
                            ("UPSTREAM", self.upstream)):
            text = text.replace(word, str(value))
        return text

    def make(self):
        for folder in ("etc/mosquitto/conf.d", "etc/mosquitto/certs", "run/mosquitto",
                       "var/lib/mosquitto", "var/log/mosquitto", "home"):
            (self.root / folder).mkdir(parents=True)
        etc = self.root / "etc/mosquitto"
        self.conf.write_text(self.fill(DEBIAN))
        (etc / "conf.d/house.conf").write_text(self.fill(HOUSE))
        (etc / "conf.d/bridge.conf").write_text(self.fill(BRIDGE))
        (etc / "acl").write_text(ACL)
        (etc / "passwd").touch()
        for name, word in PASSWORDS.items():
            code, _, err = run([tool("mosquitto_passwd"), "-b", etc / "passwd", name, word])
            check(code == 0, err)
        with harness.Broker(MEROSSD) as b:
            found = pathlib.Path(b.ca_file()).parent
            for name in ("ca.pem", "server.pem", "server.key"):
                shutil.copy(next(found.rglob(name)), etc / "certs" / name)
        shutil.copy(MEROSSD, self.root / "merossd")
        for path in (self.root, *self.root.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.name == "merossd" else 0o644)
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        return self

    @contextlib.contextmanager
    def serving(self, program):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home")}
        p = harness.Program(as_nobody([program, "-c", self.conf]), env)
        try:
            await_port(self.plain, p)
            await_port(self.tls, p)
            yield
            status = p.kill(signal.SIGTERM)
            check(status == 0 and not harness.SANITIZER.search(p.text()), p.text())
        finally:
            if p.alive():
                p.kill()


def await_port(port, program):
    deadline = time.monotonic() + harness.PATIENCE
    while time.monotonic() < deadline and program.alive():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
    raise harness.Failure(f"nobody listens on {port}:\n{program.text()}")


# ---------------------------------------------------------------- what a script of the house sees

class Script:
    def __init__(self, house):
        self.house, self.seen = house, []

    def where(self, user, tls=False, port=None):
        out = ["-h", "127.0.0.1", "-p", port or (self.house.tls if tls else self.house.plain)]
        if tls:
            out += ["--cafile", self.house.cafile]
        if user:
            out += ["-u", user, "-P", PASSWORDS.get(user, "x")]
        return out

    def note(self, what, answer):
        self.seen.append((what, answer))

    def pub(self, user, topic, payload, *more, **where):
        code, out, err = run([tool("mosquitto_pub"), *self.where(user, **where), "-q", 1,
                              "-t", topic, "-m", payload, *more])
        self.note(f"{user} publishes {topic} {more}", (code, out, err))

    def sub(self, user, *args, **where):
        code, out, err = run([tool("mosquitto_sub"), *self.where(user, **where), "-W", 10, "-F",
                              "%t|%q|%r|%p", *args])
        self.note(f"{user} subscribes {args}", (code, out, err))

    def listener(self, user, *args, **where):
        p = harness.Program(["stdbuf", "-oL", tool("mosquitto_sub"), *self.where(user, **where),
                             "-W", 20, "-d", "-F", "got %t|%q|%r|%p", *args])
        p.wait_line(r"^Subscribed \(mid")
        return p

    def hears(self, what, program):
        program.wait()
        self.note(what, [l for l in program.text().splitlines() if l.startswith("got ")])


def who_comes_in(s):
    s.sub(None, "-t", "public/#", "-C", 1)
    s.pub("anna", "public/a", "hello", "-r")
    s.pub("dora", "public/a", "nobody knows her")
    s.sub("carl", "-t", "public/a", "-C", 1)
    s.sub("carl", "-t", "public/a", "-C", 1, "-V", "mqttv31")
    s.sub("anna", "-t", "public/a", "-C", 1, tls=True)


def who_may_do_what(s):
    s.pub("anna", "home/temp", "21", "-r")
    s.sub("ben", "-t", "home/temp", "-q", 1, "-C", 1)
    heard = s.listener("anna", "-t", "home/#", "-t", "dev/#", "-q", 1, "-C", 2, "-R")
    s.pub("ben", "home/temp", "99")        # may read only
    s.pub("anna", "home/secret", "denied")
    s.pub("ben", "dev/anna/x", "not his")
    s.pub("ben", "by/ben/state", "another client id")
    s.pub("anna", "dev/anna/x", "hers")
    s.pub("anna", "home/end", "end", "-q", 2)
    s.hears("anna hears", heard)
    s.sub("ben", "-t", "home/#", "-q", 1, "-C", 1)  # of what is retained, he may see one


def sessions(s):
    s.sub("anna", "-i", "keeper", "-c", "-q", 1, "-t", "home/later", "-E")
    s.pub("anna", "home/later", "1")
    s.pub("anna", "home/later", "2")
    s.sub("anna", "-i", "keeper", "-c", "-q", 1, "-t", "home/later", "-C", 2)
    s.sub("anna", "-i", "keeper", "-t", "home/later", "-E")  # and is forgotten


def bridge(s):
    up = {"port": s.house.upstream}
    far = s.listener(None, "-t", "house/home/#", "-q", 1, "-C", 1, "-R", **up)
    s.pub("anna", "home/bridged", "out")
    s.hears("upstream hears", far)
    near = s.listener("anna", "-t", "orders/#", "-q", 1, "-C", 1)
    s.pub(None, "house/orders/light", "in", **up)
    s.hears("anna hears from upstream", near)


@contextlib.contextmanager
def upstream(house):
    conf = house.root / "upstream.conf"
    conf.write_text(f"listener {house.upstream} 127.0.0.1\nallow_anonymous true\nuser root\n")
    p = harness.Program([tool("mosquitto"), "-c", conf, "-v"])
    try:
        await_port(house.upstream, p)
        yield p
    finally:
        p.kill()


def answers(house, program, log):
    s = Script(house)
    since = log.mark()
    with house.serving(program):
        log.wait_line(r"New client connected .* as house-bridge", since)
        log.wait_line(r"house/orders/# \(QoS 1\)", since)
        for part in (who_comes_in, who_may_do_what, sessions, bridge):
            part(s)
    return s.seen


def one_file_and_two_brokers():
    house = House()
    try:
        house.make()
        before = house.conf.read_bytes()
        with upstream(house) as log:
            theirs = answers(house, tool("mosquitto"), log)
            ours = answers(house, house.root / "merossd", log)
        check(house.conf.read_bytes() == before, "the file was changed")
        for (what, a), (_, b) in zip(theirs, ours, strict=True):
            check(a == b, f"{what}:\n    mosquitto {a}\n    merossd   {b}")
        check(("upstream hears", ["got house/home/bridged|1|0|out"]) in ours, f"{ours}")
        print(f"    {len(ours)} answers, the same from both")
    finally:
        shutil.rmtree(house.root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(harness.main([one_file_and_two_brokers]))
