#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A large queue; called by scripts/bench-queue.  How long a start takes, what
the index costs, what operators' commands take, and what the mail that flows
meanwhile notices of them."""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from lab import space                               # noqa: E402
from lab.case import wait_until                     # noqa: E402
from lab.load import Client, Reply                  # noqa: E402
from lab.sealane import Sealane                     # noqa: E402
from lab.world import Lab                           # noqa: E402

SINK, WAIT = "127.0.0.2", "127.0.0.3"
PORT = 2626
WAITING = "*.wait.example.org"
SLOW_MS = 2000
DELAY = re.compile(r" relay delivery .*to=<you@flow\.example\.org> .*"
                   r"status=sent delay=([0-9.]+)")

CONF = """\
hostname = "relay.example.org"
listen "in" {{ address = "127.0.0.1:2525"; relay-from = [ "127.0.0.0/8" ] }}
relay {{
  via = "[{sink}]:{port}"
  domain "*.wait.example.org" {{ via = "[{wait}]:{port}" }}
}}
dns {{ trust-anchor-file = "{anchor}"; forward = [ "127.0.0.53@53" ] }}
state {{ directory = "{state}" }}
control {{ directory = "{control}" }}
"""


def options():
    top = HERE.parents[1]
    p = argparse.ArgumentParser(description="a large queue")
    p.add_argument("--build", default=str(top / "build"))
    p.add_argument("--knot", required=True)
    p.add_argument("--messages", type=int, default=100_000)
    p.add_argument("--size", type=int, default=4096)
    p.add_argument("--domains", type=int, default=1000)
    p.add_argument("--brief", action="store_true",
                   help="do not deliver them all")
    o = p.parse_args()
    o.top, o.build, o.keep = str(top), os.path.abspath(o.build), False
    return o


def say(what, value):
    print(f"{what:58} {value}", flush=True)


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for text in f:
            if text.startswith("VmRSS"):
                return int(text.split()[1]) * 1024
    return 0


def spread(seconds):
    """The middle, 99 % and the worst, in ms."""
    w = sorted(seconds)
    return (f"{1000 * statistics.median(w):.1f}/{1000 * w[len(w) * 99 // 100]:.1f}"
            f"/{1000 * w[-1]:.1f} ms")


class Flow(threading.Thread):
    """Mail that goes through to a healthy host meanwhile: one session, one
    message after the other; how long each waited for its 250, and how long it
    took until it was delivered."""

    def __init__(self, log):
        super().__init__(daemon=True)
        self.waits, self.stopped, self.trouble = [], False, None
        self.log = open(log, encoding="utf-8", errors="replace")
        self.log.seek(0, os.SEEK_END)
        self.start()

    def run(self):
        try:
            c = Client()
            c.ehlo()
            while not self.stopped:
                before = time.monotonic()
                c.send("me@flow.example.org", ["you@flow.example.org"],
                       b"Subject: x\r\n\r\n" + b"y" * 2000 + b"\r\n")
                self.waits.append(time.monotonic() - before)
            c.quit()
        except (OSError, Reply, ValueError) as e:
            self.trouble = e

    def end(self):
        self.stopped = True
        self.join()
        if self.trouble:
            raise SystemExit(f"mail did not flow: {self.trouble}")
        delays = self.delivered()
        n = len(self.waits)
        return (f"{n / sum(self.waits):5.0f}/s, 250 after "
                f"{spread(self.waits)}, delivered after {spread(delays)}")

    def delivered(self):
        """The delay of each; all of them must arrive."""
        delays = []

        def all_there():
            delays.extend(float(m[1]) for m in map(DELAY.search, self.log)
                          if m)
            return len(delays) >= len(self.waits)
        wait_until(all_there, 120, "all that flowed is delivered")
        self.log.close()
        return delays


class Queue:
    def __init__(self, o, lab, disk):
        self.o, self.lab = o, lab
        self.s = s = Sealane(lab, "queue", state=f"{disk}/sealane")
        s.logname = f"{disk}/sealane.log"
        s.configure(CONF.format(sink=SINK, wait=WAIT, port=PORT,
                                anchor=lab.dns.anchor, state=s.state,
                                control=s.control))
        self.spool = f"{s.state}/spool"

    def tool(self, name):
        return f"{self.o.build}/tests/bench/load_{name}"

    def fill(self):
        owner = os.stat(self.spool)
        shutil.rmtree(self.spool)
        subprocess.run([self.tool("fill"), self.spool, str(self.o.messages),
                        str(self.o.size), str(self.o.domains)], check=True)
        for folder, _, files in os.walk(self.spool):
            for name in [folder] + [os.path.join(folder, f) for f in files]:
                os.chown(name, owner.st_uid, owner.st_gid)

    def sink(self, address, count, ms=0):
        p = subprocess.Popen([self.tool("sink"), "-a", address, "-p",
                              str(PORT), "-n", str(count), "-w", "3600",
                              "-d", str(ms)], stdout=subprocess.PIPE, text=True)
        if p.stdout.readline() != "ready\n":
            raise SystemExit("the sink did not start")
        return p

    def start(self, what):
        before = time.monotonic()
        self.s.start(wait=False)
        wait_until(self.took, 900, "a message is taken")
        say(f"start {what}: first 250 after",
            f"{time.monotonic() - before:.2f} s")

    def took(self):
        try:
            c = Client(timeout=5)
            try:
                c.ehlo()
                c.send("me@flow.example.org", ["you@flow.example.org"],
                       b"Subject: first\r\n\r\n")
                return True
            finally:
                c.close()
        except (OSError, Reply, ValueError):
            return False

    def flows(self, what, seconds=5):
        flow = Flow(self.s.logname)
        time.sleep(seconds)
        say(f"{what}:", flow.end())

    def queue_pid(self):
        return next(iter(self.s.pids("queue")))

    def listed(self):
        """How many wait, without the mail that flows."""
        return self.s.cli("queue", "list", "--domain", WAITING, "--json",
                          seconds=3600).count('"arrived":')

    def during(self, what, *args):
        """A command of the operator while mail flows."""
        flow = Flow(self.s.logname)
        before = time.monotonic()
        out = self.s.cli("queue", *args, "--json", seconds=3600)
        took = time.monotonic() - before
        time.sleep(max(0, 1 - took))
        say(f"{what}: ", f"{took:.2f} s; {flow.end()}")
        return out


def deliver(q):
    time.sleep(3)       # what was under way fails
    count = q.listed()
    wait = q.sink(WAIT, count)
    before = time.monotonic()
    q.during("flush, and it takes all", "flush")
    flow = Flow(q.s.logname)
    wait.communicate()
    if wait.returncode != 0:
        raise SystemExit("messages are missing at the sink")
    took = time.monotonic() - before
    say("all delivered after", f"{took:.1f} s, {count / took:.0f} messages/s; "
        f"{flow.end()}")


def run(o, lab, disk):
    q = Queue(o, lab, disk)
    sink = q.sink(SINK, 100_000_000)
    n = o.messages
    print(f"{n} messages of {o.size} bytes to {o.domains} domains, deferred; "
          f"{os.cpu_count()} cores, all on one machine", flush=True)
    q.start("with an empty queue")
    time.sleep(1)
    empty = rss(q.queue_pid())
    q.s.stop(300)
    before = time.monotonic()
    q.fill()
    say("(spool written in", f"{time.monotonic() - before:.1f} s)")
    q.start("without a checkpoint")
    wait_until(lambda: os.path.exists(f"{q.spool}/checkpoint") or
               n * o.size < 128 * 2**20, 900, "a checkpoint")
    say("memory of the queue process per message",
        f"{(rss(q.queue_pid()) - empty) / n:.0f} bytes")
    q.s.kill_all()
    q.start("after kill -9, with a checkpoint")
    say("memory of the queue process per message",
        f"{(rss(q.queue_pid()) - empty) / n:.0f} bytes")
    time.sleep(1)
    q.during("nothing", "list", "--state", "held", "--domain", "none")
    listed = q.during("list", "list").count('"arrived":')
    if listed < n:
        raise SystemExit(f"{listed} messages listed, not {n}")
    q.during("hold all", "hold", "--domain", WAITING)
    q.during("release one domain in a thousand", "release", "--domain",
             "d7.wait.example.org")
    q.during("hold it again", "hold", "--domain", WAITING)
    q.during("release all", "release", "--domain", WAITING)
    time.sleep(5)
    say("memory, all of them due and their hosts dead",
        f"{(rss(q.queue_pid()) - empty) / n:.0f} bytes")
    q.flows("all of them waiting for dead hosts")
    slow = q.sink(WAIT, n, SLOW_MS)
    q.during("flush, and their host is slow", "flush")
    q.flows(f"a host that takes {SLOW_MS / 1000:.0f} s for each")
    slow.kill()
    slow.wait()
    if not o.brief:
        deliver(q)
    q.s.stop(300)
    q.fill()
    q.start("with as many again")
    time.sleep(2)       # the checkpoint that is missing is written
    q.during("drop all", "drop", "--domain", WAITING)
    q.s.stop(300)
    sink.kill()


def main():
    o = options()
    reason = space.enter()
    if reason:
        raise SystemExit(reason)
    space.settle()
    # On a disk, not on the laboratory's tmpfs: fsync is what is measured too.
    disk = tempfile.mkdtemp(prefix="sealane-bench.", dir="/var/tmp")
    os.chmod(disk, 0o755)
    lab = Lab(o)
    try:
        run(o, lab, disk)
    finally:
        lab.close()
        shutil.rmtree(disk, ignore_errors=True)


if __name__ == "__main__":
    main()
