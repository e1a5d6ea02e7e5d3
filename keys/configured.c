/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* keys/configured.c - certificates and keys that the configuration names, read
 * from descriptors that the parent has opened. */
#include "keys/store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its whole content, from the start, as other processes have the same
 * descriptor; in one piece of memory, as a key must leave no copies behind. -1:
 * cannot be read, or is too long. */
static int
slurp(int fd, struct buf *to)
{
	char *at = buf_room(to, TLS_OWN_FILE_MAX + 1);
	ssize_t n;

	if (at == NULL) {
		errno = ENOMEM;
		return -1;
	}
	do {
		n = pread(fd, at + to->len, TLS_OWN_FILE_MAX + 1 - to->len,
		    (off_t)to->len);
		if (n > 0)
			buf_grown(to, (size_t)n);
	} while (n > 0 || (n == -1 && errno == EINTR));
	if (n == 0 && to->len > TLS_OWN_FILE_MAX) {
		errno = EFBIG;
		n = -1;
	}
	return (int)n;
}

/* Where a line of the configuration names the file. */
static int
complain(const struct conf *conf, const struct conf_certificate *c, bool key,
    const char *text, struct fault *f)
{
	struct conf_place at;

	conf_where(conf, "tls.certificate", key ? "key" : "chain", c->label,
	    &at);
	return fault_set(f, FAULT_PERM, 0, "", "%.60s:%u:%u: error: %.60s: %s",
	    at.file, at.line, at.column, key ? c->key : c->chain, text);
}

static struct tls_own *
read_one(const struct conf *conf, const struct conf_certificate *c, int chain_fd,
    int key_fd, time_t now, struct fault *f)
{
	struct tls_own *own = NULL;
	struct tls_own_notes notes;
	struct buf chain, key;

	buf_init(&chain, TLS_OWN_FILE_MAX + 1);
	buf_init(&key, TLS_OWN_FILE_MAX + 1);
	if (slurp(chain_fd, &chain) == -1) {
		complain(conf, c, false, strerror(errno), f);
	} else if (slurp(key_fd, &key) == -1) {
		complain(conf, c, true, strerror(errno), f);
	} else {
		own = tls_own_read(buf_get(&chain), buf_get(&key),
		    (uint64_t)now, &notes);
		if (own == NULL)
			complain(conf, c, notes.v[notes.n - 1].key,
			    notes.v[notes.n - 1].text, f);
	}
	buf_free(&chain);
	buf_wipe(&key);
	return own;
}

struct keys_store *
keys_store_configured(const struct conf *conf, const struct role_files *files,
    time_t now, struct fault *f)
{
	struct keys_store *s = calloc(1, sizeof *s);

	if (s == NULL) {
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
		return NULL;
	}
	s->conf = conf_hold(conf);
	for (size_t i = 0; i < conf->tls.ncertificates; i++) {
		const struct conf_certificate *c = &conf->tls.certificates[i];
		struct tls_own *own = read_one(conf, c,
		    files->fd[ROLE_FILE_CHAIN][i], files->fd[ROLE_FILE_KEY][i],
		    now, f);

		if (own == NULL ||
		    keys_store_add_own(s, c->label, own, f) == -1) {
			keys_store_close(&s);
			return NULL;
		}
		keys_check_expiry(own, c->label, now);
	}
	return s;
}
