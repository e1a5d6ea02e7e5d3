#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Side by side with Postfix; called by scripts/bench.

Both relays run in one network of their own, each with its queue on the same
disk (fsync as each does it by default), both log to a file.  A round: the
source hands in all messages by STARTTLS, the relay sends them on by STARTTLS,
the clock stops when the sink has the last one.  Rounds alternate, so that what
the machine does besides hits both."""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from lab import space                               # noqa: E402
from lab.case import wait_until                     # noqa: E402
from lab.postfix import Postfix                     # noqa: E402
from lab.sealane import Sealane, role_pids          # noqa: E402
from lab.world import Lab                           # noqa: E402

SINK = "127.0.0.2"
SINK_PORT = 2626

SEALANE = """\
hostname = "relay.example.org"
listen "in" {{ address = "127.0.0.1:2525"; relay-from = [ "127.0.0.0/8" ] }}
relay {{ via = "[{sink}]:{port}" }}
dns {{ trust-anchor-file = "{anchor}"; forward = [ "127.0.0.53@53" ] }}
state {{ directory = "{state}" }}
control {{ directory = "{control}" }}
"""

POSTFIX = """\
relayhost = [{sink}]:{port}
smtp_tls_security_level = may
smtp_tls_loglevel = 1
"""


def options():
    top = HERE.parents[1]
    p = argparse.ArgumentParser(description="Sealane and Postfix side by side")
    p.add_argument("--build", default=str(top / "build"))
    p.add_argument("--postfix", required=True)
    p.add_argument("--knot", required=True)
    p.add_argument("--messages", type=int, default=5000)
    p.add_argument("--size", type=int, default=4096)
    p.add_argument("--sessions", type=int, default=20)
    p.add_argument("--per-session", type=int, default=10)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--postfix-option", action="append", default=[],
                   metavar="NAME=VALUE", help="a line of its main.cf")
    p.add_argument("--resume", action="store_true",
                   help="instead: Sealane alone, a connection per message, to a "
                   "sink with and without session tickets")
    o = p.parse_args()
    o.top, o.build, o.keep = str(top), os.path.abspath(o.build), None
    return o


def cpu_times():
    """({pid: ticks}, {pid: parent}); children that were waited for count."""
    times, parents = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as f:
                    stat = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(name)] = int(stat[1])
            # utime stime, and those of children that were waited for
            times[int(name)] = sum(int(x) for x in stat[11:15])
    return times, parents


def cpu_seconds(root):
    """CPU time of a process and all below it, those that ended included."""
    times, parents = cpu_times()
    below, grew = {root}, True
    while grew:
        more = {p for p, up in parents.items() if up in below} - below
        grew = bool(more)
        below |= more
    return sum(times.get(p, 0) for p in below) / os.sysconf("SC_CLK_TCK")


def cpu_of_relays():
    """CPU time of the processes that talk to next hops."""
    times, _ = cpu_times()
    return sum(times.get(pid, 0) for pid, title in role_pids().items()
               if title.startswith("relay")) / os.sysconf("SC_CLK_TCK")


class Round:
    """One load through one relay; fields in seconds."""

    def __init__(self, o, pem, relay, address, sink_options=()):
        tools = f"{o.build}/tests/bench"
        sink = subprocess.Popen(
            [f"{tools}/load_sink", "-a", SINK, "-p", str(SINK_PORT), "-k", pem,
             "-n", str(o.messages), "-w", "300", *sink_options], stdout=subprocess.PIPE,
            text=True)
        if sink.stdout.readline() != "ready\n":
            raise SystemExit("the sink did not start")
        before, relays = cpu_seconds(relay.pid), cpu_of_relays()
        source = subprocess.run(
            [f"{tools}/load_source", "-a", address, "-p", "2525", "-n",
             str(o.messages), "-c", str(o.sessions), "-m", str(o.per_session),
             "-s", str(o.size)], capture_output=True, text=True, check=False)
        if source.returncode != 0:
            sink.kill()
        rest, _ = sink.communicate()
        time.sleep(0.5)         # what the relay does after the last delivery
        self.cpu = cpu_seconds(relay.pid) - before
        self.relay_cpu_per_1000 = (cpu_of_relays() - relays) / o.messages * 1000
        sent = dict(re.findall(r"(\w+)=([\d.]+)", source.stdout))
        took = dict(re.findall(r"(\w+)=([\d.]+)", rest))
        if source.returncode != 0 or sink.returncode != 0:
            raise SystemExit(f"messages are missing: source {source.stdout}"
                             f"{source.stderr} sink {rest}")
        self.resumed = int(took["resumed"]) / int(took["connections"])
        self.doubled = int(took["got"]) - o.messages
        if int(took["tls"]) < int(took["got"]):
            raise SystemExit(f"clear text reached the sink: {rest}")
        self.seconds = (int(took["end_us"]) - int(sent["start_us"])) / 1e6
        self.accepted = float(sent["seconds"])
        self.rate = o.messages / self.seconds
        self.cpu_per_1000 = self.cpu / o.messages * 1000


def line(name, rounds):
    rates = [r.rate for r in rounds]
    cpus = [r.cpu_per_1000 for r in rounds]
    print(f"{name:8} " + " ".join(f"{x:8.0f}" for x in rates)
          + f" {statistics.median(rates):9.0f}   "
          + " ".join(f"{x:7.3f}" for x in cpus)
          + f" {statistics.median(cpus):8.3f}", flush=True)
    return statistics.median(rates), statistics.median(cpus)


def machine(disk):
    kind = subprocess.run(["stat", "-f", "-c", "%T", disk],
                          capture_output=True, text=True, check=False)
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for text in f:
            if text.startswith("model name"):
                model = text.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} x {model}, queues on {kind.stdout.strip()}"


def start_sealane(lab, disk):
    s = Sealane(lab, "bench", state=f"{disk}/sealane")
    s.logname = f"{disk}/sealane.log"
    s.configure(SEALANE.format(sink=SINK, port=SINK_PORT, anchor=lab.dns.anchor,
                               state=s.state, control=s.control))
    return s.start()


def start_postfix(lab, disk, o):
    p = Postfix(lab, o.postfix, "bench", "127.0.1.1", [], port="2525",
                folder=f"{disk}/postfix",
                more=POSTFIX.format(sink=SINK, port=SINK_PORT)
                + "".join(x + "\n" for x in o.postfix_option))
    p.start()
    return p


def run(o, lab, disk):
    s, p = start_sealane(lab, disk), start_postfix(lab, disk, o)
    pem = f"{lab.dir}/sink.pem"
    lab.make_pem(pem, "sink.example.org")
    relays = [("sealane", s.proc, "127.0.0.1"), ("postfix", p.proc, "127.0.1.1")]
    print(f"{o.messages} messages of {o.size} bytes a round, {o.sessions} "
          f"sessions in, {o.per_session} messages a session; STARTTLS in and "
          f"out\n{machine(disk)}; source and sink run on the same machine\n"
          "Postfix: defaults but for relayhost, smtp(d)_tls_security_level = "
          "may, connection\n  limits off"
          + "".join(", " + x for x in o.postfix_option)
          + " (so it sends each message by a connection of its own\n  unless "
          "smtp_tls_connection_reuse=yes); Sealane: defaults but for via, so "
          "it\n  reuses connections", flush=True)
    few = argparse.Namespace(**{**vars(o), "messages": 200})
    for _, proc, address in relays:
        Round(few, pem, proc, address)
    done = {name: [] for name, _, _ in relays}
    for n in range(o.rounds):
        for name, proc, address in relays[::-1] if n % 2 else relays:
            done[name].append(Round(o, pem, proc, address))
            wait_until(lambda: p.idle() and not s.queue(), 60, "empty queues")
    print(f"{'':8} " + " ".join(f"{'round ' + str(n + 1):>8}"
                                for n in range(o.rounds))
          + f" {'median':>9}   " + " ".join(
              f"{'round ' + str(n + 1):>7}" for n in range(o.rounds))
          + f" {'median':>8}")
    print(f"{'':8} {'messages/s':>{9 * o.rounds + 9}}   "
          f"{'CPU s per 1000 messages':>{8 * o.rounds + 8}}")
    ours, theirs = (line(name, done[name]) for name in ("sealane", "postfix"))
    print(f"ratio    messages/s {ours[0] / theirs[0]:.2f}, "
          f"CPU {ours[1] / theirs[1]:.2f}")
    doubled = {name: sum(r.doubled for r in rs) for name, rs in done.items()}
    if any(doubled.values()):
        print(f"doubled messages: {doubled}")
    s.stop()
    p.stop()


def run_resume(o, lab, disk):
    """What session tickets of next hops save: each message has a connection of
    its own, and only the relay processes' CPU is looked at."""
    s, pem = start_sealane(lab, disk), f"{lab.dir}/sink.pem"
    lab.make_pem(pem, "sink.example.org")
    print(f"{o.messages} messages of {o.size} bytes a round, a connection for "
          f"each\n{machine(disk)}; source and sink run on the same machine",
          flush=True)
    kinds = {"full": ("-1",), "resumed": ("-1", "-t")}
    done = {name: [] for name in kinds}
    for n in range(o.rounds):
        for name, sink in list(kinds.items())[::-1 if n % 2 else 1]:
            done[name].append(Round(o, pem, s.proc, "127.0.0.1", sink))
            wait_until(lambda: not s.queue(), 60, "an empty queue")
    cpu = {name: statistics.median(r.relay_cpu_per_1000 for r in rounds)
           for name, rounds in done.items()}
    for name, rounds in done.items():
        print(f"{name:8} relay CPU s per 1000 messages "
              + " ".join(f"{r.relay_cpu_per_1000:.3f}" for r in rounds)
              + f", median {cpu[name]:.3f}; sessions resumed "
              + " ".join(f"{r.resumed:.0%}" for r in rounds))
    print(f"ratio    {cpu['resumed'] / cpu['full']:.2f}")
    s.stop()


def main():
    o = options()
    reason = space.enter()
    if reason:
        raise SystemExit(reason)
    if space.mode() == "single":
        raise SystemExit("Postfix needs users of its own: run as root, or with "
                         "a range in /etc/subuid")
    space.settle()
    # On a disk, not on the laboratory's tmpfs: fsync is what is measured too.
    disk = tempfile.mkdtemp(prefix="sealane-bench.", dir="/var/tmp")
    os.chmod(disk, 0o755)
    lab = Lab(o)
    try:
        (run_resume if o.resume else run)(o, lab, disk)
    finally:
        lab.close()
        shutil.rmtree(disk, ignore_errors=True)


if __name__ == "__main__":
    main()
