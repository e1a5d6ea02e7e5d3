#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The maps are true: each file that docs/flow.md, HACKING.md and README.md
name exists, HACKING.md names each top-level folder, and each RFC cited in the
code stands in docs/rfc-index.md."""

import re

import tree

MAPS = ("docs/flow.md", "HACKING.md", "README.md")
# `folder/file.c`, `folder/file.c:function`, `folder/`, scripts/start args
NAME = re.compile(r"`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?)(?:[: ][^`]*)?`")
KNOWN = (".c", ".h", ".def", ".py", ".md", ".build", ".sysusers", ".txt")
# Made by building, running, or by what a reader is told to add.
MADE = re.compile(r"^(build|var|\.cache)\b|NAME|FOLDER")
RFC = re.compile(r"\bRFC (\d{3,5})\b")


def names_in(body):
    for n, line in enumerate(body.splitlines(), 1):
        for m in NAME.finditer(line):
            name = m[1]
            if MADE.search(name):
                continue
            if name.endswith(KNOWN) or ("/" in name and not
                                        name.startswith("/")):
                yield n, name


def check_maps(root, found):
    for map_ in MAPS:
        if not (root / map_).is_file():
            found.append(f"{map_}:1: is missing")
            continue
        for n, name in names_in(tree.text(root, map_)):
            if not (root / name).exists():
                found.append(f"{map_}:{n}: {name} does not exist")


def check_folders(root, found):
    hacking = root / "HACKING.md"
    body = tree.text(root, "HACKING.md") if hacking.is_file() else ""
    tops = {n.split("/")[0] for n in tree.files(root) if "/" in n}
    for top in sorted(tops):
        if f"{top}/" not in body:
            found.append(f"HACKING.md:1: {top}/ is not on the map")


def check_rfcs(root, found):
    index = root / "docs/rfc-index.md"
    if not index.is_file():
        found.append("docs/rfc-index.md:1: is missing")
        return
    listed = set(RFC.findall(tree.text(root, "docs/rfc-index.md")))
    for name in tree.files(root):
        if not name.endswith((".c", ".h", ".def")):
            continue
        for n, line in enumerate(tree.text(root, name).splitlines(), 1):
            for rfc in RFC.findall(line):
                if rfc not in listed:
                    found.append(f"{name}:{n}: RFC {rfc} is not in "
                                 "docs/rfc-index.md")


def check(root):
    found = []
    check_maps(root, found)
    check_folders(root, found)
    check_rfcs(root, found)
    return found


if __name__ == "__main__":
    tree.main(check)
