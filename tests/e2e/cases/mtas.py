# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Programs that we did not write, in both directions: they send to Sealane,
Sealane sends to them, and the bytes that come out are those that went in.

Each hands what it takes for its own domain on to one sink, unchanged, and all
other mail to Sealane (lab/daemon.py); chasquid delivers to files instead, and
sends to the MX of viasealane.example.org, which is Sealane."""

import email
import random
import re

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client

HOME = "a@sink.example.org"
SMART = """\
listen "mx" { address = "127.0.0.25:25"; relay-from = [] }
accept {
  domain "viasealane.example.org" {
    to = "smtp:[127.0.1.5]:25"; recipients = "any"
  }
}"""


def letter(name, body):
    return (f"From: <a@sink.example.org>\r\nTo: <b@sink.example.org>\r\n"
            f"Message-ID: <{name}@sink.example.org>\r\n"
            f"Date: Wed, 25 Nov 2026 12:00:00 +0000\r\n"
            f"Subject: {name}\r\n\r\n").encode() + body


def large(size=10 << 20):
    """Ten megabytes that no compression or line counter would like."""
    r = random.Random(7)
    return b"".join(r.randbytes(38).hex().encode() + b"\r\n"
                    for _ in range(size // 78))


LETTERS = {
    "plain": letter("plain", b"body\r\n"),
    "empty": letter("empty", b""),
    "dots": letter("dots", b".\r\n..\r\n.x\r\n\r\n.\r\n....\r\n.\r\n"),
    "eight": letter("eight", "gr\u00fc\u00dfe \u2603\r\n".encode()
                    + bytes(range(128, 256)) + b"\r\n"),
    "line": letter("line", b"x" * 998 + b"\r\n" + b"." * 998 + b"\r\n"),
    "blank": letter("blank", b"\r\n" * 20 + b" \t\r\n" + b"end  \r\n"),
    "large": letter("large", large()),
}


def submit(sender, rcpts, body, address="127.0.0.1", port=2525, mail="",
           rcpt=""):
    c = Client(address, port)
    c.ehlo()
    c.cmd(f"MAIL FROM:<{sender}>{mail}", 250)
    for to in rcpts:
        c.cmd(f"RCPT TO:<{to}>{rcpt}", 250)
    c.cmd("DATA", 354)
    c.say(b"".join(b"." + x if x.startswith(b".") else x
                   for x in body.splitlines(True)) + b".\r\n")
    c.reply(250)
    c.quit()


def same(got, name, want=None):
    """`got` is a letter under the Received fields that the hops put on top."""
    want = LETTERS[name] if want is None else want
    if not got.endswith(want):
        at = next((i for i, (x, y) in enumerate(zip(got[-len(want):], want))
                   if x != y), 0)
        expect(False, f"{name}: {len(got)} bytes, {len(want)} went in; "
               f"{got[-len(want):][at - 40:at + 40]!r} is not "
               f"{want[at - 40:at + 40]!r}")


def by_subject(messages):
    return {email.message_from_bytes(m[:2000])["Subject"]: m
            for m in messages}


def crlf(message):
    """As it travelled: a file has LF."""
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def wait_letters(peer, names, seconds=25):
    wait_until(lambda: set(names) <= set(by_subject(peer.messages)), seconds,
               f"these arrive: {list(names)}")
    found = by_subject(peer.messages)
    for name in names:
        same(found[name], name)
    return found


def encrypted(entries, n):
    expect(len(entries) >= n, f"{len(entries)} of {n} log lines")
    expect_equal({(e["reached"], e["tls"] != "none") for e in entries},
                 {("encrypted", True)}, "how it travelled")


def sends_to_us(lab, mta, recipients=40):
    """mta -> Sealane -> sink: over STARTTLS, and nothing is changed."""
    sink = lab.peer("127.0.1.5")
    s = lab.sealane("from-" + mta.name)
    for name, body in LETTERS.items():
        submit(HOME, ["b@sink.example.org"], body, mta.address, 25,
               " BODY=8BITMIME")
    wait_letters(sink, LETTERS)
    encrypted(s.log("smtpd", "message"), len(LETTERS))
    expect_equal({e["proto"] for e in s.log("smtpd", "message")}, {"ESMTPS"},
                 "protocol")
    many = [f"m{i}@sink.example.org" for i in range(recipients)]
    submit(HOME, many, LETTERS["plain"], mta.address, 25)
    wait_until(lambda: len(s.log("relay", "delivery", status="sent")) >=
               len(LETTERS) + recipients, 20, f"{recipients} recipients")
    got = {c.split("<")[1].split(">")[0] for x in sink.sessions
           for c in x.commands if c.upper().startswith("RCPT")}
    expect(got >= set(many), f"only these recipients: {got}")
    s.wait_empty()
    return s


def takes_from_us(lab, mta, recipients=40):
    """Sealane -> mta -> sink, unchanged; whom it refuses comes back.  Returns
    Sealane, for the log."""
    onward = lab.peer(*lab.onward[:1], port=lab.onward[1], starttls="none")
    home = lab.peer("127.0.1.5")
    s = lab.sealane("to-" + mta.name)
    for name, body in LETTERS.items():
        submit(HOME, [f"box@{mta.domain}"], body, mail=" BODY=8BITMIME")
    wait_letters(onward, LETTERS)
    submit(HOME, [f"m{i}@{mta.domain}" for i in range(recipients)] +
           [f"nobody@{mta.domain}"], LETTERS["plain"])
    back = wait_until(lambda: list(home.messages), 20, "the bounce")[0]
    expect(f"nobody@{mta.domain}".encode() in back
           and b"Action: failed" in back and b"m1@" not in back,
           "the bounce is about another")
    wait_until(lambda: len(s.log("relay", "delivery", status="sent")) >=
               len(LETTERS) + recipients, 20, f"{recipients} recipients")
    s.wait_empty()
    return s


@case(seconds=60)
def mtas_exim_sends(lab):
    """Exim to Sealane over STARTTLS: every letter, 10 MB, 40 recipients."""
    m = lab.mta("exim")
    sends_to_us(lab, m)
    # " K ": by CHUNKING (RFC 3030), in Exim's notation
    sent = re.findall(r"=> b@sink\.example\.org .*", m.log())
    expect(sent and all(" K " in x for x in sent),
           f"Exim did not use BDAT: {sent[:1]}")


@case(seconds=60)
def mtas_exim_takes(lab):
    """Sealane to Exim over STARTTLS: the same, and a refused recipient."""
    m = lab.mta("exim")
    s = takes_from_us(lab, m)
    came = re.findall(r"<= .*\(relay\.example\.org\).* T=\"large\"", m.log())
    expect(came and " K " in came[-1], f"no BDAT for 10 MB: {came}")
    encrypted(s.log("relay", "delivery", domain="exim.example.org"),
              len(LETTERS))


@case(seconds=60)
def mtas_opensmtpd_sends(lab):
    """OpenSMTPD to Sealane over STARTTLS."""
    sends_to_us(lab, lab.mta("opensmtpd"))


@case(seconds=60)
def mtas_opensmtpd_takes(lab):
    """Sealane to OpenSMTPD, whose handshakes all fail (lab/opensmtpd.py): the
    first attempt waits, the second goes in clear and says why."""
    s = takes_from_us(lab, lab.mta("opensmtpd"))
    went = s.log("relay", "delivery", domain="opensmtpd.example.org",
                 status="sent")
    expect_equal({(e["reached"], e["how"]) for e in went},
                 {("clear", "failed")}, "how it travelled")
    waited = s.log("relay", "delivery", domain="opensmtpd.example.org",
                   status="deferred")
    expect_equal({e["id"] for e in waited}, {e["id"] for e in went},
                 "no message went in clear at its first attempt")


@case(seconds=60)
def mtas_postfix_sends(lab):
    """Postfix to Sealane over STARTTLS, its smart host."""
    sends_to_us(lab, lab.postfix("smart"))


@case(seconds=60)
def mtas_postfix_xforward(lab):
    """Postfix names its client by XFORWARD: that client is in the log, and
    Received shows who was connected."""
    sink = lab.peer("127.0.1.5")
    s = lab.sealane("xforward",
                    relay_from='[ "127.0.0.0/8" ]; xforward = true')
    c = Client(lab.postfix("smart").address, 25, source="127.0.3.77")
    c.ehlo("first.example.org")
    c.send(HOME, ["b@sink.example.org"], LETTERS["plain"])
    c.quit()
    found = wait_letters(sink, ["plain"])["plain"]
    line = s.log("smtpd", "message")[0]
    expect_equal({k: line[k] for k in ("client", "xaddr", "xproto", "xhelo",
                                       "xname", "xsource")},
                 {"client": "127.0.0.1", "xaddr": "127.0.3.77",
                  "xproto": "ESMTP", "xhelo": "first.example.org",
                  "xname": "-", "xsource": "REMOTE"}, "log")
    expect(re.fullmatch("[0-9A-Za-z]+", line["xident"])
           and line["xport"].isdigit(), f"{line}")
    ours = found.split(b"Received: ")[1]
    expect(ours.startswith(b"from mx.bench.example.org ([127.0.0.1])")
           and b"127.0.3.77" not in ours, f"Received: {ours}")
    expect(b"first.example.org" in found.split(b"Received: ")[2],
           "Postfix's own field says it")
    s.wait_empty()


@case(seconds=60)
def mtas_postfix_takes(lab):
    """Sealane to Postfix over STARTTLS: every letter, 40 recipients."""
    p, box = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("to-postfix")
    for body in LETTERS.values():
        submit(HOME, [box], body, mail=" BODY=8BITMIME")
    found = by_subject(crlf(x) for x in p.wait_mail(box, count=len(LETTERS)))
    for name in LETTERS:
        same(found[name], name)
    many = [lab.box("home.example.org") for _ in range(40)]
    submit(HOME, many, LETTERS["plain"])
    for to in many:
        p.wait_mail(to)
    n = len(LETTERS) + len(many)
    encrypted(s.wait_log(20, "relay", "delivery", n, status="sent"), n)


@case(seconds=60)
def mtas_chasquid_sends(lab):
    """chasquid to Sealane over STARTTLS, which is an MX host for it."""
    m, sink = lab.mta("chasquid"), lab.peer("127.0.1.5")
    s = lab.sealane("from-chasquid", accept=SMART)
    for body in LETTERS.values():
        submit(HOME, [f"away@{m.domain}"], body, m.address, 25,
               " BODY=8BITMIME")
    wait_letters(sink, LETTERS)
    encrypted(s.log("smtpd", "message"), len(LETTERS))


@case(seconds=60)
def mtas_chasquid_takes(lab):
    """Sealane to chasquid over STARTTLS, and a refused recipient."""
    m, home = lab.mta("chasquid"), lab.peer("127.0.1.5")
    s = lab.sealane("to-chasquid")
    box = f"box@{m.domain}"
    for body in LETTERS.values():
        submit(HOME, [box], body, mail=" BODY=8BITMIME")
    submit(HOME, [f"nobody@{m.domain}"], LETTERS["plain"])
    found = by_subject(crlf(x) for x in m.wait_mail(box, count=len(LETTERS)))
    for name in LETTERS:
        same(found[name], name)
    back = wait_until(lambda: list(home.messages), 20, "the bounce")[0]
    expect(f"nobody@{m.domain}".encode() in back, "the bounce is another")
    encrypted(s.wait_log(20, "relay", "delivery", len(LETTERS),
                         domain=m.domain, status="sent"), len(LETTERS))
    s.wait_empty()


STORE = """\
accept {{
  domain "dovecot.example.org" {{ to = "lmtp:unix:{0.socket}"; recipients = "any" }}
  domain "tcp.dovecot.example.org" {{ to = "lmtp:[{0.address}]"; recipients = "any" }}
}}"""


@case(seconds=60)
def mtas_dovecot_lmtp(lab):
    """Final delivery to Dovecot, by socket and by TCP: every letter, and a
    verdict for each recipient (RFC 2033 sec 4.2)."""
    d, home = lab.mta("dovecot"), lab.peer("127.0.1.5")
    s = lab.sealane("store", accept=STORE.format(d))
    for domain, user in ((d.domain, "box0"), ("tcp." + d.domain, "box1")):
        for body in LETTERS.values():
            submit(HOME, [f"{user}@{domain}"], body, mail=" BODY=8BITMIME")
        wait_until(lambda: len(d.mail(user)) >= len(LETTERS), 20, "letters")
        found = by_subject(crlf(x) for x in d.mail(user))
        for name in LETTERS:
            same(found[name], name)
    submit(HOME, [f"{u}@{d.domain}" for u in ("box2", "nobody", "box3")],
           LETTERS["plain"])
    back = wait_until(lambda: list(home.messages), 20, "the bounce")[0]
    expect(b"nobody@" in back and b"Status: 5.1.1" in back
           and b"doesn't exist" in back and b"box2@" not in back,
           "the bounce says something else")
    s.wait_empty()
    expect_equal([len(d.mail(u)) for u in ("box2", "box3", "nobody")],
                 [1, 1, 0], "copies")
    expect_equal(len(home.messages), 1, "bounces")


@case(seconds=60)
def mtas_dsn_passes(lab):
    """NOTIFY, ORCPT and ENVID go on to MTAs that know them (RFC 3461 sec 5.2.2):
    Exim, whose next host does not, and Postfix, which delivers, report success
    to the sender, with what the client had asked for."""
    home = lab.peer("127.0.1.5")
    lab.peer(lab.onward[0], port=lab.onward[1], starttls="none")
    exim, box = lab.mta("exim"), lab.box("tls.example.org")
    lab.postfix("tls")
    lab.sealane("dsn")
    for to in (f"box@{exim.domain}", box):
        submit(HOME, [to], LETTERS["plain"], mail=" RET=HDRS ENVID=e-1",
               rcpt=" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first@example.org")
    wait_until(lambda: len(home.messages) >= 2, 30, "two reports")
    expect_equal({x for m in home.messages
                  for x in re.findall(rb"Reporting-MTA: *dns; *(\S+)", m)},
                 {b"mx.tls.example.org", b"mx.exim.example.org"}, "reporters")
    for m in home.messages:
        for want in (rb"^Original-Envelope-Id: e-1\r$",
                     rb"^Original-Recipient: *rfc822; *first@example\.org\r$",
                     rb"^Action: delivered\r$"):
            expect(re.search(want, m, re.I | re.M), f"{want} is not in {m}")
