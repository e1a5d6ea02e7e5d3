#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Another MIME library reads the same in a message and in its 7-bit form:

    mime7_decode.py MIME7_FILES

Messages are made at random, but the same ones in each run; content, types and
structure as Python's email package decodes them must be equal, and what came out
must be 7-bit with lines that SMTP allows."""

import email
import pathlib
import random
import subprocess
import sys
import tempfile

MESSAGES = 400
PLAIN, CONVERT = 0, 1
WORDS = ["a", "-", "--", "--b0", "=", "=3D", ".", "..", "From ", "\t", " ",
         "caf\xe9", "\xff\x80", "\u0416\u0438\u0437\u043d\u044c", "\u4f60\u597d",
         "x" * 70, "y" * 990, "end ", "--b1--x", "\0", "\x7f"]


class Maker:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.n = 0

    def text(self, eight):
        lines = []
        for _ in range(self.rnd.randrange(12)):
            words = self.rnd.choices(WORDS, k=self.rnd.randrange(8))
            lines.append(b"".join(
                w.encode("utf-8" if self.rnd.random() < .7 else "latin-1",
                         "ignore") for w in words))
        got = b"\r\n".join(lines)
        if not eight:
            got = bytes(c for c in got if c < 128)
        # A delimiter of an enclosing part would be one.
        return b"\r\n".join(b"." + x if x.startswith(b"--b") else x
                            for x in got.split(b"\r\n"))

    def leaf(self):
        kind = self.rnd.choice(["text/plain; charset=utf-8", "text/html",
                                "image/png", "application/x-any", None])
        eight = self.rnd.random() < .6
        label = self.rnd.choice(["8bit", "binary", None, "7bit"] if eight
                                else ["7bit", None, "8bit"])
        head = []
        if kind:
            head.append(self.case("Content-Type") + ": " + kind)
        if label:
            head.append(self.case("Content-Transfer-Encoding") + ": " + label)
        head.append("X-Other: folded\r\n text")
        self.rnd.shuffle(head)
        return head, self.text(eight)

    def case(self, name):
        return self.rnd.choice([name, name.lower(), name.upper()])

    def multipart(self, depth):
        self.n += 1
        mark = self.rnd.choice([f"b{self.n}", f"=_b {self.n}?x", "-" * 20
                                + str(self.n)])
        head = [f'Content-Type: multipart/mixed;\r\n boundary="{mark}"',
                self.rnd.choice(["Content-Transfer-Encoding: 8bit", "X-Y: z"])]
        body = b"preamble\r\n" if self.rnd.random() < .3 else b""
        for _ in range(self.rnd.randrange(1, 4)):
            body += b"--" + mark.encode() + b"\r\n"
            body += self.entity(depth + 1) + b"\r\n"
        body += b"--" + mark.encode() + b"--"
        return head, body + self.rnd.choice([b"", b"\r\n", b"\r\nepilogue\r\n"])

    def message(self, depth):
        head = ["Content-Type: message/rfc822",
                self.rnd.choice(["Content-Transfer-Encoding: 8bit", "A: b"])]
        return head, self.entity(depth + 1)

    def entity(self, depth=0):
        draw = self.rnd.random()
        if depth < 4 and draw < .35:
            head, body = self.multipart(depth)
        elif depth < 4 and draw < .5:
            head, body = self.message(depth)
        else:
            head, body = self.leaf()
        if depth == 0:
            head = ["Subject: x", "MIME-Version: 1.0"] + head
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def facts(part):
    """What a reader of the part gets; a label may change, content may not."""
    kind = part.get_content_type()
    if part.is_multipart():
        return [kind, [facts(p) for p in part.get_payload()]]
    return [kind, part.get_content_charset() or "", part["X-Other"],
            part.get_payload(decode=True)]


def known(got):
    """A charset is added where nobody said one."""
    return [known(x) if isinstance(x, list) else
            "" if x == "unknown-8bit" else x for x in got]


def check(before, after, verdict):
    if verdict == PLAIN:
        return "8-bit" if any(c > 127 for c in before) else None
    if verdict != CONVERT:
        return f"refused: {verdict}"
    if any(c > 127 for c in after):
        return "not 7-bit"
    most = max(len(x) for x in before.split(b"\r\n"))
    if any(len(x) > max(76, most) for x in after.split(b"\r\n")):
        return "a line has grown"
    if after.replace(b"\r\n", b"").translate(None, b"\r\n") != \
            after.replace(b"\r\n", b""):
        return "a bare line end"
    a, b = (known(facts(email.message_from_bytes(x))) for x in (before, after))
    if a != b:
        return f"reads otherwise: {a} {b}"
    return None


def main():
    with tempfile.TemporaryDirectory() as tmp:
        paths = [pathlib.Path(tmp, str(i)) for i in range(MESSAGES)]
        for i, p in enumerate(paths):
            p.write_bytes(Maker(i).entity())
        said = subprocess.run([sys.argv[1], *map(str, paths)], check=True,
                              capture_output=True, text=True).stdout.split()
        converted = 0
        for p, verdict in zip(paths, map(int, said), strict=True):
            before, out = p.read_bytes(), pathlib.Path(f"{p}.out")
            after = out.read_bytes() if out.exists() else b""
            trouble = check(before, after, verdict)
            if trouble:
                print(f"message {p.name}: {trouble}\n--- before\n{before!r}\n"
                      f"--- after\n{after!r}")
                return 1
            converted += verdict == CONVERT
    print(f"{converted} of {MESSAGES} converted")
    return 0 if converted > MESSAGES // 3 else 1


if __name__ == "__main__":
    sys.exit(main())
