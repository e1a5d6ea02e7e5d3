# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Where the log goes: syslog, systemd's journal, a pipe; and that mail goes on
whatever becomes of its reader."""

import fcntl
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading

from lab import space
from lab.case import Skip, case, expect, expect_equal, wait_until
from lab.load import Client, Reply
from lab.sealane import parse_line, role_pids

JOURNALD = "/lib/systemd/systemd-journald"
LINE = re.compile(r"<(\d+)>sealane/([a-z]+)\[(\d+)\]: (.*)", re.S)


def passes(peer):
    """One message, in and out."""
    before = len(peer.messages)
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send("box0@home.example.org", ["x@sink.example.org"],
           b"Subject: x\r\n\r\nx\r\n")
    c.quit()
    wait_until(lambda: len(peer.messages) > before, 20, "the message arrives")


class Syslog:
    """A syslog daemon at /dev/log that keeps what it read; reads: all the time,
    else when it is asked only."""

    def __init__(self, lab, reads=True):
        self.reads, self.lines = reads, []
        space.private_dev(lab.dir)
        lab.later(lambda: space.umount("/dev"))
        self.open()

    def open(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.thread = threading.Thread(target=self.run, daemon=True)
        if self.reads:
            self.thread.start()

    def run(self):
        while True:
            text = self.sock.recv(65536).decode()
            if not text:
                return
            self.lines.append(text)

    def close(self):
        if self.reads:
            self.sock.shutdown(socket.SHUT_RDWR)
            self.thread.join()
        self.sock.close()
        os.unlink("/dev/log")

    def read(self, **want):
        """All lines so far with these values."""
        while not self.reads and select.select([self.sock], [], [], 0)[0]:
            self.lines.append(self.sock.recv(65536).decode())
        found = []
        for text in list(self.lines):
            m = LINE.fullmatch(text)
            expect(m, f"no line of ours: {text!r}")
            e = parse_line(f"2026-01-01T00:00:00.000Z {m[2]} {m[4]}")
            if all(e.get(k) == v for k, v in want.items()):
                found.append({**e, "priority": int(m[1]), "pid": int(m[3])})
        return found

    def wait(self, seconds, count=1, **want):
        return wait_until(lambda: len(found := self.read(**want)) >= count
                          and found, seconds, f"{count} of {want}")


def quiet(s):
    """Nothing but what came ahead of the configuration is on standard error."""
    expect_equal(s.log(), [], "lines on standard error")


@case(seconds=60)
def log_syslog(lab):
    """target = "syslog": priorities of facility mail, role and process in the
    tag; a daemon that is away for a while gets what came meanwhile."""
    peer = lab.peer("127.0.1.5")
    daemon = Syslog(lab)
    s = lab.sealane("syslog", more='log { target = "syslog" }')
    passes(peer)
    sent, = daemon.wait(10, event="delivery")
    expect_equal((sent["priority"], sent["role"], sent["status"]),
                 (16 + 6, "relay", "sent"), "delivery")
    expect(role_pids()[sent["pid"]].startswith("relay"), "pid of the tag")
    expect_equal({e["priority"] for e in daemon.read(level="warn")},
                 {16 + 4}, "priority of warnings")
    quiet(s)
    daemon.close()
    passes(peer)
    passes(peer)
    daemon.open()
    expect_equal(len(daemon.wait(10, 3, event="delivery")), 3, "deliveries")
    expect_equal(daemon.read(event="log-dropped"), [], "dropped")
    expect_equal(s.stop(), 0, "exit")
    daemon.wait(5, event="stopped")
    quiet(s)


@case(seconds=60)
def log_nobody_reads(lab):
    """A daemon that takes nothing, or a pipe that is full: mail goes on, and in
    the end nothing is missing, or counted."""
    daemon = Syslog(lab, reads=False)
    s = lab.sealane("stuck", more='log { target = "syslog" }')
    peer = lab.peer("127.0.1.5")
    load = lab.load("x@sink.example.org", threads=4, total=400)
    expect(load.join(30), "the load did not end")
    wait_until(lambda: len(peer.arrived) == 400, 20, "all arrive")
    lost = wait_until(
        lambda: (n := len(daemon.read(event="delivery"))) + sum(
            int(e["lines"]) for e in daemon.read(event="log-dropped")) >= 400
        and n, 20, "each line is there, or counted")
    expect(lost > 200, f"only {lost} lines of 400 were kept")
    s.stop()
    end, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    s = lab.sealane("pipe", start=False)
    s.proc = s.popen("serve", stdout=subprocess.DEVNULL, stderr=pipe)
    os.close(pipe)
    wait_until(s.answers, 20, "Sealane answers")
    peer.forget()
    load = lab.load("x@sink.example.org", threads=4, total=100)
    expect(load.join(30), "the load did not end")
    wait_until(lambda: len(peer.arrived) == 100, 20, "all arrive")
    seen, got = b"", b""
    while got.count(b" delivery ") < 100:
        expect(select.select([end], [], [], 10)[0],
               f"{got.count(b' delivery ')} deliveries in the pipe")
        seen = os.read(end, 65536)
        got += seen
    os.close(end)
    passes(peer)       # its reader has gone altogether
    expect_equal(s.stop(), 0, "exit")


class Journal:
    """systemd's own journald, in the tests' namespace."""

    def __init__(self, lab):
        if not os.path.exists(JOURNALD) or space.mode() == "single":
            raise Skip("no systemd-journald, or not root")
        space.tmpfs("/run", "100m")
        lab.later(lambda: space.umount("/run"))
        os.makedirs("/run/systemd/journal")
        lab.later(self.end)
        self.start()

    def start(self):
        self.proc = subprocess.Popen(
            [JOURNALD], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "SYSTEMD_LOG_TARGET": "console"})
        wait_until(lambda: os.path.exists("/run/systemd/journal/socket"), 10,
                   "journald is there")

    def end(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(timeout=20)

    def read(self, *match):
        p = subprocess.run(
            ["journalctl", "--directory=/run/log/journal", "-o", "json",
             "--no-pager", *match], capture_output=True, text=True,
            check=False)
        return [json.loads(line) for line in p.stdout.splitlines()]

    def wait(self, seconds, count, *match):
        return wait_until(lambda: len(found := self.read(*match)) >= count
                          and found, seconds, f"{count} of {match}")


@case(seconds=60)
def log_journal(lab):
    """target = "journal": each key is a field, of which journalctl selects; a
    journald that is ended and started again misses nothing."""
    journal = Journal(lab)
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("journal", more='log { target = "journal" }')
    passes(peer)
    sent, = journal.wait(10, 1, "SEALANE_EVENT=delivery")
    for field, want in (("PRIORITY", "6"), ("SYSLOG_FACILITY", "2"),
                        ("SYSLOG_IDENTIFIER", "sealane/relay"),
                        ("SEALANE_ROLE", "relay"), ("SEALANE_STATUS", "sent"),
                        ("SEALANE_REACHED", "encrypted")):
        expect_equal(sent[field], want, field)
    expect(sent["MESSAGE"].startswith(f"delivery id={sent['SEALANE_ID']} "),
           f"MESSAGE {sent['MESSAGE']}")
    # Not what it says of itself: the kernel's word.
    expect(role_pids()[int(sent["_PID"])].startswith("relay"), "_PID")
    expect({"message", "delivery"} <= {
        e["SEALANE_EVENT"] for e in journal.read(
            "SEALANE_ID=" + sent["SEALANE_ID"])}, "what its id selects")
    journal.end()
    passes(peer)
    journal.start()
    journal.wait(10, 2, "SEALANE_EVENT=delivery")
    passes(peer)
    journal.wait(10, 3, "SEALANE_EVENT=delivery")
    quiet(s)
    expect_equal(s.stop(), 0, "exit")


@case(seconds=40)
def log_nobody_there(lab):
    """No daemon at all: it is said once on standard error, and mail goes on."""
    space.private_dev(lab.dir)
    lab.later(lambda: space.umount("/dev"))
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("nobody", more='log { format = "json"; target = "syslog" }')
    passes(peer)
    with open(s.logname, encoding="utf-8") as f:
        lines = [json.loads(t) for t in f if t.startswith("{")]
    expect_equal([e["event"] for e in lines if "reason" in e and
                  "/dev/log" in e["reason"]], ["log-unreachable"], "said")
    expect_equal(s.stop(), 0, "exit")


def misbehave():
    """Three clients, each by an event of its own; what they say of themselves
    names others.  And one that is welcome."""
    c = Client(source="127.0.0.66")
    c.say("GET /?client=127.0.0.99 HTTP/1.1\r\n\r\n")
    try:
        c.line()
    except OSError:
        pass
    c.close()
    c = Client(source="127.0.0.67")
    c.cmd("HELO [127.0.0.99]")
    c.cmd('MAIL FROM:<"smtpd rejected session=x client=127.0.0.99 helo="@a.org>')
    expect_equal(c.cmd('RCPT TO:<x@tls.example.org>')[0], 550, "relaying")
    c.quit()
    crowd = []
    try:
        for _ in range(8):      # each process may have its share
            crowd.append(Client(source="127.0.0.68"))
        expect(False, "the last connection was taken")
    except Reply:
        pass
    for c in crowd:
        c.quit()


FAIL2BAN = """
accept { client "127.0.0.68" { limits = "on" } }
limits { client { connections = 3 } }
log { format = "%s"; target = "%s" }
"""


@case(seconds=60)
def log_fail2ban(lab):
    """etc/fail2ban/sealane.conf finds who misbehaves in lines that were really
    written, in each format, and nobody whom they name."""
    root = lab.options.roots["fail2ban"]
    daemon = Syslog(lab)
    peer = lab.peer("127.0.1.5")
    for kind, target in (("logfmt", "stderr"), ("json", "stderr"),
                         ("logfmt", "syslog"), ("json", "syslog")):
        s = lab.sealane(f"fail2ban-{kind}-{target}",
                        relay_from='[ "127.0.0.1/32" ]',
                        more=FAIL2BAN % (kind, target))
        misbehave()
        passes(peer)
        expect_equal(s.stop(), 0, "exit")
        if target == "syslog":  # as syslogd writes it
            with open(s.logname, "w", encoding="utf-8") as f:
                f.writelines("Nov 25 12:00:00 mail " + t.split(">", 1)[1] + "\n"
                             for t in daemon.lines)
            daemon.lines.clear()
        p = subprocess.run(
            ["/usr/bin/python3", f"{root}/usr/bin/fail2ban-regex",
             "-c", f"{root}/etc/fail2ban", "-o", "ip", s.logname,
             f"{lab.options.top}/etc/fail2ban/sealane.conf"],
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1",
                 "PYTHONPATH": f"{root}/usr/lib/python3/dist-packages"},
            capture_output=True, text=True, check=False)
        expect_equal(set(p.stdout.split()),
                     {"127.0.0.66", "127.0.0.67", "127.0.0.68"},
                     f"{kind} to {target}: {p.stderr}")
