/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* configured.c - certificates that the configuration names, as keys gets them:
 * descriptors of files, and what is wrong with them told by line. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <gnutls/abstract.h>

#include "keys/store.h"
#include "tests/unit/base/conf_test.h"
#include "tests/unit/suite.h"
#include "tests/unit/pki.h"
#include "tls/own.h"

#define NOW	1764000000

static char dir[64];
static struct role_files files;

static void
setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/sealane-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&files, 0xff, sizeof files);
}

static void
teardown(void)
{
	char path[80];

	for (unsigned k = 0; k < ROLE_FILE_KINDS; k++)
		for (unsigned i = 0; i < 3; i++) {
			snprintf(path, sizeof path, "%s/%u.%u", dir, k, i);
			(void)unlink(path);
			if (files.fd[k][i] != -1)
				close(files.fd[k][i]);
		}
	ck_assert_int_eq(rmdir(dir), 0);
}

/* A file with these bytes, of which something was read already. */
static void
give(unsigned kind, unsigned i, struct buf *b)
{
	char path[80], byte[7];
	int fd;

	snprintf(path, sizeof path, "%s/%u.%u", dir, kind, i);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, buf_get(b).p, b->len), (ssize_t)b->len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	(void)!read(fd, byte, sizeof byte);
	files.fd[kind][i] = fd;
	buf_reset(b);
}

static void
give_pair(unsigned i, const struct pki_cert *crt, const struct pki_cert *key)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	pki_crt_pem(crt, &b);
	give(ROLE_FILE_CHAIN, i, &b);
	pki_key_pem(key, &b);
	give(ROLE_FILE_KEY, i, &b);
	buf_free(&b);
}

static struct conf *
conf_of(unsigned n)
{
	char text[1024] = "tls {\n";
	size_t at = strlen(text);

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at,
		    "certificate \"c%u\" {\n  chain = \"/etc/c%u\"\n"
		    "  key = \"/etc/k%u\"\n}\n", i, i, i);
	snprintf(text + at, sizeof text - at, "}\n");
	return conf_good(text);
}

START_TEST(all_are_there)
{
	struct pki_cert ec, rsa;
	struct fault f = { 0 };
	struct keys_store *s;
	struct ipc_own_cert own;
	struct conf *c = conf_of(2);
	struct span rest;
	struct buf list;

	pki_make(&ec, NULL, "ec.example", PKI_P256, false, NOW - 1000,
	    NOW + 100000000);
	pki_make(&rsa, NULL, "rsa.example", 3072, false, NOW - 1000,
	    NOW + 100000000);
	give_pair(0, &rsa, &rsa);
	give_pair(1, &ec, &ec);
	s = keys_store_configured(c, &files, NOW, &f);
	ck_assert_msg(s != NULL, "%s", f.text);
	ck_assert_uint_eq(keys_store_rsa_bits(s, 0), 3072);
	ck_assert_uint_eq(keys_store_rsa_bits(s, 1), 0);
	ck_assert_uint_eq(keys_store_rsa_bits(s, 2), 0);
	buf_init(&list, KEYS_CERTS_MAX);
	ck_assert_int_eq(keys_store_certs(s, &list), 0);
	rest = buf_get(&list);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(ipc_get_own_cert(&rest, &own), 1);
		ck_assert_uint_eq(own.key, i);
		ck_assert(span_eq(own.label, i == 0 ? SPAN_LIT("c0") :
		    SPAN_LIT("c1")));
	}
	ck_assert_int_eq(ipc_get_own_cert(&rest, &own), 0);
	/* Too much for one message goes in several, record by record. */
	ck_assert_uint_eq(tls_own_list_head(buf_get(&list), list.len), list.len);
	ck_assert_uint_lt(tls_own_list_head(buf_get(&list), list.len - 1),
	    list.len);
	ck_assert_uint_gt(tls_own_list_head(buf_get(&list), list.len - 1), 0);
	ck_assert_uint_eq(tls_own_list_head(buf_get(&list), 10), 0);
	buf_free(&list);
	keys_store_close(&s);
	conf_free(&c);
	pki_free(&ec);
	pki_free(&rsa);
}
END_TEST

START_TEST(key_of_another)
{
	struct pki_cert a, b;
	struct fault f = { 0 };
	struct conf *c = conf_of(2);

	pki_make(&a, NULL, "a.example", PKI_P256, false, NOW - 1000,
	    NOW + 100000000);
	pki_make(&b, NULL, "b.example", PKI_P256, false, NOW - 1000,
	    NOW + 100000000);
	give_pair(0, &a, &a);
	give_pair(1, &b, &a);
	ck_assert_ptr_null(keys_store_configured(c, &files, NOW, &f));
	ck_assert_str_eq(f.text, "t.conf:8:9: error: /etc/k1: the key belongs "
	    "to no certificate of `chain`, whose first is for CN=b.example");
	conf_free(&c);
	pki_free(&a);
	pki_free(&b);
}
END_TEST

START_TEST(bad_files)
{
	struct fault f = { 0 };
	struct conf *c = conf_of(1);
	struct pki_cert a;
	struct buf b;

	buf_init(&b, 1 << 20);
	pki_make(&a, NULL, "a.example", PKI_P256, false, NOW - 1000,
	    NOW + 100000000);
	switch (_i) {
	case 0:			/* nothing came */
		break;
	case 1:			/* too large */
		give_pair(0, &a, &a);
		close(files.fd[ROLE_FILE_CHAIN][0]);
		pki_crt_pem(&a, &b);
		while (b.len < 70000)
			buf_str(&b, "0123456789\n");
		give(ROLE_FILE_CHAIN, 0, &b);
		break;
	case 2:			/* empty */
		give(ROLE_FILE_CHAIN, 0, &b);
		give(ROLE_FILE_KEY, 0, &b);
		break;
	}
	ck_assert_ptr_null(keys_store_configured(c, &files, NOW, &f));
	ck_assert_msg(strncmp(f.text, "t.conf:3:11: error: /etc/c0: ", 29) == 0,
	    "%s", f.text);
	conf_free(&c);
	pki_free(&a);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keys/configured");
	TCase *tc = tcase_create("configured");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, all_are_there);
	tcase_add_test(tc, key_of_another);
	tcase_add_loop_test(tc, bad_files, 0, 3);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
