# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Dovecot's LMTP server, on a unix socket and on TCP: final delivery into
maildirs, a verdict per recipient.  Users box0 to box9 exist, in its domain
and in tcp. below it."""

import os
import shutil
import socket

from lab import space
from lab.daemon import Daemon

CONF = """\
base_dir = {dir}/run
state_dir = {dir}/run
import_environment = LD_LIBRARY_PATH={libs}
log_path = {dir}/log
protocols = lmtp
ssl = no
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
service lmtp {{
  unix_listener {dir}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = {address}
    port = 24
  }}
}}
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = passwd-file
  args = {dir}/users
}}
mail_location = maildir:{dir}/mail/%n
lmtp_save_to_detail_mailbox = no
recipient_delimiter =
"""


class Dovecot(Daemon):
    def make_jail(self):
        """A root in which it is installed: its programs and modules are
        looked for below /usr.  The system's libraries are in /lib there."""
        self.jail = self.lab.folder("dovecot-jail")
        for inside, what in (("usr", f"{self.root}/usr"), ("lib", "/usr/lib"),
                             ("lib64", "/lib64"), ("etc", "/etc"),
                             ("dev", "/dev"),
                             (self.lab.dir.lstrip("/"), self.lab.dir)):
            if os.path.isdir(what):
                os.makedirs(f"{self.jail}/{inside}")
                space.bind(what, f"{self.jail}/{inside}")

    def prepare(self):
        self.make_jail()
        os.makedirs(f"{self.dir}/mail")
        shutil.chown(f"{self.dir}/mail", "mailbox", "mailbox")
        self.write("users", "".join(
            f"box{n}@{domain}:{{PLAIN}}x:792:792::{self.dir}/mail\n"
            for domain in (self.domain, "tcp." + self.domain)
            for n in range(10)))
        self.socket = f"{self.dir}/lmtp"
        self.conf = self.write("dovecot.conf", CONF.format(
            dir=self.dir, address=self.address,
            libs=self.env["LD_LIBRARY_PATH"]))

    def command(self):
        return ["chroot", self.jail, "/usr/sbin/dovecot", "-F", "-c",
                self.conf]

    def answers(self):
        self.still_there()
        try:
            with socket.create_connection((self.address, 24), timeout=2) as s:
                s.settimeout(5)
                return s.recv(512).startswith(b"220")
        except OSError:
            return False

    def logs(self):
        return super().logs() + [f"{self.dir}/log"]

    def mail(self, user):
        """The messages of a user, as bytes."""
        new = f"{self.dir}/mail/{user}/new"
        if not os.path.isdir(new):
            return []
        found = []
        for name in sorted(os.listdir(new)):
            with open(f"{new}/{name}", "rb") as f:
                found.append(f.read())
        return found
