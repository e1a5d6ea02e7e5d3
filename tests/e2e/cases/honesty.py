# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Do signatures of DNSSEC come through?  By the root's own records, with a name
server in front that takes them out, lies, or is silent."""

import signal

from lab.case import case, expect, expect_equal, wait_until
from lab.dnsfront import Front
from lab.load import Client

FRONT = "127.0.0.54"


def sealane(lab, name, more="", **how):
    return lab.sealane(name, servers=f'forward = [ "{FRONT}@53" ]; '
                       f'probe-interval = 1s; {more}', first="1s", max="1s",
                       **how)


def front(lab, every=None):
    f = Front(FRONT, ("127.0.0.53", 53), {})
    f.every = every
    lab.later(f.close)
    return f


def submit(*to):
    c = Client()
    c.ehlo()
    c.starttls()
    c.ehlo()
    for address in to:
        c.send("box0@home.example.org", [address],
               b"Subject: honest\r\n\r\nbody\r\n")
    c.quit()


def hang_up(s, text):
    """Another configuration."""
    s.configure(text)
    n = len(s.log(event="reloaded"))
    s.proc.send_signal(signal.SIGHUP)
    s.wait_log(15, "parent", "reloaded", count=n + 1)


def resolver(s):
    return s.json("explain", "dane.example.net")["resolver"]


@case(seconds=60)
def honesty_honest(lab):
    """A signed root: honest, kept over a restart, shown by check and explain."""
    s = lab.sealane("honest", servers='forward = [ "127.0.0.53@53" ]; '
                    'probe-names = [ "dane.example.net" ]')
    s.wait_log(15, "policy", "resolver-honest")
    expect("the resolvers are honest, since" in s.cli("check"), "check")
    told = resolver(s)
    expect_equal((told["state"], told["effect"], [
        (p["type"], p["dnssec"]) for p in told["probes"]]),
        ("honest", "none", [("SOA", "secure"), ("DNSKEY", "secure"),
                            ("A", "secure"), ("A", "secure"),
                            ("SOA", "secure")]), "probes")
    expect("signatures of DNSSEC: they come through" in
           s.cli("explain", "dane.example.net"), "explain")
    s.stop()
    s.start()
    again = wait_until(lambda: (r := resolver(s))["probes"] and r, 10,
                       "a round")
    expect_equal((again["state"], again["honest_since"]),
                 ("honest", told["honest_since"]), "after a restart")
    expect_equal(s.json("events")["events"], [], "findings")


@case(seconds=90)
def honesty_never(lab):
    """Signatures never came through: DANE is off, and mail goes out."""
    front(lab, "unsigned")
    other = lab.peer("127.0.2.12")
    s = sealane(lab, "never")
    s.wait_log(30, "policy", "resolver-dishonest", effect="dane-off")
    event, = s.json("events")["events"]
    expect_equal((event["kind"], event["action"], event["class"],
                  event["expected"]),
                 ("resolver-dishonest", "observed", "lost-on-path", "dane"),
                 "the finding")
    s.cli("check", "--strict", code=1)
    expect("DANE is off" in s.err, s.err)
    submit("x@badtlsa.example.net")
    s.wait_delivery("x@badtlsa.example.net", status="sent", asked="clear",
                    reached="encrypted")
    expect_equal(len(other.messages), 1, "messages")


@case(seconds=120, long=True)
def honesty_back(lab):
    """When they come through after all, DANE is on; a minute later, as long as
    libunbound remembers the bad keys, and without flapping."""
    f = front(lab, "unsigned")
    lab.peer("127.0.2.12")
    s = sealane(lab, "back")
    s.wait_log(30, "policy", "resolver-dishonest", effect="dane-off")
    f.every = None
    s.wait_log(90, "policy", "resolver-honest")
    submit("y@badtlsa.example.net")
    s.wait_delivery("y@badtlsa.example.net", status="deferred", asked="dane")
    expect_equal(len(s.log("policy", "resolver-dishonest")), 1, "verdicts")


@case(seconds=60)
def honesty_lost(lab):
    """Once they came through: mail waits, no lie returns any, over a restart
    as well; until they are back, or our operator accepts it."""
    f = front(lab)
    lab.peer("127.0.1.5")
    s = sealane(lab, "lost")
    s.wait_log(15, "policy", "resolver-honest")
    f.every = "unsigned"
    f.faults[("clear.example.org", "*")] = "nxdomain"
    s.wait_log(30, "policy", "resolver-dishonest", effect="held")
    submit("a@clear.example.org", "a@null.example.org", "a@sink.example.org")
    wait_until(lambda: len([m for m in s.queue() for r in m["recipients"]
                            if "signatures of DNSSEC" in (r["reply"] or "")])
               == 3, 20, "all three wait")
    s.cli("check", "--strict", code=1)
    expect("all mail by the DNS waits" in s.err, s.err)
    expect_equal(resolver(s)["effect"], "held", "explain")
    expect_equal([e["action"] for e in s.json("events")["events"]], ["held"],
                 "findings")
    s.stop()
    s.start()
    submit("b@null.example.org")
    wait_until(lambda: len([m for m in s.queue() for r in m["recipients"]
                            if "signatures of DNSSEC" in (r["reply"] or "")])
               == 4, 20, "held from the start")
    expect_equal({e["status"] for e in s.log("relay", "delivery")},
                 {"deferred"}, "deliveries")
    with open(s.conf, encoding="utf-8") as c:
        text = c.read()
    hang_up(s, text.replace("probe-interval",
                            'on-dishonest = "accept"; probe-interval'))
    s.wait_delivery("a@sink.example.org", status="sent")


def dead(lab, how):
    """It proves nothing: mail waits, nothing is found, and all is well when it
    is back."""
    f = front(lab, how)
    lab.peer("127.0.1.5")
    s = sealane(lab, how)
    submit("a@sink.example.org")
    wait_until(lambda: s.queue() and s.queue()[0]["recipients"][0]["reply"],
               40, "the look-up fails")
    expect_equal((resolver(s)["state"], s.json("events")["events"]),
                 ("unknown", []), "nothing is proven")
    f.every = None
    s.wait_log(60, "policy", "resolver-honest")
    s.wait_delivery("a@sink.example.org", seconds=40, status="sent")
    f.every = how
    n = len(f.asked)
    wait_until(lambda: len(f.asked) > n + 12, 40, "more rounds")
    expect_equal((resolver(s)["state"], s.json("events")["events"]),
                 ("honest", []), "nor does it later")


@case(seconds=60)
def honesty_servfail(lab):
    """A forwarder that answers SERVFAIL proves nothing."""
    dead(lab, "servfail")


@case(seconds=120, long=True)
def honesty_silent(lab):
    """And one that does not answer neither."""
    dead(lab, "silent")
