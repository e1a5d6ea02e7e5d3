/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* store.c - key files: made, kept, refused. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/store.h"
#include "tests/unit/suite.h"
#include "tls/fingerprint.h"

#define NOW		1750000000	/* 2025-06-15 */

static char state[64];

static void
make_state(void)
{
	char dir[128];

	snprintf(state, sizeof state, "/tmp/sealane-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state));
	snprintf(dir, sizeof dir, "%s/keys", state);
	ck_assert_int_eq(mkdir(dir, 0750), 0);
}

static void
path_of(char *out, size_t size, const char *file)
{
	snprintf(out, size, "%s/keys/%s", state, file);
}

static void
remove_state(void)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, "%s/keys", state);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		path_of(path, sizeof path, e->d_name);
		(void)unlink(path);
	}
	if (d != NULL)
		closedir(d);
	snprintf(path, sizeof path, "%s/keys", state);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(state), 0);
}

static struct keys_store *
open_ok(const char *host, bool make)
{
	struct fault f = { 0 };
	struct keys_store *s = keys_store_open(state, host, make, NOW, &f);

	ck_assert_msg(s != NULL, "%s", f.text);
	return s;
}

static void
read_file(const char *file, struct buf *b)
{
	char path[PATH_MAX];
	char *at = buf_room(b, 65536);
	ssize_t n;
	int fd;

	path_of(path, sizeof path, file);
	fd = open(path, O_RDONLY);
	ck_assert_int_ne(fd, -1);
	n = read(fd, at, 65536);
	ck_assert_int_gt(n, 0);
	buf_grown(b, (size_t)n);
	close(fd);
}

static void
write_file(const char *file, struct span s, mode_t mode)
{
	char path[PATH_MAX];
	int fd;

	path_of(path, sizeof path, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, s.p, s.n), (ssize_t)s.n);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void
info_of(const char *file, struct tls_cert_info *info)
{
	struct fault f;
	struct buf b;

	buf_init(&b, 70000);
	read_file(file, &b);
	ck_assert_msg(tls_cert_read(buf_get(&b), info, &f) == 0, "%s", f.text);
	buf_free(&b);
}

static const struct file {
	const char	*name;
	mode_t		 mode;
	const char	*type;		/* of a certificate */
} files[] = {
	{ "ecdsa.key", 0600, NULL },
	{ "rsa.key", 0600, NULL },
	{ "next-ecdsa.key", 0600, NULL },
	{ "next-rsa.key", 0600, NULL },
	{ "ecdsa.crt", 0644, "ECDSA SECP256R1" },
	{ "rsa.crt", 0644, "RSA 2048" },
	{ "next-ecdsa.crt", 0644, "ECDSA SECP256R1" },
	{ "next-rsa.crt", 0644, "RSA 2048" },
};

START_TEST(makes_what_is_missing)
{
	struct keys_store *s;
	struct tls_cert_info info;
	struct stat st;
	char path[PATH_MAX];
	unsigned entries = 0;
	DIR *d;

	make_state();
	umask(077);			/* certificates are public all the same */
	s = open_ok("mx1.example.org", true);
	for (size_t i = 0; i < NELEM(files); i++) {
		path_of(path, sizeof path, files[i].name);
		ck_assert_msg(lstat(path, &st) == 0, "%s", path);
		ck_assert_uint_eq(st.st_mode, S_IFREG | files[i].mode);
		if (files[i].type == NULL)
			continue;
		info_of(files[i].name, &info);
		ck_assert_str_eq(info.type, files[i].type);
		ck_assert_str_eq(info.subject, "CN=mx1.example.org");
		ck_assert_uint_eq((info.not_after / 1000 - NOW) / 86400, 3650);
		ck_assert_uint_lt(info.not_before / 1000, NOW);
	}
	snprintf(path, sizeof path, "%s/keys", state);
	d = opendir(path);
	while (readdir(d) != NULL)
		entries++;
	closedir(d);
	ck_assert_uint_eq(entries, NELEM(files) + 2);	/* no temporary file */
	keys_store_close(&s);
	remove_state();
}
END_TEST

/* What is compared before and after: one certificate of each key. */
static void
spkis(char out[4][TLS_HEX_SIZE], char prints[4][TLS_FINGERPRINT_SIZE])
{
	for (size_t i = 0; i < 4; i++) {
		struct tls_cert_info info;

		info_of(files[4 + i].name, &info);
		memcpy(out[i], info.spki, sizeof info.spki);
		memcpy(prints[i], info.fingerprint, sizeof info.fingerprint);
	}
}

static const struct again {
	const char	*name, *host;
	const char	*lose;		/* file deleted in between */
	const char	*spoil;		/* certificate overwritten with another's */
	int		 new_cert, new_key;	/* index that changes, -1 none, 4 all */
} agains[] = {
	{ "restart", "mx1.example.org", NULL, NULL, -1, -1 },
	{ "letter case is no other name", "MX1.example.ORG", NULL, NULL, -1, -1 },
	{ "new host name keeps keys", "mx2.example.org", NULL, NULL, 4, -1 },
	{ "lost certificate", "mx1.example.org", "ecdsa.crt", NULL, 0, -1 },
	{ "lost key", "mx1.example.org", "rsa.key", NULL, 1, 1 },
	{ "lost next key", "mx1.example.org", "next-ecdsa.key", NULL, 2, 2 },
	{ "certificate of another key", "mx1.example.org", NULL, "ecdsa.crt", 0,
	    -1 },
};

START_TEST(kept_over_restarts)
{
	const struct again *r = &agains[_i];
	char spki[2][4][TLS_HEX_SIZE], print[2][4][TLS_FINGERPRINT_SIZE];
	char path[PATH_MAX];
	struct keys_store *s;

	make_state();
	s = open_ok("mx1.example.org", true);
	keys_store_close(&s);
	spkis(spki[0], print[0]);
	if (r->lose != NULL) {
		path_of(path, sizeof path, r->lose);
		ck_assert_int_eq(unlink(path), 0);
	}
	if (r->spoil != NULL) {
		struct buf b;

		buf_init(&b, 70000);
		read_file("next-ecdsa.crt", &b);
		write_file(r->spoil, buf_get(&b), 0644);
		buf_free(&b);
	}
	s = open_ok(r->host, true);
	keys_store_close(&s);
	spkis(spki[1], print[1]);
	for (int i = 0; i < 4; i++) {
		bool same_key = r->new_key != i;
		bool same_cert = r->new_cert != i && r->new_cert != 4;

		ck_assert_msg((strcmp(spki[0][i], spki[1][i]) == 0) == same_key,
		    "%s: key %d", r->name, i);
		ck_assert_msg((strcmp(print[0][i], print[1][i]) == 0) ==
		    same_cert, "%s: certificate %d", r->name, i);
	}
	remove_state();
}
END_TEST

START_TEST(long_host_name)
{
	static const char host[] = "a-host-with-a-name-that-is-longer-than-any-"
	    "common-name-may-be.department.example.org";
	struct tls_cert_info info;
	char before[TLS_FINGERPRINT_SIZE];
	struct keys_store *s;

	make_state();
	s = open_ok(host, true);
	keys_store_close(&s);
	info_of("ecdsa.crt", &info);
	ck_assert_str_eq(info.subject, "O=Self-signed mail host");
	memcpy(before, info.fingerprint, sizeof before);
	s = open_ok(host, true);
	keys_store_close(&s);
	info_of("ecdsa.crt", &info);
	ck_assert_str_eq(info.fingerprint, before);
	remove_state();
}
END_TEST

/* ---- what is refused ---- */

static void
open_mode(const char *path)
{
	ck_assert_int_eq(chmod(path, 0640), 0);
}

static void
world_mode(const char *path)
{
	ck_assert_int_eq(chmod(path, 0604), 0);
}

static void
link_away(const char *path)
{
	char to[PATH_MAX];

	snprintf(to, sizeof to, "%s.real", path);
	ck_assert_int_eq(rename(path, to), 0);
	ck_assert_int_eq(symlink(to, path), 0);
}

static void
hard_link(const char *path)
{
	char to[PATH_MAX];

	snprintf(to, sizeof to, "%s.too", path);
	ck_assert_int_eq(link(path, to), 0);
}

static void
fifo(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void
rubbish(const char *path)
{
	(void)path;
	write_file("ecdsa.key", SPAN_LIT("-----BEGIN PRIVATE KEY-----\n"), 0600);
}

static void
empty(const char *path)
{
	ck_assert_int_eq(truncate(path, 0), 0);
}

static void
other_kind(const char *path)
{
	struct buf b;

	(void)path;
	buf_init(&b, 70000);
	read_file("rsa.key", &b);
	write_file("ecdsa.key", buf_get(&b), 0600);
	buf_free(&b);
}

static void
open_directory(const char *path)
{
	char dir[PATH_MAX];

	(void)path;
	snprintf(dir, sizeof dir, "%s/keys", state);
	ck_assert_int_eq(chmod(dir, 0770), 0);
}

static const struct refusal {
	void		(*spoil)(const char *path);
	const char	*says;
} refusals[] = {
	{ open_mode, "ecdsa.key has mode 0640" },
	{ world_mode, "ecdsa.key has mode 0604" },
	{ link_away, "ecdsa.key is a symbolic link" },
	{ hard_link, "ecdsa.key has 2 names" },
	{ fifo, "ecdsa.key is not a regular file" },
	{ rubbish, "ecdsa.key is no private key" },
	{ empty, "ecdsa.key is no private key" },
	{ other_kind, "ecdsa.key is not a key of type ecdsa" },
	{ open_directory, "keys has mode 0770" },
};

START_TEST(refuses)
{
	const struct refusal *r = &refusals[_i % (int)NELEM(refusals)];
	bool make = _i < (int)NELEM(refusals);
	struct fault f = { 0 };
	char path[PATH_MAX];
	struct keys_store *s;

	make_state();
	s = open_ok("mx1.example.org", true);
	keys_store_close(&s);
	path_of(path, sizeof path, "ecdsa.key");
	r->spoil(path);
	s = keys_store_open(state, "mx1.example.org", make, NOW, &f);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(f.text, r->says) != NULL, "got: %s", f.text);
	remove_state();
}
END_TEST

START_TEST(others_wait_for_keys_1)
{
	struct fault f = { 0 };
	struct keys_store *s;
	char path[PATH_MAX];

	make_state();
	s = keys_store_open(state, "mx1.example.org", false, NOW, &f);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(f.class, FAULT_TEMP);
	ck_assert_msg(strstr(f.text, "ecdsa.key is not there yet") != NULL,
	    "%s", f.text);
	path_of(path, sizeof path, "ecdsa.key");
	ck_assert_int_eq(access(path, F_OK), -1);
	s = open_ok("mx1.example.org", true);
	keys_store_close(&s);
	/* They need no certificate. */
	path_of(path, sizeof path, "ecdsa.crt");
	ck_assert_int_eq(unlink(path), 0);
	s = open_ok("mx1.example.org", false);
	keys_store_close(&s);
	remove_state();
}
END_TEST

/* Numbers of two generations never meet. */
START_TEST(numbers)
{
	struct keys_store *s;
	struct ipc_own_cert cert;
	struct buf list;
	struct span rest;

	make_state();
	s = open_ok("mx.example.org", true);
	ck_assert(keys_store_has(s, 0) && keys_store_has(s, 1));
	ck_assert(!keys_store_has(s, 2));
	keys_store_number(s, 3);
	ck_assert(!keys_store_has(s, 0) && !keys_store_has(s, 2));
	ck_assert(!keys_store_has(s, UINT32_MAX));
	buf_init(&list, KEYS_CERTS_MAX);
	ck_assert_int_eq(keys_store_certs(s, &list), 0);
	rest = buf_get(&list);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(ipc_get_own_cert(&rest, &cert), 1);
		ck_assert_uint_ge(cert.key, 3 * CONF_CERTIFICATES);
		ck_assert(keys_store_has(s, cert.key));
	}
	ck_assert_uint_gt(keys_store_rsa_bits(s, cert.key), 0);
	ck_assert_uint_eq(keys_store_rsa_bits(s, 1), 0);
	ck_assert(!keys_store_has(NULL, 0));
	buf_free(&list);
	keys_store_close(&s);
	remove_state();
}
END_TEST

/* A month before it ends a self-signed certificate is made anew; the key, and
 * so its TLSA record, stays. */
START_TEST(renewed_in_time)
{
	static const struct { int days; bool anew; } rows[] = {
		{ 0, false }, { 3600, false }, { 3640, true },
	};
	struct keys_store *old, *s;
	struct buf was, now;
	struct fault f = { 0 };

	make_state();
	old = open_ok("mx.example.org", true);
	for (size_t i = 0; i < NELEM(rows); i++) {
		buf_init(&was, KEYS_CERTS_MAX);
		buf_init(&now, KEYS_CERTS_MAX);
		s = keys_store_open(state, "mx.example.org", true,
		    NOW + (time_t)rows[i].days * 24 * 3600, &f);
		ck_assert_ptr_nonnull(s);
		ck_assert(keys_store_same_keys(old, s));
		ck_assert_int_eq(keys_store_certs(old, &was), 0);
		ck_assert_int_eq(keys_store_certs(s, &now), 0);
		ck_assert_int_eq(!span_eq(buf_get(&was), buf_get(&now)),
		    rows[i].anew);
		keys_store_number(s, 1);
		ck_assert(!keys_store_same_keys(old, s));
		keys_store_close(&s);
		buf_free(&was);
		buf_free(&now);
	}
	keys_store_close(&old);
	remove_state();
}
END_TEST

START_TEST(no_directory)
{
	struct fault f = { 0 };

	ck_assert_ptr_null(keys_store_open("/nonexistent", "a.example", true,
	    NOW, &f));
	ck_assert_int_eq(f.err, ENOENT);
	ck_assert_msg(strstr(f.text, "/nonexistent/keys") != NULL, "%s", f.text);
}
END_TEST

/* A crash between two files, or within one, leaves what the next start mends. */
START_TEST(leftovers)
{
	struct keys_store *s;
	char path[PATH_MAX];

	make_state();
	write_file("ecdsa.key.tmp", SPAN_LIT("half a k"), 0600);
	write_file("rsa.crt", SPAN_LIT(""), 0644);
	s = open_ok("mx1.example.org", true);
	keys_store_close(&s);
	path_of(path, sizeof path, "ecdsa.key.tmp");
	ck_assert_int_eq(access(path, F_OK), -1);
	s = open_ok("mx1.example.org", false);
	keys_store_close(&s);
	remove_state();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keys/store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, makes_what_is_missing);
	tcase_add_loop_test(tc, kept_over_restarts, 0, NELEM(agains));
	tcase_add_test(tc, long_host_name);
	tcase_add_loop_test(tc, refuses, 0, 2 * NELEM(refusals));
	tcase_add_test(tc, others_wait_for_keys_1);
	tcase_add_test(tc, no_directory);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, renewed_in_time);
	tcase_add_test(tc, leftovers);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
