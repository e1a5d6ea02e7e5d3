# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""What the MTAs of others have in common: unpacked, never installed, started
in the foreground with a configuration of their own, and ended.

Each of them takes mail for one domain of its own, of which it hands everything
on to the same sink (cases/mtas.py), and sends all other mail to Sealane.  So both
directions are seen with the bytes that came out."""

import os
import signal
import subprocess

from lab import space
from lab.case import Failed, wait_until
from lab.load import smtp_answers


class Daemon:
    """name, address: who and where.  A subclass has prepare(), which writes
    what it needs below self.dir, and command(), which returns the arguments."""

    port = 25

    def __init__(self, lab, root, name, address):
        self.lab, self.name = lab, name
        self.address, self.domain = address, name + ".example.org"
        # Where other users may pass, whoever owns the checkout.
        self.root = lab.folder(name + "-root")
        space.bind(root, self.root)
        self.env = lab.foreign_env(self.root)
        self.dir = lab.folder(name)
        self.pem = f"{self.dir}/server.pem"
        self.proc = None

    def prepare(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def write(self, path, text, mode=0o644):
        full = os.path.join(self.dir, path)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(full, mode)
        return full

    def start(self):
        self.lab.make_pem(self.pem, "mx." + self.domain)
        self.prepare()
        with open(f"{self.dir}/stderr", "wb") as err:
            self.proc = subprocess.Popen(
                self.command(), env=self.env, cwd=self.dir,
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                start_new_session=True)
        try:
            wait_until(self.answers, 20, f"{self.name} answers")
        except Failed as e:
            raise Failed(f"{e}\n{self.log()[-2000:]}") from e
        return self

    def still_there(self):
        if self.proc.poll() is not None:
            raise Failed(f"{self.name} ended: {self.proc.returncode}\n"
                         + self.log()[-2000:])

    def answers(self):
        self.still_there()
        return smtp_answers(self.address, self.port)

    def logs(self):
        """The files that log() shows."""
        return [f"{self.dir}/stderr"]

    def log(self):
        text = ""
        for name in self.logs():
            try:
                with open(name, encoding="utf-8", errors="replace") as f:
                    text += f.read()
            except OSError:
                pass
        return text

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
