# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Workers: the program runs itself several times, and all take the numbers of
their cases from one pipe, so that nobody waits while there is work."""

import ctypes
import os
import signal
import struct
import subprocess
import sys

MARK = "SEALANE_E2E_CASES"
NUMBER = struct.Struct("=H")
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def is_one():
    return MARK in os.environ


def taken():
    """The numbers that this worker gets, each as it asks for it."""
    pipe = int(os.environ[MARK])
    os.set_inheritable(pipe, False)
    while number := os.read(pipe, NUMBER.size):
        yield NUMBER.unpack(number)[0]


def die_with_parent():
    # SIGKILL: unshare waits for its child through any other.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(jobs, numbers):
    """Share the cases out; False if any has failed.  A worker says itself what
    became of a case; one that died of something else is named here."""
    out, into = os.pipe()
    os.write(into, b"".join(map(NUMBER.pack, numbers)))
    os.close(into)
    started = [subprocess.Popen([sys.executable, *sys.argv], pass_fds=(out,),
                                env={**os.environ, MARK: str(out)},
                                preexec_fn=die_with_parent)
               for _ in range(min(jobs, len(numbers)))]
    good = True
    for worker in started:
        code = worker.wait()
        if code not in (0, 1):
            print(f"FAIL    a worker ended with {code}", flush=True)
        good = good and code == 0
    lost = bool(os.read(out, NUMBER.size))
    if lost:
        print("FAIL    cases were left that nobody took", flush=True)
    os.close(out)
    return good and not lost
