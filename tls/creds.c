/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/creds.c - see creds.h: priorities and life; certificates and keys of a
 * server are in creds_server.c. */
#include "tls/session_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <gnutls/crypto.h>

/* Explicit, never @SYSTEM: a policy file of the site must not change what a
 * report then calls opportunistic.  No static RSA, because the key process
 * signs and never decrypts.  X25519 ahead of P-256, which NORMAL has first:
 * OpenSSL's clients send a share of X25519 alone, and our precedence would ask
 * each of them for another hello. */
static const char server_priority[] = "NORMAL:-RSA:%SERVER_PRECEDENCE"
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"
    ":+GROUP-SECP521R1:+GROUP-X448:+GROUP-FFDHE2048:+GROUP-FFDHE3072"
    ":+GROUP-FFDHE4096";
static const char client_priority[] = "NORMAL";
static const char no_old_versions[] = ":-VERS-TLS1.1:-VERS-TLS1.0";
/* For peers and boxes that stumble over a modern hello: no TLS 1.3, whose hello
 * is large and whose extensions some drop; one group; the suites that servers
 * of the last twenty years have; %COMPAT for certificates with a wrong
 * keyUsage.  Below 256 bytes, above which old load balancers hang. */
static const char reduced_priority[] =
    "NONE:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:+COMP-NULL:+CTYPE-X509"
    ":+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:+RSA"
    ":+AES-128-GCM:+AES-256-GCM:+AES-128-CBC:+AES-256-CBC:+AEAD:+SHA1"
    ":+GROUP-SECP256R1"
    ":+SIGN-ECDSA-SHA256:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512"
    ":+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1:%COMPAT";

static int
priority_make(gnutls_priority_t *p, const char *text, bool old_versions)
{
	char all[768];

	snprintf(all, sizeof all, "%s%s", text,
	    old_versions ? "" : no_old_versions);
	return gnutls_priority_init(p, all, NULL);
}

static int
creds_priorities(struct tls_creds *c, bool old_versions)
{
	int rc = 0;

	if (c->server)
		return priority_make(&c->priority[0][0], server_priority,
		    old_versions);
	for (int strict = 0; strict < 2 && rc >= 0; strict++) {
		bool old = old_versions && !strict;

		rc = priority_make(&c->priority[strict][0], client_priority,
		    old);
		if (rc >= 0)
			rc = priority_make(&c->priority[strict][1],
			    reduced_priority, old);
	}
	return rc;
}

struct tls_creds *
tls_creds_new(bool server, bool old_versions, struct fault *f)
{
	struct tls_creds *c = calloc(1, sizeof *c);

	if (c == NULL) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0", "TLS: no memory");
		return NULL;
	}
	c->refs = 1;
	c->server = server;
	if (gnutls_certificate_allocate_credentials(&c->cert) < 0 ||
	    creds_priorities(c, old_versions) < 0) {
		fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "TLS: credentials cannot be set up");
		tls_creds_unref(&c);
	}
	return c;
}

struct tls_creds *
tls_creds_client(bool old_versions, struct fault *f)
{
	return tls_creds_new(false, old_versions, f);
}

void
tls_creds_tickets(struct tls_creds *c, struct span key)
{
	assert(c->server && key.n == sizeof c->ticket_key);
	memcpy(c->ticket_key, key.p, key.n);
	c->tickets = true;
}

struct tls_creds *
tls_creds_ref(struct tls_creds *c)
{
	c->refs++;
	return c;
}

void
tls_creds_unref(struct tls_creds **cp)
{
	struct tls_creds *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	assert(c->refs > 0);
	if (--c->refs > 0)
		return;
	if (c->cert != NULL)
		gnutls_certificate_free_credentials(c->cert);
	while (c->ngroups > 0)
		gnutls_certificate_free_credentials(
		    c->groups[--c->ngroups].cert);
	tls_names_free(&c->names);
	gnutls_memset(c->ticket_key, 0, sizeof c->ticket_key);
	for (int i = 0; i < 4; i++)
		if (c->priority[i / 2][i % 2] != NULL)
			gnutls_priority_deinit(c->priority[i / 2][i % 2]);
	free(c);
}
