# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""SIGHUP: a new configuration while mail flows."""

import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client, Reply
from lab.sealane import role_pids
from cases.tls import Served

SENDER = "box0@home.example.org"
BODY = b"Subject: x\r\n\r\nx\r\n"
SECOND = '''
listen "second" { address = "127.0.0.1:2526"; relay-from = [ "127.0.0.0/8" ]
  greeting-name = "second.example.org" }
'''


def ends(s):
    return len(s.log("parent", "reloaded")), len(s.log("parent",
                                                       "reload-failed"))


def hang_up(s, text=None, fails=False, seconds=20):
    """SIGHUP, and its end; what the log says of it."""
    if text is not None:
        s.configure(text)
    before = ends(s)
    s.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: ends(s) != before, seconds,
               f"the reload ends\n{s.tail()}")
    expect_equal(ends(s)[1] > before[1], fails, f"it failed\n{s.tail()}")


def words(s):
    with open(s.conf, encoding="utf-8") as f:
        return f.read()


def talker(port=2525):
    c = Client(port=port)
    c.ehlo()
    c.starttls()
    c.offer = c.ehlo()
    return c


def served_name():
    """The common name of the certificate that a new client sees."""
    c = talker()
    pem = ssl.DER_cert_to_PEM_cert(c.sock.getpeercert(binary_form=True))
    c.quit()
    out = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem,
                         capture_output=True, text=True, check=True).stdout
    return out.rsplit("=", 1)[1].strip()


def roles_of(s):
    """Without the parent: what it forks carries its name for a moment."""
    return {p: t for p, t in s.pids().items() if not t.startswith("parent")}


def size_of(offer):
    return [t for t in offer if t.startswith("SIZE ")]


def reachable(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@case(seconds=120, alone=True)
def reload_under_load(lab):
    """Listeners come and go, limits change; no session breaks, no connection is
    refused, who is under way keeps to what it began with."""
    peer, s = lab.peer("127.0.1.5", store=False), lab.sealane("reload")
    first = words(s)
    larger = first.replace("message-size = 60M", "message-size = 61M") + SECOND
    pids = roles_of(s)
    load = lab.load("x@sink.example.org", threads=4, per_session=5)
    wait_until(lambda: len(load.acked) > 20, 20, "some messages")
    idle, busy = talker(), talker()
    busy.cmd(f"MAIL FROM:<{SENDER}>", 250)
    busy.cmd("RCPT TO:<y@sink.example.org>", 250)
    busy.cmd("DATA", 354)
    busy.say("Subject: x\r\n")
    for n in range(4):
        hang_up(s, larger)
        expect_equal(size_of(talker().offer), ["SIZE 63963136"], "a new one's")
        expect_equal(size_of(idle.ehlo()), ["SIZE 62914560"], "an old one's")
        second = talker(2526)
        expect("second.example.org" in second.greeting[1][0], "its greeting")
        second.send(SENDER, ["z@sink.example.org"], BODY)
        hang_up(s, first)
        expect(not reachable(2526), "the second listener is gone")
        second.send(SENDER, ["z@sink.example.org"], BODY)
        second.quit()
    busy.say("\r\nx\r\n.\r\n")
    busy.reply(250)
    idle.send(SENDER, ["z@sink.example.org"], BODY)
    got = len(load.acked)
    wait_until(lambda: len(load.acked) > got + 20, 20, "load goes on")
    load.stop()
    expect_equal((load.broken, load.refused), ([], []),
                 "sessions that broke, messages refused")
    expect_equal(roles_of(s), pids, "processes")
    wait_until(lambda: load.acked <= set(peer.arrived), 30,
               "all acknowledged ones arrive")
    print(f"        {len(load.acked)} messages in {8} reloads, none lost, no "
          "session broken, no connection refused")


@case(seconds=60)
def reload_refused(lab):
    """A mistake keeps the configuration in force and says where it is."""
    lab.peer("127.0.1.5")
    s = lab.sealane("refused", forgive="sealane.conf")
    first = words(s)
    with socket.create_server(("127.0.0.1", 2599)):
        for change, want in (
                (("hostname =", "hostnam ="), "hostnam"),
                (("message-size = 60M", "message-size = lots"), "message-size"),
                (("smtpd = 2", "smtpd = 3"), "processes.smtpd cannot change"),
                ((s.state, s.state + "2"), "state.directory cannot change"),
                (("127.0.0.1:2525", "127.0.0.1:2599"), "127.0.0.1:2599"),
                (("allow-loopback = true", 'allow-loopback = true\ntls { '
                  'certificate "a" { chain = "/nowhere/a.pem"; '
                  'key = "/nowhere/a.key" } }'), "/nowhere/a.pem")):
            text = first.replace(*change)
            hang_up(s, text, fails=True)
            line = 1 + next(i for i, (a, b) in enumerate(zip(
                first.splitlines(), text.splitlines())) if a != b)
            errors = s.log("parent", "reload-error")
            expect(any(want in e["reason"] for e in errors),
                   f"{change}: {s.tail(5)}")
            expect(f"{s.conf}:{line}:" in errors[-1]["place"] or
                   f"{s.conf}:{line + 1}:" in errors[-1]["place"],
                   f"{change}: line {line}, {errors[-1]}")
            c = talker()
            expect_equal(size_of(c.offer), ["SIZE 62914560"], "the old one")
            c.quit()
    # Two roles can only say it themselves.
    for name in ("a.pem", "a.key"):
        with open(f"{s.dir}/{name}", "w", encoding="ascii") as f:
            f.write("nonsense\n")
        os.chmod(f"{s.dir}/{name}", 0o600)
    hang_up(s, first + f'tls {{ certificate "a" {{ chain = "{s.dir}/a.pem"; '
            f'key = "{s.dir}/a.key" }} }}\n', fails=True)
    reason = s.log("parent", "reload-failed")[-1]["reason"]
    expect("keys" in reason and "a.pem" in reason, reason)
    hang_up(s, first)
    c = talker()
    c.send(SENDER, ["x@sink.example.org"], BODY)
    c.quit()


@case(seconds=60)
def reload_routes(lab):
    """Mail goes where the new configuration says, from the next message on;
    resolvers that must, start again."""
    old, new = lab.peer("127.0.1.5"), lab.peer("127.0.1.77", port=2577)
    s = lab.sealane("routes")
    first = words(s)
    c = talker()
    c.send(SENDER, ["a@sink.example.org"], BODY)
    s.wait_delivery("a@sink.example.org", status="sent")
    hang_up(s, first.replace("relay {", 'relay { via = "[127.0.1.77]:2577"', 1))
    c.send(SENDER, ["b@sink.example.org"], BODY)
    s.wait_delivery("b@sink.example.org", status="sent")
    expect_equal((len(old.messages), len(new.messages)), (1, 1), "messages")
    before = s.pids("resolver")
    anchor = f"{s.dir}/anchor"
    shutil.copy(lab.dns.anchor, anchor)
    os.chmod(anchor, 0o644)
    hang_up(s, first.replace(lab.dns.anchor, anchor))
    wait_until(lambda: len(s.pids("resolver")) == 2 and
               not set(s.pids("resolver")) & set(before), 10, "new resolvers")
    expect_equal(s.log("parent", "role-died"), [], "deaths")
    c.send(SENDER, ["c@sink.example.org"], BODY)
    s.wait_delivery("c@sink.example.org", status="sent")
    expect_equal((len(old.messages), len(new.messages)), (2, 1), "messages")
    c.quit()


@case(seconds=60)
def reload_certificates(lab):
    """New files, a new name, tickets on and off: for new sessions; who is
    under way does not notice."""
    lab.peer("127.0.1.5")
    pki = Served(lab)
    pki.make("one", "inter", "ec", "one.example.org")
    pki.make("two", "inter", "rsa:2048", "two.example.org")
    s = lab.sealane("certs")
    first = words(s)
    load = lab.load("x@sink.example.org", threads=3, per_session=1)
    old = talker()
    for names, want in ((("one",), "one.example.org"),
                        (("two",), "two.example.org"),
                        ((), "relay.example.org")):
        hang_up(s, first + (pki.block(*names) if names else ""))
        wait_until(lambda: served_name() == want, 5, f"{want} is served")
        old.cmd("NOOP", 250)
    hang_up(s, first.replace("relay.example.org", "renamed.example.org"))
    wait_until(lambda: served_name() == "renamed.example.org", 5,
               "its new name is served")
    hang_up(s, first + "tls { tickets = true }\n")
    hang_up(s, first)
    old.send(SENDER, ["old@sink.example.org"], BODY)
    load.stop()
    expect_equal((load.broken, load.refused), ([], []),
                 "sessions that broke, messages refused")
    expect(len(load.acked) > 20, "load")


@case(seconds=90)
def reload_cert_commands(lab):
    """cert renew and cert import: for new sessions, without a restart; none is
    ended.  Not for certificates of the configuration."""
    lab.peer("127.0.1.5")
    s = lab.sealane("commands")
    pids = roles_of(s)
    load = lab.load("x@sink.example.org", threads=2, per_session=2)
    old = talker()

    def shown():
        return {c["name"]: c["spki_sha256"]
                for c in s.json("cert", "show")["certificates"]}

    def served():
        c = talker()
        der = c.sock.getpeercert(binary_form=True)
        c.quit()
        pub = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout",
                              "-pubkey"], input=der, capture_output=True,
                             check=True).stdout
        spki = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                              input=pub, capture_output=True,
                              check=True).stdout
        return hashlib.sha256(spki).hexdigest()

    before = shown()
    expect("process" in s.cli("cert", "renew"), "it names the process")
    wait_until(lambda: served() == before["next-ecdsa"], 15,
               f"the next key is served\n{s.tail()}")
    after = shown()
    expect_equal((after["ecdsa"], after["rsa"]),
                 (before["next-ecdsa"], before["next-rsa"]), "keys in use")
    expect(not set(after.values()) & {before["ecdsa"], before["rsa"]} and
           after["next-ecdsa"] not in before.values(), "new next keys")
    pki = Served(lab)
    pki.make("signed", "inter", "ec", "relay.example.org")
    s.cli("cert", "import", pki.path("signed", "pem"),
          pki.path("signed", "key"))

    def believed():
        try:
            return pki.shown("relay.example.org")[0] == "relay.example.org"
        except ssl.SSLCertVerificationError:
            return False
    wait_until(believed, 15, "it is served with its chain")
    expect_equal(shown()["next-ecdsa"], after["next-ecdsa"], "the next one")
    pki.make("other", "inter", "ec", "relay.example.org")
    s.cli("cert", "import", pki.path("signed", "pem"),
          pki.path("other", "key"), code=1)
    expect("belongs to no certificate" in s.err, s.err)
    old.send(SENDER, ["old@sink.example.org"], BODY)
    load.stop()
    expect_equal((load.broken, load.refused, roles_of(s)), ([], [], pids),
                 "sessions that broke, messages refused, processes")
    hang_up(s, words(s) + pki.block("signed"))
    s.cli("cert", "renew", code=1)
    expect("configuration" in s.err, s.err)
    expect_equal(s.stop(), 0, "exit")
    s.start()


def all_offer(mebibytes):
    """Does every smtpd?  While its keys are coming back it can't sign."""
    try:
        return all(size_of(talker().offer) == [f"SIZE {mebibytes * 1048576}"]
                   for _ in range(4))
    except (Reply, ssl.SSLError):
        return False


@case(seconds=120)
def reload_beside_deaths(lab):
    """A role dies while it prepares or switches: the reload ends, one way or
    the other, and the next one works, whether that role is back or not."""
    lab.peer("127.0.1.5", store=False)
    s = lab.sealane("deaths")
    first = words(s)
    for n, role in enumerate(("keys", "queue", "relay", "smtpd", "policy")):
        before = ends(s)
        victim = sorted(s.pids(role))[0]
        s.configure(first.replace("60M", f"{40 + n}M"))
        s.proc.send_signal(signal.SIGHUP)
        time.sleep(0.005 * n)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in role_pids(), 5, "it died")
        wait_until(lambda: ends(s) != before, 20, f"an end\n{s.tail()}")
        wait_until(s.takes_mail, 15, "mail is taken")
        hang_up(s, first.replace("60M", f"{50 + n}M"))
        wait_until(lambda: all_offer(50 + n), 10,
                   f"every smtpd has it after the death of {role}")
