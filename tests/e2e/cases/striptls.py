# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""STRIPTLS by somebody on the path, in every way that is known: found and
named, and never a byte of the message in clear."""

import json
import subprocess

from lab.case import case, expect, expect_equal, wait_until
from lab.inpath import VARIANTS, InPath
from lab.load import Client
from lab.peer import Peer

from cases import mtasts

MARK = b"never-in-clear"
CLOCKS = {"first": "1s", "max": "1s", "timeouts": "connect = 5s; "
          "handshake = 2s; greeting = 10s; command = 10s"}
MEMORY = ("policy { memory { sessions = 1; over = 0s; hold-for = 1h } }")


def submit(to):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send("box0@home.example.org", [to], b"Subject: " + MARK +
           b"\r\nX-Seq: 1\r\n\r\n" + MARK + b"\r\n")
    c.quit()


def seen(s, kind):
    """How often that was found, and the last such finding."""
    events = [e for e in s.json("events")["events"] if e["kind"] == kind]
    return sum(e["evidence"]["count"] for e in events), events


def all_variants(s, path, to, domain, why):
    for variant, kind in VARIANTS.items():
        before, met = seen(s, kind)[0], path.met
        path.variant = variant
        s.cli("queue", "flush")
        wait_until(lambda: seen(s, kind)[0] > before, 30,
                   f"{variant} is found as {kind}")
        expect(path.met > met, "nobody came by")
        event = seen(s, kind)[1][-1]
        expect_equal((event["domain"], event["action"], event["reached"],
                      event["evidence"]["why"], event["direction"]),
                     (domain, "held", "none", why, "out"), variant)
    for entry in s.log("relay", "delivery", to=f"<{to}>"):
        if entry["reached"] != "none":
            expect(entry["reached"] in ("encrypted", "sts", "dane"),
                   f"reached {entry['reached']}")
    with path.lock:
        expect(b"EHLO" in path.clear, "the path saw nothing")
        for word in (MARK, b"MAIL FROM", b"RCPT TO"):
            expect(word not in path.clear, f"{word} in clear")


@case(seconds=150)
def striptls_memory(lab):
    """A host that had TLS once, and no published policy."""
    p, to = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("strip", more=MEMORY, **CLOCKS)
    submit(to)
    s.wait_log(20, "policy", "peer-known", mx="mx.tls.example.org")
    p.wait_mail(to)
    s.stop()                    # and with it the connection that is open
    path = InPath(lab, "127.0.1.1")
    s.start()
    submit(to)
    all_variants(s, path, to, "tls.example.org", "memory")
    by_kind = {e["kind"]: e for e in s.json("events")["events"]}
    for kind, fingerprint in (("starttls-mangled", "keyword-overwritten"),
                              ("injection", "injected")):
        event = by_kind[kind]
        expect_equal(event["class"], "lost-on-path", kind)
        expect(fingerprint in event["evidence"]["fingerprints"], str(event))
    stripped = by_kind["starttls-stripped"]
    expect_equal((stripped["class"], stripped["expected"]),
                 ("lost-at-peer", "encrypted"), "a clean strip")
    expect(any("PIPELINING" in x for x in stripped["evidence"]["ehlo"]),
           str(stripped))
    expect(s.log("policy", "starttls-stripped", mx="mx.tls.example.org",
                 action="held"), "event starttls-stripped")
    shown = s.json("peer", "mx.tls.example.org")
    expect(shown["host"]["tls_expected"] and shown["loss"]["since"] and
           shown["findings"], str(shown))
    path.leave()
    s.cli("queue", "flush")
    wait_until(lambda: len(s.log("relay", "delivery", to=f"<{to}>",
                                 status="sent", reached="encrypted")) == 2,
               20, "it is sent by TLS in the end")
    wait_until(lambda: s.json("peer", "mx.tls.example.org")["loss"] is None,
               5, "the loss is over")


@case(seconds=150)
def striptls_dane(lab):
    """First contact, under DANE: no memory is needed."""
    domain = "dane.example.net"
    lab.peer("127.0.2.11", pem=lab.dns.dane_pem)
    to = f"x@{domain}"
    path = InPath(lab, "127.0.2.11")
    s = lab.sealane("strip-dane", **CLOCKS)
    submit(to)
    all_variants(s, path, to, domain, "dane")
    path.leave()
    s.cli("queue", "flush")
    sent = s.wait_delivery(to, seconds=20, status="sent")
    expect_equal(sent[-1]["reached"], "dane", "reached")


@case(seconds=150)
def striptls_sts(lab):
    """First contact, under MTA-STS."""
    ca = lab.authority()
    lab.policy_host(mtasts.policy())
    lab.peer(mtasts.HOST, pem=ca.pem(mtasts.MX))
    path = InPath(lab, mtasts.HOST)
    s = mtasts.sealane(lab, "strip-sts", ca, **CLOCKS)
    submit(mtasts.TO)
    all_variants(s, path, mtasts.TO, mtasts.DOMAIN, "sts")
    path.leave()
    s.cli("queue", "flush")
    sent = s.wait_delivery(mtasts.TO, seconds=20, status="sent")
    expect_equal(sent[-1]["reached"], "sts", "reached")


@case(seconds=60)
def striptls_follow(lab):
    """events --follow says it when it happens; forget forgets."""
    p, to = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("follow", more=MEMORY, **CLOCKS)
    submit(to)
    s.wait_log(20, "policy", "peer-known", mx="mx.tls.example.org")
    p.wait_mail(to)
    s.stop()
    path = InPath(lab, "127.0.1.1")
    s.start()
    with s.popen("events", "--follow", "--json", stdout=subprocess.PIPE,
                 text=True) as watcher:
        submit(to)
        event = json.loads(watcher.stdout.readline())
        watcher.terminate()
    expect_equal((event["kind"], event["mx"], event["action"]),
                 ("starttls-stripped", "mx.tls.example.org", "held"), "event")
    for name in ("mx.tls.example.org", "tls.example.org"):
        s.cli("peer", "forget", name)
    sent = s.wait_delivery(to, seconds=20, status="sent", reached="clear")
    expect_equal(sent[-1]["asked"], "clear", "asked")
    expect(path.met > 0, "nobody came by")


@case(seconds=60)
def striptls_same_banner(lab):
    """Two hosts that have nothing to do with each other greet alike, and have
    no STARTTLS any more: that is neither of them."""
    lab.peer("127.0.1.3", offers=Peer.ONCE)
    lab.peer("127.0.2.11", pem=lab.dns.dane_pem)
    s = lab.sealane("banner", more=MEMORY, **CLOCKS)
    submit("x@broken.example.org")
    s.wait_log(20, "policy", "peer-known", mx="mx.broken.example.org")
    s.stop()
    path = InPath(lab, "127.0.1.3", "127.0.2.11")
    path.variant = "gateway"
    s.start()
    submit("x@broken.example.org")
    s.wait_log(20, "policy", "starttls-stripped", mx="mx.broken.example.org",
               action="held", **{"class": "lost-at-peer"})
    submit("x@dane.example.net")
    s.wait_log(20, "policy", "starttls-stripped", mx="mx.dane.example.net",
               action="held", **{"class": "lost-on-path"})
    event, = [e for e in s.json("events")["events"]
              if e["mx"] == "mx.dane.example.net"]
    for clue in ("same-banner-elsewhere", "others-lost-tls"):
        expect(clue in event["evidence"]["fingerprints"], str(event))
    expect(MARK not in path.clear, "the message in clear")
