# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Timed exceptions: mail goes where policy would keep it, for a while, and
everybody who looks is told."""

import os
import signal
import time

from lab.case import case, expect, expect_equal
from lab.load import Client

BAD = "badtlsa.example.net"
WHY = "their records are wrong; ticket 4711 \u00e4"


def submit(to):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send("box0@home.example.org", [to], b"Subject: except\r\n\r\nx\r\n")
    c.quit()


def fields(x):
    return x["name"], x["why"]


@case(seconds=60)
def except_lets_mail_go(lab):
    """A host whose TLSA records do not match: kept; with an exception it goes,
    over a kill -9 of policy too; without one it is kept again."""
    lab.peer("127.0.2.12")
    s = lab.sealane("except")
    to = f"x@{BAD}"
    submit(to)
    s.wait_delivery(to, status="deferred", asked="dane")
    s.cli("peer", "except", BAD.upper(), "--until", "1h", "--why", WHY)
    pid, = s.pids("policy")
    os.kill(pid, signal.SIGKILL)
    s.wait_log(20, "parent", "role-up", count=2, name_="policy")
    s.cli("queue", "flush")
    sent = s.wait_delivery(to, status="sent")[0]
    expect_equal((sent["asked"], sent["why"], sent["reached"], sent["how"]),
                 ("clear", "exception", "encrypted", "opportunistic"), "line")
    made = s.wait_log(5, "policy", "exception-made", name=BAD)[0]
    expect_equal(made["why"], WHY, "log")
    for doc in (s.json("report"), s.json("peer", "except")):
        expect_equal([fields(x) for x in doc["exceptions"]], [(BAD, WHY)],
                     "told")
    host, = s.json("explain", to)["hosts"]
    expect_equal((fields(host["exception"]), host["why"]),
                 ((BAD, WHY), "exception"), "explain")
    expect_equal(fields(s.json("peer", BAD)["exception"]), (BAD, WHY), "peer")
    for words in (("report",), ("explain", BAD), ("peer", BAD)):
        expect(WHY in s.cli(*words), f"{words}: no reason")
    s.cli("peer", "except", BAD, "--end")
    s.wait_log(5, "policy", "exception-ended", name=BAD, by="command")
    submit(to)
    s.wait_delivery(to, status="deferred", asked="dane", count=2)
    s.cli("peer", "except", BAD, "--end", code=1)
    expect_equal(s.json("report")["exceptions"], [], "none holds")


@case(seconds=60)
def except_mistakes(lab):
    """What makes no sense is refused with what is allowed; one that is over
    asks again at that second."""
    lab.peer("127.0.2.12")
    s = lab.sealane("except-bad")
    for words, code in (
            (("--until", "1h"), 64), (("--why", "x"), 64),
            (("--until", "soon", "--why", "x"), 64),
            (("--until", "2020-01-01", "--why", "x"), 64),
            (("--until", "400d", "--why", "x"), 64),
            (("--until", "1h", "--why", ""), 64),
            (("--until", "1h", "--why", "a\nb"), 64),
            (("--until", "1h", "--why", 201 * "x"), 64),
            (("--end",), 1), (("--end", "--until", "1h"), 64)):
        s.cli("peer", "except", BAD, *words, code=code)
        expect(s.err, f"{words}: nothing said")
    s.cli("peer", "except", "..", "--until", "1h", "--why", "x", code=64)
    expect_equal(s.json("peer", "except")["exceptions"], [], "made")
    s.cli("peer", "except", BAD, "--until", "2s", "--why", "short")
    expect_equal(s.json("explain", BAD)["hosts"][0]["asked"], "clear", "now")
    time.sleep(2.1)
    expect_equal(s.json("explain", BAD)["hosts"][0]["asked"], "dane", "later")
    s.stop()
    expect_equal(s.json("report")["exceptions"], None, "nobody runs")
    s.cli("peer", "except", code=69)
