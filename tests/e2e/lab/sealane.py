# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Sealane under test: driven by its configuration, its commands, its sockets
and its log, as any operator would."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess

from lab import space
from lab.case import Failed, expect_equal, wait_until
from lab.load import Client, Reply, smtp_answers

CONF = """\
hostname = "relay.example.org"
listen "in" {{ address = "127.0.0.1:2525"; relay-from = {relay_from} }}
{accept}
limits {{ message-size = 60M }}
relay {{
  {via}
  retry {{ first = {first}; max = {max}; give-up = {give_up};
    delay-warning = {delay_warning} }}
  timeout {{ {timeouts} }}
}}
dns {{ trust-anchor-file = "{anchor}"; {servers} }}
state {{ directory = "{state}" }}
control {{ directory = "{control}" }}
processes {{ smtpd = 2; relay = 2 }}
allow-loopback = {loopback}
{more}
"""

ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)")


def unescape(text):
    def one(m):
        e = m[1]
        if e[0] in "xu" and len(e) > 1:
            return chr(int(e[1:], 16))
        return {"n": "\n", "r": "\r", "t": "\t"}.get(e, e)
    return ESCAPE.sub(one, text)


LOGFMT = re.compile(r'([a-z0-9_-]+)=("(?:[^"\\]|\\.)*"|\S*)')


def parse_line(line):
    """time role event key=value ..., or None for a line that is none."""
    words = line.split(" ", 3)
    if len(words) < 3 or not re.match(r"\d{4}-\d\d-\d\dT", words[0]):
        return None
    found = {"time": words[0], "role": words[1], "event": words[2]}
    for key, value in LOGFMT.findall(words[3] if len(words) > 3 else ""):
        if value.startswith('"'):
            value = unescape(value[1:-1])
        found.setdefault(key, value)
    return found


def alive(pid):
    """Is it there and no zombie?  A process on its way out has no title any
    more but may still hold its sockets: only this tells."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def role_pids():
    """{pid: title} of every Sealane process here that is not a zombie."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as f:
                title = f.read().split(b"\0")[0].decode("latin-1").strip()
        except OSError:
            continue
        if title.startswith("sealane: ") and alive(name):
            found[int(name)] = title[len("sealane: "):]
    return found


def wait_gone(pids, seconds=15):
    """Until these processes are dead, and every other role as well."""
    wait_until(lambda: not role_pids() and not any(alive(p) for p in pids),
               seconds, f"all processes end; there are {role_pids()}")


# What no case may cause: an assertion, a crash, a sanitizer's report.
OWN_FAULT = re.compile(r"role-died.* signal=(4|6|7|8|11|31) | call-denied |"
                       r"(Address|Leak|Undefined\w*)Sanitizer|runtime error: |"
                       r"Assertion .* failed")


class Sealane:
    def __init__(self, lab, name, user=None, state=None, nofile=None,
                 program=None, forgive=None, **conf):
        """program: another one than the lab's.  forgive: what of own_faults()
        the case wants to see, a regular expression."""
        self.lab, self.user, self.nofile = lab, user, nofile
        self.program = program or lab.program
        self.forgive = re.compile(forgive) if forgive else None
        self.dir = lab.folder("sealane-" + name)
        os.chmod(self.dir, 0o755)
        if user and space.mode() != "single":
            shutil.chown(self.dir, user, user)
        self.state = state or f"{self.dir}/state"
        self.control = f"{self.dir}/run"
        self.conf = f"{self.dir}/sealane.conf"
        self.logname, self.outname = f"{self.dir}/log", f"{self.dir}/out"
        self.proc = None
        values = {"relay_from": '[ "127.0.0.0/8" ]', "accept": "", "via": "",
                  "more": "", "first": "2s", "max": "4s", "give_up": "1h",
                  "delay_warning": "4h",
                  "timeouts": "connect = 5s; handshake = 5s; "
                  "greeting = 10s; command = 10s",
                  "anchor": lab.dns.anchor,
                  "servers": 'forward = [ "127.0.0.53@53" ]',
                  "loopback": "true", "state": self.state, "control": self.control, "more": "", **conf}
        self.configure(CONF.format(**values))

    def configure(self, text):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.conf, 0o644)

    def popen(self, *args, **how):
        """Runs the program, as the user of this instance."""
        how.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(
            [self.program, "-c", self.conf, *args],
            cwd=self.dir, preexec_fn=self.before_exec, **how)

    def before_exec(self):
        if self.nofile:
            resource.setrlimit(resource.RLIMIT_NOFILE,
                               (self.nofile, self.nofile))
        become = self.lab.become(self.user)
        if become:
            become()

    def start(self, wait=True):
        with open(self.logname, "ab") as log, open(self.outname, "wb") as out:
            self.proc = self.popen("serve", stdout=out, stderr=log)
        if wait:
            try:
                wait_until(self.answers, 20, "Sealane answers")
                wait_until(lambda: "listening" in self.stdout(), 10,
                           "it says on stdout what it listens on")
            except Failed as e:
                raise Failed(f"{e}\n{self.tail()}") from e
        return self

    def answers(self):
        if self.proc.poll() is not None:
            raise Failed(f"serve ended with {self.proc.returncode}")
        return smtp_answers("127.0.0.1", 2525)

    def takes_mail(self):
        """Would a message be taken by TLS now?  Leaves nothing behind."""
        try:
            c = Client(timeout=10)
            try:
                c.ehlo()
                c.starttls()
                c.ehlo()
                c.cmd("MAIL FROM:<>", 250)
                c.cmd("RCPT TO:<x@sink.example.org>", 250)
                return c.cmd("DATA")[0] == 354
            finally:
                c.close()       # inside DATA: nothing was handed over
        except (OSError, ValueError, Reply):
            return False

    def stop(self, seconds=30):
        """SIGTERM; returns the exit code."""
        if self.proc is None:
            return 0
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
        try:
            code = self.proc.wait(timeout=seconds)
        except subprocess.TimeoutExpired as e:
            self.kill_all()
            raise Failed(f"no end within {seconds} s after SIGTERM") from e
        self.proc = None
        return code

    def kill_all(self):
        """Every process of it at once, as a crash of the machine would."""
        seen = set()

        def none_left():
            pids = set(role_pids())
            if self.proc and self.proc.poll() is None:
                pids.add(self.proc.pid)
            seen.update(pids)
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not pids
        wait_until(none_left, 10, "all processes are dead")
        wait_gone(seen)
        self.proc = None

    def stdout(self):
        with open(self.outname, encoding="utf-8") as f:
            return f.read()

    def own_faults(self):
        """Lines of the log that mean a bug of ours, whatever the case saw."""
        if not os.path.exists(self.logname):
            return []
        with open(self.logname, encoding="utf-8", errors="replace") as f:
            return [t for t in f if OWN_FAULT.search(t) and not (
                self.forgive and self.forgive.search(t))]

    def tail(self, n=25):
        with open(self.logname, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-n:])

    def log(self, role=None, event=None, **want):
        """The log's lines with these values."""
        want = {k.rstrip("_"): v for k, v in want.items()}
        found = []
        with open(self.logname, encoding="utf-8", errors="replace") as f:
            for line in f:
                e = parse_line(line)
                if (e and role in (None, e["role"])
                        and event in (None, e["event"])
                        and all(e.get(k) == v for k, v in want.items())):
                    found.append(e)
        return found

    def wait_log(self, seconds, role, event, count=1, **want):
        def there():
            found = self.log(role, event, **want)
            return found if len(found) >= count else None
        try:
            return wait_until(there, seconds,
                              f"{count} log line(s) {role} {event} {want}")
        except Failed as e:
            raise Failed(f"{e}\nthe log's end:\n{self.tail()}") from e

    def wait_delivery(self, to, seconds=20, **want):
        return self.wait_log(seconds, "relay", "delivery", to=f"<{to}>",
                             **want)

    def cli(self, *args, code=0, seconds=30, **how):
        """Runs a command; returns its stdout."""
        p = self.popen(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       **how)
        try:
            out, err = p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as e:
            p.kill()
            raise Failed(f"sealane {' '.join(args)}: no end") from e
        out, err = (x.decode("utf-8", "replace") for x in (out, err))
        expect_equal(p.returncode, code,
                     f"exit of sealane {' '.join(args)}: {out[-300:]}"
                     f"{err[-500:]}\n")
        self.err = err
        return out

    def json(self, *args, **how):
        out = self.cli(*args, "--json", **how)
        try:
            return json.loads(out)
        except ValueError as e:
            raise Failed(f"{args}: no JSON: {e}: {out[:500]}") from e

    def queue(self, *args):
        return self.json("queue", "list", *args)["messages"]

    def wait_empty(self, seconds=30):
        wait_until(lambda: not self.queue(), seconds, "the queue is empty")

    def pids(self, role=None):
        return {p: t for p, t in role_pids().items()
                if role in (None, t.split()[0])}
