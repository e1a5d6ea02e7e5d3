# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""DANE (RFC 7672): TLSA records in a signed zone, hosts that keep to them and
hosts that do not."""

from lab.case import case, expect_equal, wait_until
from lab.load import Client


def submit(to):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send("box0@home.example.org", [to],
           b"Subject: dane\r\nX-Seq: 1\r\n\r\nbody\r\n")
    c.quit()


def deliveries(s, to):
    return s.log("relay", "delivery", to=f"<{to}>")


def entry_is(entry, **want):
    for key, value in want.items():
        expect_equal(entry[key], value, f"delivery {key}=")


def sent(lab, name, address, to, **want):
    """One message, one attempt, at this level."""
    peer = lab.peer(address, pem=lab.dns.dane_pem)
    s = lab.sealane(name)
    submit(to)
    entry_is(s.wait_delivery(to)[0], status="sent", **want)
    expect_equal(len(peer.messages), 1, "messages")
    return s


def refused(lab, name, address, to, peer, **want):
    """Nothing is ever sent there, and the mail waits."""
    s = lab.sealane(name, first="500ms", max="500ms")
    submit(to)
    wait_until(lambda: len(deliveries(s, to)) >= 3, 30, "three attempts")
    for entry in deliveries(s, to):
        entry_is(entry, status="deferred", reached="none", **want)
    expect_equal(peer.messages, [], "messages")
    return s


@case(seconds=60)
def dane_match(lab):
    """3 1 1 matches a self-signed certificate: level dane."""
    s = sent(lab, "dane", "127.0.2.11", "x@dane.example.net", asked="dane",
             why="dane", reached="dane", how="tlsa")
    total = wait_until(
        lambda: (t := s.json("report", "--direction", "out")["total"])
        ["recipients"] and t, 10, "the report counts it")
    expect_equal(total["levels"]["dane"], 1, "levels.dane")


@case(seconds=60)
def dane_mismatch(lab):
    """Another key than the record's: never delivered to, and said."""
    peer = lab.peer("127.0.2.12")
    s = refused(lab, "dane-bad", "127.0.2.12", "x@badtlsa.example.net", peer,
                asked="dane", why="dane")
    s.wait_log(10, None, "dane-mismatch")


@case(seconds=60)
def dane_stripped(lab):
    """STARTTLS is gone: the mail waits."""
    peer = lab.peer("127.0.2.11", "none")
    refused(lab, "dane-strip", "127.0.2.11", "x@dane.example.net", peer,
            asked="dane")


@case(seconds=60)
def dane_unusable(lab):
    """Only records that are not for mail: TLS, with whomever (sec 2.2)."""
    to = "x@unusable.example.net"
    s = sent(lab, "dane-un", "127.0.2.13", to, asked="encrypted", why="dane",
             reached="encrypted", how="opportunistic")
    s.wait_log(10, None, "dane-unusable")


@case(seconds=60)
def dane_unusable_stripped(lab):
    """And never without TLS."""
    peer = lab.peer("127.0.2.13", "none")
    refused(lab, "dane-un-strip", "127.0.2.13", "x@unusable.example.net",
            peer, asked="encrypted", why="dane")


@case(seconds=60)
def dane_insecure_mx(lab):
    """A host with records behind an unsigned MX: matched, and no more than
    encrypted (sec 2.2.1)."""
    sent(lab, "dane-mx", "127.0.2.11", "x@danemx.example.org",
         asked="encrypted", why="dane", reached="encrypted",
         how="dane-insecure-mx")
