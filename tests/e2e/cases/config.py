# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""check and serve on bad configurations; commands without a daemon."""

import re

from lab.case import case, expect, expect_equal

BAD = '''hostname = "mx1.example.org"
listen "a" { address = "127.0.0.1:99999" }
limits { message-siz = 50M }
relay { port = "x"; retry { first = 5 parsecs } }
hostname = "again.example.org"
accept { domain "a.example" { to = "discard:"; recipients = "some" } }
accept2 { }
'''


@case(seconds=30)
def config_errors(lab):
    """check names every error with file:line:column and exits 1; serve and
    the other commands exit 64."""
    s = lab.sealane("bad", start=False)
    s.configure(BAD)
    text = s.cli("check", code=1) + s.err
    spots = re.findall(r"sealane\.conf:(\d+):(\d+): ", text)
    expect({"2", "3", "4", "5", "6", "7"} <= {line for line, _ in spots},
           f"lines named: {spots}\n{text}")
    expect("message-size" in text, f"no 'did you mean':\n{text}")
    expect(re.search(r"5:\d+:.*\b1:\d+|line 1|:1:1", text),
           f"the first place of a double key is not named:\n{text}")
    s.start(wait=False)
    expect_equal(s.proc.wait(timeout=10), 64, "exit of serve")
    expect(re.search(r"sealane\.conf:3:\d+", s.tail() + s.stdout()),
           "serve does not say where")
    s.cli("queue", "list", code=64)


@case(seconds=30)
def config_check_and_usage(lab):
    """A good file: exit 0; an open relay: a warning; usage errors: 64; the
    daemon is not there: 69."""
    s = lab.sealane("good", start=False)
    s.cli("check")
    s.cli(code=64)
    s.cli("nonsense", code=64)
    s.cli("queue", "nonsense", code=64)
    expect("queue" in s.cli("--help"), "--help names no command")
    s.cli("queue", "list", code=69)
    s.cli("report", code=1)     # needs no daemon, but a ledger
    s.configure('listen "x" { address = "0.0.0.0:2525"; '
                'relay-from = ["0.0.0.0/0"] }\n')
    text = s.cli("check") + s.err
    expect("relay" in text.lower() and "warning" in text.lower(),
           f"no warning about the open relay:\n{text}")
    s.conf += ".missing"
    s.cli("check", code=1)
    s.cli("serve", code=64)


@case(seconds=30)
def config_not_yet(lab):
    """What a later version brings is an error that says so."""
    s = lab.sealane("later", start=False)
    for text in ('listen "p" { address = "127.0.0.1:2525"; auth = true }',
                 'listen "p" { address = "127.0.0.1:2525"; proxy = true }',
                 'policy { socketmap = "127.0.0.1:1" }'):
        s.configure(text + "\n")
        said = s.cli("check", code=1) + s.err
        expect(re.search(r"sealane\.conf:1:\d+: .*not supported", said),
               f"{text}: {said}")


@case(seconds=30)
def config_port_taken(lab):
    """A port in use ends serve with a sentence, not with a restart loop."""
    lab.sealane("first")
    other = lab.sealane("second", start=False)
    other.start(wait=False)
    code = other.proc.wait(timeout=15)
    expect(code not in (0, 64), f"exit {code}")
    expect("2525" in other.tail() + other.stdout(),
           f"the port is not named:\n{other.tail()}")
