"""router.py - what the tests of the OpenWrt package share: a folder that looks like a router.

`Desk` runs the package's scripts under busybox's ash with stand-ins for UCI and procd, which write
down what they are told; it needs no rights.  `Router` is a chroot of busybox, with the package's
files where OpenWrt puts them; only root can have one."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import Skip, check, run

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "tools/packaging/openwrt"
FILES = PACKAGE / "merossd/files"
SYSTEM = "config system\n\toption timezone 'CET-1CEST,M3.5.0,M10.5.0/3'\n\toption zonename 'Europe/Berlin'\n"
USER = 218


def need(*programs):
    for name in programs:
        if not shutil.which(name):
            raise Skip(f"{name} is not installed")


def quote(value):
    return "'" + value.replace("'", "'\\''") + "'"


def section(kind, name="", **options):
    """A section of a UCI file; a list is an option that is given several times."""
    out = f"config {kind} {quote(name)}\n" if name else f"config {kind}\n"
    for key, value in options.items():
        word = "list" if isinstance(value, list) else "option"
        for v in value if isinstance(value, list) else [value]:
            out += f"\t{word} {key} {quote(str(v))}\n"
    return out


class Desk:
    """with Desk(MEROSSD) as d: d.uci(text); d.run("start"); d.conf, d.calls, d.said"""

    def __init__(self, merossd, jail=True):
        self.merossd, self.jail = str(merossd), jail
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))

    def __enter__(self):
        need("busybox")
        (self.root / "config").mkdir()
        (self.root / "passwd").write_text(f"root:x:0:0::/:\nmerossd:x:{USER}:{USER}::/:\n")
        (self.root / "config/system").write_text(SYSTEM)
        text = (FILES / "merossd.init").read_text()
        for name, value in (("PROG", self.merossd), ("ETC", self.root / "etc"),
                            ("UJAIL", "/bin/true" if self.jail else "/nowhere")):
            text, n = re.subn(rf"(?m)^{name}=[^ \n]*", f"{name}={value}", text)
            check(n == 1, f"{name} is not set once in merossd.init")
        (self.root / "init").write_text(text.replace("/etc/passwd", str(self.root / "passwd")))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def uci(self, text, name="merossd"):
        (self.root / "config" / name).write_text(text.replace("ROOT", str(self.root)))

    def run(self, action, running=False):
        """Runs an action of the init script: its exit status."""
        record = self.root / "record"
        record.write_text("")
        script = (f". {PACKAGE}/standin/lib/functions.sh\n"
                  "chown() { record chown \"$@\"; }\nchgrp() { record chgrp \"$@\"; }\n"
                  f". {self.root}/init\n{action}\nstatus=$?\nservice_triggers\nexit $status\n")
        env = dict(os.environ, UCI_DIR=f"{self.root}/config", RECORD=str(record))
        if running:
            env["RUNNING"] = "1"
        status, out, err = run(["busybox", "ash", "-c", script], env=env)
        check(not out and not err, f"the init script wrote:\n{out}{err}")
        self.calls = record.read_text().replace(str(self.root), "ROOT").splitlines()
        self.said = "\n".join(c for c in self.calls if c.startswith("logger"))
        conf = self.root / "etc/merossd.conf"
        self.conf = conf.read_text().replace(str(self.root), "ROOT") if conf.exists() else None
        return status

    def lines(self):
        """What the rendered file says, without its comments."""
        return [l for l in self.conf.splitlines() if l and not l.startswith("#")]


class Router:
    """A chroot of busybox.  `merossd` is the program's file: a static one, or one whose libraries
    come along."""

    def __init__(self, merossd, jail=True):
        self.merossd, self.jail = pathlib.Path(merossd), jail
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="merossd-e2e-"))
        self.mounts = []

    def __enter__(self):
        need("busybox", "chroot", "ldd", "mount")
        if os.geteuid() != 0:
            self.__exit__()
            raise Skip("only root can chroot")
        self.root.chmod(0o755)
        for folder in ("bin", "dev", "etc/config", "etc/init.d", "lib", "proc", "sbin", "tmp",
                       "usr/bin", "usr/sbin", "usr/lib"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "var").symlink_to("tmp")  # as on OpenWrt
        (self.root / "etc/passwd").write_text(
            f"root:x:0:0:root:/root:/bin/sh\nmerossd:x:{USER}:{USER}::/var:/bin/false\n")
        (self.root / "etc/group").write_text(f"root:x:0:\nmerossd:x:{USER}:\n")
        (self.root / "etc/os-release").write_text('OPENWRT_ARCH="x86_64"\n')
        (self.root / "etc/config/system").write_text(SYSTEM)
        if self.jail:
            self.put("#!/bin/sh\n", "sbin/ujail")
        self._install()
        try:
            self.mount("-t", "proc", "proc", at="proc")
            for node in ("null", "random", "urandom"):  # ujail makes them, too
                (self.root / "dev" / node).write_text("")
                self.mount("--bind", f"/dev/{node}", at=f"dev/{node}")
        except Skip:
            self.__exit__()
            raise
        return self

    def _install(self):
        self.program(shutil.which("busybox"), "bin/busybox")
        for name in subprocess.check_output(["busybox", "--list"], text=True).split():
            if name != "busybox" and not (self.root / "bin" / name).exists():
                (self.root / "bin" / name).symlink_to("busybox")
        self.program(self.merossd, "usr/bin/merossd")
        for source, target in (("standin/lib/functions.sh", "lib/functions.sh"),
                               ("standin/rc.common", "etc/rc.common"),
                               ("merossd/files/merossd.init", "etc/init.d/merossd"),
                               ("merossd/files/merossd-import-uci", "usr/sbin/merossd-import-uci"),
                               ("merossd/test.sh", "tmp/test.sh")):
            self.put((PACKAGE / source).read_text(), target)

    def program(self, source, target):
        """Copies a program and the libraries it asks for."""
        shutil.copy2(source, self.root / target)
        asked = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", asked):
            there = self.root / library.lstrip("/")
            there.parent.mkdir(parents=True, exist_ok=True)
            if not there.exists():
                shutil.copy2(library, there)

    def put(self, text, target, mode=0o755):
        path = self.root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def mount(self, *options, at):
        if not (self.root / at).exists():
            (self.root / at).mkdir(parents=True)
        status, _, err = run(["mount", *options, self.root / at])
        if status != 0:
            raise Skip(f"mount is not allowed here: {err.strip()}")
        self.mounts.append(self.root / at)

    def sh(self, *argv, user=None):
        """Runs a command in there: (exit status, output, errors)."""
        who = [f"--userspec={user}:{user}"] if user is not None else []
        return run(["chroot", *who, self.root, *argv], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def init(self, action):
        """The init script, as init runs it: its exit status, and what procd and the log heard."""
        record = self.root / "tmp/record"
        record.write_text("")
        status, out, err = self.sh("/etc/init.d/merossd", action)
        check(not out and not err, f"/etc/init.d/merossd {action} wrote:\n{out}{err}")
        return status, record.read_text().splitlines()

    def command(self, calls):
        """What procd would start, and as whom."""
        words = {}
        for call in calls:
            if call.startswith("procd_set_param"):
                name, *values = re.findall(r"\[(.*?)\](?= \[|$)", call)
                words[name] = values
        return words["command"], words.get("user", ["root"])[0]

    def __exit__(self, *_):
        for place in reversed(self.mounts):
            subprocess.run(["umount", place], check=False)
        if not any(os.path.ismount(m) for m in self.mounts):
            shutil.rmtree(self.root, ignore_errors=True)
