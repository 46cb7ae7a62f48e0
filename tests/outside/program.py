"""The real programs: Mosquitto, messenger-node, messenger-client. Their pipes are read, or not, as a fault wants it; what
a client prints is turned into what its user knows (laws 3 to 7)."""

import asyncio
import collections
import fcntl
import json
import os
import re
import signal
import subprocess

from user import MARK

CRASH = re.compile(r"terminate called|Assertion|Sanitizer|core dumped|pure virtual|double free|corrupted|Segmentation|"
                   r"runtime error:|stack smashing")
SERVER_UP = re.compile(r"node (\S+) is up at the broker .*creation (\d+)")
F_SETPIPE_SZ = 1031
RSS_LIMIT = 300 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")


class program:
    """One process with its pipes. kind: broker, server, standby or client."""

    def __init__(self, world, kind, name, argv, address=None):
        self.world, self.kind, self.name, self.address = world, kind, name, address
        self.stopped = self.ending = self.begins = self.handled = False
        self.code, self.unread, self.buffers = None, {}, {}
        self.resumed_at, self.ever_unread = -10.0, False
        self.creations = {}                   # under which it was the server, and when it said so on stderr
        self.touched_at, self.run_delay = world.now(), 0
        self.ended_at, self.up_at = None, 0.0
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MQTT_", "MESSENGER_", "XDG_"))}
        environment["HOME"] = str(world.folder)
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE if kind == "client" else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment, cwd=world.folder)
        self.pid = self.process.pid
        for stream in (self.process.stdout, self.process.stderr):
            os.set_blocking(stream.fileno(), False)
            self.read(stream)
        self.note(f"started as {self.pid}: {' '.join(map(str, argv))}")

    def note(self, what):
        self.world.note(f"{self.kind} {self.name}", what)

    def alive(self):
        return self.code is None and self.process.poll() is None

    def send_signal(self, number):
        if self.alive():
            self.note(f"gets {signal.Signals(number).name}")
            self.begins = number == signal.SIGTERM and not self.blocks(number)
            os.kill(self.pid, number)
            self.stopped = number == signal.SIGSTOP if number in (signal.SIGSTOP, signal.SIGCONT) else self.stopped

    def blocks(self, number):
        """Whether it reads this signal when it likes: not before its main() has begun."""
        try:
            with open(f"/proc/{self.pid}/status") as file:
                blocked = next(int(line.split()[1], 16) for line in file if line.startswith("SigBlk"))
        except (OSError, StopIteration):
            return True
        return bool(blocked >> (number - 1) & 1)

    def kill(self):
        self.ending = True
        self.send_signal(signal.SIGKILL)

    def touch(self):
        self.touched_at = self.world.now()

    # --- pipes

    def read(self, stream):
        asyncio.get_running_loop().add_reader(stream.fileno(), self.readable, stream)

    def leave_unread(self, which):
        """Nobody reads this pipe from now on, and it is as small as the kernel lets it be."""
        stream = getattr(self.process, which)
        asyncio.get_running_loop().remove_reader(stream.fileno())
        try:
            fcntl.fcntl(stream.fileno(), F_SETPIPE_SZ, 4096)
        except OSError:
            pass                              # more than a page is in it: it stays as it is
        self.unread[which] = True
        self.note(f"nobody reads its {which} now")

    def read_again(self):
        for which in [w for w in self.unread if w != "for ever"]:
            del self.unread[which]
            stream = getattr(self.process, which)
            if not stream.closed:
                self.resumed_at = self.world.now()
                self.note(f"its {which} is read again")
                self.read(stream)

    def readable(self, stream):
        try:
            data = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(stream.fileno())
            return
        lines = (self.buffers.get(stream, b"") + data).split(b"\n")
        self.buffers[stream] = lines.pop()
        for line in lines:
            self.hear_line(line.decode(errors="replace"), stream is self.process.stdout)

    def close(self):
        for stream in (self.process.stdout, self.process.stderr):
            if not stream.closed:
                asyncio.get_running_loop().remove_reader(stream.fileno())
                stream.close()
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except OSError:
                pass

    def hear_line(self, line, stdout):
        self.note(("prints " if stdout else "logs ") + line[:300])
        if CRASH.search(line):
            self.world.violation(6, f"{self.name} printed what looks like a crash: {line[:300]}")
        up = SERVER_UP.search(line)
        if up and up[1] == self.world.server:
            self.creations[int(up[2])] = self.world.now()
            self.world.serves_now(self)

    # --- its end

    def watch(self):
        """Ten times a second: has it ended?"""
        if self.handled or self.process.poll() is None:
            return
        for stream in (self.process.stdout, self.process.stderr):
            if not stream.closed and not self.unread:
                self.readable(stream)
        self.handled, self.code, self.ended_at = True, self.process.returncode, self.world.now()
        self.note(f"ended with {self.code}")
        self.ended()

    def ended(self):
        if self.kind == "broker":
            if not self.ending:
                self.world.hard("the broker ended by itself")
        elif self.ending:
            if self.begins and self.code == -signal.SIGTERM:
                return                        # as any program ends that is being loaded
            if self.code not in (0, -signal.SIGKILL) and not (self.code == 1 and self.kind != "client"):
                self.world.violation(6, f"{self.name} got SIGTERM and ended with {self.code}")
        elif self.code == 6 and self.kind == "server" and not self.creations and self.world.other_servers(self):
            pass                              # refused: a server of that name answers already
        elif self.code == 1:
            self.world.to_judge.append((self, self.world.other_servers(self)))
        else:
            self.world.violation(6, f"{self.name} ended by itself with {self.code}")

    def measure(self):
        """Once a second: memory, and how long its threads have waited for a processor since the last time."""
        try:
            with open(f"/proc/{self.pid}/statm") as file:
                rss = int(file.read().split()[1]) * PAGE
            total = 0
            for task in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[1])
        except (OSError, IndexError):
            return 0.0
        if self.kind in ("server", "standby") and rss > RSS_LIMIT:
            self.world.violation(6, f"{self.name} uses {rss >> 20} MB")
        waited, self.run_delay = (total - self.run_delay) / 1e9, total
        return waited


class client(program):
    """messenger-client, and what its user has been told."""

    def __init__(self, world, name, nick, argv, address, rejoin, as_json):
        self.nick, self.rejoin, self.as_json = nick, rejoin, as_json
        self.on = self.ever_on = self.stolen = False
        self.on_at, self.starts, self.exits, self.commands_at = 0.0, 1, 0, world.now()
        self.received = collections.Counter()
        super().__init__(world, "client", name, argv, address)

    def command(self, line):
        if not self.alive():
            return
        self.commands_at = self.world.now()
        if line.startswith("/logon"):
            self.starts += 1
        self.note(f"is told {line}")
        try:
            os.set_blocking(self.process.stdin.fileno(), False)
            os.write(self.process.stdin.fileno(), line.encode() + b"\n")
        except (BlockingIOError, BrokenPipeError):
            pass

    def innocent(self):
        return (self.on_at > self.world.calm_since and self.on_at > self.touched_at and not self.stopped
                and not self.world.excuse(1.25 * self.world.tick + 2))

    def hear_line(self, line, stdout):
        super().hear_line(line, stdout)
        if not stdout:
            return
        kind, what = self.as_event(line)
        if kind == "logged_on":
            if not self.on:
                self.world.changed_at = self.world.now()
            self.on = self.ever_on = True
            self.on_at = 0.0 if self.world.now() - self.resumed_at < 1 else self.world.now()
        elif kind == "exit":
            self.hear_exit(what)
        elif kind in ("user_exists_at_other_node", "already_logged_on"):
            self.on = False
            self.world.violation(5, f"{self.name} was refused its own name {self.nick}: {kind}")
        elif kind == "No response from server":
            if self.on and self.innocent() and self.world.now() - self.resumed_at > 1:
                self.world.violation(4, f"{self.name} got no response, and nothing had been done to it, to the server or "
                                        f"to the broker")
            self.on = False
        elif kind in ("logged_off", "you_are_not_logged_on", "not_logged_on"):
            if kind == "you_are_not_logged_on" and self.on and self.innocent():
                self.world.violation(3, f"{self.name} printed logged_on and no exit, and the server says {kind}")
            self.on = False
        elif kind == "text":
            self.hear_text(what)

    def hear_exit(self, reason):
        self.exits += 1
        if self.exits > self.starts and not self.rejoin:
            self.world.violation(7, f"{self.name} printed exit {self.exits} times, and had logged on {self.starts} times")
        if isinstance(reason, list) or isinstance(reason, str) and reason.startswith('["error'):
            self.world.violation(6, f"the server process crashed: {self.name} printed exit: {reason}")
        elif self.on and self.innocent():
            self.world.logged_off(f"{self.name} ({self.nick}) was logged off ({reason}), and nothing had been done to it, "
                                  f"to the server or to the broker")
        self.on = False
        self.world.changed_at = self.world.now()

    def hear_text(self, said):
        mark = MARK.search(said)
        if mark:
            receiver = f"{mark[3]} at {self.name} {self.pid} {self.starts} {self.exits}"
            problem = self.world.order.problem(mark[1], mark[2], receiver, int(mark[4]))
            self.received[mark[2]] += 1
            if problem:
                self.world.violation(4, f"{self.name} printed a message twice or out of order: {problem}")

    def as_event(self, line):
        """What a line says: its kind, and the reason of an exit or the text of a message."""
        if not self.as_json:
            if line.startswith("exit: "):
                return "exit", line[6:]
            return ("text", line) if "|" in line else (line, None)
        try:
            record = json.loads(line)
        except ValueError:
            self.world.violation(6, f"{self.name} printed what is no JSON: {line[:200]}")
            return "", None
        kind = record["type"]
        if kind == "exit":
            return "exit", record["reason"]
        if kind in ("message", "said"):
            return "text", record["text"]
        return record.get("reply") or (record.get("reason") if kind == "refused" else kind), None

    def ended(self):
        self.on = False
        self.world.changed_at = self.world.now()
        if self.ending:
            return super().ended()
        if self.stolen and self.code == 1:
            return
        law = 5 if self.code == 3 else 6
        self.world.violation(law, f"{self.name} ended by itself with {self.code}")
