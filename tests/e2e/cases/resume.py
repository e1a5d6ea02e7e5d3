# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""TLS sessions to next hops that go on from earlier ones: with Postfix and
OpenSSL, only where all is equal, and never at the cost of a message."""

import ssl

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from lab.peer import Peer

TO = "x@sink.example.org"


def submit(to):
    c = Client()
    c.ehlo()
    c.send("box0@home.example.org", [to],
           b"Subject: resume\r\nX-Seq: 1\r\n\r\nbody\r\n")
    c.quit()


def mail(s, to, n=1):
    """n messages, one after the other; `resumed=` of each delivery so far."""
    for _ in range(n):
        before = len(s.log("relay", "delivery", to=f"<{to}>"))
        submit(to)
        s.wait_delivery(to, status="sent", count=before + 1)
    return [e["resumed"] for e in s.log("relay", "delivery", to=f"<{to}>")]


def connected(port):
    """Is anybody connected to that port?"""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split()[2:4] for line in f.readlines()[1:]]
    return any(state == "01" and remote.endswith(f":{port:04X}")
               for remote, state in rows)


def calm(s):
    """Nothing was found amiss with TLS."""
    for event in ("tls-failed", "dane-mismatch", "tls-resume-failed"):
        expect_equal(s.log("relay", event), [], event)


@case(seconds=60)
def resume_openssl(lab):
    """TLS 1.3 and 1.2 with OpenSSL: the second session and all that follow go
    on, the peer agrees, and key and level in the log are those of the first."""
    peer = lab.peer("127.0.1.5", offers=Peer.ONCE)
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        peer.forget()
        peer.context.maximum_version = version
        s = lab.sealane(f"openssl{version}")
        expect_equal(mail(s, TO, 4), ["false"] + 3 * ["true"], "resumed")
        expect_equal([x.resumed for x in peer.sessions],
                     [False] + 3 * [True], "as the peer has it")
        facts = {(e["spki"], e["reached"], e["how"], e["tls"])
                 for e in s.log("relay", "delivery")}
        expect_equal(len(facts), 1, f"what is said of them: {facts}")
        calm(s)
        s.stop()


@case(seconds=60)
def resume_postfix(lab):
    """Postfix as it comes, with connections too far apart to be used again.  It
    gives no ticket in a session that was resumed, and none is used twice."""
    p, to = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("postfix")
    expect_equal(mail(s, to), ["false"], "resumed")
    wait_until(lambda: not connected(25), 15, "the connection is closed")
    expect_equal(mail(s, to), ["false", "true"], "resumed")
    wait_until(lambda: not connected(25), 15, "the connection is closed")
    expect_equal(mail(s, to), ["false", "true", "false"], "resumed")
    expect_equal(p.count(to), 3, "messages")
    calm(s)


@case(seconds=60)
def resume_new_keys(lab):
    """The peer has lost what it knew, or was restarted: a full handshake, and
    no word about it."""
    peer = lab.peer("127.0.1.5", offers=Peer.ONCE)
    s = lab.sealane("keys")
    mail(s, TO)
    peer.new_context()
    expect_equal(mail(s, TO, 2), ["false", "false", "true"], "resumed")
    expect_equal(len(peer.sessions), 3, "connections")
    calm(s)


@case(seconds=60)
def resume_refused(lab):
    """A peer that breaks off when a session is to be resumed is asked once
    more without that, at once and by TLS; it is told of, and no failure."""
    peer = lab.peer("127.0.1.5", offers=Peer.ONCE)
    s = lab.sealane("refused")
    mail(s, TO)
    peer.starttls = "forgets"
    expect_equal(mail(s, TO, 2), 3 * ["false"], "resumed")
    expect_equal([x.tls for x in peer.sessions if x.mails],
                 3 * ["TLSv1.3"], "sessions with mail")
    failed = s.log("relay", "tls-resume-failed")
    expect(len(failed) == 2 and failed[0]["addr"] == "127.0.1.5",
           f"tls-resume-failed: {failed}")
    expect_equal(s.log("relay", "tls-failed"), [], "tls-failed")
    for e in s.log("relay", "delivery"):
        expect_equal((e["status"], e["reached"]), ("sent", "encrypted"), "how")


@case(seconds=60)
def resume_dane(lab):
    """At level dane a resumed session is judged as any other; one that was
    begun for mail that asks less, at the same host, is not gone on with."""
    lab.peer("127.0.2.11", pem=lab.dns.dane_pem, offers=Peer.ONCE)
    s = lab.sealane("dane")
    unsigned, signed = "x@danemx.example.org", "x@dane.example.net"
    expect_equal(mail(s, unsigned, 2), ["false", "true"], "behind unsigned MX")
    expect_equal(mail(s, signed, 2), ["false", "true"], "behind signed MX")
    expect_equal([(e["reached"], e["how"]) for e in s.log("relay", "delivery")],
                 2 * [("encrypted", "dane-insecure-mx")] +
                 2 * [("dane", "tlsa")], "levels")
    calm(s)
