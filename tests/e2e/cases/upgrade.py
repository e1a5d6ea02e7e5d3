# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Another version takes over; sockets that were open before."""

import os
import shutil
import threading
import time

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from cases.lifecycle import one_message

ACTIVATE = """\
#!/usr/bin/python3 -B
import os, socket, sys
serve = sys.argv[-1] == "serve"
for n, port in enumerate((2525, 2599) if serve else ()):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(64)
    os.dup2(s.fileno(), 3 + n)
    os.set_inheritable(3 + n, True)
    s.detach()
if serve:
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
os.execv("PROGRAM", ["sealane"] + sys.argv[1:])
"""


def script(lab, name, text):
    path = f"{lab.dir}/{name}"
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(path, 0o755)
    return path


class Knocker:
    """Connects again and again; every one of them must be greeted."""

    def __init__(self):
        self.halt, self.greeted, self.failed = threading.Event(), 0, []
        self.longest = 0.0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.halt.wait(0.02):
            start = time.monotonic()
            try:
                Client(timeout=60).close()
                self.greeted += 1
            except Exception as e:
                self.failed.append(repr(e))
            self.longest = max(self.longest, time.monotonic() - start)

    def stop(self):
        self.halt.set()
        self.thread.join(70)


@case(seconds=150, alone=True)
def upgrade_under_load(lab):
    """The program is replaced and takes over, twice: no connection is refused,
    nothing is lost or doubled, the process stays."""
    peer = lab.peer("127.0.1.5", store=False)
    program = f"{lab.dir}/sealane-new"
    shutil.copy(lab.program, program)
    s = lab.sealane("upgrade", program=program)
    load = lab.load("x@sink.example.org", threads=4)
    knocker = Knocker()
    for n in range(2):
        got, pid = len(load.acked), s.proc.pid
        wait_until(lambda: len(load.acked) > got + 20, 30, "load")
        shutil.copy(lab.program, program + ".tmp")
        os.rename(program + ".tmp", program)
        inode = os.stat(program).st_ino
        expect(str(pid) in s.cli("upgrade"), "it names the process")
        wait_until(lambda: len(s.log("parent", "started")) == n + 2, 60,
                   f"the new one starts\n{s.tail()}")
        expect_equal(os.stat(f"/proc/{pid}/exe").st_ino, inode, "its program")
        expect(all(os.stat(f"/proc/{p}/exe").st_ino == inode
                   for p in s.pids()), "the roles' program")
        got = len(load.acked)
        wait_until(lambda: len(load.acked) > got + 20, 30, "load goes on")
    load.stop()
    knocker.stop()
    expect_equal(knocker.failed, [], "connections that were not greeted")
    odd = [e for e in load.broken if "421" not in e and "closed by the" not in e]
    expect_equal(odd, [], "other ends of sessions than 421")
    wait_until(lambda: load.acked <= set(peer.arrived), 40, "all arrived")
    expect_equal([n for n, t in peer.arrived.items() if len(t) > 1], [],
                 "doubled")
    print(f"        {knocker.greeted} connections greeted, none refused, the "
          f"longest waited {knocker.longest:.1f} s; {len(load.acked)} messages")
    expect_equal(s.stop(), 0, "exit")


@case(seconds=60)
def upgrade_refused(lab):
    """A program that does not run, or a configuration that it does not take:
    the running one goes on."""
    peer = lab.peer("127.0.1.5")
    program = f"{lab.dir}/sealane-bad"
    shutil.copy(lab.program, program)
    s = lab.sealane("refused", program=program)

    def roles():        # the parent forks for a moment, to look at things
        return {p: t for p, t in s.pids().items()
                if not t.startswith("parent")}
    before = roles()
    os.rename(script(lab, "bad", "#!/bin/sh\nexit 3\n"), program)
    s.proc.send_signal(12)
    e = s.wait_log(20, "parent", "upgrade-failed")[-1]
    expect("exit code 3" in e["reason"], f"{e}")
    os.rename(script(lab, "none", "nothing that runs"), program)
    s.proc.send_signal(12)
    wait_until(lambda: len(s.log("parent", "upgrade-failed")) == 2, 20, "again")
    shutil.copy(lab.program, program + ".tmp")
    os.rename(program + ".tmp", program)
    with open(s.conf, encoding="utf-8") as f:
        good = f.read()
    s.configure(good + "nonsense = 1\n")
    s.proc.send_signal(12)
    wait_until(lambda: len(s.log("parent", "upgrade-failed")) == 3, 20, "again")
    s.configure(good)
    expect_equal(roles(), before, "processes")
    one_message(lab, s, peer)
    expect_equal(s.stop(), 0, "exit")
    s.cli("upgrade", code=69)


@case(seconds=60)
def upgrade_sockets_given(lab):
    """Socket activation: a listener that was open before is taken, another is
    closed, and the roles do not learn of it; an upgrade keeps it."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("given", program=script(
        lab, "activate", ACTIVATE.replace("PROGRAM", lab.program)))
    one_message(lab, s, peer)
    e = s.log("parent", "socket-unused")
    expect_equal([x["address"] for x in e], ["127.0.0.1:2599"], "unused")
    for pid, title in s.pids().items():
        with open(f"/proc/{pid}/environ", "rb") as f:
            told = b"LISTEN_FDS" in f.read()
        expect(not told or title.startswith("parent"), f"{title} knows of it")
    s.proc.send_signal(12)
    wait_until(lambda: len(s.log("parent", "started")) == 2, 30, "upgraded")
    one_message(lab, s, peer)
    expect_equal(s.stop(), 0, "exit")
