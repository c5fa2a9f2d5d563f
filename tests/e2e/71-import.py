#!/usr/bin/env python3
"""71-import.py MEROSSD PLUGSIM [words] - `merossd import mosquitto` on what mosquitto itself wrote."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import struct
import sys
import tempfile

import harness
from harness import Client, Skip, Wire, check, free_port, run

MEROSSD, PLUGSIM = harness.program_arguments()


def program():
    for name in (shutil.which("mosquitto"), "/usr/sbin/mosquitto"):
        if name and os.access(name, os.X_OK):
            return name
    raise Skip("no mosquitto here")


@contextlib.contextmanager
def house():
    """A folder with a configuration for mosquitto, and the port it listens on."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
    port = free_port()
    (root / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n"
        f"persistence_location {root}/\nautosave_interval 1800\n")
    try:
        yield root, port
    finally:
        shutil.rmtree(root, ignore_errors=True)


def live(root, port):
    """mosquitto, until its log says that it serves."""
    p = harness.Program([program(), "-c", root / "conf"])
    p.wait_line("running")
    return p


def fill(port):
    """2 retained, 3 sessions, 4 subscriptions, and of waiting messages: 3 queued, 1 sent and not
    acknowledged, 1 released, 1 received and not released."""
    pub = Client(port, "pub")
    pub.publish("r/1", "one", retain=True)
    pub.publish("r/2", "two", qos=2, retain=True)
    for name in ("away", "slow", "third"):
        c = Client(port, name, clean=False, user="anna")
        c.subscribe(f"{name}/#", 2)
        if name == "away":
            c.subscribe("extra/+/x", 1)
        c.ping()
        if name != "slow":
            c.disconnect()
        else:
            slow = c
    for i in range(3):
        pub.publish("away/x", str(i), qos=1)
    pub.publish("slow/a", "never acknowledged", qos=1)
    pub.publish("slow/b", "released", qos=2)
    ids = {}
    while len(ids) < 2:
        p = harness.parse(slow.wire.receive())
        ids[p["topic"]] = p["id"]
    slow.wire.send(harness.packet(0x50, struct.pack(">H", ids["slow/b"])))
    check(harness.parse(slow.wire.receive())["kind"] == "pubrel", "PUBREL")
    half = Wire(port)
    half.send(harness.connect("slow2", clean=False))
    half.receive()
    half.send(harness.publish("t", b"not released", 2, 9))
    check(harness.parse(half.receive())["kind"] == "pubrec", "PUBREC")
    return pub, slow, half


def what_mosquitto_wrote_is_read():
    with house() as (root, port):
        p = live(root, port)
        keep = fill(port)
        status = p.kill(signal.SIGTERM)
        check(status == 0, p.text())
        del keep
        db = root / "mosquitto.db"
        if os.environ.get("MEROSSD_KEEP_DB"):
            shutil.copy(db, os.environ["MEROSSD_KEEP_DB"])
        code, out, err = run([MEROSSD, "import", "mosquitto", root / "conf", "--json", "--dry-run"])
        check(code == 0, f"{code} {out} {err}")
        got = json.loads(out)
        want = {"found": True, "retained": 2, "sessions": 4, "subscriptions": 4, "queued": 6,
                "damaged": 0, "cut": False}
        check({k: got[k] for k in want} == want, f"{got}")
        check(got["version"] in (5, 6), f"{got}")
        said = "\n".join(got["warnings"])
        check("autosave_interval" in said and "persistence_location" in said, said)
        code, out, err = run([MEROSSD, "import", "mosquitto", root / "conf", "--dry-run"])
        check(code == 0 and "2 retained messages, 4 sessions with 4 subscriptions and 6" in out, out)
        check("conf: read, 1 listener\n" in out, out)


def what_mosquitto_kept_goes_on_at_ours():
    with house() as (root, port):
        p = live(root, port)
        keep = fill(port)
        check(p.kill(signal.SIGTERM) == 0, p.text())
        del keep
        before = {f.name: f.read_bytes() for f in root.iterdir() if f.is_file()}
        state = root / "state"
        state.mkdir()
        with harness.Broker(MEROSSD, state=state) as b:
            code, _, err = run([MEROSSD, "import", "mosquitto", root / "conf", "-c",
                                state / "test.conf"])
            check(code == 1 and "another merossd" in err, f"{code} {err}")
            ours = Client(b.tcp, "ours")
            ours.publish("r/2", "ours is newer", qos=1, retain=True)
            b.stop()
            argv = [MEROSSD, "import", "mosquitto", root / "conf", "-c", state / "test.conf"]
            code, out, err = run([*argv, "--json"])
            check(code == 0 and err == "", f"{code} {out} {err}")
            got = json.loads(out)["taken"]
            want = {"retained": 1, "sessions": 4, "subscriptions": 4, "queued": 6, "ours": 1,
                    "refused": 0}
            check({k: got[k] for k in want} == want, f"{got}")
            code, out, err = run(argv)
            check(code == 0 and "left as they are: 16 " in out, f"a second time: {out} {err}")
            check({n: (root / n).read_bytes() for n in before} == before, "mosquitto's files")
            b.start()
            goes_on(b.tcp)


def goes_on(port):
    """The clients of fill() come back to us."""
    new = Client(port, "new")
    new.subscribe("r/#", 1)
    got = {m["topic"]: m["payload"] for m in (new.message(), new.message())}
    check(got == {"r/1": b"one", "r/2": b"ours is newer"}, f"{got}")
    away = Client(port, "away", clean=False, user="anna")
    got = [away.message()["payload"] for _ in range(3)]
    check(got == [b"0", b"1", b"2"], f"{got}")
    new.publish("extra/1/x", "still subscribed", qos=1)
    check(away.message()["payload"] == b"still subscribed", "subscription")
    slow = Wire(port)
    slow.send(harness.connect("slow", clean=False, user="anna"))
    got = [harness.parse(slow.receive()) for _ in range(3)]
    kinds = [g["kind"] for g in got]
    check(kinds[0] == "connack" and sorted(kinds[1:]) == ["publish", "pubrel"], f"{got}")
    again = next(g for g in got if g["kind"] == "publish")
    check(again["dup"] and again["payload"] == b"never acknowledged", f"{again}")
    half = Wire(port)
    half.send(harness.connect("slow2", clean=False))
    half.receive()
    half.send(harness.packet(0x62, struct.pack(">H", 9)))
    check(harness.parse(half.receive())["kind"] == "pubcomp", "PUBCOMP")


def a_damaged_file_gives_what_it_has():
    with house() as (root, port):
        p = live(root, port)
        keep = fill(port)
        check(p.kill(signal.SIGTERM) == 0, p.text())
        del keep
        db = root / "mosquitto.db"
        whole = db.read_bytes()
        db.write_bytes(whole[:-5])
        code, out, err = run([MEROSSD, "import", "mosquitto", root / "conf", "--json", "--dry-run"])
        check(code == 1 and json.loads(out)["cut"] is True, out)
        check(json.loads(out)["sessions"] == 4 and json.loads(out)["status"] == "incomplete", out)
        check("keep that file" in err, err)
        (root / "own").write_text(f"state_dir {root}/state\n")
        code, out, err = run([MEROSSD, "import", "mosquitto", root / "conf", "-c", root / "own"])
        check(code == 1 and "taken over into" in out, f"{code} {out} {err}")
        check(err.splitlines()[-1].startswith("merossd: incomplete: ") and "mosquitto.db" in err, err)
        db.write_bytes(b"nonsense" + whole[8:])
        code, _, err = run([MEROSSD, "import", "mosquitto", root / "conf"])
        check(code == 1 and "this is no file of mosquitto" in err, err)
        db.write_bytes(whole[:22] + b"\x03" + whole[23:])
        code, _, err = run([MEROSSD, "import", "mosquitto", root / "conf"])
        check(code == 1 and "has version 3" in err, err)


def without_a_database_it_says_so():
    with house() as (root, _):
        code, out, _ = run([MEROSSD, "import", "mosquitto", root / "conf"])
        check(code == 0 and "mosquitto.db: is not there" in out, out)
        (root / "conf").write_text("nonsense 1\n")
        code, _, err = run([MEROSSD, "import", "mosquitto", root / "conf"])
        check(code == 1 and "conf:1: unknown option 'nonsense'" in err, err)
        code, _, err = run([MEROSSD, "import", "hivemq"])
        check(code == 2 and "import mosquitto" in err, err)


if __name__ == "__main__":
    sys.exit(harness.main([what_mosquitto_wrote_is_read,
                           what_mosquitto_kept_goes_on_at_ours, a_damaged_file_gives_what_it_has,
                           without_a_database_it_says_so]))
