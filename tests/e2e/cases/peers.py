# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The memory of peers: a host that had TLS and has none any more."""

import time

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from lab.peer import Peer

DOMAIN, MX, HOST = "broken.example.org", "mx.broken.example.org", "127.0.1.3"
TO = "x@" + DOMAIN
SHARED = 5.2    # seconds: so long messages share an answer of policy's


def memory(sessions=2, hold="30s", on_loss="hold"):
    return (f"policy {{ memory {{ sessions = {sessions}; over = 0s; "
            f'hold-for = {hold}; on-loss = "{on_loss}" }} }}')


def submit(to=TO):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send("box0@home.example.org", [to],
           b"Subject: peers\r\nX-Seq: 1\r\n\r\nsecret body\r\n")
    c.quit()


def deliveries(s, **want):
    return s.log("relay", "delivery", to=f"<{TO}>", **want)


def deliver(s, n):
    """One message, to its end; n have been sent by then."""
    submit()
    wait_until(lambda: len(deliveries(s, status="sent")) == n, 20,
               f"message {n} is sent")


def make_known(s, peer, sessions=2):
    """So many sessions by TLS, each on a connection of its own."""
    for n in range(1, sessions + 1):
        deliver(s, n)
        wait_until(lambda: all("QUIT" in x.commands for x in peer.sessions),
                   15, "the connection is given up")
    s.wait_log(10, "policy", "peer-known", mx=MX)
    time.sleep(SHARED)


@case(seconds=90)
def peers_hold_then_accept(lab):
    """Nothing in clear within hold-for, over a restart; then it is accepted,
    and TLS that comes back is expected again."""
    peer = lab.peer(HOST, offers=Peer.ONCE)
    s = lab.sealane("memory", more=memory(hold="5s"))
    make_known(s, peer)
    peer.starttls = "none"
    began = time.time()
    submit()
    first = wait_until(lambda: deliveries(s, status="deferred"), 15,
                       "it is deferred")[0]
    expect_equal((first["asked"], first["why"], first["reached"],
                  first["dsn"]), ("encrypted", "memory", "none", "4.7.4"),
                 "delivery")
    expect("STARTTLS is not offered" in first["reply"], first["reply"])
    s.wait_log(5, "policy", "starttls-stripped", mx=MX, expected="encrypted",
               why="memory", action="held", **{"class": "lost-at-peer"})
    expect_equal(s.stop(), 0, "exit code")
    s.start()
    wait_until(lambda: len(deliveries(s, status="sent")) == 3, 40,
               "it is sent in the end")
    expect(time.time() - began >= 5, "sent before hold-for was over")
    sent = deliveries(s, status="sent")[-1]
    expect_equal((sent["reached"], sent["how"]), ("clear", "not-offered"),
                 "delivery")
    expect_equal(sum(x.mails for x in peer.sessions if not x.tls), 1,
                 "messages in clear")
    submit()                        # and so is the next one, at once
    wait_until(lambda: len(deliveries(s, status="sent")) == 4, 15,
               "the next one")
    expect_equal([e["action"] for e in s.json("events")["events"]],
                 ["held", "delivered-clear"], "findings")


@case(seconds=60)
def peers_enforce_and_observe(lab):
    """on-loss: enforce never sends in clear, observe always does."""
    peer = lab.peer(HOST, offers=Peer.ONCE)
    s = lab.sealane("enforce", more=memory(hold="1s", on_loss="enforce"),
                    first="500ms", max="500ms")
    make_known(s, peer)
    peer.starttls = "refuse"
    submit()
    wait_until(lambda: len(deliveries(s, status="deferred")) >= 3, 30,
               "three attempts")
    expect_equal(sum(x.mails for x in peer.sessions if not x.tls), 0,
                 "messages in clear")
    expect_equal(s.stop(), 0, "exit code")
    peer.starttls = "none"
    o = lab.sealane("observe", more=memory(on_loss="observe"),
                    state=s.state)
    sent = wait_until(lambda: deliveries(o, status="sent"), 20,
                      "it is sent")[0]
    expect_equal((sent["asked"], sent["reached"]), ("clear", "clear"),
                 "delivery")


@case(seconds=60)
def peers_others_first(lab):
    """The better host lost its TLS: the other one gets the mail, by TLS."""
    lost, kept = (lab.peer(f"127.0.2.{n}", offers=Peer.ONCE)
                  for n in (21, 22))
    s = lab.sealane("others", more=memory(sessions=1))
    to = "x@pair.example.org"
    submit(to)
    s.wait_log(15, "policy", "peer-known", domain="pair.example.org")
    wait_until(lambda: "QUIT" in lost.sessions[-1].commands, 15,
               "the connection is given up")
    time.sleep(SHARED)
    lost.starttls = "none"
    lost.forget()
    submit(to)
    s.wait_empty()
    expect(lost.sessions, "the better host was not tried")
    expect_equal(lost.messages, [], "messages in clear")
    expect_equal([x.tls for x in kept.sessions if x.mails], ["TLSv1.3"],
                 "sessions with the other")
