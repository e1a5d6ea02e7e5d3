# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Big, and many."""

import hashlib
import os
import random
import shutil
import subprocess
import tempfile

from lab.case import Skip, case, expect, expect_equal, wait_until
from lab.load import Client, message
from lab.peer import SEQ, Peer

SENDER = "box0@home.example.org"


@case(seconds=120, alone=True)
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


@case(seconds=240, alone=True)
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


class Stream(Peer):
    """Keeps the sum of a message and not the message."""
    sum = None

    def data(self, s, f, session):
        s.sendall(b"354 Go\r\n")
        sha, ours = hashlib.sha256(), False
        while (line := f.readline()) != b".\r\n":
            if not line:
                raise ConnectionError
            ours = ours or line.startswith(b"Subject: ")
            if ours:
                sha.update(line)
        self.sum = sha.hexdigest()
        s.sendall(b"250 2.0.0 Ok\r\n")


@case(seconds=120, alone=True)
def bulk_large_queue(lab):
    """5,000 wait for a dead host: a start, list, hold, release, drop, and mail
    for a healthy host is not delayed.  scripts/bench-queue does a million."""
    fill = f"{lab.options.build}/tests/bench/load_fill"
    if not os.path.exists(fill):
        raise Skip("load_fill is not built")
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("large", via='domain "*.wait.example.org" '
                    '{ via = "[127.0.0.3]:2626" }', first="300s", max="600s")
    s.stop()
    owner = os.stat(f"{s.state}/spool")
    shutil.rmtree(f"{s.state}/spool")
    subprocess.run([fill, f"{s.state}/spool", "5000", "1000", "100"],
                   check=True)
    for folder, _, files in os.walk(f"{s.state}/spool"):
        for name in [folder] + [os.path.join(folder, f) for f in files]:
            os.chown(name, owner.st_uid, owner.st_gid)
    s.start()
    waiting = ("--domain", "*.wait.example.org")

    def count(cmd, *more):
        return s.json("queue", cmd, *waiting, *more)["count"]

    expect_equal(len(s.queue()), 5000, "messages after the start")
    expect_equal(count("hold"), 5000, "held")
    expect_equal(count("release", "--sender", "news3@bulk.example.org"),
                 len([n for n in range(5000) if n % 16 == 3]), "one sender's")
    expect_equal(count("release"), 5000 - 313, "the rest")
    c = Client()
    c.ehlo()
    for n in range(20):
        c.send(SENDER, [f"x{n}@sink.example.org"], message(n, 2000))
    c.quit()
    for n in range(20):
        line, = s.wait_delivery(f"x{n}@sink.example.org", status="sent")
        expect(float(line["delay"]) < 5, f"delivered after {line['delay']} s")
    expect_equal(len(peer.arrived), 20, "messages that arrived")
    s.kill_all()
    s.start()
    expect_equal(len(s.queue()), 5000, "messages after kill -9")
    expect_equal(count("drop"), 5000, "dropped")
    expect_equal(s.queue(), [], "the queue")


def peaks(s):
    """The most memory that each role ever had, in KiB."""
    found = {}
    for pid, title in s.pids().items():
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            found[title] = next(int(t.split()[1]) for t in f
                                if t.startswith("VmHWM"))
    return found


@case(seconds=1500, long=True, alone=True)
def bulk_a_gigabyte(lab):
    """A message of 1 GiB goes in, out to a file, in again and on, by TLS; no
    process grows."""
    disk = tempfile.mkdtemp(prefix="sealane-gigabyte.", dir="/var/tmp")
    lab.later(lambda: shutil.rmtree(disk, ignore_errors=True))
    os.chmod(disk, 0o755)
    peer = Stream("127.0.1.5", lab.pem("peer.example.org"),
                  offers=("PIPELINING", "SIZE", "8BITMIME"))
    lab.later(peer.close)
    s = lab.sealane("gigabyte", start=False, first="300s", max="600s",
                    state=f"{disk}/state")
    with open(s.conf, encoding="utf-8") as f:
        text = f.read()
    s.configure(text.replace("message-size = 60M", "message-size = 2G"))
    s.start()
    before = peaks(s)
    peer.hold.set()
    head = b"Subject: a gigabyte\r\nX-Seq: 1\r\n\r\n"
    block = (b"0123456789abcdef" * 61 + b"\r\n") * 1024
    count = 2**30 // len(block) + 1
    sha = hashlib.sha256(head)
    c = Client(timeout=120)
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.cmd("MAIL FROM:<box0@home.example.org>", 250)
    c.cmd("RCPT TO:<x@sink.example.org>", 250)
    c.cmd("DATA", 354)
    c.say(head)
    for _ in range(count):
        c.say(block)
        sha.update(block)
    c.say(b".\r\n")
    c.reply(250)
    c.quit()
    s.wait_delivery("x@sink.example.org", status="deferred", seconds=60)
    s.cli("queue", "hold", "--older", "0s")
    with open(f"{disk}/export", "wb") as f:
        p = s.popen("queue", "export", "--drop", "--older", "0s", stdout=f)
        expect_equal(p.wait(600), 0, "exit of export")
    expect_equal(s.queue(), [], "the queue")
    with open(f"{disk}/export", "rb") as f:
        p = s.popen("queue", "import", stdin=f, stdout=subprocess.DEVNULL)
        expect_equal(p.wait(600), 0, "exit of import")
    peer.hold.clear()
    s.cli("queue", "release", "--older", "0s")
    s.wait_delivery("x@sink.example.org", status="sent", seconds=200)
    expect_equal(peer.sum, sha.hexdigest(), "sha256")
    grown = {t: n - before[t] for t, n in peaks(s).items() if t in before}
    expect(max(grown.values()) < 24 * 1024, f"grown, in KiB: {grown}")
    s.wait_empty()
