/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_tls.h - the names that OpenSSL and GnuTLS have for the parts of a
 * TLS session, in the words of this project's own log and ledger. */
#ifndef REPORT_LOG_TLS_H
#define REPORT_LOG_TLS_H

#include "base/hop.h"

/* All three borrow; an empty `kx` is looked for in the suite's name.  What is
 * not known is taken as it stands, cut to its field. */
void	log_tls_fill(struct tls_facts *, struct span version, struct span suite,
	    struct span kx);

#endif
