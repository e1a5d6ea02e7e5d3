# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Logs that other MTAs wrote here: what `report --from-log` counts is what the
far ends saw, to the last session."""

import collections
import datetime
import gzip
import json
import subprocess

from lab.case import Failed, case, expect, expect_equal, wait_until
from lab.load import Client, message

HOME = "a@home.example.com"


def report(lab, paths, *args):
    """(the document, what was said beside it); no configuration is there."""
    p = subprocess.run(
        [lab.program, "-c", "/nonexistent", "report", "--json", *args,
         "--from-log", *paths], capture_output=True, text=True, timeout=30,
        check=False)
    if p.returncode != 0:
        raise Failed(f"report: {p.returncode} {p.stderr}")
    return json.loads(p.stdout), p.stderr


def session(address, mails, tls, port=25):
    """mails: lists of recipients, one per message."""
    c = Client(address, port)
    c.ehlo()
    if tls:
        c.starttls()
        c.ehlo()
    for n, rcpts in enumerate(mails):
        c.send(HOME, rcpts, message(n))
    c.quit()


def saw(peers):
    """What the peers took: recipients and sessions by level."""
    rcpts, sessions = collections.Counter(), 0
    for p in peers:
        for s in p.sessions:
            mailed = [c for c in s.commands if c.startswith("MAIL")]
            sessions += bool(mailed)
            rcpts["encrypted" if s.tls else "clear"] += s.delivered
    return rcpts, sessions


def as_iso(line):
    t = datetime.datetime.strptime("2026 " + line[:15], "%Y %b %d %H:%M:%S")
    return f"{t:%Y-%m-%dT%H:%M:%S}.250000+00:00{line[15:]}"


def as_journal(line):
    t = datetime.datetime.strptime("2026 " + line[:15] + "+0000",
                                   "%Y %b %d %H:%M:%S%z")
    head, text = line[16:].split(": ", 1)
    host, tag = head.split(" ")
    name, pid = tag.rstrip("]").split("[")
    raw = text.encode()
    return (f"__CURSOR=s=0\n__REALTIME_TIMESTAMP={int(t.timestamp())}000000\n"
            f"_HOSTNAME={host}\nSYSLOG_IDENTIFIER={name}\nSYSLOG_PID={pid}\n"
            f"_PID=1\nMESSAGE\n").encode() + len(raw).to_bytes(8, "little") \
        + raw + b"\n\n"


@case(seconds=60)
def foreign_postfix(lab):
    """Postfix's log, in and out: TLS and clear, STARTTLS refused and broken,
    deferred and then sent, many recipients, connections used again."""
    peers = {n: lab.peer(f"127.0.1.{31 + i}", starttls=n)
             for i, n in enumerate(("good", "none", "refuse", "garbage"))}
    p = lab.postfix("logged")
    before = len(p.log())
    peers["good"].rcpts["late"] = "450 4.2.0 Not now"
    to = lambda n, *boxes: [f"{b}@{n}.example.com" for b in boxes]
    session(p.address, [to("good", "a", "b", "c") + to("more", "d")
                        + to("none", "e", "f")], True)
    session(p.address, [to("good", "late", "g"), to("refuse", "h")], False)
    session(p.address, [to("garbage", "i")], True)
    for n in range(4):
        session(p.address, [to("good", f"r{n}"), to("none", f"s{n}")], True)
    session(p.address, [], True)
    session(p.address, [], False)
    # One that says nothing is no session.
    Client(p.address, 25).close()
    wait_until(lambda: "to=<late@" in p.log()[before:], 20, "late is deferred")
    del peers["good"].rcpts["late"]
    wait_until(p.idle, 30, "Postfix has sent all")

    log = lab.folder("foreign") + "/mail.log"
    text = p.log()[before:]
    wait_until(lambda: text.count("disconnect from") >= 10 or
               p.log()[before:].count("disconnect from") >= 10, 5, "all gone")
    text = "".join(x + "\n" for x in p.log()[before:].splitlines()
                   if "postfix/" in x)
    with open(log, "w", encoding="utf-8") as f:
        f.write(text)
    rcpts, sessions = saw(peers.values())
    out, said = report(lab, [log], "--direction", "out", "--by", "level")
    total = out["total"]
    expect_equal((total["levels"]["clear"], total["levels"]["encrypted"],
                  total["sessions"]),
                 (rcpts["clear"], rcpts["encrypted"], sessions),
                 f"out\n{said}\n{text}")
    expect_equal(total["recipients"], 18, "recipients out")
    expect(out["retried"] > 0, "STARTTLS that failed is not told")
    expect(" 0 in no known form, 0 not understood" in said, said)
    domains, _ = report(lab, [log], "--direction", "out")
    expect_equal({r["key"]: (r["levels"]["clear"], r["levels"]["encrypted"])
                  for r in domains["rows"]},
                 {"good.example.com": (0, 9), "more.example.com": (0, 1),
                  "none.example.com": (6, 0), "refuse.example.com": (1, 0),
                  "garbage.example.com": (1, 0)}, "by domain")

    came, _ = report(lab, [log], "--direction", "in", "--by", "level")
    expect_equal({r["key"]: (r["messages"], r["recipients"], r["sessions"])
                  for r in came["rows"]},
                 {"encrypted": (10, 15, 7), "clear": (2, 3, 2)}, "in")
    same_in_all_forms(lab, log, text)


def same_in_all_forms(lab, log, text):
    lines = text.splitlines()
    both, _ = report(lab, [log])
    half = len(lines) // 2
    forms = {
        "iso": "".join(as_iso(x) + "\n" for x in lines).encode(),
        "gz": gzip.compress(text.encode()),
        "journal": b"".join(as_journal(x) for x in lines),
        "first.gz": gzip.compress("".join(
            x + "\n" for x in lines[:half]).encode()),
        "second": "".join(x + "\n" for x in lines[half:]).encode(),
    }
    for name, body in forms.items():
        with open(f"{log}.{name}", "wb") as f:
            f.write(body)
    for names in (["iso"], ["gz"], ["journal"], ["second", "first.gz"]):
        got, _ = report(lab, [f"{log}.{n}" for n in names])
        expect_equal({**got, "since": 0, "until": 0},
                     {**both, "since": 0, "until": 0}, f"{names}")


@case(seconds=60)
def foreign_exim(lab):
    """Exim's main log, in and out, TLS and clear, deferred and then sent."""
    onward = lab.peer(lab.onward[0], port=lab.onward[1], starttls="none")
    smart = lab.peer("127.0.0.1", port=2525)
    m = lab.mta("exim")
    log = f"{m.dir}/log/mainlog"
    before = len(m.log())
    smart.rcpts["late"] = "450 4.2.0 Not now"
    box, away = f"box@{m.domain}", "x@away.example.com"
    session(m.address, [[box, away, "y@away.example.com"], [away]], True)
    session(m.address, [[box, "z@" + m.domain], ["late@away.example.com"]],
            False)
    wait_until(lambda: "== late@" in m.log()[before:], 20, "late is deferred")
    del smart.rcpts["late"]
    wait_until(lambda: m.log()[before:].count(" Completed") == 4, 30,
               "Exim has sent all")
    with open(log, encoding="utf-8") as f:
        text = f.read()
    rcpts, sessions = saw([onward, smart])
    out, said = report(lab, [log], "--direction", "out", "--by", "level")
    total = out["total"]
    expect_equal((total["levels"]["clear"], total["levels"]["encrypted"]),
                 (rcpts["clear"], rcpts["encrypted"]), f"out\n{said}\n{text}")
    expect_equal(total["recipients"], 7, "recipients out")
    # The session that only deferred is not in the main log.
    expect_equal(total["sessions"], sessions - 1, f"sessions\n{text}")
    came, _ = report(lab, [log], "--direction", "in", "--by", "level")
    expect_equal({r["key"]: (r["messages"], r["recipients"], r["sessions"])
                  for r in came["rows"]},
                 {"encrypted": (2, 4, 1), "clear": (2, 3, 1)}, "in")
    expect(" 0 in no known form, 0 not understood" in said, said)
