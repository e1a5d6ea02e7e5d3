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
FORGED = re.compile(r"forge-")
# What a role is for, and what its kernel may lack: see docs/threat.md.
ALLOWED = {"relay": {"tcp", "connect-other"}, "resolver": {"tcp", "udp"}}
BY_PORTS = {"relay": {"listen"}, "resolver": {"listen", "connect-other"}}


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
    off = f"{lab.dir}/honest"
    if os.path.exists(off):
        os.unlink(off)
    os.environ["SEALANE_HOSTILE"] = f"{role} {first}"
    os.environ["SEALANE_HOSTILE_OFF"] = off
    lab.later(lambda: os.environ.pop("SEALANE_HOSTILE", None))
    s = lab.sealane(f"hostile-{role}-{first}", program=program(lab),
                    start=False, forgive=" call-denied | signal=31 ")
    with open(s.conf, encoding="utf-8") as f:
        text = f.read()
    s.configure(re.sub(r"processes \{.*", f"processes {{ smtpd = "
                       f"{instances if role == 'smtpd' else 1}; relay = "
                       f"{instances if role == 'relay' else 1} }}", text))
    return s.start()


def judge_quiet(s, role, names):
    ports = int(said(s)["landlock"]) >= 4
    tried = wait_until(lambda: "all" in lines(s) and lines(s), 20,
                       "the quiet attempts are made")
    for name, came in tried.items():
        if any(what == "begins" for _, _, what in came) or name == "all":
            continue
        names.add(name)
        through = int(came[0][2]) not in DENIED
        may = name in ALLOWED.get(role, ()) or (
            not ports and name in BY_PORTS.get(role, ()))
        expect(not through or may, f"{role}: {name} got through")


def judge_deadly(s, role, instances, names):
    """Each of the other instances was ended by what it began."""
    begun = wait_until(lambda: (lambda b: len(b) >= instances and b)(
        {n: name for name, came in lines(s).items()
         for _, n, what in came if what == "begins"}), 30,
        f"{instances} of {role} begin")
    for n, name in begun.items():
        names.add(name)
        if FORGED.match(name):
            s.wait_log(10, "parent", "role-misbehaved", name=role, instance=n)
        died = s.wait_log(10, "parent", "role-died", name=role, instance=n)
        expect_equal(died[0]["signal"], str(int(
            signal.SIGKILL if FORGED.match(name) else signal.SIGSYS)), name)
        if not FORGED.match(name):
            expect(not [w for _, _, w in lines(s)[name] if w != "begins"],
                   f"{role}: {name} returned")


def others_lived(s, role):
    died = {e["name"] for e in s.log("parent", "role-died")} - {role}
    expect_equal(died, set(), f"died of what {role} did")


def make_peace(lab, s, role, peer):
    with open(os.environ["SEALANE_HOSTILE_OFF"], "w", encoding="ascii"):
        pass
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


def one_at_a_time(lab, numbers):
    """There are two resolvers: the first is quiet, the other is not."""
    names, peer = set(), lab.peer("127.0.1.5")
    for n in numbers:
        s = start(lab, "resolver", n, 1)
        if n == numbers[0]:
            judge_quiet(s, "resolver", names)
        judge_deadly(s, "resolver", 1, names)
        others_lived(s, "resolver")
        if n != numbers[-1]:
            s.kill_all()
    make_peace(lab, s, "resolver", peer)
    return names


@case(seconds=60)
def hostile_resolver(lab):
    """A resolver does: exec, a message in the wrong direction, one to the
    parent."""
    one_at_a_time(lab, [0, DEADLY - 6, DEADLY - 1])


@case(seconds=180, long=True)
def hostile_resolver_long(lab):
    """The same, with all there is."""
    documented(lab, one_at_a_time(lab, range(DEADLY)))
