#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""mandoc -T lint of every manual page in docs/man/."""

import re
import subprocess

import tree


def check(root):
    found = []
    pages = [n for n in tree.files(root)
             if re.match(r"docs/man/.*\.\d$", n)]
    for page in pages:
        got = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", str(root / page)],
            capture_output=True, text=True, check=False)
        found += [t.replace("mandoc: ", "").replace(str(root) + "/", "")
                  for t in (got.stdout + got.stderr).splitlines()]
    return found


if __name__ == "__main__":
    tree.main(check)
