# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The laboratory without Sealane: when these fail, no other result counts."""

import hashlib
import ssl

from lab.case import case, expect, expect_equal
from lab.load import Client, Reply, message


@case(seconds=60)
def lab_postfix_with_tls(lab):
    """smtp-source and swaks reach Postfix, by clear text and by STARTTLS."""
    p = lab.postfix("tls")
    box = lab.box("tls.example.org")
    got = lab.smtp_source("-m", "20", "-s", "2", "-l", "2000",
                          "-f", "a@home.example.org",
                          "-t", box, "127.0.1.1:25")
    expect_equal(got.returncode, 0, "smtp-source " + got.stderr)
    p.wait_mail(box, count=20)
    box = lab.box("tls.example.org")
    got = lab.swaks("--server", "127.0.1.1:25", "--tls", "--from",
                    "a@home.example.org", "--to", box)
    expect_equal(got.returncode, 0, "swaks " + got.stdout + got.stderr)
    mail, = p.wait_mail(box)
    expect(b"with ESMTPS" in mail, "Postfix saw no TLS")


@case(seconds=30)
def lab_postfix_without_tls(lab):
    """The other Postfix offers no STARTTLS, and counts what it takes."""
    p = lab.postfix("clear")
    c = Client("127.0.1.2", 25)
    expect("STARTTLS" not in c.ehlo(), "STARTTLS is offered")
    box = lab.box("clear.example.org")
    body = message(7, 100_000)
    c.send("a@home.example.org", [box], body)
    c.quit()
    mail, = p.wait_mail(box)
    expect_equal(
        hashlib.sha256(mail.split(b"\n\n", 1)[1]).hexdigest(),
        hashlib.sha256(body.split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n"))
        .hexdigest(), "content")


@case(seconds=30)
def lab_peers(lab):
    """The scripted receivers misbehave as they are told."""
    good = lab.peer("127.0.1.5")
    c = Client("127.0.1.5", 25)
    expect("STARTTLS" in c.ehlo(), "not offered")
    c.starttls()
    c.ehlo()
    c.send("a@home.example.org", ["b@sink.example.org"],
           b"X-Seq: 5\r\n\r\n.dot\r\n")
    c.quit()
    expect_equal(good.messages, [b"X-Seq: 5\r\n\r\n.dot\r\n"], "message")
    expect_equal(list(good.arrived), [5], "number")
    lab.peer("127.0.1.3", "garbage")
    c = Client("127.0.1.3", 25)
    c.ehlo()
    try:
        c.starttls()
    except (ssl.SSLError, ConnectionError):
        pass
    else:
        expect(False, "the handshake did not fail")
    lab.peer("127.0.1.4", "refuse")
    c = Client("127.0.1.4", 25)
    c.ehlo()
    try:
        c.starttls()
    except Reply as r:
        expect_equal(r.code, 454, "reply to STARTTLS")
    else:
        expect(False, "STARTTLS was not refused")
