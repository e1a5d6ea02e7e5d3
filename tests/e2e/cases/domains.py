# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The table of domains (rows/): one Sealane, a message for each of them at
once, and what became of it."""

import time

from lab import space
from lab.case import Failed, case, expect, expect_equal, wait_until
from lab.load import Client
from lab.rows import Stage
from rows import PRIVATE, REAL, ROWS

SENDER = "box0@home.example.org"
MARK = b"never-in-clear-unless-it-may"
COLUMNS = ("status", "asked", "why", "reached", "how")


def configuration(stage):
    """relay's part, and the rest."""
    rules, vias = "", ""
    for row in stage.rows:
        if row.rule:
            rules += f'  domain "{row.domain}" {{ {row.rule} }}\n'
        if row.via:
            via = row.via.format_map(stage.names(row))
            vias += f'  domain "{row.domain}" {{ via = "{via}" }}\n'
    return vias, (f'tls {{ ca-file = "{stage.pki.path("root", "crt")}" }}\n'
                  f"policy {{ fetch-timeout = 3s\n{rules} }}\n")


def send(row, c):
    c.cmd(f"MAIL FROM:<{SENDER}>" +
          (" REQUIRETLS" if row.wish == "require" else ""), 250)
    c.cmd(f"RCPT TO:<{row.address}>", 250)
    c.cmd("DATA", 354)
    if row.wish == "waive":
        c.say("TLS-Required: No\r\n")
    c.say(b"Subject: row\r\n\r\n" + MARK + b"\r\n.\r\n")
    c.reply(250)


def submit(rows):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    for row in rows:
        send(row, c)
    c.quit()


def deliveries(s):
    """{address: its delivery lines}"""
    found = {}
    for e in s.log("relay", "delivery"):
        found.setdefault(e["to"].strip("<>"), []).append(e)
    return found


def wait_for(s, rows, count, seconds):
    def there():
        found = deliveries(s)
        missing[:] = [r.name for r in rows
                      if len(found.get(r.address, ())) < count]
        time.sleep(0.2)
        return not missing
    missing = []
    try:
        wait_until(there, seconds, "all are tried")
    except Failed as e:
        raise Failed(f"{e}: not tried: {missing}\n{s.tail()}") from e
    return deliveries(s)


class Verdicts:
    """What differs from the table, all of it and not the first alone."""

    def __init__(self):
        self.wrong = []

    def equal(self, row, what, got, want, more=""):
        if got != want:
            self.wrong.append(f"{row.name} ({row.rfc}): {what}: "
                              f"got {got!r}, want {want!r} {more}")

    def attempt(self, row, entry, want, dsn=""):
        got = " ".join(entry[k] for k in COLUMNS)
        self.equal(row, "attempt", got, want, entry["dsn"] + " "
                   + entry["reply"])
        if dsn:
            self.equal(row, "code", entry["dsn"], dsn, entry["reply"])

    def hosts(self, stage, row, entry):
        """Who got it, and how."""
        if row.name in stage.real:
            return
        got = {label for label in row.hosts
               if stage.peers[row.name, label].messages}
        sent = entry["status"] == "sent"
        self.equal(row, "hosts that have it", got, {row.to} if sent else set())
        for label in row.hosts:
            for x in stage.peers[row.name, label].sessions:
                if x.mails:
                    self.equal(row, "TLS", bool(x.tls),
                               entry["reached"] != "clear")
                    if row.sni:
                        self.equal(row, "SNI", x.sni, row.sni.format_map(
                            stage.names(row)))

    def done(self):
        if self.wrong:
            raise Failed(f"{len(self.wrong)} differ:\n" +
                         "\n".join(self.wrong))


def play(lab, name, rows, **conf):
    stage = Stage(lab, rows)
    vias, more = configuration(stage)
    s = lab.sealane(name, more=more, via=vias, first="1h", max="1h",
                    anchor=stage.dns.anchor,
                    servers=f'root-hints = "{stage.hints}"', **conf)
    submit(rows)
    return stage, s


def judge(v, stage, s, found):
    kinds, said = {}, {}
    for e in s.json("events")["events"]:
        kinds.setdefault(e["domain"], set()).add(e["kind"])
    for e in s.log():
        if e.get("domain"):
            said.setdefault(e["domain"], set()).add(e["event"])
    for row in stage.rows:
        entry = found[row.address][0]
        v.attempt(row, entry, row.want, row.dsn)
        v.hosts(stage, row, entry)
        v.equal(row, "findings", kinds.get(row.domain, set()),
                set(row.finds.split()))
        for event in row.says.split():
            v.equal(row, f"event {event}",
                    event in said.get(row.domain, ()), True)


def patience(rows, found):
    """Nobody waited for a name server that does not answer but who asked it."""
    slow = {r.address for r in rows if "silent" in r.faults.values()
            and found[r.address][0]["status"] == "deferred"}
    first = min(found[a][0]["time"] for a in slow)
    late = [a for a in found if a not in slow and found[a][0]["time"] >= first]
    expect_equal(late, [], "who waited for silent name servers")


def tlsa_unasked(stage, rows):
    """Insecure addresses: no question for TLSA (RFC 7672 sec 2.2.2)."""
    for row in rows:
        if row.zone == "frontplain":
            asked = [kind for name, kind in stage.front.asked
                     if name.endswith(row.domain)]
            expect("A" in asked and "TLSA" not in asked,
                   f"{row.name}: asked for {asked}")


@case(seconds=120)
def domains_all(lab):
    """Each row of rows/: outcome, levels, findings, and who got it."""
    rows = ROWS + (REAL if space.mode() != "single" else [])
    stage, s = play(lab, "domains", rows)
    began, v = time.monotonic(), Verdicts()
    found = wait_for(s, rows, 1, 60)
    took = time.monotonic() - began
    judge(v, stage, s, found)
    second(stage, s, v)
    v.done()
    patience(rows, found)
    tlsa_unasked(stage, rows)
    print(f"        {len(rows)} domains, the first attempt at all within "
          f"{took:.1f} s")


@case(seconds=60)
def domains_private(lab):
    """Hosts and policy hosts at addresses that no stranger may name: none is
    connected to."""
    stage, s = play(lab, "private", PRIVATE, loopback="false")
    v = Verdicts()
    judge(v, stage, s, wait_for(s, PRIVATE, 1, 20))
    v.done()
    expect_equal([w.met for w in stage.webs.values()], [0], "HTTPS")
    expect_equal([p.sessions for p in stage.peers.values()], [[], []], "SMTP")


def second(stage, s, v):
    """The rows that change, and a message more for each."""
    rows = [r for r in stage.rows if r.later]
    for row in rows:
        stage.change(row)
    stage.reload({r.zone for r in rows})
    time.sleep(max(r.later.wait for r in rows))
    submit(rows)
    found = wait_for(s, rows, 2, 20)
    for row in rows:
        v.attempt(row, found[row.address][1], row.later.want)
