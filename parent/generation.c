/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/generation.c - a configuration and what the parent opens for it. */
#include "parent/parent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

void
generation_init(struct generation *g)
{
	*g = (struct generation){ .bundle_fd = -1 };
	memset(&g->files, 0xff, sizeof g->files);	/* -1 each */
}

void
generation_free(struct generation *g)
{
	for (size_t i = 0; g->listen_fds != NULL && i < g->conf->nlistens; i++)
		if (g->listen_fds[i] != -1)
			close(g->listen_fds[i]);
	free(g->listen_fds);
	certs_close_files(&g->files);
	if (g->bundle_fd != -1)
		close(g->bundle_fd);
	conf_free(&g->conf);
	generation_init(g);
}

/* ---- reading ---- */

/* The configuration as every role will see it: one sealed memory file. */
static int
seal_bundle(struct span bundle, struct fault *f)
{
	int fd = memfd_create("sealane.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return fault_sys(f, "memfd_create");
	/* Memory files take a write whole, up to 2 GiB. */
	if (write(fd, bundle.p, bundle.n) != (ssize_t)bundle.n ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL) == -1) {
		fault_sys(f, "configuration memory file");
		close(fd);
		return -1;
	}
	return fd;
}

int
generation_load(struct generation *g, const char *path,
    struct conf_notes *notes, struct fault *f)
{
	struct buf bundle;
	bool bad = true;

	g->conf = conf_load(path, notes, &bundle);
	if (g->conf != NULL) {
		conf_review(g->conf, notes);
		bad = certs_open_files(g->conf, &g->files, notes) == -1;
	}
	if (!bad)
		g->bundle_fd = seal_bundle(buf_get(&bundle), f);
	/* Lists of recipients, which the parent does not look into, went with
	 * the bundle. */
	buf_free(&bundle);
	return g->bundle_fd == -1 ? -1 : 0;
}

int
generation_load_aside(struct generation *g, const char *path,
    const char *directory, struct conf_notes *notes, struct fault *f)
{
	struct buf bundle;

	g->conf = conf_load_aside(path, directory, notes, &bundle);
	if (g->conf != NULL)
		g->bundle_fd = seal_bundle(buf_get(&bundle), f);
	buf_free(&bundle);
	return g->bundle_fd == -1 ? -1 : 0;
}

/* ---- listeners ---- */

/* The listeners that an empty file means: on a machine without IPv6 there is
 * no [::1], and nobody asked for it. */
static bool
may_be_absent(const struct conf_listen *l, const struct fault *f)
{
	if (l->line != 0 ||
	    (f->err != EADDRNOTAVAIL && f->err != EAFNOSUPPORT))
		return false;
	log_warn("listener-skipped", KV_Q("reason", f->text));
	return true;
}

/* Where the generation has a socket for that address; its length if nowhere. */
static size_t
place_of(const struct generation *g, const struct addr *a)
{
	size_t i = 0;

	for (; i < g->conf->nlistens; i++) {
		const struct addr *b = &g->conf->listens[i].address;

		if (g->listen_fds[i] != -1 && addr_same_ip(a, b) &&
		    a->port == b->port)
			break;
	}
	return i;
}

static bool
has_listener(const struct generation *g, const struct addr *a)
{
	return g != NULL && place_of(g, a) < g->conf->nlistens;
}

static int
listener_of(const struct conf_listen *l, const struct generation *from,
    struct fault *f)
{
	int fd;

	if (!has_listener(from, &l->address))
		return listen_open(l, f);
	fd = fcntl(from->listen_fds[place_of(from, &l->address)],
	    F_DUPFD_CLOEXEC, 0);
	return fd == -1 ? fault_sys(f, "listening socket") : fd;
}

int
generation_listen(struct generation *g, const struct generation *from,
    size_t *bad, struct fault *f)
{
	const struct conf *conf = g->conf;

	g->listen_fds = calloc(conf->nlistens + 1, sizeof *g->listen_fds);
	if (g->listen_fds == NULL)
		return fault_set(f, FAULT_TEMP, 0, NULL, "no memory");
	memset(g->listen_fds, 0xff, conf->nlistens * sizeof *g->listen_fds);
	for (size_t i = 0; i < conf->nlistens; i++) {
		g->listen_fds[i] = listener_of(&conf->listens[i], from, f);
		*bad = i;
		if (g->listen_fds[i] == -1 &&
		    !may_be_absent(&conf->listens[i], f))
			return -1;
	}
	return 0;
}

void
generation_send_listeners(const struct generation *g,
    const struct generation *but, struct child *smtpd)
{
	for (size_t i = 0; i < g->conf->nlistens; i++) {
		struct ipc_listen m = { .index = (uint32_t)i };
		int fd = g->listen_fds[i] == -1 ||
		    has_listener(but, &g->conf->listens[i].address) ? -1 :
		    fcntl(g->listen_fds[i], F_DUPFD_CLOEXEC, 0);

		if (fd != -1)
			ipc_send_listen(smtpd->link, &m, fd);
	}
}
