#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""An HTTPS server that behaves badly on request, for request.c's test.

    server.py DIR

Makes its authority and certificates in DIR (ca.pem is the one to trust),
listens on a free port of 127.0.0.1 and prints it.  The server name chooses the
certificate, the path what happens.  Ends with its standard input."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import time

HOSTS = {               # server name: (subject, subjectAltName, days)
    "good.example": ("/CN=x", "DNS:good.example", 10),
    "mta-sts.wild.example": ("/CN=x", "DNS:*.wild.example", 10),
    "cn.example": ("/CN=cn.example", "", 10),
    "ip.example": ("/CN=ip.example", "IP:127.0.0.1", 10),
    "other.example": ("/CN=x", "DNS:good.example", 10),
    "old.example": ("/CN=x", "DNS:old.example", -1),
    "self.example": ("/CN=x", "DNS:self.example", 10),
}
POLICY = b"version: STSv1\r\nmode: none\r\nmax_age: 1\r\n"


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, capture_output=True)


def make_certificates(d):
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, "-keyout", f"{d}/ca.key", "-out",
            f"{d}/ca.pem", "-subj", "/CN=test CA", "-days", "10")
    for host, (subject, san, days) in HOSTS.items():
        base = f"{d}/{host}"
        ext = f"subjectAltName={san}\n" if san else "keyUsage=digitalSignature\n"
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write(ext)
        openssl("req", "-new", *key, "-keyout", base + ".key", "-out",
                base + ".csr", "-subj", subject)
        signer = ("-signkey", base + ".key") if host == "self.example" else (
            "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key", "-CAcreateserial")
        openssl("x509", "-req", "-in", base + ".csr", *signer, "-extfile",
                base + ".ext", "-days", str(days), "-out", base + ".pem")


def context(d, host):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(f"{d}/{host}.pem", f"{d}/{host}.key")
    return c


def head(status="200 OK", kind="text/plain", more=""):
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"Content-Type: {kind}"] if kind else []
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


def length(n):
    return f"Content-Length: {n}\r\n"


def endless(s):
    s.sendall(head(more="Transfer-Encoding: chunked\r\n"))
    while True:
        s.sendall(b"2000\r\n" + b"x" * 8192 + b"\r\n")


def drip(s):
    s.sendall(head(more=length(60000)))
    while True:
        s.sendall(b"x")
        time.sleep(0.05)


def headers(s):
    s.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        s.sendall(b"X-A: " + b"y" * 1000 + b"\r\n")


PATHS = {
    "/ok": lambda s: s.sendall(head(more=length(len(POLICY))) + POLICY),
    "/charset": lambda s: s.sendall(
        head(kind="Text/Plain; charset=utf-8") + POLICY),
    "/chunked": lambda s: s.sendall(
        head(more="Transfer-Encoding: chunked\r\n") + b"3\r\nabc\r\n0\r\n\r\n"),
    "/html": lambda s: s.sendall(head(kind="text/html") + POLICY),
    "/no-type": lambda s: s.sendall(head(kind=None) + POLICY),
    "/plainly": lambda s: s.sendall(head(kind="text/plainly") + POLICY),
    "/404": lambda s: s.sendall(head("404 Not Found") + POLICY),
    "/204": lambda s: s.sendall(head("204 No Content")),
    "/redirect": lambda s: s.sendall(
        head("301 Moved", more="Location: /ok\r\n" + length(0))),
    "/full": lambda s: s.sendall(head(more=length(65536)) + b"x" * 65536),
    "/large": lambda s: s.sendall(head(more=length(65537)) + b"x" * 65537),
    "/endless": endless,
    "/drip": drip,
    "/headers": headers,
    "/silent": lambda s: time.sleep(30),
    "/short": lambda s: s.sendall(head(more=length(1000)) + POLICY),
    "/nonsense": lambda s: s.sendall(b"220 mx ESMTP\r\n"),
    "/gzip": lambda s: s.sendall(
        head(more="Content-Encoding: gzip\r\n") + b"\x1f\x8b\x08rest"),
}


def serve(outer, sock):
    sock.settimeout(20)
    try:
        with outer.wrap_socket(sock, server_side=True) as s:
            request = b""
            while b"\r\n\r\n" not in request:
                got = s.recv(4096)
                if not got:
                    return
                request += got
            PATHS[request.split()[1].decode()](s)
            s.unwrap()
    except OSError:
        pass


def main():
    d = sys.argv[1]
    make_certificates(d)
    contexts = {h: context(d, h) for h in HOSTS}
    outer = context(d, "good.example")

    def choose(s, name, _):
        s.context = contexts.get(name, outer)
    outer.sni_callback = choose
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)
    print(listener.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve, args=(outer, sock),
                             daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
