#!/usr/bin/env python3
"""30-plugs.py MEROSSD PLUGSIM [words] - the main job: simulated plugs against the real binary."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import tempfile
import time

import harness
from harness import Broker, Client, Failure, Program, Skip, check, run

MEROSSD, PLUGSIM = harness.program_arguments()


class Plugs:
    """A plugsim process; leaving the block ends it, and fails when it saw a violation."""

    def __init__(self, broker, *options):
        self.program = Program([PLUGSIM, "--port", broker.tls, *options], stdin=True)

    def __enter__(self):
        return self

    def event(self, pattern, since=0):
        return self.program.wait_line(pattern, since)

    def tell(self, line):
        self.program.tell(line)

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.program.kill()
            print("--- plugsim said:", *self.program.text().splitlines()[-20:], sep="\n    ")
            return
        self.tell("quit")
        status = self.program.wait()
        check(status == 0, f"plugsim ended with {status}:\n{self.program.text()[-3000:]}")
        check(not harness.SANITIZER.search(self.program.text()), self.program.text()[-3000:])


def plugs_of(broker):
    code, out, err = broker.client("list", "--json")
    check(code == 0, f"merossd list: {code} {err}")
    return json.loads(out)["plugs"]


def wait_plugs(broker, condition, what):
    """Asks again until the list satisfies the condition; bounded."""
    watcher = Client(broker.tcp, f"waiter{time.monotonic_ns()}")
    watcher.subscribe("meross/broker/plugs", 1)
    deadline = time.monotonic() + 3 * harness.PATIENCE
    while time.monotonic() < deadline:
        plugs = plugs_of(broker)
        if condition(plugs):
            watcher.disconnect()
            return plugs
        watcher.message()  # the next change of the registry
    raise Failure(f"not {what}: {plugs_of(broker)}")


def all_online(count):
    """So many plugs are there, and the broker has asked each what it is."""
    return lambda plugs: len(plugs) == count and all(
        p["online"] and p["bound"] and "state" in p["state"] for p in plugs)


def demo_plugs_appear_and_obey():
    with Broker(MEROSSD) as b, Plugs(b, "--demo") as sim:
        for i in range(3):
            sim.event(rf"^plug {i} bound")
        plugs = wait_plugs(b, all_online(3), "three plugs online")
        check({p["type"] for p in plugs} == {"mss210", "mss310", "mss425e"}, f"{plugs}")
        code, out, _ = b.client("list")
        check(code == 0 and len(re.findall(r"\bonline\b", out)) == 3, out)
        name = next(p["name"] for p in plugs if p["type"] == "mss210")
        for verb, state in (("on", "ON"), ("off", "OFF"), ("toggle", "ON"), ("toggle", "OFF")):
            mark = sim.program.mark()
            code, out, err = b.client(verb, name)
            check(code == 0 and state in out, f"{verb} {name}: {code} {out} {err}")
            sim.event(rf"relay 0 {state.lower()}", mark)
        code, out, err = b.client("on", name, "--json")
        check(code == 0 and json.loads(out)["state"] == "ON", f"{code} {out} {err}")
        code, out, err = b.client("show", name)
        check(code == 0 and "mss210" in out, f"{code} {out} {err}")
        json.loads(b.client("show", name, "--json")[1])


def plugs_are_found_by_uuid_mac_and_prefix():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210") as sim:
        sim.event("^plug 0 bound")
        plug = wait_plugs(b, all_online(1), "one plug online")[0]
        for word in (plug["uuid"], plug["mac"], plug["mac"].replace(":", ""), plug["name"].upper(),
                     plug["name"][:7]):
            code, out, err = b.client("toggle", word)
            check(code == 0, f"toggle {word}: {code} {out} {err}")


def channels_of_a_strip():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss425e") as sim:
        sim.event("^plug 0 bound")
        plug = wait_plugs(b, lambda l: all_online(1)(l) and len(l[0]["channels"]) > 1, "a strip")[0]
        channel = plug["channels"][-1]
        code, out, err = b.client("on", plug["name"], "--channel", channel)
        check(code == 0, f"{code} {out} {err}")
        sim.event(rf"relay {channel} on")
        code, out, err = b.client("off", plug["name"], "--channel", "60")
        check(code == 1 and "60" in err, f"a channel that is not there: {code} {out} {err}")


def exit_codes():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210") as sim:
        sim.event("^plug 0 bound")
        name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        for code, words in ((2, ["on"]), (2, ["on", name, "--nonsense"]), (2, ["on", name, "more"]),
                            (2, ["rename", name, "a/b"]), (3, ["on", "nobody"]),
                            (3, ["show", "nobody"]), (3, ["rename", "nobody", "x"])):
            got, out, err = b.client(*words)
            check(got == code, f"{words}: exit {got}, not {code}: {out} {err}")
            check(err.strip() and not out.strip(), f"{words}: nothing on standard error")
        got, _, err = run([MEROSSD, "frobnicate"])
        check(got == 2 and "frobnicate" in err, f"{got} {err}")
        got, out, _ = run([MEROSSD, "--help"])
        check(got == 0 and "toggle" in out, out)
        for verb in ("list", "show", "on", "off", "toggle", "rename", "forget", "watch", "cert"):
            got, out, err = run([MEROSSD, "help", verb])
            check(got == 0 and verb in out, f"help {verb}: {got} {out} {err}")
            check(run([MEROSSD, verb, "--help"])[0] == 0, f"{verb} --help")
        got, _, err = run([MEROSSD, "list", "-h", "127.0.0.1", "-p", harness.free_port()])
        check(got == 1 and err.strip(), f"no broker there: {got} {err}")


def a_plug_that_died_gives_no_answer():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210") as sim:
        sim.event("^plug 0 bound")
        name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        sim.tell("die 0")
        sim.event("^plug 0 dead")
        code, _, err = b.client("on", name)
        check(code == 4 and name in err, f"a dead plug: {code} {err}")


def rename_and_forget():
    with Broker(MEROSSD) as b:
        with Plugs(b, "--type", "mss210", "--option", "retry_ms=500") as sim:
            sim.event("^plug 0 bound")
            old = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
            client = Client(b.tcp, "renamer")
            client.subscribe("meross/+/availability", 1)
            client.message(lambda m: m["topic"] == f"meross/{old}/availability")
            code, out, err = b.client("rename", old, "Kitchen lamp")
            check(code == 0, f"rename: {code} {out} {err}")
            client.message(lambda m: m["topic"] == "meross/Kitchen lamp/availability" and
                           m["payload"] == b"online")
            client.disconnect()
            code, out, err = b.client("on", "kitchen lamp")
            check(code == 0, f"on: {code} {out} {err}")
            check(b.client("on", old)[0] == 3, "the old name is still known")
            b.restart()
            sim.event("^plug 0 closed")
            plug = wait_plugs(b, all_online(1), "the plug is back")[0]
            check(plug["name"] == "Kitchen lamp", f"{plug}")
            # What the tool said is done outlives the death of the broker right after it.
            code, out, err = b.client("rename", "Kitchen lamp", "kitchen Lamp")
            check(code == 0, f"rename: {code} {out} {err}")
            b.crash()
            check(plugs_of(b)[0]["name"] == "kitchen Lamp", f"{plugs_of(b)}")
            b.client("rename", "kitchen Lamp", "Kitchen lamp")
        wait_plugs(b, lambda l: not l[0]["online"], "the plug is offline")
        code, _, err = b.client("on", "Kitchen lamp")
        check(code == 4 and err.strip(), f"an offline plug: {code} {err}")
        code, out, err = b.client("forget", "Kitchen lamp", "--yes")
        check(code == 0, f"forget: {code} {out} {err}")
        check(plugs_of(b) == [], "it was not forgotten")
        fresh = Client(b.tcp, "fresh")
        fresh.subscribe("meross/Kitchen lamp/#", 1)
        fresh.ping()
        check(not fresh.messages, f"something is still retained: {fresh.messages}")
        fresh.disconnect()


def orders_for_a_plug_that_is_away():
    """Refused, or kept until it is back when that is asked for."""
    with Broker(MEROSSD) as b:
        with Plugs(b, "--type", "mss210") as sim:
            sim.event("^plug 0 bound")
            name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        wait_plugs(b, lambda l: not l[0]["online"], "the plug is offline")
        code, out, err = b.client("off", name)
        check(code == 4 and "not connected" in err, f"{code} {out} {err}")
        code, out, err = b.client("on", name, "--when-back", "--json")
        check(code == 0 and json.loads(out)["queued"] is True, f"{code} {out} {err}")
        for words in (("set", name, "state=on"), ("on", name)):
            code, out, err = b.client(*words, "--when-back")
            check(code == 0 and "when it is back" in out, f"{words}: {code} {out} {err}")
        with Plugs(b, "--type", "mss210") as sim:
            sim.event("relay 0 on")
            code, out, err = b.client("off", name, "--when-back")
            check(code == 0 and "OFF" in out and "back" not in out, f"{code} {out} {err}")


def button_press_is_seen():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210") as sim:
        sim.event("^plug 0 bound")
        name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        watch = Program([MEROSSD, "watch", "-h", "127.0.0.1", "-p", b.tcp])
        watch.wait_line(re.escape(name))
        watcher = Client(b.tcp, "watcher")
        watcher.subscribe(f"meross/{name}", 1)
        known = watcher.message(lambda m: "state" in json.loads(m["payload"]))
        before = json.loads(known["payload"])["state"]
        mark = watch.mark()
        sim.tell("button 0")
        after = watcher.message(lambda m: json.loads(m["payload"])["state"] != before)
        check(not after["retain"], "a live message with RETAIN")
        state = json.loads(after["payload"])["state"]
        watch.wait_line(rf"{re.escape(name)}.*{state}", mark)
        late = Client(b.tcp, "late")
        late.subscribe(f"meross/{name}", 1)
        kept = late.message()
        check(kept["retain"] and json.loads(kept["payload"])["state"] == state, f"{kept}")
        watch.kill(2)
        watcher.disconnect()
        late.disconnect()


def switching_by_topic():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210") as sim:
        sim.event("^plug 0 bound")
        name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        client = Client(b.tcp, "switcher")
        client.subscribe(f"meross/{name}/response", 1)
        for payload, state in (("ON", "on"), ("OFF", "off"), ("TOGGLE", "on"),
                               ('{"state":"OFF","transaction":"t1"}', "off")):
            mark = sim.program.mark()
            client.publish(f"meross/{name}/set", payload, 1)
            sim.event(rf"relay 0 {state}", mark)
        answer = json.loads(client.message()["payload"])
        check(answer["transaction"] == "t1" and answer["status"] == "ok", f"{answer}")
        client.disconnect()


def wrong_key_is_told():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210", "--key", "another") as sim:
        sim.event("^plug 0 bound")
        b.wait_line("paired with another key.*meross_key")


def right_key_by_option():
    with Broker(MEROSSD, "meross_key wrong\nmeross_key another") as b, \
            Plugs(b, "--type", "mss210", "--key", "another") as sim:
        sim.event("^plug 0 bound")
        name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        code, out, err = b.client("on", name)
        check(code == 0, f"{code} {out} {err}")
        check("another" not in b.program.text(), "the key is in the log")


PLUG_UUID, PLUG_MAC = "2101011234567890123448e1e9123456", "48:e1:e9:12:34:56"


class HandPlug(Client):
    """A plug that says only what a test makes it say."""

    def __init__(self, broker, tail="_hand", key="", **options):
        secret = hashlib.md5((PLUG_MAC + key).encode()).hexdigest()
        super().__init__(broker.tls, f"fmware:{PLUG_UUID}{tail}", harness.tls_context(), level=3,
                         user=PLUG_MAC, password="0_" + secret, **options)
        self.key = key
        self.subscribe(f"/appliance/{PLUG_UUID}/subscribe", 1)

    def say(self, namespace, method, payload, message_id="m1", topic=None):
        sign = hashlib.md5((message_id + self.key + "1700000000").encode()).hexdigest()
        header = {"messageId": message_id, "namespace": namespace, "method": method,
                  "payloadVersion": 1, "from": f"/appliance/{PLUG_UUID}/publish",
                  "timestamp": 1700000000, "sign": sign}
        self.publish(topic or f"/appliance/{PLUG_UUID}/publish",
                     json.dumps({"header": header, "payload": payload}))

    def bind(self):
        self.say("Appliance.Control.Bind", "SET", {"bind": {
            "hardware": {"type": "mss310", "version": "6.0.0"}, "firmware": {"version": "6.3.21"}}})

    def request(self, namespace):
        return json.loads(self.message(
            lambda m: json.loads(m["payload"])["header"]["namespace"] == namespace)["payload"])


def a_key_that_is_lost_ends_no_broker():
    """A request waits behind one of the broker's own while the plug begins to sign otherwise."""
    with Broker(MEROSSD) as b:
        plug = HandPlug(b)
        plug.bind()
        plug.request("Appliance.System.Ability")  # and no answer
        client = Client(b.tcp, "asker")
        client.subscribe("meross/mss310-3456/response", 1)
        client.publish("meross/mss310-3456/set", '{"state":"ON","transaction":"1"}', 1)
        plug.key = "another"
        for i in range(3):
            plug.say("Appliance.System.Report", "PUSH", {}, f"r{i}")
        answer = json.loads(client.message()["payload"])
        check(answer["code"] == "key", f"{answer}")
        client.disconnect()
        plug.disconnect()


def strangers_are_kept_out():
    """Somebody who poses as the plug neither takes its place nor speaks to the house."""
    with Broker(MEROSSD, "meross_key secret") as b:
        plug = HandPlug(b, "_itself", "secret")
        plug.bind()
        house = Client(b.tcp, "house")
        house.subscribe("#", 0)
        house.message(lambda m: m["topic"] == "meross/mss310-3456/availability" and
                      m["payload"] == b"online")
        stranger = HandPlug(b, "_stranger", "guess")
        stranger.bind()
        for i in range(5):
            stranger.say("Appliance.Control.ToggleX", "PUSH",
                         {"togglex": [{"channel": 0, "onoff": 1}]}, f"t{i}")
            stranger.say("Appliance.Control.Unbind", "PUSH", {}, f"u{i}")
        stranger.publish("zigbee2mqtt/door/set", "OPEN")
        stranger.publish("homeassistant/switch/evil/config", "{}", retain=True)
        stranger.ping()
        plug.ping()  # still there
        house.ping()
        seen = [m["topic"] for m in house.messages]
        check(not any(t.startswith(("zigbee2mqtt", "homeassistant")) for t in seen), f"{seen}")
        check(not any(b'"ON"' in m["payload"] or b"unbound" in m["payload"] for m in house.messages
                      if m["topic"].startswith("meross/")), f"it was believed: {house.messages}")
        try:
            HandPlug(b, "_will", "guess", will=("zigbee2mqtt/door/set", "OPEN", 0, False))
            raise Failure("a plug with a Will was let in")
        except Failure as e:
            check("code=5" in str(e), str(e))
        for client in (stranger, plug, house):
            client.disconnect()


def a_clean_stop_says_offline():
    with Broker(MEROSSD) as b, Plugs(b, "--type", "mss210") as sim:
        sim.event("^plug 0 bound")
        name = wait_plugs(b, all_online(1), "one plug online")[0]["name"]
        client = Client(b.tcp, "listener")
        client.subscribe("meross/#", 1)
        client.message(lambda m: m["topic"] == "meross/broker/state" and m["payload"] == b"online")
        b.program.process.send_signal(signal.SIGTERM)
        for topic in (f"meross/{name}/availability", "meross/broker/state"):
            client.message(lambda m: m["topic"] == topic and m["payload"] == b"offline")
        client.wire.close()
        check(b.program.wait() == 0, "the broker did not end well")
        b.start(same_ports=True)
        sim.event("^plug 0 closed")


def the_info_counts():
    with Broker(MEROSSD) as b:
        client = Client(b.tcp, "reader")
        client.subscribe("meross/broker/info", 1)
        info = json.loads(client.message()["payload"])
        ports = {(l["port"], l["tls"]) for l in info["listeners"]}
        check(ports == {(b.tcp, False), (b.tls, True)}, f"{info}")
        check(info["uptime"] >= 0 and "connections" in info and "messages_in" in info, f"{info}")
        client.disconnect()


def twenty_plugs_after_a_restart():
    """All bound again, none of them blinks; the time is told, not tested."""
    with Broker(MEROSSD) as b, \
            Plugs(b, "--type", "mss310,mss210", "--count", 20, "--option", "retry_ms=1000") as sim:
        for i in range(20):
            sim.event(rf"^plug {i} bound")
        wait_plugs(b, all_online(20), "twenty plugs online")
        mark = sim.program.mark()
        b.restart()
        begin = time.monotonic()
        for i in range(20):
            sim.event(rf"^plug {i} closed", mark)
            sim.event(rf"^plug {i} session", mark)
        print(f"    20 plugs have their session {time.monotonic() - begin:.2f} s after the restart")
        wait_plugs(b, all_online(20), "twenty plugs online again")
        since = "\n".join(l for l in sim.program.lines[mark:] if l)
        check(" pairing" not in since, "a plug gave up")


def variants_of_the_sheet():
    """Bind as PUSH, several shapes of payload, old Toggle, pieces of one byte."""
    variants = (["--option", "bind_as_push=1"], ["--option", "shape=object"],
                ["--option", "shape=list"], ["--option", "old_toggle=1"],
                ["--option", "fragment=1"], ["--option", "level=4"],
                ["--option", "dup_republish=1"], ["--option", "string_timestamp=1"],
                ["--option", "header_uuid=1"], ["--option", "config_needed=1"])
    with Broker(MEROSSD) as b:
        for options in variants:
            with Plugs(b, "--type", "mss310", *options) as sim:
                sim.event("^plug 0 session")
                name = wait_plugs(b, all_online(1), f"{options}")[0]["name"]
                code, out, err = b.client("on", name)
                check(code == 0, f"{options}: {code} {out} {err}")
            wait_plugs(b, lambda l: not l[0]["online"], "offline")
            check(b.client("forget", name, "--yes")[0] == 0, "forget")


def start(config, *options, env=None):
    """Runs the broker to its end with this configuration text: (code, output)."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "test.conf"
        path.write_text(config.replace("STATE", folder))
        code, out, err = run([MEROSSD, "-c", path, *options], env=env)
        return code, out + err


def a_failed_start_leaves_no_pid_file():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        code, text = start(f"state_dir {folder}\npid_file {folder}/pid\n"
                           f"listener {number} 127.0.0.1\ntls auto\n")
        check(code == 1 and "in use" in text, f"{code} {text}")
        check(not os.path.exists(f"{folder}/pid"), "the pid file is still there")


def a_stop_while_keys_are_made_opens_nothing():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "test.conf"
        path.write_text(f"state_dir {folder}\nlistener {harness.free_port()} 127.0.0.1\ntls auto\n")
        program = Program([MEROSSD, "-c", path])
        program.wait_line("merossd .* runs")
        check(program.kill(signal.SIGTERM) == 0, program.text())
        text = program.text()
        at = text.find("stopping")
        check(at >= 0 and "listening" not in text[at:], text)


def bad_start_says_why():
    port = harness.free_port()
    base = f"state_dir STATE\nlistener {port} 127.0.0.1\n"
    code, text = start(base + "frobnicate yes\n")
    check(code == 1 and "test.conf:3" in text and "frobnicate" in text, f"{code} {text}")
    code, text = start("listener 99999\n")
    check(code == 1 and "test.conf:1" in text, f"{code} {text}")
    code, text = start("allow_anonymous perhaps\n")
    check(code == 1 and "test.conf:1" in text, f"{code} {text}")
    code, out, err = run([MEROSSD, "-c", "/nonexistent/merossd.conf"])
    check(code == 1 and "/nonexistent/merossd.conf" in out + err, f"{code} {out} {err}")
    check(len((out + err).strip().splitlines()) == 1, f"more than one line: {out} {err}")
    code, text = start(base + "certfile /nonexistent/a.pem\nkeyfile /nonexistent/a.key\n")
    check(code == 1 and "/nonexistent/a" in text, f"{code} {text}")
    code, text = start(f"state_dir /proc/merossd\nlistener {port} 127.0.0.1\n")
    check(code == 1 and "/proc/merossd" in text, f"{code} {text}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        code, text = start(f"state_dir STATE\nlistener {number} 127.0.0.1\n")
        check(code == 1 and "in use" in text and str(number) in text, f"{code} {text}")
    code, out, err = run([MEROSSD, "--frobnicate"])
    check(code == 2 and "frobnicate" in err, f"{code} {out} {err}")


def unwritable_state_folder():
    if os.geteuid() == 0:
        raise Skip("root may write everywhere")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o500)
        code, text = start(f"state_dir {folder}/x\nlistener {harness.free_port()} 127.0.0.1\n")
        check(code == 1 and folder in text, f"{code} {text}")


def damaged_state_is_set_aside():
    with Broker(MEROSSD) as b:
        with Plugs(b, "--type", "mss210") as sim:
            sim.event("^plug 0 bound")
            wait_plugs(b, all_online(1), "one plug online")
        b.stop()
        files = [f for f in b.state.rglob("*") if f.is_file() and
                 f.suffix not in (".pem", ".key", ".conf") and f.stat().st_size > 0]
        check(files, "no state was written")
        for file in files:
            file.write_bytes(b"\xff" * 5 + os.urandom(64))
        before = {f.name for f in b.state.rglob("*")}
        b.start(same_ports=True)
        b.wait_line("(?i)(damaged|set aside|corrupt)")
        check(plugs_of(b) == [], "plugs out of noise")
        aside = {f.name for f in b.state.rglob("*")} - before
        check(aside, "the damaged file was not kept under another name")
        with Plugs(b, "--type", "mss210") as sim:
            sim.event("^plug 0 bound")


def files_of_the_state_folder_are_private():
    with Broker(MEROSSD) as b:
        for file in b.state.rglob("*"):
            if file.is_file() and file.suffix == ".key":
                check(file.stat().st_mode & 0o077 == 0, f"{file.name} can be read by others")
        check(shutil.which("openssl") is None or pathlib.Path(b.ca_file()).exists(), "no CA")


TESTS = [demo_plugs_appear_and_obey, plugs_are_found_by_uuid_mac_and_prefix, channels_of_a_strip,
         exit_codes, a_plug_that_died_gives_no_answer, rename_and_forget, orders_for_a_plug_that_is_away, button_press_is_seen,
         switching_by_topic, wrong_key_is_told, right_key_by_option, twenty_plugs_after_a_restart,
         a_key_that_is_lost_ends_no_broker, strangers_are_kept_out, a_clean_stop_says_offline,
         the_info_counts, a_failed_start_leaves_no_pid_file,
         a_stop_while_keys_are_made_opens_nothing, variants_of_the_sheet, bad_start_says_why, unwritable_state_folder,
         damaged_state_is_set_aside, files_of_the_state_folder_are_private]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS))
