# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""Exim, whose TLS is GnuTLS, with CHUNKING, DSN and SMTPUTF8 both ways.  Its
configuration has one fixed place; /etc is the laboratory's own."""

import os
import shutil

from lab.daemon import Daemon

# Of every Exim here: where it lives, and nothing asked of its surroundings.
GROUND = """\
daemon_smtp_ports = 25
exim_path = {dir}/exim4
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
log_selector = +all
pid_file_path = {dir}/pid
deliver_drop_privilege
keep_environment = LD_LIBRARY_PATH
add_environment = LC_ALL=C
host_lookup =
rfc1413_hosts =
"""

CONF = GROUND + """\
primary_hostname = mx.{domain}
local_interfaces = {address}
tls_advertise_hosts = *
tls_certificate = {pem}
tls_privatekey = {pem}
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
message_size_limit = 60M
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
recipients_max = 2000
remote_max_parallel = 10
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny message = 5.1.1 No such mailbox here
       local_parts = nobody
  accept
begin routers
here:
  driver = manualroute
  domains = {domain} : real-exim.secure.example
  transport = onward
  route_list = * {sink}
rest:
  driver = manualroute
  transport = sealane
  route_list = * 127.0.0.1
  self = send
begin transports
onward:
  driver = smtp
  port = {sink_port}
  hosts_avoid_tls = *
sealane:
  driver = smtp
  port = 2525
  hosts_require_tls = *
  max_rcpt = 1000
begin retry
* * F,1h,5s
"""


class Exim(Daemon):
    def prepare(self):
        os.makedirs("/etc/exim4", exist_ok=True)
        for sub in ("spool", "log"):
            os.makedirs(f"{self.dir}/{sub}")
            shutil.chown(f"{self.dir}/{sub}", "Debian-exim", "Debian-exim")
        # A copy without the set-user-id bit, for which the linker would forget
        # LD_LIBRARY_PATH.
        shutil.copyfile(f"{self.root}/usr/sbin/exim4", f"{self.dir}/exim4")
        os.chmod(f"{self.dir}/exim4", 0o755)
        shutil.chown(self.pem, "Debian-exim")
        sink, port = self.lab.onward
        with open("/etc/exim4/exim4.conf", "w", encoding="utf-8") as f:
            f.write(CONF.format(domain=self.domain, address=self.address,
                                dir=self.dir, pem=self.pem, sink=sink,
                                sink_port=port))
        os.chmod("/etc/exim4/exim4.conf", 0o644)

    def command(self):
        return [f"{self.dir}/exim4", "-bdf", "-q10s"]

    def logs(self):
        return super().logs() + [f"{self.dir}/log/{x}log"
                                 for x in ("main", "reject", "panic")]
