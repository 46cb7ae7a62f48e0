"""A user of the harness's own: a node with one process, written from topics.md alone, and the laws that it watches
while it talks (3: never logged off without cause, 4: replies and order, 5: its own name, 8: rooms)."""

import asyncio
import collections
import json
import re
import time

import codec
from connection import connection

ROOMS = ("lobby", "den")
MARK = re.compile(r"([ms])\|([^|]+)\|([^|]+)\|(\d+)")
PID = re.compile(r"[\w-]+@[\w-]+/\d+-\d+")
FIT = {"logon": ("logged_on",), "message_to": ("sent", "receiver_not_found"), "users": ("users", "bad_name"),
       "rooms": ("rooms",), "join": ("joined", "bad_name", "too_many_rooms"), "leave": ("left", "not_in_room"),
       "say": ("sent", "not_in_room")}
DEADLINE = 5.0


class request:
    """What was asked, when, and the future that its reply fills (None: it ended in a stop, an exit or a time-out)."""

    def __init__(self, kind, arguments, now):
        self.kind, self.arguments, self.at, self.pages = kind, arguments, now, []
        self.future = asyncio.get_running_loop().create_future()


class order:
    """Numbers that only grow, for each sender and receiver; what was skipped is kept."""

    def __init__(self):
        self.last, self.gaps = {}, []

    def problem(self, kind, sender, to, number):
        last = self.last.get((kind, sender, to), 0)
        if number <= last:
            return f"number {number} from {sender} to {to} after number {last}"
        if last:
            self.gaps += [(sender, to, n) for n in range(last + 1, number)]
        self.last[kind, sender, to] = number
        return None


class user:
    """One node name and one user name over all their incarnations. `wanted`: it is to be connected and logged on."""

    def __init__(self, world, nick, node, chatty=True, version=5, qos=1):
        self.world, self.nick, self.node, self.chatty, self.version, self.qos = world, nick, node, chatty, version, qos
        self.address = world.new_address()
        self.wanted, self.taker = True, False
        self.connection = self.process = self.link = None
        self.creation = self.serial = 0
        self.logged_on = self.frozen = self.cut_off = self.connecting = False
        self.pending, self.up, self.refusal = collections.deque(), asyncio.Event(), None
        self.server_creation = 0
        self.retry_at = self.logon_at = self.chat_at = 0.0
        self.logged_on_at = self.heard = self.asked = self.ping_at = 0.0
        self.touched_at = 0.0        # when the harness last did something to it that explains a logoff
        self.sent_numbers, self.acknowledged, self.order = {}, set(), order()
        self.seqs, self.rooms, self.events = {}, {}, {room: collections.deque(maxlen=200) for room in ROOMS}

    # --- the node

    def topic(self, node, process):
        return f"{self.world.root}/to/{node}/{process}/from/{self.node}"

    def say_to(self, node, process, *elements):
        if self.connection:
            self.connection.publish(self.topic(node, process), json.dumps(elements).encode(), self.qos)

    def signal(self, pid, *elements):
        node, _, local = pid.rpartition("/")
        if node:
            self.say_to(node, local, *elements)

    def status(self, word, *more):
        return json.dumps([word, self.node, self.creation, *more]).encode()

    @property
    def status_topic(self):
        return f"{self.world.root}/node/{self.node}"

    def note(self, what):
        self.world.note(self.node, what)

    async def connect(self):
        """A new incarnation, with a higher creation. A connection that stands is left to the broker to end."""
        self.creation = max(int(time.time() * 1000), self.creation + 1)
        self.up.clear()
        root = self.world.root
        filters = [f"{root}/to/{self.node}/+/from/+", self.status_topic, f"{root}/node/{self.world.server}"]
        filters += [f"{root}/room/{room}/from/{self.world.server}" for room in ROOMS]
        new = connection(self, self.version, self.node, self.world.keepalive,
                         (self.status_topic, self.status("nodedown", "noconnection")), filters)
        self.end_process("noconnection", "its next incarnation connects")
        self.connection, self.seqs, self.server_creation = new, {}, 0
        self.touch("a new connection")
        try:
            await asyncio.wait_for(asyncio.get_running_loop().create_connection(
                lambda: new, self.address, self.world.port), 5)
            await asyncio.wait_for(self.up.wait(), 5)
        except (OSError, asyncio.TimeoutError):
            new.abort()

    def on_up(self, which):
        if which is self.connection:
            which.publish(self.status_topic, self.status("nodeup"), retain=True)
            self.note(f"nodeup, creation {self.creation}")
            self.logon_at = 0.0
            self.up.set()

    def on_lost(self, which):
        if which is self.connection:
            self.connection = None
            self.note("its connection is gone")
            self.touch("its connection is gone")
            self.end_process("noconnection", "its own connection is gone")
            self.retry_at = self.world.now() + self.world.chance.uniform(0.1, 0.6)

    def touch(self, what):
        self.touched_at = self.world.now()

    def die(self, how="drop"):
        """Ends the connection, for good or until `wanted`. How is one of the faults' names."""
        which, self.retry_at = self.connection, self.world.now() + 3600
        if not which:
            return
        self.note(f"dies: {how}")
        if how == "drop":
            which.abort()
        elif how == "rst":
            which.reset()
        elif how == "ghost":
            which.finish(codec.disconnect(self.version))
        elif how == "disconnect_04":
            which.finish(codec.disconnect(5, 4)) if self.version == 5 else which.abort()
        elif how == "second_connect":
            which.finish(codec.connect(self.version, self.node, self.world.keepalive,
                                       (self.status_topic, self.status("nodedown", "noconnection"))))
        elif how == "malformed":
            which.finish(b"\xf7\xff\xff\xff\xff\x7f" + bytes(range(40)))
        elif how == "exit_then_kill":
            self.end_process("normal", "it logs off", tell=True)
            which.abort()
        else:
            self.end_process("normal", "it logs off", tell=True)
            which.publish(self.status_topic, self.status("nodedown", "normal"), retain=True, expires=codec.ONE_DAY)
            which.finish(codec.disconnect(self.version))

    def on_publish(self, which, topic, payload, retain):
        if which is not self.connection:
            return
        levels = topic.split("/")
        try:
            message = json.loads(payload) if payload else None
        except ValueError:
            message = None
        if levels[3] == "node":
            return self.hear_status(levels[4], message)
        if retain or not isinstance(message, list) or not message:
            return
        if levels[3] == "room":
            return self.hear_event(message)
        self.note(f"hears {levels[5]} from {levels[7]}: {payload[:200].decode(errors='replace')}")
        if levels[7] == self.world.server:
            self.heard = self.world.now()
        self.hear(levels[5], levels[7], message)

    def hear_status(self, node, message):
        word, creation = (message[0], message[2]) if message else ("", 0)
        if node == self.node:
            if creation == self.creation and word == "nodedown":
                self.note("its own creation is said to be down: it connects anew")
                self.connection.finish(codec.disconnect(self.version))
                self.retry_at = 0.0
            elif creation < self.creation and self.connection.up:
                self.connection.publish(self.status_topic, self.status("nodeup"), retain=True)
            return
        if not word:
            return
        self.note(f"hears status: {message}")
        if word == "nodeup" and creation > self.server_creation:
            known, self.server_creation = self.server_creation, creation
            if known and (self.link is None or self.creation_of(self.link) < creation):
                self.end_logged_on("noconnection", "the server has a newer incarnation")
        elif word == "nodedown" and creation >= self.server_creation:
            self.end_logged_on(message[3], "the server's node is down")

    @staticmethod
    def creation_of(pid):
        return int(pid.rpartition("/")[2].partition("-")[0])

    # --- its process

    def hear(self, process, sender, message):
        word, mine = message[0], self.process and process == self.process.rpartition("/")[2]
        if word in ("PING", "LINK", "EXIT") and not (
                len(message) > 1 and isinstance(message[1], str) and PID.fullmatch(message[1])
                and message[1].startswith(sender + "/")):
            return                            # forged, or no signal at all
        if word == "PING":
            linked = mine and (self.link == message[1] or self.logged_on and sender == self.world.server)
            if process == "net_kernel" or linked:
                self.asked = self.world.now()
                self.signal(message[1], "PONG", self.node)
            else:
                self.signal(message[1], "EXIT", f"{self.node}/{process}", "noproc")
        elif word == "LINK" and sender == self.world.server:
            if mine:
                self.link, self.asked, self.ping_at = message[1], self.world.now(), 0.0
                self.server_creation = max(self.server_creation, self.creation_of(message[1]))
            else:
                self.signal(message[1], "EXIT", f"{self.node}/{process}", "noproc")
        elif word == "EXIT":
            if mine and len(message) == 3 and message[1] == self.link:
                self.end_logged_on(message[2], "EXIT from the server", signal=True)
        elif mine and sender == self.world.server:
            if word == "messenger":
                self.hear_reply(message[1:])
            elif word == "message_from":
                self.hear_text("m", message[2])

    def hear_text(self, kind, said):
        mark = MARK.match(said)
        if mark and mark[1] == kind:
            problem = self.order.problem(kind, mark[2], f"{mark[3]} at {self.process}", int(mark[4]))
            if problem:
                self.world.violation(4, f"{self.node} got {'a message' if kind == 'm' else 'an event'} twice or out of "
                                        f"order: {problem}")

    def new_process(self):
        self.serial += 1
        self.process, self.link = f"{self.node}/{self.creation}-{self.serial}", None
        self.rooms, self.sent_numbers = {}, {}

    def end_process(self, reason, why, tell=False):
        """The process is over; whoever waits for a reply is told."""
        if not self.process:
            return
        self.note(f"its process {self.process} ended, {reason}: {why}")
        if tell and self.link:
            self.signal(self.link, "EXIT", self.process, reason)
        elif tell:
            self.say_to(self.world.server, "messenger", "EXIT", self.process, reason)
        self.process, self.link, self.logged_on, self.rooms = None, None, False, {}
        self.world.changed_at = self.world.now()
        self.logon_at = self.world.now() + self.world.chance.uniform(0.1, 0.8)
        waiting, self.pending = self.pending, collections.deque()
        for each in waiting:
            each.future.done() or each.future.set_result(None)

    def end_logged_on(self, reason, why, signal=False):
        """The server, or news of it, ended the process: law 3 wants a cause."""
        if not self.logged_on:
            return
        self.end_process(reason, f"{why}, {reason}")
        if isinstance(reason, list) and reason and reason[0] == "error":
            self.world.violation(6, f"the server process crashed: {self.node} got EXIT {reason}")
        elif self.innocent():
            self.world.logged_off(f"{self.node} ({self.nick}) answered, nothing had been done to it, to the server or to "
                                  f"the broker, and it was logged off: {why}, {reason}")

    def innocent(self):
        return (self.logged_on_at > self.world.calm_since and self.logged_on_at > self.touched_at
                and not self.frozen and not self.world.excuse(1.25 * self.world.tick + 2))

    def ask(self, kind, *arguments):
        """A request to the server; the future of what it replies, as a list without "messenger"."""
        if not self.process:
            self.new_process()
        new = request(kind, arguments, self.world.now())
        self.note(f"asks {kind} {arguments}")
        self.say_to(self.world.server, "messenger", self.process, kind, *arguments)
        self.pending.append(new)
        return new.future

    def hear_reply(self, reply):
        if not self.pending:
            return self.world.violation(4, f"{self.node} got a reply that it had not asked for: {reply}")
        asked, stop = self.pending[0], reply[0] == "stop"
        if reply[-1] == "more":
            asked.pages += reply[1]
            return
        self.pending.popleft()
        if not stop and reply[0] not in FIT[asked.kind]:
            self.world.violation(4, f"{self.node} asked {asked.kind} and got {reply}")
        if asked.pages:
            reply[-1] = asked.pages + reply[-1]
        if stop:
            self.stopped(asked, reply[1])
        elif asked.kind == "logon":
            self.logged_on, self.logged_on_at, self.refusal = True, self.world.now(), None
            self.world.changed_at = self.world.now()
            self.chat_at = self.world.now()
        elif asked.kind == "message_to" and reply[0] == "sent":
            mark = MARK.match(asked.arguments[1])
            self.acknowledged.add((mark[2], mark[3], int(mark[4])))
        elif asked.kind == "join" and reply[0] == "joined":
            self.rooms[reply[1]] = set(reply[3])
            for event in self.events[reply[1]]:
                if event[2] > reply[2]:
                    self.apply(event)
        elif asked.kind == "leave":
            self.rooms.pop(asked.arguments[0], None)
        asked.future.done() or asked.future.set_result(reply)

    def stopped(self, asked, word):
        was_on = self.logged_on and word == "you_are_not_logged_on" and self.innocent()
        asked.future.done() or asked.future.set_result(["stop", word])
        self.end_process(word, f"the server said stop to {asked.kind}")
        self.refusal = word if asked.kind == "logon" else None
        if was_on:
            self.world.violation(3, f"{self.node} ({self.nick}) holds a logged_on and got no EXIT, and the server says "
                                    f"{word}")
        if word == "user_exists_at_other_node" and self.wanted and self.nick in self.world.own_names:
            self.world.violation(5, f"{self.node} was refused its own name {self.nick}, which no other node ever had")

    def hear_event(self, message):
        """Law 8: the numbers of a room have no gap while the connection stands and the server is the same, unless the
        room was empty in between."""
        word, room, seq = message[:3]
        last = self.seqs.get(room)
        self.note(f"hears event {message}")
        new_life = last and last[2] == "left" and word == "joined" and seq > last[1]
        if last and last[0] == self.server_creation and seq != last[1] + 1 and not new_life and not self.world.excuse(5):
            self.world.violation(8, f"{self.node} heard event {seq} of {room} after {last[1]}, of one server")
        self.seqs[room] = (self.server_creation, seq, word)
        self.events[room].append(message)
        if room in self.rooms:
            self.apply(message)

    def apply(self, event):
        word, room, name = event[0], event[1], event[3]
        if word == "joined":
            self.rooms[room].add(name)
        elif word == "left":
            self.rooms[room].discard(name)
        elif self.process:
            self.hear_text("s", event[4])

    # --- time

    def beat(self, now):
        """Ten times a second: what is due."""
        which = self.connection
        if self.frozen:
            return
        if not which:
            if self.wanted and now >= self.retry_at and not self.connecting:
                self.connecting = True
                self.world.spawn(self.reconnect())
            return
        if not which.up:
            return
        which.keep_alive(now)
        if self.pending and now - self.pending[0].at > DEADLINE + 0.3:
            self.time_out(self.pending[0])
        if self.logged_on and self.link:
            self.tick(now)
        elif self.logged_on and now - self.logged_on_at > DEADLINE:
            self.end_process("timeout", "logged_on without a LINK", tell=True)
        if not self.logged_on and self.wanted and not self.pending and now >= self.logon_at:
            self.new_process()
            self.ask("logon", self.nick)
        elif self.logged_on and self.chatty and now >= self.chat_at and self.world.chatting:
            self.chat_at = now + self.world.chance.uniform(0.2, 1.2)
            self.chat(self.world.chance)

    async def reconnect(self):
        try:
            await self.connect()
        finally:
            self.connecting = False

    def time_out(self, asked):
        self.note(f"no reply to {asked.kind} {asked.arguments}")
        calm = max(self.world.calm_since, self.touched_at) + 0.5 < asked.at
        if calm and not self.cut_off and not self.world.excuse(3 * DEADLINE):
            self.world.violation(4, f"{self.node} asked {asked.kind} and got neither a reply nor an exit in 5 s")
        self.end_process("timeout", "no response from server", tell=True)

    def tick(self, now):
        """Its side of the tick: asks once in net_ticktime unless it was asked, and gives the server a second more than
        it has to."""
        ticktime = self.world.tick
        if not self.ping_at and now - self.asked > ticktime * (7 / 8 if self.node < self.world.server else 1):
            self.signal(self.link, "PING", self.process)
            self.ping_at = self.asked = now
        elif self.ping_at and self.heard > self.ping_at:
            self.ping_at = 0.0
        elif self.ping_at and now - self.ping_at > ticktime / 4 + 1 and now - self.heard > 1.25 * ticktime + 1:
            innocent = self.innocent()
            self.end_process("noconnection", "the server does not answer PING", tell=True)
            if innocent:
                self.world.violation(4, f"the server left a PING of {self.node} without an answer for "
                                        f"{ticktime / 4 + 1} s")

    def chat(self, chance):
        kind = chance.choices(("message_to", "say", "users", "rooms", "join", "leave", "list"),
                              (50, 20, 8, 4, 12, 4, 4))[0]
        room = chance.choice(ROOMS)
        if kind == "message_to":
            for _ in range(chance.choice((1, 1, 1, 3))):
                self.send_text(chance.choice(self.world.names()))
        elif kind == "say":
            self.ask("say", room, self.next_text("s", room))
        elif kind in ("join", "leave"):
            self.ask(kind, room)
        elif kind == "list":
            self.ask("users", room)
        else:
            self.ask(kind)

    def next_text(self, kind, to):
        number = self.sent_numbers[kind, to] = self.sent_numbers.get((kind, to), 0) + 1
        return f"{kind}|{self.process}|{to}|{number}"

    def send_text(self, to):
        return self.ask("message_to", to, self.next_text("m", to))
