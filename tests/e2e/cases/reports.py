# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Who is told what became of a message: RFC 3461, RFC 3464."""

import re

from cases.mtas import HOME, submit
from lab.case import case, expect, expect_equal, wait_until

BODY = b"Subject: report\r\n\r\nbody\r\n"


def fields(message, *wanted):
    for want in wanted:
        expect(re.search(rb"^%s\r$" % want, message, re.I | re.M),
               f"{want} is not in {message}")


@case(seconds=90)
def reports_success(lab):
    """Postfix announces DSN and reports itself; a host without it gets the
    message and we report `relayed`; one of two recipients that fails shares
    the report with the one that was passed on."""
    home = lab.peer("127.0.1.5")
    other = lab.peer("127.0.1.6")
    other.rcpts["nobody"] = "550 5.1.1 no such user"
    lab.postfix("tls")
    s = lab.sealane("reports")
    ask = {"mail": " RET=HDRS ENVID=e+2B1",
           "rcpt": " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first@example.org"}
    submit(HOME, [lab.box("tls.example.org")], BODY, **ask)
    wait_until(lambda: len(home.messages) == 1, 30, "Postfix's report")
    fields(home.messages[0], rb"Reporting-MTA: *dns; *mx\.tls\.example\.org",
           rb"Action: delivered")
    expect_equal(s.log("queue", "report"), [], "reports of ours")
    submit(HOME, ["a@[127.0.1.6]", "nobody@[127.0.1.6]"], BODY, **ask)
    wait_until(lambda: len(home.messages) == 2, 30, "our report")
    fields(home.messages[1], rb"Original-Envelope-Id: e\+1",
           rb"Original-Recipient: rfc822; first@example\.org",
           rb"Final-Recipient: rfc822; a@\[127\.0\.1\.6\]",
           rb"Action: relayed", rb"Status: 2\.0\.0",
           rb"Final-Recipient: rfc822; nobody@\[127\.0\.1\.6\]",
           rb"Action: failed", rb"Status: 5\.1\.1",
           rb"Content-Type: text/rfc822-headers", rb"Subject: report")
    submit(HOME, ["nobody@[127.0.1.6]"], BODY, rcpt=" NOTIFY=NEVER")
    s.wait_empty()
    expect_equal(len(home.messages), 2, "reports")


@case(seconds=90)
def reports_delay_and_double_bounce(lab):
    """A delay is told once, over a restart; then the failure; a report that
    nobody takes is an event and gone."""
    home = lab.peer("127.0.1.5")
    other = lab.peer("127.0.1.6")
    other.hold.set()
    s = lab.sealane("late", delay_warning="2s")
    submit(HOME, ["r@[127.0.1.6]"], BODY)
    wait_until(lambda: len(home.messages) == 1, 30, "the warning")
    fields(home.messages[0], rb"Action: delayed", rb"Status: 4\.2\.0",
           rb"Will-Retry-Until: .*")
    s.stop()
    s.start()
    other.rcpts["r"] = "550 5.2.1 gone"
    other.hold.clear()
    home.rcpts[HOME.partition("@")[0]] = "550 5.1.1 no"
    s.cli("queue", "flush")
    s.wait_log(20, "queue", "double-bounce", ours="true")
    s.wait_empty()
    # The peer says 354 to a DATA without recipients, and gets a lone dot.
    expect_equal(len([m for m in home.messages if m]), 1, "messages")
