"""Every deliberate harm, by its name. A fault gets the world and six dice between 0 and 1 from the plan, and returns how
many harmful acts it was. Who is hit is told (`touch`, `hard`), for then a logoff has a cause."""

import asyncio
import collections
import json
import signal
import sys
from pathlib import Path

from user import user

fault = collections.namedtuple("fault", "function themes weight")
FAULTS = {}
DEATHS = ("drop", "rst", "ghost", "disconnect_04", "second_connect", "malformed", "exit_then_kill", "clean")


def kind(themes, weight=1.0, name=None):
    def add(function):
        FAULTS[name or function.__name__] = fault(function, themes.split(), weight)
        return function
    return add


EVERY = "users server broker servers flood"
NO_FLOOD = "users server broker servers"


def pick(things, dice):
    return things[int(dice * len(things))] if things else None


def living(world):
    return [u for u in world.users if u.wanted and u.connection and u.connection.up and not u.frozen and not u.cut_off]


def running(world, *kinds):
    return [p for p in world.programs if p.kind in kinds and p.alive() and not p.ending and not p.stopped]


def softly(world, dice):
    """A stop that nobody may notice: well below the quarter of net_ticktime that a PONG has."""
    return (0.03 + 0.12 * dice) * world.tick


def harshly(world, dice):
    """From a moment to beyond the keepalive."""
    return 0.2 + dice * dice * (1.5 * world.keepalive + 8)


# --- users of the harness's own

def death(how):
    async def die(world, dice):
        """A user's node ends in this way; most come back, soon or at once, with the next incarnation."""
        victim = pick(living(world), dice[0])
        if not victim:
            return 0
        victim.die(how)
        if dice[1] < 0.7:
            victim.retry_at = world.now() + dice[2] ** 3 * 4
        else:
            victim.wanted, victim.taker = False, dice[3] < 0.5
        return 1
    return die


for each in DEATHS[:-1]:
    kind(EVERY, 0.7, "user_" + each)(death(each))


def thaw(victim):
    victim.frozen = False
    victim.touch("it was frozen")
    if victim.connection:
        victim.connection.thaw()


@kind(EVERY)
async def user_frozen(world, dice):
    victim = pick(living(world), dice[0])
    if not victim:
        return 0
    victim.frozen = True
    victim.touch("it is frozen")
    victim.connection.freeze()
    world.later(harshly(world, dice[1]), lambda: victim.frozen and thaw(victim))
    return 1


@kind(EVERY)
async def user_cut(world, dice):
    victim = pick(living(world), dice[0])
    if not victim:
        return 0
    world.cut(victim.address)
    victim.cut_off = True
    victim.touch("it is cut off")

    def mend():
        world.mend(victim.address)
        victim.cut_off = False
        victim.touch("it is no longer cut off")
    world.later(harshly(world, dice[1]), mend)
    return 1


async def incarnate(victim):
    """The next incarnation connects, beside the last one or after it, and asks for its name at once."""
    await victim.connect()
    if victim.connection and victim.connection.up and not victim.process:
        victim.new_process()
        victim.ask("logon", victim.nick)


@kind(EVERY, 1.5)
async def takeover(world, dice):
    """Up to twenty incarnations of one node in a second, each taking the connection from the one before."""
    victim = pick(living(world), dice[0])
    if not victim or victim.connecting:
        return 0
    times = 1 + int(dice[1] ** 2 * 20)
    victim.connecting = True
    try:
        for _ in range(times):
            await incarnate(victim)
            await asyncio.sleep(0.05 * dice[2])
    finally:
        victim.connecting = False
    return times


@kind("users flood", 2.0)
async def reborn_while_server_stopped(world, dice):
    """A node logs on while the server is stopped, dies, and its next incarnation logs on before the server goes on."""
    server, victim = pick(running(world, "server"), 0), pick(living(world), dice[0])
    if dice[1] < 0.5:
        number = len(world.users)
        victim = user(world, f"late{number}", f"late{number}@zone", chatty=dice[2] < 0.5)
        world.own_names.add(victim.nick)
    if not server or not victim or victim.connecting:
        return 0
    victim.connecting, acts = True, 1
    server.send_signal(signal.SIGSTOP)
    begun = world.now()
    world.later(softly(world, 1.0), lambda: server.send_signal(signal.SIGCONT))    # however slow the rest is
    try:
        for _ in range(1 + int(dice[3] * 3)):
            await incarnate(victim)
            await asyncio.sleep(0.03)
            victim.die(DEATHS[int(dice[4] * 7)])
            victim.retry_at, acts = 0.0, acts + 1
            if dice[5] < 0.3:
                await asyncio.sleep(0.05)
        await incarnate(victim)
        if victim not in world.users:
            world.users.append(victim)
        await asyncio.sleep(max(0, softly(world, dice[5]) - (world.now() - begun)))
    finally:
        server.send_signal(signal.SIGCONT)
        victim.connecting = False
    return acts


@kind(EVERY, 0.5)
async def logon_storm(world, dice):
    """Twenty fresh nodes log on at once and all die, in all ways."""
    storm = [user(world, f"storm{n}", f"storm{n}@zone", chatty=False) for n in range(20)]
    for each in storm:
        each.wanted = False
    await asyncio.gather(*(incarnate(each) for each in storm))
    await asyncio.sleep(dice[0])
    for number, each in enumerate(storm):
        each.die(DEATHS[(number + int(dice[1] * 8)) % 8])
    return 2


@kind(EVERY)
async def rival(world, dice):
    """Another node wants the name of a living user: it is refused, and the user notices nothing."""
    holder = pick([u for u in living(world) if u.logged_on and u.nick in world.own_names], dice[0])
    if not holder or holder.connecting:
        return 0
    world.own_names.discard(holder.nick)
    other = user(world, holder.nick, f"rival{int(dice[1] * 1e6)}@zone", chatty=False)
    other.wanted = False
    since = holder.logged_on_at
    await incarnate(other)
    if other.pending:
        reply = await asyncio.wait([other.pending[0].future], timeout=5) and other.pending
        if other.logged_on and holder.logged_on and holder.logged_on_at == since and holder.innocent():
            world.violation(5, f"{other.node} was given the name {holder.nick}, which {holder.node} holds")
        elif not reply and not other.logged_on:
            world.own_names.add(holder.nick)
    other.die("clean")
    return 1


# --- what is late, stale or forged

def targets(world):
    """Node and creation of who is up, as the observer heard it."""
    return [(node, creation) for node, (word, creation) in sorted(world.observer.status.items()) if word == "nodeup"]


@kind(EVERY, 1.5)
async def stale_status(world, dice):
    """A status of an incarnation that is over, of a user, a program or the server; retained or not."""
    target = pick(targets(world), dice[0])
    if not target:
        return 0
    node, creation = target
    stale = creation - (1 if dice[1] < 0.5 else int(dice[1] * 1e6))
    message = ["nodeup", node, stale] if dice[2] < 0.4 else ["nodedown", node, stale, "noconnection"]
    world.observer.publish(f"{world.root}/node/{node}", message, retain=dice[3] < 0.6)
    return 1


@kind(EVERY)
async def cleared_status(world, dice):
    target = pick(targets(world), dice[0])
    if not target:
        return 0
    world.observer.publish(f"{world.root}/node/{target[0]}", b"", retain=True)
    return 1


@kind(EVERY)
async def forged_nodedown(world, dice):
    """The present incarnation of a user or a client is said to be down: on an open broker that ends its links."""
    victim = pick(living(world) + running(world, "client"), dice[0])
    if not victim:
        return 0
    node = getattr(victim, "node", None) or victim.name
    creation = world.observer.status.get(node, ("", 0))[1]
    if not creation:
        return 0
    victim.touch(*["its death is forged"] if isinstance(victim, user) else [])
    world.observer.publish(f"{world.root}/node/{node}", ["nodedown", node, creation, "noconnection"], retain=dice[1] < 0.5)
    return 1


@kind(EVERY, 1.5)
async def forged_exit(world, dice):
    """An EXIT from who is not the one it names, of an incarnation that is over, or retained: none has an effect."""
    victim = pick([u for u in living(world) if u.process], dice[0])
    if not victim:
        return 0
    process = "messenger" if dice[1] < 0.5 or not victim.link else victim.link.partition("/")[2]
    inbox = f"{world.root}/to/{world.server}/{process}"
    if dice[2] < 0.4:
        world.observer.publish(f"{inbox}/from/mallory@zone", ["EXIT", victim.process, "kill"])
    elif dice[2] < 0.7 or world.plan.version != "mqttv5":
        old = f"{victim.node}/{victim.creation - 1 - int(dice[3] * 1e5)}-{1 + int(dice[4] * 3)}"
        world.observer.publish(f"{inbox}/from/{victim.node}", ["EXIT", old, "kill"])
    else:
        world.observer.publish(f"{inbox}/from/{victim.node}", ["EXIT", victim.process, "kill"], retain=True)
    return 1


JUNK = (b"", b"[", b"[[" * 40 + b"]]" * 40, b'{"a":1}', b"\xff\xfe", b"[]", b'[{"a":1,"a":2}]', b'["logon"]', b"[1,2,3]",
        b'["x","logon","y"]', b'["EXIT"]', b'["PING",7]', b'["LINK","a@b/1-0"]', b"[" + b'"z",' * 15000 + b"1]")


@kind(EVERY)
async def junk(world, dice):
    """Bytes that are no message, for the server and the programs' inboxes, retained or not."""
    target = pick(targets(world), dice[0]) if dice[1] < 0.5 else (world.server, 0)
    if not target:
        return 0
    process = ("messenger", "net_kernel", f"{target[1]}-1")[int(dice[2] * 3)]
    for number in range(40):
        sender = f"mallory{number if dice[3] < 0.5 else ''}@zone"
        world.observer.publish(f"{world.root}/to/{target[0]}/{process}/from/{sender}",
                               JUNK[(number + int(dice[4] * 14)) % len(JUNK)], retain=dice[5] < 0.5)
    return 1


@kind(EVERY)
async def retained_logon(world, dice):
    """A well-formed logon, but retained: ignored by programs with MQTT 5."""
    if world.plan.version != "mqttv5":
        return 0
    sender = f"mallory{int(dice[0] * 5)}@zone"
    world.observer.publish(f"{world.root}/to/{world.server}/messenger/from/{sender}",
                           [f"{sender}/1795204836123-1", "logon", "planted"], retain=True)
    return 1


# --- programs

def signalled(number, *kinds):
    async def act(world, dice):
        victim = pick(running(world, *kinds), dice[0])
        if not victim:
            return 0
        harm(world, victim)
        victim.ending = True
        victim.send_signal(number)
        if victim.kind == "server" and (not world.plan.standbys or dice[1] < 0.5):
            world.later(dice[2] * 3, world.start_server)
        elif victim.kind == "broker":
            world.later(dice[2] * 2 + 0.2, world.start_broker)
        elif victim.kind == "client" and dice[1] < 0.6:
            number_of = int(victim.name[6:].partition("@")[0])
            world.later(dice[2] ** 2 * 3, lambda: victim.handled and world.start_client(number_of))
        elif victim.kind == "standby" and dice[1] < 0.6:
            world.later(dice[2] * 3, lambda: victim.handled and world.start_standby(int(victim.name[7])))
        return 1
    return act


def harm(world, victim):
    """Books: this explains what happens to a client, or to everybody."""
    victim.touch()
    if victim.kind in ("server", "broker") or victim.creations:
        world.hard(f"{victim.name} is hit")


def stopped(*kinds, soft=False):
    async def act(world, dice):
        victim = pick(running(world, *kinds), dice[0])
        if not victim:
            return 0
        seconds = softly(world, dice[1]) if soft else harshly(world, dice[1])
        if not soft:
            harm(world, victim)
        victim.send_signal(signal.SIGSTOP)

        def go_on():
            victim.send_signal(signal.SIGCONT)
            if not soft:
                victim.touch()
        world.later(seconds, go_on)
        return 1
    return act


def cut_off(*kinds):
    async def act(world, dice):
        victim = pick(running(world, *kinds), dice[0])
        if not victim:
            return 0
        harm(world, victim)
        world.cut(victim.address)

        def mend():
            world.mend(victim.address)
            victim.touch()
        world.later(harshly(world, dice[1]), mend)
        return 1
    return act


def reset(*kinds):
    async def act(world, dice):
        victim = pick(running(world, *kinds), dice[0])
        if not victim:
            return 0
        harm(world, victim)
        world.cut(victim.address, "rst")
        world.observer.publish(f"{world.root}/to/{victim.name}/net_kernel/from/mallory@zone", ["PING", "mallory@zone/1-1"])
        await asyncio.sleep(0.1 + dice[1] * 0.3)
        world.mend(victim.address, "rst")
        victim.touch()
        return 1
    return act


for program_kind, themes, weight in (("client", EVERY, 0.8), ("server", "server", 2), ("standby", "server servers flood", 1),
                                     ("broker", "broker", 1.5)):
    kind(themes, weight, f"{program_kind}_sigkill")(signalled(signal.SIGKILL, program_kind))
    kind(themes, weight / 2, f"{program_kind}_sigterm")(signalled(signal.SIGTERM, program_kind))
    kind(themes, weight, f"{program_kind}_sigstop")(stopped(program_kind))
    if program_kind != "broker":
        kind(themes, weight, f"{program_kind}_cut")(cut_off(program_kind))
        kind(themes, weight / 2, f"{program_kind}_reset")(reset(program_kind))
for program_kind in ("client", "server", "broker"):
    kind("users", 0.7, f"{program_kind}_paused")(stopped(program_kind, soft=True))


def unread(program_kind):
    async def act(world, dice):
        """Nobody reads a pipe, which a page of output fills, for seconds or for ever; and there is a lot to say."""
        victim = pick([p for p in running(world, *program_kind) if not p.unread], dice[0])
        if not victim:
            return 0
        victim.leave_unread("stderr" if victim.kind != "client" or dice[1] < 0.3 else "stdout")
        victim.ever_unread = True
        if dice[2] < 0.4:
            victim.unread["for ever"] = True
        else:
            world.later(2 + dice[3] * 12, victim.read_again)
        if victim.kind == "client":
            for each in living(world)[:5]:
                each.logged_on and [each.ask("say", "lobby", "x" * 500) for _ in range(6)]
        else:
            for number in range(300):
                world.observer.publish(f"{world.root}/to/{victim.name}/messenger/from/mallory{number}@zone", ["what", number])
        return 1
    return act


kind("users server flood", 1.2, "client_unread")(unread(["client"]))
kind(EVERY, 0.6, "server_unread")(unread(["server", "standby"]))


@kind("broker", 1.5)
async def broker_and_users_killed(world, dice):
    """The broker is killed, users die meanwhile, so no will will ever come; then it is back."""
    if not running(world, "broker"):
        return 0
    world.hard("the broker is killed")
    world.broker.kill()
    dead = [u for u in living(world) if world.chance.random() < 0.3]
    for each in dead:
        each.die("drop")
        each.wanted, each.taker = False, dice[1] < 0.5
    for each in [p for p in running(world, "client") if world.chance.random() < 0.3]:
        each.kill()
        dead.append(each)
    world.later(0.2 + dice[2], world.start_broker)
    return 1 + len(dead)


@kind("servers", 3)
async def two_servers(world, dice):
    """A second program of the server's name: one of the two ends as documented. Then the survivor is cut off, reset, or
    loses its broker."""
    if not running(world, "server"):
        return 0
    world.hard("a second server is started")
    first, second = running(world, "server")[0], world.start_server(*["--replace"] * (
        world.harness.can_replace and dice[0] < 0.5))
    await world.until(25, lambda: not (first.alive() and second.alive()))
    await asyncio.sleep(dice[1] ** 2 * 8)
    what = ("server_cut", "server_reset", "broker_sigkill", "server_sigstop", "broker_sigterm")[int(dice[2] * 5)]
    world.note("FAULT", what)
    return 1 + await FAULTS[what].function(world, [0.0, *dice[3:], dice[1], dice[2]])


def flood(what):
    async def act(world, dice):
        """One node sends 5,000 to 30,000 messages a second for some seconds; nobody else may notice."""
        number = int(dice[0] * 1e6)
        to, rate = f"flood{number}", 5000 + dice[2] * 25000
        if dice[1] < 0.2 and living(world):       # what floods somebody else has to leave him time to answer PING
            to, rate = living(world)[0].nick, 1500
        async with world.harness.one_flood:
            world.harness.flooded = world
            process = await asyncio.create_subprocess_exec(
                sys.executable, Path(__file__).with_name("flood.py"), world.new_address(), str(world.port), world.root,
                world.server, f"flood{number}@zone", f"flood{number}", what, to, str(rate), str(1 + dice[3] * 4),
                str(int(dice[4] < 0.5)), "clean" if dice[5] < 0.5 else "dead", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
            try:
                out, problem = await process.communicate()
                await asyncio.sleep(2)
            finally:
                world.harness.flooded = None
        world.note(f"flood{number}@zone", f"is over: {out.decode().strip()} {problem.decode()[-300:]}")
        try:
            end = json.loads(out)["exit"]
        except ValueError:
            end = None
        if end and not world.had_hard and not world.excuse(1.25 * world.tick + 2):
            world.violation(3, f"flood{number}@zone read and answered all the time, and was logged off: {end}")
        return 1
    return act


for each in ("logon", "message", "say", "junk"):
    kind("flood", 1.5, "flood_" + each)(flood(each))
