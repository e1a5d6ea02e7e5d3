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
import tempfile

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


def private_dev(folder):
    """A /dev of our own over /dev, where a case can put a socket; umount() ends
    it."""
    dev = tempfile.mkdtemp(prefix="dev.", dir=folder)
    tmpfs(dev, "1m")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        with open(f"{dev}/{name}", "wb"):
            pass
        bind("/dev/" + name, f"{dev}/{name}")
    for name in ("shm", "pts"):
        os.mkdir(f"{dev}/{name}")
        if os.path.isdir("/dev/" + name):
            bind("/dev/" + name, f"{dev}/{name}")
    os.symlink("/proc/self/fd", f"{dev}/fd")
    mount(dev, "/dev", None, MS_BIND | MS_REC)
    umount(dev)


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        req = struct.pack("16sH14x", b"lo", 0)
        flags, = struct.unpack_from("H", fcntl.ioctl(s, 0x8913, req), 16)
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))


def add_address(text):
    """One more address of the loopback interface, until the end."""
    number = socket.inet_aton(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8916, struct.pack(
            "16sHH4s8x", b"lo:%d" % number[3], socket.AF_INET, 0, number))


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


def settle():
    """Once inside: the process that goes on from here has children only of its
    own, a mount table nobody shares, and a loopback interface."""
    reap()
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    loopback_up()


USERS = {"postfix": 790, "mailbox": 792, "plain": 793, "Debian-exim": 794,
         "opensmtpd": 795, "opensmtpq": 796, "dovecot": 797, "dovenull": 798}
GROUPS = {**USERS, "postdrop": 791}
OURS = ("_sealane", "sealane:", "postfix:", "postdrop:", "Debian-exim:",
        "opensmtpd:", "opensmtpq:", "dovecot:", "dovenull:")


def private_etc(folder, sysusers):
    """A copy of /etc over /etc in this mount table, with the users of Sealane
    and Postfix and a resolv.conf that asks our DNS server.  All of /etc and
    not the few files: a file that somebody outside replaces by rename would
    lose its mount.  Returns what went wrong with sysusers, or None."""
    etc = os.path.join(folder, "etc")
    # What an ordinary user can't read, nothing here needs.
    subprocess.run(["cp", "-a", "/etc", etc], check=False,
                   stderr=subprocess.DEVNULL)
    for name in ("passwd", "group", "shadow", "gshadow"):
        path = os.path.join(etc, name)
        lines = []
        if os.access(path, os.R_OK):
            with open(path, encoding="utf-8") as old:
                lines = [t for t in old if not t.startswith(OURS)]
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as new:
            new.writelines(lines)
            if name == "passwd":
                new.writelines(f"{u}:x:{n}:{n}::/nonexistent:/usr/sbin/nologin\n"
                               for u, n in USERS.items())
            if name == "group":
                new.writelines(f"{g}:x:{n}:\n" for g, n in GROUPS.items())
    for name, text in (("resolv.conf", "nameserver 127.0.0.53\n"
                        "options timeout:1 attempts:1\n"),
                       ("hosts", "127.0.0.1 localhost relay.example.org\n")):
        path = os.path.join(etc, name)
        if os.path.lexists(path):
            os.unlink(path)             # it may be a link to elsewhere
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    trouble = None
    if sysusers and shutil.which("systemd-sysusers"):
        made = subprocess.run(
            ["systemd-sysusers", "--root=" + folder, sysusers],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            trouble = made.stderr.strip()
    bind(etc, "/etc")
    return trouble
