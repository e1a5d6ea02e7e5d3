# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A queue moves to another machine: hold, export, import, drop, release."""

import json
import os
import signal
import subprocess

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client, message

SENDER = "box0@home.example.org"
COUNT, LARGE = 40, 41


def second(lab, name):
    """Another Sealane beside the first; no client talks to it."""
    s = lab.sealane(name, start=False, first="300s", max="600s")
    with open(s.conf, encoding="utf-8") as f:
        text = f.read()
    s.configure(text.replace("127.0.0.1:2525", "127.0.0.1:2626"))
    s.start(wait=False)
    wait_until(lambda: "listening" in s.stdout(), 20, "the second one listens")
    return s


def queue_of(s):
    """The pid of its queue role."""
    for pid in s.pids("queue"):
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            if f.read().rsplit(")", 1)[1].split()[1] == str(s.proc.pid):
                return pid
    return None


def answers(s):
    p = s.popen("queue", "list", stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
    return p.wait(20) == 0


def export(s, name, *args, code=0):
    with open(name, "wb") as out:
        p = s.popen("queue", "export", *args, stdout=out,
                    stderr=subprocess.PIPE)
        err = p.communicate(timeout=30)[1].decode()
    expect_equal(p.returncode, code, f"exit of export: {err}")
    return err


def bring(s, name, code=0):
    """An import; what it says."""
    with open(name, "rb") as f:
        p = s.popen("queue", "import", "--json", stdin=f,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = p.communicate(timeout=30)
    expect_equal(p.returncode, code, f"exit of import: {err.decode()}")
    return json.loads(out)


def killed_midway(s, data, who):
    """Half of an export, then kill -9 for `who` of the two sides."""
    p = s.popen("queue", "import", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(data[:len(data) // 2])
    p.stdin.flush()
    wait_until(s.queue, 10, "something was taken")
    if who == "import":
        p.kill()
    else:
        os.kill(queue_of(s), signal.SIGKILL)
    try:
        p.communicate(data[len(data) // 2:], timeout=30)
    except BrokenPipeError:
        p.wait(30)
    expect(p.returncode != 0, f"killed {who}: exit {p.returncode}")
    wait_until(lambda: answers(s), 20, "the queue is back")
    expect(len(s.queue()) < LARGE, "all of it came")
    expect_equal({m["state"] for m in s.queue()}, {"held"}, "states")


@case(seconds=120)
def move_a_queue(lab):
    """Exported, imported with kill -9 on either side, each message once."""
    peer = lab.peer("127.0.1.5")
    peer.hold.set()
    a = lab.sealane("old", first="300s", max="600s")
    c = Client()
    c.ehlo()
    for n in range(1, LARGE):
        c.send(SENDER, [f"x{n}@sink.example.org", "y@sink.example.org"],
               message(n, 20_000))
    c.send(SENDER, ["z@sink.example.org"], message(LARGE, 3_000_000))
    c.quit()
    wait_until(lambda: all(m["state"] == "deferred" for m in a.queue()), 20,
               "all are deferred")
    name = f"{a.dir}/export"
    err = export(a, name, "--older", "0s", code=1)
    expect("hold them first" in err, f"export of what is not held: {err}")
    a.cli("queue", "hold", "--older", "0s")
    before = {m["id"]: m for m in a.queue()}
    export(a, name, "--older", "0s")
    with open(name, "rb") as f:
        data = f.read()

    b = second(lab, "new")
    killed_midway(b, data, "import")
    killed_midway(b, data, "queue")
    done = bring(b, name)
    expect_equal((done["count"] + done["known"], done["refused"],
                  done["complete"]), (LARGE, 0, True), "import")
    expect_equal(bring(b, name)["known"], LARGE, "once more")
    after = {m["id"]: m for m in b.queue()}
    expect_equal(after, before, "the queue on the other side")

    # What is cut or changed is said, and costs no more than that.
    with open(name + ".cut", "wb") as f:
        f.write(data[:-1])
    bring(b, name + ".cut", code=1)
    one = next(iter(after))
    b.cli("queue", "drop", one)
    p = b.popen("queue", "import", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(b"From: me\n\nno export", timeout=30)
    expect_equal(p.returncode, 1, "exit")
    expect(b"no export of a queue" in err, f"import of a letter: {err}")

    # The same over a pipe brings back what is missing.
    p = a.popen("queue", "export", "--older", "0s", stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL)
    q = b.popen("queue", "import", stdin=p.stdout, stdout=subprocess.PIPE)
    out = q.communicate(timeout=30)[0].decode()
    expect_equal((p.wait(10), q.returncode), (0, 0), "export | import")
    expect("1 message taken and held" in out, f"import: {out}")

    # Gone from here only when that is asked for, and not through a pipe.
    p = a.popen("queue", "export", "--drop", "--older", "0s",
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.communicate(timeout=30)
    expect_equal(p.returncode, 64, "--drop through a pipe")
    expect_equal(len(a.queue()), LARGE, "messages in the old queue")
    export(a, name, "--drop", "--older", "0s")
    expect_equal(a.queue(), [], "the old queue")
    peer.hold.clear()
    b.cli("queue", "release", "--older", "0s")
    b.wait_empty()
    expect_equal({n: len(t) for n, t in peer.arrived.items()},
                 {n: 1 for n in range(1, LARGE + 1)}, "what arrived")
