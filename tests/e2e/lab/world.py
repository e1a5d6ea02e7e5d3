# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The world of the tests: who listens where.  What costs time to start is
started when the first case asks for it."""

import os
import pwd
import shutil
import subprocess
import tempfile

from lab import space
from lab.case import Skip
from lab.chasquid import Chasquid
from lab.dns import Dns
from lab.dovecot import Dovecot
from lab.exim import Exim
from lab.https import Authority, PolicyHost
from lab.load import Load
from lab.opensmtpd import OpenSMTPD
from lab.peer import Peer
from lab.postfix import Postfix
from lab.sealane import Sealane


MTAS = {
    "exim": (Exim, "127.0.1.8", "exim4-daemon-light"),
    "opensmtpd": (OpenSMTPD, "127.0.1.9", "opensmtpd"),
    "chasquid": (Chasquid, "127.0.1.10", "chasquid"),
    "dovecot": (Dovecot, "127.0.1.12", "dovecot-lmtpd"),
}


SMART_HOST = """\
relayhost = [127.0.0.1]:2525
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 1
smtp_send_xforward_command = yes
smtpd_relay_restrictions = permit_mynetworks reject
smtp_destination_recipient_limit = 1000
smtpd_error_sleep_time = 0
minimal_backoff_time = 10s
queue_run_delay = 10s
"""


# Sends by TLS where it can, to peers of cases/foreign.py, over connections that
# it keeps; comes back to what failed at once.
LOGGED = """\
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtp_tls_connection_reuse = yes
smtp_connection_cache_destinations = static:all
smtp_connection_cache_time_limit = 5s
transport_maps = inline:{
  { good.example.com = smtp:[127.0.1.31] },
  { more.example.com = smtp:[127.0.1.31] },
  { none.example.com = smtp:[127.0.1.32] },
  { refuse.example.com = smtp:[127.0.1.33] },
  { garbage.example.com = smtp:[127.0.1.34] } }
default_transport = error:nowhere
smtpd_relay_restrictions = permit_mynetworks reject
smtpd_error_sleep_time = 0
minimal_backoff_time = 2s
maximal_backoff_time = 2s
queue_run_delay = 2s
"""


class Lab:
    onward = ("127.0.1.5", 2600)        # where the MTAs hand their mail on to

    def __init__(self, options):
        self.options = options
        self.dir = tempfile.mkdtemp(prefix="sealane-e2e.")
        space.tmpfs(self.dir, "3g")
        os.chmod(self.dir, 0o755)
        sysusers = os.path.join(options.top, "etc/sealane.sysusers")
        self.etc_trouble = None
        if space.mode() != "single":
            self.etc_trouble = space.private_etc(
                self.dir, sysusers if os.path.exists(sysusers) else None)
        # Roles run under other users, who may not pass the checkout's path.
        self.program = f"{self.dir}/sealane"
        built = os.path.join(options.build, "sealane")
        if os.path.exists(built):
            shutil.copy(built, self.program)
            os.chmod(self.program, 0o755)
        self.cleanups = []
        self.boxes = 0
        self.sealanes = []      # of this case
        self.shared = {}
        self.once = {}          # what needs no end
        self.dns = Dns(self, options.knot)
        self.dns.start()

    # -- small services -------------------------------------------------

    def folder(self, name):
        path, n = f"{self.dir}/{name}", 1
        while os.path.exists(path):     # of another case
            n += 1
            path = f"{self.dir}/{name}-{n}"
        os.makedirs(path)
        os.chmod(path, 0o755)
        return path

    def foreign_env(self, root):
        libs = [f"{root}/usr/lib/{os.uname().machine}-linux-gnu",
                f"{root}/lib/{os.uname().machine}-linux-gnu",
                f"{root}/usr/lib/postfix", f"{root}/usr/lib/dovecot",
                f"{root}/usr/lib"]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(
            x for x in libs if os.path.isdir(x)), "LC_ALL": "C"}

    def make_pem(self, path, name):
        """A key and a self-signed certificate in one file."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=" + name[:60], "-addext",
             "subjectAltName=DNS:" + name, "-keyout", path + ".key",
             "-out", path + ".crt"], check=True, capture_output=True)
        with open(path, "w", encoding="utf-8") as f:
            for part in (".key", ".crt"):
                with open(path + part, encoding="utf-8") as p:
                    f.write(p.read())
                os.unlink(path + part)
        os.chmod(path, 0o600)

    def pem(self, name):
        """The file of make_pem(), made once."""
        path = f"{self.dir}/{name}.pem"
        if not os.path.exists(path):
            self.make_pem(path, name)
        return path

    def become(self, user):
        """For preexec_fn: become that user, or nothing."""
        if user is None:
            return None
        if space.mode() == "single":
            return None         # there is one user only: already it
        entry = pwd.getpwnam(user)

        def run():
            os.setgroups([])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
        return run

    def later(self, undo):
        """Run undo() when the case is over, last one first."""
        self.cleanups.append(undo)

    def own_faults(self):
        return [t for s in self.sealanes for t in s.own_faults()]

    def clean(self):
        done, self.sealanes = self.sealanes, []
        while self.cleanups:
            undo = self.cleanups.pop()
            try:
                undo()
            except Exception as e:      # the case's own verdict stands
                print(f"        while cleaning up: {e}")
        # Each has some 50 MiB of spool, and all share one file system.
        for sealane in done if not self.options.keep else []:
            shutil.rmtree(sealane.dir, ignore_errors=True)

    def box(self, domain):
        """An address at one of the Postfixes that nobody has used yet."""
        self.boxes += 1
        return f"box{self.boxes}@{domain}"

    # -- who is there ---------------------------------------------------

    def postfix(self, name="tls"):
        """tls at 127.0.1.1 (also the senders' mailboxes), clear at .2, smart
        at .11, which sends all it gets to Sealane, and logged at .13."""
        if space.mode() == "single":
            raise Skip("Postfix needs users of its own: not root, and no "
                       "range in /etc/subuid")
        if name not in self.shared:
            what = {
                "tls": dict(address="127.0.1.1", domains=[
                    "tls.example.org", "home.example.org",
                    "implicit.example.org", "two.example.org",
                    "alias.example.org", "signed.example.net",
                    "real-postfix.secure.example"]),
                "clear": dict(address="127.0.1.2", tls=False,
                              domains=["clear.example.org"]),
                "smart": dict(address="127.0.1.11", domains=[],
                              more=SMART_HOST),
                "logged": dict(address="127.0.1.13", domains=[
                    "logged.example.com"], more=LOGGED),
            }[name]
            p = Postfix(self, self.options.postfix, name, **what)
            p.start()
            self.shared[name] = p
        return self.shared[name]

    def mta(self, name):
        """An MTA of others (lab/daemon.py), started once."""
        if space.mode() == "single":
            raise Skip(f"{name} needs users of its own: not root, and no "
                       "range in /etc/subuid")
        if name not in self.shared:
            kind, address, package = MTAS[name]
            root = self.options.roots[package]
            self.shared[name] = kind(self, root, name, address).start()
        return self.shared[name]

    def authority(self):
        if "ca" not in self.once:
            self.once["ca"] = Authority(self)
        return self.once["ca"]

    def policy_host(self, policy, address="127.0.2.80",
                    name="mta-sts.sts.example.org", pem=None, **how):
        p = PolicyHost(address, pem or self.authority().pem(name), policy,
                       **how)
        self.later(p.close)
        return p

    def peer(self, address, starttls="good", pem=None, **how):
        if pem is None:
            pem = self.pem("peer.example.org")
        p = Peer(address, pem, starttls, **how)
        self.later(p.close)
        return p

    def sealane(self, name, start=True, **how):
        if not os.path.exists(self.program):
            raise Skip("sealane is not built")
        s = Sealane(self, name, **how)
        self.later(s.kill_all)
        self.sealanes.append(s)
        if start:
            s.start()
        return s

    def load(self, rcpt, **how):
        run = Load(rcpt, **how)
        self.later(run.halt.set)
        return run.start()

    def smtp_source(self, *args, seconds=60):
        root = self.options.postfix
        return subprocess.run(
            [f"{root}/usr/sbin/smtp-source", *args],
            env=self.foreign_env(root), capture_output=True, text=True,
            timeout=seconds, check=False)

    def swaks(self, *args, seconds=60):
        return subprocess.run(
            ["swaks", "--server", "127.0.0.1:2525", *args],
            capture_output=True, text=True, timeout=seconds, check=False)

    def close(self):
        self.clean()
        for p in self.shared.values():
            p.stop()
        self.dns.stop()
        space.umount(self.dir)
        os.rmdir(self.dir)
