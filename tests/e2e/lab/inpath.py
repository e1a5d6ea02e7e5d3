# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Somebody on the path: packets to one host are redirected to us, and we hand
on what is said, less what STARTTLS needs (STRIPTLS)."""

import os
import socket
import struct
import subprocess
import threading

from lab.case import Skip, expect_equal

OURS = "127.0.8.8"              # from here we go on to the real host


def nft(lab, *args):
    root = lab.options.roots["nftables"]
    if not os.path.exists(root):
        raise Skip("nft is not there")
    p = subprocess.run([f"{root}/usr/sbin/nft", *args], check=False,
                       env=lab.foreign_env(root), capture_output=True,
                       text=True)
    expect_equal(p.returncode, 0, f"nft {args}: {p.stderr}")


# How STARTTLS is kept from a client, and the finding that names it.
VARIANTS = {
    "missing": "starttls-stripped",         # not announced
    "helo": "starttls-stripped",            # EHLO refused, HELO taken
    "overwritten": "starttls-mangled",      # XXXXXXXA, and the command too
    "starred": "starttls-mangled",          # banner and keywords
    "refused-4": "starttls-refused",
    "refused-5": "starttls-refused",
    "reset": "tls-handshake-failed",        # at STARTTLS
    "reset-hello": "tls-handshake-failed",  # at the ClientHello
    "broken": "tls-handshake-failed",       # a bit of the server's hello
    "downgraded": "tls-handshake-failed",   # our hello, to an older version
    "alert": "tls-handshake-failed",
    "swallowed": "tls-handshake-failed",    # no answer to the ClientHello
    "injected": "injection",                # replies behind the 220
}


def line_of(f):
    line = f.readline(4096)
    if not line:
        raise ConnectionError
    return line


def reply_of(f):
    """The lines of one reply."""
    lines = [line_of(f)]
    while lines[-1][3:4] == b"-":
        lines.append(line_of(f))
    return lines


def put_together(lines):
    return b"".join(x[:3] + (b" " if i + 1 == len(lines) else b"-") + x[4:]
                    for i, x in enumerate(lines))


def of_older(hello):
    """Where supported_versions has TLS 1.3 (RFC 8446 sec 4.2.1), 1.2 stands
    twice; without it, 1.1 where 1.2 is (RFC 5246 sec 7.4.1.2)."""
    at = hello.find(b"\x00\x2b\x00")
    if at == -1:
        return hello[:9] + b"\x03\x02" + hello[11:]
    end = at + 4 + int.from_bytes(hello[at + 2:at + 4])
    return (hello[:at + 4] + hello[at + 4:end].replace(b"\x03\x04", b"\x03\x03")
            + hello[end:])


def meant(s):
    """The address that a redirected connection was made to."""
    was = s.getsockopt(socket.SOL_IP, 80, 16)       # SO_ORIGINAL_DST
    return socket.inet_ntoa(was[4:8])


class InPath:
    """In front of the victims' addresses.  variant: one of VARIANTS, or
    "gateway": no STARTTLS, and one banner for all."""

    def __init__(self, lab, *victims, port=2599):
        self.variant = "missing"
        self.lock, self.clear, self.met = threading.Lock(), b"", 0
        self.sock = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()
        lab.later(self.close)
        self.lab = lab
        nft(lab, "add", "table", "ip", "inpath")
        self.table = True
        lab.later(self.leave)
        nft(lab, "add chain ip inpath out { type nat hook output "
            "priority -100 ; }")
        for victim in victims:
            nft(lab, f"add rule ip inpath out ip saddr != {OURS} ip daddr "
                f"{victim} tcp dport 25 redirect to :{port}")

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)    # wakes accept()
        self.sock.close()

    def leave(self):
        if self.table:
            self.table = False
            nft(self.lab, "delete", "table", "ip", "inpath")

    def accept(self):
        while True:
            try:
                s, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.meet, args=(s,),
                             daemon=True).start()

    def meet(self, client):
        with self.lock:
            self.met += 1
        server = socket.create_connection((meant(client), 25),
                                          source_address=(OURS, 0))
        client.settimeout(30)
        server.settimeout(30)
        try:
            self.talk(client, server, client.makefile("rb"),
                      server.makefile("rb"), self.variant)
        except (OSError, ConnectionError):
            pass
        client.close()
        server.close()

    def talk(self, client, server, from_client, from_server, variant):
        client.sendall(self.rewrite(reply_of(from_server), b"", variant))
        while True:
            line = line_of(from_client)
            with self.lock:
                self.clear += line
            verb = line.strip().upper()
            if verb == b"STARTTLS" and self.at_starttls(client, server,
                                                        from_server, variant):
                return
            if verb == b"STARTTLS" and variant.startswith("refused"):
                continue
            if verb[:4] == b"EHLO" and variant == "helo":
                client.sendall(b"502 5.5.2 Error: command not recognized\r\n")
                continue
            if verb == b"STARTTLS":     # written over in this way as well
                line = b"XXXXXXXX\r\n"
            server.sendall(line)
            reply = reply_of(from_server)
            client.sendall(self.rewrite(reply, verb, variant))
            if reply[0].startswith(b"354"):
                self.body(client, server, from_client, from_server)

    def body(self, client, server, from_client, from_server):
        line = b""
        while line != b".\r\n":
            line = line_of(from_client)
            with self.lock:
                self.clear += line
            server.sendall(line)
        client.sendall(put_together(reply_of(from_server)))

    def rewrite(self, lines, verb, variant):
        if not verb and variant == "starred":
            return b"220 " + b"*" * 40 + b"2" + b"*" * 8 + b"\r\n"
        if not verb and variant == "gateway":
            return b"220 gateway ESMTP\r\n"
        if verb[:4] != b"EHLO":
            return put_together(lines)
        if variant in ("missing", "helo", "gateway"):
            lines = [x for x in lines if x[4:].strip() != b"STARTTLS"]
        elif variant in ("overwritten", "starred"):
            mark = b"XXXXXXXA" if variant == "overwritten" else b"********"
            lines = [x[:4] + mark + b"\r\n"
                     if x[4:].strip() == b"STARTTLS" else x for x in lines]
        return put_together(lines)

    def at_starttls(self, client, server, from_server, variant):
        """True: the connection is over."""
        if variant.startswith("refused"):
            client.sendall(b"454 4.7.0 TLS not available\r\n"
                           if variant == "refused-4" else
                           b"554 5.7.3 Unable to initialize security\r\n")
            return False
        if variant == "reset":
            self.reset(client)
            return True
        if variant in ("reset-hello", "broken", "downgraded", "alert",
                       "swallowed", "injected"):
            server.sendall(b"STARTTLS\r\n")
            more = b"250 ok\r\n" if variant == "injected" else b""
            client.sendall(put_together(reply_of(from_server)) + more)
            self.at_hello(client, server, variant)
            return True
        return False

    def at_hello(self, client, server, variant):
        hello = client.recv(65536)
        if variant == "reset-hello":
            self.reset(client)
        elif variant == "alert":
            client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        elif variant == "swallowed":
            client.recv(1)
        elif variant == "downgraded":
            server.sendall(of_older(hello))
            client.sendall(server.recv(65536))
            client.recv(1)
        elif variant == "broken":
            server.sendall(hello)
            answer = bytearray(server.recv(65536))
            answer[40] ^= 1
            client.sendall(bytes(answer))
            client.recv(1)

    @staticmethod
    def reset(s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        s.close()
