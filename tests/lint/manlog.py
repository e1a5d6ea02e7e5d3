#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""docs/man/sealane-log.5 and the code agree: in the page's section of a folder
(".Ss queue"; ".Ss all roles" for base/) there is one line

    .It Cm EVENT Ar KEY KEY ...

per event that the folder logs, with the keys in the order of the code.

Events are found at log_info("event", KV_x("key", ...)) and its brothers, at
log_event(level, "event" or a choice of two, ...), and at calls of functions
that take the event's name as a parameter called `event` (and a key as `key`)."""

import re

import tree

PAGE = "docs/man/sealane-log.5"
LOG = re.compile(r"\blog_(?:debug|info|warn|error|event|signal)\s*\(")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
KEY = re.compile(r'\bKV_[A-Z]+\(\s*(?:"([^"]*)"|(\w+))')
WRAPPER = re.compile(r"^(\w+)\(([^;{}]*\bconst char \*event\b[^;{}]*)\)\s*\{",
                     re.M)
EVENT = re.compile(r"^[a-z][a-z0-9-]*$")
SKIP = ("base/log.c", "base/log.h")


def arguments(body, start):
    """The arguments of the call whose parenthesis was just opened, and where
    it ends."""
    depth, args, at, i = 1, [], start, start
    while i < len(body):
        c = body[i]
        if c == '"':
            i = STRING.match(body, i).end()
            continue
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if depth == 0 or (depth == 1 and c == ","):
            args.append(body[at:i].strip())
            at = i + 1
        if depth == 0:
            break
        i += 1
    return args, i


def without_comments(body):
    keep = lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//[^\n]*', keep, body,
                  flags=re.S)


def names(arg):
    return [s for s in STRING.findall(arg) if EVENT.match(s)]


def keys_of(text):
    return [a or "=" + b for a, b in KEY.findall(text)]


def wrappers_of(body):
    """name -> (position of event, of key or None, keys that it adds)"""
    found = {}
    for m in WRAPPER.finditer(body):
        params = [p.split("*")[-1].split()[-1] for p in m[2].split(",")]
        end = body.index("\n}", m.end())
        found[m[1]] = (params.index("event"),
                       params.index("key") if "key" in params else None,
                       keys_of(body[m.end():end]))
    return found


def events_of(body):
    """(offset, event, keys) of every place that logs."""
    wrappers = wrappers_of(body)
    for m in LOG.finditer(body):
        args, end = arguments(body, m.end())
        event = args[1] if "event" in m[0] and len(args) > 1 else args[0]
        for name in names(event):
            yield m.start(), name, keys_of(body[m.end():end])
    for w, (at, key_at, keys) in wrappers.items():
        for m in re.finditer(rf"\b{w}\s*\(", body):
            args, _ = arguments(body, m.end())
            for name in names(args[at]) if at < len(args) else []:
                key = STRING.findall(args[key_at]) if key_at else []
                yield m.start(), name, [
                    k if k != "=key" else key[0] for k in keys]


def from_code(root):
    """folder -> event -> (keys, where)"""
    found = {}
    for path in tree.files(root):
        folder = path.split("/")[0]
        if not path.endswith(".c") or folder == "tests" or path in SKIP:
            continue
        body = without_comments(tree.text(root, path))
        for at, event, keys in events_of(body):
            line = body.count("\n", 0, at) + 1
            known, _ = found.setdefault(folder, {}).setdefault(
                event, ([], f"{path}:{line}"))
            known += [k for k in keys if k not in known]
    return found


def from_page(root):
    """folder -> event -> (keys, line)"""
    found, folder = {}, None
    for n, line in enumerate(tree.text(root, PAGE).splitlines(), 1):
        if line.startswith(".Sh"):
            folder = None
        elif line.startswith(".Ss "):
            folder = line[4:].strip()
            folder = "base" if folder == "all roles" else folder
        elif line.startswith(".It Cm ") and folder is not None:
            words = line.split()[2:]
            keys = [w for w in words[1:] if w != "Ar"]
            found.setdefault(folder, {})[words[0]] = (keys, n)
    return found


def check(root):
    found = []
    code, page = from_code(root), from_page(root)
    for folder, events in sorted(code.items()):
        for event, (keys, where) in sorted(events.items()):
            if event not in page.get(folder, {}):
                found.append(f"{where}: {folder} {event} "
                             f"({' '.join(keys)}) is not in {PAGE}")
                continue
            said, line = page[folder][event]
            if said != keys:
                found.append(f"{PAGE}:{line}: {folder} {event} has the keys "
                             f"{' '.join(keys)}")
    for folder, events in sorted(page.items()):
        for event, (_, line) in sorted(events.items()):
            if event not in code.get(folder, {}):
                found.append(f"{PAGE}:{line}: {folder} logs no {event}")
    return found


if __name__ == "__main__":
    tree.main(check)
