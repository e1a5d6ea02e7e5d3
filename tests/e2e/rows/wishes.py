# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""What the sender asks (RFC 8689) and what the operator does, on each."""

from lab.peer import Peer
from lab.rows import GOOD, SELF, Host, Row, Web
from rows.dane import DANE, tlsa
from rows.names import TWO, of
from rows.sts import BARRED, STS, text

REQUIRED = "RFC 8689 sec 4.2.1"
WAIVED = "RFC 8689 sec 4.2.2"
TAKES = (*Peer.OFFERS, "REQUIRETLS")
NO = "failed none none none none"


def require(name, want, hosts=None, **more):
    return Row(name, REQUIRED, want, wish="require",
               hosts=hosts or {"mx": Host(offers=TAKES)}, **more)


def waive(name, want, hosts=None, **more):
    return Row(name, WAIVED, want, wish="waive",
               hosts=hosts or {"mx": Host()}, **more)


ROWS = [
    require("require-dane", DANE, more=tlsa("3 1 1 {key}")),
    require("require-dane-not-offered", "failed dane dane none none",
            {"mx": Host()}, more=tlsa("3 1 1 {key}"), dsn="5.7.30"),
    require("require-dane-mismatch", "failed dane dane none none",
            more=tlsa("3 1 1 {other}"), finds="dane-mismatch",
            dsn="5.7.30"),
    require("require-dane-second-host", DANE,
            {"one": Host(), "two": Host(offers=TAKES)}, dns=TWO, to="two",
            more=of("one", "3 1 1 {key}") + of("two", "3 1 1 {key}")),
    require("require-dane-insecure-mx", NO, zone="plain", dsn="5.7.30",
            dns="@ MX 10 mx.{secure}.\nsecure> mx A {mx}\n",
            more="secure> " + of("mx", "3 1 1 {key}")),
    require("require-sts", STS, {"mx": Host(GOOD, offers=TAKES)},
            zone="plain", web=Web()),
    require("require-sts-testing", "sent sts requiretls sts webpki",
            {"mx": Host(GOOD, offers=TAKES)}, zone="plain",
            web=Web(text("testing"))),
    require("require-sts-testing-self-signed",
            "failed sts requiretls none none",
            {"mx": Host(SELF, offers=TAKES)}, zone="plain",
            web=Web(text("testing")), finds="cert-untrusted", dsn="5.7.30"),
    require("require-verified", "sent verified requiretls verified name",
            {"mx": Host(GOOD, offers=TAKES)}),
    require("require-unusable", "sent verified requiretls verified name",
            {"mx": Host(GOOD, offers=TAKES)}, more=tlsa("1 1 1 {key}"),
            says="dane-unusable"),
    require("require-tlsa-servfail", BARRED, zone="front",
            more=tlsa("3 1 1 {key}"), says="dane-lookup-failed",
            faults={"_25._tcp.mx TLSA": "servfail"}),
    require("require-mx-bogus", BARRED, zone="bogus", dsn="4.4.3"),
    require("require-self-signed", "failed verified requiretls none none",
            finds="cert-untrusted", dsn="5.7.30"),
    require("require-stripped", "failed verified requiretls none none",
            {"mx": Host(GOOD, "none", offers=TAKES)},
            finds="starttls-stripped", dsn="5.7.30"),
    require("require-nothing", NO, {"mx": Host(GOOD, offers=TAKES)},
            zone="plain", dsn="5.7.30"),
    require("require-policy-lost", BARRED, {"mx": Host(GOOD, offers=TAKES)},
            zone="plain", dsn="4.7.30",
            web=Web(how={"status": "404 Not Found"}), says="sts-fetch-failed"),

    waive("waive-dane-mismatch",
          "sent clear tls-required-no encrypted opportunistic",
          more=tlsa("3 1 1 {other}")),
    waive("waive-dane-stripped",
          "sent clear tls-required-no clear not-offered",
          {"mx": Host(starttls="none")}, more=tlsa("3 1 1 {key}")),
    waive("waive-sts-self-signed",
          "sent clear tls-required-no encrypted opportunistic",
          zone="plain", web=Web()),
    waive("waive-sts-other-host",
          "sent clear tls-required-no encrypted opportunistic",
          zone="plain", web=Web(text(mx="mx9.{domain}"))),
    waive("waive-nothing",
          "sent clear tls-required-no encrypted opportunistic",
          zone="plain"),
    waive("waive-mx-bogus", BARRED, zone="bogus", dsn="4.4.3"),
    waive("waive-unusable-clear",
          "sent clear tls-required-no clear not-offered",
          {"mx": Host(starttls="none")}, more=tlsa("1 1 1 {key}")),
    waive("waive-tlsa-servfail",
          "sent clear tls-required-no encrypted opportunistic",
          zone="front", faults={"_25._tcp.mx TLSA": "servfail"}),

    Row("rule-dane", "RFC 7435 sec 3", BARRED, "plain", dsn="4.7.0",
        rule='require = "dane"'),
    Row("rule-dane-insecure-mx", "RFC 7672 sec 6", BARRED, "plain",
        dns="@ MX 10 mx.{secure}.\nsecure> mx A {mx}\n", dsn="4.7.0",
        more="secure> " + of("mx", "3 1 1 {key}"), rule='require = "dane"'),
    Row("rule-dane-met", "RFC 7435 sec 3", DANE, more=tlsa("3 1 1 {key}"),
        rule='require = "dane"'),
    Row("rule-encrypted", "RFC 7435 sec 3",
        "deferred encrypted rule none none", "plain", hosts={"mx": Host(starttls="none")},
        rule='require = "encrypted"', finds="starttls-stripped"),
    Row("rule-verified", "RFC 7435 sec 3", "sent verified rule verified name",
        hosts={"mx": Host(GOOD)}, rule='require = "verified"'),
    Row("rule-verified-self", "RFC 7435 sec 3",
        "deferred verified rule none none", rule='require = "verified"',
        finds="cert-untrusted"),
    Row("cap-dane-mismatch", "RFC 7435 sec 3",
        "sent encrypted rule encrypted opportunistic",
        more=tlsa("3 1 1 {other}"), rule='permit = "encrypted"'),
    Row("cap-sts", "RFC 7435 sec 3",
        "sent encrypted rule encrypted opportunistic", "plain", web=Web(),
        rule='permit = "encrypted"'),
    Row("cap-does-not-lower-require", REQUIRED, "failed dane dane none none",
        wish="require", more=tlsa("3 1 1 {other}"), dsn="5.7.30",
        hosts={"mx": Host(offers=TAKES)}, rule='permit = "encrypted"',
        finds="dane-mismatch"),
]
