# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A DNS server (Knot) for a small world: a signed root, which is the trust
anchor, and below it example.org without signatures and example.net with."""

import dataclasses
import os
import socket
import subprocess

from lab.case import Failed, wait_until
from lab.pki import spki_sha256

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
{policies}
template:
  - id: default
    storage: "{dir}/zones"
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
zone:
{zones}
"""

# How a zone is signed.
POLICIES = {
    "nsec": "",
    "nsec3": "nsec3: on",
    "opt-out": "nsec3: on\n    nsec3-opt-out: on",
}


@dataclasses.dataclass
class Zone:
    """policy: one of POLICIES, or None: not signed.  ds: what stands for it
    in the root: "right", that of its key, "wrong", or None."""
    name: str
    text: str
    policy: str | None = None
    ds: str | None = None

    def file(self):
        return (self.name.rstrip(".") or "root") + ".zone"

    def conf(self):
        lines = [f"  - domain: {self.name}", f"    file: {self.file()}"]
        if self.policy:
            lines += ["    dnssec-signing: on",
                      f"    dnssec-policy: {self.policy}"]
        return "\n".join(lines)


def wrong(ds):
    """Another digest."""
    head, digest = ds.rsplit(" ", 1)
    return head + " " + digest[::-1]


class Knot:
    """A server for `zones`.  The root's key is the trust anchor.  others: what
    serves more zones, and has been started: their DS go to the root, too."""

    def __init__(self, lab, root, address, zones, name="dns", others=()):
        self.dir = lab.folder(name)
        self.env = lab.foreign_env(root)
        self.sbin = os.path.join(root, "usr/sbin")
        self.conf = os.path.join(self.dir, "knot.conf")
        self.anchor = os.path.join(self.dir, "anchor")
        self.address, self.zones, self.others = address, zones, others
        self.proc = None

    def run(self, program, *args):
        got = subprocess.run(
            [f"{self.sbin}/{program}", "-c", self.conf, *args], env=self.env,
            capture_output=True, text=True, check=False, timeout=20)
        if got.returncode != 0:
            raise Failed(f"{program} {' '.join(args)}: {got.stdout}"
                         f"{got.stderr}")
        return got.stdout

    def keymgr(self, *args):
        return self.run("keymgr", *args)

    def configure(self):
        policies = "\n".join(
            f"  - id: {name}\n    algorithm: ecdsap256sha256\n"
            "    single-type-signing: on\n    " + more
            for name, more in POLICIES.items())
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(
                dir=self.dir, address=self.address, policies=policies,
                zones="\n".join(z.conf() for z in self.zones)))

    def write(self, zone, text):
        with open(f"{self.dir}/zones/{zone.file()}", "w",
                  encoding="utf-8") as f:
            f.write(text)

    def ds(self):
        """What its zones have in the root."""
        found = []
        for z in self.zones:
            if z.ds:
                lines = self.keymgr(z.name, "ds").splitlines()
                found += [wrong(x) for x in lines] if z.ds == "wrong" else lines
        return found

    def start(self):
        for sub in ("zones", "db"):
            os.makedirs(os.path.join(self.dir, sub))
        self.configure()
        for z in self.zones:
            if z.policy:
                self.keymgr(z.name, "generate", "algorithm=ecdsap256sha256",
                            "ksk=yes", "zsk=yes")
        for z in self.zones:
            self.write(z, z.text if z.name != "." else "\n".join(
                [z.text, *(x for k in (self, *self.others) for x in k.ds()),
                 ""]))
        if any(z.name == "." for z in self.zones):
            with open(self.anchor, "w", encoding="utf-8") as f:
                # "DNSKEY 257 3 13 ..." after the owner's name.
                f.write(self.keymgr(".", "dnskey"))
            os.chmod(self.anchor, 0o644)
        self.serve()

    def serve(self):
        with open(f"{self.dir}/out", "w", encoding="utf-8") as out:
            self.proc = subprocess.Popen(
                [f"{self.sbin}/knotd", "-c", self.conf], env=self.env,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self.answers, 15, "DNS server answers")

    def answers(self):
        """Are all zones there?"""
        if self.proc.poll() is not None:
            with open(f"{self.dir}/out", encoding="utf-8") as out:
                raise Failed("knotd ended: " + out.read()[-800:])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.3)
            return all(self.has_zone(s, z.name) for z in self.zones)

    def has_zone(self, s, name):
        labels = b"".join(bytes([len(x)]) + x.encode()
                          for x in name.rstrip(".").split(".") if x)
        try:
            s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels
                     + b"\0\0\x06\0\1", (self.address, 53))
            got = s.recv(4096)
        except OSError:
            return False
        return got[3] & 15 == 0 and got[7] == 1

    def age(self, library):
        """All zones are signed anew, with a clock that library turns back, and
        served as they are then."""
        self.env["LD_PRELOAD"] = library
        self.start()
        for z in self.zones:
            self.run("knotc", "-b", "zone-flush", "-f", z.name)
            z.policy = None
        self.stop()
        del self.env["LD_PRELOAD"]
        self.configure()
        self.serve()

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait(timeout=10)
            self.proc = None


class Dns(Knot):
    def __init__(self, lab, root):
        pem = f"{lab.dir}/dane.pem"
        lab.make_pem(pem, "mx.dane.example.net")
        self.dane_pem = pem
        super().__init__(lab, root, ADDRESS, [
            Zone(".", ROOT, "nsec"), Zone("example.org.", ORG),
            Zone("example.net.", NET.format(spki=spki_sha256(pem)), "nsec",
                 "right")])
