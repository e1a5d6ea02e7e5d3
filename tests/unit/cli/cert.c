/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cert.c - sealane cert, on certificates that the keys role made. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "keys/store.h"
#include "dane/record.h"
#include "tests/unit/suite.h"
#include "tls/fingerprint.h"

static char state[64];
static char out[65536], err[4096];

static void
make_state(bool with_keys)
{
	char dir[128];
	struct fault f;
	struct keys_store *s;

	snprintf(state, sizeof state, "/tmp/sealane-cert-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state));
	snprintf(dir, sizeof dir, "%s/keys", state);
	ck_assert_int_eq(mkdir(dir, 0750), 0);
	if (!with_keys)
		return;
	s = keys_store_open(state, "mx1.example.org", true, time(NULL), &f);
	ck_assert_msg(s != NULL, "%s", f.text);
	keys_store_close(&s);
}

static void
remove_state(void)
{
	static const char *const names[] = { "ecdsa", "rsa", "next-ecdsa",
	    "next-rsa" };
	char path[PATH_MAX];

	for (size_t i = 0; i < NELEM(names); i++) {
		snprintf(path, sizeof path, "%s/keys/%s.key", state, names[i]);
		(void)unlink(path);
		snprintf(path, sizeof path, "%s/keys/%s.crt", state, names[i]);
		(void)unlink(path);
	}
	snprintf(path, sizeof path, "%s/keys", state);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(state), 0);
}

static void
take(FILE *tmp, char *to, size_t size)
{
	size_t n;

	rewind(tmp);
	n = fread(to, 1, size - 1, tmp);
	to[n] = '\0';
	fclose(tmp);
}

/* Runs the command with stdout and stderr in memory. */
static int
run(const char *a, const char *b)
{
	struct conf conf = { .hostname = "mx1.example.org",
	    .state_directory = state };
	char *argv[4] = { (char *)(uintptr_t)"cert", (char *)(uintptr_t)a,
	    (char *)(uintptr_t)b, NULL };
	FILE *o = tmpfile(), *e = tmpfile();
	int old_out = dup(1), old_err = dup(2), rc;

	fflush(stdout);
	dup2(fileno(o), 1);
	dup2(fileno(e), 2);
	rc = cli_cert(&conf, a == NULL ? 1 : b == NULL ? 2 : 3, argv);
	fflush(stdout);
	dup2(old_out, 1);
	dup2(old_err, 2);
	close(old_out);
	close(old_err);
	take(o, out, sizeof out);
	take(e, err, sizeof err);
	return rc;
}

static const struct usage {
	const char	*a, *b;
	int		 want;
} usages[] = {
	{ NULL, NULL, CLI_OK },
	{ "show", NULL, CLI_OK },
	{ "tlsa", NULL, CLI_OK },
	{ "tlsa", "--json", CLI_OK },
	{ "--json", "show", CLI_OK },
	{ "renew", "all", CLI_USAGE },
	{ "import", "chain", CLI_USAGE },
	{ "renewed", NULL, CLI_USAGE },
	{ "show", "tlsa", CLI_USAGE },
	{ "show", "--jsonn", CLI_USAGE },
	{ "", NULL, CLI_USAGE },
};

START_TEST(usage_rows)
{
	make_state(true);
	for (size_t i = 0; i < NELEM(usages); i++) {
		const struct usage *u = &usages[i];
		int rc = run(u->a, u->b);

		ck_assert_msg(rc == u->want, "%s %s: %d",
		    u->a == NULL ? "" : u->a, u->b == NULL ? "" : u->b, rc);
		ck_assert_int_eq(out[0] != '\0', rc == CLI_OK);
		ck_assert_int_eq(err[0] != '\0', rc != CLI_OK);
	}
	remove_state();
}
END_TEST

START_TEST(none_yet)
{
	make_state(false);
	ck_assert_int_eq(run("show", NULL), CLI_BAD);
	ck_assert_str_eq(out, "");
	ck_assert_msg(strstr(err, "no certificate") != NULL, "%s", err);
	remove_state();
}
END_TEST

START_TEST(damaged)
{
	char path[PATH_MAX];

	make_state(true);
	snprintf(path, sizeof path, "%s/keys/rsa.crt", state);
	ck_assert_int_eq(truncate(path, 100), 0);
	ck_assert_int_eq(run("show", NULL), CLI_BAD);
	ck_assert_msg(strstr(err, "rsa.crt") != NULL, "%s", err);
	remove_state();
}
END_TEST

static const char *
text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	ck_assert_msg(s != NULL, "no string %s", key);
	return s;
}

START_TEST(show_and_tlsa_agree)
{
	json_t *show, *tlsa, *c, *r;
	char want[DANE_RECORD_SIZE];
	size_t i;

	make_state(true);
	ck_assert_int_eq(run("show", "--json"), CLI_OK);
	show = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_int_eq(run("tlsa", "--json"), CLI_OK);
	tlsa = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(show != NULL && tlsa != NULL);
	ck_assert_int_eq(run("tlsa", NULL), CLI_OK);
	ck_assert_uint_eq(json_array_size(json_object_get(show,
	    "certificates")), 4);
	json_array_foreach(json_object_get(show, "certificates"), i, c) {
		r = json_array_get(json_object_get(tlsa, "records"), i);
		ck_assert_str_eq(text_of(c, "subject"), "CN=mx1.example.org");
		ck_assert_str_eq(text_of(c, "state"), i < 2 ? "current" :
		    "next");
		ck_assert_str_eq(text_of(c, "spki_sha256"), text_of(r, "data"));
		ck_assert_str_eq(text_of(r, "owner"),
		    "_25._tcp.mx1.example.org.");
		ck_assert(dane_record_text("mx1.example.org", 25,
		    text_of(r, "data"), want));
		ck_assert_str_eq(text_of(c, "tlsa"), want);
		ck_assert_ptr_nonnull(strstr(out, want));
	}
	json_decref(show);
	json_decref(tlsa);
	remove_state();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli/cert");
	TCase *tc = tcase_create("cert");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, usage_rows);
	tcase_add_test(tc, none_yet);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, show_and_tlsa_agree);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
