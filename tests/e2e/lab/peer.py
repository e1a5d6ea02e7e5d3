# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Scripted receivers: an SMTP server that does STARTTLS well, or badly in one
of the ways that are met in the wild, and keeps what arrived."""

import os
import re
import socket
import ssl
import threading
import time

SEQ = re.compile(rb"^X-Seq: *(\d+)", re.M | re.I)


def wants_to_resume(s):
    """The ClientHello that comes, unread: does it end with pre_shared_key
    (RFC 8446 sec 4.2.11), as it must if there is one?"""
    hello, last = b"", None
    while len(hello) < 5 or len(hello) < 5 + int.from_bytes(hello[3:5]):
        hello = s.recv(16384, socket.MSG_PEEK)
    at = 5 + 4 + 2 + 32                     # record, message, version, random
    at += 1 + hello[at]                     # session id
    at += 2 + int.from_bytes(hello[at:at + 2])      # cipher suites
    at += 1 + hello[at] + 2                 # compression, length
    while at < len(hello):
        last = int.from_bytes(hello[at:at + 2])
        at += 4 + int.from_bytes(hello[at + 2:at + 4])
    return last == 41


class Session:
    """One connection, as the tests look at it."""

    def __init__(self, source):
        self.source, self.start = source, time.time()
        self.commands, self.tls, self.mails = [], None, 0
        self.sni = None
        self.resumed = False
        self.rcpts = []         # taken, of the transaction
        self.delivered = 0      # recipients of messages that were taken
        self.chunks = b""       # of the message that comes by BDAT

    def __repr__(self):
        return f"<{self.tls or 'clear'} {self.commands} {self.mails} mail>"


class Peer:
    """starttls: how it answers STARTTLS:
    good     shakes hands
    none     not announced, 502
    garbage  says 220, then bytes that are no TLS, and closes
    refuse   454
    early    says 220 and the reply to a later command in the same segment
    forgets  breaks off at a ClientHello that wants to resume a session (1.3)
    store: keep the messages themselves, not only their numbers.
    delay: seconds before the reply to the final dot.
    offers: what EHLO announces beside STARTTLS.
    lmtp: LHLO, and a last reply per recipient (in `finals` by local part, else
    250).  An address that begins with / is a unix socket."""

    OFFERS = ("PIPELINING", "SIZE 104857600", "ENHANCEDSTATUSCODES", "8BITMIME")
    ONCE = OFFERS + ("LIMITS MAILMAX=1",)   # a connection for each message

    def __init__(self, address, pem=None, starttls="good", port=25,
                 store=True, delay=0.0, offers=OFFERS, lmtp=False):
        self.offers, self.lmtp, self.finals = offers, lmtp, {}
        self.reads = True       # False: nothing behind its 354
        self.starttls, self.store, self.delay = starttls, store, delay
        self.lock = threading.Lock()
        self.sessions, self.messages, self.arrived = [], [], {}
        self.hold = threading.Event()   # while set, RCPT is answered 450
        self.rcpts = {}         # local part: how RCPT is answered, else 250
        self.pem, self.context = pem, None
        if pem:
            self.new_context()
        if address.startswith("/"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(address)
            os.chmod(address, 0o666)
        else:
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((address, port))
        self.sock.listen(128)
        self.open = True
        threading.Thread(target=self.accept, daemon=True).start()

    def new_context(self):
        """It knows no session of before."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.pem)
        self.names = {}         # that were asked for, by socket
        self.context.sni_callback = (
            lambda s, name, _: self.names.__setitem__(s, name))

    def accept(self):
        while True:
            try:
                s, source = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s, source),
                             daemon=True).start()

    def close(self):
        self.open = False
        # Wakes accept(), which close() alone does not.
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def forget(self):
        with self.lock:
            self.sessions, self.messages, self.arrived = [], [], {}

    def serve(self, s, source):
        session = Session(source)
        with self.lock:
            self.sessions.append(session)
        s.settimeout(60)
        if s.family != socket.AF_UNIX:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            s.sendall(b"220 peer.example.org ESMTP\r\n")
            while s is not None:
                s = self.talk(s, session)
        except (OSError, ValueError):
            pass

    def talk(self, s, session):
        """Serves until the connection ends, or until it is a TLS one, which
        is returned."""
        f = s.makefile("rb")
        try:
            while True:
                line = f.readline(4096)
                if not line:
                    break
                verb = line.split(None, 1)[0].upper() if line.split() else b""
                session.commands.append(line.decode("latin-1").strip())
                if verb == b"STARTTLS":
                    return self.shake(s, session)
                if verb == b"DATA":
                    self.data(s, f, session)
                    continue
                if verb == b"BDAT" and "CHUNKING" in self.offers:
                    self.chunk(s, f, line, session)
                    continue
                answer = self.answer(verb, line, session)
                if verb == b"MAIL":
                    session.rcpts, session.chunks = [], b""
                if verb == b"RCPT" and answer.startswith(b"250"):
                    session.rcpts.append(line.partition(b"<")[2]
                                         .partition(b"@")[0].decode())
                s.sendall(answer)
                if verb == b"QUIT":
                    break
        finally:
            f.close()
        s.close()
        return None

    def answer(self, verb, line, session):
        if verb == (b"LHLO" if self.lmtp else b"EHLO"):
            lines = ["peer.example.org", *self.offers]
            if self.starttls != "none" and not session.tls:
                lines.insert(1, "STARTTLS")
            return ("".join(f"250-{x}\r\n" for x in lines[:-1]) +
                    f"250 {lines[-1]}\r\n").encode()
        if verb == b"RCPT" and self.hold.is_set():
            return b"450 4.2.0 Not now\r\n"
        if verb == b"RCPT":
            local = line.partition(b"<")[2].partition(b"@")[0].decode()
            if local in self.rcpts:
                return self.rcpts[local].encode() + b"\r\n"
        if verb == b"QUIT":
            return b"221 2.0.0 Bye\r\n"
        if verb in (b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"):
            return b"250 2.0.0 Ok\r\n"
        return b"502 5.5.1 What?\r\n"

    def shake(self, s, session):
        if self.starttls == "refuse":
            s.sendall(b"454 4.7.0 TLS not available\r\n")
            return s
        if self.starttls == "none":
            s.sendall(b"502 5.5.1 What?\r\n")
            return s
        if self.starttls == "garbage":
            s.sendall(b"220 2.0.0 Ready\r\n")
            s.recv(4096)
            s.sendall(b"\x16\x03\x01 this is no server hello\r\n")
            s.close()
            return None
        if self.starttls == "early":
            s.sendall(b"220 2.0.0 Ready\r\n250 2.0.0 injected\r\n")
        else:
            s.sendall(b"220 2.0.0 Ready\r\n")
        if self.starttls == "forgets" and wants_to_resume(s):
            s.close()
            return None
        s = self.context.wrap_socket(s, server_side=True)
        session.tls, session.resumed = s.version(), s.session_reused
        session.sni = self.names.pop(s, None)
        return s

    def data(self, s, f, session):
        s.sendall(b"354 Go\r\n")
        while not self.reads and self.open:
            time.sleep(0.5)
        lines = []
        while True:
            line = f.readline()
            if not line:
                raise ConnectionError
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        self.take(s, b"".join(lines), session)

    def chunk(self, s, f, line, session):
        words = line.split()
        session.chunks += f.read(int(words[1]))
        if words[2:] == [b"LAST"]:
            self.take(s, session.chunks, session)
        else:
            s.sendall(b"250 2.0.0 Chunk\r\n")

    def take(self, s, body, session):
        if self.delay:
            time.sleep(self.delay)
        seq = SEQ.search(body[:4096])
        with self.lock:
            session.mails += 1
            session.delivered += len(session.rcpts)
            if self.store:
                self.messages.append(body)
            if seq:
                self.arrived.setdefault(int(seq[1]), []).append(time.time())
        for rcpt in session.rcpts if self.lmtp else [None]:
            s.sendall(self.finals.get(rcpt, "250 2.0.0 Ok").encode()
                      + b"\r\n")
