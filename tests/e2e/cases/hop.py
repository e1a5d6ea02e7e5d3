# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The straight way: in over STARTTLS, out over STARTTLS, and every place that
says so says the same."""

import re

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client

SENDER = "box0@home.example.org"
IN_KEYS = ("id session client helo from rcpts size proto reached how tls "
           "cipher kx resumed").split()
OUT_KEYS = ("id session from to domain mx addr asked why reached how tls "
            "cipher kx spki resumed dsn status delay reply").split()


def one_report(s, *args):
    """The report as soon as the ledger has written."""
    wait_until(lambda: s.json("report", *args)["total"]["recipients"], 10,
               f"report {args} counts something")
    return s.json("report", *args)


@case(seconds=60)
def hop_tls_to_postfix(lab):
    """swaks -> Sealane -> Postfix over TLS: log, Received, queue, report."""
    p, to = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("hop")
    got = lab.swaks("--tls", "--from", SENDER, "--to", to,
                    "--header", "Subject: first light")
    expect_equal(got.returncode, 0, "swaks\n" + got.stdout + got.stderr)
    mail, = p.wait_mail(to)
    expect(b"Subject: first light" in mail, "not the message that was sent")

    came, = s.log("smtpd", "message")
    expect_equal([k for k in IN_KEYS if k not in came], [], "keys of message")
    for key, want in (("proto", "ESMTPS"), ("reached", "encrypted"),
                      ("how", "opportunistic"), ("client", "127.0.0.1"),
                      ("from", f"<{SENDER}>"), ("rcpts", "1"),
                      ("tls", "TLS1.3")):
        expect_equal(came[key], want, f"message {key}=")
    expect(re.fullmatch("[a-z2-7]{16}", came["id"]), f"id={came['id']}")

    went, = s.wait_delivery(to, status="sent")
    expect_equal([k for k in OUT_KEYS if k not in went], [], "keys of delivery")
    for key, want in (("id", came["id"]), ("domain", "tls.example.org"),
                      ("mx", "mx.tls.example.org"), ("addr", "127.0.1.1"),
                      ("asked", "clear"), ("why", "none"),
                      ("reached", "encrypted"), ("how", "opportunistic"),
                      ("tls", "TLS1.3"), ("dsn", "2.0.0")):
        expect_equal(went[key], want, f"delivery {key}=")
    expect(re.fullmatch("[0-9a-f]{64}", went["spki"]), f"spki={went['spki']}")
    expect(re.fullmatch(r"\d+\.\d{3}", went["delay"]), f"delay={went['delay']}")
    expect(went["reply"].startswith("250 "), f"reply={went['reply']}")

    received = re.findall(rb"^Received:.*(?:\n[ \t].*)*", mail, re.M)
    expect_equal(len(received), 2, "Received: lines")
    expect(b"ESMTPS" in received[0] and b"TLS" in received[0],
           f"Postfix saw no TLS: {received[0]}")
    expect(b"with ESMTPS" in received[1] and b"TLS" in received[1]
           and came["id"].encode() in received[1]
           and b"by relay.example.org" in received[1],
           f"our own: {received[1]}")
    s.wait_empty()

    for direction in ("in", "out"):
        total = one_report(s, "--direction", direction)["total"]
        expect_equal((total["recipients"], total["levels"]["encrypted"],
                      total["levels"]["clear"]), (1, 1, 0),
                     f"report {direction}")
    rows = one_report(s, "--by", "domain", "--direction", "out")["rows"]
    expect_equal([r["key"] for r in rows], ["tls.example.org"], "rows")
    for by in ("level", "day"):
        expect_equal(len(one_report(s, "--by", by, "--direction", "out")
                         ["rows"]), 1, f"rows by {by}")
    expect("encrypted" in s.cli("report"), "the table names no level")


@case(seconds=60)
def hop_smtp_source_to_postfix(lab):
    """smtp-source -> Sealane -> Postfix: all arrive, in by clear, out by TLS."""
    p, to = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("source")
    got = lab.smtp_source("-s", "5", "-m", "100", "-l", "4000", "-c", "-f",
                          SENDER, "-t", to, "127.0.0.1:2525")
    expect_equal(got.returncode, 0, "smtp-source " + got.stderr)
    p.wait_mail(to, count=100, seconds=40)
    s.wait_empty()
    expect_equal(p.count(to), 100, "messages")
    expect_equal(len(s.log("relay", "delivery", status="sent",
                           reached="encrypted")), 100, "sent by TLS")
    expect_equal({(e["proto"], e["reached"], e["tls"])
                  for e in s.log("smtpd", "message")} - {
                      ("SMTP", "clear", "none"), ("ESMTP", "clear", "none")},
                 set(), "came in otherwise")


@case(seconds=60)
def hop_connection_is_reused(lab):
    """Messages to one site share connections and TLS sessions."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("reuse")
    load = lab.load("x@sink.example.org", threads=1, total=60)
    expect(load.join(40), "the load did not end")
    s.wait_empty()
    expect_equal(len(peer.arrived), 60, "messages")
    carried = [x for x in peer.sessions if x.mails]
    expect(len(carried) < 40, f"{len(carried)} connections for 60 messages")
    expect(all(x.tls for x in carried), "clear text was used")


@case(seconds=40)
def hop_eight_bit_and_dots(lab):
    """Lines that begin with dots and octets above 127 arrive as they were."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("dots")
    body = (b"Subject: dots\r\n\r\n.\xc3\xa4\r\n..two\r\n...\r\n" +
            b"x" * 990 + b"\r\n.end\r\n")
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send(SENDER, ["x@sink.example.org"], body)
    c.quit()
    s.wait_delivery("x@sink.example.org", status="sent")
    expect(peer.messages[0].endswith(body), "changed on the way")
