# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The Sealane authors
"""The table of domains: what each publishes, how its hosts behave, and what
becomes of mail for it.  lab/rows.py says what the columns are."""

from rows import absence, dane, names, sts, wishes

REAL = dane.REAL
ROWS = [*dane.ROWS, *names.ROWS, *absence.ROWS, *sts.ROWS, *wishes.ROWS]

# Neither host may be connected to where loopback addresses are not allowed.
PRIVATE = [
    absence.Row("private-host", "RFC 5321 sec 5.1", absence.LOST, "plain",
                dsn="4.4.4"),
    absence.Row("private-policy-host", "RFC 8461 sec 3.3", absence.LOST,
                "plain", web=sts.Web(), dsn="4.4.4", says="sts-fetch-failed"),
]
