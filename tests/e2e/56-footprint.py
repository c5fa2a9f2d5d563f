#!/usr/bin/env python3
"""56-footprint.py MEROSSD PLUGSIM [words] - what the program weighs: on the disk, idle, and for each
client that only waits; and that it weighs no more after a load than before.

The bounds leave a little room for another compiler and another libc; they are there to notice a
buffer for each client, or a library that came along unseen."""
import pathlib
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import harness
from harness import Broker, Client, Program, Skip, check

MEROSSD, PLUGSIM = harness.program_arguments()
KB = 1024
PROGRAM_MAX = 1024 * KB       # stripped, with the shared libraries of the system
IDLE_MAX = 7 * 1024 * KB      # resident, those libraries counted in
PLAIN_MAX = 1000              # for each client in clear
TLS_MAX = 6 * KB              # for each client over TLS
PLUG_MAX = 38 * KB            # for each bound plug over TLS; glibc varies from 12 to 20 KB
WARM, CROWD, PLUGS = 50, 500, 200
# The static file of tools/packaging/static has no libraries beside it; musl's allocator rounds sizes up
# further than glibc's.
if "merossd-" in pathlib.Path(MEROSSD).name or pathlib.Path(MEROSSD).name == "run-merossd":
    IDLE_MAX = 1536 * KB
    PLAIN_MAX = 1000
    PLUG_MAX = 16 * KB
HELLO_OF_NOTHING = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(i % 251 for i in range(506))
HALF_CONNECT = b"\x10\x80\x80\x01" + b"x" * 2000


def resident(broker):
    """All of it, in bytes; statm would lack what the kernel has not added up yet."""
    return rollup(broker, "Rss:")


def private(broker):
    """What no other program shares."""
    return rollup(broker, "Private_Clean:", "Private_Dirty:")


def rollup(broker, *names):
    text = pathlib.Path(f"/proc/{broker.program.process.pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * KB for line in text.splitlines() if line.startswith(names))


def only_without_sanitizers():
    if b"__asan_init" in pathlib.Path(MEROSSD).read_bytes():
        raise Skip("AddressSanitizer has its own ideas of memory")


def each(broker, port, name, tls=None):
    """Bytes for each of a crowd of idle clients; the first ones pay for what is made once."""
    crowd = [Client(port, f"{name}{i}", tls) for i in range(WARM)]
    before = private(broker)
    crowd += [Client(port, f"{name}{i}", tls) for i in range(WARM, WARM + CROWD)]
    cost = (private(broker) - before) / CROWD
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


def wait_readings(watcher, plugs):
    """Until so many plugs have told what they have counted, which is the last that they are asked."""
    told = set()
    while len(told) < plugs:
        said = watcher.message()
        if b'"energy"' in said["payload"]:
            told.add(said["topic"])


def a_bound_plug_costs_little():
    """What is made once for all is in it, too."""
    only_without_sanitizers()
    with Broker(MEROSSD) as b:
        watcher = Client(b.tcp, "watcher")
        watcher.subscribe("meross/+")
        before = private(b)
        plugs = Program([PLUGSIM, "--port", b.tls, "--type", "mss310", "--count", PLUGS, "--quiet"],
                        stdin=True)
        wait_readings(watcher, PLUGS)
        tick(b)  # what handshakes needed is given back
        tick(b)
        cost = (private(b) - before) / PLUGS
        plugs.tell("quit")
        check(plugs.wait() == 0, plugs.text())
        print(f"    {cost:.0f} bytes for each of {PLUGS}")
        check(cost <= PLUG_MAX, f"{cost:.0f} bytes")


# ---------------------------------------------------------------- after a load

def settled(broker, enough=0):
    """Resident memory once it is at most `enough`: the broker cleans up about every second, its
    tables every five."""
    for _ in range(6):
        tick(broker)
        if resident(broker) <= enough:
            break
    return resident(broker)


def tick(broker):
    """An event of the broker that takes a second and a half: a Keep Alive passes."""
    c = Client(broker.tcp, "tick", keepalive=1)
    check(c.wire.receive() is None, "Keep Alive did not end it")
    c.wire.close()


def comes_back(load):
    """load(broker) makes a load, ends it, and returns the memory at its height."""
    with Broker(MEROSSD) as b:
        load(b)  # what is made once: threads, buffers of libraries
        idle = settled(b)
        peak = load(b)
        after = settled(b, idle * 1.1)
        print(f"    idle {idle // KB} KB, peak {peak // KB} KB, after {after // KB} KB")
        check(after <= idle * 1.1, f"idle {idle}, after {after}")
        return idle, peak


def crowd_that_is_told(b):
    crowd = [Client(b.tcp, f"crowd{i}") for i in range(5000)]
    for c in crowd:
        c.subscribe("to/all", 1)
    crowd[0].publish("to/all", b"x" * 100, 1)
    for c in crowd:
        c.message()
    peak = resident(b)
    for c in crowd:
        c.disconnect()
    return peak


def memory_comes_back_after_five_thousand_clients():
    only_without_sanitizers()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 5200:
        raise Skip(f"only {most} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (5200, most))
    idle, peak = comes_back(crowd_that_is_told)
    check(peak > idle + 4000 * KB, "that was no load")


def retained_and_replayed(b):
    writer, reader = Client(b.tcp, "writer"), Client(b.tcp, "reader")
    for i in range(10000):
        writer.publish(f"kept/{i}", b"x" * 64, retain=True)
    writer.ping()
    reader.subscribe("kept/#")
    for _ in range(10000):
        reader.message()
    peak = resident(b)
    reader.disconnect()
    for i in range(10000):
        writer.publish(f"kept/{i}", b"", retain=True)
    writer.ping()
    writer.disconnect()
    return peak


def crowd_over_tls(b):
    crowd = [Client(b.tls, f"crowd{i}", harness.tls_context()) for i in range(500)]
    peak = resident(b)
    for c in crowd:
        c.ping()
        c.disconnect()
    return peak


def memory_comes_back_after_five_hundred_clients_over_tls():
    only_without_sanitizers()
    idle, peak = comes_back(crowd_over_tls)
    check(peak > idle + 1000 * KB, "that was no load")


def memory_comes_back_after_a_storm_of_retained_messages():
    only_without_sanitizers()
    idle, peak = comes_back(retained_and_replayed)
    check(peak > idle + 1500 * KB, "that was no load")


def flood(b):
    """Hellos of nothing, half a CONNECT, and resets; the memory while they come."""
    peak = 0
    for i in range(1500):
        for port, words in ((b.tls, HELLO_OF_NOTHING), (b.tcp, HALF_CONNECT)):
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.sendall(words)
                if i % 2:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if i % 50 == 0:
            peak = max(peak, resident(b))
    return peak


def memory_is_bounded_in_a_flood_of_failing_connections():
    """Cleaning up does not wait for its end: there may be none."""
    only_without_sanitizers()
    idle, peak = comes_back(flood)
    check(peak <= idle + 4096 * KB, f"idle {idle}, peak {peak}")


if __name__ == "__main__":
    sys.exit(harness.main([the_stripped_program_is_small, an_idle_broker_is_small,
                           a_client_in_clear_costs_little, a_client_over_tls_costs_little,
                           a_bound_plug_costs_little,
                           memory_comes_back_after_five_thousand_clients,
                           memory_comes_back_after_five_hundred_clients_over_tls,
                           memory_comes_back_after_a_storm_of_retained_messages,
                           memory_is_bounded_in_a_flood_of_failing_connections]))
