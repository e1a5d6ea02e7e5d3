# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""What keeps the roles apart: it is in force, it is said, and mail passes with
as much of it as older kernels have."""

import os
import re

from lab import space
from lab.case import Skip, case, expect, expect_equal
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
