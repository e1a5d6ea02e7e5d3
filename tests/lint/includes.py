#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Who may include whom: layers point downwards, each library stays in its
folder, and roles meet only in messages."""

import re

import tree

# A folder may include itself and what stands in its row.
LAYERS = {
    "base": [],
    "smtp": ["base"],
    "tls": ["base"],
    "dns": ["base"],
    "dane": ["base", "tls", "dns"],
    "mtasts": ["base", "tls", "dns"],
    "report": ["base", "smtp"],
}
PROTOCOLS = ["base", "smtp", "tls", "dns", "dane", "mtasts"]
ROLES = ["parent", "smtpd", "keys", "queue", "relay", "resolver", "policy",
         "fetch", "ledger", "access", "web"]
for role in ROLES:
    LAYERS[role] = PROTOCOLS + ["report"]
LAYERS["cli"] = PROTOCOLS + ["report"]

# One file knows all roles, by their one public header each.
ALL_ROLES = {"parent/roles.c": [f"{r}/{r}.h" for r in ROLES]}
# The program starts a role or a command: the parent's entry points.
PROGRAM = {"cli": ["parent/parent.h", "parent/roles.h"]}

LIBRARIES = [
    (re.compile(r"gnutls/"), ["tls/", "dane/", "keys/"], "GnuTLS"),
    (re.compile(r"unbound"), ["resolver/"], "libunbound"),
    (re.compile(r"sqlite3\.h"), ["base/db.c"], "SQLite"),
    (re.compile(r"seccomp\.h"), ["base/sandbox_"], "libseccomp"),
    (re.compile(r"uv\.h"), ["base/loop.c"], "libuv"),
    (re.compile(r"curl/"), ["fetch/"], "libcurl"),
    (re.compile(r"zlib\.h"), ["report/gunzip.c"], "zlib"),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def own(root, name, path, folders):
    """A complaint about an include of our own, or None."""
    folder, target = name.split("/")[0], path.split("/")[0]
    if folder == "tests" and ((root / name).parent / path).is_file():
        return None             # a fixture beside the test
    if target not in folders:
        return f'"{path}" is not rooted at the top of the tree'
    if target == folder or folder == "tests":
        return None
    if path in ALL_ROLES.get(name, []) or path in PROGRAM.get(folder, []):
        return None
    if target in LAYERS.get(folder, []):
        return None
    if target in ROLES and folder in ROLES:
        return f'"{path}": roles meet only in base/ipc/messages.def'
    return f'"{path}": {folder}/ may include ' + (
        ", ".join(LAYERS.get(folder, [])) or "nothing") + " only"


def library(name, path):
    if name.startswith("tests/"):
        return None
    for pattern, homes, what in LIBRARIES:
        if pattern.match(path) and not any(
                name == h or (h[-1] in "/_" and name.startswith(h))
                for h in homes):
            return f"<{path}>: {what} only in {', '.join(homes)}"
    return None


def check(root):
    names = [n for n in tree.files(root)
             if n.endswith((".c", ".h", ".def")) and "/" in n]
    folders = {n.split("/")[0] for n in names}
    found = []
    for name in names:
        for n, line in enumerate((tree.text(root, name) or "").splitlines(), 1):
            m = INCLUDE.match(line)
            if not m:
                continue
            quote, path = m.groups()
            wrong = own(root, name, path, folders) if quote == '"' else None
            wrong = wrong or library(name, path)
            if (not wrong and quote == '"' and not (root / path).is_file()
                    and not name.startswith("tests/")):
                wrong = f'"{path}" does not exist'
            if wrong:
                found.append(f"{name}:{n}: {wrong}")
    return found


if __name__ == "__main__":
    tree.main(check)
