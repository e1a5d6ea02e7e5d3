# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""chasquid, whose TLS is Go's.  It delivers to a program, here a few words of
shell that write a file, and sends by MX only: mail for `away@` its domain is
an alias that leads through Sealane's second listener (cases/mtas.py)."""

import os
import subprocess

from lab.case import wait_until
from lab.daemon import Daemon

CONF = """\
hostname: "mx.{domain}"
max_data_size_mb: 60
smtp_address: "{address}:25"
submission_address: "{address}:587"
data_dir: "{dir}/data"
mail_log_path: "<stderr>"
mail_delivery_agent_bin: "/bin/sh"
mail_delivery_agent_args: "-c"
mail_delivery_agent_args: "umask 022; f={dir}/mail/$0.$$; cat >$f.new && mv $f.new $f.eml"
mail_delivery_agent_args: "%to%"
"""

USERS = 8


class Chasquid(Daemon):
    def prepare(self):
        for sub in ("data", "mail", f"certs/mx.{self.domain}",
                    f"domains/{self.domain}"):
            os.makedirs(f"{self.dir}/{sub}")
        with open(self.pem, encoding="utf-8") as f:
            key, crt = f.read().split("-----BEGIN CERT")
        self.write(f"certs/mx.{self.domain}/privkey.pem", key)
        self.write(f"certs/mx.{self.domain}/fullchain.pem",
                   "-----BEGIN CERT" + crt)
        self.write("chasquid.conf", CONF.format(
            domain=self.domain, address=self.address, dir=self.dir))
        self.write(f"domains/{self.domain}/aliases",
                   "away: x@viasealane.example.org\n")
        for name in ("box", "b\u00fcx"):
            subprocess.run(
                [f"{self.root}/usr/bin/chasquid-util",
                 f"--configdir={self.dir}", "--password=x", "user-add",
                 f"{name}@{self.domain}"], check=True, env=self.env,
                capture_output=True, timeout=20)

    def command(self):
        return [f"{self.root}/usr/bin/chasquid",
                f"--config_dir={self.dir}"]

    def mail(self, address):
        """What the program was given for an address."""
        found = []
        for name in sorted(os.listdir(f"{self.dir}/mail")):
            if name.startswith(address + ".") and name.endswith(".eml"):
                with open(f"{self.dir}/mail/{name}", "rb") as f:
                    found.append(f.read())
        return found

    def wait_mail(self, address, count=1, seconds=20):
        wait_until(lambda: len(self.mail(address)) >= count, seconds,
                   f"{count} message(s) for {address} at {self.name}")
        return self.mail(address)
