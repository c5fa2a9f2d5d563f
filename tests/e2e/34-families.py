#!/usr/bin/env python3
"""34-families.py MEROSSD PLUGSIM [words] - what people type for a lamp, a door, a valve, a strip."""
import json
import sys

import harness
from harness import Broker, Client, Program, check

MEROSSD, PLUGSIM = harness.program_arguments()


class House:
    """A broker and simulated devices of these models; leaving it ends them."""

    def __init__(self, *models):
        self.models = models
        self.watchers = 0

    def __enter__(self):
        self.broker = Broker(MEROSSD).__enter__()
        self.sim = Program([PLUGSIM, "--port", self.broker.tls, "--model", ",".join(self.models)],
                           stdin=True)
        for i in range(len(self.models)):
            self.sim.wait_line(rf"^plug {i} bound")
        self.names = {p["type"]: p["name"] for p in self.plugs()}
        return self

    def plugs(self):
        return json.loads(self.says("list", "--json"))["plugs"]

    def says(self, *words):
        code, out, err = self.broker.client(*words)
        check(code == 0, f"merossd {' '.join(words)}: {code} {err}")
        return out

    def fails(self, status, part, *words):
        code, out, err = self.broker.client(*words)
        check(code == status and part in err, f"merossd {' '.join(words)}: {code} {out} {err}")

    def until(self, name, part):
        """Its retained state, as soon as it has this part."""
        self.watchers += 1
        watcher = Client(self.broker.tcp, f"watch{self.watchers}")
        watcher.subscribe(f"meross/{name}", 0)
        text = watcher.message(lambda m: part.encode() in m["payload"])["payload"].decode()
        watcher.disconnect()
        return text

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("--- plugsim said:", *self.sim.text().splitlines()[-20:], sep="\n    ")
            self.sim.kill()
        else:
            self.sim.tell("quit")
            check(self.sim.wait() == 0, self.sim.text()[-3000:])
        return self.broker.__exit__(kind, value, trace)


def a_lamp():
    with House("msl320cpr-4.3.8") as house:
        lamp = house.names["msl320cpr"]
        house.until(lamp, "brightness")
        out = house.says("set", lamp, "brightness=40", "color=#ff8000")
        check(f"{lamp}: brightness 40, color #ff8000 (" in out, out)
        out = house.says("set", lamp, "color_temperature=1", "state=on")
        check("color_temperature 1, state ON" in out, out)
        show = house.says("show", lamp)
        check("brightness" in show and "color_temperature  1\n" in show, show)
        for status, part, *words in (
                (1, "takes brightness from 1 to 100", "brightness=101"),
                (1, "takes brightness from 1 to 100", "brightness=0.5", "state=off"),
                (1, "has no position that can be set; it has: state, brightness", "position=5"),
                (1, "has no wings", "wings=2"),
                (1, "#rrggbb", "color=orange"),
                (1, "takes a number as brightness", "brightness=1e1"),
                (2, "is not KEY=VALUE", "brightness"),
                (2, "is not KEY=VALUE", "=5"),
                (2, "is not KEY=VALUE", "brightness="),
                (2, "is given twice", "brightness=5", "brightness=6"),
                (2, "is not set but said", "channel=1", "brightness=6"),
                (2, "Usage: merossd set PLUG[/PART] KEY=VALUE")):
            house.fails(status, part, "set", lamp, *words)
        house.fails(3, "no plug", "set", "oven", "brightness=5")
        house.fails(1, "has nothing called x", "set", f"{lamp}/x", "brightness=5")
        house.fails(2, "a plug is named as in", "on", "/x")
        data = json.loads(house.says("set", lamp, "led=off", "--json"))
        check(data["led"] is False and data["color_temperature"] == 1, f"{data}")


def doors_and_shutters():
    with House("msg200-4.2.8", "mrs100-2.1.2", "mrs100-7.6.10") as house:
        garage = house.names["msg200"]
        shutters = {p["firmware"]: p["name"] for p in house.plugs() if p["type"] == "mrs100"}
        house.until(garage, '"door":"closed"')
        house.fails(1, "say which one", "set", garage, "door=open")
        house.fails(1, "nothing to switch on and off; it has: door", "on", f"{garage}/1")
        out = house.says("set", f"{garage}/1", "door=open")
        check("it is opening" in out, out)
        house.until(garage, '"moving":"opening"')  # that it got there, a simulation shows
        old, new = shutters["2.1.2"], shutters["7.6.10"]
        house.until(old, '"position"')
        house.until(new, '"position"')
        house.fails(1, "its firmware 2.1.2 knows no position between", "set", old, "position=50")
        house.says("set", new, "position=50")
        house.until(new, '"moving":"')
        check("position " in house.says("list"), house.says("list"))


def a_hub_and_its_valves():
    with House("msh300hk-4.5.10") as house:
        hub = house.names["msh300hk"]
        state = json.loads(house.until(hub, '"target_temperature"'))
        valve = next(s for s in state["subdevices"] if "target_temperature" in s)["id"]
        house.says("rename", hub, valve, "bath")
        out = house.says("set", f"{hub}/bath", "target_temperature=19.5")
        check(f"{hub}, bath: target_temperature 19.5 (" in out, out)
        out = house.says("off", f"{hub}/bath")
        check(f"{hub}, bath: OFF (" in out, out)
        house.fails(1, "target_temperature", "set", f"{hub}/{valve}", "target_temperature=99")
        show = house.says("show", hub)
        check(f"  {valve}" in show and "name bath" in show, show)
        check("sub-devices" in house.says("list"), house.says("list"))


def sockets_by_name():
    with House("mss425f-4.1.6") as house:
        strip = house.names["mss425f"]
        house.until(strip, '"channel":2')
        check(f"2 of {strip} is now called lamp" in house.says("rename", strip, "2", "lamp"),
              "rename")
        out = house.says("on", f"{strip}/Lamp")
        check(f"{strip}, Lamp: ON (" in out, out)
        house.until(strip, '{"channel":2,"state":"ON","name":"lamp"}')
        house.fails(1, "is called LAMP already", "rename", strip, "1", "LAMP")
        house.fails(1, "has no such part", "rename", strip, "9", "x")
        house.fails(2, "not both", "on", f"{strip}/lamp", "--channel", "1")
        show = house.says("show", strip)
        check("socket 2" in show and "ON, name lamp" in show, show)


TESTS = [a_lamp, doors_and_shutters, a_hub_and_its_valves, sockets_by_name]

if __name__ == "__main__":
    sys.exit(harness.main(TESTS))
