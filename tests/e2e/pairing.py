"""pairing.py - what the scripts about setting up plugs share: simulated plugs with HTTP servers, the
verbs as a person or a program types them, and stand-ins for the programs that join a Wi-Fi.

They are named on the command line of the script, see harness.program_arguments()."""
from concurrent.futures import ThreadPoolExecutor
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time

import harness
from harness import Broker, Program, check

MEROSSD, PLUGSIM = harness.program_arguments()
SECRET = "hunter2secret"
HOME = ("--option", "home_ssid=Home", "--option", "home_password=" + SECRET,
        "--option", "wifi_list_ms=200", "--option", "join_ms=300")


class Sim:
    """Simulated plugs with HTTP servers; leaving the block ends it, and fails on a violation."""

    def __init__(self, broker, *options, forgiving=False):
        self.forgiving = forgiving
        self.program = Program([PLUGSIM, "--port", broker.tls, "--http", "0", *HOME, *options],
                               stdin=True)

    def __enter__(self):
        return self

    def port(self, index=0):
        return int(self.event(rf"^plug {index} http \d+$").split()[-1])

    def at(self, index=0):
        return f"127.0.0.1:{self.port(index)}"

    def event(self, pattern, since=0):
        return self.program.wait_line(pattern, since)

    def asked(self, namespace):
        return len(re.findall(rf"http SET Appliance\.{re.escape(namespace)}(?: encrypted)?$",
                              self.program.text(),
                              re.M))

    def __exit__(self, kind, value, trace):
        if kind is not None or self.forgiving:
            self.program.kill()
            if kind is not None:
                print("--- plugsim said:", *self.program.text().splitlines()[-25:], sep="\n    ")
            return
        self.program.tell("quit")
        status = self.program.wait()
        check(status == 0, f"plugsim ended with {status}:\n{self.program.text()[-3000:]}")


def verb(broker, *words, stdin=b"", env=None, patience=90):
    """(status, standard output, standard error) of a verb."""
    argv = [MEROSSD, words[0], "-h", "127.0.0.1", "-p", str(broker.tcp), *map(str, words[1:])]
    done = subprocess.run(argv, input=stdin, capture_output=True, timeout=patience,
                          env=None if env is None else {**os.environ, **env})
    out, err = done.stdout.decode(), done.stderr.decode()
    check(not harness.SANITIZER.search(err), err)
    check(SECRET not in out + err, f"the password is told:\n{out}{err}")
    return done.returncode, out, err


def pair(broker, sim, *more, ssid="Home", password=SECRET, **how):
    return verb(broker, "pair", "--plug", sim.at(), "--ssid", ssid, *more,
                stdin=password.encode() + b"\n", **how)


def plugs_of(broker):
    code, out, err = broker.client("list", "--json")
    check(code == 0, err)
    return json.loads(out)["plugs"]


def records(broker):
    """What the broker keeps in its state directory, as one text."""
    return b"".join(p.read_bytes() for p in pathlib.Path(broker.state).rglob("*") if p.is_file())


def nothing_registered(broker):
    check(plugs_of(broker) == [], f"{plugs_of(broker)}")
    code, out, _ = verb(broker, "show", "mss310", "--json")
    check(code == 3, out)


def side_by_side(test, cases):
    """The cases are independent of each other, and each is mostly waiting."""
    if Broker.seed is None:
        with Broker(MEROSSD) as b:  # the keys and certificates are made once for all
            b.program.wait_line("merossd .* runs; ")
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda case: test(*case), cases):
            pass


class Terminal:
    """A verb on a terminal; what it prints is in `text`."""

    def __init__(self, broker, *words, env=None):
        self.text, self.status = "", None
        argv = [MEROSSD, words[0], "-h", "127.0.0.1", "-p", str(broker.tcp), *map(str, words[1:])]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvpe(argv[0], argv, {**os.environ, **(env or {})})

    def wait(self, pattern):
        deadline = time.monotonic() + 3 * harness.PATIENCE
        while pattern is None or not re.search(pattern, self.text):
            left = deadline - time.monotonic()
            check(left > 0, f"/{pattern}/ does not come:\n{self.text}")
            if not select.select([self.fd], [], [], left)[0]:
                continue
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            if not data:
                check(pattern is None, f"it ended before /{pattern}/:\n{self.text}")
                break
            self.text += data.decode("utf-8", "replace").replace("\r\n", "\n")

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        self.wait(None)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        check(not harness.SANITIZER.search(self.text), self.text)
        return self.status


class Fake:
    """Something else than a merossd on a port."""

    def __init__(self, serve):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.serve, self.over = serve, False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self.over:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer):
        try:
            self.serve(peer)
        except OSError:
            pass
        peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.socket.close()


# ---------------------------------------------------------------- --join

NMCLI = r'''#!/bin/sh
# Stands in for NetworkManager: one radio, which is in the network "Home" or in a plug's.
echo "$*" >> "$STAND/log"
case "$*" in
*"device status"*) echo "eth0:ethernet:connected"; echo "wlan0:wifi:connected" ;;
*"wifi list"*) cat "$STAND/air" 2>/dev/null ;;
*"show --active"*) [ -e "$STAND/inside" ] || printf 'u-1-2:802-11-wireless:wlan0:My\\:Home\n' ;;
"connection add"*) touch "$STAND/profile" ;;
*"connection up id merossd-pair"*) [ -e "$STAND/refuses" ] && { echo "Error: no secrets"; exit 4; }
  touch "$STAND/inside" ;;
"connection delete"*) [ -e "$STAND/profile" ] || exit 10; rm -f "$STAND/profile" "$STAND/inside" ;;
*"connection up uuid u-1-2"*) rm -f "$STAND/inside"; touch "$STAND/home" ;;
esac
'''
IW = r'''#!/bin/sh
echo "iw $*" >> "$STAND/log"
case "$*" in
dev) printf 'phy#0\n\tInterface wlan0\n\t\ttype AP\n' ;;
*scan*) cat "$STAND/air" 2>/dev/null ;;
*"interface add"*) touch "$STAND/profile" ;;
*connect*) [ -e "$STAND/refuses" ] && { echo "command failed: Device or resource busy (-16)"; exit 240; }
  touch "$STAND/inside" ;;
*link*) [ -e "$STAND/inside" ] && echo "Connected to 48:e1:e9:12:34:56 (on mrspair0)" ;;
*" del") [ -e "$STAND/profile" ] || exit 237; rm -f "$STAND/profile" "$STAND/inside" ;;
esac
'''
IP = '#!/bin/sh\necho "ip $*" >> "$STAND/log"\n'
NMCLI_AIR = "Home:96:2412 MHz\nMeross_SW_3456:80:2437 MHz\nOther\\:Net:70:5180 MHz\n"
IW_AIR = ("BSS 48:e1:e9:12:34:56(on wlan0)\n\tfreq: 2437\n\tsignal: -50.00 dBm\n"
          "\tSSID: Meross_SW_3456\nBSS aa:bb:cc:dd:ee:ff(on wlan0)\n\tfreq: 5180\n"
          "\tsignal: -30.00 dBm\n\tSSID: Home\n")


class Stand:
    """Stand-ins for programs, which write down how they were called."""

    def __init__(self, air, **programs):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        for name, text in programs.items():
            (self.path / name).write_text(text)
            (self.path / name).chmod(0o755)
        (self.path / "air").write_text(air)
        self.env = {"PATH": f"{self.path}:/usr/bin:/bin", "STAND": str(self.path)}

    def has(self, name):
        return (self.path / name).exists()

    def log(self):
        return (self.path / "log").read_text() if self.has("log") else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def ways_to_join():
    return (("nmcli", Stand(NMCLI_AIR, nmcli=NMCLI)),
            ("iw", Stand(IW_AIR, iw=IW, ip=IP, nmcli="#!/bin/sh\nexit 127\n")))
