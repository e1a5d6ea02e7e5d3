# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Who exists: asked at the next hop, or read from a list; others are refused
at RCPT and never bounced."""

import os
import time

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client

SENDER = "box0@home.example.org"
ACCEPT = """accept {{
  domain "example.net" {{ to = "smtp:[{ip}]:25" }}
}}"""


def start(lab, name, ip="127.0.1.5", **how):
    return lab.sealane(name, relay_from="[]", accept=ACCEPT.format(ip=ip),
                       **how)


def client(rcpts=()):
    """Greeted, in a transaction, with the codes of these RCPTs."""
    c = Client()
    c.ehlo()
    c.cmd(f"MAIL FROM:<{SENDER}>", 250)
    return c, [c.cmd(f"RCPT TO:<{r}>") for r in rcpts]


def ask(*locals_):
    c, got = client([f"{x}@example.net" for x in locals_])
    c.quit()
    return [code for code, _ in got]


@case(seconds=60)
def recipients_verified(lab):
    """RCPT is answered by what the next hop says to it, once for each address;
    nothing is sent to it, and nothing ever bounced."""
    peer = lab.peer("127.0.1.5")
    peer.rcpts = {"nobody": "550 5.1.1 No such user here",
                  "gone": "551 User not local", "grey": "451 4.7.1 Greylisted",
                  "closed": "550 5.7.1 Not from outside"}
    s = start(lab, "verify")
    c, got = client(["joe@example.net", "nobody@example.net",
                     "gone@example.net", "grey@example.net",
                     "closed@example.net", "Postmaster@example.net"])
    expect_equal([code for code, _ in got], [250, 550, 550, 451, 550, 250],
                 "codes")
    expect_equal(got[1][1], ["5.1.1 No such recipient here"], "reply")
    expect_equal(got[2][1], ["5.1.1 No such recipient here"], "reply")
    expect_equal(got[3][1][0].split()[0], "4.7.1", "reply")
    expect_equal(got[4][1][0].split()[0], "5.7.1", "reply")
    c.cmd("DATA", 354)
    c.say("Subject: x\r\n\r\nx\r\n.\r\n")
    c.reply(250)
    c.quit()
    wait_until(lambda: peer.messages, 15, "the message arrives")
    s.wait_empty()
    expect_equal(len(peer.messages), 1, "messages")
    expect_equal(s.log("queue", "bounce"), [], "bounces")
    said = [x for p in peer.sessions for x in p.commands]
    for local in ("nobody", "gone", "grey"):
        expect_equal(sum(f"<{local}@" in x for x in said), 1,
                     f"RCPTs for {local}: {said}")
    probed = [p for p in peer.sessions
              if any("<nobody@" in x for x in p.commands)]
    expect(all("MAIL FROM:<>" in p.commands and "DATA" not in p.commands
               for p in probed), f"a probe is: {probed}")
    expect(all(p.tls for p in probed), f"in clear: {probed}")
    expect_equal([e["found"] for e in s.log("relay", "probe",
                                            to="<nobody@example.net>")],
                 ["unknown"], "the log")
    before = len(said)
    expect_equal(ask("joe", "nobody", "gone"), [250, 550, 550], "again")
    expect_equal(len([x for p in peer.sessions for x in p.commands]), before,
                 "commands to the peer: it was asked again")
    expect_equal(len(s.log("smtpd", "rejected")), 5, "rejected")


@case(seconds=60)
def recipients_pipelined(lab):
    """Forty RCPTs in one write: answered in order, asked for together."""
    peer = lab.peer("127.0.1.5")
    peer.rcpts = {f"r{n}": "550 5.1.1 Unknown" for n in range(0, 40, 4)}
    start(lab, "pipeline")
    c, _ = client()
    c.say("".join(f"RCPT TO:<r{n}@example.net>\r\n" for n in range(40)) +
          "DATA\r\n")
    expect_equal([c.reply()[0] for _ in range(40)],
                 [250 if n % 4 else 550 for n in range(40)], "codes")
    c.reply(354)
    c.say("Subject: x\r\n\r\nx\r\n.\r\n")
    c.reply(250)
    c.quit()
    probes = [p for p in peer.sessions if not p.mails]
    # How many wait when a connection has room depends on the machine's load.
    expect(len(probes) <= 20, f"{len(probes)} connections for 40 recipients")


@case(seconds=90)
def recipients_next_hop_down(lab):
    """While the next hop is down: known recipients are taken, also after a
    restart, others get 451 4.4.x and at once; when it is back they are
    answered."""
    peer = lab.peer("127.0.1.5")
    peer.rcpts = {"nobody": "550 5.1.1 Unknown"}
    s = start(lab, "down")
    expect_equal(ask("joe", "nobody"), [250, 550], "codes")
    s.stop()
    expect(os.path.exists(f"{s.state}/spool/verify"), "nothing was kept")
    peer.close()
    s.start()
    c, got = client([f"{x}@example.net" for x in ("joe", "nobody", "ann")])
    expect_equal([code for code, _ in got], [250, 550, 451], "codes")
    expect(got[2][1][0].startswith("4.4."), f"reply: {got[2]}")
    begun = time.monotonic()
    for n in range(20):
        expect_equal(c.cmd(f"RCPT TO:<r{n}@example.net>")[0], 451, "code")
    expect(time.monotonic() - begun < 5, "each waits for a dead host")
    c.quit()
    peer = lab.peer("127.0.1.5")
    peer.rcpts = {"nobody": "550 5.1.1 Unknown"}
    wait_until(lambda: ask("ann") == [250], 40, "ann is found")
    s.cli("queue", "flush")
    peer.rcpts = {}
    expect_equal(ask("nobody"), [250], "a new mailbox, after flush")


@case(seconds=60)
def recipients_postfix(lab):
    """Postfix is asked like any other."""
    p = lab.postfix("tls")
    s = start(lab, "postfix", ip="127.0.1.1")
    s.stop()
    s.configure(open(s.conf, encoding="utf-8").read().replace(
        '"example.net"', '"tls.example.org"'))
    s.start()
    box = lab.box("tls.example.org")
    c, got = client([box, "nobody@tls.example.org"])
    expect_equal([code for code, _ in got], [250, 550], f"{got}")
    c.cmd("DATA", 354)
    c.say("Subject: x\r\n\r\nx\r\n.\r\n")
    c.reply(250)
    c.quit()
    p.wait_mail(box)
    expect_equal(s.log("queue", "bounce"), [], "bounces")


@case(seconds=40)
def recipients_list(lab):
    """file: says who exists; a mistake in it is named by its line."""
    lab.peer("127.0.1.5")
    path = f"{lab.folder('recipients')}/list"
    with open(path, "w", encoding="utf-8") as f:
        f.write("# people\njoe\nann@example.net\nuser+*\n@all.example.net\n")
    os.chmod(path, 0o644)
    accept = ("accept {\n" + "".join(
        f'domain "{d}" {{ to = "smtp:[127.0.1.5]:25"; '
        f'recipients = "file:{path}" }}\n'
        for d in ("example.net", "all.example.net")) + "}")
    s = lab.sealane("list", relay_from="[]", accept=accept)
    rcpts = ["JOE@example.net", "ann@example.net", "user+x@example.net",
             "any@all.example.net", "postmaster@example.net", "Postmaster",
             "PostMaster@relay.example.org",
             "bob@example.net", "ann%x@example.net", "user@example.net"]
    c, got = client(rcpts)
    c.quit()
    expect_equal([code for code, _ in got], [250] * 7 + [550] * 3, "codes")
    with open(path, "a", encoding="utf-8") as f:
        f.write("two words\n")
    expect(f"{path}:6:1: error: \"two words\" is no recipient"
           in s.cli("check", code=1) + s.err, "check does not name the line")
