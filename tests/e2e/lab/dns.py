# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A DNS server (Knot) for a small world: a signed root, which is the trust
anchor, and below it example.org without signatures and example.net with."""

import hashlib
import os
import subprocess

from lab.case import Failed, wait_until

ADDRESS = "127.0.0.53"

ROOT = """\
$ORIGIN .
$TTL 60
@ SOA ns.root. admin.root. 1 3600 600 86400 60
@ NS ns.root.
ns.root. A 127.0.0.53
example.org. NS ns.root.
example.net. NS ns.root.
"""

# Addresses of the hosts: who listens there is said in lab/world.py.
ORG = """\
$ORIGIN example.org.
$TTL 60
@ SOA ns.root. admin.root. 1 3600 600 86400 60
@ NS ns.root.
relay A 127.0.0.1
home MX 10 mx.home
mx.home A 127.0.1.1
tls MX 10 mx.tls
mx.tls A 127.0.1.1
implicit A 127.0.1.1
clear MX 10 mx.clear
mx.clear A 127.0.1.2
broken MX 10 mx.broken
mx.broken A 127.0.1.3
refused MX 10 mx.refused
mx.refused A 127.0.1.4
early MX 10 mx.early
mx.early A 127.0.1.6
sink MX 10 mx.sink
mx.sink A 127.0.1.5
two MX 10 mx.dead
two MX 20 mx.tls
mx.dead A 127.0.1.9
dead MX 10 mx.dead
null MX 0 .
exim MX 10 mx.exim
mx.exim A 127.0.1.8
opensmtpd MX 10 mx.opensmtpd
mx.opensmtpd A 127.0.1.9
chasquid MX 10 mx.chasquid
mx.chasquid A 127.0.1.10
viasealane MX 10 mx.viasealane
mx.viasealane A 127.0.0.25
own MX 10 mx.own
own MX 10 mx.sink
own MX 20 mx.sink
mx.own A 10.0.9.9
ownname MX 10 relay
ownalias MX 10 mx.ownalias
mx.ownalias CNAME relay
circle CNAME circle2
circle2 CNAME circle
mxalias MX 10 mx.mxalias
mx.mxalias CNAME mx.sink
xn--bcher-kva MX 10 mx.sink
xn--bcher-kva CAA 0 issue ";"
equal MX 10 mx.sink
equal MX 10 mx.equal
mx.equal A 127.0.1.7
nohost MX 10 nowhere
sixfirst MX 10 mx.sixfirst
mx.sixfirst AAAA ::1
mx.sixfirst A 127.0.1.5
danemx MX 10 mx.dane.example.net.
sts MX 10 mx.sts
mx.sts A 127.0.2.1
_mta-sts.sts TXT "v=STSv1; " "id=1;"
mta-sts.sts A 127.0.2.80
pair MX 10 mx.pair1
pair MX 20 mx.pair2
mx.pair1 A 127.0.2.21
mx.pair2 A 127.0.2.22
alias CNAME tls
"""

NET = """\
$ORIGIN example.net.
$TTL 60
@ SOA ns.root. admin.root. 1 3600 600 86400 60
@ NS ns.root.
signed MX 10 mx.signed
mx.signed A 127.0.1.1
dane MX 10 mx.dane
mx.dane A 127.0.2.11
_25._tcp.mx.dane TLSA 3 1 1 {spki}
badtlsa MX 10 mx.badtlsa
mx.badtlsa A 127.0.2.12
_25._tcp.mx.badtlsa TLSA 3 1 1 {spki}
unusable MX 10 mx.unusable
mx.unusable A 127.0.2.13
_25._tcp.mx.unusable TLSA 1 1 1 {spki}
"""

CONF = """\
server:
    rundir: "{dir}"
    listen: [ "{address}@53" ]
    automatic-acl: off
log:
  - target: "{dir}/log"
    any: info
database:
    storage: "{dir}/db"
policy:
  - id: one
    algorithm: ecdsap256sha256
    single-type-signing: on
    {ksk}
template:
  - id: default
    storage: "{dir}/zones"
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
zone:
  - domain: .
    file: root.zone
    dnssec-signing: on
    dnssec-policy: one
  - domain: example.org
    file: org.zone
  - domain: example.net
    file: net.zone
    dnssec-signing: on
    dnssec-policy: one
"""


class Dns:
    def __init__(self, lab, root):
        self.dir = lab.folder("dns")
        self.env = lab.foreign_env(root)
        self.sbin = os.path.join(root, "usr/sbin")
        self.conf = os.path.join(self.dir, "knot.conf")
        self.anchor = os.path.join(self.dir, "anchor")
        self.proc = None
        self.dane_pem = os.path.join(self.dir, "dane.pem")
        lab.make_pem(self.dane_pem, "mx.dane.example.net")

    def dane_spki(self):
        """SHA-256 of the key that mx.dane.example.net has, in hex."""
        key = subprocess.run(
            ["openssl", "x509", "-in", self.dane_pem, "-noout", "-pubkey"],
            check=True, capture_output=True).stdout
        der = subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "DER"], input=key,
            check=True, capture_output=True).stdout
        return hashlib.sha256(der).hexdigest()

    def keymgr(self, *args):
        got = subprocess.run(
            [f"{self.sbin}/keymgr", "-c", self.conf, *args], env=self.env,
            capture_output=True, text=True, check=False, timeout=20)
        if got.returncode != 0:
            raise Failed(f"keymgr {' '.join(args)}: {got.stdout}{got.stderr}")
        return got.stdout

    def start(self):
        for sub in ("zones", "db"):
            os.makedirs(os.path.join(self.dir, sub))
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(dir=self.dir, address=ADDRESS, ksk=""))
        for zone in (".", "example.net."):
            self.keymgr(zone, "generate", "algorithm=ecdsap256sha256",
                        "ksk=yes", "zsk=yes")
        ds = self.keymgr("example.net.", "ds").splitlines()
        for name, text in (("root", ROOT + "\n".join(ds) + "\n"),
                           ("org", ORG), ("net", NET.format(
                               spki=self.dane_spki()))):
            with open(f"{self.dir}/zones/{name}.zone", "w",
                      encoding="utf-8") as f:
                f.write(text)
        with open(self.anchor, "w", encoding="utf-8") as f:
            # "DNSKEY 257 3 13 ..." after the owner's name.
            f.write(self.keymgr(".", "dnskey"))
        os.chmod(self.anchor, 0o644)
        with open(f"{self.dir}/out", "w", encoding="utf-8") as out:
            self.proc = subprocess.Popen(
                [f"{self.sbin}/knotd", "-c", self.conf], env=self.env,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self.answers, 15, "DNS server answers")

    def answers(self):
        import socket
        if self.proc.poll() is not None:
            with open(f"{self.dir}/out", encoding="utf-8") as out:
                raise Failed("knotd ended: " + out.read()[-800:])
        q = (b"\0\1\1\0\0\1\0\0\0\0\0\0" b"\3two\7example\3org\0\0\x0f\0\1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.3)
            try:
                s.sendto(q, (ADDRESS, 53))
                got = s.recv(4096)
            except OSError:
                return False
            return got[3] & 15 == 0 and got[7] == 2

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait(timeout=10)
