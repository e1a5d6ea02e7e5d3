/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Any bytes as a configuration file, and any bytes as a bundle: a
 * configuration or at least one error, never both, never neither; and what is
 * taken is whole. */
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "tests/fuzz/fuzz.h"

static void
require(int holds)
{
	if (!holds)
		abort();
}

static void
whole(const struct conf *c)
{
	require(c->hostname != NULL && c->hostname[0] != '\0');
	require(c->nlistens > 0 && c->listens != NULL);
	for (size_t i = 0; i < c->nlistens; i++)
		require(c->listens[i].address.port != 0 &&
		    c->listens[i].relay_from != NULL);
	for (size_t i = 0; i < c->naccepts; i++) {
		require(c->accepts[i].to.host != NULL);
		require(i == 0 || strcmp(c->accepts[i - 1].pattern,
		    c->accepts[i].pattern) < 0);
		conf_accept_for(c, span_str(c->accepts[i].pattern));
	}
	for (size_t i = 0; i < c->relay.ndomains; i++)
		require(c->relay.domains[i].via.host != NULL &&
		    c->relay.domains[i].connections > 0);
	require(c->state_directory[0] == '/' && c->control_directory[0] == '/');
	require(c->smtpd_processes > 0 && c->relay_processes > 0);
}

static void
parse(struct span bundle)
{
	struct conf_notes notes = { 0 };
	struct conf *c = conf_parse(bundle, &notes);

	require((c == NULL) == (notes.nerrors > 0));
	for (size_t i = 0; i < notes.n; i++)
		require(notes.v[i].text[0] != '\0');
	if (c != NULL) {
		whole(c);
		conf_review(c, &notes);
	}
	conf_free(&c);
	conf_notes_free(&notes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf b;

	parse(span_of(p, n));
	buf_init(&b, 2u << 20);
	buf_printf(&b, "sealane-conf 1\nmachine h.example 2\npart 0 1 1 %zu f\n",
	    n);
	buf_add(&b, p, n);
	if (buf_char(&b, '\n') == 0)
		parse(buf_get(&b));
	buf_free(&b);
	return 0;
}
