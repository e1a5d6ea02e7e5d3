# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The queue as the operator sees it, and what it does when the disk is full."""

import json
import re

from lab import space
from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client, Reply, message

SENDER = "box0@home.example.org"
LIST_KEYS = {"id", "sender", "size", "arrived", "state", "next_attempt",
             "recipients"}
RCPT_KEYS = {"address", "state", "domain", "site", "attempts", "reply",
             "asked"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def submit(sender, *to, seq=1, size=0):
    c = Client()
    c.ehlo()
    c.send(sender, to, message(seq, size))
    c.quit()


@case(seconds=60)
def queue_commands(lab):
    """list, show, flush, drop; ids that do not exist."""
    peer = lab.peer("127.0.1.5")
    peer.hold.set()
    s = lab.sealane("queue", first="300s", max="600s")
    submit(SENDER, "x@sink.example.org", "y@sink.example.org")
    submit("", "z@sink.example.org", seq=2)
    s.wait_delivery("x@sink.example.org", status="deferred")
    s.wait_delivery("z@sink.example.org", status="deferred")
    listed = wait_until(
        lambda: (q := s.queue()) and len(q) == 2 and all(
            m["state"] == "deferred" for m in q) and q, 10,
        "two deferred messages")
    for m in listed:
        expect_equal(set(m), LIST_KEYS, "keys of a message")
        expect(TIME.fullmatch(m["arrived"]), f"arrived {m['arrived']}")
        expect(TIME.fullmatch(m["next_attempt"]), f"next {m['next_attempt']}")
        for r in m["recipients"]:
            expect_equal(set(r), RCPT_KEYS, "keys of a recipient")
            expect_equal((r["state"], r["domain"], r["attempts"]),
                         ("deferred", "sink.example.org", 1), "recipient")
            expect("450" in r["reply"], f"reply {r['reply']}")
    first, = [m for m in listed if m["sender"] == SENDER]
    null, = [m for m in listed if m["sender"] == ""]
    expect_equal(sorted(r["address"] for r in first["recipients"]),
                 ["x@sink.example.org", "y@sink.example.org"], "addresses")
    expect(first["id"] in s.cli("queue", "list"), "the table has no id")

    shown = s.cli("queue", "show", first["id"])
    expect("x@sink.example.org" in shown, "show names no recipient")
    s.cli("queue", "show", "a" * 16, code=1)
    s.cli("queue", "drop", "a" * 16, code=1)
    s.cli("queue", "show", code=64)

    s.cli("queue", "drop", null["id"])
    expect_equal([m["id"] for m in s.queue()], [first["id"]], "after drop")
    peer.hold.clear()
    s.cli("queue", "flush")
    s.wait_delivery("x@sink.example.org", status="sent", seconds=10)
    s.wait_delivery("y@sink.example.org", status="sent", seconds=10)
    s.wait_empty()
    expect_equal(sorted(peer.arrived), [1], "numbers that arrived")


@case(seconds=60)
def queue_operations(lab):
    """hold survives kill -9 and a flush; release, bounce, show --body."""
    peer = lab.peer("127.0.1.5")
    peer.hold.set()
    s = lab.sealane("operations", first="300s", max="600s")
    for n in range(1, 4):
        submit("me@sink.example.org", f"u{n}@sink.example.org", seq=n, size=100_000)
        s.wait_delivery(f"u{n}@sink.example.org", status="deferred")
    ids = {m["recipients"][0]["address"].split("@")[0]: m["id"]
           for m in s.queue()}
    body = s.cli("queue", "show", ids["u1"], "--body")
    expect(body.startswith("Received: ") and len(body) > 100_000,
           f"a body of {len(body)} bytes: {body[:60]}")
    done = json.loads(s.cli("queue", "hold", "--domain", "*.example.org",
                            "--reason", "NOT NOW", "--json"))
    expect_equal(done, {"count": 3, "recipients": 3, "busy": 0,
                        "missing": []}, "hold")
    s.cli("queue", "flush")
    s.kill_all()
    s.start()
    held = json.loads(s.cli("queue", "list", "--state", "held", "--json"))
    expect_equal({m["id"] for m in held["messages"]}, set(ids.values()),
                 "held after kill -9")
    expect_equal({m["state"] for m in held["messages"]}, {"held"}, "state")
    peer.hold.clear()
    s.cli("queue", "flush")
    s.cli("queue", "release", ids["u1"], "nosuchid", code=1)
    s.wait_delivery("u1@sink.example.org", status="sent", seconds=10)
    s.cli("queue", "bounce", ids["u2"])
    s.wait_delivery("u2@sink.example.org", status="failed", seconds=10)
    s.wait_delivery("me@sink.example.org", status="sent", seconds=20)
    expect_equal([m["id"] for m in s.queue()], [ids["u3"]], "what is left")
    s.cli("queue", "drop", "--older", "0s")
    expect("empty" in s.cli("queue", "list"), "something is left")
    # The second one came back in its report.
    expect_equal(sorted(peer.arrived), [1, 2], "numbers that arrived")


@case(seconds=60)
def queue_survives_restart(lab):
    """What waits is still there after an ordered end and after kill -9."""
    peer = lab.peer("127.0.1.5")
    peer.hold.set()
    s = lab.sealane("restart")
    for n in range(1, 11):
        submit(SENDER, "x@sink.example.org", seq=n, size=n * 20_000)
    before = {m["id"]: m["size"] for m in s.queue()}
    expect_equal(len(before), 10, "messages")
    expect_equal(s.stop(), 0, "exit code")
    s.start()
    expect_equal({m["id"]: m["size"] for m in s.queue()}, before,
                 "after SIGTERM")
    s.kill_all()
    s.start()
    expect_equal({m["id"]: m["size"] for m in s.queue()}, before,
                 "after kill -9")
    peer.hold.clear()
    s.cli("queue", "flush")
    s.wait_empty()
    expect_equal({n: len(t) for n, t in peer.arrived.items()},
                 {n: 1 for n in range(1, 11)}, "what arrived")


def fill(acked, numbers, size):
    """Sends until a reply is not 250; returns that, or None."""
    c = Client()
    c.ehlo()
    try:
        for seq in numbers:
            c.send(SENDER, ["x@sink.example.org"], message(seq, size))
            acked.add(seq)
    except Reply as r:
        return r
    finally:
        c.close()
    return None


@case(seconds=90)
def queue_disk_full(lab):
    """A full disk: 452 and nothing lost; deliveries go on; then 250 again."""
    disk = lab.folder("disk")
    space.tmpfs(disk, "96m")    # the log takes 16 MiB at a time
    lab.later(lambda: space.umount(disk))
    peer = lab.peer("127.0.1.5")
    peer.hold.set()
    s = lab.sealane("full", state=f"{disk}/state")
    acked = set()
    large = fill(acked, range(1, 400), 300_000)         # kept as files
    expect(len(acked) > 20, f"only {len(acked)} were taken")
    small = fill(acked, range(1000, 3000), 30_000)      # kept in the log
    for full in (large, small):
        expect(full is not None, "the disk never got full")
        expect_equal(full.code, 452, f"reply when full: {full}")
        expect(full.lines[-1].startswith("4.3.1"), f"enhanced code: {full}")
    peer.hold.clear()
    s.cli("queue", "flush")
    wait_until(lambda: acked <= set(peer.arrived), 40,
               "all that got a 250 arrived")
    s.wait_empty()
    extra = {n for n, t in peer.arrived.items() if len(t) > 1} | (
        set(peer.arrived) - acked)
    expect_equal(extra, set(), "doubled, or arrived without a 250")
    def again():
        try:
            submit(SENDER, "x@sink.example.org", seq=9999, size=300_000)
            return True
        except Reply as r:
            expect_equal(r.code, 452, f"reply: {r}")
            return False
    wait_until(again, 10, "a message is taken again")
    wait_until(lambda: 9999 in peer.arrived, 20, "mail after the disk has room")
