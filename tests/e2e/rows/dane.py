# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""DANE (RFC 7671, RFC 7672): records against what the host shows."""

from lab.rows import (BY_INTER, BY_ROOT, GOOD, OTHER_KEY, SELF, Cert, Host,
                      Row)

DANE = "sent dane dane dane tlsa"
HELD = "deferred dane dane none none"
TLS_ONLY = "sent encrypted dane encrypted opportunistic"
MISMATCH = {"want": HELD, "finds": "dane-mismatch"}


def tlsa(*data):
    return "".join(f"_25._tcp.mx TLSA {x}\n" for x in data)


def many(n):
    """That match nothing."""
    return tlsa(*(f"3 1 1 {i:064x}" for i in range(n)))


def raw(data):
    """A record that no server would write down by its fields."""
    return f"_25._tcp.mx TYPE52 \\# {len(data) // 2} {data}\n"


def shows(cert=SELF, starttls="good"):
    return {"mx": Host(cert, starttls)}


OLD = Cert(expired=True)
OLD_TA = Cert("{host}", "root", ("root",), expired=True)
LONG = Cert("{host}", "inter", ("inter", "root"))
NO_NAMES = Cert("", "root", ("root",), subject="{host}")
TWO_NAMES = Cert("mx.elsewhere.example", "root", ("root",), subject="{host}")
ELSEWHERE = Cert("mx.elsewhere.example", "root", ("root",))

EE = "RFC 7672 sec 3.1.1"
TA = "RFC 7672 sec 3.1.2"
NAME = "RFC 7672 sec 3.2.2"
USABLE = "RFC 7672 sec 2.2"
PKIX = "RFC 7672 sec 3.1.3"
AGILE = "RFC 7671 sec 9"
FAILS = "RFC 7672 sec 2.2"

# Who else can be at the other end, for as long as they can be started.
REAL = [
    Row("real-postfix", EE, DANE, more=tlsa("3 1 1 {postfix}"),
        hosts={"mx": Host(real="postfix")}),
    Row("real-exim", EE, DANE, more=tlsa("3 1 1 {exim}"),
        hosts={"mx": Host(real="exim")}),
]

ROWS = [
    # -- DANE-EE: names and dates do not count
    Row("ee-key", EE, DANE, more=tlsa("3 1 1 {key}"), hosts=shows()),
    Row("ee-key-512", EE, DANE, more=tlsa("3 1 2 {key512}")),
    Row("ee-key-whole", EE, DANE, more=tlsa("3 1 0 {key_whole}")),
    Row("ee-cert", EE, DANE, more=tlsa("3 0 1 {cert}")),
    Row("ee-cert-512", EE, DANE, more=tlsa("3 0 2 {cert512}")),
    Row("ee-cert-whole", EE, DANE, more=tlsa("3 0 0 {cert_whole}")),
    Row("ee-expired", EE, DANE, more=tlsa("3 1 1 {key}"), hosts=shows(OLD)),
    Row("ee-one-of-two", EE, DANE, more=tlsa("3 1 1 {other}", "3 1 1 {key}")),
    Row("ee-other-key", FAILS, more=tlsa("3 1 1 {key}"),
        hosts=shows(OTHER_KEY), **MISMATCH),
    Row("ee-other-key-good-name", FAILS, more=tlsa("3 1 1 {other}"),
        hosts=shows(GOOD), **MISMATCH),
    Row("ee-is-no-ta", EE, more=tlsa("3 1 1 {root}"), hosts=shows(BY_ROOT),
        **MISMATCH),
    Row("ee-nsec3", EE, DANE, "nsec3", more=tlsa("3 1 1 {key}")),
    Row("ee-opt-out", EE, DANE, "optout", more=tlsa("3 1 1 {key}")),

    # -- the peer keeps TLS from us
    Row("ee-stripped", FAILS, HELD, more=tlsa("3 1 1 {key}"),
        hosts=shows(starttls="none"), finds="starttls-stripped"),
    Row("ee-refused", FAILS, HELD, more=tlsa("3 1 1 {key}"),
        hosts=shows(starttls="refuse"), finds="starttls-refused"),
    Row("ee-garbage", FAILS, HELD, more=tlsa("3 1 1 {key}"),
        hosts=shows(starttls="garbage"), finds="tls-handshake-failed"),
    Row("ee-injected", "RFC 3207 sec 4", HELD, more=tlsa("3 1 1 {key}"),
        hosts=shows(starttls="early"), finds="injection"),

    # -- DANE-TA
    Row("ta-key", TA, DANE, more=tlsa("2 1 1 {root}"), hosts=shows(BY_ROOT)),
    Row("ta-cert", TA, DANE, more=tlsa("2 0 1 {rootcert}"),
        hosts=shows(BY_ROOT)),
    Row("ta-cert-512", TA, DANE, more=tlsa("2 0 2 {rootcert512}"),
        hosts=shows(BY_ROOT)),
    Row("ta-whole-not-sent", TA, DANE, more=tlsa("2 0 0 {rootcert_whole}"),
        hosts=shows(GOOD)),
    Row("ta-bare-key", TA, DANE, more=tlsa("2 1 0 {root_whole}"),
        hosts=shows(GOOD)),
    Row("ta-intermediate", TA, DANE, more=tlsa("2 1 1 {inter}"),
        hosts=shows(BY_INTER)),
    Row("ta-intermediate-whole", TA, DANE,
        more=tlsa("2 0 0 {intercert_whole}"),
        hosts=shows(Cert("{host}", "inter"))),
    Row("ta-depth-2", TA, DANE, more=tlsa("2 1 1 {root}"), hosts=shows(LONG)),
    Row("ta-whole-depth-2", TA, DANE, more=tlsa("2 0 0 {rootcert_whole}"),
        hosts=shows(BY_INTER)),
    Row("ta-bare-depth-2", TA, DANE, more=tlsa("2 1 0 {root_whole}"),
        hosts=shows(BY_INTER)),
    Row("ta-not-sent", TA, more=tlsa("2 1 1 {root}"), hosts=shows(GOOD),
        **MISMATCH),
    Row("ta-not-above", TA, more=tlsa("2 1 1 {inter}"),
        hosts=shows(Cert("{host}", "root", ("inter",))), **MISMATCH),
    Row("ta-appended", TA, more=tlsa("2 1 1 {root}"),
        hosts=shows(Cert("{host}", None, ("root",))), **MISMATCH),
    Row("ta-is-the-leaf", TA, more=tlsa("2 1 1 {key}"),
        hosts=shows(Cert("{host}")), **MISMATCH),
    Row("ta-expired", TA, more=tlsa("2 1 1 {root}"), hosts=shows(OLD_TA),
        **MISMATCH),

    # -- names, DANE-TA alone
    Row("ta-other-name", NAME, more=tlsa("2 1 1 {root}"),
        hosts=shows(ELSEWHERE), **MISMATCH),
    Row("ta-next-hop", NAME, DANE, more=tlsa("2 1 1 {root}"),
        hosts=shows(Cert("{domain}", "root", ("root",)))),
    Row("ta-wildcard", "RFC 7672 sec 3.2.3", DANE,
        more=tlsa("2 1 1 {root}"),
        hosts=shows(Cert("*.{domain}", "root", ("root",)))),
    Row("ta-wildcard-deep", "RFC 7672 sec 3.2.3", more=tlsa("2 1 1 {root}"),
        hosts=shows(Cert("*.example", "root", ("root",))), **MISMATCH),
    Row("ta-part-of-label", "RFC 7672 sec 3.2.3", more=tlsa("2 1 1 {root}"),
        hosts=shows(Cert("m*.{domain}", "root", ("root",))), **MISMATCH),
    Row("ta-cn", "RFC 7672 sec 3.2.3", DANE, more=tlsa("2 1 1 {root}"),
        hosts=shows(NO_NAMES)),
    Row("ta-cn-beside-names", "RFC 7672 sec 3.2.3",
        more=tlsa("2 1 1 {root}"), hosts=shows(TWO_NAMES), **MISMATCH),

    # -- several records: any match will do
    Row("mixed-ee-matches", EE, DANE,
        more=tlsa("2 1 1 {other}", "3 1 1 {key}")),
    Row("mixed-ta-matches", TA, DANE,
        more=tlsa("2 1 1 {root}", "3 1 1 {other}"), hosts=shows(BY_ROOT)),
    Row("mixed-none", FAILS, more=tlsa("2 1 1 {other}", "3 1 1 {other}"),
        **MISMATCH),
    Row("mixed-ta-name-ee-key", EE, DANE, hosts=shows(ELSEWHERE),
        more=tlsa("2 1 1 {root}", "3 1 1 {key}")),

    # -- digest agility: within a usage and selector the strongest counts
    Row("agility-strong-wrong", AGILE,
        more=tlsa("3 1 1 {key}", "3 1 2 {other512}"), **MISMATCH),
    Row("agility-strong-right", AGILE, DANE,
        more=tlsa("3 1 1 {other}", "3 1 2 {key512}")),
    Row("agility-whole-stays", AGILE, DANE,
        more=tlsa("3 1 0 {key_whole}", "3 1 2 {other512}")),
    Row("agility-other-selector", AGILE, DANE,
        more=tlsa("3 1 1 {key}", "3 0 2 {other512}")),
    Row("agility-other-usage", AGILE, DANE,
        more=tlsa("3 1 1 {key}", "2 1 2 {other512}")),
    Row("agility-bad-strong", AGILE, DANE,
        more=tlsa("3 1 1 {key}") + raw("030102" + "00" * 63)),

    # -- not for mail, or not known
    Row("pkix-ta", PKIX, TLS_ONLY, more=tlsa("0 1 1 {root}"),
        says="dane-unusable"),
    Row("pkix-ee", PKIX, TLS_ONLY, more=tlsa("1 1 1 {other}"),
        says="dane-unusable"),
    Row("pkix-ee-match", PKIX, TLS_ONLY, more=tlsa("1 1 1 {key}"),
        says="dane-unusable"),
    Row("pkix-stripped", USABLE, "deferred encrypted dane none none",
        more=tlsa("1 1 1 {key}"), hosts=shows(starttls="none"),
        finds="starttls-stripped"),
    Row("pkix-refused", USABLE, "deferred encrypted dane none none",
        more=tlsa("1 1 1 {key}"), hosts=shows(starttls="refuse"),
        finds="starttls-refused"),
    Row("pkix-beside-match", PKIX, DANE,
        more=tlsa("1 1 1 {other}", "3 1 1 {key}")),
    Row("pkix-beside-mismatch", PKIX, more=tlsa("1 1 1 {key}",
        "3 1 1 {other}"), **MISMATCH),
    Row("unknown-usage", USABLE, TLS_ONLY, more=tlsa("7 1 1 {key}"),
        says="dane-unusable"),
    Row("unknown-selector", USABLE, TLS_ONLY, more=tlsa("3 2 1 {key}"),
        says="dane-unusable"),
    Row("unknown-matching", USABLE, TLS_ONLY, more=tlsa("3 1 9 {key}"),
        says="dane-unusable"),
    Row("unknown-beside-match", USABLE, DANE,
        more=tlsa("3 1 9 {other}", "3 1 1 {key}")),
    Row("digest-too-short", USABLE, TLS_ONLY, more=raw("030101" + "ab" * 31),
        says="dane-unusable"),
    Row("digest-too-long", USABLE, TLS_ONLY, more=raw("030101" + "ab" * 33),
        says="dane-unusable"),
    Row("digest-empty", USABLE, TLS_ONLY, more=raw("030101"),
        says="dane-unusable"),
    Row("whole-no-cert", USABLE, TLS_ONLY, more=raw("020000" + "30820102"),
        says="dane-unusable"),
    Row("no-cert-beside-match", USABLE, DANE,
        more=raw("020000" + "30820102") + tlsa("3 1 1 {key}")),

    # -- many of them, and more than are taken
    Row("records-100", USABLE, DANE, more=many(99) + tlsa("3 1 1 {key}")),
    Row("records-600", "RFC 7672 sec 2.1.2", "deferred none none none none",
        more=many(599) + tlsa("3 1 1 {key}"), says="dane-lookup-failed"),

    # -- wildcards of the DNS, another port
    Row("wildcard-record", "RFC 6698 sec 3", DANE,
        more="*._tcp.mx TLSA 3 1 1 {key}\n"),
    Row("wildcard-nsec3", "RFC 6698 sec 3", DANE, "nsec3",
        more="*._tcp.mx TLSA 3 1 1 {key}\n"),
    Row("port-2526", "RFC 7672 sec 2.2.3", DANE,
        more="_2526._tcp.mx TLSA 3 1 1 {key}\n" + tlsa("3 1 1 {other}"),
        hosts={"mx": Host(port=2526)}, via="[mx.{domain}]:2526"),
    Row("port-25-elsewhere", "RFC 7672 sec 2.2.3",
        "sent clear none encrypted opportunistic",
        more=tlsa("3 1 1 {other}"), hosts={"mx": Host(port=2526)},
        via="[mx.{domain}]:2526"),
]
