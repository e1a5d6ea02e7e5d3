/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/store_priv.h - the store from inside: store.c keeps what made itself,
 * configured.c what the configuration names, sign.c signs. */
#ifndef KEYS_STORE_PRIV_H
#define KEYS_STORE_PRIV_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "keys/store.h"
#include "tls/keydir.h"
#include "tls/own_priv.h"
#include "tls/selfsigned.h"

#define KEYS_MAX	CONF_CERTIFICATES

/* A key in use; its number in KEY_SIGN follows from its place. */
struct keys_entry {
	const char		*label;		/* of the configuration, or "" */
	struct tls_own		*own;		/* NULL: its certificate is not known */
	gnutls_x509_privkey_t	 key;		/* own's, else this one's */
	gnutls_privkey_t	 signer;	/* over it */
};

struct keys_store {
	struct keys_entry	 v[KEYS_MAX];
	unsigned		 n;
	uint32_t		 first;		/* number of v[0] */
	const struct conf	*conf;		/* held: labels are from it; or NULL */
};

/* The key with that number, or NULL. */
const struct keys_entry	*keys_store_entry(const struct keys_store *,
			    uint32_t key);

/* Either takes what it is given, also when it fails. */
int	keys_store_add_own(struct keys_store *, const char *label,
	    struct tls_own *, struct fault *);
int	keys_store_add_key(struct keys_store *, gnutls_x509_privkey_t,
	    struct fault *);
/* Says it in the log when it ends within a month. */
void	keys_check_expiry(const struct tls_own *, const char *name, time_t now);

#endif
