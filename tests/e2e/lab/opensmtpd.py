# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""OpenSMTPD.  Where it keeps its queue and its socket is compiled in: empty
file systems are mounted there, seen by nobody else.

As a TLS server the version of Debian 12 does not work: it was written for
OpenSSL 1.1, and with 3 every handshake ends in "missing private key" and an
alert, whatever key it has.  So it is a real host that offers STARTTLS and
cannot do it."""

import os
import shutil
import signal
import subprocess

from lab import space
from lab.daemon import Daemon

CONF = """\
pki here cert "{dir}/crt"
pki here key "{dir}/key"
listen on {address} port 25 tls pki here hostname mx.{domain}
smtp max-message-size 60M
action onward relay host smtp+notls://{sink}:{sink_port} helo mx.{domain}
action sealane relay host smtp+tls://127.0.0.1:2525 tls no-verify \
helo mx.{domain}
match from any for rcpt-to "nobody@{domain}" reject
match from any for domain "{domain}" action onward
match from any for any action sealane
"""


class OpenSMTPD(Daemon):
    def prepare(self):
        for path in ("/var/spool", "/var/lib", "/run"):
            space.tmpfs(path, "400m")
        for path, owner, group, mode in (
                ("/var/lib/opensmtpd", "root", "root", 0o755),
                ("/var/lib/opensmtpd/empty", "root", "root", 0o755),
                ("/var/spool/smtpd", "root", "root", 0o711)):
            os.makedirs(path)
            shutil.chown(path, owner, group)
            os.chmod(path, mode)
        with open(self.pem, encoding="utf-8") as f:
            key, crt = f.read().split("-----BEGIN CERT")
        self.write("key", key, 0o600)
        self.write("crt", "-----BEGIN CERT" + crt)
        sink, port = self.lab.onward
        self.conf = self.write("smtpd.conf", CONF.format(
            dir=self.dir, address=self.address, domain=self.domain,
            sink=sink, sink_port=port), 0o600)

    def command(self):
        return [f"{self.root}/usr/sbin/smtpd", "-dv", "-f", self.conf]
