# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Private keys are in the memory of `keys` and nowhere else, however many
handshakes the others have made."""

import os
import re
import ssl
import subprocess
import threading

from lab.case import Skip, case, expect, expect_equal, wait_until
from lab.load import Client
from lab.sealane import role_pids
from cases.lifecycle import one_message

# Parts of a key as openssl prints them, that only its owner may know.
SECRET = re.compile(r"^(priv|privateExponent|prime1|prime2|exponent1|exponent2|"
                    r"coefficient):\s*\n((?: +[0-9a-f:]+\n)+)", re.M)
IN_USE = {"ecdsa.key", "rsa.key"}
PIECE = 16          # bytes in a row that are no accident


def pieces(number):
    """What of a number to look for: its head and tail, in either order of
    bytes (libraries keep them as text, big-endian, or in words from the least
    on)."""
    for way in (number, number[::-1]):
        yield way[:PIECE]
        yield way[-PIECE:]


def needles(state):
    """{piece: where it is from} of every private key there is."""
    found = {}
    for name in sorted(os.listdir(f"{state}/keys")):
        path = f"{state}/keys/{name}"
        with open(path, "rb") as f:
            pem = f.read()
        if b"PRIVATE KEY" not in pem:
            continue
        for line in pem.splitlines()[2:-2]:
            found[line[:40]] = f"{name} as PEM"
        text = subprocess.run(["openssl", "pkey", "-in", path, "-noout",
                               "-text"], capture_output=True, text=True,
                              check=True).stdout
        for part, digits in SECRET.findall(text):
            number = bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits))
            for piece in pieces(number.lstrip(b"\0")):
                found[piece] = f"{name} {part}"
    expect_equal({w.split()[0] for w in found.values()},
                 IN_USE | {"next-" + name for name in IN_USE}, "private keys")
    return found


def memory(pid):
    """Every readable stretch of a process's memory."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end, mode in re.findall(
                r"^([0-9a-f]+)-([0-9a-f]+) (\S+)", maps.read(), re.M):
            if mode[0] != "r":
                continue
            at, end = int(start, 16), int(end, 16)
            mem.seek(at)
            try:
                yield mem.read(end - at)
            except OSError:
                pass            # [vvar] cannot be read


def secrets_in(pid, wanted):
    return {where for stretch in memory(pid)
            for piece, where in wanted.items() if piece in stretch}


def context(rsa):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    if rsa:
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
        ctx.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    return ctx


def handshakes(count, open_ones):
    """In four threads; every tenth with the RSA key.  The last connections stay
    open, into `open_ones`."""
    contexts, done, lock = (context(False), context(True)), [0], threading.Lock()

    def run():
        while True:
            with lock:
                done[0] += 1
                n = done[0]
            if n > count:
                return
            c = Client(timeout=60)
            c.ehlo()
            c.cmd("STARTTLS", 220)
            c.sock = contexts[n % 10 == 0].wrap_socket(c.sock)
            c.ehlo()
            if n > count - 20:
                open_ones.append(c)
            else:
                c.close()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def scan(lab, count):
    s = lab.sealane("memory")
    one_message(lab, s)
    wanted, open_ones = needles(s.state), []
    try:
        seen = {t: secrets_in(p, wanted) for p, t in role_pids().items()
                if t.startswith("keys")}
    except PermissionError as e:
        raise Skip("no right to read the memory of a process") from e
    # Or the search would find nothing anywhere.
    expect(len(seen) > 1, f"processes with keys: {list(seen)}")
    numbers = {w for w in wanted.values()
               if w.split()[0] in IN_USE and not w.endswith("PEM")}
    for title, found in seen.items():
        expect(numbers <= found, f"not in {title}: {numbers - found}")
        # The next keys are made by keys 1, which forgets them; of what it has
        # freed there may be pieces for a while.
        others = {w for w in found if w.split()[0] not in IN_USE}
        expect(title == "keys 1" or not others, f"{title} has {others}")
    handshakes(count, open_ones)
    expect(len(open_ones) == 20, f"{len(open_ones)} connections are open")
    for pid, title in role_pids().items():
        if not title.startswith("keys"):
            got = secrets_in(pid, wanted)
            expect(not got, f"{title} has of private keys: {got}")
    for c in open_ones:
        c.close()
    wait_until(s.takes_mail, 10, "mail is taken")


@case(seconds=150)
def memory_no_keys(lab):
    """200 handshakes, ECDSA and RSA: no byte of a private key outside keys."""
    scan(lab, 200)


@case(seconds=600, long=True)
def memory_no_keys_long(lab):
    """The same after 10,000."""
    scan(lab, 10000)
