/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/check_certs.c - certificates that the configuration names: what would
 * keep `serve` from starting, and what other servers would object to. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ipc/ipc.h"
#include "cli/check.h"
#include "tls/chain.h"
#include "tls/own.h"
#include "tls/trust.h"

static struct conf_place
place_of(const struct conf *c, const struct conf_certificate *cert, bool key)
{
	struct conf_place at;

	conf_where(c, "tls.certificate", key ? "key" : "chain", cert->label,
	    &at);
	return at;
}

/* 0; 1: this user may not read it; -1 with an error among the notes. */
static int
slurp(const char *path, bool key, struct conf_place at, struct buf *to,
    struct conf_notes *notes)
{
	char *room = buf_room(to, TLS_OWN_FILE_MAX + 1);
	ssize_t n;
	int fd;

	if (geteuid() != 0 && access(path, R_OK) == -1 && errno == EACCES) {
		conf_warn(notes, at, "%.150s: this user may not read it, so it "
		    "was not checked", path);
		return 1;
	}
	fd = conf_open_file(path, key, at, notes);
	if (fd == -1 || room == NULL)
		return -1;
	n = read(fd, room, TLS_OWN_FILE_MAX + 1);
	if (n == -1)
		conf_error(notes, at, "%.150s: %s", path, strerror(errno));
	else if (n > TLS_OWN_FILE_MAX)
		conf_error(notes, at, "%.150s is larger than 64K", path);
	else
		buf_grown(to, (size_t)n);
	close(fd);
	return n == -1 || n > TLS_OWN_FILE_MAX ? -1 : 0;
}

static struct tls_own *
read_one(const struct conf *c, const struct conf_certificate *cert,
    struct conf_notes *notes)
{
	struct conf_place at[2] = { place_of(c, cert, false),
	    place_of(c, cert, true) };
	struct tls_own_notes said = { .n = 0 };
	struct tls_own *own = NULL;
	struct buf chain, key;
	int chain_rc, key_rc;

	buf_init(&chain, TLS_OWN_FILE_MAX + 1);
	buf_init(&key, TLS_OWN_FILE_MAX + 1);
	chain_rc = slurp(cert->chain, false, at[0], &chain, notes);
	key_rc = slurp(cert->key, true, at[1], &key, notes);
	if (chain_rc == 0 && key_rc == 0)
		own = tls_own_read(buf_get(&chain), buf_get(&key),
		    clock_wall_ms() / 1000, &said);
	for (size_t i = 0; i < said.n; i++)
		(said.v[i].warning ? conf_warn : conf_error)(notes,
		    at[said.v[i].key], "%.60s: %s", said.v[i].key ?
		    cert->key : cert->chain, said.v[i].text);
	buf_free(&chain);
	buf_wipe(&key);
	return own;
}

/* A chain that lacks an issuer's certificate looks fine here and is refused
 * by whoever verifies it: the most frequent mistake of all. */
static void
check_believed(const struct conf *c, const struct tls_own *own,
    const struct tls_trust *trust, struct conf_place at,
    struct conf_notes *notes)
{
	struct tls_chain chain = { .n = 0 };
	struct ipc_chain_cert one;
	struct fault f = { 0 };
	struct span rest;
	struct buf list;

	if (trust == NULL || tls_own_self_signed(own))
		return;
	buf_init(&list, TLS_OWN_FILE_MAX);
	if (tls_own_list(own, &list) == 0) {
		for (rest = buf_get(&list); chain.n < TLS_CHAIN_MAX &&
		    ipc_get_chain_cert(&rest, &one) == 1;)
			chain.cert[chain.n++] = one.der;
		if (tls_trust_judge(trust, &chain, c->hostname, &f) ==
		    TLS_UNTRUSTED)
			conf_warn(notes, at, "senders who verify it will not "
			    "believe it: %s; is a certificate of an issuer "
			    "missing in `chain`?", f.text);
	}
	buf_free(&list);
}

void
check_certs(const struct conf *c, struct conf_notes *notes)
{
	struct tls_trust *trust = tls_trust_load(c->tls.ca_file, NULL);
	size_t unread = 0, named = 0;

	for (size_t i = 0; i < c->tls.ncertificates; i++) {
		const struct conf_certificate *cert = &c->tls.certificates[i];
		struct tls_own *own = read_one(c, cert, notes);

		if (own == NULL) {
			unread++;
			continue;
		}
		named += tls_own_names(own, c->hostname);
		check_believed(c, own, trust, place_of(c, cert, false), notes);
		tls_own_free(&own);
	}
	if (c->tls.ncertificates > 0 && unread == 0 && named == 0)
		conf_warn(notes, place_of(c, &c->tls.certificates[0], false),
		    "no certificate is for hostname, \"%s\": senders who verify "
		    "it will refuse this relay", c->hostname);
	tls_trust_free(&trust);
}
