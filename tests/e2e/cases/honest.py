# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Honest hosts on bad days: none of it is a finding."""

import os
import re
import subprocess
import time

from lab.case import Failed, Skip, case, expect, expect_equal, wait_until
from lab.dns import Knot, Zone

DNS, FIRST = "127.0.0.67", "127.30.0.1"
HOSTS = 50
SOA = ("$ORIGIN {zone}\n$TTL 1\n@ SOA ns.root. admin.root. 1 3600 600 86400 1\n"
       "@ NS ns.root.\n")


def zone(old):
    """Domain n is served by host n; later by another one, which has a name of
    its own, before it."""
    lines = [SOA.format(zone="moody.example.")]
    for n in range(HOSTS):
        lines += [f"d{n} MX 20 mx{n}", f"mx{n} A 127.30.0.{n + 1}"]
        if not old:
            lines += [f"d{n} MX 10 new{n}",
                      f"new{n} A 127.30.0.{HOSTS + n + 1}"]
    return "\n".join(lines) + "\n"


class Moody:
    """tests/bench/moody.c, and the DNS for its hosts."""

    def __init__(self, lab, faults, starttls):
        self.dns = Knot(lab, lab.options.knot, DNS, [
            Zone(".", SOA.format(zone=".") + f"ns.root. A {DNS}\n"
                 "moody.example. NS ns.root.\n", "nsec"),
            Zone("moody.example.", zone(True))], "moody-dns")
        lab.later(self.dns.stop)
        self.dns.start()
        program = program_of(lab, "load_moody")
        pems = []
        for n in range(6):
            name = f"moody{n}.example.org"
            pems += ["-k", lab.pem(name)]
        self.proc = subprocess.Popen(
            [program, "-a", FIRST, "-h", str(2 * HOSTS), "-f", str(faults),
             "-s", str(starttls), *pems], stdout=subprocess.PIPE, text=True)
        lab.later(self.proc.kill)

    def new_hosts(self):
        self.dns.write(self.dns.zones[1], zone(False))
        self.dns.run("knotc", "-b", "zone-reload", "moody.example.")

    def end(self):
        """{counter: value}"""
        self.proc.terminate()
        out, _ = self.proc.communicate(timeout=10)
        return {k: int(v) for k, v in (x.split("=") for x in out.split())}


def program_of(lab, name):
    path = os.path.join(lab.options.build, "tests/bench", name)
    if not os.path.exists(path):
        raise Skip(f"{name} is not built")
    return path


def submit(lab, each):
    """So many messages for each domain."""
    program = program_of(lab, "load_source")
    for n in range(HOSTS):
        p = subprocess.run(
            [program, "-C", "-n", str(each), "-c", "2", "-m", "1000", "-s",
             "400", "-f", "", "-t", f"x@d{n}.moody.example"],
            capture_output=True, text=True, check=False, timeout=120)
        expect_equal(p.returncode, 0, f"load_source: {p.stdout}{p.stderr}")


class Sent:
    """Counts what was sent, from a log that becomes too long to be read again
    and again."""

    def __init__(self, s):
        self.path, self.at, self.count = s.logname, 0, 0

    def reach(self, count, seconds):
        def there():
            with open(self.path, "rb") as f:
                f.seek(self.at)
                new = f.read()
            end = new.rfind(b"\n") + 1
            self.at += end
            self.count += new[:end].count(b" status=sent ")
            time.sleep(0.2)
            return self.count >= count
        try:
            wait_until(there, seconds, "all is sent")
        except Failed as e:
            raise Failed(f"{e}: {self.count} of {count}") from e


def honest(lab, each, seconds):
    """No finding, nothing in clear, and everything arrives."""
    moody = Moody(lab, faults=100, starttls=10)
    s = lab.sealane(
        "honest", first="1s", max="2s", servers=f'forward = [ "{DNS}@53" ]',
        anchor=moody.dns.anchor,
        timeouts="connect = 2s; handshake = 2s; greeting = 2s; command = 2s; "
        "data-start = 2s; data-block = 2s; data-end = 2s",
        more="policy { memory { sessions = 1; over = 0s } }")
    sent = Sent(s)
    submit(lab, each // 2)
    sent.reach(each // 2 * HOSTS, seconds)
    moody.new_hosts()
    submit(lab, each - each // 2)
    sent.reach(each * HOSTS, seconds)
    counted = moody.end()
    events = s.json("events")["events"]
    retried = s.json("report", "--direction", "out")["retried"]
    print(f"        {counted}, {retried} times STARTTLS again, {len(events)} "
          "findings")
    expect_equal([(e["kind"], e["mx"], e["evidence"]) for e in events], [],
                 "findings")
    lost = re.search(r"(\d+) facts", s.err)     # of the ledger, as it says
    logged = len(s.log("relay", "tls-failed"))
    expect(logged - int(lost[1] if lost else 0) <= retried <= logged,
           f"retried: {retried}, logged: {logged}, {s.err}")
    expect_equal(counted["clear"], 0, "messages in clear")
    expect(counted["messages"] >= each * HOSTS, "messages are missing")


@case(seconds=120)
def honest_sessions(lab):
    """2,000 sessions with hosts that fail now and then."""
    honest(lab, 40, 60)


@case(seconds=3600, long=True, alone=True)
def honest_sessions_long(lab):
    """The same with 100,000."""
    honest(lab, 2000, 1500)
