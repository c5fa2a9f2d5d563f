"""bystander.py - a healthy publisher and subscriber that work while something else goes wrong.

with Bystander(broker.tcp) as by: ... provoke the fault; leaving the block stops the pair and fails
if it lost, doubled or reordered a message, was disconnected, or never got to work."""
import threading

from harness import Client, Failure, check


class Bystander:
    """One message at a time, QoS 0, 1 and 2 by turns; each must arrive before the next is sent."""

    names = 0

    def __init__(self, port, tls=None, topic="bystander"):
        Bystander.names += 1
        self.topic = f"{topic}/{Bystander.names}"
        self.sub = Client(port, f"{self.topic}-s", tls)
        self.pub = Client(port, f"{self.topic}-p", tls)
        check(self.sub.subscribe(self.topic, 2) == b"\x02", "a bystander's SUBACK")
        self.sent = 0
        self.error = None
        self._news = threading.Condition()
        self._end = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def one(self):
        """One message through the broker."""
        number = self.sent + 1
        self.pub.next_id %= 60000
        qos, payload = number % 3, str(number).encode()
        self.pub.publish(self.topic, payload, qos)
        got = self.sub.message()
        check((got["topic"], got["payload"], got["qos"]) == (self.topic, payload, qos),
              f"a bystander got {got} instead of {number}")
        with self._news:
            self.sent = number
            self._news.notify_all()

    def _work(self):
        try:
            while not self._end:
                self.one()
        except Exception as e:  # pylint: disable=broad-except
            self.error = e
        with self._news:
            self._end = True
            self._news.notify_all()

    def served(self, more, patience=60):
        """Waits until `more` further messages went through: the broker serves others meanwhile."""
        with self._news:
            wanted = self.sent + more
            self._news.wait_for(lambda: self._end or self.sent >= wanted, patience)
            check(self.sent >= wanted, f"the bystanders were not served: {self.error}")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, value, trace):
        served_to_the_end = kind is not None
        try:
            if kind is None:
                self.served(3)
                served_to_the_end = True
        finally:
            self._end = True
            self._thread.join(60)
            for end in (self.sub, self.pub):
                end.wire.close()
        if kind is None:
            check(served_to_the_end and self.error is None, f"a bystander: {self.error}")
            if self._thread.is_alive():
                raise Failure("a bystander hangs")
