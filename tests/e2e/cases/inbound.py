# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The receiving side over real sockets and real TLS."""

import ssl
import time

from lab.case import case, expect, expect_equal
from lab.load import Client, Reply

SENDER = "box0@home.example.org"


@case(seconds=40)
def inbound_starttls_injection(lab):
    """Bytes behind STARTTLS in the same segment close the connection, and
    nothing of them is run (RFC 3207, CVE-2011-0411)."""
    s = lab.sealane("inject")
    for tail in (f"MAIL FROM:<{SENDER}>\r\n", "NOOP\r\n", "x"):
        c = Client()
        c.ehlo()
        c.say("STARTTLS\r\n" + tail)
        got = []
        try:
            while True:
                got.append(c.line())
        except (ConnectionError, OSError):
            pass
        c.close()
        expect(not any(x.startswith(("2", "3")) for x in got),
               f"answered {got} to STARTTLS + {tail!r}")
        expect(len(got) <= 1, f"more than one reply: {got}")
    expect_equal(s.log("smtpd", "message"), [], "messages")
    c = Client()                        # and it still serves
    c.ehlo()
    c.starttls()
    c.ehlo()
    c.quit()


@case(seconds=40)
def inbound_tls_starts_anew(lab):
    """What was said before the handshake is forgotten: EHLO, MAIL."""
    lab.sealane("anew")
    c = Client()
    expect("STARTTLS" in c.ehlo(), "STARTTLS is not offered")
    c.cmd(f"MAIL FROM:<{SENDER}>", 250)
    try:
        c.starttls()
    except Reply as r:
        # Refusing STARTTLS inside a transaction is as good.
        expect_equal(r.code, 503, "STARTTLS inside a transaction")
        c.cmd("RSET", 250)
        c.starttls()
    code, text = c.cmd("RCPT TO:<x@tls.example.org>")
    expect_equal(code, 503, f"RCPT without MAIL after STARTTLS: {text}")
    lines = c.ehlo()
    expect("STARTTLS" not in lines, "STARTTLS is offered inside TLS")
    c.quit()


@case(seconds=40)
def inbound_versions(lab):
    """TLS 1.2 and 1.3 with an ECDSA and with an RSA certificate."""
    lab.sealane("versions")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        c = Client()
        c.ehlo()
        c.cmd("STARTTLS", 220)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        ctx.minimum_version = ctx.maximum_version = version
        c.sock = ctx.wrap_socket(c.sock)
        expect_equal(c.sock.version(),
                     version.name.replace("TLSv1_", "TLSv1."), "version")
        c.ehlo()
        c.quit()
    for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256",
                  "ECDHE-RSA-AES128-GCM-SHA256"):
        c = Client()
        c.ehlo()
        c.cmd("STARTTLS", 220)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
        ctx.set_ciphers(suite)
        c.sock = ctx.wrap_socket(c.sock)
        expect_equal(c.sock.cipher()[0], suite, "suite")
        c.ehlo()
        c.quit()


@case(seconds=60)
def inbound_smuggling(lab):
    """Only CRLF.CRLF ends DATA: every other ending stays content, and what
    follows it is no command."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("smuggle")
    inner = (f"MAIL FROM:<evil@home.example.org>{{0}}"
             f"RCPT TO:<x@sink.example.org>{{0}}DATA{{0}}"
             f"Subject: smuggled{{0}}{{0}}x")
    for end in ("\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r",
                "\r.\r\n", "\n.\r"):
        nl = "\n" if "\n" in end else "\r"
        c = Client()
        c.ehlo()
        c.cmd(f"MAIL FROM:<{SENDER}>", 250)
        c.cmd("RCPT TO:<x@sink.example.org>", 250)
        c.cmd("DATA", 354)
        c.say(f"Subject: outer\r\n\r\nbody{end}{inner.format(nl)}\r\n.\r\n")
        c.reply(250)
        code, _ = c.cmd("NOOP")
        expect_equal(code, 250, f"in step after {end!r}")
        c.quit()
    s.wait_empty()
    expect_equal(len(peer.messages), 7, "messages")
    for m in peer.messages:
        expect_equal(m.count(b"\n"), m.count(b"\r\n"), "bare LF was sent on")
        expect_equal(m.count(b"\r"), m.count(b"\r\n"), "bare CR was sent on")


@case(seconds=60)
def inbound_limits(lab):
    """Size by parameter and by content, long lines, nonsense: answered, and
    the connection or at least the process lives on."""
    s = lab.sealane("limits")
    c = Client()
    lines = c.ehlo()
    for word in ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"):
        expect(word in lines, f"EHLO lacks {word}")
    expect(f"SIZE {60 * 1024 * 1024}" in lines, f"EHLO: {lines}")
    code, _ = c.cmd(f"MAIL FROM:<{SENDER}> SIZE=99999999")
    expect_equal(code, 552, "SIZE too big")
    code, _ = c.cmd("BREW coffee")
    expect_equal(code, 500, "unknown command")
    c.say(b"NOOP " + b"x" * 100_000 + b"\r\n")
    try:
        code, _ = c.reply()
        expect_equal(code // 100, 5, "line of 100000 bytes")
    except (ConnectionError, OSError):
        pass
    c.close()
    before = s.pids()
    for junk in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
                 b"\x00" * 5000, b"\xff\xfe\r\n" * 500, b"\r\n" * 5000):
        c = Client()
        try:
            c.say(junk)
            time.sleep(0.1)
        except OSError:
            pass
        c.close()
    c = Client()
    c.ehlo()
    c.quit()
    expect_equal(s.pids(), before, "processes")


@case(seconds=60)
def inbound_chunking(lab):
    """BDAT over TLS, with chunks that cut lines anywhere, pipelined: what
    leaves by DATA is the same text, and nothing in it is a command."""
    peer = lab.peer("127.0.1.5")
    s = lab.sealane("chunking")
    text = (b"Subject: chunks\r\n\r\n.\r\n..\r\n.x\r\nQUIT\r\n" +
            b"0123456789 " * 300 + b"\r\n") * 40 + b"\r\n.\r\n"
    c = Client()
    c.ehlo()
    c.starttls()
    expect("CHUNKING" in c.ehlo(), "CHUNKING is not announced")
    for size in (1, 1000, 65536, len(text)):
        body = text[:size * 500]
        parts = [body[i:i + size] for i in range(0, len(body), size)]
        group = b"MAIL FROM:<%b>\r\nRCPT TO:<x@sink.example.org>\r\n" % (
            SENDER.encode())
        for p in parts:
            group += b"BDAT %d\r\n%b" % (len(p), p)
        c.say(group + b"BDAT 0 LAST\r\n")
        for _ in range(len(parts) + 3):
            c.reply(250)
        s.wait_empty()
        # DATA ends the last line, if the client did not.
        want = body if body.endswith(b"\r\n") else body + b"\r\n"
        got = peer.messages[-1]
        expect(got.startswith(b"Received: ") and got.endswith(want),
               f"chunks of {size}: other text came")
    expect_equal(len(peer.messages), 4, "messages")
    c.say(b"MAIL FROM:<>\r\nRCPT TO:<x@sink.example.org>\r\n"
          b"BDAT 100000 LAST\r\nhalf")
    c.reply(250)
    c.reply(250)
    c.close()
    c = Client()
    c.ehlo()
    code, _ = c.cmd("BDAT 6 LAST\r\nQUIT")
    expect_equal(code, 503, "BDAT without a transaction")
    c.cmd("NOOP", 250)
    c.quit()
    expect_equal(len(s.log("smtpd", "message")), 4, "accepted messages")


@case(seconds=60)
def inbound_long_lines(lab):
    """A command line of any length is answered, alone and in front of others:
    500 over the limit (RFC 5321 sec 4.5.3.1.4), and the session goes on."""
    lab.sealane("lines")
    c = Client(timeout=10)
    c.ehlo()
    for n in (*range(2030, 2060), 3000, 4096, 20_000):
        for behind in ("", "NOOP\r\n"):
            c.say("NOOP " + "x" * (n - 7) + "\r\n" + behind)
            code, _ = c.reply()
            expect_equal(code, 250 if n <= 2050 else 500, f"{n} octets")
            if behind:
                c.reply(250)
        if n % 4 == 0:          # errors are counted
            c.quit()
            c = Client(timeout=10)
            c.ehlo()
    c.quit()
