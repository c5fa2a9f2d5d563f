#!/usr/bin/env python3
"""50-access.py MEROSSD PLUGSIM [words] - users and rights, beside Debian's mosquitto.

Both brokers read the same files and meet the same clients; what they answer must be the same.
Where merossd is meant to differ, the case says so."""
import base64
import hashlib
import itertools
import pathlib
import shutil
import signal
import socket
import sys
import tempfile

import harness
from harness import Failure, Program, Wire, check, connect, free_port, packet, parse, run, string

MEROSSD, PLUGSIM = harness.program_arguments()
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
SUPER = ("user sup\ntopic readwrite #\ntopic readwrite $x/#\ntopic readwrite $SYS/#\n"
         "topic readwrite /appliance/#\n")
USERS = (("u", "p"), ("v", "geheim:$7$"), ("sup", "s"))


def line6(user, password):
    """As mosquitto_passwd of mosquitto 1.x wrote it."""
    salt = bytes(range(12))
    digest = hashlib.sha512(password.encode() + salt).digest()
    return f"{user}:$6${b64(salt)}${b64(digest)}"


def line7(user, password, iterations=101):
    salt = bytes(range(50, 62))
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)
    return f"{user}:$7${iterations}${b64(salt)}${b64(digest)}"


def b64(data):
    return base64.b64encode(data).decode()


class Server:
    """One broker with one listener on loopback and the given files."""

    def __init__(self, kind, options, files):
        self.kind, self.options = kind, options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
        self.folder.chmod(0o755)  # mosquitto reads its files as another user
        for name, text in files.items():
            self.write(name, text)
        self.port = 0
        self.program = None

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text.encode())
        path.chmod(0o644)

    def config(self):
        own = f"state_dir {self.folder}/state\n" if self.kind == "merossd" else ""
        before, sep, after = self.options.partition("LISTENER\n")
        if not sep:
            before, after = "", before
        text = f"{before}listener {self.port} 127.0.0.1\n{after}"
        return own + text.replace("DIR", str(self.folder))

    def start(self):
        for _ in range(5):
            self.port = free_port()
            self.write("conf", self.config())
            binary = MEROSSD if self.kind == "merossd" else MOSQUITTO
            self.program = Program([binary, "-c", self.folder / "conf"])
            if self.ready():
                return self
            if "in use" not in self.program.text():
                break
        raise Failure(f"{self.kind} did not start:\n{self.program.text()}")

    def ready(self):
        for _ in range(1000):
            if not self.program.alive():
                return False
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                harness.select.select([], [], [], 0.02)
        return False

    def hup(self):
        mark = self.program.mark()
        self.program.process.send_signal(signal.SIGHUP)
        if self.kind == "merossd":
            return self.program.wait_line(
                r"SIGHUP: (the configuration was read again|nothing was changed)", since=mark)
        return self.program.wait_line("Reloading config", since=mark)

    def stop(self):
        status = self.program.kill(signal.SIGTERM) if self.program.alive() else self.program.wait()
        text = self.program.text()
        shutil.rmtree(self.folder, ignore_errors=True)
        check(not harness.SANITIZER.search(text), "a sanitizer spoke:\n" + text[-6000:])
        check(status == 0, f"{self.kind} ended with {status}:\n{text[-3000:]}")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None and self.program is not None and self.program.alive():
            print("--- it said:", *self.program.text().splitlines()[-20:], sep="\n    ")
        if self.program is not None:
            self.stop()


class Peer:
    """A client that may be refused: `code` is that of CONNACK, or None."""

    def __init__(self, server, client_id, user=None, password=None, **options):
        self.wire = Wire(server.port)
        self.wire.send(connect(client_id, user=user, password=password, **options))
        answer = self.wire.receive()
        self.code = None if answer is None else parse(answer)["code"]
        self.messages = []

    def ask(self, data, kind):
        self.wire.send(data)
        while True:
            answer = self.wire.receive()
            check(answer is not None, f"the connection ended while waiting for {kind}")
            p = parse(answer)
            if p["kind"] == kind:
                return p
            self.messages.append(p)

    def subscribe(self, topic):
        return self.ask(packet(0x82, b"\0\1" + string(topic) + b"\0"), "suback")["codes"]

    def publish(self, topic, payload=b"x", retain=False):
        self.ask(harness.publish(topic, payload, 1, 7, retain=retain), "puback")

    def received(self):
        self.ask(b"\xc0\0", "pingresp")
        got, self.messages = [m["topic"] for m in self.messages], []
        return [t for t in got if not t.startswith("meross/")]  # what merossd says by itself

    def close(self):
        self.wire.close()


def both(options, files, action):
    """What each broker says to the same action; they must agree."""
    answers = {}
    for kind in ("mosquitto", "merossd"):
        with Server(kind, options, files) as server:
            answers[kind] = action(server)
    theirs, ours = answers["mosquitto"], answers["merossd"]
    for case in theirs:
        check(theirs[case] == ours[case],
              f"{options!r} {case}: mosquitto {theirs[case]!r}, merossd {ours[case]!r}")
    return ours


# ---------------------------------------------------------------- who may connect

def logins():
    """F160 F168 F171: user, password and anonymity, for every way to configure them."""
    file = "\n".join(["# users", line6("u", "p"), line7("v", "geheim:$7$")]) + "\n"
    who = [(None, None), ("u", None), ("u", "p"), ("u", "bad"), ("u", ""), ("v", "geheim:$7$"),
           ("v", "geheim:$7"), ("zz", "p"), ("", "p"), ("", ""), ("U", "p"), ("u" * 70, "p")]

    def action(server):
        return {(level, w): Peer(server, "c", *w, level=level).code
                for w in who for level in (3, 4)}
    for anonymous in ("true", "false"):
        for passwords in ("", "password_file DIR/users\n"):
            for text in (file, file.replace("\n", "\r\n")):
                both(f"allow_anonymous {anonymous}\n{passwords}", {"users": text}, action)
    ours = both("password_file DIR/users\n", {"users": file}, action)
    check(ours[4, ("u", "p")] == 0 and ours[4, (None, None)] == 5, ours)


def client_ids():
    def action(server):
        ids = {i: Peer(server, i).code for i in ("ab", "abc", "xab", "a", "")}
        names = {("n", i): Peer(server, i, "n").code for i in ("abc", "")}
        return {**ids, **names}
    for option in ("allow_zero_length_clientid false", "allow_zero_length_clientid true",
                   "clientid_prefixes ab", "clientid_prefixes auto", "auto_id_prefix abc-",
                   "auto_id_prefix abc-\nclientid_prefixes ab", "use_username_as_clientid true",
                   "use_username_as_clientid true\nclientid_prefixes ab"):
        both(f"allow_anonymous true\n{option}\n", {}, action)


def names_become_ids():
    """The second client with the same name takes over from the first; `%c` is the name."""
    def action(server):
        first = Peer(server, "one", "n")
        second = Peer(server, "two", "n")
        first.wire.expect_closed()
        listener = Peer(server, "three", "m")
        listener.subscribe("#")
        second.publish("id/n")
        second.publish("id/two")
        return {"got": listener.received()}
    ours = both("allow_anonymous true\nuse_username_as_clientid true\nacl_file DIR/acl\n",
                {"acl": "pattern write id/%c\npattern read #\n"}, action)
    check(ours["got"] == ["id/n"], ours)


def made_ids_have_their_prefix():
    with Server("merossd", "allow_anonymous true\nauto_id_prefix home-\n", {}) as server:
        check(Peer(server, "").code == 0, "refused")
        server.program.wait_line(r"client=\"?home-[0-9a-f]{32}\"? connected")


def per_listener():
    """F165: each listener by its own."""
    port = free_port()
    options = ("per_listener_settings true\nLISTENER\nallow_anonymous true\nacl_file DIR/read\n"
               f"listener {port} 127.0.0.1\npassword_file DIR/users\nacl_file DIR/write\n")
    files = {"users": line7("u", "p") + "\n", "read": "topic read a\n",
             "write": "user u\ntopic write a\ntopic write b\n"}

    def action(server):
        other = type("Other", (), {"port": port})
        out = {("first", w): Peer(server, "c", *w).code for w in ((None, None), ("u", "x"))}
        out.update({("second", w): Peer(other, "c", *w).code
                    for w in ((None, None), ("u", "x"), ("u", "p"))})
        reader, writer = Peer(server, "r"), Peer(other, "w", "u", "p")
        reader.subscribe("#")
        writer.subscribe("#")
        for topic in ("a", "b"):
            writer.publish(topic)
        reader.publish("a")
        out["read"], out["write"] = reader.received(), writer.received()
        return out
    ours = both(options, files, action)
    check(ours["read"] == ["a"] and ours["write"] == [], ours)


# ---------------------------------------------------------------- what they may do

def rights(server, actors, topics):
    """{(actor, topic): what gets through}, where an actor is (client id, user)."""
    out = {}
    for who, topic in itertools.product(actors, topics):
        sup, actor = Peer(server, "sup", "sup"), Peer(server, *who)
        filters = ["#", "$x/#"]
        for peer in (sup, actor):
            out[who, topic, "granted"] = [peer.subscribe(f) for f in filters]
        actor.publish(topic)
        wrote = topic in sup.received()
        actor.received()
        sup.publish(topic)
        out[who, topic] = ("w" if wrote else "") + ("r" if topic in actor.received() else "")
        sup.close()
        actor.close()
    return out


ACLS = {
    "anonymous and named": (
        "topic a\nuser u\ntopic read b\ntopic write c\nuser v\ntopic d\nuser u\ntopic e\n",
        [("c", None), ("c", ""), ("c", "u"), ("c", "v"), ("c", "w")], "a b c d e".split()),
    "deny first": (
        "topic readwrite a/#\ntopic deny a/b\nuser u\ntopic deny a/b/#\ntopic read a/+\n"
        "topic a/b/c\ntopic write a/d\n",
        [("c", None), ("c", "u")], "a a/b a/c a/b/c a/d".split()),
    "patterns": (
        "user u\ntopic readwrite a/#\npattern deny a/%c\npattern readwrite p/%u/#\n"
        "pattern read mid/x%cy/#\npattern write %c/%u/+\npattern readwrite e/#\n",
        [("c", "u"), ("c", "v"), ("c", None), ("c/d", "v"), ("c+", "v"), ("c#", "u"), ("c", "+"),
         ("c", "#"), ("%u", "%c")],
        "a/c p/v/1 p/u/1 p// mid/xcy/q mid/xc/dy/q c/v/1 c/v/1/2 e/1 p/+x p/%c/1".split()),
    "dollar": (
        "topic readwrite #\nuser u\ntopic readwrite +/a\ntopic readwrite $x/b\npattern %c/a\n",
        [("c", None), ("c", "u")], "$x/a $x/b $SYS/a x/a".split()),
    "empty": ("", [("c", None), ("c", "u")], ["a", "a/b"]),
    "texts": (
        "user  a b \ntopic read x y\ntopic  write   z\n  topic q  \ntopic read\n\n# c\nuser u\r\n"
        "topic a\r\n", [("c", "a b"), ("c", "u")], ["x y", "z", "q", "read", "a"]),
}


def orders_of_decision():
    """F161 F162 F163 F164 F175, and that every refused PUBLISH is acknowledged (F72)."""
    for name, (acl, actors, topics) in ACLS.items():
        topics = [t for t in topics if "+" not in t]
        both("allow_anonymous true\nacl_file DIR/acl\n", {"acl": acl + "\n" + SUPER},
             lambda server, a=actors, t=topics: rights(server, a, t))
        print(f"    {name}: {len(actors) * len(topics)} cases", flush=True)


def no_client_id_is_a_dollar():
    """F164: mosquitto lets `pattern %c/a` and the client id "$x" stand for $x/a; here a rule for
    `$` topics says so itself."""
    with Server("merossd", "allow_anonymous true\nacl_file DIR/acl\n",
                {"acl": "pattern %c/a\n" + SUPER}) as server:
        out = rights(server, [("$x", "u"), ("x", "u")], ["$x/a", "x/a"])
        check((out[("$x", "u"), "$x/a"], out[("x", "u"), "x/a"]) == ("", "wr"), out)


def acl_files_that_do_not_load():
    """What mosquitto refuses is refused, with file and line."""
    lines = ["topic", "topic a b", "topic foo a", "topic read a/#/b", "pattern read a+/%c", "user",
             "junk x", "Topic a"]
    for line in lines:
        server = Server("merossd", "acl_file DIR/acl\n", {"acl": f"# x\n{line}\n"})
        server.port = free_port()
        server.write("conf", server.config())
        code, _, err = run([MEROSSD, "-c", server.folder / "conf"])
        check(code == 1 and "acl:2: " in err, f"{line!r}: {code} {err}")
        code, _, err = run([MEROSSD, "check", server.folder / "conf"])
        check(code == 1 and "acl:2: " in err, f"check {line!r}: {code} {err}")
        code, _, _ = run([MOSQUITTO, "-c", server.folder / "conf"])
        check(code != 0, f"mosquitto takes {line!r}")
        shutil.rmtree(server.folder)


def password_files_that_do_not_load():
    """F160: mosquitto leaves such lines out with a warning; here they are an error."""
    for line in ("junk", "v:", "v:plain", "v:$6$AAAA", "v:$7$1$AAAA$AAAA", "v:$argon2id$x"):
        server = Server("merossd", "password_file DIR/users\n",
                        {"users": f"{line7('u', 'p')}\n{line}\n"})
        server.port = free_port()
        server.write("conf", server.config())
        code, _, err = run([MEROSSD, "-c", server.folder / "conf"])
        check(code == 1 and "users:2: " in err, f"{line!r}: {code} {err}")
        shutil.rmtree(server.folder)


def wills():
    """F118: here a Will that may not be published is refused at once; mosquitto lets the client in
    and drops the Will when it is due.  Either way it goes nowhere."""
    acl = "user u\ntopic write ok\n" + SUPER
    with Server("merossd", "allow_anonymous true\nacl_file DIR/acl\n", {"acl": acl}) as server:
        sup = Peer(server, "sup", "sup")
        sup.subscribe("#")
        for topic, code in (("ok", 0), ("no", 5), ("$SYS/x", 5)):
            dying = Peer(server, "c", "u", will=(topic, b"w", 0, 0))
            check(dying.code == code, f"{topic}: {dying.code}")
            dying.wire.vanish()
        check(sup.received() == ["ok"], "the wrong Wills came")
        dying = Peer(server, "c", "u", will=("ok", b"w", 0, 0))
        server.write("acl", SUPER)
        server.hup()
        dying.wire.vanish()
        check(sup.received() == [], "a Will came that may not be published any more")


def rights_while_away():
    """F126: what may be received is asked when it is delivered, and again at the return."""
    acl = "user u\ntopic read a\ntopic read b\n" + SUPER
    with Server("merossd", "allow_anonymous true\nacl_file DIR/acl\n", {"acl": acl}) as server:
        stored = Peer(server, "stored", "u", clean=False)
        check(stored.subscribe("#") == b"\0", "not granted")
        stored.wire.send(packet(0x82, b"\0\2" + string("#") + b"\1"))
        parse(stored.wire.receive())
        stored.wire.send(b"\xe0\0")
        stored.wire.expect_closed()
        sup = Peer(server, "sup", "sup")
        for topic in "abc":
            sup.publish(topic)
        server.write("acl", acl.replace("topic read b\n", "topic read c\n"))
        server.hup()
        back = Peer(server, "stored", "u", clean=False)
        check(back.received() == ["a"], "b is not allowed any more, c was not allowed then")


def commands_to_plugs():  # [trap 14]
    """Only who has the right may publish to a plug, and never with RETAIN."""
    acl = "user u\ntopic readwrite #\ntopic deny /appliance/#\n" + SUPER
    topic = "/appliance/2101011234567890123448e1e9123456/subscribe"
    good = (b'{"header":{"messageId":"a","namespace":"Appliance.System.All","method":"GET"},'
            b'"payload":{}}')
    with Server("merossd", "allow_anonymous true\nacl_file DIR/acl\n", {"acl": acl}) as server:
        watch = Peer(server, "w", "sup")
        watch.subscribe("/appliance/#")
        Peer(server, "c", "u").publish(topic, good)
        Peer(server, "c", None).publish(topic, good)
        check(watch.received() == [], "somebody without the right reached a plug")
        with_right = Peer(server, "s", "sup")
        with_right.publish(topic, good, retain=True)
        with_right.publish(topic, b"1")
        check(watch.received() == [], "a retained or broken message reached a plug")
        with_right.publish(topic, good)
        check(watch.received() == [topic], "who has the right cannot reach a plug")


# ---------------------------------------------------------------- in operation

def reload():
    """F173 F174: users and rights change at once; a fault keeps the old; others stay connected."""
    files = {"users": "\n".join(line7(*u) for u in USERS) + "\n",
             "acl": "user u\ntopic a\n" + SUPER}
    with Server("merossd", "password_file DIR/users\nacl_file DIR/acl\n", files) as server:
        u, v, sup = (Peer(server, name, name, password) for name, password in USERS)
        check((u.code, v.code, sup.code) == (0, 0, 0), "refused")
        sup.subscribe("#")
        u.publish("a")
        u.publish("b")
        check(sup.received() == ["a"], "rights before")
        server.write("acl", "user u\ntopic b\ntopic oops oops\n" + SUPER)
        check("acl:3: " in server.hup(), "the fault is not named")
        u.publish("a")
        u.publish("b")
        check(sup.received() == ["a"], "the old rights were lost")
        server.write("acl", "user u\ntopic b\n" + SUPER)
        server.write("users", "\n".join(line7(*x) for x in (("u", "p"), ("sup", "s"))) + "\n")
        server.hup()
        v.wire.expect_closed()
        check(Peer(server, "v", *USERS[1]).code == 5, "a removed user comes back")
        u.publish("a")
        u.publish("b")
        check(sup.received() == ["b"], "rights after")
        server.write("users", "\n".join(line7(*x) for x in (("u", "new"), ("sup", "s"))) + "\n")
        server.hup()
        u.wire.expect_closed()
        check(Peer(server, "u", "u", "p").code == 5 and Peer(server, "u", "u", "new").code == 0,
              "the password did not change")
        for i in range(20):  # under load
            server.write("acl", f"user u\ntopic b{i}\n" + SUPER)
            for _ in range(20):
                sup.wire.send(harness.publish("load", b"x" * 100))
            server.hup()
        check(sup.received().count("load") == 400, "messages were lost")
        server.write("conf", server.config() + "allow_anonymous perhaps\n")
        check("nothing was changed" in server.hup(), "a broken configuration was taken")
        sup.publish("still/here")
        check(sup.received() == ["still/here"], "sup was disconnected")


def storm():
    """Many clients at once, none of them known from before; somebody else is served meanwhile."""
    users = "\n".join([line7("u", "p", 20000), line7("other", "p", 2)]) + "\n"
    with Server("merossd", "password_file DIR/users\n", {"users": users}) as server:
        calm = Peer(server, "calm", "other", "p")
        calm.subscribe("t")
        wires = [Wire(server.port) for _ in range(60)]
        for i, wire in enumerate(wires):
            wire.send(connect(f"c{i}", user="u", password="p" if i % 3 else "bad"))
        calm.publish("t")
        check(calm.received() == ["t"], "the calm client was not served")
        codes = [parse(w.receive())["code"] for w in wires]
        check(codes == [0 if i % 3 else 5 for i in range(60)], codes)
        for wire in wires:
            wire.close()


def stop_while_hashing():
    """SIGTERM with a full queue ends the broker at once, not after every hash."""
    with Server("merossd", "password_file DIR/users\n",
                {"users": line7("u", "p", 200000) + "\n"}) as server:
        wires = [Wire(server.port) for _ in range(100)]
        for i, wire in enumerate(wires):
            wire.send(connect(f"c{i}", user="u", password="bad"))
        server.program.process.send_signal(signal.SIGTERM)
        check(server.program.wait() == 0, "it did not end well")


def passwd_tool():
    """Both tools write what both brokers read; and names that only merossd can have."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
    file = folder / "users"
    if shutil.which("mosquitto_passwd"):
        run(["mosquitto_passwd", "-c", "-b", file, "theirs", "one"])
    else:
        file.write_text("")
    for args in (["-b", file, "ours", "two"], ["-b", file, "a b%3A", "x"]):
        code, _, err = run([MEROSSD, "passwd", *args])
        check(code == 0, err)
    text = file.read_text()
    shutil.rmtree(folder)

    def action(server):
        return {w: Peer(server, "c", *w).code
                for w in (("theirs", "one"), ("ours", "two"), ("ours", "one"), ("nobody", "x"))}
    ours = both("password_file DIR/users\n", {"users": text}, action)
    check(ours["ours", "two"] == 0, ours)
    with Server("merossd", "password_file DIR/users\n", {"users": text}) as server:
        name = "48:e1:e9:12:34:56"
        code, out, _ = run([MEROSSD, "passwd", "-b", server.folder / "users", name, "k"])
        check(code == 0 and "%3A" in out, out)
        check(Peer(server, "c", name, "k").code == 5, "before SIGHUP")
        server.hup()
        check(Peer(server, "c", name, "k").code == 0, "after SIGHUP")
        check(Peer(server, "c", "a b%3A", "x").code == 0, "a name with %3A in it")


# ---------------------------------------------------------------- plugs

def plug(uuid, key="", mac="48:e1:e9:12:34:56"):
    return (f"fmware:{uuid}_AbCdEfGhIjKlMnOp", mac,
            "0_" + hashlib.md5((mac + key).encode()).hexdigest())


UUIDS = [f"{i}101011234567890123448e1e9123456" for i in range(2, 6)]


def plugs_need_no_entry():
    """A plug comes in where nobody else does, and uses its own topics whatever the ACL says."""
    with Server("merossd", "allow_anonymous false\npassword_file DIR/users\nacl_file DIR/acl\n",
                {"users": line7("sup", "s") + "\n", "acl": SUPER}) as server:
        p = Peer(server, *plug(UUIDS[0]), level=3)
        check(p.code == 0, "the plug is refused")
        sup = Peer(server, "sup", "sup", "s")
        sup.subscribe("/appliance/#")
        own = f"/appliance/{UUIDS[0]}/publish"
        p.publish(own, b"{}")
        p.publish(f"/appliance/{UUIDS[1]}/publish", b"{}")
        check(own in sup.received(), "the plug may not speak")
        check(p.subscribe(f"/appliance/{UUIDS[0]}/subscribe") == b"\0", "the plug may not listen")


def known_plugs():
    with Server("merossd", "meross_auth known\n", {}) as server:
        check(Peer(server, *plug(UUIDS[0])).code == 5, "a new plug is let in")
        server.program.wait_line("merossd permit")
        for _ in range(5):
            check(Peer(server, *plug(UUIDS[0])).code == 5, "a new plug is let in")
        check(server.program.text().count("it is a new plug") == 1, "more than a line a minute")
        code, out, err = run([MEROSSD, "permit", "60", "-h", "127.0.0.1", "-p", server.port])
        check(code == 0 and "60 seconds" in out, err)
        first = Peer(server, *plug(UUIDS[0]))
        check(first.code == 0, "permit did not help")
        code, out, err = run([MEROSSD, "permit", "0", "-h", "127.0.0.1", "-p", server.port])
        check(code == 0, err)
        check(Peer(server, *plug(UUIDS[1])).code == 5, "the window is still open")
        check(Peer(server, *plug(UUIDS[0])).code == 0, "a known plug is refused")


def strict_plugs():
    with Server("merossd", "meross_auth strict\nmeross_key k1\nmeross_key k2\n", {}) as server:
        check(Peer(server, *plug(UUIDS[0], "k2")).code == 0, "the right key is refused")
        for key in ("", "meross", "k3"):
            check(Peer(server, *plug(UUIDS[1], key)).code == 5, f"the key {key!r} is let in")
    with Server("merossd", "meross_key k1\n", {}) as server:
        check(Peer(server, *plug(UUIDS[1], "unknown")).code == 0, "open lets everybody in")


def main():
    if not MOSQUITTO:
        print("skipped: mosquitto is not installed (apt-get install mosquitto)")
        return 0
    return harness.main([
        logins, client_ids, names_become_ids, made_ids_have_their_prefix, per_listener,
        orders_of_decision, no_client_id_is_a_dollar, acl_files_that_do_not_load,
        password_files_that_do_not_load, wills, rights_while_away, commands_to_plugs, reload, storm,
        stop_while_hashing, passwd_tool, plugs_need_no_entry, known_plugs, strict_plugs])


if __name__ == "__main__":
    sys.exit(main())
