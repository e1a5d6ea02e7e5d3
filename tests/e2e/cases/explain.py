# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""sealane explain: each step, without sending anything."""

import os

from lab.case import case, expect, expect_equal
from lab.load import Client
from lab.sealane import wait_gone

from cases.mtasts import policy, sealane


@case(seconds=60)
def explain_policies(lab):
    """DANE behind a signed and an unsigned MX, MTA-STS, nothing at all."""
    lab.policy_host(policy())
    s = sealane(lab, "explain", lab.authority())
    host, = s.json("explain", "x@dane.example.net")["hosts"]
    expect_equal((host["name"], host["asked"], host["why"], host["dane"],
                  host["mx_secure"]),
                 ("mx.dane.example.net", "dane", "dane", "used", True), "dane")
    expect_equal([t["use"] for t in host["tlsa"]], ["used"], "records")
    told = s.json("explain", "danemx.example.org")
    expect_equal([(x["type"], x["dnssec"]) for x in told["lookups"]
                  if x["type"] in ("MX", "TLSA")],
                 [("MX", "insecure"), ("TLSA", "secure")], "look-ups")
    expect(all(x["ttl"] > 0 for x in told["lookups"] if x["records"]), "ttl")
    expect_equal(told["hosts"][0]["asked"], "encrypted", "insecure MX")
    told = s.json("explain", "sts.example.org")
    expect_equal((told["sts"]["mode"], told["hosts"][0]["asked"],
                  told["hosts"][0]["sts_lists"]), ("enforce", "sts", True),
                 "sts")
    host, = s.json("explain", "unusable.example.net")["hosts"]
    expect_equal(([t["use"] for t in host["tlsa"]], host["asked"]),
                 (["unusable"], "encrypted"), "unusable")
    text = s.cli("explain", "clear.example.org")
    expect(text.endswith("because nothing asks for more.\n"), text)
    expect("validated here, from 127.0.0.53@53" in text, text)
    text = s.cli("explain", "null.example.org")
    expect("Mail is returned" in text, text)
    expect_equal(s.log("relay", "delivery"), [], "mail")
    told = s.json("explain", "danemx.example.org")
    expect(told["daemon"], "the running relay said it")
    s.stop()
    aside = s.json("explain", "danemx.example.org")
    expect(not aside["daemon"], "a start aside said it")
    expect_equal([h["decision"] for h in aside["hosts"]],
                 [h["decision"] for h in told["hosts"]], "the same")


def times(folder):
    return {n: os.stat(f"{folder}/{n}").st_mtime_ns for n in os.listdir(folder)}


@case(seconds=60)
def explain_aside(lab):
    """Without a relay: what it remembers is known, and nothing stays behind."""
    host = lab.policy_host(policy())
    s = sealane(lab, "aside", lab.authority())
    told = s.json("explain", "sts.example.org")
    expect_equal(told["sts"]["mode"], "enforce", "sts")
    s.stop()
    host.close()
    here = {**os.environ, "TMPDIR": s.dir}
    before = sorted(os.listdir(s.dir)), times(s.state)
    aside = s.json("explain", "x@sts.example.org", env=here)
    # From the copy of its cache: nobody serves the policy now.
    expect_equal((aside["daemon"], aside["sts"]["mode"],
                  aside["hosts"][0]["asked"], aside["sts"]["fetched"]),
                 (False, "enforce", "sts", told["sts"]["fetched"]), "aside")
    expect(0 <= aside["sts"]["age"] < 60, f"age {aside['sts']['age']}")
    text = s.cli("explain", "sts.example.org", env=here)
    expect("by roles that were started to ask:" in text, text)
    expect("fetched " in text and " ago, expires 2" in text, text)
    after = sorted(os.listdir(s.dir)), times(s.state)
    expect_equal(after, before, "files of before and after")
    wait_gone([])
    # A mistake in the configuration, and a place where nothing can be made.
    s.configure("nonsense = 1\n")
    s.cli("explain", "sts.example.org", code=64)
    s.configure('hostname = "a.example.org"\n')
    s.cli("explain", "sts.example.org", code=69,
          env={**os.environ, "TMPDIR": "/nonexistent"})
    expect("/nonexistent" in s.err, s.err)


@case(seconds=60)
def explain_floor_and_cap(lab):
    """A floor holds mail for a host without TLS; a cap lets it go to one whose
    TLSA records are wrong."""
    lab.postfix("clear")
    lab.peer("127.0.2.12")
    s = lab.sealane("floor", more='policy { domain "clear.example.org" '
                    '{ require = "encrypted" }\ndomain "*.example.net" '
                    '{ permit = "encrypted" } }')
    for to in (lab.box("clear.example.org"), "x@badtlsa.example.net"):
        c = Client()
        c.ehlo()
        c.starttls()
        c.ehlo()
        c.send("box0@home.example.org", [to], b"Subject: rule\r\n\r\nx\r\n")
        c.quit()
    held = s.wait_log(15, "relay", "delivery", domain="clear.example.org")[0]
    expect_equal((held["status"], held["asked"], held["why"], held["reached"]),
                 ("deferred", "encrypted", "rule", "none"), "the floor")
    s.wait_log(5, "policy", "starttls-stripped", why="rule", action="held",
               **{"class": "never-had"})
    sent = s.wait_log(15, "relay", "delivery", domain="badtlsa.example.net")[0]
    expect_equal((sent["status"], sent["asked"], sent["why"], sent["reached"]),
                 ("sent", "encrypted", "rule", "encrypted"), "the cap")
    expect_equal(s.json("explain", "badtlsa.example.net")["hosts"][0]["rule"],
                 {"require": "none", "permit": "encrypted"}, "rule")
