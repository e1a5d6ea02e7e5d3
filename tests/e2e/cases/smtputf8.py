# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Addresses beyond ASCII (RFC 6531), with real programs on both sides."""

from cases.mtas import crlf, letter, same, submit
from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from lab.peer import Peer
from lab.postfix import UTF8_BOX

HOME = "box0@home.example.org"
GREEK = "\u03b1\u03b2\u03b3"
ASKED = " BODY=8BITMIME SMTPUTF8"
UTF8_PEER = (*Peer.OFFERS, "SMTPUTF8")


def words(name):
    return letter(name, "gr\u00fc\u00dfe\r\n".encode()).replace(
        b"From: <a@", f"From: <{GREEK}@".encode())


def commands(peer, verb):
    return [c.encode("latin-1").decode() for x in peer.sessions
            for c in x.commands if c.startswith(verb)]


@case(seconds=60)
def smtputf8_to_postfix(lab):
    """Sealane to Postfix: the same bytes, by UTF8SMTPS on both hops."""
    p, box = lab.postfix("tls"), UTF8_BOX + "@tls.example.org"
    s = lab.sealane("eai-out")
    submit(f"{GREEK}@b\u00fccher.example.org", [box], words("eai"), mail=ASKED)
    got = crlf(p.wait_mail(box)[-1])
    same(got, "eai", words("eai"))
    expect(f"<{GREEK}@xn--bcher-kva.example.org>".encode() in got.split(
        b"\r\n")[0], f"Return-Path: {got[:200]}")
    expect(b"with UTF8SMTP\r\n" in got and b"with UTF8SMTPS" in got,
           f"Received: {got[:900]}")
    line = s.log("smtpd", "message")[0]
    expect_equal((line["proto"], line["from"]),
                 ("UTF8SMTP", f"<{GREEK}@xn--bcher-kva.example.org>"), "log")
    s.wait_delivery(box, status="sent")


@case(seconds=60)
def smtputf8_from_postfix(lab):
    """Postfix to Sealane, its smart host, and on to a host that has it."""
    sink = lab.peer("127.0.1.5", offers=UTF8_PEER)
    s = lab.sealane("eai-in")
    submit(f"{GREEK}@sink.example.org", [UTF8_BOX + "@sink.example.org"],
           words("eai"), lab.postfix("smart").address, 25, ASKED)
    wait_until(lambda: sink.messages, 25, "it arrives")
    same(sink.messages[0], "eai", words("eai"))
    expect_equal(s.log("smtpd", "message")[0]["proto"], "UTF8SMTPS", "proto")
    expect(" SMTPUTF8" in commands(sink, "MAIL")[0],
           f"{commands(sink, 'MAIL')}")
    expect_equal([x.split(">")[0] for x in commands(sink, "RCPT")],
                 [f"RCPT TO:<{UTF8_BOX}@sink.example.org"], "recipient")


@case(seconds=60)
def smtputf8_never_downgraded(lab):
    """A host without SMTPUTF8 (RFC 6531 sec 3.2): the message comes back as it
    was, also to a sender beyond ASCII; what only said SMTPUTF8 goes on."""
    sink, home = lab.peer("127.0.1.5"), lab.postfix("tls")
    s = lab.sealane("eai-back")
    back = UTF8_BOX + "@home.example.org"
    submit(back, ["x@sink.example.org"], words("eai-back"), mail=ASKED)
    report = crlf(home.wait_mail(back)[-1])
    for want in (b"report-type=delivery-status", b"Status: 5.6.7",
                 f"To: <{back}>".encode(), b"message/global"):
        expect(want.lower() in report.lower(), f"no {want} in {report}")
    submit(HOME, [UTF8_BOX + "@sink.example.org"], letter("eai-rcpt", b""),
           mail=ASKED)
    wait_until(lambda: s.log("relay", "delivery", dsn="5.6.7")[1:], 20,
               "the second comes back, too")
    expect_equal(sink.messages, [], "messages")
    submit(HOME, ["x@sink.example.org"], letter("eai-not", b"hi\r\n"),
           mail=ASKED)
    wait_until(lambda: sink.messages, 20, "plain ASCII goes on")
    expect("SMTPUTF8" not in commands(sink, "MAIL")[-1],
           f"{commands(sink, 'MAIL')}")


ACCEPT = """accept {
  domain "b\u00fccher.example.org" { to = "smtp:[127.0.1.5]:25" }
}"""


@case(seconds=60)
def smtputf8_recipients(lab):
    """A domain of ours in either spelling; the next hop is asked for addresses
    beyond ASCII with SMTPUTF8, and one without it refuses those alone."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("eai-verify", relay_from="[]", accept=ACCEPT)
    mail = f"MAIL FROM:<{GREEK}@home.example.org> SMTPUTF8"

    def ask(*to):
        c = Client()
        expect("SMTPUTF8" in c.ehlo(), "SMTPUTF8 is not announced")
        c.cmd(mail, 250)
        c.say("".join(f"RCPT TO:<{x}>\r\n" for x in to))
        got = [c.reply() for _ in to]
        c.quit()
        return [(code, lines[0].split()[0]) for code, lines in got]

    a_label = "xn--bcher-kva.example.org"
    expect_equal(ask(f"joe@{a_label}", f"{GREEK}@b\u00fccher.example.org",
                     "ann@b\u00fccher.example.org", f"{GREEK}@elsewhere.org"),
                 [(250, "2.1.5"), (550, "5.6.7"), (250, "2.1.5"),
                  (550, "5.7.1")], "a host without SMTPUTF8")
    peer.close()
    lab.peer("127.0.1.5", offers=UTF8_PEER)
    s.wait_empty()
    expect_equal(ask(f"{GREEK}{GREEK}@{a_label}"), [(250, "2.1.5")],
                 "a host with it")
