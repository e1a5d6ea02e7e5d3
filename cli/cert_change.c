/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/cert_change.c - sealane cert renew and import: change files in state/keys/
 * under its lock, and let the running relay load them.  What renew needs of a
 * private key, keys 1 does when it loads. */
#include "cli/cert_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "tls/keydir.h"
#include "tls/own.h"

#define NAME_SIZE	32

static const char *
file_of(enum tls_slot slot, const char *ending, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "%s.%s", tls_slot_name(slot), ending);
	return out;
}

/* The folder, locked.  -1 complained. */
static int
open_folder(const struct conf *conf, struct tls_keydir *d)
{
	struct fault f;

	if (conf->tls.ncertificates > 0) {
		cli_fail("the certificates are those of the configuration: put "
		    "new files in their place, then reload (SIGHUP)");
		return -1;
	}
	if (tls_keydir_open(d, conf->state_directory, &f) == -1) {
		cli_fail("%s", f.text);
		return -1;
	}
	if (tls_keydir_lock(d, &f) == 0)
		return 0;
	tls_keydir_close(d);
	cli_fail("%s", f.text);
	return -1;
}

static int
load_it(const struct conf *conf)
{
	pid_t pid;
	int rc = cli_signal(conf, SIGHUP, &pid);

	if (rc == CLI_OK)
		printf("process %d loads it for new sessions; its log says "
		    "`reloaded`, or why not\n", (int)pid);
	else if (rc == CLI_NOT_RUNNING)
		printf("no Sealane runs here: the next start loads it\n");
	return rc == CLI_NOT_RUNNING ? CLI_OK : rc;
}

/* ---- renew ---- */

static bool
has_next(const struct tls_keydir *d, enum tls_slot next)
{
	char key[NAME_SIZE];
	struct stat st;

	return fstatat(d->fd, file_of(next, "key", key), &st,
	    AT_SYMLINK_NOFOLLOW) == 0;
}

/* The key first: a certificate that is left behind does not fit it, and is
 * made anew. */
static int
take_next(const struct tls_keydir *d, enum tls_slot slot, enum tls_slot next,
    struct fault *f)
{
	static const char *const endings[] = { "key", "crt" };
	char from[NAME_SIZE], to[NAME_SIZE];

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (tls_keydir_rename(d, file_of(next, endings[i], from),
		    file_of(slot, endings[i], to), f) == -1)
			return -1;
	return 0;
}

int
cert_renew(const struct conf *conf)
{
	struct tls_keydir d;
	struct fault f = { 0 };

	if (open_folder(conf, &d) == -1)
		return CLI_BAD;
	if (!has_next(&d, TLS_SLOT_NEXT_ECDSA) ||
	    !has_next(&d, TLS_SLOT_NEXT_RSA))
		fault_set(&f, FAULT_PERM, 0, "", "%s has no next keys: "
		    "`sealane serve` makes them when it starts or reloads",
		    d.path);
	else if (take_next(&d, TLS_SLOT_ECDSA, TLS_SLOT_NEXT_ECDSA, &f) == 0)
		take_next(&d, TLS_SLOT_RSA, TLS_SLOT_NEXT_RSA, &f);
	tls_keydir_close(&d);
	if (f.text[0] != '\0')
		return cli_fail("%s", f.text);
	printf("the next keys are in use now, and new next ones are made when "
	    "they are loaded;\npublish those too: sealane cert tlsa\n");
	return load_it(conf);
}

/* ---- import ---- */

/* -1 complained. */
static int
read_file(const char *path, struct buf *b)
{
	char *at = buf_room(b, TLS_OWN_FILE_MAX + 1);
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1) {
		cli_fail("%s: %s", path, strerror(errno));
		return -1;
	}
	if (at == NULL)
		errno = ENOMEM;
	else
		n = read(fd, at, TLS_OWN_FILE_MAX + 1);
	if (n > TLS_OWN_FILE_MAX) {
		errno = EFBIG;
		n = -1;
	}
	if (n == -1)
		cli_fail("%s: %s", path, strerror(errno));
	else
		buf_grown(b, (size_t)n);
	close(fd);
	return n == -1 ? -1 : 0;
}

static struct tls_own *
read_pair(const char *chain, const char *key)
{
	struct tls_own_notes notes = { .n = 0 };
	struct tls_own *own = NULL;
	struct buf c, k;

	buf_init(&c, TLS_OWN_FILE_MAX + 1);
	buf_init(&k, TLS_OWN_FILE_MAX + 1);
	if (read_file(chain, &c) == 0 && read_file(key, &k) == 0)
		own = tls_own_read(buf_get(&c), buf_get(&k),
		    clock_wall_ms() / 1000, &notes);
	for (size_t i = 0; i < notes.n; i++)
		fprintf(stderr, "%s: %s: %s\n", notes.v[i].key ? key : chain,
		    notes.v[i].warning ? "warning" : "error", notes.v[i].text);
	buf_free(&c);
	buf_wipe(&k);
	return own;
}

static int
write_pair(const struct tls_keydir *d, const struct tls_own *own,
    struct fault *f)
{
	enum tls_slot slot = tls_own_is_rsa(own) ? TLS_SLOT_RSA :
	    TLS_SLOT_ECDSA;
	char name[NAME_SIZE];
	struct buf chain, key;
	int rc = -1;

	buf_init(&chain, TLS_OWN_FILE_MAX);
	buf_init(&key, TLS_OWN_FILE_MAX);
	if (tls_own_pem(own, &chain) == -1 || tls_own_key_pem(own, &key) == -1)
		fault_set(f, FAULT_TEMP, 0, "", "no memory");
	else if (tls_keydir_write(d, file_of(slot, "key", name), 0600,
	    buf_get(&key), f) == 0)
		rc = tls_keydir_write(d, file_of(slot, "crt", name), 0644,
		    buf_get(&chain), f);
	buf_free(&chain);
	buf_wipe(&key);
	return rc;
}

int
cert_import(const struct conf *conf, const char *chain, const char *key)
{
	struct tls_own *own = read_pair(chain, key);
	struct fault f = { 0 };
	struct tls_keydir d;
	int rc = -1;

	if (own == NULL)
		return CLI_BAD;
	/* One that was put there by mistake would be made anew. */
	if (tls_own_self_signed(own) && !tls_own_names(own, conf->hostname)) {
		cli_fail("%s is self-signed and does not name %s", chain,
		    conf->hostname);
	} else if (open_folder(conf, &d) == 0) {
		if (!tls_own_names(own, conf->hostname))
			fprintf(stderr, "%s: warning: it does not name %s\n",
			    chain, conf->hostname);
		rc = write_pair(&d, own, &f);
		tls_keydir_close(&d);
		if (rc == -1)
			cli_fail("%s", f.text);
	}
	tls_own_free(&own);
	return rc == -1 ? CLI_BAD : load_it(conf);
}
