# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""REQUIRETLS and TLS-Required: No (RFC 8689) from the client's MAIL to the next
host's."""

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from lab.peer import Peer

HOME = "box0@home.example.org"
TAKES_IT = (*Peer.OFFERS, "REQUIRETLS")
DANE = "x@dane.example.net"


def submit(to, mail="", field=""):
    c = Client()
    expect("REQUIRETLS" not in c.ehlo(), "announced in clear")
    if mail:
        code, text = c.cmd(f"MAIL FROM:<{HOME}>{mail}")
        expect_equal((code, text[0].split()[0]), (530, "5.7.10"), "in clear")
    c.starttls()
    expect("REQUIRETLS" in c.ehlo(), "not announced inside TLS")
    c.cmd(f"MAIL FROM:<{HOME}>{mail}", 250)
    c.cmd(f"RCPT TO:<{to}>", 250)
    c.cmd("DATA", 354)
    c.say(f"{field}Subject: x\r\n\r\nbody\r\n.\r\n")
    c.reply(250)
    c.quit()


def said(peer, verb):
    return [c for x in peer.sessions for c in x.commands if c.startswith(verb)]


@case(seconds=60)
def requiretls_kept(lab):
    """A host of a signed zone that announces it gets the parameter, over a
    proven connection."""
    peer = lab.peer("127.0.2.11", pem=lab.dns.dane_pem, offers=TAKES_IT)
    s = lab.sealane("requiretls")
    submit(DANE, " REQUIRETLS")
    entry = s.wait_delivery(DANE)[0]
    expect_equal((entry["status"], entry["reached"]), ("sent", "dane"), "sent")
    expect(" REQUIRETLS" in said(peer, "MAIL")[0], f"{said(peer, 'MAIL')}")
    submit(DANE)
    wait_until(lambda: len(peer.messages) == 2, 20, "one without it")
    expect(" REQUIRETLS" not in said(peer, "MAIL")[-1],
           f"{said(peer, 'MAIL')}")


@case(seconds=60)
def requiretls_refused(lab):
    """A host that does not announce it, proven as it may be, gets nothing: the
    sender gets a report without the body (sec 5)."""
    peer = lab.peer("127.0.2.11", pem=lab.dns.dane_pem)
    home = lab.postfix("tls")
    before = home.count(HOME)
    lab.sealane("requiretls-no")
    submit(DANE, " REQUIRETLS")
    report = home.wait_mail(HOME, count=before + 1)[-1]
    expect_equal(peer.messages, [], "messages")
    expect(b"5.7.30" in report and b"\nbody" not in report, f"{report}")


@case(seconds=60)
def requiretls_recipients(lab):
    """recipients = "verify": whom such a message is for is asked at a host that
    keeps REQUIRETLS, or nowhere; and the client is told at RCPT."""
    peer = lab.peer("127.0.2.11", pem=lab.dns.dane_pem, offers=TAKES_IT)
    bare = lab.peer("127.0.1.5")
    lab.sealane("requiretls-rcpt", accept=
                'accept { domain "dane.test" { to = "smtp:dane.example.net" }; '
                'domain "bare.test" { to = "smtp:[127.0.1.5]:25" } }')
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.cmd(f"MAIL FROM:<{HOME}> REQUIRETLS", 250)
    code, text = c.cmd("RCPT TO:<x@bare.test>")
    expect_equal((code, text[0].split()[0]), (550, "5.7.30"), "no way")
    c.cmd("RCPT TO:<x@dane.test>", 250)
    expect_equal(bare.sessions, [], "an address proves nothing")
    expect_equal(said(peer, "MAIL"), ["MAIL FROM:<> REQUIRETLS"], "asked")
    c.cmd("RSET", 250)
    c.cmd(f"MAIL FROM:<{HOME}>", 250)
    c.cmd("RCPT TO:<x@bare.test>", 250)
    expect_equal(said(bare, "MAIL"), ["MAIL FROM:<>"], "without it")
    c.quit()


@case(seconds=60)
def requiretls_waived(lab):
    """TLS-Required: No gets through where DANE would have kept it (sec 4.2.2),
    as the log says; REQUIRETLS beside it wins."""
    peer = lab.peer("127.0.2.11")       # another key than the zone's
    s = lab.sealane("waived")
    submit(DANE, field="TLS-Required: No\r\n")
    entry = s.wait_delivery(DANE)[0]
    expect_equal((entry["status"], entry["why"]), ("sent", "tls-required-no"),
                 "waived")
    expect_equal(len(peer.messages), 1, "messages")
    submit(DANE, " REQUIRETLS", "TLS-Required: No\r\n")
    wait_until(lambda: len(s.log("relay", "delivery")) > 1, 20, "the second")
    expect_equal(len(peer.messages), 1, "messages")
