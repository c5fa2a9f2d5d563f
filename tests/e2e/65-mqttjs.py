#!/usr/bin/env python3
"""65-mqttjs.py MEROSSD PLUGSIM [words] - MQTT.js: in Node over TCP, TLS, ws and wss, and in a
headless Chromium over ws.

MQTT.js is looked for in $MD_NODE, and in `node` beside the build folder, where tools/test puts it.
Node, MQTT.js and Chromium are no part of the product: what is missing is skipped, and said."""
import functools
import http.server
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import urllib.parse

import harness
from harness import Broker, Skip, check, run

MEROSSD, PLUGSIM = harness.program_arguments()
HERE = pathlib.Path(__file__).resolve().parent
BROKER = None
PAGES = 0  # the port of our pages, which alone may connect to STRICT
STRICT = 0


def modules():
    for place in (os.environ.get("MD_NODE"), pathlib.Path(MEROSSD).parents[1] / "node"):
        folder = pathlib.Path(place or "/nowhere") / "node_modules"
        if (folder / "mqtt").is_dir():
            return folder
    raise Skip("MQTT.js is not installed (tools/test does it where npm is)")


def node(level, url, ca=None):
    if not shutil.which("node"):
        raise Skip("node is not installed")
    env = dict(os.environ, NODE_PATH=str(modules()))
    code, out, err = run(["node", HERE / "mqttjs.js", level, url, *([ca] if ca else [])], 60, env)
    check(code == 0 and out.endswith("done\n"), f"{url}, level {level}: {code}\n{out}{err[-2000:]}")


def both_levels(url, ca=None):
    for level in (3, 4):
        node(level, url, ca)


def tcp():
    both_levels(f"mqtt://127.0.0.1:{BROKER.tcp}")


def tls():
    both_levels(f"mqtts://127.0.0.1:{BROKER.tls}", BROKER.ca_file())


def ws():
    both_levels(f"ws://127.0.0.1:{BROKER.ws}/mqtt")


def wss():
    both_levels(f"wss://127.0.0.1:{BROKER.wss}/mqtt", BROKER.ca_file())


PAGE = """<!doctype html><title>t</title><body><script src="mqtt.min.js"></script><script>
let said = "";
const client = mqtt.connect("ws://127.0.0.1:%d/mqtt", {reconnectPeriod: 0, clientId: "browser"});
client.on("error", (e) => { said += "error " + e.message; });
client.on("close", () => fetch("/result?" + encodeURIComponent(said + " closed")));
client.on("message", (topic, payload) => { said += "got " + payload.length; client.end(); });
client.on("connect", () => client.subscribe("page", {qos: 1}, () =>
  client.publish("page", "hello".repeat(50000), {qos: 2})));
</script>"""


class Pages(http.server.SimpleHTTPRequestHandler):
    """Our two files, and what the page says of itself."""
    said, done = "", threading.Event()

    def do_GET(self):  # pylint: disable=invalid-name
        path, _, query = self.path.partition("?")
        if path != "/result":
            return super().do_GET()
        Pages.said = urllib.parse.unquote(query)
        self.send_response(204)
        self.end_headers()
        Pages.done.set()
        return None

    def log_message(self, *_):
        pass


def browser(port):
    """What a page says after it talked to this port."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    script = modules() / "mqtt/dist/mqtt.min.js"
    if not program:
        raise Skip("chromium is not installed")
    Pages.done.clear()
    with tempfile.TemporaryDirectory(prefix="merossd-e2e-page-", ignore_cleanup_errors=True) as folder:
        shutil.copy(script, folder)
        (pathlib.Path(folder) / "index.html").write_text(PAGE % port)
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", PAGES), functools.partial(Pages, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = harness.Program(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
             f"--user-data-dir={folder}/profile", f"http://127.0.0.1:{PAGES}/index.html"])
        try:
            check(Pages.done.wait(60), f"the page says nothing:\n{chromium.text()[-2000:]}")
        finally:
            chromium.kill(signal.SIGTERM)
            server.shutdown()
            server.server_close()
    return Pages.said


def a_page_in_a_browser():
    for port in (BROKER.ws, STRICT):
        said = browser(port)
        check(said == "got 250000 closed", said)


def a_page_of_another_origin():
    mark = BROKER.mark()
    said = browser(BROKER.other)
    check("got" not in said and "closed" in said, said)
    BROKER.wait_line(f"origin .http://127.0.0.1:{PAGES}. is not among", mark)


TESTS = [tcp, tls, ws, wss, a_page_in_a_browser, a_page_of_another_origin]

if __name__ == "__main__":
    PAGES, STRICT, OTHER = (harness.free_port() for _ in range(3))
    with Broker(MEROSSD, f"listener {STRICT} 127.0.0.1\nprotocol websockets\n"
                f"websockets_origin http://127.0.0.1:{PAGES}\n"
                f"listener {OTHER} 127.0.0.1\nprotocol websockets\n"
                "websockets_origin https://home.example\n", ws=True) as BROKER:
        BROKER.other = OTHER
        FAILED = harness.main(TESTS)
    sys.exit(FAILED)
