/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/base/conf_test.h - configurations from strings, without files:
 * the bundle's frame is put around a text. */
#ifndef CONF_TEST_H
#define CONF_TEST_H

#include <check.h>
#include <stdlib.h>

#include "base/conf.h"
#include "tests/unit/suite.h"

#define CONF_TEST_MAX	(4u << 20)

static inline struct conf *
conf_from(const char *text, size_t n, struct conf_notes *notes)
{
	struct conf *c;
	struct buf b;

	buf_init(&b, CONF_TEST_MAX);
	buf_printf(&b, "sealane-conf 1\nmachine host.example.org 3\n"
	    "part 0 1 1 %zu t.conf\n", n);
	buf_add(&b, text, n);
	ck_assert_int_eq(buf_char(&b, '\n'), 0);
	c = conf_parse(buf_get(&b), notes);
	buf_free(&b);
	return c;
}

static inline void
conf_notes_text(const struct conf_notes *notes, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");

	ck_assert_ptr_nonnull(f);
	conf_notes_print(notes, f);
	fclose(f);
	out[size - 1] = '\0';
}

static inline struct conf *
conf_good(const char *text)
{
	struct conf_notes notes = { 0 };
	struct conf *c = conf_from(text, strlen(text), &notes);
	char said[4096] = "";

	conf_notes_text(&notes, said, sizeof said);
	conf_notes_free(&notes);
	ck_assert_msg(c != NULL, "%s: %s", text, said);
	return c;
}

#endif
