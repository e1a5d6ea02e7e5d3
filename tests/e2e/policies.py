#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The table of domains (rows/) with Sealane, Postfix and Exim as the sender:
what becomes of mail for each, as a Markdown table.  Not a test.

scripts/compare-policy runs it.  The other two ask a validating resolver of the
laboratory and believe its AD bit; rows that they have no setting for are left
out.  --why: what their logs say of each."""

import os
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import run                                          # noqa: E402
from cases import domains                           # noqa: E402
from lab import space                               # noqa: E402
from lab.exim import GROUND, Exim                           # noqa: E402
from lab.load import Client                         # noqa: E402
from lab.postfix import Postfix                     # noqa: E402
from lab.resolver import Resolver                   # noqa: E402
from rows import ROWS                               # noqa: E402

RESOLVER, POSTFIX, EXIM = "127.0.0.68", ("127.0.0.70", 25), ("127.0.0.71", 25)
PATIENCE = 90           # seconds for the first attempt at all

# What stands for a row's rule: smtp_tls_policy_maps.
LEVELS = {'require = "dane"': "dane-only", 'require = "encrypted"': "encrypt",
          'require = "verified"': "verify", 'permit = "encrypted"': "encrypt"}
NOT = {"Postfix": "REQUIRETLS and TLS-Required, MTA-STS",
       "Exim": "REQUIRETLS and TLS-Required, MTA-STS, a level for a domain"}

MAIN = """\
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks reject
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtp_tls_loglevel = 1
smtp_tls_CAfile = {ca}
smtp_tls_policy_maps = texthash:{dir}/levels
transport_maps = texthash:{dir}/transports
smtp_host_lookup = dns
smtp_connect_timeout = 5s
smtp_helo_timeout = 5s
smtp_starttls_timeout = 5s
minimal_backoff_time = 1h
queue_run_delay = 1h
default_process_limit = 60
default_destination_concurrency_limit = 20
"""

CONF = GROUND + """\
primary_hostname = exim.sender.example
local_interfaces = 127.0.0.71
dns_dnssec_ok = 1
tls_advertise_hosts =
smtp_accept_max = 300
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
queue_run_max = 60
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept
begin routers
{vias}mx:
  driver = dnslookup
  transport = out
  self = send
begin transports
{transports}out:
  driver = smtp
  hosts_try_dane = *
  tls_verify_certificates = {ca}
  tls_try_verify_hosts = *
  connect_timeout = 5s
  command_timeout = 5s
begin retry
* * F,1h,1h
"""


class Sender(Exim):
    """Exim that sends, with the rows' smart hosts."""

    stage = None

    def prepare(self):
        super().prepare()
        vias, transports = "", ""
        for n, row in enumerate(r for r in self.stage.rows if r.via):
            host = row.via.format_map(self.stage.names(row))
            name, _, port = host.strip("[]").partition("]:")
            mx = "" if host.startswith("[") else "/mx"
            vias += (f"via{n}:\n  driver = manualroute\n  domains = "
                     f"{row.domain}\n  transport = out{port}\n"
                     f"  route_list = * {name}{mx}\n  self = send\n")
            if port and f"out{port}:" not in transports:
                transports += (f"out{port}:\n  driver = smtp\n  port = {port}\n"
                               "  hosts_try_dane = *\n")
        with open("/etc/exim4/exim4.conf", "w", encoding="utf-8") as f:
            f.write(CONF.format(dir=self.dir, vias=vias, transports=transports,
                                ca=self.lab.authority().file))

    def command(self):
        return [f"{self.dir}/exim4", "-bdf"]


def start_postfix(lab, stage):
    maps = lab.folder("sender-maps")
    with open(f"{maps}/levels", "w", encoding="ascii") as f:
        f.writelines(f"{r.domain} {LEVELS[r.rule]}\n" for r in stage.rows
                     if r.rule)
    with open(f"{maps}/transports", "w", encoding="ascii") as f:
        for r in stage.rows:
            if r.via:
                via = r.via.format_map(stage.names(r))
                f.write(f"{r.domain} smtp:{via}\n")
    p = Postfix(lab, lab.options.postfix, "sender", POSTFIX[0], [], tls=False,
                more=MAIN.format(ca=stage.ca, dir=maps))
    lab.later(p.stop)
    p.start()
    return p


def submit(server, rows):
    c = Client(*server)
    c.ehlo()
    for row in rows:
        c.cmd("MAIL FROM:<sender@sender.example>", 250)
        c.cmd(f"RCPT TO:<{row.address}>", 250)
        c.cmd("DATA", 354)
        c.say("Subject: row\r\n\r\nbody\r\n.\r\n")
        c.reply(250)
    c.quit()


LINE = re.compile(r"smtp\[(\d+)\]: (\w+) TLS connection established to (\S+):"
                  r"|/(?:smtp|error|retry)\[(\d+)\]: \w+: to=<([^>]*)>,.* "
                  r"relay=([^,]*),.* status=(\w+) \((.*)\)")
WORDS = {"sent": "sent", "deferred": "deferred", "bounced": "failed"}
PROOF = {"Verified": "verified", "Trusted": "encrypted",
         "Untrusted": "encrypted", "Anonymous": "encrypted"}


def of_postfix(text):
    """{address: (status, level, text)}; a connection that another message
    opened is not met: each row has hosts of its own."""
    found, tls = {}, {}
    for m in LINE.finditer(text):
        if m[2]:
            tls[m[3].rpartition(":")[0]] = PROOF[m[2]]
        else:
            level = "none"
            if m[7] == "sent":
                level = tls.get(m[6].rpartition(":")[0], "clear")
            found.setdefault(m[5], (WORDS[m[7]], level, m[8]))
    return found


def of_exim(text):
    found = {}
    for line in text.splitlines():
        m = re.search(r" (=>|==|\*\*|->) (\S+@\S+)(.*)", line)
        if not m:
            continue
        status = {"==": "deferred", "**": "failed"}.get(m[1], "sent")
        level = "none"
        if status == "sent":
            cv = re.search(r" CV=(\w+)", m[3])
            level = ("clear" if " X=" not in m[3] else
                     {"dane": "dane", "yes": "verified"}.get(
                         cv and cv[1], "encrypted"))
        found.setdefault(m[2], (status, level, m[3].strip()))
    return found


def wait(read, rows):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = read()
        if all(r.address in found for r in rows):
            break
        time.sleep(1)
    return read()


def arrived(stage):
    """Rows of which a host got a message since the last call."""
    got = {name for (name, _), p in stage.peers.items() if p.messages}
    for p in stage.peers.values():
        p.forget()
    return got


def outcome(row, found, arrived):
    """"sent dane", or "deferred"; marked when the hosts know otherwise."""
    if row.address not in found:
        return "no attempt"
    status, level, _ = found[row.address]
    got = row.name in arrived
    if level == "verified" and "TLSA" in row.dns + row.more:
        level = "dane"
    return (f"{status} {level}" if status == "sent" else status) + (
        " (!)" if got != (status == "sent") else "")


def of_sealane(row):
    status, _, _, reached, _ = row.want.split()
    return f"{status} {reached}" if status == "sent" else status


def can(name, row):
    """Is there a setting for all of the row?"""
    if row.wish or row.web and "dane" not in row.want.split():
        return False
    return name == "Postfix" or not row.rule


def version(lab, name):
    """Of the Debian package: its folder's name has it."""
    package = {"Postfix": "postfix", "Exim": "exim4-daemon-light"}[name]
    return lab.options.roots[package].split("/")[-2].rpartition("_")[2]


def table(stage, found):
    same = {name: 0 for name in found}
    played = dict(same)
    print("| case | RFC | Sealane | Postfix | Exim |\n|---|---|---|---|---|")
    for row in stage.rows:
        ours, cells = of_sealane(row), []
        for name, seen in found.items():
            if not can(name, row):
                cells.append("")
                continue
            theirs = outcome(row, *seen)
            played[name] += 1
            same[name] += theirs == ours
            cells.append("same" if theirs == ours else theirs)
        if any(x not in ("", "same") for x in cells):
            print(f"| {row.name} | {row.rfc.removeprefix('RFC ')} | {ours} | "
                  + " | ".join(cells) + " |")
    print()
    for name in found:
        print(f"{name} ({version(stage.lab, name)}): {played[name]} of "
              f"{len(stage.rows)} domains played, {same[name]} end as with "
              f"Sealane. Not played: {NOT[name]}.")


def main():
    o = run.options("--why")
    reason = space.enter()
    if reason:
        sys.exit(f"compare-policy: {reason}")
    space.settle()
    from lab.world import Lab
    lab = Lab(o)
    try:
        stage, s = domains.play(lab, "policies", ROWS)
        found = domains.wait_for(s, ROWS, 1, PATIENCE)
        v = domains.Verdicts()
        domains.judge(v, stage, s, found)
        v.done()
        s.kill_all()
        stage.ca = f"{lab.dir}/authorities.pem"
        shutil.copy(stage.pki.path("root", "crt"), stage.ca)
        os.chmod(stage.ca, 0o644)
        lab.later(Resolver(RESOLVER, stage.hints, stage.dns.anchor).close)
        with open("/etc/resolv.conf", "w", encoding="ascii") as f:
            f.write(f"nameserver {RESOLVER}\noptions trust-ad edns0 "
                    "timeout:12 attempts:1\n")
        results = {}
        arrived(stage)
        p = start_postfix(lab, stage)
        submit(POSTFIX, ROWS)
        results["Postfix"] = (wait(lambda: of_postfix(p.log()), ROWS),
                              arrived(stage))
        Sender.stage = stage
        e = Sender(lab, o.roots["exim4-daemon-light"], "exim", EXIM[0])
        lab.later(e.stop)
        e.start()
        submit(EXIM, ROWS)
        results["Exim"] = (wait(lambda: of_exim(e.log()), ROWS),
                           arrived(stage))
        table(stage, results)
        if o.why:
            for name, (seen, _) in results.items():
                for row in ROWS:
                    print(name, row.name, seen.get(row.address))
            print(*(x for x in p.log().splitlines() if "panic" in x), sep="\n")
    finally:
        lab.close()


if __name__ == "__main__":
    main()
