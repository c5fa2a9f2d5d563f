#!/usr/bin/env python3
"""34-pairing.py MEROSSD PLUGSIM [words] - plugs are set up, taken over, sent on and reset: `merossd
pair`, `adopt`, `move-all` and `unbind` against simulated plugs, in success and in every failure."""
import http.server
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
from harness import Broker, Client, Failure, Program, check, free_port

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


# ---------------------------------------------------------------- pair

def the_whole_way():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", "mss310") as sim:
        code, out, err = pair(b, sim, "--name", "kettle")
        check(code == 0, f"{code}\n{out}{err}")
        for words in ("answers plugs", "found mss310, 48:e1:e9:12:34:56", "random key", "both hosts",
                      "it blinks green", "LED: steady", "first reading: 2", "kettle is ready"):
            check(words in out, f"{words}:\n{out}")
        plug = plugs_of(b)[0]
        check(plug["name"] == "kettle" and plug["key"] == "own" and plug["online"], f"{plug}")
        check("\033[" not in out, "colours in a pipe")
        code, out, _ = verb(b, "toggle", "kettle")
        check(code == 0, out)
        check("kettle" not in b.program.text() or SECRET not in b.program.text(), "in the log")
        code, out, err = pair(b, sim)  # it is no access point any more
        check(code == 1 and "set up already" in err, f"{code} {err}")


def json_for_programs():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", "mss210") as sim:
        with tempfile.NamedTemporaryFile() as f:
            f.write(SECRET.encode() + b"\r\nsecond line\n")
            f.flush()
            code, out, err = verb(b, "pair", "--plug", sim.at(), "--ssid", "Home", "--json",
                                  "--password-file", f.name)
        result = json.loads(out)
        check(code == 0 and result["status"] == "ok" and result["type"] == "mss210", f"{out}{err}")
        check(result["name"] == plugs_of(b)[0]["name"] and "✓" in err, f"{out}{err}")


def generations():
    """Old, encrypted and slow plugs, and their habits."""
    cases = (("mss310-1.1.18", ()), ("mss110-7.3.37", ()), ("mss310-2.1.17", ()), ("mss315-9.5.33", ()),
             ("mss310", ("http_bare_lf=1",)), ("mss310", ("lost_setack=1",)),
             ("mss310", ("wifix=1", "ecdhe=1")), ("mss310", ("wifix=0", "ecdhe=0")))
    for model, options in cases:
        with Broker(MEROSSD) as b:
            words = [w for o in options for w in ("--option", o)]
            with Sim(b, "--ap", "--type", model, *words) as sim:
                code, out, err = pair(b, sim)
                check(code == 0, f"{model} {options}: {code}\n{out}{err}")
                plug = plugs_of(b)[0]
                check(plug["key"] == "own" and plug["online"], f"{model} {options}: {plug}")
                check(sim.asked("Config.Wifi") + sim.asked("Config.WifiX") == 1, "told twice")


def one_access_point_of_two():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--bssid", "DE:AD:00:00:BE:F0")
        check(code == 0, f"{out}{err}")
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--bssid", "DE:AD:00:00:00:00")
        check(code == 1 and "from that access point" in err, err)
        nothing_registered(b)


class Terminal:
    """A verb on a terminal; what it prints is in `text`."""

    def __init__(self, broker, *words):
        self.text, self.status = "", None
        argv = [MEROSSD, words[0], "-h", "127.0.0.1", "-p", str(broker.tcp), *map(str, words[1:])]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp(argv[0], argv)

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


def by_a_person():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        t = Terminal(b, "pair", "--plug", sim.at())
        t.wait(r"Network \[1-4\]: $")
        check(re.search(r"1\) Home +96 %  good  WPA", t.text), t.text)
        check("open" in t.text and "Café \"Zur Post\"" in t.text, t.text)
        for wrong in ("9", "0", "x", ""):
            t.type(wrong + "\n")
        t.type("1\n")
        t.wait(r"Password of Home: $")
        t.type(SECRET + "\n")
        t.wait(r"Name for this plug")
        t.type("a/b\n")
        t.wait(r"none of / \+ #")
        t.type("Küche\n")
        check(t.end() == 0, t.text)
        check(SECRET not in t.text, "the password was shown")
        check("\033[32m✓" in t.text and "Küche is ready" in t.text, t.text)


def paired_again():
    """A plug that was known is reset and set up again: it keeps its name until it is there."""
    with Broker(MEROSSD) as b:
        with Sim(b, "--ap") as sim:
            check(pair(b, sim, "--name", "kettle")[0] == 0, "")
        with Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--name", "boiler", ssid="Home5G")
            check(code == 1 and plugs_of(b)[0]["name"] == "kettle", f"{err} {plugs_of(b)}")
        with Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--name", "boiler")
            check(code == 0 and "boiler is ready" in out, f"{out}{err}")
            plug = plugs_of(b)[0]
            check(plug["name"] == "boiler" and plug["key"] == "own" and plug["online"], f"{plug}")
            check(verb(b, "toggle", "boiler")[0] == 0, "it does not obey its second key")


def ctrl_c_at_a_prompt():
    for prompt, answers in ((r"Network \[1-4\]: $", []), (r"Password of Home: $", ["1\n"])):
        with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            t = Terminal(b, "pair", "--plug", sim.at())
            for answer in answers:
                t.wait(r"Network \[1-4\]: $")
                t.type(answer)
            t.wait(prompt)
            t.type("\x03")
            check(t.end() == 1 and "interrupted" in t.text and "untouched" in t.text, t.text)
            nothing_registered(b)


# ---------------------------------------------------------------- the failures of pair

def wrong_password():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, password="not the password", patience=60)
        check(code == 1 and "password error" in err and "back in set-up mode" in err, err)
        nothing_registered(b)
        code, out, err = pair(b, sim)  # and again, right
        check(code == 0, f"{out}{err}")


def network_not_seen():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--json", ssid="Home5G")
        check(code == 1 and "5 GHz" in err and '"Home"' in err and "untouched" in err, err)
        check(json.loads(out)["code"] == "network_not_seen", out)
        nothing_registered(b)
        check(sim.asked("Config.Key") == 0, "it was told something")


def wpa3_only():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--option", "home_encryption=9") as sim:
        code, out, err = pair(b, sim)
        check(code == 1 and "WPA3" in err, err)
        nothing_registered(b)


def no_such_password():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        for password, word in (("", "needs a password"), ("short77", "at least 8"),
                               ("x" * 65, "at most 64")):
            code, out, err = pair(b, sim, password=password)
            check(code == 1 and word in err, err)
        code, out, err = verb(b, "pair", "--plug", sim.at(), "--ssid", "Home")
        check(code == 1 and "no password" in err, err)
        nothing_registered(b)


def slow_and_lost_lists():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--option", "http_max=300") as sim:
        code, out, err = pair(b, sim)
        check(code == 1 and "ends in the middle" in err and "untouched" in err, err)
        nothing_registered(b)


def the_plug_never_comes():
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--option", "join_ms=1000000", forgiving=True) as sim:
        code, out, err = pair(b, sim, "--timeout", "3")
        check(code == 4 and "within 3 s" in err and "its key is kept" in err, f"{code} {err}")
        check("Blinking green" in err and "Amber and green" in err, err)
        check(b'"expected":true' in records(b) or plugs_of(b) == [], "it is shown as a plug")


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


def the_broker_is_tested_first():
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        mute = Fake(lambda s: s.recv(1) and time.sleep(0) or s.recv(100000) and s.recv(1))
        with mute, Fake(lambda s: s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as web:
            cases = ((("--port", free_port()), "refuses connections"),
                     (("--port", b.tcp), "does not speak TLS"),
                     (("--port", web.port), "does not speak TLS"),
                     (("--host", "no-such-host.invalid"), "no host that this computer knows"))
            for options, words in cases:
                code, out, err = pair(b, sim, *options)
                check(code == 1 and words in err and "untouched" in err, f"{options}: {err}")
        check("http" not in sim.program.text().replace("plug 0 http " + str(sim.port()), ""),
              "the plug was asked something")
        nothing_registered(b)


def a_broker_without_bind():
    """A plain broker relays, and answers nothing: mosquitto, where it is installed."""
    path = next((p for p in ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
                 if os.path.exists(p)), None)
    if path is None:
        raise harness.Skip("no mosquitto")
    with Broker(MEROSSD) as b, Sim(b, "--ap") as sim, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for f in ("server.pem", "server.key", "server-ec.pem", "server-ec.key"):
            copy = pathlib.Path(folder) / f
            copy.write_bytes((pathlib.Path(b.state) / f).read_bytes())
            os.chmod(copy, 0o644)
        # [trap 15] With an ECDSA certificate alone a plug finds no cipher suite.
        for name, words in (("server", "does not answer a plug's Bind"),
                            ("server-ec", "with an RSA certificate")):
            port = free_port()
            conf = pathlib.Path(folder) / "m.conf"
            conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n"
                            f"tls_version tlsv1.2\n"
                            f"certfile {folder}/{name}.pem\nkeyfile {folder}/{name}.key\n")
            plain = Program([path, "-c", conf])
            try:
                plain.wait_line("running")
                code, out, err = pair(b, sim, "--port", port)
                check(code == 1 and words in err and "untouched" in err, err)
            finally:
                plain.kill()
        nothing_registered(b)


def nobody_there():
    with Broker(MEROSSD) as b:
        code, out, err = verb(b, "pair", "--plug", f"127.0.0.1:{free_port()}", "--ssid", "x",
                              "--find-timeout", "2", stdin=b"\n")
        check(code == 1 and "Bluetooth" in err and "adopt" in err, f"{code} {err}")


class WebPlug(http.server.BaseHTTPRequestHandler):
    """What is at the address is a web server."""

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"<html>router</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def a_web_server_is_no_plug():
    with Broker(MEROSSD) as b:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebPlug)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"127.0.0.1:{server.server_address[1]}"
        code, out, err = verb(b, "pair", "--plug", at, "--ssid", "x", stdin=b"\n")
        check(code == 1 and "really in the plug's network" in err, err)
        code, out, err = verb(b, "adopt", at)
        check(code == 1 and "is that the plug's address" in err, err)
        server.shutdown()


def a_name_that_is_taken():
    with Broker(MEROSSD) as b, Sim(b, "--type", "mss210") as other:
        other.event("^plug 0 bound")
        name = plugs_of(b)[0]["name"]
        with Sim(b, "--ap", "--type", "mss310", "--option",
                 "uuid=2101011234567890123448e1e9aabbcc", "--option",
                 "mac=48:e1:e9:aa:bb:cc") as sim:
            code, out, err = pair(b, sim, "--name", name.upper())
            check(code == 1 and "another plug is called" in err and "untouched" in err, err)
            check(sim.asked("Config.Key") == 0, "it was told something")


def interrupts():
    """Ctrl-C at each step: the plug is untouched and no key is left, or it is set up whole."""
    steps = ("answers plugs", "found mss310", "looks for networks", "random key", "time and zone",
             "knows its broker", "restarts", "in the network")
    for step in steps:
        with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", "mss310", forgiving=True) as sim:
            p = Program([MEROSSD, "pair", "-h", "127.0.0.1", "-p", b.tcp, "--plug", sim.at(),
                         "--ssid", "Home"], stdin=True)
            p.tell(SECRET)
            p.wait_line(step)
            p.process.send_signal(signal.SIGINT)
            status = p.wait()
            text = p.text()
            keyed, told = sim.asked("Config.Key"), sim.asked("Config.WifiX")
            # One that came when all was done ends the program the usual way.
            check(status in (0, 1) or "is ready" in text, f"{step}: {status} {text}")
            check(keyed == told, f"{step}: half of it was told\n{sim.program.text()}")
            if told == 0:
                check("untouched" in text, f"{step}: {text}")
                nothing_registered(b)
            else:
                check("goes on by itself" in text or "is ready" in text, f"{step}: {text}")
                sim.event("^plug 0 bound")
                deadline = time.monotonic() + harness.PATIENCE
                while not any(x["key"] == "own" and x["online"] for x in plugs_of(b)):
                    check(time.monotonic() < deadline, f"{step}: {plugs_of(b)}")


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


def joins_and_comes_back():
    for way, stand in ways_to_join():
        with stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--join", env=stand.env)
            check(code == 0, f"{way}: {out}{err}\n{stand.log()}")
            check("joining Meross_SW_3456" in out, out)
            check(not stand.has("inside") and not stand.has("profile"), f"{way}:\n{stand.log()}")
            check(SECRET not in stand.log(), "the password in the words of a program")
            if way == "nmcli":
                check(stand.has("home") and "My:Home" in out, f"{out}\n{stand.log()}")
                check("never-default yes" in stand.log(), stand.log())
            else:
                check("ip addr add 10.10.10.199/24 dev mrspair0" in stand.log(), stand.log())


def comes_back_after_a_failure():
    for way, stand in ways_to_join():
        with stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
            code, out, err = pair(b, sim, "--join", ssid="Home5G", env=stand.env)
            check(code == 1 and "5 GHz" in err, f"{way}: {err}")
            check(not stand.has("inside") and not stand.has("profile"), f"{way}:\n{stand.log()}")
            check(way == "iw" or stand.has("home"), stand.log())
            # It does not let us in at all.
            (stand.path / "refuses").touch()
            code, out, err = verb(b, "pair", "--plug", f"127.0.0.1:{free_port()}", "--ssid", "Home",
                                  "--join", env=stand.env)
            check(code == 1 and "cannot join the plug's network" in err, f"{way}: {err}")
            check(not stand.has("inside") and not stand.has("profile"), f"{way}:\n{stand.log()}")
            nothing_registered(b)


def comes_back_after_ctrl_c():
    for way, stand in ways_to_join():
        for step in ("joining Meross", "found mss310", "looks for networks"):
            with Broker(MEROSSD) as b, Sim(b, "--ap", forgiving=True) as sim:
                p = Program([MEROSSD, "pair", "-h", "127.0.0.1", "-p", b.tcp, "--plug", sim.at(),
                             "--ssid", "Home", "--join"], stdin=True,
                            env={**os.environ, **stand.env})
                p.wait_line(step)
                p.process.send_signal(signal.SIGINT)
                check(p.wait() == 1, p.text())
                check(not stand.has("inside") and not stand.has("profile"),
                      f"{way}, {step}:\n{stand.log()}")
                nothing_registered(b)
        stand.folder.cleanup()


def looks_back_for_the_reason():
    """With --join the plug's network is joined once more when the plug does not arrive."""
    with Stand(NMCLI_AIR, nmcli=NMCLI) as stand, Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--join", password="not the password", env=stand.env)
        check(code == 1 and "password error" in err, err)
        check(stand.log().count("connection up id merossd-pair") == 2, stand.log())
        check(not stand.has("inside") and not stand.has("profile"), stand.log())
        nothing_registered(b)


def no_tool_no_network():
    with Stand("", nmcli="#!/bin/sh\nexit 127\n", iw="#!/bin/sh\nexit 127\n") as stand, \
            Broker(MEROSSD) as b, Sim(b, "--ap") as sim:
        code, out, err = pair(b, sim, "--join", env=stand.env)
        check(code == 1 and "nmcli" in err and "iw" in err, err)
        check("Without --join" in err, err)


# ---------------------------------------------------------------- adopt

def adopts_with_each_key():
    for key, more in (("", ()), ("meross", ()), ("my old key", ("-c",)), ("my old key", ("file",))):
        for model in ("mss310", "mss110-7.3.37"):
            with Broker(MEROSSD) as old, Broker(MEROSSD) as b, \
                    Sim(old, "--type", model, "--key", key) as sim, \
                    tempfile.TemporaryDirectory() as folder:
                sim.event("^plug 0 bound")
                words = []
                if more == ("-c",):
                    conf = pathlib.Path(folder) / "c.conf"
                    conf.write_text(f"meross_key {key}\n")
                    words = ["-c", conf]
                elif more:
                    file = pathlib.Path(folder) / "key"
                    file.write_text(key + "\n")
                    words = ["--key-file", file]
                code, out, err = verb(b, "adopt", sim.at(), "--name", "kettle", *words)
                check(code == 0, f"{model} {key!r}: {out}{err}")
                check("kettle is ready" in out and "random key" in out, out)
                plug = plugs_of(b)[0]
                check(plug["name"] == "kettle" and plug["key"] == "own" and plug["online"],
                      f"{plug}")
                check(key == "" or key == "meross" or key not in out + err + b.program.text(),
                      "the key is told")
                if more:
                    continue
                code, out, err = verb(b, "adopt", sim.at())  # with whose key? nobody can say
                check(code == 1 and "5001" in err and "nothing" not in err, err)


def adopt_rekeys_here():
    """[trap 11] The plug is here already, with the empty key: it gets one of its own."""
    with Broker(MEROSSD) as b, Sim(b, "--type", "mss310") as sim:
        sim.event("^plug 0 bound")
        check(plugs_of(b)[0]["key"] == "empty", f"{plugs_of(b)}")
        code, out, err = verb(b, "adopt", sim.at(), "--json", "--name", "kettle")
        check(code == 0 and json.loads(out)["name"] == "kettle", f"{out}{err}")
        check(plugs_of(b)[0]["key"] == "own", f"{plugs_of(b)}")
        check(verb(b, "toggle", "kettle")[0] == 0, "it does not obey")


def adopt_with_an_unknown_key():
    with Broker(MEROSSD) as old, Broker(MEROSSD) as b:
        for model in ("mss310", "mss110-7.3.37"):
            with Sim(old, "--type", model, "--key", "nobody knows") as sim:
                port = sim.port()
                code, out, err = verb(b, "adopt", f"127.0.0.1:{port}")
                check(code == 1 and "5001" in err and "--key-file" in err, f"{model}: {err}")
                check("untouched" in err and sim.asked("Config.Key") == 0, err)
                nothing_registered(b)
                t = Terminal(b, "adopt", f"127.0.0.1:{port}")
                t.wait("Key of the plug")
                t.type("wrong\n")
                t.wait("not its key either")
                t.type("nobody knows\n")
                check(t.end() == 0, t.text)
                check("nobody knows" not in t.text, "the key was shown")
            name = plugs_of(b)[0]["name"]
            check(verb(b, "forget", name, "--yes")[0] == 0, "")


def adopt_nobody():
    with Broker(MEROSSD) as b:
        code, out, err = verb(b, "adopt", f"127.0.0.1:{free_port()}")
        check(code == 1 and "is that its address" in err, err)


# ---------------------------------------------------------------- move-all, unbind

def ten_plugs_move():
    models = "mss310,mss210,mss425e,mss110-7.3.37,mss305-8.3.15"
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new, \
            Sim(old, "--type", models, "--count", "10") as sim:
        for i in range(10):
            sim.event(rf"^plug {i} bound")
        deadline = time.monotonic() + 2 * harness.PATIENCE
        while not (len(plugs_of(old)) == 10 and all(p["online"] for p in plugs_of(old))):
            check(time.monotonic() < deadline, f"{plugs_of(old)}")
        for i, p in enumerate(plugs_of(old)):
            check(verb(old, "rename", p["uuid"], f"Lampe {i}")[0] == 0, "")
        before = {p["uuid"]: p["name"] for p in plugs_of(old)}
        to = ("--port", new.tls, "--to-port", new.tcp)
        code, out, err = verb(old, "move-all", "127.0.0.1", *to, patience=280)
        check(code == 0 and "10 of 10 plugs" in out, f"{code} {out}{err}")
        after = plugs_of(new)
        check({p["uuid"]: p["name"] for p in after} == before, f"{after}")
        check(all(p["online"] and p["key"] == "own" for p in after), f"{after}")
        for p in after:
            code, out, err = verb(new, "toggle", p["name"])
            check(code == 0, f"{p['name']}: {err}")
        code, out, err = verb(old, "move-all", "127.0.0.1", *to)  # again: nothing is left to do
        check(code == 0 and out.count("there already") == 10, out)
        code, out, err = verb(old, "move-all", "127.0.0.1", *to, "--json")
        check(json.loads(out)["there_already"] == 10, out)


def new_firmware_is_not_hurried():
    """[trap 39] Firmware 8 restarts under a burst: whoever asks, right after it connected."""
    with Broker(MEROSSD) as b, Sim(b, "--type", "mss305-8.3.15") as sim:
        sim.event("^plug 0 bound")
        name = plugs_of(b)[0]["name"]
        switches = [subprocess.Popen([MEROSSD, "on", "-p", str(b.tcp), name]) for _ in range(4)]
        check([s.wait(60) for s in switches] == [0] * 4, sim.program.text())


def new_firmware_moves():
    """[trap 39] The request to move waits its turn."""
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new, \
            Sim(old, "--type", "mss305-8.3.15") as sim:
        sim.event("^plug 0 bound")
        code, out, err = verb(old, "move-all", "127.0.0.1", "--port", new.tls, "--to-port", new.tcp)
        check(code == 0 and "1 of 1 plug" in out, f"{code} {out}{err}")
        check(plugs_of(new)[0]["key"] == "own", f"{plugs_of(new)}")


def some_plugs_stay():
    with Broker(MEROSSD) as old, Broker(MEROSSD) as new:
        with Sim(old, "--type", "mss210") as gone:
            gone.event("^plug 0 bound")
            name = plugs_of(old)[0]["name"]
        with Sim(old, "--type", "mss310") as sim:
            sim.event("^plug 0 bound")
            check(verb(old, "rename", name, "away")[0] == 0, "")
            to = ("--port", new.tls, "--to-port", new.tcp)
            code, out, err = verb(old, "move-all", "127.0.0.1", *to)
            check("away  offline: away is not connected" in out and "1 of 2" in out and code == 4, f"{code} {out}{err}")
            check(len(plugs_of(new)) == 1, f"{plugs_of(new)}")


def move_refusals():
    with Broker(MEROSSD) as old, Sim(old, "--type", "mss310") as sim:
        sim.event("^plug 0 bound")
        code, out, err = verb(old, "move-all", "127.0.0.1", "--port", free_port())
        check(code == 1 and "refuses connections" in err and "No plug was touched" in err, err)
        with Broker(MEROSSD, extra="allow_anonymous false\n") as new:
            code, out, err = verb(old, "move-all", "127.0.0.1", "--port", new.tls, "--to-port",
                                  new.tcp)
            check(code == 1 and "not authorised" in err, f"{code} {err}")
            nothing = plugs_of(old)
            check(nothing[0]["online"], "it was moved")


def unbinds():
    with Broker(MEROSSD) as b, Sim(b, "--type", "mss310", forgiving=True) as sim:
        sim.event("^plug 0 bound")
        name = plugs_of(b)[0]["name"]
        code, out, err = verb(b, "unbind", name)
        check(code == 2 and "--yes" in err, err)
        t = Terminal(b, "unbind", name)
        t.wait("Type its name")
        t.type("something\n")
        check(t.end() == 1 and "nothing was changed" in t.text, t.text)
        check(len(plugs_of(b)) == 1, "it is gone")
        t = Terminal(b, "unbind", name)
        t.wait("Type its name")
        t.type(name + "\n")
        check(t.end() == 0 and "is reset and forgotten" in t.text, t.text)
        check(plugs_of(b) == [], f"{plugs_of(b)}")
        code, out, err = verb(b, "unbind", name, "--yes")
        check(code == 3 and "no plug" in err, err)


# ---------------------------------------------------------------- bad input

def bad_input():
    long = "x" * 33
    cases = ((("pair",), "give --ssid"),
             (("pair", "--ssid", ""), "1 to 32 bytes"),
             (("pair", "--ssid", long), "1 to 32 bytes"),
             (("pair", "--ssid", "a", "--bssid", "zz"), "MAC address"),
             (("pair", "--bssid", "de:ad:00:00:be:ef", "--ssid", "a", "--host", ""), "--host"),
             (("pair", "--ssid", "a", "--host", "a b"), "--host"),
             (("pair", "--ssid", "a", "--host", "h" * 64), "at most 63"),
             (("pair", "--ssid", "a", "--port", "0"), "1 to 65535"),
             (("pair", "--ssid", "a", "--port", "65536"), "0 to 65535"),
             (("pair", "--ssid", "a", "--name", "a/b"), "--name"),
             (("pair", "--ssid", "a", "--name", long), "--name"),
             (("pair", "--ssid", "a", "--timeout", "0"), "1 to 3600"),
             (("pair", "--ssid", "a", "--timeout", "3601"), "0 to 3600"),
             (("pair", "--ssid", "a", "--interface", "wlan0"), "beside --join"),
             (("pair", "--ssid", "a", "--join", "--interface", "-x"), "beside --join"),
             (("pair", "--ssid", "a", "--plug", ""), "no address"),
             (("pair", "--ssid", "a", "--plug", "10.10.10.1:0"), "no address"),
             (("pair", "--ssid", "a", "--plug", "a b"), "no address"),
             (("pair", "--ssid", "a", "--password-file", "/nowhere/file"), "cannot read"),
             (("pair", "word", "--ssid", "a"), "too many words"),
             (("pair", "--bogus"), "unknown option"),
             (("adopt",), "something is missing"),
             (("adopt", "a b"), "no address"),
             (("adopt", "a", "b"), "too many words"),
             (("adopt", "127.0.0.1:99999"), "no address"),
             (("adopt", "127.0.0.1", "--key-file", "/nowhere/file"), "cannot read"),
             (("adopt", "127.0.0.1", "-c", "/nowhere/file"), "/nowhere/file"),
             (("adopt", "127.0.0.1", "--name", "broker"), "--name"),
             (("move-all",), "something is missing"),
             (("move-all", "a b"), "HOST"),
             (("move-all", "h" * 64), "at most 63"),
             (("move-all", "h", "--port", "0"), "1 to 65535"),
             (("move-all", "h", "--to-port", "0"), "1 to 65535"),
             (("move-all", "h", "--timeout", "0"), "1 to 3600"),
             (("unbind",), "something is missing"),
             (("unbind", "a"), "--yes"))
    with Broker(MEROSSD) as b:
        for words, wanted in cases:
            code, out, err = verb(b, *words)
            check(code == 2 and wanted in err, f"{words}: {code} {err}")
            check(len(err.strip().splitlines()) <= 2, f"{words}: {err}")
    # No broker at all.
    nobody = type("Nobody", (), {"tcp": free_port()})
    for words in (("pair", "--ssid", "a"), ("adopt", "127.0.0.1"), ("move-all", "127.0.0.1"),
                  ("unbind", "a", "--yes")):
        code, out, err = verb(nobody, *words)
        check(code == 1 and "cannot reach a broker" in err, f"{words}: {err}")
    for word in ("pair", "adopt", "move-all", "unbind"):
        done = subprocess.run([MEROSSD, "help", word], capture_output=True)
        check(done.returncode == 0 and b"--" in done.stdout, f"{done}")


if __name__ == "__main__":
    raise SystemExit(harness.main([
        the_whole_way, json_for_programs, generations, one_access_point_of_two, by_a_person, paired_again,
        ctrl_c_at_a_prompt,
        wrong_password, network_not_seen, wpa3_only, no_such_password, slow_and_lost_lists,
        the_plug_never_comes, the_broker_is_tested_first, a_broker_without_bind, nobody_there,
        a_web_server_is_no_plug, a_name_that_is_taken, interrupts, joins_and_comes_back,
        comes_back_after_a_failure, comes_back_after_ctrl_c, looks_back_for_the_reason,
        no_tool_no_network, adopts_with_each_key, adopt_rekeys_here, adopt_with_an_unknown_key,
        adopt_nobody, ten_plugs_move, new_firmware_is_not_hurried, new_firmware_moves, some_plugs_stay, move_refusals, unbinds, bad_input]))
