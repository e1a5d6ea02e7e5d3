/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Properties of the schema table itself: what holds for every row. */
#include "base/conf_schema.h"
#include "tests/unit/base/conf_test.h"

static bool
is_block(const struct conf_row *r)
{
	return r->type == CONF_BLOCK || r->type == CONF_LABELLED ||
	    r->type == CONF_DOMAINS || r->type == CONF_NETWORKS;
}

/* The text around a row's statement: its block opened and closed. */
static void
in_block(const struct conf_row *r, const char *value, char *out, size_t size)
{
	struct span rest = span_str(r->block);
	size_t at = 0, depth = 0;
	bool accept = strcmp(r->block, "accept.domain") == 0;

	while (rest.n > 0) {
		struct span part = span_cut(&rest, '.');
		bool label = span_eq(part, SPAN_LIT("listen")) ||
		    span_eq(part, SPAN_LIT("domain"));

		bool net = strcmp(r->block, "accept.client") == 0 &&
		    span_eq(part, SPAN_LIT("client"));

		at += (size_t)snprintf(out + at, size - at, "%.*s %s {\n",
		    SPAN_FMT(part), label ? "\"l.example\"" :
		    net ? "\"192.0.2.0/24\"" : "");
		depth++;
	}
	at += (size_t)snprintf(out + at, size - at, "%s = %s\n%s%s", r->key,
	    value, accept && strcmp(r->key, "to") != 0 ?
	    "to = \"discard:\"\n" : "",
	    accept && strcmp(r->key, "recipients") != 0 ?
	    "recipients = \"any\"\n" : "");
	while (depth-- > 0)
		at += (size_t)snprintf(out + at, size - at, "}\n");
}

START_TEST(complete)
{
	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *r = &conf_rows[i];
		char allowed[512];

		ck_assert_msg(r->help != NULL && strlen(r->help) > 10 &&
		    r->help[strlen(r->help) - 1] == '.', "%s.%s: help",
		    r->block, r->key);
		conf_row_allowed(r, allowed, sizeof allowed);
		ck_assert_msg(strlen(allowed) > 4 && strlen(allowed) < 200,
		    "%s.%s: %s", r->block, r->key, allowed);
		ck_assert_msg(conf_row_find(r->block, r->key) == r,
		    "%s.%s is there twice", r->block, r->key);
		if (r->type != CONF_LATER && r->type != CONF_BLOCK)
			ck_assert_msg(r->deflt != NULL ||
			    r->deflt_text != NULL || r->required != NULL,
			    "%s.%s: no default", r->block, r->key);
		ck_assert(r->min <= r->max);
	}
}
END_TEST

/* Every block that a row names is itself a row. */
START_TEST(blocks_exist)
{
	for (size_t i = 0; i < conf_nrows; i++) {
		char block[64], *key;
		const struct conf_row *up;

		snprintf(block, sizeof block, "%s", conf_rows[i].block);
		if (block[0] == '\0')
			continue;
		key = strrchr(block, '.');
		if (key != NULL)
			*key++ = '\0';
		up = key != NULL ? conf_row_find(block, key) :
		    conf_row_find("", block);
		ck_assert_msg(up != NULL && is_block(up), "%s",
		    conf_rows[i].block);
	}
}
END_TEST

/* Each default, written into a file, is taken. */
START_TEST(defaults_parse)
{
	size_t seen = 0;

	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *r = &conf_rows[i];
		char text[512];
		struct conf *c;

		if (r->deflt == NULL)
			continue;
		in_block(r, r->deflt, text, sizeof text);
		c = conf_good(text);
		conf_free(&c);
		seen++;
	}
	ck_assert_uint_gt(seen, 20);
}
END_TEST

/* Each bound is taken, and one beyond is not. */
START_TEST(bounds)
{
	static const char *const suffix[CONF_TYPES] = { [CONF_NUMBER] = "",
	    [CONF_SIZE] = "", [CONF_DURATION] = "ms" };

	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *r = &conf_rows[i];
		struct { uint64_t v; bool good; } tries[] = {
			{ r->min, true }, { r->max, true },
			{ r->min - 1, false }, { r->max + 1, false },
		};

		if (suffix[r->type] == NULL)
			continue;
		for (size_t j = 0; j < 4; j++) {
			struct conf_notes notes = { 0 };
			char text[512], value[64];
			struct conf *c;

			snprintf(value, sizeof value, "%llu%s",
			    (unsigned long long)tries[j].v, suffix[r->type]);
			in_block(r, value, text, sizeof text);
			c = conf_from(text, strlen(text), &notes);
			ck_assert_msg((c != NULL) == tries[j].good,
			    "%s.%s = %s", r->block, r->key, value);
			conf_free(&c);
			conf_notes_free(&notes);
		}
	}
}
END_TEST

/* Words of later versions and keys of later versions say so. */
START_TEST(later_says_so)
{
	size_t seen = 0;

	for (size_t i = 0; i < conf_nrows; i++) {
		const struct conf_row *r = &conf_rows[i];
		struct conf_notes notes = { 0 };
		char text[512];

		if (r->type != CONF_LATER)
			continue;
		in_block(r, "\"x\"", text, sizeof text);
		ck_assert_ptr_null(conf_from(text, strlen(text), &notes));
		ck_assert_uint_eq(notes.nerrors, 1);
		ck_assert_ptr_nonnull(strstr(notes.v[0].text,
		    "not supported in this version"));
		conf_notes_free(&notes);
		seen++;
	}
	ck_assert_uint_ge(seen, 1);
}
END_TEST

static const struct {
	uint64_t	 value;
	const char	*size, *duration;
} units[] = {
	{ 0, "0", "0ms" }, { 1, "1", "1ms" }, { 1000, "1000", "1s" },
	{ 1024, "1K", "1024ms" }, { 90000, "90000", "90s" },
	{ 3600000, "3600000", "1h" }, { 50u << 20, "50M", "52428800ms" },
	{ 2ull << 30, "2G", "2147483648ms" }, { 86400000, "84375K", "1d" },
};

START_TEST(unit_texts)
{
	char out[CONF_UNIT_TEXT];

	ck_assert_str_eq(conf_size_text(units[_i].value, out), units[_i].size);
	ck_assert_str_eq(conf_duration_text(units[_i].value, out),
	    units[_i].duration);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_schema");
	TCase *t = tcase_create("rows");

	tcase_add_test(t, complete);
	tcase_add_test(t, blocks_exist);
	tcase_add_test(t, defaults_parse);
	tcase_add_test(t, bounds);
	tcase_add_test(t, later_says_so);
	tcase_add_loop_test(t, unit_texts, 0,
	    (int)(sizeof units / sizeof units[0]));
	suite_add_tcase(s, t);
	return suite_run(s);
}
