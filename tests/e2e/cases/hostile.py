# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A role turns on the others (tests/hostile): whatever it tries is denied or
is its end, the others go on, and mail passes again when it is honest.  The
list is the table in docs/threat.md."""

import os
import re
import shutil
import signal

from lab.case import Skip, case, expect, expect_equal, wait_until
from cases.isolation import said, sanitized
from cases.lifecycle import one_message

DENIED = {1, 13, 38}            # EPERM, EACCES, ENOSYS
DEADLY = 18                     # things that end a role
WRONG_WAY = "message in the wrong direction"
REASONS = {
    "forge-direction": WRONG_WAY,
    "forge-type": "unknown message type",
    "forge-garbage": "malformed message",
    "forge-acknowledgement": "acknowledges what was not sent",
    "forge-descriptor": "wrong number of descriptors",
    "forge-to-parent": WRONG_WAY,
}
# What a role is for, and what its kernel may lack: see docs/threat.md.
ALLOWED = {"relay": {"tcp", "connect-other"}, "resolver": {"tcp", "udp"},
           "fetch": {"tcp"}}
BY_PORTS = {"relay": {"listen"}, "resolver": {"listen", "connect-other"},
            "fetch": {"listen", "connect-other"}}


def lines(s):
    """{name: [words behind it, by instance]}"""
    found = {}
    with open(s.logname, encoding="utf-8", errors="replace") as f:
        for role, n, name, what in re.findall(
                r"^hostile (\w+) (\d+) (\S+) (\w+)$", f.read(), re.M):
            found.setdefault(name, []).append((role, n, what))
    return found


def program(lab):
    path = f"{lab.dir}/sealane-hostile"
    built = os.path.join(lab.options.build, "tests/hostile/sealane_hostile")
    if sanitized(lab):
        raise Skip("the sandbox of a build with sanitizers is a loose one")
    if not os.path.exists(path):
        shutil.copy(built, path)
        os.chmod(path, 0o755)
    return path


def start(lab, role, first, instances):
    os.environ["SEALANE_HOSTILE"] = f"{role} {first}"
    lab.later(lambda: os.environ.pop("SEALANE_HOSTILE", None))
    s = lab.sealane(f"hostile-{role}-{first}", program=program(lab),
                    start=False, forgive=" call-denied | signal=31 ")
    with open(s.conf, encoding="utf-8") as f:
        text = f.read()
    s.configure(re.sub(r"processes \{.*", f"processes {{ smtpd = "
                       f"{instances if role == 'smtpd' else 1}; relay = "
                       f"{instances if role == 'relay' else 1} }}", text))
    s.start()
    for pid in s.pids(role):    # who comes after them is not told, and honest
        os.kill(pid, signal.SIGUSR1)
    return s


def judge_quiet(s, role, names):
    ports = int(said(s)["landlock"]) >= 4
    wait_until(lambda: (role, "1", "done") in lines(s).get("all", ()), 20,
               "the quiet attempts are made")
    for name, came in lines(s).items():
        for what in [w for _, n, w in came if n == "1" and w.isdigit()]:
            names.add(name)
            may = name in ALLOWED.get(role, ()) or (
                not ports and name in BY_PORTS.get(role, ()))
            expect(int(what) in DENIED or may, f"{role}: {name} got through")


def judge_deadly(s, role, instances, names):
    """Each of the other instances was ended by what it began."""
    begun = wait_until(lambda: (lambda b: len(b) >= instances and b)(
        {n: name for name, came in lines(s).items()
         for _, n, what in came if what == "begins"}), 30,
        f"{instances} of {role} begin")
    for n, name in begun.items():
        names.add(name)
        sig = signal.SIGSYS
        if name in REASONS:
            sig = signal.SIGKILL
            blamed = s.wait_log(10, "parent", "role-misbehaved", name=role,
                                instance=n)
            # The first peer that hears it may be one that it is not for.
            expect(any(e["reason"] in (REASONS[name], WRONG_WAY)
                       for e in blamed), f"{name}: {blamed}")
        died = s.wait_log(10, "parent", "role-died", name=role, instance=n)
        expect_equal(died[0]["signal"], str(int(sig)), name)
        if name not in REASONS:
            expect_equal([w for _, _, w in lines(s)[name]], ["begins"], name)


def others_lived(s, role):
    died = {e["name"] for e in s.log("parent", "role-died")} - {role}
    expect_equal(died, set(), f"died of what {role} did")


def make_peace(lab, s, role, peer):
    """Who took their place is honest: mail passes."""
    for pid in s.pids(role):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: s.pids(role) and s.takes_mail(), 20,
               "mail is taken again")
    one_message(lab, s, peer)
    expect_equal(s.stop(), 0, "exit")


def documented(lab, names):
    with open(f"{lab.options.top}/docs/threat.md", encoding="utf-8") as f:
        table = set(re.findall(r"^\| `([a-z-]+)`", f.read(), re.M))
    expect_equal(names, table, "what is tried and what docs/threat.md lists")


def many(lab, role):
    names, peer = set(), lab.peer("127.0.1.5")
    s = start(lab, role, 0, DEADLY + 1)
    judge_quiet(s, role, names)
    judge_deadly(s, role, DEADLY, names)
    others_lived(s, role)
    documented(lab, names)
    make_peace(lab, s, role, peer)


@case(seconds=90)
def hostile_smtpd(lab):
    """smtpd, which talks to strangers, turns on the others."""
    many(lab, "smtpd")


@case(seconds=90)
def hostile_relay(lab):
    """relay, which talks to next hops, turns on the others."""
    many(lab, "relay")


def one_at_a_time(lab, role, numbers, instances):
    """Roles of which there are few: by one start after the other."""
    names, peer = set(), lab.peer("127.0.1.5")
    for n in numbers:
        s = start(lab, role, n, 1)
        if n == 0:
            judge_quiet(s, role, names)
        rest = min(instances - (n == 0), DEADLY + 1 - n)
        if rest:
            judge_deadly(s, role, rest, names)
        others_lived(s, role)
        if n != numbers[-1]:
            s.kill_all()
    make_peace(lab, s, role, peer)
    return names


@case(seconds=60)
def hostile_resolver(lab):
    """A resolver does: exec, messages in the wrong direction and to the
    parent."""
    one_at_a_time(lab, "resolver", [0, DEADLY - 5, DEADLY], 2)


@case(seconds=60)
def hostile_fetch(lab):
    """fetch does, which reads what web servers say: the same."""
    one_at_a_time(lab, "fetch", [0, 1, DEADLY - 5, DEADLY], 1)


@case(seconds=180, long=True)
def hostile_all(lab):
    """Both, with all there is."""
    documented(lab, one_at_a_time(lab, "resolver", range(0, DEADLY + 1, 2), 2))
    lab.clean()
    documented(lab, one_at_a_time(lab, "fetch", range(DEADLY + 1), 1))
