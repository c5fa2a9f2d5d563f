#!/usr/bin/env python3
# label: long
"""85-rabbitmq.py MEROSSD PLUGSIM [words] - a bridge to a cluster of three RabbitMQ nodes, one of
which dies while messages flow.

Debian's rabbitmq-server with its MQTT plugin, on loopback.  Where it is missing it is installed, if
this is root with a working apt; otherwise the test is skipped."""
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import harness
from harness import Broker, Client, Failure, Program, Skip, check, free_port, run

MEROSSD, _ = harness.program_arguments()
BIN = pathlib.Path("/usr/lib/rabbitmq/bin")
START_S = 180  # a node on a slow computer
MESSAGES = 600


def install():
    if (BIN / "rabbitmq-server").exists():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Skip("no rabbitmq-server here")
    # RUNLEVEL=1 keeps the package from starting its own node.
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends",
                                      "rabbitmq-server"]):
        code, _, err = run(["apt-get", *words], patience=600, env=env)
        if code != 0:
            raise Skip(f"rabbitmq-server cannot be installed: {err[-200:]}")


class Node:
    """One node; its processes are a group of their own, so that they can die together."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, f"{name}@localhost"
        self.mqtt, self.amqp, self.dist = free_port(), free_port(), free_port()
        self.folder = cluster.folder / name
        self.folder.mkdir()
        (self.folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp}\n"
            f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt}\n"
            "mqtt.allow_anonymous = true\nmqtt.default_user = guest\nmqtt.default_pass = guest\n"
            "mqtt.durable_queue_type = quorum\nloopback_users = none\n")
        self.env = dict(cluster.env, RABBITMQ_NODENAME=self.name,
                        RABBITMQ_NODE_PORT=str(self.amqp), RABBITMQ_DIST_PORT=str(self.dist),
                        RABBITMQ_MNESIA_BASE=str(self.folder),
                        RABBITMQ_LOG_BASE=str(self.folder), RABBITMQ_LOGS="-",
                        RABBITMQ_CONFIG_FILE=str(self.folder / "rabbitmq"),
                        RABBITMQ_ENABLED_PLUGINS_FILE=str(self.folder / "enabled_plugins"))
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([str(BIN / "rabbitmq-server")], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def said(self):
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def wait_open(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            check(self.process.poll() is None, f"{self.name} ended:\n{self.said()}")
            try:
                socket.create_connection(("127.0.0.1", self.mqtt), 1).close()
                return
            except OSError:
                select.select([], [], [], 0.1)
        raise Failure(f"{self.name} does not start:\n{self.said()}")

    def ctl(self, *words):
        code, out, err = run([BIN / "rabbitmqctl", "-n", self.name, *words], patience=START_S,
                             env=self.env)
        check(code == 0, f"rabbitmqctl {words}: {out}{err}\n{self.said()}")
        return out

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()


class Cluster:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rabbitmq-e2e-"))
        self.epmd_port = free_port()
        self.nodes = []
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text("merossd-end-to-end")
        cookie.chmod(0o400)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("RABBITMQ")}
        self.env.update(HOME=str(self.folder), ERL_EPMD_PORT=str(self.epmd_port),
                        ERL_EPMD_ADDRESS="127.0.0.1", LANG="C.UTF-8")
        # Nodes start one that outlives them, unless there is one.
        self.epmd = Program(["epmd", "-port", self.epmd_port, "-address", "127.0.0.1"],
                            env=self.env)

    def __enter__(self):
        try:
            self.nodes = [Node(self, n) for n in ("one", "two", "three")]
            for node in self.nodes:
                node.wait_open()
            for node in self.nodes[1:]:
                node.ctl("stop_app")
                node.ctl("join_cluster", self.nodes[0].name)
                node.ctl("start_app")
                node.wait_open()
        except BaseException:
            self.end()
            raise
        return self

    def end(self):
        for node in self.nodes:
            if node.process.poll() is None:
                node.kill()
        self.epmd.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(self, kind, value, trace):
        self.end()


def one_node_dies_and_nothing_acknowledged_is_lost():
    install()
    with Cluster() as cluster:
        addresses = " ".join(f"127.0.0.1:{n.mqtt}" for n in cluster.nodes)
        text = (f"connection cluster\naddresses {addresses}\ntopic house/# out 1\n"
                "topic street/# in 1\nrestart_timeout 1 5\nnotifications false\n"
                "remote_clientid the-house\n")
        with Broker(MEROSSD, text) as here:
            here.wait_line("connected as", patience=60)
            far = Client(cluster.nodes[1].mqtt, "far", clean=False)
            far.subscribe("house/#", 1)
            near = Client(here.tcp, "near")
            mark = here.mark()
            for n in range(MESSAGES):
                near.publish(f"house/{n % 7}", str(n), 1)
                if n == MESSAGES // 3:
                    cluster.nodes[0].kill()  # the one that the bridge is connected to
            here.wait_line("connected as", since=mark, patience=120)
            have = set()
            far.wire.sock.settimeout(60)
            while len(have) < MESSAGES:
                have.add(int(far.message()["payload"]))
            check(have == set(range(MESSAGES)), "something else came")
            # And in again, through the node that took over.
            near.subscribe("street/#", 1)
            far.publish("street/1", "back", 1)
            near.message(lambda m: m["payload"] == b"back")


if __name__ == "__main__":
    sys.exit(harness.main([one_node_dies_and_nothing_acknowledged_is_lost]))
