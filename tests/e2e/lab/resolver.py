# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""A validating resolver for MTAs that trust the AD bit of the one that they
ask: libunbound behind sockets."""

import concurrent.futures
import ctypes
import socket
import struct


UDP_MOST = 1232


def end_of_question(packet):
    at = 12
    while packet[at]:
        at += 1 + packet[at]
    return at + 5


def name_of(packet):
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]])
        at += 1 + packet[at]
    return b".".join(labels) or b"."


class Result(ctypes.Structure):
    """struct ub_result of unbound.h."""
    _fields_ = [
        ("qname", ctypes.c_char_p), ("qtype", ctypes.c_int),
        ("qclass", ctypes.c_int), ("data", ctypes.c_void_p),
        ("len", ctypes.c_void_p), ("canonname", ctypes.c_char_p),
        ("rcode", ctypes.c_int), ("answer_packet", ctypes.c_void_p),
        ("answer_len", ctypes.c_int), ("havedata", ctypes.c_int),
        ("nxdomain", ctypes.c_int), ("secure", ctypes.c_int),
        ("bogus", ctypes.c_int), ("why_bogus", ctypes.c_char_p),
        ("was_ratelimited", ctypes.c_int), ("ttl", ctypes.c_int)]


class Resolver:
    """hints, anchor: files."""

    def __init__(self, address, hints, anchor):
        self.lib = ctypes.CDLL("libunbound.so.8")
        self.lib.ub_ctx_create.restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(self.lib.ub_ctx_create())
        for name, value in (("do-not-query-localhost:", "no"),
                            ("root-hints:", hints)):
            self.must(self.lib.ub_ctx_set_option(
                self.ctx, name.encode(), value.encode()))
        self.must(self.lib.ub_ctx_add_ta_file(self.ctx, anchor.encode()))
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 53))
        self.tcp = socket.create_server((address, 53))
        self.pool = concurrent.futures.ThreadPoolExecutor(32)
        self.pool.submit(self.run)
        self.pool.submit(self.run_tcp)

    def close(self):
        self.sock.sendto(b"", self.sock.getsockname())      # wakes run()
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        self.pool.shutdown()

    @staticmethod
    def must(rc):
        if rc != 0:
            raise OSError(f"libunbound: {rc}")

    def run(self):
        while True:
            packet, source = self.sock.recvfrom(4096)
            if not packet:
                return
            self.pool.submit(self.by_udp, packet, source)

    def by_udp(self, packet, source):
        got = self.answer(packet)
        if len(got) > UDP_MOST:         # TC
            got = got[:2] + bytes([got[2] | 2]) + got[3:4] \
                + b"\0\1\0\0\0\0\0\0" + packet[12:end_of_question(packet)]
        self.sock.sendto(got, source)

    def run_tcp(self):
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            self.pool.submit(self.by_tcp, s)

    def by_tcp(self, s):
        with s, s.makefile("rb") as f:
            s.settimeout(20)
            while len(head := f.read(2)) == 2:
                got = self.answer(f.read(int.from_bytes(head)))
                s.sendall(len(got).to_bytes(2) + got)

    def answer(self, packet):
        end = end_of_question(packet)
        kind, = struct.unpack_from("!H", packet, end - 4)
        found = ctypes.POINTER(Result)()
        rc = self.lib.ub_resolve(self.ctx, name_of(packet), kind, 1,
                                 ctypes.byref(found))
        r = found.contents if rc == 0 else None
        if r is None or r.bogus or r.rcode not in (0, 3) or not r.answer_len:
            got = (packet[:2] + b"\x81\x82\0\1\0\0\0\0\0\0"
                   + packet[12:end])
        else:
            got = bytearray(ctypes.string_at(r.answer_packet, r.answer_len))
            got[:2] = packet[:2]
            got[2], got[3] = 0x81, 0x80 | (0x20 if r.secure else 0) | r.rcode
        if found:
            self.lib.ub_resolve_free(found)
        return bytes(got)
