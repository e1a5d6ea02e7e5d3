# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""sealane explain: each step, without sending anything."""

from lab.case import case, expect, expect_equal

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
    s.stop()
    s.cli("explain", "clear.example.org", code=69)
