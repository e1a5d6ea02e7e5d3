#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Report only: files and functions that have outgrown our habits.  Never
fails; a reader decides."""

import re
import sys

import tree

FILE, FUNCTION, WIDTH = 400, 40, 80


def functions(lines):
    """(name, length): a definition's name starts a line, { and } alone do."""
    name = start = None
    for n, line in enumerate(lines):
        m = re.match(r"([a-z_][a-z0-9_]*)\(", line)
        if m:
            name = m[1]
        elif line == "{" and name:
            start = n
        elif line == "}" and name and start is not None:
            yield name, n - start + 1
            name = start = None


def check(root):
    big, long, wide, total = [], [], 0, 0
    for name in tree.files(root):
        if not name.endswith((".c", ".h")):
            continue
        lines = tree.text(root, name).splitlines()
        total += len(lines)
        wide += sum(len(t.expandtabs(8)) > WIDTH for t in lines)
        if len(lines) > FILE:
            big.append((len(lines), name))
        long += [(size, f"{name}: {f}") for f, size in functions(lines)
                 if size > FUNCTION]
    print(f"{total} lines of C, {wide} over {WIDTH} columns")
    for what, rows in (("files", big), ("functions", long)):
        for size, name in sorted(rows, reverse=True):
            print(f"{size:6} lines: {name} ({what})")
    return []


if __name__ == "__main__":
    sys.exit(tree.main(check))
