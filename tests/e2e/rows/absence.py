# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""What is not there, and what can't be known: absence is an answer, an error
is none (RFC 7672 sec 2.1.1, 2.1.2, 2.2)."""

from lab.rows import Host, Row
from rows.dane import DANE, tlsa
from rows.names import ANY, LOST, TWO, of, two

ABSENT = "RFC 7672 sec 2.1.1"
ERROR = "RFC 7672 sec 2.1.2"
GONE = "failed none none none none"

ROWS = [
    # -- no records, by a proof or without one
    Row("tlsa-none", ABSENT, ANY),
    Row("tlsa-no-data", ABSENT, ANY, more="_25._tcp.mx TXT x\n"),
    Row("tlsa-none-nsec3", ABSENT, ANY, "nsec3"),
    Row("tlsa-no-data-nsec3", ABSENT, ANY, "nsec3",
        more="_25._tcp.mx TXT x\n"),
    Row("tlsa-none-opt-out", ABSENT, ANY, "optout"),
    Row("insecure-clear", "RFC 7435 sec 3",
        "sent clear none clear not-offered", "plain", hosts={"mx": Host(starttls="none")}),
    Row("secure-clear", "RFC 7435 sec 3", "sent clear none clear not-offered",
        hosts={"mx": Host(starttls="none")}),

    # -- the TLSA question fails: that host is out of reach
    Row("tlsa-servfail", ERROR, LOST, "front", more=tlsa("3 1 1 {key}"),
        faults={"_25._tcp.mx TLSA": "servfail"}, says="dane-lookup-failed"),
    # A TXT record, or a resolver would end its way at _tcp and never ask.
    Row("tlsa-servfail-none", ERROR, LOST, "front",
        more="_25._tcp.mx TXT x\n",
        faults={"_25._tcp.mx TLSA": "servfail"}, says="dane-lookup-failed"),
    Row("tlsa-bogus", ERROR, LOST, "front", more=tlsa("3 1 1 {key}"),
        faults={"_25._tcp.mx TLSA": "unsigned"}, says="dane-lookup-failed"),
    Row("tlsa-bogus-denial", ERROR, LOST, "front",
        more="_25._tcp.mx TXT x\n",
        faults={"_25._tcp.mx TLSA": "unsigned"}, says="dane-lookup-failed"),
    Row("tlsa-silent", ERROR, LOST, "quiet", more=tlsa("3 1 1 {key}"),
        faults={"_25._tcp.mx TLSA": "silent"}, says="dane-lookup-failed"),
    Row("tlsa-servfail-insecure", "RFC 7672 sec 2.2.2", ANY, "frontplain",
        faults={"_25._tcp.mx TLSA": "servfail"}),
    Row("tlsa-silent-insecure", "RFC 7672 sec 2.2.2", ANY, "frontplain",
        faults={"_25._tcp.mx TLSA": "silent"}),
    Row("tlsa-servfail-other-host", ERROR, DANE, "front", dns=TWO,
        hosts=two(), to="two", says="dane-lookup-failed",
        more=of("one", "3 1 1 {key}") + of("two", "3 1 1 {key}"),
        faults={"_25._tcp.one TLSA": "servfail"}),

    # -- addresses
    Row("address-none", "RFC 5321 sec 5.1", GONE, dns="@ MX 10 mx\n",
        dsn="5.4.4"),
    Row("address-none-insecure", "RFC 5321 sec 5.1", GONE, "plain",
        dns="@ MX 10 mx\n", dsn="5.4.4"),
    Row("address-servfail", ERROR, LOST, "front",
        faults={"mx A": "servfail", "mx AAAA": "servfail"}, dsn="4.4.3"),
    Row("address-bogus", ERROR, LOST, "front", more=tlsa("3 1 1 {key}"),
        faults={"mx A": "unsigned"}, dsn="4.4.3"),
    Row("address-bogus-other-host", ERROR, DANE, "front", dns=TWO,
        hosts=two(), to="two", more=of("two", "3 1 1 {key}"),
        faults={"one A": "unsigned"}),
    Row("address-in-bogus-zone", ERROR, LOST,
        dns="@ MX 10 mx.{bogus}.\nbogus> mx A {mx}\n", dsn="4.4.3"),
    Row("address-in-expired-zone", ERROR, LOST,
        dns="@ MX 10 mx.{expired}.\nexpired> mx A {mx}\n", dsn="4.4.3"),
    Row("address-in-lame-zone", ERROR, LOST, dns="@ MX 10 mx.{lame}.\n",
        dsn="4.4.3"),
    Row("address-lame-other-host", ERROR, ANY,
        dns="@ MX 10 mx.{lame}.\n@ MX 20 mx\nmx A {mx}\n"),
    Row("address-bogus-six", ERROR, ANY, "front",
        faults={"mx AAAA": "unsigned"}),

    # -- MX
    Row("mx-bogus", ERROR, LOST, "bogus", dsn="4.4.3"),
    Row("mx-expired", ERROR, LOST, "expired", dsn="4.4.3"),
    Row("mx-unsigned", ERROR, LOST, "front", faults={"@ MX": "unsigned"},
        dsn="4.4.3"),
    Row("mx-servfail", ERROR, LOST, "front", faults={"@ MX": "servfail"},
        dsn="4.4.3"),
    Row("mx-lame", ERROR, LOST, "lame", dsn="4.4.3"),
    Row("mx-silent", ERROR, LOST, "silent", faults={"@ MX": "silent"},
        dsn="4.4.3"),
    Row("mx-null", "RFC 7505 sec 3", GONE, dns="@ MX 0 .\n", dsn="5.1.10"),
    Row("mx-null-insecure", "RFC 7505 sec 3", GONE, "plain", dns="@ MX 0 .\n",
        dsn="5.1.10"),
    Row("mx-null-bogus", ERROR, LOST, "bogus", dns="@ MX 0 .\n", dsn="4.4.3"),
    Row("no-domain", "RFC 5321 sec 5.1", GONE, dns="", dsn="5.1.2"),
    Row("no-domain-nsec3", "RFC 5321 sec 5.1", GONE, "nsec3", dns="",
        dsn="5.1.2"),
    Row("no-domain-bogus", ERROR, LOST, "bogus", dns="", dsn="4.4.3"),
]
