/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* A large file is looked through in slices, and its size is known ahead. */
#include "relay/convert.h"

#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/suite.h"

#define LINES	(80 * 1024)
#define LINE	"0123456789abcdef0123456789abcdef0123456789abcdef\r\n"

/* About 4 MiB, 8-bit in its last line. */
static struct body
big_body(void)
{
	struct body b = { .fd = memfd_create("body", MFD_CLOEXEC) };
	struct buf text;

	buf_init(&text, 8 * 1024 * 1024);
	(void)buf_str(&text, "MIME-Version: 1.0\r\n\r\n");
	for (int i = 0; i < LINES; i++)
		(void)buf_str(&text, LINE);
	(void)buf_str(&text, "caf\xe9\r\n");
	ck_assert(!text.failed);
	ck_assert_int_eq(write(b.fd, buf_get(&text).p, text.len),
	    (ssize_t)text.len);
	b.size = text.len;
	buf_free(&text);
	return b;
}

static unsigned
slices(struct convert *c)
{
	struct fault f = { 0 };
	unsigned n = 1;
	int rc;

	for (; (rc = convert_slice(c, &f)) == 0; n++)
		ck_assert_uint_lt(n, 100);
	ck_assert_int_eq(rc, 1);
	return n;
}

START_TEST(convert_slices)
{
	struct body b = big_body();
	struct convert *c = convert_new(&b, true);
	uint64_t size = 0;
	struct span s = SPAN_NONE;
	bool last = false;

	ck_assert_uint_ge(slices(c), 8);	/* two walks */
	ck_assert_int_eq(c->verdict, MIME7_CONVERT);
	/* what it says of itself, and two bytes for each that is escaped */
	ck_assert_uint_gt(c->size, b.size + 2);
	convert_rewind(c);
	while (!last) {
		ck_assert_int_eq(convert_piece(c, &s, &last, NULL), 0);
		size += s.n;
	}
	ck_assert_uint_eq(size, c->size);
	ck_assert(s.n > 8 && memcmp(s.p + s.n - 8, "caf=E9\r\n", 8) == 0);
	convert_free(&c);

	c = convert_new(&b, false);
	ck_assert_uint_le(slices(c), 6);
	ck_assert_uint_eq(c->size, 0);
	convert_free(&c);
	ck_assert_ptr_null(c);
	body_close(&b);
}
END_TEST

START_TEST(convert_short_file)
{
	struct body b = big_body();
	struct fault f = { 0 };
	struct convert *c;
	int rc;

	b.size += 100;
	c = convert_new(&b, true);
	while ((rc = convert_slice(c, &f)) == 0)
		;
	ck_assert_int_eq(rc, -1);
	ck_assert(f.text[0] != '\0');
	convert_free(&c);
	body_close(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay convert");
	TCase *tc = tcase_create("convert");

	tcase_add_test(tc, convert_slices);
	tcase_add_test(tc, convert_short_file);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
