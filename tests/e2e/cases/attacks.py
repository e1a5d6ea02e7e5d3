# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The published attacks on STARTTLS and on the end of data, as small testers
over real sockets: against our server, and as hostile servers against our
client."""

import itertools
import socket
import threading
import time

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client, Reply
from lab.peer import Peer
from lab.rawtls import RawTls

SENDER, TO = "a@home.example.org", "x@sink.example.org"
EVIL = (f"MAIL FROM:<evil@home.example.org>\r\nRCPT TO:<{TO}>\r\nDATA\r\n"
        "Subject: evil\r\n\r\n.\r\n")


def until_closed(c):
    """What the server still says."""
    said = []
    c.sock.settimeout(5)
    try:
        while True:
            said.append(c.line())
    except (ConnectionError, TimeoutError, OSError) as e:
        expect(not isinstance(e, TimeoutError), f"still open after {said}")
    return said


def start_tls(c):
    c.cmd("STARTTLS", 220)
    c.sock = RawTls(c.sock)
    c.buf = b""


# ---- our server ----

@case(seconds=60)
def attack_starttls_injection(lab):
    """Commands ahead of the handshake, in one segment, in several, up to and
    into the ClientHello: never run, and the connection ends (RFC 3207 sec 4.2,
    CVE-2011-0411 and its family)."""
    s = lab.sealane("injection")
    for late in (False, True):
        for tail in ("RSET\r\n", "NOOP\r\n", "EHLO evil.example.org\r\n", EVIL,
                     "\r\n", "\n", " ", "\0", "STARTTLS\r\n",
                     "AUTH PLAIN AGEAYg==\r\n", "\x16\x03\x01\x00\x05RSET\r\n"):
            c = Client()
            c.ehlo()
            c.say("STARTTLS\r\n" + ("" if late else tail))
            if late:            # after our 220: part of a handshake then
                c.reply(220)
                c.say(tail + "\r\n" * 20)
            said = until_closed(c)
            expect(not any(x[:1] in "23" for x in said),
                   f"{said} to {tail!r}, late {late}")
            c.close()
    # A byte at a time, the last of them ahead of a real ClientHello.
    c = Client()
    c.ehlo()
    for byte in "STARTTLS\r\nNOOP\r\n":
        try:
            c.say(byte)
        except OSError:
            break
        time.sleep(0.01)
    said = until_closed(c)
    expect(not any(x.startswith("250") for x in said), f"by bytes: {said}")
    expect_equal(s.log("smtpd", "message"), [], "messages")
    c = Client()
    c.ehlo()
    start_tls(c)
    c.ehlo()
    c.quit()


@case(seconds=60)
def attack_state_over_tls(lab):
    """EHLO, MAIL, RCPT and what they negotiated do not outlive the handshake
    (RFC 3207 sec 4.2)."""
    lab.peer("127.0.1.5")
    s = lab.sealane("state")
    for before in ([], ["EHLO evil.example.org"],
                   ["EHLO evil.example.org", "MAIL FROM:<evil@x.example.org>",
                    "RSET"]):
        c = Client()
        for line in before or ["HELO evil.example.org",
                               "EHLO evil.example.org"]:
            c.cmd(line, 250)
        start_tls(c)
        for line in ("MAIL FROM:<a@home.example.org>", f"RCPT TO:<{TO}>",
                     "DATA", "STARTTLS"):
            code, text = c.cmd(line)
            expect_equal(code, 503, f"{line} without EHLO: {text}")
        expect("STARTTLS" not in c.ehlo("good.example.org"), "offered again")
        c.send(SENDER, [TO], b"Subject: good\r\n\r\n")
        c.quit()
    expect_equal({e["helo"] for e in s.log("smtpd", "message")},
                 {"good.example.org"}, "helo")


@case(seconds=90)
def attack_close_notify(lab):
    """close_notify at every step, also inside DATA and BDAT, then clear text:
    the connection ends, and nothing of it is run (CVE-2026-45185)."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("closing")
    steps = [[], ["EHLO c.example.org"]]
    for line in (f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{TO}>"):
        steps.append(steps[-1] + [line])
    steps.append(steps[-1] + ["DATA"])
    steps.append(steps[-2] + ["BDAT 20"])
    for lines in steps:
        for clear in ("NOOP\r\n", "\r\n.\r\nNOOP\r\n", "x" * 20 + EVIL, "\0"):
            c = Client()
            c.ehlo()
            start_tls(c)
            for line in lines:
                c.say(line + "\r\n")
                if not line.startswith("BDAT"):
                    c.reply()
            if lines and lines[-1].startswith(("DATA", "BDAT")):
                c.say("Subject: cut")
            c.sock.close_notify()
            c.sock = c.sock.sock        # in clear from here on
            try:
                c.sock.sendall(clear.encode())
            except OSError:
                pass
            # Its own close_notify is a TLS record, no reply.
            said = b"".join(iter(lambda: receive(c.sock), b""))
            expect(b"250 " not in said and b"\r\n" not in said[-2:],
                   f"{said} to {clear!r} after {lines}")
            c.close()
    time.sleep(0.3)
    expect_equal(s.log("smtpd", "message"), [], "messages")
    expect_equal(peer.messages, [], "messages sent on")


def receive(sock):
    sock.settimeout(5)
    try:
        return sock.recv(4096)
    except ConnectionError:
        return b""


ENDS = ("\r", "\n", "\r\n", "\0", "\r\r\n")


@case(seconds=90)
def attack_smuggling_matrix(lab):
    """Every {CR, LF, CRLF, NUL, CRCRLF} dot {the same}, whole and byte by byte,
    by DATA and by BDAT: one message goes in, one goes out, without a line end
    that any receiver could take for another (CVE-2023-51764, -51765, -51766)."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("matrix")
    sent = 0
    for before, after in itertools.product(ENDS, ENDS):
        if before + after == "\r\n\r\n":
            continue            # the true end
        body = (f"Subject: outer {sent}\r\n\r\nbody{before}.{after}{EVIL}"
                .replace("\r\n.\r\n", "\r\n..\r\n")).encode()
        for bytewise, chunking in ((False, False), (True, False),
                                   (False, True)):
            c = Client()
            c.ehlo()
            c.cmd(f"MAIL FROM:<{SENDER}>", 250)
            c.cmd(f"RCPT TO:<{TO}>", 250)
            if chunking:
                c.say(b"BDAT %d LAST\r\n" % len(body) + body)
            else:
                c.cmd("DATA", 354)
                whole = body + b"\r\n.\r\n"
                for piece in ([whole[i:i + 1] for i in range(len(whole))]
                              if bytewise else [whole]):
                    c.say(piece)
            code, text = c.reply()
            if code // 100 == 2:
                c.cmd("NOOP", 250)      # in step
            c.quit()
            if b"\0" in body and code // 100 == 5:
                continue        # refusing NUL is as good
            expect_equal(code, 250, f"{before!r}.{after!r}: {text}")
            sent += 1
    s.wait_empty(60)
    expect_equal(len(peer.messages), sent, "messages")
    expect_equal([x for p in peer.sessions for x in p.commands
                  if "evil" in x], [], "smuggled commands")
    for m in peer.messages:
        expect_equal((m.count(b"\n"), m.count(b"\r")),
                     (m.count(b"\r\n"),) * 2, f"line ends {m}")


# ---- our client ----

class Hostile(Peer):
    """trick: what it does with STARTTLS, or inside TLS."""

    def __init__(self, lab, address, trick):
        self.trick = trick
        super().__init__(address, lab.pem("peer.example.org"))
        lab.later(self.close)

    def shake(self, s, session):
        ahead = {
            "ehlo": b"250-evil.example.org\r\n250 8BITMIME\r\n",
            "newline": b"\r\n", "byte": b"\x15", "space": b" ",
            "replies": b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n"
                       b"250 2.0.0 Ok\r\n",
        }.get(self.trick, b"")
        if self.trick == "apart":       # another segment, before any hello
            s.sendall(b"220 2.0.0 Ready\r\n")
            time.sleep(0.05)
            s.sendall(b"250 2.0.0 injected\r\n")
        else:
            s.sendall(b"220 2.0.0 Ready\r\n" + ahead)
        tls = RawTls(s, self.context)
        session.tls = "TLS"
        return self.inside(tls, session)

    def inside(self, tls, session):
        """Serves until the trick; returns None, the connection is over."""
        f = LineReader(tls)
        while True:
            line = f.line()
            if not line:
                break
            session.commands.append(line.decode("latin-1").strip())
            verb = line.split(None, 1)[0].upper()
            if self.trick == "notify-" + verb.decode().lower():
                tls.close_notify()
                tls.sock.sendall(b"250 2.0.0 in clear\r\n" * 4)
                time.sleep(0.2)
                break
            if verb == b"DATA":
                tls.sendall(b"354 Go\r\n")
                while f.line() not in (b".\r\n", b""):
                    pass
                if self.trick == "truncate":
                    break               # FIN instead of the last reply
                if self.trick == "notify-end":
                    tls.close_notify()
                    tls.sock.sendall(b"250 2.0.0 in clear\r\n")
                    time.sleep(0.2)
                    break
                with self.lock:
                    session.mails += 1
                tls.sendall(b"250 2.0.0 Ok\r\n")
                continue
            tls.sendall(self.answer(verb, line, session))
            if verb == b"QUIT":
                break
        tls.close()
        return None


class LineReader:
    def __init__(self, tls):
        self.tls, self.buf = tls, b""

    def line(self):
        while b"\n" not in self.buf:
            got = self.tls.recv(4096)
            if not got:
                return b""
            self.buf += got
        line, _, self.buf = self.buf.partition(b"\n")
        return line + b"\n"


@case(seconds=90)
def attack_response_injection(lab):
    """A server (or who sits on its line) sends replies ahead of the handshake:
    that host has failed, in no attempt is a byte of them believed
    (CVE-2021-38371)."""
    tricks = ("ehlo", "newline", "byte", "space", "replies", "apart")
    peers = {t: Hostile(lab, f"127.0.2.{n + 1}", t)
             for n, t in enumerate(tricks)}
    s = lab.sealane("responses")
    for n, t in enumerate(tricks):
        submit(f"{t}@[127.0.2.{n + 1}]")
    for n, t in enumerate(tricks):
        to = f"{t}@[127.0.2.{n + 1}]"
        first = s.wait_delivery(to)[0]
        expect_equal((first["status"], first["reached"]), ("deferred", "none"),
                     f"{t}: first attempt")
        for x in peers[t].sessions:
            if "STARTTLS" in x.commands:
                expect_equal(x.commands[x.commands.index("STARTTLS") + 1:], [],
                             f"{t}: commands after STARTTLS")
    for n, t in enumerate(tricks):
        # Opportunistic: the second attempt may go in clear, and says so.
        sent, = s.wait_delivery(f"{t}@[127.0.2.{n + 1}]", status="sent")
        expect_equal(sent["reached"], "clear", f"{t}: at last")
        expect(sent["how"] in ("failed", "mangled"), f"{t}: how={sent['how']}")


@case(seconds=90)
def attack_tls_truncation(lab):
    """The end of TLS in place of a reply, by FIN or by close_notify with the
    reply behind it in clear: no reply, no delivery."""
    tricks = ("truncate", "notify-end", "notify-data", "notify-rcpt",
              "notify-mail", "notify-ehlo")
    for n, t in enumerate(tricks):
        Hostile(lab, f"127.0.2.{n + 1}", t)
    s = lab.sealane("truncation", first="1h", max="1h", give_up="3h")
    for n, t in enumerate(tricks):
        submit(f"{t}@[127.0.2.{n + 1}]")
    for n, t in enumerate(tricks):
        to = f"{t}@[127.0.2.{n + 1}]"
        first = s.wait_delivery(to)[0]
        expect_equal(first["status"], "deferred", f"{t}: {first['reply']}")
        expect("in clear" not in first["reply"], f"{t}: {first['reply']}")
    expect_equal(s.log("relay", "delivery", status="sent"), [], "sent")
    expect_equal(len(s.queue()), len(tricks), "messages that wait")


@case(seconds=60)
def attack_talks_first(lab):
    """A server that says everything at once, greeting to final 250: the
    replies are not taken for those to later commands."""
    done = threading.Event()

    def serve():
        listener = socket.create_server(("127.0.2.9", 25))
        lab.later(listener.close)
        done.set()
        while True:
            try:
                c, _ = listener.accept()
            except OSError:
                return
            c.sendall(b"220 x ESMTP\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n"
                      b"250 done\r\n221 bye\r\n")
            threading.Thread(target=drain, args=(c,), daemon=True).start()

    def drain(c):
        try:
            while c.recv(4096):
                pass
        except OSError:
            pass
    threading.Thread(target=serve, daemon=True).start()
    done.wait(5)
    s = lab.sealane("first")
    submit("x@[127.0.2.9]")
    got = s.wait_delivery("x@[127.0.2.9]")[0]
    expect_equal(got["status"], "deferred", f"it was believed: {got['reply']}")


def submit(to):
    c = Client()
    c.ehlo()
    c.send(SENDER, [to], b"Subject: x\r\n\r\nbody\r\n")
    c.quit()
