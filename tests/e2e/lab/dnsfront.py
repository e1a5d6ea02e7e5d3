# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A name server with faults, in front of one without: what is asked of it, it
asks there, and for some names it does what broken servers and people on the
path do."""

import socket
import struct
import threading

TYPES = {1: "A", 2: "NS", 5: "CNAME", 15: "MX", 16: "TXT", 28: "AAAA",
         43: "DS", 48: "DNSKEY", 52: "TLSA"}


def question(packet):
    """(name in lower case, type, where the question ends)"""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    kind, = struct.unpack_from("!H", packet, at + 1)
    return ".".join(labels).lower(), TYPES.get(kind, str(kind)), at + 5


class Front:
    """faults: {(name, type or "*"): fault}, also for all below a name that
    begins with a dot:
    silent    no answer
    servfail  SERVFAIL
    unsigned  the true answer without its signatures
    nxdomain  there is no such name

    every: the fault of all names that have none of their own."""

    def __init__(self, address, behind, faults):
        self.behind, self.faults = behind, faults
        self.every = None
        self.asked = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        threading.Thread(target=self.run, daemon=True).start()

    def close(self):
        self.sock.sendto(b"", self.sock.getsockname())      # wakes run()

    def fault(self, name, kind):
        at = name
        while at:
            for key in ((at, kind), (at, "*")):
                if key in self.faults:
                    return self.faults[key]
            if at.startswith("."):
                at = at[1:].partition(".")[2]
                at = at and "." + at
            else:
                at = "." + at
        return self.every

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as up:
            up.connect(self.behind)
            up.settimeout(2)
            while True:
                try:
                    packet, source = self.sock.recvfrom(4096)
                except OSError:
                    packet = b""
                if not packet:
                    self.sock.close()
                    return
                self.answer(up, packet, source)

    def answer(self, up, packet, source):
        name, kind, end = question(packet)
        self.asked.append((name, kind))
        fault = self.fault(name, kind)
        if fault == "silent":
            return
        if fault in ("servfail", "nxdomain"):
            rcode = b"\x80\x02" if fault == "servfail" else b"\x84\x03"
            self.sock.sendto(packet[:2] + rcode + b"\0\1\0\0\0\0\0\0"
                             + packet[12:end], source)
            return
        if fault == "unsigned":         # asked without DO
            packet = packet[:10] + b"\0\0" + packet[12:end]
        try:
            up.send(packet)
            got = up.recv(4096)
            while got[:2] != packet[:2]:
                got = up.recv(4096)
        except OSError:
            return
        self.sock.sendto(got, source)
