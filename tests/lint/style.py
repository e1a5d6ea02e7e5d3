#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Small rules for every text file: its licence on top, no marks of unfinished
work, no paths of somebody's machine, no unbounded string calls, no stray
white space."""

import re

import tree

CODE = (".c", ".h", ".def", ".py", ".sh")
# Assembled, so that this file does not complain about itself.
MARKS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3))
                   + r")\b")
MACHINE = re.compile(r"(?<![\w.])/(?:home/[a-z]|root/|work/|Users/|tmp/wt)")
UNBOUNDED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets)\s*\(")
# Fixtures are bytes as they were met.
FIXTURES = re.compile(r"^tests/.*/(data|corpus|fixtures|seeds)/|\.replay$|^COPYING$")


def first_lines(name, lines):
    head = [t for t in lines[:2] if not t.startswith("#!")]
    if not head or "SPDX-License-Identifier: ISC" not in head[0]:
        return [f"{name}:1: the first line is not the SPDX one"]
    return []


def is_code(name, lines):
    return name.endswith(CODE) or bool(lines and lines[0].startswith("#!"))


def line_rules(name, n, line, code):
    if line != line.rstrip():
        yield f"{name}:{n}: white space at the end"
    if "\r" in line:
        yield f"{name}:{n}: carriage return"
    if MARKS.search(line):
        yield f"{name}:{n}: mark of unfinished work"
    if MACHINE.search(line):
        yield f"{name}:{n}: path of one machine"
    if code and name.endswith((".c", ".h")) and UNBOUNDED.search(line):
        yield f"{name}:{n}: unbounded string call"
    if name.endswith((".c", ".h")) and line.startswith("        "):
        yield f"{name}:{n}: spaces where a tab belongs"


def check(root):
    found = []
    for name in tree.files(root):
        if FIXTURES.search(name):
            continue
        body = tree.text(root, name)
        if body is None:
            continue
        lines = body.split("\n")
        if body and lines[-1] != "":
            found.append(f"{name}:{len(lines)}: no newline at the end")
        code = is_code(name, lines)
        if code and body.strip():
            found += first_lines(name, lines)
        for n, line in enumerate(lines, 1):
            found += line_rules(name, n, line, code)
    return found


if __name__ == "__main__":
    tree.main(check)
