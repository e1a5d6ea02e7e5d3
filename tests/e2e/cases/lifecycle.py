# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Start, end, users, restart of roles, certificates."""

import hashlib
import os
import re
import signal
import ssl
import subprocess
import time

from lab import space
from lab.case import Skip, case, expect, expect_equal, wait_until
from lab.load import Client
from lab.sealane import role_pids, wait_gone

ROLES = ["fetch", "keys", "ledger", "parent", "policy", "queue", "relay", "resolver",
         "smtpd"]
SENDER = "box0@home.example.org"


def handshake_der():
    c = Client()
    c.ehlo()
    c.starttls()
    der = c.sock.getpeercert(binary_form=True)
    c.ehlo()
    c.quit()
    return der


def uid_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"^Uid:\s+(\d+)", f.read(), re.M)[1])


def processes(s):
    """All roles are there; returns {role: set of uids}."""
    wait_until(lambda: {t.split()[0] for t in s.pids().values()}
               >= set(ROLES) - {"parent"}, 10, "all roles run")
    got = {}
    for pid, title in s.pids().items():
        got.setdefault(title.split()[0], set()).add(uid_of(pid))
    return got


def one_message(lab, s, peer=None):
    """A message passes.  Who sends several gives the peer: connections to it
    are kept open by the relay, so another peer would wait in vain."""
    peer = peer or lab.peer("127.0.1.5")
    to = f"x{time.monotonic_ns()}@sink.example.org"
    before = len(peer.messages)
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send(SENDER, [to], b"Subject: x\r\n\r\nx\r\n")
    c.quit()
    s.wait_delivery(to, status="sent")
    expect_equal(len(peer.messages), before + 1, "messages")


@case(seconds=60)
def life_as_root(lab):
    """As root each role has a user of its own; SIGTERM ends all, exit 0."""
    if space.mode() == "single" or os.getuid() != 0:
        raise Skip("not root")
    if lab.etc_trouble:
        expect(False, f"systemd-sysusers: {lab.etc_trouble}")
    s = lab.sealane("root")
    users = processes(s)
    roles = {r: u for r, u in users.items() if r != "parent"}
    expect(all(len(u) == 1 and 0 not in u for u in roles.values()),
           f"uids {users}")
    expect_equal(len({next(iter(u)) for u in roles.values()}), len(roles),
                 f"distinct users {users}")
    one_message(lab, s)
    modes = {name: os.stat(f"{s.state}/{name}").st_mode & 0o777
             for name in ("spool", "keys")}
    # The group sealane may read the certificates in keys/, not the keys.
    expect_equal(modes, {"spool": 0o700, "keys": 0o750}, "modes")
    for name in os.listdir(f"{s.state}/keys"):
        if name.endswith(".key"):
            expect_equal(os.stat(f"{s.state}/keys/{name}").st_mode & 0o777,
                         0o600, name)
    expect_equal(s.stop(), 0, "exit code")
    expect_equal(role_pids(), {}, "processes after the end")


@case(seconds=60)
def life_as_ordinary_user(lab):
    """The same without root, said in the log; a message passes."""
    s = lab.sealane("plain", user="plain")
    users = processes(s)
    expect_equal(len(set().union(*users.values())), 1, f"uids {users}")
    expect(0 not in set().union(*users.values()), f"runs as root: {users}")
    one_message(lab, s)
    expect_equal(s.json("queue", "list")["messages"], [], "queue")
    expect_equal(s.stop(), 0, "exit code")
    expect_equal(role_pids(), {}, "processes after the end")


@case(seconds=30)
def life_root_without_users(lab):
    """serve as root without the roles' users stops and prints the command."""
    if space.mode() == "single" or os.getuid() != 0:
        raise Skip("not root")
    s = lab.sealane("nousers", start=False)
    empty = f"{lab.dir}/passwd-without"
    with open("/etc/passwd", encoding="utf-8") as old, \
            open(empty, "w", encoding="utf-8") as new:
        new.writelines(t for t in old if not t.startswith("_sealane"))
    space.bind(empty, "/etc/passwd")
    lab.later(lambda: space.umount("/etc/passwd"))
    s.start(wait=False)
    code = s.proc.wait(timeout=15)
    expect(code != 0, "it ran")
    expect("systemd-sysusers" in s.tail() + s.stdout(),
           f"no command is printed:\n{s.tail()}{s.stdout()}")


@case(seconds=60)
def life_parent_killed(lab):
    """SIGKILL of the parent: no role outlives it."""
    s = lab.sealane("orphans")
    expect(len(s.pids()) >= len(ROLES), f"processes: {s.pids()}")
    before = s.pids()
    os.kill(s.proc.pid, signal.SIGKILL)
    s.proc.wait(timeout=5)
    wait_gone(before, 10)
    s.start()
    one_message(lab, s)


@case(seconds=120)
def life_each_role_restarts(lab):
    """Each role is killed once: a new one comes, and mail passes again."""
    s, peer = lab.sealane("roles"), lab.peer("127.0.1.5")
    for role in ROLES:
        if role == "parent":
            continue
        old = s.pids(role)
        expect(old, f"no process of {role}")
        victim = sorted(old)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in role_pids(), 5, "it died")
        wait_until(lambda: len(s.pids(role)) >= len(old), 15,
                   f"a new {role}")
        # Several times: each smtpd has links of its own.
        wait_until(lambda: all(s.takes_mail() for _ in range(6)), 10,
                   f"mail is taken after {role} came back")
        one_message(lab, s, peer)
        s.wait_empty()


@case(seconds=60)
def life_certificates(lab):
    """Made at first start, printed, served, kept over restarts."""
    s = lab.sealane("cert")
    der = handshake_der()
    printed = s.stdout()
    expect("127.0.0.1:2525" in printed, f"stdout: {printed}")
    shown = s.cli("cert", "show")
    sha = hashlib.sha256(der).hexdigest()
    flat = shown.lower().replace(":", "")
    expect(sha in flat, f"cert show lacks the served one {sha}:\n{shown}")
    tlsa = s.cli("cert", "tlsa")
    records = set(re.findall(r"\b3 1 1 ([0-9a-f]{64})\b", tlsa.lower()))
    pem = f"{lab.dir}/served.pem"
    with open(pem, "w", encoding="ascii") as f:
        f.write(ssl.DER_cert_to_PEM_cert(der))
    pub = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-pubkey"],
                         capture_output=True, check=True).stdout
    spki = hashlib.sha256(subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"], input=pub,
        capture_output=True, check=True).stdout).hexdigest()
    expect(spki in records, f"cert tlsa lacks {spki}:\n{tlsa}")
    expect("_25._tcp.relay.example.org" in tlsa, f"owner name:\n{tlsa}")
    expect(spki in printed.lower(), f"stdout lacks the TLSA:\n{printed}")
    text = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-text"],
                          capture_output=True, text=True, check=True).stdout
    expect("DNS:relay.example.org" in text, "no name in the certificate")
    held = [os.path.join(d, n) for d, _, names in os.walk(s.state)
            for n in names if "PRIVATE" in open(
                os.path.join(d, n), encoding="latin-1").read(200)]
    expect(all(p.startswith(f"{s.state}/keys/") for p in held),
           f"private keys at {held}")
    expect_equal(s.stop(), 0, "exit code")
    s.start()
    expect_equal(hashlib.sha256(handshake_der()).hexdigest(), sha,
                 "fingerprint after a restart")
    s.kill_all()
    s.start()
    expect_equal(hashlib.sha256(handshake_der()).hexdigest(), sha,
                 "fingerprint after kill -9")


@case(seconds=60, alone=True)
def life_term_under_load(lab):
    """SIGTERM while messages come in: exit 0, and nothing that got a 250 is
    lost."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("term")
    load = lab.load("x@sink.example.org", threads=4)
    wait_until(lambda: len(load.acked) > 50, 20, "some messages")
    expect_equal(s.stop(), 0, "exit code")
    load.stop()
    expect_equal(role_pids(), {}, "processes")
    s.start()
    wait_until(lambda: load.acked <= set(peer.arrived), 30,
               "all acknowledged ones arrived")
    doubled = [n for n, t in peer.arrived.items() if len(t) > 1]
    expect_equal(doubled, [], "doubled by an ordered end")


@case(seconds=60)
def life_drain_is_bounded(lab):
    """A client that never ends its message holds the end up for `drain`, not
    longer; one that ends it in that time gets its 250."""
    peer, s = lab.peer("127.0.1.5"), lab.sealane("drain", start=False)
    with open(s.conf, encoding="utf-8") as f:
        text = f.read()
    s.configure(text + "drain = 3s\n")
    s.start()
    slow, good = Client(), Client()
    for c in (slow, good):
        c.ehlo()
        c.cmd(f"MAIL FROM:<{SENDER}>", 250)
        c.cmd("RCPT TO:<x@sink.example.org>", 250)
        c.cmd("DATA", 354)
        c.say("Subject: x\r\n")
    start = time.monotonic()
    s.proc.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    good.say("\r\nx\r\n.\r\n")
    good.reply(250)
    expect_equal(s.proc.wait(timeout=30), 0, "exit code")
    took = time.monotonic() - start
    expect(2.5 < took < 12, f"it took {took:.1f} s")
    s.start()
    wait_until(lambda: len(peer.messages) == 1, 20, "what got a 250 arrives")
