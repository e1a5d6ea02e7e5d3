# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Rows of a table of domains, each with its records, hosts and policy, and what
is to become of mail for it; and the world that they make together: one DNS with
many zones, a peer for each host, an HTTPS host for each policy.

The tables are in rows/, who plays them in cases/domains.py."""

import dataclasses
import os
import subprocess

from lab.dns import Knot, Zone
from lab.dnsfront import Front
from lab.peer import Peer
from lab.pki import Pki, spki_sha256

DNS, FRONT, BEHIND, PAST = (f"127.0.0.{n}" for n in (63, 64, 65, 66))

# How the zones of the rows differ: (policy of signing, DS, server).
ZONES = {
    "secure": ("nsec", "right", "ns"),
    "nsec3": ("nsec3", "right", "ns"),
    "optout": ("opt-out", "right", "ns"),
    "plain": (None, None, "ns"),
    "bogus": ("nsec", "wrong", "ns"),       # another key than its parent says
    "expired": ("nsec", "right", "past"),
    "front": ("nsec", "right", "front"),    # with faults, by lab/dnsfront.py
    "frontplain": (None, None, "front"),
    "lame": (None, None, "front"),          # SERVFAIL, whatever is asked
    # Each by itself: a server that is silent for one name is asked less often
    # for the zone's others.
    "silent": ("nsec", "right", "front"),
    "quiet": ("nsec", "right", "front"),
}
# And one without a DS below opt-out.
BELOW = "below.optout"
TOP = ".example."

SOA = ("$ORIGIN {zone}\n$TTL 60\n@ SOA ns.root. admin.root. 1 3600 600 "
       "86400 60\n@ NS {ns}.root.\n")
# A year ago: validators forgive a day.
OLD_CLOCK = """
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
time_t time(time_t *t)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	now.tv_sec -= 365 * 86400;
	if (t)
		*t = now.tv_sec;
	return now.tv_sec;
}
"""
MX = "@ MX 10 mx\nmx A {mx}\n"
ENFORCE = "version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 604800\n"


@dataclasses.dataclass(frozen=True)
class Cert:
    """names: with {host} and {domain} in them.  by: root, inter, or None: itself.
    chain: what is sent behind it.  key: of two, which is in the DNS as
    {key}."""
    names: str = "mx.elsewhere.example"
    by: str | None = None
    chain: tuple = ()
    expired: bool = False
    subject: str = ""
    key: str = "a"


SELF = Cert()
OTHER_KEY = Cert(key="b")
GOOD = Cert("{host}", "root")           # of the authorities that are believed
BY_ROOT = Cert("{host}", "root", ("root",))
BY_INTER = Cert("{host}", "inter", ("inter",))


@dataclasses.dataclass
class Host:
    cert: Cert = SELF
    starttls: str = "good"
    port: int = 25
    offers: tuple = Peer.OFFERS
    real: str = ""                      # an MTA: postfix or exim


@dataclasses.dataclass
class Web:
    """A policy host; {mx} and {domain} in the text."""
    text: str = ENFORCE
    txt: str = '"v=STSv1; id=1;"'
    how: dict = dataclasses.field(default_factory=dict)
    cert: Cert | None = None            # None: a good one
    address: bool = True                # it is in the DNS


@dataclasses.dataclass
class Row:
    """name, zone: the domain is name.zone.example.  want: status, asked, why,
    reached, how of the first attempt.  dns: records below the domain; a line
    "ZONE> ..." is below name.ZONE.example.  finds: kinds of `sealane events`.
    to: the host that gets the mail, if not mx.  wish: "require" or "waive"
    (RFC 8689).  rule: of `policy { domain }`; via: of `relay { domain }`.
    dsn: the code.  later: see Later."""
    name: str
    rfc: str
    want: str
    zone: str = "secure"
    dns: str = MX
    more: str = ""                      # records beside `dns`
    hosts: dict = dataclasses.field(default_factory=lambda: {"mx": Host()})
    web: Web | None = None
    finds: str = ""
    says: str = ""                      # events of the log, with domain=
    to: str = "mx"
    wish: str = ""
    rule: str = ""
    via: str = ""
    dsn: str = ""
    faults: dict = dataclasses.field(default_factory=dict)
    below: str = ""                     # the recipients' is below the domain
    sni: str = ""                       # what the host is asked to be
    later: object = None

    @property
    def domain(self):
        return f"{self.name}.{self.zone}.example"

    @property
    def address(self):
        return f"box0@{self.below}{self.domain}"


@dataclasses.dataclass
class Later:
    """What changes, and what a second message then meets."""
    want: str
    txt: str | None = None              # "": the record is gone
    web: Web | None = None              # None: the policy host is gone
    wait: float = 0                     # seconds


class Stage:
    """All that a list of rows needs, started."""

    def __init__(self, lab, rows):
        self.lab, self.rows = lab, rows
        self.pki = Pki(lab, "ec")
        self.folder = self.pki.dir
        for key in "ab":
            self.pki.run("genpkey", "-algorithm", "EC", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-out",
                         self.pki.path(key, "key"))
        self.certs, self.peers, self.webs, self.real = {}, {}, {}, {}
        self.words = self.tlsa_words()
        self.addresses = {}
        for n, row in enumerate(rows):
            net = f"127.{16 + n // 256}.{n % 256}"
            for m, label in enumerate([*row.hosts, "web"]):
                self.addresses[row.name, label] = f"{net}.{m + 1}"
        for row in rows:
            for label, host in row.hosts.items():
                if host.real:
                    self.start_real(row, label, host.real)
        self.web_pem = self.make(Cert(" ".join(
            "mta-sts." + r.domain for r in rows if r.web), "root"), "", "")
        self.start_dns()
        for row in rows:
            self.start_hosts(row)
            if row.web:
                self.start_web(row, row.web)

    # -- certificates ---------------------------------------------------

    def make(self, cert, host, domain):
        """The file with key and chain."""
        names = cert.names.format(host=host, domain=domain)
        subject = cert.subject.format(host=host, domain=domain)
        at = (names, subject, cert)
        if at not in self.certs:
            name = f"c{len(self.certs)}"
            self.pki.make(name, cert.by, "key:" + cert.key, names,
                          days="-1" if cert.expired else "30",
                          subject=subject or "x")
            self.certs[at] = self.pki.join(name, "pem", name, *cert.chain,
                                           key=True)
        return self.certs[at]

    def hex(self, what, digest=None):
        """what: A.crt or A.key; whole, or a digest of it."""
        name, part = what.split(".")
        if part == "key":
            der = self.pki.run("pkey", "-in", self.pki.path(name, "key"),
                               "-pubout", "-outform", "DER")
        else:
            der = self.pki.run("x509", "-in", self.pki.path(name, "crt"),
                               "-outform", "DER")
        if digest:
            der = self.pki.run("dgst", "-" + digest, "-binary", input=der)
        return der.hex()

    def tlsa_words(self):
        """{key}, {key512}, {key_whole}: of key a; {cert...}: of SELF; likewise
        {root...}, {inter...} their keys, {rootcert...} and so on."""
        pem = self.make(SELF, "", "")
        self_name = os.path.basename(pem)[:-len(".pem")]
        words = {"other": "00" * 32, "other512": "00" * 64}
        for word, what in (("key", "a.key"), ("cert", self_name + ".crt"),
                           ("root", "root.key"), ("rootcert", "root.crt"),
                           ("inter", "inter.key"),
                           ("intercert", "inter.crt")):
            words[word] = self.hex(what, "sha256")
            words[word + "512"] = self.hex(what, "sha512")
            words[word + "_whole"] = self.hex(what)
        return words

    # -- DNS ------------------------------------------------------------

    def names(self, row):
        """What stands in braces in records and policies."""
        return {**self.words, "domain": row.domain,
                "below": f"{row.name}.{BELOW}{TOP}"[:-1], **{
            zone: f"{row.name}.{zone}{TOP}"[:-1] for zone in ZONES}, **{
            label: self.addresses[row.name, label]
            for label in [*row.hosts, "web"]}}

    def records(self, row):
        """[(zone, line)]"""
        text = row.dns + row.more
        if row.web:
            if row.web.txt:
                text += f"_mta-sts 1 TXT {row.web.txt}\n"
            if row.web.address:
                text += "mta-sts A {web}\n"
        lines = [(row.zone, f"$ORIGIN {row.domain}.")]
        for line in text.splitlines():
            zone, mark, rest = line.partition("> ")
            if mark and zone in (*ZONES, BELOW):
                lines.append((zone, f"$ORIGIN {row.name}.{zone}{TOP}"))
                lines.append((zone, rest.format_map(self.names(row))))
            else:
                lines.append((row.zone, line.format_map(self.names(row))))
        return lines

    def zone_text(self, name):
        _, _, ns = ZONES.get(name, (None, None, "ns"))
        head = SOA.format(zone=name + TOP, ns=ns)
        lines = [line for row in self.rows for zone, line in self.records(row)
                 if zone == name]
        if BELOW.endswith("." + name):
            lines.append(f"{BELOW}{TOP} NS ns.root.")
        return head + "\n".join(lines) + "\n"

    def start_dns(self):
        top = SOA.format(zone=".", ns="ns") + (
            f"ns.root. A {DNS}\nfront.root. A {FRONT}\n"
            f"past.root. A {PAST}\n" + "".join(
                f"{zone}{TOP} NS {ns}.root.\n"
                for zone, (_, _, ns) in ZONES.items()))
        self.zones = {"": Zone(".", top, "nsec")}
        for name, (policy, ds, _) in ZONES.items():
            self.zones[name] = Zone(name + TOP, self.zone_text(name), policy,
                                    ds)
        self.zones[BELOW] = Zone(BELOW + TOP, self.zone_text(BELOW))
        # Or the first would answer for all, and send nobody elsewhere.
        behind = self.knot(BEHIND, "front", "rows-behind")
        behind.start()
        past = self.knot(PAST, "past", "rows-past")
        past.age(self.old_clock())
        self.dns = self.knot(DNS, "ns", "rows-dns", [behind, past])
        self.dns.start()
        faults = {(".lame.example", "*"): "servfail"}
        for row in self.rows:
            for at, fault in row.faults.items():
                name, kind = at.split()
                name = row.domain if name == "@" else f"{name}.{row.domain}"
                faults[name, kind] = fault
        self.front = Front(FRONT, (BEHIND, 53), faults)
        self.lab.later(self.front.close)
        self.hints = f"{self.folder}/hints"
        with open(self.hints, "w", encoding="ascii") as f:
            f.write(f". 3600 NS ns.root.\nns.root. 3600 A {DNS}\n")
        os.chmod(self.hints, 0o644)

    def knot(self, address, ns, folder, others=()):
        zones = [z for n, z in self.zones.items()
                 if ZONES.get(n, (0, 0, "ns"))[2] == ns]
        server = Knot(self.lab, self.lab.options.knot, address, zones, folder,
                      others)
        self.lab.later(server.stop)
        return server

    def old_clock(self):
        path = f"{self.folder}/oldclock"
        with open(path + ".c", "w", encoding="ascii") as f:
            f.write(OLD_CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", path + ".so",
                        path + ".c"], check=True)
        return path + ".so"

    def reload(self, zones):
        for name in zones:
            self.dns.write(self.zones[name], self.zone_text(name))
            self.dns.run("knotc", "-b", "zone-reload", self.zones[name].name)

    # -- hosts ----------------------------------------------------------

    def start_real(self, row, label, kind):
        """The MTA; its key is then {postfix}, say."""
        if kind == "postfix":
            mta = self.lab.postfix("tls")
            pem = f"{mta.dir}/conf/server.pem"
        else:
            mta = self.lab.mta(kind)
            pem = mta.pem
        self.addresses[row.name, label] = mta.address
        self.real[row.name] = mta
        self.words[kind] = spki_sha256(pem)

    def start_hosts(self, row):
        for label, host in row.hosts.items():
            if host.real:
                continue
            pem = self.make(host.cert, f"{label}.{row.domain}", row.domain)
            self.peers[row.name, label] = self.lab.peer(
                self.addresses[row.name, label], host.starttls, pem,
                port=host.port, offers=host.offers)

    def start_web(self, row, web):
        pem = (self.make(web.cert, "mta-sts." + row.domain, row.domain)
               if web.cert else self.web_pem)
        self.webs[row.name] = self.lab.policy_host(
            web.text.format(mx="mx." + row.domain, domain=row.domain),
            self.addresses[row.name, "web"], pem=pem, **web.how)

    def change(self, row):
        """To what row.later says."""
        later = row.later
        if later.txt is not None:
            row.web.txt = later.txt
        self.webs[row.name].close()
        if later.web:
            self.start_web(row, later.web)
