"""brokers.py - the two brokers, started with the same settings and ended again."""
import contextlib
import getpass
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

BROKERS = ("mosquitto", "merossd")
CONFIG = """max_queued_messages {queue}
max_inflight_messages 0
max_packet_size 2097152
set_tcp_nodelay true
connection_messages false
log_type error
user {user}
persistence {persistence}
persistence_location {folder}/
"""
LISTENER = "listener {port} 127.0.0.1\nallow_anonymous true\n"
TLS = "certfile {cert}\nkeyfile {key}\n"
CONNECT = bytes.fromhex("100f00044d5154540402003c0003") + b"1st"  # clean session, client id "1st"
BACK = 1.10  # of the memory of the idle broker is "back"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_certificate(folder):
    """RSA-2048, as plugs need it; the same for both brokers."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "30", "-subj", "/CN=localhost"], check=True,
                   capture_output=True)
    key.chmod(0o644)
    return cert, key


@contextlib.contextmanager
def on_cores(which):
    """Processes that are started meanwhile have these cores, and as many sockets as they may.  (Set
    here and not in the child, as that would slow its start.)"""
    before = os.sched_getaffinity(0)
    cores = sorted(before)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.sched_setaffinity(0, {"first": cores[:1], "last": cores[-1:], "all": cores}[which])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Broker:
    """A listener in clear, and one with TLS when the load wants that; with `wrap`, the program runs
    under another (strace, valgrind).

    with Broker(...) as b: the broker answers at b.port, b.tls_port; its process is b.pid.
    accept_ms, start_ms: after its start it accepted a connection, and had answered a CONNECT"""

    def __init__(self, name, program, folder, load, cert, wrap=()):
        self.name, self.folder, self.load, self.cert = name, folder, load, cert
        self.port, self.tls_port = free_port(), free_port() if load.tls else None
        self.log = folder / f"{name}.log"
        self.command = [*map(str, wrap), str(program), "-c", str(self.configure())]

    def configure(self):
        kept = self.load.persistence is not None
        text = CONFIG.format(queue=self.load.queue, user=getpass.getuser(), folder=self.folder,
                             persistence=str(kept).lower())
        if self.name == "merossd":
            state = self.folder / "state"
            shutil.rmtree(state, ignore_errors=True)
            state.mkdir()
            text += f"state_dir {state}\n"
            text += f"persistence_sync {self.load.persistence}\n" if kept else ""
        text += LISTENER.format(port=self.port)
        if self.tls_port:
            text += LISTENER.format(port=self.tls_port)
            text += TLS.format(cert=self.cert[0], key=self.cert[1])
        conf = self.folder / f"{self.name}.conf"
        conf.write_text(text)
        return conf

    def __enter__(self):
        with open(self.log, "wb") as log, on_cores("all" if self.load.both else "first"):
            began = time.perf_counter()
            # close_fds=False lets Python use posix_spawn(), whose cost is nothing beside a start.
            self.process = subprocess.Popen(self.command, close_fds=False,
                                            stdout=subprocess.DEVNULL, stderr=log)
        self.pid = self.process.pid
        try:
            with on_cores("last"):
                self.wait(began)
        except BaseException:
            self.stop()
            raise
        return self

    def wait(self, began):
        """Until it has answered a client."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 30) as s:
                    self.accept_ms = (time.perf_counter() - began) * 1000
                    s.sendall(CONNECT)
                    if s.recv(4):
                        self.start_ms = (time.perf_counter() - began) * 1000
                        return
            except OSError:
                time.sleep(0.0002)
        raise SystemExit(f"bench: the broker did not start: {' '.join(self.command)}\n"
                         f"{self.log.read_text(errors='replace')[-2000:]}")

    def resident_kb(self):
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("Rss:"))

    def memory_back(self, before_kb, patience_s):
        """Its resident memory when all clients have left, as a multiple of what it was before;
        waits for it to fall, but not for ever."""
        until = time.monotonic() + patience_s
        now = self.resident_kb()
        while now > before_kb * BACK and time.monotonic() < until:
            time.sleep(0.1)
            now = self.resident_kb()
        return now / before_kb

    def stop(self):
        """Returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.process.returncode

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.stop()
