#!/usr/bin/env python3
"""20-mosquitto-clients.py MEROSSD PLUGSIM [words] - Debian's mosquitto_pub and mosquitto_sub."""
import concurrent.futures
import itertools
import shutil
import signal
import sys

import harness
from harness import Program, check, run

MEROSSD, _ = harness.program_arguments()
VERSIONS = ("mqttv31", "mqttv311")
TRANSPORTS = ("tcp", "tls")
FORMAT = "%t|%q|%r|%p"
BROKER = None


def options(transport, version):
    port = BROKER.tls if transport == "tls" else BROKER.tcp
    out = ["-h", "127.0.0.1", "-p", port, "-V", version]
    return out + (["--cafile", BROKER.ca_file()] if transport == "tls" else [])


def pub(transport, version, *args):
    code, out, err = run(["mosquitto_pub", *options(transport, version), *args])
    check(code == 0, f"mosquitto_pub {transport} {version}: {code} {out} {err}")


def start_sub(transport, version, *args):
    return Program(["stdbuf", "-oL", "mosquitto_sub", *options(transport, version), "-d",
                    "-W", 60, "-F", FORMAT, *args])


def sub(transport, version, *args):
    """A mosquitto_sub that has its SUBACK."""
    program = start_sub(transport, version, *args)
    program.wait_line(r"^Subscribed \(mid")
    return program


def everywhere(name, test):
    """Runs test(topic, transport, version) for each combination, side by side."""
    ways = list(itertools.product(TRANSPORTS, VERSIONS))
    with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
        futures = [pool.submit(test, f"{name}/{t}/{v}", t, v) for t, v in ways]
        for future in futures:
            future.result()


def expect(program, line):
    program.wait_line("^" + line.replace("|", r"\|") + "$")
    check(program.wait() == 0, f"mosquitto_sub did not end well:\n{program.text()}")


def every_qos():
    def test(topic, transport, version):
        for sub_qos, pub_qos in itertools.product(range(3), range(3)):
            t = f"{topic}/{sub_qos}{pub_qos}"
            listener = sub(transport, version, "-t", t, "-q", sub_qos, "-C", 1)
            pub(transport, version, "-t", t, "-q", pub_qos, "-m", "hello")
            expect(listener, f"{t}|{min(sub_qos, pub_qos)}|0|hello")
    everywhere("every_qos", test)


def across_versions_and_transports():
    listener = sub("tls", "mqttv311", "-t", "across/#", "-q", 2, "-C", 1)
    pub("tcp", "mqttv31", "-t", "across/a/b", "-q", 2, "-m", "hello")
    expect(listener, "across/a/b|2|0|hello")


def retained():
    def test(topic, transport, version):
        pub(transport, version, "-t", topic, "-r", "-q", 1, "-m", "kept")
        expect(sub(transport, version, "-t", topic, "-q", 1, "-C", 1), f"{topic}|1|1|kept")
        pub(transport, version, "-t", topic, "-r", "-n", "-q", 1)
        listener = sub(transport, version, "-t", topic, "-q", 1, "-C", 1)
        pub(transport, version, "-t", topic, "-q", 1, "-m", "later")
        expect(listener, f"{topic}|1|0|later")
    everywhere("retained", test)


def will():
    def test(topic, transport, version):
        listener = sub(transport, version, "-t", topic, "-q", 1, "-C", 1)
        dying = Program(["stdbuf", "-oL", "mosquitto_sub", *options(transport, version), "-d", "-t",
                         topic + "/none", "--will-topic", topic, "--will-payload", "died",
                         "--will-qos", 1, "--will-retain"])
        dying.wait_line(r"^Subscribed \(mid")
        dying.kill(signal.SIGKILL)
        expect(listener, f"{topic}|1|0|died")
        expect(sub(transport, version, "-t", topic, "-q", 1, "-C", 1), f"{topic}|1|1|died")
    everywhere("will", test)


def no_will_after_disconnect():
    listener = sub("tcp", "mqttv311", "-t", "orderly/#", "-q", 1, "-C", 1)
    leaving = Program(["stdbuf", "-oL", "mosquitto_sub", *options("tcp", "mqttv311"), "-d", "-t",
                       "none", "--will-topic", "orderly/will", "--will-payload", "died"])
    leaving.wait_line(r"^Subscribed \(mid")
    leaving.kill(signal.SIGINT)  # it sends DISCONNECT
    pub("tcp", "mqttv311", "-t", "orderly/end", "-q", 1, "-m", "end")
    expect(listener, "orderly/end|1|0|end")


def stored_session():
    def test(topic, transport, version):
        who = ["-c", "-i", topic.replace("/", "-"), "-t", topic, "-q", 2]
        first = sub(transport, version, *who, "-E")
        check(first.wait() == 0, first.text())
        for qos in (1, 2):
            pub(transport, version, "-t", topic, "-q", qos, "-m", f"while away {qos}")
        again = start_sub(transport, version, *who, "-C", 2)
        expect(again, f"{topic}|2|0|while away 2")
        check(f"{topic}|1|0|while away 1" in again.text(), again.text())
    everywhere("stored_session", test)


def large_payload():
    listener = sub("tls", "mqttv311", "-t", "large", "-q", 1, "-C", 1)
    file = BROKER.state / "large.txt"
    file.write_text("x" * 1000000)
    pub("tls", "mqttv311", "-t", "large", "-q", 1, "-f", file)
    listener.wait_line(r"^large\|1\|0\|x{1000000}$")
    check(listener.wait() == 0, "mosquitto_sub did not end well")


def main():
    global BROKER  # pylint: disable=global-statement
    for tool in ("mosquitto_pub", "mosquitto_sub"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed (apt-get install mosquitto-clients)")
            return 0
    with harness.Broker(MEROSSD) as BROKER:
        return harness.main([every_qos, across_versions_and_transports, retained, will,
                             no_will_after_disconnect, stored_session, large_payload])


if __name__ == "__main__":
    sys.exit(main())
