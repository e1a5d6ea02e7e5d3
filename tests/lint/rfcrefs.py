#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""docs/rfc-index.md is kept: rows in the order of their numbers, no RFC twice,
the folders and files that a row names exist, and a row that says "yes" or "in
part" is cited in at least one of them.  (That each RFC cited in the code has a
row is checked by docs.py.)"""

import re

import tree

INDEX = "docs/rfc-index.md"
RFC = re.compile(r"\bRFC (\d{3,5})\b")
PLACE = re.compile(r"`([^`]+)`")
CODE = (".c", ".h", ".def")


def rows(root):
    """(line, numbers, state, places)"""
    for n, line in enumerate(tree.text(root, INDEX).splitlines(), 1):
        cells = [c.strip() for c in line.strip("|").split("|")]
        if line.startswith("| RFC ") and len(cells) == 4:
            numbers = [int(x) for x in RFC.findall(cells[0])]
            if numbers:
                yield n, numbers, cells[2], PLACE.findall(cells[3])


def cited_in(root, place, names):
    """The RFCs that a folder or file cites."""
    inside = [n for n in names if n == place or
              (place.endswith("/") and n.startswith(place))]
    return {int(x) for n in inside for x in RFC.findall(tree.text(root, n))}


def check(root):
    found, seen, last = [], set(), 0
    names = [n for n in tree.files(root) if n.endswith(CODE)]
    for n, numbers, state, places in rows(root):
        where = f"{INDEX}:{n}:"
        if numbers[0] < last:
            found.append(f"{where} RFC {numbers[0]} stands behind {last}")
        last = numbers[0]
        found += [f"{where} RFC {x} has two rows" for x in numbers
                  if x in seen]
        seen.update(numbers)
        found += [f"{where} {p} does not exist" for p in places
                  if not (root / p).exists()]
        cited = set().union(*(cited_in(root, p, names) for p in places))
        if state.startswith(("yes", "in part")) and not cited & set(numbers):
            found.append(f"{where} none of RFC "
                         f"{', '.join(map(str, numbers))} is cited there")
    if not seen:
        found.append(f"{INDEX}:1: there are no rows")
    return found


if __name__ == "__main__":
    tree.main(check)
