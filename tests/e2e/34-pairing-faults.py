#!/usr/bin/env python3
"""34-pairing-faults.py MEROSSD PLUGSIM [words] - everything that can go wrong with `merossd pair`, and
the words that the verbs of pairing do not take."""
import http.server
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import harness
from harness import Broker, Program, check, free_port
from pairing import (MEROSSD, SECRET, Fake, Sim, nothing_registered, pair, plugs_of, records,
                     side_by_side, verb)


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


def interrupted_at(step):
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


def nobody_reads_on():
    """`merossd pair ... | head -3`: as with Ctrl-C, what was begun is undone."""
    with Broker(MEROSSD) as b, Sim(b, "--ap", "--type", "mss310", forgiving=True) as sim:
        p = subprocess.Popen([MEROSSD, "pair", "-h", "127.0.0.1", "-p", str(b.tcp), "--plug",
                              sim.at(), "--ssid", "Home"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(SECRET.encode() + b"\n")
        p.stdin.flush()
        while b"looks for networks" not in p.stdout.readline():
            check(p.poll() is None, "it ended")
        p.stdout.close()
        err = p.stderr.read().decode()
        check(p.wait(harness.PATIENCE) == 1 and "untouched" in err, f"{p.returncode} {err}")
        check(sim.asked("Config.Key") == 0, "the plug was told")
        nothing_registered(b)


def interrupts():
    """Ctrl-C at each step: the plug is untouched and no key is left, or it is set up whole."""
    side_by_side(interrupted_at, (
        ("answers plugs",), ("found mss310",), ("looks for networks",), ("random key",),
        ("time and zone",), ("knows its broker",), ("restarts",), ("in the network",)))


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
             (("pair", "--ssid", "a", "--ap-name", "Meross_SW_1"), "beside --join"),
             (("pair", "--ssid", "a", "--join", "--ap-name", ""), "beside --join"),
             (("pair", "--ssid", "a", "--join", "--ap-name", long), "beside --join"),
             (("pair", "--ssid", "a", "--plug", ""), "no address"),
             (("pair", "--ssid", "a", "--plug", "10.10.10.1:0"), "no address"),
             (("pair", "--ssid", "a", "--plug", "a b"), "no address"),
             (("pair", "--ssid", "a", "--password-file", "/nowhere/file"), "cannot read"),
             (("pair", "word", "--ssid", "a"), "too many words"),
             (("pair", "--bogus"), "unknown option"),
             (("adopt",), "needs ADDRESS"),
             (("adopt", "a b"), "no address"),
             (("adopt", "a", "b"), "too many words"),
             (("adopt", "127.0.0.1:99999"), "no address"),
             (("adopt", "127.0.0.1", "--key-file", "/nowhere/file"), "cannot read"),
             (("adopt", "127.0.0.1", "-c", "/nowhere/file"), "/nowhere/file"),
             (("adopt", "127.0.0.1", "--name", "broker"), "--name"),
             (("move-all",), "needs HOST"),
             (("move-all", "a b"), "HOST"),
             (("move-all", "h" * 64), "at most 63"),
             (("move-all", "h", "--port", "0"), "1 to 65535"),
             (("move-all", "h", "--to-port", "0"), "1 to 65535"),
             (("move-all", "h", "--timeout", "0"), "1 to 3600"),
             (("unbind",), "needs PLUG"),
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
        wrong_password, network_not_seen, wpa3_only, no_such_password, slow_and_lost_lists,
        the_plug_never_comes, the_broker_is_tested_first, a_broker_without_bind, nobody_there,
        a_web_server_is_no_plug, a_name_that_is_taken, interrupts, nobody_reads_on, bad_input]))
