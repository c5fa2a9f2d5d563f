#!/usr/bin/env python3
"""73-backup.py MEROSSD PLUGSIM [words] - `merossd backup` and `merossd restore`: everything comes
back, also on another computer; what cannot be restored is said in one sentence, and nothing is
changed."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

import harness
from harness import Client, Program, Skip, check, free_port, run

MEROSSD, PLUGSIM = harness.program_arguments()
MEMORY = harness.memory_for_journals()
PASSPHRASE = "correct horse battery"


class House:
    """A folder with a configuration, a state directory, a passphrase file; and the broker on it."""

    keys = None  # certificates of the first broker: RSA keys take a second each

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-")).resolve()
        self.state = self.root / "state"
        self.conf = self.root / "merossd.conf"
        self.secret = self.root / "passphrase"
        self.file = self.root / "house.backup"
        self.secret.write_text(PASSPHRASE + "\n")
        self.tcp, self.tls = free_port(), free_port()
        self.write_conf(self.conf, self.state)
        if House.keys:
            self.state.mkdir(mode=0o700)
            for name, text in House.keys.items():
                (self.state / name).write_bytes(text)
                (self.state / name).chmod(0o600)

    def write_conf(self, path, state, more=""):
        path.write_text(f"state_dir {state}\nmeross_offline_delay 0\nlistener {self.tcp} 127.0.0.1\n"
                        f"listener {self.tls} 127.0.0.1\ntls auto\n{more}")

    def start(self, conf=None):
        p = Program([MEROSSD, "-c", conf or self.conf])
        p.wait_line("merossd .* runs")
        deadline = time.monotonic() + 3 * harness.PATIENCE
        while time.monotonic() < deadline and p.alive():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.tls), 1).close()
                break
            select.select([], [], [], 0.02)
        if House.keys is None:
            House.keys = {f.name: f.read_bytes() for f in self.state.iterdir()
                          if f.suffix in (".pem", ".key")}
        return p

    @contextlib.contextmanager
    def running(self, conf=None, how=signal.SIGTERM):
        """A broker until the end of the block."""
        p = self.start(conf)
        try:
            yield p
        except BaseException:
            p.kill()
            raise
        end(p, how)

    def verb(self, *words, secret=None):
        return run([MEROSSD, *words, "--passphrase-file", secret or self.secret])

    def backup(self, *words):
        code, out, err = self.verb("backup", self.file, "-c", self.conf, "--json", *words)
        check(code == 0 and err == "", f"backup: {code} {out} {err}")
        return json.loads(out)

    def restore(self, *words):
        code, out, err = self.verb("restore", self.file, "--json", *words)
        check(code == 0 and err == "", f"restore: {code} {out} {err}")
        return json.loads(out)

    def plugs(self):
        code, out, err = run([MEROSSD, "list", "-h", "127.0.0.1", "-p", self.tcp, "--json"])
        check(code == 0, err)
        return json.loads(out)["plugs"]

    def wait_plug(self, **wanted):
        deadline = time.monotonic() + 3 * harness.PATIENCE
        while time.monotonic() < deadline:
            for p in self.plugs():
                if all(p[k] == v for k, v in wanted.items()):
                    return p
            select.select([], [], [], 0.05)
        raise harness.Failure(f"no plug with {wanted}: {self.plugs()}")

    def retained(self, topic):
        c = Client(self.tcp, f"r{time.monotonic_ns()}")
        c.subscribe(topic)
        c.ping()
        found = [m["payload"].decode() for m in c.messages if m["topic"] == topic]
        c.disconnect()
        return found[0] if found else None

    def publish(self, topic, text):
        c = Client(self.tcp, f"p{time.monotonic_ns()}")
        c.publish(topic, text, qos=1, retain=True)
        c.disconnect()


@contextlib.contextmanager
def house():
    h = House()
    try:
        yield h
    finally:
        shutil.rmtree(h.root, ignore_errors=True)


def digest(folder):
    """Names and contents of all that lies in a folder, but for the lock."""
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
            for f in sorted(folder.rglob("*")) if f.is_file() and f.name != "lock"}


def end(p, how=signal.SIGTERM):
    status = p.kill(how)
    check(not harness.SANITIZER.search(p.text()), p.text()[-3000:])
    check(how != signal.SIGTERM or status == 0, f"{status}: {p.text()[-2000:]}")


def a_house_moves_to_another_computer():
    with house() as h:
        p = h.start()
        sim = Program([PLUGSIM, "--port", h.tls, "--type", "mss310"], stdin=True)
        sim.wait_line("^plug 0 bound")
        plug = h.wait_plug(online=True, bound=True)
        code, _, err = run([MEROSSD, "rename", "-h", "127.0.0.1", "-p", h.tcp, plug["name"],
                            "kettle"])
        check(code == 0, err)
        away = Client(h.tcp, "away", clean=False)
        away.subscribe("x/#", 1)
        away.disconnect()
        h.publish("x/1", "waits")
        h.publish("note", "last word")  # acknowledged a moment ago: in the journal in memory
        said = h.backup()
        check(said["running"] and said["plugs"] == 1 and said["sessions"] == 1 and
              said["certificates"] == 6 and said["configuration"] == str(h.conf), f"{said}")
        check(h.file.stat().st_mode & 0o777 == 0o600, "the backup can be read by others")
        raw = h.file.read_bytes()
        for secret in (b"PRIVATE KEY", b"kettle", plug["uuid"].encode(), b"last word"):
            check(secret not in raw, f"{secret} is in the backup in clear")
        end(p)
        other = h.root / "other.conf"
        h.write_conf(other, h.root / "elsewhere" / "state")
        said = h.restore("-c", other)
        check(said["plugs"] == 1 and said["files"] == 0, f"{said}")
        new = h.root / "elsewhere" / "state"
        check((new / "ca.pem").read_bytes() == (h.state / "ca.pem").read_bytes(), "another CA")
        check({f.name: oct(f.stat().st_mode & 0o777) for f in new.iterdir()}["ca.key"] == "0o600",
              "ca.key can be read by others")
        check(new.stat().st_mode & 0o777 == 0o700, "others may enter the state directory")
        with h.running(other):
            back = h.wait_plug(online=True, bound=True)  # it trusts what it pinned
            check(back["name"] == "kettle" and back["uuid"] == plug["uuid"], f"{back}")
            check(h.retained("note") == "last word", "the retained message is not there")
            away = Client(h.tcp, "away", clean=False)
            m = away.message(lambda m: m["topic"] == "x/1")
            check(m["payload"] == b"waits", f"{m}")
        sim.tell("quit")
        check(sim.wait() == 0, sim.text()[-2000:])


def the_server_certificate_follows_the_new_address():
    """The CA stays; a leaf that lacks this computer's names is signed anew."""
    with house() as h:
        end(h.start())
        h.backup()
        for name in ("server.pem", "server.key"):
            (h.state / name).unlink()  # as if it were of another computer: it has to be made
        before = (h.state / "ca.pem").read_bytes()
        h.restore("-c", h.conf, "--force")
        check((h.state / "ca.pem").read_bytes() == before, "another CA")
        (h.state / "server.pem").write_bytes((h.state / "server-ec.pem").read_bytes())
        with h.running() as p:
            p.wait_line("made server.pem")
            check((h.state / "ca.pem").read_bytes() == before, "another CA")


def the_configuration_comes_back_too():
    with house() as h:
        users, acl, extra = h.root / "users", h.root / "acl", h.root / "more"
        extra.mkdir()
        (extra / "a.conf").write_text("max_keepalive 600\n")
        h.write_conf(h.conf, h.state, f"password_file {users}\nacl_file {acl}\n"
                                      f"include_dir {extra}\nallow_anonymous true\n")
        acl.write_text("topic readwrite #\n")
        acl.chmod(0o640)
        code, _, err = run([MEROSSD, "passwd", "-c", "-b", users, "anna", "secret"])
        check(code == 0, err)
        end(h.start())
        check(h.backup()["files"] == 3, "not three files")
        texts = {f: f.read_bytes() for f in (h.conf, users, acl, extra / "a.conf")}
        shutil.rmtree(h.state)
        for f in texts:
            f.unlink()
        said = h.restore()
        check(said["files"] == 4 and said["state_dir"] == str(h.state), f"{said}")
        check(all(f.read_bytes() == text for f, text in texts.items()), "another text")
        check(acl.stat().st_mode & 0o777 == 0o640 and users.stat().st_mode & 0o777 == 0o600, "modes")
        end(h.start())
        # There already and the same; there and changed: refused, or set aside.
        check(h.restore("--force")["files_unchanged"] == 4, "the same files count as changed")
        acl.write_text("topic read #\n")
        shutil.rmtree(h.state)
        before = digest(h.root)
        code, _, err = h.verb("restore", h.file)
        check(code == 1 and err.count("\n") == 1 and "differs" in err and str(acl) in err, err)
        check(digest(h.root) == before, "something was changed")
        h.restore("--force")
        check(acl.read_bytes() == texts[acl], "not restored")
        aside = list(h.root.glob("acl.before-*"))
        check(len(aside) == 1 and aside[0].read_text() == "topic read #\n", f"{aside}")
        # Named and not there: said at once.
        acl.unlink()
        code, _, err = h.verb("backup", h.file, "-c", h.conf)
        check(code == 1 and err.count("\n") == 1 and str(acl) in err, err)


def files_in_the_state_directory_come_with_it():
    """On a router that is where they last. The restored directory takes the place of the whole."""
    with house() as h:
        users, acl = h.state / "users", h.state / "more" / "acl"
        h.write_conf(h.conf, h.state, f"password_file {users}\nacl_file {acl}\n"
                                      "allow_anonymous true\n")
        acl.parent.mkdir(parents=True)
        h.state.chmod(0o700)
        acl.write_text("topic readwrite #\n")
        code, _, err = run([MEROSSD, "passwd", "-c", "-b", users, "anna", "secret"])
        check(code == 0, err)
        end(h.start())
        h.backup()
        texts = {f: f.read_bytes() for f in (users, acl)}
        conf = h.conf.read_bytes()

        def whole(words):
            check(all(f.read_bytes() == t for f, t in texts.items()), f"{words}: they are missing")
            check(h.state.stat().st_mode & 0o777 == 0o700, "others may enter the state directory")
            check(not list(h.root.glob("*.restore-*")) and not list(h.root.rglob("users.??????")),
                  "something is left over")
            end(h.start())

        for words in (("--force",), ("--force", "-c", h.conf)):
            users.write_text("other\n")
            h.restore(*words)
            whole(words)
        for words in ((), ("-c", h.conf)):
            shutil.rmtree(h.state)
            h.restore(*words)
            whole(words)
        check(h.conf.read_bytes() == conf, "another configuration")


def a_backup_takes_the_place_of_nothing_else():
    with house() as h:
        end(h.start())
        conf, pipe = h.conf.read_bytes(), h.root / "pipe"
        os.mkfifo(pipe)  # as /dev/null, which a test must not put at risk
        for path, said in ((h.conf, "is no backup"), (pipe, "is no file"), (h.state, "is no file")):
            code, _, err = h.verb("backup", path, "-c", h.conf)
            check(code == 1 and err.count("\n") == 1 and said in err, f"{path}: {code} {err}")
        check(h.conf.read_bytes() == conf and pipe.is_fifo(), "something was replaced")
        h.file.touch()
        h.backup()
        h.backup()


def refused(h, said, *words, secret=None):
    before = digest(h.root)
    code, out, err = h.verb("restore", *words, "-c", h.conf, secret=secret)
    check(code == 1 and err.count("\n") == 1 and said in err, f"{said}: {code} {out} {err}")
    check(digest(h.root) == before, f"{said}: something was changed")
    code, out, _ = h.verb("restore", *words, "-c", h.conf, "--json", secret=secret)
    check(json.loads(out)["status"] == "error", out)


def what_cannot_be_restored_is_said():
    with house() as h:
        with h.running():
            h.backup()
            refused(h, "runs on the state directory", h.file, "--force")
        refused(h, "has a state already", h.file)
        shutil.rmtree(h.state)
        raw = h.file.read_bytes()
        wrong, bad = h.root / "wrong", h.root / "bad.backup"
        wrong.write_text("another passphrase\n")
        refused(h, "not the passphrase", h.file, secret=wrong)
        refused(h, "cannot read", h.root / "nothing")
        for cut in (0, 5, 8, 63, 64, 80, len(raw) // 2, len(raw) - 1):
            bad.write_bytes(raw[:cut])
            refused(h, "is cut off" if cut else "is no backup", bad)
        bad.write_bytes(raw + b"x")
        refused(h, "damaged or was changed", bad)
        for at in (12, 16, 40, 50, 59, 63, 64, len(raw) // 2, len(raw) - 1):
            bad.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:])
            refused(h, "damaged or was changed", bad)
        bad.write_bytes(raw[:8] + b"\0\0\0\2" + raw[12:])
        refused(h, "newer merossd", bad)
        bad.write_text("something else altogether, and long enough to be one\n" * 9)
        refused(h, "no backup of merossd", bad)
        h.secret.write_text("short\n")
        code, _, err = h.verb("backup", bad, "-c", h.conf)
        check(code == 1, err)


def force_sets_aside_and_deletes_nothing():
    with house() as h:
        with h.running():
            h.publish("note", "old")
            h.backup()
            h.publish("note", "newer")
        before = digest(h.state)
        said = h.restore("-c", h.conf, "--force")
        aside = pathlib.Path(said["set_aside"])
        check(digest(aside) == before, "what was there is not there any more")
        check(not list(h.root.glob("*.restore-*")), "something is left over")
        with h.running():
            check(h.retained("note") == "old", "not the restored state")
        # Twice in the same second, too.
        one, two = (h.restore("-c", h.conf, "--force")["set_aside"] for _ in range(2))
        check(one != two and pathlib.Path(one).is_dir() and pathlib.Path(two).is_dir(), f"{one}")


def a_mount_point_is_restored_onto():
    """The volume of a container: it stays where it is, its files change places."""
    with house() as h, harness.small_disk("4m") as disk:
        with h.running():
            h.publish("note", "kept")
            h.backup()
        conf = h.root / "other.conf"
        h.write_conf(conf, disk)
        h.restore("-c", conf)
        with h.running(conf):
            check(h.retained("note") == "kept", "not the restored state")
            h.publish("note", "newer")
        aside = pathlib.Path(h.restore("-c", conf, "--force")["set_aside"])
        check(aside.parent == disk and (aside / "ca.key").exists(), f"{aside}")
        with h.running(conf):
            check(h.retained("note") == "kept", "a journal of the state that is aside was used")


def journal_in_memory(h):
    """Where that of the state directory is; there is one."""
    memory = MEMORY / "merossd" / (h.state / "id").read_text().split()[2]
    check(list(memory.glob("*.hot")), "there is no journal in memory")
    return memory


def wait_flushed(h):
    """Until what was published is in the state directory."""
    deadline = time.monotonic() + 3 * harness.PATIENCE
    while time.monotonic() < deadline:
        if any(b"newer" in f.read_bytes() for f in h.state.glob("state.*")):
            return
        select.select([], [], [], 0.05)
    raise harness.Failure("it never reached the state directory")


def leave_a_journal_in_memory(h):
    """A broker dies: `note` is in the state directory, `new` in memory only.  Returns where."""
    with h.running(how=signal.SIGKILL):
        h.publish("note", "newer")
        wait_flushed(h)
        h.publish("new", "newer")
    return journal_in_memory(h)


def a_restored_state_is_not_mixed_with_a_journal_in_memory():
    with house() as h:
        with h.running(how=signal.SIGKILL):
            h.publish("note", "old")
            h.backup()
            h.publish("note", "newer")
            h.publish("new", "newer")
        journal_in_memory(h)
        said = h.restore("-c", h.conf, "--force")
        with h.running():
            check(h.retained("note") == "old" and h.retained("new") is None, "the two were mixed")
        # The one of before is still whole, with what was in memory.
        shutil.rmtree(h.state)
        os.rename(said["set_aside"], h.state)
        with h.running():
            check(h.retained("note") == "newer" and h.retained("new") == "newer", "it was lost")


def a_copy_by_hand_is_not_mixed_either():
    """cp, rsync or tar in place of `merossd backup`: into a new directory, and over the old one."""
    with house() as h:
        with h.running():
            h.publish("note", "old")
        copy = h.root / "copy"
        shutil.copytree(h.state, copy)
        memory = leave_a_journal_in_memory(h)
        for f in h.state.iterdir():  # over the old one: the same directory, and so the same id
            if f.name.startswith("state."):
                f.unlink()
        shutil.copytree(copy, h.state, dirs_exist_ok=True)
        with h.running() as p:
            check(h.retained("note") == "old" and h.retained("new") is None, "the two were mixed")
            check("is of a later state" in p.text(), p.text())
        check(list(memory.glob("*.stale-*")), "the journal was deleted")
        shutil.rmtree(memory)


def a_copy_elsewhere_is_another_state():
    """A twin of a directory takes nothing of what the other one has in memory."""
    with house() as h:
        memory = leave_a_journal_in_memory(h)
        shutil.copytree(h.state, h.root / "twin")
        conf = h.root / "twin.conf"
        h.write_conf(conf, h.root / "twin")
        with h.running(conf):
            check(h.retained("note") == "newer" and h.retained("new") is None, "the two were mixed")
        check(list(memory.glob("*.hot")), "the journal of the other one is gone")
        with h.running():
            check(h.retained("new") == "newer", "it was lost")


def an_inode_that_changes_is_no_other_directory():
    """Overlay file systems give a folder another inode number when memory is short."""
    with house() as h:
        leave_a_journal_in_memory(h)
        before, old = h.state.stat().st_ino, h.root / "old"
        os.rename(h.state, old)
        shutil.copytree(old, h.state)
        check(h.state.stat().st_ino != before, "the same inode")
        shutil.rmtree(old)
        h.backup()
        with h.running(how=signal.SIGKILL):
            check(h.retained("note") == "newer" and h.retained("new") == "newer", "it was lost")
            # Moved: the same inode in another place.
            h.publish("new", "newest")
        conf, moved = h.root / "moved.conf", h.root / "moved"
        os.rename(h.state, moved)
        h.write_conf(conf, moved)
        with h.running(conf):
            check(h.retained("new") == "newest", "it was lost with the move")
        h.file = h.root / "house.backup"
        shutil.rmtree(moved)
        h.restore("-c", h.conf)
        with h.running():
            check(h.retained("new") == "newer", "the backup lacked what was in memory")


def a_busy_broker_is_copied_as_it_was_at_one_moment():
    with house() as h:
        p = h.start()
        done, acked = threading.Event(), [0]

        def write():
            c = Client(h.tcp, "writer")
            for n in range(1, 1000000):
                if done.is_set():
                    return
                c.next_id %= 60000
                c.publish("a", str(n), qos=1, retain=True)
                c.publish("b", str(n), qos=1, retain=True)
                acked[0] = n

        thread = threading.Thread(target=write)
        thread.start()
        try:
            while acked[0] < 10:
                select.select([], [], [], 0.01)
            for i in range(3):
                least = acked[0]
                h.file = h.root / f"{i}.backup"
                check(h.backup()["running"], "it does not run")
                h.acked = least
        finally:
            done.set()
            thread.join()
        end(p)
        for i in range(3):
            h.file = h.root / f"{i}.backup"
            h.restore("-c", h.conf, "--force")
            with h.running():
                a, b = int(h.retained("a")), int(h.retained("b"))
                check(a in (b, b + 1), f"two moments are mixed: {a} {b}")
                check(i < 2 or b >= h.acked, f"{b} is older than {h.acked}, acknowledged before")


def a_person_is_asked_twice_without_echo():
    with house() as h:
        end(h.start())

        def ask(*answers):
            main, side = pty.openpty()
            p = subprocess.Popen([MEROSSD, "backup", str(h.file), "-c", str(h.conf)], stdin=side,
                                 stdout=side, stderr=side)
            os.close(side)
            seen = b""
            for n, answer in enumerate(answers):
                while seen.count(b": ") <= n or not seen.rstrip(b" ").endswith(b":"):
                    seen += os.read(main, 1000)
                os.write(main, answer.encode() + b"\n")
                seen += b"|"
            with contextlib.suppress(OSError):
                while more := os.read(main, 1000):
                    seen += more
            os.close(main)
            return p.wait(), seen.decode()

        code, seen = ask(PASSPHRASE, PASSPHRASE)
        check(code == 0 and PASSPHRASE not in seen and "Again: " in seen, f"{code} {seen}")
        shutil.rmtree(h.state)
        h.restore("-c", h.conf)
        h.file.unlink()
        code, seen = ask(PASSPHRASE, PASSPHRASE + "!")
        check(code == 1 and "not given twice the same" in seen and not h.file.exists(), seen)
        p = subprocess.run([MEROSSD, "backup", h.file, "-c", h.conf], input=b"by a pipe\n",
                           capture_output=True, check=False)
        check(p.returncode == 0 and h.file.exists(), f"{p}")


def a_restore_that_is_told_to_end_is_whole_first():
    """Neither keys beside the place where they belong, nor the old state under a strange name."""
    if not shutil.which("strace"):
        raise Skip("there is no strace to send a signal at the worst moment")
    with house() as h:
        end(h.start())
        h.backup()
        for call in ("mkdir", "fsync", "renameat2"):
            # It may not follow a program, and then the others neither.
            p = subprocess.run(["strace", "-o", h.root / "trace", "-e", f"trace={call}", "-e",
                                f"inject={call}:signal=TERM", MEROSSD, "restore", h.file, "-c",
                                h.conf, "--force", "--passphrase-file", h.secret],
                               env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"),
                               capture_output=True, check=False)
            if b"ptrace" in p.stderr:
                raise Skip("strace may follow no program here")
            check(not list(h.root.glob("*.restore-*")), f"{call}: something is left over: {p}")
            end(h.start())


def ctrl_c_at_the_question_leaves_a_terminal_with_echo():
    with house() as h:
        end(h.start())
        main, side = pty.openpty()

        def own_terminal():
            os.setsid()
            fcntl.ioctl(side, termios.TIOCSCTTY, 0)

        p = subprocess.Popen([MEROSSD, "backup", str(h.file), "-c", str(h.conf)], stdin=side,
                             stdout=side, stderr=side, preexec_fn=own_terminal)
        seen = b""
        while b"backup: " not in seen:
            seen += os.read(main, 1000)
        check(not termios.tcgetattr(side)[3] & termios.ECHO, "it echoes")
        os.write(main, b"half\x03")
        check(p.wait() != 0, "it went on")
        check(termios.tcgetattr(side)[3] & termios.ECHO, "the terminal is silent from now on")
        os.close(main)
        os.close(side)
        check(not h.file.exists(), "a backup all the same")


if __name__ == "__main__":
    sys.exit(harness.main([
        a_house_moves_to_another_computer, the_server_certificate_follows_the_new_address,
        the_configuration_comes_back_too, files_in_the_state_directory_come_with_it,
        a_backup_takes_the_place_of_nothing_else, an_inode_that_changes_is_no_other_directory,
        what_cannot_be_restored_is_said,
        force_sets_aside_and_deletes_nothing, a_mount_point_is_restored_onto,
        a_restored_state_is_not_mixed_with_a_journal_in_memory,
        a_copy_by_hand_is_not_mixed_either, a_copy_elsewhere_is_another_state,
        a_busy_broker_is_copied_as_it_was_at_one_moment,
        a_person_is_asked_twice_without_echo, a_restore_that_is_told_to_end_is_whole_first,
        ctrl_c_at_the_question_leaves_a_terminal_with_echo]))
