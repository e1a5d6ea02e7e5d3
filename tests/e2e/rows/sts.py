# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""MTA-STS (RFC 8461), alone and beside DANE."""

from lab.rows import ENFORCE, GOOD, SELF, Cert, Host, Later, Row, Web
from rows.dane import DANE, HELD, tlsa
from rows.names import ALIAS, ANY, TWO, two

STS = "sent sts sts sts webpki"
WAITS = "deferred sts sts none none"
BARRED = "deferred none none none none"
GOT = {"mx": Host(GOOD)}
RECORD, POLICY, FETCH = ("RFC 8461 sec 3.1", "RFC 8461 sec 3.2",
                         "RFC 8461 sec 3.3")
MATCH, CERT, MODES = ("RFC 8461 sec 4.1", "RFC 8461 sec 4.2",
                      "RFC 8461 sec 5")
OLD = Cert("{host}", "root", expired=True)
FAILED, INVALID = "sts-fetch-failed", "sts-invalid"


def text(mode="enforce", mx="{mx}", age=604800, end="\n"):
    return end.join(["version: STSv1", f"mode: {mode}", f"mx: {mx}",
                     f"max_age: {age}", ""])


def get(status="200 OK", header="Content-Type: text/plain", policy=ENFORCE,
        **more):
    return Web(policy, how={"status": status, "header": header}, **more)


def sts(name, rfc, want, web=None, hosts=None, **more):
    """In a zone without DNSSEC, unless it says otherwise."""
    return Row(name, rfc, want, more.pop("zone", "plain"), web=web or Web(),
               hosts=hosts or dict(GOT), **more)


ROWS = [
    # -- modes
    sts("sts-enforce", MODES, STS),
    sts("sts-enforce-secure", MODES, STS, zone="secure"),
    sts("sts-testing", MODES, ANY, Web(text("testing"))),
    sts("sts-testing-mismatch", MODES, ANY,
        Web(text("testing", "mx9.{domain}")), says="sts-mx-mismatch"),
    sts("sts-testing-self-signed", MODES, ANY, Web(text("testing")),
        {"mx": Host(SELF)}),
    sts("sts-testing-clear", MODES, "sent clear none clear not-offered",
        Web(text("testing")), {"mx": Host(starttls="none")}),
    sts("sts-none", MODES, ANY, Web(text("none"))),
    sts("sts-none-without-mx", POLICY, ANY,
        Web("version: STSv1\nmode: none\nmax_age: 86400\n")),

    # -- what the host shows
    sts("sts-self-signed", CERT, WAITS, hosts={"mx": Host(SELF)},
        finds="cert-untrusted"),
    sts("sts-expired", CERT, WAITS, hosts={"mx": Host(OLD)},
        finds="cert-expired"),
    sts("sts-other-name", CERT, WAITS, Web(text(mx="*.{domain}")),
        {"mx": Host(Cert("mx2.{domain}", "root"))},
        finds="cert-name-mismatch"),
    sts("sts-pattern-is-no-name", CERT, WAITS, Web(text(mx="*.{domain}")),
        {"mx": Host(Cert("{domain}", "root"))}, finds="cert-name-mismatch"),
    sts("sts-wildcard-cert", CERT, STS,
        hosts={"mx": Host(Cert("*.{domain}", "root"))}),
    sts("sts-common-name", CERT, WAITS,
        hosts={"mx": Host(Cert("", "root", subject="{host}"))},
        finds="cert-name-mismatch"),
    sts("sts-intermediate", CERT, STS,
        hosts={"mx": Host(Cert("{host}", "inter", ("inter",)))}),
    sts("sts-issuer-missing", CERT, WAITS,
        hosts={"mx": Host(Cert("{host}", "inter"))}, finds="cert-untrusted"),
    sts("sts-stripped", CERT, WAITS, hosts={"mx": Host(GOOD, "none")},
        finds="starttls-stripped"),
    sts("sts-refused", CERT, WAITS, hosts={"mx": Host(GOOD, "refuse")},
        finds="starttls-refused"),
    sts("sts-garbage", CERT, WAITS, hosts={"mx": Host(GOOD, "garbage")},
        finds="tls-handshake-failed"),

    # -- which hosts it lists
    sts("sts-pattern", MATCH, STS, Web(text(mx="*.{domain}"))),
    sts("sts-pattern-upper", MATCH, STS, Web(text(mx="*.{domain}")),
        dns="@ MX 10 MX\nmx A {mx}\n"),
    sts("sts-pattern-deep", MATCH, BARRED, Web(text(mx="*.plain.example")),
        dsn="4.7.0", says="sts-mx-mismatch"),
    sts("sts-pattern-itself", MATCH, BARRED, Web(text(mx="*.{domain}")),
        dns="@ MX 10 @\n@ A {mx}\n", dsn="4.7.0", says="sts-mx-mismatch"),
    sts("sts-other-host", MATCH, BARRED, Web(text(mx="mx9.{domain}")),
        dsn="4.7.0", says="sts-mx-mismatch"),
    sts("sts-second-host", "RFC 8461 sec 8.4", STS, Web(text(
        mx="two.{domain}")), two(Host(GOOD), Host(GOOD)), dns=TWO, to="two",
        says="sts-mx-mismatch"),
    sts("sts-second-cert", "RFC 8461 sec 8.4", STS, Web(text(
        mx="*.{domain}")), two(Host(SELF), Host(GOOD)), dns=TWO, to="two",
        finds="cert-untrusted"),
    # RFC 8461 sec 7.1: asked for by the name of the MX record
    sts("sts-alias", CERT, STS, dns=ALIAS, sni="mx.{domain}"),

    # -- the record
    sts("txt-two", RECORD, ANY, Web(
        txt='"v=STSv1; id=1;"\n_mta-sts 1 TXT "v=STSv1; id=2;"')),
    sts("txt-beside-others", RECORD, STS, Web(
        txt='"v=STSv1; id=1;"\n_mta-sts 1 TXT "v=spf1 -all"')),
    sts("txt-in-parts", RECORD, STS, Web(txt='"v=STS" "v1; id=" "1;"')),
    sts("txt-no-id", RECORD, ANY, Web(txt='"v=STSv1;"')),
    sts("txt-bad-id", RECORD, ANY, Web(txt='"v=STSv1; id=a-b;"')),
    sts("txt-long-id", RECORD, ANY, Web(txt=f'"v=STSv1; id={"1" * 33};"')),
    sts("txt-other-version", RECORD, ANY, Web(txt='"v=STSv2; id=1;"')),
    sts("txt-lower-case", RECORD, ANY, Web(txt='"v=stsv1; id=1;"')),
    sts("txt-extension", RECORD, STS, Web(txt='"v=STSv1; id=1; x=y;"')),
    sts("txt-no-delimiter", RECORD, STS, Web(txt='"v=STSv1; id=1"')),
    sts("txt-alias", RECORD, STS, Web(txt="", address=True),
        more='_mta-sts CNAME there\nthere TXT "v=STSv1; id=1;"\n'),
    sts("txt-servfail", "RFC 8461 sec 3.1", ANY, zone="frontplain",
        faults={"_mta-sts TXT": "servfail"}),
    sts("txt-bogus", "RFC 8461 sec 3.1", ANY, zone="front",
        faults={"_mta-sts TXT": "unsigned"}),
    sts("txt-none", RECORD, ANY, Web(txt="")),
    Row("txt-of-parent", "RFC 8461 sec 3.4", ANY, "plain",
        dns="sub MX 10 mx\nmx A {mx}\n", web=Web(text(mx="mx9.{domain}")),
        below="sub."),

    # -- the policy
    sts("policy-crlf", POLICY, STS, Web(text(end="\r\n"))),
    sts("policy-unknown-key", POLICY, STS, Web(text() + "future: 1\n")),
    sts("policy-first-mode", POLICY, STS, Web(text() + "mode: none\n")),
    sts("policy-first-mode-none", POLICY, ANY,
        Web(text("none") + "mode: enforce\n")),
    sts("policy-any-order", POLICY, STS, Web(
        "mx: {mx}\nmax_age: 86400\nmode: enforce\nversion: STSv1\n")),
    sts("policy-huge-age", POLICY, STS, Web(text(age=9999999999))),
    sts("policy-no-version", POLICY, ANY, Web(
        "mode: enforce\nmx: {mx}\nmax_age: 86400\n"), says=INVALID),
    sts("policy-no-age", POLICY, ANY, Web(
        "version: STSv1\nmode: enforce\nmx: {mx}\n"), says=INVALID),
    sts("policy-no-mx", POLICY, ANY, Web(
        "version: STSv1\nmode: enforce\nmax_age: 86400\n"), says=INVALID),
    sts("policy-unknown-mode", POLICY, ANY, Web(text("strict")),
        says=INVALID),
    sts("policy-html", POLICY, ANY, Web("<html></html>"), says=INVALID),
    sts("policy-empty", POLICY, ANY, Web(""), says=INVALID),

    # -- the fetch
    sts("get-html", POLICY, ANY, get(header="Content-Type: text/html"),
        says=FAILED),
    sts("get-charset", POLICY, STS,
        get(header="Content-Type: text/plain; charset=utf-8")),
    sts("get-404", FETCH, ANY, get("404 Not Found"), says=FAILED),
    sts("get-500", FETCH, ANY, get("500 Oops"), says=FAILED),
    sts("get-204", FETCH, ANY, get("204 No Content"), says=FAILED),
    sts("get-redirect", FETCH, ANY, get("301 Moved", "Location: https://"
        "mta-sts.sts-enforce.plain.example/.well-known/mta-sts.txt"),
        says=FAILED),
    sts("get-oversize", "RFC 8461 sec 3.3", ANY, get(
        policy=ENFORCE + "x: " + "y" * 70000 + "\n"), says=FAILED),
    sts("get-large", "RFC 8461 sec 3.3", STS, get(
        policy=ENFORCE + "x: y\n" * 10000)),
    sts("get-silence", FETCH, ANY, get(None), says=FAILED),
    sts("get-self-signed", FETCH, ANY, Web(cert=Cert("{host}")),
        says=FAILED),
    sts("get-other-name", FETCH, ANY, Web(cert=Cert("{domain}", "root")),
        says=FAILED),
    sts("get-common-name", FETCH, ANY, Web(cert=Cert("", "root",
        subject="{host}")), says=FAILED),
    sts("get-expired", FETCH, ANY, Web(cert=OLD), says=FAILED),
    sts("get-no-address", FETCH, ANY, Web(address=False), says=FAILED),

    sts("get-alias", FETCH, STS, Web(address=False),
        more="mta-sts CNAME web\nweb A {web}\n"),
    sts("get-bogus-address", FETCH, ANY, zone="front", says=FAILED,
        faults={"mta-sts A": "unsigned"}),

    # -- beside DANE, which comes first (sec 2)
    sts("sts-and-dane", "RFC 8461 sec 2", DANE, zone="secure",
        more=tlsa("3 1 1 {key}")),
    sts("sts-other-host-dane", "RFC 8461 sec 2", DANE,
        Web(text(mx="mx9.{domain}")), zone="secure",
        more=tlsa("3 1 1 {key}")),
    sts("sts-good-dane-fails", "RFC 8461 sec 2", HELD, zone="secure",
        more=tlsa("3 1 1 {other}"), finds="dane-mismatch"),
    sts("sts-testing-dane-fails", "RFC 8461 sec 2", HELD,
        Web(text("testing")), zone="secure", more=tlsa("3 1 1 {other}"),
        finds="dane-mismatch"),
    sts("sts-dane-unusable", "RFC 8461 sec 2", STS, zone="secure",
        more=tlsa("1 1 1 {key}"), says="dane-unusable"),
    sts("sts-testing-dane-unusable", "RFC 7672 sec 2.2",
        "sent encrypted dane encrypted opportunistic", Web(text("testing")),
        zone="secure", more=tlsa("1 1 1 {key}"), says="dane-unusable"),
    sts("sts-dane-lost", "RFC 7672 sec 2.1.2", BARRED, zone="front",
        more=tlsa("3 1 1 {key}"), faults={"_25._tcp.mx TLSA": "servfail"},
        says="dane-lookup-failed"),

    # -- a smart host's own policy counts, not that of the recipients
    sts("sts-not-of-recipient", "RFC 8461 sec 3.4", ANY,
        Web(text(mx="mx9.{domain}")), via="[{mx}]"),

    # -- what a second message meets
    sts("later-fetch-fails", FETCH, STS, later=Later(STS, '"v=STSv1; id=2;"')),
    sts("later-record-gone", RECORD, STS, later=Later(STS, "")),
    sts("later-two-records", RECORD, STS, later=Later(
        STS, '"v=STSv1; id=1;"\n_mta-sts 1 TXT "v=STSv1; id=2;"')),
    sts("later-same-id", "RFC 8461 sec 3.3", STS, later=Later(
        STS, None, Web(text("none")))),
    sts("later-none", "RFC 8461 sec 8.3", STS, later=Later(
        ANY, '"v=STSv1; id=2;"', Web(text("none")))),
    sts("later-other-host", "RFC 8461 sec 5.1", STS, later=Later(
        BARRED, '"v=STSv1; id=2;"', Web(text(mx="mx9.{domain}")))),
    sts("later-invalid", FETCH, STS, later=Later(
        STS, '"v=STSv1; id=2;"', Web("version: STSv1\n"))),
    sts("later-expired", "RFC 8461 sec 3.2", STS, Web(text(age=1)),
        later=Later(ANY, "", wait=2.1)),
    sts("later-testing-enforce", "RFC 8461 sec 5.1", ANY,
        Web(text("testing")), {"mx": Host(SELF)}, later=Later(
            WAITS, '"v=STSv1; id=2;"', Web())),
]
