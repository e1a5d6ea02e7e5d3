#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Add up what scripts/test ran.

Reads a folder: `failed` (one line per thing that could not even start),
`NAME.meson` (meson's testlog.json, one object a line), `NAME.cases` (the same
shape from our own runner: name, result, cause, seconds).  Prints each failure
with its output and each skip with its cause; the last line is the sum.  Exit 1
when anything failed or nothing passed."""

import json
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def cause_of_skip(entry):
    """A test that skips says why in its last line."""
    for stream in ("cause", "stdout", "stderr"):
        lines = [t for t in (entry.get(stream) or "").splitlines() if t.strip()]
        if lines:
            return lines[-1].strip()
    return "no cause given"


def read_entries(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if line.strip():
                yield json.loads(line)


def main():
    folder = pathlib.Path(sys.argv[1])
    passed, failed, skipped = 0, 0, 0
    if (folder / "failed").exists():
        for line in (folder / "failed").read_text().splitlines():
            print(f"FAILED  {line}")
            failed += 1
    for path in sorted([*folder.glob("*.meson"), *folder.glob("*.cases")]):
        group = path.stem
        for entry in read_entries(path):
            name = f"{group}: {entry['name']}"
            if entry["result"] in PASSED:
                passed += 1
            elif entry["result"] in SKIPPED:
                skipped += 1
                print(f"skipped {name}: {cause_of_skip(entry)}")
            else:
                failed += 1
                print(f"FAILED  {name}: {entry['result']}")
                for stream in ("cause", "stdout", "stderr"):
                    for line in (entry.get(stream) or "").splitlines()[-60:]:
                        print(f"        {line}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
