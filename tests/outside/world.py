"""One round in a world of its own: a broker, server programs, clients, users; the faults of a plan; then everything is
healed, and the laws are asked from outside."""

import asyncio
import collections
import math
import random
import shutil
import signal
import subprocess
import time

import faults
from observer import observer
from program import client, program
from user import ROOMS, order, user

LONGEST_PAUSE = 40                            # "nobody waits longer to reconnect" (topics.md)
BROKER_CONFIG = """listener {port}
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 100000
max_packet_size 131072
sys_interval 1
"""


class world:
    def __init__(self, harness, slot, plan):
        self.harness, self.slot, self.plan = harness, slot, plan
        self.chance = random.Random(f"{plan.seed}:{plan.number}:world")
        self.bin, self.folder = harness.bin, harness.folder / f"world-{slot}-{plan.number}"
        self.port, self.server, self.root = 18000 + slot, "messenger@hub", "messenger/1/messenger"
        self.tick, self.keepalive = plan.tick, plan.keepalive
        self.addresses = 0
        self.books, self.tasks, self.undos = [], set(), []
        self.users, self.programs, self.own_names, self.to_judge = [], [], set(), []
        self.faults, self.violations, self.order = 0, [], order()
        self.calm_since, self.had_hard, self.chatting = math.inf, False, True
        self.dropped_at = self.overloaded_at = self.changed_at = -1000.0
        self.started, self.over, self.excused = self.now(), False, 0
        self.broker = self.probe = self.serving = None
        self.observer = observer(self)

    # --- what everybody uses

    @staticmethod
    def now():
        return asyncio.get_running_loop().time()

    def note(self, who, what):
        self.books.append((time.time(), who, what))

    def new_address(self):
        """Each program and user reaches the broker at an address of its own, so that one can be cut off alone."""
        self.addresses += 1
        return f"127.{self.slot + 1}.{self.addresses // 250}.{self.addresses % 250 + 1}"

    def spawn(self, what):
        task = asyncio.get_running_loop().create_task(what)
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.harness.trouble(task.exception())

    async def open(self, connection, address):
        await asyncio.wait_for(asyncio.get_running_loop().create_connection(lambda: connection, address, self.port), 5)

    def overloaded(self, why):
        if self.now() - self.overloaded_at > 1:
            self.note("harness", f"overload: {why}")
        self.overloaded_at = self.now()

    def excuse(self, seconds):
        """Was the machine too slow, or did the broker drop messages, in these last seconds?"""
        excused = max(self.overloaded_at, self.dropped_at, self.harness.late_at) > self.now() - seconds
        self.excused += excused
        return excused

    def violation(self, law, sentence):
        if self.over or (law, sentence) in self.violations:
            return
        self.note("LAW", f"{law}: {sentence}")
        self.violations.append((law, sentence))

    def logged_off(self, sentence):
        """Law 3. Where the harness made several server programs compete, a change of the server is nobody's fault."""
        if self.had_hard and len(self.servers()) > 1:
            self.note("harness", f"no violation, for server programs compete: {sentence}")
        else:
            self.violation(3, sentence)

    def serves_now(self, one):
        """A program says that it is the server. A standby may be that only when the one before was down."""
        before, self.serving = self.serving, one
        one.up_at = self.now()
        if one.kind == "standby" and before and before is not one and before.alive() and not before.stopped and (
                before.up_at > max(before.touched_at, one.touched_at, self.broker.touched_at)
                and self.now() - before.up_at > 1 and not self.excuse(1.25 * self.tick + 2)):
            self.violation(3, f"{one.name} took the server's name from {before.name} (pid {before.pid}), which had served for "
                              f"{self.now() - before.up_at:.1f} s with nothing done to it")

    def hard(self, what):
        """Something was done to the broker or the server that explains a logoff or a missing reply until it is proved
        that all is well again."""
        self.note("harness", f"from now on no logoff needs another cause: {what}")
        self.calm_since, self.had_hard = math.inf, True

    def names(self):
        return [u.nick for u in self.users] + [p.nick for p in self.clients()] + ["nobody"]

    def clients(self):
        """The latest program of each client's node."""
        return list({p.name: p for p in self.programs if p.kind == "client"}.values())

    def servers(self, kind=None):
        return [p for p in self.programs if p.alive() and p.kind in ((kind,) if kind else ("server", "standby"))]

    def other_servers(self, one):
        return [p for p in self.servers() if p is not one]

    def server_came_up(self, creation):
        if self.calm_since < math.inf and not self.excuse(1.25 * self.tick + 2):
            if not (self.had_hard and len(self.servers()) > 1):
                self.violation(3, f"the server's node came up anew (creation {creation}), and nothing had been done to it or "
                                  f"to the broker")
            self.hard("the server's node came up anew")

    @staticmethod
    def cut(address, how="cut"):
        """No packet from or to this address arrives any more, or (rst) each is answered with RST."""
        subprocess.run(["nft", f"add element ip outside {how} {{ {address} }}"], check=False)

    @staticmethod
    def mend(address, how="cut"):
        subprocess.run(["nft", f"delete element ip outside {how} {{ {address} }}"], check=False,
                       stderr=subprocess.DEVNULL)    # one mending undoes two cuts

    def later(self, seconds, what):
        """Undoes a fault after some time, or when everything is healed."""
        self.undos.append((self.now() + seconds, what))

    # --- programs

    def start_broker(self):
        if self.broker and self.broker.ending:
            self.broker.process.wait(10)      # its port has to be free
        elif self.broker and self.broker.alive():
            return
        config = self.folder / "mosquitto.conf"
        extra = f"persistence true\npersistence_location {self.folder}/\nautosave_interval 1\n" if self.plan.persistence else ""
        config.write_text(BROKER_CONFIG.format(port=self.port) + "user root\n" + extra)
        self.broker = program(self, "broker", f"broker {self.port}", ["/usr/sbin/mosquitto", "-c", config])
        self.programs.append(self.broker)

    def options(self, name, address):
        return ["-h", address, "-p", str(self.port), "--name", name, "-k", str(self.keepalive), "--net-ticktime",
                str(self.tick), "-V", self.plan.version]

    def start_server(self, *more):
        address = self.new_address()
        argv = [self.bin / "messenger-node", *self.options(self.server, address), "-q", str(self.plan.server_qos), *more]
        self.programs.append(program(self, "server", self.server, argv, address))
        return self.programs[-1]

    def start_standby(self, number):
        name, address = f"standby{number}@hub", self.new_address()
        argv = [self.bin / "messenger-node", *self.options(name, address), "--standby", "--server", self.server,
                "--standby-delay", str(number)]
        self.programs.append(program(self, "standby", name, argv, address))

    def start_client(self, number):
        name, nick, address = f"client{number}@away", f"robot{number}", self.new_address()
        rejoin, as_json, logged = number % 3 != 1, number % 2 == 0, number % 4 < 3
        argv = [self.bin / "messenger-client", *self.options(name, address), "--server", self.server, "--logon", nick]
        argv += ["--join", "lobby"] * logged + ["--rejoin"] * rejoin + ["--json"] * as_json
        if any(p.name == name and p.alive() for p in self.programs):
            return
        self.programs.append(client(self, name, nick, argv, address, rejoin, as_json))

    # --- the round

    async def run(self):
        self.folder.mkdir()
        beat = asyncio.get_running_loop().create_task(self.beat())
        try:
            self.note("harness", f"plan {self.plan}")
            await self.set_up()
            for pause, kind, dice in self.plan.steps:
                await asyncio.sleep(pause)
                while self.harness.flooded not in (None, self):
                    await asyncio.sleep(0.1)  # two processors are few: what a flood does is measured with nothing else
                self.note("FAULT", f"{kind} {[round(d, 3) for d in dice]}")
                self.faults += await faults.FAULTS[kind].function(self, dice) or 0
            await self.settle()
            await self.tear_down()
        finally:
            self.over = True
            beat.cancel()
            for task in list(self.tasks):
                task.cancel()
            for each in self.users + [self.observer, self.probe]:
                if each and each.connection:
                    each.connection.abort()
            for each in self.programs:
                if each.alive():
                    each.process.kill()
                each.process.wait()
                each.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def beat(self):
        measured = 0.0
        while True:
            await asyncio.sleep(0.1)
            now = self.now()
            try:
                self.observer.beat(now)
                for each in self.users + ([self.probe] if self.probe else []):
                    each.beat(now)
                for each in list(self.programs):
                    each.watch()
                for due in [u for u in self.undos if u[0] <= now]:
                    self.undos.remove(due)
                    due[1]()
                if now - measured > 1:
                    measured = now
                    most = 0.3 if self.harness.flooded else 0.5
                    for each in [p for p in self.programs if p.alive() and not p.stopped and p.kind != "client"]:
                        if each.measure() > most:
                            self.overloaded(f"{each.name} waits for a processor")
            except Exception as problem:      # a mistake of the harness itself: told, and the round goes on
                self.harness.trouble(problem)

    async def until(self, seconds, condition):
        end = self.now() + seconds
        while not condition():
            if self.now() > end:
                return False
            await asyncio.sleep(0.05)
        return True

    async def set_up(self):
        self.start_broker()
        await asyncio.sleep(0.2)
        self.start_server()
        for number in range(1, self.plan.standbys + 1):
            self.start_standby(number)
        if not await self.until(15, lambda: self.observer.server_creation):
            self.violation(1, "no server came up within 15 s of its start")
        self.calm_since = self.now()
        for number in range(self.plan.users):
            self.add_user(f"user{number}", f"own{number}@{'away' if number % 2 else 'zone'}",
                          version=5 if number % 3 else 4, qos=0 if number % 7 == 6 else 1)
        for number in range(self.plan.clients):
            self.start_client(number)
        await self.until(6, lambda: all(u.logged_on for u in self.users) and all(c.on for c in self.clients()))

    def add_user(self, nick, node, own=True, **options):
        self.users.append(user(self, nick, node, **options))
        if own:
            self.own_names.add(nick)
        return self.users[-1]

    # --- afterwards

    def heal(self):
        self.note("harness", "HEAL")
        for _, undo in self.undos:
            undo()
        self.undos = []
        for each in self.programs:
            if each.stopped:
                each.send_signal(signal.SIGCONT)
                each.touch()
            if "for ever" not in each.unread:
                each.read_again()
        self.start_broker()
        for each in self.users:
            if each.frozen:
                faults.thaw(each)

    async def prove(self, seconds):
        """Law 1: a fresh node is answered. While no server program lives at all, one is started."""
        if not self.probe:
            self.probe = user(self, "probe", "probe@zone", chatty=False)
        end = self.now() + seconds
        while self.now() < end:
            if not self.servers():
                self.start_server()
            if await self.until(0.3, lambda: self.probe.logged_on):
                return True
        return False

    async def all_ended(self):
        """Whoever was told to end has: he is not to be asked anything any more."""
        if not await self.until(10, lambda: not any(p.ending and p.alive() for p in self.programs)):
            self.violation(6, f"{[p.name for p in self.programs if p.ending and p.alive()]} got SIGTERM, and run on after 10 s")

    async def settle(self):
        self.chatting = False
        self.heal()
        await self.all_ended()
        ghosts = max(1.25 * self.tick, 1.5 * self.keepalive + 6) + 2
        seconds = ghosts + LONGEST_PAUSE + 10
        if not await self.prove(seconds):
            return self.violation(1, f"nobody serves {seconds:.0f} s after everything was healed, and these run: "
                                     f"{[p.name for p in self.servers()]}")
        if self.calm_since == math.inf:
            self.calm_since = self.now()
        self.note("harness", "somebody serves")
        serving = self.now()
        self.revive()
        while True:
            problems = await self.problems(serving, ghosts)
            now = self.now()
            for law, sentence, deadline in problems:
                if now > deadline:
                    self.violation(law, sentence)
            if not problems or any(now > p[2] for p in problems):
                break
            await asyncio.sleep(0.3)
        self.note("harness", f"settled {now - serving:.1f} s after somebody served")
        await self.last_messages()
        self.judge()

    def revive(self):
        """The dead come back, some under another node: once a holder is dead, anybody can have its name."""
        for each in [u for u in self.users if not u.wanted]:
            if each.taker:
                self.own_names.discard(each.nick)
                self.users.remove(each)
                self.add_user(each.nick, f"taker-{each.nick}@zone", own=False, chatty=False)
            else:
                each.wanted, each.retry_at = True, 0.0
        running = {p.name for p in self.clients() if p.alive()}
        for number in range(self.plan.clients):
            if f"client{number}@away" not in running:
                self.start_client(number)

    async def problems(self, serving, ghosts):
        """What is not yet as it has to be: (law, sentence, until when it may be so)."""
        found, now = [], self.now()
        soon = max(serving, self.calm_since if self.calm_since < math.inf else now) + ghosts
        for each in self.users:
            if not each.logged_on:
                found.append((5, f"{each.node} cannot log on as {each.nick}: {each.refusal or 'no reply'}", soon + 8))
        for each in self.clients():
            if each.alive() and not each.on and not each.unread:
                found.append((7, f"{each.name} ({each.nick}, {'--rejoin' if each.rejoin else 'told /logon'}) is not on again",
                              soon + 2 * LONGEST_PAUSE + 10))
                if not (each.rejoin and each.ever_on) and now - each.commands_at > 6:
                    each.command(f"/logon {each.nick}")
        servers = self.servers("server")
        if len(servers) > 1:
            found.append((1, f"{len(servers)} server programs of one name run on", soon + 2 * LONGEST_PAUSE))
        listed = await self.probe.ask("users") if self.probe.logged_on else None
        if not listed or listed[0] != "users":
            return found + [(1, "a server that served does not answer any more", soon + LONGEST_PAUSE)]
        if self.calm_since == math.inf:
            self.calm_since = self.now()
        until = max(soon, self.changed_at + 3)
        must = {u.nick for u in self.users if u.logged_on} | {"probe"}
        must |= {c.nick for c in self.clients() if c.on and (not c.unread or c.innocent())}
        may = must | {c.nick for c in self.clients() if c.unread}
        names = collections.Counter(listed[1])
        for name in must - set(names):
            found.append((2, f"{name} holds a logged_on, and is not on the list", until))
        for name in set(names) - may:
            found.append((2, f"{name} is on the list, and no living process has that name", until))
        found += [(2, f"{name} is on the list {count} times", until) for name, count in names.items() if count > 1]
        for room in ROOMS:
            inside = await self.probe.ask("users", room) if self.probe.logged_on else None
            for each in self.users:
                if inside and inside[0] == "users" and room in each.rooms and each.rooms[room] != set(inside[1]):
                    found.append((8, f"{each.node} takes {sorted(each.rooms[room])} for those in {room}, and the server "
                                     f"says {sorted(inside[1])}", until))
        return found + await self.wrong_status(until)

    async def wrong_status(self, until):
        """Law 9: what the broker retains of each living program is its nodeup."""
        fresh = observer(self, "reader")
        await fresh.connect()
        await asyncio.sleep(0.3)
        if fresh.connection:
            fresh.connection.abort()
        expected = [c.name for c in self.clients() if c.alive() and c.on] + [self.server]
        return [(9, f"the retained status of {name}, which lives, is {fresh.status.get(name)}", until)
                for name in expected if fresh.status.get(name, ("",))[0] != "nodeup"]

    async def last_messages(self):
        """Law 4 once more, with nothing wrong any more: each tells another something, and it arrives."""
        if not self.probe.logged_on:
            return
        sent = [(u, v, u.send_text(v.nick)) for u, v in zip(self.users, self.users[1:] + self.users[:1])
                if u.logged_on and v.logged_on]
        robots = [c for c in self.clients() if c.alive() and c.on and not c.unread]
        sent += [(self.probe, c, self.probe.send_text(c.nick)) for c in robots]
        await self.until(5.5, lambda: all(f.done() for _, _, f in sent))
        await asyncio.sleep(0.2)
        if self.excuse(8):
            return
        for who, to, future in sent:
            if not future.done() or future.result() != ["sent"]:
                self.violation(4, f"with everything healed, {who.node} told {to.nick} something and got "
                                  f"{future.result() if future.done() else 'nothing'}")
            elif to in robots and not await self.until(5, lambda: to.received[who.process]):
                self.violation(4, f"with everything healed, {to.name} did not print what {who.nick} said and was `sent`")

    def judge(self):
        """What could not be judged when it was seen: ends of server programs, and messages that did not arrive."""
        for one, others in self.to_judge:
            before_last = sorted([0, 0, *one.creations])[-2]
            rivals = [p for p in self.programs if p is not one
                      and any(c > before_last and at < one.ended_at + 1 for c, at in p.creations.items())
                      and (p.ending or p.ended_at is None or p.ended_at > one.ended_at + 1)]
            if any(p.ever_unread for p in self.programs) and len({p for p in self.programs if p.creations}) > 1:
                continue                      # their words about their creations were never read
            if not rivals and not (not one.creations and others):
                self.violation(1, f"{one.name} (pid {one.pid}) ended by itself with 1, as if replaced, and no other "
                                  f"program had taken its place and lived on")
        if max(self.dropped_at, self.overloaded_at) > self.started or self.plan.server_qos == 0:
            return
        acknowledged = set().union(*(u.acknowledged for u in self.users + [self.probe]))
        for each in [u.order for u in self.users] + [self.order]:
            for sender, to, number in each.gaps:
                if (sender, to.partition(" at ")[0], number) in acknowledged:
                    self.violation(4, f"message {number} of {sender} to {to} was `sent`, and never arrived, though later "
                                      f"ones did")

    async def tear_down(self):
        """Everything gets SIGTERM and ends as documented."""
        self.hard("the end")
        product = [p for p in self.programs if p.kind != "broker" and p.alive()]
        for each in sorted(product, key=lambda p: p.kind):
            each.ending = True
            each.send_signal(signal.SIGTERM)
        if not await self.until(10, lambda: all(p.handled for p in product)):
            for each in product:
                if not each.handled:
                    self.violation(6, f"{each.name} got SIGTERM, and runs on after 10 s"
                                      f"{', with nobody who reads its ' + ', '.join(each.unread) if each.unread else ''}")
