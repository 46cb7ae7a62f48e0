"""A connection that nothing is done to: it hears every status, asks itself for an echo four times a second (so it knows
whether the broker and the harness keep up), and knows whether the broker dropped messages."""

import json
import time

from connection import connection


class observer:
    def __init__(self, world, name="observer"):
        self.world, self.name, self.address = world, name, world.new_address()
        self.status, self.dropped, self.connection, self.retry_at = {}, 0, None, 0.0
        self.server_creation, self.echo_at, self.waiting, self.connecting = 0, 0.0, None, False

    async def connect(self):
        filters = [f"{self.world.root}/node/+", "$SYS/broker/publish/messages/dropped", f"outside/{self.name}"]
        new = connection(self, 5, self.name, 60, None, filters)
        try:
            await self.world.open(new, self.address)
            self.connection = new
        except OSError:
            pass
        self.connecting = False

    def on_up(self, which):
        self.waiting = None

    def on_lost(self, which):
        self.connection = None
        self.retry_at = self.world.now() + 0.1

    def publish(self, topic, payload, retain=False, qos=1):
        """Anybody can publish as anybody: forgeries go through here."""
        if self.connection and self.connection.up:
            self.connection.publish(topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), qos,
                                    retain)

    def on_publish(self, which, topic, payload, retain):
        if topic.startswith("$SYS"):
            dropped = int(payload)
            if dropped > self.dropped:
                self.world.note("broker", f"dropped {dropped} messages so far")
                self.world.dropped_at = self.world.now()
            self.dropped = dropped
        elif topic.startswith("outside/"):
            if self.waiting == payload:
                self.check_echo(self.world.now())
                self.waiting = None
        else:
            self.hear_status(topic.rpartition("/")[2], payload)

    def check_echo(self, now):
        if now - self.echo_at > 1.0:
            self.world.overloaded(f"the broker took {now - self.echo_at:.1f} s for an echo")

    def beat(self, now):
        if not self.connection:
            if now > self.retry_at and not self.connecting:
                self.connecting = True
                self.world.spawn(self.connect())
        elif self.connection.up:
            self.connection.keep_alive(now)
            if self.waiting is None and now - self.echo_at > 0.25:
                self.waiting, self.echo_at = b"%d" % time.monotonic_ns(), now
                self.connection.publish(f"outside/{self.name}", self.waiting)
            elif self.waiting is not None:
                self.check_echo(now)

    def hear_status(self, node, payload):
        try:
            message = json.loads(payload) if payload else ["", node, 0]
        except ValueError:
            return
        self.world.note(self.name, f"hears status of {node}: {message}")
        if message[0] == "nodeup" or self.status.get(node, ("", 0))[1] <= message[2]:
            self.status[node] = (message[0], message[2])
        newer = node == self.world.server and message[0] == "nodeup" and message[2] > self.server_creation
        if newer and self is self.world.observer:
            self.server_creation = message[2]
            self.world.server_came_up(message[2])
