# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Big, and many."""

import hashlib
import random

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from lab.peer import SEQ

SENDER = "box0@home.example.org"


@case(seconds=120)
def bulk_fifty_megabytes(lab):
    """A message of 50 MB arrives byte for byte, by TLS both ways."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("fifty")
    rnd = random.Random(50)
    line = [bytes(rnd.choices(range(33, 127), k=74)) + b"\r\n"
            for _ in range(997)]
    line[13] = b".\xff dots and octets\r\n"
    block = b"".join(line)
    head = (b"Subject: big\r\nDate: Wed, 25 Nov 2026 17:00:00 +0000\r\n"
            b"Message-ID: <big@example.org>\r\nX-Seq: 1\r\n\r\n")
    body = head + block * (50_000_000 // len(block) + 1)
    expect(len(body) >= 50_000_000, "not 50 MB")
    c = Client(timeout=90)
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send(SENDER, ["x@sink.example.org"], body)
    c.quit()
    s.wait_delivery("x@sink.example.org", status="sent", seconds=60)
    got, = peer.messages
    at = got.index(head)
    expect_equal(hashlib.sha256(got[at:]).hexdigest(),
                 hashlib.sha256(body).hexdigest(), "sha256")
    expect(all(x.startswith((b"Received:", b" ", b"\t"))
               for x in got[:at].splitlines()),
           f"added in front: {got[:at]!r}")
    s.wait_empty()
    peer.forget()


@case(seconds=240)
def bulk_ten_thousand(lab):
    """10,000 small ones to Postfix, by id: none lost, none doubled."""
    p, to = lab.postfix("tls"), lab.box("tls.example.org")
    s = lab.sealane("many")
    load = lab.load(to, threads=8, total=10_000, size=1000)
    expect(load.join(150), f"the load is at {load.next}")
    expect_equal((len(load.acked), load.refused[:3]), (10_000, []),
                 "acknowledged")
    wait_until(lambda: p.count(to) >= 10_000, 80,
               f"10000 messages at Postfix; {p.count(to)} are there")
    s.wait_empty()
    wait_until(p.idle, 20, "Postfix is idle")
    seen = {}
    for mail in p.box(to):
        n = int(SEQ.search(mail)[1])
        seen[n] = seen.get(n, 0) + 1
    lost = load.acked - set(seen)
    doubled = {n for n, c in seen.items() if c > 1}
    expect_equal((len(seen), lost, doubled), (10_000, set(), set()),
                 "different ones, lost, doubled")
    ids = [e["id"] for e in s.log("smtpd", "message")]
    expect_equal(len(set(ids)), 10_000, "different ids in the log")
