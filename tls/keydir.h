/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/keydir.h - the folder state/keys/: small files that appear whole, and are
 * read with suspicion.
 *
 *	ecdsa.key  ecdsa.crt  rsa.key  rsa.crt		in use
 *	next-ecdsa.key  next-ecdsa.crt  next-rsa.key  next-rsa.crt
 *
 * The next ones exist from the first start, so that their TLSA records can be
 * published long before a key is changed (RFC 7671 sec 8.1).  Keys are 0600,
 * certificates, with their chains, 0644.  keys 1 writes here when it starts, and
 * `sealane cert`; each while it holds the lock. */
#ifndef TLS_KEYDIR_H
#define TLS_KEYDIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fault.h"

#define TLS_KEYDIR_FILE_MAX	(64 * 1024)

struct tls_keydir {
	int	 fd;
	char	 path[512];	/* for messages */
};

enum tls_slot {
	TLS_SLOT_ECDSA, TLS_SLOT_RSA, TLS_SLOT_NEXT_ECDSA, TLS_SLOT_NEXT_RSA,
	TLS_SLOTS
};
#define TLS_SLOTS_IN_USE	TLS_SLOT_NEXT_ECDSA	/* the first ones */
/* "next-ecdsa"; its files add ".key" and ".crt". */
const char	*tls_slot_name(enum tls_slot);

int	tls_keydir_open(struct tls_keydir *, const char *state, struct fault *);
void	tls_keydir_close(struct tls_keydir *);

/* Waits a moment for who holds it; until the folder is closed. */
int	tls_keydir_lock(struct tls_keydir *, struct fault *);

/* 1 read, 0 there is no such file, -1 fault.  `secret`: must be ours and
 * closed to everybody else.  The caller wipes `to`, also after -1. */
int	tls_keydir_read(const struct tls_keydir *, const char *name, bool secret,
	    struct buf *to, struct fault *);

/* Temporary file, fsync, rename, fsync of the directory. */
int	tls_keydir_write(const struct tls_keydir *, const char *name, mode_t mode,
	    struct span, struct fault *);

int	tls_keydir_rename(const struct tls_keydir *, const char *from,
	    const char *to, struct fault *);

#endif
