# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Certificates: a root, an intermediate below it, and what they sign."""

import hashlib
import os
import subprocess


def spki_sha256(pem):
    """Of the key that the certificate in this file has, in hex."""
    key = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-pubkey"],
                         check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=key, check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


class Pki:
    """Files of root's, in a folder of their own: NAME.key, NAME.crt, and
    NAME.pem with the chain."""

    def __init__(self, lab, kind="rsa:2048"):
        self.dir = lab.folder("pki")
        self.make("root", None, kind, "", True)
        self.make("inter", "root", kind, "", True)

    def path(self, name, end):
        return f"{self.dir}/{name}.{end}"

    def run(self, *args, **how):
        return subprocess.run(["openssl", *args], check=True,
                              capture_output=True, **how).stdout

    def make(self, name, issuer, kind, hosts, ca=False, days="30",
             subject=None):
        """A key, and a chain from it to the intermediate.  kind: rsa:BITS, ec,
        or another's key: its name after "key:".  days: negative when it has
        expired."""
        key, crt = self.path(name, "key"), self.path(name, "crt")
        if kind.startswith("key:"):
            os.symlink(self.path(kind[4:], "key"), key)
            which = ["-new", "-key", key]
        else:
            which = ["-newkey", kind, "-nodes", "-keyout", key] + (
                ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else [])
        ext = (["-addext", "subjectAltName=" + ",".join(
            "DNS:" + h for h in hosts.split())] if hosts else [])
        signer = ["-CA", self.path(issuer, "crt"), "-CAkey",
                  self.path(issuer, "key")] if issuer else []
        old = days.startswith("-")
        self.run("req", *which, "-out", crt, "-subj", "/CN=" + (
            subject or (hosts.split() or [name])[0])[:64], "-x509", "-days",
            days.strip("-"), "-addext", "authorityKeyIdentifier=none", *ext,
            "-addext", "basicConstraints=critical,CA:" +
            ("TRUE" if ca else "FALSE"), *(() if old else signer))
        os.chmod(key, 0o600)
        if old:                 # req knows no such date, x509 its own alone
            self.run("x509", "-in", crt, "-days", days, "-out", crt + ".old",
                     *(signer + ["-CAcreateserial"] if signer else
                       ["-signkey", key]))
            os.replace(crt + ".old", crt)
        self.join(name, "pem", *((name,) if ca else (name, "inter")))
        return self

    def join(self, name, end, *parts, key=False):
        """A file with these certificates, behind the first one's key."""
        with open(self.path(name, end), "wb") as out:
            for part in ([(parts[0], "key")] if key else []) + [
                    (x, "crt") for x in parts]:
                with open(self.path(*part), "rb") as f:
                    out.write(f.read())
        return self.path(name, end)
