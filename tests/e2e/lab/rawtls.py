# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""TLS over a socket that stays ours: so that a test can send clear text where
no library would, ahead of, inside and behind a TLS session."""

import ssl


class RawTls:
    """context: with it a server, without one a client that trusts anybody."""

    def __init__(self, sock, context=None):
        self.sock, self.inward, self.outward = (
            sock, ssl.MemoryBIO(), ssl.MemoryBIO())
        server = context is not None
        if not server:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.tls = context.wrap_bio(self.inward, self.outward,
                                    server_side=server)
        self.drive(self.tls.do_handshake)

    def flush(self):
        if self.outward.pending:
            self.sock.sendall(self.outward.read())

    def drive(self, step, *args):
        """Run a step of the library until it has what it wants."""
        while True:
            try:
                got = step(*args)
                self.flush()
                return got
            except ssl.SSLWantReadError:
                self.flush()
                data = self.sock.recv(65536)
                if not data:
                    raise ConnectionError("closed inside TLS") from None
                self.inward.write(data)

    def sendall(self, data):
        self.drive(self.tls.write, data)

    def recv(self, size):
        try:
            return self.drive(self.tls.read, size)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError, ConnectionError):
            return b""

    def close_notify(self):
        """Say that our side is over, and do not wait for the other."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self.flush()

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def close(self):
        self.sock.close()
