# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Namespaces: the tests run in a network, a mount table and a process table of
their own.  Nothing they listen on meets the machine's services, and whatever
they leave running dies with the first process of the namespace.

As an ordinary user the namespace is a user namespace: with a range of
subordinate ids (/etc/subuid) all is as for root, else there is one user only,
and what needs several (Postfix) is skipped."""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys

MARK = "SEALANE_E2E_INSIDE"
libc = ctypes.CDLL(None, use_errno=True)

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2


def mount(source, target, kind=None, flags=0, data=None):
    """mount(2): the program refuses to work for others than root, whatever
    capabilities they have."""
    enc = [x.encode() if x is not None else None
           for x in (source, target, kind, data)]
    if libc.mount(enc[0], enc[1], enc[2], ctypes.c_ulong(flags), enc[3]) != 0:
        e = ctypes.get_errno()
        raise OSError(e, f"mount {kind or source} on {target}: "
                      + os.strerror(e))


def umount(target):
    libc.umount2(target.encode(), MNT_DETACH)


def tmpfs(target, size):
    os.makedirs(target, exist_ok=True)
    mount("tmpfs", target, "tmpfs", 0,
          f"size={size},mode=0755,uid={os.getuid()},gid={os.getgid()}")


def bind(source, target):
    mount(source, target, None, MS_BIND)


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        req = struct.pack("16sH14x", b"lo", 0)
        flags, = struct.unpack_from("H", fcntl.ioctl(s, 0x8913, req), 16)
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))


def ways():
    """The ways to get there, best first: (name, unshare arguments)."""
    base = ["--net", "--mount", "--pid", "--fork", "--mount-proc"]
    if os.getuid() == 0:
        return [("root", base)]
    found = []
    name = pwd.getpwuid(os.getuid()).pw_name
    try:
        with open("/etc/subuid", encoding="utf-8") as f:
            ranges = any(t.split(":")[0] in (name, str(os.getuid())) for t in f)
    except OSError:
        ranges = False
    if ranges and shutil.which("newuidmap"):
        found.append(("mapped", ["--user", "--map-root-user", "--map-auto"]
                      + base))
    found.append(("single", ["--user", "--map-current-user", "--keep-caps"]
                  + base))
    return found


def enter():
    """Re-executes the program inside; returns there only.  When no way works,
    returns the reason as text."""
    if os.environ.get(MARK):
        return None
    reason = "unshare is missing"
    for name, args in ways():
        probe = subprocess.run(["unshare", *args, "true"],
                               capture_output=True, text=True, check=False)
        if probe.returncode == 0:
            os.environ[MARK] = name
            os.execvp("unshare", ["unshare", *args, "--kill-child",
                                  sys.executable, *sys.argv])
        reason = probe.stderr.strip() or f"unshare ended {probe.returncode}"
    return f"no namespaces here: {reason}"


def mode():
    return os.environ[MARK]


def reap():
    """Fork; the parent stays as process 1 of the namespace and collects
    whoever is orphaned.  Returns in the child."""
    child = os.fork()
    if child == 0:
        return
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda s, _: os.kill(child, s))
    while True:
        pid, status = os.wait()
        if pid == child:
            # Everybody else in the namespace is killed by our end.
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def private_etc(folder, sysusers):
    """A copy of the user data base with the users of Sealane and Postfix,
    over /etc's own in this mount table; and a resolv.conf that asks our DNS
    server.  Returns what went wrong with sysusers, or None."""
    etc = os.path.join(folder, "etc")
    os.makedirs(etc)
    for name in ("passwd", "group", "shadow", "gshadow"):
        with open(os.path.join(etc, name), "w", encoding="utf-8") as new:
            if name in ("passwd", "group"):
                with open("/etc/" + name, encoding="utf-8") as old:
                    new.writelines(t for t in old if not t.startswith(
                        ("_sealane", "sealane:", "postfix:", "postdrop:")))
    with open(os.path.join(etc, "passwd"), "a", encoding="utf-8") as f:
        f.write("postfix:x:790:790::/nonexistent:/usr/sbin/nologin\n"
                "mailbox:x:792:792::/nonexistent:/usr/sbin/nologin\n"
                "plain:x:793:793::/nonexistent:/usr/sbin/nologin\n")
    with open(os.path.join(etc, "group"), "a", encoding="utf-8") as f:
        f.write("postfix:x:790:\npostdrop:x:791:\nmailbox:x:792:\n"
                "plain:x:793:\n")
    with open(os.path.join(etc, "resolv.conf"), "w", encoding="utf-8") as f:
        f.write("nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
    with open(os.path.join(etc, "hosts"), "w", encoding="utf-8") as f:
        f.write("127.0.0.1 localhost relay.example.org\n")
    trouble = None
    if sysusers and shutil.which("systemd-sysusers"):
        made = subprocess.run(
            ["systemd-sysusers", "--root=" + folder, sysusers],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            trouble = made.stderr.strip()
    for name in ("passwd", "group", "resolv.conf", "hosts"):
        if os.path.exists("/etc/" + name):
            bind(os.path.join(etc, name), "/etc/" + name)
    return trouble
