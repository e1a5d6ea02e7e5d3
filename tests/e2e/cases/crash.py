# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""kill -9 under load: whatever got a 250 arrives."""

import os
import random
import signal
import time

from lab.case import case, expect, expect_equal, wait_until
from lab.sealane import wait_gone

ROUNDS = 20
# A message that arrives twice must have been in flight when something died:
# its first copy came at most this long before a kill, or while a killed role's
# peers still finished what they had.
BEFORE, AFTER = 5.0, 3.0


def kill_one(s, rnd):
    """kill -9 of a random role, or of all at once (every fourth time, and
    then it is started again).  Returns what died."""
    if rnd.random() < 0.25:
        s.kill_all()
        return "all"
    before = s.pids()
    pid, title = rnd.choice(sorted(before.items()))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if title.split()[0] == "parent" or pid == s.proc.pid:
        s.proc.wait(timeout=10)
        wait_gone(before)       # the roles end with the parent
        s.proc = None
        return "parent"
    return title


def rounds(lab, count, seed):
    rnd = random.Random(seed)
    peer = lab.peer("127.0.1.5", store=False)
    s = lab.sealane("kill", first="1s", max="2s")
    load = lab.load("x@sink.example.org", threads=6, size=1500)
    kills, died = [], []
    for n in range(count):
        if n % 5 == 4:          # now and then one that is kept as a file
            load.size = 200_000
        else:
            load.size = 1500
        time.sleep(rnd.uniform(0.3, 1.2))
        kills.append(time.time())
        died.append(kill_one(s, rnd))
        if s.proc is None:
            s.start()
        before = len(load.acked)
        wait_until(lambda: len(load.acked) > before, 25,
                   f"mail is taken again after the death of {died[-1]} "
                   f"(round {n})\n{s.tail(15)}")
    load.stop()
    try:
        wait_until(lambda: load.acked <= set(peer.arrived), 60,
                   "everything that got a 250 arrived")
    finally:
        lost = load.acked - set(peer.arrived)
        print(f"        seed {seed}: {len(load.acked)} acknowledged, "
              f"{len(peer.arrived)} arrived, {len(lost)} lost, "
              f"{sum(len(t) > 1 for t in peer.arrived.values())} doubled; "
              f"died: {', '.join(died)}")
    s.wait_empty(30)
    odd = {n: [round(t - kills[0], 2) for t in times]
           for n, times in peer.arrived.items() if len(times) > 1
           and not any(k - BEFORE <= times[0] <= k + AFTER for k in kills)}
    expect_equal(odd, {}, "doubled though not in flight at a kill")
    expect(len(load.acked) > count * 5, f"only {len(load.acked)} messages")
    s.stop()


@case(seconds=240, alone=True)
def crash_kill_nine(lab):
    """20 rounds of kill -9 of a random role or all roles under load."""
    rounds(lab, ROUNDS, int.from_bytes(os.urandom(4), "big"))


@case(seconds=180, alone=True)
def crash_each_role(lab):
    """kill -9 of each process once, under load: nothing is lost, mail goes on;
    what arrives twice was in flight when a relay or the queue died."""
    peer = lab.peer("127.0.1.5", store=False)
    s = lab.sealane("each", first="1s", max="2s")
    load = lab.load("x@sink.example.org", threads=4)
    kills = []
    for pid, title in sorted(s.pids().items()):
        if title.startswith("parent"):
            continue
        got = len(load.acked)
        wait_until(lambda: len(load.acked) > got + 10, 25, "load")
        kills.append((time.time(), title))
        os.kill(pid, signal.SIGKILL)
        got, seen = len(load.acked), len(peer.arrived)
        wait_until(lambda: title in s.pids().values() and len(load.acked) >
                   got + 10 and len(peer.arrived) > seen + 10, 25,
                   f"mail comes in and goes out after the death of {title}\n"
                   f"{s.tail(15)}")
    load.stop()
    wait_until(lambda: load.acked <= set(peer.arrived), 60, "all arrived")
    s.wait_empty(30)
    odd = {n: times for n, times in peer.arrived.items() if len(times) > 1
           and not any(t - BEFORE <= times[0] <= t + AFTER
                       for t, title in kills
                       if title.split()[0] in ("relay", "queue"))}
    expect_equal(odd, {}, "doubled though not in flight at such a death")
    print(f"        {len(load.acked)} acknowledged, {len(kills)} killed, none "
          "lost")


@case(seconds=900, long=True, alone=True)
def crash_kill_nine_long(lab):
    """The same, 100 rounds."""
    rounds(lab, 5 * ROUNDS, int.from_bytes(os.urandom(4), "big"))
