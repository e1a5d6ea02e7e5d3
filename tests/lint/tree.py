# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""What the lints share: which files there are, and how they complain.

A lint's main gets the root of the tree and returns complaints, each
"path:line: text".  Files are those git knows or would add; without git (a
tarball), all that are no build output."""

import pathlib
import subprocess
import sys

OUTPUT = (".git", ".cache", "var", "__pycache__")


def files(root):
    """Paths relative to the root, as text, sorted."""
    got = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, text=True, check=False)
    if got.returncode == 0 and got.stdout:
        names = set(got.stdout.split("\0")) - {""}
        return sorted(n for n in names if (root / n).is_file())
    return sorted(
        str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()
        and not any(part in OUTPUT or part.startswith("build")
                    for part in p.relative_to(root).parts[:1]))


def text(root, name):
    """The file's text, or None when it is no text."""
    data = (root / name).read_bytes()
    if b"\0" in data:
        return None
    return data.decode("utf-8", "replace")


def main(check):
    root = pathlib.Path(sys.argv[1]).resolve()
    complaints = check(root)
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{len(complaints)} complaint(s)")
    sys.exit(1 if complaints else 0)
