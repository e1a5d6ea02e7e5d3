/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/cert.c - sealane cert: what the own certificates are and what to publish
 * about them.  Reads the public halves, in state/keys/ or where the
 * configuration says, and needs no daemon; the private ones are neither
 * readable nor wanted here.  What changes something is in cert_change.c. */
#include "cli/cert_impl.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "dane/record.h"
#include "tls/fingerprint.h"
#include "tls/keydir.h"

#define SMTP_PORT	25	/* where others look the record up */
#define FILE_MAX	(64 * 1024)

#define CERTS_MAX	(CONF_CERTIFICATES > TLS_SLOTS ? CONF_CERTIFICATES : \
			    TLS_SLOTS)

struct cert {
	const char		*name;		/* of the slot, or the label */
	bool			 next;		/* not in use yet */
	char			 file[1024];
	struct tls_cert_info	 info;
	char			 tlsa[DANE_RECORD_SIZE];
};

/* ---- reading ---- */

static int
read_file(const char *file, struct buf *b)
{
	ssize_t n = -1;
	char *at = buf_room(b, FILE_MAX);
	int fd, err;

	fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (at == NULL)
		errno = ENOMEM;
	else
		n = read(fd, at, FILE_MAX);
	err = errno;
	close(fd);
	errno = err;
	if (n == -1)
		return -1;
	buf_grown(b, (size_t)n);
	return 0;
}

/* 1 there, 0 not there, -1 complained. */
static int
read_cert(const struct conf *conf, struct cert *c)
{
	struct fault f = { 0 };
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	if (read_file(c->file, &b) == -1) {
		rc = errno == ENOENT ? 0 : -1;
		if (rc == -1)
			cli_fail("%s: %s%s", c->file, strerror(errno),
			    errno == EACCES ? " (root and the group sealane "
			    "may read it)" : "");
	} else if (tls_cert_read(buf_get(&b), &c->info, &f) == -1) {
		rc = -1;
		cli_fail("%s: %s", c->file, f.text);
	} else {
		rc = 1;
		(void)dane_record_text(conf->hostname, SMTP_PORT, c->info.spki,
		    c->tlsa);
	}
	buf_free(&b);
	return rc;
}

/* How many there are; -1 complained. */
static int
read_slots(const struct conf *conf, struct cert *certs)
{
	int n = 0, rc;

	for (unsigned i = 0; i < TLS_SLOTS; i++) {
		struct cert *c = &certs[n];

		c->name = tls_slot_name((enum tls_slot)i);
		c->next = i >= TLS_SLOTS_IN_USE;
		snprintf(c->file, sizeof c->file, "%s/keys/%s.crt",
		    conf->state_directory, c->name);
		if ((rc = read_cert(conf, c)) == -1)
			return -1;
		n += rc;
	}
	if (n == 0) {
		cli_fail("there is no certificate in %s/keys yet: "
		    "`sealane serve` makes it at its first start",
		    conf->state_directory);
		return -1;
	}
	return n;
}

static int
read_configured(const struct conf *conf, struct cert *certs)
{
	for (size_t i = 0; i < conf->tls.ncertificates; i++) {
		struct cert *c = &certs[i];

		c->name = conf->tls.certificates[i].label;
		snprintf(c->file, sizeof c->file, "%s",
		    conf->tls.certificates[i].chain);
		switch (read_cert(conf, c)) {
		case 0:
			cli_fail("%s: %s", c->file, strerror(ENOENT));
			return -1;
		case -1:
			return -1;
		}
	}
	return (int)conf->tls.ncertificates;
}

/* ---- printing ---- */

static const char *
words_of(const struct cert *c)
{
	return c->next ? "next, not in use yet" : "in use";
}

static void
show_text(const struct cert *certs, size_t n)
{
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct cert *c = &certs[i];

		clock_rfc3339(c->info.not_before, 0, from);
		clock_rfc3339(c->info.not_after, 0, to);
		printf("%s%s (%s)\n", i == 0 ? "" : "\n", c->name,
		    words_of(c));
		printf("  file         %s\n", c->file);
		printf("  subject      %s\n", c->info.subject);
		printf("  type         %s\n", c->info.type);
		printf("  valid        %s to %s\n", from, to);
		printf("  fingerprint  %s\n", c->info.fingerprint);
		printf("  spki         %s\n", c->info.spki);
		printf("  tlsa         %s\n", c->tlsa);
	}
}

static json_t *
show_json(const struct cert *c, const char *host)
{
	(void)host;
	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:s, s:s, s:s}",
	    "name", cli_json_text(c->name), "state", c->next ? "next" : "current",
	    "file", cli_json_text(c->file),
	    "subject", cli_json_text(c->info.subject),
	    "type", c->info.type,
	    "not_before", cli_json_time(c->info.not_before),
	    "not_after", cli_json_time(c->info.not_after),
	    "fingerprint", c->info.fingerprint,
	    "spki_sha256", c->info.spki, "tlsa", c->tlsa);
}

/* Fit to be pasted into a zone file. */
static void
tlsa_text(const struct cert *certs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s ; %s (%s)\n", certs[i].tlsa, certs[i].name,
		    words_of(&certs[i]));
}

static json_t *
tlsa_json(const struct cert *c, const char *host)
{
	char owner[300];

	snprintf(owner, sizeof owner, "_%d._tcp.%s.", SMTP_PORT, host);
	return json_pack("{s:o, s:s, s:o, s:i, s:i, s:i, s:s}",
	    "name", cli_json_text(c->name), "state", c->next ? "next" : "current",
	    "owner", cli_json_text(owner), "usage", 3, "selector", 1,
	    "matching_type", 1, "data", c->info.spki);
}

static const struct verb {
	const char	*name;
	const char	*key;		/* of the array in JSON */
	void		(*text)(const struct cert *, size_t);
	json_t		*(*json)(const struct cert *, const char *host);
} verbs[] = {
	{ "show", "certificates", show_text, show_json },
	{ "tlsa", "records", tlsa_text, tlsa_json },
};

static int
print_json(const struct verb *v, const struct cert *certs, size_t n,
    const char *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, v->json(&certs[i], host)) != 0) {
			json_decref(array);
			return cli_fail("no memory");
		}
	return cli_json(json_pack("{s:o}", v->key, array));
}

/* ---- the command ---- */

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* renew and import, which change something; -1: another one. */
static int
change(const struct conf *conf, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "renew") == 0)
		return cert_renew(conf);
	if (argc == 4 && strcmp(argv[1], "import") == 0)
		return cert_import(conf, argv[2], argv[3]);
	return -1;
}

int
cli_cert(const struct conf *conf, int argc, char **argv)
{
	static struct cert certs[CERTS_MAX];
	const struct verb *v = NULL;
	bool json = false;
	int n = change(conf, argc, argv);

	if (n != -1)
		return n;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (v != NULL || (v = find_verb(argv[i])) == NULL)
			return cli_usage("cert: \"%s\" is not understood: "
			    "cert [show|tlsa] [--json], cert renew, "
			    "cert import CHAIN KEY", argv[i]);
	}
	if (v == NULL)
		v = &verbs[0];
	n = conf->tls.ncertificates > 0 ? read_configured(conf, certs) :
	    read_slots(conf, certs);
	if (n == -1)
		return CLI_BAD;
	if (json)
		return print_json(v, certs, (size_t)n, conf->hostname);
	v->text(certs, (size_t)n);
	return CLI_OK;
}
