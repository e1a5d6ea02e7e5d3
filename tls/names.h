/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/names.h - which of our certificates have the name that a client asks for
 * (RFC 6066 sec 3): exactly, else by a wildcard in place of the first label
 * (RFC 6125 sec 6.4.3).  Certificates are bits of a mask.  Pure. */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include <stdint.h>

#include "base/span.h"

#define TLS_NAMES_MAX	4096	/* of all certificates together; more are left out */

struct tls_name {
	char		*name;		/* lower case, no final dot, maybe "*.x" */
	uint32_t	 certs;
};
struct tls_names {
	struct tls_name	*v;
	size_t		 n, cap;
};

/* -1: no memory.  What is no host name is left out. */
int	tls_names_add(struct tls_names *, struct span name, unsigned cert);
/* 0: none has it. */
uint32_t	tls_names_find(const struct tls_names *, struct span name);
void	tls_names_free(struct tls_names *);

#endif
