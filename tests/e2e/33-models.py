#!/usr/bin/env python3
"""33-models.py MEROSSD PLUGSIM [words] - every simulated model over TLS; the access point of one."""
import base64
import hashlib
import http.client
import json
import pathlib
import secrets
import sys

import harness
from harness import Broker, Program, check, free_port

MEROSSD, PLUGSIM = harness.program_arguments()
MODELS = sorted(f.stem for f in
                (pathlib.Path(__file__).resolve().parents[1] / "plugsim/models").glob("*.json"))


def ended(sim):
    sim.tell("quit")
    status = sim.wait()
    check(status == 0, f"plugsim ended with {status}:\n{sim.text()[-3000:]}")
    check(not harness.SANITIZER.search(sim.text()), sim.text()[-3000:])


def every_model_binds_over_tls():
    with Broker(MEROSSD) as broker:
        sim = Program([PLUGSIM, "--port", broker.tls, "--model", ",".join(MODELS)], stdin=True)
        for i in range(len(MODELS)):
            sim.wait_line(rf"^plug {i} bound", patience=60)
        code, out, err = broker.client("list", "--json")
        check(code == 0, f"merossd list: {code} {err}")
        plugs = json.loads(out)["plugs"]
        check(len(plugs) == len(MODELS), f"{len(plugs)} of {len(MODELS)} in the list")
        check(all(p["online"] for p in plugs), "one is not online")
        ended(sim)


def post(port, method, namespace, payload, key=""):
    """One request to the HTTP server of a simulated plug: the answer's method and payload."""
    message, stamp = secrets.token_hex(16), 1700000000
    body = json.dumps({"header": {
        "messageId": message, "method": method, "namespace": namespace, "payloadVersion": 1, "from": "",
        "timestamp": stamp, "timestampMs": 0,
        "sign": hashlib.md5(f"{message}{key}{stamp}".encode()).hexdigest()}, "payload": payload})
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.PATIENCE)
    link.request("POST", "/config", body)
    answer = json.loads(link.getresponse().read())
    link.close()
    return answer["header"]["method"], answer["payload"]


def from_the_access_point_to_the_second_host():
    """The first host is not there (trap 37): the plug comes to the second."""
    key = secrets.token_hex(16)
    with Broker(MEROSSD, extra=f"meross_key {key}") as broker:
        sim = Program([PLUGSIM, "--ap", "--http", "0", "--model", "mss315-9.5.33",
                       "--option", "wifi_list_ms=50", "--option", "join_ms=50",
                       "--option", "retry_ms=100"], stdin=True)
        port = int(sim.wait_line(r"^plug 0 http \d+$").split()[-1])
        network = next(n for n in post(port, "GET", "Appliance.Config.WifiList", {})[1]["wifiList"]
                       if base64.b64decode(n["ssid"]) == b"home")
        del network["signal"]
        gateway = {"host": "127.0.0.1", "port": free_port(), "secondHost": "127.0.0.1",
                   "secondPort": broker.tls, "redirect": 1}
        post(port, "SET", "Appliance.Config.Key", {"key": {"gateway": gateway, "key": key, "userId": "0"}})
        password = base64.b64encode(b"hunter2secret").decode()
        post(port, "SET", "Appliance.Config.Wifi", {"wifi": {**network, "password": password}})
        sim.wait_line("^plug 0 wifi joined")
        sim.wait_line("^plug 0 unreachable no connection")
        sim.wait_line("^plug 0 bound")
        method, payload = post(port, "GET", "Appliance.System.All", {}, key)
        check(method == "GETACK" and payload["all"]["system"]["online"]["status"] == 1, f"{payload}")
        method, payload = post(port, "GET", "Appliance.System.All", {}, "another")
        check(method == "ERROR" and payload["error"]["code"] == 5001, f"{payload}")
        ended(sim)


def a_wrong_password_brings_the_access_point_back():
    sim = Program([PLUGSIM, "--ap", "--http", "0", "--option", "join_ms=50"], stdin=True)
    port = int(sim.wait_line(r"^plug 0 http \d+$").split()[-1])
    home = base64.b64encode(b"home").decode()
    post(port, "SET", "Appliance.Config.Wifi", {"wifi": {"ssid": home, "password": home}})
    sim.wait_line("^plug 0 wifi failed")
    trace = post(port, "GET", "Appliance.Config.Trace", {"trace": {}})[1]["trace"]
    check(trace["code"] != 0, f"{trace}")
    ended(sim)


def a_model_that_is_none():
    code, _, err = harness.run([PLUGSIM, "--model", "mss999", "--until", "1"])
    check(code == 2 and "unknown type: mss999" in err, f"{code} {err}")


TESTS = [every_model_binds_over_tls, from_the_access_point_to_the_second_host,
         a_wrong_password_brings_the_access_point_back, a_model_that_is_none]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS))
