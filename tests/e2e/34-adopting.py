#!/usr/bin/env python3
"""34-adopting.py MEROSSD PLUGSIM [words] - plugs that are set up already are taken over: `merossd
adopt` against simulated plugs."""
import json
import pathlib
import tempfile

import harness
from harness import Broker, check, free_port
from pairing import (MEROSSD, Sim, Terminal, nothing_registered, plugs_of, side_by_side, verb)


def adopts_with_key(model, key, told_by):
    with Broker(MEROSSD) as old, Broker(MEROSSD) as b, \
            Sim(old, "--type", model, "--key", key) as sim, \
            tempfile.TemporaryDirectory() as folder:
        sim.event("^plug 0 bound")
        words = []
        if told_by == "-c":
            conf = pathlib.Path(folder) / "c.conf"
            conf.write_text(f"meross_key {key}\n")
            words = ["-c", conf]
        elif told_by == "file":
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
        if told_by is not None:
            return
        code, out, err = verb(b, "adopt", sim.at())  # with whose key? nobody can say
        check(code == 1 and "5001" in err and "nothing" not in err, err)


def adopts_with_each_key():
    side_by_side(adopts_with_key, [
        (model, key, told_by) for model in ("mss310", "mss110-7.3.37")
        for key, told_by in (("", None), ("meross", None), ("my old key", "-c"),
                             ("my old key", "file"))])


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
                t.wait("not its key either[^:]*Key of the plug[^:]*: $")
                t.type("nobody knows\n")
                check(t.end() == 0, t.text)
                check("nobody knows" not in t.text, "the key was shown")
            name = plugs_of(b)[0]["name"]
            check(verb(b, "forget", name, "--yes")[0] == 0, "")


def adopt_nobody():
    with Broker(MEROSSD) as b:
        code, out, err = verb(b, "adopt", f"127.0.0.1:{free_port()}")
        check(code == 1 and "is that its address" in err, err)


if __name__ == "__main__":
    raise SystemExit(harness.main([
        adopts_with_each_key, adopt_rekeys_here, adopt_with_an_unknown_key, adopt_nobody]))
