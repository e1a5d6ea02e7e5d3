# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Test cases: how one is declared, fails, is skipped, and waits."""

import time

CASES = []


class Failed(Exception):
    """What was expected did not happen."""


class Skip(Exception):
    """The case cannot run here; the text says why."""


class Case:
    def __init__(self, run, seconds, long, alone):
        self.run, self.seconds = run, seconds
        self.long, self.alone = long, alone
        self.name = run.__name__
        self.about = (run.__doc__ or "").strip().splitlines()[0]


def case(seconds=60, long=False, alone=False):
    """Declare a case.  It gets the lab; it has failed after `seconds`.
    long: only with --all.  alone: it loads the machine or measures time, so
    that no other case runs beside it."""
    def declare(run):
        CASES.append(Case(run, seconds, long, alone))
        return run
    return declare


def expect(condition, text):
    if not condition:
        raise Failed(text)


def expect_equal(got, want, what):
    if got != want:
        raise Failed(f"{what}: got {got!r}, want {want!r}")


def wait_until(probe, seconds, what):
    """Call probe() until it returns something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.05)
