#!/usr/bin/env python3
"""35-shield.py MEROSSD PLUGSIM [words] - other clients and a plug: what could harm it never reaches
it, and other home automation works beside merossd."""
import hashlib
import json
import re
import time

import harness
from harness import Broker, Client, Failure, Program, check

MEROSSD, PLUGSIM = harness.program_arguments()
APP = "/app/0-e2e/subscribe"
ALL, ABILITY = "Appliance.System.All", "Appliance.System.Ability"
TOGGLEX, MULTIPLE = "Appliance.Control.ToggleX", "Appliance.Control.Multiple"
CLOCK, BIND = "Appliance.System.Clock", "Appliance.Control.Bind"
ON = {"togglex": {"channel": 0, "onoff": 1}}


class House:
    """A broker and one simulated plug, which clicks and reboots on anything malformed."""

    def __init__(self, extra="", key="", type="mss310", user=None):
        self.broker = Broker(MEROSSD, extra + (f"\nmeross_key {key}" if key else ""))
        self.key, self.type, self.user = key, type, user
        self.counter, self.gone = 0, False  # gone: the plug was told to quit

    def __enter__(self):
        b = self.broker.__enter__()
        options = ["--type", self.type, "--key", self.key] if self.key else ["--type", self.type]
        if self.user:
            options += ["--option", f"user_id={self.user}"]
        self.sim = Program([PLUGSIM, "--port", b.tls, *options], stdin=True)
        try:
            self.sim.wait_line("^plug 0 bound")
            self.watch = Client(b.tcp, "watch")
            self.watch.subscribe("meross/broker/plugs", 1)
            self.watch.message(lambda m: any(p["online"] and p["firmware"]
                                             for p in json.loads(m["payload"])))
            self.settle()
        except BaseException:
            self.sim.kill()
            self.broker.__exit__(Failure, None, None)
            raise
        return self

    def settle(self):
        """Until the broker knows what the plug can do: then the shield knows it as well."""
        for _ in range(200):
            code, out, err = self.broker.client("show", "m", "--json")
            shown = json.loads(out) if code == 0 else {}
            shown = shown.get("data", shown)
            if shown.get("abilities"):
                self.uuid, self.name = shown["uuid"], shown["name"]
                self.to = f"/appliance/{self.uuid}/subscribe"
                self.of = f"/appliance/{self.uuid}/publish"
                return
        raise Failure(f"the abilities are not known: {out} {err}")

    def __exit__(self, kind, value, trace):
        if kind is None:
            if not self.gone:
                self.sim.tell("quit")
            status = self.sim.wait()
            text = self.sim.text()
            check(status == 0, f"the plug complained:\n{text[-3000:]}")
            check(not re.search("malformed|reboot", text), text[-3000:])
        else:
            self.sim.kill()
            print("--- plugsim said:", *self.sim.text().splitlines()[-20:], sep="\n    ")
        self.broker.__exit__(kind, value, trace)

    def id(self):
        self.counter += 1
        return hashlib.md5(f"e2e {self.counter}".encode()).hexdigest()

    def header(self, method, namespace, **change):
        message_id, now = self.id(), int(time.time())
        h = {"messageId": message_id, "namespace": namespace, "method": method,
             "payloadVersion": 1, "from": APP, "timestamp": now, "timestampMs": 0,
             "sign": self.sign(message_id, now)}
        h.update(change)
        return {k: v for k, v in h.items() if v is not ...}

    def sign(self, message_id, timestamp):
        return hashlib.md5(f"{message_id}{self.key}{timestamp}".encode()).hexdigest()

    def message(self, method="GET", namespace=ALL, payload=None, **change):
        return json.dumps({"header": self.header(method, namespace, **change),
                           "payload": {} if payload is None else payload})


def bad_messages(h):
    """A hundred and more: what, the bytes, and what the answer says where one is possible."""
    good = h.message()
    inner = {"header": {"method": "GET", "namespace": ALL}, "payload": {}}

    def text(head="", tail="", body="{}"):  # a message in pieces, for what json.dumps cannot say
        i = h.id()
        return (f'{{"header":{{"messageId":"{i}","namespace":"{ALL}","method":"GET","from":"{APP}",'
                f'"timestamp":1700000000,"sign":"{h.sign(i, 1700000000)}"{head}}},"payload":{body}{tail}}}')

    def many(requests, method="SET"):
        return h.message(method, MULTIPLE, {"multiple": requests})

    def switch(entry, key="togglex", namespace=TOGGLEX):
        return h.message("SET", namespace, {key: entry})
    # No message at all.
    for what in ["", "0", "1", "ON", "OFF", "on", "true", "null", "{}", "[]", '""', "toggle", " ",
                 "\0", "\0" * 64, "{", "}", "[", "{{}}", "[[[[", '{"header":{}}', '{"payload":{}}',
                 '{"header":1,"payload":{}}', '{"header":[],"payload":[]}',
                 '{"state":"ON"}', '{"onoff":1}', "<xml/>", "%s%n", "A" * 2000, "\xff\xfe".encode("latin-1"),
                 bytes(range(256)), "\x1b[2J", "{'header':{},'payload':{}}"]:
        yield "no message", what, None
    # Nearly one.
    for what, bytes_ in [
            ("cut off", good[:-1]), ("cut off in the middle", good[:len(good) // 2]),
            ("something behind it", good + "x"), ("two of them", good + good),
            ("a NUL behind it", good + "\0"), ("a byte order mark", "\ufeff" + good),
            ("UTF-16", good.encode("utf-16")), ("in quotes", json.dumps(good)),
            ("in a list", f"[{good}]"), ("a comma too many", good[:-1] + ",}"),
            ("a comment", "/* */" + good), ("a key without quotes", good.replace('"header"', "header")),
            ("single quotes", good.replace('"', "'")), ("no colon", good.replace('"payload":', '"payload" ')),
            ("NaN", text(body='{"a":NaN}')), ("a leading zero", text(body='{"a":01}')),
            ("hexadecimal", text(body='{"a":0x1}')), ("a bare control character", text(body='{"a":"\x01"}')),
            ("a bad escape", text(body='{"a":"\\x41"}')), ("payload a list", text(body="[]")),
            ("payload a string", text(body='"{}"')), ("payload null", text(body="null"))]:
        yield what, bytes_, None
    # JSON, but not what every parser reads alike.
    for what, bytes_, why in [
            ("half a character", text(body='{"a":"\\ud83d"}'), "UTF-8"),
            ("a NUL as an escape", text(body='{"a":"\\u0000"}'), "UTF-8"),
            ("invalid UTF-8", text(body='{"a":"@"}').encode().replace(b"@", b"\xff"), "UTF-8"),
            ("an overlong form", text(body='{"a":"@"}').encode().replace(b"@", b"\xc0\xaf"), "UTF-8"),
            ("two payloads", text(tail=',"payload":{}'), "twice"),
            ("two headers", text(tail=f',"HEADER":{{"namespace":"{TOGGLEX}"}}'), "twice"),
            ("two namespaces", text(head=',"Namespace":"Appliance.Control.Unbind"'), "twice"),
            ("two methods", text(head=',"METHOD":"SET"'), "twice"),
            ("an escaped second name", text(head=',"meth\\u006fd":"PUSH"'), "twice"),
            ("nested", text(body='{"a":' + "[" * 12 + "]" * 12 + "}"), "nested"),
            ("a long number", text(body='{"a":' + "9" * 40 + "}"), "number"),
            ("an exponent", text(body='{"a":1e309}'), "number"),
            ("a long name", text(body='{"' + "n" * 64 + '":1}'), "name"),
            ("many members", text(body=json.dumps({f"m{i}": i for i in range(65)})), "members"),
            ("too long", h.message("GET", ALL, {"a": "x" * 1900}), "larger than a plug"),
            ("much too long", h.message("GET", ALL, {"a": "x" * 3600}), "larger than a plug")]:
        yield what, bytes_, why
    # A header that no plug understands.
    for what, change, why in [
            ("a short messageId", {"messageId": "1"}, "messageId"),
            ("a UUID with dashes", {"messageId": "9f3c0a5b-77d2-4e10-b2c8-a1d6e5f40312"}, "messageId"),
            ("capitals in the messageId", {"messageId": "9F3C0A5B77D24E10B2C8A1D6E5F40312"}, "messageId"),
            ("a number as messageId", {"messageId": 12345}, "messageId"),
            ("no sign", {"sign": ...}, "sign"), ("an empty sign", {"sign": ""}, "sign"),
            ("a wrong sign", {"sign": "0" * 32}, "sign error"),
            ("no timestamp", {"timestamp": ...}, "timestamp"),
            ("a word as timestamp", {"timestamp": "now"}, "timestamp"),
            ("a negative timestamp", {"timestamp": -1}, "timestamp"),
            ("a fraction", {"timestamp": 1.5}, "timestamp"),
            ("payloadVersion a word", {"payloadVersion": "one"}, "payloadVersion"),
            ("an unknown namespace", {"namespace": "Appliance.Control.Nothing"}, "namespace"),
            ("another spelling", {"namespace": "appliance.system.all"}, "namespace"),
            ("a foreign namespace", {"namespace": "Zigbee.Set"}, "namespace"),
            ("a namespace with a space", {"namespace": "Appliance.System.All "}, "namespace")]:
        yield what, h.message(**{**{"method": "GET"}, **change}), why
    for what, change in [("no method", {"method": ...}), ("an unknown method", {"method": "TOGGLE"}),
                         ("a method in small letters", {"method": "get"}),
                         ("no namespace", {"namespace": ...}), ("no messageId", {"messageId": ...})]:
        header = {**h.header("GET", ALL), **change}
        yield what, json.dumps({"header": {k: v for k, v in header.items() if v is not ...},
                                "payload": {}}), None
    for method in ["GETACK", "ERROR", "DELETEACK", "SETACK"]:
        yield f"an answer: {method}", h.message(method), "method|answers nothing"
    # An answer that would go where it must not.
    for topic in [..., "", "a/#", "+", "x" * 128, "$SYS/broker/uptime", "meross/broker/request/forget",
                  "meross/kitchen/set", f"meross/{h.name}", f"meross/{h.name}/event", h.to,
                  "/appliance/ffffffffffffffffffffffffffffffff/subscribe",
                  "/appliance/ffffffffffffffffffffffffffffffff/publish",
                  "/appliance/merossd/publish"]:
        yield f"from {topic}", h.message(**{"from": topic}), None
    # What would take the plug away.
    for method, namespace in [("SET", "Appliance.Control.Upgrade"), ("GET", "Appliance.Control.Upgrade"),
                              ("PUSH", "Appliance.Control.Unbind"), ("SET", "Appliance.Control.Unbind"),
                              ("SET", "Appliance.Config.Key"), ("GET", "Appliance.Config.Key"),
                              ("SET", "Appliance.Config.Wifi"), ("SET", "Appliance.Config.WifiX"),
                              ("SET", "Appliance.System.Factory"), ("SET", BIND), ("PUSH", BIND)]:
        yield f"{method} {namespace}", h.message(method, namespace), "."
    # A relay that would be locked.
    for onoff in [2, -1, "1", True, None, 1.0, 0.5, [1], {}, 10 ** 18]:
        yield f"onoff {onoff!r}", switch({"channel": 0, "onoff": onoff}), "onoff"
    for what, entry in [("no onoff", {"channel": 0}), ("no entry", []), ("a word", "ON"),
                        ("a bad channel", {"channel": "0", "onoff": 1}),
                        ("one bad in a list", [{"channel": 0, "onoff": 1}, {"channel": 0, "onoff": 3}])]:
        yield what, switch(entry), "onoff"
    # Several in one.
    yield "an empty Multiple", many([]), "empty"
    yield "too many", many([inner] * 6), "more requests|larger"
    yield "a Multiple in itself", many([{"header": {"method": "SET", "namespace": MULTIPLE},
                                        "payload": {"multiple": [inner]}}]), "Multiple"
    yield "an upgrade inside", many([inner, {"header": {"method": "SET", "namespace": "Appliance.Control.Upgrade"},
                                            "payload": {}}]), "upgrade"
    yield "a lock inside", many([{"header": {"method": "SET", "namespace": TOGGLEX},
                                 "payload": {"togglex": {"onoff": 7}}}]), "onoff"
    yield "a push inside", many([{"header": {"method": "PUSH", "namespace": ALL}, "payload": {}}]), "method"
    yield "no header inside", many([{}]), "header"
    yield "GET Multiple", many([inner], "GET"), "SET"


def a_hundred_bad_messages_never_reach_the_plug():
    """[trap 12] [trap 13] [trap 14] [trap 26] [trap 49] The relay does not click once."""
    with House() as h:
        b = h.broker
        listener = Client(b.tcp, "listener")
        listener.subscribe("/appliance/+/subscribe", 0)
        app = Client(b.tcp, "app")
        app.subscribe(APP, 0)
        script = Client(b.tcp, "script")
        bad = list(bad_messages(h))
        check(len(bad) >= 100, f"only {len(bad)}")
        for n, (what, payload, why) in enumerate(bad):
            qos = n % 3
            app.messages.clear()
            script.publish(h.to, payload, min(qos, 1))
            script.ping()
            app.ping()
            if why:
                told = app.message(lambda m: m["topic"] == APP)
                answer = json.loads(told["payload"])
                check(answer["header"]["method"] == "ERROR", f"{what}: {answer}")
                detail = answer["payload"]["error"]["detail"]
                check(re.search(why, detail), f"{what}: {detail}")
            # Nor what is fine but retained.
            script.publish(h.to, h.message(**{"from": "/app/0-other/subscribe"}), 1, retain=True)
            script.ping()
        listener.ping()
        check(not listener.messages, f"a plug was sent {listener.messages[:1]}")
        b.client("rename", h.name, "kitchen")  # and the info is published anew
        info = json.loads(refused_info(b)["payload"])
        check(info["shield"] == {"passed": 0, "refused": 2 * len(bad)}, f"{info['shield']} of {len(bad)}")
        # It is alive and obeys.
        script.publish(h.to, h.message("SET", TOGGLEX, ON), 1)
        app.message(lambda m: b"SETACK" in m["payload"])
        print(f"    {len(bad)} bad messages and as many retained ones: none arrived, no click")
        for c in (listener, app, script):
            c.disconnect()


def refused_info(b):
    late = Client(b.tcp, f"late{time.monotonic_ns()}")
    late.subscribe("meross/broker/info", 1)
    deadline = time.monotonic() + harness.PATIENCE
    while time.monotonic() < deadline:
        m = late.message()
        if json.loads(m["payload"])["shield"]["refused"]:
            late.disconnect()
            return m
    raise Failure("the info does not count")


def raw_prints_what_the_plug_answers():
    with House() as h:
        b = h.broker
        code, out, err = b.client("raw", h.name, "GET", ALL)
        check(code == 0 and json.loads(out)["all"]["system"]["hardware"]["uuid"] == h.uuid, f"{out}{err}")
        check(out.startswith('{\n  "all": {\n'), out)
        code, out, err = b.client("raw", h.name, "SET", TOGGLEX, json.dumps(ON), "--json")
        answer = json.loads(out)
        check(code == 0 and answer["method"] == "SETACK" and answer["payload"] == {}, f"{out}{err}")
        for words, says in [(("SET", "Appliance.Control.Upgrade"), "firmware upgrade"),
                            (("PUSH", "Appliance.Control.Unbind"), "merossd unbind"),
                            (("GET", "Appliance.Control.Nothing"), "does not have this namespace"),
                            (("SET", TOGGLEX, '{"togglex":{"onoff":2}}'), "locks its relay")]:
            code, out, err = b.client("raw", h.name, *words)
            check(code == 1 and says in err, f"{words}: {code} {out} {err}")
        code, out, err = b.client("raw", "nobody", "GET", ALL)
        check(code == 3, f"{code} {err}")


def meross_lan_works_beside_us():
    """[trap 6] It asks from a topic of its own, acknowledges Bind and Clock like a broker, and polls
    with Control.Multiple."""
    topic = "/appliance/meross_lan/publish"
    with House(key="0123456789abcdef0123456789abcdef") as h:
        lan = Client(h.broker.tcp, "meross_lan")
        lan.subscribe("/appliance/+/publish", 0)

        def answer_of(message_id):
            return json.loads(lan.message(lambda m: m["topic"] == topic and
                                          message_id.encode() in m["payload"])["payload"])

        def ask(method, namespace, payload):
            text = h.message(method, namespace, payload, **{"from": topic, "triggerSrc": "HA"})
            lan.publish(h.to, text, 0)
            return answer_of(json.loads(text)["header"]["messageId"])

        everything = ask("GET", ALL, {})
        check(everything["payload"]["all"]["system"]["hardware"]["uuid"] == h.uuid, f"{everything}")
        check("ability" in ask("GET", ABILITY, {})["payload"], "no abilities")
        requests = [{"header": {"messageId": h.id(), "method": "GET", "namespace": n}, "payload": {}}
                    for n in (ALL, "Appliance.System.Runtime")]
        many = ask("SET", MULTIPLE, {"multiple": requests})["payload"]["multiple"]
        check([m["header"]["method"] for m in many] == ["GETACK", "GETACK"], f"{many}")
        house = Client(h.broker.tcp, "house")
        house.subscribe(f"meross/{h.name}", 1)
        check(ask("SET", TOGGLEX, ON)["header"]["method"] == "SETACK", "not switched")
        house.message(lambda m: json.loads(m["payload"]).get("state") == "ON")  # our state knows it
        lan.message(lambda m: m["topic"] == h.of and b"onoff" in m["payload"])   # and theirs
        # Several at once wait for each other; the plug would complain about two in flight.
        ids = []
        for _ in range(5):
            text = h.message("GET", ALL, {}, **{"from": topic})
            ids.append(json.loads(text)["header"]["messageId"])
            lan.publish(h.to, text, 0)
        for i in ids:
            answer_of(i)
        # Its own answers to what the plug says are swallowed, and nothing breaks.
        lan.publish(h.to, h.message("SETACK", BIND, {}, **{"messageId": ids[0]}), 0)
        lan.ping()
        lan.disconnect()
        house.disconnect()


def apps_work_where_users_are_allowed():
    """An app in the manner of MerossIot: app:<appId>, user = userId, md5(userId + key)."""
    key, user = "00112233445566778899aabbccddeeff", "1234"
    with House("allow_anonymous true\nmeross_offline_delay 0", key=key, user=user) as h:
        app_id = hashlib.md5(b"API-e2e").hexdigest()
        app = Client(h.broker.tcp, f"app:{app_id}", user=user,
                     password=hashlib.md5((user + key).encode()).hexdigest())
        mine, users = f"/app/{user}-{app_id}/subscribe", f"/app/{user}/subscribe"
        app.subscribe(mine, 1)
        app.subscribe(users, 1)
        plug = Client(h.broker.tcp, "listener")
        plug.subscribe(h.of, 0)
        text = h.message("SET", TOGGLEX, ON, **{"from": mine})
        app.publish(h.to, text, 1)
        app.message(lambda m: m["topic"] == mine and b"SETACK" in m["payload"])
        pushed = app.message(lambda m: m["topic"] == users and TOGGLEX.encode() in m["payload"])
        same = plug.message(lambda m: b'"PUSH"' in m["payload"] and TOGGLEX.encode() in m["payload"])
        check(pushed["payload"] == same["payload"], f"{pushed} {same}")
        h.sim.tell("quit")
        h.gone = True
        gone = app.message(lambda m: m["topic"] == users and b"System.Online" in m["payload"])
        gone = json.loads(gone["payload"])
        check(gone["payload"] == {"online": {"status": 2}} and gone["header"]["from"] == h.of, f"{gone}")
        check(gone["header"]["sign"] == h.sign(gone["header"]["messageId"], gone["header"]["timestamp"]),
              "an app would not believe it")
        app.disconnect()
        plug.disconnect()


def a_flow_may_not_use_a_plug_as_its_deputy():
    """[trap 14] With an ACL: who may write to plugs, but not to other topics, gets no plug to do
    it; the flow's own topic works."""
    acl = harness.pathlib.Path(harness.tempfile.mkdtemp()) / "acl"
    acl.write_text("topic read #\ntopic write /appliance/+/subscribe\ntopic write flow/#\n"
                   "topic readwrite meross/#\n")
    try:
        with House(f"acl_file {acl}") as h:
            flow = Client(h.broker.tcp, "flow")
            flow.subscribe("#", 0)
            flow.publish(h.to, h.message(**{"from": "zigbee2mqtt/door/set"}), 1)
            flow.publish(h.to, h.message(**{"from": "flow/answers"}), 1)
            flow.message(lambda m: m["topic"] == "flow/answers" and b"GETACK" in m["payload"])
            flow.publish(h.to, h.message(**{"from": h.of}), 1)
            flow.message(lambda m: m["topic"] == h.of and b"GETACK" in m["payload"])
            check(not any(m["topic"].startswith("zigbee2mqtt") for m in flow.messages), "the door opens")
            flow.disconnect()
    finally:
        acl.unlink()
        acl.parent.rmdir()


if __name__ == "__main__":
    harness.sys.exit(harness.main([a_hundred_bad_messages_never_reach_the_plug, raw_prints_what_the_plug_answers,
                  meross_lan_works_beside_us, apps_work_where_users_are_allowed,
                  a_flow_may_not_use_a_plug_as_its_deputy]))
