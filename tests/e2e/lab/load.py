# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The sending side: small SMTP clients that remember what was acknowledged."""

import socket
import ssl
import threading
import time


def smtp_answers(address, port):
    """Does somebody greet with 220 there?"""
    try:
        with socket.create_connection((address, port), timeout=2) as s:
            s.settimeout(5)
            greeting = s.recv(512)
            if greeting.startswith(b"220"):
                s.sendall(b"QUIT\r\n")
                s.recv(512)
                return True
    except OSError:
        pass
    return False


class Reply(Exception):
    """A reply that was not the wanted one."""

    def __init__(self, code, lines):
        super().__init__(f"{code}: {lines}")
        self.code, self.lines = code, lines


class Client:
    """A blocking SMTP client on raw sockets, so that tests can also say what
    no library would."""

    def __init__(self, address="127.0.0.1", port=2525, source=None, timeout=30):
        self.sock = socket.create_connection(
            (address, port), timeout=timeout,
            source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""
        self.greeting = self.reply(220)

    def line(self):
        while b"\n" not in self.buf:
            got = self.sock.recv(65536)
            if not got:
                raise ConnectionError("closed by the server")
            self.buf += got
        line, self.buf = self.buf.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def reply(self, want=None):
        lines = []
        while True:
            line = self.line()
            lines.append(line[4:])
            if line[3:4] != "-":
                break
        code = int(line[:3])
        if want is not None and code != want:
            raise Reply(code, lines)
        return code, lines

    def say(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.sock.sendall(data)

    def cmd(self, text, want=None):
        self.say(text + "\r\n")
        return self.reply(want)

    def ehlo(self, name="client.example.org"):
        return self.cmd("EHLO " + name, 250)[1]

    def starttls(self):
        self.cmd("STARTTLS", 220)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE
        self.sock = ctx.wrap_socket(self.sock)

    def send(self, sender, rcpts, body):
        """One message; returns the text of the 250.  CRLF lines in `body`."""
        self.cmd(f"MAIL FROM:<{sender}>", 250)
        for rcpt in rcpts:
            self.cmd(f"RCPT TO:<{rcpt}>", 250)
        self.cmd("DATA", 354)
        if body.startswith(b"."):
            body = b"." + body
        self.say(body.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return self.reply(250)[1][-1]

    def quit(self):
        try:
            self.cmd("QUIT")
        except (OSError, ValueError):
            pass
        self.close()

    def close(self):
        self.sock.close()


def message(seq, size=0):
    """A message that carries its number where every receiver finds it."""
    body = (f"From: <load@home.example.org>\r\nSubject: {seq}\r\n"
            f"X-Seq: {seq}\r\n\r\n").encode()
    line = b"0123456789abcdefghijklmnopqrstuvwxyz .-" * 2 + b"\r\n"
    return body + line * max(1, (size - len(body)) // len(line))


class Load:
    """Threads that send numbered messages and remember which were acknowledged.
    Each number is sent at most once: a message whose 250 did not come is never
    repeated by us, so a number that arrives twice was doubled by the relay."""

    def __init__(self, rcpt, threads=8, tls=True, size=2000, total=None,
                 per_session=50, sender="load@home.example.org"):
        self.rcpt, self.tls, self.size, self.sender = rcpt, tls, size, sender
        self.total, self.per_session = total, per_session
        self.lock = threading.Lock()
        self.next, self.acked, self.refused = 0, set(), []
        self.broken = []        # connections refused, sessions that broke
        self.halt = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(threads)]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def take(self):
        """The next number, or None when all is sent."""
        with self.lock:
            if self.halt.is_set() or (self.total and self.next >= self.total):
                return None
            self.next += 1
            return self.next

    def finished(self):
        return self.halt.is_set() or bool(self.total
                                          and self.next >= self.total)

    def run(self):
        while not self.finished():
            try:
                c = Client(timeout=20)
            except (OSError, ValueError, Reply) as e:
                self.broken.append(repr(e))
                self.halt.wait(0.1)
                continue
            try:
                c.ehlo()
                if self.tls:
                    c.starttls()
                    c.ehlo()
                self.session(c)
            except (OSError, ValueError, Reply) as e:
                self.broken.append(repr(e))     # no 250, no promise
            finally:
                c.close()

    def session(self, c):
        for _ in range(self.per_session):
            seq = self.take()
            if seq is None:
                break
            try:
                c.send(self.sender, [self.rcpt], message(seq, self.size))
            except Reply as r:
                with self.lock:
                    self.refused.append((seq, r.code, r.lines[-1]))
                if r.code == 421:
                    raise       # the connection is over (RFC 5321 sec 3.8)
                c.cmd("RSET")
            else:
                with self.lock:
                    self.acked.add(seq)
        c.quit()

    def stop(self):
        self.halt.set()
        self.join(60)

    def join(self, seconds):
        end = time.monotonic() + seconds
        for t in self.threads:
            t.join(max(0.0, end - time.monotonic()))
        return not any(t.is_alive() for t in self.threads)
