# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Whose records: aliases, several hosts, insecure links (RFC 7672 sec 2.1.3,
2.2.1 to 2.2.3)."""

from lab.rows import BY_ROOT, MX, OTHER_KEY, Cert, Host, Row
from rows.dane import DANE, HELD, MISMATCH, shows, tlsa

ANY = "sent clear none encrypted opportunistic"
LOST = "deferred none none none none"
BASE = "RFC 7672 sec 2.2.3"
LINKS = "RFC 7672 sec 2.1.3"
INSECURE = "RFC 7672 sec 2.2.1"
ALIAS = "@ MX 10 mx\nmx CNAME real\nreal A {mx}\n"
OUTSIDE = "@ MX 10 mx\nmx CNAME real.{plain}.\nplain> real A {mx}\n"
TWO = "@ MX 10 one\n@ MX 20 two\none A {one}\ntwo A {two}\n"


def of(host, data):
    return f"_25._tcp.{host} TLSA {data}\n"


def two(one=None, other=None):
    return {"one": one or Host(), "two": other or Host()}


ROWS = [
    # -- the host is an alias
    # (sec 8.1: the host is asked for by the name that has the records)
    Row("alias-real-name", BASE, DANE, dns=ALIAS, more=of("real",
        "3 1 1 {key}"), sni="real.{domain}"),
    Row("alias-own-name", BASE, DANE, dns=ALIAS, more=of("mx",
        "3 1 1 {key}"), sni="mx.{domain}"),
    Row("alias-no-records", "RFC 6066 sec 3", ANY, dns=ALIAS,
        sni="mx.{domain}"),
    Row("alias-real-name-first", BASE, dns=ALIAS, more=of("real",
        "3 1 1 {other}") + of("mx", "3 1 1 {key}"), **MISMATCH),
    Row("alias-of-alias", BASE, DANE,
        dns="@ MX 10 mx\nmx CNAME step\nstep CNAME real\nreal A {mx}\n",
        more=of("step", "3 1 1 {other}") + of("real", "3 1 1 {key}")),
    Row("alias-step-alone", BASE, ANY,
        dns="@ MX 10 mx\nmx CNAME step\nstep CNAME real\nreal A {mx}\n",
        more=of("step", "3 1 1 {other}")),
    Row("alias-outside-own-name", LINKS, DANE, dns=OUTSIDE,
        more=of("mx", "3 1 1 {key}"), sni="mx.{domain}"),
    Row("alias-outside-mismatch", LINKS, dns=OUTSIDE,
        more=of("mx", "3 1 1 {other}"), **MISMATCH),
    Row("alias-outside-no-records", LINKS, ANY, dns=OUTSIDE,
        more="plain> _25._tcp.real TLSA 3 1 1 {other}\n"),
    Row("alias-inside-from-outside", LINKS, ANY, "plain",
        dns="@ MX 10 mx\nmx CNAME real.{secure}.\nsecure> real A {mx}\n",
        more="secure> _25._tcp.real TLSA 3 1 1 {other}\n"),
    Row("alias-real-name-ta", "RFC 7672 sec 3.2.2", DANE, dns=ALIAS,
        more=of("real", "2 1 1 {root}"),
        hosts=shows(Cert("real.{domain}", "root", ("root",)))),
    Row("alias-own-name-ta", "RFC 7672 sec 3.2.2", dns=ALIAS,
        more=of("real", "2 1 1 {root}"), hosts=shows(BY_ROOT), **MISMATCH),

    Row("alias-dname", BASE, DANE, dns="@ MX 10 mx.old\nold DNAME new\n"
        "mx.new A {mx}\n", more=of("mx.new", "3 1 1 {key}"),
        sni="mx.new.{domain}"),
    Row("mx-wildcard", BASE, DANE, dns="* MX 10 mx\nmx A {mx}\n",
        more=of("mx", "3 1 1 {key}"), below="any."),
    Row("mx-wildcard-nsec3", BASE, DANE, "nsec3", dns="* MX 10 mx\n"
        "mx A {mx}\n", more=of("mx", "3 1 1 {key}"), below="any."),

    # -- the records are elsewhere
    Row("tlsa-alias", BASE, DANE, more="_25._tcp.mx CNAME pin\n"
        "pin TLSA 3 1 1 {key}\n", sni="mx.{domain}"),
    Row("tlsa-alias-ta-name", BASE, more="_25._tcp.mx CNAME pin\n"
        "pin TLSA 2 1 1 {root}\n",
        hosts=shows(Cert("pin.{domain}", "root", ("root",))), **MISMATCH),
    Row("tlsa-alias-outside", LINKS, ANY,
        more="_25._tcp.mx CNAME pin.{plain}.\n"
        "plain> pin TLSA 3 1 1 {other}\n"),
    Row("tlsa-alias-nsec3", BASE, DANE, more="_25._tcp.mx CNAME pin.{nsec3}.\n"
        "nsec3> pin TLSA 3 1 1 {key}\n"),

    Row("tlsa-alias-loop", "RFC 7672 sec 2.1.2", LOST, dns=MX,
        more="_25._tcp.mx CNAME round\nround CNAME _25._tcp.mx\n",
        says="dane-lookup-failed"),
    Row("tlsa-alias-bogus", "RFC 7672 sec 2.1.2", LOST, dns=MX,
        more="_25._tcp.mx CNAME pin.{bogus}.\n"
        "bogus> pin TLSA 3 1 1 {key}\n", says="dane-lookup-failed"),
    Row("tlsa-alias-nowhere", "RFC 7672 sec 2.1.1", ANY, dns=MX,
        more="_25._tcp.mx CNAME pin\n"),

    # -- the domain is an alias, or has no MX
    Row("domain-alias", BASE, DANE,
        dns="@ CNAME other\nother MX 10 mx\nmx A {mx}\n",
        more=of("mx", "3 1 1 {key}")),
    Row("domain-alias-ta", "RFC 7672 sec 3.2.2", DANE,
        dns="@ CNAME other\nother MX 10 mx\nmx A {mx}\n",
        more=of("mx", "2 1 1 {root}"),
        hosts=shows(Cert("other.{domain}", "root", ("root",)))),
    Row("domain-alias-ta-first", "RFC 7672 sec 3.2.2", DANE,
        dns="@ CNAME other\nother MX 10 mx\nmx A {mx}\n",
        more=of("mx", "2 1 1 {root}"),
        hosts=shows(Cert("{domain}", "root", ("root",)))),
    Row("domain-alias-inside", INSECURE,
        "sent encrypted dane encrypted dane-insecure-mx", "plain",
        dns="@ CNAME other.{secure}.\nsecure> other MX 10 mx\n"
        "secure> mx A {mx}\n", more="secure> " + of("mx", "3 1 1 {key}")),
    Row("no-mx", "RFC 7672 sec 2.2.2", DANE, dns="@ A {mx}\n",
        more="_25._tcp TLSA 3 1 1 {key}\n"),
    Row("no-mx-mismatch", "RFC 7672 sec 2.2.2", dns="@ A {mx}\n",
        more="_25._tcp TLSA 3 1 1 {other}\n", **MISMATCH),

    # -- an insecure MX names a host of a signed zone
    Row("mx-insecure", INSECURE,
        "sent encrypted dane encrypted dane-insecure-mx", "plain",
        dns="@ MX 10 mx.{secure}.\nsecure> mx A {mx}\n",
        more="secure> " + of("mx", "3 1 1 {key}")),
    Row("mx-insecure-mismatch", INSECURE,
        "deferred encrypted dane none none", "plain",
        dns="@ MX 10 mx.{secure}.\nsecure> mx A {mx}\n",
        more="secure> " + of("mx", "3 1 1 {other}"), finds="dane-mismatch"),
    Row("mx-insecure-ta-next-hop", "RFC 7672 sec 3.2.2",
        "deferred encrypted dane none none", "plain",
        dns="@ MX 10 mx.{secure}.\nsecure> mx A {mx}\n",
        more="secure> " + of("mx", "2 1 1 {root}"), finds="dane-mismatch",
        hosts=shows(Cert("{domain}", "root", ("root",)))),
    Row("host-insecure", "RFC 7672 sec 2.2.2", ANY,
        dns="@ MX 10 mx.{plain}.\nplain> mx A {mx}\n",
        more="plain> " + of("mx", "3 1 1 {other}")),
    Row("all-insecure", "RFC 7672 sec 2.2.2", ANY, "plain",
        more=tlsa("3 1 1 {other}")),
    Row("below-opt-out", "RFC 7672 sec 2.2.2", ANY, "optout",
        dns="@ MX 10 {below}.\nbelow.optout> @ A {mx}\n",
        more="below.optout> _25._tcp TLSA 3 1 1 {other}\n"),

    # -- two hosts, each at its own level
    Row("two-first-fails", INSECURE, ANY, dns=TWO, to="two",
        hosts=two(Host(OTHER_KEY)), more=of("one", "3 1 1 {key}"),
        finds="dane-mismatch"),
    Row("two-first-has-none", INSECURE, ANY, dns=TWO, to="one", hosts=two(),
        more=of("two", "3 1 1 {key}")),
    Row("two-second-dane", INSECURE, DANE, dns=TWO, to="two",
        hosts=two(Host(OTHER_KEY)), finds="dane-mismatch",
        more=of("one", "3 1 1 {key}") + of("two", "3 1 1 {key}")),
    Row("two-both-fail", "RFC 7672 sec 2.2", HELD, dns=TWO, to="",
        hosts=two(Host(OTHER_KEY), Host(OTHER_KEY)), finds="dane-mismatch",
        more=of("one", "3 1 1 {key}") + of("two", "3 1 1 {key}")),
    Row("two-first-stripped", "RFC 7672 sec 2.2", DANE, dns=TWO, to="two",
        hosts=two(Host(starttls="none")), finds="starttls-stripped",
        more=of("one", "3 1 1 {key}") + of("two", "3 1 1 {key}")),

    # -- the operator names the host
    Row("smart-host", "RFC 7672 sec 2.2.1", DANE, "plain",
        dns="@ MX 10 mx\nmx A {mx}\nsecure> smart A {mx}\n",
        more="secure> " + of("smart", "3 1 1 {key}"),
        via="[smart.{secure}]"),
    Row("smart-host-mx", "RFC 7672 sec 2.2.1", DANE, "plain",
        dns="@ MX 10 mx\nmx A {mx}\nsecure> smart MX 10 mx\n"
        "secure> mx A {mx}\n", more="secure> " + of("mx", "3 1 1 {key}"),
        via="smart.{secure}"),
    Row("smart-host-address", "RFC 7672 sec 2.2.2", ANY, dns=MX,
        more=of("mx", "3 1 1 {other}"), via="[{mx}]"),
]
