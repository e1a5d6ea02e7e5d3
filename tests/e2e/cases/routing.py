# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Where a message goes: MX, implicit MX, aliases, smart hosts, nowhere."""

import email

from lab import space
from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client, Reply
from lab.peer import Peer


def submit(sender, *to, body=b"Subject: route\r\n\r\nbody\r\n", **how):
    c = Client(**how)
    c.ehlo()
    c.send(sender, to, body)
    c.quit()


def bounced(lab, to, status, seconds=25, **conf):
    """A message to `to` comes back as an RFC 3464 bounce."""
    p, sender = lab.postfix("tls"), lab.box("home.example.org")
    s = lab.sealane("bounce-" + status, **conf)
    submit(sender, to)
    raw, = p.wait_mail(sender, seconds=seconds)
    mail = email.message_from_bytes(raw)
    expect_equal(mail.get_content_type(), "multipart/report", "type")
    expect_equal(mail.get_param("report-type"), "delivery-status",
                 "report-type")
    expect_equal(mail["Return-Path"], "<>", "reverse-path of the bounce")
    kinds = [x.get_content_type() for x in mail.get_payload()]
    expect_equal(kinds[:2], ["text/plain", "message/delivery-status"],
                 "parts")
    expect(kinds[2] in ("message/rfc822", "text/rfc822-headers"),
           f"third part is {kinds[2]}")
    fields = mail.get_payload()[1].get_payload()
    expect_equal(fields[0]["Reporting-MTA"].replace(" ", ""),
                 "dns;relay.example.org", "Reporting-MTA")
    expect_equal((fields[1]["Final-Recipient"].replace(" ", ""),
                  fields[1]["Action"], fields[1]["Status"]),
                 ("rfc822;" + to, "failed", status), "recipient's fields")
    expect(b"Subject: route" in raw, "the message's headers are not in it")
    s.wait_empty()
    expect_equal(len(p.box(sender)), 1, "bounces")
    return s


@case(seconds=60)
def route_null_mx(lab):
    """A null MX bounces at once (RFC 7505: 5.1.10)."""
    bounced(lab, "x@null.example.org", "5.1.10")


@case(seconds=60)
def route_unknown_domain(lab):
    """A domain that does not exist bounces to the sender's mailbox."""
    bounced(lab, "x@nosuch.example.org", "5.1.2")


OWN = """\
hostname = "relay.example.org"
listen "in" {{ address = "[::]:2525"; relay-from = [ "127.0.0.0/8" ] }}
relay {{
  port = 2525
  domain "sink.example.org" {{ via = "[127.0.1.5]:25" }}
}}
dns {{ trust-anchor-file = "{anchor}"; forward = [ "127.0.0.53@53" ] }}
state {{ directory = "{s.state}" }}
control {{ directory = "{s.control}" }}
processes {{ smtpd = 1; relay = 1 }}
allow-loopback = true
"""


@case(seconds=60)
def route_loops(lab):
    """MX lists that lead back here, by name, by alias, and by an address of
    the machine that no listener names: 5.4.6, at once (RFC 5321 sec 5.1)."""
    space.add_address("10.0.9.9")
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("own", start=False)
    s.configure(OWN.format(s=s, anchor=lab.dns.anchor))
    s.start()
    to = [f"x@{d}.example.org" for d in ("own", "ownname", "ownalias")]
    submit("a@sink.example.org", *to)

    def returned():
        return {f["Final-Recipient"].split(";")[1].strip(): f["Status"]
                for m in peer.messages
                for f in email.message_from_bytes(m).get_payload()[1]
                .get_payload()[1:]}
    wait_until(lambda: len(returned()) == 3, 20, "all three come back")
    expect_equal(returned(), dict.fromkeys(to, "5.4.6"), "statuses")
    s.wait_empty()


@case(seconds=60)
def route_names(lab):
    """An alias for the MX host, IDN in either form, aliases in a circle, and
    hosts of equal preference, each of which gets its share."""
    # A connection per message (RFC 9422): one that is used again goes where it
    # went before.
    offers = Peer.OFFERS + ("LIMITS MAILMAX=1",)
    sink, equal = (lab.peer(a, offers=offers)
                   for a in ("127.0.1.5", "127.0.1.7"))
    s = lab.sealane("names")
    for domain in ("mxalias.example.org", "xn--bcher-kva.example.org"):
        submit("box0@home.example.org", "x@" + domain)
        sent, = s.wait_delivery("x@" + domain, status="sent")
        expect_equal(sent["domain"], domain, "domain")
    submit("box0@home.example.org", "x@circle.example.org")
    waiting = wait_until(lambda: [
        r for m in s.queue() for r in m["recipients"]
        if r["reply"]], 20, "the circle is deferred")
    expect("DNS look-up of MX" in waiting[0]["reply"], f"circle: {waiting}")
    s.cli("queue", "drop", s.queue()[0]["id"])
    sink.forget()
    for n in range(40):
        submit("box0@home.example.org", f"x{n}@equal.example.org")
    wait_until(lambda: len(sink.messages) + len(equal.messages) == 40, 20,
               "all 40 arrive")
    # Fewer of 40 tosses happen once in 100,000 runs.
    expect(len(sink.messages) > 6 and len(equal.messages) > 6,
           f"{len(sink.messages)} and {len(equal.messages)} of 40")
    s.wait_empty()


@case(seconds=60)
def route_give_up(lab):
    """Nobody answers there: after give-up the message is returned, as expired
    (RFC 3463 sec 3.5)."""
    bounced(lab, "x@dead.example.org", "4.4.7", seconds=45, first="1s",
            max="2s", give_up="5s")


@case(seconds=60)
def route_refused_by_receiver(lab):
    """550 for one recipient bounces that one; the other gets the message."""
    p = lab.postfix("tls")
    sender, good = lab.box("home.example.org"), lab.box("tls.example.org")
    s = lab.sealane("mixed")
    submit(sender, good, "nobody@tls.example.org")
    p.wait_mail(good)
    raw, = p.wait_mail(sender)
    expect(b"nobody@tls.example.org" in raw and b"Action: failed" in raw,
           "bounce names the wrong one")
    s.wait_empty()
    expect_equal(len(p.box(good)), 1, "copies for the good one")


@case(seconds=60)
def route_kinds(lab):
    """Implicit MX, alias, signed zone, address literal."""
    p = lab.postfix("tls")
    s = lab.sealane("kinds")
    for domain in ("implicit.example.org", "alias.example.org",
                   "signed.example.net"):
        to = lab.box(domain)
        submit("box0@home.example.org", to)
        p.wait_mail(to)
    lab.peer("127.0.1.5")
    submit("box0@home.example.org", "x@[127.0.1.5]")
    s.wait_delivery("x@[127.0.1.5]", status="sent")


@case(seconds=40)
def route_via(lab):
    """A smart host takes everything, without a look at MX records."""
    peer = lab.peer("127.0.1.5", port=2626)
    s = lab.sealane("via", via='via = "[127.0.1.5]:2626"')
    submit("box0@home.example.org", "x@nosuch.example.org")
    sent, = s.wait_delivery("x@nosuch.example.org", status="sent")
    expect_equal((sent["addr"], sent["reached"]), ("127.0.1.5", "encrypted"),
                 "delivery")
    expect_equal(len(peer.messages), 1, "messages")


ACCEPT = '''accept {
  domain "sink.example" { to = "discard:"; recipients = "any" }
  domain "in.example.org" { to = "smtp:[127.0.1.5]:25"; recipients = "any" }
}'''


@case(seconds=40)
def route_accept(lab):
    """accept: a foreign client may send there, and nowhere else; discard:
    swallows with a 250 and a log line."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("accept", accept=ACCEPT, relay_from='["127.0.0.1/32"]')
    c = Client(source="127.0.0.77")
    c.ehlo()
    c.cmd("MAIL FROM:<a@home.example.org>", 250)
    code, text = c.cmd("RCPT TO:<x@tls.example.org>")
    expect_equal(code, 550, f"relaying for a foreigner: {text}")
    expect(text[0].startswith("5.7.1 "), f"reply {text}")
    c.quit()
    submit("a@home.example.org", "x@in.example.org", source="127.0.0.77")
    s.wait_delivery("x@in.example.org", status="sent")
    expect_equal(len(peer.messages), 1, "messages")
    submit("a@home.example.org", "x@sink.example", source="127.0.0.77")
    s.wait_empty()
    expect_equal(len(peer.messages), 1, "messages after discard")
    submit("a@home.example.org", "y@in.example.org")    # a relay-from client
    s.wait_delivery("y@in.example.org", status="sent")


@case(seconds=40)
def route_no_open_relay_by_default(lab):
    """Tricks with routes and percent signs do not make it an open relay."""
    lab.sealane("tricks", accept=ACCEPT, relay_from="[]")
    c = Client()
    c.ehlo()
    c.cmd("MAIL FROM:<a@home.example.org>", 250)
    for to in ("x@tls.example.org", "@sink.example:x@tls.example.org",
               '"x@tls.example.org"@home.example.org', "x@[127.0.1.1]",
               "x@sink.example.tls.example.org", "x@SUB.sink.example"):
        code, text = c.cmd(f"RCPT TO:<{to}>")
        expect(code >= 500, f"{to}: {code} {text}")
    try:
        c.cmd("DATA", 354)
    except Reply as r:
        expect(r.code in (503, 554), f"DATA: {r}")
    else:
        expect(False, "DATA without a recipient was accepted")
    c.quit()
