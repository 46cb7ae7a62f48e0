"""What a round does, from its seed and number alone."""

import collections
import random

import faults

plan = collections.namedtuple("plan", "seed number theme tick keepalive users clients standbys version server_qos "
                                      "persistence steps")
THEMES = {"users": 46, "server": 20, "broker": 14, "servers": 12, "flood": 8}


def make(seed, number, only=()):
    """A theme says what is harmed: with `users` and `flood` nothing happens to server and broker that anybody may notice,
    so that every logoff of somebody else is a violation."""
    dice = random.Random(f"{seed}:{number}")
    fitting = {t: [k for k, f in faults.FAULTS.items() if t in f.themes and (k in only or not only)] for t in THEMES}
    most = max(map(len, fitting.values())) if only else 1
    themes = [t for t in THEMES if len(fitting[t]) >= most]
    theme = dice.choices(themes, [THEMES[t] for t in themes])[0]
    kinds = fitting[theme]
    count = dice.randint(20, 40) if theme != "flood" else dice.randint(12, 20)
    limits = {"flood_": 2, "two_servers": 1, "broker_": 5, "_unread": 4, "logon_storm": 2}
    used, steps = collections.Counter(), []
    while len(steps) < count:
        kind = dice.choices(kinds, [faults.FAULTS[k].weight for k in kinds])[0]
        limit = next((n for n in limits if n in kind), None)
        used[limit] += 1
        if limit and used[limit] > limits[limit] and len(kinds) > 4:
            continue
        steps.append((dice.uniform(0.0, 0.5) if dice.random() < 0.8 else dice.uniform(0.5, 1.5), kind,
                      [dice.random() for _ in range(6)]))
    tick = 16 if any(k.startswith("flood_") for k in kinds) else dice.randint(4, 12)
    return plan(seed, number, theme, tick, dice.randint(2, 5), dice.randint(4, 20), dice.randint(1, 6),
                dice.choice((0, 1, 1, 2)) if theme != "users" else dice.choice((0, 1)),
                dice.choice(("mqttv5", "mqttv5", "mqttv5", "mqttv311")), int(dice.random() < 0.85), dice.random() < 0.5, steps)
