# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""MTA-STS (RFC 8461): policies fetched over real HTTPS, hosts that keep to
them and hosts that do not."""

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client

DOMAIN, MX = "sts.example.org", "mx.sts.example.org"
HOST, POLICY_HOST = "127.0.2.1", "127.0.2.80"
TO = "x@" + DOMAIN


def policy(mode="enforce", mx=MX):
    return (f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\n"
            "max_age: 604800\r\n")


def submit(to=TO):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.send("box0@home.example.org", [to],
           b"Subject: sts\r\nX-Seq: 1\r\n\r\nbody\r\n")
    c.quit()


def sealane(lab, name, ca, **how):
    return lab.sealane(name, more=f'tls {{ ca-file = "{ca.file}" }}\n'
                       'policy { fetch-timeout = 5s }', **how)


def deliveries(s):
    return s.log("relay", "delivery", to=f"<{TO}>")


def entry_is(entry, **want):
    for key, value in want.items():
        expect_equal(entry[key], value, f"delivery {key}=")


@case(seconds=60)
def mtasts_enforce(lab):
    """A host that proves its name gets the mail as sts; the policy is kept."""
    ca, web = lab.authority(), lab.policy_host(policy())
    peer = lab.peer(HOST, pem=ca.pem(MX))
    s = sealane(lab, "sts-good", ca)
    for n in (1, 2):
        submit()
        wait_until(lambda: len(deliveries(s)) == n, 15, "delivery")
        entry_is(deliveries(s)[-1], asked="sts", why="sts", reached="sts",
                 how="webpki", status="sent", mx=MX)
    expect_equal(len(peer.messages), 2, "messages")
    expect_equal(web.asked, 1, "fetches")
    total = wait_until(
        lambda: (t := s.json("report", "--direction", "out")["total"])
        ["recipients"] == 2 and t, 10, "the report counts them")
    expect_equal(total["levels"]["sts"], 2, "levels.sts")


def refuses(lab, name, pem, starttls="good", policy_text=None, **want):
    """Nothing is ever sent, and the mail waits."""
    ca = lab.authority()
    lab.policy_host(policy_text or policy())
    peer = lab.peer(HOST, starttls, pem=pem)
    s = sealane(lab, name, ca, first="500ms", max="500ms")
    submit()
    wait_until(lambda: len(deliveries(s)) >= 3, 30, "three attempts")
    for entry in deliveries(s):
        entry_is(entry, reached="none", status="deferred", **want)
    expect_equal(peer.messages, [], "messages")
    expect(not any(c.startswith("MAIL") for x in peer.sessions
                   for c in x.commands), "a transaction was begun")
    return s


@case(seconds=60)
def mtasts_self_signed(lab):
    """A certificate of nobody's: never delivered to, said why."""
    s = refuses(lab, "sts-self", None, asked="sts", why="sts")
    s.wait_log(10, None, "cert-untrusted")


@case(seconds=60)
def mtasts_wrong_name(lab):
    """A good certificate of another host: likewise (sec 4.2)."""
    s = refuses(lab, "sts-name", lab.authority().pem("mx.other.example.org"),
                policy_text=policy(mx="*.sts.example.org"), asked="sts")
    s.wait_log(10, None, "cert-name-mismatch")


@case(seconds=60)
def mtasts_stripped(lab):
    """STARTTLS is gone: the mail waits, whatever else the host offers."""
    refuses(lab, "sts-strip", lab.authority().pem(MX), starttls="none",
            asked="sts")


@case(seconds=60)
def mtasts_mx_mismatch(lab):
    """An MX that the policy does not list is not even connected to."""
    ca = lab.authority()
    lab.policy_host(policy(mx="mx9.sts.example.org"))
    peer = lab.peer(HOST, pem=ca.pem(MX))
    s = sealane(lab, "sts-mx", ca)
    submit()
    entry = s.wait_delivery(TO)[0]
    entry_is(entry, status="deferred", dsn="4.7.0")
    s.wait_log(10, None, "sts-mx-mismatch")
    expect_equal(peer.sessions, [], "connections")


@case(seconds=60)
def mtasts_testing(lab):
    """Mode testing blocks nothing."""
    ca = lab.authority()
    lab.policy_host(policy(mode="testing", mx="mx9.sts.example.org"))
    lab.peer(HOST)
    s = sealane(lab, "sts-testing", ca)
    submit()
    entry_is(s.wait_delivery(TO)[0], status="sent", asked="clear",
             reached="encrypted", how="opportunistic")
    s.wait_log(10, None, "sts-mx-mismatch")


@case(seconds=60)
def mtasts_no_policy_host(lab):
    """A record, but no policy to be had: as if there were none (sec 5)."""
    ca = lab.authority()
    lab.peer(HOST)
    s = sealane(lab, "sts-dead", ca)
    submit()
    entry_is(s.wait_delivery(TO, seconds=20)[0], status="sent", asked="clear",
             reached="encrypted")
    event, = s.log(event="sts-fetch-failed")
    expect_equal((event["domain"], event["result"]), (DOMAIN, "unreachable"),
                 "event")


@case(seconds=90)
def mtasts_kept(lab):
    """Who blocks HTTPS later gains nothing, not even by a restart."""
    ca, web = lab.authority(), lab.policy_host(policy())
    peer = lab.peer(HOST, pem=ca.pem(MX))
    s = sealane(lab, "sts-kept", ca, first="500ms", max="500ms")
    submit()
    entry_is(s.wait_delivery(TO)[0], status="sent", reached="sts")
    web.close()
    peer.close()
    s.stop()
    s.start()
    bad = lab.peer(HOST, "none")
    submit()
    wait_until(lambda: len(deliveries(s)) >= 3, 30, "two more attempts")
    for entry in deliveries(s)[1:]:
        entry_is(entry, status="deferred", asked="sts", reached="none")
    expect_equal(bad.messages, [], "messages in clear")
