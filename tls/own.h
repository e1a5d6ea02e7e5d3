/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/own.h - a certificate of our own with its key, as an operator's files give
 * them: read, put in order, judged.  Pure.
 *
 * What others would trip over is an error here and now: a key that belongs to
 * another certificate, a type or size that no peer takes.  What only some trip
 * over is a warning: dates, a weak key.  A chain in the wrong order is put
 * right, with a warning. */
#ifndef TLS_OWN_H
#define TLS_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define TLS_OWN_FILE_MAX	(64 * 1024)
#define TLS_OWN_CHAIN_MAX	10	/* certificates */

struct tls_own;

struct tls_own_note {
	bool	key;		/* about the key's file, else the chain's */
	bool	warning;
	char	text[200];
};
struct tls_own_notes {
	struct tls_own_note v[8];
	size_t	n;
};

/* `now` in seconds.  NULL with an error as the last note. */
struct tls_own	*tls_own_read(struct span chain_pem, struct span key_pem,
		    uint64_t now, struct tls_own_notes *);
/* Wipes the key. */
void		 tls_own_free(struct tls_own **);

/* Does it name the host, by itself or by a wildcard? */
bool		 tls_own_names(const struct tls_own *, const char *host);
bool		 tls_own_self_signed(const struct tls_own *);
bool		 tls_own_is_rsa(const struct tls_own *);
/* The chain in order, as PEM or as a LIST of chain_cert.  0 or -1. */
int		 tls_own_pem(const struct tls_own *, struct buf *);
int		 tls_own_list(const struct tls_own *, struct buf *);
/* Of a LIST of own_cert, as many bytes as whole records need that fit `most`:
 * what goes into one message of it. */
size_t		 tls_own_list_head(struct span certs, size_t most);
/* The key as PKCS#8 PEM; the caller wipes the buffer.  0 or -1. */
int		 tls_own_key_pem(const struct tls_own *, struct buf *);

#endif
