#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""End-to-end tests: real programs talk to Sealane in a network of their own.

    tests/e2e/run.py --build DIR [--PACKAGE ROOT ...] [--only PATTERN]

scripts/test calls this.  DIR has the sealane binary; the ROOTs are unpacked
Debian packages (see fetch_package in scripts/lib.sh); by default the newest
ones in .cache/ are taken.  Each case is a function in cases/ with a bounded
time; it starts what it needs and leaves nothing behind.  Several workers take
cases from one pipe, each in namespaces and a laboratory of its own; then one
runs those that want the machine for themselves (@case(alone=True))."""

import argparse
import fnmatch
import glob
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lab import space, workers                      # noqa: E402
from lab.case import CASES, Failed, Skip            # noqa: E402

MODULES = (
    "lab_itself",
    "hop",
    "fallback",
    "tls",
    "resume",
    "routing",
    "mtasts",
    "dane",
    "honesty",
    "peers",
    "striptls",
    "explain",
    "exceptions",
    "domains",
    "honest",
    "queue",
    "move",
    "reports",
    "inbound",
    "lifecycle",
    "reload",
    "upgrade",
    "recipients",
    "limits",
    "outbound",
    "isolation",
    "hostile",
    "memory",
    "service",
    "logs",
    "config",
    "bulk",
    "crash",
    "mtas",
    "foreign",
    "smtputf8",
    "requiretls",
    "attacks",
)
PACKAGES = ("postfix", "knot", "exim4-daemon-light", "opensmtpd", "chasquid",
            "dovecot-lmtpd", "nftables", "fail2ban")


def options(*flags):
    """flags: further ones, of other programs that use the laboratory."""
    top = HERE.parents[1]

    def newest(name):
        found = sorted(glob.glob(str(top / f".cache/debs/{name}_*/root")))
        return found[-1] if found else "/nonexistent"
    p = argparse.ArgumentParser(description="end-to-end tests")
    p.add_argument("--build", default=str(top / "build"))
    for name in PACKAGES:
        p.add_argument("--" + name, default=newest(name))
    p.add_argument("--results", help="a JSON object a line per case")
    p.add_argument("--only", action="append", help="names, with * and ?")
    p.add_argument("--all", action="store_true", help="the long ones too")
    # Most cases wait for a clock most of the time: one more than processors.
    p.add_argument("--jobs", type=int, default=os.cpu_count() + 1,
                   help="cases side by side")
    p.add_argument("--keep", metavar="DIR",
                   help="copy the folders there; implies --jobs 1")
    p.add_argument("--list", action="store_true")
    for name in flags:
        p.add_argument(name, action="store_true")
    o = p.parse_args()
    o.top = str(top)
    o.roots = {name: getattr(o, name.replace("-", "_")) for name in PACKAGES}
    o.build = os.path.abspath(o.build)
    o.results = o.results and os.path.abspath(o.results)
    return o


class OutOfTime(Exception):
    pass


def ring(*_):
    raise OutOfTime


def run_case(lab, case):
    """(result, cause)"""
    signal.signal(signal.SIGALRM, ring)
    signal.alarm(case.seconds)
    try:
        case.run(lab)
        return "OK", ""
    except Skip as e:
        return "SKIP", str(e)
    except Failed as e:
        return "FAIL", str(e)
    except OutOfTime:
        where = traceback.format_exc(limit=-3)
        return "TIMEOUT", f"not done after {case.seconds} s\n{where}"
    except Exception:
        return "FAIL", traceback.format_exc()
    finally:
        signal.alarm(0)


def chosen(o):
    for name in MODULES:
        importlib.import_module("cases." + name)
    return [c for c in CASES
            if (o.all or not c.long or o.only)
            and (not o.only or any(fnmatch.fnmatch(c.name, p)
                                   for p in o.only))]


def report(o, case, result, cause, seconds):
    word = {"OK": "ok", "SKIP": "skip"}.get(result, result)
    print(f"{word:8}{case.name} ({seconds:.1f} s)", flush=True)
    for line in cause.splitlines():
        print(f"        {line}", flush=True)
    if o.results:
        with open(o.results, "a", encoding="utf-8") as f:
            f.write(json.dumps({"name": case.name, "result": result,
                                "cause": cause, "seconds": seconds}) + "\n")


def work(o, cases):
    """A worker: whatever cases it gets, in a laboratory that it makes."""
    reason = space.enter()
    if reason:
        for n in workers.taken():
            report(o, cases[n], "SKIP", reason, 0)
        return 0
    space.settle()
    from lab.world import Lab
    lab = Lab(o)
    bad = 0
    try:
        for n in workers.taken():
            start = time.monotonic()
            result, cause = run_case(lab, cases[n])
            bad += result not in ("OK", "SKIP")
            faults = lab.own_faults()
            if faults and result == "OK":
                result, cause = "FAIL", "in the log:\n" + "".join(faults[:40])
                bad += 1
            lab.clean()
            report(o, cases[n], result, cause, time.monotonic() - start)
    finally:
        lab.clean()
        if o.keep:
            # Sockets can't be copied; that is no trouble.
            subprocess.run(["cp", "-rT", lab.dir, o.keep], check=False,
                           stderr=subprocess.DEVNULL)
        lab.close()
    return 1 if bad else 0


def main():
    o = options()
    cases = chosen(o)
    if o.list:
        for c in cases:
            print(f"{c.name}: {c.about}")
        return 0
    if workers.is_one():
        return work(o, cases)
    together = [n for n, c in enumerate(cases) if not c.alone]
    alone = [n for n, c in enumerate(cases) if c.alone]
    good = workers.run(1 if o.keep else o.jobs, together)
    return 0 if workers.run(1, alone) and good else 1


if __name__ == "__main__":
    sys.exit(main())
