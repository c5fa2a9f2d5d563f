"""loads.py - what is measured: each load, its figures, and their targets."""

# --- figures ---------------------------------------------------------------------------------


class Figure:
    """One number of a run, and what it should be: `target`, a ratio to Debian's mosquitto 2.0.11 in
    the same run, or `most`, a value of ours; None: there is none."""

    def __init__(self, unit, of, target=None, most=None, places=2):
        self.unit, self.of, self.target, self.most, self.places = unit, of, target, most, places


def cpu(target=None, unit="µs CPU per message"):
    """CPU time of the broker, all threads, for each message that arrived (connection, report)."""
    return [Figure(unit, lambda r: r["broker_us"], target)]


def latency():
    """How long messages were under way, at a rate that both can do easily."""
    return [Figure(f"µs, {name}", lambda r, key=key: r["latency_us"][key], places=0)
            for name, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"))]


def bytes_each(units, most, when="there"):
    """What one of `units` costs: the growth of the broker's private memory."""
    def grown(r):
        return (r[when]["private_kb"] - r["before"]["private_kb"]) * 1024 / units
    return [Figure("bytes each", grown, most=most, places=0)]


def alone_s(r):
    """How long the handshakes of a storm take when both cores do nothing else: what they cost the
    broker, and what they cost the load generator, which runs on the same cores.  A bound, as no core
    ever waits in it: what the storm takes longer is work that is no handshake, and waiting."""
    handshakes_us = r["delivered"] * r["first"]["broker_us"]
    return (handshakes_us + r["own_us"] * r["delivered"]) / 1e6 / r["cores"]


def storm(count):
    return [Figure(f"s until the last of {count} is bound", lambda r: r["wall_s"]),
            Figure("of the time that the handshakes alone take", lambda r: r["wall_s"] / alone_s(r),
                   most=1.10),
            Figure("cores busy with it; all = 1",
                   lambda r: (r["broker_load"] + r["own_load"]) / r["cores"]),
            Figure("CPU of each, a handshake's = 1",
                   lambda r: r["broker_us"] / r["first"]["broker_us"]),
            *pings()]


def burst(count):
    return [Figure(f"s until the last of {count} has its CONNACK", lambda r: r["wall_s"]),
            Figure("µs CPU each", lambda r: r["broker_us"] / count, places=0), *pings(most=None)]


def pings(most=5.0):
    return [Figure(f"ms, PING of another client, {name}",
                   lambda r, name=name: r["pong_us"][name] / 1e3, most=limit)
            for name, limit in (("p50", None), ("p99", most), ("max", None))]


START = [Figure("ms until it accepts", lambda r: r["accept_ms"], most=5.0),
         Figure("ms to the first CONNACK", lambda r: r["start_ms"]),
         Figure("kB resident, idle", lambda r: r["before"]["rss_kb"], places=0),
         Figure("kB of it private", lambda r: r["before"]["private_kb"], most=1536, places=0)]

# --- loads -----------------------------------------------------------------------------------


class Load:
    """args      for bench_load, see `bench_load --help`
    count        messages or connections of a full run
    mosquitto    other arguments for mosquitto; None: the same; "": it cannot do this
    queue        max_queued_messages; 0: nothing is dropped
    persistence  persistence_sync of merossd; mosquitto writes its file every 30 minutes.  None:
                 neither keeps messages
    both         the broker has all cores, as has the generator; else each has one
    first        arguments of a run before, with the same broker; its result is r["first"]
    fixed        the count does not shrink in a quick run
    once         there is no noise: one pair is enough
    keeps        it leaves messages or known plugs in the broker, whose memory need not come back"""

    def __init__(self, name, args, count, figures=None, tls=False, mosquitto=None, queue=0,
                 persistence=None, both=False, first=None, fixed=False, once=False,
                 keeps=False):
        self.name, self.args, self.count = name, args.split(), count
        self.figures = cpu() if figures is None else figures
        self.tls, self.queue, self.persistence = tls, queue, persistence
        self.mosquitto = self.args if mosquitto is None else mosquitto.split() or None
        self.both, self.first, self.keeps = both, first, keeps
        self.fixed, self.once = fixed or once, once

    @property
    def counted(self):
        """Do counts per message make sense?  A thousand handshakes under valgrind take minutes."""
        many = self.tls and "1000" in self.args
        return self.figures[0].unit.startswith("µs CPU") and not self.fixed and not many

    def args_of(self, broker):
        """None: this broker cannot do it."""
        return self.mosquitto if broker == "mosquitto" else self.args


def fan(n, w, qos=0, size=64):
    return f"--subs {n} --pubs 1 --window {w} --qos {qos} --sub-qos {qos} --size {size}"


def fan_in(n, w, qos=0, size=64):
    return f"--subs 1 --pubs {n} --window {w} --qos {qos} --sub-qos {qos} --size {size}"


def pairs(n, w, qos=0, size=64):
    return (f"--subs {n} --pubs {n} --filter b/%c --topic b/%c --fan 1 --window {w} --qos {qos} "
            f"--sub-qos {qos} --size {size}")


CONNECT = "--kind connect --subs 0 --pubs 0 --idle 20"
# The targets of these were taken where a broker may batch and each message has another receiver; one
# message at a time to one client measures the wake-ups of both sides, whatever the filters are.
FILTERS = "--subs 50 --filters 200 --pubs 1 --topics 50 --fan 1 --window 16 "
FILTERS_W1 = "--subs 10 --filters 1000 --pubs 1 --topics 1000 --fan 1 --window 1 "
SHARED = "--filters 1024 --filter %x/%f --topic a/a/a/a/a/a/a/a/a/a/5 --pubs 1 --fan 1 --window 16"
RETAIN = "--pubs 1 --fan 0 --qos 1 --window 16 --retain --topic b/%f --topics 10000"
IDLE = "--kind idle --subs 0 --pubs 0 --idle {n}"
BURST = IDLE.format(n=500) + " --at-once 500 --ping-port {ping}"
STORM = "--kind storm --plugs 500 --ping-port {ping}"
FIRST = "--kind connect --subs 0 --pubs 0 --idle 4 --count 60 --tls"
FIRST_RESUMED = "--kind connect --subs 0 --pubs 0 --idle 4 --count 1000 --tls --resume"


REPORT = "--kind report --model mss315 --plugs "
PASSED_ON = 431  # bytes of such a report on average, for a broker that only passes it on


MESSAGES = [
    Load("fan-out 1->50, QoS 0, w16", fan(50, 16), 20000, cpu(0.14)),
    Load("fan-out 1->100, QoS 0, w1", fan(100, 1), 4000, cpu(0.90)),
    Load("fan-out 1->1000, QoS 0, w1", fan(1000, 1), 400),
    Load("fan-out 1->50, QoS 1, w16", fan(50, 16, 1), 10000, cpu(0.15)),
    Load("fan-out 1->50, QoS 2, w16", fan(50, 16, 2), 4000),
    Load("fan-out 1->10, 16 KB, w16", fan(10, 16, size=16384), 5000, cpu(0.27)),
    Load("fan-out 1->10, 1 MB, w1", fan(10, 1, size=1000000), 60),
    Load("fan-out 1->50, QoS 0, w16, TLS", fan(50, 16), 8000, tls=True),
    Load("fan-in 50->1, QoS 0, w4", fan_in(50, 4), 200000, cpu(0.22)),
    Load("fan-in 50->1, QoS 1, w4", fan_in(50, 4, 1), 100000, cpu(0.15)),
    Load("fan-in 100->1, QoS 0, w1", fan_in(100, 1), 100000),
    Load("fan-in 100->1, QoS 2, w1", fan_in(100, 1, 2), 20000),
    Load("1->1, QoS 0, one at a time", pairs(1, 1), 20000),
    Load("1->1, QoS 1, one at a time", pairs(1, 1, 1), 10000),
    Load("1->1, QoS 2, one at a time", pairs(1, 1, 2), 8000),
    Load("1->1, QoS 0, bulk", pairs(1, 200), 400000),
    Load("1->1, 16 bytes, QoS 0, bulk", pairs(1, 200, size=16), 400000),
    Load("1->1, 388 bytes, QoS 1, bulk", pairs(1, 20, 1, 388), 100000),
    Load("1->1, 388 bytes, QoS 2, bulk", pairs(1, 20, 2, 388), 50000),
    Load("1->1, 16 KB, QoS 1, bulk", pairs(1, 20, 1, 16384), 20000),
    Load("1->1, 1 MB, QoS 1, one at a time", pairs(1, 1, 1, 1000000), 200),
    Load("1->1, 388 bytes, QoS 1, bulk, TLS", pairs(1, 20, 1, 388), 50000, tls=True),
    Load("1->1, 16 KB, QoS 0, bulk, TLS", pairs(1, 20, 0, 16384), 5000, tls=True),
    Load("50 pairs, QoS 0, w1", pairs(50, 1), 100000, cpu(0.78)),
    Load("50 pairs, QoS 1, w1", pairs(50, 1, 1), 50000, cpu(0.70)),
    Load("50 pairs, QoS 2, w1", pairs(50, 1, 2), 25000, cpu(0.65)),
    Load("50 pairs, QoS 0, w16", pairs(50, 16), 400000, cpu(0.15)),
    Load("100 pairs, 16 bytes, QoS 0, w4", pairs(100, 4, size=16), 200000),
    Load("50 pairs, QoS 0, w1, TLS", pairs(50, 1), 50000, tls=True),
    Load("100 plugs (388 B, QoS 1) to a hub, TLS, w1", fan_in(100, 1, 1, 388), 40000, cpu(0.50),
         tls=True),
    Load("100 plugs (388 B, QoS 1) to a hub, clear, w1", fan_in(100, 1, 1, 388), 60000, cpu(0.44)),
    Load("10,000 filters, exact, one hit, w16", FILTERS + "--filter b/%c/%f --topic b/%f/7", 40000,
         cpu(0.55)),
    Load("10,000 filters, + and #, one hit, w16",
         FILTERS + "--filter b/%c/+/%f/# --topic b/%f/x/7/y", 40000, cpu(0.55)),
    Load("10,000 filters, exact, one hit, w1", FILTERS_W1 + "--filter b/%c/%f --topic b/5/%f", 40000),
    Load("1024 filters that share every prefix, w16", SHARED, 5000, cpu(0.14)),
    Load("retained: store one", "--subs 0 " + RETAIN, 40000, cpu(0.51), keeps=True),
    Load("retained: send one of 10,000 to #", "--kind late --subs 4 --filter # " + RETAIN, 10000,
         cpu(0.32), fixed=True, keeps=True),
    Load("stalled subscriber under flood", "--subs 11 --stalled 1 --pubs 1 --window 16", 20000,
         queue=1000),
    Load("50 pairs, QoS 1, w1, journal off", pairs(50, 1, 1), 50000, persistence="off"),
    Load("50 pairs, QoS 1, w1, journal every 2 s", pairs(50, 1, 1), 50000, persistence="2"),
    Load("50 pairs, QoS 1, w1, journal always", pairs(50, 1, 1), 10000, persistence="always"),
]

CONNECTIONS = [
    Load("connect and go, clear", CONNECT, 20000, cpu(1.05, "µs CPU each")),
    Load("connect and go, TLS", CONNECT, 300, cpu(unit="µs CPU each"), tls=True),
    Load("connect and go, TLS resumed", CONNECT + " --resume", 5000, cpu(unit="µs CPU each"),
         tls=True),
    Load("500 TLS clients at once", BURST, 1, burst(500), tls=True, both=True, fixed=True),
    Load("storm: 500 plugs after a power cut", STORM, 1, storm(500), tls=True, mosquitto="",
         both=True, first=FIRST, fixed=True, keeps=True),
    Load("storm: 500 plugs that resume TLS", STORM + " --resume", 1, storm(500), tls=True,
         mosquitto="", both=True, first=FIRST_RESUMED, fixed=True, keeps=True),
    Load("100 bound plugs report, TLS, w1", REPORT + "100", 10000, cpu(unit="µs CPU per report"),
         tls=True, mosquitto=fan_in(100, 1, 1, PASSED_ON), keeps=True),
    Load("1000 bound plugs report, TLS, w1", REPORT + "1000", 10000, cpu(unit="µs CPU per report"),
         tls=True, mosquitto=fan_in(1000, 1, 1, PASSED_ON), keeps=True),
]

LATENCIES = [
    Load("2,000 a second, 20 pairs, QoS 0", pairs(20, 100) + " --rate 2000", 4000, latency(),
         fixed=True),
    Load("2,000 a second, 20 pairs, QoS 1", pairs(20, 100, 1) + " --rate 2000", 4000, latency(),
         fixed=True),
    Load("2,000 a second, 20 pairs, QoS 1, TLS", pairs(20, 100, 1) + " --rate 2000", 4000,
         latency(), tls=True, fixed=True),
]

MEMORY = [
    Load("start, with a certificate", "", 1, START, tls=True, fixed=True),
    Load("memory: a client in clear", IDLE.format(n=5000), 1, bytes_each(5000, 1000), once=True),
    Load("memory: a client over TLS", IDLE.format(n=5000), 1, bytes_each(5000, 6 * 1024), tls=True,
         once=True),
    Load("memory: a bound plug over TLS", REPORT + "500 --rate 1000", 500,
         bytes_each(500, 24 * 1024), tls=True, mosquitto="", once=True, keeps=True),
    Load("memory: a subscription",
         IDLE.format(n=0) + " --subs 10 --filters 1000 --filter b/%c/%f", 1,
         bytes_each(10000, 400), once=True),
    Load("memory: a retained message of 64 bytes", "--subs 0 " + RETAIN, 10000,
         bytes_each(10000, 350, "after"), once=True, keeps=True),
]

LOADS = MESSAGES + CONNECTIONS + LATENCIES + MEMORY
