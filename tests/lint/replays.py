#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Each script of a peer's behaviour, server or client, says on top which section
of which RFC it is about, and docs/rfc-index.md knows that RFC."""

import re

import tree

FOLDERS = ("tests/replay/relay/", "tests/replay/smtpd/")
SECTION = re.compile(r"\bRFC (\d{3,5}) (?:sec|app) [0-9A-Z]")


def head(text):
    """The comment that a script begins with."""
    lines = text.splitlines()
    n = next((i for i, t in enumerate(lines) if not t.startswith("#")),
             len(lines))
    return " ".join(t.lstrip("# ") for t in lines[:n])


def check(root):
    known = set(re.findall(r"\bRFC (\d{3,5})\b",
                           tree.text(root, "docs/rfc-index.md")))
    found = []
    for name in tree.files(root):
        if not (name.startswith(FOLDERS) and name.endswith(".replay")):
            continue
        cited = SECTION.findall(head(tree.text(root, name)))
        if not cited:
            found.append(f"{name}:1: names no section of an RFC")
        found += [f"{name}:1: RFC {n} is not in docs/rfc-index.md"
                  for n in cited if n not in known]
    return found


if __name__ == "__main__":
    tree.main(check)
