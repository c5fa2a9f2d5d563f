"""loads.py - what is measured: each load, its figure, and the target.

A target is a ratio to Debian's mosquitto 2.0.11 in the same run; None: there is none."""


def cpu(result):
    """Microseconds of the broker's CPU for each message that arrived, or each connection."""
    return result["broker_us"]


def p99(result):
    """The time within which 99 of 100 messages arrived, in microseconds."""
    return result["latency_us"]["p99"]


def bytes_each(units, when="there"):
    """What one of `units` costs: the growth of the broker's private memory."""
    return lambda r: (r[when]["private_kb"] - r["before"]["private_kb"]) * 1024 / units


class Load:
    def __init__(self, name, args, count, target=None, tls=False, figure=cpu, queue=0, most=None,
                 persistence=None):
        self.name, self.args, self.count = name, args.split(), count
        self.target, self.tls, self.figure = target, tls, figure
        self.queue = queue  # max_queued_messages; 0: nothing is dropped
        self.most = most    # the target where it is a figure of ours and no ratio
        # persistence_sync of merossd; mosquitto writes its file every 30 minutes.  None: neither
        # keeps anything.
        self.persistence = persistence


FAN = "--subs {n} --pubs 1 --window {w}"


def pairs(n, w, qos):
    return (f"--subs {n} --pubs {n} --filter b/%c --topic b/%c --fan 1 --window {w} --qos {qos} "
            f"--sub-qos {qos}")


LOADS = [
    Load("fan-out 1->50, QoS 0, w16", FAN.format(n=50, w=16), 20000, 0.14),
    Load("fan-out 1->100, QoS 0, w1", FAN.format(n=100, w=1), 4000, 0.90),
    Load("fan-out 1->1000, QoS 0, w1", FAN.format(n=1000, w=1), 400),
    Load("fan-out 1->50, QoS 1, w16", FAN.format(n=50, w=16) + " --qos 1 --sub-qos 1", 10000, 0.15),
    Load("fan-out 1->50, QoS 2, w16", FAN.format(n=50, w=16) + " --qos 2 --sub-qos 2", 4000),
    Load("fan-out 1->10, 16 KB, w16", FAN.format(n=10, w=16) + " --size 16384", 5000, 0.27),
    Load("fan-out 1->10, 1 MB, w1", FAN.format(n=10, w=1) + " --size 1000000", 60),
    Load("fan-in 50->1, QoS 0, w4", "--subs 1 --pubs 50 --window 4", 200000, 0.22),
    Load("fan-in 50->1, QoS 1, w4", "--subs 1 --pubs 50 --window 4 --qos 1 --sub-qos 1", 100000, 0.15),
    Load("fan-in 100->1, QoS 0, w1", "--subs 1 --pubs 100 --window 1", 100000),
    Load("1->1, QoS 0, one at a time", pairs(1, 1, 0), 20000),
    Load("1->1, QoS 0, bulk", pairs(1, 200, 0), 400000),
    Load("1->1, 388 bytes, QoS 1, bulk", pairs(1, 20, 1) + " --size 388", 100000),
    Load("50 pairs, QoS 0, w1", pairs(50, 1, 0), 100000, 0.78),
    Load("50 pairs, QoS 1, w1", pairs(50, 1, 1), 50000, 0.70),
    Load("50 pairs, QoS 2, w1", pairs(50, 1, 2), 25000, 0.65),
    Load("50 pairs, QoS 0, w16", pairs(50, 16, 0), 400000, 0.15),
    Load("100 pairs, 16 bytes, QoS 0, w4", pairs(100, 4, 0) + " --size 16", 200000),
    Load("50 pairs, QoS 0, w1, TLS", pairs(50, 1, 0), 50000, tls=True),
    Load("100 plugs (388 B, QoS 1) to a hub, TLS, w1",
         "--subs 1 --pubs 100 --window 1 --size 388 --qos 1 --sub-qos 1", 40000, 0.50, tls=True),
    Load("100 plugs (388 B, QoS 1) to a hub, clear, w1",
         "--subs 1 --pubs 100 --window 1 --size 388 --qos 1 --sub-qos 1", 60000, 0.44),
    Load("connect and go, clear", "--kind connect --subs 0 --pubs 0 --idle 20", 20000, 1.05),
    Load("connect and go, TLS", "--kind connect --subs 0 --pubs 0 --idle 20", 400, tls=True),
    # The targets were taken where the broker may batch, and each message has another receiver; w1 to
    # one client measures the wake-ups of both sides, whatever the filters are.
    Load("10,000 filters, exact, one hit, w16",
         "--subs 50 --filters 200 --filter b/%c/%f --pubs 1 --topic b/%f/7 --topics 50 --fan 1 "
         "--window 16", 40000, 0.55),
    Load("10,000 filters, + and #, one hit, w16",
         "--subs 50 --filters 200 --filter b/%c/+/%f/# --pubs 1 --topic b/%f/x/7/y "
         "--topics 50 --fan 1 --window 16", 40000, 0.55),
    Load("10,000 filters, exact, one hit, w1",
         "--subs 10 --filters 1000 --filter b/%c/%f --pubs 1 --topic b/5/%f --topics 1000 --fan 1 "
         "--window 1", 40000),
    Load("1024 filters that share every prefix, w16",
         "--filters 1024 --filter %x/%f --topic a/a/a/a/a/a/a/a/a/a/5 --pubs 1 --fan 1 "
         "--window 16", 5000, 0.14),
    Load("retained: store one", "--subs 0 --pubs 1 --fan 0 --qos 1 --window 16 --retain "
         "--topic b/%f --topics 10000", 40000, 0.51),
    Load("retained: send one of 10,000 to #", "--kind late --subs 4 --filter # --pubs 1 --fan 0 "
         "--qos 1 --window 16 --retain --topic b/%f --topics 10000", 10000, 0.32),
    Load("stalled subscriber under flood",
         "--subs 11 --stalled 1 --pubs 1 --window 16", 20000, queue=1000),
    Load("latency at 2,000 a second, 20 pairs", pairs(20, 100, 1) + " --rate 2000", 6000,
         figure=p99),
    Load("50 pairs, QoS 1, w1, journal off", pairs(50, 1, 1), 50000, persistence="off"),
    Load("50 pairs, QoS 1, w1, journal every 2 s", pairs(50, 1, 1), 50000, persistence="2"),
    Load("50 pairs, QoS 1, w1, journal always", pairs(50, 1, 1), 10000, persistence="always"),
    Load("memory: a client in clear, bytes", "--kind idle --subs 0 --pubs 0 --idle 5000", 1,
         figure=bytes_each(5000), most=1000),
    Load("memory: a client over TLS, bytes", "--kind idle --subs 0 --pubs 0 --idle 1000", 1,
         figure=bytes_each(1000), tls=True, most=38 * 1024),
    Load("memory: a subscription, bytes", "--kind idle --subs 10 --filters 1000 --pubs 0 "
         "--filter b/%c/%f", 1, figure=bytes_each(10000), most=400),
    Load("memory: a retained message of 64 bytes, bytes", "--subs 0 --pubs 1 --fan 0 --qos 1 "
         "--window 16 --retain --topic b/%f --topics 10000", 10000,
         figure=bytes_each(10000, "after"), most=350),
]
