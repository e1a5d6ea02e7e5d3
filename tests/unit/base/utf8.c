/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* UTF-8, RFC 3629 sec 3 and 4. */
#include "base/utf8.h"
#include "tests/unit/suite.h"

static const struct {
	const char	*text;
	size_t		 n;
	uint32_t	 code;
} rows[] = {
	{ "a", 1, 'a' }, { "\x7f", 1, 0x7f },
	{ "\xc2\x80", 2, 0x80 }, { "\xdf\xbf", 2, 0x7ff },
	{ "\xe0\xa0\x80", 3, 0x800 }, { "\xef\xbf\xbf", 3, 0xffff },
	{ "\xed\x9f\xbf", 3, 0xd7ff }, { "\xee\x80\x80", 3, 0xe000 },
	{ "\xf0\x90\x80\x80", 4, 0x10000 }, { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	/* none: continuation, overlong, surrogate, too high, cut, broken */
	{ "\x80", 0, 0 }, { "\xc0\x80", 0, 0 }, { "\xc1\xbf", 0, 0 },
	{ "\xe0\x9f\xbf", 0, 0 }, { "\xf0\x8f\xbf\xbf", 0, 0 },
	{ "\xed\xa0\x80", 0, 0 }, { "\xed\xbf\xbf", 0, 0 },
	{ "\xf4\x90\x80\x80", 0, 0 }, { "\xf5\x80\x80\x80", 0, 0 },
	{ "\xff", 0, 0 }, { "\xc2", 0, 0 }, { "\xe2\x82", 0, 0 },
	{ "\xc2\x41", 0, 0 }, { "\xe2\x28\xa1", 0, 0 }, { "", 0, 0 },
};

START_TEST(characters)
{
	uint32_t code = 0;
	char out[4];

	ck_assert_uint_eq(utf8_take(span_str(rows[_i].text), &code),
	    rows[_i].n);
	if (rows[_i].n == 0)
		return;
	ck_assert_uint_eq(code, rows[_i].code);
	ck_assert_uint_eq(utf8_put(code, out), rows[_i].n);
	ck_assert_int_eq(memcmp(out, rows[_i].text, rows[_i].n), 0);
}
END_TEST

START_TEST(no_characters)
{
	char out[4];

	ck_assert_uint_eq(utf8_put(0xd800, out), 0);
	ck_assert_uint_eq(utf8_put(0xdfff, out), 0);
	ck_assert_uint_eq(utf8_put(0x110000, out), 0);
}
END_TEST

START_TEST(texts)
{
	ck_assert(utf8_valid(SPAN_LIT("")));
	ck_assert(utf8_valid(SPAN_LIT("m\xc3\xbcller\xe2\x82\xac")));
	ck_assert(!utf8_valid(SPAN_LIT("m\xfcller")));
	ck_assert(!utf8_valid(SPAN_LIT("end\xc3")));
	ck_assert(utf8_any(SPAN_LIT("m\xfcller")));
	ck_assert(!utf8_any(SPAN_LIT("mueller")));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base utf8");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, characters, 0, NELEM(rows));
	tcase_add_test(tc, no_characters);
	tcase_add_test(tc, texts);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
