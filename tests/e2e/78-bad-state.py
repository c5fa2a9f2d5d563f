#!/usr/bin/env python3
"""78-bad-state.py MEROSSD PLUGSIM [words] - a state directory that cannot be used: one clear line
with the next step, exit status 1, and nothing in it is touched; a full one is served from."""
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import harness
from harness import Client, Program, Skip, check, fill_up, folder, free_port, run, small_disk

MEROSSD, _ = harness.program_arguments()
harness.memory_for_journals()


def conf_of(root, state, more=""):
    port = free_port()
    path = root / "test.conf"
    path.write_text(f"state_dir {state}\nlistener {port} 127.0.0.1\n{more}")
    return path, port


def contents(state):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest()
            for f in pathlib.Path(state).iterdir() if f.is_file() and f.name != "lock"}


def refused(argv, *words):
    """Does not start: one line on standard error that has all the words."""
    code, _, err = run(argv)
    lines = [l for l in err.splitlines() if l.startswith("merossd: ")]
    check(code == 1 and len(lines) == 1, f"{code}: {err}")
    for word in words:
        check(word in lines[0], f"no {word!r} in: {lines[0]}")
    check(not harness.SANITIZER.search(err), err)


def serve(conf, port):
    p = Program([MEROSSD, "-c", conf])
    p.wait_line("merossd .* runs")
    Client(port, "alive").ping()
    return p


def end(p):
    status = p.kill(signal.SIGTERM)
    check(status == 0 and not harness.SANITIZER.search(p.text()), f"{status} {p.text()[-3000:]}")


def make_state(root):
    """A state directory with a retained message, acknowledged."""
    state = root / "state"
    conf, port = conf_of(root, state)
    p = serve(conf, port)
    c = Client(port, "c")
    c.publish("note", "kept", qos=1, retain=True)
    c.disconnect()
    end(p)
    return conf, state, port


def one_that_is_missing_is_made():
    with folder() as root:
        conf, port = conf_of(root, root / "a" / "b" / "state")
        end(serve(conf, port))
        check((root / "a" / "b" / "state").stat().st_mode & 0o777 == 0o700, "its mode")


def one_that_cannot_be_made():
    with folder() as root:
        (root / "file").write_text("")
        conf, _ = conf_of(root, root / "file" / "state")
        refused([MEROSSD, "-c", conf], "cannot write to the state directory", "Not a directory",
                "state_dir")
        conf, _ = conf_of(root, root / "file")
        refused([MEROSSD, "-c", conf], "Not a directory", "state_dir")


def one_that_is_in_use():
    with folder() as root:
        conf, state, port = make_state(root)
        p = serve(conf, port)
        refused([MEROSSD, "-c", conf], f"process {p.process.pid}", "Stop it", "state_dir")
        end(p)
        check(state.is_dir(), "it is gone")


def one_that_a_restore_left_half_way():
    with folder() as root:
        conf, state, port = make_state(root)
        (state / "restoring").write_text("")  # what a power cut leaves
        before = contents(state)
        refused([MEROSSD, "-c", conf], "merossd restore", "--force", str(state / "restoring"))
        check(contents(state) == before, "something was changed")
        (state / "restoring").unlink()
        end(serve(conf, port))


def files_of_a_newer_version():
    with folder() as root:
        conf, state, port = make_state(root)
        file = next(state.glob("state.*"))
        raw = file.read_bytes()
        file.write_bytes(raw[:7] + b"9" + raw[8:])
        before = contents(state)
        refused([MEROSSD, "-c", conf], file.name, "newer merossd", "start that one", "state_dir")
        check(contents(state) == before, "something was changed")
        file.write_bytes(raw)
        words = (state / "id").read_text().split()
        (state / "id").write_text(f"merossd-id 3 {words[2]} something else\n")
        before = contents(state)
        refused([MEROSSD, "-c", conf], "newer merossd", "`id`", "state_dir")
        check(contents(state) == before, "something was changed")
        (state / "id").write_text(words[2])  # as format 1 had it
        end(serve(conf, port))
        check((state / "id").read_text().split()[1:3] == ["2", words[2]], "it was not taken over")


def a_read_only_file_system():
    with folder() as root, small_disk("1m") as disk:
        conf, port = conf_of(root, disk / "state")
        end(serve(conf, port))
        before = contents(disk / "state")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        refused([MEROSSD, "-c", conf], "Read-only file system", "remount", "state_dir")
        check(contents(disk / "state") == before, "something was changed")
        conf, _ = conf_of(root, disk / "new")
        refused([MEROSSD, "-c", conf], "Read-only file system", "remount")


def a_full_file_system():
    """With a state: served from, and said.  Without: nothing can be made, and that is said."""
    with folder() as root, small_disk("256k") as disk:
        (disk / "state").mkdir(mode=0o700)
        conf, port = conf_of(root, disk / "state")
        p = serve(conf, port)
        c = Client(port, "c")
        c.publish("note", "kept", qos=1, retain=True)
        end(p)
        fill_up(disk / "ballast")
        p = serve(conf, port)
        c = Client(port, "d")
        c.subscribe("note")
        check(c.message()["payload"] == b"kept", "it was lost")
        c.publish("note", "x" * 5000, qos=1, retain=True)
        p.wait_line("could not be written to the medium: .*state/state.*: No space left on device; make room", patience=20)
        (disk / "ballast").unlink()
        p.wait_line("written to the medium again", patience=20)
        end(p)
        check(any(b"x" * 5000 in f.read_bytes() for f in (disk / "state").glob("state.*")),
              "it never came")
        fill_up(disk / "ballast")
        conf, _ = conf_of(root, disk / "new" / "state", "tls auto\n")
        code, out, err = run([MEROSSD, "-c", conf])  # it needs keys, and cannot keep them
        said = [l for l in (out + err).splitlines() if "No space left" in l]
        check(code == 1 and len(said) == 1 and "make room" in said[0], f"{code} {out} {err}")


def one_that_takes_nothing_at_the_end():
    """It was still full when the broker was stopped: exit status 1, and the last line says why."""
    with folder() as root, small_disk("256k") as disk:
        (disk / "state").mkdir(mode=0o700)
        conf, port = conf_of(root, disk / "state")
        p = serve(conf, port)
        fill_up(disk / "ballast")
        c = Client(port, "c")
        c.publish("note", "x" * 5000, qos=1, retain=True)
        status = p.kill(signal.SIGTERM)
        last = [l for l in p.text().splitlines() if "the last changes could not be written" in l]
        check(status == 1 and len(last) == 1 and "operating system error" not in p.text(), p.text())
        for word in (str(disk / "state"), "No space left on device", "make room", "start merossd again"):
            check(word in last[0], f"no {word!r} in: {last[0]}")
        (disk / "ballast").unlink()
        p = serve(conf, port)
        c = Client(port, "d")
        c.subscribe("note")
        check(c.message()["payload"] == b"x" * 5000, "what was promised is lost")
        end(p)


def somebody_elses():
    if os.geteuid() != 0:
        raise Skip("giving a directory to somebody else needs root")
    with folder() as root:
        conf, state, _ = make_state(root)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", MEROSSD, "-c", conf]
        if shutil.which("setpriv") is None or run([*as_nobody[:4], "true"])[0] != 0:
            raise Skip("no setpriv here")
        if run([*as_nobody[:4], MEROSSD, "--version"])[0] != 0:
            raise Skip("others may not run this program")
        before = contents(state)
        refused(as_nobody, "Permission denied", "belongs to root", "state_dir")
        os.chown(state, 65534, 65534)  # the directory alone; its files are still root's
        refused(as_nobody, "Permission denied", "belongs to root")
        check(contents(state) == before, "something was changed")
        (state / "lock").unlink()
        refused(as_nobody, "cannot be read: Permission denied", "chown")


if __name__ == "__main__":
    sys.exit(harness.main([one_that_is_missing_is_made, one_that_cannot_be_made, one_that_is_in_use,
                           one_that_a_restore_left_half_way, files_of_a_newer_version,
                           a_read_only_file_system, a_full_file_system,
                           one_that_takes_nothing_at_the_end, somebody_elses]))
