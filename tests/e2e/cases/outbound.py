# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""How mail goes out: mail stores, addresses that are silent, hosts that take
less, and hosts that take it slowly."""

import email
import socket

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client

SENDER = "box0@home.example.org"
SINK = "127.0.1.5"
VIA = 'via = "[127.0.1.5]:25"'


def submit(to, body, mail="", rcpts=None):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.cmd(f"MAIL FROM:<{SENDER}>{mail}", 250)
    for rcpt in rcpts or [to]:
        c.cmd(f"RCPT TO:<{rcpt}>", 250)
    c.cmd("DATA", 354)
    c.say(body + b".\r\n")
    c.reply(250)
    c.quit()


@case(seconds=60)
def outbound_lmtp(lab):
    """LMTP over a unix socket and over TCP: a verdict for each recipient."""
    path = f"{lab.dir}/lmtp.sock"
    local = lab.peer(path, lmtp=True)
    store = lab.peer(SINK, lmtp=True, port=24)
    for p in (local, store):
        p.finals["full"] = "452 4.2.2 Mailbox full"
        p.finals["gone"] = "550 5.2.1 Mailbox disabled"
    s = lab.sealane("lmtp", accept=f'''accept {{
  domain "box.example" {{ to = "lmtp:unix:{path}"; recipients = "any" }}
  domain "store.example" {{ to = "lmtp:[{SINK}]"; recipients = "any" }} }}''')
    for domain, peer, reached in (("box.example", local, "clear"),
                                  ("store.example", store, "encrypted")):
        submit("", b"Subject: store\r\n\r\n.dot\r\n", rcpts=[
            f"{x}@{domain}" for x in ("a", "full", "gone", "b")])
        for box, status, dsn in (("a", "sent", "2.0.0"),
                                 ("b", "sent", "2.0.0"),
                                 ("full", "deferred", "4.2.2"),
                                 ("gone", "failed", "5.2.1")):
            got = s.wait_delivery(f"{box}@{domain}", status=status)[0]
            expect_equal((got["dsn"], got["reached"]), (dsn, reached),
                         f"{box}@{domain}")
        expect(peer.messages and peer.messages[0].endswith(b"\r\ndot\r\n"),
               "not the message")
        verbs = {c.split()[0] for c in peer.sessions[0].commands}
        expect("LHLO" in verbs and "EHLO" not in verbs, f"verbs: {verbs}")
    got, = s.log("relay", "delivery", to="<a@box.example>")
    expect_equal((got["mx"], got["addr"], got["how"]), (path, "unix", "none"),
                 "mx, addr, how")
    rows = {r["key"] for r in s.json("report", "--by", "domain",
                                     "--direction", "out")["rows"]}
    expect("box.example" not in rows, f"a socket is counted as a hop: {rows}")


@case(seconds=60)
def outbound_silent_ipv6(lab):
    """An IPv6 address that swallows connections costs a quarter of a second."""
    hole = socket.socket(socket.AF_INET6)
    lab.later(hole.close)
    hole.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hole.bind(("::1", 25))
    hole.listen(0)
    fill = []
    for _ in range(3):          # its queue is full: more SYNs are dropped
        f = socket.socket(socket.AF_INET6)
        f.setblocking(False)
        f.connect_ex(("::1", 25))
        fill.append(f)
        lab.later(f.close)
    peer = lab.peer(SINK)
    s = lab.sealane("silent")
    submit("x@sixfirst.example.org", b"Subject: x\r\n\r\nx\r\n")
    got = s.wait_delivery("x@sixfirst.example.org")[0]
    expect_equal((got["status"], got["addr"], got["reached"]),
                 ("sent", SINK, "encrypted"), "delivery")
    expect(0.25 <= float(got["delay"]) < 3, f"delay={got['delay']}")
    expect_equal(len(peer.messages), 1, "messages")
    with open("/proc/net/tcp6", encoding="ascii") as f:
        waiting = [t for t in f if t.split()[3] == "02" and
                   t.split()[2].endswith(":0019")]
    expect_equal(len(waiting) <= len(fill), True,
                 f"connections left half open: {waiting}")


@case(seconds=40)
def outbound_source_and_name(lab):
    """relay.source and ehlo-name, and what differs for a domain."""
    peer = lab.peer(SINK)
    s = lab.sealane("source", via='''source = [ "127.0.3.1" ]
  ehlo-name = "out.example.org"
  domain "sink.example.org" { source = [ "127.0.3.2" ]; ehlo-name = "two.example.org" }
''' + VIA)
    for to, source, name in (("x@a.example", "127.0.3.1", "out.example.org"),
                             ("x@sink.example.org", "127.0.3.2",
                              "two.example.org")):
        peer.forget()
        submit(to, b"Subject: x\r\n\r\nx\r\n")
        s.wait_delivery(to, status="sent")
        session, = peer.sessions
        expect_equal((session.source[0], session.commands[0]),
                     (source, "EHLO " + name), to)


@case(seconds=60)
def outbound_chunks(lab):
    """A large message goes by BDAT to a host that has it, byte for byte."""
    peer = lab.peer(SINK, offers=("PIPELINING", "CHUNKING", "8BITMIME"))
    s = lab.sealane("chunks", via=VIA)
    head = b"Subject: big\r\n\r\n"
    body = head + b"..dots and a line\r\n" * 40_000 + b"no end"
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.cmd(f"MAIL FROM:<{SENDER}>", 250)
    c.cmd("RCPT TO:<x@a.example>", 250)
    c.say(b"BDAT %d LAST\r\n" % len(body) + body)
    c.reply(250)
    c.quit()
    s.wait_delivery("x@a.example", status="sent")
    got, = peer.messages
    expect_equal(got[got.index(head):], body + b"\r\n", "the message")
    said = [x for x in peer.sessions[0].commands if x.startswith("BDAT")]
    expect(len(said) > 5 and said[-1].endswith("LAST"), f"BDAT: {said}")
    expect("DATA" not in peer.sessions[0].commands, "DATA was said")


@case(seconds=60)
def outbound_seven_bit_host(lab):
    """A host without 8BITMIME: converted, or a bounce with 5.6.3."""
    peer = lab.peer(SINK, offers=("PIPELINING", "SIZE"))
    home = lab.peer("127.0.1.13")
    s = lab.sealane("seven", via='domain "home.example.org" { via = '
                    '"[127.0.1.13]" }\n' + VIA)
    text = "Sm\u00f8rrebr\u00f8d og \u00f8l".encode()
    parts = (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
             b"Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\n"
             b"Content-Type: text/plain; charset=utf-8\r\n"
             b"Content-Transfer-Encoding: 8bit\r\n\r\n" + text + b"\r\n--b\r\n"
             b"Content-Type: application/x\r\n\r\n\xff\xfe\r\n\r\n--b--\r\n")
    submit("x@a.example", parts, mail=" BODY=8BITMIME")
    s.wait_delivery("x@a.example", status="sent")
    got, = peer.messages
    expect(not any(c > 127 for c in got), "8-bit bytes arrived")
    first, second = email.message_from_bytes(got).get_payload()
    expect_equal((first.get_payload(decode=True),
                  second.get_payload(decode=True)), (text, b"\xff\xfe\r\n"),
                 "content")
    said, = s.log("relay", "converted")
    expect_equal(int(said["after"]), len(got), "SIZE after conversion")

    submit("x@b.example", b"Subject: \xc3\xb8\r\n\r\nx\r\n",
           mail=" BODY=8BITMIME")
    failed = s.wait_delivery("x@b.example")[0]
    expect_equal((failed["status"], failed["dsn"], failed["reached"]),
                 ("failed", "5.6.3", "none"), "an 8-bit header")
    wait_until(lambda: home.messages, 20, "the bounce")
    expect(b"\nStatus: 5.6.3" in home.messages[0], "no 5.6.3 in the bounce")


@case(seconds=60)
def outbound_never_reads(lab):
    """A host that takes no byte of a large message: other mail goes on, memory
    stays bounded, and the message waits."""
    peer = lab.peer(SINK, starttls="none")
    stuck = lab.peer("127.0.1.7", starttls="none")
    stuck.reads = False
    s = lab.sealane("stuck", start=False, via=
                    'domain "stuck.example" { via = "[127.0.1.7]:25" }\n' + VIA)
    with open(s.conf, encoding="utf-8") as f:
        s.configure(f.read().replace("timeout {", "timeout { data-block = 4s;"))
    s.start()
    submit("x@stuck.example", b"Subject: big\r\n\r\n" +
           b"0123456789abcdef0123456789abcdef0123456789abcdef\r\n" * 800_000)
    wait_until(lambda: stuck.sessions and "DATA" in
               stuck.sessions[0].commands, 20, "the body begins")
    for i in range(5):
        submit(f"x{i}@a.example", b"Subject: x\r\n\r\nx\r\n")
        got = s.wait_delivery(f"x{i}@a.example", status="sent")[0]
        expect(float(got["delay"]) < 2, f"delay={got['delay']}")
    for pid in s.pids("relay"):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            rss, = (int(t.split()[1]) for t in f if t.startswith("VmRSS"))
        expect(rss < 60_000, f"relay {pid} has {rss} KiB")
    got = s.wait_delivery("x@stuck.example", seconds=25)[0]
    expect_equal((got["status"], got["dsn"]), ("deferred", "4.4.2"), "verdict")
    expect("timed out (body)" in got["reply"], got["reply"])
    expect_equal(len(peer.messages), 5, "messages")
