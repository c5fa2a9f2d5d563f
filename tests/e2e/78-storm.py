#!/usr/bin/env python3
"""78-storm.py MEROSSD PLUGSIM [words] - everybody comes at once, as after a power cut; a healthy
pair of clients works meanwhile and loses nothing."""
import os
import signal
import ssl
import subprocess
import sys

import harness
from bystander import Bystander
from harness import Broker, Client, Wire, check, connect

MEROSSD, PLUGSIM = harness.program_arguments()


def all_are_accepted_that_come_in_one_moment():
    """The broker accepts 16 connections in a turn: as many, one more, and many more."""
    with Broker(MEROSSD) as b, Bystander(b.tcp) as by:
        for count in (16, 17, 300):
            os.kill(b.program.process.pid, signal.SIGSTOP)
            wires = [Wire(b.tcp) for _ in range(count)]
            for i, wire in enumerate(wires):
                wire.send(connect(f"rush{i}"))
            os.kill(b.program.process.pid, signal.SIGCONT)
            for wire in wires:
                check(wire.receive() == b"\x20\x02\x00\x00", "a CONNACK for each")
            by.served(3)
            for wire in wires:
                wire.close()


def plugs_return_at_once():
    """All are bound; twice, the second time they are known.  With acknowledgements that wait for the
    medium, for the store has threads of its own."""
    with Broker(MEROSSD, "persistence_sync always") as b, Bystander(b.tcp) as by:
        for _ in range(2):
            done = subprocess.run([PLUGSIM, "--port", str(b.tls), "--count", "60", "--until", "bound",
                                   "--quiet"], stdin=subprocess.PIPE, capture_output=True, text=True,
                                  check=False)
            check(done.returncode == 0, f"not all were bound: {done.stdout}{done.stderr}")
            by.served(3)


def the_broker_ends_in_the_middle_of_handshakes():
    """Steps that are under way are waited for, those that wait are dropped."""
    with Broker(MEROSSD) as b:
        tls = harness.tls_context()
        Client(b.tcp, "first").ping()  # it runs
        ends = []
        for _ in range(40):
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            half = tls.wrap_bio(into, out)
            try:
                half.do_handshake()
            except ssl.SSLWantReadError:
                pass
            end = Wire(b.tls)
            end.send(out.read())
            ends.append(end)
    for end in ends:
        end.close()


if __name__ == "__main__":
    sys.exit(harness.main([
        all_are_accepted_that_come_in_one_moment, plugs_return_at_once,
        the_broker_ends_in_the_middle_of_handshakes,
    ]))
