#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The client's side of the server transcripts (tests/replay/smtpd) against
Sealane, Postfix and Exim, side by side: a Markdown table of where their replies
differ.  --with-opensmtpd adds a column.  Not a test: it shows where we are alone.

scripts/compare-dialogues runs it.  Transcripts that steer what no client can
(the queue's answers, limits, time) are left out."""

import glob
import os
import re
import socket
import ssl
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import run                                          # noqa: E402
from lab import space                               # noqa: E402

STEERS = re.compile(r"(set|commit|spool|room|write|keys|timeout|shut|"
                    r"queue-lost)\b")
BYTES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
PATIENCE = 1.2          # seconds for a reply that does not come


def unescape(text):
    out, rest = b"", text
    while rest:
        m = re.match(r"\\x([0-9a-fA-F]{2})|\\(.)|([^\\]+)", rest, re.S)
        out += (bytes([int(m[1], 16)]) if m[1] else
                BYTES[m[2]] if m[2] else m[3].encode())
        rest = rest[m.end():]
    return out


class Script:
    """What the client sends between two waits, and how many replies Sealane
    gives to it: [(bytes, shown, replies)].  bytes None: the handshake."""

    def __init__(self, path):
        self.name = os.path.basename(path)[:-len(".replay")]
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        self.about = " ".join(t[1:].strip() for t in lines[:3]
                              if t.startswith("#"))
        self.steers = any(STEERS.match(t) for t in lines)
        self.steps = []
        self.data, self.shown, self.replies = b"", [], 0
        for line in lines:
            self.line(line)
        self.flush()

    def flush(self):
        if self.data or self.replies:
            self.steps.append((self.data, self.shown, self.replies))
        self.data, self.shown, self.replies = b"", [], 0

    def send(self, data, shown):
        if self.replies:
            self.flush()
        self.data += data
        self.shown.append(shown)

    def line(self, line):
        word, _, text = line.partition(" ")
        if word == "c:":
            self.send(text.encode() + b"\r\n", text)
        elif word == "c>":
            self.send(unescape(text), text)
        elif word == "crep":
            n, _, text = text.partition(" ")
            self.send((text.encode() + b"\r\n") * int(n), f"{text} x {n}")
        elif word == "s+" or (word == "s:" and text[3:4] != "-"):
            self.replies += 1
        elif word == "tls":
            self.flush()
            self.steps.append((None, ["(handshake)"], 0))


class Talk:
    """One connection: sends, and reads the codes of whole replies."""

    def __init__(self, address, port):
        self.sock = socket.create_connection((address, port), timeout=10)
        self.buf, self.open = b"", True

    def handshake(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock.settimeout(5)
        try:
            self.sock = context.wrap_socket(self.sock)
        except OSError:
            self.open = False

    def code(self, patience):
        """The next reply's code; None when none comes."""
        while True:
            line, newline, rest = self.buf.partition(b"\n")
            if newline:
                self.buf = rest
                if line[3:4] != b"-":
                    return line[:3].decode("latin-1")
                continue
            if not self.open:
                return None
            self.sock.settimeout(patience)
            try:
                got = self.sock.recv(65536)
            except TimeoutError:
                return None
            except OSError:
                got = b""
            if not got:
                self.open = False
            self.buf += got

    def step(self, data, replies):
        """Codes as one text: "250 354", "closed" at the end."""
        was_open, codes = self.open, []
        if data is None:
            self.handshake()
        elif data and self.open:
            try:
                self.sock.settimeout(10)
                self.sock.sendall(data)
            except OSError:
                pass
        for _ in range(replies):
            got = self.code(PATIENCE)
            if got is None:
                break
            codes.append(got)
        # One reply more than ours would be a difference, too.
        got = self.code(0.05)
        while got is not None:
            codes.append(got)
            got = self.code(0.05)
        if not self.open and was_open:
            codes.append("closed")
        return codes if was_open else None


def show_codes(codes):
    if codes is None:
        return ""
    out = []
    for c in codes:
        if out and out[-1][0] == c:
            out[-1][1] += 1
        else:
            out.append([c, 1])
    return " ".join(c if n == 1 else f"{c}x{n}" for c, n in out) or "(silence)"


def show_sent(shown):
    if not shown:
        return "(connects)"
    texts = []
    for t in shown:
        t = t if len(t) <= 60 else t[:50] + f"... ({len(t)})"
        texts.append(t.replace("|", "\\|").replace("`", "'"))
    if len(texts) > 5:
        texts[2:-2] = [f"... {len(texts) - 4} more ..."]
    return "`" + "` `".join(t or " " for t in texts) + "`"


def play(script, servers):
    """[(sent, {server: codes})].  A server whose answer leaves it in another
    state than Sealane is no longer played to: all that followed would differ."""
    rows = [(shown, {}) for _, shown, _ in script.steps]
    first = next(iter(servers))
    for name, (address, port) in servers.items():
        talk = Talk(address, port)
        going = True
        for (data, _, replies), (shown, codes) in zip(script.steps, rows):
            codes[name] = talk.step(data, replies) if going else None
            going = going and in_step(talk, shown, codes[first], codes[name])
        talk.sock.close()
    return rows


def in_step(talk, shown, ours, theirs):
    """Is that server where Sealane is?  One that began a transaction which
    Sealane refused is set back."""
    if ours is None or theirs is None:
        return False
    if [c[0] for c in ours] == [c[0] for c in theirs]:
        return True
    if (len(shown) == 1 and shown[0].upper().startswith("MAIL")
            and ours[0][0] == "5" and theirs == ["250"]):
        return talk.step(b"RSET\r\n", 1) == ["250"]
    return len(shown) == 1 and shown[0].upper().startswith("RCPT")


def offers(servers):
    found = {}
    for name, (address, port) in servers.items():
        talk = Talk(address, port)
        talk.code(5)
        talk.sock.sendall(b"EHLO c.test\r\n")
        talk.sock.settimeout(3)
        text = b""
        while not re.search(rb"^250 ", text, re.M):
            text += talk.sock.recv(4096)
        found[name] = {x.decode() for x in re.findall(
            rb"^250[- ]([A-Z0-9]+)", text.partition(b"\n")[2], re.M)}
        talk.sock.close()
    return found


def report(scripts, servers):
    names = list(servers)
    print("## What EHLO offers\n")
    found = offers(servers)
    print("| keyword | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for word in sorted(set.union(*found.values())):
        print(f"| {word} | " + " | ".join(
            "yes" if word in found[n] else "" for n in names) + " |")
    print("\n## Replies that differ\n")
    print("| transcript | the client sends | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 2) + "|")
    same = 0
    for script in scripts:
        rows = play(script, servers)
        differ = [(s, c) for s, c in rows
                  if any(x is not None and x != c[names[0]]
                         for x in c.values())]
        same += not differ
        for n, (shown, codes) in enumerate(differ):
            print(f"| {script.name if n == 0 else ''} | {show_sent(shown)} | "
                  + " | ".join(show_codes(codes[x]) for x in names) + " |")
        sys.stdout.flush()
    print(f"\n{len(scripts)} transcripts were played, all reply alike in "
          f"{same} of them.")


def main():
    o = run.options("--with-opensmtpd")
    scripts = [Script(p) for p in sorted(
        glob.glob(f"{o.top}/tests/replay/smtpd/*.replay"))]
    reason = space.enter()
    if reason:
        sys.exit(f"compare-dialogues: {reason}")
    space.settle()
    from lab.world import Lab
    lab = Lab(o)
    try:
        lab.peer("127.0.1.5", port=2626, starttls="none", store=False)
        lab.sealane("dialogues", via='via = "[127.0.1.5]:2626"')
        servers = {"Sealane": ("127.0.0.1", 2525),
                   "Postfix": (lab.postfix("smart").address, 25),
                   "Exim": (lab.mta("exim").address, 25)}
        if o.with_opensmtpd:
            servers["OpenSMTPD"] = (lab.mta("opensmtpd").address, 25)
        report([s for s in scripts if not s.steers], servers)
    finally:
        lab.close()


if __name__ == "__main__":
    main()
