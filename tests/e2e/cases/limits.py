# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Clients that are too many, too fast or too slow, and what honest ones feel
of them."""

import os
import resource
import select
import signal
import socket
import ssl
import threading
import time

from lab.case import Skip, case, expect, expect_equal, wait_until
from lab.load import Client, Reply, message

SENDER = "box0@home.example.org"
# Loopback clients have no limits by default.
LIMITED = """accept {{
  domain "sink.example.org" {{ to = "discard:"; recipients = "any" }}
  client "127.0.0.0/8" {{ limits = "on" }}
  client "127.0.0.1" {{ limits = "off" }}
}}
limits {{ {more} client {{ {client} }} }}"""


def start(lab, name, client="", more="", **how):
    return lab.sealane(name, accept=LIMITED.format(client=client, more=more),
                       **how)


def greeting(source):
    """(socket, first line); the socket is for the caller to close."""
    s = socket.create_connection(("127.0.0.1", 2525), timeout=20,
                                 source_address=(source, 0))
    got = b""
    while not got.endswith(b"\r\n"):
        more = s.recv(512)
        if not more:
            break
        got += more
    return s, got.decode()


def closed(s):
    s.settimeout(10)
    try:
        while s.recv(4096):
            pass
    except socket.timeout:
        return False
    except OSError:
        pass
    return True


@case(seconds=60)
def limits_connections(lab):
    """Connections at once: of an address, and of its network; over both
    processes, refused with a banner, one event each."""
    s = start(lab, "connections", client="connections = 6")
    held = [greeting("127.0.2.1") for _ in range(6)]
    expect(all(g.startswith("220 ") for _, g in held), "the first six")
    time.sleep(2)           # the processes have told each other
    for _ in range(20):
        c, line = greeting("127.0.2.1")
        expect(line.startswith("421 4.7.0 "), f"the seventh: {line}")
        expect(closed(c), "it stays open")
    c, line = greeting("127.0.3.1")
    expect(line.startswith("220 "), f"another network: {line}")
    c.close()
    for n in range(2, 14):
        held += [greeting(f"127.0.2.{n}") for _ in range(6)]
        time.sleep(0.4)
    served = sum(g.startswith("220 ") for _, g in held)
    expect(60 <= served <= 75, f"{served} of one /24, which may have 60")
    events = s.log("smtpd", "limit-reached")
    expect_equal({(e["net"], e["limit"], e["most"]) for e in events},
                 {("127.0.2.1/32", "connections", "6"),
                  ("127.0.2.0/24", "connections", "60")}, "events")
    expect(len(events) <= 4, f"{len(events)} events")     # one a process
    for c, _ in held:
        c.close()

    def again():
        c, line = greeting("127.0.2.1")
        c.close()
        return line.startswith("220 ")
    wait_until(again, 10, "a place is free again")


@case(seconds=60)
def limits_rates(lab):
    """Rates: new connections, recipients, errors, commands that are none."""
    s = start(lab, "rates", client="connection-rate = 10; recipients = 8; "
              "errors = 6; unknown-commands = 3")
    got = []
    for _ in range(40):
        c, line = greeting("127.0.4.1")
        got.append(line[:3])
        c.close()
    expect(10 <= got.count("220") <= 22, f"connections: {got}")
    c = Client(source="127.0.5.1")
    c.ehlo()
    c.cmd(f"MAIL FROM:<{SENDER}>", 250)
    codes = [c.cmd(f"RCPT TO:<r{n}@sink.example.org>")[0] for n in range(12)]
    expect_equal(codes, [250] * 8 + [451] * 4, "recipients")
    c.quit()
    c = Client(source="127.0.6.1")
    c.ehlo()
    codes = [c.cmd("RCPT TO:<x@y.example>")[0] for n in range(7)]
    expect_equal(codes, [503] * 6 + [421], "errors")
    expect(closed(c.sock), "it stays open")
    _, line = greeting("127.0.6.1")
    expect(line.startswith("421 4.7.0 ") or line.startswith("220 "), line)
    c = Client(source="127.0.7.1")
    codes = [c.cmd("BREW coffee")[0] for n in range(4)]
    expect_equal(codes, [500] * 3 + [421], "unknown commands")
    expect_equal({e["limit"] for e in s.log("smtpd", "limit-reached")},
                 {"connection-rate", "recipients", "errors",
                  "unknown-commands"}, "events")
    c = Client()            # the operator's own machine has none
    c.ehlo()
    for n in range(12):
        c.cmd(f"MAIL FROM:<{SENDER}>", 250)
        c.cmd(f"RCPT TO:<r{n}@sink.example.org>", 250)
        c.cmd("RSET", 250)
    c.quit()


class Crowd:
    """Many connections that do nothing but keep what they are told."""

    def __init__(self):
        self.poll, self.socks = select.epoll(), {}

    def add(self, n, source):
        for i in range(n):
            s = socket.socket()
            s.setblocking(False)
            s.bind((source(i), 0))
            s.connect_ex(("127.0.0.1", 2525))
            self.socks[s.fileno()] = [s, b"", False]
            self.poll.register(s.fileno(), select.EPOLLIN)

    def read(self, seconds, until):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            for fd, _ in self.poll.poll(0.2):
                entry = self.socks[fd]
                try:
                    got = entry[0].recv(4096)
                except OSError:
                    got = b""
                entry[1] += got
                if not got:
                    entry[2] = True
                    self.poll.unregister(fd)
        return until()

    def greeted(self):
        return sum(e[1][:3] in (b"220", b"421") for e in self.socks.values())

    def codes(self):
        return [e[1][:3] for e in self.socks.values()]

    def close(self):
        for s, _, _ in self.socks.values():
            s.close()
        self.poll.close()


def many_files(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < n:
        raise Skip(f"{hard} descriptors, {n} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n), hard))


@case(seconds=90, alone=True)
def limits_descriptors(lab):
    """256 descriptors and 2000 clients: every one is told 220 or 421, large
    messages still find a file, and all is well afterwards."""
    many_files(4096)
    s = start(lab, "descriptors", nofile=256, client="connections = 0; "
              "connection-rate = 0", relay_from="[]")
    crowd = Crowd()
    early = [Client() for _ in range(6)]
    crowd.add(2000, lambda i: f"127.0.{10 + i % 100}.1")
    expect(crowd.read(40, lambda: crowd.greeted() == 2000),
           f"{crowd.greeted()} of 2000 were told something")
    codes = crowd.codes()
    served = codes.count(b"220")
    expect(250 <= served <= 400, f"{served} served by two processes")
    for c in early:         # while nothing is free: files are
        c.ehlo()
        c.send(SENDER, ["x@sink.example.org"], message(1, 300_000))
        c.quit()
    expect_equal(len(s.log("smtpd", "message")), 6, "messages")
    refused = s.log("smtpd", "connect-refused")
    expect(1 <= len(refused) <= 2, f"events: {refused}")
    expect_equal({e["reason"] for e in refused}, {"limit"}, "reason")
    crowd.close()

    def served_again():
        c, line = greeting("127.0.0.1")
        c.close()
        return line.startswith("220 ")
    wait_until(served_again, 20, "there is room again")
    expect_equal(s.log(event="peer-down"), [], "links that broke")


@case(seconds=60)
def limits_total(lab):
    """limits.connections: more are told 421, whichever process has room takes
    the next."""
    s = start(lab, "total", more="connections = 20;", client="connections = 0")
    crowd = Crowd()
    crowd.add(60, lambda i: f"127.0.{10 + i}.1")
    expect(crowd.read(20, lambda: crowd.greeted() == 60), "greetings")
    expect_equal(sorted(crowd.codes()), [b"220"] * 20 + [b"421"] * 40,
                 "served")
    expect(1 <= len(s.log("smtpd", "connect-refused")) <= 2, "events")
    crowd.close()


@case(seconds=90, alone=True)
def limits_queue_stopped(lab):
    """The queue stands still for five seconds: nobody gets a 250, memory
    stays, new clients are greeted; then everything is taken once."""
    s = lab.sealane("stopped", accept="accept { domain \"sink.example.org\" "
                    "{ to = \"discard:\"; recipients = \"any\" } }")
    run = lab.load("x@sink.example.org", threads=16, size=30_000)
    wait_until(lambda: len(run.acked) > 50, 20, "mail flows")
    queue, = s.pids("queue")
    smtpd = list(s.pids("smtpd"))
    os.kill(queue, signal.SIGSTOP)
    try:
        time.sleep(1)
        # Large bodies of many clients: nothing can be handed over.
        big = [Client(timeout=60) for _ in range(20)]
        for c in big:
            c.ehlo()
            c.cmd(f"MAIL FROM:<{SENDER}>", 250)
            c.cmd("RCPT TO:<y@sink.example.org>", 250)
        before, held = len(run.acked), memory(smtpd)
        threads = [threading.Thread(target=push, args=(c,), daemon=True)
                   for c in big]
        for t in threads:
            t.start()
        time.sleep(4)
        expect_equal(len(run.acked), before, "acknowledged meanwhile")
        grown = memory(smtpd) - held
        expect(grown < 20 * 256 + 2048, f"smtpd grew by {grown} KiB")
        c, line = greeting("127.0.0.1")
        expect(line.startswith("220 "), line)
        c.close()
    finally:
        os.kill(queue, signal.SIGCONT)
    for t in threads:
        t.join(30)
    wait_until(lambda: len(run.acked) > before + 50, 20, "mail flows again")
    run.stop()
    taken = s.log("smtpd", "message")
    expect_equal(len(taken), len(run.acked) + 20, "messages taken")
    expect_equal(run.refused, [], "refused")


def push(c):
    c.say("DATA\r\n")
    c.reply(354)
    c.say(message(1, 2_000_000) + b".\r\n")
    c.reply(250)


def memory(pids):
    """KiB of private memory."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            total += sum(int(x.split()[1]) for x in f
                         if x.startswith(("Private_Dirty:", "Swap:")))
    return total


# ---- memory of a session, whatever its client does ----

def tls_client():
    c = Client(source="127.0.8.1", timeout=20)
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.sock.setblocking(False)
    return c


def stuff(c, data):
    """As much as the other side takes, reading nothing."""
    sent, view = 0, memoryview(data)
    idle = time.monotonic() + 3
    while sent < len(data) and time.monotonic() < idle:
        try:
            n = c.sock.send(view[sent:sent + 65536])
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
            time.sleep(0.02)
            continue
        except OSError:
            break
        sent += n
        idle = time.monotonic() + 1.5


LONG = "x" * 60
MANY = "".join(f"RCPT TO:<{LONG}{n:04}@{'d' * 60}.{'e' * 60}.{'f' * 50}."
               f"sink.example.org> ORCPT=rfc822;{'o' * 440}\r\n"
               for n in range(4000))
START = f"MAIL FROM:<{SENDER}>\r\n"
HEADER = f"{START}RCPT TO:<x@sink.example.org>\r\nDATA\r\n"
HABITS = {
    "many long recipients": START + MANY,
    "replies nobody reads": START + "RCPT TO:<x@sink.example.org>\r\n" * 90000,
    "a line without an end": "NOOP " + "x" * 500_000,
    "a body while the queue hangs": HEADER + "x" * 70 + "\r\n" * 300_000,
    "long recipients and a body":
        START + MANY[:400_000] + "DATA\r\n" + ("x" * 70 + "\r\n") * 8000,
    "a pipeline behind it": HEADER + ".\r\n" + "NOOP\r\n" * 90000,
}


@case(seconds=120)
def limits_memory(lab):
    """256 KiB a session at most, inside TLS, whatever its client does."""
    s = start(lab, "memory", client="connections = 0; connection-rate = 0; "
              "recipients = 0; errors = 0; unknown-commands = 0")
    count = 40
    smtpd = list(s.pids("smtpd"))
    queue, = s.pids("queue")
    before = memory(smtpd)      # freed memory does not all go back
    for habit, data in HABITS.items():
        if "queue" in habit or "body" in habit or "pipeline" in habit:
            os.kill(queue, signal.SIGSTOP)
        try:
            clients = [tls_client() for _ in range(count)]
            threads = [threading.Thread(target=stuff, args=(c, data.encode()),
                                        daemon=True) for c in clients]
            for t in threads:
                t.start()
            for t in threads:
                t.join(20)
            each = (memory(smtpd) - before) // count
        finally:
            os.kill(queue, signal.SIGCONT)
            for c in clients:
                c.close()
        print(f"        {habit}: {each} KiB a session")
        expect(each < 256, f"{habit}: {each} KiB a session")
        time.sleep(0.5)


# ---- honest mail under attack ----

def drip(stop, source, how):
    """One slow client after the other."""
    while not stop.is_set():
        try:
            s, _ = greeting(source)
            s.settimeout(1)
            if how == "body":
                s.sendall(f"EHLO x.example\r\n{HEADER}".encode())
            while not stop.wait(0.5):
                s.sendall(b"x")
                if how == "chat":
                    s.sendall(b"\r\nNOOP\r\n")
        except OSError:
            stop.wait(0.1)


def hammer(stop, source):
    """Connections, one after the other; half of them begin TLS and stop."""
    n = 0
    while not stop.is_set():
        n += 1
        try:
            s, line = greeting(source)
            if n % 2 and line.startswith("220"):
                s.sendall(b"EHLO x.example\r\nSTARTTLS\r\n")
            s.close()
        except OSError:
            pass
        stop.wait(0.02)


@case(seconds=90, alone=True)
def limits_attack(lab):
    """Slow clients, floods of connections and of half handshakes: honest mail
    passes, and fast."""
    s = start(lab, "attack", relay_from="[]", client="connections = 20")
    stop, took, bad = threading.Event(), [], []
    threads = [threading.Thread(target=drip, daemon=True, args=(
        stop, f"127.0.{20 + i // 40}.{i % 250 + 1}",
        ("body", "chat", "line")[i % 3])) for i in range(200)]
    threads += [threading.Thread(target=hammer, daemon=True, args=(
        stop, f"127.0.30.{i + 1}")) for i in range(10)]
    for t in threads:
        t.start()
    time.sleep(3)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            c = Client(source=f"127.0.40.{len(took) % 200 + 1}", timeout=20)
            c.ehlo()
            c.starttls()
            c.ehlo()
            c.send(SENDER, ["x@sink.example.org"], message(len(took), 4000))
            c.quit()
            took.append(time.monotonic() - begun)
        except (OSError, Reply) as e:
            bad.append(repr(e))
        time.sleep(0.05)
    stop.set()
    for t in threads:
        t.join(5)
    took.sort()
    expect(len(took) > 50, f"{len(took)} messages passed")
    expect_equal(bad, [], "refused")
    p99 = took[int(len(took) * 0.99) - 1]
    print(f"        {len(took)} messages, p99 {p99 * 1000:.0f} ms")
    expect(p99 < 2, f"p99 is {p99:.2f} s")
