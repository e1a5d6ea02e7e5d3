# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Opportunistic TLS when the peer offers none, refuses, or breaks it: never
less deliverable than clear text, and never on a connection that has tried."""

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client

SENDER = "box0@home.example.org"


def submit(to):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send(SENDER, [to], b"Subject: fallback\r\nX-Seq: 1\r\n\r\nbody\r\n")
    c.quit()


def in_clear(entry, how):
    for key, want in (("reached", "clear"), ("how", how), ("tls", "none"),
                      ("cipher", "none"), ("kx", "none"), ("spki", "none")):
        expect_equal(entry[key], want, f"delivery {key}=")


@case(seconds=60)
def fallback_not_offered(lab):
    """A Postfix without TLS: clear at once, how=not-offered."""
    p, to = lab.postfix("clear"), lab.box("clear.example.org")
    s = lab.sealane("none")
    submit(to)
    mail, = p.wait_mail(to)
    expect(b"Subject: fallback" in mail, "not the message")
    entries = s.wait_delivery(to)
    expect_equal([e["status"] for e in entries], ["sent"], "attempts")
    in_clear(entries[0], "not-offered")
    total = wait_until(
        lambda: (t := s.json("report", "--direction", "out")["total"])
        ["recipients"] and t, 10, "the report counts it")
    expect_equal((total["levels"]["clear"], total["levels"]["encrypted"]),
                 (1, 0), "levels")


def after_trouble(lab, address, domain, starttls, how):
    """First deferred; the next attempt goes in clear, on a connection that
    never said STARTTLS."""
    peer = lab.peer(address, starttls)
    s = lab.sealane(starttls)
    to = f"x@{domain}"
    submit(to)
    first = s.wait_delivery(to)[0]
    expect_equal((first["status"], first["reached"]), ("deferred", "none"),
                 "first attempt")
    waiting = s.queue()
    expect(not waiting or waiting[0]["state"] in ("deferred", "active"),
           f"queue list: {waiting}")
    tried = [x for x in peer.sessions if "STARTTLS" in x.commands]
    expect(tried, "STARTTLS was not tried")
    sent, = s.wait_delivery(to, seconds=20, status="sent")
    in_clear(sent, how)
    expect_equal(len(peer.messages), 1, "messages")
    carried, = [x for x in peer.sessions if x.mails]
    expect("STARTTLS" not in carried.commands,
           f"clear text on a connection that tried TLS: {carried}")
    s.wait_empty()
    return peer, s


@case(seconds=60)
def fallback_handshake_broken(lab):
    """Garbage after 220: deferred, then clear on a new connection."""
    after_trouble(lab, "127.0.1.3", "broken.example.org", "garbage", "failed")


@case(seconds=60)
def fallback_starttls_refused(lab):
    """454 to STARTTLS: deferred, then clear on a new connection."""
    after_trouble(lab, "127.0.1.4", "refused.example.org", "refuse", "refused")


@case(seconds=60)
def fallback_reply_before_handshake(lab):
    """A reply sent ahead of the handshake ends the connection: nothing is
    sent on it, neither inside nor outside TLS."""
    peer = lab.peer("127.0.1.6", "early")
    s = lab.sealane("early")
    submit("x@early.example.org")
    first = s.wait_delivery("x@early.example.org")[0]
    expect_equal(first["status"], "deferred", "first attempt")
    tried = [x for x in peer.sessions if "STARTTLS" in x.commands]
    expect(tried, "STARTTLS was not tried")
    for x in tried:
        after = x.commands[x.commands.index("STARTTLS") + 1:]
        expect_equal(after, [], "commands after STARTTLS")


@case(seconds=60)
def fallback_next_host_before_clear(lab):
    """The best host refuses connections: the other one gets it, by TLS."""
    p, to = lab.postfix("tls"), lab.box("two.example.org")
    s = lab.sealane("two")
    submit(to)
    p.wait_mail(to)
    sent, = s.wait_delivery(to, status="sent")
    expect_equal((sent["mx"], sent["reached"]),
                 ("mx.tls.example.org", "encrypted"), "delivery")
