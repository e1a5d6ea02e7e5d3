/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/certs.c - certificates: the files that the configuration names go to
 * keys as descriptors, because only the parent may open them and only keys
 * should see a private key; what keys made of them goes on to each smtpd. */
#include "parent/parent_priv.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tls/own.h"

#define CERTS_MESSAGE_MAX	65536	/* bytes of one message's list */

/* ---- files ---- */

static int
open_one(const struct conf *conf, const struct conf_certificate *c,
    enum role_file_kind kind, struct conf_notes *notes)
{
	bool key = kind == ROLE_FILE_KEY;
	struct conf_place at;

	conf_where(conf, "tls.certificate", key ? "key" : "chain", c->label,
	    &at);
	return conf_open_file(key ? c->key : c->chain, key, at, notes);
}

int
certs_open_files(const struct conf *conf, struct role_files *files,
    struct conf_notes *notes)
{
	int rc = 0;

	for (size_t i = 0; i < conf->tls.ncertificates; i++)
		for (unsigned k = 0; k < ROLE_FILE_KINDS; k++) {
			int *fd = &files->fd[k][i];

			*fd = open_one(conf, &conf->tls.certificates[i],
			    (enum role_file_kind)k, notes);
			if (*fd == -1)
				rc = -1;
		}
	return rc;
}

void
certs_close_files(struct role_files *files)
{
	for (size_t i = 0; i < CONF_CERTIFICATES; i++)
		for (unsigned k = 0; k < ROLE_FILE_KINDS; k++) {
			if (files->fd[k][i] != -1)
				close(files->fd[k][i]);
			files->fd[k][i] = -1;
		}
}

void
certs_send_files(const struct generation *g, struct child *c)
{
	for (size_t i = 0; i < g->conf->tls.ncertificates; i++)
		for (unsigned k = 0; k < ROLE_FILE_KINDS; k++) {
			const struct ipc_config_file m = { .what = (uint8_t)k,
			    .index = (uint32_t)i };
			int fd = fcntl(g->files.fd[k][i], F_DUPFD_CLOEXEC, 0);

			/* keys says which one is missing. */
			if (fd != -1)
				ipc_send_config_file(c->link, &m, fd);
		}
}

/* ---- certificates ---- */

void
certs_send(struct parent *p, struct child *c)
{
	struct span rest = buf_get(&p->certs);

	while (rest.n > 0) {
		size_t n = tls_own_list_head(rest, CERTS_MESSAGE_MAX);
		const struct ipc_certs m = { .more = n < rest.n,
		    .certs = span_head(rest, n) };

		ipc_send_certs(c->link, &m, -1);
		rest = n == 0 ? SPAN_NONE : span_skip(rest, n);
	}
}

void
certs_take(struct parent *p, const struct ipc_key_certs *m)
{
	struct buf was;

	buf_span(&p->certs_coming, m->certs);
	if (m->more)
		return;
	was = p->certs;
	p->certs = p->certs_coming;
	p->certs_coming = was;
	buf_reset(&p->certs_coming);
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].role == ROLE_SMTPD &&
		    p->children[i].state == CHILD_READY)
			certs_send(p, &p->children[i]);
}
