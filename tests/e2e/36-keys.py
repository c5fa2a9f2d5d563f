#!/usr/bin/env python3
"""36-keys.py MEROSSD PLUGSIM [words] - a plug's own key is told to the broker and to nobody else."""
import json
import sys

import harness
from harness import Broker, Client, Program, check, free_port

MEROSSD, PLUGSIM = harness.program_arguments()
UUID, MAC = "2101011234567890123448e1e9123456", "48:e1:e9:12:34:56"
KEY = "8f4e2a90d1b3475c9e6f0a1b2c3d4e5f"
ASK, TELL = "meross/broker/request/key", "meross/broker/response/key"


def request(key=KEY):
    return json.dumps({"transaction": "t", "uuid": UUID, "mac": MAC, "key": key})


def tell(client, key=KEY, **how):
    """Tells the key, and waits until everything it caused has been said."""
    client.subscribe(TELL)
    client.publish(ASK, request(key), **how)
    return json.loads(client.message(lambda m: m["topic"] == TELL)["payload"])


def nobody_hears_the_key():
    remote = free_port()
    bridge = (f"connection everything\naddress 127.0.0.1:{remote}\ntopic # out 1\n"
              "restart_timeout 1\n")
    with Broker(MEROSSD) as far:
        far.stop()
        far.tcp = remote
        far.start(same_ports=True)
        with Broker(MEROSSD, extra=bridge) as b:
            spies = []
            for i, topic in enumerate(("#", "meross/#", "meross/broker/request/+", "+/+/+/key")):
                spies.append(Client(b.tcp, f"spy{i}"))
                check(spies[i].subscribe(topic, 1)[0] == 1, f"{topic} is no secret by itself")
            far_spy = Client(far.tcp, "far-spy")
            far_spy.subscribe("#", 1)
            sleeper = Client(b.tcp, "sleeper", clean=False)
            sleeper.subscribe("#", 1)
            sleeper.disconnect()
            check(spies[0].subscribe(ASK, 1)[0] == 0x80, "the topic itself was granted")
            teller = Client(b.tcp, "teller")
            for how in ({}, {"qos": 1}, {"qos": 2}, {"qos": 1, "retain": True}):
                answer = tell(teller, **how)
                check(answer["status"] == "ok", f"{how}: {answer}")
            marker = "the end of it"
            teller.publish("meross/marker/end", marker, qos=1)
            for spy in (*spies[:2], far_spy):
                seen = []
                while not seen or seen[-1]["topic"] != "meross/marker/end":
                    seen.append(spy.message())
                check(not any(KEY in str(m) or m["topic"] == ASK for m in seen), "heard the key")
            for spy in spies[2:]:
                spy.ping()
                check(not any(KEY in str(m) or m["topic"] == ASK for m in spy.messages), "heard it")
            sleeper = Client(b.tcp, "sleeper", clean=False)
            seen = [sleeper.message()]
            while seen[-1]["topic"] != "meross/marker/end":
                seen.append(sleeper.message())
            check(not any(KEY in str(m) for m in seen), "the key waited for a sleeper")
            late = Client(b.tcp, "late")
            late.subscribe("#", 1)
            late.ping()
            check(not any(KEY in str(m) for m in late.messages), "the key was retained")
            check(KEY not in b.program.text(), "the key is in the log")


def until(client, condition):
    """The one plug of the registry, once it is so."""
    while True:
        plugs = json.loads(client.message(lambda m: m["topic"] == "meross/broker/plugs")["payload"])
        plugs = plugs["plugs"] if isinstance(plugs, dict) else plugs
        if len(plugs) == 1 and condition(plugs[0]):
            return plugs[0]


def a_plug_comes_with_its_own_key():
    with Broker(MEROSSD) as b:
        sim = Program([PLUGSIM, "--port", b.tls, "--type", "mss310", "--key", KEY], stdin=True)
        sim.wait_line("^plug 0 bound")
        watcher = Client(b.tcp, "watcher")
        watcher.subscribe("meross/broker/plugs", 1)
        plug = until(watcher, lambda p: p["key"] == "unknown" and p["online"])
        watcher.subscribe(TELL)
        watcher.publish(ASK, json.dumps({"uuid": plug["uuid"], "mac": plug["mac"], "key": KEY}))
        watcher.message(lambda m: m["topic"] == TELL)
        mark = sim.mark()
        b.stop()
        b.extra = "meross_auth strict"
        b.start(same_ports=True)
        sim.wait_line("^plug 0 bound", mark)
        watcher = Client(b.tcp, "watcher")
        watcher.subscribe("meross/broker/plugs", 1)
        plug = until(watcher, lambda p: p["key"] == "own" and p["online"])
        code, out, err = b.client("on", plug["name"])
        check(code == 0 and "ON" in out, f"{code} {out} {err}")
        code, out, err = b.client("show", plug["name"], "--json")
        check(code == 0 and KEY not in out + b.program.text(), "the key was shown")
        sim.tell("quit")
        check(sim.wait() == 0, sim.text()[-2000:])


TESTS = [nobody_hears_the_key, a_plug_comes_with_its_own_key]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS))
