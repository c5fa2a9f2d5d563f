#!/usr/bin/env python3
"""56-footprint.py MEROSSD PLUGSIM [words] - what the program weighs: on the disk, idle, and for each
client that only waits.

The bounds leave room for another compiler and another libc; they are there to notice a buffer for
each client, or a library that came along unseen."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import harness
from harness import Broker, Client, Skip, check

MEROSSD, PLUGSIM = harness.program_arguments()
KB = 1024
PROGRAM_MAX = 1024 * KB       # stripped, with the shared libraries of the system
IDLE_MAX = 7 * 1024 * KB      # resident, those libraries counted in
PLAIN_MAX = 2560              # for each client in clear
TLS_MAX = 40 * KB             # for each client over TLS, where mbedTLS keeps its default buffers
WARM, CROWD = 50, 500
# The static file of tools/packaging/static has no libraries beside it, and an mbedTLS with records of
# 4 KB on the way out: there the budgets are those of the product.
if "merossd-" in pathlib.Path(MEROSSD).name or pathlib.Path(MEROSSD).name == "run-merossd":
    IDLE_MAX = 1536 * KB
    TLS_MAX = 24 * KB


def resident(broker):
    fields = pathlib.Path(f"/proc/{broker.program.process.pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def only_without_sanitizers():
    if b"__asan_init" in pathlib.Path(MEROSSD).read_bytes():
        raise Skip("AddressSanitizer has its own ideas of memory")


def each(broker, port, name, tls=None):
    """Bytes for each of a crowd of idle clients; the first ones pay for what is made once."""
    crowd = [Client(port, f"{name}{i}", tls) for i in range(WARM)]
    before = resident(broker)
    crowd += [Client(port, f"{name}{i}", tls) for i in range(WARM, WARM + CROWD)]
    cost = (resident(broker) - before) / CROWD
    for c in crowd:
        c.ping()
        c.disconnect()
    print(f"    {cost:.0f} bytes for each of {CROWD}")
    return cost


def the_stripped_program_is_small():
    only_without_sanitizers()
    if not shutil.which("strip"):
        raise Skip("no strip here")
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "merossd"
        code = subprocess.run(["strip", "-o", out, MEROSSD], check=False).returncode
        check(code == 0, "strip failed")
        size = out.stat().st_size
    print(f"    {size // KB} KB")
    check(size <= PROGRAM_MAX, f"{size} bytes")


def an_idle_broker_is_small():
    only_without_sanitizers()
    with Broker(MEROSSD) as b:
        Client(b.tcp, "first").disconnect()
        size = resident(b)
        print(f"    {size // KB} KB")
        check(size <= IDLE_MAX, f"{size} bytes")


def a_client_in_clear_costs_little():
    only_without_sanitizers()
    with Broker(MEROSSD) as b:
        cost = each(b, b.tcp, "plain")
        check(cost <= PLAIN_MAX, f"{cost:.0f} bytes")


def a_client_over_tls_costs_little():
    only_without_sanitizers()
    with Broker(MEROSSD) as b:
        cost = each(b, b.tls, "tls", harness.tls_context())
        check(cost <= TLS_MAX, f"{cost:.0f} bytes")


if __name__ == "__main__":
    sys.exit(harness.main([the_stripped_program_is_small, an_idle_broker_is_small,
                           a_client_in_clear_costs_little, a_client_over_tls_costs_little]))
