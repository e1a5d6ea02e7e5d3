# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""TLS as it is configured: listeners, versions, tickets, certificates."""

import os
import shutil
import socket
import ssl
import subprocess

from lab.case import case, expect, expect_equal, wait_until
from lab.load import Client
from lab.pki import Pki

SENDER = "box0@home.example.org"
TO = "x@sink.example.org"
BODY = b"Subject: tls\r\n\r\nbody\r\n"

PORTS = '''
listen "tls" { address = "127.0.0.1:4650"; tls = "implicit"
  relay-from = [ "127.0.0.0/8" ] }
listen "asks" { address = "127.0.0.1:2526"; client-certificates = "request"
  relay-from = [ "127.0.0.0/8" ] }
'''


def context(version=None, pem=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    if version:
        ctx.minimum_version = ctx.maximum_version = version
    if pem:
        ctx.load_cert_chain(pem)
    return ctx


def secure(ctx, port=2525, **how):
    """A client behind STARTTLS."""
    c = Client(port=port)
    c.ehlo()
    c.cmd("STARTTLS", 220)
    c.sock = ctx.wrap_socket(c.sock, **how)
    return c


def mail(c, subject="tls"):
    c.ehlo()
    c.send(SENDER, [TO], f"Subject: {subject}\r\n\r\nbody\r\n".encode())


@case(seconds=40)
def tls_implicit(lab):
    """A listener with TLS ahead of the greeting; clear text there ends."""
    lab.peer("127.0.1.5")
    s = lab.sealane("implicit", more=PORTS)
    expect("TLS from the start" in s.stdout(), s.stdout())
    got = lab.swaks("--server", "127.0.0.1:4650", "--tlsc", "--from", SENDER,
                    "--to", TO)
    expect_equal(got.returncode, 0, "swaks\n" + got.stdout + got.stderr)
    expect("STARTTLS" not in got.stdout, "STARTTLS inside TLS")
    came, = s.log("smtpd", "message")
    expect_equal((came["proto"], came["reached"], came["weak"], came["spki"]),
                 ("ESMTPS", "encrypted", "none", "none"), "message")
    said = subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:4650", "-quiet",
         "-verify_quiet"], input="QUIT\r\n", capture_output=True, text=True,
        timeout=20, check=False).stdout
    expect(said.startswith("220 relay.example.org") and "\n221 " in said,
           f"s_client: {said}")

    plain = socket.create_connection(("127.0.0.1", 4650), timeout=10)
    plain.sendall(f"EHLO a.example\r\nMAIL FROM:<{SENDER}>\r\n".encode())
    answer = b""
    while chunk := plain.recv(100):
        answer += chunk
    plain.close()
    expect(b"220" not in answer and b"250" not in answer,
           f"answered in clear: {answer}")
    failed, = s.log("smtpd", "handshake-failed")
    expect("plain text" in failed["reason"], failed["reason"])
    expect_equal(len(s.log("smtpd", "message")), 1, "messages")


@case(seconds=60)
def tls_old_versions(lab):
    """TLS 1.0 and 1.1 are taken and marked weak in log and report; with
    old-versions = false they are not taken."""
    lab.peer("127.0.1.5")
    s = lab.sealane("old")
    for version, name in ((ssl.TLSVersion.TLSv1, "TLS1.0"),
                          (ssl.TLSVersion.TLSv1_1, "TLS1.1"),
                          (ssl.TLSVersion.TLSv1_2, "TLS1.2")):
        c = secure(context(version))
        mail(c)
        c.quit()
        came = s.log("smtpd", "message", tls=name)
        expect_equal([(e["weak"], e["reached"]) for e in came],
                     [("none" if name == "TLS1.2" else "version",
                       "encrypted")], name)
    s.wait_empty()
    wait_until(lambda: s.json("report", "--direction", "in")["total"]
               ["recipients"] == 3, 10, "the report counts")
    total = s.json("report", "--direction", "in")["total"]
    expect_equal((total["weak"], total["levels"]["encrypted"]), (2, 3),
                 "report")
    expect("2 recipients had weak TLS" in s.cli("report"), "table")
    s.stop()

    s = lab.sealane("new", more="tls { old-versions = false }")
    try:
        secure(context(ssl.TLSVersion.TLSv1_1))
        expect(False, "TLS 1.1 was taken")
    except (ssl.SSLError, OSError):
        pass
    s.wait_log(5, "smtpd", "handshake-failed")
    secure(context(ssl.TLSVersion.TLSv1_2)).quit()


def resumes(version, ports):
    """Sessions one after the other, each with what the last one gave; how
    many of them were resumed."""
    ctx, session, n = context(version), None, 0
    for port in ports:
        c = secure(ctx, port, session=session)
        c.ehlo()
        n += c.sock.session_reused
        session = c.sock.session
        c.quit()
    return n


@case(seconds=60)
def tls_tickets(lab):
    """Off: none is given.  On: whichever smtpd is met, the session goes on,
    and the log says so."""
    lab.peer("127.0.1.5")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        s = lab.sealane(f"off{version}")
        expect_equal(resumes(version, [2525] * 4), 0, "resumed without")
        s.stop()
        s = lab.sealane(f"on{version}", more="tls { tickets = true }")
        expect_equal(resumes(version, [2525] * 12), 11, "resumed")
        ctx = context(version)
        c = secure(ctx)
        mail(c)
        again = secure(ctx, session=c.sock.session)
        mail(again)
        c.quit()
        again.quit()
        expect_equal([e["resumed"] for e in s.log("smtpd", "message")],
                     ["false", "true"], "log")
        s.stop()


@case(seconds=40)
def tls_client_certificate(lab):
    """Asked for where configured only; its key is in the message's line."""
    lab.peer("127.0.1.5")
    s = lab.sealane("asks", more=PORTS)
    pem = f"{lab.dir}/client.pem"
    lab.make_pem(pem, "client.example.org")
    der = subprocess.run(
        f"openssl x509 -in {pem} -pubkey -noout | openssl pkey -pubin "
        "-outform DER | sha256sum", shell=True, capture_output=True, text=True,
        check=True).stdout.split()[0]
    for port, given, want in ((2526, pem, der), (2526, None, "none"),
                              (2525, pem, "none")):
        c = secure(context(pem=given), port)
        mail(c)
        c.quit()
        expect_equal(s.log("smtpd", "message")[-1]["spki"], want,
                     f"port {port}")


class Served(Pki):
    """As certificates of Sealane."""

    def block(self, *names):
        return "tls {" + "".join(
            f'\n  certificate "{n}" {{ chain = "{self.path(n, "pem")}"\n'
            f'    key = "{self.path(n, "key")}" }}' for n in names) + " }"

    def shown(self, name, ciphers=None):
        """Who is served to a client that asks for that name and believes the
        root: the common name."""
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.load_verify_locations(self.path("root", "crt"))
        ctx.check_hostname = False
        if ciphers:
            ctx.maximum_version = ssl.TLSVersion.TLSv1_2
            ctx.set_ciphers(ciphers)
        c = secure(ctx, server_hostname=name)
        kind = c.sock.cipher()[0]
        subject = dict(x[0] for x in c.sock.getpeercert()["subject"])
        c.quit()
        return subject["commonName"], kind


@case(seconds=90)
def tls_certificates(lab):
    """Certificates of the configuration: by name, by wildcard, by kind of
    key; the whole chain is sent; nothing of it is in state/keys/."""
    lab.peer("127.0.1.5")
    pki = Served(lab)
    pki.make("ec", "inter", "ec", "relay.example.org mail.example.org")
    pki.make("rsa", "inter", "rsa:2048", "relay.example.org")
    pki.make("wild", "inter", "ec", "*.example.net")
    s = lab.sealane("own", more=pki.block("rsa", "ec", "wild"))
    out = s.stdout()
    for label in ("rsa", "ec", "wild"):
        expect(f'certificate "{label}", ' in out, out)
    for name, want in (("relay.example.org", "relay.example.org"),
                       ("mail.example.org", "relay.example.org"),
                       ("mx7.example.net", "*.example.net"),
                       ("a.b.example.net", "relay.example.org"),
                       ("unknown.example", "relay.example.org"),
                       (None, "relay.example.org")):
        expect_equal(pki.shown(name)[0], want, f"shown to {name}")
    for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256",
                  "ECDHE-RSA-AES128-GCM-SHA256"):
        expect_equal(pki.shown("relay.example.org", suite),
                     ("relay.example.org", suite), suite)
    expect_equal(pki.shown("mx7.example.net", "ECDHE-RSA-AES128-GCM-SHA256"),
                 ("relay.example.org", "ECDHE-RSA-AES128-GCM-SHA256"),
                 "a client without ECDSA asks for a name that has no RSA")
    expect_equal(os.listdir(f"{s.state}/keys"), [], "state/keys/")
    # keys and smtpd that die come back with the same ones.
    for role in ("keys", "smtpd"):
        for pid in s.pids(role):
            os.kill(pid, 9)
        wait_until(s.takes_mail, 15, f"mail is taken after {role} died")
    expect_equal(pki.shown("mx7.example.net")[0], "*.example.net", "after")


@case(seconds=60)
def tls_certificate_mistakes(lab):
    """check names file, line and column of each; serve ends with 64."""
    pki = Served(lab)
    pki.make("a", "inter", "ec", "relay.example.org")
    pki.make("b", "inter", "ec", "other.example.org")
    s = lab.sealane("bad", start=False, more=pki.block("a"))
    with open(s.conf, encoding="utf-8") as f:
        line = f.read().split("tls {")[0].count("\n") + 2

    def wrong(*want):
        text = s.cli("check", code=1) + s.err
        for w in want:
            expect(w in text, f"{w!r} is not in:\n{text}")
        s.start(wait=False)
        expect_equal(s.proc.wait(timeout=15), 64, "exit of serve")
        told = s.tail() + s.stdout()
        expect(want[0] in told, f"serve says:\n{told}")

    s.cli("check")
    expect("error" not in s.err, s.err)
    key, chain = pki.path("a", "key"), pki.path("a", "pem")
    os.chmod(key, 0o644)
    wrong(f":{line + 1}:11: error: {key} is a private key and open to "
          "everybody (mode 0644)")
    os.chmod(key, 0o600)
    os.chmod(chain, 0o666)
    wrong(f":{line}:29: error: group or others may write {chain}")
    os.chmod(chain, 0o644)
    shutil.copy(pki.path("b", "key"), key)
    wrong(f":{line + 1}:11: error: {key}: the key belongs to no certificate")
    shutil.copy(pki.path("b", "pem"), chain)
    s.cli("check")
    expect("no certificate is for hostname" in s.err, s.err)
    os.unlink(key)
    wrong(f":{line + 1}:11: error: {key}: No such file or directory")

    # What still works is a warning: the order, an issuer that is missing.
    pki.make("a", "inter", "ec", "relay.example.org")
    with open(chain, "rb") as f:
        parts = f.read().split(b"-----BEGIN")[1:]
    with open(chain, "wb") as f:
        f.writelines(b"-----BEGIN" + p for p in reversed(parts))
    s.cli("check")
    expect("in another order" in s.err, s.err)
    with open(chain, "wb") as f:
        f.write(b"-----BEGIN" + parts[0])
    s.cli("check")
    expect("senders who verify it will not believe it" in s.err, s.err)
