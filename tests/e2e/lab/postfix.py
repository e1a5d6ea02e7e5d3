# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Postfix from an unpacked package, never installed: each instance has its own
configuration, queue and address, and delivers into maildirs."""

import os
import re
import shutil
import signal
import subprocess

from lab.case import Failed, wait_until
from lab.load import smtp_answers

# Mailboxes box0, box1 ... of each domain; lab.box() hands out fresh ones.
BOXES = 400
UTF8_BOX = "j\u00f6rg.\u7532"

MAIN = """\
compatibility_level = 3.6
myhostname = {hostname}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {dir}/conf
config_directory = {dir}/conf
mail_owner = postfix
setgid_group = postdrop
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH={libs}
maillog_file = {dir}/log/maillog
maillog_file_prefixes = {dir}
smtpd_peername_lookup = no
message_size_limit = 104857600
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = texthash:{dir}/conf/boxes
virtual_minimum_uid = 100
virtual_uid_maps = static:792
virtual_gid_maps = static:792
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
alias_maps =
local_recipient_maps =
{more}
"""

TLS = """\
smtpd_tls_security_level = may
smtpd_tls_chain_files = {pem}
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
"""

MASTER = """\
{address}:{port} inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
tlsproxy  unix  -       -       n       -       0       tlsproxy
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""


class Postfix:
    """more: further lines of main.cf.  port: of the smtpd."""

    def __init__(self, lab, root, name, address, domains, tls=True, port="25",
                 more="", folder=None):
        self.name, self.address, self.port = name, address, port
        self.root, self.env = root, lab.foreign_env(root)
        self.dir = folder or lab.folder("postfix-" + name)
        self.lab, self.domains, self.tls, self.more = lab, domains, tls, more
        self.proc = None

    def write(self):
        for sub in ("conf", "queue", "data", "mail", "log"):
            os.makedirs(f"{self.dir}/{sub}", exist_ok=True)
        shutil.chown(f"{self.dir}/data", "postfix")
        shutil.chown(f"{self.dir}/mail", "mailbox", "mailbox")
        pem = f"{self.dir}/conf/server.pem"
        hostname = self.domains[0] if self.domains else "bench.example.org"
        more = self.more
        if self.tls:
            self.lab.make_pem(pem, "mx." + hostname)
            more += TLS.format(pem=pem)
        with open(f"{self.dir}/conf/main.cf", "w", encoding="utf-8") as f:
            f.write(MAIN.format(
                hostname="mx." + hostname, dir=self.dir,
                root=self.root, libs=self.env["LD_LIBRARY_PATH"],
                domains=" ".join(self.domains), more=more))
        with open(f"{self.dir}/conf/master.cf", "w", encoding="utf-8") as f:
            f.write(MASTER.format(address=self.address,
                                  port=self.port))
        with open(f"{self.dir}/conf/boxes", "w", encoding="utf-8") as f:
            # Final slash: a maildir.  Every other address is unknown.
            f.writelines(f"{box}@{domain} {box}@{domain}/\n"
                         for domain in self.domains for box in
                         (*(f"box{n}" for n in range(BOXES)), UTF8_BOX))
        # What `postfix start` would find in meta_directory.
        for meta in ("postfix-files", "postfix-files.d", "dynamicmaps.cf",
                     "dynamicmaps.cf.d"):
            old = os.path.join(self.root, "etc/postfix", meta)
            new = f"{self.dir}/conf/{meta}"
            if os.path.isfile(old):
                shutil.copy(old, new)

    def start(self):
        self.write()
        self.make_queue()
        self.proc = subprocess.Popen(
            [f"{self.root}/usr/lib/postfix/sbin/master", "-c",
             f"{self.dir}/conf", "-d"],
            env={**self.env, "MAIL_CONFIG": f"{self.dir}/conf",
                 "MAIL_LOGTAG": "postfix"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(f"{self.dir}/log/stderr", "w", encoding="utf-8"),
            start_new_session=True)
        try:
            wait_until(self.answers, 20, f"Postfix {self.name} answers")
        except Failed as e:
            raise Failed(f"{e}\n{self.log()[-2000:]}") from e

    def answers(self):
        if self.proc.poll() is not None:
            raise Failed(f"Postfix {self.name} ended: {self.proc.returncode}")
        return smtp_answers(self.address, int(self.port))

    def make_queue(self):
        """What `postfix check` makes, with its owners and modes."""
        q = f"{self.dir}/queue"
        owned = ("active bounce corrupt defer deferred flush hold incoming "
                 "private saved trace").split()
        for name in owned:
            os.makedirs(f"{q}/{name}", 0o700, exist_ok=True)
            shutil.chown(f"{q}/{name}", "postfix")
        os.makedirs(f"{q}/pid", exist_ok=True)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            os.makedirs(f"{q}/{name}", exist_ok=True)
            shutil.chown(f"{q}/{name}", "postfix", "postdrop")
            os.chmod(f"{q}/{name}", mode)

    def log(self):
        text = ""
        for name in ("stderr", "maillog"):
            try:
                with open(f"{self.dir}/log/{name}", encoding="utf-8",
                          errors="replace") as f:
                    text += f.read()
            except OSError:
                pass
        return text

    def box(self, address):
        """The messages that arrived for an address, as bytes."""
        new = f"{self.dir}/mail/{address}/new"
        found = []
        try:
            names = sorted(os.listdir(new))
        except FileNotFoundError:
            return found
        for name in names:
            with open(f"{new}/{name}", "rb") as f:
                found.append(f.read())
        return found

    def count(self, address):
        try:
            return len(os.listdir(f"{self.dir}/mail/{address}/new"))
        except FileNotFoundError:
            return 0

    def wait_mail(self, address, seconds=20, count=1):
        wait_until(lambda: self.count(address) >= count, seconds,
                   f"{count} message(s) for {address} at {self.name}; "
                   f"there are {self.count(address)}")
        return self.box(address)

    def idle(self):
        """Nothing is left in the queue."""
        return not any(re.fullmatch("[0-9A-F]+", name)
                       for sub in ("incoming", "active", "deferred")
                       for _, _, names in os.walk(f"{self.dir}/queue/{sub}")
                       for name in names)

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
