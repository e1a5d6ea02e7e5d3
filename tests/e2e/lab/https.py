# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A certificate authority of the laboratory, and HTTPS hosts with policies."""

import os
import socket
import ssl
import subprocess
import threading


class Authority:
    def __init__(self, lab):
        self.dir = lab.folder("ca")
        self.file = f"{self.dir}/ca.pem"
        self.openssl("req", "-x509", *self.key("ca"), "-out", self.file,
                     "-subj", "/CN=laboratory", "-days", "30")
        os.chmod(self.file, 0o644)

    def openssl(self, *args):
        subprocess.run(("openssl",) + args, check=True, capture_output=True)

    def key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", f"{self.dir}/{name}.key")

    def pem(self, name):
        """Key and certificate for this name, in one file; made once."""
        base = f"{self.dir}/{name}"
        if os.path.exists(base + ".pem"):
            return base + ".pem"
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write(f"subjectAltName=DNS:{name}\n")
        self.openssl("req", "-new", *self.key(name), "-out", base + ".csr",
                     "-subj", "/CN=x")
        self.openssl("x509", "-req", "-in", base + ".csr", "-CA", self.file,
                     "-CAkey", f"{self.dir}/ca.key", "-CAcreateserial",
                     "-extfile", base + ".ext", "-days", "30", "-out",
                     base + ".crt")
        with open(base + ".pem", "w", encoding="ascii") as f:
            for part in (".key", ".crt"):
                with open(base + part, encoding="ascii") as p:
                    f.write(p.read())
        return base + ".pem"


class PolicyHost:
    """Answers every GET with `policy`, and counts them.  status None: never."""

    def __init__(self, address, pem, policy, status="200 OK",
                 header="Content-Type: text/plain"):
        self.policy, self.status = policy, status
        self.met, self.asked = 0, 0         # connections, GETs
        self.header = header
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.sock = socket.create_server((address, 443), backlog=50)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.sock.accept()
            except OSError:
                return
            self.met += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, raw):
        raw.settimeout(20)
        try:
            with self.context.wrap_socket(raw, server_side=True) as s:
                request = b""
                while b"\r\n\r\n" not in request:
                    got = s.recv(4096)
                    if not got:
                        return
                    request += got
                self.asked += 1
                if self.status is None:
                    s.recv(1)
                    return
                body = self.policy.encode()
                s.sendall((f"HTTP/1.1 {self.status}\r\n{self.header}\r\n"
                           f"Content-Length: {len(body)}\r\n"
                           "Connection: close\r\n\r\n").encode() + body)
                s.unwrap()
        except OSError:
            pass

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
