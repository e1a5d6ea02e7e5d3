# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""What keeps the roles apart: it is in force, it is said, and mail passes with
as much of it as older kernels have."""

import errno
import os
import pwd
import re
import shutil
import socket

from lab import space
from lab.case import Skip, case, expect, expect_equal
from lab.inpath import nft
from lab.sealane import role_pids
from cases.lifecycle import one_message


def status(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return re.search(rf"^{field}:\s+(\S+)", f.read(), re.M)[1]


def said(s):
    return s.wait_log(10, "parent", "isolation")[0]


def shut_in():
    """Every role but the parent: no new privileges, filter on."""
    for pid, title in role_pids().items():
        if not title.startswith("parent"):
            expect_equal((status(pid, "NoNewPrivs"), status(pid, "Seccomp")),
                         ("1", "2"), title)


SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


def powerless(sets):
    """No role has, or can get, a capability; the sets that are named."""
    seen = {}
    for pid, title in role_pids().items():
        if not title.startswith("parent"):
            seen[title] = {int(status(pid, name), 16) for name in sets}
    expect(len(seen) > 7, f"roles: {list(seen)}")
    expect_equal({t: v for t, v in seen.items() if v != {0}}, {},
                 "capabilities")


@case(seconds=40)
def isolation_no_capabilities(lab):
    """Started by hand as root, without a service manager, no role has a
    capability, nor one that a program could give it; started as a user who may
    bind low ports, none has that."""
    s = lab.sealane("root")
    whole = space.mode() != "single"
    powerless(SETS + (("CapBnd",) if whole else ()))
    shut_in()
    if not whole or not shutil.which("setpriv"):
        raise Skip("not root, or no setpriv")
    expect(int(status(s.proc.pid, "CapEff"), 16) != 0, "the parent has none")
    s.stop()
    wrapper = f"{lab.dir}/with-ambient"
    with open(wrapper, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexec setpriv --reuid plain --regid plain "
                "--clear-groups --inh-caps +net_bind_service --ambient-caps "
                f"+net_bind_service {lab.program} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    s = lab.sealane("ambient", program=wrapper, start=False)
    shutil.chown(s.dir, "plain", "plain")
    s.start()
    expect_equal(int(status(s.proc.pid, "CapEff"), 16), 1 << 10,
                 "what the parent may")
    powerless(SETS)


def sanitized(lab):
    with open(lab.program, "rb") as f:
        return b"__asan_init" in f.read()


@case(seconds=30)
def isolation_is_said(lab):
    """The kernel says the filter is on; log and check say the same."""
    s = lab.sealane("said")
    shut_in()
    e = said(s)
    calls = "loose" if sanitized(lab) else "strict"
    expect_equal(e["calls"], calls, "calls")
    expect_equal(e["users"], "separate" if os.getuid() == 0
                 and space.mode() != "single" else "one", "users")
    rows = re.findall(r"^(\w+) +(\S+) +(strict|loose|none) +(none|ABI (\d+))",
                      s.cli("check"), re.M)
    expect_equal({r[0] for r in rows}, {t.split()[0] for t in
                 s.pids().values()} - {"parent"}, "roles that check names")
    expect_equal({r[2] for r in rows}, {calls}, "calls by check")
    expect_equal({r[4] or "0" for r in rows}, {e["landlock"]},
                 "Landlock by check")


def with_sandbox(lab, peer, words, landlock):
    os.environ["SEALANE_SANDBOX"] = words
    lab.later(lambda: os.environ.pop("SEALANE_SANDBOX", None))
    s = lab.sealane("old" + re.sub(r"\W", "", words))
    shut_in()
    expect_equal(said(s)["landlock"], landlock, "Landlock ABI")
    one_message(lab, s, peer)
    expect_equal(s.stop(), 0, "exit")


@case(seconds=60)
def isolation_older_kernels(lab):
    """Landlock ABI 0 and 2: mail passes, and the log says what is left."""
    peer = lab.peer("127.0.1.5")
    newest = int(said(lab.sealane("newest"))["landlock"])
    lab.sealanes[-1].stop()
    with_sandbox(lab, peer, "landlock=0", "0")
    if newest < 2:
        raise Skip("no Landlock in this kernel")
    with_sandbox(lab, peer, "landlock=2", "2")


def gets_through(user, kind, port):
    """Does this user's packet leave?  Nobody listens at these ports."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setuid(pwd.getpwnam(user).pw_uid)
            with socket.socket(socket.AF_INET, kind) as s:
                s.settimeout(5)
                s.connect(("127.0.0.1", port))
                s.send(b"x")
                code = 0
        except OSError as e:
            code = 0 if e.errno == errno.ECONNREFUSED else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
# kind, port, and who may: no other role, and anybody who is none.
PACKETS = [(TCP, 26, {"relay"}), (TCP, 53, {"relay", "resolver"}),
           (TCP, 853, {"relay", "resolver"}), (TCP, 443, {"relay", "fetch"}),
           (UDP, 53, {"resolver"}), (UDP, 443, set()), (UDP, 9, set())]


@case(seconds=60)
def isolation_firewall(lab):
    """etc/sealane.nft: each role's user sends where it has business; log and
    check know whether it is loaded, and mail passes."""
    if space.mode() == "single":
        raise Skip("one user only: not root, and no range in /etc/subuid")
    rules = f"{lab.options.top}/etc/sealane.nft"
    s, peer = lab.sealane("nofirewall"), lab.peer("127.0.1.5")
    expect_equal(said(s)["firewall"], "no", "firewall")
    roles = {t.split()[0] for t in s.pids().values()} - {"parent"}
    s.stop()
    nft(lab, "-c", "-f", rules)
    nft(lab, "-f", rules)
    lab.later(lambda: nft(lab, "delete", "table", "inet", "sealane"))
    nft(lab, "-f", rules)       # again: it replaces itself
    for kind, port, allowed in PACKETS:
        got = {r for r in roles if gets_through("_sealane-" + r, kind, port)}
        expect_equal(got, allowed, f"{kind.name} to port {port}")
        expect(gets_through("plain", kind, port), "an ordinary user is shut in")
    s = lab.sealane("firewall")
    one_message(lab, s, peer)
    expect_equal(said(s)["firewall"], "yes", "firewall")
    said_by_check = set(re.findall(r"^(?:%s) .* (yes|no) *$" % "|".join(roles),
                                   s.cli("check"), re.M))
    expect_equal(said_by_check, {"yes"}, "firewall by check")
    expect_equal(s.stop(), 0, "exit")
