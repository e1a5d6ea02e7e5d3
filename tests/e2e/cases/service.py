# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Under a service manager: what it is told, and that what the unit leaves of
the parent's privileges is enough."""

import contextlib
import os
import queue
import re
import shutil
import signal
import socket
import ssl
import threading
import time

from lab import space
from lab.case import Skip, case, expect, expect_equal
from lab.load import Client
from cases.lifecycle import one_message

CAPABILITIES = re.compile(r"^CapabilityBoundingSet=(.*)$", re.M)


class Manager:
    """Listens as systemd does at NOTIFY_SOCKET."""

    def __init__(self, lab, name):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(name if name[0] == "/" else "\0" + name[1:])
        # Read at once: the kernel keeps ten of them.
        self.said = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        os.environ.update(NOTIFY_SOCKET=name, WATCHDOG_USEC="400000")
        lab.later(self.close)

    def read(self):
        try:
            while said := self.sock.recv(1000):
                self.said.put(said.decode())
        except OSError:
            pass                # closed

    def close(self):
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
            os.environ.pop(name, None)
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)
        self.sock.close()

    def hear(self, want):
        """Until something that starts so is said; returns what was said before it."""
        before = []
        while True:
            got = self.said.get(timeout=20)
            if got.startswith(want):
                return before
            before.append(got)


@case(seconds=60)
def service_notify(lab):
    """READY=1 when all is up, WATCHDOG=1 in half of its time, STOPPING=1; by a
    path and by an abstract name."""
    peer = lab.peer("127.0.1.5")
    for name in (f"{lab.dir}/notify", "@sealane-e2e"):
        manager = Manager(lab, name)
        s = lab.sealane("notify" + str(len(name)))
        expect_equal(set(manager.hear("READY=1")) - {"WATCHDOG=1"}, set(),
                     "said before READY=1")
        one_message(lab, s, peer)
        start = time.monotonic()
        for _ in range(5):
            manager.hear("WATCHDOG=1")
        expect(time.monotonic() - start < 10, "the watchdog is fed too late")
        for pid, title in s.pids().items():
            with open(f"/proc/{pid}/environ", "rb") as f:
                told = b"NOTIFY_SOCKET" in f.read()
            expect(not told or title.startswith("parent"),
                   f"{title} knows the manager's socket")
        s.proc.send_signal(signal.SIGHUP)
        manager.hear("RELOADING=1\nMONOTONIC_USEC=")
        manager.hear("READY=1")
        expect_equal(s.stop(), 0, "exit")
        manager.hear("STOPPING=1")
        manager.close()


@case(seconds=30)
def service_capabilities(lab):
    """The capabilities of etc/sealane.service are enough to start and end."""
    if space.mode() == "single" or not shutil.which("setpriv"):
        raise Skip("not root, or no setpriv")
    with open(f"{lab.options.top}/etc/sealane.service", encoding="ascii") as f:
        names = CAPABILITIES.search(f.read())[1].split()
    keep = ",".join("+" + n.lower().removeprefix("cap_") for n in names)
    wrapper = f"{lab.dir}/as-the-unit"
    with open(wrapper, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexec setpriv --no-new-privs --bounding-set "
                f"-all,{keep} --inh-caps -all {lab.program} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    s = lab.sealane("capabilities", program=wrapper)
    one_message(lab, s)
    expect_equal(s.stop(), 0, "exit")
    s.start()                   # over state that belongs to the roles now
    expect_equal(s.stop(), 0, "exit")


@case(seconds=40)
def service_credentials(lab):
    """Key and chain as systemd hands them over: files of root's in a folder that
    nobody else may enter."""
    if space.mode() == "single":
        raise Skip("not root")
    folder = f"{lab.dir}/credentials"
    os.mkdir(folder, 0o500)
    lab.make_pem(f"{folder}/own.pem", "relay.example.org")
    os.chmod(f"{folder}/own.pem", 0o400)
    os.environ["CREDENTIALS_DIRECTORY"] = folder
    lab.later(lambda: os.environ.pop("CREDENTIALS_DIRECTORY"))
    s = lab.sealane("credentials", more='tls { certificate "own" { '
                    'chain = "credential:own.pem"; '
                    'key = "credential:own.pem" } }')
    one_message(lab, s)
    with open(f"{folder}/own.pem", encoding="ascii") as f:
        pem = f.read()
    want = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT"):])
    c = Client()
    c.ehlo()
    c.starttls()
    expect_equal(c.sock.getpeercert(binary_form=True), want, "certificate")
    c.quit()
